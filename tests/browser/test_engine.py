"""The same pages over the real engine: what they print is what it answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from lineage.engine import Lineage
from tests.answers.builder import World, at
from tests.browser.picture import click, settled, shown


@pytest.fixture(scope="module")
def lx() -> Lineage:
    """Two raw tables → orders → report and audit, two domains, columns, a failed run, a probable and a stale edge."""
    world = World()
    world.flow(["raw.orders", "raw.rates"], "load", ["core.orders"], provenance="explicit")
    world.flow(["core.orders"], "build", ["mart.report"])
    world.flow(["core.orders"], "check", ["mart.audit"], state="stale")
    world.flow(["mart.report"], "publish", ["mart.page"], provenance="explicit")
    world.dataset("raw.orders", "id", "cents")
    world.dataset("core.orders", "id", "amount")
    world.column_edge(("raw.orders", "cents"), ("core.orders", "amount"))
    world.column_edge(("raw.rates", "rate"), ("core.orders", ""), type="INDIRECT", subtype="JOIN")
    world.column_edge(("core.orders", "amount"), ("mart.report", "total"))
    world.domain("sales", "raw.*", "core.*", "load")
    world.domain("bi", "mart.*", "build", "check", "publish")
    failed = world.run("load", "r1", state="FAIL", error="no space left", started_at=at("2026-01-02"))
    world.run_io(failed, "load", "core.orders", "out")
    world.run("build", "r2", started_at=at("2026-01-02T01:00:00"))
    world.event(1)
    return Lineage(world.store)


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], lx: Lineage) -> str:
    return serve(lx)


def test_the_overview_prints_the_summary_and_the_catalogue_its_rows(page: Page, address: str, lx: Lineage) -> None:
    summary = lx.summary()
    counts = {"datasets": summary.datasets, "columns": summary.columns, "jobs": summary.jobs, "edges": summary.edges}
    page.goto(address)
    for of, count in counts.items():
        expect(page.locator(f"#count-{of}")).to_have_text(f"{count:,}")
        page.locator(f"#count-{of}").click()
        expect(page.locator("#catalogue-grid-count")).to_contain_text(f"{count:,} rows")
        page.go_back()
    reach = sum(1 for node in lx.impact("job:pg:load").nodes if node.kind != "job")
    expect(page.get_by_role("link", name="Last run failed")).to_contain_text(f"{reach} downstream")


def test_the_picture_shows_certainty_counts_and_grows(page: Page, address: str, lx: Lineage) -> None:
    page.goto(f"{address}/lineage?focus=core.orders")
    settled(page, 5)
    kinds = page.evaluate("__lg.model.edges.map((e) => [__lg.model.nodes[e.b].full, e.certainty])")
    assert sorted(map(tuple, kinds)) == [
        ("core.orders", "certain"),
        ("core.orders", "certain"),
        ("mart.audit", "stale"),
        ("mart.report", "probable"),
    ]
    click(page, "mart.report", "down")
    settled(page, 6)
    assert shown(page)["mart.report"]["down"] == 0
    expect(page.locator("#lineage-panel")).to_contain_text("last run failed")


def test_a_column_is_traced_over_joins_to_every_row(page: Page, address: str) -> None:
    page.goto(f"{address}/lineage?trace=column:pg:mart.report:total")
    settled(page, 4)
    rows = {name: card["rows"] for name, card in shown(page).items()}
    assert rows["raw.orders"] == ["cents"]
    assert rows["raw.rates"] == ["rate"]
    lines = page.evaluate("__lg.model.cedges.map((e) => e.indirect)")
    assert sorted(lines) == [False, False, True]


def test_jobs_are_nodes_of_the_picture(page: Page, address: str) -> None:
    page.goto(f"{address}/lineage?focus=core.orders&jobs=1")
    settled(page)
    assert {"load", "build", "check"} <= set(shown(page))


def test_the_instant_reaches_the_engine(page: Page, address: str) -> None:
    page.goto(f"{address}/lineage?focus=core.orders&asof=2020-01-01")  # before any edge began
    expect(page.locator("#lineage-title")).to_contain_text("1 dataset · 0 edges in view")
    page.goto(f"{address}/lineage?focus=core.orders&asof=soon")
    expect(page.locator(".hero")).to_contain_text("“soon” is no time")
