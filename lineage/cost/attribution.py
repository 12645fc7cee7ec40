"""From charges to nodes: own cost, to the last unit of the bill (semantics 22).

Charges of a period are added up by what they are for; each sum is placed by the ladder. What a node, product or domain
is named for goes there at once. What many runs share is divided by their overlap with each charge period and their
usage; what nobody used is idle. The cost of a run goes to what it wrote, that of a failed run stays with its job.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.cost import pools as sharing
from lineage.cost.borders import Borders
from lineage.cost.estimates import Estimates
from lineage.cost.ladder import UNALLOCATED, Ladder, Names, Place, read_tags
from lineage.cost.money import split
from lineage.cost.periods import Period
from lineage.cost.rules import Rules, load_rules
from lineage.cost.runs import RunClues, RunUse, clues, runs_of
from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.view import View

METRICS = ("billed", "effective", "contracted", "listed")
_KEY_FIELDS = (
    "provider", "account", "sub_account", "sub_account_name", "currency", "category", "class", "service",
    "service_category", "sku", "meter", "description", "resource", "resource_name", "resource_type", "region", "unit",
    "query", "tags",
)  # fmt: skip

_PARTS = "p.known_from <= $known AND p.known_to > $known AND p.period_start >= $start AND p.period_start < $end"
_UNTIL = "c.started_at < $until"  # a bill of a month that the instant lies in: what was billed until then


def _sums(metric: str) -> str:
    """One row per thing that is charged for in a period, with its sum; estimates that a bill covers are left out."""
    return f"""
WITH mine AS (SELECT * FROM bill_part p WHERE {_PARTS}), covered AS (
  SELECT DISTINCT p.provider, p.account, p.period_start FROM charge c JOIN mine p USING (part) WHERE c.basis = 'billed'
)
SELECT c.key, c.basis, sum(coalesce(c.{metric}, c.billed))::HUGEINT,
  {", ".join(f"any_value(k.{name})" for name in _KEY_FIELDS)}
FROM charge c JOIN mine p USING (part) JOIN charge_key k USING (key)
WHERE {_UNTIL} AND (c.basis = 'billed' OR NOT EXISTS (
  SELECT 1 FROM covered v WHERE v.provider = p.provider AND v.account = p.account AND v.period_start = p.period_start
))
GROUP BY c.key, c.basis ORDER BY c.key, c.basis
"""  # noqa: S608 - our own names


def _windows(metric: str) -> str:
    """One row per thing, charge period and basis, for what is shared."""
    return f"""
SELECT c.key, c.basis, c.started_at, c.ended_at, sum(coalesce(c.{metric}, c.billed))::HUGEINT
FROM charge c JOIN bill_part p USING (part)
WHERE {_PARTS} AND {_UNTIL} AND c.key IN (SELECT unnest($keys::UBIGINT[]))
GROUP BY ALL ORDER BY ALL
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the cost of a period. ``node`` is a dense index, else ``line`` names what is no node.

    ``job`` caused it, where that is known; ``key`` is the charge it comes from, ``pool`` what it was shared in.
    """

    currency: str
    basis: str  # 'billed' (a line of a bill) or 'estimated'
    node: int | None
    line: str | None
    method: str
    rule: str
    service: str
    job: int | None
    key: int | None
    pool: str | None
    amount: int


@dataclass
class Attribution:
    """All costs of a period at their places; ``billed`` is what the bills and estimates say, by currency."""

    period: Period
    metric: str
    parts: list[Part]
    billed: dict[str, int]
    rules: Rules
    runs: list[RunUse] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)  # runs that no rate has a price for
    pooled: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)  # pool, currency, service -> charges

    def currencies(self) -> list[str]:
        """Currencies in order."""
        return sorted(self.billed)

    def own(self, currency: str) -> dict[int | str, int]:
        """Own cost by dense index or line; sums to ``billed[currency]``."""
        found: dict[int | str, int] = defaultdict(int)
        for part in self.parts:
            if part.currency == currency:
                found[part.line if part.node is None else part.node] += part.amount  # type: ignore[index]
        return dict(found)


_Slot = tuple[str, str, int | None, str | None, str, str, str, int | None, int | None, str | None]


class _Book:
    """Adds up parts."""

    def __init__(self) -> None:
        self.amounts: dict[_Slot, int] = defaultdict(int)

    def add(self, head: tuple[str, str, str], place: Place, amount: int, **more: Any) -> None:
        currency, basis, service = head
        slot = (
            currency, basis, more.get("node", place.node), more.get("line", place.line),
            more.get("method", place.method), place.rule, service, more.get("job"), more.get("key"), place.pool,
        )  # fmt: skip
        self.amounts[slot] += amount

    def parts(self) -> list[Part]:
        return [
            Part(currency, basis, node, None if node is not None else line, method, rule, service, job, key, pool, n)
            for (currency, basis, node, line, method, rule, service, job, key, pool), n in self.amounts.items()
            if n
        ]


def attribute(view: View, period: Period, metric: str, products: Mapping[str, Any]) -> Attribution:
    """Place all costs of a period.

    Parameters
    ----------
    view
        the instant; its known time decides which bills, runs and rules are known.
    period
        months of bills; a charge belongs to the billing period it is billed in.
    metric
        ``billed``, ``effective``, ``contracted`` or ``listed``.
    products
        data products by name.
    """
    rules = load_rules(view.store, max(view.as_of, utcnow()), view.known_at)
    when = {"known": view.known_at, **period.spans}
    rows = view.store.rows(_sums(metric), when)
    charges = [(row[0], row[1], int(row[2]), dict(zip(_KEY_FIELDS, row[3:], strict=True))) for row in rows]
    told = clues(view, period.start, period.stop) if _wants_clues(charges, rules) else None
    ladder = Ladder(
        rules,
        view.instant.remember("names for bills", lambda: Names(view)),
        view.instant.domains.domains,
        products,
        told,
    )
    book = _Book()
    billed: dict[str, int] = defaultdict(int)
    shared: dict[int, tuple[Place, dict[str, str | None]]] = {}
    by_run: list[tuple[tuple[str, str, str], Place, int, int]] = []
    by_job: list[tuple[tuple[str, str, str], Place, int, int]] = []
    crossing: list[tuple[tuple[str, str, str], Place, int, int]] = []
    for key, basis, amount, charge in charges:
        place = ladder.place(charge)
        head = (charge["currency"] or "", basis, charge["service"] or "")
        billed[head[0]] += amount
        if place.pool is not None:
            shared[key] = (place, charge)
        elif place.run is not None:
            by_run.append((head, place, key, amount))
        elif place.node is not None and view.kind(place.node) == "job":
            by_job.append((head, place, key, amount))
        elif place.egress:
            crossing.append((head, place, key, amount))
        else:
            book.add(head, place, amount, key=key)
    runs = runs_of(view, period.start, period.stop) if shared or by_run or by_job or crossing or rules.rates else []
    by_id = {run.run: run for run in runs}
    for head, place, key, amount in by_run:
        _to_run(book, head, place, amount, by_id.get(place.run or 0), key=key)
    _to_jobs(book, runs, by_job)
    _share(book, view, when, metric, rules, told, runs, shared)
    if crossing:
        _cross(book, Borders(view, runs, rules), crossing)
    result = Attribution(period, metric, [], billed, rules, runs)
    for key, (place, charge) in shared.items():
        what = place.pool or "", charge["currency"] or "", charge["service"] or ""
        result.pooled.setdefault(what, []).append(key)
    _estimate(book, view, result, told)
    result.parts = book.parts()
    return result


def _wants_clues(charges: list[tuple[int, str, int, dict[str, str | None]]], rules: Rules) -> bool:
    """Whether events have to be read for ids of queries and clusters, which no table holds."""
    if any("byte_billed" in rate.prices for rate in rules.rates) or any(pool.usage == "cpu" for pool in rules.pools):
        return True
    for _, _, _, charge in charges:
        if charge["query"] or "cluster" in f"{charge['resource']}{charge['resource_type']}".lower():
            return True
        if charge["tags"] and any("query" in key or "statement" in key for key in read_tags(charge["tags"])):
            return True
    return False


def _to_run(
    book: _Book, head: tuple[str, str, str], place: Place, amount: int, run: RunUse | None, **more: Any
) -> None:
    """Cost of a run to what it wrote: by bytes, else rows, else alike; that of a failed run stays with its job."""
    if run is None:
        book.add(head, place, amount, line=UNALLOCATED, method=UNALLOCATED, **more)
        return
    outputs = sorted(run.writes) if run.state not in ("FAIL", "ABORT") else []
    if not outputs:
        book.add(head, place, amount, node=run.job, job=run.job, **more)
        return
    for (dataset, _, _), part in zip(outputs, split(amount, output_weights(outputs)), strict=True):
        book.add(head, place, part, node=dataset, job=run.job, **more)


def _to_jobs(book: _Book, runs: list[RunUse], by_job: list[tuple[tuple[str, str, str], Place, int, int]]) -> None:
    """Cost of a job to what its complete runs wrote in the period; without any it stays with the job."""
    wanted = {place.node for _, place, _, _ in by_job}
    outputs: dict[int | None, dict[int, list[tuple[int | None, int | None]]]] = defaultdict(dict)
    for run in runs:
        if run.job in wanted and run.state not in ("FAIL", "ABORT"):
            for dataset, size, rows in run.writes:
                outputs[run.job].setdefault(dataset, []).append((size, rows))
    for head, place, key, amount in by_job:
        found = sorted(outputs[place.node].items()) if place.node in outputs else []
        if not found:
            book.add(head, place, amount, job=place.node, key=key)
            continue
        written = [(dataset, _total(told, 0), _total(told, 1)) for dataset, told in found]
        parts = split(amount, output_weights(written))
        for (dataset, _), part in zip(found, parts, strict=True):
            book.add(head, place, part, node=dataset, job=place.node, key=key)


def _total(told: list[tuple[int | None, int | None]], column: int) -> int | None:
    """Sum of one column; ``None`` when one value is not told."""
    found = [one[column] for one in told]
    return None if any(value is None for value in found) else sum(value or 0 for value in found)


def output_weights(outputs: list[tuple[int, int | None, int | None]]) -> list[int]:
    """Bytes of each output where all told them, else rows where all did, else ones.

    >>> output_weights([(1, 10, None), (2, 30, 5)]), output_weights([(1, None, 4), (2, 7, 6)])
    ([10, 30], [4, 6])
    """
    for column in (1, 2):
        told = [one[column] for one in outputs]
        sizes = [size for size in told if size is not None and size >= 0]
        if len(sizes) == len(told) and sum(sizes) > 0:
            return sizes
    return [1] * len(outputs)


def _share(
    book: _Book,
    view: View,
    when: dict[str, datetime],
    metric: str,
    rules: Rules,
    told: RunClues | None,
    runs: list[RunUse],
    shared: dict[int, tuple[Place, dict[str, str | None]]],
) -> None:
    """Divide what is shared among the runs that were alive in each charge period."""
    if not shared:
        return
    amounts: dict[tuple[str, tuple[str, str, str], Place], dict[tuple[datetime, datetime], int]] = {}
    rows = view.store.rows(_windows(metric), {**when, "keys": list(shared)})
    for key, basis, start, end, amount in rows:
        place, charge = shared[key]
        head = (charge["currency"] or "", basis, charge["service"] or "")
        windows = amounts.setdefault((place.pool or "", head, place), {})
        windows[start, end] = windows.get((start, end), 0) + int(amount)
    members: dict[str, sharing.Members] = {}
    for name, head, place in amounts:
        pool = next((one for one in rules.pools if one.name == name), None)
        if name not in members:
            members[name] = sharing.members(view, pool, name, runs, told)
        by_run, lines = sharing.divide(members[name], pool, amounts[name, head, place])
        for position, amount in by_run.items():
            _to_run(book, head, place, amount, members[name].runs[position])
        for line, amount in lines.items():
            book.add(head, place, amount, line=line)


def _cross(book: _Book, borders: Borders, crossing: list[tuple[tuple[str, str, str], Place, int, int]]) -> None:
    """Egress: to those on the other side of the border, by the bytes they read."""
    for head, place, key, amount in crossing:
        weights = borders.of(place.node) if place.node is not None else borders.all
        if not weights:
            alone = place if place.node is not None else Place(UNALLOCATED, "no border is crossed", line=UNALLOCATED)
            book.add(head, alone, amount, key=key)
            continue
        for consumer, part in zip(weights, split(amount, list(weights.values())), strict=True):
            book.add(head, place, part, node=consumer, key=key)


def _estimate(book: _Book, view: View, result: Attribution, told: RunClues | None) -> None:
    """Price runs by the rate card where no bill covers their account and month."""
    if not result.rules.rates:
        return
    estimates = Estimates(view, result.period, result.rules, told)
    for run, rate, amount in estimates.of_runs(result.runs):
        head = (rate.currency, "estimated", "rate card")
        result.billed[rate.currency] = result.billed.get(rate.currency, 0) + amount
        _to_run(book, head, Place("rate", rate.rule), amount, run)
    for node, rate, amount in [*estimates.of_storage(), *estimates.of_egress(result.runs)]:
        head = (rate.currency, "estimated", "rate card")
        result.billed[rate.currency] = result.billed.get(rate.currency, 0) + amount
        book.add(head, Place("rate", rate.rule), amount, node=node)
    result.gaps = estimates.gaps
