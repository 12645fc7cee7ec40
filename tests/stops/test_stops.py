"""Approved stops of tags: asked for, approved by somebody else, held at both clocks, ended; on recorded lineage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.rebuild import rebuild
from ingest.writer import Writer
from lineage.actor import Actor
from lineage.doctor import examine
from lineage.engine import Lineage
from lineage.errors import UnknownNodeError, UnknownTagError, UsageError
from lineage.fingerprint import fingerprint
from lineage.graph.column_flow import column_flow
from lineage.propagation import Stop
from lineage.stops.questions import UnknownStopError
from lineage.stops.rows import stops
from lineage.store import Store, state_fingerprint
from lineage.tags import Tags, tagging
from lineage.times import iso, utcnow
from lineage.view import HiddenNodeError
from tests.answers.builder import World
from tests.answers.test_tags import plain
from tests.conftest import EVENTS
from tests.stops.recorded import CUSTOMERS, ZIP, sushi

ANN, BOB = Actor("ann"), Actor("bob")
DAY = timedelta(days=1)


@pytest.fixture
def store() -> Iterator[Store]:
    with sushi() as store:
        yield store


@pytest.fixture
def lx(store: Store) -> Lineage:
    return Lineage(store)


def carriers(answer: Tags) -> set[tuple[str, str]]:
    return {(row.id, row.tag) for row in answer.found}


def approved(lx: Lineage, node: str = ZIP, reason: str = "only the district", **wish: object) -> str:
    name = lx.stops.request(node, reason, actor=ANN, **wish).id  # type: ignore[arg-type]
    return lx.stops.approve(name, actor=BOB).id


def test_a_request_stops_nothing_an_approval_does_and_a_revocation_restores(lx: Lineage) -> None:
    before = carriers(lx.tags())
    assert (ZIP, "pii:zip") in before
    asked = lx.stops.request(ZIP, "only the district", tag="pii", actor=ANN)
    assert (asked.state, asked.requester, asked.approver, asked.since) == ("requested", "ann", None, None)
    assert carriers(lx.tags()) == before
    granted = lx.stops.approve(asked.id, actor=BOB)
    assert (granted.state, granted.approver, granted.until) == ("holds", "bob", None)
    answer = lx.tags()
    assert (ZIP, "pii:zip") not in carriers(answer)
    (stopped,) = answer.stopped
    assert (stopped.dst, stopped.words, stopped.stop) == (ZIP, "approved by bob: only the district", asked.id)
    assert f"pii:zip stops at {ZIP}: approved by bob: only the district" in answer.remarks()
    assert lx.stops.revoke(asked.id, "it is the whole code", actor=ANN).state == "ended"
    assert carriers(lx.tags()) == before and lx.tags().stopped == ()
    acts = lx.store.rows("SELECT action, actor, resource FROM audit WHERE action LIKE 'stop.%' ORDER BY seq")
    assert acts == [(f"stop.{act}", who, asked.id) for act, who in
                    (("request", "ann"), ("approve", "bob"), ("revoke", "ann"))]  # fmt: skip


def test_who_asked_cannot_approve_however_the_name_is_written(lx: Lineage) -> None:
    asked = lx.stops.request(ZIP, "r", tag="pii", actor=ANN).id
    for name in ("ann", "Ann", " ANN "):
        with pytest.raises(UsageError, match="cannot approve"):
            lx.stops.approve(asked, actor=Actor(name))
    assert lx.stops.refuse(asked, "no", actor=BOB).state == "refused"
    for act in (lx.stops.approve, lx.stops.refuse):
        with pytest.raises(UsageError, match="no open request: it is refused"):
            act(asked, actor=BOB)
    with pytest.raises(UsageError, match="only a stop that holds"):
        lx.stops.revoke(asked, actor=BOB)
    with pytest.raises(UnknownStopError):
        lx.stops.approve("s0", actor=BOB)
    assert lx.tags().stopped == ()


def test_what_is_not_there_or_makes_no_sense_is_refused_and_nothing_is_written(lx: Lineage) -> None:
    with pytest.raises(UnknownNodeError) as unknown:
        lx.stops.request("column:sqlmesh-sushi:duckdb.sushi.customers:zipp", "r")
    assert ZIP in unknown.value.candidates
    with pytest.raises(UnknownTagError) as untold:
        lx.stops.request(ZIP, "r", tag="pii:zap")
    assert untold.value.candidates[0] == "pii:zip"
    with pytest.raises(UsageError, match="is a job"):
        lx.stops.request(lx.search("customers", kinds=["job"])[0].id, "r")
    for reason, when in (("  ", {}), ("r", {"until": "2020-01-01"}), ("r", {"until": "soon"}),
                         ("r", {"start": iso(utcnow() + 2 * DAY), "until": iso(utcnow() + DAY)})):  # fmt: skip
        with pytest.raises(UsageError):
            lx.stops.request(ZIP, reason, **when)  # type: ignore[arg-type]
    assert lx.store.rows("SELECT 1 FROM tag_stop_act UNION ALL SELECT 1 FROM audit") == []


def test_a_dataset_stands_for_all_its_columns_and_no_tag_for_every_tag(lx: Lineage) -> None:
    approved(lx, CUSTOMERS, tag="pii:zip")
    assert not {row.id for row in lx.tags(tag="pii").found} & {ZIP, CUSTOMERS}
    (row,) = lx.stops.list().stops
    assert (row.node, row.tag) == (CUSTOMERS, "pii:zip")
    lx.stops.revoke(row.id, actor=BOB)
    approved(lx)
    assert [row[3] for row in lx.stops.list().rows() if row[1] == "holds"] == ["every tag"]
    assert lx.tags(ZIP).found == ()


def test_it_acts_within_its_valid_time_and_after_it_was_known(lx: Lineage) -> None:
    before = utcnow()
    name = approved(lx, tag="pii", start="2023-06-01", until=iso(utcnow() + DAY))
    known = utcnow()

    def stopped(**when: object) -> bool:
        return any(one.stop == name for one in lx.tags(**when).stopped)  # type: ignore[arg-type]

    assert stopped() and stopped(as_of=utcnow() + DAY / 2) and not stopped(as_of=utcnow() + 2 * DAY)
    assert not stopped(known_at=before) and stopped(known_at=known)
    lx.stops.revoke(name, actor=BOB)
    assert not stopped() and stopped(known_at=known) and stopped(as_of=known)  # history stays
    assert not stopped(as_of=utcnow() + DAY / 2) and stopped(as_of=utcnow() + DAY / 2, known_at=known)
    assert {one.state for one in lx.stops.list().stops} == {"ended"}
    assert {one.state for one in lx.stops.list(known_at=known).stops} == {"holds"}
    assert lx.stops.list(known_at=before).stops == ()


def test_a_stop_that_is_ahead_waits_and_can_be_taken_back(lx: Lineage) -> None:
    begin = utcnow() + 5 * DAY
    name = approved(lx, tag="pii", start=iso(begin))
    assert [(one.id, one.state) for one in lx.stops.list().stops] == [(name, "ahead")]
    assert lx.tags().stopped == () and lx.tags(as_of=begin + DAY).stopped != ()
    assert lx.stops.revoke(name, actor=BOB).state == "ended"
    assert lx.tags(as_of=begin + DAY).stopped == ()
    assert [(one.state, one.approver) for one in lx.stops.list().stops] == [("ended", "bob")]


def test_a_stop_begins_and_ends_by_the_clock_in_an_engine_that_is_asked_all_the_time(
    lx: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = utcnow()
    approved(lx, tag="pii", start=iso(now + DAY), until=iso(now + 3 * DAY))
    clock = [now := utcnow()]
    for module in ("engine", "graph.build", "policies.moment"):
        monkeypatch.setattr(f"lineage.{module}.utcnow", lambda: clock[0])
    seen = []
    for days in (0, 1.5, 2.5, 3.5):
        clock[0] = now + days * DAY
        seen.append((bool(lx.tags().stopped), lx.stops.list().stops[0].state))
    assert seen == [(False, "ahead"), (True, "holds"), (True, "holds"), (False, "ended")]


def test_an_event_of_the_year_2099_neither_ends_a_stop_nor_begins_one(lx: Lineage) -> None:
    first = (EVENTS / "sqlmesh" / "sushi.ndjson").read_bytes().splitlines()[0]
    year = first.partition(b'"eventTime": "')[2][:4] or first.partition(b'"eventTime":"')[2][:4]
    Writer(lx.store).ingest([first.replace(year, b"2099")], source="test", received_at=utcnow())
    assert lx.view().as_of.year == 2099
    approved(lx, tag="pii", until=iso(utcnow() + DAY))
    assert lx.tags().stopped != ()
    lx.stops.revoke(lx.stops.list().stops[0].id, actor=BOB)
    approved(lx, tag="pii", start=iso(utcnow() + DAY))
    assert lx.tags().stopped == ()


def test_who_may_not_see_the_node_learns_nothing(world: World) -> None:
    world.column_edge(("raw", "mail"), ("clean", "mail"))
    world.column_edge(("clean", "mail"), ("mart", "mail"))
    world.facet(world.dataset("raw"), "tags", {"tags": [{"key": "pii", "value": "mail", "field": "mail"}]})
    world.facet(world.dataset("clean"), "tags", {"tags": [{"key": "secret", "value": "plan", "field": "own"}]})
    world.node("column", "clean", "own")
    world.domain("hr", "clean")
    lx, eve = Lineage(world.store), Actor("eve", frozenset({"hr"}))
    name = approved(lx, "column:pg:clean:mail", tag="pii")
    waiting = lx.stops.request("column:pg:clean:mail", "more", actor=ANN).id
    assert lx.stops.list(actor=eve).stops == ()
    for one in (name, waiting):
        for act in (lx.stops.approve, lx.stops.refuse, lx.stops.revoke):
            with pytest.raises(UnknownStopError):
                act(one, actor=eve)
    with pytest.raises(HiddenNodeError):
        lx.stops.request("column:pg:clean:mail", "r", actor=eve)
    with pytest.raises(UnknownTagError) as unknown:
        lx.stops.request("column:pg:mart:mail", "r", tag="secret", actor=eve)
    assert unknown.value.candidates == []
    text = repr(lx.tags(actor=eve))
    assert "clean" not in text and "bob" not in text and name not in text
    assert carriers(lx.tags()) == {("column:pg:raw:mail", "pii:mail"), ("column:pg:clean:own", "secret:plan")}


def test_a_stop_on_a_struct_holds_for_the_fields_in_it(world: World) -> None:
    for field in ("s.mail", "s.phone", "other"):
        world.column_edge(("raw", field), ("mart", field))
        world.facet(world.dataset("raw"), "tags", {"tags": [{"key": "pii", "field": ""}]})
    world.node("column", "mart", "s")
    lx = Lineage(world.store)
    approved(lx, "column:pg:mart:s")
    assert {row.id for row in lx.tags("dataset:pg:mart").found} == {"column:pg:mart:other"}


def test_a_stop_stays_at_its_dataset_under_every_name(world: World) -> None:
    world.column_edge(("raw", "x"), ("mart", "x"))
    world.facet(world.dataset("raw"), "tags", {"tags": [{"key": "pii", "field": "x"}]})
    lx = Lineage(world.store)
    approved(lx, "column:pg:mart:x")
    world.alias(world.dataset("mart"), world.dataset("zz", namespace="a"))
    assert world.store is lx.store and lx.show("dataset:a:zz").aliases  # what waits is written when somebody looks
    assert [one.state for one in lx.stops.list().stops] == ["holds"]
    assert {row.id for row in lx.tags().found} == {"column:pg:raw:x"}


def test_a_rebuild_keeps_stops_and_both_fingerprints_follow_them(lx: Lineage) -> None:
    states, contents = [state_fingerprint(lx.store)], [fingerprint(lx.store)]
    name = approved(lx, tag="pii")
    states.append(state_fingerprint(lx.store))
    contents.append(fingerprint(lx.store))
    known = utcnow()
    lx.stops.revoke(name, actor=BOB)
    states.append(state_fingerprint(lx.store))
    contents.append(fingerprint(lx.store))
    assert len(set(states)) == len(set(contents)) == 3
    with Store.open(":memory:") as target:
        rebuild(lx.store, target)
        again = Lineage(target)
        assert fingerprint(target) == contents[-1] and state_fingerprint(target) == states[-1]
        for when in ({}, {"known_at": known}, {"as_of": known}):
            assert again.tags(**when).stopped == lx.tags(**when).stopped
            assert again.stops.list(**when).stops == lx.stops.list(**when).stops
    assert examine(lx.store).healthy


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_spread_is_that_of_the_plain_search_with_the_nodes_blocked(lx: Lineage, data: st.DataObject) -> None:
    view = lx.view()
    free = carriers(lx.tags(indirect=True))
    known = tagging(view.instant)
    words = [*known.all.tags, *{tag.partition(":")[0] for tag in known.all.tags}, None]
    flow = column_flow(view.snapshot)
    texts = sorted(view.snapshot.texts(list(range(flow.n))))
    wishes = data.draw(st.lists(st.tuples(st.sampled_from(texts), st.sampled_from(words)), min_size=1, max_size=4))
    names = [approved(lx, node, tag=tag) for node, tag in wishes if not node.startswith("job:")]
    held = [Stop(i, tag, "bob") for node, tag in wishes if (i := _place(lx, node)) is not None]
    for indirect in (False, True):
        found = tagging(lx.view().instant, indirect=indirect)
        assert {(s.node, s.tag) for s in stops(lx.view().instant)} >= {(s.node, s.tag) for s in held}
        for tag in found.all.tags:
            carried = found.all.carried(tag)
            told = dict(zip(carried.nodes.tolist(), carried.hops.tolist(), strict=True))
            assert told == plain(flow, list(found.seeds), held, tag, indirect)
    for name in names:
        lx.stops.revoke(name, actor=ANN)
    assert carriers(lx.tags(indirect=True)) == free


def _place(lx: Lineage, text: str) -> int | None:
    from lineage.resolve import resolve

    view = lx.view()
    i = resolve(view, text)
    return None if view.kind(i) == "job" else i


def test_times_are_utc_whatever_zone_they_are_given_in(lx: Lineage) -> None:
    row = lx.stops.request(ZIP, "r", start="2026-03-01T01:00:00+01:00", until="2099-01-01", actor=ANN)
    assert (row.since, row.until) == (datetime(2026, 3, 1), datetime(2099, 1, 1))  # noqa: DTZ001
