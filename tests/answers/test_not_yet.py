"""A node that was not known yet, or not there yet, is told so through every door, and a hidden one not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import MeshlineError, NotYetKnownError, UnknownNodeError
from lineage.partial import gathered
from tests.answers.builder import World, at, only_asked
from tests.answers.test_api import client_of
from tests.ingest.build import loaded, run_event

EARLY = "2026-01-05"
SINCE = "2026-03-01T00:00:00Z"
DROP = {"lifecycleStateChange": {"lifecycleStateChange": "DROP"}}
Ask = Callable[..., Any]
QUESTIONS: dict[str, Ask] = {
    "show": Lineage.show,
    "impact": Lineage.impact,
    "provenance": Lineage.provenance,
    "run_provenance": Lineage.run_provenance,
    "path": lambda lx, node, **when: lx.path(node, node, **when),
    "history": lambda lx, node, **when: lx.history(node=node, **when),
    "tags": Lineage.tags,
    "picture": Lineage.picture,
    "gate": lambda lx, node, **when: lx.quality.gate(node, **when),
    "quality": lambda lx, node, **when: lx.quality.explain(node, **when),
    "schemas": lambda lx, node, **when: lx.schemas.versions(node, **when),
}


@pytest.fixture(scope="module")
def late() -> Iterator[Lineage]:
    """Something old, and a dataset with a column that is known since March."""
    world = World()
    world.flow(["old"], "work", ["older"])
    world.node("dataset", "hr.late", known=at("2026-03-01"))
    world.node("column", "hr.late", "x", known=at("2026-03-01"))
    world.domain("hr", "hr.*")
    with only_asked(world) as store:
        yield Lineage(store)


@pytest.mark.parametrize("question", sorted(QUESTIONS))
@pytest.mark.parametrize("text", ["dataset:pg:hr.late", "late", "pg:hr.late", '["dataset", "pg", "hr.late"]'])
def test_what_was_not_known_yet_is_said_to_be_known_since(late: Lineage, question: str, text: str) -> None:
    with pytest.raises(NotYetKnownError) as caught:
        QUESTIONS[question](late, text, known_at=EARLY)
    said = f"dataset:pg:hr.late was not known yet at 2026-01-05T00:00:00Z; it is first known at {SINCE}."
    assert str(caught.value) == said and caught.value.candidates == []


def test_a_column_that_was_not_known_yet_is_told_too(late: Lineage) -> None:
    with pytest.raises(NotYetKnownError, match=f"column:pg:hr.late:x was not known yet .* {SINCE}"):
        late.impact("column:pg:hr.late:x", known_at=EARLY)


def test_rest_tells_the_time_of_what_was_not_known_yet(late: Lineage) -> None:
    answer = client_of(late).get("/api/v2/impact", params={"node": "late", "known_at": EARLY})
    body = answer.json()
    assert (answer.status_code, body["error"], body["candidates"]) == (404, "NotYetKnownError", [])
    assert (body["node"], body["known_at"], body["since"]) == ("dataset:pg:hr.late", "2026-01-05T00:00:00Z", SINCE)


@pytest.mark.parametrize("text", ["dataset:pg:hr.late", "late", "column:pg:hr.late:x"])
def test_of_a_hidden_node_it_is_not_told_that_it_came_later(late: Lineage, text: str) -> None:
    actor = Actor("nosy", hidden_domains={"hr"})
    with pytest.raises(UnknownNodeError) as caught:
        late.impact(text, known_at=EARLY, actor=actor)
    assert not isinstance(caught.value, NotYetKnownError) and SINCE not in str(caught.value)


def test_what_nobody_ever_named_stays_unknown(late: Lineage) -> None:
    with pytest.raises(UnknownNodeError) as caught:
        late.impact("dataset:pg:never", known_at=EARLY)
    assert not isinstance(caught.value, NotYetKnownError)


@pytest.mark.parametrize("question", ["show", "history", "tags", "picture", "gate", "quality", "schemas"])
def test_answers_without_a_place_for_it_note_that_a_node_was_not_there_yet(question: str) -> None:
    lx = Lineage(loaded(run_event("r1", inputs=["a"], outputs=["b"])))
    with gathered() as notes:
        QUESTIONS[question](lx, "dataset:warehouse:b", as_of="2025-06-01")
    told = "dataset:warehouse:b: was not there yet at 2025-06-01T00:00:00Z; it is first told of at 2026-01-01T00:00:00Z"
    assert told in notes
    with gathered() as notes:
        QUESTIONS[question](lx, "dataset:warehouse:b", as_of="2026-02-01")
    assert not notes


def test_a_note_says_nothing_of_a_hidden_node() -> None:
    world = World()
    world.flow(["hr.a"], "work", ["b"], valid_from=at("2026-02-01"))
    world.domain("hr", "hr.*")
    with gathered() as notes:
        try:
            Lineage(world.store).show("dataset:pg:hr.a", as_of=EARLY, actor=Actor("x", hidden_domains={"hr"}))
        except MeshlineError as error:
            assert "2026-02-01" not in str(error)
    assert not notes


def test_runs_behind_what_was_not_there_yet_or_was_dropped() -> None:
    lx = Lineage(
        loaded(
            run_event("r1", at="2026-01-01T00:00:00Z", inputs=["a"], outputs=["b"]),
            run_event("r2", "clean", at="2026-01-05T00:00:00Z", outputs=[("b", DROP)]),
        )
    )
    for node in ("dataset:warehouse:b", "job:warehouse:load"):
        early = lx.run_provenance(node, as_of="2025-06-01")
        assert early.blind_spots == (
            f"{node}: was not there yet at 2025-06-01T00:00:00Z; it is first told of at 2026-01-01T00:00:00Z",
        )
    gone = "dataset:warehouse:b: was dropped at 2026-01-05T00:00:00Z"
    assert gone in lx.provenance("dataset:warehouse:b").blind_spots
    assert gone in lx.run_provenance("dataset:warehouse:b").blind_spots
    assert gone not in lx.provenance("dataset:warehouse:b", as_of="2026-01-02").blind_spots


@pytest.mark.parametrize("node", ["dataset:warehouse:b", "column:warehouse:b:x"])
def test_impact_of_what_was_dropped_says_since_when_it_is_gone(node: str) -> None:
    schema = {"schema": {"fields": [{"name": "x", "type": "int"}]}}
    lx = Lineage(
        loaded(
            run_event("r1", at="2026-01-01T00:00:00Z", inputs=["a"], outputs=[("b", schema)]),
            run_event("r2", "use", at="2026-01-02T00:00:00Z", inputs=["b"], outputs=["c"]),
            run_event("r3", "clean", at="2026-01-05T00:00:00Z", outputs=[("b", DROP)]),
        )
    )
    answer = lx.impact(node)
    assert answer.nodes == ()
    assert "dataset:warehouse:b: was dropped at 2026-01-05T00:00:00Z" in answer.notes
    assert lx.impact("dataset:warehouse:b", as_of="2026-01-03").notes == ()
    told = client_of(lx).get("/api/v2/impact", params={"node": node}).json()
    assert answer.notes == tuple(told["notes"])
