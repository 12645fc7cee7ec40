"""Budgets: month to date, forecast with a band, alerts, and days that cost more than expected."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from lineage.cost.allocation import Allocation, allocate
from lineage.cost.answers import Alert, BudgetAnswer, BudgetState, CostAnomaly, Driver
from lineage.cost.daily import DayCost, complete_until, daily
from lineage.cost.money import UNIT, money_text, parse_money
from lineage.cost.periods import Period, month_of, newest_billed, seen_at
from lineage.cost.report import line_name
from lineage.errors import UnknownNodeError
from lineage.quality.anomaly import judge
from lineage.resolve import resolve
from lineage.times import parse_event_time

if TYPE_CHECKING:
    from lineage.view import View

THRESHOLDS = (50, 80, 100)  # per cent of what was spent
FLOOR_UNITS, FLOOR_SHARE = 25 * UNIT, 0.20  # an anomaly is at least so much money and so much of what was expected
_BACK = 3  # months before the period that a series is made of
_DRIVERS = 3
_LEAST = 5  # days before a forecast
_BUDGETS = """
-- one open version of one file of budgets as known at K
SELECT budgets FROM budget WHERE known_from <= $known AND known_to > $known ORDER BY name
"""


@dataclass(frozen=True)
class _Days:
    """Costs by day of the period and some months before."""

    period: Period
    days: list[DayCost]
    until: date | None


def budgets(view: View, period: Period, metric: str, now: datetime) -> BudgetAnswer:
    """States of all budgets in the last month of a period, and anomalies in the period.

    Parameters
    ----------
    now
        days that are not over (and a day's lag of bills) are incomplete: not spent, but forecast.

    At another instant than now, until which nothing was billed, what was spent is unknown.
    """
    month = month_of(period.end - timedelta(days=1))
    start = month.start
    for _ in range(_BACK):
        start = month_of(start - timedelta(days=1)).start
    months: list[Allocation] = []
    days: list[DayCost] = []
    while start < month.end:
        found = allocate(view, seen_at(month_of(start), period.until), metric)
        days += daily(view, found)
        months.append(found)
        start = found.period.end
    days = [one for one in days if not _hidden(view, months[-1], one.target)]
    series = _Days(month, days, complete_until([one for one in days if one.day < month.end.date()], now))
    declared = [one for (text,) in view.store.rows(_BUDGETS, {"known": view.known_at}) for one in json.loads(text)]
    states = [_state(view, months[-1], series, one) for one in declared if _holds(one, month)]
    odd = _anomalies(view, months[-1], series, period)
    kept = tuple(state for state in states if state is not None)
    if view.instant.dated and newest_billed(view.store, view.known_at, view.as_of) is None:  # not nothing, but unknown
        kept = tuple(replace(one, spent=None, spent_percent=None, state="unknown", alerts=()) for one in kept)
    return BudgetAnswer(month.text, metric, kept, odd)


def _holds(one: dict[str, Any], month: Period) -> bool:
    since, until = (parse_event_time(str(one[key])) if one.get(key) else None for key in ("since", "until"))
    return (since is None or since.at < month.end) and (until is None or until.at > month.start)


def _hidden(view: View, found: Allocation, target: int | str) -> bool:
    if isinstance(target, int):
        return view.hidden(target)
    name, kind = line_name(target)
    product = found.products.get(name) if kind == "product" else None
    return not view.actor.may_see(product.domain if product else name)


def _state(view: View, found: Allocation, series: _Days, one: dict[str, Any]) -> BudgetState | None:
    """State of one budget; ``None`` when its scope is hidden."""
    kind = next(kind for kind in ("domain", "product", "dataset") if kind in one)
    name, currency = str(one[kind]), str(one["currency"]).upper()
    if kind == "domain" and not view.actor.may_see(name):
        return None
    wanted = _scope(view, found, kind, name)
    mine = [day for day in series.days if day.currency == currency and wanted(day.target)]
    by_day: dict[date, int] = defaultdict(int)
    for day in mine:
        by_day[day.day] += day.amount
    first, last = series.period.start.date(), (series.period.end - timedelta(days=1)).date()
    until = min(series.until, last) if series.until else None
    spent_days = {day: amount for day, amount in by_day.items() if first <= day <= (until or first - timedelta(days=1))}
    spent, amount = sum(spent_days.values()), parse_money(str(one["amount"]))[0]
    forecast = _forecast(dict(by_day), first, last, until)
    alerts = _alerts(spent_days, amount, forecast)
    over = amount > 0 and spent >= amount
    expected_over = forecast is not None and amount > 0 and forecast[0] >= amount
    warned = any(alert.kind == "actual" for alert in alerts)
    state = "over" if over else "forecast over" if expected_over else "warned" if warned else "ok"
    return BudgetState(
        name=str(one["name"]), scope=f"{kind}:{name}", owner=one.get("owner"), currency=currency,
        period=series.period.text, amount=money_text(amount), spent=money_text(spent),
        spent_percent=_percent(spent, amount) or 0.0, until=str(until) if until else None,
        forecast=money_text(forecast[0]) if forecast else None,
        forecast_low=money_text(forecast[1]) if forecast else None,
        forecast_high=money_text(forecast[2]) if forecast else None,
        forecast_percent=_percent(forecast[0], amount) if forecast else None,
        state=state, alerts=alerts, drivers=_drivers(view, mine, first, until),
    )  # fmt: skip


def _percent(part: int, whole: int) -> float | None:
    return round(part / whole * 100, 1) if whole else None


def _scope(view: View, found: Allocation, kind: str, name: str) -> Any:
    """Whether a node or line belongs to what a budget is for."""
    if kind == "dataset":
        try:
            node: int | None = resolve(view, name)
        except UnknownNodeError:
            node = None
        return lambda target: target == node
    if kind == "product":
        product = found.products.get(name)
        inside = (product.inside | product.ports) if product else frozenset()
        return lambda target: target in inside or target == f"product:{name}"
    lines = {f"domain:{name}", *(f"product:{one.name}" for one in found.products.values() if one.domain == name)}
    return lambda target: view.domain(target) == name if isinstance(target, int) else target in lines


def _forecast(by_day: dict[date, int], first: date, last: date, until: date | None) -> tuple[int, int, int] | None:
    """Cost of the whole month with an 80 % band: spent, plus the median of each weekday at this month's level.

    The band is made of the residuals of the past days; ``None`` when there are fewer than five days.
    """
    if until is None or until < first:
        return None
    spent = sum(amount for day, amount in by_day.items() if first <= day <= until)
    rest = [until + timedelta(days=n) for n in range(1, (last - until).days + 1)]
    past_days = [
        until - timedelta(days=n) for n in range(56) if until - timedelta(days=n) >= min(by_day, default=until)
    ]
    if not rest:
        return spent, spent, spent
    if len(past_days) < _LEAST:
        return None
    weekday = {k: median([by_day.get(day, 0) for day in past_days if day.weekday() == k] or [0]) for k in range(7)}
    recent = [day for day in past_days if day >= first][:14] or past_days[:14]
    base = sum(weekday[day.weekday()] for day in recent)
    level = sum(by_day.get(day, 0) for day in recent) / base if base > 0 else 1.0
    middle = spent + round(sum(weekday[day.weekday()] * level for day in rest))
    residuals = sorted(by_day.get(day, 0) - weekday[day.weekday()] for day in past_days)
    spread = (residuals[int(0.9 * (len(residuals) - 1))] - residuals[int(0.1 * (len(residuals) - 1))]) / 2
    half = round(spread * len(rest) ** 0.5)
    return middle, middle - half, middle + half


def _alerts(spent: dict[date, int], amount: int, forecast: tuple[int, int, int] | None) -> tuple[Alert, ...]:
    """Each threshold once, with the day on which it was reached."""
    alerts = []
    total, left = 0, list(THRESHOLDS)
    for day in sorted(spent):
        total += spent[day]
        while left and amount > 0 and total * 100 >= amount * left[0]:
            alerts.append(Alert("actual", left.pop(0), str(day)))
    if forecast is not None and amount > 0 and forecast[0] >= amount:
        alerts.append(Alert("forecast", 100, None))
    return tuple(alerts)


def _drivers(view: View, mine: list[DayCost], first: date, until: date | None) -> tuple[Driver, ...]:
    """What most was spent on, beside the same days of the month before."""
    if until is None or until < first:
        return ()
    before = month_of(datetime(first.year, first.month, 1) - timedelta(days=1)).start.date()  # noqa: DTZ001
    length = (until - first).days
    now: dict[int | str, int] = defaultdict(int)
    then: dict[int | str, int] = defaultdict(int)
    for day in mine:
        if first <= day.day <= until:
            now[day.target] += day.amount
        elif before <= day.day <= before + timedelta(days=length) and day.day < first:
            then[day.target] += day.amount
    top = sorted(now.items(), key=lambda item: (-item[1], str(item[0])))[:_DRIVERS]
    return tuple(Driver(_label(view, key), money_text(amount), money_text(then[key])) for key, amount in top)


def _label(view: View, key: int | str) -> str:
    return view.label(key) if isinstance(key, int) else line_name(key)[0]


def _anomalies(view: View, found: Allocation, series: _Days, period: Period) -> tuple[CostAnomaly, ...]:
    """Days of the period on which a domain spent more (or less) on a service than its past lets expect."""
    if series.until is None:
        return ()
    groups: dict[tuple[str, str, str], dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for one in series.days:
        domain = view.domain(one.target) if isinstance(one.target, int) else line_name(one.target)[0]
        if one.day <= series.until and one.usage:
            groups[domain, one.service, one.currency][one.day] += one.amount
    first = min(day for days in groups.values() for day in days) if groups else series.until
    dates = [first + timedelta(days=n) for n in range((series.until - first).days + 1)]
    result = []
    for (domain, service, currency), by_day in sorted(groups.items()):
        values = [max(0.0, by_day.get(day, 0) / UNIT) for day in dates]
        for point in judge(values, [day.weekday() for day in dates]):
            day = dates[point.at]
            if point.verdict not in ("anomaly", "level shift") or not period.start.date() <= day < period.end.date():
                continue
            assert point.expected is not None and point.low is not None and point.high is not None
            change = abs(point.observed - point.expected)
            if change * UNIT < FLOOR_UNITS or change < FLOOR_SHARE * point.expected:
                continue
            result.append(
                CostAnomaly(
                    domain, service, currency, str(day), money_text(by_day.get(day, 0)), f"{point.expected:.2f}",
                    f"{point.low:.2f}", f"{point.high:.2f}", point.points,
                    _causes(series.days, view, (domain, service, currency), day),
                )
            )  # fmt: skip
    return tuple(sorted(result, key=lambda odd: (odd.day, odd.scope, odd.service)))


def _causes(days: list[DayCost], view: View, group: tuple[str, str, str], day: date) -> tuple[str, ...]:
    """Resources whose cost changed most against the same weekday of the four weeks before."""
    now: dict[str, int] = defaultdict(int)
    before: dict[str, int] = defaultdict(int)
    for one in days:
        domain = view.domain(one.target) if isinstance(one.target, int) else line_name(one.target)[0]
        if (domain, one.service, one.currency) != group:
            continue
        what = f"{_label(view, one.target)} ({one.what})" if one.what else _label(view, one.target)
        if one.day == day:
            now[what] += one.amount
        elif (day - one.day).days in (7, 14, 21, 28):
            before[what] += one.amount // 4
    change = {what: now[what] - before[what] for what in {*now, *before}}
    top = sorted(change.items(), key=lambda item: (-abs(item[1]), item[0]))[:_DRIVERS]
    return tuple(what for what, amount in top if amount)
