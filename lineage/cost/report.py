"""``meshline cost report``: what a period cost, by domain, product, dataset, job, consumer or service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lineage.cost.allocation import Allocation
from lineage.cost.answers import CostReport, CostRow, CurrencyReport
from lineage.cost.attribution import Part
from lineage.cost.ladder import UNALLOCATED
from lineage.cost.money import money_text
from lineage.errors import UsageError
from lineage.store.horizon import horizon_notes

if TYPE_CHECKING:
    from lineage.view import View

GROUPS = ("domain", "product", "dataset", "job", "consumer", "service")
ESTIMATED = "estimated"
_Name = tuple[str, str]  # id and kind of a row


def report(view: View, found: Allocation, by: str) -> CostReport:
    """The report of an allocation.

    Parameters
    ----------
    by
        what a row is, one of :data:`GROUPS`.

    Rows of one currency sum to ``billed`` in ``own`` and in ``charged_back``; ``full`` is own cost and what the row
    uses of others, and is not additive. Nodes of hidden domains are left out of rows and totals; that there are some
    is said by a row without amounts.
    """
    if by not in GROUPS:
        raise UsageError(f"--by: “{by}” is none of {', '.join(GROUPS)}.")
    currencies = [_currency(view, found, by, currency) for currency in found.attribution.currencies()]
    shown = tuple(one for one in currencies if one.rows)
    # bills stay for ever, but runs that share them may have gone
    notes = horizon_notes(view.store.rows, min(found.period.start, view.as_of), view.known_at)
    return CostReport(found.period.text, found.attribution.metric, shown, notes)


def _currency(view: View, found: Allocation, by: str, currency: str) -> CurrencyReport:
    table = _Table(view, found, currency)
    if by == "service":
        table.by_part(lambda part: (part.service or "unknown", "service"))
    elif by == "job":
        table.by_part(table.job_of)
    elif by == "consumer":
        table.by_consumer()
    else:
        table.by_node({"domain": table.domain_of, "product": table.product_of, "dataset": table.node_of}[by])
    rows = table.rows(found.attribution.metric)
    total = sum(table.own.values())
    loose = sum(amount for (_, kind), amount in table.own.items() if kind == UNALLOCATED)
    if by in ("service",):
        loose = sum(
            part.amount for part in found.attribution.parts if part.currency == currency and part.line == UNALLOCATED
        )
    billed = found.attribution.billed[currency] - table.hidden
    return CurrencyReport(currency, money_text(billed), money_text(total), money_text(loose), rows)


def by_full(answer: CostReport) -> CostReport:
    """The same report with the dearest in full cost first."""
    from decimal import Decimal

    def size(row: CostRow) -> Decimal:
        return -abs(Decimal(row.full or 0))

    currencies = (replace(one, rows=tuple(sorted(one.rows, key=size))) for one in answer.currencies)
    return replace(answer, currencies=tuple(currencies))


class _Table:
    """Sums of one currency by row."""

    def __init__(self, view: View, found: Allocation, currency: str) -> None:
        self._view, self._found, self._currency = view, found, currency
        self.own: dict[_Name, int] = defaultdict(int)
        self.charged: dict[_Name, int] | None = defaultdict(int)
        self.full: dict[_Name, int] | None = defaultdict(int)
        self._basis: dict[_Name, set[str]] = defaultdict(set)
        self._hidden: set[str] = set()
        self.hidden = 0  # own cost that may not be shown
        self._product = {i: product.name for product in found.products.values() for i in product.inside}
        self._product |= {i: product.name for product in found.products.values() for i in product.ports}

    # -- what a row is

    def node_of(self, key: int | str) -> _Name:
        """A node by itself; a line by its name."""
        if isinstance(key, int):
            return self._view.label(key), self._view.kind(key)
        return line_name(key)

    def domain_of(self, key: int | str) -> _Name:
        """The domain of a node; a product's cost that names no dataset belongs to the domain of the product."""
        if isinstance(key, int):
            return self._view.domain(key), "domain"
        name, kind = line_name(key)
        product = self._found.products.get(name) if kind == "product" else None
        return (product.domain, "domain") if product and product.domain else (name, kind)

    def product_of(self, key: int | str) -> _Name:
        """The product a node belongs to."""
        if isinstance(key, int):
            name = self._product.get(key)
            return (name, "product") if name else ("without product", "rest")
        name, kind = line_name(key)
        return (name, kind) if kind != "domain" else ("without product", "rest")

    def job_of(self, part: Part) -> _Name:
        """The job that caused a part of the cost."""
        job, node, line = part.job, part.node, part.line
        if job is not None:
            return self._view.label(job), "job"
        if node is not None and self._view.kind(node) == "job":
            return self._view.label(node), "job"
        return line_name(line) if line is not None else ("without job", "rest")

    # -- sums

    def by_node(self, name: Callable[[int | str], _Name]) -> None:
        """Own, charged-back and full cost by group of nodes."""
        shown = self._shown(name)
        self._own(shown)
        for node, amount in self._found.charged[self._currency].kept.items():
            if row := shown(node):
                self._add_charged(row, amount)
        self._lines(shown)
        if name == self.node_of:
            for node, amount in self._found.full[self._currency].full.items():
                if row := shown(node):
                    self._add_full(row, amount)
        else:
            self._full_of_groups(shown)

    def by_part(self, name: Callable[..., _Name]) -> None:
        """Own cost by what caused it. Nothing is passed on between such rows, so charged-back is own."""
        for part in self._parts():
            key: int | str = part.node if part.node is not None else part.line or UNALLOCATED
            if self._hide(key) or (part.job is not None and self._hide(part.job)):
                self.hidden += part.amount
                continue
            row = name(part)
            self.own[row] += part.amount
            self._basis[row].add(part.basis)
            self._add_charged(row, part.amount)
        self.full = None

    def by_consumer(self) -> None:
        """Those who in the end pay; what others cost stands in one line, since it was all passed on."""
        kept = self._found.charged[self._currency].kept

        def name(key: int | str) -> _Name:
            return self.node_of(key) if isinstance(key, str) or key in kept else ("passed on", "rest")

        self.by_node(name)
        for node, amount in self._found.full[self._currency].full.items():
            if node in kept and (row := self._shown(self.node_of)(node)) and self.full is not None:
                self.full[row] = amount
        if self.full is not None:
            self.full.pop(("passed on", "rest"), None)

    def rows(self, metric: str) -> tuple[CostRow, ...]:
        """All rows, the dearest first, and one without amounts for each hidden domain."""
        charged, full = self.charged or {}, self.full
        names = {*self.own, *charged, *(full or {})}
        ordered = sorted(names, key=lambda name: (-abs(self.own.get(name, 0)), -abs(charged.get(name, 0)), name))
        rows = [
            CostRow(
                name[0], name[1], money_text(self.own.get(name, 0)), money_text(charged.get(name, 0)),
                None if full is None or name[1] == "rest" else money_text(full.get(name, 0)),
                self._basis_of(name, metric),
            )
            for name in ordered
        ]  # fmt: skip
        names_hidden = [f"hidden (domain {name})" for name in sorted(self._hidden)]
        hidden = [CostRow(name, "hidden", None, None, None, metric) for name in names_hidden]
        return tuple(rows + hidden)

    def _basis_of(self, name: _Name, metric: str) -> str:
        found = {metric if one == "billed" else one for one in self._basis.get(name, {"billed"})}
        return found.pop() if len(found) == 1 else "mixed"

    def _own(self, shown: Callable[[int | str], _Name | None]) -> None:
        for part in self._parts():
            key: int | str = part.node if part.node is not None else part.line or UNALLOCATED
            row = shown(key)
            if row is None:
                self.hidden += part.amount
                continue
            self.own[row] += part.amount
            self._basis[row].add(part.basis)

    def _lines(self, shown: Callable[[int | str], _Name | None]) -> None:
        """What is no node is passed on to nobody."""
        for key, amount in self._found.own[self._currency].items():
            if isinstance(key, str) and (row := shown(key)):
                self._add_charged(row, amount)
                self._add_full(row, amount)

    def _full_of_groups(self, shown: Callable[[int | str], _Name | None]) -> None:
        """Full cost of a group: own cost of its nodes and what flows into it from outside."""
        network, flow = self._found.network, self._found.full[self._currency]
        for row, amount in self._node_sums(shown).items():
            self._add_full(row, amount)
        nodes = np.unique(np.concatenate([network.src, network.dst]))
        names = [shown(int(node)) for node in nodes]
        index = {name: i for i, name in enumerate(dict.fromkeys(names))}
        group = np.zeros(self._view.snapshot.n, dtype=np.int64)
        group[nodes] = [index[name] for name in names]
        into = np.where(group[network.src] != group[network.dst], group[network.dst], -1)
        by_index = {i: name for name, i in index.items()}
        for i, amount in flow.sums(into).items():
            name = by_index[i]
            if name is not None:
                self._add_full(name, amount)

    def _node_sums(self, shown: Callable[[int | str], _Name | None]) -> Mapping[_Name, int]:
        sums: dict[_Name, int] = defaultdict(int)
        for key, amount in self._found.own[self._currency].items():
            if isinstance(key, int) and (row := shown(key)):
                sums[row] += amount
        return sums

    def _parts(self) -> list[Part]:
        return [part for part in self._found.attribution.parts if part.currency == self._currency]

    def _shown(self, name: Callable[[int | str], _Name]) -> Callable[[int | str], _Name | None]:
        return lambda key: None if self._hide(key) else name(key)

    def _hide(self, key: int | str) -> bool:
        """Whether a node or line belongs to a hidden domain; remembers which."""
        if isinstance(key, int):
            domain = self._view.hidden_domain(key)
        else:
            name, kind = line_name(key)
            if kind == "product" and name in self._found.products:
                name = self._found.products[name].domain or ""
            domain = name if kind in ("domain", "product") and not self._view.actor.may_see(name) else None
        if domain is not None:
            self._hidden.add(domain)
        return domain is not None

    def _add_charged(self, row: _Name, amount: int) -> None:
        if self.charged is not None:
            self.charged[row] += amount

    def _add_full(self, row: _Name, amount: int) -> None:
        if self.full is not None:
            self.full[row] += amount


def line_name(line: str) -> _Name:
    """Id and kind of what is no node.

    >>> line_name("domain:sales"), line_name("idle:dwh"), line_name("unallocated")
    (('sales', 'domain'), ('idle:dwh', 'idle'), ('unallocated', 'unallocated'))
    """
    kind, colon, name = line.partition(":")
    if kind in ("domain", "product") and colon:
        return name, kind
    return line, kind
