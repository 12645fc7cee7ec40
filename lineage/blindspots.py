"""The blind-spot ledger: who sends what, and where what was sent cannot be the whole truth.

A pure query: wall-clock questions (which runs are overdue) take ``now`` as an argument and nothing is stored
(semantics 9). Nodes that the actor may not see are neither named nor counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.view import View

STALE_AFTER = timedelta(hours=24)
EXAMPLES = 20

_PRODUCERS = """
-- one producer: its events by kind, its jobs, when it was heard
SELECT coalesce(producer, ''), count(*), count(*) FILTER (kind = 'run'), count(*) FILTER (kind = 'job'),
  count(*) FILTER (kind = 'dataset'), count(*) FILTER (notes IS NOT NULL), count(DISTINCT job),
  min(event_time), max(event_time), min(received_at), max(received_at)
FROM event GROUP BY 1 ORDER BY 2 DESC, 1
"""
_QUARANTINE = """
-- refused inputs by producer and reason; those accepted later are none any more
SELECT coalesce(producer, ''), reason, count(*) FROM quarantine WHERE replayed_at IS NULL GROUP BY ALL ORDER BY ALL
"""
_NO_OUTPUT = """
-- jobs whose runs ended well and never named an output; jobs that contain others and jobs that test have none
SELECT job, count(*), max(last_event) FROM run
WHERE known_to = $open AND state = 'COMPLETE' AND events > 0
  AND job NOT IN (SELECT job FROM run_io WHERE known_to = $open AND direction = 'out')
  AND job NOT IN (SELECT src FROM edge WHERE known_to = $open AND kind = 'contains')
  AND job NOT IN (SELECT job FROM edge WHERE known_to = $open AND kind = 'lineage')
  AND job NOT IN (SELECT job FROM assertion WHERE known_to = $open AND job IS NOT NULL)
GROUP BY job
"""
_NO_END = """
-- jobs with runs of finite work that were last heard too long ago and have no terminal event
SELECT job, count(*), max(last_event) FROM run
WHERE known_to = $open AND ended_at IS NULL AND events > 0 AND last_event < $overdue
  AND coalesce(upper(processing), 'BATCH') NOT IN ('STREAMING', 'SERVICE')
GROUP BY job
"""
_CONFLICT = """
-- jobs with runs whose terminal events contradict each other
SELECT job, count(*), max(last_event) FROM run WHERE known_to = $open AND conflict GROUP BY job
"""
_UNHEARD = """
-- jobs that are named as parents and never sent an event
SELECT job, count(*), NULL FROM run WHERE known_to = $open AND events = 0
  AND job NOT IN (SELECT job FROM event WHERE job IS NOT NULL) GROUP BY job
"""
_READ = (
    "SELECT dataset, count(*), max(last_at) FROM run_io WHERE known_to = $open AND direction = 'in' GROUP BY dataset"
)
_TESTED = """
SELECT dataset, count(*), max(tested_at) FROM assertion WHERE known_to = $open AND dataset IS NOT NULL GROUP BY dataset
"""
_WRITTEN = """
-- datasets with a writer, observed or declared
SELECT dataset FROM run_io WHERE known_to = $open AND direction = 'out'
UNION SELECT dst FROM edge WHERE known_to = $open AND kind IN ('lineage', 'write')
"""
_DESCRIBED = "SELECT DISTINCT entity FROM facet WHERE known_to = $open AND key = 'schema'"
_NAMED_ONLY = """
-- datasets that lineage names and no run read or wrote, and no event described
SELECT src, count(*), max(valid_from) FROM edge
WHERE known_to = $open AND kind = 'lineage' AND provenance IN ('column', 'explicit')
  AND src IN (SELECT id FROM node WHERE kind = 'dataset')
  AND src NOT IN (SELECT dataset FROM run_io) AND src NOT IN (SELECT entity FROM declaration) GROUP BY src
"""
_UNREAD = "SELECT job, problem FROM sql_problem WHERE known_to = $open ORDER BY job, problem"
_NODES = "SELECT id, kind, namespace, name FROM node WHERE id IN (SELECT unnest(?::UBIGINT[]))"

_Row = tuple[int, int, datetime | None]  # node, how many, when last


@dataclass(frozen=True, slots=True)
class Source:
    """One producer. ``odd`` counts events that were accepted with a note; ``quarantined`` is by reason."""

    producer: str  # '' when the events name none
    events: int
    kinds: dict[str, int]
    odd: int
    jobs: int
    first_event: datetime | None
    last_event: datetime | None
    first_received: datetime | None
    last_received: datetime | None
    quarantined: dict[str, int]


@dataclass(frozen=True, slots=True)
class Spot:
    """One node that a finding is about: how many cases it has, the newest, and why, where that is known."""

    node: str
    cases: int
    last: datetime | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of blind spot; ``nodes`` counts all, ``spots`` are the first of them, most cases first."""

    kind: str
    what: str
    nodes: int
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything that is known about what is not known."""

    now: datetime
    stale_after_hours: float
    sources: tuple[Source, ...]
    findings: tuple[Finding, ...]


def ledger(
    view: View, *, now: datetime, stale_after: timedelta = STALE_AFTER, examples: int | None = EXAMPLES
) -> Ledger:
    """Who sends what, and what looks broken.

    Parameters
    ----------
    view
        the store at present, as one actor may see it (``Lineage.view()``).
    now
        the wall clock, naive UTC.
    stale_after
        silence after which a run of finite work without an end counts as broken.
    examples
        most nodes named in one finding; ``None`` for all.

    Returns
    -------
    Ledger
        findings without a node are left out.
    """
    parameters = {"open": OPEN_END, "overdue": now - stale_after}
    found = []
    unread = {_group(view, job): problem for job, problem in view.store.rows(_UNREAD, {"open": OPEN_END})}
    for kind, what, rows in _questions(view, parameters):
        reasons = unread if kind == "sql-not-read" else {}
        spots = sorted(_spots(view, rows, reasons), key=lambda spot: (-spot.cases, spot.node))
        if spots:
            found.append(Finding(kind, what, len(spots), tuple(spots[:examples])))
    return Ledger(now, stale_after / timedelta(hours=1), tuple(_sources(view)), tuple(found))


def _sources(view: View) -> Iterator[Source]:
    refused: dict[str, dict[str, int]] = defaultdict(dict)
    for producer, reason, count in view.store.rows(_QUARANTINE):
        refused[producer][reason] = count
    for row in view.store.rows(_PRODUCERS):
        producer, events, runs, jobs, datasets, odd, named, *times = row
        kinds = {kind: n for kind, n in (("run", runs), ("job", jobs), ("dataset", datasets)) if n}
        first, last, first_received, last_received = times
        reasons = refused.pop(producer, {})
        yield Source(producer, events, kinds, odd, named, first, last, first_received, last_received, reasons)
    for producer, reasons in refused.items():
        yield Source(producer, 0, {}, 0, 0, None, None, None, None, reasons)


def _questions(view: View, parameters: dict[str, datetime]) -> Iterator[tuple[str, str, list[_Row]]]:
    """Kind, words and rows of every finding."""

    def ask(sql: str) -> list[_Row]:
        used = {key: value for key, value in parameters.items() if f"${key}" in sql}
        return [(row[0], row[1], row[2]) for row in view.store.rows(sql, used)]

    def groups(sql: str) -> set[int]:
        rows = view.store.rows(sql, {"open": parameters["open"]})
        return {_group(view, row[0]) for row in rows}

    written = groups(_WRITTEN)
    known = written | groups(_DESCRIBED)
    yield "run-without-outputs", "jobs whose finished runs never name an output", ask(_NO_OUTPUT)
    yield "run-without-end", "jobs with runs that began and were not heard of again", ask(_NO_END)
    yield "conflict", "jobs with runs that ended in two ways", ask(_CONFLICT)
    yield "parent-never-heard", "jobs that others name as their parent and that send nothing", ask(_UNHEARD)
    never_written = [row for row in ask(_READ) if _group(view, row[0]) not in written]
    yield "never-written", "datasets that are read and that nobody was ever seen to write", never_written
    unknown = [row for row in ask(_TESTED) if _group(view, row[0]) not in known]
    yield "test-on-unknown-table", "datasets that are tested and that nobody writes or describes", unknown
    yield "named-only", "datasets that lineage names and that no run reads or writes", ask(_NAMED_ONLY)
    unparsed: list[_Row] = [(int(view.snapshot.ids[i]), 1, None) for i in view.instant.unparsed_sql]
    yield "sql-not-read", "jobs that tell their SQL and no columns, and whose SQL was not read or not all", unparsed


def _group(view: View, node: int) -> int:
    """Any identifier of an alias group stands for all of them; a node outside the graph for itself."""
    i = view.snapshot.index(node)
    return node if i is None else -1 - i


def _spots(view: View, rows: Iterable[_Row], reasons: Mapping[int, str]) -> Iterator[Spot]:
    """One spot for each alias group that the actor may see."""
    merged: dict[int, _Row] = {}
    for node, cases, last in rows:
        group = _group(view, node)
        _, before, seen = merged.get(group, (node, 0, None))
        newest = max((at for at in (last, seen) if at is not None), default=None)
        merged[group] = (node, before + cases, newest)
    outside = _labels(view, [node for group, (node, _, _) in merged.items() if group >= 0])
    for group, (node, cases, last) in merged.items():
        if group >= 0:
            label = outside.get(node)
        else:
            label = None if view.hidden(-1 - group) else view.label(-1 - group)
        if label is not None:
            yield Spot(label, cases, last, reasons.get(group))


def _labels(view: View, nodes: list[int]) -> dict[int, str]:
    """Texts of nodes that are not in the graph now, but for those the actor may not see."""
    found = {}
    for node, kind, namespace, name in view.store.rows(_NODES, [nodes]) if nodes else []:
        facets = view.instant.facets.get(node)
        domain = view.instant.domains.of(kind, [(namespace, name)], [facets] if facets else [])
        if view.actor.may_see(domain):
            found[node] = f"{kind}:{namespace}:{name}"
    return found
