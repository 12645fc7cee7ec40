"""Networkx's own tests on the backend: how often they really ran on it, and the one test that cannot."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from lineage.networkx_backend.info import FUNCTIONS

# It changes the graph while it is sorted, which a read-only graph rules out.
_NOT_FOR_US = {"test_topological_sort6"}


class CallCounter:
    """A pytest plugin that prints one line of JSON after the tests: calls by function, zeros included."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def counted(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, counting its calls."""

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls[name] += 1
            return function(*args, **kwargs)

        return call

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The line."""
        terminalreporter.write_line(f"meshline: calls {json.dumps({name: self.calls[name] for name in FUNCTIONS})}")


def count_calls(backend: Any, items: list[Any]) -> None:
    """Wrap the functions of the backend, and print their counts when the run of these tests ends."""
    if not items:
        return
    import pytest

    for item in items:
        if item.name in _NOT_FOR_US:
            item.add_marker(pytest.mark.xfail(reason="changes a graph that is read-only here", strict=True))
    counter = CallCounter()
    for name in FUNCTIONS:
        setattr(backend, name, counter.counted(name, getattr(backend, name)))
    items[0].config.pluginmanager.register(counter, "meshline-call-counter")
