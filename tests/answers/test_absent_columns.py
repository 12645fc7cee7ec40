"""Columns whose schema was deleted are history: they are there as of then, and in no list as of now."""

from __future__ import annotations

import pytest

import lineage
from ingest.writer import Writer
from lineage.engine import Lineage
from tests.ingest.build import NS, column_lineage, dataset_event, loaded, run_event, schema

T = f"dataset:{NS}:t"
BEFORE, AFTER = "2026-01-01T12:00:00Z", "2026-01-03T00:00:00Z"
DELETED = {"_deleted": True}


def events(**tags: object) -> list[bytes]:
    """A table with the columns a, b and c.d; a comes from s.x; its schema is deleted on the second day."""
    told = column_lineage({"a": [("s", "x")]})
    nested = schema("a", "b", "c")
    nested["fields"][2]["fields"] = [{"name": "d", "type": "INT"}]
    return [
        dataset_event("t", schema=nested, **tags),
        run_event("r1", at="2026-01-01T06:00:00Z", inputs=["s"], outputs=[("t", {"columnLineage": told})]),
        dataset_event("t", at="2026-01-02T00:00:00Z", schema=DELETED),
    ]


@pytest.fixture
def lx() -> Lineage:
    return lineage.open(loaded(*events()))


def shown(lx: Lineage, as_of: str | None) -> list[str]:
    return [column.name for column in lx.show(T, as_of=as_of).columns]


def card(lx: Lineage, as_of: str | None, columns: bool) -> tuple[list[str], int]:
    (node,) = (one for one in lx.picture(T, columns=columns, as_of=as_of).nodes if one.id == T)
    return [column.name for column in node.columns], node.column_count


def listed(lx: Lineage, as_of: str | None) -> tuple[int, list[str]]:
    rows = lx.listing("datasets", as_of=as_of).rows
    names = sorted(row.field for row in lx.listing("columns", as_of=as_of).rows if row.name == "t")
    return next(row.columns for row in rows if row.name == "t"), names


def test_after_its_schema_was_deleted_a_table_has_the_columns_that_lineage_names(lx: Lineage) -> None:
    assert shown(lx, None) == shown(lx, AFTER) == ["a"]
    assert card(lx, None, True) == (["a"], 1)
    assert card(lx, None, False) == ([], 1)
    assert listed(lx, None) == (1, ["a"])


def test_as_of_then_all_are_there(lx: Lineage) -> None:
    assert shown(lx, BEFORE) == ["a", "b", "c", "c.d"]
    assert card(lx, BEFORE, True) == (["a", "b", "c", "c.d"], 4)
    assert card(lx, BEFORE, False) == ([], 4)
    assert listed(lx, BEFORE) == (4, ["a", "b", "c", "c.d"])


def test_the_count_of_all_columns_is_that_of_their_list(lx: Lineage) -> None:
    for as_of, columns in ((None, 2), (AFTER, 2), (BEFORE, 5)):
        listing = lx.listing("columns", as_of=as_of)
        assert lx.summary(as_of=as_of).columns == listing.total == len(listing.rows) == columns


def test_a_column_that_a_later_schema_adds_is_not_there_before() -> None:
    lx = lineage.open(
        loaded(
            dataset_event("t", schema=schema("p", "q")),
            dataset_event("t", at="2026-01-02T00:00:00Z", schema=schema("q", "z")),
        )
    )
    for as_of, columns in ((None, ["q", "z"]), (BEFORE, ["p", "q"])):
        assert sorted(shown(lx, as_of)) == listed(lx, as_of)[1] == columns
        assert listed(lx, as_of)[0] == card(lx, as_of, False)[1] == lx.summary(as_of=as_of).columns == 2
        graph = lx.graph("column", as_of=as_of)
        assert sorted(graph.nodes) == [f"column:{NS}:t:{name}" for name in columns]


def test_as_known_before_the_deletion_they_are_there_still() -> None:
    store = loaded(*events()[:2])
    lx = lineage.open(store)
    known = lx.view().known_at
    Writer(store).ingest(events()[2:], source="test")
    lx.refresh()
    assert shown(lx, None) == ["a"]
    assert [c.name for c in lx.show(T, known_at=known).columns] == ["a", "b", "c", "c.d"]


def test_a_column_with_a_tag_of_its_own_is_still_named() -> None:
    lx = lineage.open(loaded(*events(tags={"tags": [{"key": "pii", "value": "true", "field": "b"}]})))
    assert shown(lx, None) == ["a", "b"]
    assert listed(lx, None) == (2, ["a", "b"])


def test_a_schema_that_came_again_names_its_columns_again() -> None:
    lx = lineage.open(loaded(*events(), dataset_event("t", at="2026-01-04T00:00:00Z", schema=schema("b"))))
    assert shown(lx, None) == ["b", "a"]
    assert listed(lx, None) == (2, ["a", "b"])
    assert card(lx, None, False) == ([], 2)


def test_a_newer_schema_without_a_column_counts_it_no_more() -> None:
    lx = lineage.open(loaded(*events()[:2], dataset_event("t", at="2026-01-04T00:00:00Z", schema=schema("a"))))
    assert shown(lx, None) == ["a"]
    assert card(lx, None, True) == (["a"], 1)
    assert card(lx, None, False) == ([], 1)
    assert listed(lx, None) == (1, ["a"])


def test_columns_that_no_schema_ever_named_are_listed_as_before() -> None:
    lx = lineage.open(loaded(events()[1]))
    assert shown(lx, None) == ["a"] and listed(lx, None) == (1, ["a"])


def test_a_table_without_columns_any_more_is_not_marked_clear_of_personal_data() -> None:
    gone = dataset_event("t", at="2026-01-02T00:00:00Z", schema=DELETED)
    told = {"ownership": {"owners": [{"name": "team:x"}]}, "documentation": {"description": "a table"}}
    lx = lineage.open(loaded(dataset_event("t", schema=schema("a"), **told), gone))
    for as_of, text in ((BEFORE, "clear"), (None, "unknown")):
        assert {mark.id: mark.text for mark in lx.overlay("policy", as_of=as_of).marks}[T] == text


def test_the_name_of_a_column_that_is_history_is_free() -> None:
    for schemas, clashes in (([], 1), ([DELETED], 0), ([schema("a")], 0)):
        later = [dataset_event("t", at="2026-01-02T00:00:00Z", schema=one) for one in schemas]
        lx = lineage.open(loaded(dataset_event("t", schema=schema("a", "b")), *later))
        assert len(lx.rehearse(rename={f"column:{NS}:t:a": "b"}).clashes) == clashes
