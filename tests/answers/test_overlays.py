"""Overlays tell what the fields tell of the same nodes, and keep the unknown apart from the bad."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lineage import annotators
from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.jsonable import to_json
from lineage.overlays import BY
from tests.answers.builder import T0, World
from tests.answers.test_api import client_of, get


@pytest.fixture
def lx(world: World) -> Lineage:
    """raw → a → b, b tested; a belongs to sales."""
    world.flow(["raw"], "ja", ["a"])
    world.flow(["a"], "jb", ["b"])
    world.assertion(world.dataset("b"), "not_null", "fail")
    world.domain("sales", "a")
    return Lineage(world.store)


@pytest.mark.parametrize("by", BY)
def test_every_step_is_on_the_scale_or_unknown(lx: Lineage, by: str) -> None:
    found = lx.overlay(by, now=T0 + timedelta(hours=1))
    steps = {step for _, step in found.scale}
    assert all(mark.step is None or mark.step in steps for mark in found.marks)
    assert found.unknown == sum(mark.step is None for mark in found.marks)


def test_quality_is_that_of_the_annotators(lx: Lineage) -> None:
    view = lx.view()
    nodes = [i for i in range(view.snapshot.n) if view.kind(i) == "dataset"]
    told = {view.label(i): row["quality"] for i, row in zip(nodes, annotators.annotate(view, nodes), strict=True)}
    marks = {mark.id: mark for mark in lx.overlay("quality").marks}
    assert {label: marks[label].step is None for label in told} == {label: told[label] is None for label in told}


def test_what_was_made_after_the_earlier_instant_is_new(lx: Lineage) -> None:
    found = lx.overlay("change", since="2025-12-01")
    assert {mark.text for mark in found.marks if mark.id == "dataset:pg:a"} == {"new"}
    assert lx.overlay("change", since="2026-02-01").marks == ()


def test_a_hidden_domain_has_no_mark(lx: Lineage) -> None:
    actor = Actor("bob", frozenset({"sales"}))
    for by in BY:
        assert "dataset:pg:a" not in {mark.id for mark in lx.overlay(by, actor=actor).marks}


def test_the_interface_gives_the_same_and_refuses_other_overlays(lx: Lineage) -> None:
    body = get(client_of(lx), "/api/v2/overlay", by="quality", node="dataset:pg:b", as_of="2026-01-02")
    assert body["marks"] == to_json(lx.overlay("quality", nodes=["dataset:pg:b"], as_of="2026-01-02").marks)
    with pytest.raises(UsageError, match="mood"):
        lx.overlay("mood")
