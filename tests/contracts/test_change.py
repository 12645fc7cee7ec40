"""What a change means on paper, and what it really does to those who read."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.actor import Actor
from lineage.contracts.changes import Severity, bump, classify, enough, required_bump
from lineage.contracts.model import read_contract
from lineage.contracts.signoff import smallest
from lineage.contracts.types import compare
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.errors import MeshlineError
from tests.answers.builder import World

BASE = {"name": "amount", "physicalType": "decimal(10,2)", "required": True, "classification": "internal"}
HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: {name}
version: "{version}"
status: active
schema:
  - name: {name}
    customProperties:
      - {{property: openlineage.namespace, value: pg}}
      - {{property: openlineage.name, value: {name}}}
    properties:
"""


def text(name: str, version: str, *columns: str) -> str:
    lines = [f"      - {{name: {c.split(':')[0]}, physicalType: {c.split(':')[1]}}}\n" for c in columns]
    return HEAD.format(name=name, version=version) + "".join(lines)


def one(column: dict[str, Any] | None, **contract: Any) -> Any:
    columns = [] if column is None else [column]
    return read_contract({"id": "c", "version": "1.0.0", "schema": [{"name": "t", "properties": columns}], **contract})


def sla(value: int, unit: str, name: str = "latency", **more: Any) -> dict[str, Any]:
    return {"slaProperties": [{"property": name, "value": value, "unit": unit, **more}]}


@pytest.mark.parametrize(
    ("new", "what", "consumer", "producer", "governed"),
    [
        (None, "column.removed", "BREAKING", "SAFE", False),
        ({**BASE, "physicalType": "numeric(10,2)"}, "type.alias", "COSMETIC", "COSMETIC", False),
        ({**BASE, "physicalType": "decimal(12,2)"}, "type.wider", "RISKY", "SAFE", False),
        ({**BASE, "physicalType": "decimal(8,2)"}, "type.narrower", "SAFE", "RISKY", False),
        ({**BASE, "physicalType": "varchar"}, "type.other", "BREAKING", "BREAKING", False),
        ({**BASE, "physicalType": "blorb"}, "type.unknown", "RISKY", "RISKY", False),
        ({**BASE, "required": False}, "required.dropped", "BREAKING", "SAFE", False),
        ({**BASE, "unique": True}, "unique.added", "SAFE", "RISKY", False),
        ({**BASE, "classification": "public"}, "classification.lowered", "SAFE", "SAFE", True),
        ({**BASE, "classification": "restricted"}, "classification.raised", "RISKY", "SAFE", True),
        ({**BASE, "deprecated": True}, "column.deprecated", "SAFE", "SAFE", False),
        ({**BASE, "description": "x"}, "description", "COSMETIC", "COSMETIC", False),
        ({**BASE, "name": "amount_eur"}, "column.renamed", "BREAKING", "RISKY", False),
    ],
)
def test_changes_of_a_column_are_classified_for_consumers_and_producers(
    new: dict[str, Any] | None, what: str, consumer: str, producer: str, governed: bool
) -> None:
    (change,) = classify(one(BASE), one(new))
    assert (change.what, change.consumer, change.producer, change.governed) == (what, consumer, producer, governed)


@pytest.mark.parametrize(
    ("old", "new", "what", "consumer"),
    [
        (sla(2, "h"), sla(1, "d"), "sla.loosened", "RISKY"),
        (sla(24, "h"), sla(1, "d"), "sla.respelled", "COSMETIC"),
        (sla(1, "d"), sla(2, "h"), "sla.tightened", "SAFE"),
        (sla(2, "h", driver="regulatory"), sla(1, "d", driver="regulatory"), "sla.loosened", "BREAKING"),
        (sla(3, "y", "retention"), sla(1, "y", "retention"), "sla.loosened", "RISKY"),
        (sla(2, "h"), {}, "sla.removed", "BREAKING"),
        ({"roles": [{"role": "r"}]}, {}, "role.removed", "BREAKING"),
        ({"status": "active"}, {"status": "retired"}, "status", "BREAKING"),
    ],
)
def test_changes_of_promises_are_classified(old: Any, new: Any, what: str, consumer: str) -> None:
    (change,) = classify(one(BASE, **old), one(BASE, **new))
    assert (change.what, change.consumer) == (what, consumer)


def test_nothing_changes_between_equal_contracts() -> None:
    assert classify(one(BASE), one(BASE)) == ()
    assert required_bump(()) == "none"


@pytest.mark.parametrize(("old", "new", "step"), [("1.2.3", "2.0.0", "major"), ("1.2.3", "1.2.2", None)])
def test_the_step_of_a_version_is_told(old: str, new: str, step: str | None) -> None:
    assert bump(old, new) == step
    assert enough(bump(old, new), "major") == (step == "major")


@pytest.mark.parametrize(
    ("old", "new", "step"),
    [
        ("int", "integer", "alias"), ("int", "bigint", "wider"), ("int", "double", "wider"),
        ("decimal(10,2)", "decimal(12,4)", "wider"), ("date", "timestamp", "other"), ("varchar(20)", "text", "wider"),
        ("char(3)", "varchar(3)", "other"), ("array<int>", "array<bigint>", "wider"),
        ("bigint", "decimal(20,0)", "wider"), ("float", "double", "wider"), ("decimal(10,2)", "decimal(10,4)", "other"),
    ],
)  # fmt: skip
def test_types_widen_by_what_fits(old: str, new: str, step: str) -> None:
    assert compare(old, new) == step
    back = {"wider": "narrower", "narrower": "wider"}.get(step, step)
    assert compare(new, old) == back


@pytest.mark.parametrize(
    ("old", "new"), [("bigint", "double"), ("decimal(10,2)", "double"), ("double", "decimal(10,2)")]
)
def test_what_loses_digits_is_no_widening(old: str, new: str) -> None:
    assert compare(old, new) == "narrower"


def test_a_struct_widens_by_a_field_and_breaks_without_one() -> None:
    assert compare("struct<a int>", "struct<a int, b int>") == "wider"
    assert compare("struct<a int, b int>", "struct<a int>") == "other"


def test_the_smallest_sign_off_set_hits_every_crossing() -> None:
    assert smallest({"x": ["a", "b"], "y": ["b", "c"], "z": ["d"]}) == ("b", "d")


# -- against lineage


@pytest.fixture
def world() -> World:
    """orders (id, amount, note, extra) → copy takes all of it; → report uses amount; note goes nowhere."""
    made = World()
    made.flow(["orders"], "take", ["copy"], provenance="column")
    made.flow(["orders"], "build", ["report"], provenance="column")
    for name in ("id", "amount", "extra"):
        made.column_edge(("orders", name), ("copy", name), "take")
    made.dataset("orders", "note")
    made.column_edge(("orders", "amount"), ("report", "total"), "build")
    made.domain("sales", "orders")
    made.domain("bi", "report")
    return made


def applied(world: World, tmp_path: Any, **texts: str) -> Lineage:
    (tmp_path / "contracts").mkdir()
    for name, body in texts.items():
        (tmp_path / "contracts" / f"{name}.yaml").write_text(body)
    apply(world.store, tmp_path)
    return Lineage(world.store)


ORDERS = ("id:int", "amount:int", "extra:int", "note:text")


def test_a_breaking_change_that_nobody_meets_is_harmless(world: World, tmp_path: Any) -> None:
    lx = applied(world, tmp_path, orders=text("orders", "1.0.0", *ORDERS))
    report = lx.contracts.change_text(text("orders", "2.0.0", *ORDERS[:3]))
    (judged,) = report.changes
    assert (judged.change.consumer, judged.real, judged.finding) == (
        Severity.breaking,
        Severity.safe,
        "really harmless",
    )
    assert report.exit_code == 0


def test_a_breaking_change_names_its_readers_and_a_too_small_step(world: World, tmp_path: Any) -> None:
    lx = applied(world, tmp_path, orders=text("orders", "1.0.0", *ORDERS))
    report = lx.contracts.change_text(text("orders", "1.1.0", "id:int", "extra:int", "note:text"))
    assert {c.id for c in report.changes[0].consumers} >= {"dataset:pg:report", "dataset:pg:copy", "job:pg:build"}
    assert (report.required_bump, report.bump, report.exit_code) == ("major", "minor", 5)
    assert "| `orders.amount` | BREAKING | BREAKING |" in report.markdown()


def test_a_column_with_very_much_behind_it_has_the_same_readers(
    world: World, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lx = applied(world, tmp_path, orders=text("orders", "1.0.0", *ORDERS))
    new = text("orders", "2.0.0", "id:int", "extra:int", "note:text")

    def datasets() -> set[tuple[str, int]]:
        consumers = lx.contracts.change_text(new).changes[0].consumers
        return {(c.id, c.hops) for c in consumers if c.kind == "dataset"}

    near = datasets()
    monkeypatch.setattr("lineage.contracts.judge.LIMIT", 0)
    assert datasets() == near == {("dataset:pg:report", 1), ("dataset:pg:copy", 1)}


def test_a_wider_type_breaks_a_narrower_promise_downstream(world: World, tmp_path: Any) -> None:
    report_ = text("report", "1.0.0", "total:int")
    lx = applied(world, tmp_path, orders=text("orders", "1.0.0", *ORDERS), report=report_)
    new = text("orders", "1.1.0", "id:int", "amount:bigint", "extra:int", "note:text")
    judged = lx.contracts.change_text(new).changes[0]
    assert (judged.change.what, judged.finding) == ("type.wider", "really breaking")
    assert "narrower than bigint" in judged.notes[0]


def test_a_delay_breaks_the_promise_of_what_is_late_itself_and_a_pull_request_says_why(
    world: World, tmp_path: Any
) -> None:
    promise = "slaProperties:\n  - {property: latency, value: 1, unit: d}\n"
    lx = applied(world, tmp_path, orders=text("orders", "1.0.0", *ORDERS) + promise)
    assert lx.contracts.change_nodes(late={"dataset:pg:orders": 5}).exit_code == 3
    report = lx.contracts.change_nodes(late={"dataset:pg:orders": 30})
    why = "dataset:pg:orders: orders 1.0.0 promises latency of 1 day"
    assert (report.exit_code, report.changes[0].notes) == (4, (why,))
    assert f"- {why}" in report.markdown() and "→ 30 hours late" in report.markdown()


def test_an_added_column_breaks_a_reader_of_every_column(world: World, tmp_path: Any) -> None:
    world.facet(world.job("take"), "sql", {"query": "insert into copy select * from orders"})
    lx = applied(world, tmp_path, orders=text("orders", "1.0.0", *ORDERS))
    judged = lx.contracts.change_text(text("orders", "1.1.0", *ORDERS, "voucher:text")).changes[0]
    assert (judged.change.consumer, judged.real) == (Severity.safe, Severity.breaking)
    assert [c.id for c in judged.consumers] == ["dataset:pg:copy"]


def test_a_report_says_nothing_of_hidden_domains(world: World, tmp_path: Any) -> None:
    lx = applied(world, tmp_path, orders=text("orders", "1.0.0", *ORDERS))
    actor = Actor("eve", frozenset({"bi"}))
    report = lx.contracts.change_text(text("orders", "2.0.0", "id:int", "extra:int", "note:text"), actor=actor)
    assert "report" not in report.markdown()


def test_a_contract_on_a_hidden_dataset_is_hidden(world: World, tmp_path: Any) -> None:
    lx = applied(world, tmp_path, report=text("report", "1.0.0", "total:int"))
    actor = Actor("eve", frozenset({"bi"}))
    assert lx.contracts.list(actor=actor).contracts == ()
    assert lx.contracts.check(actor=actor).promises == ()
    with pytest.raises(MeshlineError):
        lx.contracts.versions("report", actor=actor)
    with pytest.raises(MeshlineError):
        lx.contracts.change_text(text("report", "2.0.0", "sum:int"), actor=actor)


def test_conformance_tells_kept_from_broken_and_unknown(world: World, tmp_path: Any) -> None:
    fields = [{"name": "id", "type": "bigint"}, {"name": "amount", "type": "int"}]
    world.facet(world.dataset("orders"), "schema", {"fields": fields})
    lx = applied(world, tmp_path, orders=text("orders", "1.0.0", *ORDERS), copy=text("copy", "1.0.0", "id:int"))
    found = {(p.dataset, p.promise): p.verdict for p in lx.contracts.check().promises}
    assert found["dataset:pg:orders", "column id"] == "broken"  # wider than promised
    assert found["dataset:pg:orders", "column amount"] == "kept"
    assert found["dataset:pg:orders", "column note"] == "broken"  # not there
    assert found["dataset:pg:copy", "column id"] == "unknown"  # nothing was told


def test_a_draft_is_a_valid_contract_that_binds_its_dataset(world: World, tmp_path: Any) -> None:
    world.facet(world.dataset("orders"), "schema", {"fields": [{"name": "id", "type": "bigint"}]})
    body = Lineage(world.store).contracts.draft("dataset:pg:orders").replace("status: draft", "status: active")
    lx = applied(world, tmp_path, orders=body)
    assert [c.datasets for c in lx.contracts.list().contracts] == [("dataset:pg:orders",)]
    assert {p.verdict for p in lx.contracts.check().promises} == {"kept"}


def test_a_tag_in_a_contract_travels_and_must_be_declared_downstream(world: World, tmp_path: Any) -> None:
    tagged = text("orders", "1.0.0", *ORDERS[:1]) + '      - {name: amount, physicalType: int, tags: ["pii:salary"]}\n'
    lx = applied(world, tmp_path, orders=tagged, report=text("report", "1.0.0", "total:int"))
    found = {(p.dataset, p.promise): p.verdict for p in lx.contracts.check().promises}
    assert found["dataset:pg:orders", "classification amount"] == "kept"
    assert found["dataset:pg:report", "classification total"] == "broken"
