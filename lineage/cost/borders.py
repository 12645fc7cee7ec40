"""Which data crosses a border, and how much of it.

A border is that of two regions where the rules say in which both datasets lie, else that of two domains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineage.cost.rules import Rules
    from lineage.cost.runs import RunUse
    from lineage.view import View


class Borders:
    """Reads across borders in the runs of a period: consumers by what they read, with bytes (else reads) as weights."""

    def __init__(self, view: View, runs: list[RunUse], rules: Rules) -> None:
        self._view, self._rules = view, rules
        self._region: dict[int, str | None] = {}
        reads: dict[int, dict[int, list[int | None]]] = {}
        for run in runs:
            for source, size, _ in run.reads:
                for target, _, _ in run.writes:
                    if self._crosses(source, target):
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
        """Consumers of one dataset beyond a border with their weights."""
        return self._weights.get(source, {})

    def region(self, i: int) -> str | None:
        """Region of a dataset by the first rule that fits its name, with or without the namespace."""
        if i not in self._region:
            name, namespace = self._view.snapshot.name(i), self._view.snapshot.namespace(i)
            names = (name, f"{namespace}:{name}", f"{namespace}/{name}")
            fits = (region for regex, region in self._rules.regions if any(regex.match(one) for one in names))
            self._region[i] = next(fits, None)
        return self._region[i]

    def _crosses(self, source: int, target: int) -> bool:
        here, there = self.region(source), self.region(target)
        if here is not None and there is not None:
            return here != there
        return self._view.instant.domain(source) != self._view.instant.domain(target)
