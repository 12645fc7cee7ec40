"""Governance health: every number on it is the number of its rows, and of the same question asked elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from dashboard.memo import OLD, YOUNG, Memo
from lineage.attention import Matter
from lineage.engine import Lineage
from tests.browser.desk import filled, go
from tests.browser.fake import NOW, FakeLineage
from tests.browser.picture import query


def rows_of(page: Page, name: str, number: int) -> None:
    """The table behind a number has that many rows."""
    go(page, f"/?rows={name}")
    expect(page.locator("#health-grid-count")).to_contain_text(f"{number:,} row")


def test_numbers_are_those_of_the_query_layer_and_of_their_rows(page: Page, demo: Lineage, demo_url: str) -> None:
    page.goto(demo_url)
    promises = demo.contracts.check().promises
    kept = sum(p.verdict == "kept" for p in promises)
    known = kept + sum(p.verdict == "broken" for p in promises)
    expect(page.locator("#count-contracts")).to_have_text(f"{100 * kept / known:.1f} %")
    risky = [row for row in demo.quality.report().nodes if row.grade == "at risk"]
    expect(page.locator("#count-risky")).to_have_text(str(len(risky)))
    expect(page.locator("#count-incidents")).to_have_text(str(len(demo.quality.incidents().incidents)))
    total = demo.attention().total
    expect(page.get_by_role("link", name=f"All {total}")).to_be_visible()
    rows_of(page, "contracts", len(promises))
    rows_of(page, "attention", total)


def test_the_quality_of_a_domain_is_the_same_number_in_the_scorecard_and_at_its_line(page: Page, demo_url: str) -> None:
    page.goto(demo_url)
    expect(page.locator("#trend .annotation-text").first).to_be_visible()
    expect(page.locator(".heat tbody tr").first).to_be_visible()
    at = page.locator(".heat thead th").all_inner_texts().index("Quality") - 1
    cells = {}
    for row in page.locator(".heat tbody tr").all():
        name = row.locator("th").inner_text().splitlines()[0].strip()
        cells[name] = row.locator("td").nth(at).inner_text().split()[0]
    lines = dict(text.strip().rsplit(" ", 1) for text in page.locator("#trend .annotation-text").all_text_contents())
    assert len(lines) > 1
    assert lines == {name: cells[name] for name in lines}


def test_a_number_opens_its_rows_and_back_closes_them(page: Page, demo_url: str) -> None:
    page.goto(demo_url)
    page.locator("#count-risky").click()
    expect(page.get_by_role("dialog", name="Quality of datasets")).to_be_visible()
    assert query(page)["rows"] == ["quality"]
    page.go_back()
    expect(page.locator("#health-rows-table")).to_be_hidden()
    page.go_forward()
    expect(page.locator("#health-grid-count")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#health-grid-count")).to_be_hidden()
    assert "rows" not in query(page)


def test_a_domain_limits_every_card_and_stays_in_the_address(page: Page, demo: Lineage, demo_url: str) -> None:
    page.goto(f"{demo_url}/?domain=finance")
    expect(page.locator(".heat tbody tr")).to_have_count(1)
    total = demo.attention(domain="finance").total
    expect(page.get_by_role("link", name=f"All {total}")).to_be_visible()
    expect(page.locator("#health-domain")).to_have_value("Finance")
    filled(page)
    page.locator("#health-period").get_by_text("90 d").click()
    expect(page.locator(".heat tbody tr")).to_have_count(1)
    page.wait_for_url("**period=90**")
    go(page, "/?domain=nowhere&period=13&rows=what&zz=1")
    expect(page.locator("#scorecard")).to_contain_text("There is no domain “nowhere” at this time.")
    page.get_by_role("link", name="Show all domains").click()
    expect(page.locator(".heat tbody tr")).not_to_have_count(1)


def test_the_past_says_what_is_not_known_of_it(page: Page, demo: Lineage, demo_url: str) -> None:
    page.goto(f"{demo_url}/?asof=2026-01-01T00:00:00")
    expect(page.locator("#asof-strip")).to_be_visible()
    expect(page.locator("#attention")).to_contain_text("Blind spots are known of the present only.")


def test_matters_lead_on_and_an_unknown_reach_is_said(page: Page, serve: Callable[..., str]) -> None:
    lx = FakeLineage.retail()
    node = "dataset:postgres://warehouse:5432:shop.core.fct_orders"
    lx.fields.matters = (
        Matter("contract", "high", "Contract broken: sla latency", node, "orders", None, 9, ref="orders"),
        Matter("blind spot", "low", "Jobs that write nothing", "job:airflow:x", "", None, None, cases=3, ref="no-out"),
        Matter("budget", "high", "Budget finance: 106 % spent", None, "finance", "fin", ref="finance"),
    )
    page.goto(serve(lx))
    rows = page.locator(".matter")
    expect(rows.nth(0)).to_contain_text("9 downstream")
    expect(rows.nth(1)).to_contain_text("reach not known")
    expect(rows.nth(1)).to_contain_text("3 of them")
    expect(rows.nth(2)).to_contain_text("no one node")
    rows.nth(0).click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Governance health")


def test_nothing_open_is_said_and_not_drawn_as_a_gap(page: Page, serve: Callable[..., str]) -> None:
    lx = FakeLineage()
    lx.add("db.a", "orders", ["x:int"], [])
    lx.fields = replace(lx.fields, now=NOW + timedelta(hours=1))
    page.goto(serve(lx))
    expect(page.locator("#attention")).to_contain_text("Nothing is open")
    expect(page.locator("#products")).to_contain_text("No data product is declared here.")
    expect(page.locator("#count-cost")).to_have_text("unknown")
    expect(page.locator("#count-contracts")).to_have_text("none")


@pytest.mark.parametrize(("passed", "asked"), [(YOUNG - 1, 1), (OLD + 1, 2)])
def test_an_answer_is_worked_out_once_for_all_readers_until_it_is_old(passed: float, asked: int) -> None:
    clock = [0.0]
    memo = Memo(FakeLineage(), clock=lambda: clock[0])  # type: ignore[arg-type]
    calls: list[int] = []
    memo.get("x", lambda: calls.append(1))
    clock[0] = passed
    memo.get("x", lambda: calls.append(1))
    assert len(calls) == asked
