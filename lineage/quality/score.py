"""The quality score: what the checks of a node say together, in points that can be counted back.

Q = 100 · Σ W_k Q_k / Σ W_k over the dimensions k that have checks, Q_k = Σ w_c r_c / Σ w_c over the checks of k. One
check costs 100 · W_k w_c (1 − r_c) / (Σ W · Σ w in k) points; these sum to 100 − Q, and the list of them is the
explanation. Unknown results count in coverage, never in the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lineage.quality.freshness import F64, I64

DIMENSIONS = ("accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness")
WEIGHTS = (0.05, 0.2, 0.2, 0.1, 0.1, 0.2, 0.15)
GATE = 59.0  # highest grade shown while an error is open on what is critical or promised
LEAST_COVERAGE = 0.3
PASS_ON = 0.7  # share of lost points that goes one hop on
_SEVERITY = {"info": 0.0, "warn": 1.0, "warning": 1.0}
_WORDS = (
    ("completeness", ("not_null", "notnull", "not_be_null", "null", "missing", "required", "complete")),
    ("uniqueness", ("unique", "duplicate", "primary_key", "distinct_combination")),
    ("consistency", ("relationship", "foreign", "referen", "equal_rowcount", "equality", "reconcil", "pair")),
    ("timeliness", ("fresh", "recency", "timel", "latency")),
    ("coverage", ("row_count", "rowcount", "volume")),
    ("conformity", ("accepted", "in_set", "regex", "format", "type", "between", "range", "valid", "schema", "length",
                    "enum", "min", "max")),
)  # fmt: skip


@dataclass(frozen=True)
class Scores:
    """Over all nodes: score (not-a-number = no check says anything), known and expected checks, whether gated.

    What follows from them is worked out once: it is asked for node by node.
    """

    score: F64
    known: I64
    expected: I64
    gated: npt.NDArray[np.bool_]

    @cached_property
    def coverage(self) -> F64:
        """Share of the expected checks with a fresh result; not-a-number where none is expected."""
        with np.errstate(invalid="ignore", divide="ignore"):
            found: F64 = self.known / self.expected
        return found

    @cached_property
    def shown(self) -> F64:
        """The score, unknown where too little is covered."""
        with np.errstate(invalid="ignore"):
            found: F64 = np.where(self.coverage < LEAST_COVERAGE, np.nan, self.score)
        return found


def dimension(name: str) -> int:
    """Dimension of a test by its name; a test that no word fits asserts something about the business: accuracy.

    >>> [DIMENSIONS[dimension(n)] for n in ("not_null_orders_id", "expect_column_values_to_be_in_set", "balance")]
    ['completeness', 'conformity', 'accuracy']
    """
    low = name.lower()
    return next((DIMENSIONS.index(kind) for kind, words in _WORDS if any(word in low for word in words)), 0)


def severity_weight(severity: str | None) -> float:
    """3 for an error or when nothing is said, 1 for a warning, 0 for an information.

    >>> severity_weight(None), severity_weight("WARN"), severity_weight("info")
    (3.0, 1.0, 0.0)
    """
    return _SEVERITY.get((severity or "").lower(), 3.0)


def score(node: I64, kind: I64, weight: F64, result: F64, n: int, weights: npt.ArrayLike = WEIGHTS) -> F64:
    """Scores of many nodes.

    Parameters
    ----------
    node, kind, weight, result
        one entry per check: dense index, dimension, weight (≥ 0), result (0 … 1, not-a-number = unknown).
    n
        how many nodes there are.
    weights
        one per dimension, or one row of them per node.

    Examples
    --------
    >>> score(np.array([0, 0]), np.array([1, 1]), np.array([3.0, 1.0]), np.array([1.0, 0.0]), 1).tolist()
    [75.0]
    """
    known = ~np.isnan(result) & (weight > 0)
    cell = node[known] * len(DIMENSIONS) + kind[known]
    size = n * len(DIMENSIONS)
    have = np.bincount(cell, weight[known] * result[known], size).reshape(n, len(DIMENSIONS))
    most = np.bincount(cell, weight[known], size).reshape(n, len(DIMENSIONS))
    per = np.asarray(weights, dtype=np.float64)  # a dimension that weighs nothing is left out
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(most > 0, have / most, 0.0)
        found: F64 = 100 * (part * per).sum(axis=1) / ((most > 0) * per).sum(axis=1)
    return found


def points_lost(kind: I64, weight: F64, result: F64, weights: npt.ArrayLike = WEIGHTS) -> F64:
    """Points that each check of one node costs; 0 for checks that are unknown. They sum to 100 − Q.

    >>> points_lost(np.array([1, 1]), np.array([3.0, 1.0]), np.array([1.0, 0.0])).tolist()
    [0.0, 25.0]
    """
    known = ~np.isnan(result) & (weight > 0)
    lost = np.zeros(len(result))
    if not known.any():
        return lost
    per = np.asarray(weights, dtype=np.float64)
    most = np.bincount(kind[known], weight[known], len(DIMENSIONS))
    total = per[most > 0].sum()
    if total == 0:
        return lost  # what is checked weighs nothing in its domain
    at = kind[known]
    lost[known] = 100 * per[at] * weight[known] * (1 - result[known]) / (total * most[at])
    return lost


def grade(shown: float | None, gated: bool) -> str:
    """The score in words; an open error on what is critical or promised caps it at “at risk”.

    >>> grade(96.0, False), grade(96.0, True), grade(None, False)
    ('good', 'at risk', 'unknown')
    """
    if shown is None:
        return "unknown"
    value = min(shown, GATE) if gated else shown
    return next((word for low, word in ((90, "good"), (75, "fair"), (60, "weak")) if value >= low), "at risk")


def upstream_risk(quality: F64, src: I64, dst: I64, step: F64) -> tuple[F64, I64]:
    """Risk of every vertex and the vertex that limits it.

    R(v) = min over v (distance 0) and its ancestors u at distance d of 100 − 0.7^d (100 − Q(u)); what is unknown limits
    nobody, and a vertex that nothing known is upstream of has no risk (not-a-number).

    Parameters
    ----------
    quality
        one score per vertex, not-a-number = unknown.
    src, dst, step
        edges, and what share of lost points each passes on (0.7 for a hop, 1 for a step that is none).

    Examples
    --------
    >>> risk, origin = upstream_risk(np.array([0.0, 100.0, np.nan]), np.array([0, 1]), np.array([1, 2]), np.full(2, .7))
    >>> risk.round(6).tolist(), origin.tolist()
    ([0.0, 30.0, 51.0], [0, 0, 0])
    """
    n = len(quality)
    lost = np.where(np.isnan(quality), -1.0, 100 - quality)
    origin = np.where(np.isnan(quality), -1, np.arange(n))
    active = np.ones(n, dtype=bool)
    for _ in range(n):
        use = active[src] & (lost[src] >= 0)
        a, b, value = src[use], dst[use], lost[src[use]] * step[use]
        better = value > lost[b] + 1e-9
        if not better.any():
            break
        a, b, value = a[better], b[better], value[better]
        order = np.lexsort((-origin[a], value))  # of equals the smallest origin is written last
        came = origin[a][order]
        lost[b[order]], origin[b[order]] = value[order], came
        active = np.zeros(n, dtype=bool)
        active[b] = True
    risk: F64 = np.where(lost < 0, np.nan, 100 - lost)
    return risk, origin
