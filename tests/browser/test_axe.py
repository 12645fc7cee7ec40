"""Every page with the sample data passes axe, light and dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from dashboard.links import Links
from dashboard.pages import PAGES
from tests.browser.axe import findings

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


@pytest.mark.parametrize("path", [page.path for page in PAGES])
def test_no_page_breaks_a_rule_of_accessibility_in_light_or_dark(page: Page, demo_url: str, path: str) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(demo_url + Links().to(path, **QUERIES.get(path, {})))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.wait_for_function("() => [...document.querySelectorAll('.ag-header-row')].every((row) => row.children.length)")
    found = findings(page)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    page.wait_for_function(
        "() => document.getAnimations().every((one) => one.playState !== 'running')"
    )  # colours that fade
    found += [f"dark: {text}" for text in findings(page, colours_only=True)]
    assert not found, "\n".join(found)
