"""The one writer: events in, archive and derived tables out, each batch in one transaction."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from ingest import archive, quarantine, tables
from ingest.derive import Derivation
from ingest.envelope import Envelope, Refusal, decode
from ingest.project import Projector
from ingest.quarantine import Rejected
from lineage.store import Store
from lineage.store.version import add_events, bump_version
from lineage.times import utcnow

if TYPE_CHECKING:
    import duckdb

BATCH_EVENTS = 5_000  # larger batches gain 5 % and cost memory
_PENDING_BLOCKS = 200
_WATERMARK = "projected_block"


class Line(NamedTuple):
    """One input: its bytes, and where it stood: 1-based line or array index, and the source if it has its own."""

    data: bytes
    number: int | None = None
    source: str | None = None


@dataclass
class Outcome:
    """What became of inputs: ``read`` = ``accepted`` + ``duplicates`` + ``quarantined``, split by ``reasons``."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: Outcome) -> None:
        """Count another outcome in."""
        self.read += other.read
        self.accepted += other.accepted
        self.duplicates += other.duplicates
        self.quarantined += other.quarantined
        self.reasons += other.reasons


class _Placed(NamedTuple):
    """An event and where its bytes lie in the archive."""

    envelope: Envelope
    block: int
    position: int


class Writer:
    """Writes events to a store. One instance per store and process; not for use from several threads at once.

    Examples
    --------
    >>> store = Store.open(":memory:")
    >>> event = b'{"eventTime": "2026-01-01T00:00:00Z", "run": {"runId": "1"}, "job": {"namespace": "a", "name": "b"}}'
    >>> Writer(store).ingest([event, event, b"{"], source="doctest")
    Outcome(read=3, accepted=1, duplicates=1, quarantined=1, reasons=Counter({'not-json': 1}))
    >>> store.close()
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._projector = Projector()
        self._derivation = Derivation(self._projector)

    def ingest(
        self,
        lines: Iterable[bytes | Line],
        *,
        source: str,
        received_at: datetime | None = None,
        together: Callable[[duckdb.DuckDBPyConnection], None] | None = None,
    ) -> Outcome:
        """Archive events and derive everything from them, in one transaction.

        Parameters
        ----------
        lines
            one event each; a few thousand at a time.
        source
            where they come from, for the archive and (unless a line has a source of its own) the quarantine.
        received_at
            receipt time of all of them (default: now); never before that of the newest events in the store.
        together
            writes more in the same transaction, for instance how far the source was read.

        Returns
        -------
        Outcome
            refused inputs are in the quarantine, known ones are counted and left alone.
        """
        outcome = Outcome()
        envelopes: dict[bytes, Envelope] = {}
        rejected: list[Rejected] = []
        for item in lines:
            line = item if isinstance(item, Line) else Line(item)
            outcome.read += 1
            found = decode(line.data)
            if isinstance(found, Refusal):
                rejected.append(Rejected(line.data, found, line.number, line.source))
                outcome.reasons[found.reason] += 1
            elif found.hash in envelopes:
                outcome.duplicates += 1
            else:
                envelopes[found.hash] = found
        outcome.quarantined = len(rejected)
        self.catch_up()
        with self._writing() as cursor:
            block, last = archive.tail(cursor)
            at = archive.receipt_time(last, received_at or utcnow())
            quarantine.put(cursor, rejected, at, source)
            new = self._without_known(cursor, list(envelopes.values()))
            outcome.accepted = len(new)
            outcome.duplicates += len(envelopes) - len(new)
            placed = _archive(cursor, block, new, at, source)
            if placed:
                self._project(cursor, placed, at)
                Store.set_meta(cursor, _WATERMARK, str(placed[-1].block))
            if placed or rejected:
                bump_version(cursor)
            if together is not None:
                together(cursor)
        return outcome

    def project_pending(self, now: datetime | None = None) -> int:
        """Derive from blocks that were archived and not yet projected; ``0`` when there are none.

        Blocks of one receipt time are one batch, and a batch is taken only when its tick is over: nothing can join
        it later.

        Parameters
        ----------
        now
            an instant at which no block was being written (default: now, when nobody else writes).
        """
        pending = self._pending()
        now = now or utcnow()
        # a receipt time further ahead than a tick is no running tick: the clock of this machine was set back
        pending = [block for block in pending if not now < block[1] <= now + archive.TICK]
        if len(pending) == _PENDING_BLOCKS and pending[0][1] < pending[-1][1]:
            pending = [
                block for block in pending if block[1] < pending[-1][1]
            ]  # the last tick may go on behind the limit
        done = 0
        for at, blocks in groupby(pending, key=lambda block: block[1]):
            done += self._project_blocks(at, list(blocks))
        return done

    def has_pending(self) -> bool:
        """Whether events are archived that were not projected yet."""
        return bool(self._store.rows("SELECT 1 FROM raw WHERE block > ? LIMIT 1", [self._watermark()]))

    def catch_up(self) -> None:
        """Derive from what a server archived and was killed before it could project it.

        A new batch needs it first, since the watermark then stands behind it. That the last tick may still go on does
        no harm: the new batch comes later or at the same instant.
        """
        while pending := self._pending():
            for at, blocks in groupby(pending, key=lambda block: block[1]):
                self._project_blocks(at, list(blocks))

    def _pending(self) -> list[tuple[int, datetime, list[bytes]]]:
        """Archived blocks behind the watermark, so many at most."""
        with self._store.cursor() as cursor:
            return list(archive.blocks_after(cursor, self._watermark(), _PENDING_BLOCKS))

    def _project_blocks(self, at: datetime, blocks: Sequence[tuple[int, datetime, list[bytes]]]) -> int:
        count = sum(len(events) for _, _, events in blocks)
        with self._writing() as cursor:
            placed: dict[bytes, _Placed] = {}
            for block, _, events in blocks:
                for position, data in enumerate(events):
                    envelope = decode(data)
                    assert isinstance(envelope, Envelope), "only readable events are archived"
                    placed.setdefault(envelope.hash, _Placed(envelope, block, position))
            new = self._without_known(cursor, [item.envelope for item in placed.values()])
            if new:
                self._project(cursor, [placed[envelope.hash] for envelope in new], at)
            Store.set_meta(cursor, _WATERMARK, str(blocks[-1][0]))
            bump_version(cursor)
        return count

    def _writing(self) -> _Writing:
        return _Writing(self._store, self._derivation)

    def _watermark(self) -> int:
        return int(self._store.get_meta(_WATERMARK) or 0)

    def _project(self, cursor: duckdb.DuckDBPyConnection, placed: Sequence[_Placed], at: datetime) -> None:
        """Events into rows; they are new and lie in the archive."""
        facts = [self._projector.read(item.envelope) for item in placed]
        known_at = tables.micros(at)
        self._derivation.apply(cursor, facts, known_at)
        rows = [
            (
                event.hash, event.at, known_at, event.kind, event.event_type, event.run,
                event.job.id if event.job else None, event.dataset.id if event.dataset else None, event.producer,
                item.block, item.position, json.dumps(event.notes, ensure_ascii=False) if event.notes else None,
            )
            for event, item in zip(facts, placed, strict=True)
        ]  # fmt: skip
        tables.append_rows(cursor, "event", tables.EVENT_SCHEMA, rows)
        add_events(cursor, (event.hash for event in facts))

    @staticmethod
    def _without_known(cursor: duckdb.DuckDBPyConnection, envelopes: Sequence[Envelope]) -> list[Envelope]:
        """The events that the store does not have.

        Joined on (event_time, hash) and bounded by the batch's times, so that zone maps keep the cost independent of
        the size of the table.
        """
        if not envelopes:
            return []
        times = [envelope.at for envelope in envelopes]
        batch = pa.table(
            {
                "event_time": pa.array(times, pa.timestamp("us")),
                "hash": pa.array([envelope.hash for envelope in envelopes], pa.binary()),
            }
        )
        cursor.register("_batch", batch)
        try:
            known = cursor.execute(
                f"""
                SELECT b.hash FROM _batch b SEMI JOIN (
                  SELECT event_time, hash FROM event
                  WHERE event_time BETWEEN make_timestamp({min(times)}) AND make_timestamp({max(times)})
                ) e ON e.event_time = b.event_time AND e.hash = b.hash
                """  # noqa: S608 - numbers
            ).fetchall()
        finally:
            cursor.unregister("_batch")
        hashes = {bytes(row[0]) for row in known}
        return [envelope for envelope in envelopes if envelope.hash not in hashes]


class _Writing:
    """A write transaction after whose failure everything kept in memory is dropped.

    The cyclic garbage collector pauses meanwhile: a batch makes hundreds of thousands of objects and no cycles, and
    looking through them again and again costs a quarter of the time.
    """

    def __init__(self, store: Store, derivation: Derivation) -> None:
        self._transaction = store.transaction()
        self._derivation = derivation

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        self._collected = gc.isenabled()
        gc.disable()
        return self._transaction.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        written = False
        try:
            self._transaction.__exit__(kind, error, trace)  # type: ignore[arg-type]
            written = kind is None
        finally:
            if not written:
                self._derivation.forget()
            if self._collected:
                gc.enable()


def _archive(
    cursor: duckdb.DuckDBPyConnection, block: int, envelopes: Sequence[Envelope], at: datetime, source: str
) -> list[_Placed]:
    placed: list[_Placed] = []
    for start in range(0, len(envelopes), archive.BLOCK_EVENTS):
        part = envelopes[start : start + archive.BLOCK_EVENTS]
        archive.append_block(cursor, block, [envelope.data for envelope in part], at, source)
        placed += [_Placed(envelope, block, position) for position, envelope in enumerate(part)]
        block += 1
    return placed
