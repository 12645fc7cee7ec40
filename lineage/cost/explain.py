"""``meshline cost explain NODE``: which bills, runs and neighbours make up the cost of a node."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from lineage.cost.allocation import Allocation, Network
from lineage.cost.answers import CostOfRun, Evidence, Explained, Explanation, Neighbour
from lineage.cost.attribution import Part
from lineage.cost.money import money_text
from lineage.cost.share import Shares
from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.view import View

_Pooled = tuple[str, str, str]  # pool, currency, service
_RUNS = 20  # listed; all are counted
_BILLS = """
-- which rows of which bills charge for some things in a period, as known at K
SELECT c.key, count(*), list_sort(list(DISTINCT b.file)), any_value(coalesce(k.resource, k.resource_name))
FROM charge c JOIN bill_part p USING (part) JOIN bill b USING (bill) JOIN charge_key k USING (key)
WHERE p.known_from <= $known AND p.known_to > $known AND p.period_start >= $start AND p.period_start < $end
  AND c.started_at < $until
  AND c.key IN (SELECT unnest($keys::UBIGINT[]))
GROUP BY c.key
"""


def explain(view: View, found: Allocation, node: int) -> Explanation:
    """Explain the cost of one node; a column has that of its dataset.

    Raises
    ------
    HiddenNodeError
        when the actor may not see it.
    """
    view.require(node)
    home = view.snapshot.dataset_of(node) if view.kind(node) == "column" else node
    currencies = [_currency(view, found, home, currency) for currency in found.attribution.currencies()]
    runs = [
        run for run in found.attribution.runs if run.job == home or any(dataset == home for dataset, _, _ in run.writes)
    ]
    listed = sorted(runs, key=lambda run: run.started, reverse=True)[:_RUNS]
    return Explanation(
        node=view.label(home),
        domain=view.domain(home),
        period=found.period.text,
        metric=found.attribution.metric,
        currencies=tuple(one for one in currencies if one.evidence or one.inherited_from or one.passed_on_to),
        runs=tuple(
            CostOfRun(
                run.run_id, view.label(run.job), run.state, run.started, None if run.ended >= OPEN_END else run.ended,
                (min(run.ended, found.period.stop) - run.started).total_seconds(),
            )
            for run in listed
        ),
        run_count=len(runs),
        gaps=tuple(found.attribution.gaps),
    )  # fmt: skip


def _currency(view: View, found: Allocation, node: int, currency: str) -> Explained:
    parts = [part for part in found.attribution.parts if part.currency == currency and part.node == node]
    full, charged = found.full[currency], found.charged[currency]
    own = sum(part.amount for part in parts)
    whole = full.full.get(node, 0)
    return Explained(
        currency=currency,
        own=money_text(own),
        inherited=money_text(whole - own),
        full=money_text(whole),
        charged_back=money_text(charged.kept.get(node, 0)),
        evidence=_evidence(view, found, parts),
        inherited_from=_neighbours(view, found.network, full, node, inward=True),
        passed_on_to=_neighbours(view, found.network, charged, node, inward=False),
    )


def _evidence(view: View, found: Allocation, parts: list[Part]) -> tuple[Evidence, ...]:
    """Every part with its bills; of a share of a pool, those of everything that was divided."""
    behind = {part: _charges(found, part) for part in parts}
    keys = sorted({key for some in behind.values() for key in some})
    when = {"known": view.known_at, **found.period.spans, "keys": keys}
    bills = {key: (rows, files, resource) for key, rows, files, resource in view.store.rows(_BILLS, when)}
    metric = found.attribution.metric
    divided: dict[_Pooled, int] = defaultdict(int)
    for part in found.attribution.parts if any(part.pool for part in parts) else ():
        divided[_pooled(part)] += part.amount
    evidence = []
    for part in sorted(parts, key=lambda part: (-abs(part.amount), part.method, part.rule, part.key or 0)):
        told = [bills[key] for key in behind[part] if key in bills]
        files = sorted({file for _, some, _ in told for file in some})
        resource = told[0][2] if told and part.key is not None else None
        evidence.append(
            Evidence(
                money_text(part.amount), part.method, part.rule, part.service,
                metric if part.basis == "billed" else part.basis, resource,
                view.label(part.job) if part.job is not None else None, part.pool,
                sum(rows for rows, _, _ in told) if told else None, tuple(files),
                money_text(divided[_pooled(part)]) if part.pool else None,
            )
        )  # fmt: skip
    return tuple(evidence)


def _pooled(part: Part) -> _Pooled:
    return part.pool or "", part.currency, part.service


def _charges(found: Allocation, part: Part) -> list[int]:
    """The charges that a part comes from."""
    if part.key is not None:
        return [part.key]
    return found.attribution.pooled.get(_pooled(part), []) if part.pool else []


def _neighbours(view: View, network: Network, shares: Shares, node: int, *, inward: bool) -> tuple[Neighbour, ...]:
    """What came from or went to each neighbour; hidden ones of a domain are one line without an amount of each."""
    here, there = (network.dst, network.src) if inward else (network.src, network.dst)
    edges = np.flatnonzero((here == node) & shares.raw.any(axis=1))
    amounts: dict[int, int] = defaultdict(int)
    wanted = np.full(len(here), -1, dtype=np.int64)
    wanted[edges] = there[edges]
    for other, amount in shares.sums(wanted).items():
        amounts[other] += amount
    ordered = sorted(amounts.items(), key=lambda item: (-abs(item[1]), view.label(item[0])))
    return tuple(
        Neighbour(view.label(other), view.domain(other), money_text(amount))
        for other, amount in ordered
        if not view.hidden(other)
    )
