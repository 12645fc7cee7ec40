"""How much each dimension weighs in the scores of a domain: ``quality`` in ``domains/*.yaml``, else the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.quality.freshness import F64, I64
from lineage.quality.score import DIMENSIONS, WEIGHTS
from lineage.yamlfile import parse_declared

if TYPE_CHECKING:
    from lineage.view import View

_FILES = """
-- file of every domain at T as known at K that may say something about quality; the first one holds for all time before
SELECT name, arg_min(body, valid_from) FROM domain
WHERE valid_to > $at AND known_from <= $known AND known_to > $known AND contains(body, 'quality') GROUP BY name
"""


def weights_of(told: Mapping[str, Any]) -> F64:
    """Weights by dimension: what a domain says of some, the defaults for the others.

    >>> weights_of({"timeliness": 0.5}).tolist()
    [0.05, 0.2, 0.2, 0.1, 0.1, 0.5, 0.15]
    """
    return np.array([float(told.get(name, weight)) for name, weight in zip(DIMENSIONS, WEIGHTS, strict=True)])


def problem_of(told: Any) -> str | None:
    """What is wrong with the weights of a domain file; ``None`` when nothing is.

    >>> problem_of({"freshness": 1})
    '“freshness” is no dimension; there are accuracy, completeness, conformity, consistency, coverage, timeliness, \
uniqueness'
    >>> problem_of({"accuracy": -1})
    '“accuracy” must be a number of at least 0'
    """
    if not isinstance(told, dict):
        return "must be a mapping of dimensions to weights"
    for name, value in told.items():
        if name not in DIMENSIONS:
            return f"“{name}” is no dimension; there are {', '.join(DIMENSIONS)}"
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            return f"“{name}” must be a number of at least 0"
    return None if weights_of(told).sum() > 0 else "must weigh at least one dimension"


def weights(view: View, nodes: I64) -> F64:
    """Weights of every node (rows) and dimension, of those named in ``nodes``; one row when no domain has its own."""
    own: dict[str, F64] = {}
    when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at}
    for name, body in view.store.rows(_FILES, when):
        file, _ = parse_declared(body, name)
        told = file.value.get("quality") if file is not None and isinstance(file.value, dict) else None
        if told is not None and problem_of(told) is None:
            own[name] = weights_of(told)
    if not own:
        return np.asarray(WEIGHTS, dtype=np.float64)
    found = np.tile(np.asarray(WEIGHTS, dtype=np.float64), (view.snapshot.n, 1))
    for i in nodes.tolist():
        mine = own.get(view.instant.domain(i))
        if mine is not None:
            found[i] = mine
    return found
