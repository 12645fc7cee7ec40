"""Runs without end: what a stream shows late was not true early, in any order of arrival and on both clocks."""

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
from lineage.fingerprint import fingerprint
from lineage.store import Store
from tests.ingest.build import column_lineage, empty_store, loaded, run_event, schema
from tests.ingest.state import difference, state

_DAY_1 = datetime(2026, 1, 1)  # noqa: DTZ001


def _at(day: int) -> str:
    return (_DAY_1 + timedelta(days=day - 1)).isoformat() + "Z"


def _stream(day: int, kind: str = "RUNNING", processing: str = "STREAMING", **sides: Any) -> bytes:
    facets = {"jobType": {"processingType": processing, "integration": "FLINK"}}
    return run_event("s", job="stream", at=_at(day), kind=kind, job_facets=facets, **sides)


def _told(*columns: tuple[str, str]) -> tuple[str, dict[str, Any]]:
    return "c", {"columnLineage": column_lineage({"x": list(columns)})}


def _sources(store: Store, day: int) -> set[str]:
    with lineage.open(store) as lx:
        return {node.id.rpartition(":")[2] for node in lx.provenance("c", kinds="dataset", as_of=_at(day)).nodes}


@pytest.mark.parametrize("processing", ["STREAMING", "SERVICE"])
@pytest.mark.parametrize("reverse", [False, True])
def test_what_a_stream_shows_on_day_60_is_no_answer_for_day_30(processing: str, reverse: bool) -> None:
    events = [
        _stream(1, "START", processing, inputs=["a"], outputs=["c"]),
        _stream(60, "RUNNING", processing, inputs=["b"]),
    ]
    with loaded(*events[:: -1 if reverse else 1], one_by_one=True) as store:
        assert _sources(store, 30) == {"a"}
        assert _sources(store, 61) == {"a", "b"}


def test_a_batch_run_is_one_fact_from_its_start() -> None:
    with loaded(
        run_event("r", at=_at(1), kind="START", inputs=["a"], outputs=["c"]), run_event("r", at=_at(60), inputs=["b"])
    ) as store:
        assert _sources(store, 30) == {"a", "b"}


def test_that_a_run_is_a_stream_may_be_told_late() -> None:
    first = run_event("s", job="stream", at=_at(1), kind="START", inputs=["a"], outputs=["c"])
    with loaded(first, _stream(60, inputs=["b"]), one_by_one=True) as store:
        assert _sources(store, 30) == {"a"}


def test_columns_that_a_stream_tells_anew_replace_those_it_told_before() -> None:
    first = _stream(1, "START", inputs=["a"], outputs=[_told(("a", "k"))])
    with loaded(first, _stream(60, outputs=[_told(("b", "k"))]), one_by_one=True) as store:
        with lineage.open(store) as lx:

            def columns(day: int) -> set[str]:
                return {node.id for node in lx.provenance("c", column="x", as_of=_at(day), kinds="column").nodes}

            assert columns(30) == {"column:warehouse:a:k"}
            assert columns(61) == {"column:warehouse:b:k"}
        reasons = store.rows("SELECT DISTINCT end_reason FROM column_edge WHERE known_to > now() AND valid_to < now()")
        assert reasons == [("retold",)]


def test_another_stream_that_still_shows_a_claim_keeps_it() -> None:
    facets = {"jobType": {"processingType": "STREAMING", "integration": "FLINK"}}
    second = run_event("t", "stream", _at(30), "RUNNING", ["a"], [_told(("a", "k"))], job_facets=facets)
    with loaded(
        _stream(1, "START", inputs=["a"], outputs=[_told(("a", "k"))]), second, _stream(60, outputs=[_told(("b", "k"))])
    ) as store:
        assert store.rows("SELECT count(*) FROM column_edge WHERE known_to > now() AND valid_to > now()") == [(2,)]


def test_explicit_lineage_on_any_event_of_a_stream_forbids_products_in_all_of_it() -> None:
    entry = {"namespace": "warehouse", "name": "c", "type": "DATASET",
             "inputs": [{"namespace": "warehouse", "name": "b", "type": "DATASET"}]}  # fmt: skip
    late = run_event("s", "stream", _at(60), "RUNNING", job_facets={"lineage": {"entries": [entry]}})
    with loaded(_stream(1, "START", inputs=["a"], outputs=["c"]), late) as store:
        assert _sources(store, 30) == set()
        assert _sources(store, 61) == {"b"}


def test_the_schema_of_a_stream_holds_from_the_event_that_told_it() -> None:
    with (
        loaded(
            _stream(1, "START", outputs=[("c", {"schema": schema("x")})]),
            _stream(40, outputs=["c"]),
            _stream(60, outputs=[("c", {"schema": schema("x", "y")})]),
            one_by_one=True,
        ) as store,
        lineage.open(store) as lx,
    ):
        assert [column.name for column in lx.show("c", as_of=_at(30)).columns] == ["x"]
        assert [column.name for column in lx.show("c", as_of=_at(61)).columns] == ["x", "y"]


def test_a_dataset_that_a_stream_names_late_was_not_seen_early() -> None:
    events = [_stream(1, "START", inputs=["a"], outputs=["c"]), _stream(60, inputs=["b"])]
    with loaded(*events) as store, lineage.open(store) as lx:
        assert str(lx.show("b").first_seen) == str(_DAY_1 + timedelta(days=59))


def test_a_stream_that_says_the_same_for_months_is_one_stage_and_one_telling() -> None:
    events = [_stream(day, inputs=["a"], outputs=[("c", {"schema": schema("x")})]) for day in range(1, 90)]
    with loaded(*events) as store:
        assert store.rows("SELECT count(*) FROM run_stage") == [(0,)]
        assert store.rows("SELECT count(*) FROM run_told") == [(2,)]  # of the job and of c


_EVENTS = [
    _stream(1, "START", inputs=["a"], outputs=[("c", {"schema": schema("x")})]),
    _stream(3, inputs=["b"], outputs=[_told(("a", "k"))]),
    _stream(5, outputs=[_told(("b", "k"))]),
    _stream(5, outputs=[("c", {"schema": schema("x", "y")})]),
    _stream(7, inputs=[("a", {"schema": schema("k")})], outputs=[("c", {"schema": schema("x")})]),
    _stream(9, "COMPLETE"),
    run_event("r", job="stream", at=_at(4), inputs=["d"], outputs=["c"]),
    run_event("q", job="other", at=_at(6), inputs=[("c", {"schema": schema("z")})], outputs=["e"]),
]


@cache
def _expected() -> dict[str, set[tuple[Any, ...]]]:
    with loaded(*_EVENTS) as store:
        return state(store)


@settings(max_examples=5)
@given(order=st.permutations(range(len(_EVENTS))), size=st.integers(2, 5), restart=st.booleans())
def test_streams_come_out_the_same_in_any_order_and_on_both_clocks(order: list[int], size: int, restart: bool) -> None:
    batches = [[_EVENTS[i] for i in order[k : k + size]] for k in range(0, len(order), size)]
    with empty_store() as store:
        writer = Writer(store)
        for day, batch in enumerate(batches):
            writer.ingest([*batch, batch[0]], source="test", received_at=_DAY_1 + timedelta(days=100 + day))
            writer = Writer(store) if restart else writer
        assert difference(_expected(), state(store)) == {}
        with loaded(*(event for batch in batches[:2] for event in batch)) as past:
            assert difference(state(past), state(store, str(_DAY_1 + timedelta(days=101, hours=1)))) == {}


def test_streams_rebuilt_from_the_archive_have_the_same_fingerprint() -> None:
    with loaded(*_EVENTS[::-1], one_by_one=True) as store, empty_store() as fresh:
        rebuild(store, fresh)
        assert fingerprint(fresh) == fingerprint(store)
