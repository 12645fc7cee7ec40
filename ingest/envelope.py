"""The envelope of an event: what must be readable before an event is accepted.

Only identity, time and the raw slices of everything else are looked at here; facets stay bytes. Accepted is whatever
has an identity and a usable time, however odd the rest (odd things become notes); everything else is refused with a
stable reason and a text for people. The reasons:

=================== ====================================================================
``not-json``        no JSON, cut off, or nested deeper than can be read
``not-utf8``        bytes that are no UTF-8
``not-an-event``    JSON, but no object with the marks of an event
``template``        placeholders where identity or time should be
``no-time``         no eventTime
``bad-time``        an eventTime that is no time
``no-job``          neither job nor dataset carry a name
``too-large``       longer than the limit
=================== ====================================================================

A run event without a runId is accepted under an id made from its own hash: what it says of its job and datasets is
true all the same, only its other events cannot be joined to it.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from lineage.times import EPOCH, OPEN_END, parse_event_time

MAX_EVENT_BYTES = 64 * 1024 * 1024
TERMINAL = frozenset({"COMPLETE", "FAIL", "ABORT"})
EVENT_TYPES = frozenset({"START", "RUNNING", "OTHER"}) | TERMINAL

_MARKS = ("eventTime", "eventType", "run", "job", "dataset")
_PLACEHOLDER = re.compile(r"\s*(\{\{.*\}\}|\$\{.*\})\s*", re.DOTALL)
_NOTHING = Raw(b"")
_NULL = b"null"
_MICROSECOND = timedelta(microseconds=1)
_EPOCH_UTC = EPOCH.replace(tzinfo=UTC)
_BEYOND = (OPEN_END - EPOCH) // _MICROSECOND
_BEFORE = (EPOCH.min - EPOCH) // _MICROSECOND  # an offset may lead out of the calendar
_TIME_KEY = b'"eventTime"'


class Refusal(NamedTuple):
    """Why an input is no event: a stable code and a text for people."""

    reason: str
    detail: str


class Entity(msgspec.Struct, gc=False):
    """Identity and raw facets of a job or dataset."""

    namespace: str = ""
    name: str = ""
    facets: Raw = _NOTHING
    inputFacets: Raw = _NOTHING
    outputFacets: Raw = _NOTHING


class RunPart(msgspec.Struct, gc=False):
    """Identity and raw facets of a run."""

    runId: str = ""
    facets: Raw = _NOTHING


Number = tuple[int, int, int, int, int, bytes | None, tuple[float, ...] | None]
"""A facet with numbers of one run: place in the list, place of the facets in :data:`ingest.model.PLACES`, the facet by
its place in :data:`ingest.scan.PER_RUN`, start, end; of plain ones a digest of all but the numbers, and these."""
Section = tuple[int, int, bytes, tuple[Number, ...]]
"""A part of an event that one pass found: start, end, a digest of all but the numbers of the run, and these."""


class Sections(msgspec.Struct, gc=False):
    """The parts of a run event."""

    run: Section
    job: Section
    inputs: Section
    outputs: Section


class Envelope(msgspec.Struct, gc=False):
    """One accepted event.

    ``at`` is the event time in microseconds since 1970 UTC; ``inputs`` and ``outputs`` are raw JSON arrays (or empty).
    Where ``sections`` are told, they stand for all that is raw.
    """

    data: bytes
    hash: bytes
    at: int
    kind: str  # 'run', 'job' or 'dataset'
    event_type: str | None
    run: RunPart | None
    job: Entity | None
    dataset: Entity | None
    inputs: Raw = _NOTHING
    outputs: Raw = _NOTHING
    producer: str = ""
    notes: tuple[str, ...] = ()
    sections: Sections | None = None


class _Wire(msgspec.Struct, gc=False):
    """What a well-formed event looks like; anything else takes the slow way."""

    eventTime: str = ""
    eventType: str | None = None
    producer: str | None = None
    schemaURL: str | None = None
    run: RunPart | None = None
    job: Entity | None = None
    dataset: Entity | None = None
    inputs: Raw = _NOTHING
    outputs: Raw = _NOTHING


_decode_wire = msgspec.json.Decoder(_Wire).decode
_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_any = msgspec.json.Decoder().decode


def decode(data: bytes, digest: bytes | None = None) -> Envelope | Refusal:
    """Read one event.

    Parameters
    ----------
    data
        the bytes of one JSON value.
    digest
        its :func:`event_hash`, when that is known already.

    Returns
    -------
    Envelope | Refusal
        never raises for bad input.
    """
    data = data.strip()
    if len(data) > MAX_EVENT_BYTES:
        return Refusal("too-large", f"{len(data):,} bytes; an event may have {MAX_EVENT_BYTES:,}")
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError as error:
            return Refusal("not-utf8", f"byte {error.start} is no UTF-8; send the event as UTF-8")
    notes: list[str] = []
    try:
        wire = _decode_wire(data)
    except (msgspec.DecodeError, RecursionError):  # a ValidationError is a DecodeError too
        found = _decode_slowly(data, notes)
        if isinstance(found, Refusal):
            return found
        wire = found
    return _envelope(data, wire, notes, digest)


def event_hash(data: bytes) -> bytes:
    """SHA-256 of an event's bytes without surrounding white space."""
    return hashlib.sha256(data.strip()).digest()


def time_hint(data: bytes) -> int | None:
    """What is probably the event time, in microseconds, found without reading the event; ``None`` when not found.

    It may be wrong (the text may stand in a facet first), so it only serves to look an event up before reading it.

    >>> time_hint(b'{"eventTime": "1970-01-01T00:00:01Z", "run": {}}')
    1000000
    """
    start = data.find(b'"', data.find(_TIME_KEY) + len(_TIME_KEY)) + 1
    end = data.find(b'"', start, start + 64)
    if start == 0 or end < 0:
        return None
    try:
        return _micros_of(datetime.fromisoformat(data[start:end].decode()))
    except ValueError:
        return None


def looks_like_event(data: bytes) -> bool:
    """Whether a JSON value is meant as an event: an object with a mark of one at top level (semantics 5)."""
    try:
        value = _decode_object(data)
    except (msgspec.DecodeError, RecursionError):
        return False
    return any(mark in value for mark in _MARKS)


def _envelope(data: bytes, wire: _Wire, notes: list[str], digest: bytes | None) -> Envelope | Refusal:
    refusal = _refuse_template(wire)
    if refusal:
        return refusal
    kind = _kind(wire, notes)
    if isinstance(kind, Refusal):
        return kind
    at = event_micros(wire.eventTime, notes)
    if isinstance(at, Refusal):
        return at
    if digest is None:
        digest = hashlib.sha256(data).digest()
    run = wire.run
    event_type = wire.eventType
    if kind == "run":
        assert run is not None
        if not run.runId:
            run.runId = f"unidentified-{digest.hex()[:16]}"
            notes.append("run without runId: other events of this run cannot be joined to it")
        event_type = _event_type(event_type, notes)
    else:
        run = None
    if wire.job is not None and not wire.job.namespace and kind != "dataset":
        notes.append("job without namespace")
    return Envelope(
        data=data,
        hash=digest,
        at=at,
        kind=kind,
        event_type=event_type if kind == "run" else None,
        run=run,
        job=None if kind == "dataset" else wire.job,
        dataset=wire.dataset if kind == "dataset" else None,
        inputs=wire.inputs,
        outputs=wire.outputs,
        producer=wire.producer or "",
        notes=tuple(notes),
    )


def _kind(wire: _Wire, notes: list[str]) -> str | Refusal:
    has_job = wire.job is not None and bool(wire.job.name)
    has_dataset = wire.dataset is not None and bool(wire.dataset.name)
    if wire.run is not None and has_job:
        if has_dataset:
            notes.append("“dataset” beside run and job is not read")
        return "run"
    if has_job:
        if has_dataset:
            notes.append("both job and dataset: read as a job event, “dataset” is not read")
        return "job"
    if has_dataset:
        return "dataset"
    if wire.job is None and wire.dataset is None and wire.run is None and not wire.eventTime and not wire.eventType:
        return Refusal("not-an-event", "an object without eventTime, eventType, run, job or dataset")
    return Refusal("no-job", "neither job.name nor dataset.name is there; an event must name one of them")


def _event_type(text: str | None, notes: list[str]) -> str | None:
    if text is None or text in EVENT_TYPES:
        return text
    upper = text.upper()
    if upper in EVENT_TYPES:
        notes.append(f"eventType “{text}” read as {upper}")
        return upper
    notes.append(f"unknown eventType “{text[:40]}” read as OTHER")
    return "OTHER"


def event_micros(text: str, notes: list[str]) -> int | Refusal:
    """Event time in microseconds since 1970, or why there is none."""
    if not text:
        return Refusal("no-time", "eventTime is missing; an event must say when it happened")
    try:
        micros = _micros_of(datetime.fromisoformat(text))
    except ValueError:
        micros = None
    if micros is None:
        parsed = parse_event_time(text)
        if parsed is None:
            return Refusal("bad-time", f"eventTime “{text[:60]}” is no time; write it like 2026-03-31T18:00:00Z")
        if parsed.note:
            notes.append(parsed.note)
        micros = (parsed.at - EPOCH) // _MICROSECOND
    if micros >= _BEYOND:
        return Refusal("bad-time", f"eventTime “{text[:60]}” lies beyond the year 9998")
    if micros < _BEFORE:
        return Refusal("bad-time", f"eventTime “{text[:60]}” lies outside the calendar")
    return micros


def _micros_of(at: datetime) -> int | None:
    """Microseconds since 1970; ``None`` for a time without zone."""
    if at.tzinfo is None:
        return None
    since = at - _EPOCH_UTC
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _refuse_template(wire: _Wire) -> Refusal | None:
    job, dataset, run = wire.job, wire.dataset, wire.run
    for where, text in (
        ("eventTime", wire.eventTime),
        ("run.runId", run.runId if run is not None else ""),
        ("job.namespace", job.namespace if job is not None else ""),
        ("job.name", job.name if job is not None else ""),
        ("dataset.namespace", dataset.namespace if dataset is not None else ""),
        ("dataset.name", dataset.name if dataset is not None else ""),
    ):
        if text and text[0] in "{$ " and _PLACEHOLDER.fullmatch(text):
            return Refusal("template", f"{where} is the placeholder “{text[:60]}”: a template, not an event")
    return None


def _decode_slowly(data: bytes, notes: list[str]) -> _Wire | Refusal:
    """Read an event whose envelope has unexpected types: take what is usable, note the rest."""
    try:
        fields = _decode_object(data)
    except RecursionError:
        return Refusal("not-json", "nested too deeply to be read")
    except msgspec.ValidationError:
        return Refusal("not-an-event", f"a JSON object is expected, found: {data[:40].decode('utf-8', 'replace')}")
    except msgspec.DecodeError as error:
        return Refusal("not-json", _json_error(data, error))
    if not any(mark in fields for mark in _MARKS):
        return Refusal("not-an-event", "an object without eventTime, eventType, run, job or dataset")
    return _Wire(
        eventTime=_text(fields, "eventTime", notes) or "",
        eventType=_text(fields, "eventType", notes),
        producer=_text(fields, "producer", notes),
        schemaURL=_text(fields, "schemaURL", notes),
        run=_run(fields, notes),
        job=_entity(fields.get("job"), "job", notes),
        dataset=_entity(fields.get("dataset"), "dataset", notes),
        inputs=fields.get("inputs", _NOTHING),
        outputs=fields.get("outputs", _NOTHING),
    )


def entities(raw: Raw | bytes, where: str, notes: list[str]) -> list[Entity]:
    """The datasets of a raw ``inputs`` or ``outputs`` array; what has no name is left out and noted."""
    data = bytes(raw)
    if not data or data == _NULL:
        return []
    try:
        found = _decode_entities(data)
    except (msgspec.DecodeError, RecursionError):
        found = _entities_slowly(data, where, notes)
    named = [entity for entity in found if entity.name]
    if len(named) < len(found):
        notes.append(f"{len(found) - len(named)} of {where} without a name: left out")
    return named


_decode_entities = msgspec.json.Decoder(list[Entity]).decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode


def _entities_slowly(data: bytes, where: str, notes: list[str]) -> list[Entity]:
    try:
        items = _decode_list(data)
    except (msgspec.DecodeError, RecursionError):
        notes.append(f"{where} is no readable array: left out")
        return []
    found = (_entity(item, f"{where}[{i}]", notes) for i, item in enumerate(items))
    return [entity for entity in found if entity is not None]


def _entity(raw: Raw | None, where: str, notes: list[str]) -> Entity | None:
    fields = _object(raw, where, notes)
    if fields is None:
        return None
    return Entity(
        namespace=_text(fields, "namespace", notes, where) or "",
        name=_text(fields, "name", notes, where) or "",
        facets=fields.get("facets", _NOTHING),
        inputFacets=fields.get("inputFacets", _NOTHING),
        outputFacets=fields.get("outputFacets", _NOTHING),
    )


def _run(fields: dict[str, Raw], notes: list[str]) -> RunPart | None:
    run = _object(fields.get("run"), "run", notes)
    if run is None:
        return None
    return RunPart(runId=_text(run, "runId", notes, "run") or "", facets=run.get("facets", _NOTHING))


def _object(raw: Raw | None, where: str, notes: list[str]) -> dict[str, Raw] | None:
    if raw is None or bytes(raw) == _NULL:
        return None
    try:
        return _decode_object(raw)
    except (msgspec.DecodeError, RecursionError):
        notes.append(f"{where} is no object: not read")
        return None


def _text(fields: dict[str, Raw], key: str, notes: list[str], where: str = "") -> str | None:
    raw = fields.get(key)
    if raw is None:
        return None
    try:
        value: Any = _decode_any(raw)
    except (msgspec.DecodeError, RecursionError):
        value = None
    if value is None or isinstance(value, str):
        return value
    label = f"{where}.{key}" if where else key
    if isinstance(value, int | float) and not isinstance(value, bool):
        notes.append(f"{label} is a number, read as text")
        return bytes(raw).decode()
    notes.append(f"{label} is no text: not read")
    return None


def _json_error(data: bytes, error: Exception) -> str:
    text = str(error).removeprefix("JSON is malformed: ")
    if text.startswith("Input data was truncated"):
        return f"the JSON text is cut off after {len(data):,} bytes"
    return f"no valid JSON: {text}"
