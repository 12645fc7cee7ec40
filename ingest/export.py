"""Archived events back out: byte for byte, or with their secrets masked."""

from __future__ import annotations

import contextlib
import gzip
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from lineage.errors import MeshlineError, UsageError

if TYPE_CHECKING:
    from lineage.store import Store

_AT_ONCE = 2_000  # events; each block that holds some of them is decompressed once
_SELECT = """
-- accepted events and where their bytes are, oldest first
SELECT e.block, e.position FROM event e
LEFT JOIN node n ON n.id = coalesce(e.job, e.dataset)
WHERE e.block IS NOT NULL AND ($since IS NULL OR e.event_time >= $since) AND ($until IS NULL OR e.event_time < $until)
  AND ($namespaces IS NULL OR list_contains($namespaces, n.namespace))
  AND ($jobs IS NULL OR (e.job IS NOT NULL AND list_contains($jobs, n.name)))
ORDER BY e.event_time, e.hash
"""


class Layout(StrEnum):
    """How events stand in a file."""

    auto = "auto"
    ndjson = "ndjson"
    array = "array"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events: event time in ``[since, until)``, and of which namespaces and jobs; ``None`` for all.

    The namespace is that of the job, or of the dataset in a dataset event.
    """

    since: datetime | None = None
    until: datetime | None = None
    namespaces: tuple[str, ...] | None = None
    jobs: tuple[str, ...] | None = None


class LineBreakError(MeshlineError):
    """An event holds line breaks, so it cannot stand on one line without being changed."""


def events(store: Store, selection: Selection) -> Iterator[bytes]:
    """Selected events exactly as they were received (but for white space around them), oldest first.

    Events of the same time come in the order of their hashes, so two stores with the same events give the same
    sequence. Each event comes once, however often it was received.
    """
    from ingest.archive import fetch

    parameters = {
        "since": selection.since,
        "until": selection.until,
        "namespaces": list(selection.namespaces) if selection.namespaces else None,
        "jobs": list(selection.jobs) if selection.jobs else None,
    }
    with store.cursor() as index, store.cursor() as bodies:
        index.execute(_SELECT, parameters)
        while places := [(int(block), int(position)) for block, position in index.fetchmany(_AT_ONCE)]:
            found = fetch(bodies, places)
            for place in places:
                yield found[place].strip()


class Masked:
    """Masks the secrets of events that pass; those without any keep their bytes, and so their hash.

    Examples
    --------
    >>> masked = Masked()
    >>> list(masked([b'{"a":"psql://me:secret@db"}', b'{"a": 1}'])), masked.count
    ([b'{"a":"psql://me:***@db"}', b'{"a": 1}'], 1)
    """

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, found: Iterable[bytes]) -> Iterator[bytes]:
        """The events, each as it was or masked."""
        from lineage.redact import redact_event

        for event in found:
            shown = redact_event(event)
            self.count += shown is not event
            yield shown


def choose(found: Iterable[bytes], wanted: Layout) -> Layout:
    """The layout that keeps every event as it is.

    One event a line is what most programs read; events that were sent with line breaks in them (indented JSON) can
    only stand in an array without being changed, and their hash with them.

    Raises
    ------
    LineBreakError
        when one line each is asked for and an event holds line breaks.
    """
    if wanted is Layout.array:
        return wanted
    if not any(b"\n" in event or b"\r" in event for event in found):
        return Layout.ndjson
    if wanted is Layout.ndjson:
        raise LineBreakError(
            "Some events hold line breaks and would have to be changed to stand on one line. "
            "Export them with --layout array (meshline ingest reads it)."
        )
    return Layout.array


def write(found: Iterable[bytes], layout: Layout, stream: IO[bytes]) -> int:
    """Write events; how many there were.

    >>> import io
    >>> stream = io.BytesIO()
    >>> write([b'{"a": 1}', b'{"a": 2}'], Layout.array, stream)
    2
    >>> stream.getvalue()
    b'[\\n{"a": 1},\\n{"a": 2}\\n]\\n'
    """
    count = 0
    if layout is Layout.array:
        stream.write(b"[\n")
    for event in found:
        if layout is Layout.array and count:
            stream.write(b",\n")
        stream.write(event)
        if layout is Layout.ndjson:
            stream.write(b"\n")
        count += 1
    if layout is Layout.array:
        stream.write(b"\n]\n" if count else b"]\n")
    return count


@contextlib.contextmanager
def opened(target: Path | None) -> Iterator[IO[bytes]]:
    """A file to write, compressed when its name ends with ``.gz`` or ``.zst``; ``None`` for standard output.

    The file appears under its name when it is complete, so a broken export is never taken for a whole one.
    """
    if target is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if target.is_dir():
        raise UsageError(f"{target} is a folder; name a file.")
    partial = target.with_name(target.name + ".partial")
    try:
        with partial.open("wb") as raw, _packed(raw, target.suffix) as stream:
            yield stream
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _packed(raw: IO[bytes], suffix: str) -> Any:
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0)
    if suffix == ".zst":
        import zstandard

        return zstandard.ZstdCompressor(level=3).stream_writer(raw, closefd=False)
    return contextlib.nullcontext(raw)
