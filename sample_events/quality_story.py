"""The story point about the score of a dataset, with the points worked out from the weights alone."""

from __future__ import annotations

from sample_events.expected import node_id
from sample_events.jobs import FAILED_DAY, TESTS
from sample_events.question import Point

WEIGHTS = {"timeliness": 0.2, "completeness": 0.2, "conformity": 0.2, "uniqueness": 0.15, "coverage": 0.1}
"""Of the dimensions in which something was checked: freshness and frequency, a test of null, a test of values and the
columns of the contract, the test of the key, the row count against its past and its promise."""
PROMISED = 4  # columns, row count and frequency by contract, and the order number that no test says is never null
ALWAYS = 2  # freshness, volume


def points() -> list[Point]:
    """Every story point about scores."""
    (key,) = (name for name, kind, _ in TESTS["fct_orders"][2] if kind == "unique")
    lost = round(100 * WEIGHTS["uniqueness"] / sum(WEIGHTS.values()), 2)
    expected = len(TESTS["fct_orders"][2]) + PROMISED + ALWAYS
    return [
        Point(
            "quality-points",
            "What the failed test costs, point by point",
            f"On the morning of {FAILED_DAY} one of the checks of fct_orders fails: the key. Uniqueness weighs .15 of "
            f"the .85 of the dimensions that have checks, so the score loses {lost} points, all of them there. "
            "That the order number is never null is promised and not tested: it is missing in the coverage, not in "
            "the score.",
            ("quality", node_id("fct_orders"), "--as-of", f"{FAILED_DAY}T08:00:00Z"),
            {"points": {"quality": round(100 - lost, 2), "lost": {key: lost}, "known": expected - 1,
                        "expected": expected, "untested": ["required order_id"]}},
        )
    ]  # fmt: skip
