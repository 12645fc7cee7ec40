"""Search: best first, forgiving, quiet about what is not there."""

from __future__ import annotations

import pytest

from lineage.engine import Lineage
from lineage.errors import UsageError
from tests.answers.builder import World


@pytest.fixture
def shop(world: World) -> Lineage:
    world.dataset("shop.customers", "email", "id")
    world.dataset("shop.customers_daily")
    world.dataset("shop.orders")
    world.job("load_customers")
    world.dataset("Größe.Straße")
    return Lineage(world.store)


def names(lx: Lineage, text: str, **options: object) -> list[str]:
    return [hit.name for hit in lx.search(text, **options)]  # type: ignore[arg-type]


def test_a_whole_name_comes_first_with_score_one(shop: Lineage) -> None:
    hits = shop.search("shop.customers")
    assert (hits[0].id, hits[0].score) == ("dataset:pg:shop.customers", 1.0)
    assert shop.search("pg:shop.orders")[0].score == 1.0


def test_the_last_part_of_a_name_beats_longer_names(shop: Lineage) -> None:
    assert names(shop, "customers", kinds=["dataset", "job"]) == [
        "shop.customers",
        "shop.customers_daily",
        "load_customers",
    ]


def test_case_and_order_of_words_do_not_matter(shop: Lineage) -> None:
    assert names(shop, "Daily SHOP") == ["shop.customers_daily"]
    assert names(shop, "straße") == ["Größe.Straße"]


@pytest.mark.parametrize("text", ["custmers", "customrs", "cusotmers", "shop.custommers"])
def test_typing_errors_are_forgiven(shop: Lineage, text: str) -> None:
    assert names(shop, text)[0] == "shop.customers"


def test_a_corrected_hit_scores_below_a_true_one(shop: Lineage) -> None:
    assert shop.search("custmers")[0].score < shop.search("customers")[0].score


def test_columns_are_found_by_their_name(shop: Lineage) -> None:
    assert shop.search("email")[0].id == "column:pg:shop.customers:email"


def test_kinds_and_limit_narrow_the_list(shop: Lineage) -> None:
    assert {hit.kind for hit in shop.search("customers", kinds=["job"])} == {"job"}
    assert len(shop.search("s", limit=2)) == 2


def test_nothing_is_found_where_nothing_fits(shop: Lineage) -> None:
    assert shop.search("zzzzqqq") == ()
    assert shop.search("   ") == ()
    assert shop.search("%") == ()
    assert shop.search("customers zzzzqqq") == ()


def test_members_of_one_alias_group_are_one_hit(world: World) -> None:
    world.alias(world.dataset("/data/orders", namespace="hdfs"), world.dataset("orders"))
    assert [hit.id for hit in Lineage(world.store).search("orders")] == ["dataset:pg:orders"]


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 10**6}, {"kinds": ["table"]}])
def test_a_limit_or_kind_that_makes_no_sense_is_refused(shop: Lineage, wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        shop.search("a", **wrong)  # type: ignore[arg-type]
