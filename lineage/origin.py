"""Where data ends, and not only what is known of it: nodes told to have no origin, and nodes whose edges are over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.view import View

_ANY = "SELECT 1 FROM facet WHERE key = 'lineage' LIMIT 1"


def told_without_origin(view: View, nodes: Sequence[int]) -> set[int]:
    """Of which nodes an explicit lineage facet says that nothing is upstream: ``inputs: []`` in every entry."""
    if not nodes or not view.instant.remember("a lineage facet", lambda: view.store.rows(_ANY)):
        return set()
    sql = """
    -- explicit lineage facets of nodes at T as known at K
    SELECT f.entity, b.json FROM facet f JOIN facet_body b USING (body)
    WHERE f.key = 'lineage' AND f.entity IN (SELECT unnest($members::UBIGINT[]))
      AND f.valid_from <= $at AND f.valid_to > $at AND f.known_from <= $known AND f.known_to > $known
    """
    members = {member: i for i in nodes for member in view.snapshot.members(i)}
    when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at, "members": list(members)}
    empty: dict[int, bool] = {}
    for entity, text in view.store.rows(sql, when):
        i = members[entity]
        empty[i] = empty.get(i, True) and _no_inputs(json.loads(text))
    return {i for i, nothing in empty.items() if nothing}


def ended_at(view: View, nodes: Sequence[int], *ends: str) -> dict[int, datetime]:
    """Nodes that had edges before, and when the last of these ended.

    Parameters
    ----------
    view
        the instant and the actor.
    nodes
        dense indices.
    ends
        the end of the edges to look at, ``src`` or ``dst``, and then their kinds; without it both ends and all data
        flow.
    """
    if not nodes:
        return {}
    found: dict[int, datetime] = {}
    for side in ends[:1] or ("src", "dst"):
        over = _over(view, side, ends[1:] or ("lineage", "read", "write"))
        for i in nodes if over else ():
            times = [over[member] for member in view.snapshot.members(i) if member in over]
            if times:
                found[i] = max(*times, found.get(i, times[0]))
    return found


def _over(view: View, side: str, kinds: Sequence[str]) -> dict[int, datetime]:
    """When the last of the edges that are over ended, by the id of the node at one side; asked once for an instant."""
    sql = f"""
    -- when the last edge of each node ended, of those that are over at T as known at K
    SELECT {side}, max(valid_to) FROM edge
    WHERE kind IN (SELECT unnest($kinds::VARCHAR[])) AND valid_to <= $at AND known_from <= $known AND known_to > $known
    GROUP BY {side}
    """  # noqa: S608 - a constant
    when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at, "kinds": list(kinds)}
    return view.instant.remember(f"over: {side} {kinds}", lambda: dict(view.store.rows(sql, when)))


def _no_inputs(body: object) -> bool:
    if not isinstance(body, dict):
        return False
    entries = body["entries"] if isinstance(body.get("entries"), list) else [body]
    return bool(entries) and all(isinstance(entry, dict) and entry.get("inputs") == [] for entry in entries)
