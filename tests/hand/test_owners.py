"""Owners by hand go before what events tell, have both clocks, and leave an act in the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from ingest.rebuild import rebuild
from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.fingerprint import fingerprint
from lineage.store import Store
from lineage.times import utcnow
from lineage.view import HiddenNodeError
from tests.ingest.build import dataset_event, loaded, run_event

ANN = Actor("ann")
TOLD = {"owners": [{"name": "team:load", "type": "OWNER"}]}


@pytest.fixture(scope="module")
def lx() -> Iterator[Lineage]:
    with loaded(run_event(inputs=["raw"], outputs=["orders"]), dataset_event("orders", ownership=TOLD)) as store:
        yield Lineage(store)


def test_an_owner_by_hand_goes_before_what_events_tell_and_every_clock_still_answers(lx: Lineage) -> None:
    before = utcnow()
    assert lx.show("orders").owner == "team:load"
    (mark,) = lx.owners.set("orders", " team:sales ", reason="they took it over", actor=ANN).marks
    assert (mark.owner, mark.told, mark.actor, mark.reason) == ("team:sales", "team:load", "ann", "they took it over")
    lx.owners.set("orders", "team:finance", reason="again", actor=ANN)
    set_at = utcnow()
    assert lx.show("orders").owner == "team:finance"
    assert lx.show("orders", as_of=before).owner == "team:load"
    assert lx.show("orders", known_at=before).owner == "team:load"
    assert [(d.change, d.detail, d.cause and d.cause.reason) for d in lx.diff(before, set_at).changes] == [
        ("added", "team:finance", "manual")
    ]
    lx.owners.clear("orders", reason="a mistake", actor=ANN)
    assert (lx.show("orders").owner, lx.owners.list().marks) == ("team:load", ())
    assert lx.show("orders", as_of=set_at).owner == "team:finance"
    acts = [(act.actor, act.action, act.payload["owner"], act.payload["reason"]) for act in lx.audit.log().acts[:3]]
    assert acts == [
        ("ann", "owner.clear", None, "a mistake"),
        ("ann", "owner.set", "team:finance", "again"),
        ("ann", "owner.set", "team:sales", "they took it over"),
    ]


def test_what_makes_no_sense_is_refused_and_nothing_is_written(lx: Lineage) -> None:
    acts = lx.audit.log().total
    late = utcnow() + timedelta(days=1)
    for node, owner, reason, since in (
        ("orders", " ", "x", None), ("orders", "a\nb", "x", None), ("orders", "team:x", " ", None),
        ("orders", "team:x", "x", late), ("orders", "x" * 201, "x", None),
    ):  # fmt: skip
        with pytest.raises(UsageError):
            lx.owners.set(node, owner, reason=reason, since=since)
    with pytest.raises(UsageError, match="nobody was named"):
        lx.owners.clear("raw", reason="x")
    with pytest.raises(HiddenNodeError):
        lx.owners.set("dataset:warehouse:raw", "me", reason="x", actor=Actor("bob", frozenset({"unassigned"})))
    assert lx.audit.log().total == acts


def test_a_rebuild_keeps_owners_by_hand() -> None:
    with loaded(run_event(outputs=["orders"])) as store, Store.open(":memory:") as target:
        Lineage(store).owners.set("orders", "team:sales", reason="x")
        rebuild(store, target)
        assert fingerprint(store) == fingerprint(target)
        assert Lineage(target).show("orders").owner == "team:sales"
        assert json.loads(json.dumps(Lineage(target).show("load").owner)) is None
