"""Answers that several readers share: worked out once for a state of the store, by one of them while the others wait.

Twenty open pages beside five hundred events a second would otherwise ask for the same scores ten thousand times. While
events arrive an answer may be a few seconds older than the store; :data:`YOUNG` and :data:`DEAR` say how many. Who
gets such an answer is told so (:func:`noticing`): a page says of when its figures are, and asks again.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from dashboard.live import version_of

if TYPE_CHECKING:
    from lineage.engine import Lineage

T = TypeVar("T")
YOUNG = 5.0
"""Seconds for which an answer is good although the store has changed."""
OLD = 60.0
"""Seconds after which an answer is worked out anew although the store has not changed: what is late depends on now."""
DEAR = 10.0
"""An answer that took long is good for this many times its own time (of the processor, at most :data:`OLD`), so that
pages beside a stream of events spend a tenth of a processor on it at most."""
_KEPT = 256
_CLICKS = 16  # whole pictures are among them


@dataclass(frozen=True, slots=True)
class Held:
    """An answer from before the store changed."""

    of: float
    """When it was asked of the store: seconds since 1970."""
    left: float
    """Seconds after which it is worked out anew."""


_NOTICED: ContextVar[list[Held] | None] = ContextVar("answers from before the store changed", default=None)


@contextmanager
def noticing() -> Iterator[list[Held]]:
    """Collect which answers given meanwhile are from before the store changed.

    >>> with noticing() as held:
    ...     answer = 42  # ask a memory
    >>> oldest(held) is None
    True
    """
    found: list[Held] = []
    token = _NOTICED.set(found)
    try:
        yield found
    finally:
        _NOTICED.reset(token)


def oldest(held: Sequence[Held]) -> Held | None:
    """What is true of several answers together: as old as the oldest, worked out anew with the first."""
    return Held(min(one.of for one in held), min(one.left for one in held)) if held else None


@dataclass(slots=True)
class _Entry:
    lock: threading.Lock = field(default_factory=threading.Lock)
    version: int = -1
    acts: int = -1
    at: float = float("-inf")
    of: float = 0.0
    spent: float = 0.0
    parts: Held | None = None  # what it was made of, if that was held; ``left`` counts from ``at``
    value: Any = None


_SHARED: dict[int, Memo] = {}
_ACTS: Counter[int] = Counter()
_SHARING = threading.Lock()


def shared(lx: Lineage) -> Memo:
    """The answers that all pages over one engine share."""
    with _SHARING:
        found = _SHARED.get(id(lx))
        if found is None:
            found = _SHARED[id(lx)] = Memo(lx)  # keeps the engine alive, so its id is not given anew
        return found


def acted(lx: Lineage) -> None:
    """Somebody acted on a page: what is remembered of this engine is worked out anew, however young it is."""
    _ACTS[id(lx)] += 1


class Memo:
    """Answers by name.

    Parameters
    ----------
    lx
        the engine whose state decides what is outdated.
    clock
        seconds, for tests.
    """

    def __init__(self, lx: Lineage, clock: Callable[[], float] = time.monotonic) -> None:
        self._lx = lx
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._clicks: OrderedDict[Hashable, _Entry] = OrderedDict()

    def at_once(self, name: Hashable, find: Callable[[], T]) -> T:
        """The answer of this name for the state of the store as it is: shared by those who ask the same meanwhile.

        For what a click is to show, where an answer of some seconds ago would be missed.
        """
        return self._good(self._entry(self._clicks, name, _CLICKS), find, OLD, 0.0, 0.0)

    def get(self, name: Hashable, find: Callable[[], T], *, old: float = OLD, young: float = YOUNG) -> T:
        """The answer of this name; ``find`` works it out when there is none that is good enough.

        Parameters
        ----------
        old, young
            seconds for which an answer is good while the store stays as it is, and when it has changed.

        What ``find`` raises is raised, and not kept.
        """
        return self._good(self._entry(self._entries, name, _KEPT), find, old, young, DEAR)

    def _good(self, entry: _Entry, find: Callable[[], T], old: float, young: float, dear: float) -> T:
        with entry.lock:
            now, version, acts = self._clock(), version_of(self._lx), _ACTS[id(self._lx)]
            lasting = min(dear * entry.spent, OLD)
            left = entry.at + max(old if version == entry.version else young, lasting) - now
            parts = entry.parts
            if parts is not None:
                left = min(left, entry.at + parts.left - now)
            if acts != entry.acts or left <= 0.0:
                return self._find(entry, find, version, acts)
            if version != entry.version or parts is not None:
                _notice(Held(entry.of if parts is None else min(entry.of, parts.of), left))
            kept: T = entry.value
            return kept

    def _find(self, entry: _Entry, find: Callable[[], T], version: int, acts: int) -> T:
        begun, of = time.thread_time(), time.time()
        with noticing() as held:
            found = find()
        entry.spent = time.thread_time() - begun
        entry.value, entry.version, entry.acts, entry.of = found, version, acts, of
        entry.at, entry.parts = self._clock(), oldest(held)
        if entry.parts is not None:
            _notice(entry.parts)
        return found

    def _entry(self, entries: OrderedDict[Hashable, _Entry], name: Hashable, most: int) -> _Entry:
        with self._lock:
            entry = entries.pop(name, None) or _Entry()
            entries[name] = entry
            while len(entries) > most:
                entries.popitem(last=False)
            return entry


def _notice(held: Held) -> None:
    noticed = _NOTICED.get()
    if noticed is not None:
        noticed.append(held)
