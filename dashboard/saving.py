"""The button that keeps what is shown under a name, for everybody. The page of saved views lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, html

from dashboard import forms
from dashboard.forms import Field, Values
from dashboard.page import Part
from dashboard.theme import icon
from lineage.actor import Actor

if TYPE_CHECKING:
    from lineage.engine import Lineage

TITLE = (Field("title", "Title", hint="what others find it under"),)
_ABOUT = "The page with its choices, filters and instant, as it is shown. Everybody sees it under Saved views."


def button() -> Part:
    """The button in the head of every page."""
    said = {"aria-label": "Save this view"}
    return html.Button(icon("tag", size=20), id="save-open", className="round", title="Save this view",
                       **said)  # fmt: skip


def dialog() -> Part:
    """The form behind the button."""
    form = forms.form("view-save", "Save this view", [_ABOUT, html.Div(id="save-address", className="mono small")],
                      TITLE, "Save")  # fmt: skip
    return dmc.Modal(form, id="save", title="", size=460, opened=False, keepMounted=True,
                     closeButtonProps={"aria-label": "Close"})  # fmt: skip


def register(app: Dash, lx: Lineage) -> None:
    """Callbacks of the button and its form."""
    app.clientside_callback(
        ClientsideFunction("saved", "open"),
        Output("save", "opened"),
        Output({"form": "view-save", "subject": "subject"}, "children"),
        Output("save-address", "children"),
        Output({"form": "view-save", "field": "title"}, "value"),
        Input("save-open", "n_clicks"),
        State("save", "opened"),
        prevent_initial_call=True,
    )

    def save(said: Values, actor: Actor) -> str:
        made = lx.saved.save(said["title"], said["subject"], reason=said["reason"], actor=actor)
        return f"Saved as {made.title}."

    forms.register(app, "view-save", TITLE, save, lx)
