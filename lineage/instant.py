"""One instant of the mesh: the graph with what labels its nodes; answers ask it through :class:`lineage.view.View`."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from lineage.domains import DomainMap, load_domains
from lineage.store.dated import next_turn
from lineage.store.horizon import horizon_notes

if TYPE_CHECKING:
    from lineage.graph import Snapshot
    from lineage.graph.ends import NodeEnds
    from lineage.store import Store

T = TypeVar("T")
R = TypeVar("R")
KIND_NAMES = ("dataset", "job", "column")
_KEPT_TEXTS = 100_000
_DECLARED = """
-- one row: what names domains and owners at T as known at K; rows and the sum of their hashes
SELECT * FROM (
  SELECT count(*), sum(CAST(hash(name, title, owner, parent, patterns, valid_from, valid_to,
    valid_from <= $at, valid_to > $at) AS HUGEINT))
  FROM domain WHERE known_from <= $known AND known_to > $known
), (
  SELECT count(*), sum(CAST(hash(entity, key, place, valid_from, body) AS HUGEINT)) FROM facet
  WHERE key IN ('ownership', 'tags')
    AND valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known
), (
  SELECT count(*), sum(CAST(hash(node, owner, valid_from, known_from) AS HUGEINT)) FROM owner_mark
  WHERE valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known
)
"""
_FACETS = """
-- ownership and tags of every dataset and job at T as known at K, the general place before the others
SELECT f.entity, f.key, f.body FROM facet f
WHERE f.key IN ('ownership', 'tags')
  AND f.valid_from <= $at AND f.valid_to > $at AND f.known_from <= $known AND f.known_to > $known
ORDER BY f.entity, f.key, f.place, f.valid_from, f.body
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


class _Label(Generic[R]):
    """A property that is found once for all instants that have the same labels (:class:`_Labels`)."""

    def __init__(self, find: Callable[[Instant], R], scope: Literal["declared", "of_nodes", "of_names"]) -> None:
        self.find, self.scope = find, scope
        self.__doc__ = find.__doc__

    def __set_name__(self, _owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instant: None, _owner: type) -> _Label[R]: ...
    @overload
    def __get__(self, instant: Instant, _owner: type) -> R: ...
    def __get__(self, instant: Instant | None, _owner: type) -> _Label[R] | R:
        if instant is None:
            return self
        known: dict[str, Any] = getattr(instant.labels, self.scope)
        if self.name not in known:
            known[self.name] = self.find(instant)
        found: R = known[self.name]
        return found


def _declared(find: Callable[[Instant], R]) -> _Label[R]:
    """Follows from declarations alone: domains, ownership, tags."""
    return _Label(find, "declared")


def _of_nodes(find: Callable[[Instant], R]) -> _Label[R]:
    """Follows from declarations and the nodes of the snapshot."""
    return _Label(find, "of_nodes")


def _of_names(find: Callable[[Instant], R]) -> _Label[R]:
    """Follows from the nodes of the snapshot alone."""
    return _Label(find, "of_names")


class _Labels:
    """What labels nodes. A batch of runs of known jobs changes none of it, so the next instant has it from the last.

    Parameters
    ----------
    state
        digest of the declarations at the instant.
    nodes
        the nodes of its snapshot: the same object in all snapshots with the same nodes in the same groups.
    last
        labels of the instant before.
    """

    def __init__(self, state: tuple[Any, ...], nodes: object, last: _Labels | None) -> None:
        self.state, self.nodes = state, nodes
        declared = last is not None and last.state == state
        self.declared: dict[str, Any] = last.declared if last and declared else {}
        self.of_nodes: dict[str, Any] = last.of_nodes if last and declared and last.nodes is nodes else {}
        self.of_names: dict[str, Any] = last.of_names if last and last.nodes is nodes else {}


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
    now
        our own clock (naive UTC) when the present was asked for, or another known time of it; ``None`` for an instant
        that was asked for by its time.
    last
        an earlier instant of now, from which labels are taken over as far as nothing has changed them.
    """

    def __init__(
        self,
        store: Store,
        snapshot: Snapshot,
        version: int,
        fingerprint: str,
        last: Instant | None = None,
        *,
        now: datetime | None = None,
    ) -> None:
        self.store = store
        self.snapshot = snapshot
        self.version = version
        self.fingerprint = fingerprint
        # what people promised is judged by it: the present of a snapshot follows the clocks of producers, see policies
        self.clock = snapshot.as_of if now is None else min(snapshot.as_of, now)
        self.dated = now is None
        """Whether it was asked for by a time of its own; another has every node, see :mod:`lineage.presence`."""
        self._before: _Labels | None = (last.__dict__.get("labels") or last._before) if last else None
        self._kinds = snapshot.kind.data  # a third of the time of an array for one at a time
        self._remembered: dict[str, Any] = {}
        self._door = threading.Lock()
        self._finding: dict[str, Any] = {}  # locks

    def remember(self, name: str, find: Callable[[], T]) -> T:
        """What ``find`` says, asked once for this instant: who asks meanwhile waits for the same answer.

        The cards of a page are filled at the same time, and what several of them need would be worked out for each.
        """
        if name not in self._remembered:
            with self._door:
                finding = self._finding.setdefault(name, threading.RLock())
            with finding:
                if name not in self._remembered:
                    self._remembered[name] = find()
        found: T = self._remembered[name]
        return found

    @cached_property
    def labels(self) -> _Labels:
        """What labels its nodes."""
        return _Labels(self.store.rows(_DECLARED, self._when)[0], self.snapshot._nodes, self._before)

    @cached_property
    def _domain(self) -> dict[int, str]:
        found: dict[int, str] = self.labels.of_nodes.setdefault("domain of a node", {})
        return found

    def warm(self, last: Instant | None) -> None:
        """Find now what readers of the last instant have asked for: labels, and until when it holds."""
        _ = self.expires
        for name in ("domains", "facets", "facets_of", "grouped", "owners_by_hand", "other_names") if last else ():
            getattr(self, name)
        asked: NodeEnds | None = last.labels.of_names.get("ends") if last else None
        if asked is not None and asked.ready:
            self.ends.prepare()

    def remember_label(self, name: str, find: Callable[[], T]) -> T:
        """As :meth:`remember`, for what follows from names, domains and owners: asked once while these stay."""
        known = self.labels.of_nodes
        if name not in known:
            known[name] = find()
        found: T = known[name]
        return found

    @property
    def _when(self) -> dict[str, datetime]:
        return {"at": self.snapshot.as_of, "known": self.snapshot.known_at}

    @cached_property
    def horizon_notes(self) -> tuple[str, ...]:
        """What an answer at this instant has to say of what retention let go."""
        return horizon_notes(self.store.rows, self.snapshot.as_of, self.snapshot.known_at)

    @_declared
    def domains(self) -> DomainMap:
        """Domains at this instant."""
        return load_domains(self.store, self.snapshot.as_of, self.snapshot.known_at)

    @_declared
    def facets(self) -> dict[int, dict[str, Any]]:
        """Ownership and tags facets by node id and key."""
        bodies = {body: _object(text) for body, text in self.store.rows(_BODIES)}
        found: dict[int, dict[str, Any]] = {}
        for entity, key, body in self.store.rows(_FACETS, self._when):
            found.setdefault(entity, {}).setdefault(key, bodies.get(body))
        return found

    @cached_property
    def expires(self) -> datetime:
        """When time alone makes this instant outdated: a domain file dated tomorrow, an edge by hand from Monday on."""
        return next_turn(self.store, self.snapshot.as_of, self.clock)

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

    @_of_names
    def ends(self) -> NodeEnds:
        """Nodes by the ends of their names."""
        from lineage.graph.ends import NodeEnds

        return NodeEnds(self.snapshot._nodes)

    @_of_nodes
    def grouped(self) -> frozenset[int]:
        """Nodes that have aliases."""
        found = {i for i in map(self.snapshot.index, self.names) if i is not None}
        return frozenset(i for i in found if len(self.snapshot.members(i)) > 1)

    @_of_nodes
    def facets_of(self) -> dict[int, list[dict[str, Any]]]:
        """Ownership and tags facets by node, those of the preferred member first."""
        found: dict[int, list[tuple[int, dict[str, Any]]]] = {}
        for entity, facets in self.facets.items():
            i = self.snapshot.index(entity)
            if i is not None:
                place = self.snapshot.members(i).index(entity) if i in self.grouped else 0
                found.setdefault(i, []).append((place, facets))
        return {i: [facets for _, facets in sorted(own, key=lambda one: one[0])] for i, own in found.items()}

    @_of_nodes
    def words(self) -> list[str]:
        """Every word that occurs in a name, in lower case."""
        return [row[0] for row in self.store.rows(_WORDS)]

    @_of_nodes
    def names(self) -> dict[int, tuple[str, str, str]]:
        """Kind, namespace and name of every node that has alias evidence."""
        return {row[0]: (row[1], row[2], row[3]) for row in self.store.rows(_NAMES)}

    @_of_nodes
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
        return KIND_NAMES[self._kinds[i]]

    def texts(self, nodes: Sequence[int]) -> list[str]:
        """Node texts of many nodes; those of the first hundred thousand asked for are kept."""
        known: dict[int, str] = self.labels.of_nodes.setdefault("text of a node", {})
        missing = [i for i in nodes if i not in known]
        found = dict(zip(missing, self.snapshot.texts(missing), strict=True)) if missing else {}
        if len(known) + len(found) <= _KEPT_TEXTS:
            known.update(found)
        return [known.get(i) or found[i] for i in nodes]

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

    @_of_nodes
    def owners_by_hand(self) -> dict[int, str]:
        """Owners that people named, which go before those that events tell."""
        from lineage.owners.marks import statements

        named = statements(self.store, self.snapshot.as_of, self.snapshot.known_at)
        return {i: row[1] for row in named if (i := self.snapshot.index(row[0])) is not None}

    def owner(self, i: int) -> str | None:
        """Owner of a node: whom somebody named by hand, else whom events tell; a column has that of its dataset."""
        node = self.snapshot.dataset_of(i) if self.snapshot.kind[i] == 2 else i
        return self.owners_by_hand.get(node) or self.told_owner(node)

    def owners(self, nodes: Sequence[int]) -> list[str | None]:
        """Owner of each of many datasets and jobs; of most nothing is told, so only the others are looked at."""
        found: dict[int, str | None] = dict.fromkeys(nodes)
        for i in self.facets_of.keys() | self.owners_by_hand.keys():
            if i in found:
                found[i] = self.owner(i)
        return [found[i] for i in nodes]

    def told_owner(self, i: int) -> str | None:
        """First owner in the ownership facet of a dataset or job."""
        for facets in self.facets_of.get(i, ()):
            owners = (facets.get("ownership") or {}).get("owners")
            for owner in owners if isinstance(owners, list) else []:
                if isinstance(owner, dict) and owner.get("name"):
                    return str(owner["name"])
        return None


def _object(text: str | None) -> Mapping[str, Any] | None:
    try:
        value = json.loads(text or "null")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
