"""Rows of a metric as arrays, and the figures that they make for every scope at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lineage.graph.arrays import I64, Bool
from lineage.scorecards.answers import Row, Sort
from lineage.scorecards.metrics import Metric, figure_of, of_counts

if TYPE_CHECKING:
    from lineage.scorecards.carried import State

F64 = np.ndarray[tuple[int], np.dtype[np.float64]]
_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Tally:
    """One entry per row: codes of domain, product and tier, whether it is counted, and the value that is measured."""

    domain: I64
    product: I64
    tier: I64
    held: np.ndarray[tuple[int], np.dtype[np.int8]]
    value: F64 | None = None

    @classmethod
    def none(cls) -> Tally:
        """No rows."""
        return cls(_NONE, _NONE, _NONE, np.zeros(0, np.int8))

    @classmethod
    def of(cls, state: State, nodes: I64, counted: Bool, value: F64 | None = None) -> Tally:
        """One row per dataset or job (dense index) that the actor may see."""
        keep = state.visible[nodes] if len(nodes) else np.zeros(0, bool)
        nodes = nodes[keep]
        domain, product, tier = (
            part[nodes] if len(nodes) else _NONE for part in (state.domain, state.product, state.tier)
        )
        return cls(domain, product, tier, counted[keep].astype(np.int8), None if value is None else value[keep])

    def take(self, at: I64) -> Tally:
        """Some rows, as often as they are named."""
        return Tally(self.domain[at], self.product[at], self.tier[at], self.held[at])

    def counted(self, which: Bool) -> Tally:
        """The same rows, some of them counted."""
        return replace(self, held=which.astype(np.int8))

    def only(self, which: Bool) -> Tally:
        """Some of the rows."""
        return self.take(np.flatnonzero(which))

    def and_no(self, domains: Sequence[int]) -> Tally:
        """With rows of some domains that are not counted."""
        more = len(domains)
        zeros = np.zeros(more, np.int64)
        return Tally(
            np.r_[self.domain, np.array(domains, np.int64)], np.r_[self.product, zeros], np.r_[self.tier, zeros],
            np.r_[self.held, np.zeros(more, np.int8)],
        )  # fmt: skip


Counts = Tally | Sequence[Row]
Figures = tuple[float, float, float | None]


def scopes_of(counts: Mapping[str, Counts], sort: Sort, texts: Sequence[str]) -> list[str]:
    """Scopes that some row of some metric belongs to, in order."""
    if sort == "mesh":
        return [""]
    found: set[str] = set()
    for rows in counts.values():
        if isinstance(rows, Tally):
            found.update(texts[k] for k in np.flatnonzero(np.bincount(getattr(rows, sort))).tolist())
        else:
            found.update(getattr(row, sort) for row in rows)
    return sorted(found - {""})


def figures(of: Metric, rows: Counts, sort: Sort, texts: Sequence[str]) -> dict[str, Figures]:
    """Numerator, denominator and value of each scope that has rows; see :func:`lineage.scorecards.metrics.score`."""
    if not isinstance(rows, Tally):
        groups: dict[str, list[Row]] = {}
        for row in rows:
            groups.setdefault("" if sort == "mesh" else getattr(row, sort), []).append(row)
        return {scope: figure_of(of, own) for scope, own in groups.items()}
    if not len(rows.held):
        return {}
    many = len(texts)
    code = np.zeros(len(rows.held), np.int64) if sort == "mesh" else getattr(rows, sort)
    count = np.bincount(code, minlength=many)
    held = np.bincount(code[rows.held == 1], minlength=many)
    total = None if rows.value is None else np.bincount(code, rows.value, many)
    found: dict[str, Figures] = {}
    for k in np.flatnonzero(count).tolist():
        added = 0.0 if total is None else float(total[k])
        found[texts[k]] = of_counts(of.kind, int(count[k]), int(held[k]), added)
    return found


def within(rows: Counts, domain: str, code: int) -> Counts:
    """The rows of one domain."""
    if isinstance(rows, Tally):
        keep = np.flatnonzero(rows.domain == code)
        return replace(rows.take(keep), value=None if rows.value is None else rows.value[keep])
    return [row for row in rows if row.domain == domain]
