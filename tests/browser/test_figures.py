"""Figures of the sample company: the page, HTTP and the command line say the same, each the sum of its rows."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect
from typer.testing import CliRunner

from dashboard.links import Links
from dashboard.server import create_app
from lineage.cli import build_app
from tests.browser.conftest import Server

ORDERS = "dataset:snowflake://hp-eu1:dwh.sales.fct_orders"
REPORT = "dataset:superset://bi.harbourpine.example:finance/ifrs15_report"
THEN, BEFORE = "2026-06-22T09:00", "2026-05-20T00:00"


@pytest.fixture(scope="module")
def whole(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the whole server, HTTP interface and pages, over the sample company."""
    copy = tmp_path_factory.mktemp("whole") / "demo.duckdb"
    shutil.copyfile(demo_file, copy)
    server = Server(create_app(copy))
    yield server.url
    server.stop()


def said(demo_file: Path, *command: str) -> Any:
    """The JSON answer of a command."""
    result = CliRunner().invoke(build_app(), [*command, "--format", "json", "--db", str(demo_file)])
    return json.loads(result.stdout)  # the exit code of some commands is their verdict


def told(whole: str, path: str, **query: str) -> Any:
    """The JSON answer of HTTP."""
    with urlopen(f"{whole}/api/v2/{path}?{urlencode(query)}") as answer:
        return json.load(answer)


def test_what_is_up_and_downstream_is_the_same_figure_everywhere(page: Page, whole: str, demo_file: Path) -> None:
    page.goto(whole + Links(asof=THEN).to("lineage", focus=ORDERS))
    for name, side in (("provenance", "upstream"), ("impact", "downstream")):
        answers = (told(whole, name, node=ORDERS, as_of=THEN), said(demo_file, name, ORDERS, "--as-of", THEN))
        datasets = {sum(1 for n in answer["nodes"] if n["kind"] == "dataset") for answer in answers}
        assert all(sum(answer["totals"]["by_domain"].values()) == len(answer["nodes"]) for answer in answers)
        shown = page.locator(f".reach.{side} .big")
        expect(shown).to_be_visible()
        assert {int(shown.inner_text())} == datasets


def test_the_runs_behind_a_report_are_the_same_everywhere(page: Page, whole: str, demo_file: Path) -> None:
    by_http = told(whole, "run-provenance", node=REPORT, as_of=THEN)["steps"]
    by_command = said(demo_file, "provenance", REPORT, "--runs", "--as-of", THEN)["steps"]
    assert [step["run_id"] for step in by_http] == [step["run_id"] for step in by_command]
    page.goto(whole + Links(asof=THEN).to("provenance", target=REPORT, view="table"))
    expect(page.locator("#provenance-steps")).to_have_text(str(len(by_http)))
    expect(page.locator("#provenance-grid-count")).to_contain_text(f"{len(by_http)} rows")
    expect(page.locator(".prov-story > li:not(.is-source)")).to_have_count(len(by_http))


def test_what_changed_between_two_dates_is_the_same_everywhere(page: Page, whole: str, demo_file: Path) -> None:
    query = {"from": BEFORE, "to": THEN, "node": REPORT}
    by_http = told(whole, "diff", **query)["changes"]
    by_command = said(demo_file, "diff", "--from", BEFORE, "--to", THEN, "--node", REPORT)["changes"]
    assert by_http == by_command
    page.goto(whole + Links(asof=THEN).to("provenance", target=REPORT, vs=BEFORE))
    expect(page.locator("#provenance-mesh-count")).to_contain_text(f"{len(by_http)} rows")


def test_when_the_mesh_changed_is_the_same_everywhere(page: Page, whole: str, demo_file: Path) -> None:
    by_http = told(whole, "history", node=ORDERS, buckets="72", as_of=THEN)
    by_command = said(demo_file, "history", ORDERS, "--buckets", "72", "--as-of", THEN)
    assert by_http["buckets"] == by_command["buckets"]
    opened = sum(bucket["opened"] for bucket in told(whole, "history", node=ORDERS, buckets="72")["buckets"])
    page.goto(whole + Links().to("lineage", focus=ORDERS))
    expect(page.locator(".time-slider svg")).to_have_attribute("aria-label", re.compile(f"^{opened} edges began"))


def test_who_is_reached_by_a_change_is_the_same_everywhere(page: Page, whole: str, demo_file: Path) -> None:
    answer = said(demo_file, "change", "--retire", ORDERS, "--as-of", THEN)
    reached = {consumer["id"] for judged in answer["changes"] for consumer in judged["consumers"]}
    rows = sum(len(judged["consumers"]) for judged in answer["changes"])
    page.goto(whole + Links(asof=THEN).to("impact", target=ORDERS, change="retire"))
    expect(page.locator("#impact-grid-count")).to_contain_text(f"{rows} row")
    expect(page.locator("#impact-sum")).to_contain_text(f"{len(reached)} consumer")
