"""Search: best first, forgiving, quiet about what is not there."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


LETTERS = st.text("ab_.:/é", min_size=1, max_size=5)


def fit(text: str, name: str, whole: str, *, is_column: bool) -> float | None:
    """Score of one name by the words of its definition, ``None`` where a word does not occur."""
    words = re.findall(r"[^\W_]+", text) or [text]
    if not all(word in whole for word in words):
        return None
    last = re.split(r"[./:\\]", name)[-1]
    if text in (name, whole):
        score = 1.0
    elif text in name:
        begins = name.startswith(text) or last.startswith(text)
        share = len(text) / len(name)
        score = 0.95 if last == text else 0.8 + 0.1 * share if begins else 0.6 + 0.15 * share
    elif text in whole:
        score = 0.5 + 0.1 * len(text) / len(whole)
    else:
        score = 0.3 + 0.15 * min(1.0, len(text) / len(whole))
    return round(score * ((0.93 if name == text else 0.9) if is_column else 1), 4)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(LETTERS, st.lists(LETTERS, max_size=3, unique=True), max_size=4), LETTERS, st.integers(1, 4))
def test_hits_are_those_of_the_definition_best_first(tables: dict[str, list[str]], text: str, limit: int) -> None:
    world = World()
    for table, fields in tables.items():
        world.dataset(table, *fields)
    lx = Lineage(world.store)
    view = lx.view()
    wanted = []
    for i in range(view.snapshot.n):
        namespace, name, field = view.snapshot.namespace(i), view.snapshot.name(i), view.snapshot.field(i)
        whole = ":".join((namespace, name, *([field] if view.kind(i) == "column" else ()))).lower()
        score = fit(text, (field or name).lower(), whole, is_column=view.kind(i) == "column")
        if score is not None:
            wanted.append((-score, len(whole), whole, view.kind(i), view.label(i)))
    if len(wanted) >= min(limit, 3):  # else words are corrected
        found = lx.search(text, limit=limit)
        assert [(hit.id, hit.score) for hit in found] == [(one[4], -one[0]) for one in sorted(wanted)[:limit]]


def test_a_text_may_lie_across_the_colon_before_a_column(world: World) -> None:
    world.dataset("ab/_", "_cd", "_x")
    lx = Lineage(world.store)
    found = {text: {hit.id: hit.score for hit in lx.search(text)} for text in ("_:_c", "pg:ab/_:_cd", "_:_")}
    column = "column:pg:ab/_:_cd"
    assert found["_:_c"] == {column: round(0.9 * (0.5 + 0.1 * 4 / 11), 4)}
    assert found["pg:ab/_:_cd"] == {column: 0.9}
    assert set(found["_:_"]) == {column, "column:pg:ab/_:_x"}
