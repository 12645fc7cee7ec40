"""The score explains itself, unknown is never zero, and what is upstream limits what is downstream."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.actor import Actor
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.errors import DeclarationError
from lineage.quality.freshness import learned_limit, learned_limits
from lineage.quality.score import DIMENSIONS, points_lost, score, upstream_risk
from lineage.view import HiddenNodeError
from tests.answers.builder import T0, World

NOW = T0 + timedelta(days=30)
CHECKS = st.lists(
    st.tuples(
        st.integers(0, len(DIMENSIONS) - 1),
        st.sampled_from([0.0, 1.0, 2.0, 3.0, 6.0]),
        st.one_of(st.just(float("nan")), st.floats(0, 1)),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=50, deadline=None)
@given(CHECKS)
def test_points_lost_sum_to_what_is_missing_to_a_hundred(checks: list[tuple[int, float, float]]) -> None:
    kind, weight, result = (np.array(column) for column in zip(*checks, strict=True))
    found = score(np.zeros(len(kind), np.int64), kind, weight, result, 1)[0]
    lost = points_lost(kind, weight, result)
    if np.isnan(found):
        assert not lost.any()
        assert not (~np.isnan(result) & (weight > 0)).any()
    else:
        assert lost.sum() == pytest.approx(100 - found, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_upstream_risk_is_the_definition(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 7))
    quality = np.array(data.draw(st.lists(st.one_of(st.just(np.nan), st.floats(0, 100)), min_size=n, max_size=n)))
    pairs = data.draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=14))
    src, dst = (np.array([p[k] for p in pairs], dtype=np.int64) for k in (0, 1))
    risk, origin = upstream_risk(quality, src, dst, np.full(len(pairs), 0.7))
    far = np.full((n, n), np.inf)
    far[np.arange(n), np.arange(n)] = 0
    for a, b in pairs:
        far[a, b] = min(far[a, b], 1)
    for k in range(n):
        far = np.minimum(far, far[:, [k]] + far[[k], :])
    for v in range(n):
        limits = {u: 100 - 0.7 ** far[u, v] * (100 - quality[u])
                  for u in range(n) if np.isfinite(far[u, v]) and not np.isnan(quality[u])}  # fmt: skip
        if not limits:
            assert np.isnan(risk[v])
            continue
        assert risk[v] == pytest.approx(min(limits.values()))
        assert limits[int(origin[v])] == pytest.approx(min(limits.values()))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(1, 1e6), min_size=0, max_size=20))
def test_many_limits_at_once_are_the_limits_one_by_one(gaps: list[float]) -> None:
    done = np.cumsum([0.0, *gaps])
    last, limit, points = learned_limits(np.zeros(len(done), np.int64), done, 1, float(done[-1]))
    assert last[0] == done[-1]
    used = np.diff(done)
    began = done[:-1]
    recent = began >= done[-1] - 90 * 86_400
    same = recent & ((began // 86_400) % 7 == (done[-1] // 86_400) % 7)
    if recent.sum() < 5:
        assert np.isnan(limit[0])
        return
    chosen = used[same] if same.sum() >= 3 else used[recent]
    assert points[0] == len(chosen)
    expected = learned_limit([*chosen] * 5) if len(chosen) < 5 else learned_limit([*chosen])
    assert expected is not None
    if len(chosen) >= 5:
        assert limit[0] == pytest.approx(expected)


@pytest.fixture
def daily(world: World) -> World:
    """raw → orders → report, written every day for 30 days, the report until three days ago."""
    world.flow([], "load", ["raw"])
    world.flow(["raw"], "build", ["orders"])
    world.flow(["orders"], "export", ["report"])
    for day in range(30):
        when = T0 + timedelta(days=day, hours=3)
        for job, name, until in (("load", "raw", 30), ("build", "orders", 30), ("export", "report", 27)):
            if day < until:
                run = world.run(job, f"{job}{day}", started_at=when, ended_at=when)
                rows = 5 if (name, day) == ("orders", 29) else 1_000
                world.run_io(run, job, name, "out", seen_at=when, last_at=when, row_count=rows)
    return world


@pytest.fixture
def world() -> World:
    return World()


def test_a_score_names_what_is_late_and_what_has_another_volume(daily: World) -> None:
    lx = Lineage(daily.store)
    late = lx.quality.explain("report", now=NOW)
    assert [(c.sort, c.result) for c in late.checks if c.lost > 0] == [("freshness", 0.0)]
    few = lx.quality.explain("orders", now=NOW)
    (volume,) = [c for c in few.checks if c.sort == "volume"]
    assert (volume.result, volume.observed) == (0.0, "5 rows (anomaly)")
    assert volume.expected == "1,000 rows, 900 to 1,100 from 29 points"
    assert sum(c.lost for c in few.checks) == pytest.approx(100 - (few.score or 0))
    assert late.upstream_risk == pytest.approx(late.quality)
    assert lx.quality.explain("raw", now=NOW).quality == 100


def test_a_contractless_dataset_nobody_tells_of_is_unknown_and_no_zero(world: World) -> None:
    world.flow(["source"], "load", ["raw"])
    found = Lineage(world.store).quality.explain("source", now=NOW)
    assert (found.quality, found.score, found.grade, found.known, found.expected) == (None, None, "unknown", 0, 3)


def test_a_skipped_and_an_old_result_are_unknown_and_an_information_costs_nothing(world: World) -> None:
    node = world.dataset("orders", "id")
    recent = NOW - timedelta(hours=1)
    world.assertion(node, "unique_id", "skip", column="id", tested_at=recent)
    world.assertion(node, "not_null_id", "pass", column="id", tested_at=NOW - timedelta(days=3))
    world.assertion(node, "balance", "fail", severity="info", tested_at=recent)
    world.assertion(node, "in_set", "pass", column="id", tested_at=recent)
    found = Lineage(world.store).quality.explain("orders", now=NOW)
    results = {c.name: (c.result, c.lost) for c in found.checks if c.sort == "test"}
    assert results == {"unique_id": (None, 0), "not_null_id": (None, 0), "balance": (0, 0), "in_set": (1, 0)}
    column = Lineage(world.store).quality.explain("column:pg:orders:id", now=NOW)
    assert (column.quality, column.known, column.expected) == (100, 1, 3)


def test_hidden_domains_are_neither_scored_nor_named(daily: World) -> None:
    daily.domain("secret", "raw")
    lx, nosy = Lineage(daily.store), Actor("nosy", hidden_domains={"secret"})
    assert "raw" not in str(lx.quality.report(actor=nosy))
    assert {row.id for row in lx.quality.report("domain", actor=nosy).nodes} == {"unassigned"}
    with pytest.raises(HiddenNodeError):
        lx.quality.explain("dataset:pg:raw", actor=nosy)
    found = lx.quality.explain("report", actor=nosy, now=NOW)
    assert (found.upstream_risk, found.limited_by) == (None, None)


def test_domains_show_their_mean_and_their_worst_dataset(daily: World) -> None:
    daily.domain("sales", "orders", "report")
    rows = {row.id: row for row in Lineage(daily.store).quality.report("domain", now=NOW).nodes}
    scores = {n: Lineage(daily.store).quality.explain(n, now=NOW).quality or 0 for n in ("orders", "report")}
    assert rows["sales"].quality == pytest.approx(sum(scores.values()) / 2)
    assert (rows["sales"].minimum, rows["sales"].datasets) == (min(scores.values()), 2)


def test_the_gate_is_open_closed_or_cannot_tell(daily: World) -> None:
    lx = Lineage(daily.store)
    assert lx.quality.gate("orders", now=NOW).state == "open"  # a strange volume is told, and closes nothing
    assert [b.what for b in lx.quality.gate("orders", now=NOW).blockers] == ["volume"]
    daily.assertion(daily.dataset("raw"), "not_null", "fail", severity="warn", tested_at=NOW)
    daily.assertion(daily.dataset("raw"), "unique", "skip", tested_at=NOW)
    assert Lineage(daily.store).quality.gate("orders", now=NOW).state == "open"
    daily.assertion(daily.dataset("raw"), "old", "pass", tested_at=T0)
    assert Lineage(daily.store).quality.gate("orders", now=NOW).state == "unknown"
    daily.run("load", "broken", state="FAIL", started_at=NOW)
    closed = Lineage(daily.store).quality.gate("orders", now=NOW)
    assert closed.state == "closed"
    assert ("job:pg:load", 1, "failing") in {(b.node, b.hops, b.what) for b in closed.blockers}


def test_a_job_is_as_good_as_its_last_run_and_as_what_it_reads(daily: World) -> None:
    lx = Lineage(daily.store)
    good = lx.quality.explain("job:pg:export", now=NOW)
    assert (good.kind, good.quality, good.known, good.expected) == ("job", 100, 2, 2)
    orders = lx.quality.explain("orders", now=NOW).quality
    assert (good.upstream_risk, good.limited_by) == (pytest.approx(orders), "dataset:pg:orders")
    daily.run("load", "broken", state="FAIL", started_at=NOW - timedelta(hours=1))
    bad = Lineage(daily.store).quality.explain("job:pg:load", now=NOW)
    assert [(c.name, c.observed) for c in bad.checks if c.lost > 0] == [("last run", "failed")]
    assert sum(c.lost for c in bad.checks) == pytest.approx(100 - (bad.score or 0)) == pytest.approx(50)
    rows = {row.id: row for row in Lineage(daily.store).quality.report("job", now=NOW).nodes}
    assert (rows["job:pg:load"].quality, len(rows)) == (50, 3)


def test_a_domain_weighs_the_dimensions_as_its_file_says(daily: World, tmp_path: Path) -> None:
    (tmp_path / "domains").mkdir()
    told = "name: sales\npatterns: [report]\nquality: {{{}}}\n"
    (tmp_path / "domains" / "sales.yaml").write_text(told.format("timeliness: 0.3"))
    before = Lineage(daily.store).quality.explain("report", now=NOW)
    assert before.quality == pytest.approx(100 / 3)  # .1 of .3
    apply(daily.store, tmp_path)
    after = Lineage(daily.store).quality.explain("report", now=NOW)
    assert after.quality == pytest.approx(25)  # .1 of .4
    assert sum(c.lost for c in after.checks) == pytest.approx(75)
    for wrong, why in (("freshness: 1", "“freshness” is no dimension"), ("accuracy: -1", "at least 0")):
        (tmp_path / "domains" / "sales.yaml").write_text(told.format(wrong))
        with pytest.raises(DeclarationError, match=rf"sales\.yaml:3: quality: .*{why}"):
            apply(daily.store, tmp_path)
