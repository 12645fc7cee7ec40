"""Questions about the graph itself: what is up and down, what changed, what carries a tag.

A part of :class:`lineage.engine.Lineage`, in a file of its own. Every method looks through a view and hands over to the
module that answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lineage.actor import LOCAL, Actor
from lineage.asking import When, Words, known_and_visible, read_asked, read_depth, read_node, read_walk
from lineage.partial import note
from lineage.store.horizon import horizon_notes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from lineage.answers import Answer, NodeRef
    from lineage.attention import Attention
    from lineage.cause_answer import Causes
    from lineage.change import Rehearsal
    from lineage.counting import ImpactCounts
    from lineage.differences import DiffAnswer
    from lineage.engine import Lineage
    from lineage.finding import Thing
    from lineage.history import History
    from lineage.mesh import Mesh
    from lineage.networkx_backend.graph import MeshlineGraph
    from lineage.overlays import Overlay
    from lineage.path_answer import PathAnswer
    from lineage.ranking import Ranking
    from lineage.run_trail import RunTrail
    from lineage.tags import Tags
    from lineage.unread import Cycles, DeadBranches
    from lineage.view import View


class GraphQuestions:
    """Questions that walk the graph."""

    def view(self, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> View:
        """One instant as one actor may see it."""
        raise NotImplementedError

    def impact(
        self,
        node: str,
        *,
        column: str | None = None,
        depth: int | None = None,
        hops: int | None = None,
        max_nodes: int | None = None,
        kinds: Words = None,
        domains: Words = None,
        certainty: Words = None,
        links: bool = False,
        bridge: bool = False,
        facts: bool = True,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Answer:
        """Everything downstream of a node, with hops, certainty, kind of use and one explaining path each.

        Parameters
        ----------
        node, as_of, known_at, actor
            as for :meth:`show`; also ``product:ID`` (all datasets of its output ports) and ``domain:NAME`` (all its
            datasets), see :mod:`lineage.group_question`.
        column
            a column of the node, which is then a dataset.
        depth
            greatest number of hops; default: no limit.
        hops
            list only what is exactly so many hops away, by its shortest way; not together with ``depth``.
        max_nodes
            greatest number of rows: the first ones of the answer without it, which are the nearest.
        kinds, domains, certainty
            what to list; see :mod:`lineage.filters` for which of these the path has to respect.
        links
            also give the edges between the listed nodes.
        bridge
            leave temporary datasets out and count the way through them as one hop; see :mod:`lineage.temporary`.
        facts
            also give what other fields say of each node: contract, quality, cost (:mod:`lineage.annotators`). Without
            them a first answer takes half the time.
        """
        from lineage.impact import impact

        view = self.view(as_of, known_at, actor)
        filters = (kinds, domains, certainty)
        asked = read_asked(depth, links, filters, bridge=bridge, facts=facts, hops=hops, max_nodes=max_nodes)
        return impact(view, read_walk(view, node, column, asked), asked)

    def provenance(
        self,
        node: str,
        *,
        column: str | None = None,
        depth: int | None = None,
        hops: int | None = None,
        max_nodes: int | None = None,
        kinds: Words = None,
        domains: Words = None,
        certainty: Words = None,
        links: bool = False,
        bridge: bool = False,
        facts: bool = True,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Answer:
        """Everything upstream of a node; like :meth:`impact`."""
        from lineage.provenance import provenance

        view = self.view(as_of, known_at, actor)
        filters = (kinds, domains, certainty)
        asked = read_asked(depth, links, filters, bridge=bridge, facts=facts, hops=hops, max_nodes=max_nodes)
        return provenance(view, read_walk(view, node, column, asked), asked)

    def attention(
        self,
        *,
        domain: str | None = None,
        limit: int | None = None,
        now: datetime | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Attention:
        """Everything that is open, of every kind, by severity times reach; see :mod:`lineage.attention`."""
        from lineage.attention import attention

        return attention(
            cast("Lineage", self), domain=domain, limit=limit, now=now, as_of=as_of, known_at=known_at, actor=actor
        )

    def find(
        self, text: str, *, limit: int = 6, as_of: When = None, known_at: When = None, actor: Actor = LOCAL
    ) -> tuple[Thing, ...]:
        """Data products, owners and runs by name; nodes are found by :meth:`search`. See :mod:`lineage.finding`."""
        from lineage.finding import find

        return find(self.view(as_of, known_at, actor), text, limit)

    def owned(
        self, owner: str, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL
    ) -> tuple[NodeRef, ...]:
        """Datasets and jobs of an owner."""
        from lineage.finding import owned

        return tuple(owned(self.view(as_of, known_at, actor), owner))

    def overlay(
        self,
        by: str,
        *,
        nodes: Collection[str] | None = None,
        since: When = None,
        now: datetime | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Overlay:
        """One figure of every dataset as text and step of a scale; see :mod:`lineage.overlays`."""
        from lineage.overlays import overlay

        lx = cast("Lineage", self)
        return overlay(lx, by, nodes=nodes, since=since, now=now, as_of=as_of, known_at=known_at, actor=actor)

    def impact_counts(
        self, node: str, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL
    ) -> ImpactCounts:
        """How much is down- and upstream of a node: the totals of impact and provenance without their rows."""
        from lineage.counting import impact_counts
        from lineage.resolve import resolve
        from lineage.unknown_yet import note_absent

        view = self.view(as_of, known_at, actor)
        return impact_counts(view, note_absent(view, resolve(view, node)))

    def run_provenance(
        self,
        node: str,
        *,
        column: str | None = None,
        depth: int | None = None,
        limit: int = 1_000,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> RunTrail:
        """The exact runs and input versions behind a version; see :mod:`lineage.run_provenance`."""
        from lineage.run_provenance import run_provenance

        view = self.view(as_of, known_at, actor)
        steps = read_depth(depth)
        return run_provenance(view, read_node(view, node, column), depth=steps, limit=limit)

    def path(
        self,
        start: str,
        end: str,
        *,
        every: bool = False,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> PathAnswer:
        """A shortest path of the best certainty, or why there is none; ``every`` adds all edges on any path."""
        from lineage.paths import path
        from lineage.resolve import resolve

        view = self.view(as_of, known_at, actor)
        return path(view, resolve(view, start), resolve(view, end), every=every)

    def diff(
        self,
        from_time: When,
        to_time: When = None,
        *,
        node: str | None = None,
        side: str = "upstream",
        known_from: When = None,
        known_to: When = None,
        actor: Actor = LOCAL,
    ) -> DiffAnswer:
        """What differs between two instants, each difference with its cause; see :mod:`lineage.diff`.

        ``node`` limits it to a node and one ``side`` of it: ``upstream`` (default), ``downstream``, ``both``, ``self``.
        """
        from lineage.compare import compare

        return compare(self, (from_time, known_from), (to_time, known_to), node, side, actor)

    def history(
        self,
        node: str | None = None,
        *,
        buckets: int = 60,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> History:
        """When edges between datasets began and ended, part by part of the time; see :mod:`lineage.history`.

        ``node`` limits it to what is up- or downstream of a node.
        """
        from lineage.history import history
        from lineage.resolve import resolve
        from lineage.unknown_yet import note_absent

        view = self.view(as_of, known_at, actor)
        found = history(view, None if node is None else note_absent(view, resolve(view, node)), buckets=buckets)
        if found.buckets:
            note(horizon_notes(view.store.rows, found.buckets[0].start, view.known_at))
        return found

    def tags(
        self,
        node: str | None = None,
        *,
        tag: str | None = None,
        indirect: bool = False,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Tags:
        """Which columns carry which tags, each with a shortest path from its source; see :mod:`lineage.tags`.

        Parameters
        ----------
        node
            a dataset or column to limit it to; default: everything.
        tag
            a whole tag (``pii:email``) or a key (``pii``).
        indirect
            also follow edges that only filter, join, group or sort.

        Raises
        ------
        UnknownNodeError, UnknownTagError
            when there is no such node, or when no such tag was ever told; both name what comes near.
        """
        from lineage.resolve import resolve
        from lineage.tags import tags
        from lineage.unknown_yet import note_absent

        view = self.view(as_of, known_at, actor)
        return tags(view, None if node is None else note_absent(view, resolve(view, node)), tag, indirect=indirect)

    def rehearse(
        self,
        *,
        drop: str | Iterable[str] = (),
        rename: Mapping[str, str] | None = None,
        retype: Mapping[str, str] | None = None,
        retire: str | Iterable[str] = (),
        late: Mapping[str, float] | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Rehearsal:
        """Who would be hurt by changes, before they happen; all of them count together. See :mod:`lineage.change`.

        Parameters
        ----------
        drop, retire
            datasets, columns or jobs that go: one text or several.
        rename, retype
            node to its new name, column to its new type.
        late
            dataset or job to the hours it is late.
        """
        from lineage.change import read_changes, rehearse

        view = self.view(as_of, known_at, actor)
        return rehearse(view, read_changes(view, drop, rename, retype, retire, late))

    def cause(
        self,
        failing: str | Iterable[str] | None = None,
        *,
        passing: str | Iterable[str] = (),
        certainty: str = "stale",
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Causes:
        """The smallest set of failing nodes that explains all of them; see :mod:`lineage.cause`.

        Parameters
        ----------
        failing
            node texts; default: jobs whose last run failed and datasets with a failing test.
        passing
            nodes that are known to be well, which a failure does not pass.
        certainty
            least certainty of an edge that a failure passes.
        """
        from lineage.cause_answer import explain
        from lineage.filters import certainty_name

        view = self.view(as_of, known_at, actor)
        nodes = None if failing is None else known_and_visible(view, failing)
        least = certainty_name(certainty)
        return explain(view, nodes, passing=known_and_visible(view, passing), min_certainty=least)

    def rank(
        self,
        by: str = "criticality",
        *,
        level: str = "dataset",
        domains: Words = None,
        limit: int = 50,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Ranking:
        """The nodes that matter most by one figure; see :mod:`lineage.ranking`."""
        from lineage.ranking import rank

        return rank(self.view(as_of, known_at, actor), by, level=level, domains=domains, limit=limit)

    def cycles(self, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> Cycles:
        """Where data goes in circles."""
        from lineage.unread import cycles

        return cycles(self.view(as_of, known_at, actor))

    def dead(
        self,
        ends: str | Iterable[str] | None = None,
        *,
        keep: str | Iterable[str] = (),
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> DeadBranches:
        """What nobody reads, and the order in which it can go with what only it needs; see :mod:`lineage.unread`.

        Parameters
        ----------
        ends
            datasets that are not needed; default: all that nobody was seen reading.
        keep
            datasets that are needed although nobody was seen reading them.
        """
        from lineage.unread import dead

        view = self.view(as_of, known_at, actor)
        given = None if ends is None else known_and_visible(view, ends)
        return dead(view, given, keep=known_and_visible(view, keep))

    def mesh(self, level: str = "domain", *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> Mesh:
        """The graph between domains, products, applications, DAGs or jobs; see :mod:`lineage.mesh`."""
        from lineage.mesh import mesh

        return mesh(self.view(as_of, known_at, actor), level)

    def graph(
        self,
        level: str = "dataset",
        *,
        lazy: bool = False,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> MeshlineGraph:
        """The graph as a ``networkx.DiGraph`` that cannot be changed, for networkx's algorithms at the engine's speed.

        Parameters
        ----------
        level
            ``dataset``, ``column``, ``run``, or a level of :meth:`mesh`; see
            :func:`lineage.networkx_backend.build.graph`.
        lazy
            whether ``nx.descendants`` and ``nx.ancestors`` may answer with a set that makes its nodes when needed.
        """
        from lineage.networkx_backend.build import graph

        return graph(self.view(as_of, known_at, actor), level, lazy=lazy)
