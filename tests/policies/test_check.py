"""Exit codes, the library when nothing was applied, and nothing of hidden domains."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from lineage.actor import Actor
from lineage.api.errors import explain
from lineage.api.router import build_router
from lineage.cli import run
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.errors import MeshlineError
from lineage.store import Store
from tests.answers.builder import World

LEAK = "pii-masked-before-leaving"
DOMAINS = {"crm": "[customers]", "ads": "[audience, report]"}


@pytest.fixture
def lx(tmp_path: Path) -> Lineage:
    """A column with personal data that reaches another domain in two steps."""
    world = World()
    world.flow(["customers"], "load", ["audience"], provenance="column")
    world.flow(["audience"], "build", ["report"], provenance="column")
    world.column_edge(("customers", "mail"), ("audience", "mail"), "load")
    world.column_edge(("audience", "mail"), ("report", "contact"), "build")
    tag = {"tags": [{"key": "pii", "value": "email", "field": "mail", "source": "scan"}]}
    world.facet(world.dataset("customers"), "tags", tag)
    (tmp_path / "domains").mkdir()
    for name, patterns in DOMAINS.items():
        (tmp_path / "domains" / f"{name}.yaml").write_text(f"name: {name}\nowner: team:{name}\npatterns: {patterns}\n")
    apply(world.store, tmp_path)
    return Lineage(world.store)


def test_a_leak_is_found_with_its_witness_path(lx: Lineage) -> None:
    found = lx.policies.check(LEAK)
    assert [row.subject for row in found.findings] == ["column:pg:audience:mail", "column:pg:report:contact"]
    assert found.findings[1].path == ("column:pg:customers:mail", "column:pg:audience:mail", "column:pg:report:contact")
    (row,) = found.policies
    assert (row.scope, row.passed, row.violations) == (3, 1, 2)
    assert found.fails("critical") and found.library


def test_nothing_of_a_hidden_domain_is_told_or_counted(lx: Lineage) -> None:
    seen = lx.policies.check(LEAK, actor=Actor("eve", frozenset({"crm"})))
    assert seen.findings[1].path[0] == "hidden (domain crm)"
    assert [row.message for row in seen.findings] == [seen.policies[0].title] * 2
    assert "customers" not in str(lx.policies.check(actor=Actor("eve", frozenset({"crm"}))))
    blind = lx.policies.check(actor=Actor("eve", frozenset({"crm", "ads"})))
    assert [row for row in blind.findings if row.domain in DOMAINS] == []
    assert next(row for row in blind.policies if row.policy == LEAK).scope == 0


def test_the_routes_answer_like_the_questions(lx: Lineage) -> None:
    app = FastAPI()
    app.include_router(build_router(lx))
    app.add_exception_handler(MeshlineError, explain)  # type: ignore[arg-type]
    client = TestClient(app)
    assert client.get("/api/v2/policies").json()["library"] is True
    assert len(client.get("/api/v2/policies/library").json()["policies"]) >= 15
    assert "SELECT" in client.get("/api/v2/policies/show", params={"policy": LEAK}).json()["violation_sql"]
    assert client.get("/api/v2/policies/show", params={"policy": "nothing"}).status_code == 404
    assert len(client.get("/api/v2/policies/check", params={"policy": LEAK}).json()["findings"]) == 2


def test_check_fails_on_grave_violations_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db, folder = tmp_path / "x.duckdb", tmp_path / "mesh"
    with Store.open(db) as store:
        store.rows("INSERT INTO node (id, kind, namespace, name, field, known_from) "
                   "VALUES (1, 'dataset', 'pg', 'a', '', '2026-01-01')")  # fmt: skip
    assert run(["check", "--db", str(db)]) == 0
    assert "those that Meshline ships" in capsys.readouterr().out
    assert run(["init", "policy", "mine", "--dir", str(folder)]) == 0
    assert run(["apply", str(folder), "--db", str(db)]) == 0
    assert run(["policies", "test", str(folder / "policies" / "mine.yaml"), "--db", str(db)]) == 0
    assert run(["check", "--db", str(db)]) == 0
    assert run(["check", "--fail-on", "medium", "--db", str(db)]) == 1
    capsys.readouterr()
    assert run(["policies", "list", "--format", "json", "--db", str(db)]) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)["policies"]] == ["mine"]
    assert run(["policies", "show", "mine", "--db", str(db)]) == 0
    assert run(["check", "--policy", "nothing", "--db", str(db)]) == 2


def test_a_policy_in_error_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db, folder = tmp_path / "x.duckdb", tmp_path / "mesh"
    assert run(["policies", "library", "--write", str(folder)]) == 0
    assert run(["policies", "library", "--write", str(folder)]) == 2
    file = folder / "policies" / "described.yaml"
    file.write_text(file.read_text().replace("NOT described", "NOT explained"))
    assert run(["apply", str(folder), "--db", str(db)]) == 0
    assert run(["check", "--fail-on", "critical", "--db", str(db)]) == 1
    assert "described is in error" in capsys.readouterr().out
    assert run(["policies", "test", str(file), "--db", str(db)]) == 1


def test_apply_and_check_record_what_policies_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db, folder = tmp_path / "x.duckdb", tmp_path / "mesh"
    with Store.open(db) as store:
        store.rows("INSERT INTO node (id, kind, namespace, name, field, known_from) "
                   "VALUES (1, 'dataset', 'pg', 'a', '', '2026-01-01')")  # fmt: skip
    assert run(["init", "policy", "mine", "--dir", str(folder)]) == 0
    assert run(["apply", str(folder), "--db", str(db)]) == 0
    capsys.readouterr()
    assert run(["check", "--record", "--as-of", "2026-01-01", "--db", str(db)]) == 2
    assert run(["check", "--record", "--actor", "ann", "--db", str(db)]) == 0
    assert "recorded: 0 results changed" in capsys.readouterr().err
    assert run(["violations", "list", "--format", "json", "--db", str(db)]) == 0
    (one,) = json.loads(capsys.readouterr().out)["violations"]
    assert (one["policy"], one["state"]) == ("mine", "open")
    assert run(["violations", "ack", one["id"], "--reason", "mine", "--db", str(db)]) == 0
    assert run(["violations", "assign", one["id"], "bob", "--db", str(db)]) == 0
    assert run(["violations", "show", one["id"], "--db", str(db)]) == 0
    assert "assigned to bob" in capsys.readouterr().out
    assert run(["violations", "show", "v0", "--db", str(db)]) == 2


def test_files_and_folders_are_tested_without_a_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = ["--db", str(tmp_path / "none.duckdb")]
    assert run(["policies", "library", "--write", str(tmp_path)]) == 0
    for path in (tmp_path / "policies").glob("*.yaml"):
        if path.stem not in ("described", "owner-present"):
            path.unlink()
    assert run(["policies", "test", str(tmp_path / "policies"), *nowhere]) == 0
    assert not (tmp_path / "none.duckdb").exists()
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd.yaml").write_bytes(b"\xff\x00")
    assert run(["policies", "test", str(tmp_path / "empty"), *nowhere]) != 0
    assert run(["policies", "test", str(tmp_path / "odd.yaml"), *nowhere]) != 0
    said = capsys.readouterr().err
    assert "no policy file lies in this folder" in said and "it is no text" in said
