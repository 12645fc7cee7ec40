"""What the tests of the pages of quality, cost, contracts and the catalogue have in common."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from playwright.sync_api import Page, expect


def filled(page: Page) -> None:
    """Wait until every card of the page has its answer."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("#page .mantine-Skeleton-root")).to_have_count(0, timeout=60_000)


def go(page: Page, address: str) -> None:
    """Follow a link of the application without loading it anew."""
    page.evaluate(
        """(to) => { history.pushState({}, "", to); dispatchEvent(new CustomEvent("_dashprivate_pushstate")); }""",
        address,
    )


def count(page: Page, name: str) -> int:
    """Rows that the table says it shows."""
    line = page.locator(f"#{name}-count")
    expect(line).to_contain_text("row")
    return int(line.inner_text().split(" ")[0].replace(",", ""))


def saved(page: Page, name: str) -> list[dict[str, str]]:
    """Rows of the file that the table's button gives."""
    with page.expect_download() as waiting:
        page.locator(f"#{name}-csv").click()
    return list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text())))
