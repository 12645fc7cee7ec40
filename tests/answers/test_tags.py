"""Tags travel with values, stop where they are masked or where somebody approved it, and leave with their source."""

from __future__ import annotations

import random
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as cases
from hypothesis import strategies as st

from lineage.actor import LOCAL, Actor
from lineage.cli import run
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.errors import UnknownNodeError, UnknownTagError, UsageError
from lineage.graph.column_flow import ColumnFlow
from lineage.propagation import Seed, Stop, matches, propagate
from lineage.store import Store
from lineage.tags import Tags, column_tags, tags
from tests.answers.builder import World, at
from tests.answers.test_api import client_of, get

CONTRACT = """\
apiVersion: v3.0.2
kind: DataContract
id: people
version: 1.0.0
status: active
domain: hr
schema:
  - name: people
    customProperties: [{property: openlineage.namespace, value: pg}, {property: openlineage.name, value: people}]
    properties: [{name: account, tags: ["pii:iban"]}]
"""


def tagged(world: World, dataset: str, *fields: str, tag: str = "pii", **values: object) -> None:
    body = {"tags": [{"key": tag, "value": "true", **({"field": name} if name else {})} for name in fields]}
    world.facet(world.dataset(dataset), "tags", body, **values)


def where(answer: Tags) -> dict[str, tuple[int, str]]:
    return {row.id.removeprefix("column:pg:"): (row.hops, row.use) for row in answer.found}


@pytest.fixture
def people(world: World) -> World:
    """raw.email → clean.email → mart.email; clean.email is hashed into mart.key and filters report."""
    world.flow(["raw"], "load", ["clean"], provenance="column")
    world.flow(["clean"], "build", ["mart"], provenance="column")
    world.flow(["clean"], "count", ["report"], provenance="column")
    world.dataset("report", "n")
    world.column_edge(("raw", "email"), ("clean", "email"), "load")
    world.column_edge(("clean", "email"), ("mart", "email"), "build")
    world.column_edge(("clean", "email"), ("mart", "key"), "build", subtype="TRANSFORMATION", masking=True)
    world.column_edge(("clean", "email"), ("report", ""), "count", type="INDIRECT", subtype="FILTER")
    tagged(world, "raw", "email")
    return world


def test_a_tag_goes_where_the_value_goes_and_carries_its_shortest_witness(people: World) -> None:
    answer = Lineage(people.store).tags()
    assert where(answer) == {"raw:email": (0, "direct"), "clean:email": (1, "direct"), "mart:email": (2, "direct")}
    last = answer.found[-1]
    assert last.path == ("column:pg:raw:email", "column:pg:clean:email", "column:pg:mart:email")
    assert (last.origin, last.told_by, last.tag) == ("column:pg:raw:email", "facet", "pii")


def test_a_masking_transformation_stops_it_and_the_answer_names_the_edge(people: World) -> None:
    (stop,) = Lineage(people.store).tags(tag="pii").stopped
    assert (stop.src, stop.dst, stop.why) == ("column:pg:clean:email", "column:pg:mart:key", "masked")


def test_one_unmasked_transformation_beside_a_masking_one_lets_the_tag_pass(people: World) -> None:
    people.column_edge(("clean", "email"), ("mart", "key"), "other")
    assert where(Lineage(people.store).tags())["mart:key"] == (2, "direct")


def test_indirect_use_counts_only_when_it_is_asked_for_and_reaches_every_column(people: World) -> None:
    found = where(Lineage(people.store).tags(indirect=True))
    assert found["report:n"] == (2, "indirect")
    assert found["dataset:pg:report"] == (2, "indirect")
    assert found["mart:email"] == (2, "direct") and "mart:key" not in found
    row = next(row for row in Lineage(people.store).tags("report", indirect=True).found if row.kind == "column")
    assert row.path == ("column:pg:raw:email", "column:pg:clean:email", "column:pg:report:n")


def test_a_tag_leaves_with_its_source(people: World) -> None:
    people.facet(people.dataset("late"), "tags", {"tags": []})
    tagged(people, "clean", "email", tag="secret", valid_to=at("2026-03-01"))
    lx = Lineage(people.store)
    assert where(lx.tags(tag="secret", as_of="2026-02-01")) == {
        "clean:email": (0, "direct"),
        "mart:email": (1, "direct"),
    }
    assert lx.tags(tag="secret", as_of="2026-04-01").found == ()


def test_what_was_learned_later_is_not_known_before(people: World) -> None:
    tagged(people, "clean", "email", tag="secret", known_from=at("2026-03-01"))
    lx = Lineage(people.store)
    with pytest.raises(UnknownTagError):
        lx.tags(tag="secret", known_at="2026-02-01")
    assert len(lx.tags(tag="secret").found) == 2


def test_an_approved_stop_is_named_with_who_approved_it(people: World) -> None:
    view = Lineage(people.store).view()
    mart = view.snapshot.index(people.dataset("mart"))
    assert mart is not None
    answer = tags(view, stops=[Stop(mart, "pii", "dpo", "aggregated")])
    assert where(answer).keys() == {"raw:email", "clean:email"}
    assert ("column:pg:mart:email", "approved", "dpo") in [(s.dst, s.why, s.by) for s in answer.stopped]


def test_a_tag_on_a_dataset_holds_for_its_columns_and_one_on_a_struct_for_what_is_inside(world: World) -> None:
    world.dataset("a", "x", "s", "s.y")
    world.column_edge(("a", "x"), ("b", "x"))
    world.column_edge(("a", "s.y"), ("b", "y"))
    tagged(world, "a", "", tag="secret")
    tagged(world, "a", "s", tag="pii", place="outputFacets")
    lx = Lineage(world.store)
    assert where(lx.tags(tag="secret"))["b:x"] == (1, "direct")
    assert where(lx.tags(tag="pii")).keys() == {"a:s", "a:s.y", "b:y"}


def test_lineage_without_columns_makes_the_answer_blind_and_not_clean(people: World) -> None:
    people.flow(["mart"], "export", ["file"])
    lx = Lineage(people.store)
    answer = lx.tags("file")
    assert (answer.verdict, answer.found) == ("blind", ())
    assert answer.blind_spots == (
        "dataset:pg:file: comes from dataset:pg:mart, which carries pii, without columns told",
    )
    tagged(people, "raw", "phone", tag="other")
    assert people.store is lx.store and lx.tags("dataset:pg:file", tag="other").verdict == "none"


def test_a_value_is_part_of_a_tag_and_the_key_finds_all_values(people: World) -> None:
    people.facet(people.dataset("clean"), "tags", {"tags": [{"key": "pii", "value": "name", "field": "full"}]})
    people.node("column", "clean", "full")
    lx = Lineage(people.store)
    assert {row.tag for row in lx.tags(tag="pii").found} == {"pii", "pii:name"}
    assert [row.id for row in lx.tags(tag="pii:name").found] == ["column:pg:clean:full"]


def test_hidden_columns_are_neither_listed_nor_named_on_a_path(people: World) -> None:
    people.domain("hr", "clean", "load")
    actor = Actor("nosy", hidden_domains={"hr"})
    answer = Lineage(people.store).tags(indirect=True, actor=actor)
    text = repr(answer)
    assert "clean" not in text and answer.stopped == ()
    path = next(row.path for row in answer.found if row.id == "column:pg:mart:email")
    assert path == ("column:pg:raw:email", "hidden (domain hr)", "column:pg:mart:email")


def test_the_route_gives_the_engines_answer(people: World) -> None:
    api = client_of(Lineage(people.store))
    body = get(api, "/api/v2/tags", node="mart", tag="pii")
    assert [row["id"] for row in body["found"]] == ["column:pg:mart:email"]
    assert api.get("/api/v2/tags", params={"node": "nothing"}).status_code == 404


def test_a_job_and_an_unknown_node_are_refused(people: World) -> None:
    lx = Lineage(people.store)
    with pytest.raises(UsageError, match="tags are on datasets and columns"):
        lx.tags("job:pg:load")
    with pytest.raises(UnknownNodeError):
        lx.tags("nowhere")


def test_where_the_value_comes_its_shortest_way_is_told_though_a_filter_is_shorter(world: World) -> None:
    tagged(world, "s", "x")
    world.column_edge(("s", "x"), ("m", "x"))
    world.column_edge(("m", "x"), ("t", "x"))
    world.column_edge(("s", "x"), ("t", "x"), type="INDIRECT", subtype="FILTER")
    row = next(r for r in Lineage(world.store).tags(tag="pii", indirect=True).found if r.id == "column:pg:t:x")
    assert (row.hops, row.use, row.path) == (2, "direct", ("column:pg:s:x", "column:pg:m:x", "column:pg:t:x"))


def test_an_empty_database_has_no_tags(world: World) -> None:
    answer = Lineage(world.store).tags()
    assert (answer.verdict, answer.found, answer.blind_spots) == ("none", (), ())


def test_all_tags_as_a_table_for_sql_name_origin_and_previous_step(people: World) -> None:
    view = Lineage(people.store).view()
    table = column_tags(view.instant).to_pylist()
    assert [(row["field"], row["hops"]) for row in table] == [("email", 0), ("email", 1), ("email", 2)] or len(
        table
    ) == 3
    last = next(row for row in table if row["hops"] == 2)
    assert last["origin"] == next(row["column"] for row in table if row["hops"] == 0)
    assert last["previous"] == next(row["column"] for row in table if row["hops"] == 1)
    assert next(row["previous"] for row in table if row["hops"] == 0) is None


# -- the search itself, against plain breadth-first searches

DATASETS, WIDTH = 6, 4
N = DATASETS * (WIDTH + 1)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[tuple[int, int, int]], list[Seed], list[Stop]]:
    column, node = st.integers(DATASETS, N - 1), st.integers(0, N - 1)
    edges = draw(st.lists(st.tuples(column, node, st.integers(0, 2)), max_size=40))
    words = st.sampled_from([f"t{k}" for k in range(70)])
    seeds = draw(st.lists(st.builds(Seed, node, words), max_size=80))
    stops = draw(st.lists(st.builds(Stop, node, st.one_of(st.none(), words), st.just("x")), max_size=3))
    return edges, seeds, stops


def flow_of(edges: list[tuple[int, int, int]]) -> ColumnFlow:
    """Of edges (src, dst, 0 direct / 1 masked / 2 indirect); what affects all rows is indirect."""
    best = {(s, d): use for s, d, use in reversed(edges) if s != d}
    pairs = sorted(best)
    use = np.array([2 if d < DATASETS else best[s, d] for s, d in pairs], dtype=np.int64)
    src, dst = (np.array([p[k] for p in pairs], dtype=np.uint32) for k in (0, 1))
    columns = np.arange(DATASETS, N + 1, WIDTH, dtype=np.int64)
    return ColumnFlow(N, src, dst, use == 0, use == 1, columns)


def plain(flow: ColumnFlow, seeds: list[Seed], stops: list[Stop], tag: str, indirect: bool) -> dict[int, int]:
    """Hops of one tag, by networkx: a graph in which the step from a dataset to its columns has length 0."""
    blocked: set[int] = set()
    for stop in stops:
        if stop.tag is None or matches(stop.tag, tag):
            blocked |= {stop.node}
            if stop.node < flow.datasets:
                blocked |= set(range(int(flow.columns[stop.node]), int(flow.columns[stop.node + 1])))
    graph = nx.DiGraph()
    graph.add_node("origin")
    for k in range(len(flow.src)):
        if not flow.masked[k] if indirect else flow.direct[k]:
            graph.add_edge(int(flow.src[k]), int(flow.dst[k]), length=1)
    for d in range(flow.datasets):
        for c in range(int(flow.columns[d]), int(flow.columns[d + 1])):
            graph.add_edge(d, c, length=0)
    own = {seed.node for seed in seeds if seed.tag == tag}
    graph.remove_edges_from([edge for edge in graph.edges if edge[1] in blocked])
    graph.add_edges_from([("origin", node) for node in own], length=0)
    found: dict[int, int] = nx.single_source_dijkstra_path_length(graph, "origin", weight="length")
    return {node: hops for node, hops in found.items() if node != "origin"}


@cases(max_examples=40)
@given(worlds(), st.booleans(), st.randoms(use_true_random=False))
def test_every_tag_is_where_a_search_of_its_own_finds_it(
    world: tuple[list[tuple[int, int, int]], list[Seed], list[Stop]], indirect: bool, order: random.Random
) -> None:
    edges, seeds, stops = world
    flow = flow_of(edges)
    spread = propagate(flow, seeds, stops, indirect=indirect)
    shuffled = seeds * 2
    order.shuffle(shuffled)
    again = propagate(flow, shuffled, stops[::-1], indirect=indirect)
    for tag in {seed.tag for seed in seeds}:
        carried = spread.carried(tag)
        assert dict(zip(carried.nodes.tolist(), carried.hops.tolist(), strict=True)) == plain(
            flow, seeds, stops, tag, indirect
        )
        assert carried.parent.tolist() == again.carried(tag).parent.tolist()
        for node, hops in zip(carried.nodes.tolist(), carried.hops.tolist(), strict=True):
            path = carried.path(node)
            steps = sum(step >= DATASETS for step in path[:-1])
            assert steps == hops and Seed(path[0], tag) in seeds and tag in spread.of(node)


def test_the_command_prints_a_table_and_csv(
    people: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lineage.engine.open", lambda path: Lineage(people.store))
    assert run(["tags", "--tag", "pii"]) == 0
    assert "stops between" in capsys.readouterr().out
    assert run(["tags", "mart", "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("pii,2,column:pg:mart:email,column,direct")


@pytest.mark.parametrize("node", [None, "mart"])
def test_a_tag_that_nobody_tells_is_unknown_through_every_door(
    node: str | None, people: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tagged(people, "raw", "email", tag="secret")
    lx = Lineage(people.store)
    for asked, near in (("pij", ["pii"]), ("PII", ["pii"]), ("secrets", ["secret"]), ("nothing like it", [])):
        with pytest.raises(UnknownTagError) as unknown:
            lx.tags(node, tag=asked)
        assert unknown.value.candidates == near
        route = client_of(lx).get("/api/v2/tags", params={"tag": asked, **({"node": node} if node else {})})
        assert (route.status_code, route.json()["error"]) == (404, "UnknownTagError")
        assert route.json()["candidates"] == near
    monkeypatch.setattr("lineage.engine.open", lambda path: Lineage(people.store))
    for format in ("table", "json", "csv"):
        assert run(["tags", *([node] if node else []), "--tag", "pij", "--format", format]) == 2
        told = capsys.readouterr()
        assert (told.out, told.err.splitlines()) == ("", ["meshline: There is no tag “pij”. Did you mean:", "  pii"])


def test_a_tag_that_is_elsewhere_or_was_once_told_is_none_and_not_unknown(
    people: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tagged(people, "report", "n", tag="secret", valid_to=at("2026-03-01"))
    people.dataset("far", "x")
    lx = Lineage(people.store)
    assert lx.tags("far", tag="pii").verdict == lx.tags("mart", tag="secret").verdict == "none"
    assert lx.tags(tag="secret").verdict == lx.tags(tag="secret", as_of="2025-01-01").verdict == "none"
    monkeypatch.setattr("lineage.engine.open", lambda path: Lineage(people.store))
    assert run(["tags", "far", "--tag", "pii"]) == 0
    assert "The tag “pii” is not here, and nothing is missing that could bring it." in capsys.readouterr().out


def test_a_tag_of_hidden_nodes_alone_is_unknown_and_no_candidate(people: World) -> None:
    people.dataset("clean", "id")
    tagged(people, "clean", "id", tag="secret")
    tagged(people, "clean", "id", tag="secrets", place="outputFacets", valid_to=at("2026-03-01"))
    people.domain("hr", "clean", "load")
    lx, eve = Lineage(people.store), Actor("eve", hidden_domains={"hr"})
    assert lx.tags(tag="secret").verdict == "found" and lx.tags(tag="secrets").verdict == "none"
    told = set()
    for asked in ("secret", "secrets", "secret9"):
        for node in (None, "mart"):
            with pytest.raises(UnknownTagError) as unknown:
                lx.tags(node, tag=asked, actor=eve)
            assert unknown.value.candidates == []
            told.add(str(unknown.value).replace(asked, ""))
    assert len(told) == 1 and lx.tags(tag="pii", actor=eve).verdict == "found"


def test_a_tag_that_only_a_contract_tells_is_known_while_it_binds_nothing(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "c.yaml").write_text(CONTRACT)
    with Store.open(":memory:") as store:
        apply(store, tmp_path)
        lx = Lineage(store)
        assert lx.tags(tag="pii:iban").verdict == "none"
        for unknown, actor in (("pii:ibann", LOCAL), ("pii:iban", Actor("eve", hidden_domains={"hr"}))):
            with pytest.raises(UnknownTagError):
                lx.tags(tag=unknown, actor=actor)


def test_a_mesh_without_personal_data_has_an_overlay_all_the_same(world: World) -> None:
    world.dataset("a", "x")
    (mark,) = Lineage(world.store).overlay("policy").marks
    assert "broken" in mark.text and "PII" not in mark.text
