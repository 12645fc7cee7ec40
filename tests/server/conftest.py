"""A running server for each test that wants one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.running import Running, serving


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file that does not exist yet."""
    return tmp_path / "served.duckdb"


@pytest.fixture
def server(database: Path) -> Iterator[Running]:
    """A server on an empty database."""
    with serving(database) as running:
        yield running
