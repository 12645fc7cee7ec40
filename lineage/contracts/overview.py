"""Contracts and products as lists and one by one, with their versions, their readers and their drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.contracts.binding import bindings
from lineage.contracts.drift import Drift, differences
from lineage.contracts.facts import load_facts
from lineage.contracts.lookup import UnknownContractError, named, visible
from lineage.contracts.model import STATUSES, Contract, semver
from lineage.errors import UsageError
from lineage.products import membership, products_of
from lineage.shown import Shown

if TYPE_CHECKING:
    from lineage.view import View

_VERSIONS = """
-- one version of one contract or product, newest first, with its text
SELECT name, version, status, path, hash, actor, valid_from, valid_to, known_from, body FROM {table}
WHERE {column} = $id AND known_from <= $known AND known_to > $known ORDER BY valid_from DESC, known_from DESC
"""


@dataclass(frozen=True, slots=True)
class ContractRow:
    """One contract. ``readers`` are jobs and ``consumers`` datasets that read what it binds."""

    id: str
    name: str
    version: str
    status: str
    domain: str
    product: str
    datasets: tuple[str, ...]
    unbound: tuple[str, ...]
    readers: tuple[str, ...]
    end_of_support: str = ""
    replaced_by: str = ""


@dataclass(frozen=True, slots=True)
class Contracts(Shown):
    """Answer of ``contracts list``."""

    contracts: tuple[ContractRow, ...]

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("id", "name", "version", "status", "domain", "datasets", "unbound", "readers", "end_of_support",
                "replaced_by")  # fmt: skip

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per contract."""
        return [
            (c.id, c.name, c.version, c.status, c.domain, list(c.datasets), list(c.unbound), len(c.readers),
             c.end_of_support, c.replaced_by)
            for c in self.contracts
        ]  # fmt: skip

    def title(self) -> str:
        """How many."""
        return f"{len(self.contracts)} contracts"

    def remarks(self) -> tuple[str, ...]:
        """Who still reads what is deprecated."""
        return tuple(
            f"{c.name or c.id} {c.version} is {c.status} and still read by {', '.join(c.readers)}"
            for c in self.contracts
            if c.status in ("deprecated", "retired") and c.readers
        )


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one file, with its text as it was written."""

    name: str
    version: str | None
    status: str | None
    path: str
    hash: str
    actor: str
    valid_from: datetime
    valid_to: datetime | None
    known_from: datetime
    text: str


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product with the datasets of its output ports and where it differs from what was observed."""

    id: str
    name: str
    version: str
    status: str
    domain: str
    owner: str
    datasets: tuple[str, ...]
    consumers: tuple[str, ...]  # products and domains that read it
    drift: tuple[Drift, ...]


@dataclass(frozen=True, slots=True)
class Products(Shown):
    """Answer of ``products list``."""

    products: tuple[ProductRow, ...]

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("id", "name", "version", "status", "domain", "owner", "datasets", "consumers", "drift")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per product."""
        return [
            (p.id, p.name, p.version, p.status, p.domain, p.owner, list(p.datasets), list(p.consumers), len(p.drift))
            for p in self.products
        ]

    def title(self) -> str:
        """How many."""
        return f"{len(self.products)} products"

    def remarks(self) -> tuple[str, ...]:
        """The drift, line by line."""
        return tuple(f"{d.product}: {d.what}: {d.node}{_against(d)}" for p in self.products for d in p.drift)


def contracts(view: View, status: str | None = None) -> Contracts:
    """All contracts whose domain the actor may see.

    Raises
    ------
    UsageError
        when a status is none of those that a contract can have.
    """
    if status is not None and status not in STATUSES:
        raise UsageError(f"“{status}” is no status; there are {', '.join(STATUSES)}.")
    found = bindings(view.instant)
    rows = []
    for contract in found.contracts:
        nodes = [one.node for one in found.bound if one.contract is contract]
        if not visible(view, contract):
            continue
        if status is None or contract.status == status:
            unbound = tuple(one.thing for one in found.unbound if one.contract is contract)
            rows.append(_row(view, contract, nodes, unbound))
    return Contracts(tuple(sorted(rows, key=lambda row: (row.name or row.id, row.version))))


def find(view: View, text: str) -> Contract:
    """The contract with an id or name (``ID@1`` for one major version); of several the active, else the newest.

    Raises
    ------
    UnknownContractError
        when there is none.
    """
    fits = named(view, text)
    if not fits:
        raise UnknownContractError(f"There is no contract “{text}”. List them with: meshline contracts list")
    return max(fits, key=lambda c: (c.status == "active", c.major, c.version))


def find_product(view: View, text: str) -> str:
    """Id of the product with an id or name.

    Raises
    ------
    UnknownContractError
        when there is none that the actor may see.
    """
    members = membership(view.instant)
    for product in products_of(view.instant).values():
        hidden = any(view.hidden(node) for node, name in members.items() if name == product.id)
        if text in (product.id, product.name) and view.actor.may_see(product.domain) and not hidden:
            return product.id
    raise UnknownContractError(f"There is no product “{text}”. List them with: meshline products list")


def versions(view: View, table: str, id: str) -> tuple[Version, ...]:
    """Every version of a contract or product, newest first."""
    column = "id" if table == "contract" else "name"
    sql = _VERSIONS.format(table=table, column=column)
    found = [Version(*row) for row in view.store.rows(sql, {"id": id, "known": view.known_at})]
    found.sort(key=lambda one: (one.valid_from, one.known_from, semver(one.version or "") or (0, 0, 0)), reverse=True)
    return tuple(found)


def products(view: View) -> Products:
    """All products whose domain the actor may see."""
    instant = view.instant
    members: dict[str, list[int]] = {}
    for node, name in membership(instant).items():
        members.setdefault(name, []).append(node)
    rows = []
    facts = load_facts(view, sorted(membership(instant)))
    for product in products_of(instant).values():
        nodes = sorted(members.get(product.id, []))
        if not view.actor.may_see(product.domain) or any(view.hidden(node) for node in nodes):
            continue
        rows.append(
            ProductRow(product.id, product.name, product.version, product.status, product.domain, product.owner,
                       tuple(view.label(node) for node in nodes), _consumers(view, product.id, nodes),
                       differences(view, product, nodes, facts))
        )  # fmt: skip
    return Products(tuple(sorted(rows, key=lambda row: row.id)))


# -- inside


def _against(one: Drift) -> str:
    """What was declared and observed, where both are told."""
    return f" ({one.declared}, observed {one.observed})" if one.declared and one.observed else ""


def _row(view: View, contract: Contract, nodes: Sequence[int], unbound: tuple[str, ...]) -> ContractRow:
    readers = sorted({view.label(job) for node in nodes for job in view.snapshot.readers(node).tolist()})
    end = contract.sla("endOfSupport")
    return ContractRow(
        contract.id, contract.name, contract.version, contract.status, contract.domain, contract.product,
        tuple(sorted(view.label(node) for node in nodes)), unbound, tuple(readers),
        str(end.value) if end else "", contract.replaced_by,
    )  # fmt: skip


def _consumers(view: View, product: str, nodes: Sequence[int]) -> tuple[str, ...]:
    members = membership(view.instant)
    found = set()
    for node in nodes:
        for edge in view.snapshot.neighbours(node, "downstream"):
            other = edge.dst
            if members.get(other) != product and not view.hidden(other):
                owner = members.get(other)
                found.add(f"product {owner}" if owner else f"domain {view.domain(other)}")
    return tuple(sorted(found))
