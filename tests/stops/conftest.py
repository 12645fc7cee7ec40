"""A small world by hand for the tests of stops."""

from __future__ import annotations

import pytest

from tests.answers.builder import World


@pytest.fixture
def world() -> World:
    return World()
