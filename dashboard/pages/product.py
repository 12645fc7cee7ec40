"""One data product: what it offers, whether it can be trusted, what it costs, who uses it, and how to get it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import Dash, dcc, html

from dashboard import forms
from dashboard.amounts import money, percent
from dashboard.contract_text import human, parsed, sla_words, yaml_of
from dashboard.desk import Asked, Desk, clock, head, node_link, plain, slot, tile
from dashboard.forms import Field, Values
from dashboard.page import Page, Part
from dashboard.pages.market import access_card, feedback_card
from dashboard.pages.overview_parts import card, nothing
from dashboard.pages.product_facts import ProductFacts
from lineage.actor import Actor
from lineage.quality.answers import points

if TYPE_CHECKING:
    from lineage.engine import Lineage

REQUEST = (
    Field("consumer", "For", hint="name of the domain or product that will read it"),
    Field("kind", "It is a", "choice", choices=(("domain", "domain"), ("product", "product"))),
    Field("expires", "Until", "time", hint="at most a year ahead (UTC)"),
)
RATE = (
    Field("rating", "Rating", "choice", value="5",
          choices=tuple((str(n), f"{n} of 5") for n in (5, 4, 3, 2, 1))),
)  # fmt: skip


def layout() -> Part:
    """Frame of the page."""
    return html.Div(
        [
            head("product", "Data product"),
            slot("product-tiles", 112, "tiles-room"),
            html.Div([slot("product-offer", 320), slot("product-act", 320)], className="cols wide-left"),
            slot("product-contract", 300, "room"),
            html.Div([slot("product-access", 260), slot("product-feedback", 260)], className="cols halves"),
            html.Div([slot("product-drift", 200), slot("product-versions", 200)], className="cols halves"),
        ],
        className="page desk-page about-one",
    )


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    desk = Desk.at(app, lx, base, "product")

    def facts(asked: Asked) -> ProductFacts:
        return ProductFacts(desk, asked)

    desk.card("sub", lambda asked: _sub(facts(asked)))
    desk.card("tiles", lambda asked: html.Div(_tiles(facts(asked)), className="tiles"))
    desk.card("offer", lambda asked: _offer(facts(asked)))
    desk.card("act", lambda asked: _act(facts(asked)))
    desk.card("contract", lambda asked: _contract(facts(asked)))
    desk.card("access", lambda asked: access_card(asked, *facts(asked).access()))
    desk.card("feedback", lambda asked: feedback_card(facts(asked).feedback()))
    desk.card("drift", lambda asked: _drift(facts(asked)))
    desk.card("versions", lambda asked: _versions(facts(asked)))
    _register_forms(app, lx)


def _register_forms(app: Dash, lx: Lineage) -> None:
    def request(said: Values, actor: Actor) -> str:
        until = said["expires"].replace(" ", "T")
        row = lx.access.request(said["subject"], said["consumer"], said["reason"], until, kind=said["kind"],
                                reason=said["reason"], actor=actor)  # fmt: skip
        return f"{row.id} {row.state}: {row.consumer} may read {row.product} until {clock(row.expires)} UTC."

    def rate(said: Values, actor: Actor) -> str:
        row = lx.feedback.give(said["subject"], int(said["rating"]), said["reason"], actor=actor)
        return f"{row.rating} of 5 for {row.product}."

    def report(said: Values, actor: Actor) -> str:
        return f"{lx.feedback.report(said['subject'], said['reason'], actor=actor).id} waits for an answer."

    forms.register(app, "request", REQUEST, request, lx)
    forms.register(app, "rate", RATE, rate, lx)
    forms.register(app, "report", (), report, lx)


def _sub(facts: ProductFacts) -> Part:
    one = facts.product()
    return [html.Span(one.name or one.id, className="strong"), f" {one.version} · ",
            html.Span(one.status, className=f"pill {'good' if one.status == 'active' else 'warn'}"),
            f" · domain {one.domain or 'unknown'} · owner {one.owner or 'unknown'}"]  # fmt: skip


def _tiles(facts: ProductFacts) -> list[Part]:
    one, links, row = facts.product(), facts.asked.links, facts.quality()
    kept = [p for p in facts.promises() if p.verdict == "kept"]
    known = [p for p in facts.promises() if p.verdict != "unknown"]
    cost, currency = facts.cost()
    rating = facts.rating()
    stars = "none yet" if rating is None or rating.mean is None else f"{rating.mean:.1f} of 5"
    people = "nobody rated it" if rating is None or not rating.people else f"by {rating.people:,} people"
    open_ = [i for i in facts.incidents() if i.state != "resolved"]
    return [
        tile("heart-rate-monitor", "Quality", points(row.quality if row else None),
             f"{percent(row.coverage)} of checks known" if row else "no dataset was seen",
             links.to("quality", by="product", filter=f"node:equals:{one.id}"), name="product-quality"),
        tile("clipboard-check", "Promises kept", percent(len(kept) / len(known)) if known else "unknown",
             f"{len(kept):,} of {len(known):,} known", links.to("contracts", domain=one.domain or None)),
        tile("bell", "Open incidents", f"{len(open_):,}", "on its datasets",
             links.to("quality", view="incidents", domain=one.domain or None), bad=bool(open_)),
        tile("coin", "Full cost", money(cost, currency), f"{facts.period() or 'no bill was imported'}",
             links.to("cost", by="product", filter=f"id:equals:{one.id}")),
        tile("user", "Consumers", f"{len(one.consumers):,}", "products and domains that read it",
             links.to("catalogue", of="products")),
        tile("circle-check", "Rating", stars, people, facts.asked.to()),
    ]  # fmt: skip


def _offer(facts: ProductFacts) -> Part:
    one, asked = facts.product(), facts.asked
    ports = [
        (html.B(c.name or c.id), c.version,
         html.Span(c.status, className=f"pill {'good' if c.status == 'active' else 'warn'}"),
         html.Div([html.Span([node_link(asked, n), " "]) for n in c.datasets] or "nothing was seen"),
         f"{len(c.readers):,}")
        for c in facts.contracts()
    ]  # fmt: skip
    heads = (("Output port", False), ("Version", False), ("Status", False), ("Dataset", False), ("Readers", True))
    body: list[Part] = [plain(heads, ports, "Output ports")] if ports else [
        nothing("box", "No output port is bound by a contract.")]  # fmt: skip
    slas = [html.Li(sla_words(s)) for text in facts.texts().values() for s in parsed(text).slas]
    body += [html.H3("What is promised"), html.Ul(slas, className="says")] if slas else []
    used = [html.Li(c) for c in one.consumers]
    body += [html.H3("Who uses it"), html.Ul(used, className="names") if used else html.P("Nobody was seen.")]
    more = dcc.Link("In the picture", href=asked.links.lineage(one.datasets[0])) if one.datasets else None
    return card("What it offers", "Ports, promises, consumers", *body, more=more, name="offer-card")


def _act(facts: ProductFacts) -> Part:
    one = facts.product()
    if facts.asked.links.asof or facts.asked.links.known:
        return card("Get it", "", nothing("history", "You look at the past. Go back to now to act."))
    owners = ", ".join(facts.deciders()) or "nobody: no owner is named"
    panels = {
        "Request access": forms.form("request", "Request access", f"Decided by {owners}, or by a rule. The reason is "
                                     "the purpose.", REQUEST, "Request access", subject=one.id),
        "Rate": forms.form("rate", "Rate", "Your newest rating counts; the owner sees it.", RATE, "Rate",
                           subject=one.id),
        "Report a problem": forms.form("report", "Report a problem", "The owner sees it and answers.", (), "Report",
                                       subject=one.id),
    }  # fmt: skip
    return card("Get it", "Every act stands in the audit log", forms.tabs("product-tabs", panels))


def _contract(facts: ProductFacts) -> Part:
    texts = facts.texts()
    if not texts:
        return card("Contract", "", nothing("clipboard-check", "No contract binds its ports."))
    parts = []
    for id, text in texts.items():
        link = dcc.Link("Promises and versions", href=facts.asked.links.to("contracts", id=id))
        parts.append(card(f"Contract {id}", "In words", html.Div([*human(parsed(text)), yaml_of(text)],
                                                                 className="contract"), more=link))  # fmt: skip
    return html.Div(parts, className="stack")


def _drift(facts: ProductFacts) -> Part:
    found = facts.product().drift
    title, sub = "Declared and observed", "Where the product is other than its files say"
    if not found:
        return card(title, sub, nothing("circle-check", "It is what its files say."))
    rows = [(d.what, node_link(facts.asked, d.node), d.declared, d.observed) for d in found[:20]]
    heads = (("Difference", False), ("Where", False), ("Declared", False), ("Observed", False))
    return card(title, sub, plain(heads, rows, title))


def _versions(facts: ProductFacts) -> Part:
    items = [
        html.Li([html.B(v.version or "unnamed"), f" since {clock(v.valid_from)}",
                 html.Span(f"by {v.actor}, {v.path}", className="muted")])
        for v in facts.versions()
    ]  # fmt: skip
    return card("Versions", "Of its file, newest first", html.Ul(items, className="log"))


PAGE = Page("/product", "Data product", "one product: judge it and request it", "", "box", layout, register)
