"""Spellings of dataset names: rules that say when two names are one.

Rules that only undo habits of drivers (``s3a`` for ``s3``, a missing default port, a slash before the key of an object)
*act*: they join names, and edges at names joined by a rule alone are at most probable. Rules that may join different
tables (letter case, partitions) only *suggest*. The names are those of the OpenLineage naming specification.
"""

from __future__ import annotations

import re
from typing import Final

ACTING: Final = ("scheme", "port", "slash")
SUGGESTING: Final = ("case", "partition")

_SCHEMES = {"s3a": "s3", "s3n": "s3", "postgresql": "postgres", "abfs": "abfss", "wasb": "wasbs"}
_PORTS = {
    "postgres": 5432, "mysql": 3306, "mssql": 1433, "redshift": 5439, "oracle": 1521, "kafka": 9092, "cassandra": 9042,
}  # fmt: skip
_KEYS = frozenset({"s3", "gs", "abfss", "wasbs"})  # names are keys: no slash before them
_PATHS = frozenset({"hdfs"})  # names are absolute paths
_UPPER = frozenset({"snowflake", "oracle"})
_LOWER = frozenset({"postgres", "redshift", "hive", "trino", "awsathena", "mssql", "sqlserver", "teradata", "db2"})
_PARTITIONED = frozenset({"s3", "gs", "abfss", "wasbs", "hdfs", "dbfs", "file"})
_PARTITION = re.compile(
    r"/(?:[^/=]+=[^/]*|\d{4}-\d{2}(?:-\d{2})?(?:T[\d:.Z]*)?|\d{8}(?:T\d+Z?)?|\d{4}/\d{2}(?:/\d{2}(?:/\d{2})?)?)/*$"
)

Name = tuple[str, str]  # namespace, name


def usual(namespace: str, name: str) -> tuple[Name, tuple[str, ...]]:
    """The usual spelling of a dataset's name, and the acting rules that lead there.

    Examples
    --------
    >>> usual("s3a://lake", "/orders")
    (('s3://lake', 'orders'), ('scheme', 'slash'))
    >>> usual("postgresql://db", "shop.public.orders")
    (('postgres://db:5432', 'shop.public.orders'), ('scheme', 'port'))
    >>> usual("s3://lake", "orders")
    (('s3://lake', 'orders'), ())
    """
    rules: list[str] = []
    scheme, separator, place = namespace.partition("://")
    if separator:
        plain = _SCHEMES.get(scheme.lower(), scheme.lower())
        if plain != scheme:
            rules.append("scheme")
        host = place.rstrip("/")
        if plain in _PORTS and host and "/" not in host and not re.search(r":\d+$", host):
            rules.append("port")
            place = f"{host}:{_PORTS[plain]}"
        scheme = plain
        namespace = f"{scheme}://{place}"
    bare = name.lstrip("/")
    fitting = bare if scheme in _KEYS else f"/{bare}" if scheme in _PATHS else name
    if bare and fitting != name:
        rules.append("slash")
        name = fitting
    return (namespace, name), tuple(rules)


def suggested(namespace: str, name: str) -> dict[str, Name]:
    """Spellings that may mean the same dataset, by rule; without those that change nothing.

    Examples
    --------
    >>> suggested("snowflake://org-acme", "db.public.orders")
    {'case': ('snowflake://org-acme', 'DB.PUBLIC.ORDERS')}
    >>> suggested("s3://lake", "orders/year=2024/month=01")
    {'partition': ('s3://lake', 'orders')}
    >>> suggested("bigquery", "Shop.Orders")
    {}
    """
    (namespace, name), _ = usual(namespace, name)
    scheme = namespace.partition("://")[0]
    found: dict[str, Name] = {}
    folded = name.upper() if scheme in _UPPER else name.lower() if scheme in _LOWER else name
    if folded != name:
        found["case"] = (namespace, folded)
    if scheme in _PARTITIONED:
        trimmed = name
        while (shorter := _PARTITION.sub("", trimmed)) and shorter != trimmed:
            trimmed = shorter
        if trimmed != name:
            found["partition"] = (namespace, trimmed)
    return found
