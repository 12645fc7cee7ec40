"""Figures of many instants in a row: what every dataset, edge or column adds is counted with arrays.

The same definitions as in :mod:`lineage.scorecards.state`, which gives the rows behind a figure; a test holds both to
be equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from lineage.products import membership
from lineage.scorecards import acts, state
from lineage.scorecards.answers import Row, Sort
from lineage.scorecards.carried import CarriedBase, carried
from lineage.scorecards.film import Film
from lineage.scorecards.kept import Results
from lineage.scorecards.maturity import maturity
from lineage.scorecards.metrics import BY_ID, figure_of
from lineage.scorecards.tally import Counts, Figures, Tally, figures, scopes_of, within
from lineage.scorecards.used import Used

if TYPE_CHECKING:
    from lineage.actor import Actor
    from lineage.engine import Lineage

Found = dict[str, Counts]


def each(
    lineage: Lineage,
    moments: Sequence[datetime],
    known: datetime,
    sort: Sort,
    domain: str | None,
    names: Sequence[str],
    actor: Actor,
) -> Iterator[list[tuple[str, str, Figures]]]:
    """Metric, scope and figures at each of some rising instants.

    Parameters
    ----------
    moments
        naive UTC.
    known
        known time of all of them.
    names
        the metrics.
    """  # fmt: skip
    film = Film(lineage, moments, known, actor)
    results = Results(lineage.store, moments[0], moments[-1], known)
    used = Used(lineage.store, moments[0], moments[-1], known)
    for base in carried(film, moments):
        counts = _counts(base, results, used, lineage, set(names))
        words = base.state.words
        if domain is not None:
            counts = {name: within(rows, domain, words.code(domain)) for name, rows in counts.items()}
        made = {name: figures(BY_ID[name], counts[name], sort, words.texts) for name in names}
        yield [
            (name, scope, made[name].get(scope) or figure_of(BY_ID[name], ()))
            for scope in scopes_of(counts, sort, words.texts)
            for name in names
        ]


# -- inside


def _counts(base: CarriedBase, results: Results, used: Used, lineage: Lineage, names: set[str]) -> Found:
    """Rows of some metrics."""
    parts: tuple[tuple[Callable[[CarriedBase], Found], tuple[str, ...]], ...] = (
        (results.tally, ("policy-coverage", "full-coverage", "compliance-strict", "compliance", "waiver-load",
                         "overdue-waivers")),
        (_contracts, ("contract-coverage", "contract-edges")),
        (_conformance, ("conformance",)),
        (_ownership, ("ownership",)),
        (_columns, ("classification", "masking")),
        (lambda base: _runs(base, used), ("lineage-datasets", "lineage-jobs", "reads", "unread")),
        (_lineage, ("lineage-columns",)),
        (_consumers, ("consumers", "maturity")),
        (_acts(acts.velocity), ("mttr", "mova", "time-to-remediate", "deadline-attainment", "burn-down",
                                "weeks-to-zero")),
        (_acts(acts.roll_out), ("roll-out",)),
        (_acts(acts.access), ("access-p50", "access-p90", "access-auto")),
        (_acts(acts.delivery), ("delivery", "contract-delivery", "breaking-discipline")),
        (_acts(acts.failures), ("detect", "acknowledge", "repair", "repeats")),
    )  # fmt: skip
    found: Found = {}
    for part, metrics in parts:
        if names & set(metrics):
            found.update(part(base))
    if "maturity" in names:
        cost = None if base.view.restricted else lineage.cost
        readers = found["consumers"]
        assert not isinstance(readers, Tally)
        found["maturity"] = maturity(base, readers, cost)
    return {name: rows for name, rows in found.items() if name in names}


def _acts(part: Callable[[CarriedBase], state.Rows]) -> Callable[[CarriedBase], Found]:
    return lambda base: {**part(base)}


def _conformance(base: CarriedBase) -> Found:
    return {"conformance": state.conformance(base)}


def _contracts(base: CarriedBase) -> Found:
    arrays = base.state
    crossing = arrays.domain[arrays.src] != arrays.domain[arrays.dst]
    read = np.unique(arrays.src[crossing])
    both = crossing & arrays.visible[arrays.src] & arrays.visible[arrays.dst]
    src = arrays.src[both]
    return {
        "contract-coverage": Tally.of(arrays, read, arrays.active[read]),
        "contract-edges": Tally.of(arrays, src, arrays.active[src]),
    }


def _ownership(base: CarriedBase) -> Found:
    arrays = base.state
    return {"ownership": Tally.of(arrays, np.arange(arrays.datasets), arrays.owned[: arrays.datasets])}


def _columns(base: CarriedBase) -> Found:
    arrays = base.state
    observed = arrays.tagged[arrays.columns]
    told = arrays.classified.copy()
    told[: len(observed)] |= observed
    return {"classification": Tally.of(arrays, arrays.homes, told), "masking": _masking(base)}


def _masking(base: CarriedBase) -> Tally:
    """One row per personal column that another domain reads."""
    arrays, flow = base.state, base.state.flow
    if flow is None or not arrays.personal.any():
        return Tally.none()
    nodes = base.view.snapshot._nodes
    keep = np.flatnonzero(arrays.personal[flow.src] & (flow.direct | flow.masked))
    src = flow.src[keep]
    one, other = (nodes.datasets_of(part[keep]).astype(np.int64) for part in (flow.src, flow.dst))
    out = (arrays.domain[one] != arrays.domain[other]) & arrays.visible[one] & arrays.visible[other]
    src, one, masked = src[out], one[out], flow.masked[keep][out]
    columns, first, place = np.unique(src, return_index=True, return_inverse=True)
    clear = np.bincount(place[~masked], minlength=len(columns))
    return Tally.of(arrays, one[first], clear == 0)


def _runs(base: CarriedBase, used: Used) -> Found:
    """What the runs of the last 30 days read and wrote."""
    arrays = base.state
    nodes = np.arange(arrays.datasets)
    seen, reads, ran = used.at(base.view, base.frame, arrays.many)
    jobs = np.arange(arrays.datasets, arrays.many)
    return {
        "lineage-datasets": Tally.of(arrays, nodes, seen[nodes]),
        "lineage-jobs": Tally.of(arrays, jobs, ran[jobs]),
        "reads": Tally.of(arrays, nodes, np.ones(len(nodes), bool), reads[nodes]),
        "unread": Tally.of(arrays, nodes, reads[nodes] == 0),
    }


def _lineage(base: CarriedBase) -> Found:
    arrays = base.state
    both = arrays.visible[arrays.src] & arrays.visible[arrays.dst]
    src, dst = arrays.src[both], arrays.dst[both]
    told = np.isin(src.astype(np.uint64) << np.uint64(32) | dst.astype(np.uint64), arrays.pairs)
    return {"lineage-columns": Tally.of(arrays, src, told)}


def _consumers(base: CarriedBase) -> Found:
    """Few datasets belong to products: their edges are looked at one by one."""
    arrays, members = base.state, membership(base.frame)
    readers: dict[str, set[str]] = {name: set() for name in base.products}
    both = (arrays.product[arrays.src] > 0) & arrays.visible[arrays.src] & arrays.visible[arrays.dst]
    words = arrays.words.texts
    for src, dst in zip(arrays.src[both].tolist(), arrays.dst[both].tolist(), strict=True):
        product, reader = members.get(src, ""), members.get(dst, "")
        outside = reader != product if reader else arrays.domain[dst] != arrays.domain[src]
        if product in readers and outside:
            readers[product].add(f"product {reader}" if reader else f"domain {words[arrays.domain[dst]]}")
    rows: list[Row] = [
        base.product_row(name, value=float(len(by)), note=", ".join(sorted(by))) for name, by in sorted(readers.items())
    ]
    return {"consumers": rows}
