"""The query layer: every answer of the command line, the REST API and the pages comes from :class:`Lineage`.

Snapshots are cached per instant and dropped when the state number of the store has grown, so an answer is never older
than the last committed change; but where a server makes events visible, readers keep the last instant until the next
one is ready (:meth:`Lineage.following`). All methods may be called from any thread.
After :meth:`Lineage.close` every method raises :class:`lineage.errors.ClosedError`.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lineage.actor import LOCAL, Actor
from lineage.asking import When, known_nodes, naive_time
from lineage.beginning import nothing_yet
from lineage.errors import ClosedError, UsageError, repeated
from lineage.fields import Fields
from lineage.graph_questions import GraphQuestions
from lineage.partial import is_gathering, note
from lineage.store import Store, state_fingerprint, state_version
from lineage.times import utcnow
from lineage.view import Instant, View

if TYPE_CHECKING:
    from lineage.blindspots import Ledger
    from lineage.details import NodeDetail, SearchHits
    from lineage.domains import DomainInfo
    from lineage.graph import Snapshot
    from lineage.graph.live import Live
    from lineage.graph.timeline import Past
    from lineage.listing import DayRuns, Listing, ListName
    from lineage.overview import Summary
    from lineage.pictured import Picture

_CACHED = 8  # snapshots of other instants kept beside that of now
_HELD = 3.0  # seconds that readers keep the last instant while events become visible; then they make one themselves
_WATCHED = 10.0  # seconds after a question during which the next instant is made before anybody asks

log = logging.getLogger("meshline.lineage")


def open(path: str | Path | Store | None = None, *, read_only: bool = True) -> Lineage:
    """Open a database and ask it.

    Parameters
    ----------
    path
        a database file, ``None`` for ``MESHLINE_DB`` or ``meshline.duckdb``, or a store that is already open (it stays
        open when the engine is closed).
    read_only
        several processes may read a file at once, one may write it.

    Raises
    ------
    StoreError
        when the file cannot be opened; the message says what to do.

    Examples
    --------
    >>> import lineage
    >>> from lineage.store import Store
    >>> with lineage.open(Store.open(":memory:")) as lx:
    ...     lx.summary().datasets
    0
    """
    if isinstance(path, Store):
        return Lineage(path)
    return Lineage(Store.open(path, create=False, read_only=read_only), owns_store=True)


class Lineage(GraphQuestions, Fields):
    """Questions to one store.

    Parameters
    ----------
    store
        the open store.
    owns_store
        close it together with the engine.
    """

    def __init__(self, store: Store, *, owns_store: bool = False) -> None:
        self._store = store
        self._owns_store = owns_store
        self._closed = False
        self._lock = threading.RLock()
        self._version = -1
        self._now: Instant | None = None
        self._last: Instant | None = None  # the newest of now, outdated or not
        self._building = threading.Lock()  # one instant at a time is made; whoever has one goes on
        self._held: tuple[int, int, float] | None = None  # state and batches before those that are coming, since when
        self._asked = float("-inf")
        self._others: OrderedDict[tuple[datetime | None, datetime | None], Instant] = OrderedDict()

    def close(self) -> None:
        """Answer nothing any more, and close the store if this engine opened it; a second time it does nothing."""
        self._closed = True
        if self._owns_store:
            self._store.close()

    @property
    def store(self) -> Store:
        """The open store.

        Raises
        ------
        ClosedError
            when this engine or its store was closed.
        """
        if self._closed or self._store.closed:
            raise ClosedError("This database was closed; lineage.open(…) opens it again.")
        return self._store

    def __enter__(self) -> Lineage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- questions

    def search(
        self,
        text: str,
        *,
        kinds: Collection[str] | None = None,
        limit: int = 20,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> SearchHits:
        """Nodes whose names fit a text, best first; see :func:`lineage.search.search`."""
        from lineage.search import search

        return search(self.view(as_of, known_at, actor), text, kinds=kinds, limit=limit)

    def show(self, node: str, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> NodeDetail:
        """Everything about one node.

        Parameters
        ----------
        node
            node text (``dataset:NAMESPACE:NAME``) or unique end of a name.
        as_of, known_at
            valid and known time; default: now.
        actor
            who asks.

        Raises
        ------
        UnknownNodeError
            when no node or more than one fits.
        UsageError
            when a time is no time.
        """
        from lineage.nodes import show
        from lineage.resolve import resolve
        from lineage.unknown_yet import note_absent

        view = self.view(as_of, known_at, actor)
        return show(view, note_absent(view, resolve(view, node)))

    def picture(
        self,
        node: str,
        *,
        upstream: int = 1,
        downstream: int = 1,
        jobs: bool = False,
        columns: bool | Collection[str] = False,
        as_of: When = None,
        known_at: When = None,
        max_nodes: int = 300,
        also_upstream: Collection[str] = (),
        also_downstream: Collection[str] = (),
        actor: Actor = LOCAL,
    ) -> Picture:
        """Neighbourhood of a node, ready to be laid out; see :func:`lineage.picture.picture`.

        ``also_upstream`` and ``also_downstream`` name cards whose direct neighbours are wanted beyond the given hops;
        what names no node is left out, so that a kept link survives the end of a dataset.
        """
        from lineage.picture import Scope, picture
        from lineage.resolve import resolve
        from lineage.unknown_yet import note_absent

        view = self.view(as_of, known_at, actor)
        extra = [known_nodes(view, also_upstream), known_nodes(view, also_downstream)]
        found = note_absent(view, resolve(view, node))
        return picture(view, found, Scope(upstream, downstream, jobs, columns, max_nodes, *extra))

    def column_trace(self, column: str, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> Picture:
        """All datasets on the way of one column, up and down, with the traced columns only."""
        from lineage.picture import column_trace
        from lineage.resolve import resolve
        from lineage.unknown_yet import note_absent

        view = self.view(as_of, known_at, actor)
        return column_trace(view, note_absent(view, resolve(view, column)))

    def marquez(
        self, node: str, *, depth: int = 20, as_of: When = None, known_at: When = None, actor: Actor = LOCAL
    ) -> dict[str, Any]:
        """Graph around a dataset or job in Marquez's shape; see :func:`lineage.marquez.lineage_graph`."""
        from lineage.marquez import lineage_graph
        from lineage.resolve import resolve

        view = self.view(as_of, known_at, actor)
        return lineage_graph(view, resolve(view, node), depth)

    def domains(self, actor: Actor = LOCAL, *, as_of: When = None, known_at: When = None) -> tuple[DomainInfo, ...]:
        """All domains with their counts."""
        from lineage.overview import domains

        return domains(self.view(as_of, known_at, actor))

    def summary(self, actor: Actor = LOCAL, *, as_of: When = None, known_at: When = None) -> Summary:
        """Counts for the first page."""
        from lineage.overview import summary

        return summary(self.view(as_of, known_at, actor))

    def ledger(self, actor: Actor = LOCAL, *, examples: int | None = None) -> Ledger:
        """The blind-spot ledger of the present: who sends what, and what looks broken; ``examples`` nodes a finding."""
        from lineage.blindspots import ledger

        return ledger(self.view(actor=actor), now=utcnow(), examples=examples)

    def listing(
        self,
        of: ListName,
        *,
        domain: str | None = None,
        states: Collection[str] | None = None,
        limit: int = 2_000,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Listing:
        """The rows behind one number of :meth:`summary`; see :func:`lineage.listing.listing`."""
        from lineage.listing import listing

        return listing(self.view(as_of, known_at, actor), of, domain=domain, states=states, limit=limit)

    def runs_per_day(
        self, days: int = 30, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL
    ) -> tuple[DayRuns, ...]:
        """Runs of the last days by day and state; see :func:`lineage.listing.runs_per_day`."""
        from lineage.listing import runs_per_day

        return runs_per_day(self.view(as_of, known_at, actor), days)

    # -- instants

    @cached_property
    def _live(self) -> Live:
        from lineage.graph.live import Live

        return Live(self.store)

    @cached_property
    def _history(self) -> Past:
        from lineage.graph.timeline import Past

        return Past(self.store)

    def view(self, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> View:
        """One instant as one actor may see it; what all questions go through.

        Raises
        ------
        UsageError
            when a time is no time, or ``actor`` is none.
        ClosedError
            after :meth:`close`: snapshots are still there, but who closed it does not expect an answer.
        """
        if not isinstance(actor, Actor):
            raise UsageError(f"actor: {repeated(repr(actor))} is no Actor; write Actor('ann').")
        at, known = naive_time(as_of, "as-of"), naive_time(known_at, "known-at")
        self._asked = time.monotonic()
        self.refresh()
        now = self._current()
        instant = now if at is None and known is None else self._past(at, known)
        if instant is not now and is_gathering():
            note(instant.horizon_notes)
            if not actor.hidden_domains:  # the first thing of all may be one that is hidden
                untold = nothing_yet(View(instant, now, actor, at or instant.snapshot.as_of, instant.snapshot.known_at))
                note([untold] if untold else [])
        behind = instant is now and self.state != state_version(self.store)
        fresh = now.snapshot.as_of if behind else utcnow()
        shown_at = at or max(fresh, instant.snapshot.as_of)
        return View(instant, now, actor, shown_at, known or max(fresh, instant.snapshot.known_at))

    @property
    def state(self) -> int:
        """Number of the state of the store that answers are about: while events become visible, that of before."""
        version, held = state_version(self.store), self._held
        if held is None or version - held[0] != self.store.batches - held[1] or time.monotonic() - held[2] > _HELD:
            return version  # nothing is held, or somebody acted as well and wants to see it
        return held[0]

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        """Events become visible inside: answers stay those of before until the next instant is ready, then it is there.

        Else everybody who asks would wait for it. Where nobody has asked lately, the next who asks makes it.
        """
        with self._lock:
            watched = self._now is not None and time.monotonic() - self._asked < _WATCHED
            if watched and self._version == state_version(self.store):
                self._held = self._version, self.store.batches, time.monotonic()
        try:
            yield
            if self._held is not None:
                self._follow(self._held[0])
        finally:
            self._held = None

    def _follow(self, before: int) -> None:
        from lineage.overview import count_domains

        try:
            with self._building:
                version = state_version(self.store)
                if version == before or self._version != before:  # nothing came, or somebody made one meanwhile
                    return
                found = self._load(None, None, version)
                found.warm(self._last)
                count_domains(found)
                with self._lock:
                    if self._version == before:
                        self._others.clear()
                        self._now, self._last, self._version = found, found, version
        except Exception:  # the next who asks is told what is wrong
            log.exception("The next instant could not be made ahead")

    def refresh(self) -> None:
        """Forget snapshots when the store has changed; costs one look at one row."""
        version = self.state
        with self._lock:
            outdated = self._now is not None and self._now.expires <= utcnow()
            if version != self._version or outdated:
                self._version = version
                self._now = None
                self._others.clear()

    def _current(self) -> Instant:
        with self._lock:
            if self._now is not None:
                return self._now
        with self._building:
            with self._lock:
                if self._now is not None:
                    return self._now
            version = state_version(self.store)
            found = self._load(None, None, version)
            with self._lock:
                self._now, self._last, self._version = found, found, version
            return found

    def _past(self, at: datetime | None, known: datetime | None) -> Instant:
        with self._lock:
            found, version = self._others.pop((at, known), None), self._version
        if found is None:
            with self._building:
                found = self._others.get((at, known)) or self._load(at, known, version)
        with self._lock:
            if self._version == version:
                self._others[at, known] = found
                while len(self._others) > _CACHED:
                    self._others.popitem(last=False)
        return found

    def _load(self, at: datetime | None, known: datetime | None, version: int) -> Instant:
        from lineage.graph import load
        from lineage.graph.kept import load_now, may_keep

        fingerprint = state_fingerprint(self.store)
        if at is not None:
            snapshot = self._history.at(at, known, version=version)
        elif known is not None:
            snapshot = load(self.store, at, known)
        elif may_keep(self.store):
            snapshot = load_now(self.store, f"{fingerprint}-{version}")
        else:
            snapshot = self._live.now()
        now = utcnow() if at is None else None
        return Instant(self.store, snapshot, version, fingerprint, self._like(snapshot), now=now)

    def _like(self, snapshot: Snapshot) -> Instant | None:
        """An instant whose labels fit: one with the same nodes, where there is one, else the newest of now."""
        with self._lock:
            others = [one for one in self._others.values() if one.snapshot._nodes is snapshot._nodes]
        return others[-1] if others else self._last
