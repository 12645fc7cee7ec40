"""Policies: counts are those of the query layer and of their rows; acts are those of the command line, in the log."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.pages.policies_backtest import as_file
from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.policies.domains import DomainResult, by_domain
from lineage.store import Store
from lineage.times import utcnow
from tests.browser.desk import counted, filled, saved

ANN = Actor("ann")


@pytest.fixture(scope="module")
def own(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lineage]:
    """A copy of the sample company that a test may change."""
    copy = tmp_path_factory.mktemp("policies") / "demo.duckdb"
    shutil.copyfile(demo_file, copy)
    with Store.open(copy) as store:
        yield Lineage(store)


@pytest.fixture(scope="module")
def url(own: Lineage, serve: Callable[..., str]) -> str:
    """Its dashboard."""
    return serve(own)


def test_cells_of_the_board_add_up_to_the_counts_of_a_check_and_an_error_is_never_a_pass(own: Lineage) -> None:
    found, check = by_domain(own), own.policies.check()
    for row in check.policies:
        cells = [one for one in found.domains if one.policy == row.policy]
        assert sum(one.scope for one in cells) == row.scope
        assert sum(one.passed or 0 for one in cells) == row.passed
        assert sum(one.violations or 0 for one in cells) == row.violations
    assert {(f.policy, f.subject) for f in found.findings} == {(f.policy, f.subject) for f in check.findings}
    broken = DomainResult("p", "high", "sales", 3, None, None, None, "no such column")
    assert broken.state == "error"


def test_a_hidden_domain_is_neither_a_column_of_the_board_nor_counted(own: Lineage) -> None:
    blind = Actor("visitor", hidden_domains=frozenset({"marketing"}))
    found, whole = by_domain(own, actor=blind), by_domain(own)
    assert "marketing" not in {one.domain for one in found.domains}
    assert sum(r.scope for r in found.policies) < sum(r.scope for r in whole.policies)


def test_a_number_leads_to_its_rows_and_the_sql_stands_in_plain_sight(page: Page, own: Lineage, url: str) -> None:
    page.goto(f"{url}/policies?policy=owner-present")
    filled(page)
    late = [one for one in own.policies.violations(everything=True).violations if one.overdue]
    expect(page.locator("#count-overdue")).to_have_text(f"{len(late):,}")
    expect(page.locator("#policy-sql")).to_contain_text(own.policies.show("owner-present").violation_sql.strip()[:40])
    page.locator("#count-overdue").click()
    counted(page, "policies-grid", len(late))
    assert {row["Id"] for row in saved(page, "policies-grid")} == {one.id for one in late}
    expect(page).to_have_url(re.compile(r"[?&]filter="))


def test_a_violation_is_acknowledged_and_waived_by_two_people_and_all_of_it_is_logged(
    page: Page, own: Lineage, url: str
) -> None:
    one = next(v for v in own.policies.violations().violations if v.state == "open")
    page.goto(f"{url}/policies?violation={one.id}")
    filled(page)
    form = page.get_by_role("form", name="Acknowledge")
    form.get_by_role("button").click()
    expect(form.get_by_role("status")).to_contain_text("Reason is missing.")
    form.get_by_label("Reason").fill("looking <i>now</i>")
    form.get_by_label("Acting as").fill("ann")
    form.get_by_role("button").click()
    expect(page.locator("#violation-state")).to_have_text("acknowledged")
    expect(page.locator("#violation-log")).to_contain_text("looking <i>now</i>")
    row = own.waivers.request(one.id, "until the mask", (utcnow() + timedelta(days=9)).isoformat(), actor=ANN)
    page.goto(f"{url}/policies?waiver={row.id}")
    form = page.get_by_role("form", name="Approve")
    form.get_by_label("Reason").fill("a short while")
    form.get_by_label("Acting as").fill("ann")
    form.get_by_role("button").click()
    expect(form.get_by_role("status")).to_contain_text("ann")
    assert own.policies.violation(one.id).state == "acknowledged"
    form.get_by_label("Acting as").fill("ben")
    form.get_by_role("button").click()
    expect(page.locator("#waiver-state")).to_have_text("holds")
    acts = {(act.actor, act.action) for act in own.audit.log(limit=20).acts}
    assert {actor for actor, action in acts if action.startswith("waiver")} >= {"ann", "ben"}


def test_the_past_is_read_only_and_a_name_that_nobody_knows_is_said(page: Page, own: Lineage, url: str) -> None:
    one = own.policies.violations(everything=True).violations[0]
    page.goto(f"{url}/policies?violation={one.id}&asof={(one.opened + timedelta(days=1)).isoformat()}")
    expect(page.locator("#policies-detail")).to_contain_text("You look at the past")
    page.goto(f"{url}/policies?violation=v0000000000")
    expect(page.locator("#policies-detail")).to_contain_text("v0000000000")


def test_an_edited_policy_is_tried_on_the_past_as_a_job_and_a_wrong_one_is_said_at_once(
    page: Page, own: Lineage, url: str
) -> None:
    before = own.audit.log(limit=1).total
    page.goto(f"{url}/policies?policy=owner-present")
    filled(page)
    page.locator("#policies-bt-box summary").click()
    page.get_by_label("From").fill("2026-06-26")
    page.get_by_label("To", exact=True).fill("2026-06-26")
    page.locator("#policies-bt-text").fill("id: x")
    page.locator("#policies-bt-run").click()
    expect(page.locator("#policies-bt-said")).to_contain_text("title")
    page.locator("#policies-bt-text").fill(as_file(own.policies.show("owner-present")))
    page.locator("#policies-bt-run").click()
    expect(page.locator("#jobs-list")).to_contain_text("owner-present 1.0.0 at 1 instants", timeout=60_000)
    assert own.audit.log(limit=1).total == before
