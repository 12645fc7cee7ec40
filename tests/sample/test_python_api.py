"""The page on the Python API is true: its examples run against the sample company."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python-api.md"


def test_the_examples_of_the_page_run(sample_db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sample_db.parent)
    result = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 20
    assert result.failed == 0
