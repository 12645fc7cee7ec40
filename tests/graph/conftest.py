"""Every test of the engine runs over each implementation of the kernels that is there."""

from __future__ import annotations

import pytest

from lineage.graph import search


@pytest.fixture(params=["compiled", "numpy"])
def kernels(request: pytest.FixtureRequest) -> str:
    if request.param not in search.available():
        pytest.skip("the compiled kernels were not built here (no C compiler at install time)")
    return str(request.param)
