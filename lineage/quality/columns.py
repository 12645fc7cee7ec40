"""Quality beside the nodes of other answers: impact, provenance, GraphML, the networkx graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lineage.quality.evidence import evidence
from lineage.quality.report import number
from lineage.quality.score import grade

if TYPE_CHECKING:
    from lineage.view import View

COLUMNS = ("quality", "coverage", "grade", "upstream_risk")


def annotate(view: View, nodes: Sequence[int]) -> Mapping[str, Sequence[Any]]:
    """Score, coverage, grade and upstream risk of some nodes; ``None`` = unknown, as it is of every job.

    Upstream risk is not told to those who may not see everything upstream.
    """
    found = evidence(view)
    rows = []
    for i in nodes:
        shown = number(float(found.scores.shown[i]))
        risk = None if view.restricted else _rounded(number(float(found.risk[i])))
        rows.append(
            (
                _rounded(shown),
                _rounded(number(float(found.scores.coverage[i])), 4),
                None if shown is None else grade(shown, bool(found.scores.gated[i])),
                risk,
            )
        )
    return {name: [row[k] for row in rows] for k, name in enumerate(COLUMNS)}


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)
