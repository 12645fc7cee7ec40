"""The lineage page in a browser: what a person does with the picture, and what the address keeps."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lineage.engine import Lineage
from tests.browser.desk import go
from tests.browser.picture import click, lit, node_id, opened, query, settled, shown, still

FOCUS = "shop.core.fct_orders"


@pytest.fixture
def orders(page: Page, retail: str) -> Page:
    """The picture around fct_orders as it first opens: 2 upstream, 9 downstream."""
    page.goto(f"{retail}/lineage?focus={node_id(FOCUS)}")
    settled(page, 12)
    expect(page.locator("#lineage-panel h2")).to_have_text("fct_orders")
    return page


def test_it_opens_one_step_each_way_with_columns_closed_and_counts_on_cut_edges(orders: Page) -> None:
    cards = shown(orders)
    assert len(cards) == 12
    assert all(card["rows"] == [] for card in cards.values())
    assert cards["shop.stg.stg_orders"]["up"] == 2
    assert cards["fin.core.revenue_daily"]["down"] == 3
    expect(orders.locator("#lineage-title")).to_contain_text("12 datasets · 15 edges in view")


def test_depth_means_exactly_so_many_steps_and_is_kept_in_the_address(orders: Page) -> None:
    orders.locator("#lineage-up").get_by_text("2", exact=True).click()
    settled(orders, 15)
    assert query(orders)["up"] == ["2"]
    orders.locator("#lineage-down").get_by_text("All", exact=True).click()
    settled(orders, 24)
    assert query(orders)["down"] == ["all"]
    orders.go_back()
    settled(orders, 15)
    orders.go_forward()
    settled(orders, 24)
    expect(orders.locator("#lineage-down input:checked")).to_have_value("all")


def test_a_count_on_a_cut_edge_shows_what_is_behind_it(orders: Page) -> None:
    click(orders, "shop.stg.stg_orders", "up")
    settled(orders, 14)
    assert {"shop.raw.orders_raw", "shop.raw.order_events"} <= set(shown(orders))
    assert shown(orders)["shop.stg.stg_orders"]["up"] == 0
    orders.go_back()
    settled(orders, 12)


def test_hover_lights_the_whole_way_up_and_down_and_nothing_else(orders: Page) -> None:
    orders.mouse.move(*still(orders, "crm.core.dim_customer"))
    expect(orders.locator(".lg-tip")).to_contain_text("crm.core.dim_customer")
    found = lit(orders)
    assert found["crm.core.dim_customer"] == 0
    assert found[FOCUS] == found["shop.stg.stg_orders"] == -1
    assert found["crm.mart.customer_360"] == found["fin.core.revenue_daily"] == 1
    assert "pay.core.fct_payments" not in found


def test_a_click_locks_the_way_fills_the_panel_and_escape_clears(orders: Page) -> None:
    click(orders, "pay.core.fct_payments")
    expect(orders.locator("#lineage-panel h2")).to_have_text("fct_payments")
    assert query(orders)["sel"] == [node_id("pay.core.fct_payments")]
    orders.mouse.move(5, 5)
    assert lit(orders)["pay.core.fct_payments"] == 0
    orders.keyboard.press("Escape")
    expect(orders.locator("#lineage-panel")).to_contain_text("Choose a node")
    assert lit(orders) == {}
    assert "sel" not in query(orders)


def test_a_link_with_everything_in_it_draws_the_same_again(orders: Page, guard: object) -> None:
    click(orders, "shop.stg.stg_orders", "up")
    settled(orders, 14)
    orders.locator("#lineage-by").click()
    orders.get_by_role("option", name="Age").click()
    click(orders, "crm.core.dim_customer")
    expect(orders.locator("#lineage-panel h2")).to_have_text("dim_customer")
    before = shown(orders)
    other = orders.context.new_page()
    other.goto(orders.url)
    settled(other, 14)
    expect(other.locator("#lineage-panel h2")).to_have_text("dim_customer")
    assert shown(other) == before
    other.wait_for_function("() => __lg.overlay === 'age'")


def test_columns_open_with_the_keyboard_and_are_traced_by_a_click(orders: Page) -> None:
    click(orders, FOCUS)
    orders.keyboard.press(" ")
    orders.wait_for_url("**open=**")
    opened(orders, FOCUS)
    expect(orders.locator("#lineage-title")).to_contain_text("12 datasets")
    assert shown(orders)[FOCUS]["rows"] == ["order_id", "customer_id", "net_amount", "placed_on", "items"]
    click(orders, FOCUS, "row:net_amount")
    expect(orders.locator("#lineage-title")).to_contain_text("Trace of column net_amount")
    orders.wait_for_function(
        "() => __lg.model.nodes.every((n) => n.rows.length)"
    )  # the picture before was at rest, too
    settled(orders)
    rows = {name: card["rows"] for name, card in shown(orders).items()}
    assert rows["shop.raw.orders_raw"] == ["total_cents"]
    assert rows[FOCUS] == ["net_amount"]
    assert rows["fin.mart.ifrs15_report"] == ["net_revenue_eur"]
    assert "wms.core.fct_shipments" not in rows
    assert shown(orders)[FOCUS]["more"] == 4
    orders.go_back()
    settled(orders, 12)


def test_the_keyboard_alone_walks_the_picture(orders: Page) -> None:
    orders.locator("#lineage-graph").focus()
    orders.keyboard.press("ArrowRight")  # stands on the focus already: goes to a reader
    live = orders.locator("#lineage-graph [aria-live]")
    expect(live).to_contain_text("directly upstream")
    first = orders.evaluate("__lg.model.nodes[__lg.cursor].full")
    assert first != FOCUS
    orders.keyboard.press("ArrowLeft")
    assert orders.evaluate("__lg.model.nodes[__lg.cursor].full") == FOCUS
    expect(live).to_contain_text(f"{FOCUS}, dataset, domain Orders, last run complete, 2 directly upstream")
    zoom = orders.evaluate("__lg.k")
    orders.keyboard.press("+")
    assert orders.evaluate("__lg.k") > zoom
    orders.keyboard.press("f")
    orders.keyboard.press("ArrowLeft")
    name = orders.evaluate("__lg.model.nodes[__lg.cursor].full")
    orders.keyboard.press("Enter")
    expect(orders.locator("#lineage-title")).to_contain_text(f"Around {name}")
    orders.keyboard.press("?")
    expect(orders.get_by_role("dialog", name="Keyboard")).to_be_visible()


def test_the_key_for_one_more_step_leaves_the_address_alone_where_nothing_more_is(orders: Page) -> None:
    def stand(name: str) -> None:
        orders.evaluate("(name) => { __lg.cursor = __lg.model.nodes.find((n) => n.full === name).i; }", name)

    live, steps = orders.locator("#lineage-graph [aria-live]"), orders.evaluate("history.length")
    orders.locator("#lineage-graph").focus()
    stand(FOCUS)
    for key, side in (("]", "downstream"), ("[", "upstream")):
        orders.keyboard.press(key)
        expect(live).to_have_text(f"Nothing more directly {side} to show.")
    assert "xd" not in query(orders) and "xu" not in query(orders)
    assert orders.evaluate("history.length") == steps
    stand("shop.stg.stg_orders")
    orders.keyboard.press("[")
    settled(orders, 14)
    assert orders.evaluate("history.length") == steps + 1


def test_find_rings_the_matches_and_enter_goes_through_them(orders: Page) -> None:
    orders.keyboard.press("/")
    orders.keyboard.type("order")
    expect(orders.locator("#lineage-graph [aria-live]")).to_have_text("4 found")
    orders.keyboard.press("Enter")
    expect(orders.locator(".lineage-graph[data-settled=true]")).to_be_visible()
    orders.wait_for_function("() => __lg.found === 0")  # the picture was at rest before the key, too


def test_domains_can_be_left_out_and_the_page_says_so(orders: Page, retail: str) -> None:
    orders.goto(f"{retail}/lineage?focus={node_id(FOCUS)}&domain=orders")
    settled(orders, 5)
    expect(orders.locator("#lineage-notices")).to_contain_text("7 hidden by the choice of domains.")
    orders.get_by_role("link", name="Clear").click()
    settled(orders, 12)
    go(orders, f"/lineage?focus={node_id(FOCUS)}&domain=nowhere")
    expect(orders.get_by_role("heading", name="Nothing is left to show")).to_be_visible()


def test_jobs_become_nodes_and_a_lit_way_through_them_is_a_true_one(orders: Page) -> None:
    orders.locator("#lineage-flags, .mantine-Chip-label").get_by_text("Jobs", exact=True).click()
    settled(orders, 24)
    orders.mouse.move(*still(orders, "shop.stg.stg_orders"))
    expect(orders.locator(".lg-tip")).to_contain_text("shop.stg.stg_orders")
    found = lit(orders)
    assert found["orders.build_fct_orders"] == found[FOCUS] == 1
    assert "shop.stg.stg_order_lines" not in found


def test_the_tables_hold_what_the_picture_shows_and_so_do_the_files(orders: Page, tmp_path: Path) -> None:
    names = set(shown(orders))
    saved = {}
    for kind in ("nodes", "edges"):
        orders.locator("#lineage-export").click()
        with orders.expect_download() as download:
            orders.locator(f"#lineage-do-{kind}").click()
        target = tmp_path / f"{kind}.csv"
        download.value.save_as(target)
        saved[kind] = list(csv.DictReader(io.StringIO(target.read_text())))
    assert {row["name"] for row in saved["nodes"]} == names
    assert len(saved["edges"]) == 15
    orders.locator("#lineage-view").get_by_text("Nodes").click()
    expect(orders.locator("#lineage-grid-count")).to_contain_text("12 rows")
    orders.locator("#lineage-view").get_by_text("Edges").click()
    expect(orders.locator("#lineage-grid-count")).to_contain_text("15 rows")
    expect(orders.locator(".ag-row").first).to_be_visible()
    with orders.expect_download() as download:
        orders.locator("#lineage-grid-csv").click()
    download.value.save_as(tmp_path / "grid.csv")
    assert len((tmp_path / "grid.csv").read_text().strip().splitlines()) == 16


def test_svg_and_png_hold_every_card_and_every_edge(orders: Page, tmp_path: Path) -> None:
    orders.evaluate("__lg.zoom(3)")  # most of the picture is off the screen now
    for kind in ("svg", "png"):
        orders.locator("#lineage-export").click()
        with orders.expect_download() as download:
            orders.locator(f"#lineage-do-{kind}").click()
        download.value.save_as(tmp_path / f"picture.{kind}")
    svg = (tmp_path / "picture.svg").read_text()
    assert all(name.rsplit(".", 1)[-1] in svg for name in shown(orders))
    lines = orders.evaluate("__lg.model.edges.length")
    assert svg.count('fill="none" stroke="#') >= lines
    assert (tmp_path / "picture.png").read_bytes()[:4] == b"\x89PNG"


def test_the_minimap_appears_with_zoom_and_moves_the_view(orders: Page) -> None:
    assert orders.evaluate("__lg.mini") is None
    orders.evaluate("__lg.zoom(2.2)")
    expect(orders.locator(".lineage-graph")).to_be_visible()
    orders.evaluate("__lg.paint()")
    mini = orders.evaluate("({x: __lg.mini.x, y: __lg.mini.y})")
    before = orders.evaluate("__lg.tx")
    box = orders.locator(".lineage-graph").bounding_box()
    assert box
    orders.mouse.click(box["x"] + mini["x"] + 3, box["y"] + mini["y"] + 3)
    assert orders.evaluate("__lg.tx") > before


def test_a_column_of_the_panel_leads_to_its_trace_and_back(orders: Page) -> None:
    orders.get_by_role("tab", name="Columns 5").click()
    orders.locator("a.col", has_text="customer_id").click()
    expect(orders.locator("#lineage-notices")).to_contain_text("on the way of this column")
    orders.get_by_role("link", name="Back to all columns").click()
    settled(orders, 12)


def test_double_click_makes_a_node_the_focus(orders: Page) -> None:
    orders.mouse.dblclick(*still(orders, "fin.core.revenue_daily"))
    expect(orders.locator("#lineage-title")).to_contain_text("Around fin.core.revenue_daily")


def test_the_first_look_holds_the_focus_and_the_most_cards_that_fit_beside_it(page: Page, retail: str) -> None:
    page.goto(f"{retail}/lineage")
    expect(page.locator("h1")).to_be_visible()
    seen = page.evaluate(
        """() => {
          const card = (x, y) => ({ x, y, w: 10, h: 10 });
          const nodes = [card(0, 0), card(-20, 0), card(20, 0), card(20, 20), card(90, 0), card(90, 20), card(90, 40)];
          return dashboard_lineage_graph.parts.bestWindow(nodes, nodes[0], { w: 40, h: 40 });
        }"""
    )
    assert seen == {"x": 0, "y": 0, "w": 30, "h": 30}


def test_an_overlay_colours_cards_prints_its_figure_and_hatches_what_is_unknown(orders: Page) -> None:
    orders.locator("#lineage-by").click()
    orders.get_by_role("option", name="Quality").click()
    expect(orders.locator("#lineage-scale")).to_contain_text("Quality score")
    expect(orders.locator("#lineage-scale")).to_contain_text("unknown")
    orders.wait_for_url("**by=quality**")
    orders.wait_for_function("() => __lg.marks && __lg.marks.by === 'quality'")
    marks = orders.evaluate("__lg.model.nodes.map((n) => __lg.markOf(n))")
    assert {mark[1] for mark in marks} <= {0, 1, 2, 3, 4, 5}
    assert all(mark[0] == "?" for mark in marks if mark[1] == 5)
    orders.reload()
    settled(orders, 12)
    expect(orders.locator("#lineage-by")).to_have_value("Quality")
    orders.locator("#lineage-view").get_by_text("Nodes").click()
    expect(orders.locator(".ag-header-cell[col-id=mark]")).to_be_visible()


def test_overlays_of_the_sample_are_those_of_the_query_layer(page: Page, demo: Lineage, demo_url: str) -> None:
    focus = "dataset:snowflake://hp-eu1:dwh.finance.fct_payments"
    told = {one.id: one.step for one in demo.overlay("cost").marks}
    page.goto(f"{demo_url}/lineage?focus={focus}&by=cost")
    settled(page)
    page.wait_for_function("() => __lg.marks && __lg.marks.by === 'cost'")
    expect(page.locator("#fact-quality")).to_contain_text("checks known")
    expect(page.locator("#fact-contract")).to_contain_text("payments 1.3.0")
    found = page.evaluate("Object.fromEntries(__lg.model.nodes.map((n) => [n.id, __lg.markOf(n)[1]]))")
    assert found == {node: 5 if told[node] is None else told[node] for node in found}
