"""Problems that show only when products, contracts and lineage are seen together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lineage.contracts.binding import bind, bindings
from lineage.contracts.model import read_contract
from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.store import Store
    from lineage.view import Instant
    from lineage.yamlfile import Declared

_KNOWN = "SELECT name, status FROM contract WHERE known_to = ? AND valid_to = ?"


def check_together(found: Mapping[str, Sequence[Declared]], store: Store) -> tuple[list[str], list[str]]:
    """Problems and warnings of one tree by folder.

    Refused: an output port whose contract is neither in the tree nor in the store; two products that claim one
    dataset; a contract that is retired while lineage shows readers. Warned: an input port with an unknown contract, a
    contract that binds no dataset.
    """
    contracts = found.get("contracts", ())
    problems, warnings = _ports(found.get("products", ()), contracts, store)
    if contracts:
        more, told = _bound(contracts, found.get("products", ()), store)
        problems += more
        warnings += told
    return problems, warnings


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


def _bound(contracts: Sequence[Declared], products: Sequence[Declared], store: Store) -> tuple[list[str], list[str]]:
    """What the contracts of the tree bind in the lineage of now."""
    from lineage.graph import load
    from lineage.view import Instant as World

    instant = World(store, load(store, None, None), -1, "")
    before = {str(name): str(status) for name, status in store.rows(_KNOWN, [OPEN_END, OPEN_END])}
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
        nodes = []
        for i, thing in enumerate(contract.things):
            node, why = bind(instant, contract, thing)
            if node is None:
                warnings.append(item.file.problem(("schema", i, "name"), f"“{thing.name}” binds no dataset: {why}"))
                continue
            nodes.append(node)
            product = ports.get((contract.id, str(contract.major)), contract.product)
            first = owners.setdefault(node, (product, item.file.path))
            if product and first[0] and first[0] != product:
                label = instant.snapshot.text(node)
                what = f"{label} is claimed by product “{first[0]}” too ({first[1]})"
                problems.append(item.file.problem(("schema", i, "name"), what))
        newly = contract.status == "retired" and before.get(item.name) not in (None, "retired")
        if newly and not contract.custom.get("retirementApprovedBy"):
            readers = [instant.snapshot.text(r) for n in nodes for r in instant.snapshot.readers(n).tolist()]
            readers = [r for n in nodes if not _newer(instant, contract.id, contract.major, n) for r in readers]
            if readers:
                shown = ", ".join(sorted(set(readers))[:3])
                what = (
                    f"cannot be retired: still read by {shown}; keep it deprecated, or name who approved it in "
                    "customProperties as retirementApprovedBy"
                )
                problems.append(item.file.problem(("status",), what))
    return problems, warnings


def _newer(instant: Instant, contract: str, major: int, node: int) -> bool:
    """Whether a higher major of the same contract binds the same dataset."""
    known = bindings(instant).by_node.get(node, ())
    return any(one.contract.id == contract and one.contract.major > major for one in known)
