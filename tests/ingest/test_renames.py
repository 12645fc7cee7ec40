"""A rename is a succession with a date: one line of history, the old name before it, the new one after it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lineage
from ingest.rebuild import rebuild
from ingest.writer import Writer
from lineage.engine import Lineage
from lineage.errors import UnknownNodeError
from lineage.fingerprint import fingerprint
from tests.ingest.build import column_lineage, dataset_event, empty_store, job_event, loaded, run_event, schema
from tests.ingest.state import difference, state

_DAY_1 = datetime(2026, 1, 1)  # noqa: DTZ001


def _at(day: int) -> str:
    return (_DAY_1 + timedelta(days=day - 1)).isoformat() + "Z"


def _renamed(old: str, new: str, day: int) -> bytes:
    facet = {"lifecycleStateChange": "RENAME", "previousIdentifier": {"namespace": "warehouse", "name": old}}
    return dataset_event(new, at=_at(day), lifecycleStateChange=facet)


def _copy(source: str, target: str, day: int, job: str = "load", columns: bool = False) -> bytes:
    lineage_facet = {"columnLineage": column_lineage({"x": [(source, "k")]})} if columns else {}
    facets = {"schema": schema("x"), **lineage_facet}
    return run_event(f"{job}-{day}", job, _at(day), inputs=[source], outputs=[(target, facets)])


def _names(lx: Lineage, node: str, day: int, direction: str = "provenance", **more: Any) -> list[str]:
    answer = getattr(lx, direction)(node, as_of=_at(day), **{"kinds": "dataset", **more})
    return sorted(found.id.rpartition(":")[2] for found in answer.nodes)


_STORY = [_copy("raw", "old", 1), _copy("old", "report", 2, "show"), _renamed("old", "new", 10)]


@pytest.mark.parametrize("reverse", [False, True])
def test_the_old_name_is_right_before_the_rename_and_the_new_one_after_it(reverse: bool) -> None:
    with loaded(*_STORY[:: -1 if reverse else 1], one_by_one=True) as store, lineage.open(store) as lx:
        assert lx.show("dataset:warehouse:old", as_of=_at(5)).id == "dataset:warehouse:old"
        after = lx.show("dataset:warehouse:new", as_of=_at(11))
        assert (after.id, after.aliases) == ("dataset:warehouse:new", ("dataset:warehouse:old",))
        assert lx.show("dataset:warehouse:old", as_of=_at(11)).id == "dataset:warehouse:new"
        assert _names(lx, "report", 5) == ["old", "raw"]
        assert _names(lx, "report", 11) == ["new", "raw"]
        assert _names(lx, "raw", 11, "impact") == ["new", "report"]


def test_upstream_of_the_new_name_reaches_what_was_written_to_the_old_one() -> None:
    with loaded(*_STORY) as store, lineage.open(store) as lx:
        assert _names(lx, "new", 11) == ["raw"]
        shown = lx.show("new", as_of=_at(11))
        assert [column.name for column in shown.columns] == ["x"]
        assert {run.run_id for run in shown.runs} == {"load-1", "show-2"}
        assert store.rows("SELECT count(*) FROM edge WHERE end_reason = 'renamed' AND known_to > now()") == [(4,)]


def test_a_rename_is_one_difference_and_the_runs_behind_the_new_name_are_those_of_the_old_one() -> None:
    with loaded(*_STORY) as store, lineage.open(store) as lx:
        (change,) = lx.diff(_at(5), _at(12)).changes
        assert (change.id, change.detail, change.before) == ("dataset:warehouse:new", "names", "dataset:warehouse:old")
        assert [step.run_id for step in lx.run_provenance("new", as_of=_at(12)).steps] == ["load-1"]


def test_a_table_made_later_under_the_old_name_is_another_one() -> None:
    again = [_copy("other", "old", 20, "fresh"), _copy("old", "page", 21, "paint")]
    for events in ([*_STORY, *again], [*again[::-1], *_STORY[::-1]]):
        with loaded(*events, one_by_one=True) as store, lineage.open(store) as lx:
            assert _names(lx, "dataset:warehouse:old", 15) == ["raw"]
            assert _names(lx, "dataset:warehouse:old", 22) == ["other"]
            assert _names(lx, "dataset:warehouse:new", 22) == ["raw"]
            assert _names(lx, "raw", 22, "impact") == ["new", "report"]
            assert _names(lx, "other", 22, "impact") == ["old", "page"]
            assert lx.show("dataset:warehouse:new", as_of=_at(22)).aliases == ()
            assert [c.name for c in lx.show("dataset:warehouse:new", as_of=_at(22)).columns] == ["x"]


def test_facets_of_the_old_table_are_not_those_of_a_new_one_under_its_name() -> None:
    told = run_event("o", "load", _at(1), outputs=[("old", {"documentation": {"description": "the first"}})])
    events = [told, _renamed("old", "new", 10), run_event("p", "fresh", _at(20), outputs=["old"])]
    with loaded(*events) as store, lineage.open(store) as lx:
        assert lx.show("dataset:warehouse:old", as_of=_at(5)).description == "the first"
        assert lx.show("dataset:warehouse:new", as_of=_at(22)).description == "the first"
        assert lx.show("dataset:warehouse:old", as_of=_at(22)).description is None


def test_column_lineage_goes_on_under_the_new_name() -> None:
    events = [
        _copy("raw", "old", 1, columns=True),
        _copy("old", "report", 2, "show", columns=True),
        _renamed("old", "new", 10),
        run_event("fresh", "fresh", _at(20), outputs=[("old", {"schema": schema("x")})]),
    ]
    with loaded(*events[::-1], one_by_one=True) as store, lineage.open(store) as lx:
        for day, name in ((5, "old"), (11, "new"), (21, "new")):
            found = lx.provenance(name, column="x", as_of=_at(day), kinds="column")
            assert [node.id for node in found.nodes] == ["column:warehouse:raw:k"]
        assert lx.provenance("dataset:warehouse:old", column="x", as_of=_at(21), kinds="column").nodes == ()


def test_a_job_that_goes_on_under_the_new_name_keeps_one_edge() -> None:
    with loaded(*_STORY, *(_copy("raw", "new", day) for day in (12, 13, 14, 15))) as store, lineage.open(store) as lx:
        assert _names(lx, "new", 16) == ["raw"]
        rows = store.rows(
            "SELECT state, end_reason FROM edge JOIN node ON node.id = dst WHERE name = 'new' AND known_to > now() "
            "AND edge.kind = 'lineage'"
        )
        assert rows == [("current", None)]


def test_a_chain_of_renames_is_one_line() -> None:
    events = [_copy("raw", "a", 1), _renamed("a", "b", 10), _renamed("b", "c", 20)]
    for order in (events, events[::-1], [events[2], events[0], events[1]]):
        with loaded(*order, one_by_one=True) as store, lineage.open(store) as lx:
            assert [_names(lx, "raw", day, "impact") for day in (5, 15, 25)] == [["a"], ["b"], ["c"]]
            assert lx.show("dataset:warehouse:a", as_of=_at(25)).id == "dataset:warehouse:c"
            assert [c.name for c in lx.show("dataset:warehouse:c", as_of=_at(25)).columns] == ["x"]


def test_a_name_can_be_given_back() -> None:
    events = [_copy("raw", "a", 1), _renamed("a", "b", 10), _renamed("b", "a", 20)]
    for order in (events, events[::-1]):
        with loaded(*order, one_by_one=True) as store, lineage.open(store) as lx:
            assert [_names(lx, "raw", day, "impact") for day in (5, 15, 25)] == [["a"], ["b"], ["a"]]
            assert lx.show("dataset:warehouse:b", as_of=_at(25)).id == "dataset:warehouse:a"


@pytest.mark.parametrize("steps", [[("a", "b"), ("b", "a")], [("a", "tmp"), ("b", "a"), ("tmp", "b")]])
def test_two_tables_swap_their_names(steps: list[tuple[str, str]]) -> None:
    """At one instant, or by way of a third name (three instants, as `ALTER TABLE … RENAME` must)."""
    day = 10 if len(steps) == 2 else None
    renames = [_renamed(old, new, day or 10 + i) for i, (old, new) in enumerate(steps)]
    events = [_copy("red", "a", 1), _copy("blue", "b", 1, "paint"), *renames]
    for order in (events, events[::-1]):
        with loaded(*order, one_by_one=True) as store, lineage.open(store) as lx:
            assert (_names(lx, "dataset:warehouse:a", 5), _names(lx, "dataset:warehouse:b", 5)) == (["red"], ["blue"])
            assert (_names(lx, "dataset:warehouse:a", 15), _names(lx, "dataset:warehouse:b", 15)) == (["blue"], ["red"])


def test_a_run_that_reads_the_old_name_and_writes_the_new_one_is_the_rename_and_no_copy() -> None:
    facet = {"lifecycleStateChange": "RENAME", "previousIdentifier": {"namespace": "warehouse", "name": "old"}}
    alter = run_event("alter", "alter", _at(10), inputs=["old"], outputs=[("new", {"lifecycleStateChange": facet})])
    with loaded(*_STORY[:2], alter) as store, lineage.open(store) as lx:
        assert _names(lx, "new", 11) == ["raw"]
        assert _names(lx, "report", 11) == ["new", "raw"]


def test_declared_edges_go_on_under_the_new_name_until_the_next_declaration() -> None:
    with (
        loaded(
            job_event("load", _at(1), inputs=["raw"], outputs=["old"]),
            _renamed("old", "new", 10),
            job_event("load", _at(20), inputs=["other"], outputs=["new"]),
        ) as store,
        lineage.open(store) as lx,
    ):
        assert _names(lx, "new", 15) == ["raw"]
        assert _names(lx, "new", 25) == ["other"]


def test_a_stale_edge_stays_stale_under_the_new_name_and_ends_there() -> None:
    both = run_event("r1", "load", _at(1), inputs=["a", "b"], outputs=["old"])
    later = [run_event(f"r{d}", "load", _at(d), inputs=["a"], outputs=["old" if d < 10 else "new"]) for d in (2, 11)]
    last = run_event("r12", "load", _at(12), inputs=["a"], outputs=["new"])
    with loaded(both, *later, _renamed("old", "new", 10)) as store, lineage.open(store) as lx:
        assert {n.id[-1]: n.certainty for n in lx.provenance("new", as_of=_at(13), kinds="dataset").nodes}[
            "b"
        ] == "stale"
    with loaded(both, *later, last, _renamed("old", "new", 10)) as store, lineage.open(store) as lx:
        assert _names(lx, "new", 13) == ["a"]


def test_nobody_knew_of_a_rename_before_it_was_told() -> None:
    with empty_store() as store:
        writer = Writer(store)
        writer.ingest(_STORY[:2], source="test", received_at=_DAY_1 + timedelta(days=40))
        writer.ingest(_STORY[2:], source="test", received_at=_DAY_1 + timedelta(days=50))
        with lineage.open(store) as lx:
            assert lx.provenance("report", as_of=_at(30), known_at=_at(45), kinds="dataset").nodes[0].id.endswith("old")
            with pytest.raises(UnknownNodeError):
                lx.show("dataset:warehouse:new", as_of=_at(30), known_at=_at(45))
            assert lx.provenance("report", as_of=_at(30), known_at=_at(55), kinds="dataset").nodes[0].id.endswith("new")


_DROP = {"lifecycleStateChange": {"lifecycleStateChange": "DROP"}}
_EVENTS = [
    _copy("raw", "a", 1, columns=True),
    _copy("a", "report", 2, "show", columns=True),
    _renamed("a", "b", 3),
    _copy("raw", "b", 4, columns=True),
    _renamed("b", "c", 5),
    _copy("other", "a", 6, "fresh", columns=True),
    _renamed("c", "a", 7),
    run_event("long", "long", _at(2), "START", outputs=[("a", {"schema": schema("x", "y")})]),
    run_event("long", "long", _at(6), outputs=[("a", {"schema": schema("x", "y")})]),
    job_event("declared", _at(1), inputs=["raw"], outputs=["a"]),
    run_event("drop", "drop", _at(8), outputs=[("a", _DROP)]),
    _renamed("a", "report", 4),
]


@cache
def _expected() -> dict[str, set[tuple[Any, ...]]]:
    with loaded(*_EVENTS) as store:
        return state(store)


@settings(max_examples=5)
@given(order=st.permutations(range(len(_EVENTS))), size=st.integers(2, 5), restart=st.booleans())
def test_renames_come_out_the_same_in_any_order_and_on_both_clocks(order: list[int], size: int, restart: bool) -> None:
    batches = [[_EVENTS[i] for i in order[k : k + size]] for k in range(0, len(order), size)]
    with empty_store() as store:
        writer = Writer(store)
        for day, batch in enumerate(batches):
            writer.ingest([*batch, batch[0]], source="test", received_at=_DAY_1 + timedelta(days=100 + day))
            writer = Writer(store) if restart else writer
        assert difference(_expected(), state(store)) == {}
        with loaded(*(event for batch in batches[:2] for event in batch)) as past:
            assert difference(state(past), state(store, str(_DAY_1 + timedelta(days=101, hours=1)))) == {}


def test_renames_rebuilt_from_the_archive_have_the_same_fingerprint() -> None:
    with loaded(*_EVENTS[::-1], one_by_one=True) as store, empty_store() as fresh:
        rebuild(store, fresh)
        assert fingerprint(fresh) == fingerprint(store)
