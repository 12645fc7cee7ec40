"""What stands on the pages of one instant comes from the same nodes: no two numbers contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.links import Links
from dashboard.memo import shared
from dashboard.pages import overview_tiles
from dashboard.pages.overview_facts import Facts
from dashboard.pages.overview_state import HealthState
from lineage.engine import Lineage
from lineage.engine import open as ask


@pytest.fixture(scope="module")
def demo(demo_file: Path) -> Iterator[Lineage]:
    with ask(demo_file) as lx:
        yield lx


def facts_of(lx: Lineage, asof: str) -> Facts:
    return Facts(lx, shared(lx), HealthState.parse(f"?asof={asof}"))


def texts(part: Any) -> str:
    """All that a part of a page says."""
    if part is None or isinstance(part, (int, float)):
        return ""
    if isinstance(part, str):
        return part
    if isinstance(part, (list, tuple)):
        return " ".join(texts(one) for one in part)
    return texts(getattr(part, "children", None))


@pytest.mark.parametrize("asof", ["2026-04-01", "2026-04-08", "2026-05-20", "2026-06-28T12:00:00Z"])
def test_the_tiles_of_a_past_instant_count_the_same_datasets(demo: Lineage, asof: str) -> None:
    facts, links = facts_of(demo, asof), Links("/", asof=asof)
    many = facts.summary().datasets
    assert many == len(facts.quality()) == len(facts.datasets()) == sum(d.datasets or 0 for d in facts.domains())
    assert many == facts.scorecard("mesh").of("ownership").denominator  # type: ignore[union-attr]
    assert {row.id for row in facts.quality()} == {row.id for row in facts.datasets()}
    assert {promise.dataset for promise in facts.promises()} <= {row.id for row in facts.datasets()}
    said = [
        " ".join(texts(one).split())
        for one in (*overview_tiles.tiles(facts, links), *overview_tiles.figures(facts, links))
    ]
    assert f" of {many:,} datasets" in next(text for text in said if text.startswith("Ownership"))
    cost = next(text for text in said if text.startswith("Monthly cost"))
    month = "2026-03" if asof == "2026-04-01" else asof[:7]  # at midnight nothing of April was charged yet
    assert f"billed in {month}" in cost
    assert f"Datasets {many:,} " in " ".join(texts(overview_tiles.holds(facts, links)).split())


def test_before_anything_was_told_every_tile_is_unknown(demo: Lineage) -> None:
    facts, links = facts_of(demo, "2001-01-01"), Links("/", asof="2001-01-01")
    for one in (*overview_tiles.tiles(facts, links), *overview_tiles.figures(facts, links)):
        assert "unknown" in texts(one)
        assert "0" not in texts(one)
    assert texts(overview_tiles.holds(facts, links)).count("unknown") == 5, "events and quarantine are counted"
