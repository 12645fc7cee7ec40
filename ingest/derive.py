"""Derivation: bring every derived table to the state that all events received so far imply.

Each unit of derivation is a pure function of the facts about it: a run of its events, the edges of a job of its runs
and declarations, the facets of an entity of what showed them. A batch recomputes the units it touches and writes the
difference. So the state never depends on how events were cut into batches, nor on their order or repetition.

Units that were touched lately are kept in memory; what is not there is read back from the store and, for runs, from
the archived events themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import TYPE_CHECKING, NamedTuple

from ingest import scan, sql_nodes, tables
from ingest.archive import fetch
from ingest.declarations import Declared, declare
from ingest.entities import Contribution, EntityHistories, Repeated
from ingest.envelope import Envelope
from ingest.jobs import JobHistories
from ingest.model import EventFacts
from ingest.project import Projector
from ingest.runs import UNSEEN, Measured, RunState, merge, parents_of, placeholder_row
from ingest.sets import Sets
from ingest.tables import Changes, Row
from ingest.turns import Turns
from lineage.identity import NodeKey
from lineage.spelling import usual

if TYPE_CHECKING:
    import duckdb

_RUNS_KEPT = 20_000
_SETS_KEPT = 500_000
_FIRST = (
    tables.RUN, tables.RUN_IO, tables.RUN_STAGE, tables.RUN_TOLD, tables.TURN, tables.METRIC, tables.ASSERTION,
    tables.DECLARATION,
)  # fmt: skip
_SECOND = (tables.EDGE, tables.COLUMN_EDGE, tables.FACET, tables.ALIAS)  # facets are read back from the first ones


_TOLD = f"""
-- one row per asked run that the store knows
SELECT run, run_id, job, state, epoch_us(first_event), epoch_us(last_event) FROM run
WHERE run IN (SELECT unnest(?::UBIGINT[])) AND known_to = make_timestamp({tables.OPEN_MICROS})
"""  # noqa: S608 - a constant
_EVENTS_OF = """
-- one row per event of the asked runs; the bounds let zone maps pass over the rest of the table
SELECT run, block, position, hash FROM event
WHERE run IN (SELECT unnest(?::UBIGINT[])) AND event_time BETWEEN make_timestamp(?) AND make_timestamp(?)
"""


class _Told(NamedTuple):
    """What the store knows of a run: the row of a placeholder, or that of a run with its first and last event."""

    run_id: str
    job: int
    state: str
    first: int
    last: int


def _smallest(parents: Iterable[tuple[int, str, NodeKey]]) -> dict[int, tuple[str, NodeKey]]:
    """Parents by run key, each in the smallest spelling of its id."""
    found: dict[int, tuple[str, NodeKey]] = {}
    for run, run_id, job in parents:
        if run not in found or run_id < found[run][0]:
            found[run] = run_id, job
    return found


def _respelled(told: _Told, run_id: str) -> bool:
    return told.state == UNSEEN and run_id < told.run_id


@dataclass(slots=True)
class _Run:
    """A run in memory: its events and what they make."""

    events: dict[bytes, EventFacts] = field(default_factory=dict)
    state: RunState | None = None


@dataclass(slots=True)
class _Touched:
    """The runs of a batch, before and after it."""

    before: dict[int, RunState | None] = field(default_factory=dict)
    after: dict[int, RunState] = field(default_factory=dict)


class Derivation:
    """Keeps derived tables in step with the events; one instance per writer."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector
        self._reset()

    def _reset(self) -> None:
        self._known: int | None = None  # newest receipt time that was written; None: not known
        self._sets = Sets()
        self._runs: dict[int, _Run] = {}
        self._turns = Turns()
        self._jobs = JobHistories(self._sets, self._turns)
        self._entities = EntityHistories(self._sets)

    def forget(self) -> None:
        """Drop everything kept in memory, after a failed write."""
        self._projector.forget()
        self._reset()

    def apply(self, cursor: duckdb.DuckDBPyConnection, facts: Sequence[EventFacts], known_at: int) -> None:
        """Derive everything that new events change, inside the caller's transaction.

        Parameters
        ----------
        cursor
            inside a write transaction; the events themselves need not be in ``event`` yet.
        facts
            new events, none of which the store has seen.
        known_at
            receipt time of the batch, microseconds since 1970.
        """
        changes = Changes()
        again = self._known is None or known_at <= self._known
        self._known = known_at
        parents = _smallest(parents_of(facts, self._projector))
        told = self._told(cursor, facts, parents)
        touched = self._merge_runs(cursor, facts, told)
        self._placeholders(parents, told, touched, changes)
        declared = [
            item for event in facts if event.kind != "run" for item in declare(event, self._sets, self._projector)
        ]
        repeated, entities = self._shown(touched, declared)
        units = {run.job: run.job for run in touched.after.values()}
        units |= {item.entity: item.job for item in declared if item.tells_edges}
        gone, come = _turn_rows(touched, declared)
        turned = {end for row in (*gone, *come) for end in row[:2] if end is not None}
        self._turns.load(cursor, entities | turned)
        units |= self._jobs.units_at(cursor, self._turns.formers(turned))

        if declared:
            changes.insert["declaration"] = [item.row(self._sets) for item in declared]
            tables.append_once(cursor, tables.METRIC, [row for item in declared for row in item.metrics], changes)
            tables.append_once(cursor, tables.ASSERTION, [row for item in declared for row in item.tests], changes)
        named = self._write_shared(cursor, known_at)
        self._jobs.prepare(cursor, units, known_at)
        self._turns.remove(gone)
        self._turns.add(come)
        if turned:
            self._jobs.turned()
        linked = self._turns.successors({end for end in entities | turned if self._turns.renamed(end)} | turned)
        self._entities.prepare(cursor, entities | linked)
        self._run_changes(touched, changes)
        for item in declared:
            if item.tells_edges:
                self._jobs.add_declaration(item.entity, item.declaration)
        changes.replace(tables.TURN, gone, come)
        self._turns.ready(cursor, named | turned, known_at)
        self._jobs.changes(cursor, changes, known_at)
        changes.write(cursor, known_at, _FIRST, again)
        still = self._entities.confirm({entity: told for entity, told in repeated.items() if entity not in linked})
        moved = entities - still
        shown = [item for run in touched.after.values() for item in self._contributions(run, moved)]
        shown += [item.contribution() for item in declared]
        replaced = [
            item for run in touched.before.values() if run is not None for item in self._contributions(run, moved)
        ]
        self._entities.changes(cursor, shown, replaced, changes, self._turns, linked)
        changes.replace(tables.ALIAS, *self._turns.aliases(cursor, linked))
        changes.write(cursor, known_at, _SECOND, again)
        self._shrink()

    def _run_changes(self, touched: _Touched, changes: Changes) -> None:
        measured: list[Measured] = []
        for run in touched.after.values():
            before = touched.before[run.run]
            changes.replace(tables.RUN, [before.row] if before else [], [run.row])
            changes.replace(tables.RUN_IO, before.io if before else (), run.io)
            if before is None:
                measured += run.metrics
            else:
                changes.replace(tables.METRIC, before.metric_rows(), run.metric_rows())
            changes.replace(tables.ASSERTION, before.tests if before else (), run.tests)
            if run.stages is not None or (before is not None and before.stages is not None):
                changes.replace(tables.RUN_STAGE, before.stage_rows() if before else (), run.stage_rows())
                changes.replace(tables.RUN_TOLD, before.told_rows() if before else (), run.told_rows())
            self._jobs.add_run(run.job, run.evidence())
        if measured:  # by far the most rows of a batch
            flat, sizes = chain.from_iterable, [len(one.nodes) for one in measured]
            changes.extend(
                tables.METRIC,
                flat([one.nodes for one in measured]),
                flat(map(repeat, [one.run for one in measured], sizes)),
                flat([one.names for one in measured]),
                flat(map(repeat, [one.at for one in measured], sizes)),
                flat([one.values for one in measured]),
            )

    # -- runs

    def _told(
        self, cursor: duckdb.DuckDBPyConnection, facts: Sequence[EventFacts], parents: Collection[int]
    ) -> dict[int, _Told]:
        """What the store knows of the runs of these events, and of their parents, that are not in memory."""
        wanted = {event.run for event in facts if event.run is not None}.union(parents).difference(self._runs)
        if not wanted:
            return {}
        return {row[0]: _Told(*row[1:]) for row in cursor.execute(_TOLD, [list(wanted)]).fetchall()}

    def _merge_runs(
        self, cursor: duckdb.DuckDBPyConnection, facts: Sequence[EventFacts], told: Mapping[int, _Told]
    ) -> _Touched:
        groups: dict[int, list[EventFacts]] = {}
        for event in facts:
            if event.run is not None:
                groups.setdefault(event.run, []).append(event)
        self._load_runs(cursor, {run: told[run] for run in groups if run in told and told[run].state != UNSEEN})
        touched = _Touched()
        for run, events in groups.items():
            entry = self._runs.pop(run, None)
            if entry is None:
                entry = _Run()
            self._runs[run] = entry  # youngest last
            touched.before[run] = entry.state
            for event in events:
                entry.events[event.hash] = event
            entry.state = touched.after[run] = merge(list(entry.events.values()), self._sets, self._projector)
        return touched

    def _load_runs(self, cursor: duckdb.DuckDBPyConnection, runs: Mapping[int, _Told]) -> None:
        """Read the earlier events of runs back from the archive."""
        if not runs:
            return
        first, last = min(told.first for told in runs.values()), max(told.last for told in runs.values())
        rows = cursor.execute(_EVENTS_OF, [list(runs), first, last]).fetchall()
        if not rows:
            return
        raw = fetch(cursor, [(block, position) for _, block, position, _ in rows])
        for run, block, position, digest in rows:
            envelope = scan.read(raw[block, position], bytes(digest))
            assert isinstance(envelope, Envelope)
            event = self._projector.read(envelope)
            self._runs.setdefault(run, _Run()).events[event.hash] = event
        for run in {row[0] for row in rows}:
            entry = self._runs[run]
            entry.state = merge(list(entry.events.values()), self._sets, self._projector)

    def _placeholders(
        self,
        parents: Mapping[int, tuple[str, NodeKey]],
        told: Mapping[int, _Told],
        touched: _Touched,
        changes: Changes,
    ) -> None:
        """A row for every parent that has sent nothing itself; it goes when the parent's own events come.

        Of several spellings of its id the smallest is shown, whichever came first.
        """
        fresh = [run for run, before in touched.before.items() if before is None]
        gone = [placeholder_row(run, told[run].run_id, told[run].job) for run in fresh if run in told]
        come = [
            placeholder_row(run, run_id, self._projector.node(job))
            for run, (run_id, job) in parents.items()
            if run not in self._runs and (run not in told or _respelled(told[run], run_id))
        ]
        gone += [
            placeholder_row(run, told[run].run_id, told[run].job)
            for run, (run_id, _) in parents.items()
            if run not in self._runs and run in told and _respelled(told[run], run_id)
        ]
        changes.replace(tables.RUN, gone, come)

    def _shown(self, touched: _Touched, declared: Sequence[Declared]) -> tuple[dict[int, Repeated], set[int]]:
        """What new runs show of entities that nothing else of the batch tells of, and all entities of the batch."""
        shown: dict[int, Repeated] = {}
        others = {item.entity for item in declared}
        for run in touched.after.values():
            before = touched.before[run.run]
            if run.stages is not None or before is not None:
                others.update(told for state in (run, before) if state is not None for told in state.entities())
                continue
            for entity, facets, first, last in run.tellings():
                sets = shown.get(entity)
                if sets is None:
                    sets = shown[entity] = {}
                span = sets.get(facets)
                if span is None:
                    sets[facets] = [first, last]
                    continue
                if first < span[0]:
                    span[0] = first
                if last > span[1]:
                    span[1] = last
        return {entity: told for entity, told in shown.items() if entity not in others}, others.union(shown)

    def _contributions(self, run: RunState, entities: Collection[int]) -> Iterable[Contribution]:
        """What a run shows of these entities."""
        if run.stages is not None:
            for entity, direction, first, last, facet_set in run.stages.told:
                if entity in entities:
                    refs = self._sets.facets(facet_set)
                    yield Contribution(entity, 2 if direction == "out" else 1, first, last, run.run, run.producer, refs)
            return
        for io in run.io:
            _, _, dataset, direction, first, last, facet_set = io[:7]
            if dataset in entities:
                refs = self._sets.facets(facet_set)
                yield Contribution(dataset, 1 if direction == "in" else 2, first, last, run.run, run.producer, refs)
        if run.job in entities:
            refs = self._sets.facets(run.job_facets)
            yield Contribution(run.job, 1, run.first, run.last, run.run, run.producer, refs)

    # -- shared rows

    def _write_shared(self, cursor: duckdb.DuckDBPyConnection, known_at: int) -> set[int]:
        """Nodes, facet bodies and sets that the store may not have yet; the datasets of their columns."""
        nodes, bodies = self._projector.drain()
        facets, edges, columns = self._sets.drain()
        columns_of = {key[1:3] for key in nodes.values() if key.kind == "column"}
        owners = {name: NodeKey("dataset", *name).id for name in columns_of}
        rows = [(node, *key, owners[key[1:3]] if key.kind == "column" else None) for node, key in nodes.items()]
        if nodes:
            tables.append_new(cursor, tables.NODE, rows, known_at)
            tables.append_new(cursor, tables.SPELLING, _spellings(nodes), known_at)
            sql_nodes.named_by_events(cursor, nodes)
        told: list[Row] = list(bodies.items())
        tables.append_missing(cursor, "facet_body", tables.FACET_BODY_COLUMNS, told, "body")
        told = [(s, *ref) for s, refs in facets.items() for ref in refs]
        tables.append_missing(cursor, "facet_set", tables.FACET_SET_COLUMNS, told, "set_id")
        told = [(s, *edge) for s, found in edges.items() for edge in found.edges]
        tables.append_missing(cursor, "edge_set", tables.EDGE_SET_COLUMNS, told, "set_id")
        told = [(s, *edge[:-2]) for s, found in columns.items() for edge in found.edges]
        tables.append_missing(cursor, "column_set", tables.COLUMN_SET_COLUMNS, told, "set_id")
        return set(owners.values())

    def _shrink(self) -> None:
        """Keep memory bounded: forget the units that were not touched for longest, or all when sets became many."""
        if self._sets.size > _SETS_KEPT:
            self._reset()
            return
        for run in list(self._runs)[: max(0, len(self._runs) - _RUNS_KEPT)]:
            del self._runs[run]
        self._jobs.shrink()
        self._turns.shrink()
        self._entities.shrink()


def _turn_rows(touched: _Touched, declared: Sequence[Declared]) -> tuple[set[Row], set[Row]]:
    """Drops and renames that no longer hold, and new ones."""
    before = {row for run in touched.before.values() if run is not None for row in run.turns}
    after = {row for run in touched.after.values() for row in run.turns}
    after |= {row for item in declared for row in item.turns()}
    return before - after, after - before


def _spellings(nodes: Mapping[int, NodeKey]) -> list[Row]:
    """Rows of ``spelling``: datasets whose names are not spelled as usual."""
    rows: list[Row] = []
    for node, key in nodes.items():
        if key.kind == "dataset":
            (namespace, name), rules = usual(key.namespace, key.name)
            if rules:
                rows.append((node, NodeKey("dataset", namespace, name).id, "+".join(rules)))
    return rows
