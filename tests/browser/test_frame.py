"""The frame around the pages, the overview and the catalogue, and what holds for every page."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dashboard.figures import CONFIG
from tests.browser.conftest import Guarded
from tests.browser.fake import FakeLineage
from tests.browser.picture import node_id, query, settled, still

PAGES = ["/", "/lineage", "/map", "/catalogue"]


def fetch(url: str, accept: str = "text/html") -> tuple[int, dict[str, str], str]:
    request = urllib.request.Request(url, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_can_be_the_first_one_that_is_asked_for(page: Page, serve: Callable[..., str], path: str) -> None:
    page.goto(serve(FakeLineage.retail()) + path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".nav-link.is-here")).to_have_attribute("aria-current", "page")


def test_the_policy_forbids_foreign_sources_and_eval(retail: str) -> None:
    status, headers, _ = fetch(f"{retail}/lineage")
    policy = headers["content-security-policy"]
    assert status == 200
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "http" not in policy.replace("https", "")
    scripts = policy.split("script-src")[1].split(";")[0]
    assert "unsafe-inline" not in scripts


def test_an_unknown_address_is_404_for_machines_and_a_page_for_people(page: Page, guard: Guarded, retail: str) -> None:
    assert fetch(f"{retail}/nowhere")[0] == 404
    status, headers, _ = fetch(f"{retail}/nowhere", accept="application/json")
    assert (status, headers["content-type"]) == (404, "application/json")
    guard.allowed.append("404")
    page.goto(f"{retail}/nowhere")
    expect(page.get_by_role("heading", name="There is no page here")).to_be_visible()


def test_no_callback_is_offered_as_a_tool(retail: str) -> None:
    assert fetch(f"{retail}/_mcp", accept="application/json")[0] == 404


def test_versioned_files_may_be_kept_for_a_year(retail: str) -> None:
    html = fetch(f"{retail}/")[2]
    script = html.split('src="')[2].split('"')[0]
    assert "max-age=31536000" in fetch(retail + script)[1]["cache-control"]


def test_the_palette_finds_datasets_columns_jobs_and_pages_with_the_keyboard(page: Page, retail: str) -> None:
    page.goto(f"{retail}/lineage")
    expect(page.get_by_role("heading", name="Where do you want to start?")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-results [role=option]").first).to_contain_text("Governance health")
    page.keyboard.type("net_revenue")
    first = page.locator("#palette-results [role=option]").first
    expect(first).to_contain_text("net_revenue_eur")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#palette-results [aria-selected=true]")).to_have_attribute("id", "palette-hit-1")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("#lineage-title")).to_contain_text("Trace of column net_revenue_eur")
    expect(page.locator("#palette-input")).not_to_be_visible()
    page.keyboard.press("Control+k")
    page.locator("#palette-input").fill("build_fct_orders")
    expect(page.locator("#palette-results [role=option]").first).to_contain_text("build_fct_orders")
    page.locator("#palette-input").fill("zzz")
    expect(page.locator("#palette-results")).to_contain_text("Nothing is called “zzz”.")


def test_what_is_typed_into_the_palette_while_it_opens_stays(page: Page, retail: str) -> None:
    page.goto(f"{retail}/lineage")
    expect(page.get_by_role("heading", name="Where do you want to start?")).to_be_visible()
    page.evaluate("""() => {
        const later = window.setTimeout;
        window.setTimeout = (act, wait, ...given) => later(act, wait === 60 ? 1500 : wait, ...given);
    }""")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-input")).to_be_focused()  # by the dialogue itself, which is drawn sooner
    page.keyboard.type("net_")
    page.wait_for_timeout(1600)
    page.keyboard.type("revenue")
    expect(page.locator("#palette-input")).to_have_value("net_revenue")


def test_as_of_is_kept_on_every_page_and_the_page_says_when_it_is_not_now(page: Page, retail: str) -> None:
    page.goto(f"{retail}/?asof=2026-11-01T12:00:00")
    expect(page.locator("#asof-strip")).to_contain_text("You look at 2026-11-01 12:00:00 UTC.")
    page.locator("#asof-open").click()
    expect(page.locator("#asof-valid")).to_have_text("2026-11-01 12:00")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Lineage", exact=True).click()
    expect(page.get_by_role("heading", name="Where do you want to start?")).to_be_visible()
    assert query(page)["asof"] == ["2026-11-01T12:00:00"]
    page.locator(".choice").first.click()
    settled(page)
    assert query(page)["asof"] == ["2026-11-01T12:00:00"]
    page.locator("#asof-strip-now").click()
    expect(page.locator("#asof-strip")).to_be_hidden()
    assert "asof" not in query(page)


def test_dark_is_one_click_stays_after_a_reload_and_repaints_the_picture(page: Page, retail: str) -> None:
    page.goto(f"{retail}/lineage?focus={node_id('shop.core.fct_orders')}")
    settled(page, 12)
    light = page.evaluate("__lg.theme.card")
    page.get_by_role("button", name="Toggle color scheme").click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    assert page.evaluate("__lg.theme.card") != light
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")


def test_every_number_of_the_overview_leads_to_as_many_rows(page: Page, retail: str) -> None:
    page.goto(retail)
    for of in ("datasets", "columns", "jobs", "edges", "runs"):
        tile = page.locator(f"#count-{of}")
        expect(tile).to_be_visible()
        number = tile.inner_text()
        tile.click()
        expect(page.locator("#catalogue-grid-count")).to_contain_text(f"{number} rows")
        page.go_back()


def test_a_domain_leads_to_its_datasets_and_a_name_to_its_page(page: Page, retail: str) -> None:
    page.goto(retail)
    page.get_by_role("row", name="Finance").get_by_role("link").first.click()
    expect(page.locator("#catalogue-notices")).to_contain_text("Only datasets of domain finance.")
    expect(page.locator("#catalogue-grid-count")).to_contain_text("6 rows")
    name = page.get_by_role("link", name="revenue_daily fin.core", exact=True)
    expect(name).to_have_attribute("href", re.compile(r"/dataset\?id=dataset.+fin\.core\.revenue_daily$"))
    page.go_back()
    expect(page.get_by_role("heading", name="Governance health")).to_be_visible()


def test_a_failed_job_stands_first_and_leads_to_what_is_behind_it(page: Page, retail: str) -> None:
    page.goto(retail)
    row = page.get_by_role("link", name="build_stg_transactions")
    expect(row).to_contain_text("9 downstream")
    row.click()
    expect(page.locator("#lineage-title")).to_contain_text("Around payments.build_stg_transactions")


def test_figures_have_no_button_that_sends_them_away(page: Page, retail: str) -> None:
    page.goto(retail)
    expect(page.locator("#runs-per-day .main-svg").first).to_be_visible()
    page.locator("#runs-per-day").hover()
    assert page.locator(".modebar-btn").count() == 0
    assert CONFIG["showSendToCloud"] is False


def test_the_map_holds_every_dataset_and_a_double_click_opens_its_lineage(page: Page, retail: str) -> None:
    page.goto(f"{retail}/map?by=age")
    settled(page, 42)
    expect(page.locator("#map-sub")).to_contain_text("42 datasets · 63 edges")
    assert page.evaluate("__lg.model.graph.kind") == "map"
    expect(page.locator("#map-by")).to_have_value("Age")
    page.mouse.dblclick(*still(page, "fin.core.revenue_daily"))
    expect(page.locator("#lineage-title")).to_contain_text("Around fin.core.revenue_daily")


def test_it_works_below_a_sub_path(page: Page, serve: Callable[..., str]) -> None:
    page.goto(serve(FakeLineage.retail(), base_path="/mesh/") + "/mesh/")
    expect(page.locator("#count-datasets")).to_have_text("42")
    page.get_by_role("link", name="Lineage", exact=True).click()
    page.locator(".choice").first.click()
    settled(page)
    assert "/mesh/lineage" in page.url


@pytest.mark.parametrize("path", ["/", "/catalogue", f"/lineage?focus={node_id('shop.core.fct_orders')}"])
def test_nothing_is_cut_off_on_a_small_screen(page: Page, retail: str, path: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(retail + path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for width, height in ((1280, 800), (820, 1180)):
        page.set_viewport_size({"width": width, "height": height})
        expect(page.locator("[data-nodes], #count-datasets, .ag-row").first).to_be_visible()
        page.wait_for_function("(wide) => document.documentElement.scrollWidth <= wide", arg=width)
