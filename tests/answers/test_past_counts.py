"""What was not there at an instant is not counted at it: through every door all counts of an instant say the same.

Before anything was told, what there was is unknown, which is not none.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ingest.writer import Writer
from lineage.actor import Actor
from lineage.cli import build_app
from lineage.engine import Lineage
from lineage.engine import open as ask
from lineage.marquez_pages import nodes_of
from lineage.policies.views import fill
from lineage.store import Store
from lineage.times import iso
from tests.answers.builder import World, at
from tests.answers.test_api import client_of, get
from tests.conftest import EXAMPLES

DAYS = (0, 30, 80, 89)  # before the newest event of the demo
ALL = 10_000
HIDDEN = Actor("eve", frozenset({"hr"}))


@pytest.fixture(scope="module")
def demo(demo_file: Path) -> Iterator[Lineage]:
    """The sample company, only read."""
    with ask(demo_file) as lx:
        yield lx


def counted(lx: Lineage, **when: Any) -> dict[str, int | None]:
    """Counts of the summary, after every other question was seen to give the same."""
    summary, domains = lx.summary(**when), lx.domains(**when)
    counts = {of: getattr(summary, of) for of in ("datasets", "jobs", "columns", "unassigned")}
    here: set[str] = set()
    for of, level in (("datasets", "dataset"), ("columns", "column"), ("jobs", "job")):
        found, graph = lx.listing(of, limit=ALL, **when), lx.graph(level, **when)  # type: ignore[arg-type]
        rated = lx.quality.report(level, **when).nodes
        ids = {row.id for row in found.rows}
        assert {f"job:{node.removeprefix('job:')}" if of == "jobs" else node for node in graph.nodes} == ids
        assert {row.id for row in rated} == ids, f"quality rates the {of} that the list has"
        assert counts[of] == found.total
        assert (found.total or 0) == len(found.rows) == len(graph) == len(rated)
        here |= ids
    if counts["datasets"] is None:
        assert not here
        assert set(counts.values()) == {None}
        assert summary.notes == lx.listing("datasets", **when).notes
        assert {(one.datasets, one.jobs) for one in domains} <= {(None, None)}
        assert {(one.datasets, one.jobs) for one in lx.mesh(**when).nodes} <= {(None, None)}
    else:
        assert sum(row.columns for row in lx.listing("datasets", limit=ALL, **when).rows) == summary.columns
        drawn = {node.name: (node.datasets, node.jobs) for node in lx.mesh(**when).nodes}
        assert drawn == {one.name: (one.datasets, one.jobs) for one in domains if one.name != "unassigned"}
        for of in ("datasets", "jobs"):
            for one in domains:
                many = getattr(one, of)
                assert lx.listing(of, domain=one.name, limit=ALL, **when).total == many  # type: ignore[arg-type]
            assert sum(getattr(one, of) for one in domains) == counts[of]
        assert summary.unassigned == sum(one.datasets + one.jobs for one in domains  # type: ignore[operator]
                                         if one.name == "unassigned")  # fmt: skip
        assert summary.edges == lx.listing("edges", **when).total
        assert summary.runs == lx.listing("runs", **when).total
    assert len(lx.quality.freshness(**when).datasets) == (counts["datasets"] or 0)
    scored = {one.metric: one for one in lx.scorecards.report(**when).scores}
    for metric, of in (("ownership", "datasets"), ("lineage-datasets", "datasets"), ("lineage-jobs", "jobs")):
        assert scored[metric].denominator == (counts[of] or 0), metric
    assert_nothing_else_is_named(lx, here, **when)
    return counts


def assert_nothing_else_is_named(lx: Lineage, here: set[str], **when: Any) -> None:
    """No other answer about the instant speaks of a dataset, job or column that is not among those that were there."""
    view = lx.view(**when)
    assets = fill(view, {"asset"})["asset"]["id"].to_pylist()
    assert set(assets) == {text for text in here if not text.startswith("column:")}, "policies judge what was there"
    mine = {view.label(i) for kind in ("dataset", "job") for i in nodes_of(view, kind)}
    assert mine <= here, "Marquez's lists"
    named = [node for one in lx.products.list(**when).products for node in one.datasets]
    named += [promise.dataset for promise in lx.contracts.check(**when).promises]
    named += [hit.id for word in ("o", "a", "order") for hit in lx.search(word, limit=1_000, **when)]
    named += [
        one.id for one in lx.cost.report("dataset", **when).currencies for one in one.rows if one.kind == "dataset"
    ]
    named += [one.id for one in lx.cost.waste(**when).unread]
    named += [one.id for one in lx.rank(limit=ALL, **when).found]
    told = {text for text in named if text.startswith(("dataset:", "job:", "column:"))}
    homes = {
        f"dataset:{text.removeprefix('column:').rpartition(':')[0]}" for text in told if text.startswith("column:")
    }
    assert {text for text in told if not text.startswith("column:")} | homes <= here


def instants(lx: Lineage) -> list[datetime]:
    newest = lx.summary().newest_event
    assert newest is not None
    return [newest - timedelta(days=days) for days in DAYS]


def test_of_every_past_instant_all_questions_count_the_same(demo: Lineage) -> None:
    now = counted(demo)
    found = [counted(demo, as_of=moment) for moment in instants(demo)]
    assert found[0] == now
    for later, earlier in pairwise(found):
        assert all(earlier[of] <= later[of] for of in ("datasets", "jobs"))  # type: ignore[operator]
    assert len({one["datasets"] for one in found}) > 2, "else nothing here was told apart"


def test_before_anything_was_told_counts_are_unknown_and_not_zero(demo: Lineage) -> None:
    assert set(counted(demo, as_of="2001-01-01").values()) == {None}
    assert demo.summary(as_of="2001-01-01").notes[0].startswith("nothing was known yet: the first event is of ")
    assert demo.cost.report(as_of="2001-01-01").currencies == ()
    assert {one.value for one in demo.scorecards.report(as_of="2001-01-01").scores if one.metric == "ownership"} == {
        None
    }
    assert demo.attention(as_of="2001-01-01").unknown[0].startswith("Nothing was known yet")
    assert demo.policies.check(as_of="2001-01-01").findings == (), "no contract is at fault for binding nothing then"


def test_so_it_is_of_what_was_known_then_and_of_both_clocks(demo: Lineage) -> None:
    for moment in instants(demo)[1:3]:
        both, known = counted(demo, as_of=moment, known_at=moment), counted(demo, known_at=moment)
        assert all((both[of] or 0) <= (known[of] or 0) for of in both)


def test_rest_and_the_command_line_tell_what_python_tells(demo: Lineage, demo_file: Path) -> None:
    api, said = client_of(demo), CliRunner()
    for moment in (*instants(demo)[1:3], datetime(2001, 1, 1)):  # noqa: DTZ001 - naive UTC
        summary, text = demo.summary(as_of=moment), str(iso(moment))
        told = get(api, "/api/v2/summary", as_of=text)
        assert all(told[of] == getattr(summary, of) for of in ("datasets", "jobs", "columns", "edges", "runs"))
        assert {one["name"]: one["datasets"] for one in get(api, "/api/v2/domains", as_of=text)} == {
            one.name: one.datasets for one in demo.domains(as_of=moment)
        }
        for path, args in (("/api/v2/quality", ["quality"]), ("/api/v2/scorecards", ["scorecards"])):
            rest = get(api, path, as_of=text)
            shell = said.invoke(build_app(), [*args, "--as-of", text, "--format", "json", "--db", str(demo_file)])
            assert shell.exit_code == 0, shell.output
            shell_told = json.loads(shell.stdout)
            rows, scores = ([one.get(of, ()) for one in (rest, shell_told)] for of in ("nodes", "scores"))
            assert len(rows[0]) == len(rows[1]) == ((summary.datasets or 0) if path.endswith("quality") else 0)
            for one in (*scores[0], *scores[1]):
                if one["metric"] == "ownership":
                    assert one["denominator"] == (summary.datasets or 0)


@pytest.mark.parametrize("sample", ["marquez", "great-expectations", "dbt-duckdb"])
def test_recorded_events_agree_at_every_instant(events: Path, tmp_path: Path, sample: str) -> None:
    lines = [line for file in sorted((events / sample).glob("*.ndjson")) for line in file.read_bytes().splitlines()]
    with Store.open(tmp_path / "recorded.duckdb") as store:
        Writer(store).ingest(lines, source="test")
        lx = Lineage(store)
        times = [row[0] for row in store.rows("SELECT DISTINCT event_time FROM event ORDER BY 1")]
        chosen = [times[k * (len(times) - 1) // 3] for k in range(4)]
        told = [counted(lx, as_of=moment)["datasets"] for moment in (chosen[0] - timedelta(seconds=1), *chosen)]
        assert told[0] is None
        assert told[-1] == lx.summary().datasets


@settings(max_examples=max(5, EXAMPLES // 4))  # each asks everything of four instants
@given(seed=st.integers(0, 2**32))
def test_whatever_was_told_when_all_questions_agree(seed: int) -> None:
    rng = random.Random(seed)
    world, names = World(), [f"{'hr.' if k % 3 == 0 else ''}t{k}" for k in range(6)]
    days = [f"2026-0{1 + k}-0{1 + rng.randrange(9)}" for k in range(6)]
    for k in range(rng.randrange(1, 6)):
        sources, target = rng.sample(names, rng.randrange(1, 3)), rng.choice(names)
        world.flow([one for one in sources if one != target] or ["first"], f"job{k % 4}", [target],
                   valid_from=at(rng.choice(days)))  # fmt: skip
    for name in rng.sample(names, 3):
        world.dataset(name, "id", "name")
    world.domain("hr", "hr.*", "job1")
    lx = Lineage(world.store)
    for moment in (None, "2025-12-31", *rng.sample(days, 2)):
        counted(lx, as_of=moment)


@pytest.fixture
def grown() -> World:
    """A flow since January; another, of which a part belongs to domains, since March."""
    world = World()
    world.flow(["raw"], "load", ["orders"])
    world.flow(["orders"], "build", ["hr.pay", "loose"], valid_from=at("2026-03-01"))
    for name in ("raw", "orders", "hr.pay", "loose"):
        world.dataset(name, "id")
    world.domain("sales", "orders", "load")
    world.domain("hr", "hr.*", "build")
    return world


def domains_of(lx: Lineage, as_of: str | None) -> dict[str, tuple[int | None, int | None]]:
    return {one.name: (one.datasets, one.jobs) for one in lx.domains(as_of=as_of)}


STEPS = {
    "2026-02-01": {"hr": (0, 0), "sales": (1, 1), "unassigned": (1, 0)},
    "2026-04-01": {"hr": (1, 1), "sales": (1, 1), "unassigned": (2, 0)},
    "2026-06-01": {"hr": (1, 1), "sales": (1, 1), "unassigned": (3, 1)},
}


@pytest.mark.parametrize("order", list(permutations(STEPS)))
def test_instants_with_the_same_nodes_do_not_share_what_domains_count(grown: World, order: tuple[str, ...]) -> None:
    grown.flow(["loose"], "publish", ["page"], valid_from=at("2026-05-01"))
    lx = Lineage(grown.store)
    for moment in ("2026-01-10", "2026-01-11", "2026-01-12"):
        lx.view(as_of=moment)  # from the third on they come from one timeline
    for moment in (*order, *order):  # the second time of what is remembered
        assert domains_of(lx, moment) == STEPS[moment]
        assert lx.summary(as_of=moment).unassigned == sum(STEPS[moment]["unassigned"])
    labels = {id(lx.view(as_of=moment).instant.labels.of_nodes) for moment in order}
    assert len(labels) == 1, "they share what is remembered of labels, or nothing is tested"
    assert domains_of(lx, None) == STEPS["2026-06-01"]


def test_counts_of_an_instant_are_those_of_the_graph(grown: World) -> None:
    lx = Lineage(grown.store)
    assert counted(lx) == {"datasets": 4, "jobs": 2, "columns": 4, "unassigned": 2}
    assert counted(lx, as_of="2026-02-01") == {"datasets": 2, "jobs": 1, "columns": 2, "unassigned": 1}
    assert set(counted(lx, as_of="2025-02-01").values()) == {None}


def test_a_hidden_domain_is_left_out_besides(grown: World) -> None:
    lx = Lineage(grown.store)
    for moment, datasets, jobs in ((None, 3, 1), ("2026-02-01", 2, 1)):
        found = lx.summary(HIDDEN, as_of=moment)
        assert (found.datasets, found.jobs, found.columns) == (datasets, jobs, datasets)
        assert lx.listing("datasets", as_of=moment, actor=HIDDEN).total == datasets
        assert len(lx.quality.report(as_of=moment, actor=HIDDEN).nodes) == datasets
        scores = {one.metric: one.denominator for one in lx.scorecards.report(as_of=moment, actor=HIDDEN).scores}
        assert (scores["ownership"], scores["lineage-jobs"]) == (datasets, jobs)
        assert [one.datasets for one in lx.domains(HIDDEN, as_of=moment) if one.hidden] == [None]


def test_what_is_only_named_is_undated_and_counted_since_anything_was_told(grown: World) -> None:
    grown.dataset("named")
    lx = Lineage(grown.store)
    assert "named" in [row.name for row in lx.listing("datasets", as_of="2026-01-02").rows]
    assert counted(lx, as_of="2026-02-01")["datasets"] == 3
    assert counted(lx, as_of="1990-01-01")["datasets"] is None


def test_rest_counts_so_too(grown: World) -> None:
    api = client_of(Lineage(grown.store))
    found = get(api, "/api/v2/summary", as_of="2026-02-01")
    assert (found["datasets"], found["jobs"], found["columns"], found["unassigned"]) == (2, 1, 2, 1)
    counts = {one["name"]: one["datasets"] for one in get(api, "/api/v2/domains", as_of="2026-02-01")}
    assert counts == {"hr": 0, "sales": 1, "unassigned": 1}
