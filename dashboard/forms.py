"""Forms that act. Every act says who and why, is checked by the function that the command line calls, and is logged.

A form is a list of :class:`Field`; who acts and the reason are added to every one. What is missing is said beside the
field; what the function refuses is said in its own words, the same as in a terminal.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update, set_props

from dashboard.memo import acted
from dashboard.page import Part, callback
from dashboard.theme import icon
from lineage.actor import Actor
from lineage.errors import MeshlineError

if TYPE_CHECKING:
    from lineage.engine import Lineage

Values = Mapping[str, str]
Act = Callable[[Values, Actor], str]
"""Does what a form asks and says in one sentence what was done."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a form asks for. ``kind`` is ``text``, ``area``, ``time`` or ``choice`` (with ``choices``)."""

    key: str
    label: str
    kind: str = "text"
    required: bool = True
    choices: Sequence[tuple[str, str]] = ()
    hint: str = ""
    value: str = ""


ACTOR = Field("actor", "Acting as", hint="stands in the audit log")
REASON = Field("reason", "Reason", "area", hint="stands in the audit log")


def standing_actor() -> str:
    """Who acts when nobody says otherwise: ``MESHLINE_ACTOR``, else the user of the operating system."""
    from lineage.options import acting

    return os.environ.get("MESHLINE_ACTOR") or acting(None).name


def form(name: str, title: str, about: Part, fields: Sequence[Field], button: str, *, subject: str = "") -> Part:
    """A form.

    Parameters
    ----------
    name
        of the form; :func:`register` takes the same.
    title, about
        heading, and what the act does.
    fields
        what it asks for beside who acts and why.
    button
        words on the button.
    subject
        what is acted on (an id); handed to the act as ``subject``.
    """
    asked = [*fields, REASON, Field(ACTOR.key, ACTOR.label, hint=ACTOR.hint, value=standing_actor())]
    return html.Form(
        [
            html.H3(title),
            html.Div(about, className="form-about"),
            *(_input(name, one) for one in asked),
            html.Div(subject, id={"form": name, "subject": "subject"}, hidden=True),
            html.Div(
                [
                    html.Button(button, id={"form": name, "do": "act"}, type="button", className="btn primary"),
                    html.Div(id={"form": name, "said": "said"}, className="form-said", role="status"),
                ],
                className="form-end",
            ),
        ],
        className="act-form",
        **{"aria-label": title},
    )


def tabs(name: str, panels: Mapping[str, Part]) -> Part:
    """Forms side by side, one tab each, the first one open; a tab that was chosen stays so when they are drawn anew.

    Parameters
    ----------
    name
        id of the tabs.
    panels
        at least one form by the word on its tab.
    """
    keys = {word: word.replace(" ", "-") for word in panels}  # a part of an id, which holds no space
    return dmc.Tabs(
        [dmc.TabsList([dmc.TabsTab(word, value=keys[word]) for word in panels], mb=12),
         *(dmc.TabsPanel(form, value=keys[word]) for word, form in panels.items())],
        value=next(iter(keys.values())), id=name, persistence=True, persistence_type="memory",
    )  # fmt: skip


def _input(name: str, one: Field) -> Part:
    common: dict[str, Any] = {
        "id": {"form": name, "field": one.key},
        "label": one.label,
        "description": one.hint or None,
        "withAsterisk": one.required,
        "value": one.value or None,
    }
    if one.kind == "choice":
        data = [{"value": value, "label": label} for value, label in one.choices]
        return dmc.Select(data=data, **{**common, "value": one.value or (data[0]["value"] if data else None)},
                          allowDeselect=False)  # fmt: skip
    if one.kind == "area":
        return dmc.Textarea(autosize=True, minRows=2, **{**common, "value": one.value})
    if one.kind == "time":
        return dmc.DateTimePicker(valueFormat="YYYY-MM-DD HH:mm", clearable=True, placeholder="UTC", **common)
    return dmc.TextInput(**{**common, "value": one.value})


def missing(fields: Sequence[Field], values: Values) -> dict[str, str]:
    """What is required and was not said, by field.

    >>> missing((Field("to", "Assign to"),), {"to": " ", "reason": "x", "actor": "ann"})
    {'to': 'Assign to is missing.'}
    """
    asked = (*fields, REASON, ACTOR)
    return {f.key: f"{f.label} is missing." for f in asked if f.required and not (values.get(f.key) or "").strip()}


def register(app: Dash, name: str, fields: Sequence[Field], act: Act, lx: Lineage) -> None:
    """Callback of the form ``name``.

    Parameters
    ----------
    fields
        those that :func:`form` was given.
    act
        called when nothing is missing. A :class:`MeshlineError` that it raises is shown, nothing is done then.
    lx
        engine to refresh after the act; what pages remember of it is worked out anew, so that they show the act.
    """

    @callback(
        app,
        Output({"form": name, "said": "said"}, "children"),
        Output({"form": name, "field": ALL}, "error"),
        Input({"form": name, "do": "act"}, "n_clicks"),
        State({"form": name, "field": ALL}, "value"),
        State({"form": name, "field": ALL}, "id"),
        State({"form": name, "subject": "subject"}, "children"),
        prevent_initial_call=True,
    )
    def do(clicks: int | None, given: list[Any], ids: list[dict[str, str]], subject: str | None) -> tuple[Any, Any]:
        if not clicks or ctx.triggered_id is None:
            return no_update, [no_update] * len(ids)
        values = {i["field"]: str(value or "").strip() for i, value in zip(ids, given, strict=True)}
        wrong = missing(fields, values)
        errors = [wrong.get(i["field"]) for i in ids]
        if wrong:
            return _said("bad", "Nothing was done: " + " ".join(wrong.values())), errors
        try:
            done = act({**values, "subject": subject or ""}, Actor(values["actor"]))
        except MeshlineError as error:
            return _said("bad", str(error)), errors
        lx.refresh()
        acted(lx)
        set_props("acted", {"data": {"form": name, "at": time.time()}})
        set_props({"form": name, "field": REASON.key}, {"value": ""})  # the next act has a reason of its own
        return _said("good", done), errors


def _said(tone: str, text: str) -> Part:
    mark = "circle-check" if tone == "good" else "alert-triangle"
    return html.Span([icon(mark, size=16), text], className=f"form-{tone}")
