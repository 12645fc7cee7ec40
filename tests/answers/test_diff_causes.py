"""Each difference says who is behind it: the run, producer and code that caused it, a person or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lineage.actor import Actor
from lineage.answers import to_json
from lineage.declared import apply
from lineage.differences import Cause, Difference
from lineage.engine import Lineage
from lineage.store import bump_version
from tests.ingest.build import column_lineage, dataset_event, job_event, loaded, run_event, schema

HERE = "https://example.com/tests"
CODE = {"sourceCodeLocation": {"type": "git", "url": "https://git/clean.py", "version": "9e1a"}}
DROP = {"lifecycleStateChange": {"lifecycleStateChange": "DROP"}}
ELSEWHERE = "https://example.com/cleaner"


def day(n: int) -> str:
    return f"2026-01-{n:02d}T00:00:00Z"


def changes(lx: Lineage, start: int, end: int, **more: Any) -> list[Difference]:
    return list(lx.diff(f"2026-01-{start:02d}T12:00:00Z", f"2026-01-{end:02d}T12:00:00Z", **more).changes)


def told(found: list[Difference]) -> set[tuple[str, str]]:
    return {(d.what, d.change) for d in found}


def cause(d: Difference) -> Cause:
    assert d.cause is not None
    return d.cause


def rename(old: str) -> dict[str, Any]:
    former = {"namespace": "warehouse", "name": old}
    return {"lifecycleStateChange": {"lifecycleStateChange": "RENAME", "previousIdentifier": former}}


def test_what_another_job_dropped_names_the_run_that_dropped_it_everywhere() -> None:
    columns = {"columnLineage": column_lineage({"x": [("a", "x")]}), "schema": schema("x")}
    lx = Lineage(
        loaded(
            run_event("r1", at=day(1), inputs=[("a", {"schema": schema("x")})], outputs=[("b", columns)]),
            run_event("r2", "clean", at=day(5), outputs=[("b", DROP)], job_facets=CODE, producer=ELSEWHERE),
        )
    )
    found = changes(lx, 1, 6)
    assert {("node", "removed"), ("edge", "removed"), ("column_edge", "removed")} <= told(found)
    for d in (d for d in found if d.change == "removed"):
        assert cause(d).reason == "dropped"
        assert (cause(d).run_id, cause(d).job, cause(d).producer) == ("r2", "job:warehouse:clean", ELSEWHERE)
        assert (cause(d).code or {})["version"] == "9e1a"
    rows = lx.diff("2026-01-01T12:00:00Z", "2026-01-06").rows()
    assert ("removed", "r2", ELSEWHERE, "9e1a") in {(row[1], *row[11:14]) for row in rows}


def test_a_dataset_that_is_dropped_and_made_again_is_removed_and_added() -> None:
    lx = Lineage(
        loaded(
            run_event("r1", at=day(1), inputs=["a"], outputs=[("b", {"schema": schema("x")})]),
            run_event("r2", "clean", at=day(5), outputs=[("b", DROP)]),
            run_event("r3", at=day(9), inputs=["a"], outputs=["b"]),
        )
    )
    gone = [d for d in changes(lx, 1, 6) if d.what == "node" and d.id.endswith(":b")]
    back = [d for d in changes(lx, 6, 10) if d.what == "node" and d.id.endswith(":b")]
    assert [(d.change, cause(d).run_id) for d in (*gone, *back)] == [("removed", "r2"), ("added", "r3")]
    assert not [d for d in changes(lx, 1, 10) if d.what == "node" and d.id.endswith(":b")]


def test_a_drop_that_a_dataset_event_tells_names_its_producer_and_not_the_job_of_the_edge() -> None:
    lx = Lineage(loaded(run_event("r1", at=day(1), inputs=["a"], outputs=["b"]), dataset_event("b", day(5), **DROP)))
    found = changes(lx, 1, 6)
    assert ("edge", "removed") in told(found)
    for d in found:
        assert (cause(d).reason, cause(d).producer, cause(d).job, cause(d).run_id) == ("dropped", HERE, None, None)


def test_a_rename_names_the_run_that_renamed() -> None:
    lx = Lineage(
        loaded(
            run_event("r1", at=day(1), inputs=["a"], outputs=["old"]),
            run_event("r2", "mover", at=day(5), outputs=[("new", rename("old"))], job_facets=CODE),
        )
    )
    [d] = [d for d in changes(lx, 1, 6) if d.what == "node" and d.detail == "names"]
    assert (cause(d).reason, cause(d).run_id, (cause(d).code or {})["version"]) == ("renamed", "r2", "9e1a")
    assert cause(d).at and cause(d).at.day == 5


def test_after_a_table_is_made_anew_under_the_old_name_the_renamed_one_came_with_the_rename() -> None:
    lx = Lineage(
        loaded(
            run_event("r1", at=day(1), inputs=["a"], outputs=["old"]),
            run_event("r2", "mover", at=day(3), outputs=[("new", rename("old"))]),
            run_event("r3", "maker", at=day(5), inputs=["c"], outputs=["old"]),
        )
    )
    found = changes(lx, 1, 6)
    moved = [d for d in found if d.what == "edge" and d.kind == "lineage" and "dataset:warehouse:a" in d.id]
    assert {(d.change, (d.other or "")[-3:]): (cause(d).reason, cause(d).run_id) for d in moved} == {
        ("added", "new"): ("renamed", "r2"),
        ("removed", "old"): ("renamed", "r2"),
    }


def test_names_that_a_symlink_joined_name_the_run_that_told_it() -> None:
    link = {"symlinks": {"identifiers": [{"namespace": "warehouse", "name": "table_a", "type": "TABLE"}]}}
    lx = Lineage(
        loaded(
            run_event("r1", at=day(1), inputs=["a"], outputs=["b"]),
            run_event("r5", at=day(5), inputs=[("a", link)], outputs=["b"]),
        )
    )
    [d] = [d for d in changes(lx, 1, 6) if d.detail == "names"]
    assert (cause(d).reason, cause(d).run_id) == ("run", "r5")


def test_a_declared_edge_ends_with_the_declaration_of_its_own_job() -> None:
    lx = Lineage(
        loaded(
            job_event("load", day(1), ["a", "c"], ["b"]),
            job_event("load", day(5), ["a"], ["b"], **CODE),
            job_event("other", day(5), ["x"], ["y"], sourceCodeLocation={"type": "git", "url": "u", "version": "no"}),
        )
    )
    [d] = [d for d in changes(lx, 1, 6) if d.what == "edge" and d.change == "removed" and d.kind == "lineage"]
    assert (cause(d).reason, cause(d).job, cause(d).producer) == ("redeclared", "job:warehouse:load", HERE)
    assert (cause(d).code or {})["version"] == "9e1a"


def test_a_deleted_schema_names_the_run_that_deleted_it() -> None:
    lx = Lineage(
        loaded(
            run_event("r1", at=day(1), outputs=[("b", {"schema": schema("x")})]),
            run_event("r5", "other", at=day(5), outputs=[("b", {"schema": {"_deleted": True}})]),
        )
    )
    [d] = [d for d in changes(lx, 1, 6) if d.what == "column"]
    assert (d.change, cause(d).reason, cause(d).run_id) == ("removed", "deleted", "r5")


def test_of_several_schemas_each_column_names_the_run_that_brought_or_took_it() -> None:
    schemas = (("x", "w"), ("x", "y", "w"), ("x", "y", "z"))
    events = [run_event(f"r{n}", at=day(n), outputs=[("b", {"schema": schema(*s)})]) for n, s in enumerate(schemas, 2)]
    found = {d.detail: cause(d).run_id for d in changes(Lineage(loaded(*events)), 2, 6) if d.what == "column"}
    assert found == {"y": "r3", "z": "r4", "w": "r4"}


def test_an_edge_that_one_of_two_jobs_no_longer_tells_names_what_ended_it() -> None:
    events = [run_event(f"r{n}", at=day(n), inputs=["a"] if n < 3 else ["c"], outputs=["b"]) for n in range(1, 7)]
    lx = Lineage(loaded(*events, run_event("s1", "second", at=day(1), inputs=["a"], outputs=["b"])))
    [d] = [d for d in changes(lx, 2, 7) if d.what == "edge" and d.kind == "lineage" and d.id.endswith(":a")]
    assert d.change == "changed" and d.after == "product; by job:warehouse:second"
    assert (cause(d).reason, cause(d).run_id) == ("not seen", "r3")


def test_edges_that_a_person_added_or_called_wrong_name_the_person() -> None:
    lx = Lineage(loaded(run_event("r1", at=day(1), inputs=["a"], outputs=["b"]), run_event("r2", outputs=["z"])))
    start = lx.view().known_at
    lx.edges.add(
        "dataset:warehouse:a", "dataset:warehouse:z", reason="copied by hand", since="2026-01-01", actor=Actor("ada")
    )
    lx.edges.remove("dataset:warehouse:a", "dataset:warehouse:b", reason="never read", actor=Actor("eve"))
    middle = lx.view().known_at
    lx.edges.remove("dataset:warehouse:a", "dataset:warehouse:z", reason="no longer", actor=Actor("bob"))
    end = lx.view().known_at

    def edges(one: Any, two: Any) -> set[tuple[str, str, str, str | None]]:
        answer = lx.diff("2026-02-01", "2026-02-01", known_from=one, known_to=two)
        return {
            (d.change, (d.other or "")[-1], cause(d).reason, cause(d).by)
            for d in answer.changes
            if d.kind == "lineage" and d.what == "edge"
        }

    assert edges(start, middle) == {("added", "z", "manual", "ada"), ("removed", "b", "refuted", "eve")}
    assert edges(middle, end) == {("removed", "z", "taken back", "bob")}


def test_another_domain_names_its_file_and_who_applied_it(tmp_path: Path) -> None:
    store = loaded(run_event("r1", at=day(1), inputs=["a"], outputs=["b"]))
    lx = Lineage(store)
    (tmp_path / "domains").mkdir()
    for patterns, who, since in (("[z]", "eve", 3), ("[b]", "ada", 5)):
        text = f"name: sales\npatterns: {patterns}\nvalid_from: 2026-01-0{since}\n"
        (tmp_path / "domains" / "sales.yaml").write_text(text)
        apply(store, tmp_path, actor=Actor(who))
    found = [d for d in lx.diff("2026-01-02").changes if d.detail == "domain"]
    assert [(d.id[-1], d.before, d.after) for d in found] == [("b", "unassigned", "sales")]
    assert (cause(found[0]).reason, cause(found[0]).by) == ("declared", "ada")
    assert (cause(found[0]).file or "").endswith("domains/sales.yaml")


def test_a_domain_begins_when_its_file_says_and_one_without_a_date_was_always_there(tmp_path: Path) -> None:
    lx = Lineage(loaded(run_event("r1", at=day(1), inputs=["raw"], outputs=["orders"])))
    folder = tmp_path / "domains"
    folder.mkdir()
    (folder / "sales.yaml").write_text("name: sales\nvalid_from: 2026-03-01\npatterns: [orders]\n")
    (folder / "bi.yaml").write_text("name: bi\npatterns: [raw]\n")
    apply(lx.store, tmp_path, actor=Actor("ann"))
    before, after = "2026-02-28T12:00:00Z", "2026-03-01T12:00:00Z"
    (change,) = [d for d in lx.diff(before, after).changes if d.detail == "domain"]
    assert (change.id.rpartition(":")[2], change.before, change.after) == ("orders", "unassigned", "sales")
    assert (cause(change).by, cause(change).file) == ("ann", "domains/sales.yaml")
    assert str(cause(change).at) == "2026-03-01 00:00:00"
    assert {lx.show(name, as_of=before).domain for name in ("raw", "orders")} == {"bi", "unassigned"}
    (folder / "bi.yaml").write_text("name: bi\npatterns: [raw]\ntitle: BI\n")
    apply(lx.store, tmp_path, actor=Actor("ann"))
    assert lx.show("raw", as_of=before).domain == "bi"  # its first version has an end now, and still no date
    eve = Actor("eve", hidden_domains={"sales"})
    assert lx.show(change.id, as_of=before, actor=eve).hidden


def test_what_was_learned_otherwise_names_the_event_that_taught_it() -> None:
    store = loaded(
        run_event("r1", at=day(1), inputs=["a", "c"], outputs=["b"]),
        *(run_event(f"r{n}", at=day(n), inputs=["a"], outputs=["b"]) for n in (4, 5, 6)),
        one_by_one=True,
    )
    knowns = [row[0] for row in store.rows("SELECT received_at FROM event ORDER BY received_at")]
    lx = Lineage(store)
    found = [
        d
        for d in lx.diff("2026-01-09", "2026-01-09", known_from=knowns[0], known_to=knowns[-1]).changes
        if d.what == "edge" and d.kind == "lineage" and d.change == "removed"
    ]
    assert [(d.id[-1], cause(d).reason, cause(d).run_id) for d in found] == [("c", "not seen", "r4")]


def test_a_cause_at_a_hidden_job_says_no_more_than_that() -> None:
    lx = Lineage(
        loaded(
            run_event("r1", at=day(1), inputs=["a"], outputs=["b"]),
            run_event("secret-run", "secretjob", at=day(5), outputs=[("b", DROP)], job_facets={
                **CODE, "tags": {"tags": [{"key": "domain", "value": "vault"}]}}, producer=ELSEWHERE),
        )
    )  # fmt: skip
    with lx.store.transaction() as cursor:
        cursor.execute(
            "INSERT INTO domain SELECT 'vault', NULL, NULL, NULL, '[]', '', '', '', '', TIMESTAMP '2020-01-01', "
            "TIMESTAMP '9999-12-31', TIMESTAMP '2020-01-01', TIMESTAMP '9999-12-31'"
        )
        bump_version(cursor)
    answer = lx.diff("2026-01-02", "2026-01-06", actor=Actor("x", hidden_domains=frozenset({"vault"})))
    assert any(d.change == "removed" for d in answer.changes)
    for secret in ("secretjob", "secret-run", "9e1a", ELSEWHERE):
        assert secret not in str(to_json(answer))


@pytest.mark.parametrize(("start", "end"), [(1, 4), (2, 8), (4, 12), (1, 12)])
def test_every_difference_has_a_cause_that_lies_between_the_two_times(start: int, end: int) -> None:
    link = {"symlinks": {"identifiers": [{"namespace": "warehouse", "name": "t", "type": "TABLE"}]}}
    lx = Lineage(
        loaded(
            run_event("r1", at=day(1), inputs=["a", "c"], outputs=[("b", {"schema": schema("x")})]),
            run_event("r2", at=day(2), inputs=["a"], outputs=[("b", {"schema": schema("x", "y")})]),
            *(run_event(f"r{n}", at=day(n), inputs=["a"], outputs=["b"]) for n in (3, 4, 5)),
            run_event("s3", "down", at=day(3), inputs=["b"], outputs=[("d", link)]),
            run_event("m6", "mover", at=day(6), outputs=[("e", rename("d"))]),
            run_event("z7", "clean", at=day(7), outputs=[("b", DROP)]),
            job_event("said", day(3), ["e"], ["f"]),
            job_event("said", day(9), [], ["g"]),
            dataset_event("f", day(10), **DROP),
            run_event("n11", "again", at=day(11), inputs=["a"], outputs=["b"]),
        )
    )
    answer = lx.diff(f"2026-01-{start:02d}T12:00:00Z", f"2026-01-{end:02d}T12:00:00Z")
    assert answer.changes
    for d in answer.changes:
        at = cause(d).at
        assert at is not None and answer.from_time < at <= answer.to_time, d
        assert cause(d).producer == HERE, d
