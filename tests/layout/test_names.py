"""Names where room is short, and numbers beside them: pure functions."""

from __future__ import annotations

import pytest

from dashboard.links import Links
from dashboard.names import short_id, short_name
from dashboard.pages.lineage_details import _reach
from dashboard.pages.overview import attention
from lineage.answers import Answer, Reached
from lineage.blindspots import Finding, Spot
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


def test_reach_counts_the_domains_of_the_datasets_it_counts() -> None:
    nodes = (
        Reached("dataset:db:a", "dataset", 1, "certain", (), domain="sales"),
        Reached("job:etl:j", "job", 1, "certain", (), domain="platform"),
    )
    answer = Answer("dataset:db:x", "downstream", NOW, NOW, False, nodes)
    text = str(_reach(answer, answer, "dataset:db:x", Links()))
    assert "in 1 domain" in text and "in 2 domains" not in text


def test_a_blind_spot_leads_to_its_nodes_and_says_how_many_are_not_listed() -> None:
    spots = (Spot("dataset:db:shop.public.orders", 3, None),)
    text = str(attention((Finding("never-written", "datasets nobody is seen to write", 4, spots),), Links()))
    assert "/lineage?focus=dataset%3Adb%3Ashop.public.orders" in text
    assert "and 3 more" in text


def test_without_blind_spots_and_in_the_past_the_card_claims_no_more_than_is_known() -> None:
    assert "no blind spot was found" in str(attention((), Links()))
    assert "blind spot" not in str(attention(None, Links(asof="2026-01-01")))
