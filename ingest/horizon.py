"""Events that come after retention let go what they belong to: kept, flagged, and never misplaced (semantics 23).

Such an event cannot be put where it belongs when the other events of its run have no bytes any more, or when runs and
edges of its time are not all there. It is archived and has a row of ``event`` that says so; nothing is derived from it.
What is only older than removed bytes is derived as ever, and flagged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ingest.model import EventFacts
from lineage.store.horizon import Baseline, baselines
from lineage.times import iso

if TYPE_CHECKING:
    import duckdb

_GONE = "SELECT DISTINCT run FROM event WHERE block IS NULL AND run IN (SELECT unnest(?::UBIGINT[]))"


class Horizon:
    """Tells late events from others; reads the baselines once."""

    def __init__(self) -> None:
        self._baselines: list[tuple[Baseline, int]] | None = None

    def late(
        self, cursor: duckdb.DuckDBPyConnection, events: Iterable[tuple[EventFacts, int]]
    ) -> tuple[dict[bytes, str], set[bytes]]:
        """Notes on late events by hash, and which of these nothing is derived from.

        Parameters
        ----------
        events
            each with the number of its block.
        """
        if self._baselines is None:
            from ingest.tables import micros

            self._baselines = [(base, micros(base.before)) for base in baselines(cursor)]
        if not self._baselines:
            return {}, set()
        told = list(events)
        runs = list({event.run for event, _ in told if event.run is not None})
        gone = {row[0] for row in cursor.execute(_GONE, [runs]).fetchall()} if runs else set()
        notes: dict[bytes, str] = {}
        apart: set[bytes] = set()
        for event, block in told:
            older = [base for base, before in self._baselines if event.at < before and block > base.tail]
            if event.run in gone:
                notes[event.hash] = "its run lies before the retention horizon: kept, nothing was derived from it"
                apart.add(event.hash)
            elif any(base.thinned for base in older):
                horizon = iso(older[-1].before)
                notes[event.hash] = f"older than the retention horizon {horizon}: kept, nothing was derived from it"
                apart.add(event.hash)
            elif older:
                notes[event.hash] = f"older than the retention horizon {iso(older[-1].before)}"
        return notes, apart
