"""A job that hands data on to another without a dataset between them, and what of its inputs may be in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

import lineage
from lineage.answers import Answer
from lineage.engine import Lineage
from lineage.formats import render
from lineage.picture import Scope, picture
from tests.ingest.build import NS, job_event, loaded, run_event

FLOW = {"first": 1, "second": 2, "z": 2}


def node(name: str, kind: str = "dataset") -> str:
    return f"{kind}:{NS}:{name}"


def end(name: str = "", kind: str = "JOB") -> dict[str, str]:
    return {"type": kind, **({"namespace": NS, "name": name} if name else {})}


def lineage_of(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"lineage": {"entries": list(entries)}}


def receives(at: str = "2026-01-01T00:00:00Z") -> bytes:
    """``second`` says that it receives from ``first``, and writes z."""
    facet = lineage_of({**end(), "inputs": [end("first")]})
    return run_event(f"second-{at}", "second", at, outputs=["z"], job_facets=facet)


def first(at: str = "2026-01-01T00:00:00Z", outputs: Any = (), **more: Any) -> bytes:
    """``first`` reads a."""
    return run_event(f"first-{at}", "first", at, inputs=["a"], outputs=outputs, **more)


def engine(*events: bytes) -> Lineage:
    return lineage.open(loaded(*events))


def found(answer: Answer) -> dict[str, int]:
    return {one.id.rpartition(":")[2]: one.hops for one in answer.nodes}


def reaches(lx: Lineage, **when: str) -> bool:
    """Whether a reaches z, asked from both ends."""
    down, up = found(lx.impact(node("a"), **when)), found(lx.provenance(node("z"), **when))
    assert ("z" in down) == ("a" in up)
    return "z" in down


def test_what_a_job_read_is_probably_in_what_it_hands_on() -> None:
    lx = engine(first(), receives())
    down, up = lx.impact(node("a")), lx.provenance(node("z"))
    assert found(down) == FLOW
    assert {one.id: one.certainty for one in down.nodes} == {
        node("first", "job"): "certain",  # it reads a, which is no guess
        node("second", "job"): "probable",
        node("z"): "probable",
    }
    assert found(up) == {"second": 0, "first": 1, "a": 2}
    assert {one.certainty for one in up.nodes if one.kind == "job"} == {"certain"}
    assert [one.certainty for one in up.nodes if one.kind == "dataset"] == ["probable"]
    assert down.blind_spots == ()  # the job hands on what it reads: it is no open end
    assert (down.coverage.edges, down.coverage.certain_edges) == (2, 1)  # to write it is no hop
    assert not lx.impact(node("a"), certainty="certain").nodes[1:]


def test_a_catalogue_may_tell_that_one_job_hands_on_to_another() -> None:
    told = lineage_of({**end("second"), "inputs": [end("first")]})
    lx = engine(first(), run_event("r2", "second", outputs=["z"]), job_event("catalogue", **told))
    assert reaches(lx)


@pytest.mark.parametrize(
    ("entries", "outputs"),
    [
        ([{**end("b", "DATASET"), "inputs": [end("a", "DATASET")]}], ["b"]),  # told where a goes
        ([{**end("b", "DATASET"), "inputs": []}], ["b"]),  # told that nothing goes into b
        ([{**end("b", "DATASET"), "inputs": []}], []),
        ([{**end(), "inputs": [end("c", "DATASET")]}], []),  # told what it hands on
        ([{**end("second"), "inputs": [end()]}], []),  # told that it hands on, and not that of a
    ],
)
def test_a_job_that_told_its_lineage_explicitly_gets_no_product_in_what_it_hands_on(
    entries: list[dict[str, Any]], outputs: list[str]
) -> None:
    assert not reaches(engine(first(outputs=outputs, job_facets=lineage_of(*entries)), receives()))


def test_what_it_told_explicitly_to_take_in_goes_on_for_certain() -> None:
    lx = engine(first(job_facets=lineage_of({**end(), "inputs": [end("a", "DATASET")]})), receives())
    assert {one.certainty for one in lx.impact(node("a")).nodes} == {"certain"}


def test_outputs_of_its_own_get_no_more_than_their_product() -> None:
    lx = engine(first(outputs=["b"]), run_event("r3", "first", inputs=["c"]), receives())
    assert found(lx.impact(node("a"))) == {**FLOW, "b": 1}
    assert found(lx.impact(node("c"))) == {"first": 1}  # no run had c and an output: nobody knows what became of it
    assert found(lx.provenance(node("b"))) == {"first": 0, "a": 1}


def test_it_holds_while_the_one_reads_and_the_other_receives() -> None:
    day = "2026-0{}-01T00:00:00Z"
    told = lineage_of({**end("b", "DATASET"), "inputs": [end("a", "DATASET")]})
    lx = engine(first(day.format(1)), receives(day.format(2)), first(day.format(4), ["b"], job_facets=told))
    for _ in range(2):  # by snapshots of their instants, and on a timeline
        assert not reaches(lx, as_of="2026-01-15")
        assert reaches(lx, as_of="2026-02-15")
        assert reaches(lx, as_of="2026-03-15")
        assert not reaches(lx, as_of="2026-04-15")
    assert not reaches(lx)


def test_a_stale_read_is_a_stale_inflow() -> None:
    runs = [first("2026-01-01T00:00:00Z"), run_event("r9", "first", "2026-01-02T00:00:00Z", inputs=["c"])]
    lx = engine(*runs, receives())
    assert {one.id: one.certainty for one in lx.impact(node("a")).nodes}[node("z")] == "stale"
    assert {one.id: one.certainty for one in lx.impact(node("c")).nodes}[node("z")] == "probable"


def test_every_step_of_the_way_is_an_edge_of_paths_pictures_and_exports() -> None:
    lx = engine(first(), receives())
    steps = [(node("a"), node("first", "job")), (node("first", "job"), node("second", "job"))]
    steps.append((node("second", "job"), node("z")))
    path = lx.path(node("a"), node("z"), every=True)
    assert ([step.id for step in path.path], path.certainty) == ([node("a"), *(dst for _, dst in steps)], "probable")
    assert [(link.src, link.dst) for link in path.links] == steps
    assert [link.certainty for link in path.links] == ["probable", "certain", "certain"]
    view = lx.view()
    for focus in (node("a"), node("z")):
        drawn = picture(view, _index(lx, focus), Scope(upstream=3, downstream=3))
        assert {(edge.src, edge.dst) for edge in drawn.edges} == set(steps)
    answer = lx.impact(node("a"), links=True)
    assert f"{node('first', 'job')}" in render(answer, "graphml")
    assert render(answer, "mermaid").count("-.->") == 1
    assert render(answer, "graphml").count("<edge ") == 3


def _index(lx: Lineage, text: str) -> int:
    snapshot = lx.view().snapshot
    return next(i for i in range(snapshot.n) if snapshot.text(i) == text)


@pytest.mark.parametrize("outputs", [[], ["b"]])
def test_an_export_read_again_gives_the_same_way(outputs: list[str]) -> None:
    answer = engine(first(outputs=outputs), receives()).impact(node("a"), links=True)
    events = render(answer, "openlineage").encode().splitlines()
    assert all(json.loads(event) for event in events)
    again = found(engine(*events).impact(node("a")))
    assert again == found(answer)
