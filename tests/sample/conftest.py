"""The sample events, and a database that has received them at their own receipt times."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sample_events import load


class Received(NamedTuple):
    """One event of the sample and when it was received."""

    at: datetime
    source: str
    event: dict[str, Any]


@pytest.fixture(scope="session")
def received() -> list[Received]:
    """Every event, parsed, in order of receipt."""
    return [Received(at, source, json.loads(line)) for at, source, line in load.events()]


@pytest.fixture(scope="session")
def sample_db(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample company as ``meshline demo`` loads it, with the times of the files, in a copy of its own."""
    copy = tmp_path_factory.mktemp("sample") / "sample.duckdb"
    shutil.copyfile(demo_file, copy)
    return copy
