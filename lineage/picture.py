"""The lineage picture of a node: its neighbourhood as cards and arrows, with counts where it was cut off.

Pure data; :mod:`dashboard` lays it out and draws it. Hidden nodes are ``hidden (domain X) #n``, as few as show what
leads to what (:mod:`lineage.stand_ins`): the number only tells the cards of one picture apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import numpy as np

from lineage.answers import Direction, Frontier
from lineage.columns import absent_columns, column_facts, column_infos, entries, tag_text
from lineage.details import ColumnInfo
from lineage.errors import UsageError
from lineage.filters import LEVELS
from lineage.graph.arrays import JOB
from lineage.last_runs import last_runs
from lineage.pictured import Picture, PictureColumnEdge, PictureEdge, PictureNode
from lineage.stand_ins import stand_ins

if TYPE_CHECKING:
    from lineage.graph import EdgeView, Snapshot
    from lineage.view import View

MAX_NODES = 5000  # cards of one picture
Side = Literal["focus", "upstream", "downstream", "both"]
_BOTH: tuple[Direction, Direction] = ("upstream", "downstream")


@dataclass(frozen=True, slots=True)
class Scope:
    """How much of the neighbourhood is wanted.

    ``upstream`` and ``downstream`` are hops; ``jobs`` puts jobs between datasets; ``columns`` is true for the columns
    of all cards, or a collection of dataset texts whose columns are wanted. ``also_upstream`` and ``also_downstream``
    are dense indices of cards whose direct neighbours on that side are wanted too.
    """

    upstream: int = 1
    downstream: int = 1
    jobs: bool = False
    columns: bool | Collection[str] = False
    max_nodes: int = 300
    also_upstream: Collection[int] = ()
    also_downstream: Collection[int] = ()

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises
        ------
        UsageError
            for negative hops and for no or too many cards.
        """
        for name, hops in (("upstream", self.upstream), ("downstream", self.downstream)):
            if hops < 0:
                raise UsageError(f"{name}: {hops} is negative; 0 leaves that side out.")
        if not 1 <= self.max_nodes <= MAX_NODES:
            raise UsageError(f"max_nodes: {self.max_nodes} is not between 1 and {MAX_NODES:,}.")


@dataclass(slots=True)
class _Card:
    hops: int
    side: Side


@dataclass(slots=True)
class _Sketch:
    """A picture by dense indices."""

    focus: int
    cards: dict[int, _Card]
    edges: list[EdgeView] = field(default_factory=list)
    behind: set[int] = field(default_factory=set)
    shown_columns: dict[int, list[int] | None] = field(default_factory=dict)  # None = all columns
    column_edges: list[EdgeView] = field(default_factory=list)


def picture(view: View, i: int, scope: Scope | None = None) -> Picture:
    """Neighbourhood of a node.

    Parameters
    ----------
    view
        the instant and the actor.
    i
        dense index of a dataset, job or column (then of its dataset).
    scope
        how much is wanted.

    Raises
    ------
    HiddenNodeError
        when the actor may not see the node.
    UsageError
        when the scope makes no sense.
    """
    scope = scope or Scope()
    scope.check()
    view.require(i)
    snapshot = view.snapshot
    focus = snapshot.dataset_of(i) if view.kind(i) == "column" else i
    sketch = _Sketch(focus, {focus: _Card(0, "focus")})
    _walk(view, sketch, scope)
    sketch.edges = _induced(snapshot, sketch.cards)
    if view.kind(focus) == "job":
        sketch.edges = _through(sketch.edges, focus) + _arrows(snapshot, [focus], sketch.cards)
    if scope.jobs:
        _put_jobs_between(view, sketch, scope)
    wanted = set(scope.columns) if not isinstance(scope.columns, bool) else set()
    for card in sketch.cards:
        names = {snapshot.text(card), *view.aliases(card)} if wanted else set()
        if view.kind(card) == "dataset" and not view.hidden(card) and (scope.columns is True or names & wanted):
            sketch.shown_columns[card] = None
    sketch.column_edges = snapshot.column_edges(list(sketch.shown_columns))
    return _drawn(view, sketch, scope.jobs)


def column_trace(view: View, i: int) -> Picture:
    """All datasets on the way of one column, up and down, with the traced columns only.

    Raises
    ------
    HiddenNodeError
        when the actor may not see the column.
    UsageError
        when the node is no column.
    """
    view.require(i)
    snapshot = view.snapshot
    if view.kind(i) != "column":
        raise UsageError(f"{view.label(i)} is no column; write column:NAMESPACE:NAME:COLUMN.")
    focus = snapshot.dataset_of(i)
    sketch = _Sketch(focus, {focus: _Card(0, "focus")})
    traced: dict[int, list[int]] = {focus: [i]}
    for direction in _BOTH:
        walk = view.walk([i], direction, level="column")
        for node, hops in zip(walk.nodes.tolist(), walk.hops.tolist(), strict=True):
            is_column = view.kind(node) == "column"
            dataset = snapshot.dataset_of(node) if is_column else node
            _place(sketch.cards, dataset, hops, direction)
            columns = traced.setdefault(dataset, [])
            if is_column and node not in columns:
                columns.append(node)
    sketch.shown_columns = {d: sorted(columns) for d, columns in traced.items() if not view.hidden(d)}
    on_trace = {column for columns in traced.values() for column in columns}
    sketch.column_edges = [
        edge
        for edge in snapshot.column_edges(list(traced))
        if edge.src in on_trace and (edge.dst in on_trace or view.kind(edge.dst) == "dataset")
    ]
    pairs = {(_home(view, edge.src), _home(view, edge.dst)) for edge in sketch.column_edges}
    sketch.edges = [edge for edge in _induced(snapshot, sketch.cards) if (edge.src, edge.dst) in pairs]
    return _drawn(view, sketch, jobs=False)


# -- which cards


def _walk(view: View, sketch: _Sketch, scope: Scope) -> None:
    """Place the nearest nodes of both sides; what does not fit is behind the frontier."""
    reached: list[tuple[int, int, str]] = []
    for direction in _BOTH:
        depth = scope.upstream if direction == "upstream" else scope.downstream
        walk = view.walk([sketch.focus], direction, depth=depth, max_nodes=scope.max_nodes)
        hops = walk.hops.tolist()
        if view.kind(sketch.focus) == "job" and direction == "downstream":
            hops = [h + 1 for h in hops]  # outputs stand one step from the job's card
            reached += [(h, i, direction) for h, i in zip(hops, walk.nodes.tolist(), strict=True) if h <= depth]
            sketch.behind |= {i for h, i in zip(hops, walk.nodes.tolist(), strict=True) if h > depth}
        else:
            reached += [(h, i, direction) for h, i in zip(hops, walk.nodes.tolist(), strict=True)]
        sketch.behind |= {int(i) for i in walk.cut}
    for distance, i, side in sorted(reached):
        if i in sketch.cards or len(sketch.cards) < scope.max_nodes:
            _place(sketch.cards, i, distance, side)
        else:
            sketch.behind.add(i)
    _expand(view, sketch, scope)
    sketch.behind -= set(sketch.cards)


def _expand(view: View, sketch: _Sketch, scope: Scope) -> None:
    """Add the direct neighbours of the cards that were expanded; a card that only this brings may be expanded too."""
    waiting = [
        (i, direction)
        for direction, cards in zip(_BOTH, (scope.also_upstream, scope.also_downstream), strict=True)
        for i in cards
    ]
    while ready := sorted((i, direction) for i, direction in waiting if i in sketch.cards):
        waiting = [pair for pair in waiting if pair not in ready]
        for i, direction in ready:
            for other in view.snapshot.ends(i, direction).tolist():
                if other in sketch.cards or len(sketch.cards) < scope.max_nodes:
                    _place(sketch.cards, other, sketch.cards[i].hops + 1, direction)
                else:
                    sketch.behind.add(other)


def _place(cards: dict[int, _Card], i: int, hops: int, direction: str) -> None:
    side: Side = "upstream" if direction == "upstream" else "downstream"
    card = cards.get(i)
    if card is None:
        cards[i] = _Card(hops, side)
    elif card.side not in (side, "focus"):
        card.side, card.hops = "both", min(card.hops, hops)
    else:
        card.hops = min(card.hops, hops)


def _induced(snapshot: Snapshot, cards: Iterable[int]) -> list[EdgeView]:
    """All edges between cards."""
    cards = list(cards)
    inside = np.array(cards, dtype=np.uint32)
    return [edge for i in cards for edge in snapshot.neighbours(i, "downstream", inside)]


def _through(edges: Sequence[EdgeView], focus: int) -> list[EdgeView]:
    """Edges with the focused job between its inputs and outputs, instead of past it."""
    return [edge for edge in edges if focus in (edge.src, edge.dst) or set(edge.jobs) != {focus}]


def _put_jobs_between(view: View, sketch: _Sketch, scope: Scope) -> None:
    """Cards for the jobs that move data between the cards, and their arrows instead of the direct ones."""
    snapshot = view.snapshot
    datasets = [i for i in sketch.cards if view.kind(i) == "dataset"]
    wanted: dict[int, tuple[int, str]] = {}
    for i in datasets:
        card = sketch.cards[i]
        if card.side != "upstream" and card.hops < scope.downstream:
            for job in snapshot.readers(i).tolist():
                wanted.setdefault(job, (card.hops + 1, "downstream"))
        if card.side != "downstream" and card.hops < scope.upstream:
            for job in snapshot.writers(i).tolist():
                wanted.setdefault(job, (card.hops + 1, "upstream"))
    for edge in sketch.edges:
        far = max(sketch.cards[edge.src], sketch.cards[edge.dst], key=lambda card: card.hops)
        for job in edge.jobs:
            wanted.setdefault(job, (far.hops, "upstream" if far.side == "upstream" else "downstream"))
    for job, (hops, direction) in sorted(wanted.items(), key=lambda item: (item[1][0], item[0])):
        if job in sketch.cards or len(sketch.cards) < scope.max_nodes:
            _place(sketch.cards, job, max(hops, 1), direction)
        else:
            sketch.behind.add(job)
    jobs = {i for i in sketch.cards if view.kind(i) == "job"}
    kept = [edge for edge in sketch.edges if not set(edge.jobs) & jobs or {edge.src, edge.dst} & jobs]
    sketch.edges = [*kept, *_arrows(snapshot, jobs, sketch.cards)]


def _arrows(snapshot: Snapshot, jobs: Iterable[int], cards: Collection[int]) -> list[EdgeView]:
    """Arrows of jobs to and from other cards."""
    inside = np.array(list(cards), dtype=np.uint32)
    return [
        edge
        for job in sorted(jobs)
        for direction in _BOTH
        for edge in snapshot.neighbours(job, direction, inside)
        if edge.src in cards and edge.dst in cards
    ]


def _home(view: View, i: int) -> int:
    return view.snapshot.dataset_of(i) if view.kind(i) == "column" else i


# -- what is drawn


def _drawn(view: View, sketch: _Sketch, jobs: bool) -> Picture:
    partial = _more_behind(view, sketch)
    if view.restricted:
        _fold_hidden(view, sketch)
    ids = _ids(view, sketch)
    facts = column_facts(view, sketch.shown_columns)
    snapshot = view.snapshot
    absent = absent_columns(view, [i for i in sketch.cards if view.kind(i) == "dataset"])
    status = last_runs(view, sketch.cards)
    nodes = []
    for i, card in sketch.cards.items():
        columns: tuple[ColumnInfo, ...] = ()
        if i in sketch.shown_columns:
            columns = column_infos(view, i, facts.get(i, {}), sketch.shown_columns[i], absent)
        whole = i in sketch.shown_columns and sketch.shown_columns[i] is None
        there = (c not in absent for c in snapshot.columns_of(i).tolist())
        count = len(columns) if whole else sum(there)
        nodes.append(_node(view, sketch, i, card, ids[i], columns, count, status.get(i), jobs))
    behind = [i for i in sketch.behind if not view.hidden(i)]
    counts = view.per_domain(behind)
    return Picture(
        focus=ids[sketch.focus],
        nodes=tuple(sorted(nodes, key=lambda node: (node.hops, node.id))),
        edges=tuple(_edge(view, edge, ids) for edge in {(edge.src, edge.dst): edge for edge in sketch.edges}.values()),
        column_edges=tuple(_column_edges(view, sketch.column_edges, ids)),
        as_of=view.as_of,
        known_at=view.known_at,
        partial=partial,
        frontier=Frontier(len(behind), counts, exact=False) if partial else None,
    )


def _more_behind(view: View, sketch: _Sketch) -> bool:
    """Whether a wider picture has more; hidden nodes behind hidden ones of their domain make no more cards."""
    if not sketch.behind or not view.restricted or not all(view.hidden(i) for i in sketch.behind):
        return bool(sketch.behind)
    rows = {view.row_of(i) for i in sketch.cards}
    walks = [view.walk([sketch.focus], direction).nodes.tolist() for direction in _BOTH]
    return any(view.row_of(i) not in rows for i in (*sketch.behind, *(i for walk in walks for i in walk)))


def _fold_hidden(view: View, sketch: _Sketch) -> None:
    """Leave as many hidden cards as are needed to show what leads to what (:mod:`lineage.stand_ins`)."""
    hidden = {i: view.row_of(i) for i in sketch.cards if view.hidden(i)}
    edges = sketch.edges
    stands, arrows = stand_ins(hidden, [(e.src, e.dst, LEVELS.index(e.certainty)) for e in edges])
    for i, stand in stands.items():
        if i != stand:
            card, kept = sketch.cards.pop(i), sketch.cards[stand]
            sketch.cards[stand] = _Card(min(card.hops, kept.hops), kept.side if card.side == kept.side else "both")
    seen = [edge for edge in edges if edge.src not in hidden and edge.dst not in hidden]
    sketch.edges = seen + [
        replace(edges[arrow.edge], src=arrow.src, dst=arrow.dst, certainty=LEVELS[arrow.level]) for arrow in arrows
    ]


def _ids(view: View, sketch: _Sketch) -> dict[int, str]:
    """Id of each card: its node text, or a numbered mask."""
    ids: dict[int, str] = {}
    masked = 0
    for i in sorted(sketch.cards, key=lambda i: (sketch.cards[i].hops, i)):
        masked += view.hidden(i)
        ids[i] = f"{view.label(i)} #{masked}" if view.hidden(i) else view.snapshot.text(i)
    return ids


def _node(
    view: View,
    sketch: _Sketch,
    i: int,
    card: _Card,
    name: str,
    columns: tuple[ColumnInfo, ...],
    column_count: int,
    status: tuple[str, datetime] | None,
    jobs: bool,
) -> PictureNode:
    snapshot = view.snapshot
    kind: Literal["dataset", "job"] = "job" if view.kind(i) == "job" else "dataset"
    if view.hidden(i):
        label = view.label(i)
        return PictureNode(name, kind, "", label, view.domain(i), None, card.hops, card.side, hidden=True)
    up, down = (_cut(view, sketch, i, direction, jobs) for direction in _BOTH)
    return PictureNode(
        id=name,
        kind=kind,
        namespace=snapshot.namespace(i),
        name=snapshot.name(i),
        domain=view.domain(i),
        owner=view.owner(i),
        hops=card.hops,
        side=card.side,
        columns=columns,
        column_count=column_count,
        cut_upstream=up,
        cut_downstream=down,
        status=status[0] if status else None,
        last_run_at=status[1] if status else None,
        tags=_tags(view, i),
        self_loop=snapshot.self_loop(i),
        aliases=view.aliases(i),
    )


def _cut(view: View, sketch: _Sketch, i: int, direction: Direction, jobs: bool) -> int:
    """Number of visible direct neighbours that are not in the picture."""
    snapshot = view.snapshot
    beside = snapshot.ends(i, direction)
    if jobs and view.kind(i) == "dataset":
        around = snapshot.writers(i) if direction == "upstream" else snapshot.readers(i)
        beside = np.union1d(beside[snapshot.kind[beside] == JOB], around)
    left = beside[np.isin(beside, np.array(list(sketch.cards), dtype=np.uint32), invert=True)]
    return sum(not view.hidden(other) for other in left.tolist()) if view.restricted else len(left)


def _tags(view: View, i: int) -> tuple[str, ...]:
    found: list[str] = []
    for member in view.snapshot.members(i):
        facet = view.instant.facets.get(member, {}).get("tags")
        found += [tag_text(tag) for tag in entries(facet, "tags") if not tag.get("field")]
    return tuple(dict.fromkeys(found))


def _edge(view: View, edge: EdgeView, ids: dict[int, str]) -> PictureEdge:
    masked = view.hidden(edge.src) or view.hidden(edge.dst)
    return PictureEdge(
        src=ids[edge.src],
        dst=ids[edge.dst],
        provenance=edge.provenance,
        certainty=edge.certainty,
        jobs=tuple(dict.fromkeys(view.label(job) for job in edge.jobs)),
        crosses_domain=view.domain(edge.src) != view.domain(edge.dst),
        valid_from=None if masked else edge.valid_from,
    )


def _column_edges(view: View, edges: Iterable[EdgeView], ids: dict[int, str]) -> Iterable[PictureColumnEdge]:
    """Column arrows between cards; none at hidden ones."""
    snapshot = view.snapshot
    for edge in edges:
        src, dst = _home(view, edge.src), _home(view, edge.dst)
        if view.hidden(src) or view.hidden(dst):
            continue
        yield PictureColumnEdge(
            src=ids[src],
            src_column=snapshot.field(edge.src),
            dst=ids[dst],
            dst_column=snapshot.field(edge.dst) if view.kind(edge.dst) == "column" else "",
            type=edge.type,
            subtype=edge.subtype,
            masking=edge.masking,
            certainty=edge.certainty,
        )
