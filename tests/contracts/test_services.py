"""Availability, errors, retention, dates of a life, and who may read: kept, broken or unknown, with the reason."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lineage.contracts.conformance import Promise
from lineage.contracts.lookup import UnknownContractError
from lineage.engine import Lineage
from tests.answers.builder import T0, World
from tests.contracts.test_change import applied, text

NOW = T0 + timedelta(days=40)


def slas(*lines: str) -> str:
    return "slaProperties:\n" + "".join(f"  - {{{line}}}\n" for line in lines)


def one(lx: Lineage, promise: str, **more: Any) -> Promise:
    found = [p for p in lx.contracts.check("orders", now=NOW, **more).promises if p.promise == promise]
    assert len(found) == 1, found
    return found[0]


@pytest.fixture
def world() -> World:
    """orders is written by load, every day but the last ten; every fourth run fails."""
    made = World()
    made.flow(["source"], "load", ["orders"])
    made.flow(["orders"], "read", ["report"])
    made.dataset("orders", "id")
    for day in range(31):
        state = "FAIL" if day % 4 == 3 else "COMPLETE"
        at = T0 + timedelta(days=day)
        run = made.run("load", f"r{day}", state=state, started_at=at, ended_at=at)
        made.run_io(run, "load", "orders", "out", seen_at=at)
    made.domain("sales", "orders", "load", "source")
    made.domain("bi", "report", "read")
    return made


def contract(*lines: str, more: str = "") -> str:
    return text("orders", "1.0.0", "id:int") + slas(*lines) + more


def test_availability_is_the_share_of_time_in_which_data_is_as_fresh_as_promised(world: World, tmp_path: Path) -> None:
    body = contract("property: latency, value: 1, unit: d", "property: availability, value: 99, unit: percent")
    found = one(applied(world, tmp_path, orders=body), "sla availability")
    assert (found.verdict, found.expected) == ("broken", "99 %")
    assert found.observed == "53.33 %"  # 16 of 30 days, told by hand
    assert found.run == "r30"


def test_availability_without_a_promise_of_freshness_is_unknown(world: World, tmp_path: Path) -> None:
    lx = applied(world, tmp_path, orders=contract("property: availability, value: 99, unit: percent"))
    assert (one(lx, "sla availability").verdict, "latency" in one(lx, "sla availability").evidence) == ("unknown", True)


@pytest.mark.parametrize(("value", "verdict"), [("30", "kept"), ("10", "broken")])
def test_errors_are_the_share_of_runs_that_did_not_complete(
    world: World, tmp_path: Path, value: str, verdict: str
) -> None:
    found = one(applied(world, tmp_path, orders=contract(f"property: errorRate, value: {value}, unit: percent")),
                "sla errorRate")  # fmt: skip
    assert (found.verdict, found.evidence, found.run) == (verdict, "5 of 21 runs in 30 days", "r27")


def test_a_share_without_a_unit_is_not_guessed(world: World, tmp_path: Path) -> None:
    lx = applied(world, tmp_path, orders=contract("property: errorRate, value: 1"))
    assert one(lx, "sla errorRate").verdict == "unknown"


def test_retention_is_broken_by_emptying_and_by_a_smallest_date_that_is_too_young(world: World, tmp_path: Path) -> None:
    body = text("orders", "1.0.0", "id:int", "day:date") + slas("property: retention, value: 20, unit: d")
    lx = applied(world, tmp_path, orders=body)
    assert one(lx, "sla retention").verdict == "unknown"
    world.metric(world.node("column", "orders", "day"), "min", 20260101.0, T0)
    assert one(Lineage(world.store), "sla retention").verdict == "kept"
    world.metric(world.node("column", "orders", "day"), "min", 20260205.0, T0 + timedelta(days=36))
    assert one(Lineage(world.store), "sla retention").verdict == "broken"
    world.facet(world.dataset("orders"), "lifecycleStateChange", {"lifecycleStateChange": "TRUNCATE"},
                valid_from=T0 + timedelta(days=35))  # fmt: skip
    assert one(Lineage(world.store), "sla retention").evidence == "lifecycle event TRUNCATE"


@pytest.mark.parametrize(
    ("name", "date", "verdict"),
    [
        ("generalAvailability", "2026-01-02", "kept"), ("generalAvailability", "2027-01-02", "kept"),
        ("endOfSupport", "2026-12-31", "kept"), ("endOfSupport", "2026-01-20", "broken"),
        ("endOfLife", "2026-01-20", "broken"), ("endOfLife", "someday", "unknown"),
    ],
)  # fmt: skip
def test_dates_of_a_life_are_held_against_writes_and_readers(
    world: World, tmp_path: Path, name: str, date: str, verdict: str
) -> None:
    found = one(applied(world, tmp_path, orders=contract(f"property: {name}, value: {date}")), f"sla {name}")
    assert found.verdict == verdict
    assert verdict != "broken" or "job:pg:read" in found.evidence


@pytest.mark.parametrize(
    ("role", "verdict", "says"),
    [("bi", "kept", "role bi"), ("sales", "broken", "no role"), ("analyst_r", "unknown", "may hold it")],
)
def test_readers_from_outside_need_a_role_that_names_them(
    world: World, tmp_path: Path, role: str, verdict: str, says: str
) -> None:
    body = contract(
        "property: latency, value: 1, unit: d", more=f"domain: sales\nroles:\n  - {{role: {role}, access: read}}\n"
    )
    found = one(applied(world, tmp_path, orders=body), "access job:pg:read")
    assert (found.verdict, found.observed) == (verdict, "domain bi")
    assert says in found.evidence


def test_what_is_asked_for_is_a_contract_or_a_dataset_or_an_error(world: World, tmp_path: Path) -> None:
    lx = applied(world, tmp_path, orders=contract("property: latency, value: 1, unit: d"))
    every = lx.contracts.check(now=NOW).promises
    for name in ("orders", "orders@1", "dataset:pg:orders"):
        assert lx.contracts.check(name, now=NOW).promises == every
    assert lx.contracts.check("dataset:pg:report").remarks()[1:] == ("no contract binds dataset:pg:report",)
    with pytest.raises(UnknownContractError, match="no contract and no dataset"):
        lx.contracts.check("nothing")


def test_a_draft_is_named_as_not_checked(world: World, tmp_path: Path) -> None:
    body = contract("property: latency, value: 1, unit: d").replace("status: active", "status: draft")
    found = applied(world, tmp_path, orders=body).contracts.check("orders")
    assert (found.promises, found.unbound) == ((), ("orders 1.0.0 is draft, so it is not checked",))
