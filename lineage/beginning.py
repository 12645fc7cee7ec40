"""Since when anything is known: an answer about a time before it knows nothing, which is another thing than nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lineage.times import iso

if TYPE_CHECKING:
    from lineage.store import Store
    from lineage.view import View

_FIRST = """
-- one row: the first time that anything was told of, as known at K (events may be gone, what they told is not)
SELECT least(
  (SELECT min(event_time) FROM event WHERE received_at <= $known),
  (SELECT min(first_event) FROM run WHERE known_from <= $known AND known_to > $known),
  (SELECT min(seen_at) FROM run_io WHERE known_from <= $known AND known_to > $known),
  (SELECT min(valid_from) FROM edge WHERE known_from <= $known AND known_to > $known),
  (SELECT min(valid_from) FROM edge_mark WHERE mark = 'manual' AND known_from <= $known AND known_to > $known),
  (SELECT min(valid_from) FROM alias WHERE known_from <= $known AND known_to > $known),
  (SELECT min(valid_from) FROM facet WHERE known_from <= $known AND known_to > $known),
  (SELECT min(event_time) FROM declaration WHERE known_from <= $known),
  (SELECT min(tested_at) FROM assertion WHERE known_from <= $known AND known_to > $known)
)
"""
_RECEIVED = """
-- one row: when the first thing was received
SELECT least((SELECT min(received_at) FROM event), (SELECT min(known_from) FROM node))
"""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Since when anything is told (valid time) and known (known time); ``None``: nothing ever was."""

    told: datetime | None
    known: datetime | None


def beginning(store: Store, known: datetime) -> Beginning:
    """When what a store knows begins.

    Parameters
    ----------
    known
        the known time to look at it from; naive UTC.
    """
    received = store.rows(_RECEIVED)[0][0]
    return Beginning(store.rows(_FIRST, {"known": known})[0][0], received)


def nothing_yet(view: View) -> str | None:
    """Why nothing at all is known at an instant, as a sentence without its end; ``None`` when something is.

    Parameters
    ----------
    view
        the instant.
    """
    return view.instant.remember("nothing yet", lambda: _nothing_yet(view))


def unknown_then(view: View) -> str | None:
    """Why nothing can be counted at another instant than now, as :func:`nothing_yet`; ``None`` when it can.

    Of what nobody has told anything of, nothing is known: that is not none. Of now, none is told where none is.
    """
    return nothing_yet(view) if view.past else None


def _nothing_yet(view: View) -> str | None:
    found = beginning(view.store, view.known_at)
    if found.known is None:
        return "nothing was known: no event was ever received"
    if view.known_at < found.known:
        return f"nothing was known yet: the first event was received at {iso(found.known)}"
    if found.told is not None and view.as_of < found.told:
        return f"nothing was known yet: the first event is of {iso(found.told)}"
    return None
