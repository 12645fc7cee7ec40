"""Every page with the sample data passes axe, light and dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from dashboard.links import Links
from dashboard.pages import PAGES
from tests.browser.axe import findings
from tests.browser.desk import Traffic, filled, go

ORDERS = "dataset:snowflake://hp-eu1:dwh.sales.fct_orders"
REPORT = "dataset:superset://bi.harbourpine.example:finance/ifrs15_report"
QUERIES = {
    "/lineage": {"focus": ORDERS},
    "/impact": {"target": ORDERS, "change": "drop"},
    "/provenance": {"target": REPORT},
    "/contracts": {"id": "orders"},
    "/product": {"id": "orders"},
    "/dataset": {"id": ORDERS},
}
"""What a page is asked so that it shows what it is for; a page that is not here shows it without."""

GRIDS = """() => [...document.querySelectorAll(".grid-box")].every((box) => {
    const rows = [...box.querySelectorAll(".ag-header-row")];
    return rows.length && rows.every((row) => row.children.length) && !box.querySelector(".ag-loading"); })"""


@pytest.mark.parametrize("part", range(3))
def test_no_page_breaks_a_rule_of_accessibility_in_light_or_dark(page: Page, demo_url: str, part: int) -> None:
    traffic = Traffic(page)
    page.goto(f"{demo_url}/map")
    found = [f"{one.path} {text}" for one in PAGES[part::3] for text in faults(page, traffic, one.path)]
    assert not found, "\n".join(found)


def faults(page: Page, traffic: Traffic, path: str) -> list[str]:
    """What axe finds on one page, light and dark."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    go(page, Links().to(path, **QUERIES.get(path, {})))
    filled(page)
    traffic.rest()
    page.wait_for_function(GRIDS)
    found = findings(page)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    page.wait_for_function(
        "() => document.getAnimations().every((one) => one.playState !== 'running')"
    )  # colours that fade
    return found + [f"dark: {text}" for text in findings(page, colours_only=True)]
