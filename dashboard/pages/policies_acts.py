"""One violation or waiver, what people did about it, and the forms that act as the command line does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import Dash, dcc, html

from dashboard import forms
from dashboard.desk import clock, node_link
from dashboard.forms import Field, Values
from dashboard.names import short_id
from dashboard.page import Part
from dashboard.pages.govern import acts_card, instant, pill
from dashboard.pages.govern import facts as facts_list
from dashboard.pages.overview_parts import card
from dashboard.pages.policies_facts import LIVE, PolicyFacts
from lineage.actor import Actor
from lineage.policies.violations import Violation
from lineage.policies.waiving import WaiverRow

if TYPE_CHECKING:
    from lineage.engine import Lineage

ASSIGN = (Field("to", "Assign to", hint="a person or a team"),)
WAIVE = (Field("until", "Ends", "time", hint="UTC, at most 180 days ahead; a waiver always ends"),)


def detail(facts: PolicyFacts) -> Part:
    """The violation or waiver that the address names, with its forms beside it; nothing when it names none."""
    violation = facts.violation()
    if violation is not None:
        return html.Div([_violation(facts, violation), _violation_acts(facts, violation)], className="cols wide-left")
    waiver = facts.waiver()
    if waiver is not None:
        return html.Div([_waiver(facts, waiver), _waiver_acts(facts, waiver)], className="cols wide-left")
    return None


def _close(facts: PolicyFacts) -> Part:
    return dcc.Link("Close", href=facts.asked.to(violation=None, waiver=None))


def _violation(facts: PolicyFacts, one: Violation) -> Part:
    asked = facts.asked
    itself = one.cause in (None, one.subject)
    late = html.Span(" overdue", className="bad strong") if one.overdue else ""
    path: Part = [
        part for n, step in enumerate(one.path) for part in ((" → " if n else ""), node_link(asked, step, _step(step)))
    ]
    pairs: list[tuple[str, Part]] = [
        ("State", html.Span(pill(one.state), id="violation-state")),
        ("Asset", [node_link(asked, one.subject), html.Span(f" {one.subject}", className="muted mono small")]),
        ("Message", one.message), ("Path", path or "the policy gave none"),
        ("Cause", "itself: nothing upstream violates this policy" if itself else
         ["most upstream: ", node_link(asked, one.cause or "")]),
        ("Domain", one.domain or "none"), ("Opened", f"{clock(one.opened)} UTC"),
        ("Deadline", [f"{clock(one.deadline)} UTC", late]),
        ("Escalated to", one.escalation or "nobody yet"),
        ("Next step", f"{clock(one.next_step)} UTC" if one.next_step else "none is left"),
        ("Assigned to", one.assignee or "nobody"),
        ("Waiver", f"{one.waiver} until {clock(one.waived_until)} UTC" if one.waiver else "none holds"),
        ("Reopened", f"{one.reopened:,} times"),
    ]  # fmt: skip
    if one.fixed:
        pairs.append(("Fixed", f"{clock(one.fixed)} UTC"))
    acts = [
        html.Li([html.B(f"{act.actor} · {act.act}{f' to {act.assignee}' if act.assignee else ''}"),
                 f" {clock(act.acted_at)} UTC", html.Span(act.reason or "no reason was given", className="muted")])
        for act in one.acts
    ]  # fmt: skip
    log = html.Ul(acts, className="log", id="violation-log") if acts else html.P("Nobody acted yet.", className="muted")
    sub = [html.Span(one.id, className="mono strong"), f" · {one.severity} · {one.policy}"]
    return card("Violation", sub, facts_list(pairs), html.H3("Log"), log, more=_close(facts), name="violation-card")


def _step(node: str) -> str:
    """A step of a path: for a column with its dataset.

    >>> _step("column:pg:shop.orders:email"), _step("dataset:pg:shop.orders")
    ('shop.orders.email', 'orders')
    """
    if node.startswith("column:"):
        return ".".join(node.rsplit(":", 2)[-2:])
    return short_id(node)[0]


def _violation_acts(facts: PolicyFacts, one: Violation) -> Part:
    waive = forms.form(
        "violation-waive", "Ask for a waiver", "It waits for somebody else: whoever asks never approves.", WAIVE,
        "Ask for a waiver", subject=one.id,
    )  # fmt: skip
    panels = {
        "Acknowledge": forms.form("violation-acknowledge", "Acknowledge", "Say that somebody looks after it.", (),
                                  "Acknowledge", subject=one.id),
        "Assign": forms.form("violation-assign", "Assign", "Say who mends it.", ASSIGN, "Assign", subject=one.id),
        "Waive": waive,
    } if one.state in LIVE else {}  # fmt: skip
    return acts_card(facts.asked, "violation-tabs", panels, f"It is {one.state}; there is nothing to do.")


def _waiver(facts: PolicyFacts, one: WaiverRow) -> Part:
    pairs: list[tuple[str, Part]] = [
        ("State", html.Span(pill(one.state), id="waiver-state")),
        ("Policy", dcc.Link(one.policy, href=facts.asked.to(policy=one.policy, waiver=None))),
        ("Asset", node_link(facts.asked, one.subject)), ("Reason", one.reason),
        ("Asked for by", one.requester), ("Approved by", one.approver or "nobody"),
        ("Since", f"{clock(one.since)} UTC"), ("Ends", f"{clock(one.expires)} UTC"),
        ("Declared in", one.path or "no file: it was asked for"),
    ]  # fmt: skip
    sub = html.Span(one.id, className="mono strong")
    return card("Waiver", sub, facts_list(pairs), more=_close(facts), name="waiver-card")


def _waiver_acts(facts: PolicyFacts, one: WaiverRow) -> Part:
    panels: dict[str, Part] = {}
    if one.state == "requested":
        about = f"Let the violation stay until {clock(one.expires)} UTC. {one.requester} asked and cannot approve."
        panels["Approve"] = forms.form("waiver-approve", "Approve", about, (), "Approve", subject=one.id)
        panels["Refuse"] = forms.form("waiver-refuse", "Refuse", "The violation stays open.", (), "Refuse",
                                      subject=one.id)  # fmt: skip
    elif one.state == "holds" and not one.path:
        about = "End it now: the violation is open again, its deadline counts on."
        panels["Revoke"] = forms.form("waiver-revoke", "Revoke", about, (), "Revoke", subject=one.id)
    closed = f"It is {one.state}; there is nothing to do."
    if one.state == "holds":
        closed = f"It is declared in {one.path}; take the file away and apply to end it."
    return acts_card(facts.asked, "waiver-tabs", panels, closed)


def register(app: Dash, lx: Lineage) -> None:
    """Callbacks of the forms."""

    def acknowledge(said: Values, actor: Actor) -> str:
        return f"{lx.policies.acknowledge(said['subject'], said['reason'], actor=actor).id} is acknowledged."

    def assign(said: Values, actor: Actor) -> str:
        found = lx.policies.assign(said["subject"], said["to"], said["reason"], actor=actor)
        return f"{found.id} is assigned to {found.assignee}."

    def waive(said: Values, actor: Actor) -> str:
        row = lx.waivers.request(said["subject"], said["reason"], instant(said["until"]), actor=actor)
        return f"{row.id} waits for somebody else to approve it; it is in the list of waivers."

    def approve(said: Values, actor: Actor) -> str:
        return f"{lx.waivers.approve(said['subject'], said['reason'], actor=actor).id} holds."

    def refuse(said: Values, actor: Actor) -> str:
        return f"{lx.waivers.refuse(said['subject'], said['reason'], actor=actor).id} is refused."

    def revoke(said: Values, actor: Actor) -> str:
        return f"{lx.waivers.revoke(said['subject'], said['reason'], actor=actor).id} is ended."

    forms.register(app, "violation-acknowledge", (), acknowledge, lx)
    forms.register(app, "violation-assign", ASSIGN, assign, lx)
    forms.register(app, "violation-waive", WAIVE, waive, lx)
    forms.register(app, "waiver-approve", (), approve, lx)
    forms.register(app, "waiver-refuse", (), refuse, lx)
    forms.register(app, "waiver-revoke", (), revoke, lx)
