"""The one writer: events in, archive and derived tables out, each batch in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from ingest import altered, archive, quarantine, scan, tables
from ingest.derive import Derivation
from ingest.envelope import Envelope, Refusal, event_hash
from ingest.horizon import Horizon
from ingest.model import EventFacts
from ingest.outcome import NOTED, Line, Noted, Outcome
from ingest.project import Projector
from ingest.quarantine import Rejected
from lineage.collector import Ages, paused
from lineage.store import Store
from lineage.store.version import EXACT_RUN_IDS, count_batch
from lineage.times import utcnow

if TYPE_CHECKING:
    import duckdb

BATCH_EVENTS = 5_000  # larger batches gain 5 % and cost memory
_TRIM_AFTER = 100_000  # events; a batch of 5,000 writes 5 MB, of which nobody asks for most again
_PENDING_BLOCKS = 200
_WATERMARK = "projected_block"
_PENDING = """
-- one row per archived block behind the watermark
SELECT block, received_at FROM raw
WHERE block > (SELECT coalesce(max(value::UBIGINT), 0) FROM meta WHERE key = ?) ORDER BY block LIMIT ?
"""
_NEWEST = """
-- one row: number and receipt time of the newest block, the watermark, whether secrets are masked before storage
SELECT max(block), max(received_at),
  (SELECT value FROM meta WHERE key = ?), (SELECT value FROM meta WHERE key = ?) FROM raw
"""
_KNOWN_UNTIL = """
-- one row: time of the newest event from the given time on; zone maps pass over everything before it
SELECT epoch_us(max(event_time)) FROM event WHERE event_time >= make_timestamp(?)
"""
_KNOWN = """
-- one row per event of the batch that the store has
SELECT hash FROM event
WHERE event_time BETWEEN make_timestamp(?) AND make_timestamp(?) AND hash IN (SELECT unnest(?::BLOB[]))
"""
_KNOWN_OF_MANY = """
-- the same, asked by a table
SELECT hash FROM event SEMI JOIN _asked USING (hash) WHERE event_time BETWEEN make_timestamp(?) AND make_timestamp(?)
"""
_FEW = 64  # hashes that cost less as a list than as an Arrow table


class _Block(NamedTuple):
    """A block of the archive."""

    number: int
    received_at: datetime


class _Newest(NamedTuple):
    """The end of the archive (block 0: it is empty), and whether secrets are masked before storage."""

    block: int
    received_at: datetime | None
    masks: bool


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
        self._projector = Projector(exact=store.get_meta(EXACT_RUN_IDS) is not None)
        self._derivation = Derivation(self._projector)
        self._horizon = Horizon()
        self._since_trim = 0  # events
        self._ages = Ages()

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
        newest = self._newest()
        with self._writing() as cursor:
            inputs = [item if isinstance(item, Line) else Line(item) for item in lines]
            new, rejected = self._read(cursor, inputs, outcome)
            at = archive.receipt_time(newest.received_at, received_at or utcnow())
            back = {line.original for line in inputs if line.original is not None}
            originals = altered.note(cursor, (event for event in new if event.hash in back)) if back else {}
            if newest.masks:
                new, masked = altered.mask(cursor, new)
                originals |= masked
                rejected = altered.mask_rejected(rejected)
            placed = _archive(cursor, newest.block + 1, new, at, source, originals)
            quarantine.put(cursor, rejected, at, source)
            if placed or rejected:
                rows = self._project(cursor, placed, at, placed[-1].block if placed else None)
                _note(outcome, rows, inputs, source)
            if together is not None:
                together(cursor)
        self._since_trim += outcome.accepted
        if self._since_trim >= _TRIM_AFTER:
            self._since_trim = 0
            self._store.trim()
        return outcome

    def _newest(self) -> _Newest:
        """Where the archive ends, once everything in it is projected."""
        while True:
            block, at, watermark, masks = self._store.rows(_NEWEST, [_WATERMARK, altered.SETTING])[0]
            if (block or 0) <= int(watermark or 0):
                return _Newest(block or 0, at, masks == "true")
            self.catch_up()

    def _read(
        self, cursor: duckdb.DuckDBPyConnection, inputs: Sequence[Line], outcome: Outcome
    ) -> tuple[list[Envelope], list[Rejected]]:
        """What of the inputs is new, and what is refused; the rest is known and only counted.

        What the store has already is told by its digest and never read, which makes sending a file again cheap.
        """
        hints = [scan.hint(line.data) for line in inputs]
        until = self._until(cursor, [at for at in hints if at is not None])
        asked = {
            i: inputs[i].original or event_hash(inputs[i].data)
            for i, at in enumerate(hints)
            if at is not None and at <= until
        }
        known = self._known(cursor, [(hints[i] or 0, digest) for i, digest in asked.items()])
        found: dict[bytes, Envelope] = {}
        unsure: list[Envelope] = []
        rejected: list[Rejected] = []
        for i, line in enumerate(inputs):
            digest = asked.get(i) or line.original or event_hash(line.data)
            if digest in known or digest in found:
                outcome.duplicates += 1
                continue
            envelope = scan.read(line.data, digest)
            if isinstance(envelope, Refusal):
                rejected.append(Rejected(line.data, envelope, line.number, line.source))
                outcome.reasons[envelope.reason] += 1
                continue
            found[digest] = envelope
            if envelope.at != hints[i]:
                unsure.append(envelope)
        if unsure:
            known = self._known(cursor, [(envelope.at, envelope.hash) for envelope in unsure])
            outcome.duplicates += len(known)
            found = {digest: envelope for digest, envelope in found.items() if digest not in known}
        outcome.read, outcome.accepted, outcome.quarantined = len(inputs), len(found), len(rejected)
        return list(found.values()), rejected

    def project_pending(
        self, now: datetime | None = None, fresh: MutableMapping[int, Sequence[Envelope]] | None = None
    ) -> int:
        """Derive from blocks that were archived and not yet projected; ``0`` when there are none.

        Blocks of one receipt time are one batch, and a batch is taken only when its tick is over: nothing can join
        it later.

        Parameters
        ----------
        now
            an instant at which no block was being written (default: now, when nobody else writes).
        fresh
            events of blocks that were read lately, by block, taken out as they are used; the others are read back
            from the archive.
        """
        now = now or utcnow()
        # a receipt time further ahead than a tick is no running tick: the clock of this machine was set back
        pending = [block for block in self._pending() if not now < block.received_at <= now + archive.LONGEST_TICK]
        if len(pending) == _PENDING_BLOCKS and pending[0].received_at < pending[-1].received_at:
            pending = [
                block for block in pending if block.received_at < pending[-1].received_at
            ]  # the last tick may go on behind the limit
        done = 0
        for at, blocks in groupby(pending, key=lambda block: block.received_at):
            done += self._project_blocks(at, list(blocks), {} if fresh is None else fresh)
        return done

    def has_pending(self) -> bool:
        """Whether events are archived that were not projected yet."""
        return bool(self._store.rows(_PENDING, [_WATERMARK, 1]))

    def catch_up(self) -> None:
        """Derive from what a server archived and was killed before it could project it.

        A new batch needs it first, since the watermark then stands behind it. That the last tick may still go on does
        no harm: the new batch comes later or at the same instant.
        """
        while pending := self._pending():
            for at, blocks in groupby(pending, key=lambda block: block.received_at):
                self._project_blocks(at, list(blocks), {})

    def _pending(self) -> list[_Block]:
        """Archived blocks behind the watermark, so many at most."""
        return [_Block(*row) for row in self._store.rows(_PENDING, [_WATERMARK, _PENDING_BLOCKS])]

    def _project_blocks(
        self, at: datetime, blocks: Sequence[_Block], fresh: MutableMapping[int, Sequence[Envelope]]
    ) -> int:
        count = 0
        held = {block.number: fresh.pop(block.number, None) for block in blocks}
        with self._writing() as cursor:
            bodies = archive.read_blocks(cursor, [number for number, envelopes in held.items() if envelopes is None])
            placed: dict[bytes, _Placed] = {}
            for block in blocks:
                envelopes = held[block.number]
                if not envelopes:
                    envelopes = [_archived(data) for data in bodies[block.number]]
                    altered.restore(cursor, envelopes)
                count += len(envelopes)
                for position, envelope in enumerate(envelopes):
                    placed.setdefault(envelope.hash, _Placed(envelope, block.number, position))
            asked = [(item.envelope.at, digest) for digest, item in placed.items()]
            if len(asked) > _FEW:
                until = self._until(cursor, [at for at, _ in asked])
                asked = [pair for pair in asked if pair[0] <= until]
            known = self._known(cursor, asked)
            new = [item for digest, item in placed.items() if digest not in known]
            self._project(cursor, new, at, blocks[-1].number)
        self._store.batches += 1
        return count

    def _writing(self) -> _Writing:
        return _Writing(self._store, self._derivation, self._ages)

    def _project(
        self, cursor: duckdb.DuckDBPyConnection, placed: Sequence[_Placed], at: datetime, watermark: int | None
    ) -> list[tables.Row]:
        """Events into rows, which are returned; they are new, and all up to ``watermark`` lies in the archive."""
        rows = self._derive(cursor, placed, tables.micros(at)) if placed else []
        tables.append(cursor, "event", tables.EVENT_COLUMNS, rows)
        count_batch(cursor, (row[0] for row in rows), None if watermark is None else (_WATERMARK, str(watermark)))
        return rows

    def _derive(self, cursor: duckdb.DuckDBPyConnection, placed: Sequence[_Placed], known_at: int) -> list[tables.Row]:
        """Derive from events; their rows of ``event``."""
        facts = [self._projector.read(item.envelope) for item in placed]
        late, apart = self._horizon.late(
            cursor, ((event, item.block) for event, item in zip(facts, placed, strict=True))
        )
        self._derivation.apply(cursor, [f for f in facts if f.hash not in apart] if apart else facts, known_at)
        return [
            (
                event.hash, event.at, known_at, event.kind, event.event_type,
                None if event.hash in apart else event.run,
                event.job.id if event.job else None, event.dataset.id if event.dataset else None, event.producer,
                item.block, item.position, _notes(event, late),
            )
            for event, item in zip(facts, placed, strict=True)
        ]  # fmt: skip

    @staticmethod
    def _until(cursor: duckdb.DuckDBPyConnection, times: Sequence[int]) -> int:
        """Time of the newest event that the store has, as far as it lies among these; events behind it are new.

        Nearly all events of a stream are: they need not be looked up, nor be hashed before they are read.
        """
        if not times:
            return -1
        found: int | None = cursor.execute(_KNOWN_UNTIL, [min(times)]).fetchall()[0][0]
        return min(times) - 1 if found is None else found

    @staticmethod
    def _known(cursor: duckdb.DuckDBPyConnection, wanted: Sequence[tuple[int, bytes]]) -> set[bytes]:
        """Which of these events, given by (time, hash), the store has.

        Bounded by the batch's times, so that zone maps keep the cost independent of the size of the table.
        """
        if not wanted:
            return set()
        times, hashes = zip(*wanted, strict=True)
        if len(hashes) > _FEW:
            return tables.known_of(cursor, _KNOWN_OF_MANY, [min(times), max(times)], hashes)
        known = cursor.execute(_KNOWN, [min(times), max(times), list(hashes)]).fetchall()
        return {bytes(row[0]) for row in known}


class _Writing:
    """A write transaction after whose failure everything kept in memory is dropped."""

    def __init__(self, store: Store, derivation: Derivation, ages: Ages) -> None:
        self._transaction = store.transaction()
        self._paused = paused(ages)
        self._derivation = derivation

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        cursor = self._transaction.__enter__()
        self._paused.__enter__()
        return cursor

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        written = False
        try:
            self._transaction.__exit__(kind, error, trace)  # type: ignore[arg-type]
            written = kind is None
        finally:
            self._paused.__exit__(None, None, None)
            if not written:
                self._derivation.forget()


def _archive(
    cursor: duckdb.DuckDBPyConnection,
    block: int,
    envelopes: Sequence[Envelope],
    at: datetime,
    source: str,
    originals: archive.Originals,
) -> list[_Placed]:
    size = archive.BLOCK_EVENTS
    data = [envelope.data for envelope in envelopes]
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    if blocks:
        archive.append_blocks(cursor, block, blocks, at, source, originals)
    return [_Placed(envelope, block + i // size, i % size) for i, envelope in enumerate(envelopes)]


def _notes(event: EventFacts, late: dict[bytes, str]) -> str | None:
    notes = (*event.notes, late[event.hash]) if event.hash in late else event.notes
    return json.dumps(notes, ensure_ascii=False) if notes else None


def _note(outcome: Outcome, rows: Sequence[tables.Row], inputs: Sequence[Line], source: str) -> None:
    """Tell where the events stand that have notes, as far as they have a place."""
    noted = {row[0]: row[-1] for row in rows if row[-1] is not None}
    if not noted:
        return
    for line in inputs:
        if line.number is not None and (notes := noted.pop(event_hash(line.data), None)) is not None:
            told = [Noted(line.source or source, line.number, note) for note in json.loads(notes)]
            outcome.noted += len(told)
            outcome.notes += told[: NOTED - len(outcome.notes)]
        if not noted:
            return


def _archived(data: bytes) -> Envelope:
    envelope = scan.read(data)
    assert isinstance(envelope, Envelope), "only readable events are archived"
    return envelope
