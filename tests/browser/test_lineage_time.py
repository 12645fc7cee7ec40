"""The line of time of the lineage page: when the mesh changed, another instant, two instants in one picture."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.links import Links
from lineage.engine import Lineage
from tests.answers.builder import T0, World
from tests.browser.desk import go
from tests.browser.picture import query, settled, shown

DAY = timedelta(days=1)
OLD, NEW = "2026-01-03T00:00", "2026-01-09T00:00"
FOCUS = "dataset:pg:shop.sales"


@pytest.fixture(scope="module")
def lx() -> Iterator[Lineage]:
    """One arrow that went, one that came, one that changed and one that stayed, within ten days."""
    world = World()
    sales = world.dataset("shop.sales")
    for name, ends in (
        ("gone", {"valid_to": T0 + 4 * DAY, "end_reason": "not seen"}),
        ("fresh", {"valid_from": T0 + 6 * DAY}),
        ("kept", {}),
    ):
        world.edge(world.dataset(f"shop.{name}"), sales, job=world.job(f"load_{name}"), provenance="explicit", **ends)
    other = world.dataset("shop.other")
    world.edge(other, sales, job=world.job("load_other"), provenance="product", valid_to=T0 + 5 * DAY)
    world.edge(other, sales, job=world.job("load_other"), provenance="explicit", valid_from=T0 + 5 * DAY)
    world.event(1, T0 + 10 * DAY)
    with Lineage(world.store, owns_store=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], lx: Lineage) -> str:
    return serve(lx)


def deltas(page: Page) -> dict[str, str]:
    """How each arrow of the picture differs, by the short name of where it begins."""
    code = "() => Object.fromEntries(__lg.model.edges.map((e) => [__lg.model.nodes[e.a].name, e.delta || '']))"
    found: dict[str, str] = page.evaluate(code)
    return found


def test_two_instants_are_one_picture_with_a_sign_on_what_differs_and_its_rows_say_why(
    page: Page, address: str, lx: Lineage, tmp_path: Path
) -> None:
    answer = lx.diff(OLD, NEW, node=FOCUS, side="both")
    edges = {(d.id.rpartition(".")[2], d.change) for d in answer.changes if d.what == "edge"}
    page.goto(address + Links(asof=NEW).to("lineage", focus=FOCUS, vs=OLD))
    settled(page, 5)
    found = deltas(page)
    assert found == {"gone": "removed", "fresh": "added", "other": "changed", "kept": ""}
    assert {(name, change) for name, change in found.items() if change} == edges
    expect(page.locator("#lineage-delta")).to_have_text("Edges:+1 added−1 removed~1 changed")
    page.locator("#lineage-view").get_by_text("Edges").click()
    expect(page.locator("#lineage-grid-count")).to_contain_text("4 rows")
    page.locator("#lineage-export").click()
    with page.expect_download() as saved:
        page.locator("#lineage-do-edges").click()
    saved.value.save_as(tmp_path / "edges.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "edges.csv").read_text())))
    assert {(row["from"].rpartition(".")[2], row["change"]) for row in rows} == set(found.items())
    assert next(row["cause"] for row in rows if row["change"] == "removed")


def test_the_handles_move_by_keyboard_and_the_address_keeps_both_instants(page: Page, address: str) -> None:
    page.goto(address + Links().to("lineage", focus=FOCUS))
    settled(page, 4)
    assert "shop.gone" not in shown(page)
    handle = page.get_by_role("slider", name="As of: the instant that is shown")
    expect(handle).to_have_attribute("aria-valuetext", "now")
    handle.focus()
    page.keyboard.press("Home")
    page.wait_for_url("**asof=2026-01-01**")
    page.wait_for_function("() => __lg.model.nodes.some((n) => n.full === 'shop.gone')")
    expect(page.locator("#asof-strip")).to_be_visible()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**vs=**")
    expect(page.get_by_role("slider", name="Compare with: the other instant")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_visible()
    page.go_back()
    page.wait_for_function("() => !__lg.model.nodes.some((n) => n.full === 'shop.gone')")
    assert "asof" not in query(page)


def test_a_node_that_is_there_at_one_instant_only_is_compared_all_the_same(page: Page, address: str) -> None:
    page.goto(address + Links(asof=NEW).to("lineage", focus=FOCUS, vs="2020-01-01"))
    settled(page)
    assert set(deltas(page).values()) == {"added"}
    go(page, Links(asof=NEW).to("lineage", focus=FOCUS, vs="soon"))
    expect(page.locator(".hero")).to_contain_text("“soon”")


def test_openlineage_events_and_svg_hold_what_is_on_the_screen(page: Page, address: str, tmp_path: Path) -> None:
    page.goto(address + Links(asof=NEW).to("lineage", focus=FOCUS, vs=OLD))
    settled(page, 5)
    for kind in ("events", "svg"):
        page.locator("#lineage-export").click()
        with page.expect_download() as saved:
            page.locator(f"#lineage-do-{kind}").click()
        saved.value.save_as(tmp_path / kind)
    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert {event["dataset"]["name"] for event in events} == set(shown(page))
    sales = next(event for event in events if event["dataset"]["name"] == "shop.sales")
    assert len(sales["dataset"]["facets"]["lineage"]["inputs"]) == len(deltas(page))
    svg = (tmp_path / "svg").read_text()
    red, green = (page.evaluate(f"__lg.theme.{name}") for name in ("bad", "ok"))
    assert f'stroke="{red}"' in svg
    assert f'stroke="{green}"' in svg
