"""The address as one page sees it.

Dash asks, at every change of ``url.search``, which callbacks take it as an input, and weighs each against each. A
hundred and forty callbacks of all pages took half a second of the browser's time at every step, to run the five of the
page that is shown. So each page has a part of its own that says where one is; its callbacks listen to that one only.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from dash.development.base_component import Component

from dashboard.lineage_graph.component import NAMESPACE

if TYPE_CHECKING:
    from dash import Dash

URL, FRESH = "url", "fresh"
_LOCAL = {(URL, "pathname"): "pathname", (URL, "search"): "search", (FRESH, "data"): "fresh"}


class Here(Component):  # type: ignore[misc]  # Dash ships no types
    """Where one is, and what is new; draws nothing.

    Parameters
    ----------
    id
        from :func:`name`.
    pathname, search
        the address of the page; the browser writes ``search`` when it changes.
    fresh
        what the Store ``fresh`` said last.
    """

    _children_props: ClassVar[list[str]] = []
    _base_nodes: ClassVar[list[str]] = ["children"]
    _namespace = NAMESPACE
    _type = "Here"

    def __init__(
        self,
        id: str | None = None,
        *,
        pathname: str | None = None,
        search: str | None = None,
        fresh: Any = None,
    ) -> None:
        given = {"id": id, "pathname": pathname, "search": search, "fresh": fresh}
        self._prop_names = list(given)
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = self._prop_names
        self.available_wildcard_properties: list[str] = []
        super().__init__(**{key: value for key, value in given.items() if value is not None})


def name(path: str) -> str:
    """Id of the part of a page.

    >>> name("/lineage")
    'here-lineage'
    """
    return f"here{path.replace('/', '-')}"


def placed(part: Any, changes: Mapping[str, Mapping[str, Any]]) -> Any:
    """A part of a page in which those with these ids have these properties; what was given stays as it was.

    >>> from dash import html
    >>> whole = html.Div([html.P("a"), html.Div(html.Div(id="page"))])
    >>> placed(whole, {"page": {"children": "b", "title": "c"}}).children[1].children
    Div(children='b', id='page', title='c')
    """
    if not isinstance(part, Component):
        return part
    same = copy.copy(part)
    name = getattr(part, "id", None)
    for key, value in (changes.get(name, {}) if isinstance(name, str) else {}).items():
        setattr(same, key, value)
    inside = getattr(part, "children", None)
    if getattr(same, "children", None) is not inside:
        return same
    if isinstance(inside, list | tuple):
        same.children = [placed(one, changes) for one in inside]
    elif inside is not None:
        same.children = placed(inside, changes)
    return same


def listen(app: Dash, first: int, path: str) -> None:
    """Let the callbacks from number ``first`` on, those of the page at ``path``, listen to the page's own part.

    They name ``url.search``, ``url.pathname`` and ``fresh.data`` as the frame's callbacks do, and get the same values.
    """
    for one in app._callback_list[first:]:
        for part in (*one["inputs"], *one["state"]):
            local = _LOCAL.get((str(part["id"]), part["property"]))
            if local:
                part["id"], part["property"] = name(path), local
