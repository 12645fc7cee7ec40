"""Access: asked, approved by somebody else, used or not, ended; and what is read without a grant."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from lineage.actor import Actor
from lineage.cli import run
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.errors import DeclarationError, UsageError
from lineage.policies.access import UnknownGrantError
from lineage.store import Store
from lineage.times import iso, utcnow
from tests.answers.builder import World
from tests.contracts.test_change import text
from tests.policies.people import people

ANN, BOB = Actor("ann"), Actor("bob")
PRODUCT = """\
apiVersion: v1.0.0
kind: DataProduct
id: sales
version: "1.0.0"
status: active
domain: shop
outputPorts: [{name: orders, version: "1.0.0", contractId: orders}]
"""


@pytest.fixture
def soon() -> str:
    return iso(utcnow() + timedelta(days=30)) or ""


@pytest.fixture
def lx(tmp_path: Path) -> Lineage:
    """Domain ads reads the product of domain shop."""
    return mesh(World(), tmp_path)


def mesh(world: World, tmp_path: Path, flow: bool = True) -> Lineage:
    if flow:
        world.flow(["orders"], "build", ["audience"])
    files = {
        "domains/shop": "name: shop\nowner: s\nmembers: [bob]\npatterns: [orders]\n",
        "domains/ads": "name: ads\nowner: a\npatterns: [audience]\n",
        "domains/finance": "name: finance\nowner: f\npatterns: [ledger]\n",
        "contracts/orders": text("orders", "1.0.0", "id:int"),
        "products/sales": PRODUCT,
    }
    for name, body in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.yaml").write_text(body)
    (tmp_path / "grants").mkdir()
    apply(world.store, tmp_path)
    return Lineage(world.store)


def test_a_grant_for_a_team_covers_what_the_team_owns(lx: Lineage, soon: str) -> None:
    with pytest.raises(UsageError, match=r"no team “b”. There is: a, s"):
        lx.access.request("sales", "b", "ads", soon, kind="team", actor=ANN)
    asked = lx.access.request("sales", "a", "ads", soon, kind="team", actor=ANN)
    granted = lx.access.approve(asked.id, actor=BOB)
    listed = lx.access.list()
    assert (granted.consumer_kind, granted.used, listed.shadow_edges) == ("team", True, ())
    shadow = lx.policies.check("no-shadow-edge").policies[0]
    assert (shadow.violations, lx.policies.check("no-zombie-grant").policies[0].violations) == (0, 0)
    listed = lx.access.list(actor=Actor("eve", hidden_domains=frozenset({"ads"})))
    assert not any("zombie" in line for line in listed.remarks())
    (masked,) = listed.grants
    assert (masked.id, masked.used) == (asked.id, None)  # the only reader of the team is not theirs to know
    lx.access.revoke(asked.id, actor=BOB)
    assert [edge.dst for edge in lx.access.list().shadow_edges] == ["dataset:pg:audience"]
    assert lx.policies.check("no-shadow-edge").policies[0].violations == 1


def test_a_request_becomes_a_grant_and_ends(lx: Lineage, soon: str, tmp_path: Path) -> None:
    assert [edge.dst for edge in lx.access.list().shadow_edges] == ["dataset:pg:audience"]
    assert lx.policies.check("no-shadow-edge").policies[0].violations == 1
    asked = lx.access.request("sales", "ads", "newsletter", soon, actor=ANN)
    assert (asked.state, asked.requester, asked.approver) == ("requested", "ann", None)
    assert lx.access.list().shadow_edges
    granted = lx.access.approve(asked.id, actor=BOB)
    assert (granted.state, granted.approver, granted.used) == ("holds", "bob", True)
    assert lx.access.list().shadow_edges == ()
    assert lx.policies.check("no-shadow-edge").policies[0].violations == 0
    assert apply(lx.store, tmp_path).empty  # the files do not take away what was approved
    with pytest.raises(UsageError, match="eve may not decide"):
        lx.access.revoke(asked.id, "over", actor=Actor("eve"))
    assert lx.access.revoke(asked.id, "over", actor=BOB).state == "ended"
    assert lx.access.list().shadow_edges
    acts = lx.store.rows("SELECT action, actor FROM audit WHERE action LIKE 'access.%' ORDER BY seq")
    assert acts == [("access.request", "ann"), ("access.approve", "bob"), ("access.revoke", "bob")]


def test_whoever_asked_cannot_approve(lx: Lineage, soon: str) -> None:
    asked = lx.access.request("sales", "ads", "newsletter", soon, actor=ANN)
    with pytest.raises(UsageError, match="cannot approve"):
        lx.access.approve(asked.id, actor=Actor("Ann"))
    assert lx.access.revoke(asked.id, actor=BOB).state == "refused"
    with pytest.raises(UsageError, match="no open request"):
        lx.access.approve(asked.id, actor=BOB)


def test_a_grant_always_has_an_end_and_somebody_to_read(lx: Lineage, soon: str) -> None:
    for product, consumer, end in (("sales", "ads", "2020-01-01"), ("sales", "ads", "2999-01-01"), ("x", "ads", soon),
                                   ("sales", "", soon)):  # fmt: skip
        with pytest.raises(UsageError):
            lx.access.request(product, consumer, "p", end, actor=ANN)
    with pytest.raises(UnknownGrantError):
        lx.access.approve("r0", actor=BOB)


def test_an_unused_grant_is_a_zombie_and_hidden_products_are_not_told(lx: Lineage, soon: str) -> None:
    asked = lx.access.request("sales", "finance", "audit", soon, actor=ANN)
    lx.access.approve(asked.id, actor=BOB)
    assert [f.subject for f in lx.policies.check("no-zombie-grant").findings] == [asked.id]
    assert any("zombie" in line for line in lx.access.list().remarks())
    eve = lx.access.list(actor=Actor("eve", frozenset({"shop"})))
    assert (eve.grants, eve.shadow_edges) == ((), ())


def granted(folder: Path, kind: str, consumer: str, end: str) -> None:
    said = f"id: g\nproduct: sales\nconsumer: {{kind: {kind}, name: {consumer}}}\npurpose: p\napprover: bob\n"
    (folder / "grants" / "g.yaml").write_text(f"{said}expires: {end[:10]}\n")


@pytest.mark.parametrize(("kind", "consumer"), [("team", "a"), ("domain", "ads")])
def test_whether_a_grant_is_used_where_nobody_may_look_is_told_by_no_door(
    kind: str, consumer: str, soon: str, tmp_path: Path
) -> None:
    """Two worlds that differ in what a hidden domain reads: who may not see it reads the same of both."""
    eve = Actor("eve", hidden_domains=frozenset({"ads"}))
    told = []
    for reads in (True, False):
        folder = tmp_path / str(reads)
        folder.mkdir()
        world = World()
        world.dataset("audience")
        world.dataset("orders")
        lx = mesh(world, folder, flow=reads)
        granted(folder, kind, consumer, soon)
        apply(world.store, folder)
        all_of_it = lx.policies.check("no-zombie-grant")
        assert [f.subject for f in all_of_it.findings] == ([] if reads else ["g"])
        lx.policies.record()
        seen = lx.policies.check("no-zombie-grant", actor=eve)
        (row,) = seen.policies
        grants = [(g.id, g.used) for g in lx.access.list(actor=eve).grants]
        violations = [v.subject for v in lx.policies.violations(actor=eve).violations if v.policy == "no-zombie-grant"]
        told.append((row.scope, row.passed, row.violations, row.waived, seen.findings, grants, violations))
    assert told[0] == told[1]
    assert told[0][0] == 0


RULE = """\
id: own-purpose
classification: internal
longest_days: 60
"""


def rule(lx: Lineage, folder: Path, body: str = RULE, contract: str = "") -> None:
    (folder / "access_rules").mkdir(exist_ok=True)
    (folder / "access_rules" / "own-purpose.yaml").write_text(body)
    if contract:
        (folder / "contracts" / "orders.yaml").write_text(contract)
    apply(lx.store, folder)


def classed(word: str, purposes: str = "[newsletter, audit]") -> str:
    plain = text("orders", "1.0.1", "id:int")
    listed = f"customProperties:\n  - {{property: allowedPurposes, value: {purposes}}}\n"
    return plain.replace("physicalType: int", f"physicalType: int, classification: {word}") + listed


def test_a_rule_approves_what_is_internal_and_for_an_allowed_purpose(lx: Lineage, soon: str, tmp_path: Path) -> None:
    rule(lx, tmp_path, contract=classed("internal"))
    asked = lx.access.request("sales", "ads", "newsletter", soon, actor=ANN)
    assert (asked.state, asked.approver) == ("holds", "rule:own-purpose")
    assert lx.access.list().shadow_edges == ()
    acts = lx.store.rows("SELECT action, actor FROM audit WHERE action LIKE 'access.%' ORDER BY seq")
    assert acts == [("access.request", "ann"), ("access.approve", "rule:own-purpose")]


@pytest.mark.parametrize(
    ("contract", "purpose", "days", "why"),
    [
        (classed("restricted"), "newsletter", 30, "id of contract orders is restricted"),
        (classed("internal"), "resale", 30, "does not allow resale"),
        (classed("internal"), "newsletter", 90, "longer than 60 days"),
        (text("orders", "1.0.1", "id:int"), "newsletter", 30, "does not allow newsletter"),
        (
            classed("internal").replace("classification: internal", "description: x"),
            "audit",
            30,
            "nobody has classified",
        ),
    ],
)
def test_what_a_rule_does_not_know_to_be_harmless_waits_for_the_owner(
    lx: Lineage, tmp_path: Path, contract: str, purpose: str, days: int, why: str
) -> None:
    rule(lx, tmp_path, contract=contract)
    asked = lx.access.request("sales", "ads", purpose, iso(utcnow() + timedelta(days=days)) or "", actor=ANN)
    assert asked.state == "requested" and why in asked.note
    assert lx.access.list().shadow_edges


def test_a_rule_asks_for_a_contract_with_columns_on_every_port(lx: Lineage, soon: str, tmp_path: Path) -> None:
    port = 'outputPorts: [{name: secrets, version: "1.0.0", contractId: secrets}, '
    (tmp_path / "products" / "sales.yaml").write_text(PRODUCT.replace("outputPorts: [", port))
    secrets = classed("internal").replace("orders", "secrets")
    (tmp_path / "contracts" / "secrets.yaml").write_text(secrets.replace("status: active", "status: draft"))
    rule(lx, tmp_path, contract=classed("internal"))
    asked = lx.access.request("sales", "ads", "audit", soon, actor=ANN)
    assert (asked.state, "port secrets has no contract in force" in asked.note) == ("requested", True)
    bare = re.sub(r"properties:\n.*\n", "properties: []\n", secrets)
    (tmp_path / "contracts" / "secrets.yaml").write_text(bare)
    rule(lx, tmp_path)
    asked = lx.access.request("sales", "ads", "audit", soon, actor=ANN)
    assert (asked.state, "contract secrets names no column of secrets" in asked.note) == ("requested", True)
    (tmp_path / "contracts" / "secrets.yaml").write_text(secrets)
    rule(lx, tmp_path)
    assert lx.access.request("sales", "ads", "audit", soon, actor=ANN).approver == "rule:own-purpose"


def test_only_the_owner_decides(lx: Lineage, soon: str) -> None:
    asked = lx.access.request("sales", "ads", "newsletter", soon, actor=ANN)
    for decide in (lx.access.approve, lx.access.deny):
        with pytest.raises(UsageError, match=r"eve may not decide on product sales; that is up to s, bob"):
            decide(asked.id, actor=Actor("eve"))
    denied = lx.access.deny(asked.id, "not for ads", actor=BOB)
    assert (denied.state, denied.note) == ("refused", "not for ads")
    with pytest.raises(UsageError, match="no open request"):
        lx.access.deny(asked.id, actor=BOB)


def test_a_grant_without_an_end_and_a_wrong_rule_are_refused(lx: Lineage, tmp_path: Path) -> None:
    grant = "id: g\nproduct: sales\nconsumer: {kind: domain, name: ads}\npurpose: p\napprover: bob\n"
    (tmp_path / "grants" / "g.yaml").write_text(grant)
    (tmp_path / "access_rules").mkdir()
    (tmp_path / "access_rules" / "r.yaml").write_text("id: r\nclassification: harmless\nlongest_days: 1000\n")
    with pytest.raises(DeclarationError) as refused:
        apply(lx.store, tmp_path)
    told = "\n".join(refused.value.problems)
    assert "g.yaml" in told and "has no “expires”" in told
    assert "“harmless” is none of public" in told and "at most 366" in told


def test_the_command_line_asks_decides_and_lists(soon: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = ["--db", str(tmp_path / "mesh.duckdb")]
    with Store.open(db[1]) as store:
        mesh(World(_store=store), tmp_path)

    def say(*words: str, code: int = 0) -> str:
        assert run([*words, *db]) == code
        said = capsys.readouterr()
        return said.out + said.err

    told = say("access", "request", "sales", "ads", "--purpose", "p", "--expires", soon, "--actor", "ann")
    name = told.split(":")[0]
    assert "requested" in told and "no rule speaks of this product" in told
    assert "cannot approve" in say("access", "approve", name, "--actor", "ann", code=2)
    assert "holds" in say("access", "approve", name, "--actor", "bob")
    listed = json.loads(say("access", "list", "--format", "json"))
    assert [row["state"] for row in listed["grants"]] == ["holds"] and listed["shadow_edges"] == []
    assert "ended" in say("access", "revoke", name, "--actor", "bob")
    second = say("access", "request", "sales", "ads", "--purpose", "p", "--expires", soon, "--actor", "ann").split(":")[
        0
    ]
    assert "refused" in say("access", "deny", second, "--reason", "no", "--actor", "bob")
    assert "no grant or request" in say("access", "revoke", "r0", code=2)


def test_the_routes_ask_decide_and_list(lx: Lineage, soon: str) -> None:
    client = people(lx)
    body = {"product": "sales", "consumer": "ads", "purpose": "p", "expires": soon}
    name = client.post("/api/v2/access/request", json=body, headers={"x-who": "ann"}).json()["id"]
    refused = client.post("/api/v2/access/approve", json={"id": name}, headers={"x-who": "ann"})
    assert (refused.status_code, refused.json()["error"]) == (400, "UsageError")
    granted = client.post("/api/v2/access/approve", json={"id": name}, headers={"x-who": "bob"}).json()
    assert granted["state"] == "holds"
    assert [row["id"] for row in client.get("/api/v2/access").json()["grants"]] == [name]
    ended = client.post("/api/v2/access/revoke", json={"id": name, "reason": "over"}, headers={"x-who": "bob"})
    assert ended.json()["state"] == "ended"
    assert client.post("/api/v2/access/deny", json={"id": "r0"}, headers={"x-who": "bob"}).status_code == 404


@pytest.mark.parametrize(
    ("product", "consumer", "kind", "purpose", "why"),
    [
        ("moon", "ads", "domain", "p", "no product “moon”"),
        ("sales", "adds", "domain", "p", "no domain “adds”. There is: ads, finance, shop"),
        ("sales", "ads", "product", "p", "no product “ads”"),
        ("sales", "ads", "domain", "  ", "a purpose"),
        ("sales", "ads", "planet", "p", "a domain, a product or a team"),
    ],
)
def test_a_request_of_nobody_or_for_nothing_is_refused(
    lx: Lineage, soon: str, product: str, consumer: str, kind: str, purpose: str, why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        lx.access.request(product, consumer, purpose, soon, kind=kind, actor=ANN)
    assert lx.access.list().grants == ()


def test_a_request_for_a_product_that_may_not_be_seen_is_refused_and_leaves_nothing(lx: Lineage, soon: str) -> None:
    with pytest.raises(UsageError, match="no product “sales”"):
        lx.access.request("sales", "ads", "p", soon, actor=Actor("eve", frozenset({"shop"})))
    assert lx.access.list().grants == ()
