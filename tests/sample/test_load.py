"""Moving the sample in time."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sample_events import load

SOME = [line for _, _, line in load.events()][::9]  # every producer, every month


@given(st.datetimes(datetime(2026, 1, 1), datetime(2036, 1, 1)))  # noqa: DTZ001 - naive UTC
def test_the_last_event_lands_in_the_day_before_now(now: datetime) -> None:
    shift = load.shift_for(now)
    assert shift % timedelta(days=1) == timedelta(0)
    assert now - timedelta(days=1) < load.last_event() + shift <= now


def test_no_shift_gives_the_bytes_of_the_files() -> None:
    lines = {line for _, _, line in load.events()}
    assert lines == {line for path in load.EVENTS.glob("*.ndjson") for line in path.read_bytes().splitlines()}


def test_a_shift_of_nothing_would_write_the_same_bytes() -> None:
    for line in SOME:
        assert load.shifted(line, timedelta(0)) == line


def test_shifting_there_and_back_changes_nothing() -> None:
    week = timedelta(weeks=5)
    for line in SOME:
        assert load.shifted(load.shifted(line, week), -week) == line


def test_every_instant_moves_and_nothing_else_does() -> None:
    """Word by word: a text either stays, or is an instant that moved by the shift."""
    shift = timedelta(weeks=3)
    moved_keys = set()
    for line in SOME:
        before, after = list(_texts(json.loads(line))), list(_texts(json.loads(load.shifted(line, shift))))
        assert len(before) == len(after)
        for (key, old), (_, new) in zip(before, after, strict=True):
            if old != new:
                assert datetime.fromisoformat(new) - datetime.fromisoformat(old) == shift
                moved_keys.add(key)
    assert moved_keys == {"eventTime", "nominalStartTime", "nominalEndTime", "lastUpdated", "captureDate"}


def test_receipts_move_with_the_events() -> None:
    shift = timedelta(weeks=2)
    assert [at + shift for at, _, _ in load.events()] == [at for at, _, _ in load.events(shift)]


def test_reading_the_sample_needs_the_standard_library_only() -> None:
    code = (
        "import sys, sample_events, sample_events.load as load; next(load.events());"
        "print(sorted({'openlineage', 'attr', 'duckdb', 'yaml', 'lineage'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _texts(value: object, key: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for k, v in value.items() for pair in _texts(v, k)]
    if isinstance(value, list):
        return [pair for v in value for pair in _texts(v, key)]
    return [(key, value)] if isinstance(value, str) else []


def test_dates_of_declared_files_move_with_the_events(tmp_path: Path) -> None:
    from sample_events.load import HERE, declared

    shift = timedelta(weeks=21)
    assert declared(tmp_path, timedelta(0)) == HERE
    folder = declared(tmp_path, shift)
    old, new = (f / "contracts" / "web-sessions-1.yaml" for f in (HERE, folder))
    assert 'value: "2026-06-01T00:00:00Z"' in old.read_text()
    assert new.read_text() == old.read_text().replace("2026-06-01T", "2026-10-26T")
    assert 'valid_from: "2026-05-28"' in (folder / "domains" / "sales.yaml").read_text()
    assert {f.relative_to(HERE) for f in HERE.glob("*/*.yaml")} == {
        f.relative_to(folder) for f in folder.glob("*/*.yaml")
    }
