"""What is odd about numbers and results that producers send: named in a note of the event, never stored as zero."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ingest.facets.run import test_result
from ingest.values import mapping, number, objects, text, whole

_COUNTS = frozenset({"rowCount", "bytes", "fileCount", "size", "nullCount", "distinctCount", "count"})


def statistics(body: dict[str, Any]) -> Iterator[str]:
    """Counts of ``inputStatistics`` and ``outputStatistics`` that are none.

    >>> list(statistics({"rowCount": -1, "size": "12", "fileCount": None}))
    ['rowCount is no count (-1): left out']
    """
    for key in ("rowCount", "size", "fileCount"):
        value = body.get(key)
        if value is not None and whole(value) is None:
            yield _left_out(key, value, "count")


def quality_metrics(body: dict[str, Any]) -> Iterator[str]:
    """Numbers of a profile that are none, and counts below zero.

    >>> list(quality_metrics({"rowCount": "many", "columnMetrics": {"a": {"nullCount": -2, "min": -2}}}))
    ['rowCount is no count (many): left out', 'column a: nullCount is no count (-2): left out']
    """
    for key in ("rowCount", "bytes", "fileCount"):
        if not usable(key, body.get(key)):
            yield _left_out(key, body[key], "count")
    for column, metrics in mapping(body.get("columnMetrics")).items():
        for key, value in mapping(metrics).items():
            if key == "quantiles":
                bad = {q: one for q, one in mapping(value).items() if one is not None and number(one) is None}
                yield from (_left_out(f"column {column}: quantile {q}", one, "number") for q, one in bad.items())
            elif key in _COUNTS and not usable(key, value):
                yield _left_out(f"column {column}: {key}", value, "count")
            elif (key == "sum" and not usable(key, value)) or (key in ("min", "max") and isinstance(value, bool)):
                yield _left_out(f"column {column}: {key}", value, "number")


def usable(key: str, value: Any) -> bool:
    """Whether a value may stand for a metric: nothing, or a number, and no negative one where something is counted.

    >>> usable("nullCount", -1), usable("min", -1), usable("rowCount", None), usable("sum", "n/a")
    (False, True, True, False)
    """
    if value is None or (type(value) is int and value >= 0):
        return True
    found = number(value)
    return found is not None and not (key in _COUNTS and found < 0)


def assertions(body: dict[str, Any]) -> Iterator[str]:
    """Tests whose result is neither pass, fail nor skip, and tests without name.

    >>> list(assertions({"assertions": [{"assertion": "unique", "success": "maybe"}]}))
    ['test unique has no result that is known (maybe): left out']
    """
    for item in (*objects(body.get("assertions")), *objects(body.get("tests"))):
        name = text(item.get("name")) or text(item.get("assertion")) or text(item.get("expectationType"))
        if name is None:
            yield "a test without name: left out"
        elif test_result(item) is None:
            told = item.get("status", item.get("success"))
            yield f"test {name[:80]} has no result that is known ({str(told)[:40]}): left out"


def shape(**parts: type) -> Callable[[dict[str, Any]], Iterator[str]]:
    """What tells of parts of a body that are not of the type they have to be; nothing of these can be used.

    >>> list(shape(fields=list)({"fields": {"id": "int"}})), list(shape(fields=list)({"fields": None}))
    (['fields is no list: not read'], [])
    """

    def odd(body: dict[str, Any]) -> Iterator[str]:
        for key, kind in parts.items():
            value = body.get(key)
            if value is not None and not isinstance(value, kind):
                yield f"{key} is no {'list' if kind is list else 'object'}: not read"

    return odd


def _left_out(key: str, value: Any, what: str) -> str:
    return f"{key[:120]} is no {what} ({str(value)[:40]}): left out"
