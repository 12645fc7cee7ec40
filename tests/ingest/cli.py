"""Run commands of ``meshline`` inside the test process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lineage.cli import run


class Cli:
    """Commands on a database in a folder of its own.

    Standard output is read at the level of file descriptors, so bytes come out as they are.
    """

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[bytes]) -> None:
        self.folder, self._capture = folder, capture
        self.db = folder / "m.duckdb"

    def write(self, name: str, data: bytes) -> Path:
        """A file in the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def __call__(self, *arguments: str | Path) -> tuple[int, bytes, str]:
        """Exit code, standard output, standard error."""
        self._capture.readouterr()
        code = run([*map(str, arguments), "--db", str(self.db)])
        out, err = self._capture.readouterr()
        assert b"Traceback" not in err
        return code, out, err.decode()

    def json(self, *arguments: str | Path) -> Any:
        """The JSON answer of a command that succeeds."""
        code, out, err = self(*arguments, "--format", "json")
        assert code == 0, err
        return json.loads(out)
