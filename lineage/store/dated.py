"""Every table with valid times, and whose clock they are compared with: what holds now changes by time alone at them.

Whatever is kept of now (an :class:`lineage.instant.Instant`, the file of :mod:`lineage.graph.kept`) is outdated at the
next of these times. A migration that adds such a table has to add it here; a test holds it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.store.store import Store

GRAPH = frozenset({"edge", "column_edge", "alias", "edge_mark", "alias_mark"})
"""Tables that a snapshot of the graph is made of."""

_ENDS = ("valid_from", "valid_to")
_OWN_END = (*_ENDS, "expires")

OBSERVED: Mapping[str, tuple[str, ...]] = dict.fromkeys(("edge", "column_edge", "alias", "facet", "evaluation"), _ENDS)
"""What events tell and what is worked out from them, with the columns of its times: it follows producers' clocks."""

SAID: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("edge_mark", "alias_mark", "owner_mark"), _ENDS),
    **dict.fromkeys(("domain", "contract", "product", "policy", "budget", "cost_rule"), _ENDS),
    **dict.fromkeys(("access_rule", "alert_route"), _ENDS),
    **dict.fromkeys(("access_grant", "waiver", "tag_stop"), _OWN_END),
}
"""What people declare and say by hand, likewise: some of it is judged by our own clock, which may be behind."""


def next_turn(store: Store, at: datetime, clock: datetime | None = None, *, tables: Collection[str] = ()) -> datetime:
    """The next time at which anything begins or ends to hold, in any known time; the open end when nothing will.

    Parameters
    ----------
    store
        an open store.
    at
        the instant from which to look, naive UTC.
    clock
        our own clock, for what people say; default: ``at``.
    tables
        the tables that matter; default: all.

    Examples
    --------
    >>> from lineage.store import Store
    >>> next_turn(Store.open(":memory:"), datetime(2026, 1, 1)) == OPEN_END
    True
    """
    wanted = [
        (table, column, name)
        for name, dated in (("at", OBSERVED), ("clock", SAID))
        for table, columns in dated.items()
        if not tables or table in tables
        for column in columns
    ]
    times = " UNION ALL ".join(
        f"SELECT min({column}) AS t FROM {table} WHERE {column} > ${name}"  # noqa: S608 - constants only
        for table, column, name in wanted
    )
    asked = {"at": at, "clock": clock or at}
    found: datetime | None = store.rows(
        f"-- next time at which a row begins or ends to hold\nSELECT min(t) FROM ({times})",
        {name: asked[name] for name in {name for *_, name in wanted}},
    )[0][0]
    return found or OPEN_END
