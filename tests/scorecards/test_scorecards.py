"""Scorecards: every figure is made of its rows, unknown is unknown, hidden is not counted, the past can be asked."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from lineage.actor import Actor
from lineage.cli import run
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.scorecards.answers import Row
from lineage.scorecards.history import due
from lineage.scorecards.maturity import _evolving, _grounds
from lineage.scorecards.metrics import METRICS, median_to_close, metric, score
from lineage.scorecards.questions import base_of
from lineage.scorecards.risk import UnknownProductError
from lineage.times import iso
from tests.policies.people import people

SHARES = [one.id for one in METRICS if one.unit == "share"]
row = st.builds(
    Row, st.text(max_size=3), counted=st.sampled_from([True, False, None]), value=st.floats(0, 99, allow_nan=False)
)


@given(st.lists(row, max_size=12), st.sampled_from(SHARES))
def test_a_share_counts_its_rows_and_lies_between_0_and_1(rows: list[Row], name: str) -> None:
    found = score(metric(name), rows)
    known = [one for one in rows if one.counted is not None]
    assert (found.numerator, found.denominator) == (sum(one.counted is True for one in known), len(known))
    assert found.unknown == len(rows) - len(known)
    if found.value is None:
        assert not known
        assert found.reason
    else:
        assert 0 <= found.value <= 1


@given(st.lists(row.filter(lambda one: one.counted is not None), min_size=1, max_size=12))
def test_the_median_to_close_is_the_median_when_nothing_is_open(rows: list[Row]) -> None:
    ages = sorted(one.value or 0.0 for one in rows)
    closed = [Row(str(place), value=age) for place, age in enumerate(ages)]
    assert median_to_close(closed) == ages[(len(ages) - 1) // 2]
    still_open = median_to_close(rows)
    assert still_open is None or still_open >= min(ages)


def test_the_sample_tells_its_figures(lx: Lineage, end: datetime) -> None:
    found = lx.scorecards.report(as_of=end)
    told = {one.metric: (one.numerator, one.denominator) for one in found.scores}
    expected = {
        "ownership": (51, 58), "contract-coverage": (3, 9), "contract-edges": (7, 15), "masking": (0, 2),
        "overdue-waivers": (1, 1), "lineage-datasets": (55, 58), "lineage-columns": (58, 67), "maturity": (0, 3),
    }  # fmt: skip
    assert {name: told[name] for name in expected} == expected
    access = found.of("access-p50")
    assert access is not None
    assert (access.value, access.reason) == (None, "no request was decided")


def test_the_personal_columns_that_leak_are_the_rows_behind_masking(lx: Lineage, end: datetime) -> None:
    behind = lx.scorecards.rows("masking", as_of=end)
    assert [one.id.rsplit(":", 1)[1] for one in behind.items if one.counted is False] == ["email", "full_name"]


def test_maturity_says_what_is_missing_for_the_next_level(lx: Lineage, end: datetime) -> None:
    notes = {one.id: one.note for one in lx.scorecards.rows("maturity", as_of=end).items}
    assert notes["orders"] == ("L0 seen; missing: a classification of dataset:snowflake://hp-eu1:dwh.sales.fct_orders")


def test_coverage_of_products_is_that_of_the_quality_report(
    lx: Lineage, end: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lineage.quality import evidence
    from lineage.quality.report import coverage_of_products, report
    from lineage.scorecards.base import Base

    monkeypatch.setattr(evidence, "_FEW", 0)  # as among many nodes: only those of the products are looked at
    few = lx.view(as_of=end)
    found = coverage_of_products(few, judged=Base(few).promises)
    known = [share for share in found.values() if share is not None]
    assert None not in few.instant._remembered["quality"] and 0 < min(known) < max(known) < 1
    assert found == {row.id: row.coverage for row in report(few, "product", now=end).nodes}


def test_the_top_of_maturity_wants_a_drill_of_this_product_within_a_year(lx: Lineage, end: datetime) -> None:
    lx.scorecards.drill("orders", "lost the warehouse for an hour", now=end - timedelta(days=300))
    lx.scorecards.drill("payments", "too long ago", now=end - timedelta(days=366))
    found = _grounds(base_of(lx.view(end)), None)
    assert found.drilled == {"orders"}
    assert [name in found.drilled or "a drill within a year" in str(list(_evolving(found, name, "a, b")))
            for name in ("orders", "payments")] == [True, True]  # fmt: skip
    with pytest.raises(UsageError, match="reason"):
        lx.scorecards.drill("orders", " ")
    with pytest.raises(UnknownProductError):
        lx.scorecards.drill("nothing", "x")


@pytest.mark.parametrize("by", ["domain", "product", "tier"])
def test_rows_behind_each_figure_make_it(lx: Lineage, end: datetime, by: str) -> None:
    for one in lx.scorecards.report(by, as_of=end).scores:
        behind = lx.scorecards.rows(one.metric, by=by, scope=one.scope, as_of=end)
        assert behind.score == one
        if one.unit == "share":
            assert sum(item.counted is True for item in behind.items) == one.numerator <= one.denominator


def test_domains_add_up_to_the_mesh(lx: Lineage, end: datetime) -> None:
    whole = lx.scorecards.report(as_of=end, metrics=["ownership", "conformance", "unread"])
    parts = lx.scorecards.report("domain", as_of=end, metrics=["ownership", "conformance", "unread"])
    for one in whole.scores:
        assert one.numerator == sum(part.numerator for part in parts.scores if part.metric == one.metric)


def test_what_is_hidden_is_neither_counted_nor_named(lx: Lineage, end: datetime) -> None:
    actor = Actor("eve", frozenset({"finance"}))
    assert "finance" not in {one.scope for one in lx.scorecards.report("domain", as_of=end, actor=actor).scores}
    for one in METRICS:
        text = str(lx.scorecards.rows(one.id, as_of=end, actor=actor).items)
        assert "dwh.finance." not in text, one.id


def test_the_past_is_told_as_it_was(lx: Lineage, end: datetime) -> None:
    before = lx.scorecards.report(as_of=end - timedelta(days=80), metrics=["policy-coverage", "ownership"])
    assert [one.value is None for one in before.scores] == [True, False]


def test_a_snapshot_is_what_was_said_that_day(lx: Lineage, end: datetime) -> None:
    taken = lx.scorecards.snapshot(now=end, actor=Actor("ann"))
    again = lx.scorecards.snapshot(now=end, actor=Actor("ann"))
    assert taken == again
    told = lx.scorecards.history(start=end - timedelta(days=1), end=end, metrics=["ownership", "compliance"])
    assert [point.taken for point in told.points] == [False, False, True, True]
    assert not due(lx.store, end)
    assert due(lx.store, end + timedelta(days=1))
    act = lx.store.rows("SELECT action, actor FROM audit ORDER BY seq DESC LIMIT 1")
    assert act == [("scorecard.snapshot", "ann")]


def test_command_and_route_say_the_same(lx: Lineage, end: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    client = people(lx)
    when = iso(end)
    asked = {"by": "domain", "metric": "ownership", "as_of": when}
    told = client.get("/api/v2/scorecards", params=asked).json()
    assert told["scores"][0]["scope"] == "customer"
    assert _status(client, "/api/v2/scorecards/rows", metric="nonsense") == 400
    assert run(["scorecards", "--rows"]) == 2
    assert "--rows" in capsys.readouterr().err


def test_bad_questions_are_refused(lx: Lineage) -> None:
    with pytest.raises(UsageError, match="by"):
        lx.scorecards.report("planet")
    with pytest.raises(UsageError, match="metric"):
        lx.scorecards.rows("love")
    with pytest.raises(UsageError, match="beginning before its end"):
        lx.scorecards.history(start="2026-02-01", end="2026-01-01")


def _status(client: TestClient, path: str, **asked: str) -> int:
    return client.get(path, params=asked).status_code
