"""The rules a consumer of OpenLineage must honour, one test each; recorded events where the corpus has a case."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

import lineage
from ingest.archive import unpack
from ingest.writer import Writer
from lineage.identity import NodeKey
from lineage.store import Store
from tests.ingest.build import (
    column_lineage,
    dataset_event,
    ds,
    edges,
    empty_store,
    job_event,
    loaded,
    run_event,
    run_id,
    run_row,
    schema,
)


def explicit(target: str, *sources: str, **fields: str) -> dict[str, object]:
    """A lineage facet of a job with one entry: datasets that feed ``target``, and ``column="dataset.column"``."""

    def source(name: str, **more: str) -> dict[str, str]:
        return {"namespace": "warehouse", "name": name, "type": "DATASET", **more}

    columns = {
        column: {"inputs": [source(text.partition(".")[0], field=text.partition(".")[2])]}
        for column, text in fields.items()
    }
    return {
        "lineage": {"entries": [{**source(target), "inputs": [source(name) for name in sources], "fields": columns}]}
    }


def _facets(store: Store, name: str, key: str) -> list[tuple[str, str]]:
    """(valid_from, body) of a facet of a dataset, in order of time."""
    return store.rows(
        """
        SELECT strftime(valid_from, '%H:%M'), json FROM facet JOIN facet_body USING (body)
        WHERE entity = ? AND key = ? AND known_to = '9999-12-31' ORDER BY valid_from
        """,
        [ds(name), key],
    )


def test_rule_01_every_event_is_archived_byte_for_byte(events: Path) -> None:
    lines = (events / "airflow-3.3.2/all-facets.ndjson").read_bytes().splitlines()
    with loaded(*lines) as store:
        archived = [event for (body,) in store.rows("SELECT body FROM raw ORDER BY block") for event in unpack(body)]
        assert archived == lines


def test_rule_02_whatever_has_identity_and_time_is_accepted_and_one_bad_event_costs_no_other(events: Path) -> None:
    lines = (events / "compatibility-tests/simple_run_event.ndjson").read_bytes().splitlines()
    store = empty_store()
    outcome = Writer(store).ingest([b"{broken", *lines, b"[]", b'{"eventType": "START"}'], source="test")
    with store:
        assert (outcome.accepted, outcome.quarantined) == (1, 3)
        assert dict(outcome.reasons) == {"not-json": 1, "not-an-event": 1, "no-job": 1}
        assert store.rows("SELECT run_id FROM run") == [("run_id",)]  # not a uuid, and true all the same


def test_rule_03_the_same_bytes_change_nothing() -> None:
    event = run_event(inputs=["a"], outputs=["b"])
    with loaded(event, event, b"  " + event + b"\n", one_by_one=True) as store:
        assert store.rows("SELECT count(*) FROM event") == [(1,)]
        assert run_row(store)["events"] == 1


def test_rule_04_a_late_start_does_not_reopen_a_finished_run() -> None:
    done, late = run_event(at="2026-01-01T02:00:00Z"), run_event(at="2026-01-01T01:00:00Z", kind="START")
    with loaded(done, late, one_by_one=True) as store:
        row = run_row(store)
        assert row["state"] == "COMPLETE"
        assert str(row["started_at"]) == "2026-01-01 01:00:00"


def test_rule_05_one_run_id_under_two_jobs_is_two_runs() -> None:
    with loaded(run_event(job="a", kind="FAIL"), run_event(job="b")) as store:
        assert run_row(store, job="a")["state"] == "FAIL"
        assert run_row(store, job="b")["state"] == "COMPLETE"


def test_rule_06_among_terminal_states_the_latest_wins_and_the_conflict_is_flagged() -> None:
    events = [run_event(at="2026-01-01T01:00:00Z", kind="COMPLETE"), run_event(at="2026-01-01T02:00:00Z", kind="FAIL")]
    for order in (events, events[::-1]):
        with loaded(*order, one_by_one=True) as store:
            row = run_row(store)
            assert (row["state"], row["conflict"]) == ("FAIL", True)


@pytest.mark.parametrize("kind", ["OTHER", None])
def test_rule_06_other_events_never_change_the_state(kind: str | None) -> None:
    with loaded(run_event(kind="START"), run_event(kind=kind, at="2026-01-01T05:00:00Z")) as store:
        assert run_row(store)["state"] == "START"


def test_rule_06_a_second_start_with_an_earlier_time_gives_the_start(events: Path) -> None:
    """Deferrable Airflow tasks send START twice, the later one with the earlier time."""
    lines = (events / "airflow-3.3.2/defer-simple.ndjson").read_bytes().splitlines()
    starts: dict[str, list[str]] = {}
    for event in map(json.loads, lines):
        if event["eventType"] == "START":
            starts.setdefault(event["run"]["runId"], []).append(event["eventTime"])
    (run, times), *_ = [(run, times) for run, times in starts.items() if len(times) > 1]
    with loaded(*lines) as store:
        ((started,),) = store.rows("SELECT started_at FROM run WHERE run_id = ? AND known_to = '9999-12-31'", [run])
    assert started == min(datetime.fromisoformat(text).replace(tzinfo=None) for text in times)


@pytest.mark.parametrize("last", [(), None])
def test_rule_07_an_empty_or_null_list_removes_nothing(last: object) -> None:
    with loaded(
        run_event(kind="START", inputs=["a", "b"]),
        run_event(at="2026-01-01T01:00:00Z", kind="RUNNING", inputs=["a"], outputs=["c"]),
        run_event(at="2026-01-01T02:00:00Z", inputs=last, outputs=last),
    ) as store:
        assert edges(store) == {("a", "c", "product", "current"), ("b", "c", "product", "current")}


def test_rule_07_inputs_of_sqlmesh_that_only_start_names_are_kept(events: Path) -> None:
    lines = (events / "sqlmesh/sushi.ndjson").read_bytes().splitlines()
    with loaded(*lines) as store:
        started, completed = 0, 0
        for event in map(json.loads, lines):
            inputs = {(item["namespace"], item["name"]) for item in event.get("inputs") or ()}
            started += bool(inputs) and event["eventType"] == "START"
            completed += bool(inputs) and event["eventType"] == "COMPLETE"
        assert started > completed
        with_inputs = store.rows(
            "SELECT count(DISTINCT run) FROM run_io WHERE direction = 'in' AND known_to > now()::TIMESTAMP"
        )
        assert with_inputs[0][0] >= started


def test_rule_08_the_newest_event_decides_a_facet_in_any_order() -> None:
    events = [
        run_event("r1", at="2026-01-01T01:00:00Z", outputs=[("a", {"schema": schema("x")})]),
        run_event("r2", at="2026-01-01T02:00:00Z", outputs=[("a", {"schema": schema("x", "y")})]),
        run_event("r3", at="2026-01-01T03:00:00Z", outputs=[("a", {"schema": schema("x", "y")})]),
    ]
    for order in (events, events[::-1]):
        with loaded(*order, one_by_one=True) as store:
            history = [(at, len(json.loads(body)["fields"])) for at, body in _facets(store, "a", "schema")]
            assert history == [("01:00", 1), ("02:00", 2)]


def test_rule_08_a_long_run_holds_from_its_start_and_again_from_its_end() -> None:
    """What a run showed is true from its first event; a contradiction in between ends with its last one."""
    with loaded(
        run_event("long", job="long", at="2026-01-01T01:00:00Z", kind="START"),
        run_event("long", job="long", at="2026-01-01T05:00:00Z", outputs=[("a", {"schema": schema("x", "y")})]),
        run_event("short", at="2026-01-01T03:00:00Z", inputs=[("a", {"schema": schema("x")})]),
    ) as store:
        history = [(at, len(json.loads(body)["fields"])) for at, body in _facets(store, "a", "schema")]
        assert history == [("01:00", 2), ("03:00", 1), ("05:00", 2)]


@pytest.mark.parametrize(("one_by_one", "rows"), [(True, 2 * 8 - 1), (False, 8)])
def test_two_jobs_that_tell_a_facet_differently_cost_two_rows_a_turn_and_those_that_agree_none(
    one_by_one: bool, rows: int
) -> None:
    """One interval a turn, and one more row for what was known of it before its end: docs/semantics.md, Two clocks."""
    turns = [
        run_event(f"r{i}", job=f"job{i % 2}", at=f"2026-01-01T0{i}:00:00Z", outputs=[("a", {"schema": schema(*names)})])
        for i, names in enumerate([("x",), ("x", "y")] * 4)
    ]
    agreeing = [
        run_event(
            f"s{i}", job=f"job{i % 2}", at=f"2026-01-02T0{i}:00:00Z", outputs=[("a", {"schema": schema("x", "y")})]
        )
        for i in range(8)
    ]
    with loaded(*turns, *agreeing, one_by_one=one_by_one) as store:
        assert store.rows("SELECT count(*) FROM facet WHERE key = 'schema'") == [(rows,)]
        assert store.rows("SELECT count(*) FROM facet WHERE key = 'schema' AND known_to = '9999-12-31'") == [(8,)]


def test_rule_08_null_is_absent_and_deleted_removes() -> None:
    with loaded(
        dataset_event("a", at="2026-01-01T01:00:00Z", documentation={"description": "one"}, schema=schema("x")),
        dataset_event("a", at="2026-01-01T02:00:00Z", documentation=None, schema={"_deleted": True}),
    ) as store:
        assert len(_facets(store, "a", "documentation")) == 1
        ((_, valid_to),) = store.rows(
            "SELECT entity, strftime(valid_to, '%H:%M') FROM facet WHERE key = 'schema' AND known_to = '9999-12-31'"
        )
        assert valid_to == "02:00"


@pytest.mark.parametrize("place", ["facets", "inputFacets"])
def test_rule_09_assertions_are_found_wherever_they_stand(place: str) -> None:
    facet = {"dataQualityAssertions": {"assertions": [{"assertion": "not_null", "column": "x", "success": "True"}]}}
    item = ("a", facet if place == "facets" else {place: facet})
    with loaded(run_event(inputs=[item])) as store:
        assert store.rows("SELECT field, name, status FROM assertion") == [("x", "not_null", "pass")]


@pytest.mark.parametrize("one_by_one", [True, False])
def test_rule_09_numbers_and_tests_of_an_event_without_a_run_are_those_of_its_time(one_by_one: bool) -> None:
    def facets(rows: int, success: bool) -> dict[str, object]:
        tests = [{"assertion": "not_null", "success": success, "column": "x", "severity": "warn"}]
        profile = {"rowCount": rows, "columnMetrics": {"x": {"nullCount": 0}}}
        return {"dataQualityMetrics": profile, "dataQualityAssertions": {"assertions": tests}}

    again = json.loads(dataset_event("a", **facets(5, False)))
    events = [
        dataset_event("a", at="2026-01-02T00:00:00Z", **facets(7, True)),
        dataset_event("a", **facets(5, False)),
        json.dumps({**again, "producer": "https://example.com/other"}).encode(),  # the same told twice
        job_event(inputs=[("b", {"inputFacets": facets(9, False)})]),
    ]
    with loaded(*events, one_by_one=one_by_one) as store:
        lx = lineage.open(store)
        found = lx.show("dataset:warehouse:a")
        assert found.metrics == {"rowCount": 7}
        assert [(test["column"], test["status"], test["severity"]) for test in found.assertions] == [
            ("x", "pass", "warn")
        ]
        assert lx.show("column:warehouse:a:x").metrics == {"nullCount": 0}
        assert lx.show("dataset:warehouse:a", as_of="2026-01-01T12:00:00Z").assertions[0]["status"] == "fail"
        assert lx.show("dataset:warehouse:b").metrics == {"rowCount": 9}
        assert store.rows("SELECT count(*), count(run) FROM metric") == [(6, 0)]


def test_a_dataset_that_a_declaration_lists_twice_has_the_facets_of_both() -> None:
    read, written = ("a", {"documentation": {"description": "read"}}), ("a", {"schema": schema("x")})
    with loaded(job_event(inputs=[read], outputs=[written])) as store:
        found = lineage.open(store).show("dataset:warehouse:a")
        assert (found.description, [column.name for column in found.columns]) == ("read", ["x"])


def test_rule_10_an_explicit_facet_on_any_event_forbids_the_product() -> None:
    entry = {
        "namespace": "warehouse", "name": "c", "type": "DATASET",
        "inputs": [{"namespace": "warehouse", "name": "a", "type": "DATASET"}],
    }  # fmt: skip
    with loaded(
        run_event(kind="START", inputs=["a", "b"], outputs=["c", "d"], job_facets={"lineage": {"entries": [entry]}}),
        run_event(at="2026-01-01T01:00:00Z", inputs=["a", "b"], outputs=["c", "d"]),
    ) as store:
        assert edges(store) == {("a", "c", "explicit", "current")}
        assert ("b", "load", "io", "current") in edges(store, "read")


def test_rule_10_column_lineage_beside_an_explicit_facet_adds_no_edge_and_no_column_it_told_itself() -> None:
    """Precedence: the facet is the complete picture; of an output that both describe, the facet wins."""
    output = ("c", {"columnLineage": column_lineage({"x": [("b", "x")]})})
    job_facets = explicit("c", "a", x="a.x")
    run = run_event(inputs=["a", "b"], outputs=[output], job_facets=job_facets)
    for event, reads in ((run, "io"), (job_event(inputs=["a", "b"], outputs=[output], **job_facets), "declared")):
        with loaded(event) as store:
            assert edges(store) == {("a", "c", "explicit", "current")}
            assert edges(store, "read") == {("a", "load", reads, "current"), ("b", "load", reads, "current")}
            columns = "SELECT s.name, d.field FROM column_edge e JOIN node s ON s.id = src JOIN node d ON d.id = dst"
            assert store.rows(columns) == [("a", "x")]


def test_rule_10_column_lineage_gives_the_columns_of_an_explicit_edge_that_tells_none() -> None:
    output = ("c", {"columnLineage": column_lineage({"x": [("a", "x"), ("b", "x")]})})
    with loaded(run_event(inputs=["a", "b"], outputs=[output], job_facets=explicit("c", "a"))) as store:
        assert edges(store) == {("a", "c", "explicit", "current")}
        assert store.rows("SELECT s.name FROM column_edge e JOIN node s ON s.id = src") == [("a",)]


def test_rule_10_an_explicit_facet_of_a_dataset_wins_over_its_column_lineage() -> None:
    told = explicit("view", "a")["lineage"]
    assert isinstance(told, dict)
    facets = {"lineage": told["entries"][0], "columnLineage": column_lineage({"x": [("b", "x")]})}
    with loaded(dataset_event("view", **facets)) as store:
        assert edges(store) == {("a", "view", "explicit", "current")}


def test_rule_10_an_entry_for_another_job_tells_what_that_job_reads() -> None:
    """``dag_b.task_1 <- transactions``, told by ``dag_b``: the DAG itself reads nothing."""
    source = {"namespace": "warehouse", "name": "transactions", "type": "DATASET"}
    entry = {"namespace": "warehouse", "name": "dag_b.task_1", "type": "JOB", "inputs": [source]}
    with loaded(job_event("dag_b", lineage={"entries": [entry]})) as store:
        assert edges(store, "read") == {("transactions", "dag_b.task_1", "explicit", "current")}


def test_rule_10_no_tracked_source_differs_from_nothing_said() -> None:
    entry = {"namespace": "warehouse", "name": "c", "type": "DATASET", "inputs": []}
    event = run_event(inputs=["a"], outputs=["c"], job_facets={"lineage": {"entries": [entry]}})
    with loaded(event) as store:
        assert edges(store) == set()


def test_rule_10_column_lineage_names_edges_and_other_inputs_stay_as_products() -> None:
    output = ("c", {"columnLineage": column_lineage({"x": [("a", "x")]})})
    with loaded(run_event(inputs=["a", "b"], outputs=[output])) as store:
        assert edges(store) == {("a", "c", "column", "current"), ("b", "c", "product", "current")}


def test_rule_10_recorded_airflow_gives_the_twelve_edges_of_another_consumer(events: Path) -> None:
    """Google's Dataplex finds the same 12 links in this recording."""
    lines = (events / "compatibility-tests/airflow.ndjson").read_bytes().splitlines()
    with loaded(*lines) as store:
        assert len(edges(store)) == 12


def test_rule_11_declared_and_observed_edges_stay_apart() -> None:
    with loaded(job_event(inputs=["a"], outputs=["b"]), run_event(inputs=["a"], outputs=["c"])) as store:
        assert edges(store) == {("a", "b", "declared", "current"), ("a", "c", "product", "current")}


def test_rule_11_the_newest_declaration_is_the_whole_one() -> None:
    with loaded(
        job_event(at="2026-01-01T01:00:00Z", inputs=["a"], outputs=["b"]),
        job_event(at="2026-01-01T02:00:00Z", inputs=["c"], outputs=["b"]),
        one_by_one=True,
    ) as store:
        assert edges(store) == {("c", "b", "declared", "current")}
        assert ("a", "b", "declared", "current") in edges(store, current=False)


def test_rule_12_symlinks_become_aliases_over_their_time(events: Path) -> None:
    lines = (events / "data-rentgen/hive.ndjson").read_bytes().splitlines()
    with loaded(*lines) as store:
        assert store.rows("SELECT DISTINCT basis FROM alias WHERE known_to = '9999-12-31'") == [("symlink",)]
        links = {
            (item["namespace"], item["name"])
            for event in map(json.loads, lines)
            for side in ("inputs", "outputs")
            for entry in event[side]
            for item in entry.get("facets", {}).get("symlinks", {}).get("identifiers", ())
        }
        found = store.rows("SELECT n.namespace, n.name FROM alias JOIN node n ON n.id = alias.b")
        assert set(found) == links


def test_rule_12_symlinks_of_two_producers_add_up_until_the_facet_is_deleted() -> None:
    def links(*names: str) -> dict[str, object]:
        return {"identifiers": [{"namespace": "hive", "name": name, "type": "TABLE"} for name in names]}

    with loaded(
        dataset_event("a", at="2026-01-01T01:00:00Z", symlinks=links("x")),
        dataset_event("a", at="2026-01-01T02:00:00Z", symlinks=links("y")),
        dataset_event("a", at="2026-01-01T03:00:00Z", symlinks={"_deleted": True}),
        dataset_event("a", at="2026-01-01T04:00:00Z", symlinks=links("y")),
        one_by_one=True,
    ) as store:
        rows = store.rows(
            """
            SELECT n.name, strftime(valid_from, '%H'), strftime(valid_to, '%Y-%H') FROM alias JOIN node n ON n.id = b
            WHERE known_to = '9999-12-31' ORDER BY 1, 2
            """
        )
        assert rows == [("x", "01", "2026-03"), ("y", "02", "2026-03"), ("y", "04", "9999-00")]


def test_rule_13_parents_contain_and_are_held_a_place_until_they_speak() -> None:
    parent = {"run": {"runId": "p"}, "job": {"namespace": "warehouse", "name": "dag"}}
    child = run_event(job="dag.task", run_facets={"parent": parent}, inputs=["a"], outputs=["b"])
    with loaded(child) as store:
        assert run_row(store, "p", "dag")["state"] == "UNSEEN"
        assert edges(store, "contains") == {("dag", "dag.task", "io", "current")}
        assert edges(store) == {("a", "b", "product", "current")}
    with loaded(child, run_event("p", "dag", kind="FAIL"), one_by_one=True) as store:
        assert run_row(store, "p", "dag")["state"] == "FAIL"


def test_rule_13_job_dependencies_are_control_flow_and_never_data() -> None:
    facet = {"jobDependencies": {"upstream": [{"job": {"namespace": "warehouse", "name": "before"}}], "downstream": []}}
    with loaded(run_event(run_facets=facet)) as store:
        assert edges(store, "control") == {("before", "load", "io", "current")}
        assert edges(store) == set()


@pytest.mark.parametrize(
    ("processing", "state"), [("BATCH", "stale"), ("STREAMING", "current"), ("SERVICE", "current")]
)
def test_rule_14_only_complete_batch_runs_tell_of_absence(processing: str, state: str) -> None:
    facets = {"jobType": {"processingType": processing, "integration": "TEST"}}
    with loaded(
        run_event("r1", at="2026-01-01T00:00:00Z", inputs=["a", "b"], outputs=["c"], job_facets=facets),
        run_event("r2", at="2026-01-02T00:00:00Z", inputs=["a"], outputs=["c"], job_facets=facets),
    ) as store:
        assert ("b", "c", "product", state) in edges(store)


def test_rule_15_unknown_facets_pass_through_whole() -> None:
    facet = {"my_own": {"deep": [{"er": 1.50}], "text": "ü"}}
    with loaded(run_event(outputs=[("a", facet)])) as store:
        ((_, body),) = _facets(store, "a", "my_own")
        assert json.loads(body) == facet["my_own"]


def test_rule_16_secrets_are_masked_in_facets_and_exact_in_the_archive() -> None:
    event = run_event(outputs=[("a", {"my_own": {"url": "postgres://ada:s3cret@db/shop", "token": "s3cret"}})])
    with loaded(event) as store:
        ((_, body),) = _facets(store, "a", "my_own")
        assert json.loads(body) == {"url": "postgres://ada:***@db/shop", "token": "***"}
        ((kept,),) = store.rows("SELECT body FROM raw")
        assert unpack(kept) == [event]


def test_rule_17_a_skipped_test_has_not_passed_and_severity_is_apart() -> None:
    tests = {
        "test": {"tests": [{"name": "t1", "status": "skip"}, {"name": "t2", "status": "fail", "severity": "warn"}]}
    }
    with loaded(run_event(run_facets=tests)) as store:
        assert set(store.rows("SELECT name, status, severity FROM assertion")) == {
            ("t1", "skip", None),
            ("t2", "fail", "warn"),
        }
        assert run_row(store)["state"] == "COMPLETE"


def test_rule_18_statistics_of_a_run_are_counted_once_and_the_last_value_holds() -> None:
    def out(rows: int) -> tuple[str, dict[str, object]]:
        return "a", {"outputFacets": {"outputStatistics": {"rowCount": rows, "size": 10 * rows}}}

    events = [
        run_event(kind="RUNNING", outputs=[out(5)]),
        run_event(at="2026-01-01T01:00:00Z", outputs=[out(7)]),
        run_event(at="2026-01-01T00:30:00Z", kind="RUNNING", outputs=["a"]),
    ]
    for order in (events, events[::-1]):
        with loaded(*order, one_by_one=True) as store:
            found = store.rows("SELECT row_count, byte_count FROM run_io WHERE known_to = '9999-12-31'")
            assert found == [(7, 70)]


def test_column_edges_know_their_transformation_and_masking() -> None:
    uses = {
        "namespace": "warehouse", "name": "a", "field": "mail",
        "transformations": [{"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": True, "description": "sha256"}],
    }  # fmt: skip
    facet = {"columnLineage": {"fields": {"mail_hash": {"inputFields": [uses]}}}}
    with loaded(run_event(inputs=["a"], outputs=[("b", facet)])) as store:
        source, target = (NodeKey("column", "warehouse", *key).id for key in (("a", "mail"), ("b", "mail_hash")))
        assert store.rows("SELECT src, dst, type, subtype, masking, provenance FROM column_edge") == [
            (source, target, "DIRECT", "TRANSFORMATION", True, "column")
        ]


def test_a_run_without_run_id_is_kept_under_an_id_of_its_own() -> None:
    event = json.loads(run_event(inputs=["a"], outputs=["b"]))
    event["run"] = {}
    with loaded(json.dumps(event).encode()) as store:
        assert edges(store) == {("a", "b", "product", "current")}
        ((text, notes),) = store.rows("SELECT run_id, notes FROM run, event WHERE run.known_to = '9999-12-31'")
        assert text.startswith("unidentified-")
        assert "runId" in notes


def test_the_error_and_nominal_time_of_a_run_are_kept() -> None:
    facets = {
        "errorMessage": {"message": "no space left", "programmingLanguage": "PYTHON"},
        "nominalTime": {"nominalStartTime": "2026-01-01T00:00:00Z"},
    }
    with loaded(
        run_event(kind="FAIL", run_facets=facets), run_event(kind="START", run_facets={"nominalTime": None})
    ) as store:
        row = run_row(store)
        assert (row["error"], str(row["nominal_start"])) == ("no space left", "2026-01-01 00:00:00")
        assert store.rows("SELECT count(*) FROM run WHERE run = ?", [run_id("r1")]) == [(1,)]


def test_rule_18_the_volume_of_the_last_run_is_shown_apart_from_the_profile_of_the_table() -> None:
    written = {"outputStatistics": {"rowCount": 7, "size": 70}}
    profile = {"dataQualityMetrics": {"rowCount": 100, "columnMetrics": {}}}
    with (
        loaded(
            run_event("r1", outputs=[("a", {"outputFacets": {"outputStatistics": {"rowCount": 5}}})]),
            run_event("r2", at="2026-01-02T00:00:00Z", outputs=[("a", {"outputFacets": written, **profile})]),
        ) as store,
        lineage.open(store) as lx,
    ):
        assert lx.show("a").metrics == {"outputStatistics.rowCount": 7, "outputStatistics.size": 70, "rowCount": 100}
        assert lx.show("a", as_of="2026-01-01T12:00:00Z").metrics == {"outputStatistics.rowCount": 5}


def test_rule_03_another_event_of_the_same_run_type_and_time_is_taken_once_and_joins_it() -> None:
    one, other = run_event(inputs=["a"], outputs=["b"]), run_event(inputs=["c"], outputs=["b"])
    with loaded(one, other, one, other, one_by_one=True) as store:
        assert run_row(store)["events"] == 2
        assert edges(store) == {("a", "b", "product", "current"), ("c", "b", "product", "current")}


def test_rule_09_all_facets_that_airflow_puts_into_one_place_are_found(events: Path) -> None:
    """Airflow writes inputFacets and outputFacets of the standard into ``facets``."""
    lines = (events / "airflow-3.3.2/all-facets.ndjson").read_bytes().splitlines()
    asserted = [
        test["assertion"]
        for event in map(json.loads, lines)
        for item in (*event.get("inputs", ()), *event.get("outputs", ()))
        for place in ("facets", "inputFacets", "outputFacets")
        for test in ((item.get(place) or {}).get("dataQualityAssertions") or {}).get("assertions", ())
    ]
    with loaded(*lines) as store:
        assert asserted and store.rows("SELECT count(*) > 0 FROM assertion WHERE dataset IS NOT NULL") == [(True,)]
        assert store.rows("SELECT count(*) > 0 FROM run_io WHERE row_count IS NOT NULL") == [(True,)]


def test_rule_14_snapshots_stand_for_their_windows_and_add_up_to_the_run() -> None:
    pattern = {"eventTrigger": "PERIODIC", "eventContentMode": "COMPLETE_SNAPSHOT", "windowDuration": 60}
    facets = {"jobType": {"processingType": "STREAMING", "integration": "FLINK", "emissionPattern": pattern}}

    def window(minute: int, rows: int) -> bytes:
        out = ("b", {"outputFacets": {"outputStatistics": {"rowCount": rows, "size": 10 * rows}}})
        return run_event(at=f"2026-01-01T00:0{minute}:00Z", kind="RUNNING", outputs=[out], job_facets=facets)

    windows = [window(0, 5), window(1, 7), window(2, 1)]
    for order in (windows, [*windows[::-1], windows[1]]):
        with loaded(*order, one_by_one=True) as store:
            assert store.rows("SELECT row_count, byte_count FROM run_io WHERE known_to = '9999-12-31'") == [(13, 130)]


def test_rule_15_values_and_versions_that_nobody_knows_yet_pass_through_and_cost_nothing() -> None:
    newer = {"_schemaURL": "https://openlineage.io/spec/facets/9-0-0/SchemaDatasetFacet.json"}
    output = {
        "schema": {**newer, "fields": [{"name": "x", "type": "VECTOR<3>", "units": "m"}], "more": [1]},
        "lifecycleStateChange": {"lifecycleStateChange": "FREEZE"},
        "datasetType": {"datasetType": "HOLOGRAM"},
        "columnLineage": {
            "fields": {"x": {"inputFields": [{
                "namespace": "warehouse", "name": "a", "field": "y",
                "transformations": [{"type": "QUANTUM", "subtype": "LEAP"}],
            }]}},
        },
    }  # fmt: skip
    job = {"jobType": {"processingType": "EVENTUALLY", "integration": "NEW", "emissionPattern": "?"}}
    event = json.loads(run_event(inputs=["a"], outputs=[("b", output)], job_facets=job))
    event["schemaURL"] = "https://openlineage.io/spec/9-0-0/OpenLineage.json#/$defs/RunEvent"
    with loaded(json.dumps(event).encode()) as store:
        assert edges(store) == {("a", "b", "column", "current")}
        assert run_row(store)["state"] == "COMPLETE"
        assert store.rows("SELECT type, subtype FROM column_edge") == [("QUANTUM", "LEAP")]
        for key in output:
            ((_, body),) = _facets(store, "b", key)
            assert json.loads(body) == output[key]


def test_rule_16_untrusted_text_stays_text_and_its_secrets_are_masked() -> None:
    script = "<script>alert(1)</script>"
    facets = {"errorMessage": {"message": f"{script} postgres://ada:s3cret@db", "programmingLanguage": "x"}}
    long = "select '" + "x" * 3_000_000 + "'"
    with loaded(run_event(kind="FAIL", run_facets=facets, job_facets={"sql": {"query": long}})) as store:
        assert run_row(store)["error"] == f"{script} postgres://ada:***@db"
        ((size,),) = store.rows("SELECT length(json) FROM facet_body")
        assert size > 3_000_000


@pytest.mark.parametrize(("told", "status"), [("True", "pass"), ("false", "fail"), (True, "pass"), (False, "fail")])
def test_rule_17_booleans_that_were_sent_as_text_are_booleans(told: object, status: str) -> None:
    test = {"assertion": "unique", "column": "x", "success": told, "severity": "warn"}
    item = ("a", {"inputFacets": {"dataQualityAssertions": {"assertions": [test]}}})
    with loaded(run_event(inputs=[item])) as store:
        assert store.rows("SELECT status, severity FROM assertion") == [(status, "warn")]
        assert run_row(store)["state"] == "COMPLETE"


def test_rule_18_a_dataset_and_its_symlink_are_one_volume() -> None:
    link = {"symlinks": {"identifiers": [{"namespace": "hive", "name": "t", "type": "TABLE"}]}}
    out = ("s3/t", {**link, "outputFacets": {"outputStatistics": {"rowCount": 7}}})
    with loaded(run_event(outputs=[out])) as store, lineage.open(store) as lx:
        assert store.rows("SELECT count(*), sum(row_count) FROM run_io") == [(1, 7)]
        for name in ("dataset:hive:t", "dataset:warehouse:s3/t"):
            assert lx.show(name).metrics == {"outputStatistics.rowCount": 7}
