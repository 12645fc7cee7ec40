"""The life of edges: from the runs of a job, and from declarations, to intervals of valid time (semantics 7, 14).

An edge begins with the first run that shows it (at the smallest event time of that run). Only BATCH runs that
completed and had a list on the side in question say anything about absence:

* absent in one such run: ``stale`` from there, still in every answer, marked;
* absent in three in event-time order: ended where the first of the three began;
* seen again before that: ``current`` again.

A stream has stages: what it showed first on day 60 begins on day 60. It is never complete, so absence says nothing;
only a claim (columns, explicit lineage) that the same run tells anew without a source ends there.

A run without that side is no evidence. Containment and control flow do not end by absence. When a dataset is dropped,
its edges end at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from ingest.model import ColumnEdge, Edge
from ingest.sets import ColumnSet, EdgeSet, Sets

MISSES = 3  # complete runs without an edge that end it, unless the store says otherwise
MISSES_KEY = "edges.misses"  # that setting; it changes with a rebuild only, so that one state follows one rule
NOT_SEEN = "not seen"
DROPPED = "dropped"
RETOLD = "retold"
RENAMED = "renamed"
REDECLARED = "redeclared"
_CLAIMS = ("column", "explicit")  # provenances that name single sources; a product takes what it gets


class Evidence(NamedTuple):
    """One run as evidence for the edges of its job. ``at`` = smallest event time, microseconds.

    ``later`` are the stages of a stream after its first one: since when, and what it had shown by then.
    """

    at: int
    run: int
    producer: str
    edge_set: int
    column_set: int
    complete: bool
    later: tuple[tuple[int, int, int], ...] = ()

    def sets(self) -> list[tuple[int, int]]:
        """Sets of edges and column edges of all its stages."""
        return [(self.edge_set, self.column_set), *(stage[1:] for stage in self.later)]

    def stages(self) -> list[Evidence]:
        """Its stages as evidence of their own."""
        first = self._replace(later=())
        return [first, *(first._replace(at=at, edge_set=e, column_set=c) for at, e, c in self.later)]


class Declaration(NamedTuple):
    """One JobEvent or DatasetEvent as the source of declared edges, valid until the next one."""

    at: int
    hash: bytes
    producer: str
    edge_set: int
    column_set: int


class Interval(NamedTuple):
    """One state of one edge over [start, end); ``run`` opened it (``None``: a declaration did)."""

    edge: Any
    state: str
    run: int | None
    producer: str
    end_reason: str | None
    start: int
    end: int


@dataclass(slots=True)
class _Life:
    opened: Evidence
    seen: int  # run that showed it last
    misses: list[int] = field(default_factory=list)

    def moved(self, at: int) -> _Life:
        """The same life from the time of a rename on."""
        return _Life(self.opened._replace(at=at), self.seen, [at] * len(self.misses))


class Drop(NamedTuple):
    """A dataset that was dropped at a time, microseconds."""

    at: int
    dataset: int


class Renames(NamedTuple):
    """Datasets that got other names at a time, all in one step; ``column`` gives a column under a new dataset."""

    at: int
    names: dict[int, int]  # old → new
    column: Callable[[int, int], int]


Turn = Drop | Renames


def edge_lives(
    evidence: Sequence[Evidence], sets: Sets, open_end: int, turns: Iterable[Turn] = (), misses: int = MISSES
) -> list[Interval]:
    """Intervals of the edges that the runs of one job showed.

    Parameters
    ----------
    evidence
        the runs of the job, in any order.
    sets
        holds their sets of edges.
    open_end
        the end of what has not ended, microseconds.
    turns
        when datasets of these edges were dropped or renamed.
    misses
        how many complete runs without an edge end it.
    """
    return edge_walk(sets, misses).go(evidence, turns).ended(open_end)


def column_lives(
    evidence: Sequence[Evidence], sets: Sets, open_end: int, turns: Iterable[Turn] = (), misses: int = MISSES
) -> list[Interval]:
    """Intervals of the column edges that the runs of one job showed.

    A run says that a column edge is absent when it told columns of the same output without it, or wrote other
    outputs only.
    """
    return column_walk(sets, misses).go(evidence, turns).ended(open_end)


def declared_lives(
    declarations: Iterable[Declaration],
    shown: Callable[[Declaration], Iterable[Any]],
    open_end: int,
    turns: Iterable[Turn],
    kind: Kind,
) -> list[Interval]:
    """Intervals of declared edges: each declaration is whole and holds until the next one, or until a drop.

    After a rename they hold under the new name.
    """
    intervals: list[Interval] = []
    live: dict[Any, Declaration] = {}

    def end(edges: Iterable[Any], reason: str | None, at: int) -> None:
        for edge in edges:
            since = live.pop(edge)
            intervals.append(Interval(edge, "current", None, since.producer, reason, since.at, at))

    for at, _, step in _steps(declarations, turns):
        if isinstance(step, Drop):
            end([edge for edge in live if kind.touches(edge, step.dataset)], DROPPED, at)
            continue
        if isinstance(step, Renames):
            moves = {edge: (kind.move(edge, step), live[edge]) for edge in live if kind.moves(edge, step)}
            end(moves, RENAMED, at)
            for edge, (moved, since) in moves.items():
                if not _loop(moved) or _loop(edge):
                    live.setdefault(moved, since._replace(at=at))
            continue
        edges = frozenset(shown(step))
        end([edge for edge in live if edge not in edges], REDECLARED, at)
        for edge in edges:
            live.setdefault(edge, step)
    end(list(live), None, open_end)
    return [interval for interval in intervals if interval.start < interval.end]


@dataclass(frozen=True)
class Kind:
    """How edges of one kind hang on datasets: their ends, their like under new names, and what makes two the same."""

    ends: Callable[[Any], tuple[int, ...]]
    move: Callable[[Any, Renames], Any]
    identity: Callable[[Any], Any] = lambda edge: edge

    def touches(self, edge: Any, dataset: int) -> bool:
        """Whether a dataset is an end of an edge."""
        return dataset in self.ends(edge)

    def moves(self, edge: Any, step: Renames) -> bool:
        """Whether an edge hangs on a dataset that is renamed."""
        return any(end in step.names for end in self.ends(edge))


def _edge_ends(edge: Edge) -> tuple[int, ...]:
    return edge[:2] if edge.kind in ("lineage", "read", "write") else ()


def _move_edge(edge: Edge, step: Renames) -> Edge:
    return edge._replace(src=step.names.get(edge.src, edge.src), dst=step.names.get(edge.dst, edge.dst))


def _move_columns(edge: ColumnEdge, step: Renames) -> ColumnEdge:
    source, target = step.names.get(edge.source, edge.source), step.names.get(edge.target, edge.target)
    src, dst = edge.src, edge.dst
    if source != edge.source:
        src = step.column(src, source)
    if target != edge.target:
        dst = target if dst == edge.target else step.column(dst, target)
    return edge._replace(src=src, dst=dst, source=source, target=target)


EDGES = Kind(_edge_ends, _move_edge)
COLUMNS = Kind(
    lambda edge: (edge.source, edge.target),
    _move_columns,
    lambda edge: edge if edge.description is None else edge._replace(description=None),
)


def _loop(edge: Edge | ColumnEdge) -> bool:
    """Whether an edge leads to where it comes from; when a rename made it so, the copy it tells of was the rename."""
    if isinstance(edge, Edge):
        return edge.src == edge.dst
    return edge.source == edge.target


@dataclass(frozen=True)
class _Rule:
    """What runs say about edges of one kind: which they show, which they say are absent, which runs say the same."""

    kind: Kind
    shown: Callable[[Evidence], dict[Any, Any]]  # identity → edge
    says_absent: Callable[[Evidence, Any], bool]
    by: Callable[[Evidence], tuple[Any, ...]]


def edge_walk(sets: Sets, misses: int = MISSES) -> Walk:
    """A walk over runs that has not begun, for their edges."""
    rule = _Rule(
        EDGES,
        lambda run: _by_identity(sets, EDGES, sets.edges(run.edge_set).edges),
        lambda run, edge: _says_absent(sets.edges(run.edge_set), edge),
        by=lambda run: (run.edge_set, run.complete),
    )
    return Walk(rule, misses)


def _by_identity(sets: Sets, kind: Kind, edges: frozenset[Any]) -> dict[Any, Any]:
    """Edges of a set by what makes two the same; made once for a set, nobody changes it."""
    return sets.memo_of(edges, lambda: {kind.identity(edge): edge for edge in edges})


def column_walk(sets: Sets, misses: int = MISSES) -> Walk:
    """A walk over runs that has not begun, for their column edges."""
    rule = _Rule(
        COLUMNS,
        lambda run: _by_identity(sets, COLUMNS, sets.columns(run.column_set).edges),
        lambda run, edge: _says_column_absent(sets.edges(run.edge_set), sets.columns(run.column_set), edge),
        by=lambda run: (run.edge_set, run.column_set, run.complete),
    )
    return Walk(rule, misses)


@dataclass(slots=True)
class Walk:
    """A walk over the runs of a job in event-time order: which edges live, and the intervals that are over.

    It can stop after any run and go on later with those behind it, from a :meth:`fork` if need be.
    """

    rule: _Rule
    misses: int
    live: dict[Any, _Life] = field(default_factory=dict)
    told: dict[Any, Any] = field(default_factory=dict)  # identity → edge as it was shown when its interval opened
    intervals: list[Interval] = field(default_factory=list)

    def show(self, run: Evidence, present: dict[Any, Any], seen: int) -> None:
        """A run shows these edges (by identity); ``seen`` is the last one of those alike in a row."""
        for key, edge in present.items():
            life = self.live.get(key)
            if life is not None and not life.misses:
                life.seen = seen
                continue
            if life is not None:
                self.end(key, run.at, None)
            self.live[key], self.told[key] = _Life(run, seen), edge

    def miss(self, key: Any, runs: Sequence[Evidence]) -> None:
        """Complete runs do not show a living edge."""
        life = self.live[key]
        life.misses += [run.at for run in runs[: self.misses - len(life.misses)]]
        if len(life.misses) >= self.misses:
            del self.live[key]
            self.intervals.append(_interval(self.told[key], life, life.misses[0], NOT_SEEN))

    def rename(self, step: Renames) -> None:
        """What hangs on the old names ends there and goes on under the new ones, as stale as it was."""
        kind = self.rule.kind
        moves = {key: life for key, life in self.live.items() if kind.moves(self.told[key], step)}
        edges = {key: self.told[key] for key in moves}
        for key in moves:
            self.end(key, step.at, RENAMED)
        for key, life in moves.items():
            edge = kind.move(edges[key], step)
            moved = kind.identity(edge)
            if moved not in self.live and (not _loop(edge) or _loop(edges[key])):
                self.live[moved], self.told[moved] = life.moved(step.at), edge

    def end(self, key: Any, at: int, reason: str | None) -> None:
        """A living edge ends, or its state does: what was missed once or twice was stale from the first miss."""
        life = self.live.pop(key)
        if not life.misses:
            self.intervals.append(_interval(self.told[key], life, at, reason))
            return
        self.intervals.append(_interval(self.told[key], life, life.misses[0], NOT_SEEN))
        opened = life.opened
        self.intervals.append(
            Interval(self.told[key], "stale", opened.run, opened.producer, reason, life.misses[0], at)
        )

    def fork(self) -> Walk:
        """A walk that goes on from here by itself; what is over by now is none of its intervals."""
        lives = {key: _Life(life.opened, life.seen, list(life.misses)) for key, life in self.live.items()}
        return Walk(self.rule, self.misses, lives, dict(self.told))

    def go(self, evidence: Sequence[Evidence], turns: Iterable[Turn] = ()) -> Walk:
        """Go on over runs in event-time order; those that are alike in a row are one step."""
        rule, live = self.rule, self.live
        streams = {run.run for run in evidence if run.later}
        evidence = [stage for run in evidence for stage in run.stages()] if streams else evidence
        for _, group in groupby(_steps(evidence, turns), key=lambda step: step if step[1] else rule.by(step[2])):
            steps = [step[2] for step in group]
            first = steps[0]
            if isinstance(first, Drop):
                for key in [key for key in live if rule.kind.touches(key, first.dataset)]:
                    self.end(key, first.at, DROPPED)
                continue
            if isinstance(first, Renames):
                self.rename(first)
                continue
            present = rule.shown(first)
            self.show(first, present, steps[-1].run)
            retold = {step.run: step.at for step in reversed(steps) if step.run in streams}
            if retold:  # a later stage may tell a claim of the same run anew
                for key in [key for key in live if key not in present and live[key].seen in retold]:
                    if rule.says_absent(first, key):
                        self.end(key, retold[live[key].seen], RETOLD)
            elif first.complete:
                for key in [key for key in live if key not in present and rule.says_absent(first, key)]:
                    self.miss(key, steps)
        return self

    def over(self) -> list[Interval]:
        """Take out the intervals that are over."""
        found, self.intervals = self.intervals, []
        return [interval for interval in found if interval.start < interval.end]

    def ended(self, open_end: int) -> list[Interval]:
        """All intervals, when nothing comes any more; what lives ends at ``open_end``."""
        for key in list(self.live):
            self.end(key, open_end, None)
        return self.over()


def _steps(facts: Iterable[Any], turns: Iterable[Turn]) -> list[tuple[int, int, Any]]:
    """Facts and turns in order of time; what a run shows at the instant of a drop or rename goes with it."""
    steps = [(turn.at, 1 if isinstance(turn, Drop) else 2, turn) for turn in turns]
    return sorted([*((fact.at, 0, fact) for fact in facts), *steps])


def _interval(edge: Any, life: _Life, end: int, reason: str | None) -> Interval:
    return Interval(edge, "current", life.opened.run, life.opened.producer, reason, life.opened.at, end)


def _says_absent(shown: EdgeSet, edge: Edge) -> bool:
    if (edge.src, edge.dst, edge.kind) in shown.pairs:
        # There, by another provenance. That ends a claim only where the same kind of claim was made anew without it:
        # columns of the target were told, and none comes from this source any more.
        return edge.provenance in _CLAIMS and (edge.dst, edge.kind, edge.provenance) in shown.told
    if edge.kind == "read":
        return shown.has_inputs
    if edge.kind == "write":
        return bool(shown.outputs)
    return edge.kind == "lineage" and shown.has_inputs and bool(shown.outputs)


def _says_column_absent(shown: EdgeSet, columns: ColumnSet, edge: ColumnEdge) -> bool:
    if edge.target in columns.targets:
        return True
    return shown.has_inputs and bool(shown.outputs) and edge.target not in shown.outputs
