"""Levels above datasets: domains, products, applications, DAGs, jobs; value and mere use stay apart on each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lineage.actor import Actor
from lineage.answers import to_json
from lineage.cli import run
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.mesh import Mesh
from lineage.store import Store
from tests.answers.builder import World, at
from tests.answers.test_api import client_of, get


def declare_products(store: Store, folder: Path, *names: str) -> None:
    """One product for each dataset, with a contract that binds it."""
    write_products(folder, *names)
    apply(store, folder)


def write_products(folder: Path, *names: str) -> None:
    """The files of :func:`declare_products`."""
    for name in names:
        port = {"name": name, "version": "1.0.0", "contractId": name}
        product = {"apiVersion": "v1.0.0", "kind": "DataProduct", "id": name, "status": "active", "outputPorts": [port]}
        place = {"openlineage.namespace": "pg", "openlineage.name": name}
        contract = {
            "apiVersion": "v3.1.0", "kind": "DataContract", "id": name, "version": "1.0.0", "status": "active",
            "schema": [{
                "name": name,
                "customProperties": [{"property": key, "value": value} for key, value in place.items()],
                "properties": [{"name": "day", "logicalType": "date"}],
            }],
        }  # fmt: skip
        for kind, body in (("products", product), ("contracts", contract)):
            (folder / kind).mkdir(exist_ok=True)
            (folder / kind / f"{name}.yaml").write_text(json.dumps(body))


@pytest.fixture
def mesh(world: World) -> World:
    """raw → orders (sales) → p1 (bi) → p2 (hr); orders also filters p2; all jobs of two DAGs of one application."""
    world.flow(["raw"], "load", ["orders"], provenance="explicit")
    world.flow(["orders"], "build", ["p1"])
    world.flow(["p1"], "send", ["p2"], provenance="explicit")
    world.edge(world.dataset("orders"), world.dataset("p2"), job=world.job("send"), provenance="column")
    world.edge(world.dataset("orders"), world.job("send"), job=world.job("send"), kind="read", provenance="io")
    world.dataset("p2", "n")
    world.column_edge(("orders", "day"), ("p2", ""), "send", type="INDIRECT", subtype="FILTER")
    for dag, tasks in (("nightly", ("load", "build")), ("weekly", ("send",))):
        world.edge(world.job("company"), world.job(dag), kind="contains")
        for task in tasks:
            world.edge(world.job(dag), world.job(task), kind="contains")
    world.domain("sales", "orders", "load")
    world.domain("bi", "p1", "build")
    world.domain("hr", "p2", "send")
    return world


def edges(answer: Mesh) -> list[tuple[str, str, str, str, int | None]]:
    return [(e.src.partition(":")[2], e.dst.partition(":")[2], e.use, e.certainty, e.edges) for e in answer.edges]


def test_impact_lists_the_domains_it_touches_with_the_way_to_their_nearest_node(mesh: World) -> None:
    answer = Lineage(mesh.store).impact("orders", kinds="domain")
    assert [(n.id, n.kind, n.hops, n.certainty, n.use) for n in answer.nodes] == [
        ("domain:bi", "domain", 1, "probable", "direct"),
        ("domain:hr", "domain", 1, "certain", "direct"),
    ]
    assert answer.nodes[1].path == ("dataset:pg:orders", "dataset:pg:p2")
    assert answer.totals.by_kind == {"domain": 2}


def test_what_the_asked_node_belongs_to_is_listed_where_another_dataset_of_it_is_reached(world: World) -> None:
    world.flow(["d1"], "away", ["x"], provenance="explicit")
    world.flow(["x"], "back", ["d9"], provenance="explicit")
    world.column_edge(("d1", "a"), ("x", "a"), "away")
    world.column_edge(("x", "a"), ("d9", "a"), "back")
    world.column_edge(("x", "a"), ("x", "b"), "away")
    world.domain("sales", "d1", "d9", "away")
    world.domain("bi", "x", "back")
    lx = Lineage(world.store)
    found = lx.impact("d1", kinds="domain").nodes
    assert [(n.id, n.hops, n.path[-1]) for n in found] == [
        ("domain:bi", 1, "dataset:pg:x"), ("domain:sales", 2, "dataset:pg:d9")
    ]  # fmt: skip
    assert [n.id for n in lx.impact("column:pg:d1:a", kinds="domain").nodes] == ["domain:bi", "domain:sales"]
    assert [n.id for n in lx.impact("d1", kinds="domain", depth=1).nodes] == ["domain:bi"], "a job of it is no reason"
    assert [n.id for n in lx.impact("column:pg:x:a", kinds="domain").nodes] == ["domain:sales"]
    assert [n.id for n in lx.provenance("d9", kinds="domain").nodes] == ["domain:bi", "domain:sales"]


def test_the_product_of_the_asked_dataset_is_listed_where_another_port_of_it_is_reached(
    world: World, tmp_path: Path
) -> None:
    for source, target in (("p1", "x"), ("x", "p2"), ("x", "p3")):
        world.flow([source], f"to {target}", [target])
    declare_products(world.store, tmp_path, "p1", "p2", "p3")
    lx = Lineage(world.store)
    assert [n.id for n in lx.impact("p1", kinds="product").nodes] == ["product:p2", "product:p3"]
    write_products(tmp_path, "p1", "p2", "p3")
    (tmp_path / "products" / "p2.yaml").unlink()
    one = json.loads((tmp_path / "products" / "p1.yaml").read_text())
    one["outputPorts"] += [{"name": "p2", "version": "1.0.0", "contractId": "p2"}]
    (tmp_path / "products" / "p1.yaml").write_text(json.dumps(one))
    apply(world.store, tmp_path)
    assert [(n.id, n.hops) for n in Lineage(world.store).impact("p1", kinds="product").nodes] == [
        ("product:p1", 2), ("product:p3", 2)
    ]  # fmt: skip


def test_applications_and_nodes_can_be_listed_together(mesh: World) -> None:
    kinds = {n.kind for n in Lineage(mesh.store).impact("raw", kinds="dataset,application").nodes}
    assert kinds == {"dataset", "application"}


def test_products_are_those_whose_contracts_bind_a_dataset(mesh: World, tmp_path: Path) -> None:
    lx = Lineage(mesh.store)
    assert "No data product" in lx.impact("raw", kinds="product").notes[0]
    declare_products(mesh.store, tmp_path, "p1", "p2")
    answer = Lineage(mesh.store).impact("raw", kinds="product")
    assert {n.id: n.hops for n in answer.nodes} == {"product:p1": 2, "product:p2": 2} and answer.notes == ()
    assert [n.id for n in Lineage(mesh.store).impact("p1", kinds="product").nodes] == ["product:p2"]
    assert edges(Lineage(mesh.store).mesh("product")) == [("p1", "p2", "direct", "certain", 1)]


def test_products_are_joined_through_datasets_of_none_and_not_through_a_third(world: World, tmp_path: Path) -> None:
    """p1 → stage → p2 → p3, p1 filters p4 through stage, p4 → p4s → p4; p5 is apart, p6 is bound to nothing."""
    world.flow(["p1"], "j1", ["stage"], provenance="explicit")
    world.flow(["stage"], "j2", ["p2"])
    world.flow(["p2"], "j3", ["p3"], provenance="explicit")
    world.flow(["stage"], "j4", ["p4"], provenance="column")
    world.column_edge(("stage", "day"), ("p4", ""), "j4", type="INDIRECT", subtype="FILTER")
    world.flow(["p4"], "j5", ["p4s"], provenance="explicit")
    world.flow(["p4s"], "j6", ["p4"], provenance="explicit")
    world.flow(["x"], "j7", ["p5"])
    declare_products(world.store, tmp_path, "p1", "p2", "p3", "p4", "p5", "p6")
    answer = Lineage(world.store).mesh("product")
    assert edges(answer) == [
        ("p1", "p2", "direct", "probable", 1),
        ("p1", "p4", "indirect", "certain", 1),
        ("p2", "p3", "direct", "certain", 1),
    ]
    assert [e.through for e in answer.edges] == [True, True, False]
    assert {n.name: (n.datasets, n.inside) for n in answer.nodes} == {
        **{f"p{k}": (1, 0) for k in range(1, 6)}, "p6": (0, 0)
    }  # fmt: skip
    told = "product:p6: its output ports bind no dataset that was ever seen, so what it feeds is unknown"
    assert answer.notes == (told,) and told in answer.remarks()
    graph = Lineage(world.store).graph("product")
    assert graph.edges["product:p1", "product:p2"]["through"] is True


def test_products_without_lineage_between_them_are_said_to_have_none(world: World, tmp_path: Path) -> None:
    world.flow(["a"], "j", ["p1"])
    world.flow(["a"], "k", ["p2"])
    assert Lineage(world.store).mesh("product").notes == ("no data product is declared in this database",)
    declare_products(world.store, tmp_path, "p1", "p2")
    answer = Lineage(world.store).mesh("product")
    assert answer.edges == ()
    assert answer.notes[0].startswith("between the 2 products that bind datasets no data is seen to flow")


def test_a_hidden_dataset_between_two_products_is_passed_through_and_not_named(world: World, tmp_path: Path) -> None:
    world.flow(["p1"], "j1", ["secret"])
    world.flow(["secret"], "j2", ["p2"])
    world.domain("hr", "secret")
    declare_products(world.store, tmp_path, "p1", "p2")
    answer = Lineage(world.store).mesh("product", actor=Actor("eve", hidden_domains={"hr"}))
    assert edges(answer) == [("p1", "p2", "direct", "probable", 1)]
    assert "secret" not in json.dumps(to_json(answer))


def test_edges_between_domains_tell_value_from_use_and_count(mesh: World) -> None:
    answer = Lineage(mesh.store).mesh()
    assert edges(answer) == [
        ("bi", "hr", "direct", "certain", 1),
        ("sales", "bi", "direct", "probable", 1),
        ("sales", "hr", "indirect", "certain", 1),
    ]
    assert [(n.name, n.datasets, n.jobs) for n in answer.nodes] == [("bi", 1, 1), ("hr", 1, 1), ("sales", 1, 1)]
    assert answer.cycles == ()


def test_jobs_roll_up_to_dags_and_applications(mesh: World) -> None:
    lx = Lineage(mesh.store)
    assert edges(lx.mesh("dag")) == [("pg:nightly", "pg:weekly", "direct", "certain", 2)]
    assert ("pg:load", "pg:send", "indirect", "certain", 1) in edges(lx.mesh("job"))
    application = lx.mesh("application")
    assert application.edges == () and [(n.name, n.inside) for n in application.nodes] == [("pg:company", 3)]


def test_domains_in_a_circle_are_named(mesh: World) -> None:
    mesh.flow(["p2"], "back", ["orders"])
    assert Lineage(mesh.store).mesh().cycles == (("domain:bi", "domain:hr", "domain:sales"),)


def test_a_parent_circle_ends(world: World) -> None:
    world.flow(["a"], "x", ["b"])
    world.edge(world.job("x"), world.job("y"), kind="contains")
    world.edge(world.job("y"), world.job("x"), kind="contains")
    assert {n.name for n in Lineage(world.store).mesh("application").nodes} == {"pg:x", "pg:y"}


def test_a_hidden_domain_stays_as_such_without_counts(mesh: World, tmp_path: Path) -> None:
    declare_products(mesh.store, tmp_path, "p1", "p2")
    lx, actor = Lineage(mesh.store), Actor("nosy", hidden_domains={"hr"})
    node = next(n for n in lx.mesh(actor=actor).nodes if n.name == "hr")
    assert (node.id, node.hidden, node.datasets, node.inside) == ("hidden (domain hr)", True, None, None)
    assert [e.edges for e in lx.mesh(actor=actor).edges if e.dst == node.id] == [None, None]
    assert "p2" not in str(to_json(lx.mesh("product", actor=actor)))
    assert "send" not in str(to_json(lx.mesh("job", actor=actor)))
    assert "p2" not in str(to_json(lx.impact("raw", kinds="product,domain", actor=actor)))
    assert "hidden (domain hr)" in [n.id for n in lx.impact("raw", kinds="domain", actor=actor).nodes]


def test_every_door_knows_the_levels(
    mesh: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api = client_of(Lineage(mesh.store))
    monkeypatch.setattr("lineage.engine.open", lambda path: Lineage(mesh.store))
    assert len(get(api, "/api/v2/mesh")["edges"]) == 3
    assert api.get("/api/v2/mesh", params={"level": "galaxy"}).status_code == 400
    assert run(["mesh"]) == 0 and "domain:hr" in capsys.readouterr().out
    assert run(["impact", "raw", "--kind", "domain"]) == 0 and "domain:hr" in capsys.readouterr().out
    assert run(["mesh", "--level", "galaxy"]) == 2
    with pytest.raises(UsageError, match="none of domain"):
        Lineage(mesh.store).mesh("galaxy")


def test_an_empty_mesh_is_an_answer(world: World) -> None:
    answer = Lineage(world.store).mesh()
    assert (answer.nodes, answer.edges) == ((), ())
    assert Lineage(world.store).mesh("job").nodes == ()


@pytest.mark.parametrize(
    ("level", "there"),
    [("job", [0, 1, 2]), ("application", [0, 1, 2]), ("dag", [0, 1, 2]), ("domain", [0, 3, 5])],
)
def test_groups_of_a_past_instant_have_what_was_there(level: str, there: list[int]) -> None:
    world = World()
    world.flow(["a"], "early", ["b"])
    world.flow(["b"], "late", ["c"], valid_from=at("2026-03-01"))
    lx = Lineage(world.store)
    found = [lx.mesh(level, as_of=when) for when in ("2020-01-01", "2026-02-01", None)]
    jobs = [sum(node.jobs or 0 for node in one.nodes) for one in found]
    assert [many + one.ungrouped * (level == "domain") for many, one in zip(jobs, found, strict=True)] == there
    assert len(lx.graph(level, as_of="2020-01-01")) == len(found[0].nodes)


def test_rows_of_several_levels_stand_in_order_of_hops(mesh: World) -> None:
    nodes = Lineage(mesh.store).impact("raw", kinds="application,domain").nodes
    assert [n.hops for n in nodes] == sorted(n.hops for n in nodes)
    assert [n.kind for n in nodes] != sorted((n.kind for n in nodes), reverse=True)  # they are not one level each
