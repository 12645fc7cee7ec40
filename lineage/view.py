"""What answers look through: an instant of the mesh (:mod:`lineage.instant`) as one actor may see it (:class:`View`).

All masking happens here (semantics 19). A node of a hidden domain stays where it is, as ``hidden (domain X)``, but
nothing about it is said: no name, no owner, no counts, no aliases. Functions that answer take labels from a view and
never from the snapshot.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.actor import Actor
from lineage.answers import UNASSIGNED, NodeRef
from lineage.errors import MeshlineError
from lineage.graph.arrays import COLUMN, I64, U32
from lineage.graph.sorting import unique
from lineage.instant import Instant
from lineage.presence import of_kind

if TYPE_CHECKING:
    from lineage.answers import Direction
    from lineage.graph import Walk
    from lineage.graph.folded import Folds

__all__ = ["HiddenNodeError", "Instant", "View"]


class HiddenNodeError(MeshlineError):
    """The asked node belongs to a domain that the actor may not see."""

    exit_code = 2
    status = 403

    def __init__(self, label: str) -> None:
        super().__init__(f"{label}: you may not see nodes of this domain. Ask its owner for access.")


def prepare_domains(instant: Instant, nodes: Sequence[int]) -> None:
    """Find the domains of many datasets and jobs (dense indices) at once; one by one it takes four times as long."""
    known, domains, facets = instant._domain, instant.domains, instant.facets_of
    left = [i for i in nodes if i not in known]
    if not left:
        return
    namespaces, names = instant.snapshot.names(left)
    kinds = instant.snapshot.kind[left].tolist()
    for i, kind, namespace, name in zip(left, kinds, namespaces, names, strict=True):
        keys = instant.keys(i) if i in instant.grouped else ((namespace, name),)
        known[i] = domains.of("job" if kind else "dataset", keys, facets.get(i, ()))


class View:
    """One instant as one actor may see it.

    Parameters
    ----------
    instant
        what is asked about.
    now
        the instant that decides about access. A question about a time before a domain was declared must not show what
        is hidden today, so a node is hidden when its domain then *or* now is.
    actor
        who asks.
    as_of, known_at
        the times to print.
    """

    def __init__(self, instant: Instant, now: Instant, actor: Actor, as_of: datetime, known_at: datetime) -> None:
        self.instant = instant
        self.snapshot = instant.snapshot
        self.store = instant.store
        self.actor = actor
        self.as_of = as_of
        self.known_at = known_at
        self._now = now
        self.restricted = bool(actor.hidden_domains)
        """Whether there is anything this actor may not see."""
        self._hidden: dict[int, str | None] = {}
        self._labels: dict[int, str] = {}

    @property
    def past(self) -> bool:
        """Whether it is another instant than now."""
        return self.instant is not self._now

    @property
    def present(self) -> View:
        """Now, as the same actor may see it."""
        now = self._now.snapshot
        return View(self._now, self._now, self.actor, now.as_of, now.known_at)

    def hidden_domain(self, i: int) -> str | None:
        """Name of the hidden domain a node belongs to; ``None`` when the actor may see the node."""
        if not self.restricted:
            return None
        if i not in self._hidden:
            self._hidden[i] = self._decide(i)
        return self._hidden[i]

    def hidden(self, i: int) -> bool:
        """Whether nothing may be said about a node."""
        return self.restricted and self.hidden_domain(i) is not None  # asked of every node of a large mesh

    def _decide(self, i: int) -> str | None:
        if self.snapshot.kind[i] == 2:
            return self.hidden_domain(self.snapshot.dataset_of(i))
        domain = self.instant.domain(i)
        if not self.actor.may_see(domain):
            return domain
        if self._now is self.instant:
            return None
        facets = [self._now.facets[m] for m in self.snapshot.members(i) if m in self._now.facets]
        today = self._now.domains.of(self.instant.kind(i), self.instant.keys(i), facets)
        return None if self.actor.may_see(today) else today

    def walk(self, sources: Sequence[int], direction: Direction, **options: Any) -> Walk:
        """A walk whose hops do not tell how many hidden nodes follow each other: those of one domain are one step.

        ``options`` as of :meth:`lineage.graph.snapshot.Snapshot.walk`.
        """
        return self.snapshot.walk(sources, direction, folds=self._folds, **options)

    @cached_property
    def _folds(self) -> Folds | None:
        """What the actor may not see, one fold for each domain; ``None`` when there is nothing."""
        if not self.restricted:
            return None
        if not self.past:
            return self.instant.remember(f"folds {sorted(map(str, self.actor.hidden_domains))}", self._fold)
        return self._fold()

    def _fold(self) -> Folds:
        snapshot = self.snapshot
        homes = snapshot._nodes.datasets_of(np.arange(snapshot.n, dtype=np.uint32))
        numbers: dict[str | None, int] = {None: 0}
        found = np.zeros(snapshot.n, dtype=np.uint32)
        distinct = unique(homes)
        prepare_domains(self.instant, distinct.tolist())
        found[distinct] = [numbers.setdefault(self.hidden_domain(i), len(numbers)) for i in distinct.tolist()]
        return snapshot.fold(found[homes])

    def as_one(self, i: int, j: int) -> bool:
        """Whether two nodes are hidden by one domain, so that a step between them is none."""
        domain = self.hidden_domain(i)
        return domain is not None and domain == self.hidden_domain(j)

    def visible(self, nodes: U32) -> U32:
        """Those of some nodes that the actor may see."""
        return nodes if self._folds is None else nodes[self._folds.nodes[nodes] == 0]

    def require(self, i: int) -> None:
        """Refuse a question about a hidden node.

        Raises
        ------
        HiddenNodeError
            when the actor may not see it.
        """
        if self.hidden(i):
            raise HiddenNodeError(self.label(i))

    def nodes(self, *kinds: int) -> I64:
        """Nodes of some kinds that were there at the instant (:mod:`lineage.presence`) and that the actor may see.

        Whatever counts or lists nodes begins with these, so that all of it agrees. A column that stands in another
        schema of its dataset alone is history and not among them.

        Parameters
        ----------
        kinds
            ``DATASET``, ``JOB``, ``COLUMN`` of :mod:`lineage.graph.arrays`.

        Returns
        -------
        array
            dense indices, rising.
        """
        from lineage.columns import absent_columns

        found = of_kind(self.instant, *kinds)
        if COLUMN in kinds and (history := absent_columns(self)):
            found = found[~np.isin(found, list(history))]
        if self.restricted:
            found = found[[not self.hidden(i) for i in found.tolist()]] if len(found) else found
        return found

    def label(self, i: int) -> str:
        """Node text, or ``hidden (domain X)``."""
        found = self._labels.get(i)
        if found is None:
            domain = self.hidden_domain(i)
            found = self.snapshot.text(i) if domain is None else f"hidden (domain {domain})"
            self._labels[i] = found
        return found

    def row_of(self, i: int) -> int | tuple[str, str]:
        """What tells the rows of an answer apart: the node, or of hidden ones domain and kind.

        All of a hidden domain is one row of a kind, however many nodes that are.
        """
        domain = self.hidden_domain(i)
        return i if domain is None else (domain, self.kind(i))

    def count(self, nodes: Collection[int]) -> int:
        """Number of rows that some nodes make."""
        return len({self.row_of(i) for i in nodes}) if self.restricted else len(nodes)

    def steps(self, nodes: Iterable[int]) -> tuple[str, ...]:
        """Labels of a path. Hidden nodes of one domain that follow each other are one step of it."""
        if not self.restricted:
            return tuple(map(self.label, nodes))
        found: list[str] = []
        for i in nodes:
            label = self.label(i)
            if not (self.hidden(i) and found and found[-1] == label):
                found.append(label)
        return tuple(found)

    def several(self, nodes: Iterable[int], noun: str) -> tuple[str, bool]:
        """Some nodes in words, the hidden ones by their domains and not counted; and whether a verb is singular."""
        distinct = set(nodes)
        masks = sorted({self.label(i) for i in distinct if self.hidden(i)})
        seen = sum(not self.hidden(i) for i in distinct)
        words = [f"{seen} {noun}{'s' * (seen != 1)}"] if seen or not masks else []
        return " and ".join([*words, *masks]), seen + len(masks) == 1

    def prepare(self, nodes: Sequence[int]) -> None:
        """Look up the texts and domains of many nodes at once, before each is asked for its own."""
        if not len(nodes):
            return
        homes = self.snapshot._nodes.datasets_of(np.asarray(nodes, dtype=np.uint32))
        prepare_domains(self.instant, unique(homes).tolist())
        known = self.instant._domain
        known.update(zip(nodes, (known[home] for home in homes.tolist()), strict=True))
        if not self.restricted:
            self._labels.update(zip(nodes, self.instant.texts(nodes), strict=True))

    def many(self, nodes: Sequence[int]) -> tuple[list[str], list[str], list[str | None]]:
        """Label, domain and owner of each of many nodes; one by one it takes four times as long."""
        if not len(nodes):
            return [], [], []
        homes = self.snapshot._nodes.datasets_of(np.asarray(nodes, dtype=np.uint32)).tolist()
        prepare_domains(self.instant, list(dict.fromkeys(homes)))
        if self.restricted:
            return ([self.label(i) for i in nodes], [self.domain(i) for i in nodes], [self.owner(i) for i in nodes])
        domain = self.instant._domain
        return self.snapshot.texts(nodes), [domain[home] for home in homes], self.instant.owners(homes)

    def domain(self, i: int) -> str:
        """Domain of a node; of a hidden one the domain that hides it."""
        return self.hidden_domain(i) or self.instant.domain(i)

    def owner(self, i: int) -> str | None:
        """Owner of a node, ``None`` when unknown or hidden."""
        return None if self.hidden(i) else self.instant.owner(i)

    def kind(self, i: int) -> str:
        """``dataset``, ``job`` or ``column``."""
        return self.instant.kind(i)

    def aliases(self, i: int) -> tuple[str, ...]:
        """Texts of the other members of a node's group, but for those of hidden domains."""
        column = self.snapshot.kind[i] == 2
        node = self.snapshot.dataset_of(i) if column else i
        if node not in self.instant.grouped or self.hidden(i):
            return ()
        found = []
        for member in self.snapshot.members(node)[1:]:
            kind, namespace, name = self.instant.names[member]
            domain = self.instant.domains.by_pattern(kind, namespace, name)
            if self.actor.may_see(domain):
                text = f"{namespace}:{name}"
                found.append(f"column:{text}:{self.snapshot.field(i)}" if column else f"{kind}:{text}")
        return tuple(sorted(found))

    def ref(self, i: int) -> NodeRef:
        """A node as answers name it."""
        label = self.label(i)
        if self.hidden(i):
            return NodeRef(label, self.kind(i), "", label, "", self.domain(i))
        return NodeRef(
            id=label,
            kind=self.kind(i),
            namespace=self.snapshot.namespace(i),
            name=self.snapshot.name(i),
            field=self.snapshot.field(i) if self.snapshot.kind[i] == 2 else "",
            domain=self.domain(i),
            owner=self.owner(i),
            aliases=self.aliases(i),
        )

    def per_domain(self, nodes: Iterable[int]) -> dict[str, int]:
        """Number of nodes in each domain, hidden domains left out."""
        counts: dict[str, int] = {}
        for i in nodes:
            if not self.hidden(i):
                domain = self.instant.domain(i)
                counts[domain] = counts.get(domain, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (item[0] == UNASSIGNED, item[0])))
