"""What impact, provenance and the graph say beside a node: its contract, the status, the promise of freshness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lineage.contracts.binding import Bound, bindings
from lineage.contracts.periods import spoken

if TYPE_CHECKING:
    from lineage.view import View

_ORDER = ("active", "deprecated", "proposed", "draft")


def annotate(view: View, nodes: Sequence[int]) -> Mapping[str, Sequence[Any]]:
    """``contract``, ``contract_status`` and ``sla`` of some nodes; a column has those of its dataset, a job none."""
    found = bindings(view.instant).by_node
    rows = [_of(view, found, node) for node in nodes] if found else [(None, None, None)] * len(nodes)
    return {name: [row[k] for row in rows] for k, name in enumerate(("contract", "contract_status", "sla"))}


def _of(view: View, found: Mapping[int, Sequence[Bound]], node: int) -> tuple[str | None, str | None, str | None]:
    home = view.snapshot.dataset_of(node) if view.kind(node) == "column" else node
    bound = [one for one in found.get(home, ()) if one.contract.status in _ORDER]
    if not bound:
        return None, None, None
    best = min(bound, key=lambda one: (_ORDER.index(one.contract.status), -one.contract.major)).contract
    sla = best.sla("latency", "freshness", "frequency")
    promise = f"{sla.name} {spoken(sla.seconds)}" if sla and sla.seconds is not None else None
    return best.title, best.status, promise
