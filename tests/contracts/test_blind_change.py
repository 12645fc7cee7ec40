"""A change of what nobody is seen to use is no safe one where nothing could have been seen; names that are taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboard.pages.impact_answer import ask
from dashboard.pages.impact_state import ImpactState
from lineage.actor import Actor
from lineage.api.router import build_router
from lineage.cli import run
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.store import Store
from tests.answers.builder import World, at
from tests.contracts.test_change import applied, text

NAMED_ONLY = "dataset:pg:old: known by name only; no run or declaration was seen to read or write it"
FIRST = "it is first told of at 2026-01-01T00:00:00Z"


def mesh(store: Store | None = None) -> World:
    """orders → report, both of January; old is only named, spare is written and read by nobody."""
    made = World() if store is None else World(_store=store)
    made.flow(["orders"], "build", ["report"], provenance="column")
    made.flow(["orders"], "keep", ["spare"], provenance="column")
    for name, columns in (("orders", ("id", "amount")), ("report", ("total",)), ("old", ("score",))):
        made.dataset(name, *columns)
    made.column_edge(("orders", "amount"), ("report", "total"), "build")
    return made


@pytest.fixture(scope="module")
def lx() -> Lineage:
    return Lineage(mesh().store)


@pytest.mark.parametrize("node", ["dataset:pg:old", "column:pg:old:score"])
@pytest.mark.parametrize("action", ["drop", "retire"])
def test_what_is_known_by_name_only_cannot_be_told_safe(lx: Lineage, action: str, node: str) -> None:
    report = lx.contracts.change_nodes(**{action: [node]})  # type: ignore[arg-type]
    (judged,) = report.changes
    assert (judged.real.value, judged.finding, report.exit_code) == ("RISKY", "cannot tell", 3)
    assert judged.blind_spots == (NAMED_ONLY,) == report.reasons()
    assert NAMED_ONLY in report.markdown()


def test_every_change_of_what_is_blind_is_risky(lx: Lineage) -> None:
    for changes in ({"retype": {"old:score": "int"}}, {"rename": {"dataset:pg:old": "new"}}, {"late": {"old": 3.0}}):
        report = lx.contracts.change_nodes(**changes)  # type: ignore[arg-type]
        assert (report.exit_code, report.changes[0].finding) == (3, "cannot tell"), changes


def test_what_is_written_and_read_by_nobody_is_safe(lx: Lineage) -> None:
    report = lx.contracts.change_nodes(drop=["dataset:pg:spare"])
    assert (report.changes[0].finding, report.changes[0].blind_spots, report.exit_code) == ("really harmless", (), 0)
    assert lx.contracts.change_nodes(rename={"job:pg:build": "made"}).exit_code == 0, "moves no data"


def test_impact_and_rehearsal_give_the_same_of_the_three_answers(lx: Lineage) -> None:
    for node in ("dataset:pg:old", "dataset:pg:spare", "dataset:pg:orders", "job:pg:build", "column:pg:report:total"):
        assert lx.rehearse(drop=node).verdict == lx.impact(node).verdict, node
    answer = lx.rehearse(drop="dataset:pg:old")
    assert answer.blind_spots == (NAMED_ONLY,)
    assert answer.remarks()[0] == "harm: none found, but blind here"


def test_one_blind_change_among_others_is_named(lx: Lineage) -> None:
    report = lx.contracts.change_nodes(drop=["dataset:pg:orders", "dataset:pg:old"])
    assert [(one.real.value, one.blind_spots) for one in report.changes] == [
        ("BREAKING", ()),
        ("RISKY", (NAMED_ONLY,)),
    ]
    assert lx.rehearse(drop=["dataset:pg:orders", "dataset:pg:old"]).blind_spots == (NAMED_ONLY,)


@pytest.mark.parametrize("node", ["dataset:pg:orders", "column:pg:orders:amount", "job:pg:build"])
def test_a_node_that_was_not_there_yet_is_said_to_be_that(lx: Lineage, node: str) -> None:
    report = lx.contracts.change_nodes(drop=[node], as_of="1990-01-01")
    told = f"{node}: was not there yet at 1990-01-01T00:00:00Z; {FIRST}"
    assert (report.exit_code, report.changes[0].blind_spots) == (3, (told,))
    for answer in (lx.impact(node, as_of="1990-01-01"), lx.provenance(node, as_of="1990-01-01")):
        assert (answer.verdict, answer.blind_spots[0]) == ("blind", told)
    assert lx.contracts.change_nodes(drop=[node], as_of="2026-02-01").changes[0].blind_spots == ()


def test_another_name_of_a_dataset_was_there_before() -> None:
    made = mesh()
    old, new = made.dataset("orders"), made.dataset("orders_v2")
    made.edge(new, made.dataset("later"), valid_from=at("2026-03-01"))
    made.alias(old, new, valid_from=at("2026-03-01"))
    answer = Lineage(made.store).impact("dataset:pg:orders_v2", as_of="2026-02-01")
    assert "not there yet" in answer.blind_spots[0], "the two names are one only from March on"
    assert Lineage(made.store).impact("dataset:pg:orders", as_of="2026-02-01").verdict == "found"


def test_a_contract_on_what_is_known_by_name_only_is_not_harmless_to_break(tmp_path: Path) -> None:
    made = mesh()
    lx = applied(made, tmp_path, old=text("old", "1.0.0", "score:int", "grade:int"))
    for gone in ("score:int", "grade:int"):  # one that is known as a column, and one that only the contract names
        (judged,) = lx.contracts.change_text(text("old", "2.0.0", gone)).changes
        assert (judged.real.value, judged.finding) == ("BREAKING", "cannot tell")
        assert judged.blind_spots == (NAMED_ONLY,)


def test_rest_command_line_and_page_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = tmp_path / "mesh.duckdb"
    with Store.open(db) as store:
        _ = mesh(store).store
        lx = Lineage(store)
        app = FastAPI()
        app.include_router(build_router(lx))
        answer = TestClient(app).get("/api/v2/change", params={"drop": "dataset:pg:old"}).json()
        page = ask(lx, ImpactState(target="dataset:pg:old", change="drop"))
    assert (answer["real"], answer["changes"][0]["blind_spots"]) == ("RISKY", [NAMED_ONLY])
    assert page.blind_spots == (NAMED_ONLY,)
    assert run(["change", "--drop", "dataset:pg:old", "--db", str(db)]) == 3
    assert "known by name only" in capsys.readouterr().out
    assert run(["change", "--drop", "dataset:pg:orders", "--as-of", "1990-01-01", "--db", str(db)]) == 3
    assert "not there yet" in capsys.readouterr().out
    assert run(["change", "--drop", "dataset:pg:nosuch", "--db", str(db)]) == 2


# -- names that are taken


@pytest.mark.parametrize(
    ("node", "to", "told"),
    [
        ("dataset:pg:spare", "report", "there is a dataset of the name report already (dataset:pg:report)"),
        ("dataset:pg:spare", "dataset:pg:report", "there is a dataset of the name report already"),
        ("job:pg:build", "keep", "there is a job of the name keep already (job:pg:keep)"),
        ("column:pg:orders:id", "AMOUNT", "its dataset has a column amount already"),
    ],
)
def test_a_rename_onto_a_name_that_is_taken_is_breaking_and_named(lx: Lineage, node: str, to: str, told: str) -> None:
    report = lx.contracts.change_nodes(rename={node: to})
    (judged,) = report.changes
    assert (judged.real.value, judged.finding, report.exit_code) == ("BREAKING", "as formal", 4)
    assert told in judged.taken and judged.taken in report.reasons()
    assert report.steps == ()
    assert lx.rehearse(rename={node: to}).clashes == (judged.taken,)


def test_a_name_that_becomes_free_is_not_taken_and_one_that_two_want_is(lx: Lineage) -> None:
    swapped = lx.rehearse(rename={"dataset:pg:spare": "report", "dataset:pg:report": "spare"})
    assert swapped.clashes == ()
    assert lx.rehearse(rename={"dataset:pg:spare": "report"}, drop="dataset:pg:report").clashes == ()
    assert lx.rehearse(rename={"dataset:pg:spare": "fresh"}).clashes == ()
    both = lx.rehearse(rename={"dataset:pg:spare": "fresh", "dataset:pg:report": "fresh"})
    assert both.clashes == ("dataset:pg:report: dataset:pg:spare is to have the name fresh too",)
    assert lx.rehearse(rename={"column:pg:orders:amount": "Amount"}).clashes == ()


@pytest.mark.parametrize(
    ("node", "to"),
    [("dataset:pg:spare", "spare"), ("dataset:pg:spare", " dataset:pg:spare"), ("job:pg:keep", "keep"),
     ("column:pg:orders:id", "id")],
)  # fmt: skip
def test_a_rename_that_keeps_the_name_is_refused(lx: Lineage, node: str, to: str) -> None:
    with pytest.raises(UsageError, match="it has the name"):
        lx.contracts.change_nodes(rename={node: to})


def test_the_name_of_a_dropped_dataset_is_free_and_that_of_a_hidden_one_is_not_told() -> None:
    made = mesh()
    made.flow(["orders"], "was", ["gone"], valid_to=at("2026-02-01"))
    made.flow(["orders"], "pay", ["salaries"])
    made.domain("hr", "salaries", "pay")
    lx = Lineage(made.store)
    assert lx.rehearse(rename={"dataset:pg:spare": "gone"}).clashes == ()
    (told,) = lx.rehearse(rename={"dataset:pg:spare": "salaries"}, actor=Actor("eve", frozenset({"hr"}))).clashes
    assert "(hidden (domain hr))" in told
