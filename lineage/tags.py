"""Which columns carry which tags, why, and where they were stopped: the answer of ``meshline tags``.

Sources and approved stops come from the modules of :data:`SOURCES` and :data:`STOPS`, so that contracts and policies
add theirs without a change here. A field of questions that wants more than rows asks :func:`spread_of` for the
propagation of an instant, or :func:`column_tags` for all of it as an Arrow table.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lineage.arrow import array_of, array_of_texts
from lineage.errors import UnknownTagError, UsageError
from lineage.graph.arrays import COLUMN, NONE, U32, U64, pair_keys
from lineage.graph.column_flow import ColumnFlow, column_flow
from lineage.propagation import Seed, Spread, Stop, matches, propagate
from lineage.shown import Shown

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.view import Instant, View

SOURCES: tuple[str, ...] = ("lineage.tag_facets:seeds", "lineage.contracts.seeds:seeds")
"""Functions (``module:name``) from an instant to the seeds that it knows."""

EVER: tuple[str, ...] = ("lineage.tag_facets:ever", "lineage.contracts.seeds:ever")
"""Functions (``module:name``) from a view to the tags that they know of any time, and that the actor may see."""

STOPS: tuple[str, ...] = ("lineage.stops.rows:stops",)
"""Functions (``module:name``) from an instant to the approved stops that it knows."""

_LONGEST = 200  # letters of a tag that are compared with others
_SPOTS = 20  # blind spots named one by one


@dataclass(frozen=True, slots=True)
class TagRow:
    """One tag on one column (or on a dataset as a whole).

    ``path`` is the witness: node texts from the source of the tag to this node, a shortest way over values where there
    is one, else a shortest over filters, joins and groups too; ``hops`` its column steps, 0 at a source. ``told_by``
    says who gave the tag to the source. ``use`` is ``indirect`` when no way without a filter, join or group brings it.
    """

    id: str
    kind: str
    tag: str
    hops: int
    origin: str
    told_by: str
    path: tuple[str, ...]
    use: Literal["direct", "indirect"] = "direct"
    domain: str = ""
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class StoppedTag:
    """One edge that a tag does not pass: ``masked`` on the way, or ``approved`` by somebody (``stop``: its id)."""

    src: str
    dst: str
    tag: str
    why: Literal["masked", "approved"]
    by: str = ""
    reason: str = ""
    stop: str = ""

    @property
    def words(self) -> str:
        """Why it stops, in words.

        >>> StoppedTag("a", "b", "pii", "approved", "grace", "aggregated").words
        'approved by grace: aggregated'
        """
        return f"{self.why}{f' by {self.by}' if self.by else ''}{f': {self.reason}' if self.reason else ''}"


@dataclass(frozen=True, slots=True)
class Tags(Shown):
    """Answer of ``tags``. ``verdict``: found; none; blind = none found, but lineage without columns leads here.

    A tag that nobody ever told is no answer but an :class:`lineage.errors.UnknownTagError`, as an unknown node is.
    """

    as_of: datetime
    known_at: datetime
    found: tuple[TagRow, ...]
    stopped: tuple[StoppedTag, ...]
    node: str | None = None
    tag: str | None = None
    indirect: bool = False
    verdict: Literal["found", "none", "blind"] = "found"
    blind_spots: tuple[str, ...] = ()
    generated_by: str = ""
    fingerprint: str = ""

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("tag", "hops", "id", "kind", "use", "domain", "owner", "origin", "told_by", "path")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per tag and node."""
        return [
            (r.tag, r.hops, r.id, r.kind, r.use, r.domain, r.owner, r.origin, r.told_by, list(r.path))
            for r in self.found
        ]

    def title(self) -> str:
        """What was asked."""
        return f"Tags{f' “{self.tag}”' if self.tag else ''}{f' of {self.node}' if self.node else ''}"

    def remarks(self) -> tuple[str, ...]:
        """Verdict, where tags were stopped, blind spots."""
        ends = [f"{s.tag} stops at {s.dst}: {s.words}" for s in self.stopped]
        return (f"verdict: {self.verdict}", *ends, *self.blind_spots)


@dataclass(frozen=True, slots=True)
class Tagging:
    """The propagation of one instant: over direct edges alone, and over all edges when that was asked for."""

    flow: ColumnFlow
    seeds: tuple[Seed, ...]
    stops: tuple[Stop, ...]
    direct: Spread
    all: Spread


def tagging(
    instant: Instant, *, indirect: bool = False, seeds: Iterable[Seed] = (), stops: Iterable[Stop] = ()
) -> Tagging:
    """Sources, stops and where the tags of an instant are; kept with the instant unless more seeds are given."""
    more = tuple(seeds), tuple(stops)
    if any(more):
        return _tagging(instant, indirect, *more)
    return instant.remember(f"tags {indirect}", lambda: _tagging(instant, indirect, (), ()))


def spread_of(instant: Instant, *, indirect: bool = False) -> Spread:
    """Where every tag of an instant is; for other fields of questions."""
    return tagging(instant, indirect=indirect).all


def column_tags(instant: Instant, *, indirect: bool = False) -> pa.Table:
    """Every tag of every column of an instant, for SQL.

    Returns
    -------
    pyarrow.Table
        one row per column and tag: ``column`` and ``dataset`` (node ids, uint64), ``field``, ``tag``, ``hops``,
        ``origin`` (node id of the source), ``previous`` (node id of the step before on the witness; null at a source).
        A dataset that carries a tag as a whole is in it through its columns.
    """
    import pyarrow as pa

    snapshot = instant.snapshot
    spread = spread_of(instant, indirect=indirect)
    parts = []
    for tag in spread.tags:
        carried = spread.carried(tag)
        at = np.flatnonzero(snapshot.kind[carried.nodes] == COLUMN)
        nodes, parent = carried.nodes[at], carried.parent[at]
        known = parent != NONE
        fields = snapshot.fields(nodes)
        parts.append(
            pa.table(
                {
                    "column": array_of(snapshot.ids[nodes]),
                    "dataset": array_of(snapshot.ids[snapshot._nodes.datasets_of(nodes)]),
                    "field": fields if fields.type == pa.string() else fields.cast(pa.string()),
                    "tag": pa.repeat(array_of_texts([tag])[0], len(nodes)),
                    "hops": array_of(carried.hops[at]),
                    "origin": array_of(snapshot.ids[carried.origins()[at]]),
                    "previous": array_of(snapshot.ids[np.where(known, parent, 0)], ~known),
                }
            )
        )
    names = [("column", pa.uint64()), ("dataset", pa.uint64()), ("field", pa.string()), ("tag", pa.string()),
             ("hops", pa.uint32()), ("origin", pa.uint64()), ("previous", pa.uint64())]  # fmt: skip
    return pa.concat_tables(parts) if parts else pa.schema(names).empty_table()


def tags(
    view: View,
    node: int | None = None,
    tag: str | None = None,
    *,
    indirect: bool = False,
    seeds: Iterable[Seed] = (),
    stops: Iterable[Stop] = (),
) -> Tags:
    """Which columns carry which tags.

    Parameters
    ----------
    view
        the instant and the actor. Hidden columns are neither listed nor counted; on a path they are masked.
    node
        dense index of a dataset or column to limit it to; default: everything.
    tag
        a whole tag (``pii:email``) or a key (``pii``).
    indirect
        also follow edges that only filter, join, group or sort.
    seeds, stops
        more of them than the store has, for a rehearsal.

    Raises
    ------
    HiddenNodeError
        when the actor may not see the node.
    UnknownTagError
        when no tag was ever told that is the asked one or has it as its key; one that is elsewhere is ``none`` here.
    UsageError
        for a job, which has no columns.
    """
    from lineage import __version__

    if node is not None:
        view.require(node)
        if view.kind(node) == "job":
            raise UsageError(f"{view.label(node)} is a job; tags are on datasets and columns.")
    found = tagging(view.instant, indirect=indirect, seeds=seeds, stops=stops)
    if tag is not None:
        require_tag(view, tag, found.all)
    wanted = [one for one in found.all.tags if tag is None or matches(tag, one)]
    inside = _inside(view, node)
    rows = sorted(_rows(view, found, wanted, inside), key=lambda r: (r.tag, r.hops, r.id))
    spots = _blind_spots(view, found, wanted, inside)
    return Tags(
        as_of=view.as_of,
        known_at=view.known_at,
        found=tuple(rows),
        stopped=tuple(sorted(_stopped(view, found, wanted, inside), key=lambda s: (s.tag, s.src, s.dst))),
        node=None if node is None else view.label(node),
        tag=tag,
        indirect=indirect,
        verdict="found" if rows else "blind" if spots else "none",
        blind_spots=tuple(spots),
        generated_by=f"meshline {__version__}",
        fingerprint=view.instant.fingerprint,
    )


def require_tag(view: View, tag: str, spread: Spread | None = None) -> None:
    """Refuse a tag, or key of tags, that was never told, as far as was known then, of anything that the actor may see.

    Parameters
    ----------
    spread
        where tags are; default: as the store tells it.

    Raises
    ------
    UnknownTagError
        with those that come near.
    """
    spread = spread or spread_of(view.instant)
    if any(matches(tag, one) and _some_visible(view, spread, one) for one in spread.tags):
        return
    known = {one for one in spread.tags if _some_visible(view, spread, one)} | set(_asked(EVER, view))
    if any(matches(tag, one) for one in known):
        return
    raise UnknownTagError(tag, near_tags(tag, known))


def near_tags(tag: str, known: Collection[str]) -> list[str]:
    """Tags, and keys of tags, that come near to one that nobody told.

    >>> near_tags("pij", {"pii:email", "tier:critical"})
    ['pii']
    """
    words = {word.lower(): word for one in sorted(known) for word in (one.partition(":")[0], one)}
    near = difflib.get_close_matches(tag.strip().lower()[:_LONGEST], words, n=5, cutoff=0.5)
    return [words[word] for word in near]


# -- inside


def _some_visible(view: View, spread: Spread, tag: str) -> bool:
    return not view.restricted or any(not view.hidden(i) for i in spread.carried(tag).nodes.tolist())


def _tagging(instant: Instant, indirect: bool, more: tuple[Seed, ...], stops: tuple[Stop, ...]) -> Tagging:
    flow = instant.remember("column flow", lambda: column_flow(instant.snapshot))
    all_seeds = (*_asked(SOURCES, instant), *more)
    all_stops = (*_asked(STOPS, instant), *stops)
    direct = propagate(flow, all_seeds, all_stops)
    return Tagging(
        flow,
        all_seeds,
        all_stops,
        direct,
        propagate(flow, all_seeds, all_stops, indirect=True) if indirect else direct,
    )


def _asked(functions: Sequence[str], about: Instant | View) -> Iterator[Any]:
    for where in functions:
        module, name = where.split(":")
        ask: Callable[[Instant | View], Iterable[Any]] = getattr(import_module(module), name)
        yield from ask(about)


def _inside(view: View, node: int | None) -> U32 | None:
    """The nodes an answer is limited to; ``None`` for all."""
    if node is None:
        return None
    return np.concatenate([[node], view.snapshot.columns_of(node)]).astype(np.uint32)


def _rows(view: View, found: Tagging, wanted: Sequence[str], inside: U32 | None) -> Iterator[TagRow]:
    told = {(seed.node, seed.tag): seed.source for seed in reversed(found.seeds)}
    for tag in wanted:
        everywhere = found.all.carried(tag)
        nodes = everywhere.nodes if inside is None else np.intersect1d(everywhere.nodes, inside)
        direct = found.direct.here(tag, nodes)
        for i, plain in zip(nodes.tolist(), direct.tolist(), strict=True):
            if view.hidden(i):
                continue
            carried = found.direct.carried(tag) if plain else everywhere
            path = _readable(view, carried.path(i))
            yield TagRow(
                id=view.label(i),
                kind=view.kind(i),
                tag=tag,
                hops=int(carried.hops[carried.place(i)]) - _inside_one(view, path),
                origin=view.label(path[0]),
                told_by=told[path[0], tag],
                path=view.steps(path),
                use="direct" if plain else "indirect",
                domain=view.domain(i),
                owner=view.owner(i),
            )


def _inside_one(view: View, path: Sequence[int]) -> int:
    """Steps of a path from a hidden column to the next one of its domain, which are none."""
    if not view.restricted:
        return 0
    columns = [view.kind(step) == "column" for step in path]
    return sum(columns[k] and columns[k + 1] and view.as_one(a, b) for k, (a, b) in enumerate(pairwise(path)))


def _readable(view: View, path: Sequence[int]) -> list[int]:
    """Without datasets between two columns: what affects all rows is told by the step itself."""
    return [
        step
        for at, step in enumerate(path)
        if not (0 < at < len(path) - 1 and view.kind(step) == "dataset" and view.kind(path[at - 1]) == "column")
    ]


def _stopped(view: View, found: Tagging, wanted: Sequence[str], inside: U32 | None) -> Iterator[StoppedTag]:
    flow = found.flow
    near = np.ones(len(flow.src), bool) if inside is None else np.isin(flow.src, inside) | np.isin(flow.dst, inside)
    approved = {}
    for stop in found.stops:
        own = view.snapshot.columns_of(stop.node).tolist()
        approved.update({(i, stop.tag): stop for i in (stop.node, *own)})
    guarded = np.isin(flow.dst, np.array(sorted({i for i, _ in approved}), dtype=np.uint32))
    open_ = flow.direct if found.all is found.direct else ~flow.masked
    for tag in wanted:
        ends = near & found.all.here(tag, flow.src) & ~found.all.here(tag, flow.dst)
        for why, at in (("masked", flow.masked), ("approved", guarded & open_)):
            for k in np.flatnonzero(ends & at).tolist():
                src, dst = int(flow.src[k]), int(flow.dst[k])
                if view.hidden(src) or view.hidden(dst):
                    continue
                stop_ = None if why == "masked" else _stop_of(approved, dst, tag)
                if why == "masked":
                    yield StoppedTag(view.label(src), view.label(dst), tag, "masked")
                elif stop_ is not None:
                    args = (view.label(src), view.label(dst), tag)
                    yield StoppedTag(*args, "approved", stop_.approved_by, stop_.reason, stop_.id)


def _stop_of(approved: dict[tuple[int, str | None], Stop], node: int, tag: str) -> Stop | None:
    for word in (tag, tag.partition(":")[0], None):
        if (node, word) in approved:
            return approved[node, word]
    return None


def _blind_spots(view: View, found: Tagging, wanted: Sequence[str], inside: U32 | None) -> list[str]:
    """Datasets that take data from one with a wanted tag without telling from which columns."""
    snapshot = view.snapshot
    src, dst = view.instant.remember("lineage without columns", lambda: _untold(view.instant, found.flow))
    if inside is not None:
        homes = snapshot._nodes.datasets_of(inside)
        keep = np.isin(dst, homes)
        src, dst = src[keep], dst[keep]
    spots = []
    for tag in wanted:
        carried = found.all.carried(tag).nodes
        holders = np.unique(snapshot._nodes.datasets_of(carried))
        for k in np.flatnonzero(np.isin(src, holders)).tolist():
            a, b = int(src[k]), int(dst[k])
            if not view.hidden(a) and not view.hidden(b):
                spots.append(f"{view.label(b)}: comes from {view.label(a)}, which carries {tag}, without columns told")
    spots.sort()
    more = [f"{len(spots) - _SPOTS} more ways without columns told"] if len(spots) > _SPOTS else []
    return [*spots[:_SPOTS], *more]


def _untold(instant: Instant, flow: ColumnFlow) -> tuple[U32, U32]:
    """Pairs of datasets with lineage but no column edge into the second from the first."""
    nodes = instant.snapshot._nodes
    pairs = np.unique(pair_keys(nodes.datasets_of(flow.src), nodes.datasets_of(flow.dst)))
    keys = np.unique(instant.snapshot._relations.lineage.key)
    src, dst = _halves(keys[~np.isin(keys, pairs)])
    keep = (src < flow.datasets) & (dst < flow.datasets) & (src != dst)
    return src[keep], dst[keep]


def _halves(keys: U64) -> tuple[U32, U32]:
    return (keys >> np.uint64(32)).astype(np.uint32), (keys & np.uint64(NONE)).astype(np.uint32)
