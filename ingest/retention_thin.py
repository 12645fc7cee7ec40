"""Retention of derived rows: measurements, test results, ended edges, and runs that nothing rests on.

Only what follows from events without bytes may go, and only what no present row follows from: the graph, the history of
facets and every later derivation come out the same. The newest measurement and result of each kind stay in any case.

A run stays while something rests on it: an edge or facet begins with it; it is one of the runs by whose silence an
edge ended; among the tellings of a facet it is the one that changed it; its dataset was dropped or renamed; another run
names it as its parent. Runs in the middle of a row of runs alike are the bulk, and they go.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ingest.entities import POINTS
from ingest.lives import MISSES, MISSES_KEY

if TYPE_CHECKING:
    import duckdb

_OPEN = "known_to = '9999-12-31'"
_GONE = "SELECT run FROM event WHERE run IS NOT NULL GROUP BY run HAVING count(block) = 0"
# rows of runs without bytes, too old and behind the newest N of their kind
_NUMBERED = """
-- one {table} row that may go
SELECT rowid AS id FROM (
  SELECT rowid, {at} AS t, run, row_number() OVER (PARTITION BY {kind} ORDER BY {at} DESC, run) AS n
  FROM {table} WHERE known_to = '9999-12-31'
) WHERE n > greatest(1, coalesce($keep, 1)) AND ($before IS NULL OR t < $before) AND run IN ({gone})
UNION ALL
SELECT rowid FROM {table} WHERE known_to <= $known AND ($before IS NULL OR {at} < $before) AND run IN ({gone})
"""
_ENDED = """
-- one interval of an edge that is over and may go, as it was known by the baseline and since
SELECT rowid AS id FROM (
  SELECT rowid, *, row_number() OVER (
    PARTITION BY src, dst, job, {kind}, known_to = '9999-12-31' ORDER BY valid_to DESC, valid_from DESC) AS n
  FROM {table} WHERE valid_to < '9999-12-31' AND known_from <= $known
    AND (known_to = '9999-12-31' OR known_to <= $known)
) WHERE ($keep IS NULL OR n > $keep) AND ($before IS NULL OR valid_to < $before)
"""
_STATEMENTS = {
    "metrics": {"metric": _NUMBERED.format(table="metric", at="measured_at", kind="node, name", gone=_GONE)},
    "assertions": {
        "assertion": _NUMBERED.format(table="assertion", at="tested_at", kind="dataset, field, name, job", gone=_GONE)
    },
    "edges": {
        "edge": _ENDED.format(table="edge", kind="kind"),
        "column_edge": _ENDED.format(table="column_edge", kind="type, subtype"),
    },
}
_WHEN = {"metric": "measured_at", "assertion": "tested_at", "edge": "valid_to", "column_edge": "valid_to"}
_CANDIDATES = f"""
-- one run that is old enough and has no bytes any more
CREATE OR REPLACE TEMP TABLE going AS
SELECT run, job FROM (
  SELECT run, job, last_event, processing, row_number() OVER (PARTITION BY job ORDER BY last_event DESC, run) AS n
  FROM run WHERE {_OPEN} AND state <> 'UNSEEN'
) WHERE n > greatest(1, coalesce($keep, 1)) AND ($before IS NULL OR last_event < $before) AND processing = 'BATCH'
  AND run IN ({_GONE})
"""  # noqa: S608 - constants
_RUN_TABLES = ("run", "run_io", "run_stage", "run_told")
_NEEDED = (
    # an edge or a facet begins with it, or it is the silence that ended one
    f"""
    SELECT first_run FROM edge WHERE {_OPEN} UNION SELECT first_run FROM column_edge WHERE {_OPEN}
    UNION SELECT run FROM facet WHERE {_OPEN}
    UNION SELECT r.run FROM run r JOIN (
      SELECT job, valid_from AS t FROM edge WHERE {_OPEN} UNION SELECT job, valid_to FROM edge WHERE {_OPEN}
      UNION SELECT job, valid_from FROM column_edge WHERE {_OPEN}
      UNION SELECT job, valid_to FROM column_edge WHERE {_OPEN}
    ) e ON e.job = r.job AND e.t = r.first_event WHERE r.{_OPEN}
    """,  # noqa: S608
    # the first runs and the last one of a row of runs alike; one that may still change is a row of its own
    f"""
    SELECT run FROM (
      SELECT run, row_number() OVER w AS n, lead(run) OVER w IS NULL AS newest FROM (
        SELECT *, sum(turn) OVER (PARTITION BY job ORDER BY first_event, run) AS row_of FROM (
          SELECT *, coalesce(settled AND lag(settled) OVER j AND edge_set = lag(edge_set) OVER j
            AND column_set = lag(column_set) OVER j AND job_facets = lag(job_facets) OVER j
            AND complete = lag(complete) OVER j, false) = false AS turn
          FROM (
            SELECT r.*, r.state = 'COMPLETE' AND r.processing = 'BATCH' AS complete, g.run IS NOT NULL AS settled
            FROM run r LEFT JOIN going g USING (run) WHERE r.{_OPEN} AND r.state <> 'UNSEEN'
          ) WINDOW j AS (PARTITION BY job ORDER BY first_event, run)
        )
      ) WINDOW w AS (PARTITION BY job, row_of ORDER BY first_event, run)
    ) WHERE n <= $misses OR newest
    """,  # noqa: S608
    # it changed a facet: the telling before it was another one, or may still change
    f"""
    WITH shown AS ({POINTS.format(entities="SELECT DISTINCT dataset AS entity FROM run_io UNION SELECT job FROM run")}),
    point AS (
      SELECT entity, place, key, body, t_first AS t, ord, run FROM shown
      UNION SELECT entity, place, key, body, t_last, ord, run FROM shown
    ), instant AS (
      SELECT entity, place, key, t, count(DISTINCT body) AS bodies, any_value(body) AS body,
        bool_and(run = 0 OR run IN (SELECT run FROM going)) AS settled, list(run) AS runs
      FROM point GROUP BY entity, place, key, t
    ), compared AS (
      SELECT *, lag(bodies) OVER w AS bodies_before, lag(body) OVER w AS body_before,
        lag(settled) OVER w AS settled_before
      FROM instant WINDOW w AS (PARTITION BY entity, place, key ORDER BY t)
    )
    SELECT unnest(runs) FROM compared
    WHERE NOT coalesce(bodies = 1 AND bodies_before = 1 AND body = body_before AND settled_before, false)
    """,  # noqa: S608
    # what it read or wrote was dropped or renamed
    """
    SELECT io.run FROM run_io io WHERE io.dataset IN (
      SELECT dataset FROM turn UNION SELECT successor FROM turn WHERE successor IS NOT NULL)
    UNION SELECT run FROM turn
    """,
    # the SQL of its job was read, and columns of it came and went
    f"""
    SELECT r.run FROM run r WHERE r.job IN (
      SELECT job FROM column_edge WHERE provenance = 'sql' AND {_OPEN} AND (valid_to < '9999-12-31' OR state = 'stale'))
    """,  # noqa: S608
    # its measurements or results are there
    f"SELECT run FROM metric WHERE {_OPEN} UNION SELECT run FROM assertion WHERE {_OPEN}",  # noqa: S608
)
_PARENTS = f"""
SELECT parent_run FROM run WHERE {_OPEN} AND run NOT IN (SELECT run FROM going) AND parent_run IS NOT NULL
UNION SELECT root_run FROM run WHERE {_OPEN} AND run NOT IN (SELECT run FROM going) AND root_run IS NOT NULL
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Thinned:
    """Rows of one kind that go, and how many of its main table stay."""

    rows: int
    kept: int
    newest: datetime | None = None  # until when what goes was true


def thin(
    cursor: duckdb.DuckDBPyConnection, kind: str, before: datetime | None, keep: int | None, known: datetime
) -> Thinned:
    """Remove what a rule lets go of one kind; inside a transaction, which a dry run rolls back.

    Parameters
    ----------
    kind
        ``metrics``, ``assertions``, ``edges`` or ``runs``.
    before
        naive UTC; only what is older goes.
    keep
        the newest so many of each kind stay: measurements of a number, results of a test, runs of a job, ended
        intervals of an edge.
    known
        receipt time of the baseline.
    """
    if kind == "runs":
        return _thin_runs(cursor, before, keep)
    asked = {"before": before, "keep": keep, "known": known}
    rows, kept = 0, 0
    newest: list[datetime] = []
    for table, sql in _STATEMENTS[kind].items():
        count, last = cursor.execute(
            f"SELECT count(*), max({_WHEN[table]}) FROM {table} WHERE rowid IN ({sql})",  # noqa: S608 - constants
            asked,
        ).fetchall()[0]
        cursor.execute(f"DELETE FROM {table} WHERE rowid IN ({sql})", asked)  # noqa: S608
        rows += count
        newest += [last] if last is not None else []
        kept += cursor.execute(f"SELECT count(*) FROM {table} WHERE {_OPEN}").fetchall()[0][0]  # noqa: S608
    return Thinned(rows, kept, max(newest, default=None))


def _thin_runs(cursor: duckdb.DuckDBPyConnection, before: datetime | None, keep: int | None) -> Thinned:
    found = cursor.execute("SELECT value FROM meta WHERE key = ?", [MISSES_KEY]).fetchall()
    misses = int(found[0][0]) if found else MISSES
    cursor.execute(_CANDIDATES, {"before": before, "keep": keep})
    needed = " UNION ALL ".join(f"SELECT run FROM ({sql}) n(run)" for sql in _NEEDED)  # noqa: S608
    cursor.execute(
        f"DELETE FROM going WHERE run IN (SELECT run FROM ({needed}) WHERE run IS NOT NULL)",  # noqa: S608
        {"misses": misses},
    )
    while True:  # a parent that stays keeps its own parent
        known = cursor.execute("SELECT count(*) FROM going").fetchall()[0][0]
        cursor.execute(f"DELETE FROM going WHERE run IN ({_PARENTS})")  # noqa: S608
        if cursor.execute("SELECT count(*) FROM going").fetchall()[0][0] == known:
            break
    newest = cursor.execute(f"SELECT max(last_event) FROM run SEMI JOIN going USING (run) WHERE {_OPEN}").fetchall()  # noqa: S608
    for table in _RUN_TABLES:
        cursor.execute(f"DELETE FROM {table} WHERE run IN (SELECT run FROM going)")  # noqa: S608
    kept = cursor.execute(f"SELECT count(*) FROM run WHERE {_OPEN}").fetchall()[0][0]  # noqa: S608
    cursor.execute("DROP TABLE going")
    return Thinned(int(known), int(kept), newest[0][0])
