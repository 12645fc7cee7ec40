"""Data products as money sees them: which datasets others may read of each (its ports)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineage.view import View


@dataclass(frozen=True, slots=True)
class Product:
    """One data product; ``inside`` and ``ports`` are dense indices, ``ports`` are what others may read."""

    name: str
    domain: str | None
    inside: frozenset[int]
    ports: frozenset[int]


def products(view: View) -> dict[str, Product]:
    """Products of an instant by id."""
    from lineage.products import membership, products_of

    ports: dict[str, set[int]] = {}
    for node, name in membership(view.instant).items():
        ports.setdefault(name, set()).add(node)
    return {
        name: Product(name, one.domain or None, frozenset(ports.get(name, ())), frozenset(ports.get(name, ())))
        for name, one in products_of(view.instant).items()
    }
