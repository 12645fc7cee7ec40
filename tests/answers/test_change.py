"""A change rehearsal says who loses everything, who something, who cannot be told, and which tests are orphaned."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import settings as cases
from hypothesis import strategies as st

from lineage.actor import Actor
from lineage.change import Rehearsal
from lineage.engine import Lineage
from lineage.errors import UnknownNodeError, UsageError
from lineage.graph import Snapshot
from lineage.view import HiddenNodeError
from tests.answers.builder import World


def harm(answer: Rehearsal, kind: str = "dataset") -> dict[str, str]:
    return {e.id.removeprefix(f"{kind}:pg:"): e.harm for e in answer.effects if e.kind == kind}


@pytest.fixture
def diamond(world: World) -> World:
    """a → b → d, a → c → d, e → c, d → f."""
    for inputs, job, output in (("a", "ab", "b"), ("ae", "ac", "c"), ("bc", "bcd", "d"), ("d", "df", "f")):
        world.flow(list(inputs), job, [output])
    return world


def test_who_loses_all_who_some_and_who_only_gets_less(diamond: World) -> None:
    answer = Lineage(diamond.store).rehearse(drop=["dataset:pg:a"])
    assert harm(answer) == {"b": "all", "c": "some", "d": "some", "f": "touched"}
    assert harm(answer, "job") == {"ab": "all", "ac": "some", "bcd": "some", "df": "touched"}
    assert answer.totals == {"all": 2, "some": 4, "touched": 2}
    readers = {e.id: e.reader for e in answer.effects}
    assert readers["dataset:pg:b"] == readers["job:pg:ab"] == "direct"
    assert readers["dataset:pg:d"] == readers["job:pg:bcd"] == "transitive"


def test_what_a_job_reads_is_looked_at_once_however_much_it_loses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For each input it was looked at again: a join of 16,000 took 13 s instead of 0.3."""
    middle = [f"m{n}" for n in range(30)]
    world.flow(["hub"], "split", middle)
    world.flow([*middle, "other"], "join", ["sink"])
    asked: list[int] = []
    inputs = Snapshot.inputs
    monkeypatch.setattr(Snapshot, "inputs", lambda self, job: asked.append(job) or inputs(self, job))
    answer = Lineage(world.store).rehearse(drop=["dataset:pg:hub"])
    assert harm(answer, "job") == {"split": "all", "join": "some"}
    assert len(asked) == len(set(asked))


def test_changes_count_together(diamond: World) -> None:
    answer = Lineage(diamond.store).rehearse(retire=["dataset:pg:a", "dataset:pg:e"])
    assert harm(answer) == {"b": "all", "c": "all", "d": "all", "f": "all"}


def test_a_job_takes_along_what_only_it_makes(diamond: World) -> None:
    lx = Lineage(diamond.store)
    assert harm(lx.rehearse(drop=["job:pg:ab"])) == {"b": "all", "d": "some", "f": "touched"}
    diamond.flow(["x"], "second", ["b"])
    assert harm(Lineage(diamond.store).rehearse(drop=["job:pg:ab"])) == {"b": "some", "d": "touched", "f": "touched"}


def test_a_cycle_that_feeds_itself_alone_does_not_live(world: World) -> None:
    world.flow(["a"], "j", ["b"])
    world.flow(["b"], "k", ["c"])
    world.flow(["c"], "l", ["b"])
    assert harm(Lineage(world.store).rehearse(drop=["dataset:pg:a"])) == {"b": "all", "c": "all"}


@pytest.fixture
def columns(world: World) -> World:
    """a.x is the value of b.x and, with a.y, of b.s; a.x filters c; d reads a and tells no columns."""
    world.flow(["a"], "ab", ["b"], provenance="column")
    world.flow(["a"], "ac", ["c"], provenance="column")
    world.flow(["a"], "ad", ["d"])
    world.flow(["b"], "be", ["e"], provenance="column")
    for src, dst in ((("a", "x"), ("b", "x")), (("a", "x"), ("b", "s")), (("a", "y"), ("b", "s"))):
        world.column_edge(src, dst, "ab")
    world.column_edge(("a", "z"), ("b", "z"), "ab")
    world.column_edge(("a", "x"), ("c", ""), "ac", type="INDIRECT", subtype="FILTER")
    world.column_edge(("a", "y"), ("c", "y"), "ac")
    world.column_edge(("b", "x"), ("e", "x"), "be")
    return world


def test_columns_become_unreachable_filters_are_told_apart_and_silent_readers_are_unknown(columns: World) -> None:
    answer = Lineage(columns.store).rehearse(drop=["column:pg:a:x"])
    assert harm(answer, "column") == {"b:x": "all", "b:s": "some", "c:y": "touched", "e:x": "all"}
    assert harm(answer) == {"b": "some", "c": "touched", "d": "unknown", "e": "all"}
    assert harm(answer, "job") == {"ab": "some", "ac": "some", "ad": "unknown", "be": "some"}
    use = {e.id: e.use for e in answer.effects}
    assert use["column:pg:b:x"] == "direct" and use["dataset:pg:c"] == use["job:pg:ac"] == "indirect"


def test_where_a_filter_is_gone_values_stay_other_rows_arrive_and_the_job_has_lost_an_input(world: World) -> None:
    world.flow(["mid"], "build", ["out"], provenance="column")
    world.column_edge(("mid", "z"), ("out", "r"), "build")
    world.column_edge(("mid", "y"), ("out", "r"), "build", type="INDIRECT", subtype="FILTER")
    answer = Lineage(world.store).rehearse(drop=["column:pg:mid:y"])
    assert {e.id: (e.harm, e.use) for e in answer.effects} == {
        "job:pg:build": ("some", "indirect"),
        "column:pg:out:r": ("touched", "indirect"),
        "dataset:pg:out": ("touched", "indirect"),
    }


def test_a_reader_of_other_columns_is_not_hurt(columns: World) -> None:
    answer = Lineage(columns.store).rehearse(drop=["column:pg:a:z"])
    assert harm(answer) == {"b": "some", "d": "unknown"}
    assert harm(answer, "job") == {"ab": "some", "ad": "unknown"}


def test_a_dropped_dataset_takes_its_columns_along(columns: World) -> None:
    answer = Lineage(columns.store).rehearse(drop=["dataset:pg:a"])
    assert harm(answer, "column") == {"b:x": "all", "b:s": "all", "b:z": "all", "c:y": "all", "e:x": "all"}
    assert harm(answer) == {"b": "all", "c": "all", "d": "all", "e": "all"}


def test_another_type_and_a_delay_touch_and_take_nothing(columns: World) -> None:
    lx = Lineage(columns.store)
    retyped = lx.rehearse(retype={"column:pg:a:x": "bigint"})
    assert set(harm(retyped, "column").values()) == {"touched"} and harm(retyped)["d"] == "unknown"
    late = lx.rehearse(late={"dataset:pg:a": 3})
    assert harm(late) == {"b": "touched", "c": "touched", "d": "touched", "e": "touched"}
    assert late.changes[0].hours == 3
    assert harm(lx.rehearse(late={"job:pg:ab": 1})) == {"b": "touched", "e": "touched"}


def test_a_rename_is_a_loss_until_readers_follow(columns: World) -> None:
    lx = Lineage(columns.store)
    dropped, renamed = lx.rehearse(drop=["column:pg:a:x"]), lx.rehearse(rename={"column:pg:a:x": "y"})
    assert dropped.effects == renamed.effects
    assert renamed.clashes == ("column:pg:a:x: its dataset has a column y already, so the two would clash",)
    assert lx.rehearse(rename={"job:pg:ab": "n"}).effects == ()


def test_tests_of_what_is_gone_or_cannot_be_made_are_orphaned(columns: World) -> None:
    columns.assertion(columns.dataset("a"), "not_null", "pass", column="x")
    columns.assertion(columns.dataset("b"), "unique", "fail", column="x", severity="error")
    columns.assertion(columns.dataset("b"), "sum", "pass", column="s")
    columns.assertion(columns.dataset("b"), "rows", "pass")
    tests = Lineage(columns.store).rehearse(drop=["column:pg:a:x"]).tests
    assert [(t.column, t.name, t.status, t.why) for t in tests] == [
        ("column:pg:a:x", "not_null", "pass", "gone"),
        ("column:pg:b:x", "unique", "fail", "unreachable"),
    ]


def test_hidden_nodes_keep_their_place_and_nothing_else(columns: World) -> None:
    columns.domain("hr", "b", "be", "ab")
    columns.assertion(columns.dataset("b"), "unique", "fail", column="x")
    lx, actor = Lineage(columns.store), Actor("nosy", hidden_domains={"hr"})
    answer = lx.rehearse(drop=["column:pg:a:x"], actor=actor)
    assert ":b:" not in repr(answer) and "unique" not in repr(answer) and "job:pg:ab" not in repr(answer)
    assert "hidden (domain hr)" in [e.id for e in answer.effects]
    with pytest.raises(HiddenNodeError):
        lx.rehearse(drop=["dataset:pg:b"], actor=actor)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "needs a change"),
        ({"retype": {"dataset:pg:a": "int"}}, "only a column has a type"),
        ({"late": {"dataset:pg:a": 0}}, "hours above 0"),
        ({"late": {"dataset:pg:a": float("nan")}}, "hours above 0"),
        ({"late": {"column:pg:a:x": 1}}, "late as a whole"),
        ({"rename": {"column:pg:a:x": " "}}, "needs what it becomes"),
        ({"drop": ["dataset:pg:a"], "retire": ["dataset:pg:a"]}, "exclude each other"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(columns: World, change: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Lineage(columns.store).rehearse(**change)  # type: ignore[arg-type]


def test_an_unknown_node_is_refused(columns: World) -> None:
    with pytest.raises(UnknownNodeError):
        Lineage(columns.store).rehearse(drop=["nothing"])


# -- against a recomputation of everything

NAMES = "abcdefgh"
edges_of = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), min_size=1, max_size=16)


def expected(edges: set[tuple[str, str]], gone: set[str]) -> dict[str, str]:
    """Harm by brute force: whatever no untouched origin reaches any more has lost everything."""
    before = nx.DiGraph((a, b) for a, b in edges if a != b)
    before.add_nodes_from(NAMES)
    after = before.copy()
    after.remove_nodes_from(gone)
    bereft = {b for a, b in before.edges if a in gone and b not in gone}
    origins = [c for c in nx.strongly_connected_components(after) if not any(
        a not in c for b in c for a in after.predecessors(b)
    )]  # fmt: skip
    alive = {n for c in origins if not c & bereft for s in c for n in {s, *nx.descendants(after, s)}}
    below = {n for g in gone for n in nx.descendants(before, g)} - gone
    found = {}
    for node in below:
        starved = any(a in gone or a not in alive for a in before.predecessors(node))
        found[node] = "all" if node not in alive else "some" if starved else "touched"
    return found


@cases(max_examples=30)
@given(edges_of, st.sets(st.sampled_from(NAMES), min_size=1, max_size=3))
def test_datasets_and_columns_lose_what_a_recomputation_says(edges: list[tuple[str, str]], gone: set[str]) -> None:
    world = World()
    for name in NAMES:
        world.dataset(name, "c")
    for src, dst in set(edges):
        world.edge(world.dataset(src), world.dataset(dst), provenance="column")
        world.column_edge((src, "c"), (dst, "c"))
    lx = Lineage(world.store)
    wanted = expected(set(edges), gone)
    assert harm(lx.rehearse(drop=[f"dataset:pg:{name}" for name in gone])) == wanted
    by_column = lx.rehearse(drop=[f"column:pg:{name}:c" for name in sorted(gone)])
    assert {name.removesuffix(":c"): what for name, what in harm(by_column, "column").items()} == wanted
    world.store.close()
