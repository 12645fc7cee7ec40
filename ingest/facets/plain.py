"""Numbers of a run as nearly all producers send them, read without building the tree of the facet.

The decoder checks on the way that everything is a plain number, not negative. Then nothing about it is odd and nothing
else has to look at it. A facet that is not so plain gets ``None`` here and is read by :mod:`ingest.facets.dataset`,
which gives the same for one that is.

Facets of one dataset differ from run to run in their numbers alone. Where one pass over the event found these
(:mod:`ingest.scan`), the places of all numbers are worked out once, and nothing of the facet need be read again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw

from ingest.model import Metrics, Statistics

_Number = Annotated[float, Meta(ge=0)] | None
_Whole = Annotated[int, Meta(ge=0, le=2**63 - 1)] | None
_NOTHING = Raw(b"")


class _Profile(msgspec.Struct, gc=False, rename="camel"):
    row_count: _Number = None
    bytes: _Number = None
    file_count: _Number = None
    column_metrics: dict[str, dict[str, _Number]] = {}
    validation_results: Raw = _NOTHING
    deleted: Raw = msgspec.field(default=_NOTHING, name="_deleted")


class _Volume(msgspec.Struct, gc=False, rename="camel"):
    row_count: _Whole = None
    size: _Whole = None
    file_count: _Whole = None
    deleted: Raw = msgspec.field(default=_NOTHING, name="_deleted")


_profile = msgspec.json.Decoder(_Profile).decode
_volume = msgspec.json.Decoder(_Volume).decode


def quality_metrics(raw: bytes) -> Metrics | None:
    """A profile of plain numbers; ``None``: look closer.

    >>> told = quality_metrics(b'{"rowCount": 3, "columnMetrics": {"a": {"nullCount": 0, "max": 2.5}}}')
    >>> told.names, told.values
    ((('', 'rowCount'), ('a', 'nullCount'), ('a', 'max')), (3.0, 0.0, 2.5))
    >>> quality_metrics(b'{"columnMetrics": {"a": {"min": -1}}}') is None
    True
    """
    try:
        found = _profile(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    if found.validation_results or found.deleted:
        return None
    values = {
        ("", key): value
        for key, value in (("rowCount", found.row_count), ("bytes", found.bytes), ("fileCount", found.file_count))
        if value is not None
    }
    for column, metrics in found.column_metrics.items():
        values.update(((column, key), value) for key, value in metrics.items() if value is not None)
    return Metrics(tuple(values), tuple(values.values())) if values else None


def statistics(raw: bytes) -> Statistics | None:
    """Rows, bytes and files as plain numbers; ``None``: look closer.

    >>> statistics(b'{"rowCount": 3, "size": 12}')
    Statistics(row_count=3, byte_count=12, file_count=None)
    """
    try:
        found = _volume(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    told = Statistics(found.row_count, found.size, found.file_count)
    return None if found.deleted or told == (None, None, None) else told


def arranged(counted: Metrics | Statistics) -> Callable[[tuple[Any, ...]], Any]:
    """What makes facets of their numbers in the order of the text.

    Parameters
    ----------
    counted
        what is read of such a facet when each of its numbers is its place in that order.

    Examples
    --------
    >>> arranged(statistics(b'{"size": 0, "other": 1, "rowCount": 2}'))((4096, 7, 12))
    Statistics(row_count=12, byte_count=4096, file_count=None)
    """
    if isinstance(counted, Statistics):
        rows, size, files = counted
        return lambda values: Statistics(
            None if rows is None else values[rows],
            None if size is None else values[size],
            None if files is None else values[files],
        )
    names, order = counted.names, [int(place) for place in counted.values]
    if order == list(range(len(order))):
        return lambda values: Metrics(names, values[: len(names)])
    return lambda values: Metrics(names, tuple([values[place] for place in order]))
