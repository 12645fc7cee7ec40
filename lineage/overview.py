"""Counts for the first page, and the list of domains.

What was not there yet at the instant (:mod:`lineage.presence`) is not counted, as no list and no graph has it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from lineage.answers import UNASSIGNED
from lineage.arrow import numbers
from lineage.beginning import unknown_then
from lineage.domains import DomainInfo
from lineage.graph.arrays import COLUMN, DATASET, I64, JOB, Bool
from lineage.graph.whole import distinct_pairs
from lineage.presence import absent

if TYPE_CHECKING:
    from lineage.view import Instant, View

_COLUMN_PAIRS = """
-- how many pairs of columns (or of a column and the dataset all of whose rows it affects) at T as known at K
SELECT count(*) FROM (SELECT DISTINCT src, dst FROM column_edge
  WHERE valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known)
"""
_COUNTS = """
SELECT (SELECT count(*) FROM event WHERE received_at <= $known AND event_time <= $at),
  (SELECT count(*) FROM quarantine WHERE received_at <= $known AND replayed_at IS NULL),
  (SELECT max(event_time) FROM event WHERE received_at <= $known AND event_time <= $at),
  (SELECT max(received_at) FROM event WHERE received_at <= $known)
"""
_RUNS = """
-- runs per job as known at K
SELECT job, count(*) AS runs FROM run WHERE known_from <= $known AND known_to > $known AND first_event <= $at
GROUP BY job
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
  described AS (SELECT DISTINCT dataset FROM field),
  unlisted AS (
    SELECT c.id, c.dataset, string_split(c.field, '.') AS parts
    FROM node c SEMI JOIN told ON told.id = c.dataset SEMI JOIN described ON described.dataset = c.dataset
    ANTI JOIN field f ON f.dataset = c.dataset AND f.name = c.field
    WHERE c.kind = 'column' AND c.known_from <= $known
  ),
  part AS ( -- of a field that is listed: looked up by every beginning, since a table may have a million columns
    SELECT DISTINCT id FROM (
      SELECT id, dataset,
        unnest(list_transform(range(1, len(parts)), lambda n: array_to_string(parts[:n], '.'))) AS name
      FROM unlisted WHERE len(parts) > 1
    ) SEMI JOIN field USING (dataset, name)
  )
SELECT id FROM node ANTI JOIN told USING (id) WHERE kind = 'dataset' AND known_from <= $known
UNION ALL
SELECT c.id FROM node c ANTI JOIN told ON told.id = c.dataset WHERE c.kind = 'column' AND c.known_from <= $known
UNION ALL
SELECT id FROM unlisted ANTI JOIN part USING (id)
"""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the mesh holds. Nodes count once per alias group; edges once per pair of datasets.

    ``named_datasets`` and ``named_columns`` are those among them that are only named (by column lineage, a symlink, a
    lineage facet) and that no event described: a misspelt table, a source nobody watches. ``newest_event`` is the last
    one until ``as_of``. Before anything was told, what there was is unknown: ``None``, and ``notes`` say since when
    anything is told. Events are those of times until ``as_of``; quarantined inputs have no time of their own, and those
    count that were received until ``known_at``.
    """

    datasets: int | None
    jobs: int | None
    columns: int | None
    named_datasets: int | None
    named_columns: int | None
    runs: int | None
    events: int
    quarantined: int
    edges: int | None
    column_edges: int | None  # None also for an actor who may not see everything: pairs are not told apart by domain
    cross_domain_edges: int | None
    domains: int
    unassigned: int | None  # datasets and jobs without a domain
    newest_event: datetime | None
    newest_receipt: datetime | None
    as_of: datetime
    known_at: datetime
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Totals:
    """Counts that need a look at every node and edge."""

    datasets: int | None = None
    jobs: int | None = None
    columns: int | None = None
    named_datasets: int | None = None
    named_columns: int | None = None
    runs: int | None = None
    edges: int | None = None
    column_edges: int | None = None
    crossing: int | None = None
    unassigned: int | None = None


def summary(view: View) -> Summary:
    """Counts of what the actor may see; events and quarantine are counts of the inbox, which has no domains."""
    counts = view.store.rows(_COUNTS, {"at": view.as_of, "known": view.snapshot.known_at})[0]
    events, quarantined, newest_event, newest_receipt = counts
    why = unknown_then(view)
    if why is not None:
        totals = _Totals()
    else:
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
        unassigned=totals.unassigned,
        newest_event=newest_event,
        newest_receipt=newest_receipt,
        as_of=view.as_of,
        known_at=view.known_at,
        notes=() if why is None else (why,),
    )


def _count(view: View) -> _Totals:
    """Everything that is counted, over arrays: the mesh may have a million nodes."""
    snapshot = view.snapshot
    when = {"at": snapshot.as_of, "known": snapshot.known_at}
    shown = _visible(view)
    visible = np.bincount(snapshot.kind[shown[:-1]], minlength=3).tolist()
    keys = distinct_pairs(snapshot)
    src, dst = (keys >> np.uint64(32)).astype(np.int64), (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
    keep = (src != dst) & shown[src] & shown[dst]
    _, codes = _domain_codes(view.instant)
    runs = view.store.arrow(_RUNS, when)
    jobs = snapshot.indices(numbers(runs.column("job")))
    known = (jobs >= 0) & shown[np.maximum(jobs, 0)]
    named = _named_only(view, shown)
    column_edges = None if view.restricted else int(view.store.rows(_COLUMN_PAIRS, when)[0][0])
    return _Totals(
        datasets=visible[0],
        jobs=visible[1],
        columns=visible[2],
        named_datasets=named[0],
        named_columns=named[2],
        runs=int(numbers(runs.column("runs"))[known].sum()),
        edges=int(keep.sum()),
        column_edges=column_edges,
        crossing=int((codes[src] != codes[dst])[keep].sum()),
        unassigned=sum(domain_counts(view).get(UNASSIGNED, (0, 0))),
    )


def _visible(view: View) -> Bool:
    """Which nodes were there and may be seen; one entry more than nodes, so that an empty mesh can be looked up too."""
    shown = np.zeros(view.snapshot.n + 1, dtype=bool)
    shown[view.nodes(DATASET, JOB, COLUMN)] = True
    return shown


def _named_only(view: View, shown: Bool) -> list[int]:
    """How many nodes of each kind are only named; a group is when all of its members are."""
    snapshot = view.snapshot
    ids = numbers(view.store.arrow(_NAMED_ONLY, {"known": snapshot.known_at}).column("id"))
    groups, named = np.unique(snapshot.indices(np.unique(ids)), return_counts=True)
    groups, named = groups[groups >= 0], named[groups >= 0]
    whole = (named == snapshot.group_sizes(groups)) & shown[groups]
    found: list[int] = np.bincount(snapshot.kind[groups[whole]], minlength=3).tolist()
    return found


def domains(view: View) -> tuple[DomainInfo, ...]:
    """All domains in order of their names, "unassigned" last when it has nodes. Before anything was told, no counts.

    A domain that the actor may not see is named (answers name it too), without counts, owner or title.
    """
    counts = None if unknown_then(view) is not None else domain_counts(view)
    found: list[DomainInfo] = []
    for colour, (name, known) in enumerate(sorted(view.instant.domains.domains.items())):
        if not view.actor.may_see(name):
            found.append(DomainInfo(name, None, None, None, colour, None, None, hidden=True))
            continue
        datasets, jobs = (None, None) if counts is None else counts.get(name, (0, 0))
        found.append(DomainInfo(name, known.title, known.owner, known.parent, colour, datasets, jobs))
    if counts is not None and UNASSIGNED in counts and view.actor.may_see(UNASSIGNED):
        datasets, jobs = counts[UNASSIGNED]
        found.append(DomainInfo(UNASSIGNED, "Unassigned", None, None, -1, datasets, jobs))
    return tuple(found)


def domain_counts(view: View) -> dict[str, tuple[int, int]]:
    """Number of datasets and of jobs in each domain, hidden ones too; without what was not there yet at the instant."""
    gone = absent(view.instant)
    if not gone:
        return count_domains(view.instant)
    # for this instant alone: labels are shared with others that have the same nodes, of which others were there
    return view.instant.remember("domain counts", lambda: _domain_counts(view.instant, gone))


def count_domains(instant: Instant) -> dict[str, tuple[int, int]]:
    """Number of datasets and of jobs in each domain, of all that are known."""
    return instant.remember_label("domain counts", lambda: _domain_counts(instant))


def _domain_counts(instant: Instant, gone: Collection[int] = ()) -> dict[str, tuple[int, int]]:
    names, codes = _domain_codes(instant)
    kinds = instant.snapshot.kind[: len(codes)].copy()
    kinds[list(gone)] = COLUMN  # neither a dataset nor a job
    counts = [np.bincount(codes[kinds == kind], minlength=len(names)).tolist() for kind in (DATASET, JOB)]
    found = {name: (counts[0][k], counts[1][k]) for k, name in enumerate(names)}
    return {name: pair for name, pair in found.items() if any(pair)}


def _domain_codes(instant: Instant) -> tuple[list[str], I64]:
    """Names of domains, and the position of that of each dataset and job among them."""
    return instant.remember_label("domain codes", lambda: _find_codes(instant))


def _find_codes(instant: Instant) -> tuple[list[str], I64]:
    from lineage.view import prepare_domains

    nodes = int((instant.snapshot.kind != 2).sum())
    if not instant.domains.domains:  # nothing can belong to anything
        return [UNASSIGNED], np.zeros(nodes, dtype=np.int64)
    prepare_domains(instant, np.arange(nodes).tolist())
    found = [instant.domain(i) for i in range(nodes)]
    names = sorted(set(found))
    place = {name: k for k, name in enumerate(names)}
    return names, np.array([place[name] for name in found], dtype=np.int64)
