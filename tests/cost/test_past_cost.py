"""Cost of a past instant is that of the newest month billed until then, and of that month what was until then."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lineage.cli import build_app
from lineage.cost.periods import month_of
from lineage.engine import Lineage
from lineage.engine import open as ask
from tests.answers.test_api import client_of, get


@pytest.fixture(scope="module")
def demo(demo_file: Path) -> Iterator[Lineage]:
    with ask(demo_file) as lx:
        yield lx


def billed(lx: Lineage, as_of: str | None = None, period: str | None = None) -> tuple[str, dict[str, Decimal]]:
    found = lx.cost.report(as_of=as_of, period=period)
    return found.period, {one.currency: Decimal(one.billed) for one in found.currencies}


def months(lx: Lineage) -> list[str]:
    rows = lx.store.rows("SELECT DISTINCT period_start FROM bill_part ORDER BY 1")
    return [month_of(row[0]).text for row in rows]


def test_the_month_is_the_newest_that_was_billed_until_the_instant(demo: Lineage) -> None:
    known = months(demo)
    assert len(known) > 2
    assert billed(demo)[0] == known[-1]
    for month in known[1:]:
        for day in (1, 14, 28):
            assert billed(demo, f"{month}-{day:02}T12:00:00Z")[0] == month
    year, number = (int(part) for part in known[0].split("-"))
    before = month_of(datetime(year - (number == 1), 12 if number == 1 else number - 1, 15)).text  # noqa: DTZ001
    assert demo.cost.report(as_of=f"{before}-15").currencies == ()


def test_of_a_month_that_was_not_over_counts_what_was_billed_until_then(demo: Lineage) -> None:
    month = months(demo)[-2]
    whole = billed(demo, period=month)[1]
    told = [billed(demo, f"{month}-{day:02}")[1] for day in (5, 15, 25)]
    for earlier, later in zip(told, [*told[1:], whole], strict=True):
        assert all(earlier[currency] <= later[currency] for currency in earlier)
    assert told[0] != whole
    after = billed(demo, f"{months(demo)[-1]}-20", period=month)[1]
    assert after == whole, "a month that was over is whole"
    for row in demo.cost.report("dataset", as_of=f"{month}-15").currencies:
        assert sum(Decimal(one.own or 0) for one in row.rows) == Decimal(row.billed), "and all of it has its place"


def test_the_whole_cost_page_is_of_that_month(demo: Lineage) -> None:
    month = months(demo)[1]
    when = f"{month}-15"
    found = {
        demo.cost.report("product", as_of=when).period, demo.cost.budgets(as_of=when).period,
        demo.cost.waste(as_of=when).period, demo.cost.showback(as_of=when).period,
        demo.cost.of_nodes(demo.view(as_of=when)).period,  # type: ignore[union-attr]
    }  # fmt: skip
    assert found == {month}
    assert all(one.until is None or one.until < when for one in demo.cost.budgets(as_of=when).budgets)


def test_before_anything_was_billed_cost_and_what_was_spent_are_unknown(demo: Lineage, demo_file: Path) -> None:
    assert demo.cost.report(as_of="2001-01-01").currencies == ()
    assert demo.cost.of_nodes(demo.view(as_of="2001-01-01")) is None
    api, said = client_of(demo), CliRunner()
    told = get(api, "/api/v2/cost/budgets", as_of="2001-01-01")["budgets"]
    shell = said.invoke(
        build_app(), ["cost", "budgets", "--as-of", "2001-01-01", "--format", "json", "--db", str(demo_file)]
    )
    assert told == json.loads(shell.stdout)["budgets"]
    assert {(one["state"], one["spent"], one["spent_percent"]) for one in told} == {("unknown", None, None)}
    table = said.invoke(build_app(), ["cost", "budgets", "--as-of", "2001-01-01", "--db", str(demo_file)])
    assert "unknown" in table.stdout
    assert "0 %" not in table.stdout


def test_rest_and_the_command_line_bill_the_same(demo: Lineage, demo_file: Path) -> None:
    when = f"{months(demo)[1]}-15"
    for name in ("report", "budgets", "waste", "showback"):
        rest = get(client_of(demo), f"/api/v2/cost/{name}", as_of=when)
        args = ["cost", name, "--as-of", when, "--format", "json", "--db", str(demo_file)]
        assert json.loads(CliRunner().invoke(build_app(), args).stdout) == rest


def test_a_budget_that_needs_attention_tells_money_as_people_write_it(demo: Lineage) -> None:
    told = [one.detail for one in demo.attention(as_of="2026-04-17", limit=200).matters if one.kind == "budget"]
    assert told
    for text in told:
        assert re.match(r"[\d,]+\.\d\d of [\d,]+\.\d\d [A-Z]{3} in 2026-04$", text), text
