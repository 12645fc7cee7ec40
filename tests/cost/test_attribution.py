"""Every charge finds its node by the first rung that fits, and nothing is lost on the way."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lineage
from ingest.writer import Writer
from lineage.actor import Actor
from lineage.cost.answers import CostReport
from lineage.cost.importing import import_files
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.errors import DeclarationError, UsageError
from lineage.store import Store

RULES = """
name: rules
resources: [{match: "vol-*", dataset: raw.orders}]
accounts: [{match: "acc-finance", domain: finance}]
pools:
  - {name: wh, match: {resource: "wh-*"}, jobs: ["air:*"], usage: duration, capacity: 1}
rates:
  - {engine: "*", jobs: "*", currency: CHF, run_second: "0.01"}
"""
DOMAINS = {"sales": ["raw.*", "job:load*"], "finance": ["dwh.*", "job:model*"]}


def _run(
    run: str, job: str, start: str, end: str, reads: list[str], writes: dict[str, int], state: str = "COMPLETE"
) -> list[bytes]:
    inputs = [{"namespace": "pg", "name": name} for name in reads]
    outputs = [
        {"namespace": "pg", "name": name, "outputFacets": {"outputStatistics": {"rowCount": 1, "size": size}}}
        for name, size in writes.items()
    ]
    facets = {"externalQuery": {"externalQueryId": f"q-{run[-1]}", "source": "wh"}}
    base = {"run": {"runId": run, "facets": facets}, "job": {"namespace": "air", "name": job}, "producer": "test"}
    times = ((f"2026-06-{start}Z", "START"), (f"2026-06-{end}Z", state))
    events = [{**base, "eventTime": at, "eventType": kind, "inputs": inputs, "outputs": outputs} for at, kind in times]
    return [json.dumps(event).encode() for event in events]


@pytest.fixture
def lx(tmp_path: Path) -> Iterator[Lineage]:
    """Two loads and a failing model; load writes three times as many bytes to raw.orders as to raw.items."""
    uuid = "00000000-0000-7000-8000-00000000000"
    lines = [
        *_run(uuid + "1", "load", "02T00:00:00", "02T00:30:00", ["src"], {"raw.orders": 300, "raw.items": 100}),
        *_run(uuid + "2", "model", "02T00:30:00", "02T00:45:00", ["raw.orders"], {"dwh.revenue": 50}),
        *_run(uuid + "3", "model", "03T00:00:00", "03T00:10:00", ["raw.orders"], {"dwh.revenue": 50}, "FAIL"),
    ]
    for name, patterns in DOMAINS.items():
        file = tmp_path / "domains" / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"name": name, "patterns": patterns}))
    (tmp_path / "cost").mkdir()
    (tmp_path / "cost" / "rules.yaml").write_text(RULES)
    with Store.open(":memory:") as store:
        Writer(store).ingest(lines, source="test", received_at=datetime(2026, 6, 4))  # noqa: DTZ001
        apply(store, tmp_path)
        with lineage.open(store) as lx:
            yield lx


def _bill(folder: Path, rows: list[dict[str, str]]) -> Path:
    heads = (
        "BilledCost",
        "BillingCurrency",
        "BillingPeriodStart",
        "ChargePeriodStart",
        "ChargePeriodEnd",
        "ResourceId",
    )
    names = (*heads, "SubAccountId", "Tags", "x_QueryId", "ServiceName", "ChargeDescription")
    path = folder / "bill.csv"
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, names)
        writer.writeheader()
        base = {"BillingCurrency": "EUR", "BillingPeriodStart": "2026-06-01", "ServiceName": "S"}
        hour = {"ChargePeriodStart": "2026-06-02T00:00:00Z", "ChargePeriodEnd": "2026-06-02T01:00:00Z"}
        writer.writerows({**base, **hour, **row} for row in rows)
    return path


def _own(report: CostReport, currency: str = "EUR") -> dict[str, Decimal]:
    (one,) = (one for one in report.currencies if one.currency == currency)
    return {row.id: Decimal(row.own or 0) for row in one.rows if Decimal(row.own or 0)}


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ({"ResourceId": "vol-1", "Tags": '{"domain": "finance"}'}, {"dataset:pg:raw.orders": 8}),
        ({"ResourceId": "raw.items"}, {"dataset:pg:raw.items": 8}),
        (
            {"x_QueryId": "Q-1", "Tags": '{"domain": "finance"}'},
            {"dataset:pg:raw.orders": 6, "dataset:pg:raw.items": 2},
        ),
        ({"x_QueryId": "q-3"}, {"job:air:model": 8}),
        ({"Tags": '{"DOMAIN": "Sales"}', "SubAccountId": "acc-finance"}, {"sales": 8}),
        ({"Tags": '{"job": "load"}'}, {"dataset:pg:raw.orders": 6, "dataset:pg:raw.items": 2}),
        ({"Tags": '{"domain": "nobody"}', "SubAccountId": "acc-finance"}, {"finance": 8}),
        (
            {"ResourceId": "wh-1"},  # half an hour of load, a quarter of model, a quarter of nobody
            {"dataset:pg:raw.orders": 3, "dataset:pg:raw.items": 1, "dataset:pg:dwh.revenue": 2, "idle:wh": 2},
        ),
        ({"ResourceId": "wh-1", "ChargePeriodStart": "2026-06-05", "ChargePeriodEnd": "2026-06-06"}, {"idle:wh": 8}),
        ({"ResourceId": "raw.orders", "ChargeDescription": "data transfer out"}, {"dataset:pg:dwh.revenue": 8}),
        ({"ResourceId": "elsewhere", "Tags": "no json"}, {"unallocated": 8}),
    ],
)
def test_a_charge_goes_where_the_first_rung_says(
    lx: Lineage, tmp_path: Path, row: dict[str, str], where: dict[str, int]
) -> None:
    import_files(lx.store, [_bill(tmp_path, [{"BilledCost": "8", **row}])])
    assert _own(lx.cost.report("dataset")) == where


def test_cost_flows_to_those_who_read_and_showback_balances(lx: Lineage, tmp_path: Path) -> None:
    import_files(lx.store, [_bill(tmp_path, [{"BilledCost": "8", "ResourceId": "raw.orders"}])])
    (one,) = lx.cost.report("dataset").currencies
    assert {row.id: (row.own, row.charged_back, row.full) for row in one.rows} == {
        "dataset:pg:raw.orders": ("8", "0", "8"),
        "dataset:pg:dwh.revenue": ("0", "8", "8"),
    }
    (money,) = lx.cost.showback().currencies
    assert [(row.payer, row.user, row.amount) for row in money.subsidies] == [("sales", "finance", "8")]
    explained = lx.cost.explain("dwh.revenue").currencies[0]
    assert (explained.own, explained.inherited, explained.full) == ("0", "8", "8")
    assert [(other.id, other.amount) for other in explained.inherited_from] == [("dataset:pg:raw.orders", "8")]


def test_rates_price_runs_only_where_no_bill_covers_the_month(lx: Lineage, tmp_path: Path) -> None:
    found = lx.cost.report("dataset", period="2026-06")
    # load 1800 s, model 900 s, the failed model 600 s, at 0.01 a second
    assert _own(found, "CHF") == {
        "dataset:pg:raw.orders": Decimal("13.5"),
        "dataset:pg:raw.items": Decimal("4.5"),
        "dataset:pg:dwh.revenue": 9,
        "job:air:model": 6,
    }
    assert {row.basis for row in found.currencies[0].rows} == {"estimated"}
    import_files(lx.store, [_bill(tmp_path, [{"BilledCost": "1"}])])
    assert [one.currency for one in lx.cost.report("dataset", period="2026-06").currencies] == ["EUR"]


def test_a_hidden_domain_is_in_no_row_and_no_total(lx: Lineage, tmp_path: Path) -> None:
    rows = [{"BilledCost": "8", "ResourceId": "raw.orders"}, {"BilledCost": "5", "ResourceId": "dwh.revenue"}]
    import_files(lx.store, [_bill(tmp_path, rows)])
    nosy = Actor("nosy", hidden_domains={"sales"})
    for by in ("domain", "dataset", "job", "consumer", "service"):
        (one,) = lx.cost.report(by, actor=nosy).currencies
        assert "orders" not in json.dumps([row.id for row in one.rows])
        assert (one.billed, one.allocated) == ("5", "5")
    assert lx.cost.showback(actor=nosy).currencies[0].subsidies == ()


@settings(max_examples=25)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "BilledCost": st.decimals(-(10**9), 10**9, places=11, allow_nan=False).map(lambda d: f"{d:f}"),
                "BillingCurrency": st.sampled_from(["EUR", "USD"]),
                "ResourceId": st.sampled_from(["wh-1", "vol-1", "raw.items", "x", "", "job-cluster-1"]),
                "x_QueryId": st.sampled_from(["", "q-1", "q-2", "q-3", "q-9"]),
                "Tags": st.sampled_from(["", '{"domain": "sales"}', '{"job": "load"}', "{", '{"dataset": "src"}']),
                "ChargeDescription": st.sampled_from(["", "Data Transfer Out"]),
            }
        ),
        min_size=1,
        max_size=12,
    )
)
def test_own_and_charged_back_sum_to_any_bill(rows: list[dict[str, str]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder, Store.open(":memory:") as store:
        Writer(store).ingest(
            _run(
                "00000000-0000-7000-8000-000000000001",
                "load",
                "02T00:00:00",
                "02T00:30:00",
                ["src"],
                {"raw.a": 3, "raw.b": 4},
            ),
            source="test",
            received_at=datetime(2026, 6, 4),  # noqa: DTZ001
        )
        (Path(folder) / "cost").mkdir()
        (Path(folder) / "cost" / "rules.yaml").write_text(RULES)
        apply(store, Path(folder))
        import_files(store, [_bill(Path(folder), rows)])
        with lineage.open(store) as lx:
            for by in ("dataset", "job", "consumer", "domain"):
                found: dict[str, Any] = {one.currency: one for one in lx.cost.report(by).currencies}
                for currency in {row["BillingCurrency"] for row in rows}:
                    total = sum(Decimal(row["BilledCost"]) for row in rows if row["BillingCurrency"] == currency)
                    for name in ("own", "charged_back"):
                        mine = found[currency].rows if currency in found else ()
                        assert sum(Decimal(getattr(row, name)) for row in mine) == total


def test_wrong_rules_and_questions_are_named(lx: Lineage, tmp_path: Path) -> None:
    until, since = "run_second: 1, until: 2026-02-01", "run_second: 2, since: 2026-03-01"
    bad = f"name: a\nrates:\n  - {{currency: EUR, {until}}}\n  - {{currency: EUR, {since}}}\n"
    (tmp_path / "cost" / "rules.yaml").write_text(bad)
    with pytest.raises(DeclarationError, match=r"rules\.yaml(.|\n)*no price from 2026-02-01 to 2026-03-01"):
        apply(lx.store, tmp_path)
    for ask in ({"by": "colour"}, {"period": "June"}, {"metric": "guess"}):
        with pytest.raises(UsageError):
            lx.cost.report(**ask)


def test_a_watched_dataset_tells_who_reads_it(lx: Lineage, tmp_path: Path) -> None:
    import_files(lx.store, [_bill(tmp_path, [{"BilledCost": "8", "ResourceId": "raw.items"}])])
    later = datetime(2026, 9, 1)  # noqa: DTZ001
    (row,) = lx.cost.waste(days=30, now=later).unread
    assert (row.id, row.saving_per_month, row.watched_until) == ("dataset:pg:raw.items", "8", None)
    lx.cost.watch("dataset:pg:raw.items", days=30, now=later)
    (row,) = lx.cost.waste(days=30, now=later).unread
    assert row.watched_until == datetime(2026, 10, 1)  # noqa: DTZ001
    assert lx.store.rows("SELECT action FROM audit ORDER BY seq DESC LIMIT 1") == [("cost.watch",)]


def test_the_routes_give_the_same_answers(lx: Lineage, tmp_path: Path) -> None:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from lineage.answers import to_json
    from lineage.api.router import build_router

    import_files(lx.store, [_bill(tmp_path, [{"BilledCost": "-8.5", "ResourceId": "raw.items"}])])
    app = FastAPI()
    app.include_router(build_router(lx))
    client = TestClient(app)
    assert client.get("/api/v2/cost/report", params={"by": "dataset"}).json() == to_json(lx.cost.report("dataset"))
    assert "-8.5" in client.get("/api/v2/cost/report", params={"format": "csv"}).text
    for path in ("explain?node=raw.items", "showback", "budgets", "waste"):
        assert client.get(f"/api/v2/cost/{path}").status_code == 200


def test_a_pool_by_cpu_follows_the_slots_that_runs_told_and_else_their_bytes_or_time(tmp_path: Path) -> None:
    (tmp_path / "cost").mkdir()
    rule = 'name: r\npools:\n  - {name: wh, match: {resource: "wh-*"}, jobs: ["air:*"], usage: cpu}\n'
    (tmp_path / "cost" / "rules.yaml").write_text(rule)
    bill = _bill(tmp_path, [{"BilledCost": "8", "ResourceId": "wh-1"}])
    for told, expected in (((3_000, "1000"), ("6", "2")), ((3_000, None), ("4", "4")), ((-1, "many"), ("4", "4"))):
        lines = []
        for k, slots in enumerate(told):
            for line in _run(f"run{k}", f"job{k}", "02T00:00:00", "02T00:30:00", [], {f"out{k}": 5}):
                event = json.loads(line)
                event["run"]["facets"]["bigQueryJob"] = {"properties": json.dumps({"totalSlotMs": slots})}
                lines.append(json.dumps(event).encode())
        with Store.open(":memory:") as store:
            Writer(store).ingest(lines, source="test", received_at=datetime(2026, 6, 4))  # noqa: DTZ001
            apply(store, tmp_path)
            import_files(store, [bill])
            with lineage.open(store) as lx:
                own = _own(lx.cost.report("dataset", period="2026-06"))
        assert [own[f"dataset:pg:out{k}"] for k in (0, 1)] == [Decimal(one) for one in expected]


def test_bytes_that_leave_a_region_are_priced_by_the_pair_and_charged_to_who_reads_them(tmp_path: Path) -> None:
    lines = []
    for k, target in enumerate(("eu.copy", "us.mart", "ap.mart", "us.mart2")):
        run = f"00000000-0000-7000-8000-00000000000{k}"
        for line in _run(run, f"copy{k}", "02T00:00:00", "02T01:00:00", ["eu.raw"], {target: 1}):
            event = json.loads(line)
            event["inputs"][0]["inputFacets"] = {"inputStatistics": {"size": 1000 * (k + 1)}}
            lines.append(json.dumps(event).encode())
    rules = """
name: egress
regions: [{match: "eu.*", region: eu-west-1}, {match: "us.*", region: us-east-1}, {match: "ap.*", region: ap-south-1}]
rates:
  - {currency: EUR, byte_egressed: "0.02", from: "eu-*", to: "us-*"}
  - {currency: EUR, byte_egressed: "0.05"}
"""
    (tmp_path / "cost").mkdir()
    (tmp_path / "cost" / "egress.yaml").write_text(rules)
    charged = {"dataset:pg:us.mart": 40, "dataset:pg:ap.mart": 150, "dataset:pg:us.mart2": 80}  # within the EU: nothing
    with Store.open(":memory:") as store:
        Writer(store).ingest(lines, source="test", received_at=datetime(2026, 6, 4))  # noqa: DTZ001
        apply(store, tmp_path)
        with lineage.open(store) as lx:
            assert _own(lx.cost.report("dataset", period="2026-06")) == charged
            (told,) = lx.cost.explain("us.mart", period="2026-06").currencies[0].evidence
            assert told.rule == "egress: rates[0] (eu-west-1 to us-east-1)"
        crossing = {"ResourceId": "eu.raw", "ChargeDescription": "Data Transfer Out"}
        import_files(store, [_bill(tmp_path, [{"BilledCost": "9", **crossing}])])
        with lineage.open(store) as lx:  # a bill covers the month: 2000 + 3000 + 4000 bytes crossed
            billed = {"dataset:pg:us.mart": 2, "dataset:pg:ap.mart": 3, "dataset:pg:us.mart2": 4}
            assert _own(lx.cost.report("dataset", period="2026-06")) == billed
    (tmp_path / "cost" / "egress.yaml").write_text("name: e\nrates: [{currency: EUR, run_second: 1, from: eu}]\n")
    with Store.open(":memory:") as store, pytest.raises(DeclarationError, match="no “byte_egressed”"):
        apply(store, tmp_path)


def test_a_share_of_a_pool_is_explained_by_the_bills_that_were_divided(lx: Lineage, tmp_path: Path) -> None:
    rows = [{"BilledCost": "6", "ResourceId": "wh-1"}, {"BilledCost": "2", "ResourceId": "wh-2"}]
    import_files(lx.store, [_bill(tmp_path, [*rows, {"BilledCost": "1", "ResourceId": "other"}])])
    (told,) = lx.cost.explain("dwh.revenue", period="2026-06").currencies[0].evidence
    assert (told.pool, told.amount, told.rows, told.bills) == ("wh", "2", 2, (str(tmp_path / "bill.csv"),))
    assert told.of == "8"  # what was divided; a quarter of it was used here
