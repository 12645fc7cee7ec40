"""One story for each of the three people: from the first page that opens to the thing that they take away."""

from __future__ import annotations

import csv
import subprocess
import sys
import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from lineage.engine import Lineage
from tests.browser.desk import filled, saved
from tests.browser.picture import query


def _begin(page: Page, url: str, who: str) -> None:
    """Open the first page and take the task that it offers to somebody."""
    page.goto(url)
    page.locator("#tasks a").filter(has_text=who).click()


def _take(page: Page, press: str, folder: Path) -> Path:
    with page.expect_download() as waiting:
        page.locator(press).click()
    taken = folder / waiting.value.suggested_filename
    waiting.value.save_as(taken)
    return taken


def test_an_auditor_goes_from_the_first_page_to_a_pack_that_proves_itself_without_meshline(
    page: Page, demo: Lineage, demo_url: str, tmp_path: Path
) -> None:
    _begin(page, demo_url, "Auditor")
    page.wait_for_url("**/provenance?**")
    target = query(page)["target"][0]
    expect(page.locator("#provenance-answer")).to_contain_text(demo.provenance(target).nodes[0].id.rpartition(".")[2])
    page.locator("#provenance-pack").click()
    page.get_by_role("link", name="Audit", exact=True).click()  # the pack is made while one looks elsewhere
    expect(page.locator(".job[data-state=done]")).to_contain_text("meshline evidence verify", timeout=60_000)
    pack = _take(page, ".job a[download]", tmp_path)
    with zipfile.ZipFile(pack) as opened:
        opened.extract("verify.py", tmp_path)
    told = subprocess.run([sys.executable, "-I", tmp_path / "verify.py", pack], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    filled(page)
    page.locator("#audit-verify-now").click()
    expect(page.locator("#audit-verified")).to_contain_text("Intact")  # that the pack was made stands in the log too
    assert demo.audit.log(limit=1).acts[0].action.startswith("evidence")
    page.locator(".job").get_by_role("button", name="Remove").click()


def test_an_engineer_goes_from_the_first_page_to_who_is_hit_by_a_change_and_what_to_tell_them(
    page: Page, demo: Lineage, demo_url: str, tmp_path: Path
) -> None:
    _begin(page, demo_url, "Engineer")
    page.wait_for_url("**/impact?**")
    target = query(page)["target"][0]
    report = demo.contracts.change_nodes(drop=[target])
    hit = {consumer.id for judged in report.changes for consumer in judged.consumers}
    expect(page.locator("#impact-grid-count")).to_contain_text(f"{len(hit)} row")
    text = _take(page, "#impact-md", tmp_path).read_text("utf-8")
    assert text.startswith(report.markdown().strip())
    rows = csv.DictReader(_take(page, "#impact-grid-csv", tmp_path).read_text("utf-8-sig").splitlines())
    assert {row["Consumer"] for row in rows} == hit


def test_a_platform_lead_goes_from_the_first_page_through_the_worst_domain_to_a_report_on_paper(
    page: Page, demo: Lineage, demo_url: str, tmp_path: Path
) -> None:
    _begin(page, demo_url, "Platform lead")
    page.wait_for_url("**rows=quality**")
    domain = query(page)["domain"][0]
    page.goto(f"{demo_url}/quality?domain={domain}")
    filled(page)
    scores = {row.id: row for row in demo.quality.report().nodes if row.domain == domain}
    assert {row["Name"] for row in saved(page, "quality-grid")} == set(scores)
    page.locator("#count-incidents").click()
    page.wait_for_url("**view=incidents**")
    page.goto(f"{demo_url}/reports?domain={domain}")
    filled(page)
    paper = _take(page, "#reports-html", tmp_path).read_text("utf-8")
    titles = page.locator("#reports-sections h2").all_inner_texts()
    assert titles
    assert all(title in paper for title in titles)
    assert 'src="http' not in paper  # it needs nothing from outside
