"""Cut what is there of a growing file into complete values.

A value is one line that is JSON, or a JSON object or array over several lines. What is not complete yet is left for the
next look; an object is complete with its closing brace, so the last line needs no line break to be taken.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from ingest.envelope import looks_like_event
from ingest.outcome import Line

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]|"', re.DOTALL)
_SPACE = re.compile(rb"\s*")
_decode_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Cut(NamedTuple):
    """Complete values with their 1-based lines, and how many bytes and lines of the data they use up."""

    lines: list[Line]
    bytes: int
    newlines: int
    has_event: bool


def cut(data: bytes, *, first_line: int = 1) -> Cut:
    """Cut data into complete values.

    Parameters
    ----------
    data
        bytes from the position on; the end of a file may be in the middle of a value.
    first_line
        line number of the first byte.

    Returns
    -------
    Cut
        a broken line comes along as it is when a line break and an event follow it, so that it lands in the
        quarantine and the file goes on.

    Examples
    --------
    >>> found = cut(b'{"run": 1}\\n{"run": 2}\\n{"ru')
    >>> [line.data for line in found.lines], found.bytes
    ([b'{"run": 1}', b'{"run": 2}'], 21)
    """
    lines: list[Line] = []
    has_event = False
    start = 0
    number = first_line
    while True:
        begin = _skip_space(data, start)
        number += data.count(b"\n", start, begin)
        if begin == len(data):
            return Cut(lines, begin, number - first_line, has_event)
        end = _value_end(data, begin)
        if end is None:
            return Cut(lines, start, number - first_line - data.count(b"\n", start, begin), has_event)
        value = data[begin:end].rstrip()
        found = [Line(item, number) for item in _elements(value)] if value[:1] == b"[" else [Line(value, number)]
        has_event = has_event or any(looks_like_event(line.data) for line in found)
        lines += found
        number += data.count(b"\n", begin, end)
        start = end


def _value_end(data: bytes, begin: int) -> int | None:
    """Where the value that begins at ``begin`` ends; ``None`` when it is not complete."""
    newline = data.find(b"\n", begin)
    line_end = len(data) if newline < 0 else newline
    line = data[begin:line_end]
    opens = line[:1] in (b"{", b"[")
    if opens and is_json(line):
        return line_end
    if newline < 0:
        return None  # a word or number may go on, an object has not ended
    if not opens or (line[:1] == b"{" and _event_follows(data, newline)):
        return line_end
    return _document_end(data, begin)


def _event_follows(data: bytes, newline: int) -> bool:
    """Whether the next line is an event of its own, which no line inside an indented object is."""
    begin = _skip_space(data, newline)
    end = data.find(b"\n", begin)
    return looks_like_event(data[begin : len(data) if end < 0 else end])


def _document_end(data: bytes, begin: int) -> int | None:
    """Where the brackets that open at ``begin`` are closed."""
    depth = 0
    for match in _TOKEN.finditer(data, begin):
        token = match[0]
        if token in (b"[", b"{"):
            depth += 1
        elif token in (b"]", b"}"):
            depth -= 1
            if depth == 0:
                return match.end()
        elif token == b'"':
            return None  # a text that has not ended
    return None


def _skip_space(data: bytes, start: int) -> int:
    match = _SPACE.match(data, start)
    assert match is not None, "an empty match is one too"
    return match.end()


def is_json(data: bytes) -> bool:
    """Whether data is one complete JSON value."""
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _elements(array: bytes) -> list[bytes]:
    """Elements of an array; an array that is no JSON as a whole stays one value."""
    try:
        return [bytes(item) for item in _decode_elements(array)]
    except (msgspec.DecodeError, RecursionError):
        return [array]
