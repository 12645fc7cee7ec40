"""Worlds that several tests ask about."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lineage.engine import Lineage
from tests.answers import builder
from tests.answers.builder import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def chain(world: World) -> World:
    """raw → orders → report, one job for each step, in two domains; a probable step at the end."""
    return builder.chain(world)


@pytest.fixture(scope="module")
def asked() -> Iterator[Lineage]:
    """The chain, for all tests of a file that only ask."""
    with builder.only_asked(builder.chain(World())) as store:
        yield Lineage(store)


@pytest.fixture
def lx(chain: World) -> Lineage:
    return Lineage(chain.store)
