"""One incident: what is wrong, what caused it, whom it hits, what was done about it, and the forms that act."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dash import Dash, dcc, html

from dashboard import forms
from dashboard.amounts import money
from dashboard.desk import Asked, Desk, clock, head, node_link, slot
from dashboard.forms import Field, Values
from dashboard.names import short_id
from dashboard.page import Page, Part
from dashboard.pages.overview_parts import card, nothing
from lineage.actor import Actor
from lineage.quality.answers import Blast, IncidentDetail

if TYPE_CHECKING:
    from lineage.engine import Lineage

ASSIGN = (Field("to", "Assign to", hint="a person or a team"),)
MUTE = (Field("until", "Until", "time", hint="then it is open again"),)
_TONES = {"open": "bad", "acknowledged": "warn", "muted": "", "resolved": "good"}
_MOST = 40


def layout() -> Part:
    """Frame of the page."""
    return html.Div(
        [
            head("incident", "Incident"),
            html.Div([slot("incident-facts", 300), slot("incident-acts", 300)], className="cols wide-left"),
            slot("incident-blast", 320, "room"),
            html.Div([slot("incident-log", 220), slot("incident-group", 220)], className="cols wide-left"),
        ],
        className="page desk-page about-one",
    )


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    desk = Desk.at(app, lx, base, "incident")

    def detail(asked: Asked) -> IncidentDetail | None:
        id = asked.get("id")
        return desk.ask(asked, ("incident", id), lambda: lx.quality.incident(id, **asked.when)) if id else None

    desk.card("sub", lambda asked: _sub(detail(asked), asked))
    desk.card("facts", lambda asked: _facts(detail(asked), asked))
    desk.card("acts", lambda asked: _acts(detail(asked), asked))
    desk.card("blast", lambda asked: _blast(desk, detail(asked), asked))
    desk.card("log", lambda asked: _log(detail(asked)))
    desk.card("group", lambda asked: _group(detail(asked), asked))
    _register_forms(app, lx, desk)


def _register_forms(app: Dash, lx: Lineage, desk: Desk) -> None:
    def acknowledge(said: Values, actor: Actor) -> str:
        found = lx.quality.acknowledge(said["subject"], note=said["reason"], actor=actor)
        return f"{found.id} is acknowledged."

    def assign(said: Values, actor: Actor) -> str:
        found = lx.quality.assign(said["subject"], said["to"], note=said["reason"], actor=actor)
        return f"{found.id} is assigned to {found.assignee}."

    def mute(said: Values, actor: Actor) -> str:
        until = said["until"].replace(" ", "T")
        found = lx.quality.mute(said["subject"], until, note=said["reason"], actor=actor)
        return f"{found.id} is muted until {clock(found.muted_until)} UTC."

    def resolve(said: Values, actor: Actor) -> str:
        return f"{lx.quality.resolve(said['subject'], note=said['reason'], actor=actor).id} is resolved."

    forms.register(app, "acknowledge", (), acknowledge, lx)
    forms.register(app, "assign", ASSIGN, assign, lx)
    forms.register(app, "mute", MUTE, mute, lx)
    forms.register(app, "resolve", (), resolve, lx)


def _sub(found: IncidentDetail | None, asked: Asked) -> Part:
    every = dcc.Link("All incidents", href=asked.links.to("quality", view="incidents"))
    if found is None:
        return ["No incident was named. ", every]
    one = found.incident
    return [html.Span(one.id, className="mono strong"), f" · {one.sort}: {one.what} at ", node_link(asked, one.node),
            " · ", every]  # fmt: skip


def _facts(found: IncidentDetail | None, asked: Asked) -> Part:
    if found is None:
        return nothing("bell", "Open one from the list of incidents.")
    one = found.incident
    pills = [
        html.Span(one.state, className=f"pill {_TONES[one.state]}", id="incident-state"),
        " ",
        html.Span(f"severity {one.severity}", className=f"pill {'bad' if one.severity == 'error' else 'warn'}"),
    ]
    caused = "itself" if one.cause == one.node else node_link(asked, one.cause)
    muted = f" until {clock(one.muted_until)}" if one.state == "muted" else ""
    until = f"{clock(one.resolved_at)} by {one.resolved_by or 'its next good result'}"
    pairs: list[tuple[str, Part]] = [
        ("State", [*pills, muted]),
        ("Dataset", [node_link(asked, one.node), html.Span(f" {one.node}", className="muted mono small")]),
        ("Detail", one.detail), ("Cause", ["most upstream: ", caused]),
        ("Domain", one.domain), ("Owner", one.owner or "unknown: nobody is named for it"),
        ("Assigned to", one.assignee or "nobody"),
        ("Began", f"{clock(one.began_at)} UTC"), ("Detected", f"{clock(one.detected_at)}, {_took(one.time_to_detect)}"),
        ("Acknowledged", f"{clock(one.acknowledged_at)}, {_took(one.time_to_acknowledge)}"
         if one.acknowledged_at else "not yet"),
        ("Resolved", f"{until}, {_took(one.time_to_repair)}" if one.resolved_at else "not yet"),
        ("Failures", f"{one.failures:,}"),
        ("Runs", [html.Span(f"{run} ", className="mono small") for run in one.runs[:3]] or "none told"),
    ]  # fmt: skip
    body = html.Dl([part for key, value in pairs for part in (html.Dt(key), html.Dd(value))], className="facts-wide")
    more = dcc.Link("Play a failure (drill)", href=asked.links.to("quality", view="drill", node=one.node))
    return card("What is wrong", "", body, more=more, name="incident-card")


def _took(seconds: float | None) -> str:
    if seconds is None:
        return "duration unknown"
    return f"after {seconds / 3600:.1f} h" if seconds >= 60 else "at once"


def _acts(found: IncidentDetail | None, asked: Asked) -> Part:
    if found is None:
        return None
    one = found.incident
    if asked.links.asof or asked.links.known:
        return card("Act", "", nothing("history", "You look at the past. Go back to now to act."))
    if one.state == "resolved":
        return card("Act", "", nothing("circle-check", "It is resolved. A later failure is a new incident."))
    panels = {
        "Acknowledge": forms.form("acknowledge", "Acknowledge", "Say that somebody knows of it.", (), "Acknowledge",
                                  subject=one.id),
        "Assign": forms.form("assign", "Assign", "Say who takes care of it.", ASSIGN, "Assign", subject=one.id),
        "Mute": forms.form("mute", "Mute", "Leave it alone until a time (UTC).", MUTE, "Mute", subject=one.id),
        "Resolve": forms.form("resolve", "Resolve", "Say that it is over. A later failure is a new incident.", (),
                              "Resolve", subject=one.id),
    }  # fmt: skip
    return card("Act", "Every act needs a reason and stands in the audit log", forms.tabs("incident-tabs", panels))


def _blast(desk: Desk, found: IncidentDetail | None, asked: Asked) -> Part:
    if found is None:
        return None
    blast, one = found.blast, found.incident
    more = dcc.Link("In the picture", href=asked.links.lineage(one.node, down="all", by="quality"))
    picture = _picture(desk, one.node, asked) if blast.datasets else None
    numbers = [
        (f"{len(blast.datasets):,}", "datasets"), (f"{blast.jobs:,}", "jobs"), (f"{len(blast.products):,}", "products"),
        (f"{len(blast.domains):,}", "domains"), (f"{len(blast.owners):,}", "owners to tell"),
        (money(blast.cost, blast.currency), "full cost of what is hit"),
    ]  # fmt: skip
    counts = html.Div([html.Div([html.Span(n, className="big"), what]) for n, what in numbers], className="counts")
    left = html.Div([counts, *_who(blast, asked)])
    body = html.Div([left, picture], className="pair") if picture is not None else left
    when = "as it was when the incident ended" if one.resolved_at else "downstream of the dataset, now"
    return card("Blast radius", when, body, more=more, name="blast-card")


def _who(blast: Blast, asked: Asked) -> list[Part]:
    def named(title: str, parts: Sequence[Part]) -> list[Part]:
        more = [html.Li(f"{len(parts) - _MOST:,} more")] if len(parts) > _MOST else []
        return [html.H3(title), html.Ul([*(html.Li(p) for p in parts[:_MOST]), *more], className="names")]

    found: list[Part] = []
    if blast.datasets:
        found += named("Datasets", [node_link(asked, node) for node in blast.datasets])
    if blast.products:
        found += named("Products", [dcc.Link(p, href=asked.links.to("product", id=p)) for p in blast.products])
    if blast.owners:
        found += named("Owners to tell", blast.owners)
    if blast.promises:
        found += named("Promises at stake", [_short_promise(text) for text in blast.promises])
    return found or [nothing("circle-check", "Nothing downstream is hit.")]


def _short_promise(text: str) -> Part:
    node, _, promise = text.rpartition(": ")
    return html.Span(f"{short_id(node)[0]}: {promise}" if node else text, title=text)


def _picture(desk: Desk, node: str, asked: Asked) -> Part:
    """The small picture of what is downstream; an image, so no script of a name can run."""
    svg = desk.ask(asked, ("picture", node), lambda: desk.lx.impact(node, depth=3, links=True, **asked.when).svg())
    if not svg:
        return None
    text = f"What is downstream of {short_id(node)[0]}"
    return html.Img(src="data:image/svg+xml;charset=utf-8," + quote(svg), className="mini", alt=text)


def _log(found: IncidentDetail | None) -> Part:
    if found is None:
        return None
    one = found.incident
    rows: list[tuple[Any, str, str, str]] = [
        (one.began_at, "it began", one.detail, "bad"),
        *((a.at, f"{a.actor} · {a.act}", a.note + (f" · until {clock(a.until)}" if a.until else ""), "")
          for a in found.acts),
    ]  # fmt: skip
    if one.resolved_at:
        rows.append((one.resolved_at, "it ended", one.resolved_by or "its next result was good", "good"))
    items = [
        html.Li([html.B(what), f" {clock(at)} UTC", html.Span(note or "no reason was given", className="muted")],
                className=tone)
        for at, what, note, tone in sorted(rows, key=lambda row: row[0])
    ]  # fmt: skip
    return card("Log", f"{len(found.acts):,} act{'s' if len(found.acts) != 1 else ''} by people",
                html.Ul(items, className="log"), name="incident-log-card")  # fmt: skip


def _group(found: IncidentDetail | None, asked: Asked) -> Part:
    if found is None:
        return None
    sub = "Mending the cause mends these too"
    if not found.group:
        return card("Same cause", sub, nothing("circle-check", "No other incident has this cause."))
    items = [html.Li(dcc.Link(id, href=asked.links.to("incident", id=id)), className="mono") for id in found.group]
    return card("Same cause", sub, html.Ul(items, className="names"))


PAGE = Page("/incident", "Incident", "one incident, and acting on it", "", "bell", layout, register)
