"""What is not well stands in one list: the graver and the more data behind it, the higher."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lineage.actor import Actor
from lineage.attention import KINDS
from lineage.engine import Lineage
from lineage.graph_tables import print_attention
from lineage.jsonable import to_json
from tests.answers.builder import T0, World
from tests.answers.test_api import client_of, get

NOW = T0 + timedelta(hours=1)


@pytest.fixture
def broken(world: World) -> World:
    """raw → a → b → end: the job of a failed, a test of b fails, the last run of quiet failed and wrote nothing."""
    world.flow(["raw"], "ja", ["a"])
    world.flow(["a"], "jb", ["b"])
    world.flow(["b"], "je", ["end"])
    world.flow(["a"], "quiet", [])
    for job in ("ja", "quiet"):
        world.run(job, state="FAIL")
    world.assertion(world.dataset("b"), "not_null", "fail", severity="warn")
    world.domain("sales", "a", "ja")
    return world


def test_a_failed_job_counts_all_datasets_behind_it_and_an_unknown_reach_is_not_zero(broken: World) -> None:
    found = Lineage(broken.store).attention(now=NOW)
    jobs = {one.node: one.reach for one in found.matters if one.kind == "job"}
    assert jobs == {"job:pg:ja": 3, "job:pg:quiet": None}
    assert found.matters[0].node == "job:pg:ja"
    assert found.counts["job"] == 2


def test_the_order_is_severity_times_reach(broken: World) -> None:
    matters = Lineage(broken.store).attention(now=NOW).matters
    scores = [one.score for one in matters]
    assert scores == sorted(scores, reverse=True)
    assert all(one.kind in KINDS for one in matters)


def test_all_violations_of_one_policy_are_one_matter_that_says_how_many(broken: World) -> None:
    lx = Lineage(broken.store)
    found = [one for one in lx.attention(now=NOW).matters if one.kind == "violation"]
    assert len({one.ref for one in found}) == len(found)
    assets = {(f.policy, f.subject) for f in lx.policies.check().findings if f.outcome == "violation"}
    assert sum(one.cases for one in found) == len(assets)


def test_blind_spots_of_the_past_are_said_to_be_unknown(broken: World) -> None:
    found = Lineage(broken.store).attention(as_of=NOW)
    assert found.counts["blind spot"] == 0
    assert found.unknown == ("Blind spots are known of the present only.",)


def test_a_limit_cuts_rows_and_not_counts(broken: World) -> None:
    lx = Lineage(broken.store)
    whole, cut = lx.attention(now=NOW), lx.attention(now=NOW, limit=1)
    assert cut.matters == whole.matters[:1]
    assert (cut.total, cut.counts) == (whole.total, whole.counts)


def test_a_hidden_domain_is_neither_named_nor_counted(broken: World) -> None:
    found = Lineage(broken.store).attention(now=NOW, actor=Actor("bob", frozenset({"sales"})))
    assert all(one.node not in ("job:pg:ja", "dataset:pg:a") and one.domain != "sales" for one in found.matters)


def test_the_interface_gives_the_same_rows_and_the_command_line_prints_them(
    broken: World, capsys: pytest.CaptureFixture[str]
) -> None:
    lx = Lineage(broken.store)
    body = get(client_of(lx), "/api/v2/attention", as_of="2026-01-01T01:00:00Z")
    assert body["matters"] == to_json(lx.attention(as_of=NOW).matters)
    print_attention(lx.attention(limit=2))
    assert "Last run failed" in capsys.readouterr().out
