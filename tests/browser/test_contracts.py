"""Contracts, products and datasets: what is promised, kept and read, and asking for access."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lineage.engine import Lineage
from lineage.store import Store
from tests.browser.desk import count, counted, filled

ORDERS = "dataset:snowflake://hp-eu1:dwh.sales.fct_orders"


@pytest.fixture(scope="module")
def own(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lineage]:
    """A copy of the sample company that a test may change."""
    copy = tmp_path_factory.mktemp("asking") / "demo.duckdb"
    shutil.copyfile(demo_file, copy)
    with Store.open(copy) as store:
        yield Lineage(store)


def test_promises_on_the_page_are_those_of_the_check(page: Page, demo: Lineage, demo_url: str) -> None:
    found = demo.contracts.check()
    page.goto(f"{demo_url}/contracts")
    filled(page)
    expect(page.locator("#count-broken")).to_have_text(str(found.count("broken")))
    assert count(page, "contracts-grid") == len(found.promises)
    expect(page.locator("#ends-card")).to_contain_text("web-sessions")
    page.locator("#count-broken").click()
    counted(page, "contracts-grid", found.count("broken"))


def test_a_contract_stands_in_words_with_its_versions(page: Page, demo: Lineage, demo_url: str) -> None:
    page.goto(f"{demo_url}/contracts?id=orders")
    filled(page)
    expect(page.locator("#human-card")).to_contain_text("Data is never older than")
    expect(page.locator("#human-card")).to_contain_text("order_id")
    expect(page.locator("#versions-card li").first).to_contain_text(demo.contracts.versions("orders")[0].version or "")


def test_access_is_asked_for_on_the_page_of_a_product(page: Page, own: Lineage, serve: Callable[..., str]) -> None:
    before = len(own.access.list().grants)
    page.goto(f"{serve(own)}/product?id=orders")
    filled(page)
    form = page.get_by_role("form", name="Request access")
    form.get_by_role("button", name="Request access").click()
    expect(form.get_by_role("status")).to_contain_text("For is missing.")
    assert len(own.access.list().grants) == before
    page.get_by_role("tab", name="Rate").click()
    form = page.get_by_role("form", name="Rate")
    form.get_by_label("Reason").fill("clear & <i>complete</i>")
    form.get_by_label("Acting as").fill("ben")
    form.get_by_role("button", name="Rate").click()
    expect(page.locator("#feedback-card")).to_contain_text("clear & <i>complete</i>")
    assert [(f.actor, f.rating) for f in own.feedback.list("orders").items] == [("ben", 5)]


def test_a_dataset_is_judged_on_one_page(page: Page, demo: Lineage, demo_url: str) -> None:
    page.goto(f"{demo_url}/dataset?id={ORDERS}")
    filled(page)
    score = demo.quality.explain(ORDERS)
    expect(page.locator("#dataset-score")).to_have_text(f"{score.quality:.1f}")
    assert count(page, "dataset-grid") == len(demo.show(ORDERS).columns)
    expect(page.locator("#dataset-contract")).to_contain_text("sla latency")
    page.goto(f"{demo_url}/dataset?id=dataset:nowhere:nothing")
    expect(page.get_by_role("alert").first).to_contain_text("nothing")
