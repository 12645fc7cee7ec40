"""Saved views: an address under a name, for everybody who may see what is on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.saved.questions import UnknownSavedViewError
from tests.ingest.build import loaded, run_event

BOB = Actor("bob", frozenset({"unassigned"}))


@pytest.fixture(scope="module")
def lx() -> Iterator[Lineage]:
    with loaded(run_event(inputs=["raw"], outputs=["orders"])) as store:
        yield Lineage(store)


def test_a_view_is_saved_changed_and_taken_away_and_each_is_in_the_log(lx: Lineage) -> None:
    one = lx.saved.save(" Late  ones ", "/quality?view=fresh", reason="mornings", actor=Actor("ann"))
    assert (one.title, one.address, one.page, one.saved_by) == ("Late ones", "quality?view=fresh", "quality", "ann")
    changed = lx.saved.change(one.id, title="Late", reason="shorter", actor=Actor("ben"))
    assert (changed.title, changed.address, changed.actor, changed.saved_by) == ("Late", one.address, "ben", "ann")
    with pytest.raises(UsageError, match="as they were"):
        lx.saved.change(one.id, title="Late", reason="x")
    assert lx.saved.remove(one.id, reason="done").views == ()
    with pytest.raises(UnknownSavedViewError):
        lx.saved.get(one.id)
    assert [act.action for act in lx.audit.log().acts[:3]] == ["view.remove", "view.change", "view.save"]


@pytest.mark.parametrize(
    "address", ["http://x.y/z", "//evil", "javascript:alert(1)", "cost?by=a b", "../x", "cost?x=\u202e", "a" * 5000]
)
def test_only_a_page_of_the_dashboard_can_be_saved(lx: Lineage, address: str) -> None:
    with pytest.raises(UsageError, match="address"):
        lx.saved.save("x", address, reason="x")


def test_a_view_that_names_what_an_actor_may_not_see_is_not_told(lx: Lineage) -> None:
    lx.saved.save("Secret orders", "lineage?focus=dataset%3Awarehouse%3Aorders", reason="x")
    lx.saved.save("Secret domain", "?domain=unassigned", reason="x")
    plain = lx.saved.save("Cost", "cost", reason="x")
    assert len(lx.saved.list().views) == 3
    assert [one.id for one in lx.saved.list(actor=BOB).views] == [plain.id]
