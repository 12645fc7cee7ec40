"""Cost: tiles, figures and tables say what the query layer says, one currency at a time."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from dashboard.amounts import money
from dashboard.pages.cost_cards import _areas
from lineage.engine import Lineage
from tests.browser.desk import count, filled, saved


def test_the_bill_is_the_sum_of_its_rows_and_nothing_is_left_out(page: Page, demo: Lineage, demo_url: str) -> None:
    page.goto(f"{demo_url}/cost?by=domain")
    filled(page)
    report = demo.cost.report("domain").currencies[0]
    expect(page.locator("#count-billed")).to_have_text(money(report.billed, report.currency))
    expect(page.locator("#count-unallocated")).to_have_text(money(report.unallocated, report.currency))
    rows = saved(page, "cost-grid")
    assert len(rows) == len(report.rows)
    assert abs(sum(float(row["Own"]) for row in rows) - float(report.billed)) < 0.01
    assert {row["Currency"] for row in rows} == {report.currency}
    expect(page.locator("#budget-card .budget")).to_have_count(len(demo.cost.budgets().budgets))


def test_a_row_is_explained_by_the_bills_behind_it(page: Page, demo: Lineage, demo_url: str) -> None:
    node = "dataset:snowflake://hp-eu1:dwh.sales.fct_orders"
    page.goto(f"{demo_url}/cost?view=explain&node={node}")
    filled(page)
    found = demo.cost.explain(node).currencies[0]
    assert count(page, "cost-grid") == len(found.evidence)
    amounts = [float(row["Amount"]) for row in saved(page, "cost-grid")]
    assert abs(sum(amounts) - float(found.own)) < 0.01
    expect(page.locator("#cost-options")).to_contain_text(money(found.full, found.currency))


def test_without_a_bill_cost_is_unknown_and_not_zero(empty: Lineage, page: Page, serve: Callable[..., str]) -> None:
    page.goto(f"{serve(empty)}/cost")
    filled(page)
    expect(page.locator("#cost-sub")).to_contain_text("no cost is known")
    expect(page.locator("#cost-tiles .tile-value").first).to_have_text("unknown")
    expect(page.locator("#cost-list")).to_contain_text("meshline cost import FILE")


def test_what_is_around_others_is_as_large_as_what_is_in_it() -> None:
    leaves = {
        ("sales", "orders"): [("a", "a", 3.0), ("b", "b", 1.5)],
        ("sales", ""): [("c", "c", 0.5)],
        ("unallocated", "· unallocated"): [("unallocated", "unallocated", 2.0)],
    }
    areas = {area.id: area for area in _areas(leaves)}
    for area in areas.values():
        inside = [one.value for one in areas.values() if one.parent == area.id]
        assert not inside or sum(inside) == area.value
    assert sum(area.value for area in areas.values() if not area.parent) == 7.0
