"""What is asked of SQL and what is read from it: plain values that go to another process and into the store.

A question holds everything an answer depends on, so equal questions are asked once, ever (semantics 8).
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from lineage.identity import digest64

MAX_TEXT = 100_000  # characters of SQL; longer texts are generated code
MAX_EDGES = 20_000  # column edges of one text
SECONDS = 10.0  # for one text

_SCHEMES = {
    "postgres": "postgres", "postgresql": "postgres", "redshift": "redshift", "snowflake": "snowflake",
    "bigquery": "bigquery", "mysql": "mysql", "mariadb": "mysql", "mssql": "tsql", "sqlserver": "tsql",
    "oracle": "oracle", "trino": "trino", "presto": "presto", "awsathena": "athena", "athena": "athena",
    "clickhouse": "clickhouse", "duckdb": "duckdb", "databricks": "databricks", "spark": "spark", "hive": "hive",
    "teradata": "teradata", "sqlite": "sqlite", "dremio": "dremio", "doris": "doris", "starrocks": "starrocks",
}  # fmt: skip
_NAMES = {**_SCHEMES, "sparksql": "spark", "spark_sql": "spark", "tsql": "tsql", "googlesql": "bigquery"}


class Known(NamedTuple):
    """One input or output of a run: the names it may have in SQL, and its columns (``None``: not known)."""

    names: tuple[str, ...]
    columns: tuple[str, ...] | None


class Question(NamedTuple):
    """SQL of a run and the datasets it can be about; ``dialect`` is empty when unknown."""

    text: str
    dialect: str
    inputs: tuple[Known, ...]
    outputs: tuple[Known, ...]

    def to_json(self) -> str:
        """Text that is the same on every machine."""
        return json.dumps(self, separators=(",", ":"), ensure_ascii=True)

    @classmethod
    def from_json(cls, text: str) -> Question:
        """The question that :meth:`to_json` wrote."""
        sql, dialect, inputs, outputs = json.loads(text)
        return cls(sql, dialect, tuple(map(_known, inputs)), tuple(map(_known, outputs)))

    def id(self, reader: str) -> int:
        """Number of the question for one version of the reader."""
        return digest64("sql", reader, self.to_json())


class Use(NamedTuple):
    """One use of a source column: positions of output and input in the question, and columns by name.

    ``target`` is empty when all rows of the output are affected.
    """

    output: int
    target: str
    input: int
    source: str
    type: str  # DIRECT or INDIRECT
    subtype: str


class Reading(NamedTuple):
    """What was read; ``problem`` says why nothing or not all could be (empty: all was)."""

    uses: tuple[Use, ...] = ()
    problem: str = ""

    def to_json(self) -> str:
        """Text for the store."""
        return json.dumps([self.uses, self.problem], separators=(",", ":"), ensure_ascii=True)

    @classmethod
    def from_json(cls, text: str) -> Reading:
        """The reading that :meth:`to_json` wrote."""
        uses, problem = json.loads(text)
        return cls(tuple(Use(*use) for use in uses), problem)


def dialect_of(facet: str | None, namespaces: tuple[str, ...]) -> str:
    """Dialect of a text: what the facet says, else what the schemes of the datasets' namespaces agree on.

    >>> dialect_of(None, ("postgres://db:5432", "postgresql://db:5432"))
    'postgres'
    >>> dialect_of("SparkSQL", ("s3://lake",))
    'spark'
    >>> dialect_of(None, ("postgres://db", "mysql://db"))
    ''
    """
    named = _NAMES.get((facet or "").strip().lower().replace("-", "_"))
    if named:
        return named
    found = {_SCHEMES.get(namespace.partition(":")[0].lower()) for namespace in namespaces} - {None}
    return str(found.pop()) if len(found) == 1 else ""


def reader_version() -> str:
    """Name and version of what reads SQL; readings of other versions are made anew.

    Asked without loading the library itself.
    """
    from importlib.metadata import version

    return f"sqlglot {version('sqlglot')}"


def _known(value: list[Any]) -> Known:
    names, columns = value
    return Known(tuple(names), None if columns is None else tuple(columns))
