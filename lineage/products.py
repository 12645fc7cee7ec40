"""Data products: ``products/*.yaml`` (Bitol ODPS), and which datasets belong to which of them.

A dataset belongs to a product when it is bound by the contract of one of its output ports.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lineage.contracts.checks import check_status, check_version
from lineage.contracts.standard import check_schema
from lineage.yamlfile import Declared, DeclaredFile

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.contracts.model import Contract
    from lineage.store import Store
    from lineage.view import Instant

_ROWS = """
-- one version of one product as known at K
SELECT name, document, actor, known_from, valid_from, valid_to FROM product
WHERE known_from <= $known AND known_to > $known ORDER BY name, valid_from
"""


@dataclass(frozen=True, slots=True)
class Port:
    """One port; ``inputs`` are the contracts that an output port is declared to be made from."""

    name: str
    version: str
    contract: str
    inputs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ProductInfo:
    """One product."""

    id: str
    name: str
    version: str
    status: str
    domain: str
    owner: str
    outputs: tuple[Port, ...] = ()
    inputs: tuple[Port, ...] = ()
    custom: Mapping[str, Any] = field(default_factory=dict)


class ProductFiles:
    """The kind of file that declares a product."""

    folder = "products"
    table = "product"

    def read(self, file: DeclaredFile) -> tuple[Declared | None, list[str]]:
        """The product in a file, and what is wrong with it."""
        problems, warnings = check_schema("odps", file)
        if isinstance(file.value, dict):
            early = check_version(file)
            problems = [*early, *(p for p in problems if not early or ": version: " not in p)]
        if problems:
            return None, problems
        warnings = [*warnings, *check_status(file)]
        found = read_product(file.value)
        columns = {
            "version": found.version or None,
            "status": found.status,
            "title": found.name or None,
            "domain": found.domain or None,
            "owner": found.owner or None,
            "standard": file.value["apiVersion"],
            "document": json.dumps(file.value, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
        }
        return Declared(found.id, file, columns, warnings=tuple(warnings)), []

    def check(self, items: Sequence[Declared], store: Store) -> list[str]:
        """Two ports with one contract version: two products cannot both claim its datasets."""
        problems: list[str] = []
        claimed: dict[tuple[str, int], tuple[str, str]] = {}
        for item in items:
            for i, port in enumerate(item.file.value.get("outputPorts") or []):
                contract = str(port.get("contractId") or "")
                key = (contract, _major(port.get("version")))
                first = claimed.setdefault(key, (item.name, item.file.path))
                if contract and first[0] != item.name:
                    what = f"contract {contract} is an output port of product “{first[0]}” too ({first[1]})"
                    problems.append(item.file.problem(("outputPorts", i, "contractId"), what))
        return problems


PRODUCTS = ProductFiles()


def read_product(value: Mapping[str, Any]) -> ProductInfo:
    """A product from a document that the schema has accepted."""
    from lineage.contracts.model import custom_of

    team = value.get("team")
    team = team if isinstance(team, dict) else {}
    members = [one for one in team.get("members") or [] if isinstance(one, dict)]
    owner = team.get("name") or next((m.get("username") for m in members if m.get("role") == "owner"), "")
    return ProductInfo(
        id=str(value.get("id", "")),
        name=str(value.get("name") or ""),
        version=str(value.get("version") or ""),
        status=str(value.get("status") or ""),
        domain=str(value.get("domain") or ""),
        owner=str(owner or ""),
        outputs=tuple(_port(one) for one in value.get("outputPorts") or []),
        inputs=tuple(_port(one) for one in value.get("inputPorts") or []),
        custom=custom_of(value),
    )


def load_products(store: Store, as_of: datetime, known_at: datetime) -> dict[str, ProductInfo]:
    """Products as they were at ``as_of``, as known at ``known_at``; the first version holds for the time before it."""
    chosen: dict[str, tuple[Any, ...]] = {}
    for row in store.rows(_ROWS, {"known": known_at}):
        if row[4] <= as_of < row[5] or (row[0] not in chosen and row[4] > as_of):
            chosen[row[0]] = row
    return {name: read_product(json.loads(row[1])) for name, row in chosen.items()}


def products_of(instant: Instant) -> dict[str, ProductInfo]:
    """Products of an instant by id."""
    snapshot = instant.snapshot
    return instant.remember("products", lambda: load_products(instant.store, snapshot.as_of, snapshot.known_at))


def membership(instant: Instant) -> dict[int, str]:
    """Product id by dense index of each dataset that an output port's contract binds."""
    return instant.remember("product members", lambda: _members(instant))


def later_members(instant: Instant) -> dict[int, str]:
    """Product id of each dataset that was not there yet and that an output port's contract names."""
    from lineage.contracts.binding import bindings

    later = [(one.contract, one.later) for one in bindings(instant).unbound if one.later is not None]
    return _claimed(instant, later)


def product_of(instant: Instant, node: int) -> str | None:
    """Product that a dataset or column belongs to; a job belongs to that of all its outputs, if there is one."""
    snapshot = instant.snapshot
    members = membership(instant)
    kind = instant.kind(node)
    if kind == "job":
        found = {members.get(d) for d in snapshot.outputs(node).tolist()}
        return found.pop() if len(found) == 1 else None
    return members.get(snapshot.dataset_of(node) if kind == "column" else node)


# -- inside


def _members(instant: Instant) -> dict[int, str]:
    from lineage.contracts.binding import bindings

    return _claimed(instant, [(one.contract, one.node) for one in bindings(instant).bound])


def _claimed(instant: Instant, bound: Iterable[tuple[Contract, int]]) -> dict[int, str]:
    """Product of each dataset that a contract of one of its output ports is about."""
    by_contract: dict[tuple[str, int], list[int]] = {}
    for contract, node in bound:
        by_contract.setdefault((contract.id, contract.major), []).append(node)
    found: dict[int, str] = {}
    for product in products_of(instant).values():
        for port in product.outputs:
            for node in by_contract.get((port.contract, _major(port.version)), ()):
                found.setdefault(node, product.id)
    return found


def _port(value: Mapping[str, Any]) -> Port:
    inputs = tuple(
        (str(one.get("id") or ""), str(one.get("version") or "")) for one in value.get("inputContracts") or []
    )
    return Port(str(value.get("name") or "").strip(), str(value.get("version") or ""),
                str(value.get("contractId") or ""), inputs)  # fmt: skip


def _major(version: Any) -> int:
    head = str(version or "0").removeprefix("v").split(".")[0]
    return int(head) if head.isdigit() else 0
