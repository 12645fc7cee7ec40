"""Counts for the first page, and the list of domains."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lineage.answers import UNASSIGNED
from lineage.domains import DomainInfo

if TYPE_CHECKING:
    from lineage.view import Instant, View

_PAIRS = """
-- distinct edges between datasets at T as known at K, self-loops left out
SELECT DISTINCT src, dst FROM edge WHERE kind = 'lineage' AND src <> dst
  AND valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known
"""
_COLUMN_PAIRS = """
-- how many pairs of columns (or of a column and the dataset all of whose rows it affects) at T as known at K
SELECT count(*) FROM (SELECT DISTINCT src, dst FROM column_edge
  WHERE valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known)
"""
_COUNTS = """
SELECT (SELECT count(*) FROM event WHERE received_at <= $known),
  (SELECT count(*) FROM quarantine WHERE received_at <= $known AND replayed_at IS NULL),
  (SELECT max(event_time) FROM event WHERE received_at <= $known),
  (SELECT max(received_at) FROM event WHERE received_at <= $known)
"""
_RUNS = """
-- runs per job as known at K
SELECT job, count(*) FROM run WHERE known_from <= $known AND known_to > $known AND first_event <= $at GROUP BY job
"""
_NAMED_ONLY = """
-- datasets that no event read, wrote or described, and columns that stand in no schema of theirs, as known at K
WITH
  told AS (
    SELECT DISTINCT dataset AS id FROM run_io WHERE known_from <= $known
    UNION SELECT entity FROM declaration WHERE known_from <= $known
  ),
  field AS (
    SELECT DISTINCT f.entity AS dataset, unnest(json_extract_string(b.json, '$.fields[*].name')) AS name
    FROM facet f JOIN facet_body b USING (body)
    WHERE f.key = 'schema' AND f.known_from <= $known AND f.known_to > $known AND json_valid(b.json)
  ),
  described AS (SELECT DISTINCT dataset FROM field)
SELECT id FROM node ANTI JOIN told USING (id) WHERE kind = 'dataset' AND known_from <= $known
UNION ALL
SELECT c.id FROM node c ANTI JOIN told ON told.id = c.dataset WHERE c.kind = 'column' AND c.known_from <= $known
UNION ALL
SELECT c.id FROM node c SEMI JOIN told ON told.id = c.dataset SEMI JOIN described ON described.dataset = c.dataset
ANTI JOIN field f ON f.dataset = c.dataset AND (c.field = f.name OR starts_with(c.field, f.name || '.'))
WHERE c.kind = 'column' AND c.known_from <= $known
"""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the mesh holds. Nodes count once per alias group; edges once per pair of datasets.

    ``named_datasets`` and ``named_columns`` are those among them that are only named (by column lineage, a symlink, a
    lineage facet) and that no event described: a misspelt table, a source nobody watches.
    """

    datasets: int
    jobs: int
    columns: int
    named_datasets: int
    named_columns: int
    runs: int
    events: int
    quarantined: int
    edges: int
    column_edges: int | None  # None for an actor who may not see everything: pairs are not told apart by domain
    cross_domain_edges: int
    domains: int
    unassigned: int  # datasets and jobs without a domain
    newest_event: datetime | None
    newest_receipt: datetime | None
    as_of: datetime
    known_at: datetime


@dataclass(frozen=True, slots=True)
class _Totals:
    """Counts that need a look at every node and edge."""

    datasets: int
    jobs: int
    columns: int
    named_datasets: int
    named_columns: int
    runs: int
    edges: int
    column_edges: int | None
    crossing: int


def summary(view: View) -> Summary:
    """Counts of what the actor may see; events and quarantine are counts of the inbox, which has no domains."""
    counts = view.store.rows(_COUNTS, {"known": view.snapshot.known_at})[0]
    events, quarantined, newest_event, newest_receipt = counts
    totals = _count(view) if view.restricted else view.instant.remember("totals", lambda: _count(view))
    return Summary(
        datasets=totals.datasets,
        jobs=totals.jobs,
        columns=totals.columns,
        named_datasets=totals.named_datasets,
        named_columns=totals.named_columns,
        runs=totals.runs,
        events=events,
        quarantined=quarantined,
        edges=totals.edges,
        column_edges=totals.column_edges,
        cross_domain_edges=totals.crossing,
        domains=len(view.instant.domains.domains),
        unassigned=sum(domain_counts(view.instant).get(UNASSIGNED, (0, 0))),
        newest_event=newest_event,
        newest_receipt=newest_receipt,
        as_of=view.as_of,
        known_at=view.known_at,
    )


def _count(view: View) -> _Totals:
    snapshot = view.snapshot
    when = {"at": snapshot.as_of, "known": snapshot.known_at}
    visible = Counter(kind for i, kind in enumerate(snapshot.kind.tolist()) if not view.hidden(i))
    edges = crossing = 0
    for src, dst in {(snapshot.index(src), snapshot.index(dst)) for src, dst in view.store.rows(_PAIRS, when)}:
        if src is None or dst is None or src == dst or view.hidden(src) or view.hidden(dst):
            continue
        edges += 1
        crossing += view.domain(src) != view.domain(dst)
    runs = 0
    for job, count in view.store.rows(_RUNS, when):
        i = snapshot.index(job)
        runs += 0 if i is None or view.hidden(i) else count
    named = _named_only(view)
    column_edges = None if view.restricted else int(view.store.rows(_COLUMN_PAIRS, when)[0][0])
    return _Totals(visible[0], visible[1], visible[2], named[0], named[2], runs, edges, column_edges, crossing)


def _named_only(view: View) -> Counter[int]:
    """How many nodes of each kind are only named; a group is when all of its members are."""
    snapshot = view.snapshot
    ids = {node for (node,) in view.store.rows(_NAMED_ONLY, {"known": snapshot.known_at})}
    groups = {i for i in map(snapshot.index, ids) if i is not None and not view.hidden(i)}
    return Counter(int(snapshot.kind[i]) for i in groups if ids.issuperset(snapshot.members(i)))


def domains(view: View) -> tuple[DomainInfo, ...]:
    """All domains in order of their names, "unassigned" last when it has nodes.

    A domain that the actor may not see is named (answers name it too), without counts, owner or title.
    """
    counts = domain_counts(view.instant)
    found: list[DomainInfo] = []
    for colour, (name, known) in enumerate(sorted(view.instant.domains.domains.items())):
        if not view.actor.may_see(name):
            found.append(DomainInfo(name, None, None, None, colour, None, None, hidden=True))
            continue
        datasets, jobs = counts.get(name, (0, 0))
        found.append(DomainInfo(name, known.title, known.owner, known.parent, colour, datasets, jobs))
    if UNASSIGNED in counts and view.actor.may_see(UNASSIGNED):
        datasets, jobs = counts[UNASSIGNED]
        found.append(DomainInfo(UNASSIGNED, "Unassigned", None, None, -1, datasets, jobs))
    return tuple(found)


def domain_counts(instant: Instant) -> dict[str, tuple[int, int]]:
    """Number of datasets and of jobs in each domain."""
    return instant.remember("domain counts", lambda: _domain_counts(instant))


def _domain_counts(instant: Instant) -> dict[str, tuple[int, int]]:
    counts: Counter[tuple[str, int]] = Counter()
    for i, kind in enumerate(instant.snapshot.kind.tolist()):
        if kind != 2:
            counts[instant.domain(i), kind] += 1
    return {name: (counts[name, 0], counts[name, 1]) for name in {name for name, _ in counts}}
