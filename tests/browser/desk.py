"""What the tests of the pages of quality, cost, contracts and the catalogue have in common."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from playwright.sync_api import Locator, Page, Request, Response, expect


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


class Traffic:
    """Notices what a page asks for, to tell when it has come to rest; a load state is told once for a document only."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.seen = 0
        self.open: set[Request] = set()  # questions of callbacks without an answer
        page.on("request", self._asked)
        page.on("response", self._answered)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._ended)

    def _asked(self, request: Request) -> None:
        self.seen += 1
        if "/_dash-update-component" in request.url:
            self.open.add(request)

    def _answered(self, _response: Response) -> None:
        self.seen += 1

    def _ended(self, request: Request) -> None:
        self.open.discard(request)

    def rest(self) -> None:
        """Wait until nothing was asked or answered for half a second, and nothing is left to be answered."""
        quiet = 0
        for _ in range(600):
            before = self.seen
            self.page.wait_for_timeout(100)
            quiet = quiet + 1 if self.seen == before and not self.open else 0
            if quiet == 5:
                return
        raise AssertionError(f"the page does not come to rest: {[one.post_data for one in self.open]}")


def form_of(page: Page, name: str) -> Locator:
    """The form behind a tab."""
    page.get_by_role("tab", name=name).click()
    form = page.get_by_role("form", name=name)
    expect(form).to_be_visible()
    return form


def count(page: Page, name: str) -> int:
    """Rows that the table says it shows."""
    line = page.locator(f"#{name}-count")
    expect(line).to_contain_text("row")
    return int(line.inner_text().split(" ")[0].replace(",", ""))


def counted(page: Page, name: str, rows: int) -> None:
    """Wait until the table says that it shows so many rows; whether others are hidden depends on the day."""
    expect(page.locator(f"#{name}-count")).to_have_text(re.compile(rf"^{rows:,} rows?( of .*hidden by filters)? "))


def saved(page: Page, name: str) -> list[dict[str, str]]:
    """Rows of the file that the table's button gives."""
    with page.expect_download() as waiting:
        page.locator(f"#{name}-csv").click()
    return list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text())))
