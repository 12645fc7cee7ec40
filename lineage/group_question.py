"""``product:ID`` and ``domain:NAME`` as what a question is about: all their datasets together.

A product stands for the datasets of its output ports, a domain for the datasets that belong to it. Impact is then
everything downstream of any of them, provenance everything upstream of any: one walk from several nodes, each row with
the way from the nearest. Their own datasets are where the walk begins, so they are not listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from lineage.errors import UnknownNodeError, UsageError
from lineage.graph.arrays import DATASET

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.view import View

KINDS = ("product", "domain")


@dataclass(frozen=True, slots=True)
class Group:
    """What is asked about as a whole. ``nodes`` are dense indices of datasets; none when none was ever seen."""

    label: str
    domain: str
    nodes: tuple[int, ...]

    @property
    def unseen(self) -> str:
        """Why nothing can be told of a group without datasets."""
        what = "its output ports bind no dataset" if self.label.startswith("product:") else "no dataset of it"
        return f"{self.label}: {what} {'that was ever seen' if 'ports' in what else 'was ever seen'}"


def group_or_node(view: View, text: str, resolve: Callable[[View, str], int]) -> int | Group:
    """What a text is about: a product or a domain, else the node that ``resolve`` finds.

    Raises
    ------
    UnknownNodeError
        when it is neither, with products or domains of nearly this name among the candidates.
    UsageError
        when the text is no text.
    """
    kind, colon, name = text.strip().partition(":") if isinstance(text, str) else ("", "", "")
    if not colon or kind not in KINDS:
        return resolve(view, text)
    found = _product(view, name) if kind == "product" else _domain(view, name)
    if found is not None:
        return found
    try:
        return resolve(view, text)
    except UnknownNodeError as error:
        names = _products(view) if kind == "product" else _domains(view)
        near = [f"{kind}:{one}" for one in get_close_matches(name, names, n=5, cutoff=0.5)]
        raise UnknownNodeError(text, [*near, *error.candidates], ambiguous=error.ambiguous) from None


def refuse(group: Group, *, column: str | None, bridge: bool) -> None:
    """Refuse what can only be asked of one node.

    Raises
    ------
    UsageError
        for a column, or bridges over temporary datasets.
    """
    if column is not None:
        raise UsageError(f"{group.label} has no columns of its own; ask for one of its datasets.")
    if bridge:
        counted = "1 dataset" if len(group.nodes) == 1 else f"{len(group.nodes):,} datasets"
        raise UsageError(f"bridge is for one node; {group.label} stands for {counted}.")


def _product(view: View, name: str) -> Group | None:
    from lineage.products import later_members, membership, products_of

    known = products_of(view.instant)
    id = name if name in known else next((one.id for one in known.values() if one.name == name), None)
    if id is None or id not in _products(view):
        return None
    members = {
        **membership(view.instant),
        **later_members(view.instant),
    }  # of these it is said that they were not there
    nodes = sorted(node for node, product in members.items() if product == id)
    return Group(f"product:{id}", known[id].domain, tuple(nodes))


def _products(view: View) -> list[str]:
    """Ids of the products that the actor may see: their domain, and every dataset of them."""
    from lineage.products import later_members, membership, products_of

    members = {**membership(view.instant), **later_members(view.instant)}
    hidden = {product for node, product in members.items() if view.hidden(node)}
    return [one.id for one in products_of(view.instant).values() if view.actor.may_see(one.domain) and
            one.id not in hidden]  # fmt: skip


def _domain(view: View, name: str) -> Group | None:
    from lineage.answers import UNASSIGNED
    from lineage.view import HiddenNodeError, prepare_domains

    if name != UNASSIGNED and name not in view.instant.domains.domains:
        return None
    if not view.actor.may_see(name):
        raise HiddenNodeError(f"hidden (domain {name})")
    datasets = np.flatnonzero(view.snapshot.kind == DATASET).tolist()
    prepare_domains(view.instant, datasets)
    return Group(f"domain:{name}", name, tuple(i for i in datasets if view.domain(i) == name and not view.hidden(i)))


def _domains(view: View) -> list[str]:
    return [name for name in view.instant.domains.domains if view.actor.may_see(name)]
