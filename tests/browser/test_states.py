"""What pages show when there is nothing to show, too much, something hostile, or an error."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from lineage.details import NodeDetail
from lineage.engine import Lineage
from lineage.errors import UsageError
from tests.answers.builder import NS, World
from tests.browser.conftest import Guarded
from tests.browser.desk import filled, go
from tests.browser.fake import NAMESPACE, FakeLineage
from tests.browser.picture import click, settled, shown


def test_an_empty_store_says_how_to_fill_it(page: Page, serve: Callable[..., str]) -> None:
    address = serve(FakeLineage())
    page.goto(f"{address}/lineage")
    expect(page.get_by_role("heading", name="No lineage yet")).to_be_visible()
    expect(page.locator(".hero")).to_contain_text("meshline ingest")


def test_an_unknown_node_offers_what_comes_near(page: Page, retail: str) -> None:
    page.goto(f"{retail}/lineage?focus=shop.core.xx_orders")
    expect(page.get_by_role("heading", name="There is no node “shop.core.xx_orders”")).to_be_visible()
    page.locator(".choice").first.click()
    settled(page)


def test_an_address_with_nonsense_in_it_is_read_as_far_as_it_makes_sense(page: Page, retail: str) -> None:
    page.goto(f"{retail}/lineage?focus=fct_orders&up=-7&down=many&by=mood&view=%00&open=gone&xu=gone&zz=1")
    settled(page, 12)


def test_a_time_that_is_none_is_explained(page: Page, serve: Callable[..., str]) -> None:
    class Strict(FakeLineage):
        def picture(self, node: str, *, as_of: Any = None, **options: Any) -> Any:
            if as_of == "soon":
                raise UsageError("as-of: “soon” is no time. Write it like 2026-03-31.")
            return super().picture(node, **options)

    page.goto(serve(Strict.retail()) + "/lineage?focus=fct_orders&asof=soon")
    expect(page.locator(".hero")).to_contain_text("“soon” is no time")
    expect(page.locator("#asof-text")).to_have_text("“soon” is no time.")


def test_a_time_to_come_says_what_is_shown(page: Page, demo_url: str) -> None:
    page.goto(f"{demo_url}/?asof=2999-01-01T00:00:00Z")
    strip = page.locator("#asof-text")
    expect(strip).to_have_text(re.compile(r"^You look at 2999-01-01 00:00:00 UTC\. That is yet to come: "))
    filled(page)


def test_a_domain_that_is_not_there_has_no_figures(page: Page, demo_url: str) -> None:
    page.goto(f"{demo_url}/?domain=nosuch")
    expect(page.locator(".hero")).to_contain_text("There is no domain “nosuch” at this time.")
    expect(page.locator("#health-body")).to_be_hidden()
    page.get_by_role("link", name="Show all domains").click()
    expect(page.locator("#health-body")).to_be_visible()
    expect(page.locator(".hero")).to_have_count(0)
    go(page, "?domain=finance")
    expect(page.locator("#health-sub")).to_have_text(re.compile(r"^domain finance · 1 data product · \d+ datasets"))


@pytest.mark.parametrize(
    ("address", "key", "kind"), [("runs", "job", "job"), ("quality?view=series", "node", "dataset")]
)
def test_a_node_that_nobody_knows_is_named_with_those_that_come_near(
    page: Page, demo: Lineage, demo_url: str, address: str, key: str, kind: str
) -> None:
    there = next(row.id for row in demo.listing(f"{kind}s").rows)
    sign = "&" if "?" in address else "?"
    page.goto(f"{demo_url}/{address}{sign}{key}={quote(there)}")
    filled(page)
    expect(page.locator(".unknown-node")).to_have_count(0)
    page.goto(f"{demo_url}/{address}{sign}{key}={quote(there)}x")
    said = page.locator(".unknown-node")
    expect(said).to_contain_text(f"There is no node “{there}x”")
    said.get_by_role("link", name=there, exact=True).click()
    expect(said).to_have_count(0)
    page.goto(f"{demo_url}/{address}{sign}{key}=nosuch")
    expect(said).to_contain_text("There is no node “nosuch”")
    filled(page)
    tiles = page.locator(f"#{address.partition('?')[0]}-tiles")
    expect(tiles).to_contain_text("Unknown: nobody knows “nosuch”.")
    expect(page.locator(".untold")).to_have_count(1)
    expect(page.locator(".tile-value")).to_have_count(0)  # neither zero nor the figures of the whole mesh
    expect(page.locator("#list .card-sub").first).to_contain_text(f"Of every {key}: the one in the address is unknown.")
    tiles.get_by_role("link", name=f"Show every {key}").click()
    expect(page.locator(".tile-value")).to_have_count(6)
    expect(said).to_have_count(0)


def test_a_defect_shows_a_number_and_no_traceback(page: Page, guard: Guarded, serve: Callable[..., str]) -> None:
    class Broken(FakeLineage):
        def show(self, node: str, **options: Any) -> NodeDetail:
            raise ZeroDivisionError("secret detail")

    page.goto(serve(Broken.retail()) + "/lineage?focus=fct_orders")
    expect(page.locator("#page-error")).to_contain_text("Something went wrong here (error ")
    assert "secret detail" not in page.content()
    guard.allowed.append("500")


def test_a_cut_picture_says_how_much_is_behind_and_offers_the_map(page: Page, serve: Callable[..., str]) -> None:
    lx = FakeLineage()
    lx.add("db.hub", "orders", ["a:int"], [])
    for n in range(420):
        lx.add(f"db.leaf{n:03d}", ["orders", "finance"][n % 2], [], ["db.hub"])
    page.goto(f"{serve(lx)}/lineage?focus=hub")
    settled(page, 300)
    expect(page.locator("#lineage-notices")).to_contain_text("stops at 300 nodes: 121 more right behind, in 2 domains.")
    page.get_by_role("link", name="Show as mesh map").click()
    settled(page, 421)
    assert page.evaluate("__lg.model.graph.kind") == "map"


def test_a_cycle_is_drawn_and_named(page: Page, serve: Callable[..., str]) -> None:
    lx = FakeLineage()
    lx.add("db.a", "orders", [], ["db.c"])
    lx.add("db.b", "orders", [], ["db.a"])
    lx.add("db.c", "orders", [], ["db.b", "db.c"])
    page.goto(f"{serve(lx)}/lineage?focus=db.a&up=all&down=all")
    settled(page, 3)
    expect(page.locator("#lineage-notices")).to_contain_text("has a cycle")


def test_names_from_producers_are_never_markup(page: Page, serve: Callable[..., str]) -> None:
    evil = "<img src=x onerror=alert(1)>"

    class Evil(FakeLineage):
        def show(self, node: str, **options: Any) -> NodeDetail:
            detail = super().show(node, **options)
            runs = tuple(replace(run, error=f"{evil}'\"", run_id=evil, state="FAIL") for run in detail.runs)
            facets = {evil: {"x": evil}, "sql": {"query": f"select '{evil}'"}}
            return replace(
                detail, description=f"{evil} [x](javascript:alert(1))", runs=runs, facets=facets, tags=(evil,)
            )

    lx = Evil()
    lx.add(f"db.{evil}", evil, [f"{evil.replace(' ', '_')}:{evil.replace(' ', '_')}"], [])
    lx.add("db.next", "orders", ["a:int"], [f"db.{evil}"])
    page.on("dialog", lambda dialog: (_ for _ in ()).throw(AssertionError("script ran")))
    address = serve(lx, banner=evil)
    page.goto(f"{address}/lineage?focus=db.next")
    settled(page, 2)
    click(page, f"db.{evil}")
    expect(page.locator("#lineage-panel .panel-description")).to_contain_text(evil)
    page.get_by_role("tab", name="Facets 2").click()
    page.locator("#lineage-view").get_by_text("Edges").click()
    expect(page.locator(".ag-row").first).to_be_visible()
    page.keyboard.press("Control+k")
    page.locator("#palette-input").fill("img")
    expect(page.locator("#palette-results [role=option]").first).to_contain_text("onerror")
    page.goto(address)
    expect(page.locator("#count-datasets")).to_have_text("2")
    assert page.locator("img").count() == 0


def test_long_right_to_left_and_emoji_names_stay_inside_their_cards(page: Page, serve: Callable[..., str]) -> None:
    lx = FakeLineage()
    names = ["db." + "long" * 125, "db.בדיקה_العربية", "db.📦🧾✨" * 3]
    for name in names:
        lx.add(name, "orders", ["a:int"], [])
    lx.add("db.sink", "orders", ["a:int"], names)
    page.goto(f"{serve(lx)}/lineage?focus=db.sink")
    settled(page, 4)
    click(page, names[0])
    expect(page.locator("#lineage-panel h2")).to_contain_text("longlong")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440


def test_three_thousand_columns_open_ten_at_a_time(page: Page, serve: Callable[..., str]) -> None:
    lx = FakeLineage()
    lx.add("db.wide", "orders", [f"c{n:04d}:int" for n in range(3000)], [])
    page.goto(f"{serve(lx)}/lineage?focus=db.wide&open=dataset:{NAMESPACE}:db.wide")
    settled(page, 1)
    card = shown(page)["db.wide"]
    assert (len(card["rows"]), card["more"]) == (10, 2990)
    click(page, "db.wide", "more")
    page.wait_for_url("**more=**")
    settled(page, 1)
    page.locator(".lineage-graph[data-rows='20']").wait_for()
    assert len(shown(page)["db.wide"]["rows"]) == 20


def test_hidden_nodes_say_their_domain_and_nothing_else(page: Page, serve: Callable[..., str]) -> None:
    lx = FakeLineage.retail()
    lx.hidden = frozenset({"payments"})
    page.goto(f"{serve(lx)}/lineage?focus=fct_orders")
    settled(page, 12)
    hidden = page.evaluate("__lg.model.nodes.filter((n) => n.hidden)[0]")
    assert (hidden["name"], hidden["cutUp"], hidden["cutDown"], hidden["cols"], hidden["owner"]) == (
        "hidden",
        0,
        0,
        0,
        None,
    )


def test_a_long_name_makes_no_page_wider_than_the_window(page: Page, serve: Callable[..., str]) -> None:
    world, long = World(), f"{'x' * 250}.{'long_name_' * 25}"
    world.flow(["src"], "load", [long])
    address, node = serve(Lineage(world.store)), quote(f"dataset:{NS}:{long}")
    for path in ("lineage?focus=", "dataset?id=", "provenance?target=", "impact?change=drop&target="):
        page.goto(f"{address}/{path}{node}")
        filled(page)
        expect(page.locator("#page")).to_contain_text("long_name_long_name_")
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), path


def test_paper_is_light_says_where_and_of_when_it_is_and_has_all_rows_of_a_table(page: Page, demo_url: str) -> None:
    page.emulate_media(color_scheme="dark", media="print")
    node = quote("dataset:snowflake://hp-eu1:dwh.sales.daily_sales")
    page.goto(f"{demo_url}/provenance?target={node}&vs=2026-04-20T00:00:00&view=table")
    filled(page)
    html = page.locator("html")
    expect(html).to_have_attribute("data-mantine-color-scheme", "dark")
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    expect(html).to_have_attribute("data-mantine-color-scheme", "light")
    expect(page.locator("#print-line")).to_have_text(re.compile(r"/provenance\?.* · printed .* UTC, as of .* UTC$"))
    for box in page.locator(".grid-box").all():
        rows = int(box.locator(".num").first.inner_text().split(" ")[0])
        expect(box.locator(".ag-center-cols-container .ag-row")).to_have_count(rows)
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    expect(html).to_have_attribute("data-mantine-color-scheme", "dark")
    page.goto(f"{demo_url}/catalogue?of=columns")
    expect(page.locator(".ag-row").first).to_be_visible()
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("#catalogue-grid")).to_have_attribute("data-cut", "")
