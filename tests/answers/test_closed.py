"""What was closed answers nothing, also not from what it still holds in memory."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage.engine import Lineage
from lineage.errors import ClosedError
from lineage.fields import Fields
from lineage.graph_questions import GraphQuestions
from lineage.store import Store
from tests.answers.builder import World

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "search": ("raw",), "listing": ("datasets",), "find": ("raw",), "owned": ("x",), "path": ("raw", "orders"),
    "diff": ("2026-01-01",), "overlay": ("quality",), "column_trace": ("raw:id",),
}  # fmt: skip
NO_QUESTIONS = {"close", "following"}


def methods() -> list[str]:
    """Every public method of an opened database."""
    found = {name for kind in (Lineage, GraphQuestions) for name, _ in inspect.getmembers(kind, inspect.isfunction)}
    return sorted(name for name in found if not name.startswith("_") and name not in NO_QUESTIONS)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("closed") / "mesh.duckdb"
    with Store.open(path) as store:
        world = World(_store=store)
        world.flow(["raw"], "load", ["orders"])
        assert world.store is store
    return path


@pytest.fixture(scope="module")
def closed(file: Path) -> Lineage:
    """Asked once, so that everything is in memory, and closed."""
    with lineage.open(file) as lx:
        assert lx.impact("raw").nodes
        assert lx.cost is not None and lx.quality is not None
    return lx


@pytest.mark.parametrize("name", methods())
def test_every_method_says_that_it_was_closed(closed: Lineage, name: str) -> None:
    method = getattr(closed, name)
    required = [p for p in inspect.signature(method).parameters.values() if p.default is p.empty]
    given = ARGUMENTS.get(name, ("raw",) * len(required))
    with pytest.raises(ClosedError, match=r"was closed; lineage\.open\(…\) opens it again"):
        method(*given)


def test_fields_of_questions_say_it_too(closed: Lineage) -> None:
    fields = [name for name in vars(Fields) if not name.startswith("_") and name != "store"]
    assert len(fields) > 10
    for name in fields:
        with pytest.raises(ClosedError):
            asked = vars(getattr(closed, name)).values()
            next(one for one in asked if isinstance(one, Lineage)).view()


def test_closing_twice_is_nothing_and_an_open_store_stays_open(file: Path) -> None:
    with Store.open(file) as store:
        lx = lineage.open(store)
        lx.close()
        lx.close()
        with pytest.raises(ClosedError):
            lx.impact("raw")
        assert lineage.open(store).impact("raw").nodes
        other = lineage.open(store)
        assert other.impact("raw").nodes
    with pytest.raises(ClosedError):
        other.impact("raw")
