"""Numbers of a run as nearly all producers send them, read without building the tree of the facet.

The decoder checks on the way that everything is a plain number, not negative. Then nothing about it is odd and nothing
else has to look at it. A facet that is not so plain gets ``None`` here and is read by :mod:`ingest.facets.dataset`,
which gives the same for one that is.
"""

from __future__ import annotations

from typing import Annotated

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

    >>> quality_metrics(b'{"rowCount": 3, "columnMetrics": {"a": {"nullCount": 0, "max": 2.5}}}').values
    (('', 'rowCount', 3.0), ('a', 'nullCount', 0.0), ('a', 'max', 2.5))
    >>> quality_metrics(b'{"columnMetrics": {"a": {"min": -1}}}') is None
    True
    """
    try:
        found = _profile(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    if found.validation_results or found.deleted:
        return None
    values = [
        ("", key, value)
        for key, value in (("rowCount", found.row_count), ("bytes", found.bytes), ("fileCount", found.file_count))
        if value is not None
    ]
    values += [
        (column, key, value)
        for column, metrics in found.column_metrics.items()
        for key, value in metrics.items()
        if value is not None
    ]
    return Metrics(tuple(values)) if values else None


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
