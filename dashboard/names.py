"""How names are shown where room is short. The full name is always one hover or click away."""

from __future__ import annotations

FILE_ENDINGS = frozenset(
    ("csv", "tsv", "txt", "json", "ndjson", "jsonl", "parquet", "avro", "orc", "xml", "xlsx", "gz", "zst", "log")
)
LEAST = 3  # characters of a last part that can stand alone


def short_name(name: str) -> tuple[str, str]:
    """Last part of a name, and what stands before it.

    A last part that says nothing by itself (digits only, or shorter than three characters) takes the part
    before it along.

    >>> short_name("shop.public.orders")
    ('orders', 'shop.public')
    >>> short_name("/lake/raw/orders.csv")
    ('orders.csv', '/lake/raw')
    >>> short_name("orders")
    ('orders', '')
    >>> short_name("kafka.shop-cdc.0"), short_name("EXR/D")
    (('shop-cdc.0', 'kafka'), ('EXR/D', ''))
    """
    last, before = _last_part(name)
    if not before or not (len(last) < LEAST or last.isdigit()):
        return last, before
    parent, above = _last_part(before)
    if parent in ("", "/"):
        return last, before
    mark = "/" if "/" in name.rstrip("/") else "."
    return f"{parent}{mark}{last}", above


def _last_part(name: str) -> tuple[str, str]:
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


def short_id(text: str) -> tuple[str, str]:
    """Short name of a node's text, and what stands before it: the rest of the name and the platform.

    A namespace may hold colons, so the name is what follows the last one.

    >>> short_id("dataset:postgres://db:5432:shop.public.orders")
    ('orders', 'shop.public · postgres · db')
    >>> short_id("orders")
    ('orders', '')
    """
    before, _, name = text.rpartition(":")
    namespace = before.partition(":")[2]
    return short_name(name)[0], subtitle(namespace, name)
