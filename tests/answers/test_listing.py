"""The rows behind the counts, and pictures that grow at chosen cards."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UsageError
from tests.answers.builder import World, at

LISTS = ("datasets", "jobs", "columns", "edges", "runs", "events", "quarantine")


@pytest.fixture
def busy(chain: World) -> World:
    """The chain with columns, runs of both jobs and two events."""
    chain.dataset("orders", "id", "amount")
    chain.column_edge(("raw", "id"), ("orders", "id"))
    load = chain.run("load", "r1", started_at=at("2026-01-02"), state="FAIL", error="boom")
    chain.run_io(load, "load", "orders", "out")
    chain.run("load", "r0", started_at=at("2026-01-01T05:00:00"))
    chain.run("build", "r2", started_at=at("2026-01-02T09:00:00"))
    chain.event(1, at("2026-01-01"), job=chain.job("load"))
    chain.event(2, at("2026-01-02"), job=chain.job("build"))
    return chain


@pytest.mark.parametrize("actor", [Actor("all"), Actor("some", frozenset({"bi"}))])
def test_a_list_has_as_many_rows_as_the_summary_says(busy: World, actor: Actor) -> None:
    lx = Lineage(busy.store)
    summary = lx.summary(actor)
    counts = {of: getattr(summary, {"quarantine": "quarantined"}.get(of, of)) for of in LISTS}
    assert {of: lx.listing(of, actor=actor).total for of in LISTS} == counts
    assert {of: len(lx.listing(of, actor=actor).rows) for of in LISTS} == counts


def test_datasets_come_with_neighbours_and_their_last_run_most_connected_first(busy: World) -> None:
    first, *_ = Lineage(busy.store).listing("datasets").rows
    assert (first.id, first.upstream, first.downstream) == ("dataset:pg:orders", 1, 1)
    assert (first.domain, first.columns, first.status) == ("sales", 2, "FAIL")


def test_lists_can_be_narrowed_to_a_domain_and_to_states(busy: World) -> None:
    lx = Lineage(busy.store)
    assert [row.id for row in lx.listing("datasets", domain="bi").rows] == ["dataset:pg:report"]
    assert [row.run_id for row in lx.listing("runs", states=("FAIL",)).rows] == ["r1"]
    assert [row.run_id for row in lx.listing("runs").rows] == ["r2", "r1", "r0"]


def test_a_list_may_be_cut_and_still_counts_all(busy: World) -> None:
    found = Lineage(busy.store).listing("datasets", limit=1)
    assert (found.total, len(found.rows)) == (3, 1)


def test_a_hidden_domain_is_in_no_list(busy: World) -> None:
    actor = Actor("some", frozenset({"bi"}))
    lx = Lineage(busy.store)
    text = " ".join(str(lx.listing(of, actor=actor).rows) for of in LISTS)
    assert "report" not in text
    assert "build" not in text


def test_a_list_that_does_not_exist_is_refused(busy: World) -> None:
    with pytest.raises(UsageError, match="none of datasets"):
        Lineage(busy.store).listing("moods")  # type: ignore[arg-type]


def test_runs_are_counted_per_day_and_state(busy: World) -> None:
    lx = Lineage(busy.store)
    days = [(entry.day, entry.state, entry.runs) for entry in lx.runs_per_day()]
    second = date(2026, 1, 2)
    assert days == [(date(2026, 1, 1), "COMPLETE", 1), (second, "COMPLETE", 1), (second, "FAIL", 1)]
    assert lx.runs_per_day(days=1)[0].day == second
    assert lx.runs_per_day(actor=Actor("none", frozenset({"bi", "sales"}))) == ()


def test_a_picture_grows_at_the_cards_that_were_expanded(chain: World) -> None:
    chain.flow(["report"], "publish", ["page"])
    lx = Lineage(chain.store)
    small = lx.picture("raw", upstream=0, downstream=1)
    assert {node.name for node in small.nodes} == {"raw", "orders"}
    grown = lx.picture(
        "raw", upstream=0, downstream=1, also_downstream=["dataset:pg:report", "dataset:pg:orders", "dataset:pg:gone"]
    )
    assert {node.name: node.hops for node in grown.nodes} == {"raw": 0, "orders": 1, "report": 2, "page": 3}
    assert {(edge.src[-6:], edge.dst[-6:]) for edge in grown.edges} >= {("report", "g:page")}


def test_expanding_stops_at_the_limit_of_cards_and_says_so(chain: World) -> None:
    picture = Lineage(chain.store).picture(
        "orders", upstream=0, downstream=0, also_downstream=["dataset:pg:orders"], max_nodes=1
    )
    assert picture.partial
    assert len(picture.nodes) == 1


def test_jobs_have_as_many_datasets_as_each_reads_and_writes(demo_file: Path) -> None:
    from lineage.asking import known_nodes
    from lineage.engine import open as ask

    with ask(demo_file) as lx:
        snapshot = lx.view().snapshot
        for row in lx.listing("jobs").rows:
            i = known_nodes(lx.view(), [row.id])[0]
            assert (row.upstream, row.downstream) == (len(snapshot.inputs(i)), len(snapshot.outputs(i)))
