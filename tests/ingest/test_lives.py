"""Edges in time: branching, incremental and one-sided jobs (the corpus has too few runs of one job)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ingest.rebuild import rebuild
from ingest.writer import Writer
from lineage.store import Store
from tests.ingest.build import column_lineage, dataset_event, edges, empty_store, job_event, loaded, run_event


def _day(n: int) -> str:
    return (datetime(2026, 1, 1) + timedelta(days=n)).isoformat() + "Z"  # noqa: DTZ001


def _runs(*sides: tuple[list[str], list[str]], kind: str = "COMPLETE") -> list[bytes]:
    return [run_event(f"r{i}", at=_day(i), kind=kind, inputs=a, outputs=b) for i, (a, b) in enumerate(sides)]


def _history(store: Store, source: str, target: str) -> list[tuple[str, int, int | None]]:
    """(state, first day, last day or None) of an edge."""
    return [
        (state, start, end if end < 10_000 else None)
        for state, start, end in store.rows(
            """
            SELECT e.state, date_diff('day', DATE '2026-01-01', e.valid_from::DATE),
                   date_diff('day', DATE '2026-01-01', e.valid_to::DATE)
            FROM edge e JOIN node s ON s.id = e.src JOIN node d ON d.id = e.dst
            WHERE e.kind = 'lineage' AND s.name = ? AND d.name = ? AND e.known_to = '9999-12-31' ORDER BY 2, 3
            """,
            [source, target],
        )
    ]


AB, A = (["a", "b"], ["c"]), (["a"], ["c"])


def test_an_edge_absent_once_is_stale_and_still_there() -> None:
    with loaded(*_runs(AB, AB, A)) as store:
        assert _history(store, "b", "c") == [("current", 0, 2), ("stale", 2, None)]


def test_an_edge_absent_three_times_ended_where_the_first_absence_began() -> None:
    with loaded(*_runs(AB, AB, A, A, A)) as store:
        assert _history(store, "b", "c") == [("current", 0, 2)]
        assert _history(store, "a", "c") == [("current", 0, None)]


def test_an_edge_seen_again_in_time_is_current_again() -> None:
    with loaded(*_runs(AB, A, A, AB)) as store:
        assert _history(store, "b", "c") == [("current", 0, 1), ("stale", 1, 3), ("current", 3, None)]


def test_an_edge_seen_again_too_late_begins_anew() -> None:
    with loaded(*_runs(AB, A, A, A, A, AB)) as store:
        assert _history(store, "b", "c") == [("current", 0, 1), ("current", 5, None)]


@pytest.mark.parametrize("kind", ["FAIL", "ABORT", "START", "RUNNING"])
def test_runs_that_did_not_complete_say_nothing_of_absence(kind: str) -> None:
    unfinished = [run_event(f"u{i}", at=_day(5 + i), kind=kind, inputs=["a"], outputs=["c"]) for i in range(4)]
    with loaded(*_runs(AB), *unfinished) as store:
        assert _history(store, "b", "c") == [("current", 0, None)]


@pytest.mark.parametrize("together", [True, False])
def test_a_failed_run_that_shows_the_same_changes_nothing_and_hides_no_absence(together: bool) -> None:
    kinds = [(AB, "COMPLETE"), (AB, "FAIL"), (AB, "COMPLETE"), (A, "FAIL"), (A, "COMPLETE"), (A, "FAIL")]
    kinds += [(A, "COMPLETE"), (A, "COMPLETE")]
    lines = [run_event(f"r{i}", at=_day(i), kind=kind, inputs=a, outputs=b) for i, ((a, b), kind) in enumerate(kinds)]
    with empty_store() as store:
        writer = Writer(store)
        for batch in [lines] if together else [[line] for line in lines]:
            writer.ingest(batch, source="test")
        assert _history(store, "a", "c") == [("current", 0, None)]
        assert _history(store, "b", "c") == [("current", 0, 4)]


def test_one_sided_runs_are_no_evidence() -> None:
    with loaded(*_runs(AB, (["a"], []), ([], ["c"]), (["a"], []), (["a"], []))) as store:
        assert _history(store, "b", "c") == [("current", 0, None)]
        assert ("b", "load", "io", "current") not in edges(store, "read")  # reads were told, and b was not among them


def test_an_incremental_job_that_writes_another_partition_leaves_the_others_stale_then_ended() -> None:
    with loaded(*_runs((["a"], ["p1"]), (["a"], ["p2"]), (["a"], ["p3"]))) as store:
        assert _history(store, "a", "p1") == [("current", 0, 1), ("stale", 1, None)]
    with loaded(*_runs((["a"], ["p1"]), (["a"], ["p2"]), (["a"], ["p3"]), (["a"], ["p4"]))) as store:
        assert _history(store, "a", "p1") == [("current", 0, 1)]


def test_a_branching_job_keeps_both_branches() -> None:
    left, right = (["a"], ["left"]), (["a"], ["right"])
    with loaded(*_runs(left, right, left, right, left)) as store:
        assert _history(store, "a", "right")[-1] == ("stale", 4, None)
        assert _history(store, "a", "left")[-1] == ("current", 4, None)


def test_one_writer_that_leaves_does_not_touch_the_edges_of_another() -> None:
    others = [run_event(f"o{i}", job="other", at=_day(i), inputs=["b"], outputs=["c"]) for i in range(5)]
    with loaded(*_runs(AB, A, A, A), *others) as store:
        assert _history(store, "b", "c") == [("current", 0, 1), ("current", 0, None)]


def test_a_late_run_rewrites_history_in_event_time_order() -> None:
    events = _runs(AB, A, A, A, AB)
    with loaded(*events[:4], events[4], one_by_one=True) as expected, loaded(*events[::-1], one_by_one=True) as found:
        assert _history(found, "b", "c") == _history(expected, "b", "c") == [("current", 0, 1), ("current", 4, None)]


def test_a_product_edge_that_column_lineage_confirms_has_not_vanished() -> None:
    told = ("c", {"columnLineage": column_lineage({"x": [("a", "x")]})})
    with loaded(
        *_runs(A), *[run_event(f"c{i}", at=_day(i), inputs=["a"], outputs=[told]) for i in range(1, 5)]
    ) as store:
        found = edges(store)
        assert ("a", "c", "column", "current") in found
        assert ("a", "c", "product", "current") in found


def test_a_column_edge_ends_when_its_output_is_told_without_it_and_not_when_columns_are_not_told() -> None:
    def run(i: int, fields: dict[str, list[tuple[str, str]]] | None) -> bytes:
        facets = {"columnLineage": column_lineage(fields)} if fields else {}
        return run_event(f"r{i}", at=_day(i), inputs=["a"], outputs=[("c", facets)])

    both, one = {"x": [("a", "x")], "y": [("a", "y")]}, {"x": [("a", "x")]}
    with loaded(run(0, both), run(1, None), run(2, None), run(3, None)) as store:
        assert store.rows("SELECT count(*) FROM column_edge WHERE valid_to = '9999-12-31'") == [(2,)]
    with loaded(run(0, both), run(1, one), run(2, one), run(3, one)) as store:
        assert store.rows("SELECT count(*) FROM column_edge WHERE valid_to = '9999-12-31'") == [(1,)]


DROP = {"lifecycleStateChange": {"lifecycleStateChange": "DROP"}}


def test_a_dropped_dataset_ends_its_edges_at_once_in_any_order() -> None:
    events = [*_runs(AB, AB), run_event("drop", job="cleaner", at=_day(2), outputs=[("c", DROP)])]
    for order in (events, events[::-1]):
        with loaded(*order, one_by_one=True) as store:
            assert _history(store, "a", "c") == [("current", 0, 2)]
            assert store.rows("SELECT DISTINCT end_reason FROM edge WHERE kind = 'lineage' AND known_to > now()") == [
                ("dropped",)
            ]
            assert edges(store, "write") == set()


def test_a_dataset_made_again_after_its_drop_has_a_new_edge() -> None:
    again = run_event("r9", at=_day(5), inputs=["a"], outputs=["c"])
    events = [*_runs(A, A), dataset_event("c", at=_day(3), **DROP), again]
    with loaded(*events) as store:
        assert _history(store, "a", "c") == [("current", 0, 3), ("current", 5, None)]


def test_a_run_behind_a_drop_that_looks_like_the_one_before_it_begins_the_edge_anew() -> None:
    drop = {"lifecycleStateChange": {"lifecycleStateChange": "DROP"}}
    with loaded(
        run_event("r1", at="2026-01-01T00:00:00Z", inputs=["a"], outputs=["b"]),
        dataset_event("a", at="2026-01-02T00:00:00Z", **drop),
        run_event("r2", at="2026-01-03T00:00:00Z", inputs=["a"], outputs=["b"]),
        one_by_one=True,
    ) as store:
        assert edges(store) == {("a", "b", "product", "current")}


def test_a_drop_ends_declared_edges_and_column_edges_too() -> None:
    told = ("c", {"columnLineage": column_lineage({"x": [("a", "x")]})})
    with loaded(
        job_event(job="declared", at=_day(0), inputs=["a"], outputs=["c"]),
        run_event("r1", at=_day(0), inputs=["a"], outputs=[told]),
        dataset_event("a", at=_day(1), **DROP),
        one_by_one=True,
    ) as store:
        assert edges(store) == set()
        assert store.rows("SELECT count(*) FROM column_edge WHERE valid_to = '9999-12-31' AND known_to > now()") == [
            (0,)
        ]


def test_a_source_that_column_lineage_names_no_more_is_only_probable_after_three_runs() -> None:
    def run(i: int, source: str) -> bytes:
        facets = {"columnLineage": column_lineage({"x": [(source, "k")]})}
        return run_event(f"r{i}", at=_day(i), inputs=["a", "b"], outputs=[("c", facets)])

    with loaded(run(0, "a"), run(1, "b")) as store:
        assert ("a", "c", "column", "stale") in edges(store)
    with loaded(run(0, "a"), run(1, "b"), run(2, "b"), run(3, "b")) as store:
        from_a = {edge[2:] for edge in edges(store) if edge[0] == "a"}
        assert from_a == {("product", "current")}
        assert ("b", "c", "column", "current") in edges(store)
    told_nothing = [run_event(f"n{i}", at=_day(i), inputs=["a", "b"], outputs=["c"]) for i in range(1, 5)]
    with loaded(run(0, "a"), *told_nothing) as store:
        assert ("a", "c", "column", "current") in edges(store)


def test_how_many_absences_end_an_edge_is_a_setting_that_a_rebuild_changes() -> None:
    with loaded(*_runs(AB, A, A, A)) as store, empty_store() as patient, empty_store() as again:
        rebuild(store, patient, misses=5)
        assert _history(patient, "b", "c") == [("current", 0, 1), ("stale", 1, None)]
        rebuild(patient, again)
        assert _history(again, "b", "c") == _history(patient, "b", "c")
