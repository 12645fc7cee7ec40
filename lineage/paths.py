"""Is there a path from one node to another, and which: three answers, with reasons for the one that cannot be given.

``found``
    a shortest path among those of the best certainty, or every edge on any path.
``none``
    there is no path, and one of the two sides was seen completely: everything that lies downstream of the start told
    where its data goes, or everything upstream of the end told where its data comes from.
``blind``
    no path was seen, but both sides have an open end, so there may be one: a job that told nothing of what it writes on
    the one side, a dataset that nobody was seen writing on the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lineage.filters import LEVELS, Filters
from lineage.impact import blind_further as open_ends
from lineage.impact import blind_here as open_end
from lineage.itself import circle_notes
from lineage.links import links_among
from lineage.path_answer import PathAnswer, PathStep
from lineage.provenance import blind_further as open_starts
from lineage.provenance import blind_here as open_start
from lineage.provenance import unwritten
from lineage.reach import Reach, named, reach
from lineage.untold import untold

if TYPE_CHECKING:
    from lineage.answers import Direction
    from lineage.graph import Walk
    from lineage.view import View


def path(view: View, start: int, end: int, *, every: bool = False) -> PathAnswer:
    """The way data takes from one node to another.

    Parameters
    ----------
    view
        the instant and the actor.
    start, end
        dense indices. If one of them is a column, the way is one of columns; a dataset then stands for its columns.
    every
        also give every edge on any path.

    Raises
    ------
    HiddenNodeError
        when the actor may not see one of the two.
    """
    view.require(start)
    view.require(end)
    column = "column" in (view.kind(start), view.kind(end))
    walk = view.walk([start], "downstream", level="column" if column else "dataset")
    best = _best(view, walk, start, end, column)
    if best is None and start != end:
        return _nothing(view, start, end, column)
    steps = best[0] if best else (start,)
    links = links_among(view, _between(view, walk, start, end, column)) if every and best else ()
    return PathAnswer(
        src=view.label(start),
        dst=view.label(end),
        verdict="found",
        path=tuple(_step(view, i) for k, i in enumerate(steps) if not k or _moves_on(view, steps[k - 1], i)),
        hops=best[1] if best else 0,
        certainty=LEVELS[best[2]] if best else "certain",
        links=links,
        notes=tuple(circle_notes(view, [start], "upstream")) if start == end else (),
        as_of=view.as_of,
        known_at=view.known_at,
    )


def _best(view: View, walk: Walk, start: int, end: int, column: bool) -> tuple[tuple[int, ...], int, int] | None:
    """Path, hops and certainty of the best way to the end."""
    if view.kind(end) == "column" and view.snapshot.dataset_of(end) == start:
        return (start, end), 0, 0
    into_job = int(view.kind(end) == "job")  # a job that reads at hop h has hop h + 1
    found: list[tuple[int, int, tuple[int, ...]]] = []
    for i, tail, arrow in _doors(view, end, column):
        at = np.flatnonzero(walk.nodes == i)
        if len(at):
            certainty = max(int(walk.certainty[at[0]]), arrow)
            found.append(
                (certainty, int(walk.hops[at[0]]) + (tail != () and view.kind(end) == "job"), (*walk.path(i), *tail))
            )
        elif i == start and tail:
            found.append((arrow, into_job, (start, *tail)))
    if not found:
        return None
    certainty, hops, steps = min(found, key=lambda one: (one[0], len(one[2]), one[2]))
    return steps, hops, certainty


def _doors(view: View, end: int, column: bool) -> list[tuple[int, tuple[int, ...], int]]:
    """Nodes of the walk that mean the end is reached: the node, what follows it, and the certainty of that step."""
    snapshot = view.snapshot
    kind = view.kind(end)
    if kind == "job" and column:
        inputs = [int(c) for dataset in snapshot.inputs(end) for c in snapshot.columns_of(int(dataset))]
        carried = [edge for c in inputs for edge in snapshot.neighbours(c, "downstream") if end in edge.jobs]
        return [(edge.src, (end,), LEVELS.index(edge.certainty)) for edge in carried]
    if kind == "job":
        certainty = {edge.src: LEVELS.index(edge.certainty) for edge in snapshot.neighbours(end, "upstream")}
        return [(end, (), 0), *((src, (end,), level) for src, level in certainty.items())]
    doors: list[tuple[int, tuple[int, ...], int]] = [(end, (), 0)]
    if kind == "dataset":
        doors += [(int(i), (end,), 0) for i in snapshot.columns_of(end)]
    return doors


def _between(view: View, walk: Walk, start: int, end: int, column: bool) -> set[int]:
    """Nodes on any path: reached from the start, and reaching the end."""
    back = view.walk([end], "upstream", level="column" if column else "dataset")
    ends = {start, end}
    for i in (start, end):
        if column and view.kind(i) == "dataset":
            ends |= {int(c) for c in view.snapshot.columns_of(i)}
    down, up = {int(i) for i in walk.nodes} | ends, {int(i) for i in back.nodes} | ends
    return (down & up) | {start, end}


def _nothing(view: View, start: int, end: int, column: bool) -> PathAnswer:
    filters = Filters(kinds=("column",) if column else ())
    down, up = reach(view, start, "downstream", None, filters), reach(view, end, "upstream", None, filters)
    ends = _open(view, down, column)
    starts = _open(view, up, column)
    blind = bool(ends and starts)
    back = view.walk([end], "downstream", level="column" if column else "dataset")
    return PathAnswer(
        src=view.label(start),
        dst=view.label(end),
        verdict="blind" if blind else "none",
        reasons=tuple(dict.fromkeys([*ends, *starts])) if blind else _closed(view, start, end, not ends),
        reverse=_best(view, back, end, start, column) is not None,
        as_of=view.as_of,
        known_at=view.known_at,
    )


def _open(view: View, side: Reach, column: bool) -> list[str]:
    """Why a side is not complete; empty when it is."""
    down = side.direction == "downstream"
    if column and view.kind(side.sources[0]) != "job":
        return _untold(view, side)
    here = open_end(view, side) if down else open_start(view, side)
    further = open_ends(view, side) if down else open_starts(view, side)
    return [*here, *further]


def _untold(view: View, side: Reach) -> list[str]:
    """Datasets on a side of columns that have edges, or jobs, which did not tell columns, and those nobody writes."""
    snapshot = view.snapshot
    nodes = {*side.sources, *side.found}
    owners = {snapshot.dataset_of(i) if view.kind(i) == "column" else i for i in nodes if view.kind(i) != "job"}
    down = side.direction == "downstream"
    direction: Direction = side.direction
    silent, bare = [], []
    for dataset in owners:
        if view.hidden(dataset):
            continue
        by_edge = bool(untold(snapshot, dataset, direction))
        mute = down and any(
            job not in view.instant.writing and job not in view.instant.testing
            for job in snapshot.readers(dataset).tolist()
        )
        if by_edge or mute:
            silent.append(dataset)
        elif not down and dataset not in view.instant.written and not _has_upstream(view, dataset):
            bare.append(dataset)
    words = f"{'goes on to others' if down else 'comes from others'} without telling its columns"
    return [*named(view, silent, words), *unwritten(view, bare)]


def _has_upstream(view: View, dataset: int) -> bool:
    return bool(view.snapshot.neighbours(dataset, "upstream"))


def _closed(view: View, start: int, end: int, down: bool) -> tuple[str, ...]:
    if down:
        return (f"everything downstream of {view.label(start)} told where its data goes",)
    return (f"everything upstream of {view.label(end)} told where its data comes from",)


def _moves_on(view: View, before: int, i: int) -> bool:
    """Whether a step leads elsewhere than from one hidden node to the next of its domain."""
    return not view.hidden(i) or view.hidden_domain(before) != view.hidden_domain(i)


def _step(view: View, i: int) -> PathStep:
    return PathStep(view.label(i), view.kind(i), view.domain(i), view.owner(i))
