"""Policies that a change of a contract would newly violate."""

from __future__ import annotations

from pathlib import Path

import pytest

from lineage.actor import Actor
from lineage.contracts.changes import Severity
from lineage.declared import apply
from lineage.engine import Lineage
from tests.answers.builder import T0, World
from tests.contracts.test_change import text
from tests.contracts.test_files import tree

POLICY = """\
id: {id}
title: {id}
severity: {severity}
stage: publication
scope_sql: SELECT DISTINCT dataset AS subject FROM asset_column
violation_sql: >
  SELECT dataset AS subject, name || ' is ' || classification AS message FROM asset_column
  WHERE classification = 'public' AND name = 'note'
"""
WAIVER = """\
id: w1
policy: note-is-internal
subject: dataset:pg:orders
requester: ada
approver: grace
reason: moves on
valid_from: 2026-01-01
expires: 2026-06-01
"""


def version(number: str, level: str) -> str:
    return text("orders", number, "id:int") + f"      - {{name: note, physicalType: text, classification: {level}}}\n"


def world(tmp_path: Path, severity: str = "high", **more: str) -> Lineage:
    made = World()
    made.flow(["orders"], "read", ["report"])
    made.dataset("orders", "id", "note")
    made.domain("sales", "orders")
    policy = POLICY.format(id="note-is-internal", severity=severity)
    apply(made.store, tree(tmp_path, contracts__o=version("1.0.0", "internal"), policies__p=policy, **more), at=T0)
    return Lineage(made.store)


@pytest.mark.parametrize(
    ("severity", "real", "finding"), [("high", "BREAKING", "really breaking"), ("low", "RISKY", "as formal")]
)
def test_a_formally_harmless_change_breaks_a_policy(tmp_path: Path, severity: str, real: str, finding: str) -> None:
    report = world(tmp_path, severity).contracts.change_text(version("1.1.0", "public"))
    (judged,) = report.changes
    assert (judged.change.consumer, judged.real, judged.finding) == (Severity.safe, real, finding)
    assert [(c.policy, c.subject, c.message) for c in report.clashes] == [
        ("note-is-internal", "dataset:pg:orders", "note is public")
    ]
    assert "would be violated" in judged.notes[0]
    assert "note-is-internal" in report.markdown()
    assert report.exit_code == {"BREAKING": 4, "RISKY": 3}[real]


def test_what_is_violated_already_is_no_clash(tmp_path: Path) -> None:
    lx = world(tmp_path)
    old, new = (
        version("1.0.0", "public"),
        version("1.1.0", "public").replace("physicalType: int", "physicalType: bigint"),
    )
    assert lx.contracts.change_text(new, old).clashes == ()


def test_a_waiver_lets_a_clash_pass_and_is_named(tmp_path: Path) -> None:
    lx = world(tmp_path, waivers__w=WAIVER)
    report = lx.contracts.change_text(version("1.1.0", "public"), as_of="2026-03-01")
    assert [(c.outcome, c.waiver) for c in report.clashes] == [("waived", "w1")]
    assert report.changes[0].real is Severity.safe


def test_a_policy_in_error_is_told_and_never_a_pass(tmp_path: Path) -> None:
    broken = POLICY.format(id="broken", severity="high").replace("classification =", "klassification =")
    report = world(tmp_path, policies__q=broken).contracts.change_text(version("1.1.0", "public"))
    assert any("broken could not be evaluated" in note for note in report.notes)


def test_clashes_on_hidden_nodes_are_not_told(tmp_path: Path) -> None:
    lx = world(tmp_path, policies__q=POLICY.format(id="report", severity="high").replace(
        "SELECT dataset AS subject, name", "SELECT 'dataset:pg:report' AS subject, name").replace(
        "SELECT DISTINCT dataset AS subject FROM asset_column", "SELECT id AS subject FROM asset"))  # fmt: skip
    everybody = lx.contracts.change_text(version("1.1.0", "public"))
    assert {c.subject for c in everybody.clashes} == {"dataset:pg:orders", "dataset:pg:report"}
    eve = Actor("eve", frozenset({"unassigned"}))
    report = lx.contracts.change_text(version("1.1.0", "public"), actor=eve)
    assert {c.subject for c in report.clashes} == {"dataset:pg:orders"}
    assert "report" not in report.markdown()


def test_a_column_that_the_new_version_adds_is_no_drift_of_the_schema(tmp_path: Path) -> None:
    made = World()
    made.flow(["orders"], "read", ["report"])
    made.facet(made.dataset("orders", "id"), "schema", {"fields": [{"name": "id", "type": "int"}]})
    apply(made.store, tree(tmp_path, contracts__o=text("orders", "1.0.0", "id:int")), at=T0)
    report = Lineage(made.store).contracts.change_text(text("orders", "1.1.0", "id:int", "voucher:text"))
    assert report.clashes == ()  # of the shipped policies drift-needs-version looks at the schema
    assert report.changes[0].real is Severity.safe
