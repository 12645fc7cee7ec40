"""Governed tags that contracts give to columns, as sources of the propagation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lineage.contracts.binding import bind, bindings, versions
from lineage.propagation import Seed

if TYPE_CHECKING:
    from lineage.view import Instant, View

_HELD = ("active", "deprecated")


def seeds(instant: Instant) -> list[Seed]:
    """One seed per ``pii`` tag of a column in an active or deprecated contract, at the asked instant."""
    found: set[Seed] = set()
    snapshot = instant.snapshot
    tagged = [
        (one.node, {c.path.lower(): c.pii for c in one.thing.columns if c.pii})
        for one in bindings(instant).bound
        if one.contract.status in _HELD
    ]
    several = [(snapshot.columns_of(node), tags) for node, tags in tagged if tags]
    if not several:
        return []
    names = iter(snapshot.fields(np.concatenate([columns for columns, _ in several])).to_pylist())
    for columns, tags in several:
        for column, name in zip(columns.tolist(), names, strict=False):  # takes as many names as there are columns
            found.update(Seed(column, tag, "contract") for tag in tags.get(name.lower(), ()))
    return sorted(found, key=lambda seed: (seed.node, seed.tag))


def ever(view: View) -> Iterator[str]:
    """Every ``pii`` tag of a column in a contract of any time and state, as known then; of hidden datasets none."""
    for contract in versions(view.store, view.snapshot.known_at):
        for thing in contract.things:
            tags = [tag for column in thing.columns for tag in column.pii]
            if tags and view.restricted:
                node, _ = bind(view.instant, contract, thing)
                if node is None or view.hidden(node):
                    continue
            yield from tags
