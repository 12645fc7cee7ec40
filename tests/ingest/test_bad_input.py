"""Bad input: nothing escapes as an exception, nothing valid beside it is lost, nothing disappears."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.envelope import Envelope, Refusal, decode
from ingest.facets import DATASET, find, plain
from ingest.project import Projector
from ingest.writer import Writer
from lineage.store import Store
from tests.ingest.build import empty_store, run_event, run_row

GOOD = run_event("good", inputs=["a"], outputs=["b"])

texts = st.text(max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=12,
)
FACET_KEYS = (
    "schema", "columnLineage", "symlinks", "lineage", "version", "dataQualityMetrics", "dataQualityAssertions",
    "lifecycleStateChange", "outputStatistics", "inputStatistics", "icebergScanReport", "icebergCommitReport",
    "parent", "nominalTime", "errorMessage", "test", "jobDependencies", "processing_engine", "jobType", "custom",
)  # fmt: skip
INNER_KEYS = (
    "fields", "inputFields", "dataset", "namespace", "name", "field", "transformations", "type", "identifiers",
    "entries", "inputs", "assertions", "tests", "status", "success", "run", "job", "runId", "root", "upstream",
    "columnMetrics", "rowCount", "size", "quantiles", "x", "scanMetrics", "lifecycleStateChange", "_deleted",
)  # fmt: skip
facet_bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.sampled_from(INNER_KEYS), children, max_size=4)
    ),
    max_leaves=16,
)
facet_maps = st.dictionaries(st.sampled_from(FACET_KEYS), facet_bodies, max_size=4) | json_values


def _refused(data: bytes) -> str:
    found = decode(data)
    assert isinstance(found, Refusal)
    return found.reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not-json"),
        (b"{", "not-json"),
        (b'{"eventTime": NaN}', "not-json"),
        (GOOD[:-20], "not-json"),
        (b"[" * 100_000, "not-an-event"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "not-json"),
        (b'"text"', "not-an-event"),
        (b"[1]", "not-an-event"),
        (b"{}", "not-an-event"),
        (b'{"eventTime": "2026-01-01T00:00:00Z"}', "no-job"),
        (b'{"eventTime": "2026-01-01T00:00:00Z", "run": {"runId": "1"}}', "no-job"),
        (b'{"job": {"name": "x"}}', "no-time"),
        (b'{"job": {"name": "x"}, "eventTime": null}', "no-time"),
        (b'{"job": {"name": "x"}, "eventTime": "soon"}', "bad-time"),
        (b'{"job": {"name": "x"}, "eventTime": "9999-12-31T23:59:59Z"}', "bad-time"),
        (b'{"job": {"name": "\xff"}, "eventTime": "2026-01-01T00:00:00Z"}', "not-utf8"),
        (b'{"job": {"name": "{{ job }}"}, "eventTime": "2026-01-01T00:00:00Z"}', "template"),
        (b'{"job": {"name": "x"}, "eventTime": "${json-unit.any-string}"}', "template"),
    ],
)
def test_unusable_input_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    assert _refused(data) == reason


def test_templates_of_the_integrations_are_all_refused(repo: Path) -> None:
    files = sorted((repo / "tests/data/templates").rglob("*.json"))
    assert len(files) > 20
    for file in files:
        data = file.read_bytes()
        for value in json.loads(data) if data.lstrip().startswith(b"[") else [json.loads(data)]:
            assert _refused(json.dumps(value).encode()) in ("template", "no-time", "not-an-event", "no-job")


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"eventType": "complete"}, "read as COMPLETE"),
        ({"eventType": "DONE"}, "read as OTHER"),
        ({"eventTime": "2026-01-01T00:00:00"}, "taken as UTC"),
        ({"eventTime": "2026-01-01T00:00:00+00:00Z"}, "two zones"),
        ({"eventTime": "2026-01-01T00:00:00Z[Europe/London]"}, "two zones"),
        ({"run": {}}, "without runId"),
        ({"run": {"runId": 17}}, "a number, read as text"),
        ({"inputs": {"name": "a"}}, "no readable array"),
        ({"inputs": [{"namespace": "x"}, 3]}, "inputs"),
        ({"outputs": [{"name": "a"}]}, "without namespace"),
        ({"outputs": [{"name": "a", "facets": {"schema": [1]}}]}, "facet schema is no object"),
        ({"outputs": [{"name": "a", "facets": {"schema": {"fields": {"id": "int"}}}}]}, "fields is no list"),
        ({"outputs": [{"name": "a", "facets": {"columnLineage": {"fields": [1]}}}]}, "fields is no object"),
        ({"inputs": [{"name": "a", "facets": {"symlinks": {"identifiers": "t"}}}]}, "identifiers is no list"),
        ({"job": {"name": "j", "namespace": "n", "facets": {"sql": "SELECT 1"}}}, "facet sql is no object"),
        ({"job": {"name": "j", "namespace": "", "facets": {}}}, "job without namespace"),
    ],
)
def test_oddities_are_accepted_with_a_note(change: dict[str, Any], note: str) -> None:
    event = json.loads(GOOD) | change
    envelope = decode(json.dumps(event).encode())
    assert isinstance(envelope, Envelope)
    assert any(note in text for text in Projector().read(envelope).notes)


@settings(max_examples=300)
@given(data=st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_accepted_or_refused_and_never_raise(data: bytes) -> None:
    assert isinstance(decode(data), Envelope | Refusal)


@settings(max_examples=300)
@given(
    change=st.dictionaries(
        st.sampled_from(
            ("eventTime", "eventType", "run", "job", "dataset", "inputs", "outputs", "producer", "schemaURL")
        ),
        json_values,
        max_size=3,
    )
)
def test_any_envelope_is_accepted_or_refused_and_never_raises(change: dict[str, Any]) -> None:
    found = decode(json.dumps(json.loads(GOOD) | change).encode())
    assert isinstance(found, Envelope | Refusal)
    if isinstance(found, Envelope):
        Projector().read(found)


@settings(max_examples=15)  # each goes through all extractors, at five places
@given(run=facet_maps, job=facet_maps, places=st.lists(facet_maps, min_size=3, max_size=3))
def test_no_facet_body_costs_the_event_or_its_neighbour(run: Any, job: Any, places: list[Any]) -> None:
    event = json.loads(run_event("odd"))
    event["run"]["facets"], event["job"]["facets"] = run, job
    keys = ("facets", "inputFacets", "outputFacets")
    event["inputs"] = event["outputs"] = [{"namespace": "n", "name": "d", **dict(zip(keys, places, strict=True))}]
    with empty_store() as store:
        outcome = Writer(store).ingest([json.dumps(event).encode(), GOOD], source="test")
        assert outcome.accepted == 2
        assert run_row(store, "good")["state"] == "COMPLETE"
        assert run_row(store, "odd")["state"] == "COMPLETE"


def test_names_with_nul_emoji_and_length_survive() -> None:
    names = ["a\0b", "🚀" * 50, "x" * 5_000, "‮abc", "a:b:c", "'; DROP TABLE node; --"]
    with empty_store() as store:
        assert Writer(store).ingest([run_event(outputs=names)], source="test").accepted == 1
        assert {name for (name,) in store.rows("SELECT name FROM node WHERE kind = 'dataset'")} == set(names)


def test_numbers_beyond_all_bounds_are_kept_and_not_counted() -> None:
    facets = {"outputFacets": {"outputStatistics": {"rowCount": 10**30, "size": -5, "fileCount": 3}}}
    with empty_store() as store:
        Writer(store).ingest([run_event(outputs=[("a", facets)])], source="test")
        assert store.rows("SELECT row_count, byte_count, file_count FROM run_io") == [(None, None, 3)]


def test_refused_input_is_kept_byte_for_byte_once_per_place() -> None:
    with empty_store() as store:
        writer = Writer(store)
        for _ in range(2):
            writer.ingest([b"{broken"], source="file.json")
        writer.ingest([b"{broken"], source="other.json")
        rows = store.rows("SELECT source, reason, octet_length(hash) FROM quarantine ORDER BY source")
        assert rows == [("file.json", "not-json", 32), ("other.json", "not-json", 32)]


def test_a_failed_write_leaves_nothing_behind_and_the_next_one_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    with empty_store() as store:
        writer = Writer(store)
        real = Store.set_meta

        def fail(*_: object) -> None:
            raise RuntimeError("disk full")

        monkeypatch.setattr(Store, "set_meta", staticmethod(fail))
        with pytest.raises(RuntimeError, match="disk full"):
            writer.ingest([GOOD], source="test")
        monkeypatch.setattr(Store, "set_meta", staticmethod(real))
        assert store.rows("SELECT count(*) FROM raw") == [(0,)]
        assert store.rows("SELECT count(*) FROM node") == [(0,)]
        assert writer.ingest([GOOD], source="test").accepted == 1
        assert store.rows("SELECT count(*) FROM node WHERE kind = 'dataset'") == [(2,)]
        assert store.rows("SELECT count(*) FROM edge WHERE kind = 'lineage'") == [(1,)]


def test_an_event_of_twenty_megabytes_with_twenty_thousand_columns_is_understood_whole() -> None:
    fields = [{"name": f"column_{i}", "type": "string", "description": "x" * 1_000} for i in range(20_000)]
    event = json.loads(run_event("wide", inputs=["a"], outputs=["b"]))
    event["outputs"][0].setdefault("facets", {})["schema"] = {"fields": fields}
    data = json.dumps(event).encode()
    assert len(data) > 20_000_000
    with empty_store() as store:
        assert Writer(store).ingest([data, GOOD], source="test").accepted == 2
        assert store.rows("SELECT count(*) FROM node WHERE kind = 'column'") == [(20_000,)]


@pytest.mark.parametrize(
    "facet",
    [
        b'{"fields": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"fields": [{"name": "x"}], "fields": null, "fields": [{"name": "a"}]}',
        b'{"fields": [{"name": ' + b"9" * 5_000 + b"}]}",
        b'{"fields": [{"name": 1e999}, {"name": NaN}]}',
        b'{"fields": [{"name": "\\u0000"}, {"name": "\\ud800"}]}',
        b"null",
        b"7",
    ],
    ids=["deep", "duplicate keys", "huge integer", "NaN", "NUL and half a surrogate", "null", "a number"],
)
def test_a_facet_that_cannot_be_read_costs_neither_its_event_nor_the_next_one(facet: bytes) -> None:
    dataset = b'{"namespace": "n", "name": "t", "facets": {"schema": ' + facet + b"}}"
    told = b'{"eventTime": "2026-01-01T00:00:00Z[Europe/London]", "dataset": ' + dataset + b"}"
    with empty_store() as store:
        outcome = Writer(store).ingest([told, GOOD], source="test")
        assert outcome.accepted + outcome.quarantined == 2
        assert outcome.accepted >= 1
        assert run_row(store, "good")
        assert store.rows("SELECT count(*) FROM event") == [(outcome.accepted,)]


def test_a_digest_that_is_found_at_another_time_than_the_text_suggests_is_a_known_event() -> None:
    first = b'{"x": {"eventTime": "2020-01-01T00:00:00Z"}, "job": {"namespace": "a", "name": "b"}, '
    first += b'"eventTime": "2026-01-01T00:00:00Z"}'
    with empty_store() as store:
        writer = Writer(store)
        assert writer.ingest([first, first], source="test").accepted == 1
        again = writer.ingest([first, GOOD], source="test")
        assert (again.accepted, again.duplicates) == (1, 1)


NUMBERS = st.one_of(st.integers(-3, 2**70), st.floats(), st.none(), st.booleans(), st.just("7"), st.just({"0.5": 1}))
PROFILES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("rowCount", "bytes", "fileCount", "size"), NUMBERS),
        "columnMetrics": st.dictionaries(
            st.sampled_from("ab"), st.dictionaries(st.sampled_from(["min", "nullCount"]), NUMBERS)
        ),
        "validationResults": st.just({"results": [{"success": True}]}),
        "_deleted": st.booleans(),
    },
)


@given(PROFILES)
def test_numbers_read_at_once_are_those_of_a_closer_look(body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    for quick, entity_key in ((plain.quality_metrics, "dataQualityMetrics"), (plain.statistics, "outputStatistics")):
        facet = find(DATASET, entity_key)
        assert facet is not None and facet.read is not None and facet.odd is not None
        if (found := quick(raw)) is not None:
            assert found == facet.read(body) and list(facet.odd(body)) == []
            assert body.get("_deleted") is None
