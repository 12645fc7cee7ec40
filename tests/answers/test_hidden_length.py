"""How long a way through hidden nodes is, is not told: of a short chain of them and of a long one answers are alike."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import networkx as nx
import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from tests.answers.builder import World
from tests.answers.test_api import client_of
from tests.answers.test_limits import HOW, random_world
from tests.answers.test_many_hidden import told

EVE = Actor("eve", hidden_domains={"hr"})
X, Y, Z = (f"dataset:pg:{name}" for name in "xyz")


def mesh(long: int, *, explicit: bool = True) -> Lineage:
    """v → x → so many hidden ones → y → z, as tables and as columns, with runs; x → a → b → y is a visible way."""
    world = World()
    how = {"provenance": "explicit"} if explicit else {}
    chain = ["x", *(f"h{n}" for n in range(long)), "y"]
    steps = [("v", "x"), *pairwise(chain), ("y", "z"), ("x", "a"), ("a", "b"), ("b", "y2")]
    for src, dst in steps:
        job = f"hid_{src}_{dst}" if dst[0] == "h" else f"to_{dst}"
        world.flow([src], job, [dst], **how)
        world.column_edge((src, "id"), (dst, "id"), job)
        world.column_edge((src, "id"), (dst, ""), job, type="INDIRECT", subtype="FILTER")
        run = world.run(job, f"run of {job}")
        world.run_io(run, job, src, "in")
        world.run_io(run, job, dst, "out")
    tags = {"tags": [{"key": "pii", "value": "email", "field": "id"}]}
    world.facet(world.dataset("v"), "tags", tags)
    world.domain("hr", "h*", "hid_*")
    world.domain("bi", "x", "y", "z", "v", "a", "b")
    return Lineage(world.store)


def limits() -> Iterator[tuple[str, dict[str, Any]]]:
    for n in range(6):
        yield f"depth {n}", {"depth": n}
        yield f"hops {n}", {"hops": n}
        if n:
            yield f"max_nodes {n}", {"max_nodes": n}


def graph_of(lx: Lineage, level: str) -> Any:
    """Nodes and edges that networkx has."""
    graph = lx.graph(level, actor=EVE)
    return sorted(map(repr, graph.nodes(data=True))), sorted(map(repr, graph.edges(data=True)))


ASK: dict[str, Callable[[Lineage], Any]] = {
    "impact": lambda lx: lx.impact(X, actor=EVE, links=True),
    "impact of columns": lambda lx: lx.impact("column:pg:x:id", actor=EVE, links=True),
    "impact of all levels": lambda lx: lx.impact(X, kinds="column,dataset,job,domain", actor=EVE),
    "impact with bridges": lambda lx: lx.impact(X, bridge=True, actor=EVE, links=True),
    "impact of a job": lambda lx: lx.impact("job:pg:to_x", actor=EVE),
    "impact of a domain": lambda lx: lx.impact("domain:bi", actor=EVE),
    "impact of what is certain": lambda lx: lx.impact(X, certainty="certain", actor=EVE),
    "provenance": lambda lx: lx.provenance(Z, actor=EVE, links=True),
    "provenance of columns": lambda lx: lx.provenance("column:pg:z:id", actor=EVE),
    "provenance of a job": lambda lx: lx.provenance("job:pg:to_z", actor=EVE),
    "counts": lambda lx: lx.impact_counts(X, actor=EVE),
    "counts of a column": lambda lx: lx.impact_counts("column:pg:x:id", actor=EVE),
    "path": lambda lx: lx.path(X, Z, every=True, actor=EVE),
    "path of columns": lambda lx: lx.path("column:pg:x:id", "column:pg:z:id", every=True, actor=EVE),
    "path to a job": lambda lx: lx.path(X, "job:pg:to_z", actor=EVE),
    "column trace": lambda lx: lx.column_trace("column:pg:x:id", actor=EVE),
    "runs": lambda lx: lx.run_provenance(Z, actor=EVE),
    "tags": lambda lx: lx.tags(actor=EVE),
    "tags with filters": lambda lx: lx.tags(indirect=True, actor=EVE),
    "rehearsal": lambda lx: lx.rehearse(drop=[X], actor=EVE),
    "rehearsal of a column": lambda lx: lx.rehearse(drop=["column:pg:x:id"], actor=EVE),
    "cause": lambda lx: lx.cause([Z, "dataset:pg:b"], actor=EVE),
    "rank": lambda lx: lx.rank(actor=EVE),
    "rank of columns": lambda lx: lx.rank(level="column", actor=EVE),
    "dead": lambda lx: lx.dead(actor=EVE),
    "mesh": lambda lx: lx.mesh("job", actor=EVE),
    "show": lambda lx: lx.show(X, actor=EVE),
    "attention": lambda lx: lx.attention(actor=EVE, now=lx.view().as_of),
    "gate": lambda lx: lx.quality.gate(Z, actor=EVE),
    "drill": lambda lx: lx.quality.drill(X, "late", actor=EVE),
    "networkx": lambda lx: graph_of(lx, "dataset"),
    "networkx of columns": lambda lx: graph_of(lx, "column"),
    "networkx of runs": lambda lx: graph_of(lx, "run"),
    **{
        f"picture {n}, {'with' if jobs else 'without'} jobs": (
            lambda lx, n=n, jobs=jobs: lx.picture(X, upstream=1, downstream=n, jobs=jobs, actor=EVE)
        )
        for n in range(6)
        for jobs in (False, True)
    },
    **{f"marquez {n}": (lambda lx, n=n: lx.marquez(X, depth=n, actor=EVE)) for n in range(1, 6)},
    **{f"impact, {name}": (lambda lx, limit=limit: lx.impact(X, actor=EVE, **limit)) for name, limit in limits()},
    **{
        f"impact of columns, {name}": (lambda lx, limit=limit: lx.impact(X, kinds="column", actor=EVE, **limit))
        for name, limit in limits()
    },
    **{
        f"provenance, {name}": (lambda lx, limit=limit: lx.provenance(Z, actor=EVE, **limit))
        for name, limit in limits()
    },
    **{f"runs {n}": (lambda lx, n=n: lx.run_provenance(Z, depth=n, actor=EVE)) for n in range(5)},
}


@pytest.fixture(scope="module")
def worlds() -> tuple[Lineage, Lineage]:
    """The same with two hidden nodes in a row and with five."""
    return mesh(2), mesh(5)


@pytest.mark.parametrize("question", ASK)
def test_the_same_is_told_of_two_hidden_nodes_in_a_row_and_of_five(
    question: str, worlds: tuple[Lineage, Lineage]
) -> None:
    few, many = (json.dumps(told(ASK[question](lx)), indent=1, sort_keys=True, default=str) for lx in worlds)
    assert few == many


def test_a_hidden_stretch_is_one_step(worlds: tuple[Lineage, Lineage]) -> None:
    for lx in worlds:
        hops = {row.id: row.hops for row in lx.impact(X, kinds="dataset", actor=EVE).nodes}
        assert hops == {"dataset:pg:a": 1, "hidden (domain hr)": 1, Y: 2, "dataset:pg:b": 2, Z: 3, "dataset:pg:y2": 3}
        assert {row.id: row.hops for row in lx.impact(X, kinds="dataset").nodes}[Y] > 2  # for who may see them
        for row in lx.impact(X, actor=EVE).nodes:
            assert len(row.path) <= row.hops + 2


def test_rest_tells_no_length(worlds: tuple[Lineage, Lineage]) -> None:
    paths = (
        "impact?node=dataset:pg:x&depth=2",
        "provenance?node=dataset:pg:z&hops=2",
        "impact/counts?node=dataset:pg:x",
    )
    for path in paths:
        few, many = (told(client_of(lx, EVE).get(f"/api/v2/{path}").json()) for lx in worlds)
        assert few == many


@pytest.mark.parametrize("seed", range(10))
def test_hops_are_the_distances_that_networkx_has_when_steps_within_a_domain_weigh_nothing(seed: int) -> None:
    world = World()
    graph = random_world(world, random.Random(700 + seed))
    lx = Lineage(world.store)
    hidden = {name: lx.show(f"dataset:pg:{name}", actor=EVE).hidden for name in graph}
    compared = 0
    for certainty in ("certain", "certain,probable", None):
        admitted = certainty.split(",") if certainty else sorted(HOW)
        flow = nx.DiGraph((a, b) for a, b, level in graph.edges(data="level") if level in admitted and a != b)
        flow.add_nodes_from(graph)
        for a, b in flow.edges:
            flow.edges[a, b]["weight"] = int(not (hidden[a] and hidden[b]))
        for start in [name for name in graph if not hidden[name]][:4]:
            for ask, side in ((lx.impact, flow), (lx.provenance, flow.reverse())):
                far = nx.single_source_dijkstra_path_length(side, start)
                seen = {name: hops for name, hops in far.items() if name != start and not hidden[name]}
                rows = ask(f"dataset:pg:{start}", kinds="dataset", certainty=certainty, actor=EVE, facts=False).nodes
                assert {row.id[len("dataset:pg:") :]: row.hops for row in rows if row.id[0] == "d"} == seen
                masked = [hops for name, hops in far.items() if hidden[name]]
                assert [row.hops for row in rows if row.id[0] == "h"] == ([min(masked)] if masked else [])
                compared += len(rows)
    assert compared
