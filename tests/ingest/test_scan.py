"""One pass over an event: it says what the envelope says, or nothing; a section that was met is met again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import scan
from ingest.envelope import Envelope, decode
from ingest.model import EventFacts
from ingest.project import Projector
from tests.ingest.build import run_event
from tests.ingest.test_bad_input import facet_maps, json_values

pytestmark = pytest.mark.skipif(scan._scan is None, reason="no compiler was at hand at installation")

NUMBERS = {"dataQualityMetrics": {"rowCount": 3, "columnMetrics": {"c": {"nullCount": 1}}}, "x": {"y": 1}}
WITH_NUMBERS = run_event(
    "numbers",
    inputs=["a", "b"],
    outputs=[("o", NUMBERS | {"outputFacets": {"outputStatistics": {"rowCount": 3}}})],
)


def recorded(folder: Path) -> Iterator[bytes]:
    """Every event of the corpus."""
    for file in sorted(folder.rglob("*.ndjson")):
        yield from file.read_bytes().splitlines()


def same(data: bytes) -> bool:
    """Whether one pass was enough; what it says is compared with what the envelope says."""
    found, wanted = scan.scanned(data), decode(data)
    if found is None:
        return False
    assert isinstance(wanted, Envelope) and found.sections is not None
    assert wanted.run is not None and wanted.job is not None and not wanted.notes
    assert (found.data, found.hash, found.at, found.event_type) == (
        wanted.data, wanted.hash, wanted.at, wanted.event_type
    )  # fmt: skip
    assert (found.kind, found.producer, found.dataset) == (wanted.kind, wanted.producer, wanted.dataset)
    assert found.run is not None and found.run.runId == wanted.run.runId
    assert found.job is not None
    assert (found.job.namespace, found.job.name) == (wanted.job.namespace, wanted.job.name)
    raws = (wanted.run.facets, wanted.job.facets, wanted.inputs, wanted.outputs)
    for (start, end, *_), raw in zip(msgspec.structs.astuple(found.sections), raws, strict=True):
        assert found.data[start:end] == bytes(raw)
    return True


def facts(projector: Projector, event: Envelope) -> Any:
    """What was read of an event, by value."""
    read: EventFacts = projector.read(event)
    told = msgspec.structs.asdict(read) | {"shape": len(read.shape)}
    return repr({key: _values(value) for key, value in told.items()})


def _values(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {key: _values(part) for key, part in msgspec.structs.asdict(value).items()}
    if isinstance(value, dict):
        return {key: _values(part) for key, part in value.items()}
    return [_values(part) for part in value] if isinstance(value, tuple) else value


def test_recorded_events_are_read_alike_in_one_pass_and_by_the_envelope(events: Path) -> None:
    one_pass, other = Projector(), Projector()
    lines = list(dict.fromkeys(recorded(events)))
    met = [data for data in lines if same(data)]
    assert len(met) > len(lines) / 2
    for data in (*met, *met):  # the second time everything is in the memo
        assert facts(one_pass, scan.read(data)) == facts(other, decode(data))  # type: ignore[arg-type]
    assert one_pass.nodes == other.nodes and one_pass.bodies == other.bodies


@given(st.dictionaries(st.sampled_from(("facets", "inputFacets", "outputFacets", "name", "x")), facet_maps, max_size=4))
def test_datasets_of_any_shape_are_read_alike(dataset: dict[str, Any]) -> None:
    event = json.loads(run_event("r", inputs=["a"])) | {"outputs": [{"namespace": "n", "name": "o"} | dataset]}
    data = json.dumps(event).encode()
    one_pass, other = Projector(), Projector()
    same(data)
    for _ in range(2):
        assert facts(one_pass, scan.read(data)) == facts(other, decode(data))  # type: ignore[arg-type]


@given(st.sampled_from(list(json.loads(WITH_NUMBERS))), json_values)
def test_an_event_with_any_part_of_another_type_is_left_to_the_envelope(key: str, value: Any) -> None:
    same(json.dumps(json.loads(WITH_NUMBERS) | {key: value}).encode())


@given(st.integers(0, len(WITH_NUMBERS) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_what_is_no_json_is_never_read_in_one_pass(at: int, put: bytes, cut: int) -> None:
    same(WITH_NUMBERS[:at] + put + WITH_NUMBERS[at + cut :])


@pytest.mark.parametrize(
    ("was", "put"),
    [
        (b'"x": {"y": 1}', b'"x": {"y": 01}'),
        (b'"x": {"y": 1}', b'"x": {"y": 1.}'),
        (b'"x": {"y": 1}', b'"x": {"y": NaN}'),
        (b'"x": {"y": 1}', b'"x": {"y": "\\x"}'),
        (b'"x": {"y": 1}', b'"x": {"y": "\\ud800"}'),
        (b'"x": {"y": 1}', b'"x": {"y": "\n"}'),
        (b'"x": {"y": 1}', b'"x": {"y": tru}'),
        (b'"x": {"y": 1}', b'"x": {"y": 1,}'),
        (b'"x": {"y": 1}', b'"x": {"y": 1}, "x": {"y": 2}'),
        (b'"x": {"y": 1}', b'"x\\u0041": {"y": 1}'),
        (b'"x": {"y": 1}', b'"x": ' + b"[" * 500 + b"]" * 500),
    ],
)
def test_odd_json_is_left_to_the_envelope(was: bytes, put: bytes) -> None:
    assert scan.scanned(WITH_NUMBERS) is not None and was in WITH_NUMBERS
    assert scan.scanned(WITH_NUMBERS.replace(was, put)) is None


@pytest.mark.parametrize("text", ["2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "x" * 24])
def test_a_time_that_is_none_has_no_microseconds(text: str) -> None:
    assert scan._scan.time_of(text.encode()) is None


@given(st.datetimes(), st.sampled_from(("Z", "+00:00", "-11:30", "+05:45", "", "z")), st.sampled_from(range(7)))
def test_a_time_is_the_same_by_either_way(at: Any, zone: str, digits: int) -> None:
    text = at.isoformat(timespec="microseconds")[: 19 + digits + (digits > 0)] + zone
    data = run_event("t").replace(json.loads(run_event("t"))["eventTime"].encode(), text.encode())
    wanted, found = decode(data), scan._scan.time_of(text.encode())
    assert found is None or (isinstance(wanted, Envelope) and found == wanted.at)
    assert found is not None or not 1970 < at.year <= 9000 or zone in ("", "z")


def test_only_the_numbers_of_a_run_are_left_out_of_the_digest_of_its_datasets() -> None:
    base = scan.scanned(WITH_NUMBERS)
    assert base is not None and base.sections is not None
    _, _, known, numbers = base.sections.outputs
    places = [(number[:2], scan.PER_RUN[number[2]]) for number in numbers]
    assert places == [((0, 0), "dataQualityMetrics"), ((0, 2), "outputStatistics")]

    def digest(was: bytes, put: bytes) -> bytes:
        assert was in WITH_NUMBERS
        found = scan.scanned(WITH_NUMBERS.replace(was, put))
        assert found is not None and found.sections is not None
        return found.sections.outputs[2]

    assert digest(b'"nullCount": 1', b'"nullCount": 2345') == known
    assert digest(b'"y": 1', b'"y": 2') != known
    assert digest(b'"dataQualityMetrics"', b'"dataqualitymetrics"') != known


LONG = run_event(
    "long",
    inputs=[("a", {"x": {"y": "z" * 300}})],
    outputs=[("o", NUMBERS | {"outputFacets": {"outputStatistics": {"rowCount": 3}, "x": {"y": "z" * 300}}})],
)


def scan_anew(data: bytes) -> Any:
    """What one pass finds when nothing was met before."""
    scan._scan.forget()
    return scan._scan.scan(data, scan._KEYS, scan._KINDS)


@given(st.integers(0, len(LONG) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_a_section_that_was_met_is_found_as_if_it_came_for_the_first_time(at: int, put: bytes, cut: int) -> None:
    other = LONG[:at] + put + LONG[at + cut :]
    for _ in range(3):  # from the third time on sections are compared
        scan._scan.scan(LONG, scan._KEYS, scan._KINDS)
    found = [scan._scan.scan(data, scan._KEYS, scan._KINDS) for data in (other, other, LONG, other)]
    assert found == [scan_anew(data) for data in (other, other, LONG, other)]


@pytest.mark.parametrize(
    "put",
    [
        b"null",
        b'  {"rowCount": 3}',
        b'{"rowCount": 3',
        b'{"rowCount": 03}',
        b'{"rowCount": 44, "size": 5}',
        b"12",
        b"[" * 200 + b"]" * 200,
    ],
)
def test_only_the_numbers_of_a_section_that_was_met_may_differ(put: bytes) -> None:
    assert b'{"rowCount": 3}' in LONG
    for _ in range(3):
        assert scan.scanned(LONG) is not None
    other = LONG.replace(b'{"rowCount": 3}', put)
    found = scan._scan.scan(other, scan._KEYS, scan._KINDS)
    assert found == scan_anew(other)


def test_more_sections_than_are_kept_are_found_all_the_same() -> None:
    events = [run_event("r", inputs=[(f"t{i}", {"x": {"y": "z" * 200_000}})]) for i in range(200)]
    anew = [scan_anew(data) for data in events]
    for _ in range(3):  # together they are larger than what is kept
        assert [scan._scan.scan(data, scan._KEYS, scan._KINDS) for data in events] == anew
    scan._scan.forget()


some_numbers = st.integers(0, 10**22) | st.floats(0, 1e25) | st.sampled_from((-1, 10**18, 0.5))


@given(st.lists(some_numbers, min_size=6, max_size=6))
def test_numbers_found_in_one_pass_are_those_of_the_reader(values: list[float]) -> None:
    def event(put: list[float]) -> bytes:
        profile = {
            "columnMetrics": {"c": {"max": put[0], "min": None}, "d": {"x": put[1]}},
            "other": 7,
            "bytes": put[2],
        }
        facets = {
            "dataQualityMetrics": profile,
            "inputFacets": {"dataQualityMetrics": {"rowCount": put[3]}},
            "outputFacets": {"outputStatistics": {"size": put[4], "unknown": 1, "rowCount": put[5]}},
        }
        return run_event("numbers", inputs=["a"], outputs=[("o", facets)])

    one_pass, other = Projector(), Projector()
    for data in (event([1, 2, 3, 4, 5, 6]), event(values), event(values[::-1])):
        assert scan.scanned(data) is not None
        assert facts(one_pass, scan.read(data)) == facts(other, decode(data))  # type: ignore[arg-type]


def test_only_facets_of_plain_numbers_come_with_these() -> None:
    def numbers(put: bytes) -> list[Any]:
        found = scan.scanned(WITH_NUMBERS.replace(b'{"rowCount": 3}', put))
        assert found is not None and found.sections is not None
        return [values for *_, values in found.sections.outputs[3]]

    assert numbers(b'{"rowCount": 3}') == [(3.0, 1.0), (3,)]
    assert numbers(b'{"rowCount": -3}') == [(3.0, 1.0), None]
    assert numbers(b'{"rowCount": 3.0}') == [(3.0, 1.0), None]
    assert numbers(b'{"rowCount": "3"}') == [(3.0, 1.0), ()]


def test_a_number_that_is_taken_back_is_no_number() -> None:
    gone = WITH_NUMBERS.replace(b'{"rowCount": 3}', b'{"_deleted": true}')
    one_pass, other = Projector(), Projector()
    for data in (WITH_NUMBERS, gone, WITH_NUMBERS, gone):
        assert facts(one_pass, scan.read(data)) == facts(other, decode(data))  # type: ignore[arg-type]


def test_white_space_around_an_event_is_kept_and_moves_no_section() -> None:
    data = b"\n  " + WITH_NUMBERS + b"\n"
    found = scan.read_whole(data)
    assert isinstance(found, Envelope) and found.data == data
    assert facts(Projector(), found) == facts(Projector(), decode(data))  # type: ignore[arg-type]
