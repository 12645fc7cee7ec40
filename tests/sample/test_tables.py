"""Every tabular answer about the sample company is an Arrow table whose schema does not depend on what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import lineage
from lineage.engine import Lineage
from lineage.shown import Shown

ORDERS = "dataset:snowflake://hp-eu1:dwh.sales.fct_orders"
REPORT = "finance/ifrs15_report"
ASKS: dict[str, Callable[[Lineage], Any]] = {
    "impact": lambda lx: lx.impact(ORDERS),
    "impact over bridges": lambda lx: lx.impact(ORDERS, bridge=True),
    "impact without facts": lambda lx: lx.impact(ORDERS, facts=False),
    "provenance": lambda lx: lx.provenance(REPORT),
    "runs behind": lambda lx: lx.run_provenance(REPORT),
    "path": lambda lx: lx.path(ORDERS, REPORT),
    "diff": lambda lx: lx.diff("2026-05-16"),
    "search": lambda lx: lx.search("orders"),
    "show": lambda lx: lx.show(ORDERS),
    "picture": lambda lx: lx.picture(ORDERS),
    "tags": lambda lx: lx.tags(tag="pii"),
    "rehearse": lambda lx: lx.rehearse(drop=[ORDERS]),
    "cause": lambda lx: lx.cause(),
    "rank": lambda lx: lx.rank(),
    "cycles": lambda lx: lx.cycles(),
    "dead": lambda lx: lx.dead(),
    "mesh": lambda lx: lx.mesh(),
    "history": lambda lx: lx.history(),
    "attention": lambda lx: lx.attention(),
    "aliases": lambda lx: lx.aliases.list(),
    "suggestions": lambda lx: lx.aliases.suggest(),
    "edges": lambda lx: lx.edges.list(),
    "owners": lambda lx: lx.owners.list(),
    "stops": lambda lx: lx.stops.list(),
    "audit": lambda lx: lx.audit.log(),
    "contracts": lambda lx: lx.contracts.list(),
    "products": lambda lx: lx.products.list(),
    "conformance": lambda lx: lx.contracts.check(),
    "policies": lambda lx: lx.policies.list(),
    "policy check": lambda lx: lx.policies.check(),
    "violations": lambda lx: lx.policies.violations(),
    "violation groups": lambda lx: lx.policies.groups(),
    "waivers": lambda lx: lx.waivers.list(),
    "access": lambda lx: lx.access.list(),
    "alerts": lambda lx: lx.alerts.list(),
    "feedback": lambda lx: lx.feedback.list(),
    "saved": lambda lx: lx.saved.list(),
    "runs": lambda lx: lx.runs.list(),
    "schemas": lambda lx: lx.schemas.versions(ORDERS),
    "quality": lambda lx: lx.quality.report(),
    "quality of domains": lambda lx: lx.quality.report(by="domain"),
    "quality of a dataset": lambda lx: lx.quality.explain(ORDERS),
    "gate": lambda lx: lx.quality.gate(REPORT),
    "incidents": lambda lx: lx.quality.incidents(),
    "performance": lambda lx: lx.quality.performance(),
    "promises": lambda lx: lx.quality.promises(),
    "tests": lambda lx: lx.quality.tests(),
    "metrics": lambda lx: lx.quality.metrics(),
    "freshness": lambda lx: lx.quality.freshness(),
    "cost": lambda lx: lx.cost.report(),
    "cost of a dataset": lambda lx: lx.cost.explain(ORDERS),
    "showback": lambda lx: lx.cost.showback(),
    "budgets": lambda lx: lx.cost.budgets(),
    "waste": lambda lx: lx.cost.waste(),
    "scorecards": lambda lx: lx.scorecards.report(),
    "risk": lambda lx: lx.scorecards.risk("orders"),
}


@pytest.fixture(scope="module")
def lx(sample_db: Path) -> Iterator[Lineage]:
    with lineage.open(sample_db) as opened:
        yield opened


@pytest.mark.parametrize("ask", ASKS)
def test_an_answer_without_rows_has_the_schema_of_one_with(
    ask: str, lx: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer: Shown = ASKS[ask](lx)
    table = answer.to_arrow()
    said = {head: [row[k] for row in answer.rows()] for k, head in enumerate(answer.heads())}
    assert [name for name in table.column_names if name in said] == list(said)
    for head, values in said.items():
        plain = [list(value) if isinstance(value, tuple) else value for value in values]
        assert table.column(head).to_pylist() == plain, head
    monkeypatch.setattr(type(answer), "rows", lambda _: [])
    assert answer.to_arrow().schema == table.schema
    assert pa.concat_tables([table, answer.to_arrow()]).num_rows == len(next(iter(said.values()), ()))


def test_two_impacts_are_one_table(lx: Lineage) -> None:
    asked = [lx.impact(ORDERS), lx.impact(REPORT), lx.impact(ORDERS, bridge=True, facts=False)]
    table = pa.concat_tables([answer.to_arrow() for answer in asked])
    assert asked[1].nodes == () and table.num_rows == sum(len(answer.nodes) for answer in asked)
