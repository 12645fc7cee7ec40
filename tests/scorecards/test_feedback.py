"""Feedback and risk: who may say what, what counts, what is hidden, and why a risk is as great as it is."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.feedback.questions import UnknownFeedbackError
from lineage.scorecards.risk import UnknownProductError
from tests.answers.builder import World
from tests.policies.people import people
from tests.policies.test_access import mesh

ANN, BOB, EVE = Actor("ann"), Actor("bob"), Actor("eve", frozenset({"shop"}))


@pytest.fixture
def shop(tmp_path: Path) -> Lineage:
    """Domain ads reads the product sales of domain shop, for which s and bob answer."""
    return mesh(World(), tmp_path)


def test_the_newest_rating_of_a_person_counts(shop: Lineage) -> None:
    for stars in (1, 5):
        shop.feedback.give("sales", stars, actor=ANN)
    shop.feedback.give("sales", 4, actor=BOB)
    (rating,) = shop.feedback.list("sales").ratings
    assert (rating.mean, rating.people, rating.owners) == (4.5, 2, ("s", "bob"))


def test_nobody_rated_is_unknown(shop: Lineage) -> None:
    assert shop.feedback.list().ratings[0].mean is None


def test_a_problem_is_answered_by_an_owner_and_closed(shop: Lineage) -> None:
    told = shop.feedback.report("sales", "amounts are doubled", actor=ANN)
    assert told.state == "open"
    assert shop.feedback.list(owner="bob").items == (told,)
    assert shop.feedback.list(owner="nobody").items == ()
    with pytest.raises(UsageError, match="that is up to s, bob"):
        shop.feedback.answer(told.id, "I do not know", actor=ANN)
    assert shop.feedback.answer(told.id, "we look", actor=BOB).state == "answered"
    assert shop.feedback.answer(told.id, "it is right now", close=True, actor=ANN).state == "closed"
    with pytest.raises(UsageError, match="closed"):
        shop.feedback.answer(told.id, "more", actor=BOB)
    acts = shop.store.rows("SELECT action, actor FROM audit WHERE starts_with(action, 'feedback') ORDER BY seq")
    assert acts == [("feedback.report", "ann"), ("feedback.answer", "bob"), ("feedback.close", "ann")]


def test_what_is_said_of_a_hidden_product_is_hidden(shop: Lineage) -> None:
    told = shop.feedback.report("sales", "secret", actor=ANN)
    assert shop.feedback.list(actor=EVE).items == ()
    assert shop.feedback.list(actor=EVE).ratings == ()
    for refused in (
        lambda: shop.feedback.give("sales", 3, actor=EVE),
        lambda: shop.feedback.list("sales", actor=EVE),
        lambda: shop.feedback.answer(told.id, "x", actor=EVE),
    ):
        with pytest.raises(UnknownFeedbackError):
            refused()


@pytest.mark.parametrize("stars", [0, 6, True])
def test_a_rating_is_one_to_five(shop: Lineage, stars: int) -> None:
    with pytest.raises(UsageError, match="rating"):
        shop.feedback.give("sales", stars)


def test_the_routes_act_as_who_sends_them(shop: Lineage) -> None:
    client = people(shop)
    told = client.post("/api/v2/feedback/report", json={"product": "sales", "text": "late"}, headers={"x-who": "ann"})
    assert told.json()["actor"] == "ann"
    answer = {"id": told.json()["id"], "text": "soon"}
    assert client.post("/api/v2/feedback/answer", json=answer, headers={"x-who": "ann"}).status_code == 400
    assert client.post("/api/v2/feedback/answer", json=answer, headers={"x-who": "bob"}).json()["state"] == "answered"
    assert client.get("/api/v2/feedback", params={"product": "none"}).status_code == 404


def test_a_drill_is_written_down_by_who_sends_it(shop: Lineage) -> None:
    client = people(shop)
    body = {"product": "sales", "reason": "a late load, played through"}
    told = client.post("/api/v2/scorecards/drill", json=body, headers={"x-who": "bob"})
    assert told.json() == {"product": "sales", "note": body["reason"], "actor": "bob"}
    assert [(act.actor, act.resource) for act in shop.audit.log(action="drill.hold").acts] == [("bob", "sales")]
    assert client.post("/api/v2/scorecards/drill", json={**body, "product": "moon"}).status_code == 404
    assert client.post("/api/v2/scorecards/drill", json={**body, "reason": " "}).status_code == 400


def test_the_points_of_a_risk_make_its_factors(lx: Lineage, end: datetime) -> None:
    for one in lx.scorecards.risks(as_of=end):
        sums = {
            factor: sum(p.points for p in one.points if p.factor == factor) for factor in ("exposure", "violations")
        }
        assert sums == {"exposure": one.exposure, "violations": one.violations}
        if one.classification is None:
            assert one.risk is None
            assert one.reason
        else:
            assert one.risk == one.classification * one.exposure * one.violations


def test_a_product_that_is_not_there_has_no_risk(lx: Lineage, end: datetime) -> None:
    with pytest.raises(UnknownProductError):
        lx.scorecards.risk("moon", as_of=end)
    with pytest.raises(UnknownProductError):
        lx.scorecards.risk("orders", as_of=end, actor=Actor("eve", frozenset({"sales"})))
