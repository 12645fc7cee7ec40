"""A picture written as OpenLineage is what is on the screen: every card, every arrow, and nothing of what is hidden."""

from __future__ import annotations

import json

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.formats import render
from lineage.picture_answer import answer_of
from tests.answers.builder import World


def test_every_card_is_an_event_and_every_arrow_is_declared_once() -> None:
    world = World()
    world.flow(["a", "b"], "job", ["c"], provenance="explicit")
    world.flow(["c"], "last", ["secret.d"])
    world.column_edge(("a", "x"), ("c", "y"), "job", type="DIRECT")
    world.domain("hidden", "secret.*")
    world.event(1)
    with Lineage(world.store, owns_store=True) as lx:
        picture = lx.picture("dataset:pg:c", columns=True)
        events = [json.loads(line) for line in render(answer_of(picture), "openlineage").splitlines()]
        assert {event["dataset"]["name"] for event in events} == {node.name for node in picture.nodes}
        declared = {
            (source["name"], event["dataset"]["name"])
            for event in events
            for source in event["dataset"]["facets"].get("lineage", {}).get("inputs", ())
        }
        assert declared == {(e.src.rpartition(":")[2], e.dst.rpartition(":")[2]) for e in picture.edges}
        fields = next(e for e in events if e["dataset"]["name"] == "c")["dataset"]["facets"]["columnLineage"]["fields"]
        assert [one["field"] for one in fields["y"]["inputFields"]] == ["x"]
        blind = lx.picture("dataset:pg:c", actor=Actor("x", hidden_domains=frozenset({"hidden"})))
        assert "secret" not in render(answer_of(blind), "openlineage")
