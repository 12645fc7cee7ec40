"""What an actor may not see stays as ``hidden (domain X)``, through every door."""

from __future__ import annotations

import json

import pytest

from lineage.actor import LOCAL, Actor
from lineage.answers import to_json
from lineage.engine import Lineage
from lineage.view import HiddenNodeError
from tests.answers.builder import World, at
from tests.answers.test_api import client_of

SECRET = ("salaries", "payroll", "bonus")  # names of the hidden domain; none may ever be printed
NOSY = Actor("nosy", hidden_domains={"hr"})
MASK = "hidden (domain hr)"


@pytest.fixture
def secret(world: World) -> World:
    """raw → salaries (hidden, by hidden job payroll) → report → mail, with columns, runs and telling facets."""
    world.flow(["raw"], "payroll", ["salaries"])
    world.flow(["salaries"], "build", ["report"])
    world.flow(["report"], "send", ["mail"])
    world.dataset("salaries", "bonus")
    world.column_edge(("raw", "id"), ("salaries", "bonus"), "payroll")
    world.column_edge(("salaries", "bonus"), ("report", "total"), "build")
    world.domain("hr", "salaries", "payroll")
    world.domain("bi", "report", "build")
    run = world.run("payroll", "r1")
    world.run_io(run, "payroll", "raw", "in")
    world.run("build", "r2", error="cannot read salaries")
    world.facet(world.job("build"), "sql", {"query": "select sum(bonus) from salaries"})
    lineage = {"fields": {"total": {"inputFields": [{"namespace": "pg", "name": "salaries", "field": "bonus"}]}}}
    world.facet(world.dataset("report"), "columnLineage", lineage)
    world.alias(world.dataset("salaries"), world.dataset("/hr/salaries", namespace="file"), type="LOCATION")
    return world


def printed(answer: object) -> str:
    text = json.dumps(to_json(answer))
    assert not [name for name in SECRET if name in text], text
    return text


def test_impact_keeps_the_place_and_blots_out_the_name(secret: World) -> None:
    lx = Lineage(secret.store)
    answer = lx.impact("raw", actor=NOSY)
    printed(answer)
    masked = [node for node in answer.nodes if node.id == MASK]
    assert [(node.kind, node.hops, node.owner, node.aliases) for node in masked] == [
        ("dataset", 1, None, ()),
        ("job", 1, None, ()),
    ]
    report = next(node for node in answer.nodes if node.id == "dataset:pg:report")
    assert report.path == ("dataset:pg:raw", MASK, "dataset:pg:report")
    assert answer.coverage is not None and answer.coverage.edges == 1  # report → mail; the others touch hidden nodes
    assert "salaries" in json.dumps(to_json(lx.impact("raw", actor=LOCAL)))


def test_provenance_and_its_blind_spots_name_nothing_hidden(secret: World) -> None:
    lx = Lineage(secret.store)
    printed(lx.provenance("mail", actor=NOSY))
    printed(lx.provenance("column:pg:report:total", actor=NOSY))


def test_a_frontier_does_not_count_hidden_nodes(secret: World) -> None:
    answer = Lineage(secret.store).impact("raw", depth=0, actor=NOSY)
    assert answer.partial and answer.frontier is not None
    assert (answer.frontier.nodes, answer.frontier.domains) == (4, {"bi": 2, "unassigned": 2})  # report, mail, jobs
    assert answer.frontier.hidden == (MASK,) and str(answer.frontier).endswith(f" and {MASK}")
    nearer = Lineage(secret.store).impact("raw", hops=1, kinds="dataset", actor=NOSY)
    assert [node.id for node in nearer.nodes] == [MASK]


def test_search_never_finds_hidden_names(secret: World) -> None:
    lx = Lineage(secret.store)
    for text in (*SECRET, "salries", "pg", "o"):
        printed(lx.search(text, actor=NOSY))
    assert lx.search("salaries")


def test_show_of_a_hidden_node_says_only_that_it_is_hidden(secret: World) -> None:
    detail = Lineage(secret.store).show("dataset:pg:salaries", actor=NOSY)
    assert (detail.hidden, detail.id, detail.columns, detail.runs, detail.facets) == (True, MASK, (), (), {})


def test_show_of_a_neighbour_names_nothing_hidden(secret: World) -> None:
    lx = Lineage(secret.store)
    for node in ("report", "raw", "job:pg:build", "column:pg:report:total"):
        printed(lx.show(node, actor=NOSY))
    assert lx.show("raw").runs and not lx.show("raw", actor=NOSY).runs


def test_pictures_keep_hidden_cards_apart_without_counts(secret: World) -> None:
    lx = Lineage(secret.store)
    picture = lx.picture("report", upstream=2, jobs=True, columns=True, actor=NOSY)
    printed(picture)
    hidden = [node for node in picture.nodes if node.hidden]
    assert {node.id for node in hidden} == {f"{MASK} #1", f"{MASK} #2"}
    assert {(n.columns, n.column_count, n.cut_upstream, n.cut_downstream, n.status) for n in hidden} == {
        ((), 0, 0, 0, None)
    }
    ids = {node.id for node in picture.nodes}
    assert all({edge.src, edge.dst} <= ids for edge in picture.edges)
    printed(lx.column_trace("column:pg:report:total", actor=NOSY))


@pytest.mark.parametrize("question", ["impact", "provenance", "picture", "column_trace", "marquez"])
def test_a_question_about_a_hidden_node_is_refused(secret: World, question: str) -> None:
    node = "column:pg:salaries:bonus" if question == "column_trace" else "dataset:pg:salaries"
    with pytest.raises(HiddenNodeError) as caught:
        getattr(Lineage(secret.store), question)(node, actor=NOSY)
    assert str(caught.value).startswith(MASK)


def test_counts_of_hidden_domains_are_not_told(secret: World) -> None:
    lx = Lineage(secret.store)
    hidden = next(domain for domain in lx.domains(NOSY) if domain.name == "hr")
    assert (hidden.hidden, hidden.datasets, hidden.jobs, hidden.title) == (True, None, None, None)
    everything, visible = lx.summary(), lx.summary(NOSY)
    assert (everything.datasets - visible.datasets, everything.jobs - visible.jobs) == (1, 1)
    assert everything.runs - visible.runs == 1
    assert (everything.edges, visible.edges) == (3, 1)


def test_the_past_does_not_show_what_is_hidden_today(secret: World) -> None:
    secret.domain("legal", "mail", known_from=at("2026-06-01"))
    actor = Actor("nosy", hidden_domains={"hr", "legal"})
    answer = Lineage(secret.store).impact("report", known_at="2026-05-01", actor=actor)
    assert "dataset:pg:mail" not in [node.id for node in answer.nodes]


def test_the_rest_door_masks_too(secret: World) -> None:
    api = client_of(Lineage(secret.store), NOSY)
    texts = [
        api.get("/api/v2/impact", params={"node": "raw"}).text,
        api.get("/api/v2/provenance", params={"node": "mail"}).text,
        api.get("/api/v2/nodes", params={"node": "report"}).text,
        api.get("/api/v2/search", params={"q": "salaries"}).text,
        api.get("/api/v2/picture", params={"node": "report", "jobs": True, "columns": True}).text,
        api.get("/api/v2/column-trace", params={"column": "report:total"}).text,
        api.get("/api/v1/lineage", params={"nodeId": "dataset:pg:report"}).text,
        api.get("/api/v2/impact", params={"node": "salarie"}).text,
    ]
    assert not [name for name in SECRET for text in texts if name in text.replace("salarie”", "")]
    assert MASK in texts[0] and MASK in texts[6]
    assert api.get("/api/v2/impact", params={"node": "dataset:pg:salaries"}).status_code == 403
