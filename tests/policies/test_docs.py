"""docs/policies.md names every view and column that policies see, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from lineage.policies.load import library
from lineage.policies.schema import VIEWS


def test_the_page_and_the_views_are_the_same(repo: Path) -> None:
    page = (repo / "docs" / "policies.md").read_text("utf-8").partition("\n## Views\n")[2]
    told = {
        name: re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE)
        for name, body in re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", page, re.MULTILINE | re.DOTALL)
    }
    assert told == {name: list(columns) for name, columns in VIEWS.items()}


def test_the_page_names_every_shipped_policy(repo: Path) -> None:
    page = (repo / "docs" / "policies.md").read_text("utf-8")
    assert [one.id for one in library() if f"| `{one.id}` | {one.severity} | {one.title} |" not in page] == []
