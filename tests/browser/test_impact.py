"""The impact page over the sample company: what it says is what the command line says, and the address keeps it."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.links import Links
from dashboard.pages.impact_answer import ask
from dashboard.pages.impact_state import ImpactState, encoded
from lineage.engine import Lineage
from sample_events.load import HERE
from tests.answers.builder import World
from tests.browser.desk import Traffic, go
from tests.browser.picture import query

ORDERS = "dataset:snowflake://hp-eu1:dwh.sales.fct_orders"
STATUS = "column:snowflake://hp-eu1:dwh.sales.fct_orders:status"
EVIL = "core.<img src=x onerror=alert(1)>"


@pytest.fixture
def lx(demo: Lineage) -> Lineage:
    """The sample company with its contracts and bills."""
    return demo


@pytest.fixture
def address(demo_url: str) -> str:
    return demo_url


def contract(address: str, name: str) -> str:
    """Address of the page with a new version of a contract."""
    text = (HERE / "changes" / name).read_text(encoding="utf-8")
    return address + Links().to("impact", change="contract", doc=encoded(text))


def test_node_and_change_are_chosen_with_the_keyboard_and_back_leads_back(page: Page, address: str) -> None:
    traffic = Traffic(page)
    page.goto(f"{address}/impact")
    expect(page.locator("#impact-answer h2")).to_have_text("What do you want to change?")
    page.locator("#impact-node").focus()
    page.keyboard.type("sales.fct_orders")
    option = page.get_by_role("option", name=ORDERS, exact=True)
    expect(option).to_be_visible()
    traffic.rest()  # a list that is answered later begins anew
    for _ in range(20):
        page.keyboard.press("ArrowDown")
        if option.get_attribute("data-combobox-selected"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#impact-node")).to_have_value(ORDERS)
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("Deliver")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#impact-change")).to_have_value("Deliver it late")
    expect(page.locator("#impact-hours")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("48")
    expect(page.locator("#impact-hours")).to_have_value("48")
    page.keyboard.press("Tab")
    expect(page.locator("#impact-go")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#impact-word")).to_be_visible()
    assert query(page) == {"target": [ORDERS], "change": ["late"], "hours": ["48"]}
    page.go_back()
    expect(page.locator("#impact-answer h2")).to_have_text("What do you want to change?")
    page.go_forward()
    expect(page.locator("#impact-word")).to_be_visible()
    expect(page.locator("#impact-hours")).to_have_value("48")


def test_a_deep_link_says_what_the_command_says_and_its_files_hold_what_is_shown(
    page: Page, address: str, lx: Lineage, tmp_path: Path
) -> None:
    report = lx.contracts.change_nodes(drop=[STATUS])
    hit = [consumer for judged in report.changes for consumer in judged.consumers]
    page.goto(address + Links().to("impact", target=STATUS, change="drop", nonsense="1"))
    assert report.real is not None
    expect(page.locator("#impact-word")).to_have_text(report.real.value)
    expect(page.locator("#impact-grid-count")).to_contain_text(f"{len(hit)} row")
    for owner in report.owners[:3]:
        expect(page.locator("#impact-owners")).to_contain_text(owner)
    for one in report.sign_off:
        expect(page.locator("#impact-signoff")).to_contain_text(one)
    text = page.locator("#impact-text").text_content() or ""
    assert text.startswith(report.markdown().strip())
    with page.expect_download() as saved:
        page.locator("#impact-md").click()
    saved.value.save_as(tmp_path / "impact.md")
    assert (tmp_path / "impact.md").read_text(encoding="utf-8") == text
    with page.expect_download() as saved:
        page.locator("#impact-grid-csv").click()
    saved.value.save_as(tmp_path / "impact.csv")
    with (tmp_path / "impact.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert sorted(row["Consumer"] for row in rows) == sorted(consumer.id for consumer in hit)


def test_what_is_only_formally_breaking_and_what_only_looks_harmless_is_called_out(page: Page, address: str) -> None:
    page.goto(contract(address, "payments-2.0.0.yaml"))
    expect(page.locator("#impact-answer")).to_contain_text("Formally breaking, but nobody is hurt")
    go(page, contract("", "orders-landing-1.2.0.yaml"))
    expect(page.locator("#impact-answer")).to_contain_text("Formally harmless, but it breaks somebody")
    expect(page.locator("#impact-word")).to_have_text("BREAKING")


def test_a_contract_is_pasted_and_those_whose_word_is_needed_are_named(page: Page, address: str) -> None:
    page.goto(f"{address}/impact")
    page.locator("#impact-change").click()
    page.get_by_role("option", name="New version of a contract").click()
    page.locator("#impact-doc").fill((HERE / "changes" / "orders-3.0.0.yaml").read_text(encoding="utf-8"))
    page.locator("#impact-go").click()
    expect(page.locator("#impact-signoff li")).to_have_text(["team:customer-data", "team:marketing-analytics"])


def test_a_text_that_names_no_node_leads_to_those_that_come_near(page: Page, address: str) -> None:
    page.goto(address + Links().to("impact", target="dwh.sales.fct_ordrs", change="drop"))
    expect(page.locator("#impact-answer h2")).to_contain_text("There is no node")
    page.locator("#impact-answer .choice").first.click()
    expect(page.locator("#impact-word")).to_be_visible()


def test_a_name_with_markup_stays_text_and_unknown_costs_are_said(page: Page, serve: Callable[..., str]) -> None:
    world = World()
    world.flow(["core.orders"], "build", [EVIL], provenance="explicit")
    world.domain("bi", "core.*", "build")
    world.event(1)
    lx = Lineage(world.store)
    target = next(row.id for row in lx.listing("datasets").rows if row.name == "core.orders")
    page.goto(serve(lx) + Links().to("impact", target=target, change="drop"))
    expect(page.locator("#impact-text")).to_contain_text("&lt;img src=x")
    assert page.locator("#page img").count() == 0
    hits = ask(lx, ImpactState(target)).hits
    assert hits
    assert {hit.cost for hit in hits} == {"unknown"}


@pytest.mark.parametrize(
    ("change", "query", "asked"),
    [
        ("nullable", {"target": STATUS}, {"retype": {STATUS: "nullable"}}),
        ("late", {"target": ORDERS, "hours": "48"}, {"late": {ORDERS: 48.0}}),
        ("retire", {"target": ORDERS}, {"retire": [ORDERS]}),
        ("rename", {"target": STATUS, "to": "state"}, {"rename": {STATUS: "state"}}),
    ],
)
def test_every_change_shows_the_rows_of_the_query_layer(
    page: Page, address: str, lx: Lineage, change: str, query: dict[str, str], asked: dict[str, Any]
) -> None:
    report = lx.contracts.change_nodes(**asked)
    rows = sum(len(judged.consumers) for judged in report.changes)
    page.goto(address + Links().to("impact", change=change, **query))
    assert report.real is not None
    expect(page.locator("#impact-word")).to_have_text(report.real.value)
    expect(page.locator("#impact-grid-count")).to_contain_text(f"{rows:,} row")
    if change == "nullable":
        expect(page.locator("#impact-answer")).to_contain_text("Nullable is judged like a change of type")


def test_a_change_that_is_none_is_not_rehearsed_as_another(page: Page, address: str) -> None:
    page.goto(address + Links().to("impact", target=ORDERS, change="explode"))
    expect(page.locator("#impact-answer")).to_contain_text("There is no change “explode”. Choose one above.")
    expect(page.locator("#impact-word")).to_have_count(0)


def test_a_contract_is_uploaded_as_a_file_and_a_broken_one_is_explained(
    page: Page, address: str, tmp_path: Path
) -> None:
    page.goto(f"{address}/impact")
    page.locator("#impact-change").click()
    page.get_by_role("option", name="New version of a contract").click()
    page.locator("#impact-file input[type=file]").set_input_files(HERE / "changes" / "orders-3.0.0.yaml")
    expect(page.locator("#impact-doc")).to_have_value(re.compile("DataContract"))
    page.locator("#impact-go").click()
    expect(page.locator("#impact-word")).to_be_visible()
    broken = tmp_path / "broken.yaml"
    broken.write_text("kind: [", encoding="utf-8")
    page.locator("#impact-file input[type=file]").set_input_files(broken)
    expect(page.locator("#impact-doc")).to_have_value("kind: [")
    page.locator("#impact-go").click()
    expect(page.locator("#impact-answer h2")).to_have_text("This cannot be answered")


def test_the_link_that_is_copied_says_the_same_and_nothing_is_cut_off_on_a_small_screen(
    page: Page, address: str
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(address + Links(asof="2026-06-20").to("impact", target=STATUS, change="drop"))
    word = page.locator("#impact-word")
    expect(word).to_be_visible()
    before = page.locator("#impact-text").text_content()
    page.locator("#impact-link").click()
    expect(page.locator("#impact-copied")).to_have_text("Link copied")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    page.goto(copied)
    expect(page.locator("#impact-text")).to_have_text(before or "")
    for width in (1280, 820):
        page.set_viewport_size({"width": width, "height": 1000})
        expect(page.locator("#impact-grid-count")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
