"""Where a product is other than declared, at one instant and over time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from lineage.actor import Actor
from lineage.cli import run
from lineage.contracts.lookup import UnknownContractError
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.errors import UsageError
from tests.answers.builder import T0, World
from tests.contracts.test_change import text
from tests.contracts.test_files import tree

PRODUCT = """\
apiVersion: v1.0.0
kind: DataProduct
id: shop
status: active
domain: sales
inputPorts:
  - {name: in, version: "1.0.0", contractId: landing}
outputPorts:
  - {name: out, version: "1.0.0", contractId: orders}
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """landing → staging → orders; from day 10 to day 20 orders takes from extra as well; a column comes on day 15."""
    made = World()
    made.flow(["landing"], "stage", ["staging"])
    made.flow(["staging"], "load", ["orders"])
    made.flow(["extra"], "load", ["orders"], valid_from=T0 + timedelta(days=10), valid_to=T0 + timedelta(days=20))
    made.domain("sales", "orders", "staging")
    for body, start, end in (("id", 0, 15), ("id note", 15, 4_000)):
        fields = [{"name": name, "type": "int"} for name in body.split()]
        made.facet(made.dataset("orders", *body.split()), "schema", {"fields": fields},
                   valid_from=T0 + timedelta(days=start), valid_to=T0 + timedelta(days=end))  # fmt: skip
    orders, landing = (text(name, "1.0.0", "id:int") for name in ("orders", "landing"))
    files = tree(tmp_path, contracts__o=orders, contracts__l=landing, products__p=PRODUCT)
    apply(made.store, files, at=T0)
    return made


def test_drift_is_told_day_by_day(world: World) -> None:
    found = Lineage(world.store).products.drift("shop", "2026-01-02", "2026-02-01")
    told = [(str(step.at)[:10], [d.what for d in step.opened], [d.what for d in step.closed]) for step in found.steps]
    assert told == [
        ("2026-01-02", [], []),
        ("2026-01-11", ["undeclared input"], []),
        ("2026-01-16", ["undeclared column note"], []),
        ("2026-01-21", [], ["undeclared input"]),
    ]
    assert [(d.node, d.declared, d.observed) for d in found.steps[1].opened] == [
        ("dataset:pg:extra", "no input port", "read by runs")
    ]
    assert [step.open for step in found.steps] == [0, 1, 2, 1]
    assert [d.what for d in found.open] == ["undeclared column note"]


def test_after_its_schema_was_deleted_no_column_drifts(world: World) -> None:
    end = T0 + timedelta(days=30)
    told = Lineage(world.store).products.drift("shop", "2026-01-02", "2026-03-01").open
    assert [d.what for d in told] == ["undeclared column note"]
    with world.store.transaction() as cursor:
        cursor.execute("UPDATE facet SET valid_to = ? WHERE key = 'schema' AND valid_to > ?", [end, end])
    found = Lineage(world.store).products.drift("shop", "2026-01-02", "2026-03-01")
    assert found.open == ()
    assert (str(found.steps[-1].at)[:10], [d.what for d in found.steps[-1].closed]) == (
        "2026-01-31", ["undeclared column note"]
    )  # fmt: skip


def test_a_step_of_its_own_is_no_input(world: World) -> None:
    (row,) = Lineage(world.store).products.list(as_of="2026-01-05").products
    assert row.drift == ()


def test_a_job_that_announces_its_inputs_is_held_to_them(world: World) -> None:
    for name in ("staging", "plan"):
        world.edge(world.dataset(name), world.dataset("orders"), job=world.job("load"), provenance="declared")
    drift = Lineage(world.store).products.list(as_of="2026-01-15").products[0].drift
    assert {(d.what, d.node) for d in drift if "announce" in d.what} == {
        ("job:pg:load reads more than it announces", "dataset:pg:extra"),
        ("job:pg:load announces what it does not read", "dataset:pg:plan"),
    }


def test_an_announcement_that_tells_columns_is_an_announcement(world: World) -> None:
    """A job event with column lineage: its edges are of that provenance, and no run showed them."""
    job = world.job("load")
    world.declaration(job)
    for name, provenance in (("plan", "column"), ("stock", "declared")):
        world.edge(world.dataset(name), world.dataset("orders"), job=job, provenance=provenance)
    world.edge(world.dataset("staging"), world.dataset("orders"), job=job, provenance="column", first_run=1)
    drift = Lineage(world.store).products.list(as_of="2026-01-05").products[0].drift
    assert {(d.what, d.node) for d in drift if "announce" in d.what} == {
        ("job:pg:load reads more than it announces", "dataset:pg:staging"),
        ("job:pg:load announces what it does not read", "dataset:pg:plan"),
        ("job:pg:load announces what it does not read", "dataset:pg:stock"),
    }


def test_wrong_questions_about_drift_are_refused(world: World) -> None:
    lx = Lineage(world.store)
    with pytest.raises(UnknownContractError):
        lx.products.drift("nothing")
    with pytest.raises(UnknownContractError):
        lx.products.drift("shop", actor=Actor("eve", frozenset({"sales"})))
    with pytest.raises(UsageError, match="is not before"):
        lx.products.drift("shop", "2026-02-01", "2026-01-01")


def test_the_command_line_tells_drift(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from lineage.store import Store

    db = tmp_path / "x.duckdb"
    Store.open(db).close()
    assert run(["products", "drift", "shop", "--db", str(db)]) == 2
    assert "There is no product" in capsys.readouterr().err
