"""What goes into ingest and what comes of it: inputs with their places, and counts with reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import duckdb


class Sink(Protocol):
    """Where sources put events: a :class:`ingest.writer.Writer`, or the queue of a server (:mod:`ingest.feeds`)."""

    def ingest(
        self,
        lines: Iterable[bytes | Line],
        *,
        source: str,
        together: Callable[[duckdb.DuckDBPyConnection], None] | None = None,
    ) -> Outcome:
        """Take events in; see :meth:`ingest.writer.Writer.ingest`."""


class Line(NamedTuple):
    """One input: its bytes, and where it stood: 1-based line or array index, and the source if it has its own.

    ``original`` is the hash an event came with that was masked before it was stored, and comes back from there.
    """

    data: bytes
    number: int | None = None
    source: str | None = None
    original: bytes | None = None


class Noted(NamedTuple):
    """Something odd about an accepted event, and where the event stands: a number that was none, for instance."""

    source: str
    number: int
    note: str


NOTED = 20  # notes that an outcome names; all of them are kept with their events


@dataclass
class Outcome:
    """What became of inputs: ``read`` = ``accepted`` + ``duplicates`` + ``quarantined``, split by ``reasons``.

    ``noted`` counts the odd things about events with a place (line or index), ``notes`` names the first.
    """

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    noted: int = field(default=0, repr=False, compare=False)
    notes: list[Noted] = field(default_factory=list, repr=False, compare=False)

    def add(self, other: Outcome) -> None:
        """Count another outcome in."""
        self.read += other.read
        self.accepted += other.accepted
        self.duplicates += other.duplicates
        self.quarantined += other.quarantined
        self.reasons += other.reasons
        self.noted += other.noted
        self.notes += other.notes[: NOTED - len(self.notes)]
