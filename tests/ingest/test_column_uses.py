"""What decides about rows and stands at every column is an edge to the dataset; nothing else reaches other columns."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.identity import NodeKey
from tests.ingest.build import column_lineage, ds, loaded, run_event, schema


def _at_each(fields: str, subtype: str) -> dict[str, Any]:
    """A columnLineage facet with one INDIRECT use of ``a.day`` at each field."""
    how = [{"type": "INDIRECT", "subtype": subtype}]
    use = {"namespace": "warehouse", "name": "a", "field": "day", "transformations": how}
    return {"columnLineage": {"fields": {field: {"inputFields": [use]} for field in fields}}}


def _into(*events: bytes) -> list[str]:
    """Where column edges from ``a.day`` lead: columns of ``b``, or ``*``."""
    with loaded(*events) as store:
        found = [dst for (dst,) in store.rows("SELECT dst FROM column_edge WHERE known_to = '9999-12-31'")]
    names = {ds("b"): "*"} | {NodeKey("column", "warehouse", "b", column).id: column for column in "xyz"}
    return sorted(names[dst] for dst in found)


@pytest.mark.parametrize("subtype", ["FILTER", "JOIN", "GROUP_BY", "SORT"])
@pytest.mark.parametrize("told", [{}, {"schema": schema("x", "y")}], ids=["no schema", "schema"])
def test_what_decides_about_rows_and_stands_at_every_column_affects_the_dataset(
    subtype: str, told: dict[str, Any]
) -> None:
    event = run_event(inputs=["a"], outputs=[("b", _at_each("xy", subtype) | told)])
    with loaded(event) as store:
        assert store.rows("SELECT dst, type, subtype FROM column_edge") == [(ds("b"), "INDIRECT", subtype)]


@pytest.mark.parametrize("subtype", ["CONDITIONAL", "WINDOW", "TRANSFORMATION"])
def test_what_decides_about_one_column_stays_with_it_though_every_column_has_it(subtype: str) -> None:
    event = run_event(inputs=["a"], outputs=[("b", _at_each("xy", subtype) | {"schema": schema("x", "y")})])
    assert _into(event) == ["x", "y"]


@pytest.mark.parametrize("subtype", ["FILTER", "CONDITIONAL"])
def test_a_column_that_the_facet_does_not_name_gets_no_edge_from_it(subtype: str) -> None:
    told = _at_each("xy", subtype) | {"schema": schema("x", "y", "z")}
    first = run_event(inputs=["a"], outputs=[("b", told)])
    other = {"columnLineage": column_lineage({"z": [("c", "name")]}), "schema": schema("x", "y", "z")}
    second = run_event(job="other", inputs=["c"], outputs=[("b", other)], run="2", at="2026-01-01T01:00:00Z")
    assert _into(first) == ["x", "y"]
    with loaded(first, second) as store:
        z = NodeKey("column", "warehouse", "b", "z").id
        assert store.rows("SELECT src FROM column_edge WHERE dst = ?", [z]) == [
            (NodeKey("column", "warehouse", "c", "name").id,)
        ]
        assert not store.rows("SELECT 1 FROM column_edge WHERE dst = ?", [ds("b")])


def test_a_nested_column_names_the_column_it_lies_in_and_is_named_by_it() -> None:
    nested = {"fields": [{"name": "x", "fields": [{"name": "in"}]}, {"name": "y"}]}
    for fields in (["x", "y"], ["x.in", "y"]):
        facet = _at_each("", "FILTER")
        use = _at_each("x", "FILTER")["columnLineage"]["fields"]["x"]
        facet["columnLineage"]["fields"] = dict.fromkeys(fields, use)
        assert _into(run_event(inputs=["a"], outputs=[("b", facet | {"schema": nested})])) == ["*"]
