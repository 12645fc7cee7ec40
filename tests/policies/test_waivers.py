"""Waivers: asked for, approved by somebody else, held against the clock, ended; and violations under their causes."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.writer import Writer
from lineage.actor import Actor
from lineage.cli import run
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.errors import DeclarationError, UsageError
from lineage.policies.violations import Violation
from lineage.policies.waiving import UnknownWaiverError
from lineage.store import Store
from lineage.times import iso, utcnow
from tests.answers.builder import World
from tests.policies.people import people
from tests.policies.test_turns import EVENT

ANN, BOB = Actor("ann"), Actor("bob")
DAY = timedelta(days=1)


def mesh(world: World) -> Lineage:
    """orders → report, both without an owner, found by a run of the policies."""
    world.flow(["orders"], "build", ["report"])
    lx = Lineage(world.store)
    lx.policies.record("owner-present", actor=ANN)
    return lx


@pytest.fixture
def lx() -> Lineage:
    return mesh(World())


@pytest.fixture
def soon() -> str:
    return iso(utcnow() + 30 * DAY) or ""


def of(lx: Lineage, subject: str, **when: object) -> Violation:
    found = lx.policies.violations(everything=True, **when).violations  # type: ignore[arg-type]
    return next(one for one in found if one.subject == f"dataset:pg:{subject}")


def test_a_request_becomes_a_waiver_that_stops_the_clock_and_ends(lx: Lineage, soon: str) -> None:
    asked = lx.waivers.request(of(lx, "orders").id, "moves in May", soon, actor=ANN)
    assert (asked.state, asked.requester, asked.approver) == ("requested", "ann", None)
    assert of(lx, "orders").state == "open"
    granted = lx.waivers.approve(asked.id, actor=BOB)
    assert (granted.state, granted.approver) == ("holds", "bob")
    waived = of(lx, "orders")
    assert (waived.state, waived.waiver, waived.next_step) == ("waived", asked.id, None)
    assert lx.policies.check("owner-present").policies[0].waived == 1
    assert lx.waivers.revoke(asked.id, "over", actor=BOB).state == "ended"
    assert of(lx, "orders").state == "open"
    acts = lx.store.rows("SELECT action, actor FROM audit WHERE action LIKE 'waiver.%' ORDER BY seq")
    assert acts == [("waiver.request", "ann"), ("waiver.approve", "bob"), ("waiver.revoke", "bob")]


def test_a_waiver_ends_at_its_time_although_no_policy_ran_since(lx: Lineage, soon: str) -> None:
    asked = lx.waivers.request(of(lx, "orders").id, "moves in May", soon, actor=ANN)
    lx.waivers.approve(asked.id, actor=BOB)
    before, after = utcnow() + 29 * DAY, utcnow() + 31 * DAY
    assert of(lx, "orders", as_of=before).state == "waived"
    later = of(lx, "orders", as_of=after)
    assert (later.state, later.overdue) == ("open", False)
    assert later.deadline - of(lx, "report", as_of=after).deadline > 29 * DAY  # the days under it do not count
    assert of(lx, "orders", as_of=later.deadline + DAY).overdue


def test_whoever_asked_cannot_approve_and_a_waiver_has_an_end_and_a_reason(lx: Lineage, soon: str) -> None:
    name = of(lx, "orders").id
    asked = lx.waivers.request(name, "moves", soon, actor=ANN)
    with pytest.raises(UsageError, match="cannot approve"):
        lx.waivers.approve(asked.id, actor=Actor("ANN"))
    for reason, end in (("", soon), ("x", "2020-01-01"), ("x", iso(utcnow() + 200 * DAY) or ""), ("x", "soon")):
        with pytest.raises(UsageError):
            lx.waivers.request(name, reason, end, actor=ANN)
    assert lx.waivers.refuse(asked.id, "mend it", actor=BOB).state == "refused"
    with pytest.raises(UsageError, match="no open request"):
        lx.waivers.approve(asked.id, actor=BOB)
    with pytest.raises(UnknownWaiverError):
        lx.waivers.revoke("w0", actor=BOB)


def test_a_waiver_of_a_file_is_ended_there(lx: Lineage, tmp_path: Path) -> None:
    (tmp_path / "waivers").mkdir()
    now = utcnow()
    body = (
        "id: w-1\npolicy: owner-present\nsubject: dataset:pg:orders\nrequester: ann\napprover: bob\nreason: r\n"
        f'valid_from: "{now - DAY:%Y-%m-%d}"\nexpires: "{now + 9 * DAY:%Y-%m-%d}"\n'
    )
    (tmp_path / "waivers" / "w.yaml").write_text(body.replace("approver: bob", "approver: Ann"))
    with pytest.raises(DeclarationError, match="cannot approve"):
        apply(lx.store, tmp_path)
    for wrong, why in (
        (body.replace("approver: bob", 'approver: " ann "'), "cannot approve"),
        (body.replace("approver: bob", 'approver: " "'), "has no “approver”"),
        (re.sub("valid_from.*", "", body).replace(f"{now + 9 * DAY:%Y-%m-%d}", f"{now + 190 * DAY:%Y-%m-%d}"), "180"),
    ):
        (tmp_path / "waivers" / "w.yaml").write_text(wrong)
        with pytest.raises(DeclarationError, match=why):
            apply(lx.store, tmp_path)
    (tmp_path / "waivers" / "w.yaml").write_text(body)
    apply(lx.store, tmp_path)
    assert [(one.id, one.state, one.path) for one in lx.waivers.list().waivers] == [("w-1", "holds", "waivers/w.yaml")]
    with pytest.raises(UsageError, match="take the file away"):
        lx.waivers.revoke("w-1", actor=BOB)


def test_a_waiver_row_that_its_requester_approved_waives_nothing(lx: Lineage) -> None:
    with lx.store.transaction() as cursor:  # by hand in the database, past every check
        cursor.execute(
            "INSERT INTO waiver BY NAME SELECT 'w' AS name, 'owner-present' AS policy, 'dataset:pg:orders' AS subject,"
            " 'ann' AS requester, 'Ann' AS approver, 'r' AS reason, TIMESTAMP '9000-01-01' AS expires, '' AS path,"
            " '' AS hash, '' AS body, 'ann' AS actor, TIMESTAMP '2020-01-01' AS valid_from,"
            " TIMESTAMP '9999-12-31' AS valid_to, TIMESTAMP '2020-01-01' AS known_from,"
            " TIMESTAMP '9999-12-31' AS known_to"
        )
    assert lx.policies.check("owner-present").policies[0].waived == 0
    assert lx.waivers.list().waivers == ()


def test_one_group_for_one_cause(lx: Lineage) -> None:
    groups = lx.policies.groups().groups
    told = {group.cause: {one.subject for one in group.members} for group in groups}
    assert told["dataset:pg:orders"] == {"dataset:pg:orders", "job:pg:build", "dataset:pg:report"}
    head = next(group for group in groups if group.cause == "dataset:pg:orders")
    assert head.id == of(lx, "orders").id


def test_the_version_of_a_policy_that_held_then_judges_then(lx: Lineage, tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    lx.store.rows("SELECT 1")
    text = (
        'id: owner-present\nversion: "{v}"\ntitle: t\nseverity: {s}\nstage: scheduled\nvalid_from: "{d}"\n'
        "scope_sql: SELECT id AS subject FROM asset\n"
        "violation_sql: SELECT id AS subject, 'no owner' AS message FROM asset WHERE owner IS NULL\n"
    )
    for version, severity, day in (("1.0.0", "low", "2026-01-01"), ("2.0.0", "critical", "2026-11-01")):
        (tmp_path / "policies" / "p.yaml").write_text(text.format(v=version, s=severity, d=day))
        apply(lx.store, tmp_path)
    with lx.store.transaction() as cursor:
        cursor.execute("UPDATE evaluation SET valid_from = TIMESTAMP '2026-05-01'")
    assert of(lx, "orders", as_of="2026-06-01").severity == "low"
    assert of(lx, "orders", as_of="2026-11-02").severity == "critical"


def test_what_a_removed_policy_said_ends_with_the_next_run(lx: Lineage, tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(
        "id: mine\ntitle: t\nseverity: low\nstage: scheduled\nscope_sql: SELECT id AS subject FROM asset\n"
        "violation_sql: SELECT id AS subject, 'x' AS message FROM asset\n"
    )
    apply(lx.store, tmp_path)
    lx.policies.record(actor=ANN)  # owner-present was of the library, which holds no longer
    assert {one.policy for one in lx.policies.violations().violations} == {"mine"}


def test_the_command_line_waives_acknowledges_and_groups(
    soon: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = ["--db", str(tmp_path / "mesh.duckdb")]
    with Store.open(db[1]) as store:
        mesh(World(_store=store))

    def say(*words: str, code: int = 0) -> str:
        assert run([*words, *db]) == code
        said = capsys.readouterr()
        return said.out + said.err

    groups = json.loads(say("violations", "groups", "--format", "json"))["groups"]
    name = next(group["id"] for group in groups if group["cause"] == "dataset:pg:orders")
    assert "acknowledged" in say("violations", "ack", name, "--actor", "ann")
    assert "assigned to carol" in say("violations", "assign", name, "carol", "--actor", "ann")
    asked = say("waivers", "request", name, "--reason", "r", "--expires", soon, "--actor", "ann").split(":")[0]
    assert "cannot approve" in say("waivers", "approve", asked, "--actor", "ann", code=2)
    assert "holds" in say("waivers", "approve", asked, "--actor", "bob")
    assert "waived by" in say("violations", "show", name)
    assert "ended" in say("waivers", "revoke", asked, "--actor", "bob")
    again = say("waivers", "request", name, "--reason", "r", "--expires", soon, "--actor", "ann").split(":")[0]
    assert "refused" in say("waivers", "refuse", again, "--actor", "bob")
    listed = json.loads(say("waivers", "list", "--format", "json"))["waivers"]
    assert {row["state"] for row in listed} == {"ended", "refused"}
    assert "no waiver or request" in say("waivers", "approve", "w0", code=2)


def test_the_routes_tell_and_change_violations_and_waivers(lx: Lineage, soon: str) -> None:
    client = people(lx)
    name = of(lx, "orders").id
    assert name in {one["id"] for one in client.get("/api/v2/violations").json()["violations"]}
    assert name in {one["id"] for one in client.get("/api/v2/violations/groups").json()["groups"]}
    acknowledged = client.post("/api/v2/violations/ack", json={"id": name, "reason": "on it"}, headers={"x-who": "ann"})
    assert (acknowledged.json()["state"], acknowledged.json()["acts"][0]["actor"]) == ("acknowledged", "ann")
    assigned = client.post("/api/v2/violations/assign", json={"id": name, "assignee": "carol"})
    assert assigned.json()["assignee"] == "carol"
    assert client.get("/api/v2/violations/show", params={"id": name}).json()["assignee"] == "carol"
    assert client.get("/api/v2/violations/show", params={"id": "v0"}).status_code == 404
    body = {"violation": name, "reason": "r", "expires": soon}
    asked = client.post("/api/v2/waivers/request", json=body, headers={"x-who": "ann"}).json()["id"]
    step = {"json": {"id": asked}, "headers": {"x-who": "ann"}}
    assert client.post("/api/v2/waivers/approve", **step).status_code == 400  # type: ignore[arg-type]
    step["headers"] = {"x-who": "bob"}
    assert client.post("/api/v2/waivers/approve", **step).json()["state"] == "holds"  # type: ignore[arg-type]
    assert client.get("/api/v2/waivers").json()["waivers"][0]["approver"] == "bob"
    assert client.post("/api/v2/waivers/revoke", **step).json()["state"] == "ended"  # type: ignore[arg-type]
    assert client.post("/api/v2/waivers/refuse", **step).status_code == 400  # type: ignore[arg-type]


def test_who_may_not_see_an_asset_sees_no_waiver_of_it(lx: Lineage, soon: str) -> None:
    lx.waivers.request(of(lx, "orders").id, "r", soon, actor=ANN)
    assert lx.waivers.list(actor=Actor("eve", frozenset({"unassigned"}))).waivers == ()


def test_an_event_of_the_year_2099_ends_no_waiver_and_misses_no_deadline(soon: str) -> None:
    world = World()
    world.flow(["orders"], "build", ["report"])
    lx = Lineage(world.store)
    lx.policies.record("owner-present", actor=ANN)
    asked = lx.waivers.request(of(lx, "orders").id, "r", soon, actor=ANN)
    lx.waivers.approve(asked.id, actor=BOB)
    late = EVENT.format(name="late", day=1).replace("2026-", "2099-")
    Writer(lx.store).ingest([late.encode()], source="test", received_at=utcnow())
    assert lx.view().as_of.year == 2099
    assert of(lx, "orders").state == "waived"
    assert not of(lx, "report").overdue
    assert [one.state for one in lx.waivers.list().waivers] == ["holds"]
    assert lx.policies.check("owner-present").policies[0].waived == 1
