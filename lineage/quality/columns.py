"""Quality beside the nodes of other answers: impact, provenance, GraphML, the networkx graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.quality.evidence import evidence_of
from lineage.quality.report import number
from lineage.quality.score import grade

if TYPE_CHECKING:
    from lineage.view import View

COLUMNS = ("quality", "coverage", "grade", "upstream_risk")


def annotate(view: View, nodes: Sequence[int]) -> Mapping[str, Sequence[Any]]:
    """Score, coverage, grade and upstream risk of some nodes; ``None`` = unknown.

    Upstream risk is not told to those who may not see everything upstream.
    """
    found = evidence_of(view, nodes)
    at = np.asarray(nodes, dtype=np.int64)
    shown = [number(score) for score in found.scores.shown[at].tolist()]
    gated = found.scores.gated[at].tolist()
    risk = [None] * len(shown) if view.restricted else [number(lost) for lost in found.risk[at].tolist()]
    return {
        "quality": [_rounded(score) for score in shown],
        "coverage": [_rounded(number(share), 4) for share in found.scores.coverage[at].tolist()],
        "grade": [None if score is None else grade(score, caps) for score, caps in zip(shown, gated, strict=True)],
        "upstream_risk": [_rounded(lost) for lost in risk],
    }


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)
