"""STORY.md asks; the command line answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lineage.cli import run
from sample_events import expected, load
from sample_events.datasets import DATASETS

STORY = (load.HERE / "STORY.md").read_text(encoding="utf-8")
POINTS: list[dict[str, Any]] = [json.loads(text) for text in re.findall(r"```json\n(.*?)\n```", STORY, re.DOTALL)]
Json = dict[str, Any]


def test_the_story_has_points_and_each_its_own_name() -> None:
    names = [point["id"] for point in POINTS]
    assert len(names) == len(set(names)) > 30


def test_the_commands_people_read_are_the_ones_that_are_tested() -> None:
    shown = re.findall(r"```sh\n(.*?)\n```", STORY, re.DOTALL)
    plain = [" ".join(word for word in point["command"] if word not in ("--format", "json")) for point in POINTS]
    assert [text.replace("'", "") for text in shown] == plain


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point["id"])
def test_the_engine_gives_the_answer_of_the_story(
    point: Json, sample_db: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MESHLINE_DB", str(sample_db))
    code = run(point["command"][1:])
    said = capsys.readouterr()
    expect = dict(point["expect"])
    assert code == expect.pop("exit", 0), said.err
    if code:
        candidates = expect.pop("candidates", None) or expect.pop("candidates_include")
        assert [c for c in candidates if c not in said.out + said.err] == []
        assert not expect
        return
    answer = json.loads(said.out)
    for key, value in expect.items():
        CHECKS.get(key, _same(key))(answer, value)


# --- what a point may expect ------------------------------------------------------------------------------------------
def _same(key: str) -> Callable[[Any, Any], None]:
    def check(answer: Json, value: Any) -> None:
        assert answer[key] == value

    return check


def _nodes(answer: Json, value: Json) -> None:
    kind = "column" if answer["node"].startswith("column:") else "dataset"
    found = {n["id"]: {"hops": n["hops"], "certainty": n["certainty"]} for n in answer["nodes"] if n["kind"] == kind}
    assert found == value


def _jobs(answer: Json, value: Json) -> None:
    assert {n["id"]: n["hops"] for n in answer["nodes"] if n["kind"] == "job"} == value


def _jobs_include(answer: Json, value: list[str]) -> None:
    assert set(value) <= {n["id"] for n in answer["nodes"] if n["kind"] == "job"}


def _paths(answer: Json, value: Json) -> None:
    paths = {n["id"]: n["path"] for n in answer["nodes"]}
    assert {node: paths[node] for node in value} == value


def _absent(answer: Json, value: list[str]) -> None:
    assert not {n["id"] for n in answer["nodes"]} & set(value)


def _last_run(answer: Json, value: Json) -> None:
    run = answer["runs"][0]
    wanted = dict(value)
    assert wanted.pop("error_contains", "") in (run["error"] or "")
    ended_on = wanted.pop("ended_on", None)
    if ended_on is not None:
        assert run["ended_at"][:10] == ended_on
    assert {key: run[key] for key in wanted} == wanted


def _runs_include(answer: Json, value: list[Json]) -> None:
    found = [{"run_id": run["run_id"], "state": run["state"]} for run in answer["runs"]]
    assert [run for run in value if run not in found] == []


def _columns(answer: Json, value: list[str]) -> None:
    assert [column["name"] for column in answer["columns"]] == value


def _column_types(answer: Json, value: Json) -> None:
    assert {column["name"]: column["type"] for column in answer["columns"]} == value


def _ids(key: str) -> Callable[[Any, Any], None]:
    def check(answer: Json, value: list[str]) -> None:
        assert sorted(ref["id"] for ref in answer[key]) == sorted(value)

    return check


def _rows(answer: Json, value: int) -> None:
    assert answer["metrics"]["rowCount"] == value


def _hits_include(answer: Any, value: list[str]) -> None:
    hits = answer["hits"] if isinstance(answer, dict) else answer
    assert set(value) <= {hit["id"] for hit in hits}


def _carried(answer: Json, value: Json) -> None:
    assert {row["tag"]: row["path"] for row in answer["found"]} == value


def _masked(answer: Json, value: list[list[str]]) -> None:
    assert [[stop["src"], stop["dst"]] for stop in answer["stopped"] if stop["why"] == "masked"] == value


def _causes(answer: Json, value: Json) -> None:
    assert {g["cause"]: sorted(node["id"] for node in g["explains"]) for g in answer["groups"]} == value


def _ranked(answer: Json, value: list[list[Any]]) -> None:
    assert [[row["id"], row["downstream"]] for row in answer["found"]] == value


def _totals(answer: Json, value: Json) -> None:
    found = {
        one["currency"]: {key: one[key] for key in ("billed", "allocated", "unallocated")}
        for one in answer["currencies"]
    }
    assert found == value


def _budget_states(answer: Json, value: Json) -> None:
    assert {one["name"]: one["state"] for one in answer["budgets"]} == value


def _anomalies(answer: Json, value: list[Json]) -> None:
    keys = ("day", "scope", "service", "observed")
    assert [{key: one[key] for key in keys} for one in answer["anomalies"]] == value


def _points(answer: Json, value: Json) -> None:
    lost = {check["name"]: round(check["lost"], 2) for check in answer["checks"] if check["lost"]}
    untested = [check["name"] for check in answer["checks"] if check["result"] is None]
    told = {"quality": round(answer["quality"], 2), "lost": lost, "untested": untested}
    assert {**told, "known": answer["known"], "expected": answer["expected"]} == value
    assert abs(sum(check["lost"] for check in answer["checks"]) - (100 - answer["score"])) < 1e-9


def _unread_include(answer: Json, value: list[Json]) -> None:
    found = [{key: one[key] for key in ("id", "currency", "own_per_month")} for one in answer["unread"]]
    assert [one for one in value if one not in found] == []


def _subsidies_include(answer: Json, value: list[list[str]]) -> None:
    found = [[one["payer"], one["user"]] for currency in answer["currencies"] for one in currency["subsidies"]]
    assert found[0] == value[0]
    assert [pair for pair in value if pair not in found] == []


def _broken(answer: Json, value: list[list[str]]) -> None:
    assert [[p["promise"], p["dataset"]] for p in answer["promises"] if p["verdict"] == "broken"] == value


def _readers(answer: Json, value: Json) -> None:
    assert {f"{c['name']} {c['version']}": c["readers"] for c in answer["contracts"]} == value


def _judged(answer: Json, value: Json) -> None:
    found = {
        one["change"]["place"]: [
            one["change"]["what"], one["change"]["consumer"], one["real"], one["finding"],
            [c["id"] for c in one["consumers"]],
        ]
        for one in answer["changes"]
    }  # fmt: skip
    assert found == value


def _hit(answer: Json, value: list[str]) -> None:
    near = {c["id"] for one in answer["changes"] for c in one["consumers"] if c["hops"] == 1 and c["kind"] == "dataset"}
    assert sorted(near) == sorted(value)


def _witnesses(answer: Json, value: Json) -> None:
    found = {
        policy: {one["subject"]: one["path"] for one in answer["violations"] if one["policy"] == policy}
        for policy in value
    }
    assert found == value


def _groups_of(answer: Json, value: Json) -> None:
    found = {
        policy: {one["cause"]: len(one["members"]) for one in answer["groups"] if one["policy"] == policy}
        for policy in value
    }
    assert found == value


def _overdue(answer: Json, value: list[list[str]]) -> None:
    found = [one for one in answer["violations"] if one["overdue"]]
    assert [[o["policy"], o["subject"], o["deadline"][:10], o["escalation"]] for o in found] == value


def _shadows(answer: Json, value: list[list[str]]) -> None:
    found = [[one[key] for key in ("src", "dst", "product", "domain")] for one in answer["shadow_edges"]]
    assert found == value


def _zombies(answer: Json, value: list[str]) -> None:
    assert [one["id"] for one in answer["grants"] if one["state"] == "holds" and not one["used"]] == value


def _expired_waivers(answer: Json, value: Json) -> None:
    found = {one["subject"]: one["expired_waiver"] for one in answer["findings"] if one["expired_waiver"]}
    assert found == value


CHECKS: dict[str, Callable[[Any, Any], None]] = {
    "nodes": _nodes,
    "jobs": _jobs,
    "jobs_include": _jobs_include,
    "paths": _paths,
    "absent": _absent,
    "last_run": _last_run,
    "runs_include": _runs_include,
    "columns": _columns,
    "column_types": _column_types,
    "rows": _rows,
    "upstream": _ids("upstream"),
    "writers": _ids("writers"),
    "hits_include": _hits_include,
    "totals": _totals,
    "points": _points,
    "budget_states": _budget_states,
    "anomalies": _anomalies,
    "unread_include": _unread_include,
    "subsidies_include": _subsidies_include,
    "carried": _carried,
    "masked": _masked,
    "causes": _causes,
    "ranked": _ranked,
    "broken": _broken,
    "readers": _readers,
    "judged": _judged,
    "hit": _hit,
    "witnesses": _witnesses,
    "groups_of": _groups_of,
    "overdue": _overdue,
    "shadows": _shadows,
    "zombies": _zombies,
    "expired_waivers": _expired_waivers,
}


# --- counted by hand, so that the answers are not only right by their own arithmetic ----------------------------------
def test_the_way_to_the_auditor_has_seven_steps() -> None:
    reached = expected.impact("src_orders")
    assert len(reached) == 18
    assert reached["rep_ifrs15"].paths == (
        (
            "src_orders",
            "topic_orders",
            "lake_orders",
            "raw_orders",
            "stg_orders",
            "fct_orders",
            "revenue_recognition",
            "rep_ifrs15",
        ),
    )


def test_the_email_reaches_eight_columns() -> None:
    reached = expected.impact(("src_customers", "email"))
    assert {node: r.hops for node, r in reached.items()} == {
        ("topic_customers", "email"): 1,
        ("lake_customers", "email"): 2,
        ("raw_customers", "email"): 3,
        ("stg_customers", "email"): 4,
        ("dim_customers", "email"): 5,
        ("customer_360", "email_hash"): 6,
        ("newsletter_audience", "email"): 6,
        ("mail_list", "email"): 7,
    }


def test_twenty_datasets_stand_behind_the_ifrs15_report() -> None:
    reached = expected.provenance("rep_ifrs15")
    assert len(reached) == 20
    assert sorted(n for n, r in reached.items() if r.certainty == "probable") == ["src_shipments", "src_stock_levels"]


def test_the_ids_of_the_story_are_names_of_the_company() -> None:
    ids = {dataset.id for dataset in DATASETS.values()}
    for point in POINTS:
        for node in point["expect"].get("nodes", {}):
            assert node in ids or node.startswith("column:")
