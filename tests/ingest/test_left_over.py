"""What a server archived and was killed before it projected is never passed over."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ingest.archive import append_block, tick_after
from ingest.writer import Writer
from lineage.fingerprint import fingerprint
from lineage.store import Store
from lineage.times import utcnow
from tests.ingest.build import loaded, run_event

FIRST = run_event("r1", at="2026-01-01T00:00:00Z", inputs=["a"], outputs=["b"])
SECOND = run_event("r2", at="2026-01-02T00:00:00Z", inputs=["b"], outputs=["c"])


def archive_only(store: Store, event: bytes, at: datetime) -> None:
    """What a live server does before it answers 201."""
    with store.transaction() as cursor:
        append_block(cursor, 1, [event], at, "http")


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(minutes=5)], ids=["tick over", "clock set back"])
def test_a_batch_behind_unprojected_blocks_projects_them_first(store: Store, ahead: timedelta) -> None:
    archive_only(store, FIRST, tick_after(utcnow()) + ahead)
    outcome = Writer(store).ingest([SECOND, FIRST], source="test")
    assert (outcome.accepted, outcome.duplicates) == (1, 1)
    assert fingerprint(store) == fingerprint(loaded(FIRST, SECOND))


def test_what_is_written_together_with_a_batch_is_rolled_back_with_it(store: Store) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        Writer(store).ingest([FIRST], source="test", together=fail)
    Writer(store).ingest([SECOND], source="test", together=lambda cursor: Store.set_meta(cursor, "read", "2"))
    assert (store.get_meta("read"), fingerprint(store)) == ("2", fingerprint(loaded(SECOND)))
