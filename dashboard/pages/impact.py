"""Before a change: who would be hurt, who must agree, and what to tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from dashboard.links import Links
from dashboard.page import Page, Part, callback
from dashboard.pages import impact_parts as parts
from dashboard.pages.impact_answer import ask
from dashboard.pages.impact_state import CHANGES, NEEDS_TEXT, ImpactState, encoded
from dashboard.pages.lineage_states import empty_store, starts
from dashboard.theme import icon
from lineage.errors import MeshlineError, UnknownNodeError
from lineage.view import HiddenNodeError

if TYPE_CHECKING:
    from lineage.engine import Lineage


def layout() -> Part:
    """Frame of the page."""
    changes = [{"value": value, "label": label} for value, label in CHANGES.items()]
    form = html.Div(
        [
            html.Div(
                dmc.Autocomplete(
                    id="impact-node", label="Dataset, column, job or product", data=[], value="", limit=20,
                    placeholder="Type a name…", comboboxProps={"withinPortal": False},
                ),
                id="impact-node-box", className="grow",
            ),
            html.Div(dmc.Select(id="impact-change", label="Change", data=changes, value="drop", searchable=True,
                                allowDeselect=False, comboboxProps={"withinPortal": False}),
                     className="field"),
            html.Div(dmc.TextInput(id="impact-to", label="Becomes", value=""), id="impact-to-box", className="field"),
            html.Div(dmc.NumberInput(id="impact-hours", label="Hours late", min=0, value=""), id="impact-hours-box",
                     className="field"),
            html.Div(
                [
                    dmc.Textarea(id="impact-doc", label="New version of the contract (YAML)", value="", minRows=5,
                                 maxRows=12, autosize=True),
                    dcc.Upload(html.Button("Upload a file", className="btn"), id="impact-file", className="drop"),
                ],
                id="impact-doc-box", className="impact-contract", style={"display": "none"},  # shown for a contract
            ),
            html.Button([icon("target", size=16), "Rehearse"], id="impact-go", className="btn primary"),
            html.Span(id="impact-say", role="alert"),
        ],
        className="card impact-form",
    )  # fmt: skip
    return html.Div(
        [
            html.Div(
                html.Div(
                    [html.H1("Impact"), html.Div("What would a change break, before it is made?", className="sub")]
                ),
                className="page-head",
            ),
            form,
            html.Div(dmc.Skeleton(height=320, radius=12), id="impact-answer"),
        ],
        className="page impact-page",
    )


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    _clientside(app)

    @callback(app, Output("impact-node", "data"), Input("impact-node", "value"), State("url", "search"))
    def suggest(text: str | None, search: str | None) -> list[str]:
        wanted, state = (text or "").strip(), ImpactState.parse(search)
        hits = lx.search(wanted, limit=20) if wanted and wanted != state.target else []
        return list(dict.fromkeys(hit.id for hit in hits))

    @callback(app, Output("impact-answer", "children"), Input("url", "search"), State("url", "pathname"))
    def show(search: str | None, pathname: str | None) -> Any:
        if not (pathname or "").rstrip("/").endswith("/impact"):
            return no_update
        return _body(lx, ImpactState.parse(search), Links.at(base, search))


def _clientside(app: Dash) -> None:
    def clientside(name: str, *spec: object, initial: bool = False) -> None:
        app.clientside_callback(ClientsideFunction("impact", name), *spec, prevent_initial_call=not initial)

    clientside(
        "go",
        Output("url", "search", allow_duplicate=True),
        Output("impact-say", "children"),
        Input("impact-go", "n_clicks"),
        *(State(f"impact-{name}", "value") for name in ("node", "change", "to", "hours", "doc")),
    )
    clientside(
        "form",
        *(Output(f"impact-{name}", "value") for name in ("node", "change", "to", "hours", "doc")),
        Input("url", "search"),
        State("impact-change", "data"),
        initial=True,
    )
    boxes = [Output(f"impact-{name}-box", "style") for name in ("node", "to", "hours", "doc")]
    clientside("fields", *boxes, Input("impact-change", "value"), initial=True)
    clientside("upload", Output("impact-doc", "value", allow_duplicate=True), Input("impact-file", "contents"))
    clientside(
        "copy", Output("impact-copied", "children"), Input("impact-copy", "n_clicks"), Input("impact-link", "n_clicks")
    )
    clientside("save", Output("impact-saved", "children"), Input("impact-md", "n_clicks"))
    app.clientside_callback(
        ClientsideFunction("meshline", "grid_csv"),
        Output("impact-grid", "exportDataAsCsv"),
        Input("impact-grid-csv", "n_clicks"),
        prevent_initial_call=True,
    )


def _body(lx: Lineage, state: ImpactState, links: Links) -> Part:
    """The answer, or the state that stands for it."""
    if state.missing and state.asked:
        return parts.hero("help", "One thing is missing", state.missing)
    try:
        if not state.asked:
            return _empty(lx, links)
        return parts.answer(ask(lx, state), links)
    except UnknownNodeError as error:
        text = "Choose the one you mean." if error.candidates else "Type a part of its name above."
        return parts.choices(
            error.headline, text, [(one, _with(links, state, one)) for one in error.candidates], "help"
        )
    except HiddenNodeError as error:
        return parts.hero("eye-off", "You may not see this node", str(error))
    except MeshlineError as error:
        retry = dcc.Link("Start again", href=links.to("impact"), className="btn")
        return parts.hero("alert-triangle", "This cannot be answered", str(error), retry)


def _empty(lx: Lineage, links: Links) -> Part:
    rows = starts(lx.listing("datasets", as_of=links.asof, known_at=links.known).rows)
    if not rows:
        return empty_store()
    found = [(row.id, links.to("impact", target=row.id, change="drop")) for row in rows]
    return parts.choices("What do you want to change?", "Choose above, or see what dropping one of these does.", found)


def _with(links: Links, state: ImpactState, target: str) -> str:
    return links.to(
        "impact",
        target=target,
        change=state.change,
        to=state.to if state.change in NEEDS_TEXT else None,
        hours=f"{state.hours:g}" if state.change == "late" and state.hours is not None else None,
        doc=encoded(state.document) if state.document else None,
    )


PAGE = Page("/impact", "Impact", "what a change would break, before it is made", "Explore", "target", layout, register)
