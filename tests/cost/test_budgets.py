"""Forecasts, alerts and anomalies, without a store where none is needed."""

from __future__ import annotations

from datetime import date, timedelta

from lineage.cost.budgets import _alerts, _forecast
from lineage.cost.money import UNIT
from lineage.cost.periods import read_period
from lineage.quality.anomaly import judge

FIRST, LAST = date(2026, 6, 1), date(2026, 6, 30)


def test_a_steady_cost_is_forecast_exactly_with_a_narrow_band() -> None:
    by_day = {FIRST + timedelta(days=n): 10 * UNIT for n in range(-60, 10)}
    assert _forecast(by_day, FIRST, LAST, FIRST + timedelta(days=9)) == (300 * UNIT, 300 * UNIT, 300 * UNIT)


def test_a_weekly_pattern_is_forecast_by_its_weekdays() -> None:
    days = [FIRST + timedelta(days=n) for n in range(-60, 30)]
    by_day = {day: (2 if day.weekday() >= 5 else 10) * UNIT for day in days}
    whole = sum(amount for day, amount in by_day.items() if day >= FIRST)
    past = {day: amount for day, amount in by_day.items() if day < FIRST + timedelta(days=11)}
    found = _forecast(past, FIRST, LAST, FIRST + timedelta(days=10))
    assert found is not None
    assert found[0] == whole


def test_four_days_are_too_few_for_a_forecast() -> None:
    by_day = {FIRST + timedelta(days=n): UNIT for n in range(4)}
    assert _forecast(by_day, FIRST, LAST, FIRST + timedelta(days=3)) is None


def test_each_threshold_alerts_once_on_the_day_it_is_reached() -> None:
    spent = {FIRST + timedelta(days=n): 30 * UNIT for n in range(4)}
    found = _alerts(spent, 100 * UNIT, (200 * UNIT, 190 * UNIT, 210 * UNIT))
    assert [(alert.kind, alert.percent, alert.reached_on) for alert in found] == [
        ("actual", 50, "2026-06-02"),
        ("actual", 80, "2026-06-03"),
        ("actual", 100, "2026-06-04"),
        ("forecast", 100, None),
    ]


def test_a_constant_series_alarms_and_a_new_level_is_told_once() -> None:
    verdicts = [one.verdict for one in judge([100.0] * 30 + [50.0] + [100.0] * 5 + [200.0] * 6)]
    assert verdicts[30] == "anomaly"
    assert verdicts[31:36] == ["normal"] * 5
    assert verdicts[36:] == ["anomaly", "anomaly", "level shift", "normal", "normal", "normal"]


def test_periods_are_whole_months() -> None:
    assert read_period("2026-Q4").end.year == 2027
