"""A run that began and fell silent: shown as such, from the instant that is looked at, and stored nowhere."""

from __future__ import annotations

from datetime import datetime

import lineage
from ingest.writer import Writer
from lineage.store import Store
from tests.ingest.build import run_event


def test_a_run_without_end_is_shown_as_such_once_it_was_silent_for_a_day() -> None:
    silent = run_event("silent", at="2026-01-01T00:00:00Z", kind="START", outputs=["b"])
    later = run_event("later", at="2026-01-05T00:00:00Z", outputs=["b"])
    with Store.open(":memory:") as store:
        Writer(store).ingest([silent, later], source="test")
        lx = lineage.open(store)
        node = "job:" + ":".join(store.rows("SELECT namespace, name FROM node WHERE kind = 'job'")[0])
        assert {(run.state, run.no_end_seen) for run in lx.show(node).runs} == {("START", True), ("COMPLETE", False)}
        soon = lx.show(node, as_of=datetime(2026, 1, 1, 12))  # noqa: DTZ001 - naive UTC like all stored times
        assert not any(run.no_end_seen for run in soon.runs)
