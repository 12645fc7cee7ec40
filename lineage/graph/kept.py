"""The snapshot of now, kept in a file beside the database for the next process that asks.

Only processes that opened the database for reading keep one: meanwhile nobody can change it (one file, one process that
writes), so state and snapshot belong together. A server that writes has its snapshot in memory, see
:mod:`lineage.graph.live`.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.graph.build import load, now_of
from lineage.graph.snapshot import Snapshot
from lineage.store.dated import GRAPH, next_turn
from lineage.times import EPOCH

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.graph.saved import SnapshotFileError
    from lineage.store.store import Store

ENOUGH = 20_000  # edge rows from which on mapping a file beats building
SUFFIX = ".graph"

_log = logging.getLogger("meshline.lineage")


def may_keep(store: Store) -> bool:
    """Whether this process may rely on a file: it has the database for reading, so nobody changes it meanwhile."""
    return store.path is not None and store.read_only


def load_now(store: Store, state: str, *, enough: int = ENOUGH) -> Snapshot:
    """The snapshot of now: mapped from the file beside the database when it fits, else built, and then kept.

    A file of another version, damaged or cut short is replaced and told of once, as a warning of ``meshline.lineage``;
    one of another state is replaced without a word, as there is one after every change.

    Parameters
    ----------
    state
        names the state of the store; another text after every change.
    enough
        number of edge rows from which on a snapshot is kept.

    Examples
    --------
    >>> from lineage.store import Store
    >>> load_now(Store.open(":memory:"), "any").n
    0
    """
    if store.path is None or not may_keep(store):
        return load(store)
    from lineage.graph.saved import SnapshotFileError, open_saved

    wrong = ""
    path = store.path.with_name(store.path.name + SUFFIX)
    state = f"{_version()} {store.path.stat().st_ino} {state}"
    if path.exists():
        at, known = now_of(store)
        try:
            return open_saved(path, state, at, known, _micros(at))
        except SnapshotFileError as error:
            wrong = _wrong(error)
        except OSError as error:
            _log.info("%s cannot be read: %s. Building the graph from the database instead.", path, error)
    snapshot = load(store)
    done = _keep(store, snapshot, path, state, enough)
    if wrong:
        _log.warning("The saved graph %s %s; the graph was built from the database%s.", path, wrong, done)
    return snapshot


def _wrong(error: SnapshotFileError) -> str:
    """What is wrong with a file beyond its being of another state; empty when nothing is."""
    from lineage.graph.saved import OtherStateError

    if not isinstance(error, OtherStateError):
        return error.reason
    version = error.store.partition(" ")[0]
    return "" if version == _version() else f"was of Meshline {version}, and this is {_version()}"


def _keep(store: Store, snapshot: Snapshot, path: Path, state: str, enough: int) -> str:
    """Put the file in its place, or take away one that is of no use; what was done, as the end of a sentence."""
    from lineage.graph.saved import State, save

    try:
        if snapshot.edge_rows < enough:  # building it is faster than mapping it
            path.unlink(missing_ok=True)
            return " and the file removed"
        until = next_turn(store, snapshot.as_of, tables=GRAPH)
        save(snapshot, path, State(state, _micros(snapshot.as_of), _micros(until)))
    except OSError as error:  # a folder that may not be written to: the next process builds its own
        _log.info("The graph was not kept beside the database: %s", error)
        return f", and the file cannot be replaced ({error.strerror or error})"
    return " and the file made anew"


def _micros(at: datetime) -> int:
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _version() -> str:
    from lineage import __version__

    return __version__
