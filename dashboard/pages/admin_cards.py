"""Tiles of the page of administration, what joining two names would do, and the forms beside it."""

from __future__ import annotations

from dash import dcc, html

from dashboard.desk import clock, node_link, plain, tile
from dashboard.names import short_id
from dashboard.page import Part
from dashboard.pages import corrections
from dashboard.pages.admin_sheets import MOST, AdminFacts
from dashboard.pages.govern import acts_card
from dashboard.pages.overview_parts import card, nothing

_FIELDS = ("left", "right", "source", "target", "node", "owner")


def tiles(facts: AdminFacts) -> list[Part]:
    """The numbers at the top, each leading to its rows."""
    asked, sources, found = facts.asked, facts.ledger().sources, facts.suggestions()
    refused = sum(sum(source.quarantined.values()) for source in sources)
    newest = max((s.last_received for s in sources if s.last_received), default=None)
    marks = facts.edges().marks
    wrong = sum(m.sort == "refuted" for m in marks)
    bare = dict.fromkeys(_FIELDS)
    groups = facts.names().groups
    return [
        tile("database", "Sources", f"{len(sources):,}", f"last heard {clock(newest)} UTC",
             asked.to(view=None, **bare), name="count-sources"),
        tile("alert-triangle", "In quarantine", f"{refused:,}", "refused inputs, with their reasons",
             asked.links.to("catalogue", of="quarantine"), bad=refused > 0, name="count-refused"),
        tile("link", "Suggested names", f"{len(found.items):,}{'+' if found.partial else ''}",
             f"the first {MOST:,}" if found.partial else "that may mean one dataset",
             asked.to(view="suggestions", **bare), name="count-suggestions"),
        tile("table", "Several names", f"{len(groups):,}", "datasets with more than one",
             asked.to(view="names", **bare), name="count-names"),
        tile("route", "Edges by hand", f"{len(marks):,}", f"{wrong:,} of them called wrong",
             asked.to(view="edges", **bare), name="count-edges"),
        tile("user", "Owners by hand", f"{len(facts.owners().marks):,}", "go before what events tell",
             asked.to(view="owners", **bare), name="count-owners"),
    ]  # fmt: skip


def act(facts: AdminFacts) -> Part:
    """The forms of what is listed; for names what joining them would do stands beside."""
    view, values = facts.view, {key: facts.asked.get(key) for key in _FIELDS}
    if view in ("suggestions", "names"):
        return html.Div([_preview(facts), _names(facts, values)], className="cols halves")
    if view == "edges":
        panels = {"Add an edge": corrections.add_edge(values), "Mark one as wrong": corrections.wrong_edge(values)}
        return acts_card(facts.asked, "admin-act-tabs", panels, "")
    if view == "owners":
        panels = {"Name an owner": corrections.name_owner(values), "Take one back": corrections.clear_owner(values)}
        return acts_card(facts.asked, "admin-act-tabs", panels, "")
    return None


def _names(facts: AdminFacts, values: dict[str, str]) -> Part:
    preview = facts.preview()
    panels = {"They are one": corrections.join(values), "They are two": corrections.apart(values)}
    if preview is not None and preview.joined:  # only what would change something is offered
        panels = {"They are two": corrections.apart(values)}
    elif preview is not None:
        ends = {preview.left, preview.right}
        apart = any(m.sort == "veto" and {m.left, m.right} == ends for m in facts.names().marks)
        other = {"Take that back": corrections.lift(values)} if apart else {"Not the same": corrections.reject(values)}
        panels = {"They are one": corrections.join(values), **other}
    return acts_card(facts.asked, "admin-act-tabs", panels, "")


def _preview(facts: AdminFacts) -> Part:
    found = facts.preview()
    if found is None:
        text = "Choose a suggestion below, or a dataset with several names, to see what joining or parting them does."
        return card("Preview", "", nothing("link", text), name="preview-card")
    asked = facts.asked
    close = dcc.Link("Close", href=asked.to(left=None, right=None))
    if found.joined:
        known = next((g for g in facts.names().groups if {found.left, found.right} & set(g.members)), None)
        why = f"By {', '.join(known.evidence)}." if known else ""
        body: Part = [html.P([html.B("They are one dataset. "), why]),
                      html.Ul([html.Li(m, className="mono small") for m in (known.members if known else ())],
                              className="names")]  # fmt: skip
        return card("Preview", "What stands now", *body, more=close, name="preview-card")
    heads = (("Has", False), (short_id(found.left)[0], True), (short_id(found.right)[0], True), ("Together", True))
    both = ("Upstream", found.upstream), ("Downstream", found.downstream), ("Edges", found.edges)
    rows = [[word, f"{one:,}", f"{other:,}", f"up to {one + other:,}"] for word, (one, other) in both]
    near = [html.Li(node_link(asked, node)) for node in found.nodes]
    return card(
        "Preview", "Nothing is changed by it",
        html.P([html.Span(found.left, className="mono small"), html.Br(),
                html.Span(found.right, className="mono small")]),
        plain(heads, rows, "What each brings"),
        html.H3(f"{len(near):,} direct neighbours"), html.Ul(near, className="names"),
        more=close, name="preview-card",
    )  # fmt: skip
