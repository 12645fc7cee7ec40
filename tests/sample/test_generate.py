"""The generator writes what is checked in."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from sample_events import load
from sample_events.generate import CLIENT_VERSION, main


def _installed() -> str | None:
    try:
        return metadata.version("openlineage-python")
    except metadata.PackageNotFoundError:
        return None


@pytest.mark.skipif(
    _installed() != CLIENT_VERSION,
    reason=f"openlineage-python {CLIENT_VERSION} wrote the sample events, {_installed()} is installed",
)
def test_writing_the_sample_again_gives_the_same_bytes(tmp_path: Path) -> None:
    main(tmp_path)
    written = {path.name: path.read_bytes() for path in (tmp_path / "events").iterdir()}
    assert written == {path.name: path.read_bytes() for path in load.EVENTS.iterdir()}
    assert (tmp_path / "receipts.csv").read_bytes() == load.RECEIPTS.read_bytes()
    assert {path.name: path.read_bytes() for path in (tmp_path / "bills").iterdir()} == {
        path.name: path.read_bytes() for path in load.BILLS.iterdir()
    }
    assert (tmp_path / "STORY.md").read_bytes() == (load.HERE / "STORY.md").read_bytes()
