"""Pack the parts of a page that no callback speaks to into one component each.

Dash gives every component a wrapper that subscribes to the store of the page, twice for a plain element, and wakes all
of them at every answer. A page of 2,000 elements and 16 answers spent 4 of its 6 seconds of CPU there. So what is text
and plain elements (and links within the dashboard) travels as a nested list and is drawn by ``still.js`` in one go.
The document is the same: elements, classes, ids.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from dash import Output, dcc
from dash.development.base_component import Component

from dashboard.lineage_graph.component import NAMESPACE

if TYPE_CHECKING:
    from dash import Dash

_NAMES = """
a abbr aside b br button caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i
img ins kbd li mark nav ol p pre s samp section small span strong sub summary sup table tbody td tfoot th thead time tr
u ul
"""
TAGS = frozenset(_NAMES.split())
"""Elements that may be packed: none that runs, embeds or sends."""
LINK = "link"
WRITTEN = frozenset({"lineage-copied", "provenance-copied", "audit-note", "page-error"})
"""Ids that scripts and handlers of errors write to by ``set_props``, without being named in a callback."""
_UNUSED = frozenset({"children", "n_clicks", "n_clicks_timestamp", "disable_n_clicks"})


class Still(Component):  # type: ignore[misc]  # Dash ships no types
    """Elements in one component.

    Parameters
    ----------
    parts
        what :func:`packed` gives, one after the other.
    id
        for a callback that changes the parts.
    """

    _children_props: ClassVar[list[str]] = []
    _base_nodes: ClassVar[list[str]] = ["children"]
    _namespace = NAMESPACE
    _type = "Still"

    def __init__(self, parts: list[Any] | None = None, *, id: str | None = None) -> None:
        self._prop_names = ["id", "parts"]
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = self._prop_names
        self.available_wildcard_properties: list[str] = []
        super().__init__(parts=parts or [], **({"id": id} if id else {}))


def spoken(app: Dash) -> frozenset[str]:
    """Ids that callbacks read or write; what has one stays a component of its own."""
    found = set(WRITTEN)
    for one in app._callback_list:
        outputs = one["output"].strip(".").split("...")
        found |= {text.rpartition(".")[0] for text in outputs}
        found |= {str(part["id"]) for part in (*one["inputs"], *one["state"])}
    return frozenset(found)


def quiet(app: Dash, spec: Sequence[object], function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of a callback whose answers are packed; ``spec`` tells whether it gives one or several."""
    several = sum(isinstance(one, Output) for one in spec) > 1 or isinstance(spec[0], list | tuple)
    keep: list[frozenset[str]] = []

    @functools.wraps(function)
    def answer(*given: Any) -> Any:
        found = function(*given)
        if not keep:  # all callbacks are known by the time one is called
            keep.append(spoken(app))
        if several and isinstance(found, list | tuple):
            return [stilled(one, keep[0]) for one in found]
        return stilled(found, keep[0])

    return answer


def packed(part: Any, keep: Collection[str]) -> Any:
    """A part as nested lists; ``NotImplemented`` when something in it is more than an element.

    >>> from dash import html
    >>> packed(html.P(["a ", html.B("b")], className="x"), ())
    ['p', {'className': 'x'}, 'a ', ['b', 0, 'b']]
    >>> packed(html.P("a", id="spoken"), {"spoken"})
    NotImplemented
    """
    if part is None or isinstance(part, str | int | float):
        return part
    tag = _tag(part, keep)
    if tag is None:
        return NotImplemented
    children = [packed(child, keep) for child in _children(part)]
    if any(child is NotImplemented for child in children):
        return NotImplemented
    given = {key: value for key, value in part.to_plotly_json()["props"].items() if key not in _UNUSED}
    return [tag, given or 0, *children]


def _tag(part: Any, keep: Collection[str]) -> str | None:
    if not isinstance(part, Component):
        return None
    name = getattr(part, "id", None)
    if name is not None and (not isinstance(name, str) or name in keep):
        return None
    if isinstance(part, dcc.Link):
        plain = not getattr(part, "refresh", False) and getattr(part, "target", None) is None
        return LINK if plain and getattr(part, "children", None) is not None else None
    tag = part._type.lower()
    return tag if part._namespace == "dash_html_components" and tag in TAGS else None


def _children(part: Any) -> list[Any]:
    return list(_flat(getattr(part, "children", None)))


def _flat(children: Any) -> Iterable[Any]:
    if isinstance(children, list | tuple):
        for child in children:
            yield from _flat(child)
    elif children is not None:
        yield children


def stilled(part: Any, keep: Collection[str]) -> Any:
    """A part of a page in which everything that only stands there is packed; anything but components as it is.

    The components that were given stay as they were.
    """
    if isinstance(part, list | tuple):
        return _row(part, keep) if any(isinstance(one, Component) for one in part) else part
    if not isinstance(part, Component):
        return part
    found = packed(part, keep)
    if found is not NotImplemented:
        return Still([found])
    children = getattr(part, "children", None)
    if not isinstance(children, list | tuple | Component):
        return part
    same = copy.copy(part)
    same.children = stilled(children, keep)
    return same


def _row(parts: Iterable[Any], keep: Collection[str]) -> list[Any]:
    """Neighbours that only stand there share one component."""
    row: list[Any] = []
    run: list[Any] = []

    def close() -> None:
        if any(isinstance(one, list) for one in run):
            row.append(Still(list(run)))
        else:
            row.extend(run)
        run.clear()

    for part in parts:
        found = NotImplemented if isinstance(part, list | tuple) else packed(part, keep)
        if found is NotImplemented:
            close()
            row.append(stilled(part, keep))
        else:
            run.append(found)
    close()
    return row
