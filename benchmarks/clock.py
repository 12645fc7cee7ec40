"""Time of a step by the clock on the wall and by the processor: the second says what it takes on a quiet machine."""

from __future__ import annotations

import time


class Clock:
    """``with Clock() as spent: …``; then ``str(spent)`` is ``1.23 s (1.10 s of CPU)``."""

    def __enter__(self) -> Clock:
        self._began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self._began[0]
        self.cpu = time.process_time() - self._began[1]

    def __str__(self) -> str:
        return f"{self.wall:.2f} s ({self.cpu:.2f} s of CPU)"

    def each(self, count: int) -> str:
        """Milliseconds for one of so many."""
        return f"{self.wall * 1000 / count:.2f} ms ({self.cpu * 1000 / count:.2f} ms of CPU)"
