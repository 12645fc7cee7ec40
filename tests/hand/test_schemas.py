"""Versions of a schema: each change judged as one of a contract would be."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.view import HiddenNodeError
from tests.ingest.build import dataset_event, loaded, run_event


def _schema(**columns: str) -> dict[str, Any]:
    return {"fields": [{"name": name, "type": kind} for name, kind in columns.items()]}


def test_each_version_says_what_it_changed_and_how_bad_that_is() -> None:
    with loaded(
        run_event("r1", outputs=[("orders", {"schema": _schema(id="INT", total="INT")})]),
        run_event("r2", at="2026-01-02T00:00:00Z", outputs=[("orders", {"schema": _schema(id="INT", total="INT")})]),
        run_event("r3", at="2026-01-03T00:00:00Z", outputs=[("orders", {"schema": _schema(id="INT", total="BIGINT")})]),
        dataset_event("orders", "2026-01-04T00:00:00Z", schema=_schema(id="INT")),
    ) as store:
        lx = Lineage(store)
        found = lx.schemas.versions("orders").versions
        assert [(v.number, v.verdict, len(v.columns)) for v in found] == [
            (3, "BREAKING", 1), (2, lx.schemas.versions("orders").versions[1].verdict, 2), (1, None, 2),
        ]  # fmt: skip
        assert [(c.what, c.column) for c in found[0].changes] == [("column.removed", "total")]
        assert [c.what for c in found[1].changes] == ["type.wider"]
        assert (found[1].run_id, found[1].job) == ("r3", "job:warehouse:load")
        assert [v.number for v in lx.schemas.versions("orders", as_of="2026-01-02T12:00:00Z").versions] == [1]
        with pytest.raises(UsageError, match="no dataset"):
            lx.schemas.versions("load")
        with pytest.raises(HiddenNodeError):
            lx.schemas.versions("dataset:warehouse:orders", actor=Actor("bob", frozenset({"unassigned"})))
