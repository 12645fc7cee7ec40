"""The line of time above the picture: when the mesh changed, the instant that is shown, and one to compare it with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from dashboard.lineage_graph.component import NAMESPACE
from dashboard.memo import shared
from dashboard.page import Part, callback
from dashboard.pages.lineage_compare import Comparison
from dashboard.pages.lineage_state import LineageState
from lineage.errors import MeshlineError
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.engine import Lineage
    from lineage.history import History

BUCKETS = 72
_HIDDEN = {"display": "none"}


class TimeSlider(Component):  # type: ignore[misc]  # Dash ships no types
    """Bars of what changed, and one or two handles below them; see ``time.js``.

    Parameters
    ----------
    buckets
        ``[start, end, opened, closed]`` each, times as ISO text.
    asof, vs
        instants of the handles; ``None`` for now and for no comparison.
    picked
        written by the browser: ``{"key": "asof" or "vs", "at": time or None, "n"}``.
    """

    _children_props: ClassVar[list[str]] = []
    _base_nodes: ClassVar[list[str]] = ["children"]
    _namespace = NAMESPACE
    _type = "TimeSlider"

    def __init__(
        self,
        id: str,
        *,
        buckets: list[tuple[str, str, int, int]] | None = None,
        asof: str | None = None,
        vs: str | None = None,
        picked: dict[str, Any] | None = None,
    ) -> None:
        given = {"id": id, "buckets": buckets, "asof": asof, "vs": vs, "picked": picked}
        self._prop_names = list(given)
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = self._prop_names
        self.available_wildcard_properties: list[str] = []
        super().__init__(**{name: value for name, value in given.items() if value is not None})


def bar() -> Part:
    """The line of time. It has its room from the start: what comes above the picture late moves it below a hand."""
    return html.Div(
        [TimeSlider("lineage-when", buckets=[]), html.Div(id="lineage-delta", className="time-delta", role="status")],
        id="lineage-time",
        className="card time-line",
    )


def delta(found: Comparison | None) -> Part:
    """How many arrows differ, as the legend of their colours."""
    if found is None:
        return None
    signs = (("added", "+"), ("removed", "−"), ("changed", "~"))
    return [
        html.Span("Edges:"),
        *(
            html.Span(
                [html.Span(sign, className="delta-sign"), f"{found.counts(what):,} {what}"], className=f"delta {what}"
            )
            for what, sign in signs
        ),
        *(html.Span(note, className="sub") for note in found.answer.notes),
    ]


def register(app: Dash, lx: Lineage) -> None:
    """Callbacks of the line of time."""
    memo = shared(lx)

    @callback(
        app,
        Output("lineage-when", "buckets"),
        Output("lineage-when", "asof"),
        Output("lineage-when", "vs"),
        Output("lineage-time", "style"),
        Input("lineage-time-of", "data"),
        Input("fresh", "data"),
        State("url", "pathname"),
    )
    def show(search: str | None, _fresh: Any, pathname: str | None) -> tuple[Any, ...]:
        if not (pathname or "").rstrip("/").endswith("/lineage"):
            return (no_update,) * 4
        state = LineageState.parse(search)
        if not (state.focus or state.trace):
            return [], None, None, {}  # hidden with all that belongs to a picture
        focus = state.trace or state.focus
        found = memo.get(("history", focus, state.known_at), lambda: _history(lx, focus, state.known_at))
        if found is None or not found.buckets:
            return [], None, None, _HIDDEN
        buckets = [(iso(b.start), iso(b.end), b.opened, b.closed) for b in found.buckets]
        return buckets, state.as_of, state.versus, {}

    app.clientside_callback(
        ClientsideFunction("meshline", "time_of"),
        Output("lineage-time-of", "data"),
        Input("url", "search"),
        State("lineage-time-of", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("meshline_time", "go"),
        Output("url", "search", allow_duplicate=True),
        Input("lineage-when", "picked"),
        prevent_initial_call=True,
    )


def _history(lx: Lineage, focus: str, known_at: str | None) -> History | None:
    """Changes around the node; of the whole mesh when it is not there now."""
    for node in (focus, None):
        try:
            return lx.history(node, buckets=BUCKETS, known_at=known_at)
        except MeshlineError:
            continue
    return None
