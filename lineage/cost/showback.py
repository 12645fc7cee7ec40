"""Showback: what each domain pays, what crosses its borders, and which domain pays for which."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from lineage.cost.allocation import Allocation
from lineage.cost.answers import Showback, ShowbackAnswer, ShowbackCurrency, Subsidy
from lineage.cost.ladder import UNALLOCATED
from lineage.cost.money import money_text
from lineage.cost.report import line_name
from lineage.graph.arrays import I64

if TYPE_CHECKING:
    from lineage.view import View


def showback(view: View, found: Allocation) -> ShowbackAnswer:
    """Domains with own + received − passed + in_cycles = charged back, and the table of who pays for whom.

    Hidden domains are left out: their lines and every flow over their borders.
    """
    names, group = _groups(view, found)
    network = found.network
    crossing = group[network.src] != group[network.dst]
    pair = np.where(crossing, group[network.src] * (len(names) + 1) + group[network.dst], -1)
    currencies = []
    for currency in found.attribution.currencies():
        flows = {divmod(key, len(names) + 1): amount for key, amount in found.charged[currency].sums(pair).items()}
        currencies.append(_currency(view, found, currency, names, group, flows))
    return ShowbackAnswer(found.period.text, found.attribution.metric, tuple(currencies))


def _groups(view: View, found: Allocation) -> tuple[list[str], I64]:
    """Names of domains, and the position of its domain for every node that money touches."""
    touched: set[int] = set(np.unique(np.concatenate([found.network.src, found.network.dst])).tolist())
    for own in found.own.values():
        touched |= {key for key in own if isinstance(key, int)}
    names: dict[str, int] = {}
    group = np.zeros(max(1, view.snapshot.n), dtype=np.int64)
    for node in sorted(touched):
        group[node] = names.setdefault(view.domain(node), len(names))
    return list(names), group


def _currency(
    view: View,
    found: Allocation,
    currency: str,
    names: list[str],
    group: I64,
    flows: dict[tuple[int, int], int],
) -> ShowbackCurrency:
    own: dict[str, int] = defaultdict(int)
    charged: dict[str, int] = defaultdict(int)
    for key, amount in found.own[currency].items():
        if isinstance(key, int):
            own[names[int(group[key])]] += amount
            continue
        name, kind = line_name(key)
        if kind == "product" and name in found.products:
            name = found.products[name].domain or name
        own[name] += amount
        charged[name] += amount
    for node, amount in found.charged[currency].kept.items():
        charged[names[int(group[node])]] += amount
    received: dict[str, int] = defaultdict(int)
    passed: dict[str, int] = defaultdict(int)
    for (payer, user), amount in flows.items():
        passed[names[payer]] += amount
        received[names[user]] += amount
    seen = view.actor.may_see
    domains = []
    for name in sorted({*own, *charged, *received, *passed}, key=lambda n: (n == UNALLOCATED, ":" in n, n)):
        if not seen(name):
            continue
        moved = charged[name] - own[name] - received[name] + passed[name]
        parts = (own[name], received[name], passed[name], moved, charged[name])
        domains.append(Showback(name, *(money_text(part) for part in parts)))
    subsidies = [
        (amount, names[payer], names[user])
        for (payer, user), amount in flows.items()
        if seen(names[payer]) and seen(names[user])
    ]
    ordered = sorted(subsidies, key=lambda one: (-abs(one[0]), one[1], one[2]))
    return ShowbackCurrency(
        currency, tuple(domains), tuple(Subsidy(payer, user, money_text(amount)) for amount, payer, user in ordered)
    )
