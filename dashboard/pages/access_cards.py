"""Tiles and boards of the page of access, one grant or request, and the forms that act as the command line does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import Dash, dcc, html

from dashboard import forms
from dashboard.desk import clock, node_link, tile
from dashboard.forms import Field, Values
from dashboard.page import Part
from dashboard.pages.access_facts import AccessFacts
from dashboard.pages.govern import acts_card, instant, pill
from dashboard.pages.govern import facts as facts_list
from dashboard.pages.overview_parts import card, nothing
from lineage.actor import Actor
from lineage.policies.access import AccessRow

if TYPE_CHECKING:
    from lineage.engine import Lineage

_MOST = 6
KINDS = (("domain", "a domain"), ("product", "a product"), ("team", "a team"))


def asking(products: tuple[str, ...], product: str = "") -> tuple[Field, ...]:
    """What the form that asks for access wants."""
    known = product if product in products else ""
    return (
        Field("product", "Product", "choice", choices=tuple((one, one) for one in products), value=known),
        Field("kind", "Who will read", "choice", choices=KINDS),
        Field("consumer", "Its name", hint="the domain, product or team that will read"),
        Field("purpose", "Purpose", hint="what the data are for; it is shown to whoever decides"),
        Field("until", "Ends", "time", hint="UTC, at most 366 days ahead; a grant always ends"),
    )


def tiles(facts: AccessFacts) -> list[Part]:
    """The four numbers at the top, each leading to its rows."""
    asked, grants = facts.asked, facts.grants()
    waiting = sum(one.state == "requested" for one in grants)
    held, zombies, shadows = sum(one.state == "holds" for one in grants), facts.zombies(), facts.shadows()
    return [
        tile("bell", "Waiting for a decision", f"{waiting:,}", "requests that no rule approves",
             asked.to(view=None, grant=None, filter="state:equals:requested"), name="count-waiting"),
        tile("shield-check", "Grants that hold", f"{held:,}", f"of {len(grants):,} grants and requests",
             asked.to(view=None, grant=None, filter="state:equals:holds"), name="count-held"),
        tile("eye-off", "Shadow edges", f"{len(shadows):,}", "read across domains, no grant allows it",
             asked.to(view="shadow", grant=None), bad=bool(shadows), name="count-shadows"),
        tile("history", "Zombie grants", f"{len(zombies):,}", "hold, and no lineage shows a use",
             asked.to(view=None, grant=None, filter="used:equals:zombie"), bad=bool(zombies),
             name="count-zombies"),
    ]  # fmt: skip


def shadows(facts: AccessFacts) -> Part:
    """What is read without a grant."""
    found = facts.shadows()
    more = dcc.Link("All shadow edges", href=facts.asked.to(view="shadow", grant=None))
    sub = "Lineage shows a reader in another domain, no grant allows it"
    if not found:
        return card("Shadow edges", sub, nothing("circle-check", "Whatever is read across domains is granted."))
    items = [
        html.Li(
            [
                html.Div([html.Span([node_link(facts.asked, one.src), " → ", node_link(facts.asked, one.dst)])],
                         className="board-line"),
                html.Div([f"product {one.product} is read by domain {one.domain} · ",
                          dcc.Link("ask for access", href=facts.asked.to(product=one.product, grant=None))],
                         className="card-sub"),
            ]
        )
        for one in found[:_MOST]
    ]  # fmt: skip
    return card("Shadow edges", sub, html.Ul(items, className="board"), more=more, name="shadow-card")


def zombies(facts: AccessFacts) -> Part:
    """Grants that hold and that nobody uses."""
    found = facts.zombies()
    sub = "They hold, and no lineage shows a use: candidates to revoke"
    if not found:
        return card("Zombie grants", sub, nothing("circle-check", "Every grant that holds is used."))
    items = [
        html.Li(
            [
                html.Div(dcc.Link(one.id, href=facts.asked.to(grant=one.id)), className="board-line"),
                html.Div(f"{one.product} for {one.consumer} · {one.purpose} · until {clock(one.expires)[:10]}",
                         className="card-sub"),
            ]
        )
        for one in found[:_MOST]
    ]  # fmt: skip
    return card("Zombie grants", sub, html.Ul(items, className="board"), name="zombie-card")


def act(facts: AccessFacts) -> Part:
    """The form that asks for access, or what is chosen with the forms that decide on it."""
    one = facts.grant()
    if one is not None:
        return html.Div([_grant(facts, one), _decide(facts, one)], className="cols wide-left")
    return None


def ask(facts: AccessFacts) -> Part:
    """The form that asks for access."""
    products = tuple(sorted(facts.products()))
    about = "A rule may approve at once; else the owner of the product or its domain decides, never who asks."
    panels = {}
    if products:
        fields = asking(products, facts.asked.get("product"))
        panels["Ask for access"] = forms.form("access-request", "Ask for access", about, fields, "Ask for access")
    return acts_card(facts.asked, "access-ask-tabs", panels, "No product is declared at this time.")


def _grant(facts: AccessFacts, one: AccessRow) -> Part:
    asked = facts.asked
    untold = "not told: it may be used where you may not look" if one.used is None else "no lineage shows a use"
    used = "yes: lineage shows it" if one.used else untold
    deciders: Part = "–"
    if one.state == "requested":
        deciders = ", ".join(facts.lx.access.deciders(one.product)) or "unknown: nobody is named for it"
    pairs: list[tuple[str, Part]] = [
        ("State", html.Span(pill(one.state), id="grant-state")),
        ("Product", dcc.Link(one.product, href=asked.links.to("product", id=one.product))),
        ("Consumer", f"{one.consumer} ({one.consumer_kind})"), ("Purpose", one.purpose),
        ("Ends", f"{clock(one.expires)} UTC"), ("Since", f"{clock(one.since)} UTC"), ("Used", used),
        ("Asked for by", one.requester or "nobody: a file declares it"), ("Approved by", one.approver or "nobody"),
        ("May decide", deciders), ("Note", one.note or "–"), ("Declared in", one.path or "no file"),
    ]  # fmt: skip
    close = dcc.Link("Close", href=asked.to(grant=None))
    title = "Request" if one.state in ("requested", "refused") else "Grant"
    return card(title, html.Span(one.id, className="mono strong"), facts_list(pairs), more=close, name="grant-card")


def _decide(facts: AccessFacts, one: AccessRow) -> Part:
    panels: dict[str, Part] = {}
    if one.state == "requested":
        about = f"Grant it until {clock(one.expires)} UTC. {one.requester} asked and cannot approve."
        panels["Approve"] = forms.form("access-approve", "Approve", about, (), "Approve", subject=one.id)
        panels["Deny"] = forms.form("access-deny", "Deny", "Whoever asked may take it back so.", (), "Deny",
                                    subject=one.id)  # fmt: skip
    elif one.state == "holds" and not one.path:
        about = "End it now. Whoever still reads then is a shadow edge."
        panels["Revoke"] = forms.form("access-revoke", "Revoke", about, (), "Revoke", subject=one.id)
    closed = f"It is {one.state}; there is nothing to do."
    if one.state == "holds":
        closed = f"It is declared in {one.path}; take the file away and apply to end it."
    return acts_card(facts.asked, "access-tabs", panels, closed)


def register(app: Dash, lx: Lineage) -> None:
    """Callbacks of the forms."""

    def request(said: Values, actor: Actor) -> str:
        row = lx.access.request(
            said["product"],
            said["consumer"],
            said["purpose"],
            instant(said["until"]),
            kind=said["kind"],
            reason=said["reason"],
            actor=actor,
        )
        if row.state == "holds":
            return f"{row.id} holds: {row.approver} approved it at once."
        return f"{row.id} waits for a decision: {row.note}"

    def approve(said: Values, actor: Actor) -> str:
        return f"{lx.access.approve(said['subject'], said['reason'], actor=actor).id} holds."

    def deny(said: Values, actor: Actor) -> str:
        return f"{lx.access.deny(said['subject'], said['reason'], actor=actor).id} is refused."

    def revoke(said: Values, actor: Actor) -> str:
        return f"{lx.access.revoke(said['subject'], said['reason'], actor=actor).id} is ended."

    forms.register(app, "access-request", asking(()), request, lx)
    forms.register(app, "access-approve", (), approve, lx)
    forms.register(app, "access-deny", (), deny, lx)
    forms.register(app, "access-revoke", (), revoke, lx)
