"""Retention of the archive: which bytes of events may go, and how they go.

Whole blocks go from the oldest on. What stays of their events is a row of ``event`` without a place: that they were
accepted, so that they are known again when they are sent once more. Everything that was derived from them stays too.

Of a run whose end is still to come the events are carried over into a new block, as is every event of a run that told
something behind the last removed block: what they make changes with the events that follow. The newest block stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ingest import archive
from lineage.store import Store

if TYPE_CHECKING:
    import duckdb

SOURCE = "retention"  # of blocks that hold what was carried over
_SILENT = timedelta(days=30)  # a batch run without an end that told nothing for so long has none to come

_BLOCKS = """
-- one block of the archive, newest first, with the number of events behind it
SELECT block, received_at, n, octet_length(body), sum(n) OVER (ORDER BY block DESC) - n AS behind
FROM raw WHERE block IS NOT NULL ORDER BY block DESC
"""
_GOING = """
-- one event whose bytes may go: its run, if it has one, has ended and told nothing behind the last removed block
SELECT e.rowid AS id FROM event e LEFT JOIN (
  SELECT run, bool_or(block > $block) AS later FROM event WHERE run IS NOT NULL GROUP BY run
) w ON w.run = e.run
LEFT JOIN run r ON r.run = e.run AND r.known_to = '9999-12-31'
WHERE e.block <= $block AND (e.run IS NULL OR NOT w.later AND (
  r.state IN ('COMPLETE', 'FAIL', 'ABORT') OR r.processing = 'BATCH' AND r.last_event < $silent))
"""
_LET_GO = f"UPDATE event SET block = NULL, position = NULL WHERE rowid IN ({_GOING})"  # noqa: S608 - a constant
_CARRIED = """
-- one event of a removed block that stays, by the place of its bytes
SELECT rowid, block, position FROM event WHERE block <= ? ORDER BY block, position
"""
RECEIVED_BEFORE = "received_before"  # setting: how many events stood in blocks that went


@dataclass(frozen=True, slots=True)
class ArchivePlan:
    """What goes of the archive: blocks up to ``block``, known at ``known``; ``None`` when nothing may go."""

    block: int
    known: datetime
    silent: datetime  # a batch run without an end that told nothing since then has none to come
    events: int
    blocks: tuple[tuple[int, int], ...]  # [first, last] of the blocks that go
    bytes: int
    kept: int  # events whose bytes stay


def plan_archive(
    cursor: duckdb.DuckDBPyConnection, before: datetime | None, keep: int | None, now: datetime
) -> ArchivePlan | None:
    """What a rule lets go of the archive.

    Parameters
    ----------
    before
        only what was received before that; ``None``: whatever its age.
    keep
        the newest so many events stay.
    now
        naive UTC.
    """
    rows = cursor.execute(_BLOCKS).fetchall()
    if not rows:
        return None
    newest = rows[0][1]

    def may_go(row: tuple[int, datetime, int, int, int]) -> bool:
        return row[1] < newest and (before is None or row[1] < before) and (keep is None or row[4] >= keep)

    staying = {row[1] for row in rows if not may_go(row)}  # one receipt time is one batch: it goes as a whole
    fits = [row for row in rows if row[1] not in staying]
    if not fits:
        return None
    block, known = fits[0][:2]
    silent = (before or now) - _SILENT
    asked = {"block": block, "silent": silent}
    going = cursor.execute(f"SELECT count(*) FROM ({_GOING})", asked).fetchall()[0][0]  # noqa: S608 - a constant
    if not going:
        return None
    total = cursor.execute("SELECT count(*) FROM event WHERE block IS NOT NULL").fetchall()[0][0]
    size = sum(row[3] for row in fits)
    return ArchivePlan(block, known, silent, going, tuple(_ranges(row[0] for row in fits)), size, total - going)


def remove_blocks(cursor: duckdb.DuckDBPyConnection, plan: ArchivePlan) -> None:
    """Carry a plan out, inside the caller's transaction; everything in the archive is projected and logged."""
    cursor.execute(_LET_GO, {"block": plan.block, "silent": plan.silent})
    carried = cursor.execute(_CARRIED, [plan.block]).fetchall()
    for start in range(0, len(carried), archive.BLOCK_EVENTS):
        _carry(cursor, carried[start : start + archive.BLOCK_EVENTS])
    gone = cursor.execute("SELECT sum(n) FROM raw WHERE block <= ?", [plan.block]).fetchall()[0][0] - len(carried)
    before = cursor.execute("SELECT value FROM meta WHERE key = ?", [RECEIVED_BEFORE]).fetchall()
    Store.set_meta(cursor, RECEIVED_BEFORE, str(int(before[0][0]) + gone if before else gone))
    cursor.execute("DELETE FROM raw WHERE block IS NULL OR block <= ?", [plan.block])  # padding goes with its blocks


def _carry(cursor: duckdb.DuckDBPyConnection, rows: Sequence[tuple[int, int, int]]) -> None:
    """Events into a new block at the end of the archive; when they were received stays in ``event``."""
    found = archive.fetch(cursor, [(block, position) for _, block, position in rows])
    number, received_at = archive.tail(cursor)
    assert received_at is not None, "the newest block stays"
    archive.append_block(cursor, number, [found[row[1], row[2]] for row in rows], received_at, SOURCE)
    cursor.execute(
        "UPDATE event SET block = $block, position = new.position "
        "FROM (SELECT unnest($ids::BIGINT[]) AS id, unnest($places::UINTEGER[]) AS position) AS new "
        "WHERE event.rowid = new.id",
        {"block": number, "ids": [row[0] for row in rows], "places": list(range(len(rows)))},
    )
    Store.set_meta(cursor, "projected_block", str(number))


def _ranges(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Whole numbers as [first, last] of those that follow each other, ascending.

    >>> list(_ranges([7, 2, 3, 1]))
    [(1, 3), (7, 7)]
    """
    first = last = None
    for number in sorted(numbers):
        if first is None or last is None or number > last + 1:
            if first is not None and last is not None:
                yield first, last
            first = number
        last = number
    if first is not None and last is not None:
        yield first, last
