"""Data products as money sees them: which datasets are inside, which are ports."""

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
    """Products of an instant by name."""
    return {}
