"""Events read in one pass, where compiled code is at hand.

:mod:`ingest.envelope` decides what an event is. Nearly all events are run events without anything odd; of these
``_scan.c`` finds in one pass what the envelope tells, checks the JSON, and gives each section (facets of run and job,
inputs, outputs) a digest over everything in it but the numbers of this run. A section whose digest is known need not
be read again, and the numbers are found without looking for them: a facet of plain numbers comes as these, with a
digest of the rest of it. What is odd in any way is read by :func:`ingest.envelope.decode`, as everything is where no
compiler was at hand at installation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from ingest.envelope import MAX_EVENT_BYTES, Entity, Envelope, Refusal, RunPart, Sections, decode, time_hint
from ingest.facets import DATASET, find, plain
from ingest.facets.registry import REGISTRY

try:
    from ingest import _scan
except ImportError:  # no compiler at installation
    _scan = None  # type: ignore[assignment]
else:
    if not hasattr(_scan, "counted"):  # compiled from another version of the source
        _scan = None  # type: ignore[assignment]

PER_RUN = tuple(sorted(facet.key for facet in REGISTRY if facet.entity == DATASET and facet.per_run))
"""Facets of datasets that differ from run to run; a number in a section names its facet by its place in here."""
_KEYS = tuple(key.encode() for key in PER_RUN)
_KIND: dict[Callable[[bytes], Any] | None, int] = {
    None: 0,
    plain.quality_metrics: 1,
    plain.statistics: 2,
}  # kept, floats, whole numbers
# what the numbers of each are read as: not here, as floats, as whole numbers
_KINDS = bytes(_KIND[entry.plain] for key in PER_RUN if (entry := find(DATASET, key)) is not None)
_TIME_KEY = b'"eventTime":"'


def read(data: bytes, digest: bytes | None = None) -> Envelope | Refusal:
    """Read one event; as :func:`ingest.envelope.decode`, with ``sections`` where one pass was enough."""
    found = scanned(data, digest)
    return found if found is not None else decode(data, digest)


def read_whole(data: bytes) -> Envelope | Refusal:
    """Read one event that is kept with the white space around it."""
    found = read(data)
    if isinstance(found, Envelope) and found.data is not data:
        found = decode(data)  # sections are told by their places in what was read
        assert isinstance(found, Envelope)
        found.data = data
    return found


def scanned(data: bytes, digest: bytes | None = None) -> Envelope | None:
    """An event that one pass is enough for, else ``None``."""
    if _scan is None:
        return None
    data = data.strip()
    if len(data) > MAX_EVENT_BYTES or not _is_utf8(data):
        return None
    found = _scan.scan(data, _KEYS, _KINDS)
    if found is None:
        return None
    at, event_type, producer, run_id, namespace, name, run, job, inputs, outputs = found
    return Envelope(
        data,
        hashlib.sha256(data).digest() if digest is None else digest,
        at,
        "run",
        event_type,
        RunPart(run_id),
        Entity(namespace, name),
        None,
        producer=producer,
        sections=Sections(run, job, inputs, outputs),
    )


def counted(facet: bytes) -> bytes | None:
    """A facet with 0 for its first number, 1 for the second and so on; ``None`` where there is no compiled code.

    >>> counted(b'{"rowCount": 17, "size": 1024}') in (b'{"rowCount": 0, "size": 1}', None)
    True
    """
    return _scan.counted(facet) if _scan is not None else None


def hint(data: bytes) -> int | None:
    """As :func:`ingest.envelope.time_hint`.

    >>> hint(b'{"eventTime":"1970-01-01T00:00:01Z","run":{}}')
    1000000
    """
    if _scan is not None:
        start = data.find(_TIME_KEY) + len(_TIME_KEY)
        if start >= len(_TIME_KEY):
            at = _scan.time_of(data[start : data.find(b'"', start, start + 64)])
            if at is not None:
                return at
    return time_hint(data)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
