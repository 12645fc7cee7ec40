"""Fixtures of the ingest tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ingest.cli import Cli


@pytest.fixture
def meshline(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Iterator[Cli]:
    """``meshline`` with a database of its own."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield Cli(tmp_path, capfdbinary)
    root.handlers[:] = before  # long-running commands log to the captured stderr, which is closed soon
    root.setLevel(level)
