"""Which nodes matter most, where data goes in circles, and what nobody reads.

All figures come from one pass each over the whole graph of an instant (:mod:`lineage.graph.analysis`) and are kept with
it:

``downstream``, ``upstream``
    how many datasets (columns) are reached from a node, and reach it. Exact, or estimated where that would take too
    long; :attr:`Ranking.error` is the standard relative error then.
``dependents``
    how many lose *all* inputs when the node fails: its sub-tree of the dominator tree. A single point of failure for
    these.
``feeders``
    how many exist only for it: the same, backwards.
``criticality``
    mean of the shares of all nodes that are downstream and that are dependents, in percent: a node that everything
    comes from and that nothing can replace has 100.
``rank``
    PageRank (Brin, Page 1998) along the flow.
``bridge``
    whether the graph falls into more parts without it, directions ignored (articulation point).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from lineage.errors import UsageError
from lineage.graph.analysis import Flow, articulation_points, dominators, of_level, pagerank, reach
from lineage.graph.arrays import I64, U32, Bool
from lineage.presence import there
from lineage.shown import Shown
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.graph.snapshot import LevelName
    from lineage.view import Instant, View

By = Literal["criticality", "downstream", "upstream", "dependents", "feeders", "readers", "sources", "rank"]
BY: tuple[By, ...] = ("criticality", "downstream", "upstream", "dependents", "feeders", "readers", "sources", "rank")
LEVELS: tuple[LevelName, ...] = ("dataset", "column")


@dataclass(frozen=True, slots=True)
class RankRow:
    """One node. ``readers`` and ``sources`` count direct neighbours; ``cycle`` numbers the cycle that it is in."""

    id: str
    kind: str
    domain: str
    owner: str | None
    criticality: float
    downstream: int
    upstream: int
    dependents: int
    feeders: int
    readers: int
    sources: int
    rank: float
    bridge: bool
    cycle: int | None = None


@dataclass(frozen=True, slots=True)
class Ranking(Shown):
    """Answer of ``rank``: the first nodes by one figure. ``nodes`` is how many there are; ``error`` 0 = exact.

    ``not_yet`` counts nodes that are first told of after the instant; they are neither listed nor counted in ``nodes``.
    """

    as_of: datetime
    known_at: datetime
    by: By
    level: str
    found: tuple[RankRow, ...]
    nodes: int
    error: float = 0.0
    generated_by: str = ""
    fingerprint: str = ""
    not_yet: int = 0

    own_types = (("bridge", "truth"),)

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return tuple(RankRow.__dataclass_fields__)

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per node."""
        return [tuple(getattr(row, name) for name in self.heads()) for row in self.found]

    def title(self) -> str:
        """What was ranked."""
        return f"{self.level.capitalize()}s by {self.by}"

    def remarks(self) -> tuple[str, ...]:
        """How many there are, how exact the counts are, and what was not there yet."""
        exact = f"estimated within {self.error:.1%}" if self.error else "exact"
        nouns = f"{self.level}{'' if self.not_yet == 1 else 's'}"
        later = f"{self.not_yet:,} {nouns} known today {'was' if self.not_yet == 1 else 'were'} not there yet"
        said = [f"{later} at {iso(self.as_of)}"] if self.not_yet else []
        if not self.nodes:
            return (f"no {self.level} was there to rank", *said)
        return (f"{len(self.found):,} of {self.nodes:,}; counts are {exact}", *said)


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one level, in order of its vertices; ``node`` is the dense index of each."""

    node: U32
    real: Bool  # false for helpers (ports of jobs, rowsets)
    downstream: I64
    upstream: I64
    dependents: I64
    feeders: I64
    readers: I64
    sources: I64
    rank: np.ndarray[tuple[int], np.dtype[np.float64]]
    bridge: Bool
    cycle: I64  # number of the cycle, -1 outside
    error: float

    @property
    def criticality(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """In percent of all other nodes."""
        others = max(int(self.real.sum()) - 1, 1)
        return np.asarray((self.downstream + self.dependents) * 50.0 / others, dtype=np.float64)


def rank(
    view: View,
    by: str = "criticality",
    *,
    level: str = "dataset",
    domains: str | Iterable[str] | None = None,
    limit: int = 50,
) -> Ranking:
    """The first nodes by one figure; equal ones in order of their text.

    Parameters
    ----------
    view
        the instant and the actor. Hidden nodes are neither listed nor counted; what lies behind them is.
    by
        one of :data:`BY`.
    level
        ``dataset`` or ``column``.
    domains
        list only nodes of these.
    limit
        greatest number of rows.

    Raises
    ------
    UsageError
        for an unknown figure, level or domain, or a limit below 1.
    """
    from lineage import __version__
    from lineage.filters import check_domains, read_filters, whole

    _choose("by", by, BY)
    _choose("level", level, LEVELS)
    limit = whole("limit", limit)
    wanted = read_filters(domains=domains)
    check_domains(wanted, [name for name in view.instant.domains.domains if view.actor.may_see(name)])
    figures = _figures_for(view, cast("LevelName", level))
    here = there(view.instant, figures.node)
    later = np.flatnonzero(figures.real & ~here).tolist()
    figures = replace(figures, real=figures.real & here)
    values = figures.criticality if by == "criticality" else getattr(figures, by)

    def listed(v: int) -> bool:
        i = int(figures.node[v])
        return not view.hidden(i) and (not wanted.domains or view.domain(i) in wanted.domains)

    kept = [v for v in np.flatnonzero(figures.real).tolist() if listed(v)]
    best = sorted(kept, key=lambda v: -values[v])
    if len(best) > limit:  # only texts of those that may be listed are looked up
        best = [v for v in best if values[v] >= values[best[limit - 1]]]
    best.sort(key=lambda v: (-values[v], view.label(int(figures.node[v]))))
    return Ranking(
        as_of=view.as_of,
        known_at=view.known_at,
        by=cast(By, by),
        level=level,
        found=tuple(_row(view, figures, v) for v in best[:limit]),
        nodes=len(kept),
        error=figures.error,
        generated_by=f"meshline {__version__}",
        fingerprint=view.instant.fingerprint,
        not_yet=sum(map(listed, later)),
    )


def figures_of(instant: Instant, level: LevelName = "dataset") -> Figures:
    """Every figure of every node of an instant, computed once."""
    return instant.remember(f"figures {level}", lambda: figures(flow_of(instant, level)))


def _figures_for(view: View, level: LevelName) -> Figures:
    """The same as the actor may know them: how much a hidden domain has is in no figure.

    What lies behind hidden nodes is counted. Neighbours, cycles, bridges and PageRank are those among visible nodes.
    """
    if not view.restricted:
        return figures_of(view.instant, level)
    flow = flow_of(view.instant, level)
    shown = np.array([not view.hidden(i) for i in flow.public.tolist()], dtype=bool)
    through = flow.counting(flow.weight * shown)
    down, up = reach(through), reach(through.turned)
    return replace(
        figures(flow.among(shown)),
        downstream=down.count.astype(np.int64)[shown],
        upstream=up.count.astype(np.int64)[shown],
        dependents=dominators(through).dependents.astype(np.int64)[shown],
        feeders=dominators(through.turned).dependents.astype(np.int64)[shown],
        error=max(down.error, up.error),
    )


def flow_of(instant: Instant, level: LevelName = "dataset") -> Flow:
    """The graph of an instant for :mod:`lineage.graph.analysis`, kept with what was computed for it."""
    return instant.remember(f"flow {level}", lambda: of_level(instant.snapshot.level(level)))


def figures(flow: Flow) -> Figures:
    """Every figure of a graph.

    Examples
    --------
    >>> found = figures(Flow.of_edges(3, [0, 1], [1, 2]))
    >>> found.downstream.tolist(), found.dependents.tolist(), found.criticality.tolist()
    ([2, 1, 0], [2, 1, 0], [100.0, 50.0, 0.0])
    """
    down, up = reach(flow), reach(flow.turned)
    cycle = np.full(flow.n, -1, dtype=np.int64)
    for number, component in enumerate(flow.components.cyclic.tolist()):
        cycle[flow.components.members(component)] = number + 1
    return Figures(
        node=flow.public,
        real=flow.weight > 0,
        downstream=down.count.astype(np.int64),
        upstream=up.count.astype(np.int64),
        dependents=dominators(flow).dependents.astype(np.int64),
        feeders=dominators(flow.turned).dependents.astype(np.int64),
        readers=_counts(flow.indptr),
        sources=_counts(flow.rindptr),
        rank=np.asarray(pagerank(flow), dtype=np.float64),
        bridge=articulation_points(flow),
        cycle=cycle,
        error=max(down.error, up.error),
    )


def _counts(pointers: U32) -> I64:
    wide = pointers.astype(np.int64)
    return wide[1:] - wide[:-1]


def _row(view: View, figures: Figures, v: int) -> RankRow:
    i = int(figures.node[v])
    return RankRow(
        id=view.label(i),
        kind=view.kind(i),
        domain=view.domain(i),
        owner=view.owner(i),
        criticality=round(float(figures.criticality[v]), 2),
        downstream=int(figures.downstream[v]),
        upstream=int(figures.upstream[v]),
        dependents=int(figures.dependents[v]),
        feeders=int(figures.feeders[v]),
        readers=int(figures.readers[v]),
        sources=int(figures.sources[v]),
        rank=float(f"{figures.rank[v]:.6g}"),
        bridge=bool(figures.bridge[v]),
        cycle=int(figures.cycle[v]) if figures.cycle[v] > 0 else None,
    )


def _choose(name: str, given: str, allowed: Sequence[str]) -> None:
    if given not in allowed:
        raise UsageError(f"{name}: “{given}” is none of {', '.join(allowed)}.")
