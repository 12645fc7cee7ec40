"""What a page is."""

from __future__ import annotations

import functools
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

    What only stands there in the parts that the function gives is packed, see :mod:`dashboard.still`. An answer from
    before the store changed is told to the browser with the seconds after which to ask again, see ``assets/live.js``.
    """
    from dash import set_props

    from dashboard.memo import noticing, oldest
    from dashboard.still import quiet

    def register(function: F) -> F:
        @functools.wraps(function)
        def telling(*given: Any) -> Any:
            with noticing() as held:
                found = function(*given)
            before = oldest(held)
            if before is not None:
                set_props("held", {"data": {"of": round(1000 * before.of), "left": before.left}})
            return found

        app.callback(*spec, **options)(quiet(app, spec, telling))
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
