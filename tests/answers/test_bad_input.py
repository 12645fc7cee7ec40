"""Questions that cannot be answered get one clear line and a code, from the command line and over HTTP alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from fastapi.testclient import TestClient

from lineage.cli import run
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.times import OPEN_END
from tests.answers import builder
from tests.answers.builder import World, only_asked
from tests.answers.test_api import client_of

Query = dict[str, str | list[str]]
REFUSED: dict[str, tuple[list[str], str, Query, int, str]] = {
    "an unknown node names what comes near": (
        ["impact", "ordrs"], "impact", {"node": "ordrs"}, 404, "dataset:pg:orders",
    ),
    "an unknown column names what comes near": (
        ["provenance", "orders", "--column", "amuont"], "provenance", {"node": "orders", "column": "amuont"}, 404,
        "column:pg:orders:amount",
    ),
    "an unknown column by its text names columns of its dataset": (
        ["impact", "column:pg:orders:amuont"], "impact", {"node": "column:pg:orders:amuont"}, 404,
        "column:pg:orders:amount",
    ),
    "an unknown column like none names what its dataset has": (
        ["impact", '["column", "pg", "orders", "b"]'], "impact", {"node": "column:pg:orders:b"}, 404,
        "column:pg:orders:amount",
    ),
    "an unknown column is named by a text that could be typed": (
        ["impact", "orders", "--column", "b"], "impact", {"node": "orders", "column": "b"}, 404, "column:pg:orders:b”",
    ),
    "a time that is no time": (
        ["impact", "raw", "--as-of", "yesterdayish"], "impact", {"node": "raw", "as_of": "yesterdayish"}, 400, "as-of",
    ),
    "a known time that is no time": (
        ["tags", "--known-at", "2026-13-01"], "tags", {"known_at": "2026-13-01"}, 400, "known-at",
    ),
    "from after to": (
        ["diff", "--from", "2026-03-01", "--to", "2026-02-01"], "diff", {"from": "2026-03-01", "to": "2026-02-01"}, 400,
        "after",
    ),
    "a kind that does not exist": (
        ["impact", "raw", "--kind", "table"], "impact", {"node": "raw", "kind": "table"}, 400, "none of dataset",
    ),
    "a domain nobody declared": (
        ["impact", "raw", "--domain", "slaes"], "impact", {"node": "raw", "domain": "slaes"}, 400, "sales",
    ),
    "a certainty that does not exist": (
        ["cause", "raw", "--certainty", "sure"], "cause", {"node": "raw", "certainty": "sure"}, 400, "certain",
    ),
    "a job has no tags": (["tags", "job:pg:load"], "tags", {"node": "job:pg:load"}, 400, "datasets and columns"),
    "a level that does not exist": (["mesh", "--level", "x"], "mesh", {"level": "x"}, 400, "none of domain"),
    "a figure that does not exist": (["rank", "--by", "x"], "rank", {"by": "x"}, 400, "none of criticality"),
    "a dataset that is still read": (["dead", "raw"], "dead", {"node": "raw"}, 400, "still read"),
}  # fmt: skip


@pytest.fixture(scope="module")
def asked() -> Iterator[Lineage]:
    world = builder.chain(World())
    world.dataset("orders", "amount")
    world.column_edge(("raw", "amount"), ("orders", "amount"), "load")
    with only_asked(world) as store:
        yield Lineage(store)


@pytest.fixture
def api(asked: Lineage, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr("lineage.engine.open", lambda path: Lineage(asked.store))
    return client_of(asked)


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_in_one_line(
    case: str, api: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    words, route, query, status, said = REFUSED[case]
    assert run(words) == 2
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err
    answer = api.get(f"/api/v2/{route}", params=query)
    assert answer.status_code == status and said in answer.text


def test_a_negative_depth_is_refused_at_both_doors(api: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["impact", "raw", "--depth", "-1"]) == 2
    assert "negative" in capsys.readouterr().err
    assert api.get("/api/v2/impact", params={"node": "raw", "depth": "-1"}).status_code in (400, 422)


@pytest.fixture
def odd(world: World, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A circle with a self-loop, and a hub with very many neighbours."""
    for flow in ("a j b", "b k a", "b l b"):
        source, job, output = flow.split()
        world.flow([source], job, [output])
    hub = world.dataset("hub")
    for number in range(300):
        world.edge(hub, world.dataset(f"n{number}"))
    monkeypatch.setattr("lineage.engine.open", lambda path: Lineage(world.store))
    return client_of(Lineage(world.store))


@pytest.mark.parametrize("node", ["a", "b", "hub"])
def test_circles_loops_and_hubs_are_answered_by_every_question(
    odd: TestClient, node: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"dataset:pg:{node}"
    for route in ("impact", "provenance", "tags", "impact/counts", "cause"):
        answer = odd.get(f"/api/v2/{route}", params={"node": text})
        assert answer.status_code == 200, answer.text
    assert run(["impact", text, "--format", "json"]) == 0
    found = [row["id"] for row in json.loads(capsys.readouterr().out)["nodes"]]
    assert len(found) == len(set(found)) and text not in found
    if node == "hub":
        assert len(found) == 300


@pytest.mark.parametrize("route", ["tags", "cause", "rank", "mesh", "cycles", "dead"])
def test_an_empty_graph_gives_empty_answers(world: World, route: str) -> None:
    assert client_of(Lineage(world.store)).get(f"/api/v2/{route}").status_code == 200


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (lambda lx: lx.impact("raw", depth=1.5), "depth: 1.5 is no whole number"),
        (lambda lx: lx.impact("raw", depth="3"), "depth: '3' is no whole number"),
        (lambda lx: lx.provenance(None), "None names no node"),
        (lambda lx: lx.path("raw", 5), "5 names no node"),
        (lambda lx: lx.impact("raw", as_of=2026), "as-of: 2026 is no time"),
        (lambda lx: lx.diff(2026), "from: 2026 is no time"),
    ],
)
def test_python_values_of_a_wrong_type_are_refused_in_the_same_way(
    question: Callable[[Any], object], says: str, chain: World
) -> None:
    with pytest.raises(UsageError, match=says):
        question(Lineage(chain.store))


def test_one_text_is_one_node_wherever_several_are_taken(chain: World) -> None:
    lx = Lineage(chain.store)
    assert lx.rehearse(drop="orders").changes == lx.rehearse(drop=["orders"]).changes
    assert lx.rehearse(retire="orders").changes == lx.rehearse(retire=["orders"]).changes
    assert lx.cause("orders", passing="raw").groups == lx.cause(["orders"], passing=["raw"]).groups
    last = lx.dead().unread[0].id
    assert lx.dead(last).unread == lx.dead([last]).unread
    assert not lx.dead(keep=last).unread or last not in [one.id for one in lx.dead(keep=last).unread]


def test_a_date_is_its_first_instant(chain: World) -> None:
    lx = Lineage(chain.store)
    assert lx.impact("raw", as_of=date(2026, 3, 31)).as_of == lx.impact("raw", as_of="2026-03-31").as_of


WEST, EAST = (timezone(timedelta(hours=hours)) for hours in (-5, 5))


LAST = datetime.max  # noqa: DTZ901 - naive is UTC


@pytest.mark.parametrize("when", [LAST, OPEN_END, date.max, LAST.replace(tzinfo=WEST), datetime(1, 1, 1, tzinfo=EAST)])
def test_a_time_beyond_all_times_is_refused_as_its_text_is(when: date, chain: World) -> None:
    lx = Lineage(chain.store)
    asks: list[tuple[str, Callable[[Any], object]]] = [
        ("as-of", lambda at: lx.impact("raw", as_of=at)),
        ("known-at", lambda at: lx.impact("raw", known_at=at)),
        ("as-of", lambda at: lx.path("raw", "orders", as_of=at)),
        ("as-of", lambda at: lx.graph(as_of=at)),
        ("to", lambda at: lx.diff("2026-01-01", at)),
    ]
    for name, ask in asks:
        with pytest.raises(UsageError, match=f"^{name}: ") as typed:
            ask(when.isoformat())
        with pytest.raises(UsageError) as given:
            ask(when)
        assert str(given.value) == str(typed.value)
        assert ask(datetime(9999, 12, 30, 12))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda lx: lx.impact("raw", kinds=5), "kind: 5 is no text and no list of texts."),
        (lambda lx: lx.impact("raw", kinds=["dataset", 3]), "kind: 3 is no text."),
        (lambda lx: lx.impact("raw", domains=[None]), "domain: None is no text."),
        (lambda lx: lx.impact("raw", certainty=1.5), "certainty: 1.5 is no text and no list of texts."),
        (lambda lx: lx.impact("raw", column=4), "column: 4 is no text."),
        (lambda lx: lx.rank(limit="a"), "limit: 'a' is no whole number."),
        (lambda lx: lx.rank(limit=0), "limit: 0 is below 1."),
        (lambda lx: lx.rehearse(rename=["a"]), "rename: ['a'] says of no node what it becomes; write {node: …}."),
        (lambda lx: lx.rehearse(rename={"raw": 5}), "dataset:pg:raw: rename needs what it becomes, as a text."),
        (lambda lx: lx.rehearse(late={"raw": "x"}), "dataset:pg:raw: late needs a number of hours above 0, not x."),
        (lambda lx: lx.rehearse(drop=5), "5 is no node text and no list of node texts."),
        (lambda lx: lx.history(buckets="x"), "buckets: 'x' is no whole number."),
        (lambda lx: lx.search(None), "text: None is no text."),
        (lambda lx: lx.search("a", kinds=5), "kind: 5 is no text and no list of texts."),
        (lambda lx: lx.search("a", limit=1.5), "limit: 1.5 is no whole number."),
    ],
)
def test_another_type_than_is_asked_for_is_told_of(ask: Callable[[Any], object], said: str, chain: World) -> None:
    with pytest.raises(UsageError) as told:
        ask(Lineage(chain.store))
    assert str(told.value) == said
