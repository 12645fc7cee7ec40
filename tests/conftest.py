"""Fixtures and settings that every part of the suite shares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from lineage.store import Store

ROOT = Path(__file__).resolve().parents[1]
EVENTS = ROOT / "tests" / "data" / "events"

# No deadline: how long an example takes says something about the machine, not about the code.
settings.register_profile("local", deadline=None, print_blob=True)
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


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
