"""Names where room is short, and numbers beside them: pure functions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dashboard.links import Links
from dashboard.names import short_id, short_name
from dashboard.pages.lineage_details import _reach
from dashboard.pages.overview_attention import reach_text
from lineage.answers import Totals
from lineage.attention import Matter
from lineage.counting import ImpactCounts
from lineage.times import parse_instant

NOW = parse_instant("2026-03-01")


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("shop-cdc.0", "shop-cdc.0"),
        ("EXR/D", "EXR/D"),
        ("lake/daily/2024", "daily/2024"),
        ("shop.public.id", "public.id"),
        ("shop.public.orders", "orders"),
        ("/5", "5"),
        ("7", "7"),
    ],
)
def test_a_last_part_that_says_nothing_takes_the_part_before_it_along(name: str, short: str) -> None:
    assert short_name(name)[0] == short


@pytest.mark.parametrize("name", ["a.b.c", "kafka.shop-cdc.0", "raw/EXR/D", "x.y.orders"])
def test_short_name_and_what_stands_before_it_are_the_whole_name(name: str) -> None:
    short, before = short_name(name)
    assert f"{before}{name[len(before)]}{short}" == name


def test_two_ids_of_one_platform_begin_with_what_tells_them_apart() -> None:
    ids = ("dataset:snowflake://hp-eu1:dwh.sales.fct_orders", "dataset:snowflake://hp-eu1:dwh.sales.dim_products")
    assert [short_id(text)[0] for text in ids] == ["fct_orders", "dim_products"]
    assert short_id(ids[0])[1] == "dwh.sales · snowflake · hp-eu1"


def test_nothing_downstream_is_said_to_be_blind_where_nothing_could_have_been_found() -> None:
    some = Totals(2, {"sales": 1, "platform": 1}, {1: 2}, {"dataset": 1, "job": 1})
    counts = ImpactCounts("dataset:db:x", NOW, NOW, Totals(), some)
    text = str(_reach(counts, ("found", "blind"), "dataset:db:x", Links()))
    assert "none seen, but blind here" in text
    assert "and 1 job in 2 domains" in text


def test_reach_of_a_matter_that_is_unknown_is_not_zero() -> None:
    matter = Matter("job", "high", "Last run failed", "job:db:x", "sales", None)
    assert [reach_text(replace(matter, reach=reach)) for reach in (None, 0, 5)] == [
        "reach not known",
        "0 downstream",
        "5 downstream",
    ]
