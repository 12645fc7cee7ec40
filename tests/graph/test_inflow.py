"""What a job hands on may hold what it read, where nothing that was told rules it out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lineage.graph.live import Live
from lineage.graph.ways import between
from lineage.graph.without import without
from tests.graph.world import T0, Seen, World

RANK = {"certain": 0, "probable": 1, "stale": 2}


def handed_on() -> World:
    """`first` reads a; `second` told that it receives from `first`, and writes z."""
    return (
        World()
        .edge("a", "first()", job="first()", kind="read", provenance="io")
        .edge("first()", "second()", job="second()")
        .edge("second()", "z", job="second()", kind="write", provenance="io")
    )


def test_what_a_job_read_probably_reaches_the_job_it_hands_on_to(kernels: str) -> None:
    seen = handed_on().load(kernels=kernels)
    down = seen.walk("a")
    assert down.hops == {"first()": 1, "second()": 2, "z": 2}
    assert down.certainty["z"] == "probable"
    assert down.path("z") == ["a", "first()", "second()", "z"]
    up = seen.walk("z", "upstream")
    assert up.certainty == {"second()": "certain", "first()": "certain", "a": "probable"}
    assert up.path("a") == ["z", "second()", "first()", "a"]
    assert seen.walk("a", min_certainty="certain").hops == {}


def test_a_stale_read_makes_it_stale(kernels: str) -> None:
    world = World().edge("a", "first()", job="first()", kind="read", provenance="io", state="stale")
    world.edge("first()", "second()", job="second()").edge("second()", "z", kind="write", provenance="io")
    assert world.load(kernels=kernels).walk("a").certainty["z"] == "stale"


def test_it_does_not_leave_by_what_the_job_writes_itself(kernels: str) -> None:
    world = handed_on().edge("first()", "own", job="first()", kind="write", provenance="io")
    assert world.load(kernels=kernels).walk("a").hops == {}  # no run had both, or an empty facet ruled it out
    world = handed_on().run("first()", ["c"], ["own"])
    seen = world.load(kernels=kernels)
    assert seen.walk("a").hops == {}
    assert set(seen.walk("c").hops) == {"own", "first()", "second()", "z"}
    assert seen.walk("own", "upstream").hops == {"first()": 0, "c": 1}


def test_a_job_that_told_something_explicitly_hands_on_what_it_said_and_nothing_else(kernels: str) -> None:
    for told in (("b", "own"), ("b", "first()"), ("other()", "first()"), ("first()", "third()")):
        seen = handed_on().edge(*told, job="first()").load(kernels=kernels)
        assert "z" not in seen.walk("a").hops, told
        assert "a" not in seen.walk("z", "upstream").hops, told


def test_what_another_told_of_the_job_rules_nothing_out(kernels: str) -> None:
    seen = handed_on().edge("b", "first()", job="catalogue()").load(kernels=kernels)
    assert seen.walk("a").certainty["z"] == "probable"
    assert seen.walk("b").certainty["z"] == "certain"


def test_edges_of_such_a_way_are_told_where_edges_are_asked_for(kernels: str) -> None:
    seen = handed_on().load(kernels=kernels)
    a, first, second, z = map(seen.index, ("a", "first()", "second()", "z"))
    (into,) = seen.snapshot.neighbours(a, "downstream")
    assert (into.dst, into.provenance, into.certainty, into.jobs) == (first, "product", "probable", (first,))
    (read,) = seen.snapshot.neighbours(first, "upstream")  # that it reads is no guess
    assert (read.src, read.provenance, read.certainty) == (a, "io", "certain")
    found = between(seen.snapshot, [a], [z])
    assert list(zip(found.src.tolist(), found.dst.tolist(), strict=True)) == sorted(
        [(a, first), (first, second), (second, z)]
    )
    assert not between(seen.snapshot, [a], [z], min_certainty="certain")


def test_without_the_job_that_receives_nothing_is_handed_on() -> None:
    seen = handed_on().edge("second()", "third()", job="third()").load()
    left = Seen(without(seen.snapshot, {seen.index("second()")}))
    assert left.walk("a").hops == {}
    assert not left.snapshot.neighbours(left.index("a"), "downstream")


def test_a_read_that_comes_or_goes_is_followed_without_a_new_build(kernels: str) -> None:
    second = timedelta(seconds=1)
    world = handed_on().nodes("b")
    world.load()
    live = Live(world.store, kernels)
    before = Seen(live.now())
    assert before.walk("b").hops == {}
    world.edge("b", "first()", job="first()", kind="read", provenance="io", known_from=T0 + second).load()
    assert Seen(live.now()).walk("b").certainty["z"] == "probable"
    world.store.rows("UPDATE edge SET known_to = ? WHERE kind = 'read'", [T0 + 2 * second])
    gone = Seen(live.now())
    assert gone.walk("a").hops == gone.walk("b").hops == {}
    assert (live.builds, live.patches) == (1, 2)
    assert before.walk("a").certainty["z"] == "probable"  # whoever reads the last one is not disturbed


def test_reads_of_jobs_that_hand_nothing_on_leave_the_level_as_it_is() -> None:
    world = handed_on().edge("b", "other()", kind="read", provenance="io")
    world.load()
    live = Live(world.store)
    level = live.now().level("dataset")
    world.edge("a", "other()", job="other()", kind="read", provenance="io", known_from=T0 + timedelta(seconds=1)).load()
    assert live.now().level("dataset") is level
    assert live.patches == 1


names = st.sampled_from(["d0", "d1", "d2", "d3"])
jobs = st.sampled_from(["j0()", "j1()", "j2()"])
states = st.sampled_from(["current", "stale"])
facts = st.one_of(
    st.builds(lambda d, j, s: (d, j, j, "read", "io", s), names, jobs, states),
    st.builds(
        lambda j, d, p, s: (j, d, j, "write", p, s), jobs, names, st.sampled_from(["io", "io", "explicit"]), states
    ),
    st.builds(lambda i, j, k, s: (i, j, k, "lineage", "explicit", s), jobs, jobs, jobs, states),
    st.builds(lambda d, e, j, s: (d, e, j, "lineage", "product", s), names, names, jobs, states),
    st.builds(lambda d, e, j, s: (d, e, j, "lineage", "explicit", s), names, st.one_of(names, jobs), jobs, states),
)


def expected(rows: list[Any]) -> dict[tuple[str, str], int]:
    """By the words of the module, one read after the other."""
    givers = {src for src, dst, _, kind, *_ in rows if kind == "lineage" and src[0] == dst[0] == "j" and src != dst}
    tellers = {job for _, _, job, _, provenance, _ in rows if provenance == "explicit"}
    found: dict[tuple[str, str], int] = {}
    for d, j, _, kind, _, state in rows:
        if kind != "read" or j not in givers - tellers:
            continue
        grade = max(1, 2 * (state == "stale"))
        if any(kind == "write" and src == j for src, _, _, kind, _, _ in rows):
            carried = [
                2 if state == "stale" else 1
                for src, dst, job, kind, _, state in rows
                if kind == "lineage" and (src, job) == (d, j) and dst[0] == "d"
            ]
            if not carried:
                continue
            grade = max(grade, min(carried))
        found[d, j] = min(grade, found.get((d, j), 2))
    return found


@given(st.lists(facts, max_size=12))
def test_random_facts_give_what_the_words_say(rows: list[Any]) -> None:
    world = World.reused().nodes("d0", "d1", "d2", "d3", "j0()", "j1()", "j2()")
    for src, dst, job, kind, provenance, state in rows:
        world.edge(src, dst, job=job, kind=kind, provenance=provenance, state=state)
    seen = world.load()
    inflow = seen.snapshot._relations.inflow
    found: dict[tuple[str, str], int] = {}
    for src, dst, certainty in zip(inflow.src.tolist(), inflow.dst.tolist(), inflow.certainty.tolist(), strict=True):
        pair = (seen.name(src), seen.name(dst))
        found[pair] = min(certainty, found.get(pair, 2))
    assert found == expected(rows)
