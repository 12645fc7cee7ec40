"""A history is worked out in one sweep; every day of it equals the report of that day."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage.actor import LOCAL, Actor
from lineage.contracts.files import check_text
from lineage.engine import Lineage
from lineage.quality.following import Following
from lineage.quality.odd import odd_streaks
from lineage.quality.services import service_streaks
from lineage.quality.streak import Streak
from lineage.quality.streaks import streaks
from lineage.scorecards.history import DAY
from lineage.times import OPEN_END
from tests.answers.builder import NS, T0, World

DAYS = 4
NAMES = "abcde"
CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: {id}
version: "1.0.0"
status: {status}
domain: {domain}
schema:
  - name: {name}
    description: what it is
    customProperties: [{{property: openlineage.namespace, value: pg}}, {{property: openlineage.name, value: {name}}}]
    properties: [{{name: x, classification: {level}}}, {{name: only_promised}}]
slaProperties: [{{property: latency, value: 36, unit: h}}]
"""
name = st.sampled_from(NAMES)
span = st.tuples(st.integers(0, DAYS), st.integers(1, DAYS + 1)).map(
    lambda ends: {
        "valid_from": T0 + ends[0] * DAY / 2,
        "valid_to": T0 + ends[0] * DAY / 2 + ends[1] * DAY if ends[1] <= DAYS else OPEN_END,
    }
)
moment = st.integers(0, DAYS * 4).map(lambda k: T0 + k * DAY / 4)
change = st.one_of(
    st.tuples(st.just("edge"), name, name, span),
    st.tuples(st.just("columns"), name, name, st.booleans(), span),
    st.tuples(st.just("owner"), name, st.sampled_from(["ann", "north", "south"]), span),
    st.tuples(
        st.just("tag"), name, st.sampled_from(["pii", "tier", "classification"]), st.sampled_from(["x", ""]), span
    ),
    st.tuples(st.just("stop"), name, st.sampled_from(["pii", ""]), st.booleans(), span),
    st.tuples(st.just("alias"), name, name, span),
    st.tuples(st.just("domain"), st.sampled_from(["north", "south"]), name, span),
    st.tuples(st.just("contract"), name, st.sampled_from(["active", "draft"]), st.sampled_from(["''", "secret"]), span),
    st.tuples(st.just("product"), name, st.sampled_from(["north", "south"]), span),
    st.tuples(st.just("run"), name, name, moment),
    st.tuples(st.just("test"), name, st.sampled_from(["pass", "fail"]), moment),
    st.tuples(st.just("result"), name, st.sampled_from(["pass", "violation", "waived", "error"]), st.booleans(), span),
    st.tuples(st.just("policies"), moment),
    st.tuples(st.just("mark"), name, name, st.sampled_from(["manual", "refuted"]), span),
)


def _declare(world: World, table: str, what: str, columns: Mapping[str, Any], span: Mapping[str, datetime]) -> None:
    row = {"name": what, "path": f"{what}.yaml", "hash": what, "body": "", "actor": "ann", "known_from": T0,
           "known_to": OPEN_END, **columns, **span}  # fmt: skip
    world._insert_named(table, row)


def _apply(world: World, k: int, what: str, *told: Any) -> None:
    match what, told:
        case "edge", (a, b, held):
            world.edge(world.dataset(a), world.dataset(b), job=world.job(f"job_{b}"), **held)
        case "columns", (a, b, masking, held):
            world.column_edge((a, "x"), (b, "x"), masking=masking, **held)
        case "owner", (a, who, held):
            world.facet(world.dataset(a), "ownership", {"owners": [{"name": who}]}, **held)
        case "tag", (a, key, field, held):
            body = {"tags": [{"key": key, "value": "email", "field": field}]}
            world.facet(world.dataset(a), "tags", body, **held)
        case "stop", (a, key, own_end, held):
            columns = {"subject": f"dataset:{NS}:{a}", "tag": key, "requester": "ann", "approver": "bob", "reason": "r",
                       "expires": held["valid_to"] if own_end else OPEN_END}  # fmt: skip
            _declare(world, "tag_stop", f"s{k}", columns, {**held, **({"valid_to": OPEN_END} if own_end else {})})
        case "alias", (a, b, held):
            world.alias(world.dataset(a), world.dataset(b), **held)
        case "domain", (domain, glob, held):
            world.domain(domain, glob, f"job_{glob}", **held)
        case "contract", (a, status, level, held):
            text = CONTRACT.format(id=f"c{a}", name=a, status=status, domain="north", level=level)
            item, problems = check_text(text, "c.yaml")
            assert item is not None, problems
            _declare(world, "contract", f"c{a}@1", item.columns, held)
        case "product", (a, domain, held):
            document = {"id": f"p{a}", "status": "active", "domain": domain, "team": {"name": "ann"},
                        "outputPorts": [{"name": "out", "version": "1", "contractId": f"c{a}"}]}  # fmt: skip
            columns = {"version": "1.0.0", "status": "active", "domain": domain, "document": json.dumps(document)}
            _declare(world, "product", f"p{a}", columns, held)
        case "run", (a, b, at):
            run = world.run(f"job_{b}", f"r{k}", started_at=at)
            world.run_io(run, f"job_{b}", a, "in", seen_at=at, last_at=at)
            world.run_io(run, f"job_{b}", b, "out", seen_at=at, last_at=at, row_count=k)
        case "test", (a, status, at):
            world.assertion(world.dataset(a), "not_null", status, column="x", tested_at=at)
        case "result", (a, result, column, held):
            subject = f"column:{NS}:{a}:x" if column else f"dataset:{NS}:{a}"
            row = {"policy": "owner-present", "version": "1.0.0", "subject": subject, "result": result,
                   "known_from": T0, "known_to": OPEN_END, **held}  # fmt: skip
            world._insert_named("evaluation", row)
        case "policies", (at,):
            world._insert("policy_run", "owner-present", "1.0.0", at, 5, 3, 1, 0, None, 0.1)
        case "mark", (a, b, mark, held):
            row = {"src": world.dataset(a), "dst": world.dataset(b), "mark": mark, "known_from": T0,
                   "known_to": OPEN_END, **held}  # fmt: skip
            world._insert_named("edge_mark", row)


def _equal(lx: Lineage, first: datetime, last: datetime, by: str, actor: Actor = LOCAL) -> None:
    """Every day of a history is what the report of its end says."""
    told = lx.scorecards.history(by, start=first, end=last, actor=actor).points
    day, expected = first, []
    while day < last:
        found = lx.scorecards.report(by, as_of=min(day + DAY, last), actor=actor)
        expected += [(day, s.metric, s.scope, s.numerator, s.denominator, s.value) for s in found.scores]
        day += DAY
    assert [(p.day, p.metric, p.scope, p.numerator, p.denominator, p.value) for p in told] == expected


@given(st.lists(change, min_size=4, max_size=30), st.sampled_from(["mesh", "domain", "product", "tier"]))
@settings(max_examples=7, suppress_health_check=[HealthCheck.too_slow])
def test_each_day_of_a_history_equals_the_report_of_that_day(changes: list[tuple[Any, ...]], by: str) -> None:
    world = World()
    for one in NAMES:
        world.dataset(one, "x", "y")
        world.job(f"job_{one}")
    for k, (what, *told) in enumerate(changes):
        _apply(world, k, what, *told)
    actor = Actor("eve", frozenset({"south"})) if len(changes) % 3 == 0 else LOCAL
    _equal(Lineage(world.store), T0, T0 + DAYS * DAY, by, actor)


def test_the_last_days_of_the_sample_are_the_same_in_one_sweep(lx: Lineage, end: datetime) -> None:
    _equal(lx, end.replace(hour=0, minute=0, second=0) - timedelta(days=1), end, "domain")


def _compared(streaks: Iterable[Streak]) -> set[tuple[Any, ...]]:
    """Streaks without words, since those of an open gap grow with time."""
    return {(s.key, s.severity, s.ended, tuple((f.at, f.known, f.run) for f in s.failures)) for s in streaks}


def _follow(lx: Lineage, moments: Iterable[datetime], last: datetime, *, renewed: bool = True) -> set[str]:
    """Hold what is followed to be what is found anew at each of some rising instants; which sorts there are."""
    following, sorts = Following(last), set()
    for at in moments:
        view = lx.view(at)
        told = _compared(following.at(view, renewed=renewed or not sorts))
        sorts |= {key[1] for key, *_ in told} | {""}
        assert told == _compared([*streaks(view, at), *service_streaks(view, at), *odd_streaks(view)])
    return sorts


def test_streaks_that_are_followed_are_those_of_each_instant(lx: Lineage, end: datetime) -> None:
    sorts = _follow(lx, [end - timedelta(days=back) for back in (40.3, 11.5, 0)], end)
    assert sorts >= {"test", "sla", "freshness"}


@given(st.lists(st.sampled_from([100, 104, 100, 50, 300]), min_size=13, max_size=24), st.booleans())
@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
def test_numbers_that_are_followed_are_judged_as_at_each_instant(counts: list[int], quiet: bool) -> None:
    world = World()
    _apply(world, 0, "contract", "a", "active", "''", {"valid_from": T0, "valid_to": OPEN_END})
    for k, count in enumerate([*[100] * 9, *counts]):
        at = T0 + k * DAY * (1 if k % 9 or quiet else 1.25)
        run = world.run("job_a", f"r{k}", started_at=at, ended_at=at + timedelta(seconds=10 * count))
        world.run_io(run, "job_a", "a", "out", row_count=count, byte_count=count)
        world.metric(world.dataset("a"), "rowCount", count, at)
    last = T0 + (9 + len(counts)) * DAY
    moments = [T0 + DAY * k for k in range(9, 9 + len(counts), 3)]
    _follow(Lineage(world.store), [*moments, last], last, renewed=False)


def test_a_sudden_fall_of_numbers_is_among_what_is_followed() -> None:
    world = World()
    for k in range(20):
        count, at = 20 if k == 15 else 100, T0 + k * DAY
        run = world.run("job_a", f"r{k}", started_at=at, ended_at=at + timedelta(minutes=count))
        world.run_io(run, "job_a", "a", "out", row_count=count)
        world.metric(world.dataset("a"), "rowCount", count, at)
    last = T0 + 20 * DAY
    assert _follow(Lineage(world.store), [T0 + 14.5 * DAY, T0 + 15.5 * DAY, last], last) >= {"volume", "run", "metric"}
