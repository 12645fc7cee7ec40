"""Fixtures of the ingest tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingest.cli import Cli


@pytest.fixture
def meshline(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Cli:
    """``meshline`` with a database of its own."""
    return Cli(tmp_path, capfdbinary)
