"""Columns of a dataset with several names: found, printed and searched under each, the preferred name first."""

from __future__ import annotations

import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UnknownNodeError
from tests.answers.builder import World

TABLE = "column:hive://meta:9083:raw.web_events:url"
PATH = "column:s3://lake:raw/web_events:url"


@pytest.fixture
def lx(world: World) -> Lineage:
    """The path carries the columns; the table is the preferred name and has none of its own."""
    path = world.dataset("raw/web_events", "url", "day", namespace="s3://lake")
    table = world.dataset("raw.web_events", namespace="hive://meta:9083")
    world.alias(path, table)
    target = world.dataset("visits", "page")
    source = world.node("column", "raw/web_events", "url", namespace="s3://lake")
    world._insert(
        "column_edge", source, world.node("column", "visits", "page"), 0, "DIRECT", "IDENTITY", False, None, "column",
        "current", None, "test", None, *_always(),
    )  # fmt: skip
    world.edge(path, target, provenance="column")
    return Lineage(world.store)


def _always() -> tuple[object, ...]:
    from lineage.times import OPEN_END
    from tests.answers.builder import T0

    return (T0, OPEN_END, T0, OPEN_END)


@pytest.mark.parametrize(
    "text",
    [TABLE, PATH, "datasetField:hive://meta:9083:raw.web_events:url", "raw.web_events:url", "raw.web_events.url",
     "web_events:url", "raw/web_events:url"],
)  # fmt: skip
def test_a_column_is_found_under_every_name_and_printed_under_the_preferred_one(lx: Lineage, text: str) -> None:
    detail = lx.show(text)
    assert (detail.id, detail.namespace, detail.name, detail.field) == (
        TABLE, "hive://meta:9083", "raw.web_events", "url",
    )  # fmt: skip
    assert detail.aliases == (PATH,)


def test_every_place_prints_the_same_name(lx: Lineage) -> None:
    assert [column.id for column in lx.show("raw.web_events").columns] == [
        "column:hive://meta:9083:raw.web_events:day", TABLE,
    ]  # fmt: skip
    answer = lx.impact(PATH, links=True)
    assert answer.node == TABLE and answer.nodes[0].path[0] == TABLE
    assert [link.src for link in answer.links or ()] == [TABLE]
    assert lx.provenance("visits", column="page").nodes[0].id == TABLE
    assert lx.provenance("visits", column="page").nodes[0].aliases == (PATH,)


@pytest.mark.parametrize("text", ["hive web_events url", "s3 web_events url", TABLE, PATH, "raw.web_events:url"])
def test_search_finds_it_by_each_name_once(lx: Lineage, text: str) -> None:
    hits = lx.search(text.removeprefix("column:"), kinds=["column"])
    assert hits[0].id == TABLE
    assert len({hit.id for hit in hits}) == len(hits)


def test_a_column_that_no_member_has_is_unknown(lx: Lineage) -> None:
    with pytest.raises(UnknownNodeError):
        lx.show("column:hive://meta:9083:raw.web_events:nothing")


def test_a_name_that_belongs_to_a_hidden_domain_is_not_told(world: World) -> None:
    path = world.dataset("secret/path", "url", namespace="s3://lake")
    table = world.dataset("open_table", namespace="hive")
    world.alias(path, table)
    world.domain("hr", "secret/*")
    world.domain("sales", "open_table")
    lx, actor = Lineage(world.store), Actor("x", hidden_domains=frozenset({"hr"}))
    detail = lx.show("hive:open_table", actor=actor)
    assert "secret" not in str(detail)
