"""Provenance down to runs: exact runs and versions, secrets masked, and everything that cannot be known listed."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from lineage import cli
from lineage.actor import Actor
from lineage.answers import to_json
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.redact import redact
from lineage.run_trail import RunTrail
from lineage.store import Store
from lineage.times import iso
from tests.answers.builder import World, at
from tests.answers.test_api import client_of
from tests.ingest.build import column_lineage, loaded, run_event

SQL = "create table b as select * from a -- password='hunter2'"


def hour(n: int, minute: int = 0) -> str:
    return f"2026-01-01T{n:02d}:{minute:02d}:00Z"


def version(name: str, number: str) -> tuple[str, dict[str, Any]]:
    return name, {"version": {"datasetVersion": number}}


def ran(run: str, job: str, begin: int, end: int, inputs: Any, outputs: Any, **facets: Any) -> tuple[bytes, bytes]:
    """A run that begins and completes at full hours."""
    common = {"job": job, "inputs": inputs, "outputs": outputs, **facets}
    return (
        run_event(run, at=hour(begin), kind="START", **common),
        run_event(run, at=hour(end), kind="COMPLETE", **common),
    )


def short(trail: RunTrail) -> list[tuple[str, str, list[str]]]:
    """(dataset, run, [input@run tie]) of each step."""
    return [
        (
            s.dataset.removeprefix("dataset:warehouse:"),
            s.run_id,
            [f"{i.dataset.removeprefix('dataset:warehouse:')}@{i.run_id} {i.tie}" for i in s.inputs],
        )
        for s in trail.steps
    ]


def test_each_version_is_tied_to_the_newest_write_before_its_reader_began() -> None:
    lx = Lineage(
        loaded(
            *ran("x1", "extract", 1, 2, [], ["a"]),
            *ran("t1", "transform", 3, 4, ["a"], ["b"]),
            *ran("x2", "extract", 5, 6, [], ["a"]),
            *ran("t2", "transform", 7, 9, ["a"], ["b"]),
            *ran("x3", "extract", 7, 8, [], ["a"]),  # too late for t2, which had begun
        )
    )
    assert short(lx.run_provenance("b")) == [("b", "t2", ["a@x2 time"]), ("a", "x2", [])]
    assert short(lx.run_provenance("b", as_of=hour(8))) == [("b", "t1", ["a@x1 time"]), ("a", "x1", [])]


def test_a_version_that_the_reader_names_beats_time() -> None:
    lx = Lineage(
        loaded(
            *ran("x1", "extract", 1, 2, [], [version("a", "v1")]),
            *ran("x2", "extract", 3, 4, [], [version("a", "v2")]),
            *ran("t1", "transform", 5, 6, [version("a", "v1")], [version("b", "b7")]),
        )
    )
    trail = lx.run_provenance("b")
    assert short(trail) == [("b", "t1", ["a@x1 version"]), ("a", "x1", [])]
    assert [s.version for s in trail.steps] == ["b7", "v1"]


def test_a_named_version_that_nobody_wrote_is_tied_to_none_and_listed() -> None:
    lx = Lineage(
        loaded(
            *ran("x1", "extract", 1, 2, [], [version("a", "v1")]),
            *ran("t1", "transform", 5, 6, [version("a", "v0")], ["b"]),
        )
    )
    trail = lx.run_provenance("b")
    assert short(trail) == [("b", "t1", ["a@None none"])]
    assert trail.blind_spots == (
        "dataset:warehouse:a: run t1 of job:warehouse:transform read version v0, which no known run wrote",
    )


def test_code_sql_producer_and_times_are_those_of_the_very_run_and_secrets_are_masked() -> None:
    def code(v: str) -> dict[str, Any]:
        return {
            "sql": {"query": SQL},
            "sourceCodeLocation": {"type": "git", "url": "https://u:p4ss@git/x", "version": v},
        }

    lx = Lineage(
        loaded(
            *ran("t1", "transform", 1, 2, ["a"], ["b"], job_facets=code("1111")),
            *ran("t2", "transform", 3, 4, ["a"], ["b"], job_facets=code("2222")),
        )
    )
    step = lx.run_provenance("b", as_of=hour(2, 30)).steps[0]
    assert step.code == {"type": "git", "url": "https://u:***@git/x", "version": "1111"}
    assert step.sql == SQL.replace("hunter2", "***")
    assert step.sql_hash == hashlib.sha256(redact(SQL).encode()).hexdigest()
    assert (iso(step.started_at), iso(step.ended_at), step.state) == (hour(1), hour(2), "COMPLETE")
    assert step.producer == "https://example.com/tests"
    assert lx.run_provenance("b").steps[0].code == {**step.code, "version": "2222"}


def test_what_a_run_did_not_tell_of_its_code_is_what_was_last_told_of_its_job() -> None:
    code = {"sourceCodeLocation": {"type": "git", "url": "https://git/x", "version": "1111"}}
    lx = Lineage(
        loaded(
            *ran("t1", "transform", 1, 2, ["a"], ["b"], job_facets=code),
            *ran("t2", "transform", 3, 4, ["a"], ["b"]),
        )
    )
    old, new = lx.run_provenance("b", as_of=hour(2)).steps[0], lx.run_provenance("b").steps[0]
    assert (old.told_by, new.told_by) == ("run", "job")
    assert old.code == new.code == code["sourceCodeLocation"]


def test_of_a_column_only_what_its_edges_name_is_followed() -> None:
    told = column_lineage({"x": [("a", "x")], "y": [("c", "y")]})
    lx = Lineage(
        loaded(
            *ran("x1", "ea", 1, 2, [], ["a"]),
            *ran("c1", "ec", 1, 2, [], ["c"]),
            *ran("t1", "transform", 3, 4, ["a", "c"], [("b", {"columnLineage": told})]),
        )
    )
    trail = lx.run_provenance("b", column="x")
    assert short(trail)[0] == ("b", "t1", ["a@x1 time"])
    assert [(u.src, u.dst) for u in trail.steps[0].inputs[0].columns] == [
        ("column:warehouse:a:x", "column:warehouse:b:x")
    ]
    assert trail.blind_spots == ("dataset:warehouse:a: run x1 of job:warehouse:ea told of nothing that it read",)


def test_a_run_without_column_lineage_is_a_blind_spot_of_a_column() -> None:
    lx = Lineage(loaded(*ran("t1", "transform", 3, 4, ["a"], [("b", {"schema": {"fields": [{"name": "x"}]}})])))
    trail = lx.run_provenance("b", column="x")
    assert short(trail) == [("b", "t1", [])]
    assert trail.blind_spots == ("dataset:warehouse:b: run t1 of job:warehouse:transform told no columns",)


def test_transformation_types_stand_with_the_columns() -> None:
    told = {"fields": {"x": {"inputFields": [
        {"namespace": "warehouse", "name": "a", "field": "x",
         "transformations": [{"type": "DIRECT", "subtype": "AGGREGATION", "masking": True}]},
    ]}}}  # fmt: skip
    lx = Lineage(loaded(*ran("t1", "transform", 3, 4, ["a"], [("b", {"columnLineage": told})])))
    use = lx.run_provenance("b").steps[0].inputs[0].columns[0]
    assert (use.type, use.subtype, use.masking) == ("DIRECT", "AGGREGATION", True)


def test_a_table_made_from_itself_goes_back_version_by_version_and_ends() -> None:
    runs = [ran(f"r{n}", "append", n, n + 1, ["t"], ["t"]) for n in range(1, 9, 2)]
    lx = Lineage(loaded(*(event for pair in runs for event in pair)))
    assert [s.run_id for s in lx.run_provenance("t").steps] == ["r7", "r5", "r3", "r1"]
    cut = lx.run_provenance("t", depth=1)
    assert [s.run_id for s in cut.steps] == ["r7", "r5"] and cut.partial and cut.behind == 1
    few = lx.run_provenance("t", limit=3)
    assert len(few.steps) == 3 and few.partial and few.behind == 1


def test_a_circle_of_two_runs_that_overlap_ends() -> None:
    same = {"at": hour(1)}
    lx = Lineage(
        loaded(
            run_event("r1", job="j", inputs=["a"], outputs=["b"], **same),
            run_event("r2", job="k", inputs=["b"], outputs=["a"], **same),
        )
    )
    assert {s.run_id for s in lx.run_provenance("b").steps} == {"r1", "r2"}


def test_what_an_explicit_facet_ruled_out_does_not_come_back() -> None:
    entries = [
        {"namespace": "warehouse", "name": name, "type": "DATASET",
         "inputs": [{"namespace": "warehouse", "name": source, "type": "DATASET"}]}
        for name, source in (("x", "a"), ("y", "b"))
    ]  # fmt: skip
    events = ran("r1", "copy", 1, 2, ["a", "b"], ["x", "y"], job_facets={"lineage": {"entries": entries}})
    assert short(Lineage(loaded(*events)).run_provenance("x")) == [("x", "r1", ["a@None none"])]


@pytest.mark.parametrize(
    ("extra", "spot"),
    [
        ([], "dataset:warehouse:a: no job was ever seen writing it"),
        (ran("late", "extract", 8, 9, [], ["a"]), "no complete run was seen writing it before 2026-01-01T03:00:00Z"),
        (
            [run_event("open", job="extract", at=hour(1), kind="START", outputs=["a"])],
            "a run that wrote it had not ended at 2026-01-01T03:00:00Z",
        ),
        (
            [
                run_event(
                    "s", job="stream", at=hour(1), kind="RUNNING", outputs=["a"],
                    job_facets={"jobType": {"processingType": "STREAMING", "integration": "FLINK", "jobType": "JOB"}},
                )
            ],
            "dataset:warehouse:a: is written by a stream, so it has no version of its own",
        ),
        (
            ran("d", "drop", 1, 2, [], [("a", {"lifecycleStateChange": {"lifecycleStateChange": "DROP"}})]),
            "dataset:warehouse:a: was dropped at 2026-01-01T02:00:00Z",
        ),
    ],
    ids=["no writer", "too late", "not ended", "stream", "dropped"],
)  # fmt: skip
def test_what_cannot_be_known_of_an_input_is_a_blind_spot(extra: Any, spot: str) -> None:
    trail = Lineage(loaded(*extra, *ran("t1", "transform", 3, 4, ["a"], ["b"]))).run_provenance("b")
    assert any(spot in one for one in trail.blind_spots), trail.blind_spots


def test_a_run_whose_producer_could_not_read_all_of_it_is_a_blind_spot() -> None:
    gap = {"extractionError": {"totalTasks": 3, "failedTasks": 1, "errors": [{"errorMessage": "x"}]}}
    trail = Lineage(loaded(*ran("t1", "transform", 1, 2, ["a"], ["b"], run_facets=gap))).run_provenance("b")
    assert (
        "run t1 of job:warehouse:transform: lineage is incomplete, 1 of 3 parts could not be read" in trail.blind_spots
    )


def test_a_run_that_failed_made_no_version() -> None:
    failed = run_event("t2", job="transform", at=hour(5), kind="FAIL", inputs=["a"], outputs=["b"])
    lx = Lineage(loaded(*ran("t1", "transform", 1, 2, ["a"], ["b"]), failed))
    assert lx.run_provenance("b").steps[0].run_id == "t1"


def test_a_dataset_that_no_run_wrote_is_blind() -> None:
    trail = Lineage(loaded(*ran("t1", "transform", 1, 2, ["a"], ["b"]))).run_provenance("a")
    assert (trail.verdict, trail.steps) == ("blind", ())
    assert trail.blind_spots == ("dataset:warehouse:a: no job was ever seen writing it",)


def test_of_a_job_it_is_its_last_run() -> None:
    lx = Lineage(loaded(*ran("t1", "j", 1, 2, ["a"], ["b"]), *ran("t2", "j", 3, 4, ["a"], ["b", "c"])))
    assert sorted((s.dataset[-1], s.run_id) for s in lx.run_provenance("job:warehouse:j").steps) == [
        ("b", "t2"),
        ("c", "t2"),
    ]


def test_names_of_one_dataset_are_one() -> None:
    link = {"symlinks": {"identifiers": [{"namespace": "warehouse", "name": "table_a", "type": "TABLE"}]}}
    lx = Lineage(
        loaded(*ran("x1", "extract", 1, 2, [], [("a", link)]), *ran("t1", "transform", 3, 4, ["table_a"], ["b"]))
    )
    assert short(lx.run_provenance("b")) == [("b", "t1", ["table_a@x1 time"]), ("table_a", "x1", [])]


def test_hidden_inputs_and_jobs_have_no_names(world: World) -> None:
    store = loaded(*ran("x1", "secret_job", 1, 2, [], ["a"]), *ran("t1", "transform", 3, 4, ["a"], ["b"],
                   job_facets={"sql": {"query": "select * from a_hidden_name"}}))  # fmt: skip
    hidden = World(_store=store)
    hidden.domain("hr", "a", "secret_job", valid_from=at("2020-01-01"))
    trail = Lineage(hidden.store).run_provenance("b", actor=Actor("x", hidden_domains=frozenset({"hr"})))
    text = str(to_json(trail))
    assert "hidden (domain hr)" in text
    assert not any(word in text for word in ("x1", "secret_job", "a_hidden_name", "warehouse:a'"))


def test_forms_say_the_same_and_options_that_do_not_fit_are_refused(tmp_path: Any, capsys: Any) -> None:
    store = loaded(*ran("x1", "extract", 1, 2, [], ["a"]), *ran("t1", "transform", 3, 4, ["a"], ["b"]))
    trail = Lineage(store).run_provenance("b")
    body = client_of(Lineage(store)).get("/api/v2/run-provenance", params={"node": "b"}).json()
    assert body["steps"] == to_json(trail.steps)
    assert trail.to_arrow().column("inputs").to_pylist() == [["dataset:warehouse:a @ x1"], []]
    assert trail.svg().count("<rect") == 2
    with pytest.raises(UsageError):
        Lineage(store).run_provenance("b", limit=0)
    with pytest.raises(UsageError):
        Lineage(store).run_provenance("b", depth=-1)
    Store.open(tmp_path / "x.duckdb").close()
    db = ["--db", str(tmp_path / "x.duckdb")]
    assert cli.run(["provenance", "b", "--runs", "--kind", "job", *db]) == 2
    assert "--kind does not go with --runs" in capsys.readouterr().err
    assert cli.run(["provenance", "b", "--runs", "--format", "mermaid", *db]) == 2


@pytest.mark.parametrize(
    "secret",
    [
        "CREATE USER u IDENTIFIED BY 'hunter2'",
        "COPY INTO t CREDENTIALS=(AWS_SECRET_KEY='hunter2')",
        "OPTIONS (password \"hunter2\", url 'x')",
        "'Server=db;Password=hunter2;Uid=x'",
        "postgres://ada:hunter2@db/shop",
        "WITH (api_key => 'hunter2')",
        '{"client_secret": "hunter2"}',
        "Authorization: Bearer hunter2hunter2",
    ],
)
def test_secrets_are_masked(secret: str) -> None:
    assert "hunter2" not in redact(secret) and "***" in redact(secret)


@pytest.mark.parametrize(
    "text",
    ["select password_hash from users", "join t on a.token = b.token", "where token_kind = 3", "select 'a' as x"],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_a_deep_chain_is_looked_up_in_few_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [
        line
        for day in range(2)
        for k in range(20)
        for line in ran(f"d{day}-{k}", f"job{k}", 1, 1, [f"t{k}"] if k else [], [f"t{k + 1}"])
    ]
    lx, goes = Lineage(loaded(*events)), []
    rows = Store.rows
    monkeypatch.setattr(Store, "rows", lambda *given: goes.append(given[1]) or rows(*given))
    trail = lx.run_provenance("t20")
    assert len(trail.steps) == 20
    assert sum("edge_set" in sql for sql in goes) <= 6, "1 + 2 + 4 + 8 + 16 steps"
