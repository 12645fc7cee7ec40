"""Worlds that several tests ask about."""

from __future__ import annotations

import pytest

from lineage.engine import Lineage
from tests.answers.builder import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def chain(world: World) -> World:
    """raw → orders → report, one job for each step, in two domains; a probable step at the end."""
    world.flow(["raw"], "load", ["orders"], provenance="explicit")
    world.flow(["orders"], "build", ["report"])
    world.domain("sales", "orders", "load")
    world.domain("bi", "report", "build")
    return world


@pytest.fixture
def lx(chain: World) -> Lineage:
    return Lineage(chain.store)
