"""What a domain hides stays hidden: on every page, in every answer to the browser, in search and in files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, expect

from dashboard.links import Links
from dashboard.pages import PAGES
from lineage.actor import LOCAL
from lineage.engine import Lineage
from lineage.store import Store
from tests.browser.desk import filled, go

HIDDEN = "finance"
ORDERS = "dataset:snowflake://hp-eu1:dwh.sales.fct_orders"
QUERIES = {
    "/lineage": {"focus": ORDERS, "down": "all"},
    "/impact": {"target": ORDERS, "change": "drop"},
    "/provenance": {"target": ORDERS},
    "/contracts": {"id": "orders"},
    "/product": {"id": "orders"},
    "/dataset": {"id": ORDERS},
}
VIEWS = {
    "quality": ("scores", "tests", "fresh", "series", "promises", "drill"),
    "cost": ("waste", "repeated", "showback", "subsidies", "budgets", "explain"),
    "policies": ("results", "findings", "waivers"),
    "access": ("shadow",),
    "runs": ("jobs", "sources", "blind"),
    "admin": ("suggestions", "names", "edges", "owners"),
    "lineage": ("nodes", "edges"),
}
"""Lists that a page shows when asked for, besides the one that it opens with."""
LISTS = ("datasets", "columns", "jobs", "edges", "runs", "events")


def names(lx: Lineage, *, hidden: bool) -> set[str]:
    """Names of what the domain has, or of what all others have: datasets, jobs, products."""
    found = {
        row.name
        for of in ("datasets", "jobs")
        for row in lx.listing(of, limit=100_000).rows  # type: ignore[arg-type]
        if (row.domain == HIDDEN) == hidden
    }
    return found | {p.id for p in lx.products.list().products if (p.domain == HIDDEN) == hidden}


@pytest.fixture
def partial(demo_file: Path, tmp_path: Path) -> Iterator[tuple[Lineage, set[str]]]:
    """The sample company asked by one who may not see finance, and the names that must not be told."""
    copy = tmp_path / "hidden.duckdb"
    shutil.copyfile(demo_file, copy)
    with Store.open(copy) as store:
        whole = Lineage(store)
        seen = " ".join(names(whole, hidden=False))
        secrets = {name for name in names(whole, hidden=True) if name not in seen}
        assert len(secrets) > 10
        before = LOCAL.hidden_domains
        object.__setattr__(LOCAL, "hidden_domains", frozenset({HIDDEN}))  # the decider of access, as it would decide
        try:
            yield Lineage(store), secrets
        finally:
            object.__setattr__(LOCAL, "hidden_domains", before)


def test_no_answer_to_the_browser_names_what_a_domain_hides(
    partial: tuple[Lineage, set[str]], page: Page, serve: Callable[..., str]
) -> None:
    lx, secrets = partial
    told: list[tuple[str, str]] = []

    def read(response: Response) -> None:
        if "/_dash-update-component" in response.url:
            body = response.text()
            told.extend((page.url, secret) for secret in secrets if secret in body)

    page.on("response", read)
    page.goto(serve(lx))
    filled(page)
    for one in PAGES:
        go(page, Links().to(one.path, **QUERIES.get(one.path, {})))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        filled(page)
    kept = Links().to("lineage", **QUERIES["/lineage"])
    for address in (
        *(f"/{path}?view={view}" for path, views in VIEWS.items() for view in views if path != "lineage"),
        *(f"{kept}&view={view}&up=all&jobs=1" for view in VIEWS["lineage"]),
        *(f"/catalogue?of={of}" for of in LISTS),
        *(f"/{path}?domain={HIDDEN}" for path in ("", "quality", "cost", "contracts", "policies", "access", "reports")),
    ):
        go(page, address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        filled(page)
    page.keyboard.press("Control+k")
    page.keyboard.type(min(secrets).rsplit(".", 1)[-1])
    expect(page.locator("#palette-results").get_by_role("option").first).to_be_visible()
    assert set(told) == set()
