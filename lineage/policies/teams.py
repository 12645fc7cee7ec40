"""Which team reads: the owner of a dataset, else of its product, else of its domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineage.instant import Instant
    from lineage.view import View

CONSUMERS = ("domain", "product", "team")
"""What a grant can be for."""


def teams_of(
    instant: Instant, nodes: Iterable[int], domains: Mapping[int, str], products: Mapping[int, str]
) -> dict[int, str | None]:
    """Team of each of some datasets and jobs, ``None`` where nobody answers for it.

    Parameters
    ----------
    nodes
        dense indices.
    domains, products
        domain and product of nodes.
    """
    from lineage.products import products_of

    asked = list(nodes)
    known, declared = products_of(instant), instant.domains.domains
    found: dict[int, str | None] = {}
    for i, owner in zip(asked, instant.owners(asked), strict=True):
        product, domain = known.get(products.get(i, "")), declared.get(domains.get(i, ""))
        found[i] = owner or (product.owner if product else None) or (domain.owner if domain else None) or None
    return found


def teams(view: View) -> set[str]:
    """Every team that answers for something that the actor may see."""
    from lineage.graph.arrays import DATASET
    from lineage.products import membership

    datasets = view.nodes(DATASET).tolist()
    domains = {i: view.instant.domain(i) for i in datasets}
    return {team for team in teams_of(view.instant, datasets, domains, membership(view.instant)).values() if team}
