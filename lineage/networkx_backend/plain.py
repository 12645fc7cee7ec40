"""Values of attributes that every writer of networkx takes: texts, numbers and truth values.

``write_graphml``, ``write_gml``, ``write_gexf`` and ``node_link_data`` with JSON each refuse something else: times,
tuples, ``None``, numbers with a class of their own. So times are texts as in all answers (ISO 8601, UTC), several
values one text as in our own CSV and GraphML, and what is unknown is left out, which is how these formats and
``nx.get_node_attributes`` say that a node has no such value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from lineage.times import iso

SEPARATOR = "; "


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes that every writer takes; those that are unknown (``None``, not a number) are left out.

    Examples
    --------
    >>> plain({"at": datetime(2026, 3, 31, 18), "tags": ("gold", "pii:email"), "owner": None, "hops": 2})
    {'at': '2026-03-31T18:00:00Z', 'tags': 'gold; pii:email', 'hops': 2}
    """
    return {name: _plain(value) for name, value in values.items() if value is not None and value == value}


def plainly(find: Callable[[int], Mapping[str, Any]]) -> Callable[[int], dict[str, Any]]:
    """What looks attributes up by place, with values that every writer takes."""
    return lambda place: plain(find(place))


def _plain(value: Any) -> Any:
    if type(value) in (str, bool, int, float):
        return value
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (tuple, list, set, frozenset)):
        several = sorted(map(str, value)) if isinstance(value, (set, frozenset)) else map(str, value)
        return SEPARATOR.join(several)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    if isinstance(value, (str, Decimal)):  # a name with a class of its own; money keeps its digits as text
        return str(value)
    item = getattr(value, "item", None)  # a number of numpy
    return item() if callable(item) else str(value)
