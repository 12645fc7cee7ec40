"""The lower half of the page of one dataset: versions of its schema, access, feedback, and what puts it right."""

from __future__ import annotations

from dash import dcc, html

from dashboard import forms
from dashboard.desk import clock, node_link, plain
from dashboard.page import Part
from dashboard.pages import corrections
from dashboard.pages.contracts_cards import SEVERITIES
from dashboard.pages.dataset_facts import DatasetFacts
from dashboard.pages.govern import acts_card
from dashboard.pages.market import access_card, feedback_card
from dashboard.pages.overview_parts import card, nothing
from lineage.schemas.questions import SchemaVersion

_MOST = 8


def versions(facts: DatasetFacts) -> Part:
    """How its schema changed, each change judged as one of a contract would be."""
    found = facts.schemas().versions
    title = "Versions of its schema"
    if not found:
        return card(title, "", nothing("columns-3", "No schema of it was ever told."), name="dataset-versions-card")
    lines = [line for one in found[:_MOST] for line in _lines(facts, one)]
    heads = (("Version", True), ("Since", False), ("For readers", False), ("Change", False), ("Told by", False))
    cut = f"; the {_MOST} newest" if len(found) > _MOST else ""
    sub = f"{len(found):,} version{'s' if len(found) != 1 else ''}, the newest first{cut}"
    return card(title, sub, plain(heads, lines, title), name="dataset-versions-card")


def _lines(facts: DatasetFacts, one: SchemaVersion) -> list[list[Part]]:
    by = node_link(facts.asked, one.job) if one.job else one.producer or "–"
    shown = [
        [html.Span(c.consumer.value, className=f"pill {SEVERITIES.get(c.consumer.value, '')}"),
         f"{c.what} {c.column or c.place}: {c.old or '–'} → {c.new or '–'}" if c.old or c.new
         else f"{c.what} {c.column or c.place}"]
        for c in one.changes[:_MOST]
    ]  # fmt: skip
    if len(one.changes) > _MOST:
        shown.append(["", f"{len(one.changes) - _MOST:,} more changes"])
    shown = shown or [["–", f"first seen, {len(one.columns):,} columns"]]
    first = [f"{one.number}", f"{clock(one.valid_from)} UTC", *shown[0], by]
    return [first, *(["", "", *rest, ""] for rest in shown[1:])]


def access(facts: DatasetFacts) -> Part:
    """Who may read the product that it is a port of, and who reads it without a grant."""
    product = facts.product()
    if product is None:
        text = "It is a port of no data product, so nobody is granted access to it by itself."
        return card("Who may read it", "", nothing("user", text), name="dataset-access-card")
    grants, shadows = facts.access(product)
    more = dcc.Link(f"Ask for access to {product}", href=facts.asked.links.to("product", id=product))
    return access_card(facts.asked, grants, shadows, more, "dataset-access-card")


def feedback(facts: DatasetFacts) -> Part:
    """What people say of the product that it is a port of."""
    product = facts.product()
    if product is None:
        text = "People rate data products; it is a port of none."
        return card("What people say", "", nothing("circle-check", text), name="feedback-card")
    more = dcc.Link(f"Rate {product}", href=facts.asked.links.to("product", id=product))
    return feedback_card(facts.feedback(product), more)


def act(facts: DatasetFacts) -> Part:
    """The forms that put right what events say of it."""
    one, product = facts.node(), facts.product()
    values = {"node": one.id, "owner": "", "left": one.id, "source": one.id, "target": ""}
    known = [m for m in facts.lx.owners.list(**facts.asked.when).marks if m.node == one.id]
    panels = {"Owner": corrections.name_owner(values)}
    if known:
        panels["Take back the owner"] = corrections.clear_owner(values)
    into = {**values, "source": one.upstream[0].id, "target": one.id} if one.upstream else values
    panels["Add an edge"] = corrections.add_edge(values)
    panels["Mark an edge as wrong"] = corrections.wrong_edge(into)
    panels["Another name"] = corrections.join(values)
    if product:
        about = f"The owner of {product} sees it and answers."
        panels["Report a problem"] = forms.form("report", "Report a problem", about, (), "Report", subject=product)
    return acts_card(facts.asked, "dataset-tabs", panels, "")
