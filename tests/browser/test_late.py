"""Answers that come late: what somebody typed, chose or pressed meanwhile stands, and what was begun is not lost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from dashboard.jobs import Made, Progress
from dashboard.links import Links
from dashboard.pages import provenance
from lineage.engine import Lineage
from tests.browser.desk import filled
from tests.browser.picture import click, node_id, query, settled

REPORT = "dataset:superset://bi.harbourpine.example:finance/ifrs15_report"
ASKED = re.compile(r"/_dash-update-component\b")


class Late:
    """Holds back the questions of a page to some part of it, until they are let go."""

    def __init__(self, page: Page, output: str) -> None:
        self.page = page
        self.output = output
        self.held: list[Route] = []
        self.over = False
        page.route(ASKED, self._hold)

    def _hold(self, route: Route) -> None:
        asked = json.loads(route.request.post_data or "{}")
        if self.over or self.output not in asked["output"]:
            route.fallback()
        else:
            self.held.append(route)

    def begun(self, number: int = 1) -> None:
        """Wait until so many are held."""
        for _ in range(1500):
            if len(self.held) >= number:
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"{self.output} was asked for {len(self.held)} times")

    def go(self) -> None:
        """Let them go, in their order, and hold no others."""
        self.over = True
        for route in self.held:
            route.continue_()


def test_what_is_typed_before_the_first_answer_of_impact_stands(page: Page, demo_url: str) -> None:
    late = Late(page, "impact-answer")
    page.goto(f"{demo_url}/impact?change=late&hours=12&doc=aWQ6IOKAlCB2Mg")
    late.begun()
    expect(page.locator("#impact-change")).to_have_value("Deliver it late")
    expect(page.locator("#impact-hours")).to_have_value("12")
    page.locator("#impact-change").click()
    page.get_by_role("option", name="New version of a contract").click()
    expect(page.locator("#impact-doc")).to_have_value("id: — v2")
    page.locator("#impact-doc").fill("kind: [")
    late.go()
    expect(page.locator("#impact-answer h2")).to_be_visible()
    expect(page.locator("#impact-change")).to_have_value("New version of a contract")
    expect(page.locator("#impact-doc")).to_have_value("kind: [")


def test_what_is_chosen_before_the_first_answer_of_provenance_stands(page: Page, demo_url: str) -> None:
    late = Late(page, "provenance-answer")
    page.goto(f"{demo_url}/provenance?asof=2026-06-22T09:00:00Z&view=mood")
    late.begun()
    expect(page.locator("#provenance-asof")).to_have_text("2026-06-22 09:00")
    page.locator("#provenance-node").fill("ifrs15")
    page.get_by_role("option", name=REPORT, exact=True).click()
    late.go()
    expect(page.locator("#provenance-answer h2")).to_be_visible()
    expect(page.locator("#provenance-node")).to_have_value(REPORT)
    assert query(page)["view"] == ["mood"]  # what means nothing here is left alone


def test_a_colour_chosen_before_the_map_is_drawn_stands(page: Page, retail: str) -> None:
    late = Late(page, "map-graph.graph")
    page.goto(f"{retail}/map?by=age")
    late.begun()
    expect(page.locator("#map-by")).to_have_value("Age")
    late.go()
    settled(page, 42)
    late = Late(page, "map-graph.graph")
    page.goto(f"{retail}/map")
    late.begun()
    page.evaluate("() => { document.getElementById('map-work').style.display = ''; }")
    page.locator("#map-by").click()
    page.get_by_role("option", name="Last run").click()
    late.go()
    settled(page, 42)
    expect(page.locator("#map-by")).to_have_value("Last run")
    assert query(page)["by"] == ["status"]


def test_a_node_chosen_while_more_is_asked_for_stays_chosen(page: Page, retail: str) -> None:
    page.goto(f"{retail}/lineage?focus={node_id('shop.core.fct_orders')}")
    settled(page, 12)
    expect(page.locator("#lineage-panel h2")).to_have_text("fct_orders")
    late = Late(page, "lineage-graph.graph")
    page.locator("#lineage-up").get_by_text("2", exact=True).click()
    late.begun()
    click(page, "crm.core.dim_customer")
    page.wait_for_url("**sel=*dim_customer**")
    late.go()
    settled(page, 15)
    page.wait_for_function("() => __lg.selected !== null && __lg.model.nodes[__lg.selected].name === 'dim_customer'")
    expect(page.locator("#lineage-panel h2")).to_have_text("dim_customer")
    page.go_back()
    settled(page, 12)
    expect(page.locator("#lineage-panel h2")).to_have_text("fct_orders")


def test_the_picture_stays_where_it_is_when_the_line_of_time_comes(page: Page, retail: str) -> None:
    late = Late(page, "lineage-when.buckets")
    page.goto(f"{retail}/lineage?focus={node_id('shop.core.fct_orders')}")
    settled(page, 12)
    late.begun()
    before = page.locator(".lineage-graph").bounding_box()
    late.go()
    expect(page.locator(".time-slider svg")).to_be_visible()
    assert page.locator(".lineage-graph").bounding_box() == before


def test_enter_in_the_palette_goes_to_what_was_typed_not_to_what_is_still_shown(page: Page, retail: str) -> None:
    page.goto(f"{retail}/lineage")
    expect(page.get_by_role("heading", name="Where do you want to start?")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-results [role=option]").first).to_contain_text("Governance health")
    expect(page.locator("#palette-input")).to_be_focused()
    late = Late(page, "palette-results")
    page.keyboard.type("net_revenue")
    late.begun()
    page.keyboard.press("Enter")
    expect(page.locator("#palette-input")).to_be_visible()
    late.go()
    expect(page.locator("#lineage-title")).to_contain_text("Trace of column net_revenue_eur")
    page.keyboard.press("Control+k")
    late = Late(page, "palette-results")
    page.locator("#palette-input").fill("dim_customer")
    late.begun()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")  # closed before the answer: it leads nowhere
    late.go()
    expect(page.locator("#palette-input")).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-results [role=option]").first).to_contain_text("dim_customer")
    expect(page.locator("#palette-input")).to_be_visible()


def test_a_job_whose_first_answer_is_overtaken_is_shown_all_the_same(
    page: Page, demo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quick(_lx: Lineage, _state: object, _raw: bool, _progress: Progress) -> Made:
        return Made("a.txt", b"abc", "text/plain")

    monkeypatch.setattr(provenance, "make_pack", quick)
    page.goto(demo_url + Links(asof="2026-06-22T09:00").to("provenance", target=REPORT))
    expect(page.locator("#provenance-pack")).to_be_visible()
    expect(page.locator(".job")).to_have_count(0)
    late = Late(page, "jobs-list")
    for number in (1, 2):
        page.locator("#provenance-pack").click()
        late.begun(number)  # the second question takes the place of the first
    page.evaluate("() => dash_clientside.set_props('jobs-asked', { data: 1 })")
    late.begun(3)
    late.go()
    expect(page.locator(".job[data-state=done]")).to_have_count(2)
    for left in (1, 0):
        page.locator(".job").first.get_by_role("button", name="Remove").click()
        expect(page.locator(".job")).to_have_count(left)


def test_an_answer_about_the_server_that_comes_after_a_later_one_is_not_believed(page: Page, retail: str) -> None:
    page.goto(f"{retail}/catalogue")
    filled(page)
    page.wait_for_function("() => __live.boot !== null")
    known: dict[str, Any] = page.evaluate("async () => (await fetch('/_live')).json()")
    held: list[Route] = []

    def hold(route: Route) -> None:
        if held:
            route.fallback()
        else:
            held.append(route)

    page.route("**/_live", hold)
    with page.expect_request("**/_live"):
        page.evaluate("() => { window.__early = __live.ask(); }")
    page.evaluate("async () => { await __live.ask(); }")
    held[0].fulfill(json={**known, "boot": "of an earlier server"})
    page.evaluate("async () => { await window.__early; }")
    assert page.evaluate("() => __live.boot") == known["boot"]
    expect(page.locator("#live-strip")).to_be_hidden()


def test_a_table_that_is_being_left_writes_nothing_into_the_next_address(
    page: Page, serve: Callable[..., str], retail: str
) -> None:
    page.goto(f"{retail}/catalogue")
    expect(page.locator("#catalogue-grid .ag-row").first).to_be_visible()
    late = Late(page, "page.children")
    page.get_by_role("link", name="Lineage", exact=True).click()
    late.begun()
    page.locator("#catalogue-grid .ag-header-cell-text").get_by_text("Name", exact=True).click()
    expect(page.locator("#catalogue-grid .ag-header-cell[aria-sort=ascending]")).to_be_visible()
    page.wait_for_function("() => dash_ag_grid.getApi('catalogue-grid').getColumnState().some((one) => one.sort)")
    expect(page.locator("#catalogue-grid .ag-row").first).to_be_visible()
    late.go()
    expect(page.get_by_role("heading", name="Where do you want to start?")).to_be_visible()
    assert "sort" not in query(page)
