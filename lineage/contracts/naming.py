"""Names of datasets as OpenLineage spells them, from the server and object of a contract.

The rules are those of OpenLineage's naming specification; ``openlineage.namespace`` and ``openlineage.name`` in
``customProperties`` of the object (or the namespace in those of the server) win over them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lineage.contracts.model import Server, Thing

_PORTS = {"postgres": 5432, "redshift": 5439, "mysql": 3306, "sqlserver": 1433, "oracle": 1521, "trino": 8080,
          "presto": 8080, "clickhouse": 8123, "hive": 9083, "kafka": 9092}  # fmt: skip
_PARTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("mysql", "hive", "clickhouse"), ("database",)),
    **dict.fromkeys(("trino", "presto"), ("catalog", "schema")),
    "oracle": ("serviceName", "schema"),
}
_SCHEMES = {"postgresql": "postgres", "cloudsql": "postgres", "synapse": "sqlserver"}


def dataset_name(server: Server | None, thing: Thing) -> tuple[str, str] | None:
    """Namespace and name of an object on a server; ``None`` when they cannot be derived.

    >>> pg = Server("prod", "postgres", "", {"host": "db", "port": 5432, "database": "shop", "schema": "public"})
    >>> dataset_name(pg, Thing("orders", "", "", "", "", (), (), {}))
    ('postgres://db:5432', 'shop.public.orders')
    """
    custom = thing.custom
    if custom.get("openlineage.namespace") and custom.get("openlineage.name"):
        return str(custom["openlineage.namespace"]), str(custom["openlineage.name"])
    if server is None:
        return None
    keys = server.keys
    own = keys.get("custom")
    namespace = own.get("openlineage.namespace") if isinstance(own, dict) else None
    name = thing.physical_name or thing.name
    kind = _SCHEMES.get(server.type, server.type)
    found = _by_type(kind, keys, name)
    if namespace:
        return str(namespace), str(custom.get("openlineage.name") or (found[1] if found else name))
    return found


def _by_type(kind: str, keys: Mapping[str, Any], name: str) -> tuple[str, str] | None:
    location = str(keys.get("location") or keys.get("path") or "")
    if kind == "bigquery":
        return "bigquery", _dotted(keys, ("project", "dataset"), name)
    if kind == "snowflake":
        account = keys.get("account")
        return (f"snowflake://{account}", _dotted(keys, ("database", "schema"), name)) if account else None
    if kind == "databricks":
        host = str(keys.get("host") or "").removeprefix("https://").rstrip("/")
        return (f"databricks://{host}", _dotted(keys, ("catalog", "schema"), name)) if host else None
    if kind == "athena":
        region = keys.get("regionName") or "us-east-1"
        return f"awsathena://athena.{region}.amazonaws.com", _dotted(keys, ("catalog", "schema"), name)
    if kind == "glue":
        where = f"arn:aws:glue:{keys.get('region', '')}:{keys.get('account', '')}"
        return where, f"table/{keys.get('database', '')}/{name}"
    if kind in ("s3", "azure", "sftp", "gcs") and "://" in location:
        scheme, _, rest = location.partition("://")
        bucket, _, path = rest.partition("/")
        return f"{scheme}://{bucket}", _path(path, name)
    if kind in ("local", "duckdb", "file"):
        return "file", _path(location, name) if kind != "duckdb" else str(keys.get("database") or location)
    host = str(keys.get("host") or keys.get("serviceName") or "").split(",")[0]
    if not host or kind not in _PORTS:
        return None
    bare = host.rpartition("://")[2].rstrip("/")
    place = bare if ":" in bare else f"{bare}:{keys.get('port', _PORTS[kind])}"
    if kind == "kafka":
        return f"kafka://{place}", name
    scheme = {"sqlserver": "mssql"}.get(kind, kind)
    parts = _PARTS.get(kind, ("database", "schema"))
    return f"{scheme}://{place}", _dotted(keys, parts, name)


def _dotted(keys: Mapping[str, Any], parts: tuple[str, ...], name: str) -> str:
    """Name with what it lacks in front of it."""
    missing = len(parts) - name.count(".")
    return ".".join([*(str(keys[part]) for part in parts[: max(missing, 0)] if keys.get(part)), name])


def _path(path: str, name: str) -> str:
    """A path without its wildcard; ``{model}`` stands for the object."""
    return path.replace("{model}", name).split("*")[0].rstrip("/") or name
