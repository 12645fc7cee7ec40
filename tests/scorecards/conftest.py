"""The sample company, asked at the end of its story."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from lineage.engine import Lineage
from lineage.store import Store
from sample_events.load import last_event


@pytest.fixture(scope="module")
def lx(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lineage]:
    """The demo, in a copy that the tests of one file may write to."""
    copy = tmp_path_factory.mktemp("scores") / "demo.duckdb"
    shutil.copy(demo_file, copy)
    with Store.open(copy) as store:
        yield Lineage(store)


@pytest.fixture(scope="session")
def end() -> datetime:
    """Time of the last event."""
    return last_event()
