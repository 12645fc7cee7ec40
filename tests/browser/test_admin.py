"""Administration, saved views and corrections: each act is the command's, and can be undone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from ingest.altered import is_on
from lineage.engine import Lineage
from lineage.fingerprint import fingerprint
from tests.browser.desk import Traffic, count, filled, form_of
from tests.ingest.build import loaded, run_event

SNOW = "dataset:snowflake://org-acme"
RAW, CLEAN, UPPER = "dataset:db:raw", f"{SNOW}:db.public.orders", f"{SNOW}:DB.PUBLIC.ORDERS"
REPORT = "dataset:bi:report"


def _copy(job: str, source: str, target: str) -> bytes:
    def end(text: str) -> dict[str, str]:
        namespace, _, name = text.removeprefix("dataset:").rpartition(":")
        return {"namespace": namespace, "name": name}

    event = json.loads(run_event(job, job))
    return json.dumps({**event, "inputs": [end(source)], "outputs": [end(target)]}).encode()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lineage]:
    """One dataset written in small letters by one job and in capitals by another, and an event that was refused."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESHLINE_SIGNING_KEY", str(tmp_path_factory.mktemp("key") / "signing.key"))
        with loaded(_copy("load", RAW, CLEAN), _copy("publish", UPPER, REPORT), b'{"eventType": 1}') as store:
            yield Lineage(store)


@pytest.fixture(scope="module")
def url(small: Lineage, serve: Callable[..., str]) -> str:
    """Its dashboard."""
    return serve(small)


def _act(form: Locator, button: str, **values: str) -> None:
    for label, text in values.items():
        form.get_by_label(label.replace("_", " ")).fill(text)
    form.get_by_role("button", name=button).click()


def _reached(lx: Lineage) -> set[str]:
    return {node.id for node in lx.impact(RAW).nodes}


def test_a_suggested_name_is_previewed_joined_with_a_reason_and_parted_again(
    page: Page, small: Lineage, url: str
) -> None:
    before = fingerprint(small.store)
    page.goto(f"{url}/admin?view=suggestions")
    filled(page)
    expect(page.locator("#count-suggestions")).to_have_text("1")
    page.locator("#admin-grid .ag-cell a").first.click()
    expect(page.locator("#preview-card")).to_contain_text("2 direct neighbours")
    assert REPORT not in _reached(small)  # nothing is changed by a preview
    form = page.get_by_role("form", name="They are one dataset")
    form.get_by_role("button", name="Join").click()
    expect(form.get_by_role("status")).to_contain_text("Reason is missing.")
    _act(form, "Join", Reason="one table", Acting_as="ann")
    expect(page.locator("#preview-card")).to_contain_text("They are one dataset.")
    assert REPORT in _reached(small)
    _act(page.get_by_role("form", name="They are two datasets"), "Keep", Reason="they are not", Acting_as="bob")
    expect(page.locator("#preview-card")).to_contain_text("Nothing is changed by it")
    assert fingerprint(small.store) == before
    log = [(act.actor, act.action, act.payload["reason"]) for act in small.audit.log(limit=2).acts]
    assert log == [("bob", "alias.remove", "they are not"), ("ann", "alias.add", "one table")]
    _act(form_of(page, "Not the same"), "Not the same", Reason="two shops", Acting_as="bob")
    expect(page.locator("#count-suggestions")).to_have_text("0")
    _act(form_of(page, "Take that back"), "Take it back", Reason="one shop after all", Acting_as="ann")
    expect(page.locator("#count-suggestions")).to_have_text("1")
    assert fingerprint(small.store) == before
    log = [(act.actor, act.action, act.payload["reason"]) for act in small.audit.log(limit=2).acts]
    assert log == [("ann", "alias.lift", "one shop after all"), ("bob", "alias.reject", "two shops")]


def test_an_edge_by_hand_and_a_named_owner_count_at_once_and_can_be_taken_back(
    page: Page, small: Lineage, url: str
) -> None:
    traffic = Traffic(page)
    page.goto(f"{url}/dataset?id={CLEAN}")
    filled(page)
    expect(page.locator("#dataset-versions-card")).to_contain_text("No schema of it was ever told.")
    expect(page.locator("#dataset-access-card")).to_contain_text("a port of no data product")
    form = page.get_by_role("form", name="Name the owner")
    _act(form, "Name", Owner="team:sales", Reason="asked them", Acting_as="ann")
    expect(page.locator("#dataset-overview")).to_contain_text("team:sales")
    traffic.rest()  # the forms are drawn anew as well
    form = form_of(page, "Mark an edge as wrong")
    expect(form.get_by_label("From")).to_have_value(RAW)
    _act(form, "Mark", Reason="a copy of the past", Acting_as="ann")
    expect(page.locator("#dataset-lineage")).to_contain_text("0 direct sources")
    assert CLEAN not in _reached(small)
    page.goto(f"{url}/admin?view=edges")
    filled(page)
    assert count(page, "admin-grid") == 1
    page.locator("#admin-grid .ag-cell a").first.click()
    form = page.get_by_role("form", name="Add an edge")
    expect(form.get_by_label("From")).to_have_value(RAW)
    _act(form, "Add", Reason="it was right", Acting_as="bob")
    expect(page.locator("#count-edges")).to_have_text("0")
    assert CLEAN in _reached(small)
    assert [act.action for act in small.audit.log(limit=3).acts] == ["edge.lift", "edge.refute", "owner.set"]
    assert small.owners.list().marks[0].reason == "asked them"


def test_the_database_is_examined_as_a_job_and_nothing_goes_before_a_dry_run(
    page: Page, small: Lineage, url: str
) -> None:
    traffic = Traffic(page)
    page.goto(f"{url}/admin")
    filled(page)
    started = page.locator("#all-jobs-card")
    expect(started).not_to_contain_text("Examination of the database")  # to draw a button is no click
    page.locator("#admin-examine").click()
    expect(page.locator("#admin-fingerprint")).to_have_text(fingerprint(small.store))
    expect(started).to_contain_text("Examination of the database done")
    page.locator("#admin-probe").fill("postgres://bob:secret@db/x")
    expect(page.locator("#admin-probed")).to_have_text("postgres://bob:***@db/x")
    expect(page.get_by_role("form", name="Remove it")).to_have_count(0)
    page.locator("#admin-try").click()
    expect(page.locator("#admin-tried")).to_contain_text("Say what may go")
    page.locator("#admin-keep").fill("0")
    page.locator("#admin-try").click()
    expect(page.locator("#admin-tried tbody")).to_contain_text("Refused inputs1")
    form = page.get_by_role("form", name="Remove it")
    assert small.store.rows("SELECT count(*) FROM quarantine") == [(1,)]  # a dry run removes nothing
    _act(form, "Remove", Reason="two years are over", Acting_as="ann")
    expect(page.locator("#all-jobs-card")).to_contain_text("1 removed")
    expect(page.locator("#count-refused")).to_have_text("0")
    traffic.rest()  # what the removal changed is drawn
    told = next(act for act in small.audit.log(limit=9).acts if act.action == "retention.apply")
    assert (told.actor, told.payload["reason"], told.payload["rows"]) == ("ann", "two years are over", 1)
    _act(page.get_by_role("form", name="Mask before storage"), "Switch", Reason="policy", Acting_as="ann")
    expect(page.locator("#admin-masks")).to_have_text("on")
    with small.store.cursor() as cursor:
        assert is_on(cursor)
    assert small.audit.log(limit=1).acts[0].payload == {"on": True, "reason": "policy"}


def test_what_is_shown_is_saved_found_renamed_and_removed(page: Page, small: Lineage, url: str) -> None:
    page.goto(f"{url}/catalogue?of=jobs&filter=name:contains:load")
    filled(page)
    page.get_by_role("button", name="Save this view").click()
    form = page.get_by_role("form", name="Save this view")
    expect(form.get_by_label("Title")).to_have_value("Catalogue")
    _act(form, "Save", Title="Loads", Reason="Monday", Acting_as="ann")
    expect(form.get_by_role("status")).to_contain_text("Saved as Loads.")
    page.goto(f"{url}/views")
    filled(page)
    page.locator("#views-grid .ag-cell a").first.click()
    expect(page.locator("#view-card")).to_contain_text("catalogue?of=jobs&filter=name")
    _act(page.get_by_role("form", name="Rename"), "Rename", Title="Nightly loads", Reason="clearer", Acting_as="bob")
    expect(page.locator("#view-card")).to_contain_text("Nightly loads")
    page.locator("#view-open").click()
    expect(page.locator("#catalogue-grid-count")).to_contain_text("hidden by filters")
    page.go_back()
    page.get_by_role("tab", name="Remove").click()
    _act(page.get_by_role("form", name="Remove"), "Remove", Reason="done", Acting_as="bob")
    expect(page.locator("#views-sub")).to_contain_text("0 views")
    assert [act.action for act in small.audit.log(limit=3).acts] == ["view.remove", "view.change", "view.save"]
