"""Rows of the comparison of two dates of one figure."""

from __future__ import annotations

from dashboard.pages.provenance_compare import _made_row
from lineage.audit.pack.differences import PackChange

NODE = "dataset:superset://bi.harbourpine.example:finance/ifrs15_report"


def test_a_gap_is_a_sentence_and_what_is_of_a_node_has_its_short_name() -> None:
    gap = f"{NODE}: was not there yet; it is first told of at 2026-03-31T05:22:38.038000Z"
    assert _made_row(PackChange("gap", gap, "stated", None))["short"]["subject"] == (gap, "")
    assert _made_row(PackChange("owner", NODE, "ann", "bob"))["short"]["subject"][0] == "ifrs15_report"
