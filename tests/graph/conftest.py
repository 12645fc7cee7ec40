"""Every test of the engine runs over each implementation of the kernels that is there."""

from __future__ import annotations

import pytest

from lineage.graph import choice, sorting


@pytest.fixture(params=["compiled", "numpy"])
def kernels(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param not in choice.available():
        pytest.skip("the compiled kernels were not built here (no C compiler at install time)")
    if request.param == "numpy":
        monkeypatch.setattr(sorting, "_kernels", None)
    return str(request.param)
