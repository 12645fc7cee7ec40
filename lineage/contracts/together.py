"""Problems that show only when products, contracts and lineage are seen together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from lineage.contracts.binding import bind, bindings
from lineage.contracts.model import Contract, read_contract
from lineage.products import membership
from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.store import Store
    from lineage.view import Instant
    from lineage.yamlfile import Declared

RETIREMENT = "retirement"
"""Policy that a waiver names to let something retire while it is read; its subject is ``contract:ID@1`` or the like."""
_HELD = ("active", "deprecated")
_OPEN = """
-- newest version of each contract or product that came from a file
SELECT name, status, path, document FROM {table} WHERE known_to = ? AND valid_to = ? AND path <> '' ORDER BY name
"""
_KNOWN = "SELECT name, status FROM contract WHERE known_to = ? AND valid_to = ?"


def check_together(found: Mapping[str, Sequence[Declared]], store: Store, now: datetime) -> tuple[list[str], list[str]]:
    """Problems and warnings of one tree by folder.

    Refused: an output port whose contract is neither in the tree nor in the store; two products that claim one
    dataset; a contract or product that is retired, or whose file is deleted, while lineage shows readers and no waiver
    holds. Warned: an input port with an unknown contract, a
    contract that binds no dataset.
    """
    from lineage.graph import load
    from lineage.view import Instant as World

    if not found.keys() & {"contracts", "products"}:
        return [], []
    contracts = found.get("contracts", ())
    problems, warnings = _ports(found.get("products", ()), contracts, store)
    instant = World(store, load(store, None, None), -1, "")
    more, told = _bound(contracts, found.get("products", ()), instant)
    return [*problems, *more, *_ended(found, store, instant, now)], [*warnings, *told]


def _ports(products: Sequence[Declared], contracts: Sequence[Declared], store: Store) -> tuple[list[str], list[str]]:
    known = {str(item.columns["id"]) for item in contracts}
    known |= {str(name).rpartition("@")[0] for name, _ in store.rows(_KNOWN, [OPEN_END, OPEN_END])}
    problems: list[str] = []
    warnings: list[str] = []
    for item in products:
        for key, into in (("outputPorts", problems), ("inputPorts", warnings)):
            for i, port in enumerate(item.file.value.get(key) or []):
                contract = port.get("contractId")
                if contract and str(contract) not in known:
                    what = f"there is no contract {contract}, neither in the files nor in the store"
                    into.append(item.file.problem((key, i, "contractId"), what))
    return problems, warnings


def _bound(
    contracts: Sequence[Declared], products: Sequence[Declared], instant: Instant
) -> tuple[list[str], list[str]]:
    """What the contracts of the tree bind in the lineage of now."""
    ports = {
        (str(port.get("contractId")), str(port.get("version") or "0").removeprefix("v").split(".")[0]): item.name
        for item in products
        for port in item.file.value.get("outputPorts") or []
    }
    problems: list[str] = []
    warnings: list[str] = []
    owners: dict[int, tuple[str, str]] = {}
    for item in contracts:
        contract = read_contract(item.file.value)
        for i, thing in enumerate(contract.things):
            node, why = bind(instant, contract, thing)
            if node is None:
                warnings.append(item.file.problem(("schema", i, "name"), f"“{thing.name}” binds no dataset: {why}"))
                continue
            product = ports.get((contract.id, str(contract.major)), contract.product)
            first = owners.setdefault(node, (product, item.file.path))
            if product and first[0] and first[0] != product:
                label = instant.snapshot.text(node)
                what = f"{label} is claimed by product “{first[0]}” too ({first[1]})"
                problems.append(item.file.problem(("schema", i, "name"), what))
    return problems, warnings


def _ended(found: Mapping[str, Sequence[Declared]], store: Store, instant: Instant, now: datetime) -> Iterator[str]:
    """Contracts and products retired, or with their file gone, while lineage shows readers and no waiver holds."""
    waived = _waived(found.get("waivers"), store, now)
    tree = [read_contract(item.file.value) for item in found.get("contracts", ())]
    for table, what in (("contract", "contracts"), ("product", "products")):
        if what not in found:
            continue
        items = {item.name: item for item in found[what]}
        for name, status, path, document in store.rows(_OPEN.format(table=table), [OPEN_END, OPEN_END]):
            item = items.get(name)
            retired = item is not None and item.columns["status"] == "retired" != status
            if not retired and (item is not None or status not in _HELD):
                continue
            readers = _readers(instant, table, name, document, tree)
            head = name.rpartition("@")[0]
            if not readers or waived & {f"{table}:{name}".lower(), f"{table}:{head}".lower()}:
                continue
            shown = ", ".join(readers[:3]) + (f" and {len(readers) - 3} more" if len(readers) > 3 else "")
            act = "retired" if item is not None else "deleted"
            told = (
                f"cannot be {act}: still read by {shown}; keep it deprecated, or add a waiver of policy "
                f"“{RETIREMENT}” for {table}:{name}, approved by somebody else than who asks for it"
            )
            yield item.file.problem(("status",), told) if item is not None else f"{path}:1: {table} {name} {told}"


def _waived(items: Sequence[Declared] | None, store: Store, now: datetime) -> set[str]:
    """Subjects that may retire now: by the waivers of the tree, or of the store when the tree has no such folder."""
    from lineage.policies.load import waivers_of

    if items is None:
        return {w.subject.lower() for w in waivers_of(store, now, now) if w.policy == RETIREMENT and w.expires > now}
    return {
        str(item.columns["subject"]).lower()
        for item in items
        if item.columns["policy"] == RETIREMENT
        and (item.valid_from or now) <= now < item.columns["expires"]
    }  # fmt: skip


def _readers(instant: Instant, table: str, name: str, document: str, tree: Sequence[Contract]) -> list[str]:
    """Jobs that read what a contract binds, or the datasets of a product; its own steps left out.

    What a newer major version of the contract binds, in the store or among the files, goes on under that.
    """
    snapshot = instant.snapshot
    if table == "product":
        nodes = [node for node, product in membership(instant).items() if product == name]
    else:
        contract = read_contract(json.loads(document))
        found = (bind(instant, contract, thing)[0] for thing in contract.things)
        newer = [c for c in tree if c.id == contract.id and c.major > contract.major]
        follow = {bind(instant, c, thing)[0] for c in newer for thing in c.things}
        nodes = [
            n for n in found
            if n is not None and n not in follow and not _newer(instant, contract.id, contract.major, n)
        ]  # fmt: skip
    own = set(nodes)
    jobs = {job for node in nodes for job in snapshot.readers(node).tolist()}
    outside = [
        job for job in jobs if not len(snapshot.outputs(job)) or not own.issuperset(snapshot.outputs(job).tolist())
    ]
    return sorted(snapshot.text(job) for job in outside)


def _newer(instant: Instant, contract: str, major: int, node: int) -> bool:
    """Whether a higher major of the same contract binds the same dataset."""
    known = bindings(instant).by_node.get(node, ())
    return any(one.contract.id == contract and one.contract.major > major for one in known)
