"""The cyclic garbage collector, paused for a piece of work that makes many objects and no cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_FEW = 20_000  # objects that are looked through at once
_TIMES = 100


class Ages:
    """Objects that pieces of work leave behind and that join the old ones unseen.

    When the collector goes on after a batch of events, it would look once through all that the batch left: 4 to 6 % of
    the time of a batch. The old objects are looked through when a quarter as many joined them and a hundred pieces of
    work were done, which is about as often as the collector would do it by itself.
    """

    def __init__(self) -> None:
        self._old = 0  # objects when all were last looked through
        self._times = self._joined = 0  # since then

    def grow(self) -> bool:
        """Let what was made since the collector rested join the old objects; whether these are to be looked through."""
        left = gc.get_count()[0]
        if left > _FEW and not gc.get_freeze_count():  # what somebody froze shall stay so
            self._times += 1
            self._joined += left
            gc.freeze()
            gc.unfreeze()
        return self._times >= _TIMES and self._joined > self._old // 4

    def look_through(self) -> None:
        """Free the cycles among all objects."""
        gc.collect()
        self._old, self._joined, self._times = len(gc.get_objects(generation=2)), 0, 0


@contextmanager
def paused(ages: Ages | None = None) -> Iterator[None]:
    """Let the cyclic collector rest; objects that nothing refers to are freed as always.

    A batch of events, or the scorecards of one day, make hundreds of thousands of objects that live on; looking through
    them again and again costs a fifth to a quarter of the time. For work of seconds, not of minutes: what else runs in
    the process may make cycles. Who finds the collector at rest leaves it so.

    Parameters
    ----------
    ages
        where such work comes again and again, what it leaves is not looked through either when the pause is over.

    Examples
    --------
    >>> with paused():
    ...     gc.isenabled()
    False
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            due = ages is not None and ages.grow()
            gc.enable()
            if due and ages is not None:
                ages.look_through()
