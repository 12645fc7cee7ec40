"""Stops of tags through every door: the command line, HTTP, files, policies, evidence packs, scorecards."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import lineage
from dashboard.links import Links
from dashboard.memo import Memo
from dashboard.pages.lineage_facts import facts
from dashboard.pages.lineage_state import LineageState
from dashboard.server import build_api
from ingest.live import LiveIngest
from ingest.writer import Writer
from lineage.actor import Actor
from lineage.audit.pack.differences import diff_packs
from lineage.audit.signing import SigningKey
from lineage.cli import run
from lineage.contracts.thought import thought_away
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.errors import DeclarationError, MeshlineError, UsageError
from lineage.store import Store, state_fingerprint
from lineage.tags import tagging
from lineage.times import utcnow
from tests.answers.builder import World
from tests.answers.test_levels import write_products
from tests.ingest.cli import Cli
from tests.policies.people import people
from tests.stops.recorded import CUSTOMERS, ZIP, lines, sushi

ANN, BOB = Actor("ann"), Actor("bob")
FILE = f"""\
id: s-zip
node: {ZIP}
tag: pii
requester: ann
approver: bob
reason: only the district
"""


@pytest.fixture
def meshline(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Cli:
    return Cli(tmp_path, capfdbinary)


@pytest.fixture
def mail(world: World) -> World:
    """crm.mail → ads.mail, in two domains; the source is tagged."""
    world.column_edge(("crm", "mail"), ("ads", "mail"), "copy")
    world.flow(["crm"], "copy", ["ads"], provenance="column")
    world.facet(world.dataset("crm"), "tags", {"tags": [{"key": "pii", "value": "mail", "field": "mail"}]})
    world.domain("crm", "crm")
    world.domain("ads", "ads")
    return world


def declare(store: Store, folder: Path, text: str = FILE, name: str = "s.yaml") -> tuple[str, ...]:
    (folder / "stops").mkdir(exist_ok=True)
    (folder / "stops" / name).write_text(text)
    return apply(store, folder, actor=ANN).warnings


def test_the_command_line_asks_approves_and_ends(meshline: Cli) -> None:
    sushi(str(meshline.db)).close()

    def say(*words: str, code: int = 0) -> str:
        got, out, err = meshline(*words)
        assert got == code, err
        return out.decode() + err

    assert "customers:zip" in say("tags", "--tag", "pii")
    told = say("stops", "request", "customers:zip", "--tag", "pii", "--reason", "district", "--from", "2023-01-01",
               "--until", "2099-01-01", "--actor", "ann")  # fmt: skip
    assert told.endswith(f"pii at {ZIP}: requested, until 2099-01-01T00:00:00Z\n")
    name = told.partition(":")[0]
    assert "cannot approve" in say("stops", "approve", name, "--actor", "ANN", code=2)
    assert "holds" in say("stops", "approve", name, "--actor", "bob")
    out = " ".join(say("tags", "--tag", "pii").split())
    assert f"and {ZIP}: approved by bob: district" in out
    assert meshline.json("tags", "--tag", "pii")["stopped"][0]["stop"] == name
    (row,) = meshline.json("stops", "list")["stops"]
    assert (row["state"], row["requester"], row["approver"], row["tag"]) == ("holds", "ann", "bob", "pii")
    assert meshline.json("tags", "--tag", "pii", "--as-of", "2022-06-01")["stopped"] == []
    assert "ended" in say("stops", "revoke", name, "--actor", "bob")
    again = say("stops", "request", CUSTOMERS, "--reason", "r", "--actor", "ann")
    assert f"every tag at {CUSTOMERS}: requested\n" in again
    assert "refused" in say("stops", "refuse", again.partition(":")[0], "--actor", "bob")
    assert "Did you mean" in say("stops", "request", "duckdb.sushi.custommers", "--reason", "r", code=2)
    assert "pii:zip" in say("stops", "request", ZIP, "--tag", "pii:zop", "--reason", "r", code=2)
    assert "no stop or request" in say("stops", "approve", "s0", code=2)


def test_a_stop_at_a_node_that_is_not_there_does_not_count_as_holding(mail: World, tmp_path: Path) -> None:
    warned = declare(mail.store, tmp_path, FILE.replace(ZIP, "column:pg:ads:male"))
    assert any("there is no node “column:pg:ads:male” (did you mean “column:pg:ads:mail”?)" in line for line in warned)
    lx = Lineage(mail.store)
    listed = lx.stops.list()
    assert [(one.state, one.node) for one in listed.stops] == [("nowhere", "column:pg:ads:male")]
    assert listed.title() == "1 stops and requests, 0 hold, 1 at nodes that are not there"
    assert lx.tags().stopped == ()
    assert lx.stops.list(actor=Actor("eve", {"ads"})).stops == ()
    with pytest.raises(UsageError, match=r"declared in .*s\.yaml"):
        lx.stops.revoke("s-zip", actor=BOB)
    mail.column_edge(("ads", "mail"), ("ads", "male"))
    assert [one.state for one in Lineage(mail.store).stops.list().stops] == ["holds"]


def test_a_tag_that_nobody_told_is_warned_of(mail: World, tmp_path: Path) -> None:
    def warned(tag: str) -> list[str]:
        text = FILE.replace(ZIP, "column:pg:ads:mail").replace("tag: pii", f"tag: {tag}")
        return [line for line in declare(mail.store, tmp_path, text) if "nobody told" in line]

    (line,) = warned("pij:mail")
    assert "stops/s.yaml:3" in line
    assert line.endswith("nobody told the tag “pij:mail” (did you mean “pii:mail”?); until then the stop stops nothing")
    assert warned("pii") == warned("pii:mail") == []
    assert len(warned("pii:card")) == 1
    write_products(tmp_path, "crm")
    contract = tmp_path / "contracts" / "crm.yaml"
    contract.write_text(contract.read_text().replace('"date"}', '"date", "tags": ["pii:card"]}'))
    assert warned("pii:card") == [], "told by a contract of the same tree"
    for folder in ("contracts", "products"):
        shutil.rmtree(tmp_path / folder)
    assert warned("pii:card") == [], "and by one that was applied before"


@pytest.mark.parametrize(
    ("reason", "wrong"),
    [
        ("r" * 2_001, "has at most 2,000 characters, not 2,001"),
        ("red\x1b[31m", r"holds no control characters: U\+001B is one"),
        ("half \ud800", r"U\+D800"),
        ("nul\x00", r"U\+0000"),
        (5, "is a text, not 5"),
        (None, "is a text, not None"),
    ],
)
def test_a_reason_is_a_text_of_bounded_length_that_can_be_printed(mail: World, reason: str, wrong: str) -> None:
    lx = Lineage(mail.store)
    with pytest.raises(UsageError, match=wrong):
        lx.stops.request("column:pg:ads:mail", reason, actor=ANN)
    name = lx.stops.request("column:pg:ads:mail", "two\nlines\tof it", actor=ANN).id
    for act in (lx.stops.approve, lx.stops.refuse):
        with pytest.raises(UsageError, match=wrong):
            act(name, reason, actor=BOB)
    assert [one.state for one in lx.stops.list().stops] == ["requested"]
    lx.stops.approve(name, actor=BOB)
    with pytest.raises(UsageError, match=wrong):
        lx.stops.revoke(name, reason, actor=BOB)
    assert [one.state for one in lx.stops.list().stops] == ["holds"]


def test_a_file_holds_no_other_reasons(mail: World, tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=r"s\.yaml:6.*reason.*holds no control characters: U\+001B is one"):
        declare(mail.store, tmp_path, FILE.replace("only the district", '"red\\x1b[31m"'))
    with pytest.raises(DeclarationError, match="has at most 2,000 characters"):
        declare(mail.store, tmp_path, FILE.replace("only the district", "x" * 2_001))


@pytest.mark.parametrize(
    ("ask", "wrong"),
    [
        (lambda lx: lx.stops.request("ads:mail", "r", actor=Actor("")), "An actor needs a name, for the audit log; ''"),
        (lambda lx: lx.stops.request("ads:mail", "r", actor=Actor(" \u200b")), "An actor needs a name"),
        (lambda lx: lx.stops.request("ads:mail", "r", actor=Actor(5)), "An actor needs a name"),
        (lambda lx: lx.stops.request("ads:mail", "r", actor=Actor("eve", "sales")), "'sales' is no collection"),
        (lambda lx: lx.stops.request("ads:mail", "r", actor="ann"), r"actor: 'ann' is no Actor; write Actor\('ann'\)"),
        (lambda lx: lx.stops.list(actor=None), "actor: None is no Actor"),
        (lambda lx: lx.stops.request(5, "r"), "5 names no node"),
        (lambda lx: lx.stops.request("ads:mail", "r", tag=5), "tag: 5 is no tag; leave it out for every tag"),
        (lambda lx: lx.stops.request("ads:mail", "r", tag=" "), "tag: ' ' is no tag"),
        (lambda lx: lx.stops.request("ads:mail", "r", start=5), "from: 5 is no time"),
        (lambda lx: lx.stops.request("ads:mail", "r", until=["2099-01-01"]), "until: .* is no time"),
        (lambda lx: lx.stops.approve(5), "There is no stop or request “5”"),
        (lambda lx: lx.stops.revoke(None), "There is no stop or request “None”"),
        (lambda lx: lx.access.request("p", "d", purpose="why", expires=5), "expires: 5 is no time"),
    ],
)
def test_what_python_gives_wrongly_is_an_error_of_ours(
    mail: World, ask: Callable[[Lineage], object], wrong: str
) -> None:
    with pytest.raises(MeshlineError, match=wrong):
        ask(Lineage(mail.store))
    assert mail.store.rows("SELECT stop FROM tag_stop_act UNION ALL SELECT action FROM audit") == []


def test_a_running_server_sees_each_act_at_once() -> None:
    with sushi() as store:
        lx, live = lineage.open(store), LiveIngest(store)
        client = TestClient(build_api(lx, live))

        def stopped() -> list[str]:
            return [one["stop"] for one in client.get("/api/v2/tags").json()["stopped"]]

        assert stopped() == []
        body = {"node": ZIP, "tag": "pii", "reason": "district", "from": "2023-01-01", "until": "2099-01-01"}
        asked = lx.stops.request(ZIP, "district", tag="pii", actor=ANN).id
        assert client.post("/api/v2/stops/request", json=body).json()["until"] == "2099-01-01T00:00:00Z"
        assert stopped() == []
        assert client.post("/api/v2/stops/approve", json={"id": asked}).json()["state"] == "holds"
        assert stopped() == [asked]
        with lx.following():  # events become visible meanwhile
            Writer(store).ingest(lines(id=("pii", "id")), source="test", received_at=utcnow())
            assert client.post("/api/v2/stops/revoke", json={"id": asked}).json()["state"] == "ended"
            assert stopped() == []
        assert stopped() == []


def test_the_routes_say_who_acts_and_what_is_wrong(mail: World) -> None:
    client = people(Lineage(mail.store))
    body = {"node": "column:pg:ads:mail", "reason": "hashed"}
    asked = client.post("/api/v2/stops/request", json=body, headers={"x-who": "ann"}).json()["id"]
    step = {"json": {"id": asked}, "headers": {"x-who": "Ann"}}
    assert client.post("/api/v2/stops/approve", **step).status_code == 400  # type: ignore[arg-type]
    step["headers"] = {"x-who": "bob"}
    assert client.post("/api/v2/stops/approve", **step).json()["approver"] == "bob"  # type: ignore[arg-type]
    assert [row["state"] for row in client.get("/api/v2/stops").json()["stops"]] == ["holds"]
    assert client.post("/api/v2/stops/revoke", **step).json()["state"] == "ended"  # type: ignore[arg-type]
    assert client.post("/api/v2/stops/refuse", **step).status_code == 400  # type: ignore[arg-type]
    assert client.post("/api/v2/stops/refuse", json={"id": "s0"}).status_code == 404
    wrong = client.post("/api/v2/stops/request", json={**body, "tag": "pii:male"})
    assert (wrong.status_code, wrong.json()["candidates"][0]) == (404, "pii:mail")


def test_a_file_declares_a_stop_and_ends_with_it(tmp_path: Path) -> None:
    with sushi() as store:
        lx = Lineage(store)
        bare = state_fingerprint(store)
        assert declare(store, tmp_path) == ()
        (row,) = lx.stops.list().stops
        assert (row.id, row.state, row.node, row.path) == ("s-zip", "holds", ZIP, "stops/s.yaml")
        assert [one.stop for one in lx.tags().stopped] == ["s-zip"]
        known, held = utcnow(), state_fingerprint(store)
        with pytest.raises(UsageError, match=r"declared in stops/s\.yaml"):
            lx.stops.revoke("s-zip", actor=BOB)
        (tmp_path / "stops" / "s.yaml").unlink()
        apply(store, tmp_path, actor=ANN)
        assert lx.tags().stopped == () and lx.tags(known_at=known).stopped != ()
        assert [one.state for one in lx.stops.list().stops] == ["ended"]
        assert len({bare, held, state_fingerprint(store)}) == 3


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("approver: bob", "approver: ' ANN '", "approver: .* asked for the stop"),
        ("reason: only the district", "reason: ''", "has no “reason”"),
        ("requester: ann\n", "", "has no “requester”"),
        (ZIP, "job:airflow:load", "s.yaml:2: node: .* is a job"),
        (ZIP, "customers", "no whole node text"),
        ("tag: pii", "tag: ' '", "tag: is empty"),
        ("tag: pii", "valid_from: 2026-02-01\nuntil: 2026-01-01", "until: must come after"),
        ("tag: pii", "tags: pii", "did you mean “tag”"),
        ("tag: pii", "until: soon", "is no date"),
    ],
)
def test_a_file_that_is_wrong_says_where_and_nothing_is_applied(old: str, new: str, said: str, tmp_path: Path) -> None:
    with Store.open(":memory:") as store:
        with pytest.raises(DeclarationError, match=said):
            declare(store, tmp_path, FILE.replace(old, new))
        assert store.rows("SELECT 1 FROM tag_stop") == []


def test_apply_warns_of_a_node_that_is_not_there_and_the_stop_holds_once_it_is(world: World, tmp_path: Path) -> None:
    world.node("column", "mart", "mail")
    lx = Lineage(world.store)
    text = FILE.replace(ZIP, "column:pg:ads:mail").replace("tag: pii\n", "valid_from: 2026-01-01\nuntil: 2099-01-01\n")
    (warned,) = declare(lx.store, tmp_path, text)
    assert "s.yaml:2: node: there is no node “column:pg:ads:mail”" in warned
    (near,) = declare(lx.store, tmp_path, text.replace("ads:mail", "mart:mial"))
    assert "did you mean “column:pg:mart:mail”?" in near
    assert [(one.node, one.state) for one in lx.stops.list().stops] == [("column:pg:mart:mial", "nowhere")]
    assert lx.stops.list(actor=Actor("eve", frozenset({"hr"}))).stops == ()  # nothing shows that she may see it
    declare(lx.store, tmp_path, text)
    world.column_edge(("crm", "mail"), ("ads", "mail"))
    world.facet(world.dataset("crm"), "tags", {"tags": [{"key": "pii", "field": "mail"}]})
    assert world.store is lx.store
    assert [(one.dst, one.stop) for one in lx.tags().stopped] == [("column:pg:ads:mail", "s-zip")]


def test_the_difference_names_who_took_a_stop_back_or_says_that_its_time_was_over(tmp_path: Path) -> None:
    with sushi() as store:
        lx, first = Lineage(store), utcnow()

        def why(start: datetime, end: datetime | None = None) -> tuple[str, str | None, str | None, bool]:
            (change,) = [one for one in lx.diff(start, end).changes if one.what == "stop"]
            assert change.cause is not None
            at = change.cause.at
            return change.cause.reason, change.cause.by, change.cause.file, at is not None and start < at <= utcnow()

        name = lx.stops.approve(lx.stops.request(ZIP, "district", tag="pii", actor=ANN).id, actor=BOB).id
        second = utcnow()
        assert why(first, second) == ("manual", "bob", None, True)
        lx.stops.revoke(name, actor=ANN)
        third = utcnow()
        assert why(second, third) == ("taken back", "ann", None, True)
        declare(store, tmp_path)
        (file,) = (tmp_path / "stops").glob("*.yaml")
        fourth = utcnow()
        assert why(third, fourth) == ("declared", None, f"stops/{file.name}", True)
        file.unlink()
        apply(store, tmp_path, actor=Actor("carl"))
        fifth = utcnow()
        assert why(fourth, fifth) == ("taken back", "carl", f"stops/{file.name}", True)
        soon = utcnow() + timedelta(milliseconds=300)
        lx.stops.approve(lx.stops.request(ZIP, "district", tag="pii", until=soon, actor=ANN).id, actor=BOB)
        (change,) = [one for one in lx.diff(utcnow(), soon + timedelta(seconds=1)).changes if one.what == "stop"]
        assert (change.change, change.cause and change.cause.reason, change.cause and change.cause.at) == (
            "removed", "expired", soon
        )  # fmt: skip


def test_the_difference_of_two_instants_tells_stops_that_came_and_went(tmp_path: Path) -> None:
    with sushi() as store:
        lx, first = Lineage(store), utcnow()

        def told(start: datetime, end: datetime, **known: datetime) -> list[tuple[str | None, ...]]:
            changes = [one for one in lx.diff(start, end, **known).changes if one.what == "stop"]  # type: ignore[arg-type]
            assert {(one.id, one.kind) for one in changes} <= {(CUSTOMERS, "column")}
            return [(d.change, d.detail, d.before, d.after, d.cause.reason if d.cause else "") for d in changes]

        name = lx.stops.approve(lx.stops.request(ZIP, "district", tag="pii", actor=ANN).id, actor=BOB).id
        second = utcnow()
        assert told(first, second) == [("added", "pii at zip", None, "bob: district", "manual")]
        assert told(first, second, known_from=first, known_to=first) == []
        lx.stops.revoke(name, actor=BOB)
        third = utcnow()
        assert told(second, third) == [("removed", "pii at zip", "bob: district", None, "taken back")]
        declare(store, tmp_path)
        assert told(third, utcnow()) == [("added", "pii at zip", None, "bob: only the district", "declared")]
        assert told(second, utcnow())[0][:1] == ("changed",)
        assert lx.diff(first, second, node="demographics", side="self").totals == {}
        eve = Actor("eve", frozenset({"unassigned"}))
        assert not [one for one in lx.diff(first, second, actor=eve).changes if one.what == "stop"]


def test_a_text_of_two_nodes_stops_nothing_until_its_parts_tell_which(world: World, tmp_path: Path) -> None:
    for namespace, name in (("a", "b:c"), ("a:b", "c")):
        world.namespace = namespace
        world.column_edge(("raw", "x"), (name, "x"))
        world.facet(world.dataset("raw"), "tags", {"tags": [{"key": "pii", "field": "x"}]})
    lx = Lineage(world.store)
    (warned,) = declare(lx.store, tmp_path, FILE.replace(ZIP, "column:a:b:c:x"))
    assert "s.yaml:2: node: “column:a:b:c:x” fits 2 nodes; while it does the stop stops nothing" in warned
    assert lx.tags().stopped == ()
    assert declare(lx.store, tmp_path, FILE.replace(ZIP, """'["column", "a:b", "c", "x"]'""")) == ()
    assert [one.src for one in lx.tags().stopped] == ["column:a:b:raw:x"]


def test_the_panel_of_a_node_tells_what_stops_there() -> None:
    with sushi() as store:
        lx = Lineage(store)
        lx.stops.approve(lx.stops.request(ZIP, "district", actor=ANN).id, actor=BOB)
        shown = {
            node: repr(facts(lx, Memo(lx), node, LineageState(focus=node), Links()))
            for node in (CUSTOMERS, CUSTOMERS.replace("sushi.customers", "raw.demographics"))
        }
        assert ["stops here, approved by bob" in text for text in shown.values()] == [True, False]


def test_policies_about_personal_data_honour_it_at_both_clocks_and_keep_what_they_say(mail: World) -> None:
    lx = Lineage(mail.store)
    policy = "pii-masked-before-leaving"

    def broken(**when: object) -> int:
        (told,) = lx.policies.check(policy, **when).policies  # type: ignore[arg-type]
        return told.violations

    lx.policies.record(policy, actor=ANN)
    before = utcnow()
    assert broken() == 1 and [one.state for one in lx.policies.violations().violations] == ["open"]
    name = lx.stops.request("column:pg:ads:mail", "hashed", tag="pii", actor=ANN).id
    assert broken() == 1
    lx.stops.approve(name, actor=BOB)
    known = utcnow()
    assert broken() == 0 and broken(known_at=before) == 1 and broken(as_of=before) == 1
    assert lx.policies.violations().violations == ()
    lx.stops.revoke(name, actor=BOB)
    assert broken() == 1 and broken(known_at=known) == 0 and broken(as_of=known) == 0
    assert [one.state for one in lx.policies.violations().violations] == ["reopened"]


def test_a_store_that_keeps_no_results_is_not_made_to_keep_some(mail: World) -> None:
    lx = Lineage(mail.store)
    lx.stops.approve(lx.stops.request("column:pg:ads:mail", "hashed", actor=ANN).id, actor=BOB)
    assert lx.store.rows("SELECT 1 FROM policy_run") == []


def test_a_change_that_is_thought_of_meets_the_same_stops(mail: World) -> None:
    lx = Lineage(mail.store)
    mail.column_edge(("ads", "mail"), ("shop", "mail"))
    mail.domain("shop", "shop")
    assert mail.store is lx.store
    lx.stops.approve(lx.stops.request("column:pg:ads:mail", "hashed", actor=ANN).id, actor=BOB)
    view = lx.view()
    thought = tagging(thought_away(view, (), (), view.snapshot).view.instant)
    assert thought.stops == tagging(view.instant).stops != ()
    assert {view.label(i) for i in thought.all.carried("pii:mail").nodes.tolist()} == {"column:pg:crm:mail"}


def test_an_evidence_pack_tells_the_stops_that_held_then_and_two_packs_their_difference(tmp_path: Path) -> None:
    with sushi() as store:
        lx, key = lineage.open(store), SigningKey(bytes(range(32)))
        before = utcnow()
        name = lx.stops.approve(lx.stops.request(ZIP, "<b>district", tag="pii", actor=ANN).id, actor=BOB).id
        lx.stops.approve(lx.stops.request("demographics:zip", "elsewhere", actor=ANN).id, actor=BOB)
        packs = {"now": lx.audit.evidence(CUSTOMERS, key), "then": lx.audit.evidence(CUSTOMERS, key, as_of=before)}
    held = {}
    for when, pack in packs.items():
        (tmp_path / f"{when}.zip").write_bytes(pack.data)
        with zipfile.ZipFile(BytesIO(pack.data)) as members:
            held[when] = json.loads(members.read("stops.json"))
            assert "declared/" not in members.namelist()
            assert ("&lt;b&gt;district" in members.read("report.html").decode()) == (when == "now")
    assert held["then"] == [] and name in [one["id"] for one in held["now"]]
    changed = diff_packs(tmp_path / "then.zip", tmp_path / "now.zip").changes
    assert (f"pii at {ZIP}", None, f"{name}, approved by bob") in [
        (one.subject, one.before, one.after) for one in changed if one.what == "stop"
    ]


def test_the_command_line_applies_files_of_stops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = tmp_path / "m.duckdb"
    sushi(str(db)).close()
    (tmp_path / "mesh" / "stops").mkdir(parents=True)
    (tmp_path / "mesh" / "stops" / "s.yaml").write_text(FILE)
    assert run(["apply", str(tmp_path / "mesh"), "--db", str(db)]) == 0
    capsys.readouterr()
    assert run(["stops", "list", "--format", "csv", "--db", str(db)]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith(f"s-zip,holds,{ZIP},pii,ann,bob,")
