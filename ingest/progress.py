"""Progress of long work on stderr, so that output can be piped."""

from __future__ import annotations

import sys
from typing import Any


class Progress:
    """A bar on a terminal, plain lines elsewhere.

    Parameters
    ----------
    label
        what is being done.
    total
        how much there is to do, in any unit; 0 when nobody knows.
    """

    def __init__(self, label: str, total: int) -> None:
        self._label, self._total = label, total
        self._bar: Any = None
        self._task: Any = None
        self._quarter = 0

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
            self._bar = Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=self._total or None)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def to(self, done: int) -> None:
        """``done`` of the total is done; without a bar every quarter of the way is a line."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done)
            return
        quarter = done * 4 // self._total if self._total else 0
        if quarter > self._quarter:
            self._quarter = quarter
            self.line(f"{self._label}: {quarter * 25} %")

    def line(self, text: str) -> None:
        """A line of its own where there is no bar."""
        if self._bar is None:
            print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is its purpose
