"""How names are shown where room is short. The full name is always one hover or click away."""

from __future__ import annotations

FILE_ENDINGS = frozenset(
    ("csv", "tsv", "txt", "json", "ndjson", "jsonl", "parquet", "avro", "orc", "xml", "xlsx", "gz", "zst", "log")
)


def short_name(name: str) -> tuple[str, str]:
    """Last part of a name, and what stands before it.

    >>> short_name("shop.public.orders")
    ('orders', 'shop.public')
    >>> short_name("/lake/raw/orders.csv")
    ('orders.csv', '/lake/raw')
    >>> short_name("orders")
    ('orders', '')
    """
    path = name.rstrip("/")
    if "/" in path:
        before, _, last = path.rpartition("/")
        return (last, before or "/") if last else (name, "")
    before, dot, last = path.rpartition(".")
    if not dot or not last or not before:
        return name, ""
    if last.lower() in FILE_ENDINGS:
        head, dot, stem = before.rpartition(".")
        return (f"{stem}.{last}", head) if dot else (path, "")
    return last, before


def short_namespace(namespace: str) -> str:
    """The platform of a namespace: its scheme and the first part of its authority.

    >>> short_namespace("postgres://db.prod.example.com:5432")
    'postgres · db'
    >>> short_namespace("s3://raw-zone")
    's3 · raw-zone'
    >>> short_namespace("airflow")
    'airflow'
    """
    scheme, mark, rest = namespace.partition("://")
    if not mark:
        return namespace
    host = rest.split("/")[0].split(":")[0].split(".")[0]
    return f"{scheme} · {host}" if host else scheme


def subtitle(namespace: str, name: str) -> str:
    """Second line of a card: what stands before the short name, and the platform.

    >>> subtitle("postgres://db:5432", "shop.public.orders")
    'shop.public · postgres · db'
    """
    before = short_name(name)[1]
    return " · ".join(part for part in (before, short_namespace(namespace)) if part)
