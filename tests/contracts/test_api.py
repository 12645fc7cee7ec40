"""Contracts and changes over HTTP and on the command line: the same answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from lineage.api.errors import explain
from lineage.api.router import build_router
from lineage.cli import run
from lineage.engine import Lineage
from lineage.errors import MeshlineError, UsageError
from tests.answers.builder import World
from tests.contracts.test_change import ORDERS, applied, text


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    world = World()
    world.flow(["orders"], "build", ["report"], provenance="column")
    for column in ("id", "amount", "extra", "note"):
        world.node("column", "orders", column)
    world.column_edge(("orders", "amount"), ("report", "total"), "build")
    lx: Lineage = applied(world, tmp_path_factory.mktemp("mesh"), orders=text("orders", "1.0.0", *ORDERS))
    app = FastAPI()
    app.include_router(build_router(lx))
    app.add_exception_handler(MeshlineError, explain)  # type: ignore[arg-type]
    return TestClient(app)


def test_contracts_promises_drafts_and_products_are_served(client: TestClient) -> None:
    assert client.get("/api/v2/contracts").json()["contracts"][0]["datasets"] == ["dataset:pg:orders"]
    assert client.get("/api/v2/contracts/check").json()["promises"]
    assert "DataContract" in client.get("/api/v2/contracts/draft", params={"node": "dataset:pg:report"}).text
    assert client.get("/api/v2/contracts/versions", params={"contract": "orders"}).json()[0]["version"] == "1.0.0"
    assert client.get("/api/v2/products").json()["products"] == []
    assert client.get("/api/v2/products/drift", params={"product": "nothing"}).status_code == 404
    assert client.get("/api/v2/contracts/versions", params={"contract": "nothing"}).status_code == 404


def test_a_change_is_judged_over_http(client: TestClient) -> None:
    new = text("orders", "2.0.0", "id:int", "extra:int", "note:text")
    answer = client.post("/api/v2/change", json={"new": new}).json()
    assert answer["real"] == "BREAKING"
    assert [c["id"] for c in answer["changes"][0]["consumers"] if c["kind"] == "dataset"] == ["dataset:pg:report"]
    dropped = client.get("/api/v2/change", params={"drop": "column:pg:orders:note"}).json()
    assert dropped["changes"][0]["finding"] in ("really harmless", "cannot tell")


def test_a_contract_that_is_none_is_refused_with_its_faults(client: TestClient) -> None:
    answer = client.post("/api/v2/change", json={"new": "version: 1.10\n"})
    assert answer.status_code == 400
    assert "quote it" in answer.text


def test_init_writes_a_template_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "contract", "orders", "--dir", str(tmp_path)]) == 0
    assert (tmp_path / "contracts" / "orders.yaml").read_text().startswith("# A data contract")
    assert run(["init", "contract", "orders", "--dir", str(tmp_path)]) == 2
    assert "left as it is" in capsys.readouterr().err


def test_the_command_line_judges_two_files_and_leaves_with_the_code_of_the_worst(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from lineage.store import Store

    db = tmp_path / "x.duckdb"
    Store.open(db).close()
    for name, body in (("old", text("orders", "1.0.0", *ORDERS)), ("new", text("orders", "1.0.1", *ORDERS[1:]))):
        (tmp_path / f"{name}.yaml").write_text(body)
    words = ["change", str(tmp_path / "old.yaml"), str(tmp_path / "new.yaml"), "--db", str(db), "--format"]
    assert run([*words, "json"]) == 5
    assert json.loads(capsys.readouterr().out)["required_bump"] == "major"
    assert run([*words, "md", "--exit-zero"]) == 0
    assert "column.removed" in capsys.readouterr().out
    assert run(["change", "--db", str(db)]) == 2


def test_a_major_version_is_shown_and_exported_by_its_number_and_else_the_active_one(tmp_path: Path) -> None:
    old = text("orders", "1.4.0", *ORDERS).replace("status: active", "status: deprecated")
    lx = applied(World(), tmp_path, old=old, new=text("orders", "2.0.0", *ORDERS[:2]))
    assert [v.version for v in lx.contracts.versions("orders")] == ["2.0.0", "1.4.0"]
    assert [v.version for v in lx.contracts.versions("orders@1")] == ["1.4.0"]
    assert lx.contracts.written("orders@1") == old
    assert '"2.0.0"' in lx.contracts.written("orders") == lx.contracts.written("orders@2")
    with pytest.raises(UsageError, match="there are proposed, draft, active"):
        lx.contracts.list("nonsense")
