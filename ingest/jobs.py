"""Edges of jobs in time: keeps for each job its runs as evidence and its declarations, and tells what changed.

The unit of derivation is the job; a dataset whose own events declare edges into it is a unit too, with job 0 on its
edges. The intervals come from :mod:`ingest.lives`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingest import tables
from ingest.lives import (
    COLUMNS,
    EDGES,
    MISSES,
    MISSES_KEY,
    Declaration,
    Evidence,
    Interval,
    Turn,
    Walk,
    column_walk,
    declared_lives,
    edge_walk,
)
from ingest.sets import Sets
from ingest.tables import OPEN_MICROS, Changes, Row
from ingest.turns import Turns

if TYPE_CHECKING:
    import duckdb

_KEPT = 20_000
_EVIDENCE_KEPT = 1_000_000  # runs, and rows of what is over, of all units in memory
_TAIL = 64  # newest runs of a job that stay single; those before them are folded into its past when as many came again

_EVIDENCE = f"""
SELECT job, epoch_us(first_event), run, producer, edge_set, column_set, state = 'COMPLETE' AND processing = 'BATCH'
FROM run SEMI JOIN (SELECT unnest(?::UBIGINT[]) AS job) USING (job)
WHERE known_to = make_timestamp({OPEN_MICROS}) AND state <> 'UNSEEN'
"""  # noqa: S608 - a constant

_STAGES = f"""
SELECT run, epoch_us(since), edge_set, column_set
FROM run_stage SEMI JOIN (SELECT unnest(?::UBIGINT[]) AS job) USING (job)
WHERE known_to = make_timestamp({OPEN_MICROS}) ORDER BY run, since
"""  # noqa: S608 - a constant

_DECLARATIONS = """
SELECT entity, epoch_us(event_time), hash, producer, edge_set, column_set
FROM declaration SEMI JOIN (SELECT unnest(?::UBIGINT[]) AS entity) USING (entity)
WHERE edge_set IS NOT NULL
"""


# by what was shown, not by the rows of edge: an edge that a drop took away leaves no row
_UNITS_AT = f"""
WITH
  asked AS (SELECT unnest(?::UBIGINT[]) AS dataset),
  shown AS (SELECT DISTINCT set_id FROM edge_set JOIN asked ON dataset IN (src, dst))
SELECT DISTINCT job, job FROM run_stage SEMI JOIN shown ON set_id = edge_set
WHERE known_to = make_timestamp({OPEN_MICROS})
UNION
SELECT DISTINCT job, job FROM run SEMI JOIN shown ON set_id = edge_set
WHERE known_to = make_timestamp({OPEN_MICROS}) AND state <> 'UNSEEN'
UNION
SELECT entity, CASE node.kind WHEN 'job' THEN entity ELSE 0 END
FROM declaration SEMI JOIN shown ON set_id = edge_set JOIN node ON node.id = entity
"""  # noqa: S608 - a constant


@dataclass(slots=True)
class _Past:
    """The older runs of a unit, walked over for good: what a batch costs must not grow with the history of a job."""

    upto: Evidence  # the newest of them
    edges: Walk
    columns: Walk
    edge_rows: set[Row] = field(default_factory=set)  # what was over by then
    column_rows: set[Row] = field(default_factory=set)
    ends: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Unit:
    """``edges`` and ``columns`` are its rows, without those of its past."""

    job: int  # on the edges; 0 for a dataset that declares its own
    past: _Past | None = None
    fresh: dict[int, Evidence] = field(default_factory=dict)  # of this batch
    evidence: dict[int, Evidence] = field(default_factory=dict)
    declarations: dict[bytes, Declaration] = field(default_factory=dict)
    edges: set[Row] = field(default_factory=set)
    columns: set[Row] = field(default_factory=set)
    last: Evidence | None = (
        None  # newest run, when one that looks like it changes nothing; complete if one of these was
    )
    stale: bool = True  # the rows do not hold what the evidence says yet

    @property
    def size(self) -> int:
        """How much it keeps in memory: runs, and rows of what is over."""
        past = self.past
        return len(self.evidence) + (len(past.edge_rows) + len(past.column_rows) if past is not None else 0)

    def absorbs(self, run: Evidence) -> bool:
        """Whether a new run only repeats what the newest one showed: one that did not complete tells no absence."""
        last = self.last
        if last is None or run.at <= last.at or run.run in self.evidence:
            return False
        return run[3:5] == last[3:5] and run.complete <= last.complete and run.later == last.later


class JobHistories:
    """The jobs touched lately, with everything their edges follow from."""

    def __init__(self, sets: Sets, turns: Turns) -> None:
        self._sets, self._turns = sets, turns
        self._misses = 0  # 0: not read yet
        self._units: dict[int, _Unit] = {}
        self._touched: dict[int, _Unit] = {}

    def prepare(self, cursor: duckdb.DuckDBPyConnection, units: Mapping[int, int], known_at: int) -> None:
        """Load units as they are before the batch is written.

        Parameters
        ----------
        units
            unit → job on its edges: a job itself, or a dataset → 0.
        """
        if not self._misses:
            found = cursor.execute("SELECT value FROM meta WHERE key = ?", [MISSES_KEY]).fetchall()
            self._misses = int(found[0][0]) if found else MISSES
        missing = [unit for unit in units if unit not in self._units]
        self._touched = {}
        for unit, job in units.items():
            self._touched[unit] = self._units[unit] = self._units.pop(unit, _Unit(job))  # youngest last
            self._units[unit].fresh = {}
        if not missing:
            return
        self._load(cursor, missing)
        self._turns.ready(cursor, {end for unit in missing for end in self._ends(self._units[unit])}, known_at)
        for unit in missing:
            self._settle(self._units[unit], *self._rows(self._units[unit]))

    def _load(self, cursor: duckdb.DuckDBPyConnection, missing: Collection[int]) -> None:
        """All runs and declarations of units as the store has them."""
        jobs: dict[int, int] = {}  # run → its job
        for job, *evidence in cursor.execute(_EVIDENCE, [missing]).fetchall():
            found = Evidence(*evidence)
            self._units[job].evidence[found.run] = found
            jobs[found.run] = job
        for run, stages in _stages(cursor, missing).items():
            if run in jobs:
                first, *later = stages
                known = self._units[jobs[run]].evidence
                known[run] = known[run]._replace(edge_set=first[1], column_set=first[2], later=tuple(later))
        for entity, *rest in cursor.execute(_DECLARATIONS, [missing]).fetchall():
            declaration = Declaration(*rest)
            self._units[entity].declarations[declaration.hash] = declaration
        told = [pair for unit in missing for x in self._units[unit].evidence.values() for pair in x.sets()]
        told += [(x.edge_set, x.column_set) for unit in missing for x in self._units[unit].declarations.values()]
        self._sets.load(cursor, (edges for edges, _ in told), (columns for _, columns in told))

    def add_run(self, job: int, evidence: Evidence) -> None:
        """Take in the state of a run of a prepared job."""
        unit = self._units[job]
        if unit.absorbs(evidence):
            told = evidence.complete or unit.last is None or not unit.last.complete
            unit.last = evidence if told else evidence._replace(complete=True)
        else:
            unit.stale = True
        unit.evidence[evidence.run] = unit.fresh[evidence.run] = evidence

    def add_declaration(self, unit: int, declaration: Declaration) -> None:
        """Take in a declaration of a prepared unit."""
        self._units[unit].declarations[declaration.hash] = declaration
        self._units[unit].stale = True

    def units_at(self, cursor: duckdb.DuckDBPyConnection, datasets: Collection[int]) -> dict[int, int]:
        """Units with edges at these datasets, as :meth:`prepare` takes them."""
        if not datasets:
            return {}
        return dict(cursor.execute(_UNITS_AT, [list(datasets)]).fetchall())

    def turned(self) -> None:
        """Drops or renames at the edges of the prepared units came or went."""
        for unit in self._touched.values():
            unit.stale = True

    def changes(self, cursor: duckdb.DuckDBPyConnection, changes: Changes, known_at: int) -> None:
        """Put the changed rows of all prepared units into ``changes``; the batch's nodes are in the store."""
        stale = [entry for entry in self._touched.values() if entry.stale]
        self._turns.ready(cursor, {end for entry in stale for end in self._ends(entry)}, known_at)
        self._reopen(cursor)
        for entry in stale:
            edges, columns = self._rows(entry)
            changes.replace(tables.EDGE, entry.edges, edges)
            changes.replace(tables.COLUMN_EDGE, entry.columns, columns)
            self._settle(entry, edges, columns)
        for entry in self._touched.values():
            if len(entry.evidence) >= 2 * _TAIL:
                self._fold(entry)

    def _reopen(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Read the runs again whose past changed: something late came, or a dataset turned."""
        changed: list[int] = []
        for unit, entry in self._touched.items():
            past = entry.past
            if past is not None and (
                any(run.at <= past.upto.at for run in entry.fresh.values()) or (entry.stale and self._turns_of(entry))
            ):
                changed.append(unit)
                entry.edges |= past.edge_rows
                entry.columns |= past.column_rows
                entry.past, entry.evidence = None, {}
        if changed:
            self._load(cursor, changed)
            for unit in changed:
                self._units[unit].evidence.update(self._units[unit].fresh)

    def _fold(self, entry: _Unit) -> None:
        """Fold all but the newest runs into the past. Streams go on and turns look back, so they keep all single."""
        runs = sorted(entry.evidence.values())
        older, newest = runs[:-_TAIL], runs[-_TAIL:]
        if any(run.later for run in older) or self._turns_of(entry):
            return
        past = entry.past
        if past is None:
            past = _Past(older[-1], edge_walk(self._sets, self._misses), column_walk(self._sets, self._misses))
        past.upto = older[-1]
        past.ends |= self._ends(entry)
        past.edge_rows |= _edge_rows(past.edges.go(older).over(), entry.job)
        past.column_rows |= _column_rows(past.columns.go(older).over(), entry.job)
        entry.edges -= past.edge_rows
        entry.columns -= past.column_rows
        entry.past, entry.evidence = past, {run.run: run for run in newest}

    def shrink(self) -> None:
        """Forget what was not touched for longest."""
        evidence = sum(unit.size for unit in self._units.values())
        for unit in list(self._units):
            if len(self._units) <= _KEPT and evidence <= _EVIDENCE_KEPT:
                return
            evidence -= self._units.pop(unit).size

    def _rows(self, entry: _Unit) -> tuple[set[Row], set[Row]]:
        evidence = list(entry.evidence.values())
        declarations = list(entry.declarations.values())
        turns = self._turns_of(entry)
        past = entry.past  # where there is one, nothing turned
        walk = past.edges.fork() if past is not None else edge_walk(self._sets, self._misses)
        edges = walk.go(evidence, turns).ended(OPEN_MICROS)
        edges += declared_lives(declarations, lambda d: self._sets.edges(d.edge_set).edges, OPEN_MICROS, turns, EDGES)
        walk = past.columns.fork() if past is not None else column_walk(self._sets, self._misses)
        columns = walk.go(evidence, turns).ended(OPEN_MICROS)
        columns += declared_lives(
            declarations, lambda d: self._sets.columns(d.column_set).edges, OPEN_MICROS, turns, COLUMNS
        )
        return _edge_rows(edges, entry.job), _column_rows(columns, entry.job)

    def _settle(self, entry: _Unit, edges: set[Row], columns: set[Row]) -> None:
        """Take over rows that hold what the evidence says."""
        entry.edges, entry.columns, entry.stale = edges, columns, False
        pending = any(row[-6] == "stale" and row[-1] == OPEN_MICROS for row in (*edges, *columns))
        evidence = entry.evidence.values()
        in_stages = any(run.later for run in evidence)
        newest = None if pending or in_stages else max(evidence, default=None)
        if newest is not None and any(turn.at >= newest.at for turn in self._turns_of(entry)):
            newest = None  # what a later run shows after a drop begins anew
        entry.last = newest

    def _ends(self, entry: _Unit) -> set[int]:
        """Everything at either end of a unit's edges."""
        told = {edge_set for x in entry.evidence.values() for edge_set, _ in x.sets()}
        told |= {x.edge_set for x in entry.declarations.values()}
        ends = {end for s in told for edge in self._sets.edges(s).edges for end in edge[:2]}
        return ends | entry.past.ends if entry.past is not None else ends

    def _turns_of(self, entry: _Unit) -> list[Turn]:
        return self._turns.of(self._ends(entry)) if self._turns else []


def _stages(cursor: duckdb.DuckDBPyConnection, jobs: Collection[int]) -> dict[int, list[tuple[int, int, int]]]:
    """Stages of the streams of jobs, by run, in order of time."""
    found: dict[int, list[tuple[int, int, int]]] = {}
    for run, *stage in cursor.execute(_STAGES, [list(jobs)]).fetchall():
        found.setdefault(run, []).append((stage[0], stage[1], stage[2]))
    return found


def _edge_rows(intervals: Iterable[Interval], job: int) -> set[Row]:
    return {(i.edge.src, i.edge.dst, job, i.edge.kind, i.edge.provenance, *_life(i)) for i in intervals}


def _column_rows(intervals: Iterable[Interval], job: int) -> set[Row]:
    return {(i.edge.src, i.edge.dst, job, *i.edge[2:-2], *_life(i)) for i in intervals}


def _life(interval: Interval) -> Row:
    return interval.state, interval.run, interval.producer, interval.end_reason, interval.start, interval.end
