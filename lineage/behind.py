"""Where an answer was cut: how many more rows there would be without limits, per domain (semantics 17).

Everything is counted that lies behind, not only what is next: one more search without limits, under the same filters
and for the same actor. Of most questions the figures come from arrays alone; where rows are more than the nodes of one
level (bridges, products, columns beside datasets, hidden nodes) the question is asked again without limits.

Hidden nodes are not counted (semantics 19); that something of a hidden domain is behind is said when a row of it would
be added.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lineage.answers import UNASSIGNED, Frontier
from lineage.filters import GROUPS, LEVELS
from lineage.graph.arrays import COLUMN, DATASET, JOB, NONE, U8, U32, UNREACHED
from lineage.graph.sorting import unique
from lineage.listed import admitted, lifted, one_a_row
from lineage.reach import only_back, reach
from lineage.view import prepare_domains

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lineage.filters import Filters
    from lineage.listed import Key
    from lineage.reach import Asked, Reach
    from lineage.view import View

_KINDS = {"dataset": DATASET, "job": JOB, "column": COLUMN}


def frontier(view: View, reached: Reach, asked: Asked, keys: frozenset[Key], *, known: bool = True) -> Frontier | None:
    """What an answer would list beside its rows if it had no limits; ``None`` when that is nothing.

    With ``hops`` only what is as far away or farther: what is nearer was not asked for.

    Parameters
    ----------
    reached
        what was found within the limits.
    keys
        the rows that are listed.
    known
        whether all that there is is known; retention may have let go of some.
    """
    if not reached.behind and asked.max_nodes is None:
        return None
    if reached.behind and _plain(view, reached, asked):
        return _counted(view, _beyond(view, reached, asked, keys), asked.filters, known)
    whole = reached  # when only rows were left out
    if reached.behind:
        whole = reach(view, reached.origin, reached.direction, None, asked.filters, bridge=asked.bridge)
    least = asked.hops or 0
    rows = one_a_row(view, admitted(view, whole, asked.filters))
    nodes = [row.index for row in rows if row.hops >= least and view.row_of(row.index) not in keys]
    found = Counter(view.domain(i) for i in nodes if not view.hidden(i))
    masks = {view.label(i) for i in nodes if view.hidden(i)}
    unlimited = replace(asked, depth=None, hops=None, max_nodes=None, facts=False)
    for row in lifted(view, whole, unlimited):
        if row.hops >= least and row.id not in keys:
            if row.id.startswith("hidden ("):
                masks.add(row.id)
            else:
                found[row.domain] += 1
    return _told(found, masks, known)


def _told(found: Counter[str], masks: Iterable[str], known: bool) -> Frontier | None:
    """The frontier in the words of an answer, domains by name."""
    hidden = tuple(sorted(masks))
    if not found and not hidden:
        return None
    domains = dict(sorted(found.items(), key=lambda item: (item[0] == UNASSIGNED, item[0])))
    return Frontier(found.total(), domains, exact=known, hidden=hidden)


def _plain(view: View, reached: Reach, asked: Asked) -> bool:
    """Whether the rows are the nodes of one walk, and of the dataset level the jobs beside them."""
    kinds = set(asked.filters.kinds)
    other = {"dataset", "job"} if reached.level == "column" else {"column"}
    return not (view.restricted or asked.bridge or kinds & {*GROUPS, *other})


def _counted(view: View, nodes: U32, filters: Filters, known: bool) -> Frontier | None:
    """How many of some nodes each domain has."""
    homes = view.snapshot._nodes.datasets_of(nodes)
    prepare_domains(view.instant, unique(homes).tolist())
    found = Counter(map(view.instant._domain.__getitem__, homes.tolist()))
    if filters.domains:
        found = Counter({name: found[name] for name in filters.domains if found[name]})
    return _told(found, (), known)


def _beyond(view: View, reached: Reach, asked: Asked, keys: frozenset[Key]) -> U32:
    """Nodes that would be listed without limits and are not, whatever their domain."""
    filters, snapshot = asked.filters, view.snapshot
    walk = snapshot.walk(reached.sources, reached.direction, min_certainty=filters.worst, level=reached.level)
    nodes, hops, certainty = walk.nodes, walk.hops, walk.certainty
    if reached.level == "dataset" and filters.lists("job"):
        nodes, hops, certainty = _with_jobs(view, reached, filters, (nodes, hops, certainty))
    keep = hops >= np.uint32(asked.hops or 0)
    if filters.kinds:
        keep &= np.isin(snapshot.kind[nodes], [_KINDS[kind] for kind in filters.kinds])
    if filters.certainty:
        keep &= np.isin(certainty, [LEVELS.index(level) for level in LEVELS if level in filters.certainty])
    shown = np.fromiter((key for key in keys if isinstance(key, int)), dtype=np.uint32)
    return nodes[keep & ~np.isin(nodes, shown)]


def _with_jobs(view: View, reached: Reach, filters: Filters, walked: tuple[U32, U32, U8]) -> tuple[U32, U32, U8]:
    """A walk with the jobs beside its datasets; the rules are those of :mod:`lineage.reach`."""
    snapshot, down = view.snapshot, reached.direction == "downstream"
    sources = np.array([i for i in reached.sources if snapshot.kind[i] == DATASET], dtype=np.uint32)
    zeros = np.zeros(len(sources), dtype=np.uint8)
    nodes = np.concatenate([walked[0], sources])
    hops, certainty = np.concatenate([walked[1], zeros.astype(np.uint32)]), np.concatenate([walked[2], zeros])
    here = snapshot.kind[nodes] == DATASET
    datasets, far, grade = nodes[here], hops[here], certainty[here]
    at, jobs, step = snapshot.arrows(datasets, "read" if down else "write")
    keep = (step <= LEVELS.index(filters.worst)) & ~np.isin(jobs, reached.sources)
    if down:
        for k in np.flatnonzero(keep & snapshot.self_loops(datasets)[at]).tolist():
            keep[k] = not only_back(view, int(datasets[at[k]]), int(jobs[k]))
    at, jobs, step = at[keep], jobs[keep], step[keep]
    every = np.concatenate([walked[0], jobs])
    distance = np.concatenate([walked[1], far[at] + np.uint32(down)])
    worst = np.concatenate([walked[2], np.maximum(grade[at], step)])
    found, place = np.unique(every, return_inverse=True)
    nearest = np.full(len(found), NONE, dtype=np.uint32)
    best = np.full(len(found), UNREACHED, dtype=np.uint8)
    np.minimum.at(nearest, place, distance)
    np.minimum.at(best, place, worst)
    return found, nearest, best
