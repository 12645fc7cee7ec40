"""Fixtures and settings that every part of the suite shares."""

from __future__ import annotations

import fcntl
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from lineage.store import Store

ROOT = Path(__file__).resolve().parents[1]
EVENTS = ROOT / "tests" / "data" / "events"

# No deadline: how long an example takes says something about the machine, not about the code.
# Examples per property: few, since the suite runs before every change; MESHLINE_EXAMPLES=1000 searches for longer.
EXAMPLES = int(os.environ.get("MESHLINE_EXAMPLES", "40"))
settings.register_profile("local", deadline=None, print_blob=True, max_examples=EXAMPLES)
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")

# What was imported and collected lives as long as the process: looking through it again and again finds nothing.
gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def _own_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own database is out of reach of every test."""
    monkeypatch.delenv("MESHLINE_DB", raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store in a file of its own."""
    with Store.open(tmp_path / "meshline.duckdb") as opened:
        yield opened


@pytest.fixture(scope="session")
def events() -> Path:
    """Folder of recorded events; ``MANIFEST.json`` in it says where each file comes from."""
    return EVENTS


@pytest.fixture(scope="session")
def repo() -> Path:
    """Root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of ``meshline demo``, with the times of the files; loaded once for all workers. Copy it to write."""
    own = tmp_path_factory.getbasetemp()
    folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    made = folder / "demo.duckdb"
    with (folder / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            from dashboard.demo import load
            from sample_events.load import last_event

            fresh = folder / "loading.duckdb"
            with Store.open(fresh) as opened:
                load(opened, now=last_event())
            fresh.rename(made)
    return made
