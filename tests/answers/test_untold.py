"""Where a question about columns is blind: edges of which nobody told the columns, in whatever way these are told."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.engine import Lineage
from tests.ingest.build import column_lineage, loaded, run_event

PLACE = {"namespace": "warehouse", "type": "DATASET"}


def explicit(columns: bool) -> dict[str, Any]:
    """A lineage facet ``a`` → ``b``, with or without the columns."""
    fields = {"y": {"inputs": [{**PLACE, "name": "a", "field": "x"}]}} if columns else {}
    entry = {**PLACE, "name": "b", "inputs": [{**PLACE, "name": "a"}], "fields": fields}
    return {"lineage": {"entries": [entry]}}


def shop(**more: Any) -> Lineage:
    """Column ``x`` of ``a``; ``b`` comes from ``a`` as told; ``z`` of ``c`` for certain from ``y`` of ``b``."""
    schema = {"schema": {"fields": [{"name": "x"}, {"name": "x2"}]}}
    last = ("c", {"columnLineage": column_lineage({"z": [("b", "y")]})})
    return Lineage(
        loaded(
            run_event("r1", inputs=[("a", schema)], outputs=[("b", {"schema": {"fields": [{"name": "y"}]}})], **more),
            run_event("r2", job="next", inputs=["b"], outputs=[last]),
            run_event("r3", job="else", inputs=["other"], outputs=["far"]),
        )
    )


@pytest.mark.parametrize("columns", [True, False])
def test_the_fields_of_a_lineage_facet_tell_columns(columns: bool) -> None:
    lx = shop(job_facets=explicit(columns))
    down = lx.impact("column:warehouse:a:x")
    up = lx.provenance("column:warehouse:b:y")
    blind = "1 dataset comes from it without telling from which columns"
    assert any(blind in spot for spot in down.blind_spots) is not columns
    assert any("without telling from which columns" in spot for spot in up.blind_spots) is not columns
    assert lx.impact("column:warehouse:a:x2").verdict == ("none" if columns else "blind")


def test_a_path_of_columns_through_told_fields_is_none_where_there_is_none() -> None:
    answer = shop(job_facets=explicit(True)).path("column:warehouse:a:x2", "column:warehouse:c:z")
    assert answer.verdict == "none"
    answer = shop(job_facets=explicit(False)).path("column:warehouse:a:x2", "column:warehouse:c:z")
    assert answer.verdict == "blind"
    assert "dataset:warehouse:a: goes on to others without telling its columns" in answer.reasons


def test_a_dataset_nobody_writes_is_named_as_that_and_not_as_one_that_told_no_columns() -> None:
    lx = shop(job_facets=explicit(True))
    answer = lx.path("dataset:warehouse:other", "column:warehouse:c:z")
    assert answer.verdict == "blind"
    assert "dataset:warehouse:a: no job was ever seen writing it" in answer.reasons
    assert "dataset:warehouse:other: goes on to others without telling its columns" in answer.reasons
