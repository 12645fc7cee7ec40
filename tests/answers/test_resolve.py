"""What a person typed becomes one node, or a list of candidates; never a guess."""

from __future__ import annotations

import json

import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UnknownNodeError, UsageError
from lineage.resolve import resolve
from tests.answers.builder import World, at


def found(world: World, text: str, actor: Actor | None = None) -> str:
    view = Lineage(world.store).view(actor=actor) if actor else Lineage(world.store).view()
    return view.label(resolve(view, text))


def candidates(world: World, text: str, actor: Actor | None = None) -> tuple[list[str], bool]:
    with pytest.raises(UnknownNodeError) as caught:
        found(world, text, actor)
    return caught.value.candidates, caught.value.ambiguous


def test_a_full_text_finds_its_node_whatever_the_colons(world: World) -> None:
    world.dataset("a:b", "c:d", namespace="postgres://db:5432")
    world.job("x:y", namespace="ns:1")
    assert found(world, "dataset:postgres://db:5432:a:b") == "dataset:postgres://db:5432:a:b"
    assert found(world, "job:ns:1:x:y") == "job:ns:1:x:y"
    assert found(world, "column:postgres://db:5432:a:b:c:d") == "column:postgres://db:5432:a:b:c:d"
    assert found(world, "datasetField:postgres://db:5432:a:b:c:d") == "column:postgres://db:5432:a:b:c:d"


def test_a_text_that_splits_into_two_nodes_is_ambiguous(world: World) -> None:
    world.dataset("b:c", namespace="a")
    world.dataset("c", namespace="a:b")
    names, ambiguous = candidates(world, "dataset:a:b:c")
    assert ambiguous
    assert len(names) == 2


def test_a_unique_end_is_enough(world: World) -> None:
    world.dataset("shop.public.orders", "total")
    assert found(world, "orders") == "dataset:pg:shop.public.orders"
    assert found(world, "public.orders") == "dataset:pg:shop.public.orders"
    assert found(world, "dataset:orders") == "dataset:pg:shop.public.orders"
    assert found(world, "pg:shop.public.orders") == "dataset:pg:shop.public.orders"
    assert found(world, "orders:total") == "column:pg:shop.public.orders:total"
    assert found(world, "orders.total") == "column:pg:shop.public.orders:total"
    assert found(world, "total") == "column:pg:shop.public.orders:total"


def test_a_whole_name_beats_an_end_and_a_boundary_beats_the_middle_of_a_word(world: World) -> None:
    world.dataset("shop.orders")
    world.dataset("reorders")
    assert found(world, "orders") == "dataset:pg:shop.orders"
    world.dataset("orders")
    assert found(world, "orders") == "dataset:pg:orders"
    assert found(world, "eorders") == "dataset:pg:reorders"


def test_two_equal_ends_are_candidates(world: World) -> None:
    world.dataset("a.orders")
    world.dataset("b.orders")
    assert candidates(world, "orders") == (["dataset:pg:a.orders", "dataset:pg:b.orders"], True)


def test_very_many_fits_are_said_to_be_more_than_those_listed(world: World) -> None:
    for k in range(60):
        world.dataset(f"shop{k}.orders")
    with pytest.raises(UnknownNodeError, match="fits more than 50 nodes, these among them; name one of them in full"):
        found(world, "orders")


def test_a_dataset_and_a_job_of_one_name_are_told_apart_by_their_kind(world: World) -> None:
    world.dataset("orders")
    world.job("orders")
    assert candidates(world, "orders")[1]
    assert found(world, "job:orders") == "job:pg:orders"


def test_members_of_one_alias_group_are_one_node(world: World) -> None:
    world.alias(world.dataset("/data/orders", namespace="hdfs"), world.dataset("shop.orders"), type="TABLE")
    assert found(world, "orders") == "dataset:pg:shop.orders"
    assert found(world, "dataset:hdfs:/data/orders") == "dataset:pg:shop.orders"


def test_an_unknown_name_gives_what_comes_near(world: World) -> None:
    world.dataset("shop.customers")
    assert candidates(world, "custmers") == (["dataset:pg:shop.customers"], False)
    assert candidates(world, "dataset:pg:shop.custommers") == (["dataset:pg:shop.customers"], False)
    assert candidates(world, "zzzzzz") == ([], False)


def test_a_short_name_brings_what_differs_by_a_letter(world: World) -> None:
    for name in ("db.s.a", "db.m.stat", "db.s.legacy", "dx"):
        world.dataset(name, namespace="w")
    assert candidates(world, "db.s.aa")[0][0] == "dataset:w:db.s.a"
    assert candidates(world, "db.s.q")[0][0] == "dataset:w:db.s.a"
    assert candidates(world, "dataset:w:db.ss.a")[0][0] == "dataset:w:db.s.a"
    assert candidates(world, "aa") == (["dataset:w:db.s.a"], False)
    assert candidates(world, "dz")[0][0] == "dataset:w:dx"
    assert candidates(world, "ab." * 3000) == ([], False)


def test_what_is_near_never_tells_of_a_hidden_name(world: World) -> None:
    world.dataset("hr.s.a")
    world.dataset("hr.s.b")
    world.domain("hr", "hr.s.a")
    assert candidates(world, "hr.s.aa", Actor("nosy", hidden_domains={"hr"})) == (["dataset:pg:hr.s.b"], False)


def test_full_width_letters_bring_their_plain_form(world: World) -> None:
    world.dataset("db.s.a", "mail")
    assert candidates(world, "ｄｂ．ｓ．ａ")[0][0] == "dataset:pg:db.s.a"
    lx = Lineage(world.store)
    assert lx.search("ｄｂ．ｓ．ａ")[0].id == "dataset:pg:db.s.a"
    with pytest.raises(UnknownNodeError) as caught:
        lx.impact("dataset:pg:db.s.a", column="ｍａｉｌ")
    assert caught.value.candidates == ["column:pg:db.s.a:mail"]
    world.dataset("ｄｂ．ｓ．ａ")
    assert found(world, "ｄｂ．ｓ．ａ") == "dataset:pg:ｄｂ．ｓ．ａ"
    assert Lineage(world.store).search("ｄｂ．ｓ．ａ")[0].id == "dataset:pg:ｄｂ．ｓ．ａ"


@pytest.mark.parametrize("text", [".", "...", "/", ":::", "__", "“", "dataset:::", "\udc80", "a\ud800"])
def test_marks_alone_are_near_to_nothing(world: World, text: str) -> None:
    world.dataset("db.s_x.a/b")
    lx = Lineage(world.store)
    assert candidates(world, text) == ([], False)
    with pytest.raises(
        UnknownNodeError, match=r"^There is no node “.*neither a letter nor a digit|Look for it"
    ) as caught:
        lx.impact(text)
    assert str(caught.value).encode()
    lx.search(text)


def test_a_very_long_name_is_not_repeated_whole(world: World) -> None:
    with pytest.raises(UnknownNodeError, match=r"“x{120}… \(10,000 characters\)”") as caught:
        found(world, "x" * 10_000)
    assert len(str(caught.value)) < 250
    with pytest.raises(UsageError, match=r"\(10,002 characters\) names no node"):
        Lineage(world.store).show(["x" * 9_998])  # type: ignore[arg-type]


def test_an_empty_text_is_refused(world: World) -> None:
    with pytest.raises(UsageError):
        found(world, "  ")


def test_a_hidden_name_cannot_be_spelled_out_by_its_end(world: World) -> None:
    world.dataset("hr.salaries", "amount")
    world.dataset("shop.salaries")
    world.domain("hr", "hr.*")
    nosy = Actor("nosy", hidden_domains={"hr"})
    assert found(world, "salaries", nosy) == "dataset:pg:shop.salaries"
    assert candidates(world, "hr.salaries", nosy) == (["dataset:pg:shop.salaries"], False)
    assert candidates(world, "hr.salaries:amount", nosy) == ([], False)
    assert found(world, "dataset:pg:hr.salaries", nosy) == "hidden (domain hr)"


def test_a_node_that_was_not_known_yet_is_unknown_then(world: World) -> None:
    world.node("dataset", "late", known=at("2026-03-01"))
    lx = Lineage(world.store)
    lx.show("dataset:pg:late")
    with pytest.raises(UnknownNodeError, match="was not known yet"):
        lx.show("dataset:pg:late", known_at="2026-02-01")


def test_a_text_with_colons_without_end_is_refused_quickly(world: World) -> None:
    with pytest.raises(UsageError, match="colons"):
        found(world, "column" + ":a" * 100_000)


def test_two_nodes_with_one_text_are_told_apart_by_their_parts(world: World) -> None:
    world.dataset("b:c", namespace="p")
    world.dataset("c", "x", namespace="p:b")
    lx = Lineage(world.store)
    with pytest.raises(UnknownNodeError) as caught:
        lx.show("dataset:p:b:c")
    assert sorted(caught.value.candidates) == ['["dataset", "p", "b:c"]', '["dataset", "p:b", "c"]']
    for candidate in caught.value.candidates:
        assert lx.show(candidate).namespace == json.loads(candidate)[1]
    assert lx.show('["column", "p:b", "c", "x"]').field == "x"
    with pytest.raises(UnknownNodeError):
        lx.show('["dataset", "p", "nothing"]')


@pytest.mark.parametrize("text", ["[dbo].[t]", '["dataset"]', '["dataset", "p", "n", "x"]', "[1, 2, 3]", "[]", "["])
def test_a_name_may_begin_with_a_bracket(world: World, text: str) -> None:
    world.dataset(text)
    assert Lineage(world.store).show(text).name == text
