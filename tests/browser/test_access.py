"""Access: counts are those of their rows; who asks never approves; every act is that of the command line."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.store import Store
from lineage.times import utcnow
from tests.browser.desk import filled, saved


@pytest.fixture(scope="module")
def own(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lineage]:
    """A copy of the sample company that a test may change."""
    copy = tmp_path_factory.mktemp("access") / "demo.duckdb"
    shutil.copyfile(demo_file, copy)
    with Store.open(copy) as store:
        yield Lineage(store)


@pytest.fixture(scope="module")
def url(own: Lineage, serve: Callable[..., str]) -> str:
    """Its dashboard."""
    return serve(own)


def test_zombie_grants_and_shadow_edges_lead_to_their_rows(page: Page, own: Lineage, url: str) -> None:
    found = own.access.list()
    zombies = {one.id for one in found.grants if one.state == "holds" and not one.used}
    page.goto(f"{url}/access")
    filled(page)
    expect(page.locator("#count-shadows")).to_have_text(str(len(found.shadow_edges)))
    page.locator("#count-zombies").click()
    expect(page.locator("#access-grid-count")).to_contain_text(f"{len(zombies)} row of {len(found.grants)}")
    assert {row["Grant or request"] for row in saved(page, "access-grid")} == zombies
    page.goto(f"{url}/access?view=shadow")
    filled(page)
    assert [row["Reader"] for row in saved(page, "access-grid")] == [one.dst for one in found.shadow_edges]


def test_whoever_asks_cannot_approve_and_the_owner_can(page: Page, own: Lineage, url: str) -> None:
    end = (utcnow() + timedelta(days=20)).isoformat()
    owner = own.access.deciders("orders")[0]
    row = own.access.request("orders", "logistics", "lost <b>parcels</b>", end, reason="claims", actor=Actor(owner))
    assert row.state == "requested" and row.note.startswith("claims (")
    page.goto(f"{url}/access?grant={row.id}")
    filled(page)
    expect(page.locator("#grant-card")).to_contain_text("lost <b>parcels</b>")
    form = page.get_by_role("form", name="Approve")
    form.get_by_label("Reason").fill("they may")
    form.get_by_label("Acting as").fill(owner)
    form.get_by_role("button").click()
    expect(form.get_by_role("status")).to_contain_text("somebody else has to")
    other = own.access.deciders("orders")[1]
    form.get_by_label("Acting as").fill(other)
    form.get_by_role("button").click()
    expect(page.locator("#grant-state")).to_have_text("holds")
    assert any(act.actor == other and act.action == "access.approve" for act in own.audit.log(limit=5).acts)
    page.reload()
    filled(page)
    form = page.get_by_role("form", name="Revoke")
    form.get_by_label("Reason").fill("over")
    form.get_by_label("Acting as").fill("a stranger")
    form.get_by_role("button", name="Revoke").click()
    expect(form.get_by_role("status")).to_contain_text("a stranger may not decide")
    form.get_by_label("Acting as").fill(other)
    form.get_by_role("button", name="Revoke").click()
    expect(page.locator("#grant-state")).to_have_text("ended")


def test_a_request_names_what_is_missing_and_the_past_cannot_be_changed(page: Page, own: Lineage, url: str) -> None:
    page.goto(f"{url}/access?product=payments")
    filled(page)
    form = page.get_by_role("form", name="Ask for access")
    form.get_by_role("button", name="Ask for access").click()
    expect(form.get_by_role("status")).to_contain_text("Purpose is missing.")
    page.goto(f"{url}/access?grant=nobody&asof=2026-06-01")
    expect(page.locator("#access-ask")).to_contain_text("You look at the past")
    expect(page.locator("#access-act")).to_contain_text("nobody")
