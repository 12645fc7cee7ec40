"""Impact and provenance of a product or a domain: of all its datasets at once, the same through every door."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as cases
from hypothesis import strategies as st

from lineage.actor import Actor
from lineage.answers import Answer, to_json
from lineage.cli import run
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.errors import NotANodeError, UnknownNodeError, UsageError
from lineage.filters import LEVELS
from lineage.formats import render
from lineage.store import Store
from lineage.view import HiddenNodeError
from tests.answers.builder import World
from tests.answers.test_api import client_of, get
from tests.answers.test_levels import write_products


def mesh(made: World) -> World:
    """raw → in → p1 → stage → report; p1 → mid → p2 → report; ads has report, sales the rest but raw."""
    for source, job, target, how in (
        ("raw", "j1", "in", "explicit"), ("in", "j2", "p1", "explicit"), ("p1", "j3", "stage", "explicit"),
        ("stage", "j4", "report", "product"), ("p1", "j5", "mid", "explicit"), ("mid", "j6", "p2", "explicit"),
        ("p2", "j7", "report", "explicit"),
    ):  # fmt: skip
        made.flow([source], job, [target], provenance=how)
    made.domain("sales", "in", "p1", "p2", "stage", "mid")
    made.domain("ads", "report", "j4", "j7")
    return made


def one_product(store: Store, folder: Path) -> None:
    """A product of two output ports: p1 and p2; and one that binds nothing."""
    write_products(folder, "p1", "p2", "lost")
    ports = [{"name": name, "version": "1.0.0", "contractId": name} for name in ("p1", "p2")]
    for name in ("p1", "p2"):
        (folder / "products" / f"{name}.yaml").unlink()
    both = {"apiVersion": "v1.0.0", "kind": "DataProduct", "id": "both", "name": "Both", "status": "active",
            "domain": "sales", "outputPorts": ports}  # fmt: skip
    (folder / "products" / "both.yaml").write_text(json.dumps(both))
    apply(store, folder)


@pytest.fixture(scope="module")
def lx(tmp_path_factory: pytest.TempPathFactory) -> Lineage:
    made = mesh(World())
    one_product(made.store, tmp_path_factory.mktemp("files"))
    return Lineage(made.store)


def hops(answer: Answer) -> dict[str, int]:
    return {n.id.removeprefix("dataset:pg:"): n.hops for n in answer.nodes if n.kind == "dataset"}


def test_a_product_is_asked_as_all_its_datasets_and_lists_none_of_them(lx: Lineage) -> None:
    answer = lx.impact("product:both")
    assert (answer.node, answer.domain, answer.verdict) == ("product:both", "sales", "found")
    assert answer.sources == ("dataset:pg:p1", "dataset:pg:p2")
    assert hops(answer) == {"stage": 1, "mid": 1, "report": 1}
    report = next(n for n in answer.nodes if n.id == "dataset:pg:report")
    assert (report.path, report.certainty, report.crosses_domain) == (
        ("dataset:pg:p2", "dataset:pg:report"), "certain", True
    )  # fmt: skip
    assert answer.title() == "Impact of product:both (2 datasets)"
    assert lx.impact("product:Both").node == "product:both", "by its name"


def test_provenance_of_a_product_is_what_it_is_made_of(lx: Lineage) -> None:
    answer = lx.provenance("product:both")
    assert hops(answer) == {"in": 1, "mid": 1, "raw": 2}
    assert answer.coverage is not None and answer.coverage.datasets_without_writer == ("dataset:pg:raw",)
    assert hops(lx.provenance("product:both", depth=1)) == {"in": 1, "mid": 1}


def test_a_domain_is_all_its_datasets(lx: Lineage) -> None:
    answer = lx.impact("domain:sales", kinds="dataset,domain")
    assert hops(answer) == {"report": 1}
    assert [n.id for n in answer.nodes if n.kind == "domain"] == ["domain:ads"]
    assert hops(lx.provenance("domain:sales")) == {"raw": 1}
    assert hops(lx.impact("domain:unassigned")) == {"in": 1, "p1": 2, "stage": 3, "mid": 3, "p2": 4, "report": 4}


def test_what_is_no_product_is_unknown_with_those_that_come_near(lx: Lineage) -> None:
    with pytest.raises(UnknownNodeError) as error:
        lx.impact("product:bothe")
    assert error.value.candidates[0] == "product:both"
    with pytest.raises(UnknownNodeError) as error:
        lx.provenance("domain:sale")
    assert error.value.candidates[0] == "domain:sales"


def test_a_product_that_binds_nothing_is_blind_and_not_without_impact(lx: Lineage) -> None:
    for answer in (lx.impact("product:lost"), lx.provenance("product:lost")):
        assert (answer.verdict, answer.nodes, answer.sources) == ("blind", (), ())
        assert answer.blind_spots == ("product:lost: its output ports bind no dataset that was ever seen",)


def test_blind_spots_of_single_datasets_are_told(lx: Lineage) -> None:
    before = lx.impact("product:both", as_of="1990-01-01")
    assert before.verdict == "blind"
    assert [spot.partition(": was")[0] for spot in before.blind_spots] == ["dataset:pg:p1", "dataset:pg:p2"]


@pytest.mark.parametrize("wrong", [{"column": "day"}, {"bridge": True}])
def test_what_is_for_one_node_is_refused(lx: Lineage, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="product:both"):
        lx.impact("product:both", **wrong)
    with pytest.raises(UsageError, match="about one dataset or job"):
        render(lx.impact("product:both", links=True), "openlineage")


@pytest.mark.parametrize("format", ["json", "csv", "md", "mermaid", "graphml"])
def test_other_formats_show_it(lx: Lineage, format: str) -> None:
    text = render(lx.impact("product:both", links=True), format)
    assert "dataset:pg:report" in text
    assert "asked --> asked" not in text and 'source="asked" target="asked"' not in text


def test_a_hidden_product_is_unknown_and_a_hidden_domain_refused(lx: Lineage) -> None:
    eve = Actor("eve", frozenset({"sales"}))
    with pytest.raises(UnknownNodeError) as error:
        lx.impact("product:both", actor=eve)
    assert "product:both" not in error.value.candidates
    with pytest.raises(HiddenNodeError):
        lx.impact("domain:sales", actor=eve)
    seen = lx.impact("product:both", actor=Actor("eve", frozenset({"ads"})))
    assert "report" not in json.dumps(to_json(seen))


def test_every_door_answers(
    lx: Lineage, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = get(client_of(lx), "/api/v2/impact", node="product:both")
    assert told["nodes"] == to_json(lx.impact("product:both").nodes)
    assert told["sources"] == ["dataset:pg:p1", "dataset:pg:p2"]
    monkeypatch.setenv("COLUMNS", "120")
    with Store.open(tmp_path / "mesh.duckdb") as store:
        one_product(mesh(World(_store=store)).store, tmp_path)
    assert run(["provenance", "product:both", "--db", str(tmp_path / "mesh.duckdb")]) == 0
    out = capsys.readouterr().out
    assert "Provenance of product:both (2 datasets)" in out
    assert "Asked of dataset:pg:p1, dataset:pg:p2." in out
    assert run(["impact", "product:none", "--db", str(tmp_path / "mesh.duckdb")]) == 2


ONE_NODE: dict[str, Callable[..., object]] = {
    "show": lambda lx, text, **who: lx.show(text, **who),
    "picture": lambda lx, text, **who: lx.picture(text, **who),
    "path": lambda lx, text, **who: lx.path("dataset:pg:report", text, **who),
    "impact_counts": lambda lx, text, **who: lx.impact_counts(text, **who),
    "run_provenance": lambda lx, text, **who: lx.run_provenance(text, **who),
    "stops.request": lambda lx, text, **who: lx.stops.request(text, "why", **who),
}
"""Questions of one node, which a product or a domain is not."""


@pytest.mark.parametrize("door", ONE_NODE)
def test_where_one_node_is_asked_for_a_group_names_its_datasets(lx: Lineage, door: str) -> None:
    ask = ONE_NODE[door]
    with pytest.raises(NotANodeError, match=r"^product:both is a data product, not a node. Ask for one of") as error:
        ask(lx, "product:both")
    assert error.value.candidates == ["dataset:pg:p1", "dataset:pg:p2"]
    with pytest.raises(NotANodeError, match="domain:sales is a domain, not a node") as error:
        ask(lx, "domain:sales")
    assert error.value.candidates == [f"dataset:pg:{name}" for name in ("in", "mid", "p1", "p2", "stage")]
    with pytest.raises(
        NotANodeError, match="product:lost is a data product, not a node, and no dataset of it was ever"
    ):
        ask(lx, "product:lost")
    eve = Actor("eve", frozenset({"sales"}))
    with pytest.raises(UnknownNodeError) as unknown:
        ask(lx, "product:both", actor=eve)
    assert type(unknown.value) is UnknownNodeError
    assert unknown.value.candidates == []
    with pytest.raises(HiddenNodeError):
        ask(lx, "domain:sales", actor=eve)


def test_the_interface_and_the_command_line_say_so(
    lx: Lineage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = client_of(lx).get("/api/v2/impact/counts", params={"node": "product:both"})
    assert (told.status_code, told.json()["error"]) == (400, "NotANodeError")
    assert told.json()["candidates"] == ["dataset:pg:p1", "dataset:pg:p2"]
    with Store.open(tmp_path / "mesh.duckdb") as store:
        assert mesh(World(_store=store)).store is store
    assert run(["show", "domain:unassigned", "--db", str(tmp_path / "mesh.duckdb")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "meshline: domain:unassigned is a domain, not a node. Ask for one of its datasets:"
    assert said[1:] == ["  dataset:pg:raw"]


NAMES = "abcdefg"
edges_of = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.booleans()), min_size=1, max_size=14)


@cases(max_examples=25, deadline=None)
@given(edges_of, st.sets(st.sampled_from(NAMES), min_size=1, max_size=4))
def test_a_group_is_the_best_of_its_members(edges: list[tuple[str, str, bool]], inside: set[str]) -> None:
    world = World()
    for name in NAMES:
        world.dataset(name)
    for src, dst, sure in set(edges):
        world.edge(world.dataset(src), world.dataset(dst), provenance="explicit" if sure else "product")
    world.domain("g", *sorted(inside))
    lx = Lineage(world.store)
    for ask in (lx.impact, lx.provenance):
        best: dict[str, tuple[int, int]] = {}
        for name in inside:
            for node in ask(f"dataset:pg:{name}").nodes:
                grade = LEVELS.index(node.certainty)
                before = best.get(node.id, (node.hops, grade))
                best[node.id] = (min(before[0], node.hops), min(before[1], grade))
        wanted = {node: told for node, told in best.items() if node.rpartition(":")[2] not in inside}
        assert {n.id: (n.hops, LEVELS.index(n.certainty)) for n in ask("domain:g").nodes} == wanted
    world.store.close()
