"""Drills, promises, commands and routes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lineage.declared import apply
from lineage.engine import Lineage
from lineage.errors import MeshlineError, UsageError
from lineage.fingerprint import parts
from lineage.quality.promises import waits
from lineage.store import Store
from tests.answers.builder import T0, World
from tests.ingest.build import run_event

NOW = T0 + timedelta(days=30)
HOUR = timedelta(hours=1)
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: {name}
version: "1.0.0"
status: active
schema:
  - name: {name}
    customProperties:
      - {{property: openlineage.namespace, value: pg}}
      - {{property: openlineage.name, value: {name}}}
slaProperties:
  - {{property: latency, value: {hours}, unit: {unit}}}
"""


@pytest.fixture
def world() -> World:
    """raw → orders → report, each written daily, an hour after another."""
    world = World()
    steps: list[tuple[list[str], str, str]] = [([], "load", "raw"), (["raw"], "build", "orders"),
                                               (["orders"], "export", "report")]  # fmt: skip
    for hour, (inputs, job, name) in enumerate(steps):
        world.flow(inputs, job, [name])
        for day in range(30):
            when = T0 + timedelta(days=day, hours=hour)
            run = world.run(job, f"{job}{day}", started_at=when, ended_at=when)
            world.run_io(run, job, name, "out", seen_at=when, last_at=when, row_count=1_000)
    return world


def declared(world: World, folder: Path, name: str, hours: float, unit: str = "h") -> Lineage:
    (folder / "contracts").mkdir(exist_ok=True)
    (folder / "contracts" / f"{name}.yaml").write_text(CONTRACT.format(name=name, hours=hours, unit=unit))
    apply(world.store, folder)
    return Lineage(world.store)


def test_a_drill_tells_who_hears_of_it_first_and_where_nobody_would(world: World, tmp_path: Path) -> None:
    world.dataset("orders")
    lx = declared(world, tmp_path, "report", 30)
    late = lx.quality.drill("raw", "late", now=NOW)
    assert [(a.node, a.by) for a in late.alarms][-1] == ("dataset:pg:orders", "freshness, learned")
    contract = next(a for a in late.alarms if a.node == "dataset:pg:report")
    assert (contract.by, contract.at) == ("freshness by contract", T0 + timedelta(days=29, hours=2 + 30))
    wrong = lx.quality.drill("raw", "wrong", now=NOW)
    assert (wrong.alarms, len(wrong.silent)) == ((), 3)
    assert {a.by for a in lx.quality.drill("raw", "missing", now=NOW).alarms} == {"row count"}
    with pytest.raises(UsageError, match="none of late, wrong, missing"):
        lx.quality.drill("raw", "on fire")
    with pytest.raises(UsageError, match="is a job"):
        lx.quality.drill("job:pg:load", "late")


def test_a_drill_plays_the_failure_through_incidents_causes_and_alerts(world: World, tmp_path: Path) -> None:
    (tmp_path / "alerts").mkdir()
    mail = "id: owners\nchannel: mail\nsmtp: ${SMTP}\nfrom: mesh@example.org\nto: [desk@example.org]\n"
    (tmp_path / "alerts" / "owners.yaml").write_text(mail)
    for name in ("raw", "report"):  # raw is checked later than the report that is made of it
        for day in range(20, 30):
            when = T0 + timedelta(days=day, hours=12 if name == "raw" else 6)
            world.assertion(world.dataset(name), "unique", "pass", tested_at=when)
    lx = declared(world, tmp_path, "report", 30)
    found = lx.quality.drill("raw", "wrong", now=NOW)
    assert [(a.node, a.at, a.by) for a in found.alarms] == [
        ("dataset:pg:report", NOW + timedelta(hours=6), "test unique"),
        ("dataset:pg:raw", NOW + timedelta(hours=12), "test unique"),
    ]
    assert [(m.at, m.cause, m.how, len(m.explains)) for m in found.messages] == [
        (NOW + timedelta(hours=6), "dataset:pg:report", ("mail owners to desk@example.org",), 1),
        (NOW + timedelta(hours=12), "dataset:pg:raw", ("mail owners to desk@example.org",), 2),
    ]
    assert found.silent == ("dataset:pg:orders",)
    missing = lx.quality.drill("raw", "missing", now=NOW).alarms[0]
    assert (missing.at, missing.detail) == (NOW, "0 rows, expected 1,000 (900 to 1,100, 30 points)")
    world.assertion(world.dataset("raw"), "unique", "fail", tested_at=NOW - timedelta(minutes=1))
    lx = Lineage(world.store)
    again = lx.quality.drill("raw", "wrong", now=NOW)
    (incident,) = lx.quality.incidents(now=NOW).incidents
    assert [(a.node, a.open, a.incident) for a in again.alarms if a.open] == [(incident.node, True, incident.id)]
    assert again.messages == ()  # its cause is known and told, what follows is folded in


def test_a_drill_names_the_routes_that_would_carry_the_alert_and_writes_nothing(world: World, tmp_path: Path) -> None:
    (tmp_path / "alerts").mkdir()
    for name, least in (("desk", "low"), ("call", "high")):
        route = f"id: {name}\nchannel: slack\nurl: ${{HOOK}}\nkinds: [incident]\nseverity: {least}\n"
        (tmp_path / "alerts" / f"{name}.yaml").write_text(route)
    lx = declared(world, tmp_path, "report", 30)
    before = parts(lx.store)
    late = {a.by: a.how for a in lx.quality.drill("raw", "late", now=NOW).alarms}
    assert late == {"freshness by contract": ("slack call", "slack desk"), "freshness, learned": ()}
    assert {a.how for a in lx.quality.drill("raw", "missing", now=NOW).alarms} == {("slack desk",)}
    assert parts(lx.store) == before
    assert lx.store.rows("SELECT count(*) FROM alert") == [(0,)]


def test_a_promise_shorter_than_the_usual_gap_cannot_be_kept(world: World, tmp_path: Path) -> None:
    (found,) = declared(world, tmp_path, "report", 2).quality.promises().promises
    assert (found.verdict, found.earliest, found.arrival_p50) == ("impossible", 86_400, 7_200)
    assert [step.source for step in found.path] == ["dataset:pg:raw", "dataset:pg:orders"]
    (found,) = declared(world, tmp_path, "report", 25).quality.promises().promises
    assert found.verdict == "can be kept"
    assert waits(np.array([5.0]), np.array([1.0])).tolist() == []


def test_a_broken_promise_of_freshness_is_one_for_the_contract_the_score_and_the_incident(
    world: World, tmp_path: Path
) -> None:
    lx = declared(world, tmp_path, "report", 20)
    at = T0 + timedelta(days=29, hours=2 + 21)
    quality = lx.quality.explain("report", now=at)
    assert (quality.grade, len(quality.gate)) == ("at risk", 1)
    assert lx.quality.gate("report", now=at).state == "closed"
    (incident,) = lx.quality.incidents(now=at).incidents
    assert (incident.sort, incident.began_at) == ("freshness", T0 + timedelta(days=29, hours=22))
    assert lx.quality.explain("report", now=at - timedelta(hours=1)).grade == "good"


def test_a_promise_with_an_unknown_unit_is_unknown_and_no_limit(world: World, tmp_path: Path) -> None:
    lx = declared(world, tmp_path, "report", 3, "moons")
    found = lx.quality.explain("report", now=NOW)
    assert "learned from" in next(c.expected for c in found.checks if c.sort == "freshness")
    assert lx.quality.promises().promises == ()


def test_commands_and_routes_say_the_same_and_the_gate_has_exit_codes(tmp_path: Path) -> None:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from typer.testing import CliRunner

    from ingest.writer import Writer
    from lineage.api.errors import explain
    from lineage.api.router import build_router
    from lineage.cli import build_app

    path = tmp_path / "t.duckdb"
    with Store.open(path) as store:
        event: dict[str, Any] = json.loads(run_event("r", "check", inputs=["orders"]))
        body = {"assertions": [{"assertion": "unique", "success": False}]}
        event["inputs"][0]["inputFacets"] = {"dataQualityAssertions": body}
        flow = run_event("b", "build", inputs=["orders"], outputs=["report"])
        Writer(store).ingest([json.dumps(event).encode(), flow], source="t")
    said = CliRunner().invoke(build_app(), ["gate", "orders", "--as-of", "2026-01-01T01:00:00Z", "--db", str(path)])
    assert said.exit_code == 1, said.output
    assert CliRunner().invoke(build_app(), ["gate", "report", "--db", str(path)]).exit_code == 3
    listed = CliRunner().invoke(build_app(), ["incidents", "list", "--db", str(path), "--format", "json"])
    (incident,) = json.loads(listed.output)["incidents"]
    acked = CliRunner().invoke(build_app(), ["incidents", "ack", incident["id"], "--actor", "ann", "--db", str(path)])
    assert "acknowledged" in acked.output
    with Store.open(path) as store:
        app = FastAPI()
        app.include_router(build_router(Lineage(store)))
        app.add_exception_handler(MeshlineError, explain)
        client = TestClient(app)
        (one,) = client.get("/api/v2/incidents").json()["incidents"]
        assert (one["id"], one["state"]) == (incident["id"], "acknowledged")
        assert client.get("/api/v2/incidents/show", params={"id": one["id"]}).json()["acts"][0]["actor"] == "ann"
        assert client.get("/api/v2/incidents/show", params={"id": "x"}).status_code == 404
        assert client.get("/api/v2/quality", params={"by": "moon"}).status_code == 400
        assert client.get("/api/v2/quality/explain", params={"node": "orders"}).json()["quality"] is None
        assert client.get("/api/v2/gate", params={"node": "report"}).json()["state"] == "unknown"
        assert client.get("/api/v2/quality/promises").json()["promises"] == []
        drill = client.get("/api/v2/quality/drill", params={"node": "orders", "failure": "wrong"}).json()
        assert [alarm["by"] for alarm in drill["alarms"]] == ["test unique"]
        done = client.post("/api/v2/incidents/act", json={"id": one["id"], "act": "resolve", "note": "done"})
        assert done.json()["state"] == "resolved"


SERVICES = CONTRACT.partition("slaProperties")[0] + "slaProperties:\n  - {{property: latency, value: 30, unit: h}}\n"


def with_services(world: World, folder: Path, *properties: str) -> Lineage:
    """A contract of ``report`` with a latency of 30 hours and more promises of service."""
    (folder / "contracts").mkdir(exist_ok=True)
    more = "".join(f"  - {{{one}}}\n" for one in properties)
    (folder / "contracts" / "report.yaml").write_text(SERVICES.format(name="report") + more)
    apply(world.store, folder)
    return Lineage(world.store)


def test_a_broken_frequency_is_an_incident_until_the_next_write(world: World, tmp_path: Path) -> None:
    lx = with_services(world, tmp_path, "property: frequency, value: 24, unit: h")
    last = T0 + timedelta(days=29, hours=2)
    assert [i.sort for i in lx.quality.incidents(now=last + timedelta(hours=29)).incidents] == []
    (one,) = [i for i in lx.quality.incidents(now=last + timedelta(hours=40)).incidents if i.sort == "sla"]
    assert (one.began_at, one.what, one.node) == (last + timedelta(hours=36), "report: frequency", "dataset:pg:report")
    assert one.detail == "no write for 40.0 hours, promised one every 1 day"
    when = last + timedelta(hours=41)
    run = world.run("export", "again", started_at=when, ended_at=when)
    world.run_io(run, "export", "report", "out", seen_at=when, last_at=when, row_count=1_000)
    after = Lineage(world.store).quality.incidents(everything=True, now=when).incidents
    assert [(i.state, i.resolved_at) for i in after if i.sort == "sla"] == [("resolved", when)]


def test_too_many_failed_runs_break_a_promised_share_from_that_day_on(world: World, tmp_path: Path) -> None:
    for day in (10, 11):
        when = T0 + timedelta(days=day, hours=5)
        world.run("export", f"bad{day}", state="FAIL", started_at=when, ended_at=when)
    lx = with_services(world, tmp_path, "property: errorRate, value: 10, unit: percent")
    (one,) = [i for i in lx.quality.incidents(everything=True, now=NOW).incidents if i.sort == "sla"]
    assert one.began_at.date() == (T0 + timedelta(days=11)).date()  # 2 of 14 runs; on the day before 1 of 12
    assert one.resolved_at is not None and one.resolved_at.date() == (T0 + timedelta(days=17)).date()  # 2 of 20


def test_what_a_date_ends_is_broken_from_the_date_on(world: World, tmp_path: Path) -> None:
    world.flow(["report"], "read", ["elsewhere"])
    lx = with_services(world, tmp_path, f'property: endOfSupport, value: "{(T0 + timedelta(days=9)).date()}"')
    (one,) = [i for i in lx.quality.incidents(now=NOW).incidents if i.sort == "sla"]
    assert (one.began_at, one.state) == (T0 + timedelta(days=9), "open")
    assert "job:pg:read" in one.detail


def test_a_promise_about_a_state_that_is_kept_again_is_resolved_and_stays_in_the_history(
    world: World, tmp_path: Path
) -> None:
    date, gone = T0 + timedelta(days=9), T0 + timedelta(days=14)
    world.flow(["report"], "read", ["elsewhere"], valid_to=gone)
    node = world.dataset("report")
    for at in (T0 + timedelta(days=12), T0 + timedelta(days=20)):
        world.facet(node, "lifecycleStateChange", {"lifecycleStateChange": "TRUNCATE"}, valid_from=at)
    dates = (f'property: endOfSupport, value: "{date.date()}"', "property: retention, value: 3, unit: d")
    lx = with_services(world, tmp_path, *dates)
    found = lx.quality.incidents(everything=True, now=NOW).incidents
    told = {(i.what, i.state, i.began_at, i.resolved_at) for i in found if i.sort == "sla"}
    assert ("report: endOfSupport", "resolved", date, gone) in told
    spans = {(began, ended) for what, _, began, ended in told if what == "report: retention"}
    assert spans == {(T0 + timedelta(days=n), T0 + timedelta(days=n + 3)) for n in (12, 20)}
    assert lx.quality.incidents(now=NOW).incidents == ()
    held = lx.quality.incidents(now=T0 + timedelta(days=13)).incidents
    assert {i.what for i in held} == {"report: endOfSupport", "report: retention"}


def test_what_a_replaced_version_promised_stays_an_incident_of_its_time(world: World, tmp_path: Path) -> None:
    def version(number: int, hours: float, since: datetime) -> None:
        text = SERVICES.format(name="report").replace("value: 30", f"value: {hours}")
        text += "  - {property: frequency, value: 24, unit: h}\n" if number == 1 else ""
        (tmp_path / "contracts").mkdir(exist_ok=True)
        (tmp_path / "contracts" / "report.yaml").write_text(text.replace("version: 1.0.0", f"version: {number}.0.0"))
        apply(world.store, tmp_path, at=since)

    last = T0 + timedelta(days=29, hours=2)
    version(1, 30, T0)
    broken = last + timedelta(hours=30)
    lx = Lineage(world.store)
    (one, often) = sorted(lx.quality.incidents(now=broken + timedelta(hours=10)).incidents, key=lambda i: i.sort)
    assert (one.sort, one.began_at, often.sort) == ("freshness", broken, "sla")
    replaced = broken + timedelta(hours=20)
    version(2, 500, replaced)
    after = {i.id: i for i in Lineage(world.store).quality.incidents(everything=True, now=replaced + HOUR).incidents}
    assert {after[one.id].resolved_at, after[often.id].resolved_at} == {replaced}
    assert [i for i in after.values() if i.state != "resolved"] == []


def test_a_broken_promise_that_the_next_version_repeats_stays_one_incident(world: World, tmp_path: Path) -> None:
    first = with_services(world, tmp_path)
    last = T0 + timedelta(days=29, hours=2)
    (one,) = first.quality.incidents(now=last + timedelta(hours=80)).incidents
    path = tmp_path / "contracts" / "report.yaml"
    path.write_text(path.read_text() + "description: {purpose: another text}\n")
    apply(world.store, tmp_path, at=last + timedelta(hours=50))
    (same,) = Lineage(world.store).quality.incidents(now=last + timedelta(hours=80)).incidents
    assert (same.id, same.failures, same.state) == (one.id, 1, "open")


def test_what_is_told_of_a_few_nodes_is_what_is_told_of_them_among_all(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lineage.quality import evidence
    from lineage.quality.columns import annotate

    world.dataset("orders", "id")
    world.assertion(world.dataset("raw"), "unique", "fail", tested_at=NOW - HOUR)
    world.assertion(world.dataset("orders"), "not_null", "pass", column="id", tested_at=NOW - HOUR)
    view = declared(world, tmp_path, "report", 30).view(NOW)
    nodes = range(view.snapshot.n)
    monkeypatch.setattr(evidence, "_SMALL", 0)
    monkeypatch.setattr(evidence, "_FEW", 0)
    few = [annotate(view, [i]) for i in nodes]
    evidence.evidence(view)
    told = annotate(view, nodes)
    assert any(one is not None for one in told["upstream_risk"])
    assert few == [{column: [values[i]] for column, values in told.items()} for i in nodes]


def test_a_gate_before_which_nothing_was_looked_at_is_not_open(world: World) -> None:
    world.job("lonely")
    found = Lineage(world.store).quality.gate("lonely")
    assert (found.state, found.looked_at) == ("unknown", 0)
    assert found.blockers[0].detail == "nothing is known of what it reads"
