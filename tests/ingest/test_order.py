"""Any order, any repetition, any cut into batches gives the same state; the past of the known clock is a rebuild."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rebuild import rebuild
from ingest.writer import Writer
from lineage.store import Store, state_fingerprint
from tests.ingest.build import column_lineage, dataset_event, empty_store, job_event, run_event, schema
from tests.ingest.state import difference, state

RECORDED = (
    "compatibility-tests/airflow",
    "compatibility-tests/spark_dataproc_simple_producer_test_complete",
    "marquez/seed-food-delivery",
    "marquez/apples",
    "marquez/api-fixtures",
    "data-rentgen/spark",
    "data-rentgen/hive",
    "openlineage-repo/explicit-lineage-proposal",
    "openlineage-repo/docs-spec-examples",
    "airflow-3.3.2/defer-simple",
    "airflow-3.3.2/all-facets",
    "sqlmesh/sushi",
    "great-expectations/gx-sqlite",
)
T0 = datetime(2026, 3, 1)  # noqa: DTZ001


def _at(hour: int) -> str:
    return (T0 + timedelta(hours=hour)).isoformat() + "Z"


def _link(name: str) -> dict[str, object]:
    return {"identifiers": [{"namespace": "s3://b", "name": name, "type": "TABLE"}]}


def _lifecycle(state: str) -> dict[str, object]:
    return {"lifecycleStateChange": {"lifecycleStateChange": state}}


def spelled() -> list[bytes]:
    """Runs whose ids are told in upper and lower case, own and as parents."""
    ids = ("1b671a64-40d5-491e-99b0-da01ff1f3341", "aaaaaaaa-0000-4000-8000-00000000000b")

    def child(run: str, parent: str, hour: int) -> bytes:
        told = {"run": {"runId": parent}, "job": {"namespace": "warehouse", "name": "spelled"}}
        return run_event(run, job="below", at=_at(hour), inputs=["a"], run_facets={"parent": told})

    return [
        run_event(ids[0].upper(), job="spelled", at=_at(1), kind="START", inputs=["a"]),
        run_event(ids[0], job="spelled", at=_at(2), outputs=["g"]),
        run_event(ids[0].title(), job="spelled", at=_at(1), kind="RUNNING", inputs=["b"]),
        child("below-1", ids[0], 2),
        child("below-1", ids[0].upper(), 3),
        child("below-2", ids[1], 4),
        child("below-3", ids[1].title(), 5),
        child("below-4", ids[1].upper(), 6),
        run_event("Nightly", job="spelled", at=_at(1), inputs=["a"]),
        run_event("NIGHTLY", job="spelled", at=_at(2), inputs=["a"]),
    ]


def awkward() -> list[bytes]:
    """Events that contradict, overtake and repeat each other."""
    lineage = {"columnLineage": column_lineage({"x": [("a", "x")], "y": [("a", "y"), ("b", "y")]})}
    return [
        run_event("r1", at=_at(1), kind="START", inputs=["a", "b"]),
        run_event(
            "r1", at=_at(2), kind="COMPLETE", outputs=[("c", {"schema": schema("x", "y"), **lineage})],
            producer="https://example.com/another",
        ),
        run_event("two", job="two", at=_at(1), kind="START", outputs=[("f", {"schema": schema("x")})]),
        run_event("two", job="two", at=_at(2), outputs=[("f", {"schema": schema("x")})], producer="https://b.example"),
        run_event("r2", at=_at(0), kind="START", inputs=[("a", {"schema": schema("x")})]),
        run_event("r2", at=_at(9), kind="FAIL", inputs=[("a", {"schema": schema("x", "y")})], outputs=["c"]),
        run_event("r2", at=_at(8), kind="COMPLETE", outputs=["d"]),
        run_event("r3", at=_at(3), inputs=["a"], outputs=[("c", {"schema": schema("x", "z")})]),
        run_event("r3", at=_at(3), kind="START", inputs=["a"], outputs=["c"]),
        run_event("r4", at=_at(4), inputs=["b"], outputs=["d"]),
        run_event("r5", at=_at(5), inputs=["b"], outputs=["d"]),
        run_event("r6", at=_at(6), inputs=["b"], outputs=["d"]),
        run_event("r1", job="other", at=_at(2), inputs=["c"], outputs=[("e", {"schema": {"_deleted": True}})]),
        job_event("other", at=_at(1), inputs=["c"], outputs=["e"]),
        job_event("other", at=_at(5), inputs=["c", "d"], outputs=["e"]),
        dataset_event("c", at=_at(4), schema=schema("x", "y"), documentation={"description": "told"}),
        dataset_event("e", at=_at(7), lineage={"inputs": [{"namespace": "warehouse", "name": "d", "type": "DATASET"}]}),
        dataset_event("e", at=_at(8), lineage={"_deleted": True}),
        run_event(
            "child", job="child", at=_at(2), inputs=["a"],
            run_facets={"parent": {"run": {"runId": "r1"}, "job": {"namespace": "warehouse", "name": "load"}}},
        ),
        run_event(
            "child", job="child", at=_at(3), inputs=["a"],
            run_facets={"parent": {"run": {"runId": "ghost"}, "job": {"namespace": "warehouse", "name": "ghost"}}},
        ),
        *spelled(),
        run_event("drop", job="cleaner", at=_at(5), outputs=[("d", _lifecycle("DROP"))]),
        run_event("drop", job="cleaner", at=_at(6), outputs=[("d", _lifecycle("CREATE"))]),
        dataset_event("b", at=_at(7), **_lifecycle("DROP")),
        dataset_event("a", at=_at(1), symlinks=_link("a")),
        dataset_event("a", at=_at(6), symlinks=_link("a2")),
    ]  # fmt: skip


def _recorded(events: Path, name: str) -> list[bytes]:
    return (events / f"{name}.ndjson").read_bytes().splitlines()


@contextmanager
def _ingest(batches: list[list[bytes]], restart: bool = False) -> Iterator[Store]:
    with empty_store() as store:
        writer = Writer(store)
        for batch in batches:
            writer.ingest(batch, source="test")
            if restart:  # nothing may live in memory alone
                writer = Writer(store)
        yield store


def _cut(lines: list[bytes], seed: int, largest: int) -> list[list[bytes]]:
    """Shuffled, partly repeated, cut into batches."""
    rng = random.Random(seed)
    shuffled = [*lines, *rng.sample(lines, len(lines) // 3)]
    rng.shuffle(shuffled)
    batches = []
    while shuffled:
        size = rng.randint(1, largest)
        batches.append(shuffled[:size])
        shuffled = shuffled[size:]
    return batches


@cache
def _expected() -> dict[str, set[tuple[Any, ...]]]:
    with _ingest([awkward()]) as store:
        return state(store)


@settings(max_examples=4)
@given(seed=st.integers(0, 2**32), restart=st.booleans())
def test_any_order_of_contradicting_events_gives_the_same_state(seed: int, restart: bool) -> None:
    with _ingest(_cut(awkward(), seed, 8), restart) as found:
        assert difference(_expected(), state(found)) == {}


@pytest.mark.parametrize("name", RECORDED)
def test_any_order_of_recorded_events_gives_the_same_state(events: Path, name: str) -> None:
    lines = _recorded(events, name)
    with _ingest([lines]) as expected, _ingest(_cut(lines, 2, 24), restart=True) as found:
        assert difference(state(expected), state(found)) == {}


@settings(max_examples=2)
@given(seed=st.integers(0, 2**32))
def test_what_was_known_at_k_equals_a_rebuild_from_what_had_arrived_by_k(seed: int) -> None:
    """At every K of one stream: beside it grows a store that never hears of what comes later."""
    batches = _cut(awkward(), seed, 8)
    with empty_store() as store, empty_store() as grows:
        writer, by_then = Writer(store), Writer(grows)
        for number, batch in enumerate(batches):
            writer.ingest(batch, source="test", received_at=T0 + timedelta(days=number))
        for number, batch in enumerate(batches):
            by_then.ingest(batch, source="test")
            known_at = str(T0 + timedelta(days=number, hours=(seed + number) % 24))
            assert difference(state(grows), state(store, known_at)) == {}


def test_a_batch_that_shares_its_receipt_time_with_another_leaves_no_empty_interval() -> None:
    store = empty_store()
    writer = Writer(store)
    for event in awkward():
        writer.ingest([event], source="test", received_at=T0)
    with store, _ingest([awkward()]) as expected:
        assert difference(state(expected), state(store)) == {}
        assert store.rows("SELECT count(*) FROM edge WHERE known_from >= known_to") == [(0,)]


def test_rebuild_gives_the_same_state_and_the_same_known_times(events: Path) -> None:
    lines = _recorded(events, "airflow-3.3.2/manual-lineage")
    store = empty_store()
    writer = Writer(store)
    for day, batch in enumerate(_cut(lines, 7, 6)):
        writer.ingest(batch, source="test", received_at=T0 + timedelta(days=day))
    with store, empty_store() as fresh:
        assert rebuild(store, fresh) == store.rows("SELECT sum(n) FROM raw")[0][0]
        assert difference(state(store), state(fresh)) == {}
        for table in ("run", "edge", "facet", "node"):
            times = f"SELECT DISTINCT known_from FROM {table} ORDER BY 1"
            assert fresh.rows(times) == store.rows(times)


def test_the_same_events_in_any_order_are_one_state_by_its_fingerprint() -> None:
    events = awkward()
    with _ingest([events]) as one, _ingest(_cut(events, 3, 4)) as other, _ingest([events[:-1]]) as less:
        assert state_fingerprint(one) == state_fingerprint(other) != state_fingerprint(less)
        with empty_store() as fresh:
            rebuild(one, fresh)
            assert state_fingerprint(fresh) == state_fingerprint(one)


def test_ingesting_again_adds_nothing(events: Path) -> None:
    lines = _recorded(events, "marquez/seed-food-delivery")
    with _ingest([lines]) as store:
        before = {
            table: store.rows(f"SELECT count(*) FROM {table}") for table in ("raw", "event", "edge", "run", "facet")
        }
        outcome = Writer(store).ingest(lines, source="again")
        assert (outcome.accepted, outcome.duplicates) == (0, len(lines))
        assert before == {table: store.rows(f"SELECT count(*) FROM {table}") for table in before}
