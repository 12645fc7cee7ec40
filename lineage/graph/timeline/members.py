"""Which identifiers were one node at which times.

Evidence that two identifiers mean one dataset holds over spans of time, so groups change. A *stay* is a span over which
an identifier has one preferred member. Only identifiers in evidence have stays; all others are alone for good.

The groups of all times are found at once: each connected part of all evidence is cut at the moments at which one of its
pieces begins or ends, and each cut is taken for a part of its own (:func:`lineage.graph.groups.alias_groups` then
decides as it does for a single instant).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.arrow import numbers
from lineage.errors import MeshlineError
from lineage.graph.arrays import I64, Bool, ranges
from lineage.graph.groups import Evidence, Groups, alias_groups, components
from lineage.graph.numbering import Bases, evidence_between, text_rank
from lineage.graph.timeline.edges import ALWAYS

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 4_000_000  # identifiers, or rows of evidence, in cuts; more are not worked out


class TooManyChangesError(MeshlineError):
    """Aliases changed too often for a timeline; snapshots of single instants can still be had."""


@dataclass(frozen=True, slots=True)
class Stays:
    """Stays sorted by ``base`` and time; those of one base follow each other without a gap and cover all of time.

    ``member`` is the preferred member, ``soft`` whether the base hangs on it by a rule only, ``home`` the dataset that
    the node belongs to (of a dataset: ``member``). All are positions of bases.
    """

    base: I64
    begin: I64
    end: I64
    member: I64
    soft: Bool
    home: I64

    def of(self, bases: I64) -> tuple[I64, I64]:
        """First stay of each of some bases, and how many it has; 0 for one that is alone for good."""
        low = np.searchsorted(self.base, bases, side="left")
        return low, np.searchsorted(self.base, bases, side="right") - low

    def at(self, moment: int) -> I64:
        """The stays at a moment."""
        return np.flatnonzero((self.begin <= moment) & (moment < self.end))

    @property
    def turns(self) -> I64:
        """Moments at which some stay ends, ascending."""
        return np.unique(self.end[self.end < ALWAYS[1]])

    def _taken(self, at: Any) -> Stays:
        return Stays(*(getattr(self, one.name)[at] for one in fields(self)))


def stays(bases: Bases, evidence: pa.Table, begin: I64, end: I64) -> Stays:
    """The stays of all identifiers in evidence.

    Parameters
    ----------
    evidence
        as for :func:`lineage.graph.numbering.number`, of all times.
    begin, end
        over which each row of it holds.

    Raises
    ------
    TooManyChangesError
        when there are too many to be worked out at once.
    """
    rows, usable = evidence_between(bases, evidence)
    begin, end = begin[usable], end[usable]
    nodes, inverse = np.unique(np.concatenate([rows.a, rows.b]), return_inverse=True)
    a, b = inverse[: len(rows.a)], inverse[len(rows.a) :]
    part = components(len(nodes), a, b)
    cut_part, cut_begin, cut_end = _cuts(part[a], begin, end)
    order = np.argsort(part, kind="stable")
    low = np.searchsorted(part[order], cut_part, side="left")
    size = np.searchsorted(part[order], cut_part, side="right") - low
    _check(size, "stays")
    member = order[ranges(low, size)]  # of every cut its members: the copies that are grouped
    cut = np.repeat(np.arange(len(cut_part)), size)
    first_copy = np.cumsum(size) - size
    place = np.empty(len(nodes), dtype=np.int64)  # of a node among the members of its part
    place[order] = np.arange(len(nodes)) - np.searchsorted(part[order], part[order], side="left")
    row, at = _rows_in_cuts(part[a], begin, end, cut_part, cut_begin)
    copies = Evidence(
        first_copy[at] + place[a[row]],
        first_copy[at] + place[b[row]],
        [rows.basis[k] for k in row.tolist()],
        [rows.type[k] for k in row.tolist()],
    )
    rank = text_rank(bases.names, nodes)
    groups = alias_groups(len(member), copies, lambda positions: rank[member[positions]])
    datasets = _stays(nodes[member], cut, groups, cut_begin, cut_end)
    texts = dict(zip(nodes.tolist(), rank.tolist(), strict=True))
    return _merged(bases, _with_columns(bases, datasets, texts))


def homes(bases: Bases, some: I64) -> I64:
    """Dataset of each column, as it was told; every other base itself."""
    found = some.copy()
    column = some >= bases.names.entities
    found[column] = bases.names.dataset[some[column] - bases.names.entities]
    return found


def _cuts(part: I64, begin: I64, end: I64) -> tuple[I64, I64, I64]:
    """Spans between the moments at which evidence of a part begins or ends, from always to always."""
    parts, times = np.concatenate([part, part]), np.concatenate([begin, end])
    every = np.unique(part)
    parts = np.concatenate([every, parts, every])
    times = np.concatenate([np.full(len(every), ALWAYS[0]), times, np.full(len(every), ALWAYS[1])])
    order = np.lexsort((times, parts))
    parts, times = parts[order], np.clip(times[order], *ALWAYS)
    follows = (parts[1:] == parts[:-1]) & (times[1:] > times[:-1])
    return parts[:-1][follows], times[:-1][follows], times[1:][follows]


def _rows_in_cuts(part: I64, begin: I64, end: I64, cut_part: I64, cut_begin: I64) -> tuple[I64, I64]:
    """Every pair of a row and a cut of its part over which it holds."""
    times = np.unique(cut_begin)
    width = len(times) + 1

    def place(part: I64, moment: I64) -> I64:
        return part * width + np.searchsorted(times, moment)

    cuts = place(cut_part, cut_begin)  # ascending; each row begins and ends where a cut does
    low, high = (np.searchsorted(cuts, place(part, moment)) for moment in (begin, end))
    _check(high - low, "pieces of evidence")
    return np.repeat(np.arange(len(part)), high - low), ranges(low, high - low)


def _check(counts: I64, what: str) -> None:
    """Raise :class:`TooManyChangesError` when they are too many."""
    if int(counts.sum()) > MOST:
        raise TooManyChangesError(f"Aliases changed so often that there are {int(counts.sum()):,} {what} to work out.")


def _stays(entity: I64, cut: I64, groups: Groups, begin: I64, end: I64) -> Stays:
    member = entity[groups.label]
    return Stays(entity, begin[cut], end[cut], member, groups.soft, member)


def _with_columns(bases: Bases, datasets: Stays, rank: dict[int, int]) -> Stays:
    """With the stays of columns: those of one field in datasets of one group are one node."""
    names, count = bases.names, bases.names.entities
    if not len(names.dataset) or not len(datasets.base):
        return datasets
    order = np.argsort(names.dataset, kind="stable")
    low = np.searchsorted(names.dataset[order], datasets.base, side="left")
    size = np.searchsorted(names.dataset[order], datasets.base, side="right") - low
    column, stay = order[ranges(low, size)], np.repeat(np.arange(len(datasets.base)), size)
    field = numbers(names.field.take(column).combine_chunks().dictionary_encode().indices)
    own, member = datasets.base[stay], datasets.member[stay]
    texts = np.array([rank[d] for d in own.tolist()])
    by = np.lexsort((texts, own != member, field, member, datasets.begin[stay]))
    keys = [values[by] for values in (field, member, datasets.begin[stay])]
    fresh = np.ones(len(by), dtype=bool)
    fresh[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    first = np.flatnonzero(fresh)
    leader = np.empty(len(by), dtype=np.int64)
    leader[by] = np.repeat(by[first], np.diff(np.append(first, len(by))))
    columns = Stays(
        count + column,
        datasets.begin[stay],
        datasets.end[stay],
        count + column[leader],
        datasets.soft[stay],
        member,
    )
    return Stays(*(np.concatenate([getattr(s, one.name) for s in (datasets, columns)]) for one in fields(Stays)))


def _merged(bases: Bases, found: Stays) -> Stays:
    """Without cuts that change nothing, and without bases that are alone for good."""
    found = found._taken(np.lexsort((found.begin, found.base)))
    fresh = np.ones(len(found.base), dtype=bool)
    told = [getattr(found, name) for name in ("base", "member", "soft", "home")]
    fresh[1:] = np.logical_or.reduce([values[1:] != values[:-1] for values in told])
    first = np.flatnonzero(fresh)
    last = np.append(first, len(found.base))[1:] - 1
    end = found.end[last]
    found = found._taken(first)
    found = Stays(found.base, found.begin, end, found.member, found.soft, found.home)
    alone = (found.member == found.base) & ~found.soft & (found.home == homes(bases, found.base))
    alone &= (found.begin == ALWAYS[0]) & (found.end == ALWAYS[1])
    return found._taken(~alone)
