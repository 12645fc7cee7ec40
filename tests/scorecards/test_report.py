"""The report: what it says is what the questions say, everything is escaped, unknown is called unknown."""

from __future__ import annotations

from datetime import datetime, timedelta
from html.parser import HTMLParser

import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.report.contents import MOST, ExecutiveReport, Section
from lineage.report.render import to_html, to_mail, to_markdown
from tests.answers.builder import T0, World
from tests.policies.people import people

EVIL = "<script>alert(1)</script>|\nBcc: all@example.com"


class Reader(HTMLParser):
    """Collects tags and what they refer to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.refers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.refers += [name for name, _ in attrs if name in ("src", "href", "onclick", "style")]


def evil() -> ExecutiveReport:
    part = Section("violations", EVIL, ("a", "b"), ((EVIL, "worse"),) * 2, 40, EVIL, EVIL)
    empty = Section("risks", "Risks", ("a",), (), 0, EVIL)
    return ExecutiveReport(EVIL, T0, T0, (EVIL,), (part, empty), T0, "meshline", "f" * 64)


def test_names_are_text_and_nothing_comes_from_outside() -> None:
    page = Reader(to_html(evil()))
    assert "script" not in page.tags
    assert page.refers == []
    assert "38 more are not listed" in to_html(evil())


def test_a_told_name_starts_no_header_of_the_mail_and_no_row_of_markdown() -> None:
    assert not any(line.startswith("Bcc:") for line in to_mail(evil()).splitlines())
    assert "<script>" not in to_markdown(evil()).replace("\\<script\\>", "")


def test_an_empty_mesh_says_unknown_not_zero() -> None:
    told = Lineage(World().store).reports.executive()
    assert {row[1] for row in told.section("scores").rows} <= {"unknown", "0 waivers"}
    assert not told.section("cost").rows
    assert "unknown" in told.section("cost").nothing.lower()
    assert told.section("violations").nothing == "No violation was recorded as open."


@pytest.fixture(scope="module")
def told(lx: Lineage, end: datetime) -> ExecutiveReport:
    return lx.reports.executive(start=end - timedelta(days=7), end=end)


def test_the_sample_week(told: ExecutiveReport) -> None:
    assert told.section("violations").total == 36
    assert len(told.section("violations").rows) == MOST
    assert [row[0] for row in told.section("contracts").rows] == ["fx-rates", "web-sessions"]
    assert [row[2:4] for row in told.section("incidents").rows] == [
        ("dataset:snowflake://hp-eu1:dwh.raw.fx_rates", "open"),
        ("dataset:snowflake://hp-eu1:dwh.raw.web_sessions", "open"),
    ]
    assert ("digital-month", "over") in {(row[0], row[6]) for row in told.section("budgets").rows}
    assert [row[0] for row in told.section("risks").rows] == ["payments", "web-sessions", "orders"]
    scores = {row[0]: row for row in told.section("scores").rows}
    assert scores["Datasets with an owner"][1:5] == ("87.9 %", "87.9 %", "same", "51 of 58")


def test_the_mail_begins_with_its_subject(told: ExecutiveReport) -> None:
    assert to_mail(told).splitlines()[0] == "Subject: Governance report: the whole mesh, 2026-06-28"


def test_a_domain_only_tells_its_own_and_a_hidden_one_nothing(lx: Lineage, end: datetime) -> None:
    start = end - timedelta(days=7)
    finance = lx.reports.executive("finance", start=start, end=end)
    assert {row[1] for row in finance.section("risks").rows} == {"finance"}
    eve = Actor("eve", frozenset({"finance"}))
    with pytest.raises(UsageError, match="finance"):
        lx.reports.executive("finance", start=start, end=end, actor=eve)
    assert "dwh.finance." not in to_html(lx.reports.executive(start=start, end=end, actor=eve))


def test_the_route_gives_a_page_that_may_load_nothing() -> None:
    client = people(Lineage(World().store))
    found = client.get("/api/v2/report")
    assert found.headers["content-type"].startswith("text/html")
    assert found.headers["content-security-policy"].startswith("default-src 'none'")
    assert client.get("/api/v2/report", params={"domain": "moon"}).status_code == 400
    assert client.get("/api/v2/report", params={"from": "2026-02-01", "to": "2026-01-01"}).status_code == 400
    assert client.get("/api/v2/report", params={"format": "mail"}).text.startswith("Subject: ")
