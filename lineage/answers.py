"""The answers Meshline gives, as frozen dataclasses. Python API, CLI, REST and pages all show these.

Every answer says how complete it is (semantics 17): ``partial`` with the frontier when something was cut, ``coverage``
when parts of it rest on guesses. JSON comes from :func:`to_json`; its keys are only ever added to, never renamed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal

from lineage.hand.marks import Mark
from lineage.jsonable import to_json as to_json
from lineage.shown import Shown
from lineage.svg import Arrow, Box

Direction = Literal["downstream", "upstream"]
Certainty = Literal["certain", "probable", "stale"]
UNASSIGNED = "unassigned"


@dataclass(frozen=True, slots=True)
class NodeRef:
    """A node as answers name it. ``id`` is the node text of the preferred member of its alias group."""

    id: str
    kind: str
    namespace: str
    name: str
    field: str = ""
    domain: str = UNASSIGNED
    owner: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reached:
    """One node of an impact or provenance answer.

    ``hops`` is the smallest number of dataset-to-dataset steps; ``path`` the node texts of a shortest path among those
    of the best certainty, from the asked node to this one.
    """

    id: str
    kind: str
    hops: int
    certainty: Certainty
    path: tuple[str, ...]
    domain: str = UNASSIGNED
    owner: str | None = None
    aliases: tuple[str, ...] = ()
    use: Literal["direct", "indirect"] = "direct"
    crosses_domain: bool = False  # its domain is not that of the asked node
    subtypes: tuple[str, ...] = ()  # of indirect use: FILTER, JOIN, … of the indirect steps on its path
    bridge: tuple[str, ...] = ()  # temporary datasets that its path leads through and does not show
    facts: dict[str, Any] | None = None  # what other fields say of it (contract, quality, cost, …); None: none do


@dataclass(frozen=True, slots=True)
class Frontier:
    """Where an answer was cut: how many more nodes are right behind, per domain."""

    nodes: int
    domains: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """In words.

        >>> print(Frontier(3, {"sales": 2, "hr": 1}))
        at least 3 more nodes behind (sales 2, hr 1)
        """
        if not self.nodes:
            return "more nodes behind"
        where = ", ".join(f"{domain} {count}" for domain, count in self.domains.items())
        return f"at least {self.nodes} more node{'' if self.nodes == 1 else 's'} behind ({where})"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of an answer is known and how much is guessed (semantics 17).

    ``datasets_without_writer`` are those that no job writes and no edge leads to at the time asked for;
    ``datasets_whose_writer_left`` are the ones among them that were written before then, as was known at the asked
    known time. Of the rest nobody was ever seen writing them. Hidden datasets are in neither.
    """

    edges: int
    certain_edges: int
    datasets_without_writer: tuple[str, ...] = ()
    runs_without_end: int = 0
    unparsed_sql: int = 0
    datasets_whose_writer_left: tuple[str, ...] = ()

    @property
    def share_certain(self) -> float | None:
        """Share of edges that are certain; ``None`` when there is no edge."""
        return self.certain_edges / self.edges if self.edges else None


@dataclass(frozen=True, slots=True)
class Totals:
    """How many nodes an answer lists, and where they are."""

    nodes: int = 0
    by_domain: dict[str, int] = field(default_factory=dict)
    by_hop: dict[int, int] = field(default_factory=dict)
    by_kind: dict[str, int] = field(default_factory=dict)
    by_certainty: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """One edge between two nodes that an answer lists, the asked node and its columns included.

    ``kind`` is ``lineage`` (dataset to dataset, or explicit flow at a job), ``read``, ``write`` or ``column``.
    """

    src: str
    dst: str
    kind: Literal["lineage", "read", "write", "column"]
    certainty: Certainty
    provenance: str
    jobs: tuple[str, ...] = ()
    type: str | None = None  # of a column edge: DIRECT, INDIRECT or not told
    subtype: str | None = None
    masking: bool = False


@dataclass(frozen=True, slots=True)
class Answer(Shown):
    """Answer of ``impact`` (downstream) and ``provenance`` (upstream).

    ``nodes`` and ``totals`` are what the filters leave; ``verdict``, ``blind_spots``, ``coverage`` and ``frontier``
    tell of the walk, whatever is listed of it. ``unfiltered`` is how many nodes there would be without filters.
    """

    node: str
    direction: Direction
    as_of: datetime
    known_at: datetime
    partial: bool
    nodes: tuple[Reached, ...]
    domain: str = UNASSIGNED
    aliases: tuple[str, ...] = ()
    verdict: Literal["found", "none", "blind"] = "found"  # none: nothing there; blind: nothing seen, but blind here
    blind_spots: tuple[str, ...] = ()
    frontier: Frontier | None = None
    coverage: Coverage | None = None
    generated_by: str = ""
    fingerprint: str = ""
    filters: dict[str, Any] = field(default_factory=dict)
    unfiltered: int = 0
    totals: Totals = field(default_factory=Totals)
    notes: tuple[str, ...] = ()  # what the question asked for and this database cannot have
    links: tuple[Link, ...] | None = None  # edges between the listed nodes; None when they were not asked for
    keys: dict[str, tuple[str, str, str, str]] | None = None  # with links: kind, namespace, name, column of each id
    sources: tuple[str, ...] = ()  # of a product or domain: the datasets that the question is about

    def heads(self) -> tuple[str, ...]:
        """Columns of every flat form of an answer: CSV, Markdown, Arrow."""
        return (
            "hops", "id", "kind", "certainty", "use", "subtypes", "domain", "crosses_domain", "owner", "aliases",
            "path", *(("bridge",) if self._bridged() else ()), "nodes_in_domain", "nodes_at_hop", *self.fact_names(),
        )  # fmt: skip

    def _bridged(self) -> bool:
        return any(node.bridge for node in self.nodes)

    def fact_names(self) -> tuple[str, ...]:
        """Names of the columns that other fields add."""
        return tuple(next((node.facts for node in self.nodes if node.facts is not None), ()))

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per listed node, with the totals of its domain and of its hop, and what other fields say of it."""
        in_domain, at_hop, facts = self.totals.by_domain, self.totals.by_hop, self.fact_names()
        bridged = self._bridged()
        return [
            (
                n.hops, n.id, n.kind, n.certainty, n.use, list(n.subtypes), n.domain, n.crosses_domain, n.owner,
                list(n.aliases), list(n.path), *([list(n.bridge)] if bridged else ()),
                in_domain.get(n.domain, 0), at_hop.get(n.hops, 0), *((n.facts or {}).get(name) for name in facts),
            )
            for n in self.nodes
        ]  # fmt: skip

    def title(self) -> str:
        """What was asked."""
        what = f"{'Impact' if self.direction == 'downstream' else 'Provenance'} of {self.node}"
        group = self.node.startswith(("product:", "domain:"))
        return f"{what} ({len(self.sources):,} dataset{'s' * (len(self.sources) != 1)})" if group else what

    def remarks(self) -> tuple[str, ...]:
        """Verdict, where it was cut, notes and blind spots."""
        cut = f", partial: {self.frontier or 'more nodes behind'}" if self.partial else ""
        return (f"verdict: {self.verdict}{cut}", *self.notes, *self.blind_spots)

    def drawing(self) -> tuple[list[Box], list[Arrow]]:
        """The listed nodes in columns by hops; arrows are the links, or else the steps of the paths."""
        sign = 1 if self.direction == "downstream" else -1
        asked = self.sources or (self.node,)
        boxes = {one: Box(one, one.rpartition(":")[2], -sign, self.domain) for one in asked}
        for n in self.nodes:
            boxes.setdefault(n.id, Box(n.id, n.id.rpartition(":")[2], sign * n.hops, n.domain))
        if self.links is not None:
            return list(boxes.values()), [Arrow(link.src, link.dst, link.certainty) for link in self.links]
        steps = {pair: n.certainty for n in reversed(self.nodes) for pair in pairwise(n.path[::sign])}
        return list(boxes.values()), [Arrow(src, dst, certainty) for (src, dst), certainty in steps.items()]


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One hit of a search."""

    id: str
    kind: str
    namespace: str
    name: str
    domain: str
    score: float  # 1.0 = the text is its whole name


class SearchHits(tuple[SearchHit, ...], Shown):
    """Hits of a search, best first."""

    __slots__ = ()

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("score", "id", "kind", "namespace", "name", "domain")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per hit."""
        return [(hit.score, hit.id, hit.kind, hit.namespace, hit.name, hit.domain) for hit in self]

    def title(self) -> str:
        """How many there are."""
        return f"{len(self)} hits"


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """One column in a picture or a details panel. ``upstream`` and ``downstream`` count its column edges."""

    id: str
    name: str
    type: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    upstream: int = 0
    downstream: int = 0


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One run as shown in lists."""

    run_id: str
    job: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None
    conflict: bool = False
    error: str | None = None
    producer: str | None = None
    no_end_seen: bool = False  # a batch run that has sent neither an end nor anything else for a day


@dataclass(frozen=True, slots=True)
class NodeDetail(Shown):
    """Everything one page says about one node (``meshline show``)."""

    id: str
    kind: str
    namespace: str
    name: str
    field: str
    domain: str
    owner: str | None
    aliases: tuple[str, ...]
    description: str | None
    tags: tuple[str, ...]
    columns: tuple[ColumnInfo, ...]
    upstream: tuple[NodeRef, ...]  # one hop
    downstream: tuple[NodeRef, ...]
    readers: tuple[NodeRef, ...]  # jobs
    writers: tuple[NodeRef, ...]
    runs: tuple[RunInfo, ...]  # newest first
    metrics: dict[str, float]  # last value of each metric
    assertions: tuple[dict[str, Any], ...]  # last result of each test
    facets: dict[str, Any]  # every facet as stored, by key
    first_seen: datetime | None
    last_seen: datetime | None
    as_of: datetime
    known_at: datetime
    parents: tuple[NodeRef, ...] = ()  # containment: parent jobs
    children: tuple[NodeRef, ...] = ()
    hidden: bool = False
    edge_marks: tuple[Mark, ...] = ()  # edges added by hand, and observed ones that were called wrong
    self_loop: bool = False  # an edge leads from it to itself

    def heads(self) -> tuple[str, ...]:
        """Columns of the table of columns."""
        return ("column", "type", "description", "tags", "upstream", "downstream")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per column of the dataset."""
        return [(c.name, c.type, c.description, list(c.tags), c.upstream, c.downstream) for c in self.columns]

    def title(self) -> str:
        """Its id."""
        return self.id

    def remarks(self) -> tuple[str, ...]:
        """Domain, owner, description, other names."""
        facts = {"domain": self.domain, "owner": self.owner, "description": self.description}
        also = f"also called {', '.join(self.aliases)}" if self.aliases else ""
        return tuple(filter(None, [*(f"{name}: {text}" for name, text in facts.items() if text), also]))

    def drawing(self) -> tuple[list[Box], list[Arrow]]:
        """The node between its direct neighbours."""
        sides = ((-1, self.upstream), (0, [self]), (1, self.downstream))
        boxes = [Box(ref.id, ref.name, level, ref.domain) for level, refs in sides for ref in refs]
        arrows = [Arrow(ref.id, self.id) for ref in self.upstream] + [Arrow(self.id, ref.id) for ref in self.downstream]
        return boxes, arrows


@dataclass(frozen=True, slots=True)
class PictureNode:
    """One card of the lineage picture.

    ``cut_upstream``/``cut_downstream`` count direct neighbours that are not in the picture.
    """

    id: str
    kind: Literal["dataset", "job"]
    namespace: str
    name: str
    domain: str
    owner: str | None
    hops: int  # distance from the focus
    side: Literal["focus", "upstream", "downstream", "both"]
    columns: tuple[ColumnInfo, ...] = ()
    column_count: int = 0
    cut_upstream: int = 0
    cut_downstream: int = 0
    status: str | None = None  # state of the last run that wrote it: COMPLETE, FAIL, …
    last_run_at: datetime | None = None
    tags: tuple[str, ...] = ()
    self_loop: bool = False
    hidden: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PictureEdge:
    """One arrow of the picture: ``src`` and ``dst`` are ids of :class:`PictureNode`."""

    src: str
    dst: str
    provenance: str
    certainty: Certainty
    jobs: tuple[str, ...] = ()
    crosses_domain: bool = False
    valid_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class PictureColumnEdge:
    """One column arrow. ``dst_column`` is empty when the source column affects every row (join, filter)."""

    src: str
    src_column: str
    dst: str
    dst_column: str
    type: str | None
    subtype: str | None
    masking: bool
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Picture(Shown):
    """Neighbourhood of a node, ready to be laid out and drawn."""

    focus: str
    nodes: tuple[PictureNode, ...]
    edges: tuple[PictureEdge, ...]
    column_edges: tuple[PictureColumnEdge, ...]
    as_of: datetime
    known_at: datetime
    partial: bool
    frontier: Frontier | None = None

    def heads(self) -> tuple[str, ...]:
        """Columns of the table of cards."""
        return ("id", "kind", "side", "hops", "domain", "owner", "status")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per card."""
        return [(n.id, n.kind, n.side, n.hops, n.domain, n.owner, n.status) for n in self.nodes]

    def title(self) -> str:
        """What stands in the middle."""
        return f"Around {self.focus}"

    def drawing(self) -> tuple[list[Box], list[Arrow]]:
        """Cards in columns: upstream to the left, downstream to the right."""
        near = sorted(self.nodes, key=lambda n: n.hops)
        boxes = [Box(n.id, n.name, -n.hops if n.side == "upstream" else n.hops, n.domain) for n in near]
        return boxes, [Arrow(edge.src, edge.dst, edge.certainty) for edge in self.edges]
