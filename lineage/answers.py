"""The answers Meshline gives, as frozen dataclasses. Python API, CLI, REST and pages all show these.

Every answer says how complete it is (semantics 17): ``partial`` with the frontier when something was cut, ``coverage``
when parts of it rest on guesses. JSON comes from :func:`to_json`; its keys are only ever added to, never renamed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from lineage.jsonable import to_json as to_json
from lineage.shown import Shown

if TYPE_CHECKING:
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
    of the best certainty, from the asked node to this one, whatever use its steps make. ``use`` tells of all ways: it
    is ``direct`` when one of them carries values, which need not be the one that is shown.
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
    """Where an answer was cut: how many more nodes lie behind, per domain.

    Of impact and provenance it is what they would list beside their rows if they had no limits, under the same filters.
    ``exact`` is false where more may lie behind than is known or was looked at. Hidden nodes are not counted;
    ``hidden`` names the domains of which a row would be added.
    """

    nodes: int
    domains: dict[str, int] = field(default_factory=dict)
    exact: bool = True
    hidden: tuple[str, ...] = ()

    def __str__(self) -> str:
        """In words.

        >>> print(Frontier(3, {"sales": 2, "hr": 1}))
        3 more nodes behind (sales 2, hr 1)
        >>> print(Frontier(1, {"sales": 1}, exact=False, hidden=("hidden (domain hr)",)))
        at least 1 more node behind (sales 1) and hidden (domain hr)
        """
        masks = " and ".join(self.hidden)
        if not self.nodes:
            return f"more nodes behind: {masks}" if masks else "more nodes behind"
        where = ", ".join(f"{domain} {count}" for domain, count in self.domains.items())
        about = "" if self.exact else "at least "
        more = f"{about}{self.nodes} more node{'' if self.nodes == 1 else 's'} behind ({where})"
        return f"{more} and {masks}" if masks else more


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
    """How many nodes an answer lists, and where they are. ``partial``: they are counts of what is shown, and more lies
    behind.
    """

    nodes: int = 0
    by_domain: dict[str, int] = field(default_factory=dict)
    by_hop: dict[int, int] = field(default_factory=dict)
    by_kind: dict[str, int] = field(default_factory=dict)
    by_certainty: dict[str, int] = field(default_factory=dict)
    partial: bool = False


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

    ``nodes`` and ``totals`` are what the filters and limits leave; ``frontier`` is what the limits (``depth``,
    ``hops``, ``max_nodes``) cut off of it. ``verdict``, ``blind_spots`` and ``coverage`` tell of the walk, whatever is
    listed of it. ``unfiltered`` is how many nodes there would be without filters, and without ``hops`` and
    ``max_nodes`` up to where the walk went.
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
    notes: tuple[str, ...] = ()  # what the database cannot have, and what is there but is no row
    links: tuple[Link, ...] | None = None  # edges between the listed nodes; None when they were not asked for
    keys: dict[str, tuple[str, str, str, str]] | None = None  # with links: kind, namespace, name, column of each id
    sources: tuple[str, ...] = ()  # of a product or domain: the datasets that the question is about
    itself: tuple[str, ...] = ()  # jobs that make the asked node from itself, which is no impact; a note tells it
    limits: dict[str, int] = field(default_factory=dict)  # depth, hops and max_nodes, those that were given

    def heads(self) -> tuple[str, ...]:
        """Columns of every flat form of an answer: CSV, Markdown, Arrow."""
        return (
            "hops", "id", "kind", "certainty", "use", "subtypes", "domain", "crosses_domain", "owner", "aliases",
            "path", *(("bridge",) if self._bridged() else ()), "nodes_in_domain", "nodes_at_hop",
            "partial", "nodes_behind", *self.fact_names(),
        )  # fmt: skip

    def all_heads(self) -> tuple[str, ...]:
        """Columns in Arrow: bridges and what other fields add, whether asked for or not."""
        from lineage.annotators import names

        listed = self.heads()
        at = listed.index("path") + 1
        rest = (name for name in (*listed[at:], *names()) if name != "bridge")
        return (*listed[:at], "bridge", *dict.fromkeys(rest))

    def _bridged(self) -> bool:
        return any(node.bridge for node in self.nodes)

    def fact_names(self) -> tuple[str, ...]:
        """Names of the columns that other fields add."""
        return tuple(next((node.facts for node in self.nodes if node.facts is not None), ()))

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per listed node, with the totals of its domain and of its hop, and what other fields say of it.

        Each also says whether the answer was cut, and how many nodes lie behind where that is known.
        """
        told = None if self.partial and not (self.frontier and self.frontier.exact) else 0
        behind = self.frontier.nodes if self.frontier and self.frontier.exact else told
        in_domain, at_hop, facts = self.totals.by_domain, self.totals.by_hop, self.fact_names()
        bridged = self._bridged()
        return [
            (
                n.hops, n.id, n.kind, n.certainty, n.use, list(n.subtypes), n.domain, n.crosses_domain, n.owner,
                list(n.aliases), list(n.path), *([list(n.bridge)] if bridged else ()),
                in_domain.get(n.domain, 0), at_hop.get(n.hops, 0),
                self.partial, behind, *((n.facts or {}).get(name) for name in facts),
            )
            for n in self.nodes
        ]  # fmt: skip

    def title(self) -> str:
        """What was asked."""
        what = f"{'Impact' if self.direction == 'downstream' else 'Provenance'} of {self.node}"
        group = self.node.startswith(("product:", "domain:"))
        return f"{what} ({len(self.sources):,} dataset{'s' * (len(self.sources) != 1)})" if group else what

    def remarks(self) -> tuple[str, ...]:
        """Verdict, limits, where it was cut, notes and blind spots."""
        cut = f", partial: {self.frontier or 'more nodes behind'}" if self.partial else ""
        limits = (f"limits: {', '.join(f'{name} {n}' for name, n in self.limits.items())}",) if self.limits else ()
        shown = (f"the totals are of the {self.totals.nodes} shown",) if self.totals.partial else ()
        return (f"verdict: {self.verdict}{cut}", *limits, *shown, *self.notes, *self.blind_spots)

    def drawing(self) -> tuple[list[Box], list[Arrow]]:
        """The listed nodes in columns by hops; arrows are the links, or else the steps of the paths."""
        from lineage.svg import Arrow, Box

        sign = 1 if self.direction == "downstream" else -1
        asked = self.sources or (self.node,)
        boxes = {one: Box(one, one.rpartition(":")[2], -sign, self.domain) for one in asked}
        for n in self.nodes:
            boxes.setdefault(n.id, Box(n.id, n.id.rpartition(":")[2], sign * n.hops, n.domain))
        if self.links is not None:
            return list(boxes.values()), [Arrow(link.src, link.dst, link.certainty) for link in self.links]
        steps = {pair: n.certainty for n in reversed(self.nodes) for pair in pairwise(n.path[::sign])}
        return list(boxes.values()), [Arrow(src, dst, certainty) for (src, dst), certainty in steps.items()]
