"""What a page is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from dash import Dash

    from lineage.engine import Lineage

Part = Any
"""A Dash component; Dash ships no types."""


F = TypeVar("F", bound=Callable[..., Any])


def callback(app: Dash, *spec: object, **options: Any) -> Callable[[F], F]:
    """``app.callback`` with a type; ``spec`` are outputs, inputs and states.

    What only stands there in the parts that the function gives is packed, see :mod:`dashboard.still`.
    """
    from dashboard.still import quiet

    def register(function: F) -> F:
        app.callback(*spec, **options)(quiet(app, spec, function))
        return function

    return register


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the dashboard.

    ``layout`` gives its empty frame (skeletons, no data), ``register`` its callbacks; the address carries all
    state, so a callback of the page starts from ``url.search``.
    """

    path: str
    title: str
    about: str
    group: str  # Monitor, Explore or Govern
    icon: str
    layout: Callable[[], Part]
    register: Callable[[Dash, Lineage, str], None]
