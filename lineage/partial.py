"""Answers about times that retention has reached say so, whichever question it was (docs/retention.md).

Some answers have a place of their own for such notes, others are plain lists. So who asks for somebody (the command
line, the HTTP interface) gathers them while it asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_GATHERED: ContextVar[dict[str, None] | None] = ContextVar("gathered", default=None)


@contextmanager
def gathered() -> Iterator[dict[str, None]]:
    """Notes on the instants that are asked for inside, in the order in which they were met, each once.

    Threads that get a copy of the context add to the same notes.

    >>> with gathered() as notes:
    ...     note(["partial: before retention horizon 2026-01-01T00:00:00Z"])
    >>> list(notes)
    ['partial: before retention horizon 2026-01-01T00:00:00Z']
    """
    notes: dict[str, None] = {}
    token = _GATHERED.set(notes)
    try:
        yield notes
    finally:
        _GATHERED.reset(token)


def is_gathering() -> bool:
    """Whether anybody wants to know."""
    return _GATHERED.get() is not None


def note(notes: Iterable[str]) -> None:
    """Tell whoever gathers."""
    gathering = _GATHERED.get()
    if gathering is not None:
        gathering.update(dict.fromkeys(notes))
