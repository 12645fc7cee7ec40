"""Which facets become numbers and test results, and what happens to those that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ingest.outcome import Line
from ingest.writer import Writer
from lineage.store import Store
from tests.ingest.build import loaded, run_event

EVENTS = Path(__file__).parents[1] / "data" / "events"

RESULTS = "SELECT name, field, status FROM assertion WHERE known_to = '9999-12-31' ORDER BY name, field"
NUMBERS = "SELECT name, value FROM metric WHERE known_to = '9999-12-31' ORDER BY name"


def told(place: str, key: str, body: dict[str, Any], side: str = "inputs") -> Store:
    event = json.loads(run_event(inputs=["a"] if side == "inputs" else [], outputs=["a"] if side == "outputs" else []))
    event[side][0][place] = {key: body}
    return loaded(json.dumps(event).encode())


def notes(store: Store) -> list[str]:
    return [note for (text,) in store.rows("SELECT notes FROM event") for note in json.loads(text or "[]")]


def test_assertions_count_wherever_they_stand_and_under_the_names_of_great_expectations() -> None:
    body = {"assertions": [{"assertion": "unique", "column": "id", "success": True}]}
    for place in ("facets", "inputFacets"):
        for key in ("dataQualityAssertions", "dataQuality", "greatExpectations_assertions"):
            assert told(place, key, body).rows(RESULTS) == [("unique", "id", "pass")]
    expectation = {"assertions": [{"expectationType": "expect_x", "success": "False"}]}
    assert told("inputFacets", "greatExpectations_assertions", expectation).rows(RESULTS) == [("expect_x", "", "fail")]


def test_one_test_told_by_two_facets_of_a_recorded_validation_counts_once(events: Path) -> None:
    store = loaded(*(events / "great-expectations/gx-sqlite.ndjson").read_bytes().splitlines())
    once = "SELECT count(*), count(DISTINCT (run, dataset, field, name)) FROM assertion WHERE known_to = '9999-12-31'"
    count, different = store.rows(once)[0]
    assert count == different > 5
    failed = "SELECT DISTINCT field FROM assertion WHERE status = 'fail' AND name LIKE '%in_set'"
    assert store.rows(failed) == [("status",)]


def test_a_skipped_test_has_not_passed_and_of_two_results_of_one_test_the_worse_counts() -> None:
    body = {"tests": [{"name": "t", "status": "skip"}, {"name": "u", "status": "PASSED", "severity": "warn"}]}
    store = loaded(run_event(run_facets={"test": body}))
    assert store.rows(RESULTS) == [("t", "", "skip"), ("u", "", "pass")]
    twice = {"assertions": [{"assertion": "t", "success": False}, {"assertion": "t", "success": True}]}
    assert told("facets", "dataQualityAssertions", twice).rows(RESULTS) == [("t", "", "fail")]


def test_numbers_that_are_none_are_noted_and_never_stored_as_zero() -> None:
    columns = {"id": {"nullCount": -3, "min": -3, "sum": "n/a", "distinctCount": "4"}}
    store = told("facets", "dataQualityMetrics", {"rowCount": "many", "bytes": -1, "columnMetrics": columns})
    assert store.rows(NUMBERS) == [("distinctCount", 4.0), ("min", -3.0)]
    found = notes(store)
    assert any("rowCount is no count (many)" in note for note in found)
    assert any("bytes is no count (-1)" in note for note in found)
    assert any("column id: nullCount is no count (-3)" in note for note in found)
    store = told("outputFacets", "outputStatistics", {"rowCount": -5, "size": 7}, "outputs")
    assert store.rows("SELECT row_count, byte_count FROM run_io") == [(None, 7)]
    assert "rowCount is no count (-5)" in notes(store)[0]


def test_numbers_of_a_file_that_are_none_are_named_with_file_and_row() -> None:
    event = json.loads(run_event(outputs=["a"]))
    event["outputs"][0]["facets"] = {"dataQualityMetrics": {"rowCount": -1, "columnMetrics": {"id": {"sum": "n/a"}}}}
    bad = json.dumps(event).encode()
    with Store.open(":memory:") as store:
        lines = [Line(run_event("r0", "other"), 1, "a.ndjson"), Line(bad, 2, "a.ndjson"), Line(bad, 3, "a.ndjson")]
        found = Writer(store).ingest(lines, source="a.ndjson")
    assert (found.accepted, found.duplicates, found.noted) == (2, 1, 2)
    facet = "dataset facet dataQualityMetrics"
    assert [tuple(one) for one in found.notes] == [
        ("a.ndjson", 2, f"{facet}: rowCount is no count (-1): left out"),
        ("a.ndjson", 2, f"{facet}: column id: sum is no number (n/a): left out"),
    ]


def test_a_result_that_is_none_is_noted() -> None:
    store = told("facets", "dataQualityAssertions", {"assertions": [{"assertion": "t", "success": "maybe"}, {}]})
    assert store.rows(RESULTS) == []
    assert len(notes(store)) == 2


def test_iceberg_reports_become_numbers_of_the_run() -> None:
    store = told("outputFacets", "icebergCommitReport", {"commitMetrics": {"totalRecords": 12.0}}, "outputs")
    assert store.rows(NUMBERS) == [("totalRecords", 12.0)]


def test_results_inside_a_profile_are_test_results_too() -> None:
    events = [
        line
        for line in (EVENTS / "correlator" / "api-examples.ndjson").read_bytes().splitlines()
        if b"validationResults" in line
    ]
    store = loaded(*events)
    found = store.rows("SELECT field, name, status FROM assertion WHERE known_to = '9999-12-31' ORDER BY field")
    assert found == [
        ("email", "expect_column_values_to_be_unique", "fail"),
        ("order_count", "expect_column_values_to_be_between", "pass"),
        ("user_id", "expect_column_values_to_not_be_null", "pass"),
    ]
    assert store.rows("SELECT name, value FROM metric WHERE name = 'rowCount'") == [("rowCount", 15743.0)]


def test_a_number_that_is_not_finite_is_noted_and_of_two_values_of_one_run_the_last_counts() -> None:
    body = b'{"rowCount": NaN, "bytes": 7, "columnMetrics": {"id": {"sum": Infinity, "max": -2}}}'
    event = json.loads(run_event(inputs=["a"]))
    event["inputs"][0]["facets"] = {"dataQualityMetrics": "BODY"}
    store = loaded(json.dumps(event).encode().replace(b'"BODY"', body))
    refused = store.rows("SELECT count(*) FROM quarantine")[0][0]
    assert store.rows(NUMBERS) == ([] if refused else [("bytes", 7.0), ("max", -2.0)])
    assert refused or any("rowCount" in note for note in notes(store))
    events = []
    for at, count in (("2026-01-01T00:00:00Z", 5), ("2026-01-01T00:10:00Z", 9), ("2026-01-01T00:05:00Z", 7)):
        one = json.loads(run_event("r", "j", at, outputs=["t"]))
        one["outputs"][0]["outputFacets"] = {"outputStatistics": {"rowCount": count}}
        one["outputs"][0]["facets"] = {"dataQualityMetrics": {"rowCount": count, "columnMetrics": {}}}
        events.append(json.dumps(one).encode())
    store = loaded(*events)
    assert store.rows("SELECT row_count FROM run_io") == [(9,)]
    assert store.rows("SELECT name, value FROM metric WHERE known_to = '9999-12-31'") == [("rowCount", 9.0)]


def test_checks_in_the_words_of_soda_fall_into_their_dimensions() -> None:
    from lineage.quality.score import DIMENSIONS, dimension

    words = {
        "missing_count(id) = 0": "completeness", "duplicate_count(id) = 0": "uniqueness", "row_count > 0": "coverage",
        "invalid_percent(email) < 1 %": "conformity", "freshness(created_at) < 1d": "timeliness",
    }  # fmt: skip
    assert {text: DIMENSIONS[dimension(text)] for text in words} == words
