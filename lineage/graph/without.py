"""A graph as it would be without some of its nodes; for rehearsals, which ask policies about it.

Dense indices stay: what is gone keeps its number and has no edge any more, so that what is known by index still
fits.

With *around*, who read a node that is gone reads instead what that was made of: each way into it is joined with each
way out of it. What the node did on the way, masking above all, is lost; what its reader does is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, overload

import numpy as np

from lineage.graph.arrays import DATASET, I64, JOB, NONE, U8, U32, Bool
from lineage.graph.build import levels, self_loops
from lineage.graph.inflow import related
from lineage.graph.rows import RELATIONS, ColumnUse, EdgeRows, Relations
from lineage.graph.snapshot import Snapshot

if TYPE_CHECKING:
    from lineage.graph.nodes import Nodes

MOST = 200_000  # joined rows; more are not made


@dataclass(frozen=True)
class _Part:
    """Rows of one relation in any order, as parallel arrays."""

    src: U32
    dst: U32
    job: U32
    provenance: U8
    certainty: U8
    valid_from: I64
    indirect: U8
    masking: U8
    kind: U32

    def at(self, places: I64 | Bool) -> _Part:
        return _Part(*(getattr(self, one.name)[places] for one in fields(self)))

    @staticmethod
    def of(rows: EdgeRows) -> _Part:
        use = rows.use
        none, zero = np.zeros(len(rows.key), np.uint32), np.zeros(len(rows.key), np.uint8)
        told = (use.indirect, use.masking, use.kind) if use is not None else (zero, zero, none)
        return _Part(rows.src, rows.dst, rows.job, rows.provenance, rows.certainty, rows.valid_from, *told)

    @staticmethod
    def joined(parts: Iterable[_Part]) -> _Part:
        held = list(parts)
        return _Part(*(np.concatenate([getattr(part, one.name) for part in held]) for one in fields(_Part)))

    def rows(self, use: ColumnUse | None) -> EdgeRows:
        """Sorted again."""
        told = None if use is None else ColumnUse(self.indirect, self.masking, self.kind, use.kinds)
        return EdgeRows.build(
            self.src, self.dst, self.job, self.provenance, self.certainty, self.valid_from, told
        )  # fmt: skip


@overload
def without(snapshot: Snapshot, gone: Collection[int]) -> Snapshot: ...
@overload
def without(snapshot: Snapshot, gone: Collection[int], *, around: bool) -> Snapshot | None: ...
def without(snapshot: Snapshot, gone: Collection[int], *, around: bool = False) -> Snapshot | None:
    """The same instant without some nodes.

    Parameters
    ----------
    snapshot
        the graph; it stays as it is.
    gone
        dense indices. A dataset goes with its columns; with a job go the edges that it alone carries.
    around
        join what went into a node that is gone with what came out of it. Of a job that is gone, this is about the
        datasets that nothing else makes.

    Returns
    -------
    Snapshot or None
        ``None`` when there is nothing to join, or more than :data:`MOST` ways.
    """
    if not gone:
        return None if around else snapshot
    kinds, relations = snapshot.kind, snapshot._relations
    jobs = np.array(sorted(i for i in gone if kinds[i] == JOB), dtype=np.uint32)
    nodes = {i for i in gone if kinds[i] != JOB}
    if around:
        nodes |= _dead(snapshot, jobs)
    nodes |= {c for i in nodes if kinds[i] == DATASET for c in snapshot.columns_of(i).tolist()}
    away = np.array(sorted(nodes), dtype=np.uint32)
    every = np.union1d(away, jobs).astype(np.uint32)
    kept = {name: _kept(getattr(relations, name), every, jobs) for name in RELATIONS}
    if around:
        more = _around(snapshot, away)
        if more is None:
            return None
        kept.update({name: _more(kept[name], part) for name, part in more.items()})
    return _snapshot(snapshot, snapshot._nodes, related(kept, snapshot._nodes.datasets))


# -- inside


def _snapshot(old: Snapshot, nodes: Nodes, relations: Relations) -> Snapshot:
    return Snapshot(
        old.as_of, old.known_at, nodes, relations, levels(nodes, relations), self_loops(relations), old.dangling
    )


def _dead(snapshot: Snapshot, jobs: U32) -> set[int]:
    """Datasets that nothing but some jobs makes."""
    own = set(jobs.tolist())
    made = {int(d) for job in own for d in snapshot.outputs(job)}
    return {d for d in made if own.issuperset(snapshot.writers(d).tolist())}


def _kept(rows: EdgeRows, away: U32, jobs: U32) -> EdgeRows:
    """Rows with both ends and the job still there; they stay sorted."""
    keep = ~(np.isin(rows.src, away) | np.isin(rows.dst, away) | np.isin(rows.job, jobs))
    use = rows.use and ColumnUse(
        rows.use.indirect[keep], rows.use.masking[keep], rows.use.kind[keep], rows.use.kinds
    )  # fmt: skip
    return EdgeRows(
        rows.key[keep], rows.job[keep], rows.provenance[keep], rows.certainty[keep], rows.valid_from[keep], use
    )


def _more(rows: EdgeRows, part: _Part) -> EdgeRows:
    return _Part.joined([_Part.of(rows), part]).rows(rows.use)


def _around(snapshot: Snapshot, away: U32) -> dict[str, _Part] | None:
    """Rows that join what is around the nodes that are gone, by relation; ``None`` when there are none or too many."""
    relations = snapshot._relations
    lineage, columns = (_bridged(getattr(relations, name), away) for name in ("lineage", "columns"))
    if lineage is None or columns is None or not (len(lineage.src) or len(columns.src)):
        return None
    homes = snapshot._nodes.datasets_of
    flows = replace(columns, src=homes(columns.src), dst=homes(columns.dst))
    known = np.zeros(len(flows.src), np.uint8)
    flows = replace(flows, indirect=known, masking=known, kind=known.astype(np.uint32))
    lineage = _Part.joined([lineage, flows.at(flows.src != flows.dst)])
    reads = lineage.at((lineage.job != NONE) & (snapshot.kind[lineage.src] == DATASET))
    return {"lineage": lineage, "columns": columns, "reads": replace(reads, dst=reads.job)}


def _bridged(rows: EdgeRows, away: U32) -> _Part | None:
    """What joins the neighbours of the nodes that are gone; one node after the other, so that chains are joined too."""
    part = _Part.of(rows)
    part = part.at(np.isin(part.src, away) | np.isin(part.dst, away))
    for node in away.tolist():
        come, leave = part.dst == node, part.src == node
        if not come.any() and not leave.any():
            continue
        into = part.at(come & ~leave & (part.indirect == 0))
        _, first = np.unique(into.src, return_index=True)
        into, out = into.at(first), part.at(leave & ~come)
        part = part.at(~come & ~leave)
        many = len(into.src) * len(out.src)
        if many + len(part.src) > MOST:
            return None
        if many:
            a, b = np.repeat(np.arange(len(into.src)), len(out.src)), np.tile(np.arange(len(out.src)), len(into.src))
            made = replace(
                out.at(b), src=into.src[a], certainty=np.maximum(into.certainty[a], out.certainty[b])
            )  # fmt: skip
            part = _Part.joined([part, made.at(made.src != made.dst)])
    return part
