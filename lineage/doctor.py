"""``meshline doctor``: is the store sound?

Each check is one query that finds what must not be there. A finding is no reason to panic: derived rows can be rebuilt
from the archive with ``meshline rebuild``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.store import Store

EXAMPLES = 5

_KEYS = {  # what one row of the present state of knowledge is about
    "edge": "src, dst, job, kind, provenance",
    "column_edge": "src, dst, job, type, subtype, masking, provenance",
    "facet": "entity, place, key",
    "domain": "name",
    "tag_stop": "name",
}
_ONCE = {  # tables without valid time: one open row for each of these
    "run": "run",
    "run_io": "run, dataset, direction",
}
_NODES = (  # columns that hold node ids
    ("edge", "src"), ("edge", "dst"), ("edge", "job"), ("column_edge", "src"), ("column_edge", "dst"),
    ("column_edge", "job"), ("alias", "a"), ("alias", "b"), ("run", "job"), ("run_io", "job"), ("run_io", "dataset"),
    ("declaration", "entity"), ("facet", "entity"), ("metric", "node"), ("assertion", "dataset"), ("event", "job"),
    ("event", "dataset"), ("node", "dataset"),
)  # fmt: skip
_BODIES = (("facet", "body"), ("facet_set", "body"))
_CLOCKS = ("alias", "facet", "edge", "column_edge", "domain", "tag_stop")


@dataclass(frozen=True, slots=True)
class Check:
    """Result of one check."""

    name: str
    what: str  # what was looked for, in words
    found: int
    examples: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return self.found == 0


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of one store, and its fingerprint when that was asked for."""

    healthy: bool
    checks: tuple[Check, ...]
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much a store holds, and from when to when it received."""

    events: int
    nodes: int
    runs: int  # states of runs: one for each version of what is known of a run
    first: datetime | None
    last: datetime | None


_HOLDINGS = """
-- one row: how much the store holds
SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM node), (SELECT count(*) FROM run),
  (SELECT min(received_at) FROM event), (SELECT max(received_at) FROM event)
"""


def holdings(store: Store) -> Holdings:
    """Count what a store holds; times are UTC, and ``None`` while nothing has arrived."""
    return Holdings(*store.rows(_HOLDINGS)[0])


def examine(store: Store, *, with_fingerprint: bool = False) -> Report:
    """Run every check.

    Parameters
    ----------
    store
        the store to examine; nothing is changed.
    with_fingerprint
        compute the fingerprint of all derived content too.

    Examples
    --------
    >>> from lineage.store import Store
    >>> examine(Store.open(":memory:")).healthy
    True
    """
    from lineage.fingerprint import fingerprint

    checks = (*(_run(store, *check) for check in _checks()), _wrong_ids(store))
    healthy = all(check.ok for check in checks)
    return Report(healthy, checks, fingerprint(store) if with_fingerprint else None)


def _checks() -> Iterator[tuple[str, str, str]]:
    """Name, words and query of each check; a query gives one text per finding."""
    yield (
        "id-collision",
        "two keys with one node id",
        "SELECT id || ': ' || string_agg(kind || ':' || namespace || ':' || name || ':' || field, ' and ') FROM "
        "(SELECT DISTINCT id, kind, namespace, name, field FROM node) GROUP BY id HAVING count(*) > 1",
    )
    yield (
        "node-twice",
        "one node in two rows",
        "SELECT any_value(kind || ':' || namespace || ':' || name) FROM node GROUP BY id HAVING count(*) > 1",
    )
    yield (
        "event-twice",
        "one event accepted twice",
        "SELECT lower(hex(hash)) FROM event GROUP BY hash HAVING count(*) > 1",
    )
    yield (
        "event-without-bytes",
        "events whose bytes are not in the archive",
        "SELECT lower(hex(hash)) FROM event WHERE block NOT IN (SELECT block FROM raw WHERE block IS NOT NULL)",
    )
    yield (
        "position-twice",
        "one part of a source with two positions",
        "SELECT concat_ws(' ', source, part) FROM source_position GROUP BY source, part HAVING count(*) > 1",
    )
    yield (
        "run-twice",
        "runs of one job that are known under two spellings of one UUID",
        "SELECT min(run_id) || ' and ' || max(run_id) FROM run WHERE known_to = $open "
        "AND EXISTS (FROM meta WHERE key = 'runs.exact') AND regexp_full_match(run_id, '[0-9a-fA-F-]{36}') "
        "GROUP BY job, lower(run_id) HAVING count(DISTINCT run) > 1",
    )
    for table, column in _NODES:
        yield (
            f"dangling-{table}-{column}",
            f"{table} rows whose {column} is no node",
            f"SELECT DISTINCT {column}::VARCHAR FROM {table} WHERE {column} IS NOT NULL AND {column} <> 0 "  # noqa: S608
            f"AND {column} NOT IN (SELECT id FROM node)",
        )
    for table, column in _BODIES:
        yield (
            f"dangling-{table}-{column}",
            f"{table} rows without their text",
            f"SELECT DISTINCT {column}::VARCHAR FROM {table} "  # noqa: S608
            f"WHERE {column} <> 0 AND {column} NOT IN (SELECT body FROM facet_body)",  # 0: the facet was deleted
        )
    yield from _interval_checks()


def _interval_checks() -> Iterator[tuple[str, str, str]]:
    for table in _CLOCKS:
        yield (
            f"backward-{table}",
            f"{table} intervals that end before they begin",
            f"SELECT concat_ws(' ', valid_from, valid_to, known_from, known_to) FROM {table} "  # noqa: S608
            "WHERE valid_from > valid_to OR known_from > known_to",
        )
    for table, key in _KEYS.items():
        yield (
            f"overlap-{table}",
            f"{table} rows that hold at the same time",
            f"SELECT concat_ws(' ', {key}) FROM (SELECT *, lead(valid_from) OVER "  # noqa: S608
            f"(PARTITION BY {key} ORDER BY valid_from, valid_to) AS following FROM {table} WHERE known_to = $open "
            "AND valid_from < valid_to) WHERE following < valid_to",
        )
    for table, key in _ONCE.items():
        yield (
            f"open-twice-{table}",
            f"{table} rows known twice",
            f"SELECT concat_ws(' ', {key}) FROM {table} WHERE known_to = $open GROUP BY {key} HAVING count(*) > 1",  # noqa: S608
        )


def _run(store: Store, name: str, what: str, sql: str) -> Check:
    counted = f"SELECT count(*), list(finding ORDER BY finding)[1:{EXAMPLES}] FROM ({sql}) AS t(finding)"  # noqa: S608
    found, examples = store.rows(counted, {"open": OPEN_END} if "$open" in sql else None)[0]
    return Check(name, what, found, tuple(str(example) for example in examples or ()))


def _wrong_ids(store: Store) -> Check:
    """Node ids that are not the hash of their key; computed here, since the key's encoding is not the database's."""
    from lineage.identity import node_id

    wrong: list[str] = []
    with store.cursor() as cursor:
        cursor.execute("SELECT id, kind, namespace, name, field FROM node")
        while rows := cursor.fetchmany(50_000):
            wrong += [f"{row[1]}:{row[2]}:{row[3]}" for row in rows if node_id(*row[1:]) != row[0]]
    return Check("wrong-id", "node ids that are not the hash of their key", len(wrong), tuple(sorted(wrong)[:EXAMPLES]))
