"""Governed tags that contracts give to columns, as sources of the propagation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.contracts.binding import bindings
from lineage.propagation import Seed

if TYPE_CHECKING:
    from lineage.view import Instant

_HELD = ("active", "deprecated")


def seeds(instant: Instant) -> list[Seed]:
    """One seed per ``pii`` tag of a column in an active or deprecated contract, at the asked instant."""
    found: set[Seed] = set()
    snapshot = instant.snapshot
    for one in bindings(instant).bound:
        tagged = {c.path.lower(): c.pii for c in one.thing.columns if c.pii}
        if not tagged or one.contract.status not in _HELD:
            continue
        for column in snapshot.columns_of(one.node).tolist():
            tags = tagged.get(snapshot.field(column).lower(), ())
            found.update(Seed(column, tag, "contract") for tag in tags)
    return sorted(found, key=lambda seed: (seed.node, seed.tag))
