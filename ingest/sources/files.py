"""Events from files: NDJSON, one JSON object, JSON arrays; plain, gzip or zstd; folders, globs, standard input.

The form is told by content, not by name. A file without any event is skipped and named; a file that breaks off gives
what stands before the break.
"""

from __future__ import annotations

import glob
import io
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec
import zstandard

from ingest.envelope import MAX_EVENT_BYTES, looks_like_event
from ingest.outcome import Line
from ingest.sources.split import array_elements, documents
from ingest.writer import BATCH_EVENTS

_BATCH_BYTES = 32 * 1024 * 1024
_CHUNK = 1024 * 1024
_PACKED_CHUNK = 64 * 1024
_GIVE_UP = 10_000  # values without any event, after which a file holds none
BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_MARKS = (b'"eventTime"', b'"eventType"', b'"run"', b'"job"', b'"dataset"')


@dataclass
class Source:
    """One file, or standard input (``path`` is ``None``)."""

    path: Path | None
    name: str
    size: int  # bytes as they lie on disk; 0 when unknown
    skipped: str = ""  # why nothing was taken from it
    problems: list[str] = field(default_factory=list)
    consumed: int = 0  # bytes read so far, as they lie on disk


def find(arguments: Sequence[str]) -> tuple[list[Source], list[str]]:
    """Files that the arguments name, each once, in a stable order; and what cannot be found.

    Parameters
    ----------
    arguments
        files, folders (taken with all they hold, except names that begin with a dot), glob patterns, ``-``.
    """
    found: dict[str, Source] = {}
    missing = []
    for argument in arguments:
        if argument == "-":
            found.setdefault("-", Source(None, "-", 0))
            continue
        path = Path(argument)
        if path.is_dir():
            paths = [p for p in sorted(path.rglob("*")) if p.is_file() and not _hidden(p.relative_to(path))]
            if not paths:
                missing.append(f"{argument}: the folder holds no files")
        elif path.exists():
            paths = [path]
        else:
            paths = [Path(p) for p in sorted(glob.glob(argument, recursive=True)) if Path(p).is_file()]  # noqa: PTH207
            if not paths:
                missing.append(f"{argument}: there is no such file, folder or pattern match")
        for p in paths:
            found.setdefault(str(p), Source(p, str(p), p.stat().st_size))
    return list(found.values()), missing


def batches(source: Source) -> Iterator[list[Line]]:
    """Events of a file in batches of bounded size; fills in ``skipped`` and ``problems`` of the source.

    Values that are no events come along once the file has shown an event, so that they land in the quarantine; a file
    that shows none is skipped as a whole.
    """
    batch: list[Line] = []
    size = 0
    held: list[Line] = []
    seen_event = False
    for value in _values(source):
        line = Line(value.data, value.number, source.name)
        if not seen_event:
            if not _meant_as_event(line.data):
                held.append(line)
                if len(held) > _GIVE_UP:
                    break
                continue
            seen_event = True
            batch, held = held, []
            size = sum(len(item.data) for item in batch)
        batch.append(line)
        size += len(line.data)
        if len(batch) >= BATCH_EVENTS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
    if not seen_event and not source.skipped and not source.problems:
        source.skipped = "holds no events" if held else "is empty"


def batches_of(sources: Iterable[Source], done: Callable[[Source], None]) -> Iterator[list[Line]]:
    """Events of many files in batches that may span files: thousands of one-event files are a few transactions.

    Parameters
    ----------
    sources
        the files, read in this order.
    done
        called with each file when its last event is in a batch.
    """
    batch: list[Line] = []
    for source in sources:
        for part in batches(source):
            if batch and (len(batch) + len(part) > BATCH_EVENTS or _size(batch) + _size(part) > _BATCH_BYTES):
                yield batch
                batch = []
            batch += part
        done(source)
    if batch:
        yield batch


def _size(lines: Sequence[Line]) -> int:
    return sum(len(line.data) for line in lines)


def _values(source: Source) -> Iterator[Line]:
    """JSON values of a file with their places."""
    try:
        with _open(source) as stream:
            yield from _split(source, stream)
    except OSError as error:
        source.problems.append(f"{source.name}: cannot be read ({error.strerror or error})")


def _split(source: Source, stream: BinaryIO) -> Iterator[Line]:
    lines = _lines(source, stream)
    first = next((line for line in lines if line.data.strip()), None)
    if first is None:
        return
    start = first.data.strip()
    if start[:2] in _UTF16:
        source.skipped = "is UTF-16; save it as UTF-8"
        return
    if start[:1] == b"[" and not _is_json(start):
        yield from _array(_rest(first, lines))
    elif start[:1] == b"[":
        for index, element in enumerate(_elements(start), 1):
            yield Line(element, index)
        yield from (line for line in lines if line.data.strip())
    elif start[:1] != b"{":
        yield from _text(source, first, lines)
    elif _is_json(start):
        yield Line(start, first.number)
        yield from (line for line in lines if line.data.strip())
    else:
        yield from _objects(first, lines)


def _text(source: Source, first: Line, lines: Iterator[Line]) -> Iterator[Line]:
    """A file that does not begin like JSON: still taken when one of its next lines is an event."""
    head = [first]
    for line in lines:
        if line.data.strip():
            head.append(line)
        if len(head) >= 100 or looks_like_event(line.data):
            break
    if any(looks_like_event(line.data) for line in head):
        yield from head
        yield from (line for line in lines if line.data.strip())
        return
    source.skipped = "holds no events"


def _array(data: bytes) -> Iterator[Line]:
    for index, element in enumerate(_elements(data), 1):
        yield Line(element, index)


def _elements(data: bytes) -> Iterable[bytes]:
    try:
        return [bytes(item) for item in msgspec.json.decode(data, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, RecursionError):
        return array_elements(data)


def _objects(first: Line, lines: Iterator[Line]) -> Iterator[Line]:
    """The first line is no whole object: one object over many lines, several of those, or lines with a bad first."""
    rest = list(lines)
    if any(_is_json(line.data.strip()) and line.data.strip()[:1] == b"{" for line in rest[:100]):
        yield from (line for line in (first, *rest) if line.data.strip())
        return
    data = _rest(first, iter(rest)).rstrip()
    if _is_json(data):
        yield Line(data, first.number)
        return
    yield from (Line(document, number) for number, document in documents(data))


def _rest(first: Line, lines: Iterator[Line]) -> bytes:
    return b"".join((first.data, *(line.data for line in lines)))


def _lines(source: Source, stream: BinaryIO) -> Iterator[Line]:
    """Lines with their line ends; one that is longer than an event may be is cut, so memory stays bounded."""
    number = 0
    while True:
        data = stream.readline(MAX_EVENT_BYTES + 2)
        if not data:
            return
        number += 1
        if number == 1:
            data = data.removeprefix(BOM)
        line = Line(data, number)
        while len(data) > MAX_EVENT_BYTES and not data.endswith(b"\n"):
            data = stream.readline(_CHUNK)
            if not data:
                break
        if len(line.data) > MAX_EVENT_BYTES:
            source.problems.append(f"{source.name}:{number}: the line is longer than {MAX_EVENT_BYTES:,} bytes")
        yield line


def _open(source: Source) -> BinaryIO:
    raw: BinaryIO = sys.stdin.buffer if source.path is None else source.path.open("rb")
    counted = io.BufferedReader(_Counted(raw, source), _CHUNK)
    magic = counted.peek(4)[:4]
    if magic[:2] == b"\x1f\x8b":
        return io.BufferedReader(_Inflated(counted, source, lambda: zlib.decompressobj(wbits=31)), _CHUNK)
    if magic == b"\x28\xb5\x2f\xfd":
        frames = zstandard.ZstdDecompressor()
        return io.BufferedReader(_Inflated(counted, source, lambda: frames.decompressobj()), _CHUNK)
    return counted


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class _Inflated(io.RawIOBase):
    """Decompresses members one behind the other; what stands before a break comes out, the break becomes a problem."""

    def __init__(self, raw: BinaryIO, source: Source, new: Callable[[], _Inflater]) -> None:
        self._raw, self._source, self._new = raw, source, new
        self._inflater = new()
        self._begun = False
        self._ready = memoryview(b"")
        self._rest = b""
        self._over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._ready and not self._over:
            self._fill()
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()

    def _fill(self) -> None:
        data = self._rest or self._raw.read(_PACKED_CHUNK)
        self._rest = b""
        if not data:
            self._over = True
            if self._begun:
                self._problem("cut off")
            return
        try:
            self._ready = memoryview(self._inflater.decompress(data))
        except (zlib.error, zstandard.ZstdError) as error:
            self._over = True
            self._problem(f"damaged: {_reason(error)}")
            return
        self._begun = True
        if self._inflater.eof:
            self._rest = self._inflater.unused_data.lstrip(b"\0")  # padding between members is allowed
            self._inflater, self._begun = self._new(), False

    def _problem(self, what: str) -> None:
        self._source.problems.append(f"{self._source.name}: the compressed data is {what}; what stands before is read")


class _Counted(io.RawIOBase):
    """A raw stream that tells its source how far it was read."""

    def __init__(self, raw: BinaryIO, source: Source) -> None:
        self._raw = raw
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._raw.read(len(buffer))
        buffer[: len(data)] = data
        self._source.consumed += len(data)
        return len(data)

    def close(self) -> None:
        if self._source.path is not None:
            self._raw.close()
        super().close()


def _meant_as_event(data: bytes) -> bool:
    """Whether a value is meant as an event; one that is no JSON may still carry the marks of one."""
    if looks_like_event(data):
        return True
    return data.lstrip()[:1] == b"{" and any(mark in data for mark in _MARKS) and not _is_json(data)


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
