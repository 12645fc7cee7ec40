"""Types of columns: how one differs from another, by a widening lattice over what sqlglot parses."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Any

_INTEGERS = {"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "INT": 32, "BIGINT": 64, "INT128": 128, "INT256": 256}
_UNSIGNED = {"UTINYINT": 8, "USMALLINT": 16, "UINT": 32, "UBIGINT": 64, "UINT128": 128}
_DIGITS = {8: 3, 16: 5, 24: 8, 32: 10, 64: 19, 128: 39, 256: 77}
_FLOATS = {"FLOAT": 24, "DOUBLE": 53}
_TEXTS = ("VARCHAR", "NVARCHAR", "TEXT", "MEDIUMTEXT", "LONGTEXT", "TINYTEXT", "NAME")
_LOGICAL = {"string": "text", "number": "double", "object": "struct", "bool": "boolean"}
_DIALECTS = {"postgresql": "postgres", "cloudsql": "postgres", "redshift": "redshift", "sqlserver": "tsql",
             "synapse": "tsql", "athena": "athena", "hive": "hive", "glue": "hive", "impala": "hive"}  # fmt: skip
_KNOWN = ("postgres", "snowflake", "bigquery", "databricks", "mysql", "oracle", "trino", "presto", "duckdb",
          "clickhouse", "redshift", "tsql", "athena", "hive", "spark")  # fmt: skip


class Step(StrEnum):
    """How a type differs from the one before."""

    same = "same"
    alias = "alias"
    wider = "wider"
    narrower = "narrower"
    other = "other"
    unknown = "unknown"


def dialect_of(server: str) -> str:
    """Dialect of SQL that the types of a server are written in; empty when it has none of its own."""
    low = server.lower()
    found = _DIALECTS.get(low, low)
    return found if found in _KNOWN else ""


@lru_cache(maxsize=16_384)
def compare(old: str, new: str, dialect: str = "") -> Step:
    """How ``new`` differs from ``old``.

    Parameters
    ----------
    old, new
        types as they are written.
    dialect
        of both; see :func:`dialect_of`.

    Examples
    --------
    >>> [compare(*pair).value for pair in (("int", "integer"), ("int", "bigint"), ("bigint", "int"))]
    ['alias', 'wider', 'narrower']
    >>> compare("decimal(10,2)", "decimal(12,2)").value, compare("varchar(20)", "date").value
    ('wider', 'other')
    >>> compare("blorb", "int").value
    'unknown'
    """
    if old.strip().lower() == new.strip().lower():
        return Step.same
    one, other = parse(old, dialect), parse(new, dialect)
    if one is None or other is None:
        return Step.unknown
    return _step(one, other)


@lru_cache(maxsize=16_384)
def parse(text: str, dialect: str = "") -> Any:
    """A parsed type; ``None`` when it is none that is known."""
    from sqlglot import exp
    from sqlglot.errors import ParseError, TokenError

    word = _LOGICAL.get(text.strip().lower(), text.strip())
    try:
        found = exp.DataType.build(word, dialect=dialect or None)
    except (ParseError, TokenError, ValueError, AttributeError):
        return None
    name = _name(found)
    return None if name in ("USERDEFINED", "UNKNOWN", "NULL", "USER-DEFINED") else found


# -- inside


def _step(old: Any, new: Any) -> Step:
    if old == new:
        return Step.alias
    a, b = _name(old), _name(new)
    if (a in ("ARRAY", "LIST") and b in ("ARRAY", "LIST")) or (a == b == "MAP"):
        return _joined([_step(x, y) for x, y in zip(old.expressions, new.expressions, strict=False)])
    if a == b == "STRUCT":
        return _struct(old, new)
    number = _numbers(old, new)
    if number is not None:
        return number
    if a in (*_TEXTS, "CHAR", "NCHAR") and b in (*_TEXTS, "CHAR", "NCHAR"):
        return _text(old, new)
    if a == "ENUM" and b in _TEXTS:
        return Step.wider
    return Step.alias if a == b and not old.expressions and not new.expressions else Step.other


def _joined(steps: list[Step]) -> Step:
    """One step out of several: any that does not fit decides, opposite ways do not go together."""
    found = {step for step in steps if step not in (Step.same, Step.alias)}
    if not found:
        return Step.alias
    return found.pop() if len(found) == 1 else Step.other


def _struct(old: Any, new: Any) -> Step:
    before = {str(f.name).lower(): f.args.get("kind") for f in old.expressions}
    after = {str(f.name).lower(): f.args.get("kind") for f in new.expressions}
    if before.keys() - after.keys():
        return Step.other
    steps = [_step(before[k], after[k]) for k in before if before[k] is not None and after[k] is not None]
    return _joined([*steps, *([Step.wider] if after.keys() - before.keys() else [])])


def _numbers(old: Any, new: Any) -> Step | None:
    """Between numbers: by the whole digits, the fraction and the exactness that fit."""
    one, other = _range(old), _range(new)
    if one is None or other is None:
        return None
    if one == other:
        return Step.alias
    if _fits(one, other):
        return Step.wider
    if _fits(other, one):
        return Step.narrower
    if one[0] == "float" and other[0] == "float":
        return Step.wider if one[1] < other[1] else Step.narrower
    if one[0] == "exact" and other[0] == "exact":
        return Step.other  # another scale: values look different
    return Step.narrower


def _fits(one: tuple[str, int, int, int], other: tuple[str, int, int, int]) -> bool:
    """Whether every value of one type is one of the other."""
    kind, bits, whole, scale = one
    if other[0] == "float":
        return (kind == "int" and bits <= 32 and other[1] == 53) or (kind == "float" and bits <= other[1])
    if kind == "int" and other[0] == "int":
        return (bits < other[1] or (bits == other[1] and scale == other[3])) and (scale >= other[3] or bits < other[1])
    if kind == "int" and other[0] == "exact":
        return whole <= other[2]
    return kind == "exact" and other[0] == "exact" and scale <= other[3] and whole <= other[2]


def _range(one: Any) -> tuple[str, int, int, int] | None:
    """Kind, bits, whole digits, scale (1 marks an unsigned integer); ``None`` for what is no number."""
    name = _name(one)
    if name in _INTEGERS:
        return "int", _INTEGERS[name], _DIGITS[_INTEGERS[name]], 0
    if name in _UNSIGNED:
        return "int", _UNSIGNED[name], _DIGITS[_UNSIGNED[name]] + 1, 1
    if name in _FLOATS:
        return "float", _FLOATS[name], 0, 0
    if name in ("DECIMAL", "BIGDECIMAL"):
        sizes = _sizes(one)
        precision, scale = (*sizes, 0)[:2] if sizes else (38, 9 if name == "BIGDECIMAL" else 0)
        return "exact", 0, precision - scale, scale
    return None


def _text(old: Any, new: Any) -> Step:
    fixed = (_name(old) in ("CHAR", "NCHAR"), _name(new) in ("CHAR", "NCHAR"))
    if fixed[0] != fixed[1]:
        return Step.other
    before, after = (_sizes(one) for one in (old, new))
    if before == after:
        return Step.alias
    if not after or (before and before[0] < after[0]):
        return Step.wider
    return Step.narrower


def _sizes(one: Any) -> list[int]:
    found = [str(e.this if hasattr(e, "this") else e) for e in one.expressions]
    return [int(size) for size in found if size.isdigit()]


def _name(one: Any) -> str:
    return str(getattr(one.this, "name", one.this)).upper()
