"""What was not there at an instant is not counted at it: summary, lists, domains and graph say the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.engine import open as ask
from tests.answers.builder import World, at
from tests.answers.test_api import client_of, get

DAYS = (0, 1, 7, 20, 30, 60, 80, 90, 400)  # before the newest event of the demo
ALL = 10_000
HIDDEN = Actor("eve", frozenset({"hr"}))


@pytest.fixture(scope="module")
def demo(demo_file: Path) -> Iterator[Lineage]:
    """The sample company, only read."""
    with ask(demo_file) as lx:
        yield lx


def counted(lx: Lineage, **when: Any) -> dict[str, int]:
    """Counts of the summary, after every other door was seen to give the same."""
    summary, domains = lx.summary(**when), lx.domains(**when)
    for of, level in (("datasets", "dataset"), ("columns", "column"), ("jobs", "job")):
        found, graph = lx.listing(of, limit=ALL, **when), lx.graph(level, **when)  # type: ignore[arg-type]
        ids = [row.id for row in found.rows]
        assert {f"job:{node.removeprefix('job:')}" if of == "jobs" else node for node in graph.nodes} == set(ids)
        assert getattr(summary, of) == found.total == len(ids) == len(graph)
    assert sum(row.columns for row in lx.listing("datasets", limit=ALL, **when).rows) == summary.columns
    for of in ("datasets", "jobs"):
        counts = {one.name: getattr(one, of) for one in domains}
        for name, many in counts.items():
            assert lx.listing(of, domain=name, limit=ALL, **when).total == many  # type: ignore[arg-type]
        assert sum(counts.values()) == getattr(summary, of)
    drawn = {node.name: (node.datasets, node.jobs) for node in lx.mesh(**when).nodes}
    assert drawn == {one.name: (one.datasets, one.jobs) for one in domains if one.name != "unassigned"}
    unassigned = [one.datasets + one.jobs for one in domains if one.name == "unassigned"]  # type: ignore[operator]
    assert summary.unassigned == sum(unassigned)
    assert summary.edges == lx.listing("edges", **when).total
    assert summary.runs == lx.listing("runs", **when).total
    return {of: getattr(summary, of) for of in ("datasets", "jobs", "columns", "unassigned")}


def instants(lx: Lineage) -> list[datetime]:
    newest = lx.summary().newest_event
    assert newest is not None
    return [newest - timedelta(days=days) for days in DAYS]


def test_of_every_past_instant_summary_lists_domains_and_graph_count_the_same(demo: Lineage) -> None:
    now = counted(demo)
    found = [counted(demo, as_of=moment) for moment in instants(demo)]
    assert found[0] == now
    assert found[-1] == dict.fromkeys(now, 0), "before the first event nothing was there"
    for later, earlier in pairwise(found):
        assert all(earlier[of] <= later[of] for of in ("datasets", "jobs"))
    assert len({one["datasets"] for one in found}) > 2, "else nothing here was told apart"


def test_so_it_is_of_what_was_known_then_and_of_both_clocks(demo: Lineage) -> None:
    for moment in instants(demo):
        both = counted(demo, as_of=moment, known_at=moment)
        known = counted(demo, known_at=moment)
        assert all(both[of] <= known[of] for of in both)


@pytest.fixture
def grown() -> World:
    """A flow since January; another, of which a part belongs to domains, since March."""
    world = World()
    world.flow(["raw"], "load", ["orders"])
    world.flow(["orders"], "build", ["hr.pay", "loose"], valid_from=at("2026-03-01"))
    for name in ("raw", "orders", "hr.pay", "loose"):
        world.dataset(name, "id")
    world.domain("sales", "orders", "load")
    world.domain("hr", "hr.*", "build")
    return world


def domains_of(lx: Lineage, as_of: str | None) -> dict[str, tuple[int | None, int | None]]:
    return {one.name: (one.datasets, one.jobs) for one in lx.domains(as_of=as_of)}


STEPS = {
    "2026-02-01": {"hr": (0, 0), "sales": (1, 1), "unassigned": (1, 0)},
    "2026-04-01": {"hr": (1, 1), "sales": (1, 1), "unassigned": (2, 0)},
    "2026-06-01": {"hr": (1, 1), "sales": (1, 1), "unassigned": (3, 1)},
}


@pytest.mark.parametrize("order", list(permutations(STEPS)))
def test_instants_with_the_same_nodes_do_not_share_what_domains_count(grown: World, order: tuple[str, ...]) -> None:
    grown.flow(["loose"], "publish", ["page"], valid_from=at("2026-05-01"))
    lx = Lineage(grown.store)
    for moment in ("2026-01-10", "2026-01-11", "2026-01-12"):
        lx.view(as_of=moment)  # from the third on they come from one timeline
    for moment in (*order, *order):  # the second time of what is remembered
        assert domains_of(lx, moment) == STEPS[moment]
        assert lx.summary(as_of=moment).unassigned == sum(STEPS[moment]["unassigned"])
    labels = {id(lx.view(as_of=moment).instant.labels.of_nodes) for moment in order}
    assert len(labels) == 1, "they share what is remembered of labels, or nothing is tested"
    assert domains_of(lx, None) == STEPS["2026-06-01"]


def test_counts_of_an_instant_are_those_of_the_graph(grown: World) -> None:
    lx = Lineage(grown.store)
    assert counted(lx) == {"datasets": 4, "jobs": 2, "columns": 4, "unassigned": 2}
    assert counted(lx, as_of="2026-02-01") == {"datasets": 2, "jobs": 1, "columns": 2, "unassigned": 1}
    assert counted(lx, as_of="2025-02-01") == {"datasets": 0, "jobs": 0, "columns": 0, "unassigned": 0}


def test_a_hidden_domain_is_left_out_besides(grown: World) -> None:
    lx = Lineage(grown.store)
    for moment, datasets, jobs in ((None, 3, 1), ("2026-02-01", 2, 1)):
        found = lx.summary(HIDDEN, as_of=moment)
        assert (found.datasets, found.jobs, found.columns) == (datasets, jobs, datasets)
        assert lx.listing("datasets", as_of=moment, actor=HIDDEN).total == datasets
        assert [one.datasets for one in lx.domains(HIDDEN, as_of=moment) if one.hidden] == [None]


def test_what_is_only_named_is_undated_and_counted_at_every_instant(grown: World) -> None:
    grown.dataset("named")
    lx = Lineage(grown.store)
    assert [row.name for row in lx.listing("datasets", as_of="1990-01-01").rows] == ["named"]
    assert counted(lx, as_of="1990-01-01")["datasets"] == 1


def test_rest_counts_so_too(grown: World) -> None:
    api = client_of(Lineage(grown.store))
    found = get(api, "/api/v2/summary", as_of="2026-02-01")
    assert (found["datasets"], found["jobs"], found["columns"], found["unassigned"]) == (2, 1, 2, 1)
    counts = {one["name"]: one["datasets"] for one in get(api, "/api/v2/domains", as_of="2026-02-01")}
    assert counts == {"hr": 0, "sales": 1, "unassigned": 1}
