"""Costs by a rate card, for those without a bill; never where a bill covers the account and month (semantics 21)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from lineage.cost.borders import Borders
from lineage.cost.periods import Period, month_of
from lineage.cost.rules import Rate, Rules
from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.cost.runs import RunClues, RunUse
    from lineage.view import View

_COVERED = """
-- months and accounts that a bill covers, as known at K
SELECT DISTINCT date_trunc('month', period_start)::TIMESTAMP, account FROM bill_part p
WHERE known_from <= $known AND known_to > $known
  AND EXISTS (SELECT 1 FROM charge c WHERE c.part = p.part AND c.basis = 'billed')
"""
_SIZES = """
-- last known size of every dataset that was written before the end of the period, as known at K
SELECT dataset, arg_max(byte_count, last_at) FROM run_io
WHERE direction = 'out' AND byte_count IS NOT NULL AND known_from <= $known AND known_to > $known AND last_at < $end
GROUP BY dataset ORDER BY dataset
"""
_SECOND = Decimal(1_000_000)


class Estimates:
    """Prices of one period."""

    def __init__(self, view: View, period: Period, rules: Rules, told: RunClues | None) -> None:
        self._view, self._period, self._rules, self._told = view, period, rules, told
        self._rates = rules.rates
        covered = view.store.rows(_COVERED, {"known": view.known_at})
        self._months = {month for month, _ in covered}
        self._accounts = set(covered)
        self.gaps: list[str] = []

    def of_runs(self, runs: list[RunUse]) -> Iterator[tuple[RunUse, Rate, int]]:
        """Seconds and bytes of every run that began in the period, at the rate of its engine and day."""
        missing: dict[str, list[datetime]] = {}
        for run in runs:
            if not self._period.start <= run.started < self._period.stop:
                continue
            fitting = [rate for rate in self._rates if self._fits(rate, run)]
            valid = [rate for rate in fitting if rate.since <= run.started < rate.until]
            if fitting and not valid:
                missing.setdefault(run.engine or "an engine without name", []).append(run.started)
            for rate in valid:
                amount = self._price(rate, run)
                if amount and not self._is_covered(rate, run.started):
                    yield run, rate, amount
        self.gaps = [
            f"{len(days)} runs of {engine} have no price ({min(days):%Y-%m-%d} to {max(days):%Y-%m-%d})"
            for engine, days in sorted(missing.items())
        ]

    def of_storage(self) -> Iterator[tuple[int, Rate, int]]:
        """Bytes that lie there, for each month of the period."""
        rates = [rate for rate in self._rates if "byte_stored" in rate.prices]
        if not rates:
            return
        month = self._period.start
        while month < self._period.end:
            after = month_of(month).end
            for dataset, size in self._view.store.rows(_SIZES, {"known": self._view.known_at, "end": after}):
                node = self._view.snapshot.index(dataset)
                for rate in rates:
                    if node is not None and rate.since <= month < rate.until and not self._is_covered(rate, month):
                        amount = _whole(rate.prices["byte_stored"] * size)
                        if amount:
                            yield node, rate, amount
            month = after

    def of_egress(self, runs: list[RunUse]) -> Iterator[tuple[int, Rate, int]]:
        """Bytes that are read across a border, charged to who reads them.

        A price for a pair of regions counts where both are known and fit; of several that fit, the first declared.
        """
        rates = [rate for rate in self._rules.rates if "byte_egressed" in rate.prices]
        moments = sorted({self._period.start, *(edge for rate in rates for edge in (rate.since, rate.until))})
        spans = [*pairwise(moments), (moments[-1], OPEN_END)] if rates else []
        for begin, end in spans:  # within one of them the same prices hold
            valid = [rate for rate in rates if rate.since <= begin < rate.until]
            inside = [run for run in runs if begin <= run.started < end and run.started < self._period.stop]
            for month in sorted({month_of(run.started).start for run in inside} if valid else ()):
                mine = [run for run in inside if month_of(run.started).start == month]
                card = [rate for rate in valid if not self._is_covered(rate, month)]
                yield from self._egress(Borders(self._view, mine, self._rules), card)

    def _egress(self, borders: Borders, card: list[Rate]) -> Iterator[tuple[int, Rate, int]]:
        for source, targets in borders.bytes.items():
            for target, size in targets.items():
                pair = borders.region(source), borders.region(target)
                taken: set[str] = set()
                for rate in card:
                    if rate.currency in taken or not _between(rate, *pair):
                        continue
                    taken.add(rate.currency)
                    amount = _whole(rate.prices["byte_egressed"] * size)
                    if amount:
                        told = f"{rate.rule} ({pair[0]} to {pair[1]})" if None not in pair else rate.rule
                        yield target, replace(rate, rule=told), amount

    def _fits(self, rate: Rate, run: RunUse) -> bool:
        snapshot = self._view.snapshot
        name = f"{snapshot.namespace(run.job)}:{snapshot.name(run.job)}"
        return bool(rate.engine.match(run.engine or "")) and bool(rate.jobs.match(name))

    def _is_covered(self, rate: Rate, at: datetime) -> bool:
        month = month_of(at).start
        return (month, rate.account) in self._accounts if rate.account else month in self._months

    def _price(self, rate: Rate, run: RunUse) -> int:
        prices, total = rate.prices, Decimal(0)
        length = (min(run.ended, self._period.stop) - run.started) // timedelta(microseconds=1)
        total += prices.get("run_second", Decimal(0)) * Decimal(max(0, length)) / _SECOND
        total += prices.get("byte_scanned", Decimal(0)) * (run.read_bytes or 0)
        total += prices.get("byte_written", Decimal(0)) * sum(size or 0 for _, size, _ in run.writes)
        billed = self._told.billed_bytes.get(run.run, 0) if self._told else 0
        total += prices.get("byte_billed", Decimal(0)) * billed
        return _whole(total)


def _between(rate: Rate, source: str | None, target: str | None) -> bool:
    """Whether a price is for a pair of regions."""
    sides = ((rate.source, source), (rate.target, target))
    return all(glob is None or (region is not None and bool(glob.match(region))) for glob, region in sides)


def _whole(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_HALF_EVEN))
