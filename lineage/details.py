"""What is said of single nodes: hits of a search, columns, runs, and all that a page tells of one node."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lineage.answers import NodeRef
from lineage.hand.marks import Mark
from lineage.shown import Shown
from lineage.svg import Arrow, Box


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
