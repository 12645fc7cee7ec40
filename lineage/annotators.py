"""Columns that other fields of questions put beside a node: contract, SLA, quality, cost.

Impact, provenance, GraphML and the networkx graph show them without knowing them. A field joins by one entry of
:data:`ANNOTATORS`: the names of its columns, and a function from a view and dense indices to one list of values per
column. ``None`` is unknown. The function is asked for visible nodes only, of every kind, and once for an answer, so it
should look things up in bulk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lineage.errors import MeshlineError

if TYPE_CHECKING:
    from lineage.view import View

Ask = Callable[["View", Sequence[int]], Mapping[str, Sequence[Any]]]
"""For each of its columns, one plain value (text, number, boolean, ``None``) for each node, in the order given."""


@dataclass(frozen=True, slots=True)
class Annotator:
    """Columns of one field; ``ask`` is where its function is, ``module:name``, imported when it is first needed."""

    columns: tuple[str, ...]
    ask: str


ANNOTATORS: tuple[Annotator, ...] = (
    Annotator(("contract", "contract_status", "sla"), "lineage.contracts.columns:annotate"),
    Annotator(("quality", "coverage", "grade", "upstream_risk"), "lineage.quality.columns:annotate"),
    Annotator(("cost_own", "cost_full", "cost_currency", "cost_period"), "lineage.cost.columns:annotate"),
)
"""Every field that has something to say about nodes, in the order of its columns."""


def names() -> tuple[str, ...]:
    """Names of all columns."""
    return tuple(name for annotator in ANNOTATORS for name in annotator.columns)


def annotate(view: View, nodes: Sequence[int]) -> list[dict[str, Any]]:
    """What the fields say of some nodes: for each one a value per column.

    Parameters
    ----------
    nodes
        dense indices; of hidden ones every value is ``None``.

    Raises
    ------
    MeshlineError
        when a function does not give what its entry promises.
    """
    nothing = dict.fromkeys(names())
    found: list[dict[str, Any]] = [nothing.copy() for _ in nodes]
    visible = [k for k, i in enumerate(nodes) if not view.hidden(i)]
    asked = [nodes[k] for k in visible]
    for annotator in ANNOTATORS if asked else ():
        module, _, name = annotator.ask.partition(":")
        ask: Ask = getattr(import_module(module), name)
        said = ask(view, asked)
        for column in annotator.columns:
            values = said.get(column, ())
            if len(values) != len(asked):
                raise MeshlineError(f"{annotator.ask}: {column} has {len(values)} values for {len(asked)} nodes.")
            for k, value in zip(visible, values, strict=True):
                found[k][column] = value
    return found
