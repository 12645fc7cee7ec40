"""Figures at several instants in one go are those of a report for each, on the sample company."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import lineage
from dashboard.pages.overview_trend import instants


@pytest.mark.parametrize("domain", [None, "finance", "nobody"])
def test_values_are_those_of_a_report_for_each_instant(demo_file: Path, domain: str | None) -> None:
    with lineage.open(demo_file) as lx:
        moments = instants(lx.summary().newest_event or lx.view().as_of, 30)[::3]
        moments.append(moments[-1] + timedelta(hours=7))
        told = lx.scorecards.values_at(moments, domain=domain)
        reports = [lx.scorecards.report(domain=domain, as_of=at) for at in moments]
        assert told == [{one.metric: one.value for one in report.scores} for report in reports]
        assert lx.scorecards.values_at([]) == []
