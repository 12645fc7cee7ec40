"""Cost beside the nodes of other answers: impact, provenance, GraphML, the networkx graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lineage.cost.money import money_text

if TYPE_CHECKING:
    from lineage.view import View

COLUMNS = ("cost_own", "cost_full", "cost_currency", "cost_period")


class NodeCosts:
    """Costs of a month by dense index, in 10⁻¹² units of one currency: that in which most was billed."""

    def __init__(self, currency: str, period: str, own: Mapping[int, int], full: Mapping[int, int]) -> None:
        self.currency, self.period, self.own, self.full = currency, period, own, full


def node_costs(view: View) -> NodeCosts | None:
    """Costs of the month of the newest bill; ``None`` when there is no bill. Kept with the instant."""
    return view.instant.remember("cost of nodes", lambda: _node_costs(view))


def annotate(view: View, nodes: Sequence[int]) -> Mapping[str, Sequence[str | None]]:
    """Own and full cost of some nodes; ``None`` = unknown: no bill, or no cost was ever placed there.

    A column has the cost of its dataset. Full cost is not told to those who may not see everything it is made of.
    """
    found = node_costs(view)
    if found is None:
        return {column: [None] * len(nodes) for column in COLUMNS}
    homes = [view.snapshot.dataset_of(i) if view.kind(i) == "column" else i for i in nodes]
    own = [found.own.get(i) for i in homes]
    full = [None if view.restricted else found.full.get(i) for i in homes]
    told = [a is not None or b is not None for a, b in zip(own, full, strict=True)]
    return {
        "cost_own": [None if one is None else money_text(one) for one in own],
        "cost_full": [None if one is None else money_text(one) for one in full],
        "cost_currency": [found.currency if one else None for one in told],
        "cost_period": [found.period if one else None for one in told],
    }


def _node_costs(view: View) -> NodeCosts | None:
    from lineage.cost.allocation import allocate
    from lineage.cost.periods import newest_billed, seen_at

    month = newest_billed(view.store, view.known_at, view.as_of)
    if month is None:
        return None
    found = allocate(view, seen_at(month, view.as_of), "billed")
    if not found.attribution.billed:
        return None
    currency = max(found.attribution.billed.items(), key=lambda item: (abs(item[1]), item[0]))[0]
    own = {key: amount for key, amount in found.own[currency].items() if isinstance(key, int)}
    return NodeCosts(currency, found.period.text, own, found.full[currency].full)
