"""State and time of the last run behind a node."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineage.view import View

_STATUS = """
-- last run that wrote each dataset, and last run of each job
WITH wanted AS (SELECT unnest($members::UBIGINT[]) AS node), done AS (
  SELECT io.dataset AS node, r.state, coalesce(r.ended_at, r.last_event) AS moment
  FROM run_io io JOIN run r ON r.run = io.run
  WHERE io.direction = 'out' AND io.dataset IN (SELECT node FROM wanted)
    AND io.known_from <= $known AND io.known_to > $known
    AND r.known_from <= $known AND r.known_to > $known AND r.first_event <= $at
  UNION ALL
  SELECT job, state, coalesce(ended_at, last_event) FROM run
  WHERE job IN (SELECT node FROM wanted) AND known_from <= $known AND known_to > $known AND first_event <= $at
)
SELECT node, arg_max(state, moment), max(moment) FROM done GROUP BY node
"""


def last_runs(view: View, cards: Iterable[int]) -> dict[int, tuple[str, datetime]]:
    """State and time of the last run that wrote each dataset, or of each job."""
    owner = {member: i for i in cards if not view.hidden(i) for member in view.snapshot.members(i)}
    when = {"members": list(owner), "at": view.snapshot.as_of, "known": view.snapshot.known_at}
    found: dict[int, tuple[str, datetime]] = {}
    for node, state, at in view.store.rows(_STATUS, when):
        i = owner[node]
        if i not in found or found[i][1] < at:
            found[i] = (state, at)
    return found
