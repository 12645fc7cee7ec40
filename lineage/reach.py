"""What impact and provenance have in common: walk, label, mask, and say how complete the answer is.

Impact (:mod:`lineage.impact`) and provenance (:mod:`lineage.provenance`) call :func:`reach` with their direction; they
differ in which jobs belong to the answer and in what makes an empty answer a blind one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from lineage import annotators
from lineage.answers import Answer, Coverage, Direction, Frontier, Link, Reached, Totals
from lineage.dropped import dropped_notes
from lineage.filters import GROUPS, LEVELS, Filters, check_domains
from lineage.graph.job_use import indirect_readers
from lineage.graph.uses import Uses
from lineage.itself import circle_notes, jobs_of_circles
from lineage.levels import Found, better, groups_of, lift, roll_up
from lineage.links import keys_of, links_among, subtypes_of
from lineage.origin import ended_at
from lineage.temporary import bridges, contract

if TYPE_CHECKING:
    from lineage.graph import Walk
    from lineage.group_question import Group
    from lineage.view import View

_NAMED = 20  # blind spots of one sort that are named one by one
_NO_PRODUCTS = "No data product is declared in this database, so none can be listed."


@dataclass(frozen=True, slots=True)
class Reach:
    """What a walk found: nodes by dense index, and the nodes right behind when a limit cut it.

    ``sources`` is the asked node, or the datasets of the asked ``group``.
    """

    sources: tuple[int, ...]
    direction: Direction
    found: dict[int, Found]
    behind: frozenset[int]
    edges: int
    certain_edges: int
    level: Literal["dataset", "column"] = "dataset"
    group: Group | None = None

    @property
    def origin(self) -> int | Group:
        """What was asked about."""
        return self.group or self.sources[0]

    def label(self, view: View) -> str:
        """Text of what was asked about."""
        return self.group.label if self.group else view.label(self.sources[0])

    def home(self, view: View) -> str:
        """Its domain."""
        return self.group.domain if self.group else view.domain(self.sources[0])

    def of_kind(self, view: View, kind: str) -> list[int]:
        """Dense indices of the found nodes of one kind, the sources included when they are of it."""
        own = [i for i in self.sources if view.kind(i) == kind and i not in self.found]
        return [*own, *(i for i in self.found if view.kind(i) == kind)]


def reach(
    view: View,
    source: int | Group,
    direction: Direction,
    depth: int | None,
    filters: Filters | None = None,
    *,
    bridge: bool = False,
) -> Reach:
    """Everything up or down from a node, jobs included.

    Parameters
    ----------
    view
        the instant to walk in.
    source
        dense index of the asked node. A column is walked on the column level: columns, and datasets where a column
        affects all rows. Anything else on the dataset level: datasets, and the jobs that read (downstream) or wrote
        (upstream) them. A group is walked from all its datasets at once.
    depth
        greatest number of hops; ``None`` for no limit.
    filters
        their certainty is respected by the walk; kinds of another level are added (see :mod:`lineage.levels`).
    bridge
        leave temporary datasets out and count the way through them as one hop (see :mod:`lineage.temporary`).
    """
    filters = filters or Filters()
    group = None if isinstance(source, int) else source
    sources = (source,) if isinstance(source, int) else source.nodes
    if not sources:
        return Reach((), direction, {}, frozenset(), 0, 0, group=group)
    if bridge and isinstance(source, int):
        whole = reach(view, source, direction, None, filters)
        kept, cut = contract(view, source, direction, depth, whole.found, LEVELS.index(filters.worst))
        return replace(whole, found=kept, behind=cut)
    column = view.kind(sources[0]) == "column" or set(filters.kinds) - set(GROUPS) == {"column"}
    walk = view.snapshot.walk(
        sources, direction, depth=depth, min_certainty=filters.worst, level="column" if column else "dataset"
    )
    found = _found(walk)
    behind = {int(i) for i in walk.cut}
    edges, certain = _edges(view, sources, walk, found)
    if not column:
        behind |= _add_jobs(view, sources, direction, depth, found, LEVELS.index(filters.worst))
        if filters.asks_for("column"):
            columns = view.snapshot.walk(sources, direction, depth=depth, min_certainty=filters.worst, level="column")
            found.update((i, one) for i, one in _found(columns).items() if view.kind(i) == "column")
            behind |= {int(i) for i in columns.cut if view.kind(int(i)) == "column"}
    elif filters.asks_for("dataset") or filters.asks_for("job"):
        found.update(roll_up(view, sources, direction, depth, found, filters))
    level: Literal["dataset", "column"] = "column" if column else "dataset"
    return Reach(sources, direction, found, frozenset(behind), edges, certain, level, group)


def _found(walk: Walk) -> dict[int, Found]:
    figures = (walk.nodes.tolist(), walk.hops.tolist(), walk.certainty.tolist(), walk.paths(), walk.indirect.tolist())
    return {i: Found(i, *rest) for i, *rest in zip(*figures, strict=True)}


@dataclass(frozen=True, slots=True)
class Asked:
    """How an answer is wanted: how far the walk goes, its filters, whether its links and facts are wanted."""

    depth: int | None = None
    filters: Filters = field(default_factory=Filters)
    links: bool = False
    bridge: bool = False
    facts: bool = True


def answer(view: View, reached: Reach, blind_here: Sequence[str], other_spots: Iterable[str], asked: Asked) -> Answer:
    """The answer in the words of an actor.

    Parameters
    ----------
    reached
        what was found.
    blind_here
        reasons why nothing can be concluded from an empty result; empty when "nothing" means nothing.
    other_spots
        blind spots further away.
    asked
        how it is wanted.
    """
    from lineage import __version__

    sources, filters = reached.sources, asked.filters
    check_domains(filters, [name for name in view.instant.domains.domains if view.actor.may_see(name)])
    everything = reached.found
    if filters.certainty:
        plain = Filters(kinds=filters.kinds)
        everything = reach(view, reached.origin, reached.direction, asked.depth, plain, bridge=asked.bridge).found
    nodes, kept = _listed(view, reached, asked)
    lifted = [row for kind in GROUPS if filters.asks_for(kind) for row in _lifted(view, reached, kind, asked)]
    nodes += sorted(lifted, key=lambda row: row.hops)  # products, domains and applications among each other
    own = [*sources, *(c for i in sources for c in view.snapshot.columns_of(i).tolist())] if asked.links else []
    ends = [*own, *kept] if asked.links else []
    links = links_among(view, set(ends)) if asked.links else None
    if links is not None and reached.group:  # those within the group are no part of what lies behind it
        inside = set(map(view.label, own))
        links = tuple(link for link in links if not {link.src, link.dst} <= inside)
    if links is not None and asked.bridge:
        links = (*links, *_bridges(view, reached, kept))
    partial = _more_behind(view, reached, asked)
    lost = view.instant.horizon_notes
    counts = view.per_domain(reached.behind)
    circles = circle_notes(view, sources, reached.direction)
    gone = dropped_notes(view, sources) if reached.direction == "downstream" and not reached.found else ()
    no_products = (_NO_PRODUCTS,) if filters.asks_for("product") and not groups_of(view.instant, "product") else ()
    return Answer(
        node=reached.label(view),
        direction=reached.direction,
        as_of=view.as_of,
        known_at=view.known_at,
        partial=partial or bool(lost),
        nodes=tuple(nodes),
        domain=reached.home(view),
        aliases=() if reached.group else view.aliases(sources[0]),
        sources=tuple(sorted(set(map(view.label, sources)))) if reached.group else (),
        # what was cut off is there: an answer that stops before it cannot say that there is nothing
        verdict="found" if everything or partial else "blind" if blind_here or lost else "none",
        blind_spots=tuple(dict.fromkeys([*blind_here, *other_spots])),
        frontier=Frontier(sum(counts.values()), counts) if partial else None,
        coverage=_coverage(view, reached),
        generated_by=f"meshline {__version__}",
        fingerprint=view.instant.fingerprint,
        filters={name: list(getattr(filters, name)) for name in ("kinds", "domains", "certainty")},
        unfiltered=view.count(everything),
        totals=totals(nodes),
        notes=(*lost, *no_products, *cut(circles), *gone),
        itself=jobs_of_circles(view, sources) if circles else (),
        links=links,
        keys=keys_of(view, ends) if asked.links else None,
    )


def totals(nodes: Sequence[Reached]) -> Totals:
    """Counts of the listed nodes, domains by size, hops in order."""
    domains = Counter(node.domain for node in nodes)
    return Totals(
        nodes=len(nodes),
        by_domain=dict(sorted(domains.items(), key=lambda item: (-item[1], item[0]))),
        by_hop=dict(sorted(Counter(node.hops for node in nodes).items())),
        by_kind=dict(sorted(Counter(node.kind for node in nodes).items())),
        by_certainty={level: n for level in LEVELS if (n := sum(node.certainty == level for node in nodes))},
    )


def _listed(view: View, reached: Reach, asked: Asked) -> tuple[list[Reached], list[int]]:
    """Labelled nodes that the filters leave, in order, and their dense indices."""
    filters, told = asked.filters, asked.facts and annotators.ANNOTATORS
    home = reached.home(view)
    kept = [
        one
        for one in reached.found.values()
        if filters.admits(
            view.kind(one.index), view.domain(one.index) if filters.domains else "", LEVELS[one.certainty]
        )
    ]
    view.prepare([*reached.sources, *{step for one in kept for step in (one.index, *one.path)}])
    rows = _rows(view, kept)
    facts = annotators.annotate(view, [one.index for one in rows]) if told else [None] * len(rows)
    uses = Uses(view.snapshot)
    nodes = sorted(
        (_labelled(view, one, home, fact, uses, reached.direction) for one, fact in zip(rows, facts, strict=True)),
        key=lambda node: (node.hops, node.id.startswith("hidden ("), node.kind, node.id),
    )
    return nodes, [one.index for one in kept]


def _rows(view: View, kept: list[Found]) -> list[Found]:
    """What becomes a row each: visible nodes, and once for a kind what a domain hides, as near as the nearest of it."""
    if not view.restricted:
        return kept
    rows: dict[int | tuple[str, str], Found] = {}
    for one in kept:
        row = view.row_of(one.index)
        rows[row] = better(rows[row], one) if row in rows else one
    return list(rows.values())


def _more_behind(view: View, reached: Reach, asked: Asked) -> bool:
    """Whether a walk without limit lists more. Hidden nodes behind hidden ones of their domain make no more rows."""
    if not reached.behind or not view.restricted or not all(view.hidden(i) for i in reached.behind):
        return bool(reached.behind)
    rows = {view.row_of(i) for i in reached.found}
    whole = reach(view, reached.origin, reached.direction, None, asked.filters, bridge=asked.bridge)
    return any(view.row_of(i) not in rows for i in whole.found)


def _bridges(view: View, reached: Reach, kept: Sequence[int]) -> list[Link]:
    """Steps through temporary datasets, in the direction of the flow."""
    sign = 1 if reached.direction == "downstream" else -1
    whole = reach(view, reached.origin, reached.direction, None).found
    ways = ((whole[i].path[::sign], whole[i].certainty) for i in kept if reached.found[i].bridge and i in whole)
    inside = {view.label(i) for i in (*reached.sources, *kept)}
    return [link for link in bridges(view, ways) if link.src in inside and link.dst in inside]


def _lifted(view: View, reached: Reach, kind: str, asked: Asked) -> list[Reached]:
    """One row per product, domain or application that the answer touches, with the way to its nearest node."""
    home = reached.home(view)
    facts = (dict.fromkeys(annotators.names()) or None) if asked.facts else None
    rows, uses = [], Uses(view.snapshot)
    for name, one in lift(view, reached.sources, reached.found, kind).items():
        row = _labelled(view, one, home, facts, uses, reached.direction)
        label = row.domain if kind == "domain" else name
        hidden = kind == "domain" and not view.actor.may_see(name)
        node = f"hidden (domain {name})" if hidden else f"{kind}:{label}"
        rows.append(replace(row, id=node, kind=kind, owner=None, aliases=()))
    admitted = [row for row in rows if asked.filters.admits(row.kind, row.domain, row.certainty)]
    return sorted(admitted, key=lambda row: (row.hops, row.id))


def named(view: View, nodes: Sequence[int], what: str) -> list[str]:
    """One blind spot per node, and one line for those beyond the first twenty."""
    labels = sorted({view.label(i) for i in nodes})
    spots = [f"{label}: {what}" for label in labels[:_NAMED]]
    if len(labels) > _NAMED:
        spots.append(f"{len(labels) - _NAMED} more: {what}")
    return spots


def cut(spots: Iterable[str]) -> list[str]:
    """Blind spots of the several nodes of a group: the first twenty, and how many more there are."""
    found = sorted(set(spots))
    more = len(found) - _NAMED
    return found if more <= 0 else [*found[:_NAMED], f"and {more} more"]


def without_writer(view: View, datasets: Iterable[int]) -> list[int]:
    """Datasets that nothing writes at the instant: no job, and no edge that was told without a job."""
    written = view.instant.written
    return [i for i in datasets if i not in written and not view.snapshot.neighbours(i, "upstream")]


def open_runs(view: View, jobs: Iterable[int]) -> int:
    """Number of runs of visible jobs that have not ended."""
    counts = view.instant.open_runs
    return sum(counts.get(job, 0) for job in jobs if not view.hidden(job)) if counts else 0


def _add_jobs(
    view: View, sources: Sequence[int], direction: Direction, depth: int | None, found: dict[int, Found], worst: int
) -> set[int]:
    """Add the jobs beside the datasets of an answer; the result is the jobs that the limit cut.

    Downstream, a job that reads a dataset at hop h has hop h + 1, as its outputs have. Upstream, a job that wrote a
    dataset at hop h has hop h, as the dataset has. A job that reads a dataset only to write the same one moves nothing
    on (semantics 16). Downstream, a job that only filters or joins by what it reads uses it indirectly; what it writes
    is as direct as the dataset is.
    """
    snapshot = view.snapshot
    down = direction == "downstream"
    datasets = [one for one in found.values() if snapshot.kind[one.index] == 0]
    datasets += [Found(i, 0, 0, (i,)) for i in sources if snapshot.kind[i] == 0]
    own = set(sources)
    cut: set[int] = set()
    best: dict[int, Found] = {}
    loops = {one.index for one in datasets if down and snapshot.self_loop(one.index)}
    arrows = snapshot.arrows([one.index for one in datasets], "read" if down else "write")
    direct = [one.index for one in datasets if not one.indirect] if down else []
    filtering = indirect_readers(snapshot, direct, worst)
    for at, job, certainty in zip(*(column.tolist() for column in arrows), strict=True):
        one = datasets[at]
        hops = one.hops + (1 if down else 0)
        if job in own or certainty > worst or (one.index in loops and _only_back(view, one.index, job)):
            continue
        if depth is not None and hops > depth:
            cut.add(job)
            continue
        indirect = one.indirect or (bool(filtering) and job in filtering.get(one.index, ()))
        mine = Found(job, hops, max(one.certainty, certainty), (*one.path, job), indirect)
        known = best.get(job) or found.get(job)  # what a job hands on may be a guess, and that it reads none
        best[job] = better(known, mine) if known else mine
    found.update(best)
    return cut - set(found)


def _only_back(view: View, dataset: int, job: int) -> bool:
    """Whether a job reads a dataset only to write it again."""
    return [int(i) for i in view.snapshot.outputs(job)] == [dataset]


def _labelled(
    view: View, one: Found, home: str, facts: dict[str, Any] | None, uses: Uses, direction: Direction
) -> Reached:
    domain = view.domain(one.index)
    return Reached(
        id=view.label(one.index),
        kind=view.kind(one.index),
        hops=one.hops,
        certainty=LEVELS[one.certainty],
        path=view.steps(one.path),
        domain=domain,
        owner=view.owner(one.index),
        aliases=view.aliases(one.index),
        use="indirect" if one.indirect else "direct",
        crosses_domain=domain != home,
        subtypes=subtypes_of(uses, one.path, direction) if one.indirect else (),
        bridge=view.steps(one.bridge),
        facts=facts,
    )


def _edges(view: View, sources: Sequence[int], walk: Walk, found: dict[int, Found]) -> tuple[int, int]:
    """Number of edges of an answer and of certain ones; those at hidden nodes are not counted."""
    inside = {*sources, *found}
    if not view.restricted or not any(view.hidden(i) for i in inside):
        return walk.edges, walk.certain_edges
    edges = certain = 0
    for i in inside:
        if view.hidden(i) or view.kind(i) == "job":
            continue
        for edge in view.snapshot.neighbours(i, "downstream"):
            if edge.dst in inside and not view.hidden(edge.dst):
                edges += 1
                certain += edge.certainty == "certain"
    return edges, certain


def _coverage(view: View, reached: Reach) -> Coverage:
    jobs = _jobs(view, reached)
    unparsed = view.instant.unparsed_sql
    bare: list[int] = []
    if reached.direction == "upstream":
        bare = [i for i in without_writer(view, _datasets(view, reached)) if not view.hidden(i)]
    return Coverage(
        edges=reached.edges,
        certain_edges=reached.certain_edges,
        datasets_without_writer=_labels(view, bare),
        runs_without_end=open_runs(view, jobs),
        unparsed_sql=sum(job in unparsed and not view.hidden(job) for job in jobs) if unparsed else 0,
        datasets_whose_writer_left=_labels(view, ended_at(view, bare, "dst", "lineage", "write")),
    )


def _labels(view: View, nodes: Iterable[int]) -> tuple[str, ...]:
    return tuple(sorted({view.label(i) for i in nodes}))


def _datasets(view: View, reached: Reach) -> list[int]:
    """Datasets of an answer; of a column answer those of its columns."""
    if reached.level != "column":
        return reached.of_kind(view, "dataset")
    nodes = (i for i in (*reached.sources, *reached.found) if view.kind(i) != "job")
    return sorted({view.snapshot.dataset_of(i) if view.kind(i) == "column" else i for i in nodes})


def _jobs(view: View, reached: Reach) -> set[int]:
    """Jobs of an answer; of a column answer those that write the datasets of its columns."""
    jobs = set(reached.of_kind(view, "job"))
    if reached.level == "column":
        ends = reached.found if reached.direction == "downstream" else [*reached.sources, *reached.found]
        owners = {view.snapshot.dataset_of(i) for i in ends if view.kind(i) == "column"}
        for dataset in owners:
            jobs.update(int(job) for job in view.snapshot.writers(dataset))
    return jobs
