"""Differences between two instants on either clock, and what is behind each."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.actor import Actor
from lineage.answers import to_json
from lineage.differences import DiffAnswer
from lineage.engine import Lineage
from lineage.errors import UnknownNodeError, UsageError
from lineage.question_tables import print_diff
from tests.answers.builder import World, at
from tests.answers.test_api import client_of
from tests.ingest.build import column_lineage, dataset_event, loaded, run_event

CODE = {"sourceCodeLocation": {"type": "git", "url": "https://git/x.py", "version": "3f2c"}}


def day(n: int) -> str:
    return f"2026-01-{n:02d}T00:00:00Z"


def of(answer: DiffAnswer, what: str) -> list[tuple[str, str, str]]:
    """(sign, where, description) of the differences of one sort."""
    signs = {"added": "+", "removed": "-", "changed": "~"}
    found = []
    for d in answer.changes:
        if d.what == what and d.kind not in ("read", "write"):
            where = "→".join(x.split("warehouse:")[1] for x in (d.id, d.other) if x)
            found.append((signs[d.change], f"{where} {d.detail}".strip(), f"{d.before or ''}⇒{d.after or ''}"))
    return found


@pytest.fixture
def lx() -> Lineage:
    """Day 1: a → b. Day 5: c joins in with new code, b gains a column and retypes one. Day 9: a is dropped."""
    b1 = ("b", {"schema": {"fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "int"}]}})
    b2 = ("b", {"schema": {"fields": [{"name": "x", "type": "bigint"}, {"name": "z", "type": "date"}]}})
    gone = ("a", {"lifecycleStateChange": {"lifecycleStateChange": "DROP"}})
    return Lineage(
        loaded(
            run_event("r1", at=day(1), inputs=["a"], outputs=[b1]),
            run_event("r5", at=day(5), inputs=["a", "c"], outputs=[b2], job_facets=CODE),
            run_event("r9", job="cleanup", at=day(9), outputs=[gone]),
            one_by_one=True,
        )
    )


def test_an_edge_that_came_names_the_run_the_producer_and_the_code(lx: Lineage) -> None:
    answer = lx.diff("2026-01-02", "2026-01-06")
    assert of(answer, "edge") == [("+", "c→b", "⇒product; by job:warehouse:load")]
    cause = next(d.cause for d in answer.changes if d.what == "edge" and d.kind == "lineage")
    assert cause is not None
    assert (cause.reason, cause.run_id, cause.job) == ("run", "r5", "job:warehouse:load")
    assert cause.producer == "https://example.com/tests"
    assert cause.code == {"type": "git", "url": "https://git/x.py", "version": "3f2c"}


def test_columns_of_a_schema_added_removed_and_retyped(lx: Lineage) -> None:
    answer = lx.diff("2026-01-02", "2026-01-06")
    assert of(answer, "column") == [("+", "b z", "⇒date"), ("~", "b x", "int⇒bigint"), ("-", "b y", "int⇒")]
    assert {d.cause.run_id for d in answer.changes if d.what == "column" and d.cause} == {"r5"}


def test_nodes_that_came_have_the_run_that_first_showed_them(lx: Lineage) -> None:
    answer = lx.diff("2026-01-02", "2026-01-06")
    assert of(answer, "node") == [("+", "c", "⇒")]
    assert answer.changes[0].cause and answer.changes[0].cause.run_id == "r5"


def test_an_edge_that_ended_names_the_run_that_ended_it(lx: Lineage) -> None:
    answer = lx.diff("2026-01-06", "2026-01-10")
    assert ("-", "a→b", "product; by job:warehouse:load⇒") in of(answer, "edge")
    cause = next(d.cause for d in answer.changes if d.what == "edge" and d.change == "removed" and d.kind == "lineage")
    assert cause is not None and cause.reason == "dropped"


def test_an_edge_that_grew_stale_is_changed_and_one_that_was_not_seen_three_times_is_removed() -> None:
    events = [run_event(f"r{n}", at=day(n), inputs=["a", "c"] if n < 3 else ["a"], outputs=["b"]) for n in range(1, 7)]
    lx = Lineage(loaded(*events))
    assert of(lx.diff("2026-01-02", "2026-01-02T12:00:00Z"), "edge") == []
    gone = lx.diff("2026-01-02T12:00:00Z", "2026-01-07")
    assert of(gone, "edge") == [("-", "c→b", "product; by job:warehouse:load⇒")]
    cause = next(d.cause for d in gone.changes if d.what == "edge" and d.kind == "lineage")
    assert cause is not None and (cause.reason, cause.run_id) == ("not seen", "r3")


def test_an_edge_that_grew_stale_names_the_first_run_that_did_not_show_it() -> None:
    events = [run_event(f"r{n}", at=day(n), inputs=["a", "c"] if n < 3 else ["a"], outputs=["b"]) for n in range(1, 5)]
    grown = Lineage(loaded(*events)).diff("2026-01-02T12:00:00Z", "2026-01-05")
    assert of(grown, "edge") == [("~", "c→b", "product; by job:warehouse:load⇒product; stale; by job:warehouse:load")]
    for change in grown.changes:
        assert change.cause is not None and (change.cause.reason, change.cause.run_id) == ("not seen", "r3")
        assert change.cause.at.day == 3


def test_column_edges_with_their_use() -> None:
    first = column_lineage({"x": [("a", "x")]})
    second = {"fields": {"x": {"inputFields": [
        {"namespace": "warehouse", "name": "a", "field": "x",
         "transformations": [{"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": True}]},
    ]}}}  # fmt: skip
    lx = Lineage(
        loaded(
            run_event("r1", at=day(1), inputs=["a"], outputs=[("b", {"columnLineage": first})]),
            run_event("r5", at=day(5), inputs=["a"], outputs=[("b", {"columnLineage": second})], job_facets=CODE),
        )
    )
    found = of(lx.diff("2026-01-02", "2026-01-06"), "column_edge")
    assert [(sign, where) for sign, where, _ in found] == [("~", "a:x→b:x")]
    assert found[0][2].endswith("DIRECT TRANSFORMATION masking; by job:warehouse:load")


def test_owners() -> None:
    def owned(*names: str) -> dict[str, Any]:
        return {"ownership": {"owners": [{"name": name, "type": "OWNER"} for name in names]}}

    lx = Lineage(
        loaded(dataset_event("a", day(1), **owned("ada", "bob")), dataset_event("a", day(5), **owned("ada", "eve")))
    )
    answer = lx.diff("2026-01-02", "2026-01-06")
    assert of(answer, "owner") == [("+", "a eve", "⇒OWNER"), ("-", "a bob", "OWNER⇒")]
    assert all(d.cause and d.cause.reason == "declared" for d in answer.changes)


def test_what_another_name_of_the_group_tells_too_is_no_change() -> None:
    link = {"symlinks": {"identifiers": [{"namespace": "warehouse", "name": "alias_of_a", "type": "TABLE"}]}}
    lx = Lineage(
        loaded(
            run_event("r1", at=day(1), inputs=[("a", link)], outputs=["b"]),
            run_event("r5", at=day(5), inputs=["alias_of_a"], outputs=["b"]),
        )
    )
    answer = lx.diff("2026-01-02", "2026-01-06")
    assert of(answer, "edge") == [] and of(answer, "node") == []


def test_names_that_joined_a_node_are_a_change_of_it() -> None:
    link = {"symlinks": {"identifiers": [{"namespace": "warehouse", "name": "table_a", "type": "TABLE"}]}}
    lx = Lineage(
        loaded(
            run_event("r1", at=day(1), inputs=["a"], outputs=["b"]),
            run_event("r5", at=day(5), inputs=[("a", link)], outputs=["b"]),
        )
    )
    changed = [d for d in lx.diff("2026-01-02", "2026-01-06").changes if d.detail == "names"]
    assert [(d.before, d.after) for d in changed] == [
        ("dataset:warehouse:a", "dataset:warehouse:a, dataset:warehouse:table_a")
    ]


def test_what_was_learned_later_about_one_day(world: World) -> None:
    world.flow(["a"], "early", ["b"])
    world.flow(["c"], "late", ["b"], known_from=at("2026-01-09"))
    lx = Lineage(world.store)
    same = {"known_from": "2026-01-05", "known_to": "2026-01-10"}
    learned = lx.diff("2026-01-03", "2026-01-03", **same)
    assert [(d.change, d.id, d.other) for d in learned.changes if d.kind == "lineage"] == [
        ("added", "dataset:pg:c", "dataset:pg:b")
    ]
    assert lx.diff("2026-01-03", "2026-01-03", known_from="2026-01-09").changes == ()


def test_a_node_limits_it_to_one_side() -> None:
    lx = Lineage(
        loaded(
            run_event("r1", at=day(1), inputs=["a"], outputs=["b"]),
            run_event("r5", at=day(5), inputs=["a", "c"], outputs=["b"]),
            run_event("r6", job="next", at=day(5), inputs=["b"], outputs=["d"]),
            run_event("r7", job="far", at=day(5), inputs=["y"], outputs=["z"]),
        )
    )

    def edges(**limit: Any) -> set[str]:
        return {where for _, where, _ in of(lx.diff("2026-01-02", "2026-01-06", **limit), "edge")}

    assert edges() == {"c→b", "b→d", "y→z"}
    assert edges(node="dataset:warehouse:c", side="self") == {"c→b"}
    assert edges(node="dataset:warehouse:d") == {"c→b", "b→d"}
    assert edges(node="dataset:warehouse:y", side="both") == {"y→z"}


def test_nothing_differs_between_an_instant_and_itself(lx: Lineage) -> None:
    assert lx.diff("2026-01-06", "2026-01-06").changes == ()


def test_forth_and_from_nothing_is_everything(lx: Lineage) -> None:
    everything = lx.diff("2025-01-01", "2026-01-06")
    assert {d.change for d in everything.changes} == {"added"}
    assert {(d.id, d.other) for d in everything.changes if d.what == "edge" and d.kind == "lineage"} == {
        ("dataset:warehouse:a", "dataset:warehouse:b"),
        ("dataset:warehouse:c", "dataset:warehouse:b"),
    }


def test_bad_questions_get_clear_answers(lx: Lineage) -> None:
    with pytest.raises(UsageError, match="lies after to"):
        lx.diff("2026-02-01", "2026-01-01")
    with pytest.raises(UsageError, match=r"known-from .* lies after known-to"):
        lx.diff("2026-01-01", "2026-02-01", known_from="2026-03-01", known_to="2026-02-01")
    with pytest.raises(UsageError, match="from: “soon” is no time"):
        lx.diff("soon", "2026-01-01")
    with pytest.raises(UsageError, match="none of upstream"):
        lx.diff("2026-01-01", node="b", side="left")
    with pytest.raises(UnknownNodeError):
        lx.diff("2026-01-01", node="nothing")
    assert Lineage(World().store).diff("2026-01-01", "2026-02-01").changes == ()


def test_differences_at_hidden_nodes_are_not_told(chain: World) -> None:
    lx, actor = Lineage(chain.store), Actor("x", hidden_domains=frozenset({"bi"}))
    seen = lx.diff("2025-01-01", "2026-02-01", actor=actor)
    assert "report" not in str(to_json(seen)) and "build" not in str(to_json(seen))
    assert any(d.what == "edge" for d in seen.changes)


def test_rest_and_table_forms_say_the_same(lx: Lineage) -> None:
    answer = lx.diff("2026-01-02", "2026-01-06")
    body = client_of(lx).get("/api/v2/diff", params={"from": "2026-01-02", "to": "2026-01-06"}).json()
    assert body["changes"] == to_json(answer.changes)
    assert answer.to_arrow().num_rows == len(answer.changes)
    assert answer.totals["column"] == {"added": 1, "removed": 1, "changed": 1}
    assert answer.remarks()[0] == "nodes: 1 added"


def test_before_the_first_event_nothing_is_known_which_is_not_that_nothing_differs(lx: Lineage) -> None:
    early = lx.diff("2020-01-01", "2020-02-01")
    assert (early.changes, early.verdict) == ((), "unknown")
    assert early.notes == ("At both times nothing was known yet: the first event is of 2026-01-01T00:00:00Z.",)
    across = lx.diff("2020-01-01", "2026-01-02")
    assert across.verdict == "differs" and "nothing was known yet" in across.notes[0]
    assert "What was told since counts as added." in across.notes[0]
    assert lx.diff("2026-01-02", "2026-01-03").verdict == "same" and not lx.diff("2026-01-02", "2026-01-03").notes
    body = client_of(lx).get("/api/v2/diff", params={"from": "2020-01-01", "to": "2020-02-01"}).json()
    assert (body["verdict"], body["notes"]) == ("unknown", list(early.notes))


def test_before_anything_was_received_nothing_is_known(lx: Lineage) -> None:
    answer = lx.diff("2026-01-02", "2026-01-03", known_from="2020-01-01", known_to="2020-02-01")
    assert answer.verdict == "unknown" and "the first event was received at" in answer.notes[0]
    learned = lx.diff("2026-01-02", "2026-01-03", known_from="2020-01-01")
    assert learned.verdict == "differs" and "the first event was received at" in learned.notes[0]
    empty = Lineage(World().store).diff("2026-01-01", "2026-02-01")
    assert (empty.verdict, empty.notes) == (
        "unknown", ("At both times nothing was known: no event was ever received.",)
    )  # fmt: skip


def test_of_a_node_that_was_not_there_yet_it_says_so(lx: Lineage) -> None:
    first = "it is first told of at 2026-01-05T00:00:00Z."
    none = lx.diff("2026-01-02", "2026-01-03", node="dataset:warehouse:c")
    assert (none.verdict, none.notes) == (
        "unknown", (f"dataset:warehouse:c: was not there yet at either time; {first}",)
    )  # fmt: skip
    one = lx.diff("2026-01-02", "2026-01-06", node="dataset:warehouse:c")
    assert (one.verdict, one.notes) == (
        "differs", (f"dataset:warehouse:c: was not there yet at 2026-01-02T00:00:00Z; {first}",)
    )  # fmt: skip


def test_the_table_does_not_say_that_nothing_differs_when_nothing_is_known(
    lx: Lineage, capsys: pytest.CaptureFixture[str]
) -> None:
    print_diff(lx.diff("2020-01-01", "2020-02-01"))
    said = " ".join(capsys.readouterr().out.split())
    assert "Whether anything differs is not known." in said and "Nothing differs" not in said
