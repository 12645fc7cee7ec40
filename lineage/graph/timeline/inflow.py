"""What jobs may hand on, through time: at every instant what :func:`lineage.graph.inflow.inflow` tells of then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lineage.graph.arrays import I64, NONE, PROBABLE, U8, U32, U64, pair_keys, ranges
from lineage.graph.inflow import EXPLICIT, PRODUCT
from lineage.graph.nodes import Nodes
from lineage.graph.timeline.edges import NOTHING, best, swept
from lineage.graph.timeline.relate import Pieces

_FREE, _WRITING = 0, 1  # a job that hands on and told nothing of it itself: without and with outputs of its own


def inflow_through_time(nodes: Nodes, lineage: Pieces, reads: Pieces, writes: Pieces) -> Pieces:
    """Pieces of reads over the times at which what was read may be handed on, as edges into the job."""
    between = (lineage.src >= nodes.datasets) & (lineage.dst >= nodes.datasets) & (lineage.src != lineage.dst)
    gives = lineage.taken(between)
    reads = reads.taken(np.isin(reads.dst, gives.src))
    tells = [part.taken(part.provenance == EXPLICIT) for part in (lineage, reads, writes)]
    reads = reads.taken(reads.provenance != EXPLICIT)
    writes = writes.taken(np.isin(writes.src, gives.src))
    facts = [(gives, gives.src, 0), *((part, part.job, 1) for part in tells), (writes, writes.src, 2)]
    job, state, since, until = swept(
        np.concatenate([jobs for _, jobs, _ in facts]).astype(np.uint64),
        np.concatenate([np.full(len(jobs), counter, np.uint8) for _, jobs, counter in facts]),
        np.concatenate([part.begin for part, _, _ in facts]),
        np.concatenate([part.end for part, _, _ in facts]),
        3,
        _state,
    )
    pairs = np.unique(reads.keys)
    pairs = pairs[np.argsort(pairs & np.uint64(NONE), kind="stable")]
    low, high = (np.searchsorted(pairs & np.uint64(NONE), job, side=side) for side in ("left", "right"))
    at, whose = ranges(low, high - low), np.repeat(np.arange(len(job)), high - low)
    carries = lineage.taken((lineage.dst < nodes.datasets) & np.isin(pair_keys(lineage.src, lineage.job), pairs))
    spans = swept(
        np.append(pairs[at], pair_keys(carries.src, carries.job)),
        np.append(state[whose], 2 + carries.certainty).astype(np.uint8),
        np.append(since[whose], carries.begin),
        np.append(until[whose], carries.end),
        5,
        _grade,
    )
    return _during(reads, *spans)


def _state(counts: Sequence[I64]) -> U8:
    gives, tells, writes = counts
    return np.where((gives > 0) & (tells == 0), np.where(writes > 0, _WRITING, _FREE), NOTHING).astype(np.uint8)


def _grade(counts: Sequence[I64]) -> U8:
    """How certain an edge that the job carries from the dataset is, where one is wanted."""
    free, writing, *carried = counts
    return np.where(free > 0, 0, np.where(writing > 0, best(carried), NOTHING)).astype(np.uint8)


def _during(reads: Pieces, key: U64, grade: U8, begin: I64, end: I64) -> Pieces:
    """The parts of reads that lie in the spans of their pairs."""
    low, high = (np.searchsorted(key, reads.keys, side=side) for side in ("left", "right"))
    at, whose = ranges(low, high - low), np.repeat(np.arange(len(reads.row)), high - low)
    found = reads.taken(whose)
    certainty: U8 = np.maximum(np.maximum(found.certainty, grade[at]), np.uint8(PROBABLE))
    code: U8 = np.full(len(at), PRODUCT, np.uint8)
    job: U32 = found.dst
    begin, end = np.maximum(found.begin, begin[at]), np.minimum(found.end, end[at])
    return replace(found, job=job, provenance=code, certainty=certainty, begin=begin, end=end).taken(begin < end)
