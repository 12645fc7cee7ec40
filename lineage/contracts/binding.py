"""Which dataset each object of each contract is, at one instant, and which are none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lineage.contracts.model import Contract, Thing, read_contract
from lineage.contracts.naming import dataset_name
from lineage.identity import NodeKey
from lineage.presence import absent

if TYPE_CHECKING:
    from lineage.store import Store
    from lineage.view import Instant

_ROWS = """
-- one version of one contract as known at K
SELECT name, hash, document, valid_from, valid_to FROM contract
WHERE known_from <= $known AND known_to > $known ORDER BY name, valid_from
"""
_DATASETS = "SELECT id, namespace, name FROM node WHERE kind = 'dataset' AND known_from <= $known"


@dataclass(frozen=True, slots=True)
class Bound:
    """One object of a contract and the dataset (dense index) that it is."""

    contract: Contract
    thing: Thing
    node: int


@dataclass(frozen=True, slots=True)
class Unbound:
    """One object that is no known dataset, and why."""

    contract: Contract
    thing: str
    why: str
    later: int | None = None  # dense index of its dataset where that was not there yet


@dataclass(frozen=True, slots=True)
class Bindings:
    """All objects of all contracts of an instant."""

    contracts: tuple[Contract, ...]
    bound: tuple[Bound, ...]
    unbound: tuple[Unbound, ...]
    by_node: dict[int, tuple[Bound, ...]]


def load_contracts(store: Store, as_of: datetime, known_at: datetime) -> tuple[Contract, ...]:
    """Contracts as they were at ``as_of``, as known at ``known_at``; the first version holds for the time before it."""
    chosen: dict[str, tuple[Any, ...]] = {}
    for row in store.rows(_ROWS, {"known": known_at}):
        if row[3] <= as_of < row[4] or (row[0] not in chosen and row[3] > as_of):
            chosen[row[0]] = row
    return tuple(contract_of(row[2]) for row in chosen.values())


def versions(store: Store, known_at: datetime) -> Iterator[Contract]:
    """Every version of every contract, as known at ``known_at``."""
    for row in store.rows(_ROWS, {"known": known_at}):
        yield contract_of(row[2])


def bindings(instant: Instant) -> Bindings:
    """Contracts of an instant and what they bind; found once."""
    return instant.remember("contract bindings", lambda: _bind(instant))


def candidates(contract: Contract, thing: Thing) -> list[tuple[str, str]]:
    """Names an object may have, that of the production server first."""
    servers = sorted(contract.servers, key=lambda s: s.environment.lower() not in ("prod", "production"))
    found = [dataset_name(server, thing) for server in servers] or [dataset_name(None, thing)]
    return list(dict.fromkeys(name for name in found if name is not None))


def bind(instant: Instant, contract: Contract, thing: Thing) -> tuple[int | None, str]:
    """Dense index of the dataset an object is, or why there is none."""
    names = candidates(contract, thing)
    if not names:
        why = "its server has no rule for names" if contract.servers else "the contract has no server"
        return None, f"{why}; give openlineage.namespace and openlineage.name in its customProperties"
    for namespace, name in names:
        node = instant.snapshot.index(NodeKey("dataset", namespace, name).id)
        if node is not None:
            return node, ""
    folded = instant.remember("folded names", lambda: _folded(instant))
    for namespace, name in names:
        node = instant.snapshot.index(folded.get((namespace.lower(), name.lower()), 0))
        if node is not None:
            return node, ""
    return None, f"no dataset {' or '.join(f'{namespace}:{name}' for namespace, name in names)} was ever seen"


@lru_cache(maxsize=4_096)
def contract_of(document: str) -> Contract:
    """A contract from a document that the store holds; the same text is read once."""
    return read_contract(json.loads(document))


def _bind(instant: Instant) -> Bindings:
    snapshot = instant.snapshot
    return bind_all(instant, load_contracts(instant.store, snapshot.as_of, snapshot.known_at))


def bind_all(instant: Instant, contracts: tuple[Contract, ...]) -> Bindings:
    """What some contracts bind at an instant, whether they are in force or only thought of.

    What was not there yet is bound by none.
    """
    gone = absent(instant)
    bound: list[Bound] = []
    unbound: list[Unbound] = []
    by_node: dict[int, tuple[Bound, ...]] = {}
    for contract in contracts:
        if not contract.things:
            unbound.append(Unbound(contract, "", "it describes no object"))
        for thing in contract.things:
            node, why = bind(instant, contract, thing)
            if node is None:
                unbound.append(Unbound(contract, thing.name, why))
                continue
            if node in gone:
                why = f"{instant.texts([node])[0]} was not there yet"
                unbound.append(Unbound(contract, thing.name, why, node))
                continue
            one = Bound(contract, thing, node)
            bound.append(one)
            by_node[node] = (*by_node.get(node, ()), one)
    return Bindings(contracts, tuple(bound), tuple(unbound), by_node)


def _folded(instant: Instant) -> dict[tuple[str, str], int]:
    """Ids of datasets by lower-case name; of several the smallest, so that the answer does not depend on order."""
    found: dict[tuple[str, str], int] = {}
    for node, namespace, name in instant.store.rows(_DATASETS, {"known": instant.snapshot.known_at}):
        key = (namespace.lower(), name.lower())
        found[key] = min(found.get(key, node), node)
    return found
