"""What is read cannot be retired or deleted, unless somebody else than who asks approves it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from lineage.declared import apply
from lineage.errors import DeclarationError
from tests.answers.builder import T0, World
from tests.contracts.test_change import text
from tests.contracts.test_files import PRODUCT, tree

NOW = T0 + timedelta(days=10)
WAIVER = """\
id: w1
policy: retirement
subject: {subject}
requester: ada
approver: {approver}
reason: the last reader moves
valid_from: 2026-01-01
expires: {expires}
"""
ORDERS = text("orders", "1.0.0", "id:int")


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World()
    made.flow(["orders"], "read", ["report"])
    apply(made.store, tree(tmp_path, contracts__o=ORDERS, products__p=PRODUCT.format(id="p", contract="orders")), at=T0)
    return made


def waiver(subject: str, *, approver: str = "grace", expires: str = "2026-02-01") -> str:
    return WAIVER.format(subject=subject, approver=approver, expires=expires)


def retired(what: str) -> dict[str, str]:
    files = {"contracts__o": ORDERS, "products__p": PRODUCT.format(id="p", contract="orders")}
    return {what: files[what].replace("status: active", "status: retired")}


@pytest.mark.parametrize("what", ["contracts__o", "products__p"])
def test_what_is_read_cannot_be_retired(world: World, tmp_path: Path, what: str) -> None:
    path = f"{what.split('__')[0]}/{what[-1]}.yaml"
    with pytest.raises(DeclarationError, match=rf"{path}:\d+: status: cannot be retired: still read by job:pg:read"):
        apply(world.store, tree(tmp_path, **retired(what)), at=NOW)


@pytest.mark.parametrize("path", ["contracts/o.yaml", "products/p.yaml"])
def test_the_file_of_what_is_read_cannot_be_deleted(world: World, tmp_path: Path, path: str) -> None:
    (tmp_path / path).unlink()
    if path.startswith("contracts"):
        tree(tmp_path, products__p=PRODUCT.format(id="p", contract="orders").split("outputPorts")[0])
    for dry in (True, False):
        with pytest.raises(DeclarationError, match=rf"{path}:1: .* cannot be deleted: still read by job:pg:read"):
            apply(world.store, tmp_path, at=NOW, dry_run=dry)
    assert world.store.rows("SELECT count(*) FROM contract WHERE known_to > now() AND valid_to > now()") == [(1,)]


@pytest.mark.parametrize("subject", ["contract:orders", "contract:orders@1"])
def test_a_waiver_in_the_tree_lets_it_go(world: World, tmp_path: Path, subject: str) -> None:
    (tmp_path / "contracts/o.yaml").unlink()
    (tmp_path / "products/p.yaml").unlink()
    both = {"waivers__a": waiver(subject), "waivers__b": waiver("product:p").replace("w1", "w2")}
    plan = apply(world.store, tree(tmp_path, **both), at=NOW)
    assert sorted(change.name for change in plan.removed) == ["orders@1", "p"]


def test_a_waiver_that_was_applied_before_counts(world: World, tmp_path: Path) -> None:
    apply(world.store, tree(tmp_path, waivers__a=waiver("contract:orders")), at=NOW)
    for file in (tmp_path / "waivers").iterdir():
        file.unlink()
    (tmp_path / "waivers").rmdir()
    plan = apply(world.store, tree(tmp_path, **retired("contracts__o")), at=NOW + timedelta(days=1))
    assert [change.name for change in plan.changed] == ["orders@1"]


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (waiver("contract:orders", expires="2026-01-05"), "cannot be retired"),
        (waiver("contract:other"), "cannot be retired"),
        (waiver("contract:orders", approver="Ada"), "asked for the waiver and cannot approve it"),
    ],
)
def test_a_waiver_that_ended_is_for_something_else_or_self_approved_is_none(
    world: World, tmp_path: Path, written: str, says: str
) -> None:
    with pytest.raises(DeclarationError, match=says):
        apply(world.store, tree(tmp_path, waivers__a=written, **retired("contracts__o")), at=NOW)


def test_what_a_newer_major_version_goes_on_with_may_be_deleted(world: World, tmp_path: Path) -> None:
    product = PRODUCT.format(id="p", contract="orders").replace("1.0.0", "2.0.0", 2).replace("v2.0.0", "v1.0.0")
    files = tree(tmp_path, contracts__o=text("orders", "2.0.0", "id:int"), products__p=product)
    plan = apply(world.store, files, at=NOW)
    assert [change.name for change in plan.removed] == ["orders@1"]


def test_a_draft_may_always_be_deleted(tmp_path: Path) -> None:
    world = World()
    world.flow(["orders"], "read", ["report"])
    apply(world.store, tree(tmp_path, contracts__o=ORDERS.replace("status: active", "status: draft")), at=T0)
    (tmp_path / "contracts/o.yaml").unlink()
    assert len(apply(world.store, tmp_path, at=NOW).removed) == 1
