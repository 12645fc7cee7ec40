"""Which data crosses from one domain to another, and how much of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineage.cost.runs import RunUse
    from lineage.view import View


class Borders:
    """Reads across domains in the runs of a period: consumers by what they read, with bytes (else reads) as weights."""

    def __init__(self, view: View, runs: list[RunUse]) -> None:
        reads: dict[int, dict[int, list[int | None]]] = {}
        for run in runs:
            for source, size, _ in run.reads:
                for target, _, _ in run.writes:
                    if view.instant.domain(source) != view.instant.domain(target):
                        reads.setdefault(source, {}).setdefault(target, []).append(size)
        self.bytes: dict[int, dict[int, int]] = {}
        self._weights: dict[int, dict[int, int]] = {}
        for source, targets in reads.items():
            told = all(size is not None for sizes in targets.values() for size in sizes)
            found = {
                target: sum(size or 0 for size in sizes) if told else len(sizes) for target, sizes in targets.items()
            }
            self._weights[source] = dict(sorted(found.items()))
            if told:
                self.bytes[source] = self._weights[source]
        every = set(reads) == set(self.bytes)
        self.all: dict[int, int] = {}
        for weights in self._weights.values():
            for target, weight in weights.items():
                self.all[target] = self.all.get(target, 0) + (weight if every else 1)

    def of(self, source: int) -> dict[int, int]:
        """Consumers of one dataset in other domains with their weights."""
        return self._weights.get(source, {})
