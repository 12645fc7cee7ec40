"""Load the sample company into a database, with the times at which its events were received."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.errors import MeshlineError
from lineage.times import iso, utcnow

if TYPE_CHECKING:
    from lineage.store import Store

BANNER = "banner"
"""Setting of a database: a line above every page. A database that has one holds sample data and may be replaced."""

_SOURCE = "sample_events"
_DAY = timedelta(days=1)


class NotADemoError(MeshlineError):
    """A file that ``meshline demo`` did not make is never overwritten."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded: how many events, by how many days they were moved, and the time of the newest."""

    events: int
    quarantined: int
    days: int
    newest: datetime


def make_room(path: Path) -> bool:
    """Remove an older demo database; whether there was one.

    Raises
    ------
    NotADemoError
        when the file is something else.
    StoreError
        when it cannot be opened, for instance since a server holds it.
    """
    from lineage.store import Store

    if not path.exists():
        return False
    with Store.open(path, create=False) as store:
        sample = store.get_meta(BANNER)
    if sample is None:
        raise NotADemoError(f"{path} holds no sample data, so it is left alone. Name another file with --db.")
    path.unlink()
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
    return True


def sample_size() -> int:
    """How many events the sample has."""
    from sample_events.load import receipts

    return sum(receipt.last - receipt.first + 1 for receipt in receipts())


def load(store: Store, *, now: datetime | None = None, progress: Callable[[int], None] | None = None) -> Loaded:
    """Load domains and events, everything that was received together in one step.

    Parameters
    ----------
    store
        an empty database.
    now
        the events are moved by whole days to end in the day before (default: now).
    progress
        called with the number of events done.
    """
    from ingest.outcome import Outcome
    from ingest.sql_step import read_pending
    from ingest.writer import Writer
    from lineage.cost.importing import import_files
    from lineage.declared import apply
    from lineage.engine import Lineage
    from lineage.policies.sandbox import Sandbox
    from sample_events.bill import write as write_bill
    from sample_events.load import check_times, declared, events, last_event, receipts, shift_for

    shift = shift_for(now or utcnow())
    days = shift // _DAY
    newest = last_event() + shift
    with store.transaction() as cursor:
        store.set_meta(cursor, BANNER, _banner(days, newest))
    with tempfile.TemporaryDirectory(prefix="meshline-") as folder:
        apply(store, declared(Path(folder), shift), at=receipts()[0].received_at + shift)
    writer = Writer(store)
    total = Outcome()
    for received_at, group in groupby(events(shift), key=lambda item: item[0]):
        total.add(writer.ingest([line for _, _, line in group], source=_SOURCE, received_at=received_at))
        if progress:
            progress(total.read)
    read_pending(store)
    with tempfile.TemporaryDirectory(prefix="meshline-") as folder:
        import_files(store, write_bill(Path(folder), shift))
    lx = Lineage(store)
    with Sandbox({}) as sandbox:
        for at in check_times(shift):  # so that violations have a history when somebody looks for the first time
            lx.policies.record(at=at, sandbox=sandbox)
    store.checkpoint()
    return Loaded(total.accepted, total.quarantined, days, newest)


def _banner(days: int, newest: datetime) -> str:
    moved = f", moved by {days} days" if days else ""
    return f"Sample data: a made-up retail company{moved}. Its last event is of {(iso(newest) or '')[:10]}."
