"""The sample events, and a database that has received them at their own receipt times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ingest.writer import Writer
from lineage.cost.importing import import_files
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.store import Store
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
def sample_db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A database file with the sample events as received, and the six domains."""
    path = tmp_path_factory.mktemp("sample") / "sample.duckdb"
    with Store.open(path) as store:
        writer = Writer(store)
        for at, batch in groupby(load.events(), key=lambda item: item[0]):
            outcome = writer.ingest([line for _, _, line in batch], source="sample_events", received_at=at)
            assert outcome.quarantined == 0, f"refused at {at}: {dict(outcome.reasons)}"
        apply(store, load.DOMAINS.parent)
        import_files(store, [load.BILLS])
        for at in load.check_times():
            Lineage(store).policies.record(at=at)
    yield path
