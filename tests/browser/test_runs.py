"""The page of runs: each number is that of the query layer and of the rows it leads to; a run is told in full."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import Page, expect

from dashboard.charts import lasting
from lineage.engine import Lineage
from lineage.runs.answers import FAILED
from sample_events.load import last_event
from tests.browser.desk import filled, saved

END = f"{last_event():%Y-%m-%dT%H:%M:%S}Z"


def test_every_number_leads_to_as_many_rows(page: Page, demo: Lineage, demo_url: str) -> None:
    found = demo.runs.list(as_of=END, limit=100_000)
    ledger = demo.ledger()
    page.goto(f"{demo_url}/runs?asof={END}")
    filled(page)
    expected = {
        "runs": sum(found.states.values()),
        "failed": sum(n for state, n in found.states.items() if state in FAILED),
        "overdue": found.overdue,
        "sources": len(ledger.sources),
        "blind": sum(finding.nodes for finding in ledger.findings),
    }
    assert expected["runs"] > expected["failed"]
    longest = sorted((j for j in demo.quality.performance(as_of=END).jobs if j.p95), key=lambda j: (not j.odd, -j.p95))
    expect(page.locator("#runs-durations .annotation")).to_have_text(
        [re.compile(f"^{re.escape(lasting(j.last))}") for j in longest[:14] if j.last is not None]
    )
    for name, wanted in expected.items():
        page.goto(f"{demo_url}/runs?asof={END}")
        expect(page.locator(f"#count-{name}")).to_have_text(f"{wanted:,}")
        page.locator(f"#count-{name}").click()
        if wanted:
            expect(page.locator("#runs-grid-count")).to_have_text(re.compile(f"^{wanted:,} "))


def test_the_file_holds_the_runs_and_a_run_is_told_in_full(page: Page, demo: Lineage, demo_url: str) -> None:
    run = demo.runs.list(since="2026-04-01", until=END, states=FAILED, as_of=END).runs[0]
    assert run.error
    at = f"{run.began + timedelta(days=1):%Y-%m-%dT%H:%M:%S}Z"
    page.goto(f"{demo_url}/runs?asof={at}&filter=wrong:contains:failed")
    filled(page)
    rows = saved(page, "runs-grid")
    assert run.run_id in {row["Run"] for row in rows}
    assert {row["State"] for row in rows} <= set(FAILED)
    page.goto(f"{demo_url}/runs?asof={at}&run={run.run_id}")
    filled(page)
    detail = demo.runs.show(run.run_id, as_of=at)
    expect(page.locator("#run-card")).to_contain_text(run.run_id)
    for text in (run.error, *(side.dataset.rsplit(".", 1)[-1] for side in detail.inputs)):
        expect(page.locator("#run-card")).to_contain_text(text or "")
    page.goto(f"{demo_url}/runs?run=none-such")
    expect(page.locator("#runs-run [role=alert]")).to_contain_text("no run of this id is known")


def test_the_report_on_the_page_is_that_of_the_command(page: Page, demo: Lineage, demo_url: str) -> None:
    page.goto(f"{demo_url}/reports?asof={END}&domain=sales&view=7")
    filled(page)
    start = f"{last_event() - timedelta(days=7):%Y-%m-%dT%H:%M:%S}Z"
    report = demo.reports.executive("sales", start=start, end=END)
    for text in report.summary:
        expect(page.locator("#report-summary")).to_contain_text(text)
    for section in report.sections:
        card = page.locator(f"#report-{section.id}")
        expect(card.locator("tbody tr")).to_have_count(len(section.rows))
        expect(card).to_contain_text(section.title)
    with page.expect_download() as waiting:
        page.locator("#reports-html").click()
    text = waiting.value.path().read_text("utf-8")
    assert report.sections[0].title in text
    assert "sales" in text
    page.locator("#reports-mail-now").click()
    expect(page.locator("#reports-mail-text")).to_contain_text("sales")
    said, wanted = page.locator("#reports-mail-text").inner_text(), demo.reports.text("mail", "sales", end=END)
    assert said.splitlines()[:-3] == wanted.splitlines()[:-3]  # its last lines say when it was made
    assert len(wanted.splitlines()) > 10
