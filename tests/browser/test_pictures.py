"""The pictures of the guides: the sample company at one instant. MESHLINE_PICTURES=1 keeps them in docs/images."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.links import Links

IMAGES = Path(__file__).parents[2] / "docs" / "images"
MOST = 150_000  # bytes of a picture
MAY = "2026-05-01T00:00"
THEN = "2026-06-28T20:00"
AT = Links(asof=THEN)
ORDERS = "dataset:snowflake://hp-eu1:dwh.sales.fct_orders"
REVENUE = "dataset:snowflake://hp-eu1:dwh.finance.revenue_daily"
REPORT = "dataset:superset://bi.harbourpine.example:finance/ifrs15_report"
PICTURES = {
    "health": (AT.to("/"), "h1", ""),
    "map": (AT.to("map"), ".lineage-graph[data-settled=true]", ""),
    "lineage": (AT.to("lineage", focus=REVENUE, up="2", down="all"), "#lineage-panel h2", ""),
    "compare": (AT.to("lineage", focus=REVENUE, up="2", down="all", vs=MAY), ".delta.changed", "#lineage-panel h2"),
    "impact": (AT.to("impact", target=ORDERS, change="drop"), "#impact-grid .ag-row", ""),
    "provenance": (AT.to("provenance", target=REPORT), ".prov-row", ""),
    "two-dates": (AT.to("provenance", target=REPORT, vs="2026-05-20T00:00"), "#provenance-mesh-count", ""),
}  # fmt: skip


KEEP = bool(os.environ.get("MESHLINE_PICTURES"))
IN_THE_README = ("health", "lineage", "provenance")


@pytest.mark.parametrize("name", PICTURES if KEEP else IN_THE_README)
def test_a_picture_of_the_guides_shows_a_page_at_one_instant(
    page: Page, demo_url: str, name: str, tmp_path: Path
) -> None:
    address, ready, also = PICTURES[name]
    page.set_viewport_size(
        {"width": 1200, "height": 600 if name == "health" else 750}
    )  # colourful ones are large files
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(demo_url + address, timeout=60_000)
    expect(page.locator(ready).first).to_be_visible(timeout=60_000)
    if also:
        expect(page.locator(also).first).to_be_visible()
    page.wait_for_load_state("networkidle", timeout=60_000)
    expect(page.locator("#page .mantine-Skeleton-root")).to_have_count(0, timeout=60_000)
    page.wait_for_function("() => document.fonts.status === 'loaded'")
    folder = IMAGES if KEEP else tmp_path
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", animations="disabled", caret="hide")
    assert 10_000 < (folder / f"{name}.png").stat().st_size <= MOST


def test_every_picture_that_the_docs_show_is_one_of_these_and_small() -> None:
    root = IMAGES.parents[1]
    shown = set()
    for text in (root / "README.md", *(root / "docs").glob("*.md")):
        shown |= set(re.findall(r"images/([\w-]+)\.png", text.read_text(encoding="utf-8")))
    kept = {path.stem: path.stat().st_size for path in IMAGES.glob("*.png")}
    assert shown == set(kept) == set(PICTURES)
    assert max(kept.values()) <= MOST
