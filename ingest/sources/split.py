"""Cut a JSON text into its top-level values without understanding them, so that one bad value spoils no other."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


def array_elements(data: bytes) -> Iterator[bytes]:
    """Elements of a JSON array, byte for byte, also of one whose elements are no valid JSON.

    Brackets must balance inside each element. An array that is cut off yields what is there of its last element.

    >>> list(array_elements(b'[{"a": 1}, {"b" 2}, "x,y"]'))
    [b'{"a": 1}', b'{"b" 2}', b'"x,y"']
    """
    depth = 0
    start = data.index(b"[") + 1
    for match in _TOKEN.finditer(data):
        token = match[0]
        if token in (b"[", b"{"):
            depth += 1
        elif token in (b"]", b"}"):
            depth -= 1
            if depth == 0:
                yield from _stripped(data[start : match.start()])
                return
        elif token == b"," and depth == 1:
            yield from _stripped(data[start : match.start()])
            start = match.end()
    yield from _stripped(data[start:])


def documents(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Objects that stand one behind the other, each with the 1-based line it begins on.

    >>> list(documents(b'{"a": 1}\\n{\\n"b": 2\\n}\\n'))
    [(1, b'{"a": 1}'), (2, b'{\\n"b": 2\\n}')]
    """
    depth = 0
    start = 0
    for match in _TOKEN.finditer(data):
        token = match[0]
        if token in (b"[", b"{"):
            depth += 1
        elif token in (b"]", b"}"):
            depth -= 1
            if depth <= 0:
                depth = 0
                yield from _located(data, start, match.end())
                start = match.end()
    yield from _located(data, start, len(data))


def _located(data: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    text = data[start:end]
    stripped = text.strip()
    if stripped:
        offset = start + len(text) - len(text.lstrip())
        yield data.count(b"\n", 0, offset) + 1, stripped


def _stripped(element: bytes) -> Iterator[bytes]:
    element = element.strip()
    if element:
        yield element
