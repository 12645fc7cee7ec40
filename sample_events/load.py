"""Read the checked-in events in the order in which they were received, moved in time.

Nothing here needs more than the standard library.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EVENTS = HERE / "events"
DOMAINS = HERE / "domains"
RECEIPTS = HERE / "receipts.csv"
BILLS = HERE / "bills"

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,6}))?)(Z|\+00:00)")
# Dates of declared files by their keys: since when something holds, until when, what an SLA promises.
_DATED = re.compile(
    r"((?:^|[\s{,])(?:value|valid_from|expires|since): *[\"']?)(\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?)(?=[\"'\s,}]|$)",
    re.MULTILINE,
)
# Texts that name something keep the dates in them.
_NAMES = frozenset({"name", "namespace", "field", "runId", "query", "description", "producer", "value"})
_CHECKED = ("2026-06-08T19:00:00", "2026-06-22T19:00:00", "2026-06-26T19:00:00")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Lines ``first`` to ``last`` (1-based, inclusive) of ``file`` were received together."""

    received_at: datetime
    file: str
    first: int
    last: int


def receipts() -> list[Receipt]:
    """The sidecar, in order of receipt (naive UTC).

    >>> [r.received_at for r in receipts()] == sorted(r.received_at for r in receipts())
    True
    """
    with RECEIPTS.open(newline="", encoding="utf-8") as handle:
        return [
            Receipt(_instant(row["received_at"]), row["file"], int(row["first_line"]), int(row["last_line"]))
            for row in csv.DictReader(handle)
        ]


def last_event() -> datetime:
    """Time of the newest event, which is also the time of the last receipt (naive UTC)."""
    return receipts()[-1].received_at


def check_times(shift: timedelta = timedelta(0)) -> list[datetime]:
    """When the policies of the company were run (naive UTC), in order; the last time is that of the last event."""
    return [_instant(text) + shift for text in _CHECKED] + [last_event() + shift]


def shift_for(now: datetime) -> timedelta:
    """Whole days to add so that the last event lies in the day before ``now`` (naive UTC).

    Not whole weeks: data that ended up to a week ago would break every promise of freshness that the company keeps.

    >>> shift_for(last_event() + timedelta(days=20, hours=3)).days
    20
    >>> shift_for(last_event()).days
    0
    """
    return (now - last_event()) // _DAY * _DAY


def events(shift: timedelta = timedelta(0)) -> Iterator[tuple[datetime, str, bytes]]:
    """Every event as ``(received_at, source, line)`` in order of receipt, all times moved by ``shift``.

    ``source`` is the name of the file. With no shift the lines are those of the files, byte for byte; with one, every
    instant in them is moved (event times, nominal times, times of measurement), names are not.
    """
    lines: dict[str, list[bytes]] = {}
    for receipt in receipts():
        if receipt.file not in lines:
            lines[receipt.file] = (EVENTS / receipt.file).read_bytes().splitlines()
        for line in lines[receipt.file][receipt.first - 1 : receipt.last]:
            yield receipt.received_at + shift, receipt.file, shifted(line, shift) if shift else line


def declared(into: Path, shift: timedelta) -> Path:
    """The declared files of the company with their dates moved like the events, in a folder that must exist.

    Without a shift that is the folder of the sample itself, and nothing is written.
    """
    if not shift:
        return HERE
    for file in sorted(HERE.glob("*/*.yaml")):
        target = into / file.relative_to(HERE)
        target.parent.mkdir(exist_ok=True)
        target.write_text(_DATED.sub(lambda m: m[1] + _moved_date(m[2], shift), file.read_text("utf-8")), "utf-8")
    return into


def _moved_date(text: str, shift: timedelta) -> str:
    """A day, or an instant, in the form that it has.

    >>> _moved_date("2026-06-01", timedelta(weeks=1)), _moved_date("2026-06-01T00:00:00Z", timedelta(weeks=1))
    ('2026-06-08', '2026-06-08T00:00:00Z')
    """
    moved = datetime.fromisoformat(text.removesuffix("Z")) + shift
    return f"{moved:%Y-%m-%dT%H:%M:%SZ}" if "T" in text else f"{moved:%Y-%m-%d}"


def shifted(line: bytes, shift: timedelta) -> bytes:
    """One event with all its instants moved.

    >>> shifted(b'{"eventTime":"2026-06-28T19:00:00.000Z","name":"at 2026-06-28T19:00:00Z"}', timedelta(weeks=1))
    b'{"eventTime":"2026-07-05T19:00:00.000Z","name":"at 2026-06-28T19:00:00Z"}'
    """
    return json.dumps(_moved(json.loads(line), shift), separators=(",", ":")).encode()


def _moved(value: Any, shift: timedelta) -> Any:
    if isinstance(value, dict):
        return {k: v if k in _NAMES and isinstance(v, str) else _moved(v, shift) for k, v in value.items()}
    if isinstance(value, list):
        return [_moved(v, shift) for v in value]
    if not isinstance(value, str):
        return value
    match = _INSTANT.fullmatch(value)
    if match is None:
        return value
    text, fraction, zone = match.groups()
    moved = datetime.fromisoformat(text) + shift
    return f"{moved:%Y-%m-%dT%H:%M:%S}{'.' + fraction if fraction else ''}{zone}"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("Z"))
