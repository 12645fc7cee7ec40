"""What answers look through: one instant of the mesh (:class:`Instant`) as one actor may see it (:class:`View`).

All masking happens here (semantics 19). A node of a hidden domain stays where it is, as ``hidden (domain X)``, but
nothing about it is said: no name, no owner, no counts, no aliases. Functions that answer take labels from a view and
never from the snapshot.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from lineage.actor import Actor
from lineage.answers import UNASSIGNED, NodeRef
from lineage.domains import DomainMap, load_domains
from lineage.errors import MeshlineError
from lineage.store.horizon import horizon_notes
from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.graph import Snapshot
    from lineage.store import Store

T = TypeVar("T")
KIND_NAMES = ("dataset", "job", "column")
_FACETS = """
-- ownership and tags of every dataset and job at T as known at K, the general place before the others
SELECT f.entity, f.key, f.body FROM facet f
WHERE f.key IN ('ownership', 'tags')
  AND f.valid_from <= $at AND f.valid_to > $at AND f.known_from <= $known AND f.known_to > $known
ORDER BY f.entity, f.key, f.place DESC, f.valid_from, f.body
"""
_BODIES = """
SELECT body, json FROM facet_body WHERE body IN (SELECT body FROM facet WHERE key IN ('ownership', 'tags'))
"""
_OPEN_RUNS = """
-- runs of finite jobs that began before T and have no terminal event, per job
SELECT job, count(*) FROM run
WHERE known_from <= $known AND known_to > $known AND ended_at IS NULL AND first_event <= $at
  AND coalesce(upper(processing), 'BATCH') NOT IN ('STREAMING', 'SERVICE') AND events > 0
GROUP BY job
"""
_UNPARSED = """
-- jobs that told their SQL, and neither columns nor tables were ever taken from it, as known at K
SELECT DISTINCT entity FROM facet
WHERE key = 'sql' AND valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known
  AND entity NOT IN (
    SELECT job FROM column_edge WHERE job IS NOT NULL AND known_from <= $known AND known_to > $known
    UNION ALL
    SELECT job FROM edge WHERE provenance IN ('sql', 'explicit') AND job IS NOT NULL
      AND known_from <= $known AND known_to > $known
  )
UNION
-- and those whose newest run has SQL that could not be read as a whole
SELECT job FROM sql_problem WHERE known_from <= $known AND known_to > $known
"""
_TESTING = """
-- jobs that told test results
SELECT DISTINCT job FROM assertion
WHERE job IS NOT NULL AND tested_at <= $at AND known_from <= $known AND known_to > $known
"""
_NEXT = """
-- next instant at which a declaration begins or ends to hold
SELECT min(t) FROM (
  SELECT valid_from AS t FROM domain UNION ALL SELECT valid_to FROM domain
  UNION ALL SELECT valid_from FROM contract UNION ALL SELECT valid_to FROM contract
  UNION ALL SELECT valid_from FROM product UNION ALL SELECT valid_to FROM product
  UNION ALL SELECT valid_from FROM edge WHERE valid_from > $at UNION ALL SELECT valid_to FROM edge WHERE valid_to > $at
) WHERE t > $at
"""
_NAMES = """
-- names of everything that ever stood in alias evidence
SELECT id, kind, namespace, name FROM node WHERE id IN (
  SELECT a FROM alias UNION SELECT b FROM alias UNION SELECT a FROM alias_mark UNION SELECT b FROM alias_mark
  UNION SELECT node FROM spelling UNION SELECT canonical FROM spelling
)
"""
_WORDS = r"""
-- every word of every name, for the correction of typing errors
SELECT DISTINCT word FROM (
  SELECT unnest(regexp_split_to_array(lower(CASE kind WHEN 'column' THEN field ELSE name END), '[^\p{L}\p{N}]+'))
    AS word
  FROM node
) WHERE length(word) > 2
"""


class HiddenNodeError(MeshlineError):
    """The asked node belongs to a domain that the actor may not see."""

    exit_code = 2
    status = 403

    def __init__(self, label: str) -> None:
        super().__init__(f"{label}: you may not see nodes of this domain. Ask its owner for access.")


class Instant:
    """One snapshot with what is needed to label its nodes; immutable once loaded, shared by all threads.

    Parameters
    ----------
    store
        where facets, domains and runs are looked up, each once and only when an answer needs it.
    snapshot
        the graph at ``snapshot.as_of`` as known at ``snapshot.known_at``.
    version
        state number of the store when the snapshot was loaded.
    fingerprint
        of that state, see :func:`lineage.store.version.state_fingerprint`.
    """

    def __init__(self, store: Store, snapshot: Snapshot, version: int, fingerprint: str) -> None:
        self.store = store
        self.snapshot = snapshot
        self.version = version
        self.fingerprint = fingerprint
        self._domain: dict[int, str] = {}
        self._remembered: dict[str, Any] = {}

    def remember(self, name: str, find: Callable[[], T]) -> T:
        """What ``find`` says, asked once for this instant."""
        if name not in self._remembered:
            self._remembered[name] = find()
        found: T = self._remembered[name]
        return found

    @property
    def _when(self) -> dict[str, datetime]:
        return {"at": self.snapshot.as_of, "known": self.snapshot.known_at}

    @cached_property
    def horizon_notes(self) -> tuple[str, ...]:
        """What an answer at this instant has to say of what retention let go."""
        return horizon_notes(self.store.rows, self.snapshot.as_of, self.snapshot.known_at)

    @cached_property
    def domains(self) -> DomainMap:
        """Domains at this instant."""
        return load_domains(self.store, self.snapshot.as_of, self.snapshot.known_at)

    @cached_property
    def facets(self) -> dict[int, dict[str, Any]]:
        """Ownership and tags facets by node id and key."""
        bodies = {body: _object(text) for body, text in self.store.rows(_BODIES)}
        found: dict[int, dict[str, Any]] = {}
        for entity, key, body in self.store.rows(_FACETS, self._when):
            found.setdefault(entity, {}).setdefault(key, bodies.get(body))
        return found

    @cached_property
    def expires(self) -> datetime:
        """When a declared change that lies ahead (a domain file dated tomorrow) makes this instant outdated."""
        found = self.store.rows(_NEXT, {"at": self.snapshot.as_of})[0][0]
        return found if isinstance(found, datetime) else OPEN_END

    @cached_property
    def open_runs(self) -> dict[int, int]:
        """Number of runs without an end by job."""
        found: dict[int, int] = {}
        for job, count in self.store.rows(_OPEN_RUNS, self._when):
            i = self.snapshot.index(job)
            if i is not None:
                found[i] = found.get(i, 0) + count
        return found

    @cached_property
    def unparsed_sql(self) -> frozenset[int]:
        """Jobs whose SQL nobody read."""
        found = (self.snapshot.index(row[0]) for row in self.store.rows(_UNPARSED, self._when))
        return frozenset(i for i in found if i is not None)

    @cached_property
    def testing(self) -> frozenset[int]:
        """Jobs that told test results: they read and are not expected to write."""
        found = (self.snapshot.index(row[0]) for row in self.store.rows(_TESTING, self._when))
        return frozenset(i for i in found if i is not None)

    @cached_property
    def written(self) -> frozenset[int]:
        """Datasets that some job writes."""
        return frozenset(self._arrows("write")[0])

    @cached_property
    def writing(self) -> frozenset[int]:
        """Jobs that write some dataset."""
        return frozenset(self._arrows("write")[1])

    @cached_property
    def reading(self) -> frozenset[int]:
        """Jobs that read some dataset."""
        return frozenset(self._arrows("read")[1])

    def _arrows(self, kind: Literal["read", "write"]) -> tuple[list[int], list[int]]:
        datasets = (self.snapshot.kind == 0).nonzero()[0]
        at, jobs, _ = self.snapshot.arrows(datasets, kind)
        return datasets[at].tolist(), jobs.tolist()

    @cached_property
    def grouped(self) -> frozenset[int]:
        """Nodes that have aliases."""
        found = {i for i in map(self.snapshot.index, self.names) if i is not None}
        return frozenset(i for i in found if len(self.snapshot.members(i)) > 1)

    @cached_property
    def facets_of(self) -> dict[int, list[dict[str, Any]]]:
        """Ownership and tags facets by node, those of the preferred member first."""
        found: dict[int, list[tuple[int, dict[str, Any]]]] = {}
        for entity, facets in self.facets.items():
            i = self.snapshot.index(entity)
            if i is not None:
                place = self.snapshot.members(i).index(entity) if i in self.grouped else 0
                found.setdefault(i, []).append((place, facets))
        return {i: [facets for _, facets in sorted(own, key=lambda one: one[0])] for i, own in found.items()}

    @cached_property
    def words(self) -> list[str]:
        """Every word that occurs in a name, in lower case."""
        return [row[0] for row in self.store.rows(_WORDS)]

    @cached_property
    def names(self) -> dict[int, tuple[str, str, str]]:
        """Kind, namespace and name of every node that has alias evidence."""
        return {row[0]: (row[1], row[2], row[3]) for row in self.store.rows(_NAMES)}

    @cached_property
    def other_names(self) -> tuple[list[int], list[str]]:
        """Every member of an alias group, as often as its group has other members, and the names of these."""
        found = [
            (member, f"{self.names[other][1]}:{self.names[other][2]}")
            for i in sorted(self.grouped)
            for member in self.snapshot.members(i)
            for other in self.snapshot.members(i)
            if other != member and other in self.names
        ]
        return [member for member, _ in found], [name for _, name in found]

    def keys(self, i: int) -> list[tuple[str, str]]:
        """(namespace, name) of all members of a group, the preferred one first."""
        snapshot = self.snapshot
        first = (snapshot.namespace(i), snapshot.name(i))
        if i not in self.grouped:
            return [first]
        return [first, *(self.names[m][1:] for m in snapshot.members(i)[1:] if m in self.names)]

    def kind(self, i: int) -> str:
        """``dataset``, ``job`` or ``column``."""
        return KIND_NAMES[self.snapshot.kind[i]]

    def domain(self, i: int) -> str:
        """Domain of a node; a column belongs to that of its dataset."""
        found = self._domain.get(i)
        if found is None:
            if self.snapshot.kind[i] == 2:
                found = self.domain(self.snapshot.dataset_of(i))
            else:
                found = self.domains.of(self.kind(i), self.keys(i), self.facets_of.get(i, ()))
            self._domain[i] = found
        return found

    def owner(self, i: int) -> str | None:
        """First owner in the ownership facet of a node; a column has that of its dataset."""
        node = self.snapshot.dataset_of(i) if self.snapshot.kind[i] == 2 else i
        for facets in self.facets_of.get(node, ()):
            owners = (facets.get("ownership") or {}).get("owners")
            for owner in owners if isinstance(owners, list) else []:
                if isinstance(owner, dict) and owner.get("name"):
                    return str(owner["name"])
        return None


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
        self._hidden: dict[int, str | None] = {}
        self._labels: dict[int, str] = {}

    @property
    def restricted(self) -> bool:
        """Whether there is anything this actor may not see."""
        return bool(self.actor.hidden_domains)

    def hidden_domain(self, i: int) -> str | None:
        """Name of the hidden domain a node belongs to; ``None`` when the actor may see the node."""
        if not self.restricted:
            return None
        if i not in self._hidden:
            self._hidden[i] = self._decide(i)
        return self._hidden[i]

    def hidden(self, i: int) -> bool:
        """Whether nothing may be said about a node."""
        return self.hidden_domain(i) is not None

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

    def require(self, i: int) -> None:
        """Refuse a question about a hidden node.

        Raises
        ------
        HiddenNodeError
            when the actor may not see it.
        """
        if self.hidden(i):
            raise HiddenNodeError(self.label(i))

    def label(self, i: int) -> str:
        """Node text, or ``hidden (domain X)``."""
        found = self._labels.get(i)
        if found is None:
            domain = self.hidden_domain(i)
            found = self.snapshot.text(i) if domain is None else f"hidden (domain {domain})"
            self._labels[i] = found
        return found

    def prepare(self, nodes: Sequence[int]) -> None:
        """Look up the texts of many nodes at once, before each is asked for its label."""
        if not self.restricted:
            self._labels.update(zip(nodes, self.snapshot.texts(nodes), strict=True))

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


def _object(text: str | None) -> Mapping[str, Any] | None:
    try:
        value = json.loads(text or "null")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
