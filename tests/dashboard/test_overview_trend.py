from __future__ import annotations

from dashboard.pages.overview_charts import treemap
from dashboard.pages.overview_trend import _names
from lineage.quality.answers import points


def test_a_score_that_is_not_full_is_nowhere_rounded_up_to_full() -> None:
    (name,) = _names({"Sales": ((None, 99.6), "#5871e0")}, 0.0)
    assert name["text"].strip() == f"Sales {points(99.6, 0)}" == "Sales 99"
    part = {"id": "dataset:pg:a", "name": "a", "domain": "sales", "cost": 1.0, "score": 99.6}
    assert "99" in str(treemap([part], "EUR"))
    assert "100" not in str(treemap([part], "EUR"))
