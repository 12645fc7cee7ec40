"""Names by rule and by hand: what joins, what is only suggested, and that everything can be taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

import lineage
from ingest.rebuild import rebuild
from ingest.writer import Writer
from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UnknownNodeError, UsageError
from lineage.fingerprint import fingerprint
from lineage.store import Store
from tests.ingest.build import dataset_event, empty_store, loaded, run_event

ANN = Actor("ann")


def _copy(job: str, source: tuple[str, str], target: tuple[str, str]) -> bytes:
    event = json.loads(run_event(job, job))
    event["inputs"] = [{"namespace": source[0], "name": source[1]}]
    event["outputs"] = [{"namespace": target[0], "name": target[1]}]
    return json.dumps(event).encode()


def _impact(lx: Lineage, node: str, **more: Any) -> dict[str, str]:
    return {n.id: n.certainty for n in lx.impact(node, kinds="dataset", **more).nodes}


@pytest.fixture
def lake() -> Iterator[Store]:
    """One job writes by ``s3a``, another reads by ``s3`` with a slash; two spellings of a table in Snowflake."""
    snow = "snowflake://org-acme"
    with loaded(
        _copy("write", ("warehouse", "raw"), ("s3a://lake", "/orders")),
        _copy("read", ("s3://lake", "orders"), (snow, "DB.PUBLIC.ORDERS")),
        _copy("page", (snow, "db.public.orders"), ("warehouse", "page")),
        run_event("part", "part", inputs=["x"], outputs=["y"]),
    ) as store:
        yield store


def test_spellings_of_drivers_are_one_dataset_and_its_edges_only_probable(lake: Store) -> None:
    with lineage.open(lake) as lx:
        found = _impact(lx, "raw")
        assert found == {
            "dataset:s3://lake:orders": "probable",
            "dataset:snowflake://org-acme:DB.PUBLIC.ORDERS": "probable",
        }
        assert lx.show("dataset:s3a://lake:/orders").aliases == ("dataset:s3a://lake:/orders",)


def test_spellings_that_nobody_wrote_as_usual_meet_too_in_any_order() -> None:
    events = [
        _copy("w", ("warehouse", "raw"), ("s3a://lake", "a")),
        _copy("r", ("s3n://lake", "a"), ("warehouse", "b")),
    ]
    for order in (events, events[::-1]):
        with loaded(*order, one_by_one=True) as store, lineage.open(store) as lx:
            assert "dataset:warehouse:b" in _impact(lx, "raw")
            assert len(lx.aliases.list().groups) == 1


def test_a_rule_that_is_switched_off_joins_nothing(lake: Store) -> None:
    with lineage.open(lake) as lx:
        lx.aliases.switch("slash", on=False, actor=ANN)
        assert list(_impact(lx, "raw")) == ["dataset:s3a://lake:/orders"]
        assert ("scheme+slash", "s3://lake:orders") in {(one.rule, one.name) for one in lx.aliases.suggest().items}
        assert lx.aliases.list().rules_off == ("slash",)
        lx.aliases.switch("slash", on=True, actor=ANN)
        lx.aliases.switch("slash", on=True, actor=ANN)  # changes nothing
        assert len(_impact(lx, "raw")) == 2
        with pytest.raises(UsageError):
            lx.aliases.switch("case", on=True)


def test_what_was_known_before_a_rule_was_switched_follows_the_rules_of_then(lake: Store) -> None:
    with lineage.open(lake) as lx:
        for on in (False, True):
            lx.aliases.switch("slash", on=on, actor=ANN)
        [(off, on_again)] = lake.rows("SELECT known_from, known_to FROM alias_rule")
        just_before = timedelta(microseconds=1)
        for moment, reached in ((off - just_before, 2), (off, 1), (on_again - just_before, 1), (on_again, 2)):
            assert len(_impact(lx, "raw", known_at=moment)) == reached
            rules = ("slash",) if reached == 1 else ()
            assert lx.aliases.list(known_at=moment).rules_off == rules


def test_letter_case_is_suggested_previewed_added_and_taken_back(lake: Store) -> None:
    with lineage.open(lake) as lx:
        before = lx.impact("raw").nodes
        (one,) = lx.aliases.suggest().items
        assert (one.rule, one.edges, len(one.members)) == ("case", 2, 2)
        shown = lx.aliases.preview(*one.members)
        assert not shown.joined
        assert sum(shown.edges) == 2
        assert "dataset:warehouse:page" in shown.nodes
        assert lx.impact("raw").nodes == before
        lx.aliases.add(*one.members, reason="same table", actor=ANN)
        assert "dataset:warehouse:page" in _impact(lx, "raw")
        assert lx.aliases.suggest().items == ()
        lx.aliases.remove(*one.members, reason="a mistake", actor=ANN)
        assert lx.impact("raw").nodes == before
        acts = lake.rows("SELECT actor, action FROM audit WHERE action LIKE 'alias.%' ORDER BY seq")
        assert acts == [("ann", "alias.add"), ("ann", "alias.remove")]


def test_partitions_are_suggested_for_the_dataset_they_are_parts_of() -> None:
    names = ["orders", "orders/dt=2024-01-01", "orders/2024/01/02", "orders/year=2024/month=01"]
    events = [_copy(f"j{i}", ("warehouse", "raw"), ("gs://lake", name)) for i, name in enumerate(names)]
    with loaded(*events) as store, lineage.open(store) as lx:
        (one,) = lx.aliases.suggest().items
        assert (one.rule, one.name, len(one.members)) == ("partition", "gs://lake:orders", 4)


def test_a_partition_meets_its_dataset_under_another_spelling() -> None:
    part = _copy("j0", ("warehouse", "raw"), ("s3://lake", "orders/dt=2024-01-01"))
    whole = _copy("j1", ("s3a://lake", "orders"), ("warehouse", "report"))
    with loaded(part, whole) as store, lineage.open(store) as lx:
        (one,) = lx.aliases.suggest().items
        assert (one.rule, one.name, len(one.members)) == ("partition", "s3://lake:orders", 2)


def _link(name: str, at: str) -> bytes:
    symlinks = {"identifiers": [{"namespace": "hive", "name": name, "type": "TABLE"}]}
    return dataset_event("t", at=at, symlinks=symlinks)


def test_what_was_kept_apart_by_hand_is_not_joined_by_later_evidence_and_can_be_joined_again() -> None:
    with loaded(_link("t", "2026-01-01T00:00:00Z")) as store, lineage.open(store) as lx:
        pair = ("dataset:warehouse:t", "dataset:hive:t")
        assert len(lx.aliases.list().groups) == 1
        lx.aliases.remove(*pair, reason="the path is shared", actor=ANN)
        Writer(store).ingest([_link("t", "2026-02-01T00:00:00Z")], source="test")
        assert lx.aliases.list().groups == ()
        with pytest.raises(UsageError):
            lx.aliases.remove(*pair, reason="again", actor=ANN)
        lx.aliases.add(*pair, reason="it was one after all", actor=ANN)
        assert lx.aliases.list().marks == ()
        assert len(lx.aliases.list().groups) == 1


def test_an_act_needs_a_reason(lake: Store) -> None:
    with lineage.open(lake) as lx, pytest.raises(UsageError):
        lx.edges.add("raw", "y", reason=" ")


def test_an_edge_by_hand_is_certain_and_ends_only_by_hand(lake: Store) -> None:
    with lineage.open(lake) as lx:
        lx.edges.add("raw", "x", reason="a script on a laptop", since="2026-01-01", actor=ANN)
        assert _impact(lx, "raw")["dataset:warehouse:x"] == "certain"
        runs = [
            run_event(f"r{i}", "part", f"2026-02-0{i + 1}T00:00:00Z", inputs=["z"], outputs=["x"]) for i in range(5)
        ]
        Writer(lake).ingest(runs, source="test")
        assert _impact(lx, "raw")["dataset:warehouse:x"] == "certain"
        assert [edge.provenance for edge in lx.view().snapshot.neighbours(
            lx.view().snapshot.index(lake.rows("SELECT id FROM node WHERE name = 'raw'")[0][0]) or 0, "downstream"
        )].count("manual") == 1  # fmt: skip
        lx.edges.remove("raw", "x", reason="gone", actor=ANN)
        assert "dataset:warehouse:x" not in _impact(lx, "raw")


def test_an_observed_edge_that_is_wrong_is_shown_and_not_followed_until_that_is_taken_back(lake: Store) -> None:
    with lineage.open(lake) as lx:
        before = _impact(lx, "x")
        lx.edges.remove("x", "y", reason="a test run", actor=ANN)
        assert _impact(lx, "x") == {}
        (mark,) = lx.show("dataset:warehouse:y").edge_marks
        assert (mark.left, mark.sort, mark.actor, mark.reason) == (
            "dataset:warehouse:x",
            "refuted",
            "ann",
            "a test run",
        )
        Writer(lake).ingest(
            [run_event("p2", "part", "2026-03-01T00:00:00Z", ["x"] and "COMPLETE", ["x"], ["y"])], source="t"
        )
        assert _impact(lx, "x") == {}
        lx.edges.add("x", "y", reason="it was none", actor=ANN)
        assert _impact(lx, "x") == before


def test_what_people_said_survives_a_rebuild(lake: Store) -> None:
    with lineage.open(lake) as lx, empty_store() as fresh:
        lx.edges.add("raw", "x", reason="by hand", actor=ANN)
        lx.edges.remove("x", "y", reason="wrong", actor=ANN)
        lx.aliases.remove("dataset:s3a://lake:/orders", "dataset:s3://lake:orders", reason="two buckets", actor=ANN)
        rebuild(lake, fresh)
        assert fingerprint(fresh) == fingerprint(lake)
        with lineage.open(fresh) as other:
            assert other.impact("raw").nodes == lx.impact("raw").nodes
            assert other.edges.list() == lx.edges.list()


def test_before_it_was_said_nobody_knew(lake: Store) -> None:
    with lineage.open(lake) as lx:
        lx.edges.add("raw", "x", reason="by hand", since="2026-01-01", actor=ANN)
        (mark,) = lx.edges.list().marks
        assert "dataset:warehouse:x" not in _impact(lx, "raw", known_at=mark.since - timedelta(microseconds=1))
        assert "dataset:warehouse:x" in _impact(lx, "raw", known_at=mark.since)


def test_who_may_not_see_a_domain_learns_nothing_of_its_names_and_says_nothing_of_them(lake: Store) -> None:
    bob = Actor("bob", {"unassigned"})
    with lineage.open(lake) as lx:
        lx.edges.add("raw", "x", reason="by hand", actor=ANN)
        assert lx.aliases.list(actor=bob).groups == ()
        assert lx.aliases.suggest(actor=bob).items == ()
        assert lx.edges.list(actor=bob).marks == ()
        with pytest.raises(UnknownNodeError):
            lx.aliases.preview("raw", "x", actor=bob)
        with pytest.raises(UnknownNodeError):
            lx.edges.remove("raw", "x", reason="guess", actor=bob)
