"""The examples of docs/semantics.md, asked end to end: events in, answers out."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

import lineage
from ingest.writer import Writer
from lineage.answers import Answer
from lineage.engine import Lineage
from lineage.errors import UnknownNodeError
from lineage.store import Store
from tests.ingest.build import NS, column_lineage, dataset_event, job_event, loaded, run_event


def engine(*events: bytes) -> Lineage:
    """An engine over a store in memory with these events."""
    return lineage.open(loaded(*events))


def found(answer: Answer, kind: str | None = None) -> dict[str, tuple[int, str]]:
    """Hops and certainty of each node of an answer, by its short name."""
    return {
        node.id.rpartition(":")[2]: (node.hops, node.certainty)
        for node in answer.nodes
        if kind is None or node.kind == kind
    }


def node(name: str, kind: str = "dataset") -> str:
    return f"{kind}:{NS}:{name}"


# -- events


def test_what_was_meant_as_an_event_is_quarantined_and_what_was_not_is_skipped(tmp_path: Path) -> None:
    from ingest.sources import files

    (tmp_path / "template.json").write_text('{"eventType": "START", "eventTime": "{{ now }}"}')
    (tmp_path / "dbt_project.json").write_text('{"name": "my-project", "version": 2}')
    sources, missing = files.find([str(tmp_path)])
    assert missing == []
    with Store.open(":memory:") as store:
        outcomes = [Writer(store).ingest(batch, source="test") for batch in files.batches_of(sources, lambda _: None)]
        assert sum(outcome.quarantined for outcome in outcomes) == 1
        assert sum(outcome.read for outcome in outcomes) == 1
    assert [Path(source.name).name for source in sources if source.skipped] == ["dbt_project.json"]


def test_a_lower_case_event_type_is_understood_and_noted() -> None:
    store = loaded(run_event(kind="complete", inputs=["a"], outputs=["b"]))
    assert store.rows("SELECT state FROM run WHERE known_to = '9999-12-31'") == [("COMPLETE",)]
    assert "complete" in str(store.rows("SELECT notes FROM event"))


def test_a_late_start_does_not_open_a_complete_run_again() -> None:
    lx = engine(
        run_event(at="2026-01-01T10:05:00Z", kind="COMPLETE", outputs=["a"]),
        run_event(at="2026-01-01T10:00:00Z", kind="START"),
    )
    (run,) = lx.show(node("load", "job")).runs
    assert run.state == "COMPLETE"
    assert run.started_at == datetime(2026, 1, 1, 10, 0)  # noqa: DTZ001 - naive UTC


# -- identity


def test_only_the_split_that_exists_is_meant() -> None:
    event = json.loads(run_event(outputs=["x"]))
    event["outputs"] = [{"namespace": "postgres://db:5432", "name": "shop.orders"}]
    lx = engine(json.dumps(event).encode())
    assert lx.show("dataset:postgres://db:5432:shop.orders").namespace == "postgres://db:5432"


def test_two_splits_that_exist_are_candidates() -> None:
    event = json.loads(run_event(outputs=["x"]))
    event["outputs"] = [{"namespace": "a", "name": "b:c"}, {"namespace": "a:b", "name": "c"}]
    lx = engine(json.dumps(event).encode())
    with pytest.raises(UnknownNodeError) as caught:
        lx.impact("dataset:a:b:c")
    assert caught.value.ambiguous
    assert caught.value.exit_code == 2


def test_any_unique_end_of_a_name_finds_the_node() -> None:
    lx = engine(run_event(outputs=["shop.public.orders"]))
    texts = ["orders", "public.orders", "shop.public.orders", node("shop.public.orders")]
    assert {lx.show(text).id for text in texts} == {node("shop.public.orders")}


def test_one_table_with_two_names_is_one_node_of_every_answer() -> None:
    link = {"symlinks": {"identifiers": [{"namespace": "hive", "name": "sales.orders", "type": "TABLE"}]}}
    read = json.loads(run_event(run="r2", job="read", outputs=["report"]))
    read["inputs"] = [{"namespace": "hive", "name": "sales.orders"}]
    lx = engine(run_event(inputs=["source"], outputs=[("path/orders", link)]), json.dumps(read).encode())
    answer = lx.impact(node("source"))
    assert found(answer, "dataset") == {"sales.orders": (1, "probable"), "report": (2, "probable")}
    assert next(entry.aliases for entry in answer.nodes if entry.hops == 1 and entry.kind == "dataset") == (
        node("path/orders"),
    )


# -- two clocks


def test_the_past_can_be_asked_as_it_was_and_as_it_was_believed_to_be() -> None:
    with Store.open(":memory:") as store:
        writer = Writer(store)
        early = datetime(2026, 2, 1)  # noqa: DTZ001 - naive UTC
        late = datetime(2026, 3, 9)  # noqa: DTZ001
        writer.ingest(
            [run_event(run="r0", job="other", at="2026-02-01T00:00:00Z", outputs=["A"])], source="t", received_at=early
        )
        writer.ingest([run_event(at="2026-03-01T00:00:00Z", inputs=["A"], outputs=["B"])], source="t", received_at=late)
        lx = lineage.open(store)
        assert found(lx.impact(node("A"), as_of="2026-03-05"), "dataset") == {"B": (1, "probable")}
        assert found(lx.impact(node("A"), as_of="2026-03-05", known_at="2026-03-05")) == {}
        assert found(lx.impact(node("A"), as_of="2026-02-20")) == {}


# -- edges


def test_an_input_without_column_lineage_stays_as_a_probable_edge() -> None:
    columns = {"columnLineage": column_lineage({"total": [("orders", "amount")]})}
    lx = engine(run_event(inputs=["orders", "customers"], outputs=[("report", columns)]))
    assert found(lx.impact(node("orders")), "dataset") == {"report": (1, "certain")}
    assert found(lx.impact(node("customers")), "dataset") == {"report": (1, "probable")}


def test_pairs_that_the_producer_ruled_out_are_not_recreated_through_the_job() -> None:
    def entry(source: str, target: str) -> dict[str, object]:
        return {
            "type": "DATASET",
            "namespace": NS,
            "name": target,
            "inputs": [{"type": "DATASET", "namespace": NS, "name": source}],
        }

    explicit = {"lineage": {"entries": [entry("a", "x"), entry("b", "y")]}}
    lx = engine(run_event(inputs=["a", "b"], outputs=["x", "y"], job_facets=explicit))
    assert found(lx.impact(node("a"))) == {"x": (1, "certain"), "load": (1, "certain")}


def test_hops_count_the_shortest_way_and_the_path_shows_the_most_certain_one() -> None:
    def copy(source: str) -> dict[str, object]:
        return {"columnLineage": column_lineage({"v": [(source, "v")]})}

    lx = engine(
        run_event(run="r1", job="guess", inputs=["orders"], outputs=["report"]),
        run_event(run="r2", job="one", inputs=["orders"], outputs=[("staging", copy("orders"))]),
        run_event(run="r3", job="two", inputs=["staging"], outputs=[("report", copy("staging"))]),
    )
    report = next(entry for entry in lx.impact(node("orders")).nodes if entry.id == node("report"))
    assert (report.hops, report.certainty) == (1, "certain")
    assert report.path == (node("orders"), node("staging"), node("report"))


def test_a_path_is_as_certain_as_its_weakest_edge() -> None:
    columns = {"columnLineage": column_lineage({"v": [("orders", "v")]})}
    lx = engine(
        run_event(run="r1", job="one", inputs=["orders"], outputs=[("staging", columns)]),
        run_event(run="r2", job="two", inputs=["staging"], outputs=["report"]),
    )
    assert found(lx.impact(node("orders")), "dataset") == {"staging": (1, "certain"), "report": (2, "probable")}


def monthly(days: int, last: bool) -> list[bytes]:
    """A job that reads targets on its first day, and on the last one if so; sales on every day."""
    events = []
    for day in range(days):
        extra = ["targets"] if day == 0 or (last and day == days - 1) else []
        at = f"2026-01-{day + 1:02}T00:00:00Z"
        events.append(run_event(run=f"r{day}", at=at, inputs=["sales", *extra], outputs=["report"]))
    return events


def test_an_edge_that_one_complete_run_misses_is_stale_and_three_end_it() -> None:
    assert found(engine(*monthly(1, False)).impact(node("targets")), "dataset") == {"report": (1, "probable")}
    for days in (2, 3):
        assert found(engine(*monthly(days, False)).impact(node("targets")), "dataset") == {"report": (1, "stale")}
    ended = engine(*monthly(4, False))
    assert found(ended.impact(node("targets")), "dataset") == {}
    assert found(ended.impact(node("targets"), as_of="2026-01-01T12:00:00Z"), "dataset") == {"report": (1, "probable")}


def test_an_edge_that_comes_back_has_two_intervals() -> None:
    lx = engine(*monthly(6, True))
    assert found(lx.impact(node("targets")), "dataset") == {"report": (1, "probable")}
    assert found(lx.impact(node("targets"), as_of="2026-01-03"), "dataset") == {}


def test_failed_and_one_sided_runs_say_nothing_about_absence() -> None:
    lx = engine(
        run_event(run="r0", at="2026-01-01T00:00:00Z", inputs=["a"], outputs=["b"]),
        *(run_event(run=f"f{n}", at=f"2026-01-0{n}T00:00:00Z", kind="FAIL", inputs=["c"]) for n in range(2, 6)),
        *(run_event(run=f"o{n}", at=f"2026-01-1{n}T00:00:00Z") for n in range(2, 6)),
    )
    assert found(lx.impact(node("a")), "dataset") == {"b": (1, "probable")}


def test_a_self_loop_is_shown_and_is_no_impact() -> None:
    lx = engine(run_event(inputs=["t"], outputs=["t"]))
    assert found(lx.impact(node("t")), "dataset") == {}
    assert lx.picture(node("t")).nodes[0].self_loop


# -- runs and answers


def test_a_row_count_is_the_last_one_of_the_run() -> None:
    def rows(number: int) -> tuple[str, dict[str, object]]:
        return ("t", {"outputFacets": {"outputStatistics": {"rowCount": number}}})

    store = loaded(
        run_event(at="2026-01-01T10:00:00Z", kind="START", outputs=[rows(0)]),
        run_event(at="2026-01-01T10:01:00Z", kind="RUNNING", outputs=[rows(500)]),
        run_event(at="2026-01-01T10:02:00Z", kind="COMPLETE", outputs=[rows(1000)]),
    )
    assert store.rows("SELECT row_count FROM run_io WHERE known_to = '9999-12-31'") == [(1000,)]


def test_a_job_counts_as_its_outputs() -> None:
    lx = engine(
        run_event(run="r1", job="load", inputs=["a"], outputs=["b"]),
        run_event(run="r2", job="build", inputs=["b"], outputs=["c"]),
    )
    hops = {name: hops for name, (hops, _) in found(lx.impact(node("a"))).items()}
    assert hops == {"b": 1, "load": 1, "c": 2, "build": 2}
    hops = {name: hops for name, (hops, _) in found(lx.impact(node("load", "job"))).items()}
    assert hops == {"b": 0, "build": 1, "c": 1}


def test_no_impact_blindness_and_an_unknown_node_are_three_answers() -> None:
    lx = engine(
        run_event(run="r1", job="load", inputs=["a"], outputs=["b"]),
        run_event(run="r2", job="dark", inputs=["c"]),
    )
    assert lx.impact(node("b")).verdict == "none"
    blind = lx.impact(node("c"))
    assert blind.verdict == "blind" or blind.blind_spots
    with pytest.raises(UnknownNodeError) as caught:
        lx.impact(node("nowhere"))
    assert caught.value.exit_code == 2


def test_a_declaration_holds_until_the_next_one() -> None:
    lx = engine(
        job_event(at="2026-01-01T00:00:00Z", inputs=["a"], outputs=["b"]),
        job_event(at="2026-02-01T00:00:00Z", inputs=["c"], outputs=["b"]),
        dataset_event("a"),
    )
    assert found(lx.impact(node("a"), as_of="2026-01-15"), "dataset") == {"b": (1, "certain")}
    assert found(lx.impact(node("a"), as_of="2026-02-15"), "dataset") == {}
    assert found(lx.impact(node("c"), as_of="2026-02-15"), "dataset") == {"b": (1, "certain")}


def test_what_was_read_before_and_is_not_any_more_has_no_impact_and_is_no_blind_spot() -> None:
    day = "2026-01-0{}T00:00:00Z"
    runs = [run_event(str(i), at=day.format(i), inputs=["a"], outputs=["c"]) for i in (2, 3, 4)]
    lx = engine(run_event("1", at=day.format(1), inputs=["a", "b"], outputs=["c"]), *runs)
    answer = lx.impact(node("b"))
    assert (answer.verdict, answer.blind_spots) == ("none", ())


def test_a_dropped_output_does_not_make_its_writer_one_that_never_wrote() -> None:
    drop = {"lifecycleStateChange": {"lifecycleStateChange": "DROP"}}
    lx = engine(run_event(inputs=["a"], outputs=["b"]), dataset_event("b", at="2026-01-05T00:00:00Z", **drop))
    assert lx.impact(node("a")).blind_spots == ()
    assert lx.impact(node("load", "job")).blind_spots == ()


def test_a_table_whose_writer_left_is_not_one_that_nobody_ever_wrote() -> None:
    day = "2026-01-0{}T00:00:00Z"
    runs = [run_event(str(i), at=day.format(i), inputs=["a"], outputs=["c"]) for i in (2, 3, 4)]
    lx = engine(run_event("1", at=day.format(1), inputs=["a"], outputs=["b"]), *runs)
    answer = lx.provenance(node("b"))
    assert answer.verdict == "blind"
    assert answer.blind_spots == (f"{node('b')}: nobody is seen writing it since 2026-01-02T00:00:00Z",)
    assert answer.coverage.datasets_without_writer == (node("b"),)
    assert answer.coverage.datasets_whose_writer_left == (node("b"),)


def test_coverage_tells_a_writer_that_left_from_one_that_never_was_at_the_instant_asked_for() -> None:
    day = "2026-01-0{}T00:00:00Z"
    runs = [run_event(str(i), at=day.format(i), inputs=["a"], outputs=["x"]) for i in (2, 3, 4)]
    reader = run_event("r", at=day.format(1), job="mix", inputs=["b", "never"], outputs=["c"])
    lx = engine(run_event("1", at=day.format(1), inputs=["a"], outputs=["b"]), *runs, reader)

    def coverage(as_of: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        told = lx.provenance(node("c"), as_of=as_of).coverage
        return told.datasets_without_writer, told.datasets_whose_writer_left

    assert coverage(None) == ((node("b"), node("never")), (node("b"),))
    assert coverage("2026-01-01T12:00:00Z") == ((node("a"), node("never")), ())  # it was written then


def test_a_path_says_of_a_dataset_whose_writer_left_that_it_has_left() -> None:
    day = "2026-01-0{}T00:00:00Z"
    columns = {"columnLineage": {"fields": {"y": {"inputFields": [{"namespace": NS, "name": "b", "field": "x"}]}}}}
    runs = [run_event(str(i), at=day.format(i), inputs=["a"], outputs=["x"]) for i in (2, 3, 4)]
    lx = engine(
        run_event("1", at=day.format(1), inputs=["a"], outputs=["b"]),
        *runs,
        run_event("r", at=day.format(1), job="mix", inputs=["b"], outputs=[("c", columns)]),
        run_event("d", at=day.format(1), job="dark", inputs=["z"]),
    )
    answer = lx.path(node("z"), f"column:{NS}:c:y")
    assert answer.verdict == "blind"
    assert f"{node('b')}: nobody is seen writing it since 2026-01-02T00:00:00Z" in answer.reasons


def test_a_job_that_was_told_where_its_data_comes_from_is_no_blind_spot() -> None:
    entry = {"namespace": NS, "name": "c", "type": "DATASET", "inputs": []}
    lx = engine(run_event(outputs=["c"], job_facets={"lineage": {"entries": [entry]}}))
    assert lx.provenance(node("c")).blind_spots == ()
    handed = {"type": "JOB", "inputs": [{"namespace": NS, "name": "first", "type": "JOB"}]}
    lx = engine(run_event(outputs=["c"], job_facets={"lineage": {"entries": [handed]}}), run_event("r2", job="first"))
    assert not any("load" in spot for spot in lx.provenance(node("c")).blind_spots)


def test_a_facet_in_its_general_place_goes_before_the_same_in_another() -> None:
    def owner(name: str) -> dict[str, object]:
        return {"ownership": {"owners": [{"name": name}]}}

    lx = engine(run_event(outputs=[("b", {**owner("team:general"), "outputFacets": owner("team:other")})]))
    assert lx.show(node("b")).owner == "team:general"
