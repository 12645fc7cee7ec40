"""Alerts: one for one cause, signed, retried and recorded; no address in the store, nothing sent without a route."""

from __future__ import annotations

import json
import logging
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from lineage.actor import Actor
from lineage.alerts.channels import SIGNATURE, STAMP, sign, slack
from lineage.alerts.model import Alert
from lineage.alerts.notify import PAUSES
from lineage.alerts.questions import UnknownDeliveryError
from lineage.cli import run
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.errors import DeclarationError, UsageError
from lineage.store import Store
from lineage.times import utcnow
from tests.alerts.receivers import certificate, free_port, mail, web
from tests.answers.builder import World
from tests.policies.people import people

HOOK = "id: hook\nchannel: webhook\nurl: ${HOOK}\nsecret: ${KEY}\nkinds: [violation]\n"
DAY = timedelta(days=1)


def mesh(world: World, folder: Path, **routes: str) -> Lineage:
    """orders → report → page without owners, in one domain that escalates to ann and bob; recorded once."""
    world.flow(["orders"], "build", ["report"])
    world.flow(["report"], "show", ["page"])
    files = {"domains/shop": "name: shop\nowner: s\nescalation: [ann@x.example, bob@x.example]\npatterns: ['*']\n"}
    files |= {f"alerts/{name}": body for name, body in routes.items()}
    for name, body in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text(body)
    apply(world.store, folder)
    lx = Lineage(world.store)
    lx.policies.record("owner-present")
    return lx


def test_one_alert_for_one_cause_with_the_list_folded_in_and_told_once(tmp_path: Path) -> None:
    lx = mesh(World(), tmp_path, hook=HOOK)
    with web() as got:
        environment = {"HOOK": got.url, "KEY": "k"}
        assert lx.alerts.send(environment=environment).delivered == 1
        again = lx.alerts.send(environment=environment)
        assert (again.raised, again.delivered) == (0, 0)
    ((headers, body),) = got.calls
    told = json.loads(body)
    assert (told["kind"], told["severity"], told["node"]) == ("violation", "medium", "dataset:pg:orders")
    assert len(told["members"]) == 5 and told["members"][0] == "dataset:pg:orders: has no owner"
    assert headers[SIGNATURE] == sign("k", int(headers[STAMP]), body)
    assert sign("other", int(headers[STAMP]), body) != headers[SIGNATURE]


def test_a_further_step_of_the_escalation_is_told_again(tmp_path: Path) -> None:
    lx = mesh(World(), tmp_path, hook=HOOK.replace("kinds", "level: 1\nkinds"))
    with lx.store.transaction() as cursor:
        cursor.execute("UPDATE evaluation SET valid_from = valid_from - INTERVAL 31 DAY")
    with web() as got:
        environment = {"HOOK": got.url, "KEY": "k"}
        lx.alerts.send(environment=environment)
        with lx.store.transaction() as cursor:
            cursor.execute("UPDATE evaluation SET valid_from = valid_from - INTERVAL 20 DAY")
        lx.alerts.send(environment=environment)
    steps = [(json.loads(body)["level"], json.loads(body)["escalation"]) for _, body in got.calls]
    assert steps == [(1, "owner"), (2, "domain owner")]


def test_a_webhook_that_is_down_is_tried_again_and_again_and_then_dead(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lx = mesh(World(), tmp_path, hook=HOOK)
    now = utcnow()
    environment = {"HOOK": f"http://127.0.0.1:{free_port()}/token-of-the-hook", "KEY": "secret-key"}
    with caplog.at_level(logging.DEBUG):
        first = lx.alerts.send(now=now, environment=environment)
        assert (first.failed, first.waiting) == (1, 1)
        early = lx.alerts.send(now=now + PAUSES[0] / 2, environment=environment)
        assert (early.failed, early.waiting) == (0, 1)  # not due yet
        for pause in PAUSES:
            now += pause
            lx.alerts.send(now=now, environment=environment)
    (one,) = lx.alerts.list(state="dead").deliveries
    assert (one.attempts, one.error) == (len(PAUSES) + 1, "The receiver cannot be reached (ConnectionRefusedError).")
    assert lx.alerts.send(now=now + 9 * DAY, environment=environment).failed == 0
    with web() as got:
        assert lx.alerts.resend(one.id, actor=Actor("ann")).state == "waiting"
        assert lx.alerts.send(environment={"HOOK": got.url, "KEY": "k"}).delivered == 1
    with pytest.raises(UsageError, match="arrived already"):
        lx.alerts.resend(one.id)
    with pytest.raises(UnknownDeliveryError):
        lx.alerts.resend("d0")
    kept = " ".join(str(row) for name in ("alert", "alert_delivery", "alert_route", "audit", "meta")
                    for row in lx.store.rows(f"SELECT * FROM {name}"))  # fmt: skip
    for word in ("token-of-the-hook", "secret-key"):
        assert word not in kept + caplog.text


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_answer_that_is_no_success_is_a_failure_and_a_redirect_is_not_followed(tmp_path: Path, status: int) -> None:
    lx = mesh(World(), tmp_path, hook=HOOK)
    with web() as got:
        got.status = status
        assert lx.alerts.send(environment={"HOOK": got.url, "KEY": "k"}).failed == 1
    assert len(got.calls) == 1
    assert lx.alerts.list().deliveries[0].error == f"The receiver answered {status}."


def test_mail_goes_to_those_of_the_escalation_list_whom_it_has_reached(tmp_path: Path) -> None:
    route = "id: post\nchannel: mail\nsmtp: ${SMTP}\nfrom: meshline@x.example\nto: escalation\n"
    lx = mesh(World(), tmp_path, post=route)
    with mail() as got:
        assert lx.alerts.send(environment={"SMTP": got.url}).delivered == 1
        with lx.store.transaction() as cursor:
            cursor.execute("UPDATE evaluation SET valid_from = valid_from - INTERVAL 50 DAY")
        assert lx.alerts.send(environment={"SMTP": got.url}).delivered == 1
    first, second = got.mails
    assert "To: ann@x.example\r\n" in first and "To: ann@x.example, bob@x.example\r\n" in second
    assert "Subject: [Meshline, medium] owner-present: 5 violations" in first


def test_a_password_is_not_sent_in_the_clear(tmp_path: Path) -> None:
    lx = mesh(World(), tmp_path, post="id: post\nchannel: mail\nsmtp: ${SMTP}\nfrom: m@x.example\nto: [a@x.example]\n")
    with mail() as got:
        assert lx.alerts.send(environment={"SMTP": got.url.replace("//", "//user:word@")}).failed == 1
    assert got.mails == []
    assert "no encryption" in (lx.alerts.list().deliveries[0].error or "")


def test_mail_and_password_go_encrypted_and_only_to_a_server_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lx = mesh(World(), tmp_path, post="id: post\nchannel: mail\nsmtp: ${SMTP}\nfrom: m@x.example\nto: [a@x.example]\n")
    with mail(certificate(tmp_path)) as got:
        address = got.url.replace("//", "//user:word@")
        now = utcnow()
        assert lx.alerts.send(now=now, environment={"SMTP": address}).failed == 1
        assert got.mails == [] and got.words == []
        assert "SSLCertVerificationError" in (lx.alerts.list().deliveries[0].error or "")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
        assert lx.alerts.send(now=now + PAUSES[0], environment={"SMTP": address}).delivered == 1
    assert len(got.mails) == 1 and got.words == ["AUTH"]


def test_a_broken_contract_without_an_incident_is_told_by_itself(tmp_path: Path) -> None:
    world = World()
    world.facet(world.dataset("orders", "id"), "schema", {"fields": [{"name": "id", "type": "int"}]})
    lx = mesh(world, tmp_path, hook="id: hook\nchannel: webhook\nurl: ${HOOK}\nkinds: [contract]\n")
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "orders.yaml").write_text(
        'apiVersion: v3.1.0\nkind: DataContract\nid: orders\nversion: "1.0.0"\nstatus: active\nschema:\n'
        "  - name: orders\n    customProperties: [{property: openlineage.namespace, value: pg}, "
        "{property: openlineage.name, value: orders}]\n    properties: [{name: id}, {name: total}]\n"
    )
    apply(world.store, tmp_path)
    with web() as got:
        assert lx.alerts.send(environment={"HOOK": got.url}).delivered == 1
    told = json.loads(got.calls[0][1])
    assert (told["kind"], told["node"]) == ("contract", "dataset:pg:orders")
    assert told["members"] == ["column total: expected any type, observed missing"]


def test_each_kind_arrives_by_its_own_channel(demo_file: Path, tmp_path: Path) -> None:
    shutil.copy(demo_file, tmp_path / "demo.duckdb")
    post = "channel: mail\nsmtp: ${SMTP}\nfrom: m@x.example\nto: [a@x.example]\nkinds: [budget]\n"
    routes = {
        "hook": "channel: webhook\nurl: ${HOOK}\nkinds: [violation, contract]\n",
        "chat": "channel: slack\nurl: ${CHAT}\nkinds: [incident]\n", "post": post,
    }  # fmt: skip
    with Store.open(tmp_path / "demo.duckdb") as store, web() as hook, web() as chat, mail() as post_box:
        (tmp_path / "tree" / "alerts").mkdir(parents=True)
        for name, body in routes.items():
            (tmp_path / "tree" / "alerts" / f"{name}.yaml").write_text(f"id: {name}\n{body}")
        apply(store, tmp_path / "tree")
        sent = Lineage(store).alerts.send(environment={"HOOK": hook.url, "CHAT": chat.url, "SMTP": post_box.url})
    assert (sent.failed, sent.waiting, sent.problems) == (0, 0, ())
    assert {json.loads(body)["kind"] for _, body in hook.calls} == {"violation"}  # contracts are told with an incident
    assert chat.calls and all("Incident: " in json.loads(body)["text"] for _, body in chat.calls)
    assert any("Budget " in text for text in post_box.mails)


def test_slack_texts_cannot_become_links_or_mentions() -> None:
    said = json.dumps(slack(Alert("a", "c", "violation", "high", "shop", 0, "<!channel> & co", detail="<http://x|y>")))
    assert "<" not in said and "&lt;!channel&gt; &amp; co" in said


def test_without_a_route_nothing_is_asked_kept_or_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lx = mesh(World(), tmp_path)
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a call went out"))
    done = lx.alerts.send()
    assert (done.raised, done.delivered, done.waiting) == (0, 0, 0)
    assert lx.store.rows("SELECT count(*) FROM alert") == [(0,)]


def test_a_route_takes_what_it_names(tmp_path: Path) -> None:
    other = HOOK.replace("id: hook", "id: other") + "severity: high\n"
    lx = mesh(World(), tmp_path, hook=HOOK + "domains: [shop]\n", other=other)
    lx.alerts.send(environment={"KEY": "k"})
    assert [(d.route, d.error) for d in lx.alerts.list().deliveries] == [
        ("hook", "The variable HOOK of the environment is not set.")
    ]


def test_that_a_cause_is_gone_is_told_once_and_when_it_comes_back_it_is_told_again(tmp_path: Path) -> None:
    lx = mesh(World(), tmp_path, hook=HOOK)
    with web() as got:
        environment = {"HOOK": got.url, "KEY": "k"}
        now = utcnow()
        lx.alerts.send(now=now, environment=environment)
        with lx.store.transaction() as cursor:
            cursor.execute("CREATE TABLE put_away AS SELECT * FROM evaluation")
            cursor.execute("DELETE FROM evaluation")
        for hours in (24, 25):
            lx.alerts.send(now=now + timedelta(hours=hours), environment=environment)
        with lx.store.transaction() as cursor:
            cursor.execute("INSERT INTO evaluation SELECT * FROM put_away")
        lx.alerts.send(now=now + 2 * DAY, environment=environment)
    told = [json.loads(body) for _, body in got.calls]
    assert [one["state"] for one in told] == ["open", "resolved", "open"]
    assert told[1]["title"] == f"Resolved: {told[0]['title']}" and len({one["id"] for one in told}) == 3


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("id: r\nchannel: webhook\nurl: https://hooks.example/T0/secret\n", "must be ${NAME}"),
        ("id: r\nchannel: pigeon\nurl: ${X}\n", "is none of webhook, slack, mail"),
        ("id: r\nchannel: mail\nsmtp: ${X}\nfrom: a@b\n", "has no “to”"),
        ("id: r\nchannel: slack\nurl: ${X}\nkinds: [weather]\n", "“weather” is none of"),
    ],
)
def test_a_wrong_route_is_refused(store: Store, tmp_path: Path, body: str, why: str) -> None:
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "r.yaml").write_text(body)
    with pytest.raises(DeclarationError) as refused:
        apply(store, tmp_path)
    assert why in "\n".join(refused.value.problems)


def test_the_command_line_tests_sends_lists_and_resends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    db = ["--db", str(tmp_path / "mesh.duckdb")]
    with Store.open(db[1]) as store:
        mesh(World(_store=store), tmp_path, hook=HOOK)

    def say(*words: str, code: int = 0) -> str:
        assert run([*words, *db]) == code
        said = capsys.readouterr()
        return said.out + said.err

    monkeypatch.setenv("KEY", "k")
    with web() as got:
        monkeypatch.setenv("HOOK", got.url)
        assert "sent" in say("alerts", "test", "hook")
    assert "dead, The receiver cannot be reached" in say("alerts", "test", "hook", code=1)
    assert "no route" in say("alerts", "test", "nobody", code=2)
    assert "${HOOK}" in say("alerts", "routes")
    assert "1 raised, 0 delivered, 1 failed, 1 waiting" in say("alerts", "send")
    (one,) = json.loads(say("alerts", "list", "--state", "waiting", "--format", "json"))["deliveries"]
    assert "waiting" in say("alerts", "resend", one["id"])


def test_the_routes_tell_and_resend_and_hide_from_the_restricted(tmp_path: Path) -> None:
    lx = mesh(World(), tmp_path, hook=HOOK)
    lx.alerts.send(environment={})
    client = people(lx)
    told = client.get("/api/v2/alerts").json()
    assert told["alerts"][0]["cause"].startswith("violation:")
    name = told["deliveries"][0]["id"]
    assert client.post("/api/v2/alerts/resend", json={"id": name}).json()["attempts"] == 0
    assert client.post("/api/v2/alerts/resend", json={"id": "d0"}).status_code == 404
    assert client.get("/api/v2/alerts/routes").json()[0]["url"] == "HOOK"
    assert lx.alerts.list(actor=Actor("eve", frozenset({"shop"}))).alerts == ()
