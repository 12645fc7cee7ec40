"""The audit page: rows are those of the log, a click verifies, an act has its proof, a pack is a job."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lineage.engine import Lineage
from lineage.store import Store
from tests.browser.desk import count, filled, saved

REPORT = "dataset:superset://bi.harbourpine.example:finance/ifrs15_report"


@pytest.fixture(scope="module")
def own(
    demo_file: Path, tmp_path_factory: pytest.TempPathFactory, serve: Callable[..., str]
) -> Iterator[tuple[Lineage, str]]:
    """A copy of the sample company that a test may change, and its dashboard."""
    folder = tmp_path_factory.mktemp("audit")
    shutil.copyfile(demo_file, folder / "demo.duckdb")
    with pytest.MonkeyPatch.context() as patch, Store.open(folder / "demo.duckdb") as store:
        patch.setenv("MESHLINE_SIGNING_KEY", str(folder / "signing.key"))
        lx = Lineage(store)
        yield lx, serve(lx)


def test_rows_are_those_of_the_log_and_a_filter_is_in_the_file_too(page: Page, own: tuple[Lineage, str]) -> None:
    lx, url = own
    log = lx.audit.log(limit=1000)
    page.goto(f"{url}/audit")
    filled(page)
    expect(page.locator("#count-acts")).to_have_text(f"{log.total:,}")
    assert count(page, "audit-grid") == log.total
    page.goto(f"{url}/audit?filter=action:equals:policy.evaluate")
    filled(page)
    expect(page.locator("#audit-grid-count")).to_contain_text("hidden by filters")
    wanted = [str(act.seq) for act in log.acts if act.action == "policy.evaluate"]
    assert [row["Act"] for row in saved(page, "audit-grid")] == wanted


def test_a_click_verifies_and_an_act_has_its_proof(page: Page, own: tuple[Lineage, str]) -> None:
    lx, url = own
    page.goto(f"{url}/audit?act=3")
    filled(page)
    expect(page.locator("#act-card")).to_contain_text(lx.audit.prove(3).path[0])
    expect(page.locator("#audit-verified")).to_contain_text("unknown")
    page.locator("#audit-verify-now").click()
    found = lx.audit.verify()
    expect(page.locator("#audit-verified")).to_contain_text("Intact")
    expect(page.locator("#audit-verified")).to_contain_text(found.root)
    page.goto(f"{url}/audit?act=999999")
    expect(page.locator("#audit-act")).to_contain_text("no such act")


def test_the_log_ends_at_the_instant_that_is_shown(page: Page, own: tuple[Lineage, str]) -> None:
    lx, url = own
    page.goto(f"{url}/audit?asof=2026-05-01")
    filled(page)
    expect(page.locator("#count-acts")).to_have_text(f"{lx.audit.log(until='2026-05-01').total:,}")


def test_an_evidence_pack_is_a_job_and_a_wrong_name_is_said_at_once(page: Page, own: tuple[Lineage, str]) -> None:
    lx, url = own
    page.goto(f"{url}/audit")
    filled(page)
    page.locator("#audit-pack").click()
    expect(page.locator("#pack-card")).to_contain_text("Say what the pack is about.")
    page.get_by_label("Dataset, column or job").fill("nowhere.at_all")
    page.locator("#audit-pack").click()
    expect(page.locator("#pack-card")).to_contain_text("nowhere.at_all")
    page.get_by_label("Dataset, column or job").fill(REPORT)
    page.locator("#audit-pack").click()
    expect(page.locator("#jobs-list")).to_contain_text("meshline evidence verify", timeout=60_000)
    assert lx.audit.log(limit=1).acts[0].action.startswith("evidence")
