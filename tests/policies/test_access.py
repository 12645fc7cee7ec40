"""Access: asked, approved by somebody else, used or not, ended; and what is read without a grant."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from lineage.actor import Actor
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.policies.access import UnknownGrantError
from lineage.times import iso, utcnow
from tests.answers.builder import World
from tests.contracts.test_change import text

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
    world = World()
    world.flow(["orders"], "build", ["audience"])
    files = {
        "domains/shop": "name: shop\nowner: s\npatterns: [orders]\n",
        "domains/ads": "name: ads\nowner: a\npatterns: [audience]\n",
        "contracts/orders": text("orders", "1.0.0", "id:int"),
        "products/sales": PRODUCT,
    }
    for name, body in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.yaml").write_text(body)
    (tmp_path / "grants").mkdir()
    apply(world.store, tmp_path)
    return Lineage(world.store)


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
