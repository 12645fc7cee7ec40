"""Pages live: new data comes by itself or is offered, a server that was away is said, what is open is in the bell."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from dashboard.app import create_dash
from dashboard.memo import Memo
from lineage.attention import Matter
from tests.browser.conftest import Guarded, Server
from tests.browser.fake import FakeLineage
from tests.browser.picture import click, node_id, settled


def grow(lx: FakeLineage, name: str) -> None:
    """An event has been projected: there is one dataset more."""
    lx.add(name, "orders", ["a:int"], ["shop.core.fct_orders"])
    lx.state += 1


def test_new_data_appears_without_a_reload_and_is_offered_to_who_is_at_work(
    page: Page, serve: Callable[..., str]
) -> None:
    lx = FakeLineage.retail()
    page.goto(f"{serve(lx)}/lineage?focus={node_id('shop.core.fct_orders')}")
    settled(page, 12)
    page.wait_for_function("() => __live.boot !== null")
    grow(lx, "shop.core.new_one")
    page.evaluate("() => __live.ask()")
    settled(page, 13)
    page.locator("#lineage-find").fill("orders")
    grow(lx, "shop.core.new_two")
    page.evaluate("() => __live.ask()")
    strip = page.locator("#live-strip")
    expect(strip).to_contain_text("New data has arrived.")
    settled(page, 13)
    strip.get_by_role("button", name="Show it").click()
    settled(page, 14)
    expect(strip).to_be_hidden()


def test_a_figure_from_before_the_store_changed_says_of_when_it_is_and_follows_by_itself(
    page: Page, serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lx = FakeLineage.retail()
    clock = [1000.0]
    monkeypatch.setattr(Memo.__init__, "__defaults__", (lambda: clock[0],))  # it stands: answers stay young
    address = serve(lx)
    page.goto(f"{address}/")
    datasets = page.locator("#health-sub")
    expect(datasets).to_contain_text("datasets")
    page.wait_for_function("() => __live.boot !== null")
    page.evaluate("() => { __live.calm = 300; }")
    before = datasets.inner_text()
    grow(lx, "shop.core.new_one")
    page.evaluate("() => __live.ask()")
    expect(page.locator("#held-note")).to_contain_text(re.compile(r"figures of \d\d:\d\d:\d\d UTC"))
    assert datasets.inner_text() == before
    clock[0] += 61.0
    expect(datasets).not_to_have_text(before)
    expect(page.locator("#held-note")).to_be_hidden()


def test_the_past_is_left_alone(page: Page, serve: Callable[..., str]) -> None:
    lx = FakeLineage.retail()
    page.goto(f"{serve(lx)}/lineage?focus={node_id('shop.core.fct_orders')}&asof=2026-11-01T00:00:00")
    settled(page, 12)
    page.wait_for_function("() => __live.boot !== null")
    grow(lx, "shop.core.new_one")
    page.evaluate("() => __live.ask()")
    settled(page, 12)
    expect(page.locator("#live-strip")).to_be_hidden()


def test_a_server_that_goes_away_and_comes_back_is_said_and_the_page_goes_on(page: Page, guard: Guarded) -> None:
    guard.allowed += ["ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET", "Failed to fetch"]
    guard.allowed.append("the server did not respond")  # a question that was on its way
    lx = FakeLineage.retail()
    first = Server(create_dash(lx, FastAPI()).server)
    page.goto(f"{first.url}/lineage?focus={node_id('shop.core.fct_orders')}")
    settled(page, 12)
    page.wait_for_function("() => __live.boot !== null")
    port = int(first.url.rpartition(":")[2])
    first.stop()
    page.evaluate("() => __live.ask()")
    expect(page.locator("#live-strip")).to_contain_text("The server has not answered since")
    second = Server(create_dash(lx, FastAPI()).server, port)
    try:
        page.evaluate("() => __live.ask()")
        expect(page.locator("#live-strip")).to_contain_text("The server was started anew at")
        click(page, "pay.core.fct_payments")
        expect(page.locator("#lineage-panel h2")).to_have_text("fct_payments")
        page.get_by_role("button", name="Close").click()
        expect(page.locator("#live-strip")).to_be_hidden()
    finally:
        page.goto("about:blank")
        second.stop()


def test_the_bell_counts_what_this_browser_has_not_seen(page: Page, serve: Callable[..., str]) -> None:
    lx = FakeLineage.retail()
    node = node_id("shop.core.fct_orders")
    matters = [
        Matter("incident", "high", "No write for 95 hours", node, "orders", None, 9, ref="i1"),
        Matter("violation", "medium", "Every dataset has an owner", node, "orders", None, 9, ref="owner-present"),
    ]
    lx.fields.matters = tuple(matters)
    page.goto(f"{serve(lx)}/lineage")
    expect(page.locator("#bell-count")).to_have_text("2")
    page.keyboard.press("n")
    expect(page.locator("#bell-list .is-new")).to_have_count(2)
    expect(page.locator("#bell-list")).to_contain_text("9 downstream")
    expect(page.locator("#bell-count")).to_be_hidden()
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("#bell-list")).to_contain_text("No write for 95 hours")
    expect(page.locator("#bell-count")).to_be_hidden()
    page.keyboard.press("n")
    page.locator("#bell-list").get_by_text("Every dataset has an owner").click()
    expect(page).to_have_url(re.compile(r"/policies\?policy=owner-present$"))


def test_the_palette_opens_while_the_page_is_being_drawn(page: Page, retail: str) -> None:
    """A click comes in one batch with a button that was just drawn, which has no clicks yet: the click counts."""
    page.goto(f"{retail}/lineage")
    expect(page.get_by_role("heading", name="Where do you want to start?")).to_be_visible()
    opened = """(triggered) => {
        dash_clientside.callback_context = { triggered };
        const told = dash_clientside.meshline.palette(1, [null], "", "/", false);
        return told === dash_clientside.no_update ? null : told;
    }"""
    drawn = {"prop_id": '{"place":"lineage","type":"palette-open"}.n_clicks', "value": None}
    pressed = {"prop_id": "palette-open.n_clicks", "value": 1}
    moved = {"prop_id": "url.search", "value": ""}
    assert page.evaluate(opened, [drawn, pressed]) is True
    assert page.evaluate(opened, [moved, pressed]) is True
    assert page.evaluate(opened, [drawn]) is None


def test_the_palette_finds_owners_and_does_things(page: Page, retail: str) -> None:
    page.goto(f"{retail}/lineage")
    expect(page.get_by_role("heading", name="Where do you want to start?")).to_be_visible()
    page.keyboard.press("Control+k")
    page.locator("#palette-input").fill("dark")
    expect(page.locator("#palette-results [role=option]").first).to_contain_text("light and dark")
    before = page.locator("html").get_attribute("data-mantine-color-scheme")
    page.keyboard.press("Enter")
    expect(page.locator("html")).not_to_have_attribute("data-mantine-color-scheme", before or "")
    page.keyboard.press("Control+k")
    page.locator("#palette-input").fill("gouvernance")
    expect(page.locator("#palette-results [role=option]").first).to_contain_text("Governance health")
    page.locator("#palette-input").fill("mira")
    expect(page.locator("#palette-results")).to_contain_text("owner")
