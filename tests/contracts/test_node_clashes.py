"""Policies that a drop, rename, retype, retirement or delay would newly violate, and what they cannot judge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lineage.actor import Actor
from lineage.contracts.report import ChangeReport
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.policies.sandbox import Here
from tests.answers.builder import T0, World
from tests.contracts.test_change import text
from tests.contracts.test_files import PRODUCT, tree

AROUND = "its readers take what it was made of instead"
GRANT = """\
id: g1
product: people
consumer: {kind: domain, name: ads}
purpose: audiences
approver: ben
valid_from: 2026-01-01
expires: 2026-12-31
"""
OWN = """\
id: {id}
title: {id}
severity: {severity}
stage: publication
scope_sql: SELECT id AS subject FROM asset
violation_sql: SELECT id AS subject, 'no' AS message FROM asset WHERE {where}
"""
WAIVER = """\
id: w1
policy: short-names
subject: dataset:pg:crm.safe
requester: ada
approver: grace
reason: moves on
valid_from: 2026-01-01
expires: 2026-06-01
"""


def mesh() -> World:
    """crm.people.mail (pii) is masked into crm.safe.mail, which ads.audience and ads.letters take."""
    made = World()
    for sources, job, target in (("crm.people",), "mask", "crm.safe"), (("crm.safe",), "load", "ads.audience"):
        made.flow(list(sources), job, [target], provenance="column")
        made.run_io(made.run(job, job), job, target, "out")
    made.column_edge(("crm.people", "mail"), ("crm.safe", "mail"), "mask", masking=True)
    made.column_edge(("crm.safe", "mail"), ("ads.audience", "mail"), "load")
    made.facet(made.dataset("crm.people"), "tags", {"tags": [{"key": "pii", "value": "email", "field": "mail"}]})
    made.facet(
        made.dataset("crm.safe"), "schema", {"fields": [{"name": name, "type": "text"} for name in ("mail", "id")]}
    )
    for name in ("crm", "ads"):
        made.domain(name, f"{name}.*")
    return made


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Lineage:
    """The mesh with a contract, a product and a grant, held to the library of policies."""
    made = mesh()
    files = tree(
        tmp_path_factory.mktemp("shipped"),
        contracts__s=text("crm.safe", "1.0.0", "mail:text", "id:text"),
        products__p=PRODUCT.format(id="people", contract="crm.safe") + "domain: crm\nteam: {name: crm}\n",
        grants__g=GRANT,
    )
    apply(made.store, files, at=T0)
    return Lineage(made.store)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lineage]:
    """The mesh held to three policies of its own, one of them in error."""
    policies = {
        "policies__a": OWN.format(id="short-names", severity="low", where="kind = 'dataset' AND length(name) < 10"),
        "policies__b": OWN.format(id="fresh", severity="high", where="last_written < TIMESTAMP '2025-12-31'"),
        "policies__c": OWN.format(id="broken", severity="high", where="writers + nothing > 0"),
        "waivers__w": WAIVER,
    }
    made = mesh()
    apply(made.store, tree(tmp_path_factory.mktemp("own"), **policies), at=T0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lineage.policies.evaluate.Sandbox", Here)  # the wall has tests of its own
        yield Lineage(made.store)


def rehearsed(lx: Lineage, **changes: Any) -> ChangeReport:
    """Within the time of the waiver and the grant."""
    return lx.contracts.change_nodes(as_of="2026-03-01", **changes)


def said(report: ChangeReport) -> set[tuple[str, str, str]]:
    return {(c.policy, c.subject.removeprefix("dataset:pg:"), c.given) for c in report.clashes}


@pytest.mark.parametrize("step", ["dataset:pg:crm.safe", "column:pg:crm.safe:mail", "job:pg:mask"])
def test_a_step_that_masks_cannot_go_without_a_word(shipped: Lineage, step: str) -> None:
    report = rehearsed(shipped, drop=[step])
    assert ("pii-masked-before-leaving", "column:pg:ads.audience:mail", AROUND) in said(report)
    told = next(note for note in report.changes[0].notes if "pii-masked" in note)
    assert f"if {AROUND}: pii:email of column:pg:crm.people:mail arrives unmasked" in told
    assert told in report.markdown().replace("&lt;", "<")
    assert any("other ways they may take are unknown" in note for note in report.notes)


def test_what_a_drop_takes_from_a_contract_and_a_grant_is_told_without_condition(shipped: Lineage) -> None:
    found = said(rehearsed(shipped, drop=["crm.safe"]))
    assert {("contract-finds-its-data", "crm.safe", ""), ("no-zombie-grant", "g1", "")} <= found
    assert ("drift-needs-version", "crm.safe", "") in said(rehearsed(shipped, drop=["crm.safe:mail"]))


def test_a_drop_that_nobody_meets_says_nothing(shipped: Lineage) -> None:
    report = rehearsed(shipped, drop=["ads.audience"])
    assert {policy for policy, _, _ in said(report)} <= {"no-zombie-grant"}
    assert not any("policies on" in note for note in report.notes)


def test_a_rename_into_another_domain_is_held_against_policies_under_its_new_name(shipped: Lineage) -> None:
    report = rehearsed(shipped, rename={"crm.safe": "ads.safe"})
    assert ("contract-finds-its-data", "crm.safe", "") in said(report)
    here = rehearsed(shipped, rename={"crm.safe": "crm.other"})
    assert ("contract-on-crossing", "crm.other", "") in said(here)  # read by ads, and its contract names the old name
    assert ("contract-on-crossing", "ads.safe", "") not in said(report)  # ads reads its own
    assert here.changes[0].real.value == "BREAKING"
    assert any("contracts and waivers do not" in note for note in here.notes)


def test_a_product_that_retires_takes_its_contract_with_it_and_leaves_its_grant(shipped: Lineage) -> None:
    found = said(rehearsed(shipped, retire=["people"]))
    assert ("no-zombie-grant", "g1", "") in found
    assert not any(policy == "contract-finds-its-data" for policy, _, _ in found)
    assert said(rehearsed(shipped, retire=["product:people"])) == found, "as answers name a product"


def test_a_type_that_the_contract_does_not_promise_is_a_drift(shipped: Lineage) -> None:
    report = rehearsed(shipped, retype={"crm.safe:mail": "int"})
    assert said(report) == {("drift-needs-version", "crm.safe", "")}
    assert any("only whether contracts are kept" in note for note in report.notes)
    assert said(rehearsed(shipped, retype={"crm.safe:mail": "string"})) == set()
    assert said(rehearsed(shipped, rename={"crm.safe:mail": "post"})) >= said(report)


def test_a_delay_makes_the_last_write_of_all_that_follows_older(own: Lineage) -> None:
    assert said(rehearsed(own, late={"crm.safe": 12})) == set()
    report = rehearsed(own, late={"crm.safe": 48})
    assert said(report) == {("fresh", "crm.safe", ""), ("fresh", "ads.audience", "")}
    assert report.exit_code == 4


def test_a_name_is_judged_as_it_would_be_and_a_waiver_does_not_follow_it(own: Lineage) -> None:
    report = rehearsed(own, rename={"crm.people": "crm.p"})
    assert said(report) == {("short-names", "crm.p", "")}
    assert report.changes[0].real.value == "BREAKING"  # its readers lose their input
    assert said(rehearsed(own, rename={"crm.safe": "crm.s"})) == {("short-names", "crm.s", "")}
    assert said(rehearsed(own, rename={"crm.people": "persons"})) == set()  # crm.persons: the last part
    assert said(rehearsed(own, drop=["crm.people"])) == set()  # the waived name is not new


def test_a_policy_in_error_is_told_and_never_a_pass(own: Lineage) -> None:
    report = rehearsed(own, drop=["crm.people"])
    assert any("broken could not be evaluated" in note for note in report.notes)


def test_clashes_on_hidden_nodes_are_not_told(shipped: Lineage) -> None:
    report = rehearsed(shipped, drop=["crm.safe"], actor=Actor("eve", frozenset({"ads"})))
    assert "contract-finds-its-data" in {c.policy for c in report.clashes}
    assert "audience" not in report.markdown()
    assert not any("ads" in c.subject for c in report.clashes)
