"""Data products, the worst first, and one task for each of the people who open the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from dashboard.amounts import ago, money
from dashboard.links import Links
from dashboard.names import short_name
from dashboard.page import Part
from dashboard.pages.lineage_states import starts
from dashboard.pages.overview_facts import Facts
from dashboard.pages.overview_parts import bar, card, link, nothing, tone
from dashboard.theme import icon
from lineage.quality.answers import points


def products_card(facts: Facts, links: Links) -> Part:
    """The table of products."""
    products = facts.products()
    every = link("Table", facts.state.to(links, rows="products")) if products else None
    if not products:
        text = ["No data product is declared here. Declare one in ", html.Code("products/NAME.yaml"),
                " and bring it in with ", html.Code("meshline apply DIR"), "."]  # fmt: skip
        return card("Data products", "Worst quality first", nothing("box", text), name="products")
    rows = [_product(one, links) for one in product_rows(facts, links)]
    heads = ("Product", "Quality", "Contract", "Oldest data", "Cost / month", "Consumers", "Owner")
    right = ("Cost / month", "Consumers")
    head = html.Thead(html.Tr([html.Th(h, className="right" if h in right else "", scope="col") for h in heads]))
    table = html.Table([head, html.Tbody(rows)], className="plain")
    return card("Data products", "Worst quality first", html.Div(table, className="scrolls"), more=every,
                name="products")  # fmt: skip


def product_rows(facts: Facts, links: Links) -> list[dict[str, Any]]:
    """Products with quality, contract, age, cost and consumers, the worst first."""
    quality = {row.id: row for row in facts.quality("product")}
    report = facts.cost("product")
    costs = {row.id: (row, one.currency) for one in report.currencies for row in one.rows}
    written = {row.id: row.last_run_at for row in facts.datasets()}
    verdicts: dict[str, list[str]] = {}
    for promise in facts.conformance().promises:
        verdicts.setdefault(promise.dataset, []).append(promise.verdict)
    found = []
    for one in facts.products():
        said = [verdict for node in one.datasets for verdict in verdicts.get(node, ())]
        cost, currency = costs.get(one.id, (None, None))
        ages = [at for node in one.datasets if (at := written.get(node))]
        score = quality[one.id].quality if one.id in quality else None
        found.append({
            "name": one.name or one.id, "domain": one.domain, "score": score, "quality": points(score),
            "broken": said.count("broken"), "promises": len(said), "status": one.status,
            "oldest": min(ages) if len(ages) == len(one.datasets) and ages else None,
            "now": facts.summary().as_of,
            "cost": money(cost.own, currency) if cost else "unknown",
            "consumers": len(one.consumers), "consumed_by": one.consumers, "owner": one.owner or "no owner told",
            "href": links.to("product", id=one.id), "drift": len(one.drift),
        })  # fmt: skip
    return sorted(found, key=lambda row: (row["score"] is None, row["score"] or 0.0, row["name"]))


def _product(row: dict[str, Any], links: Links) -> Part:
    score = row["score"]
    if row["broken"]:
        state = html.Span(f"{row['broken']} broken", className="pill bad", title=f"of {row['promises']} promises")
    elif row["promises"]:
        state = html.Span("kept", className="pill good", title=f"{row['promises']} promises")
    else:
        state = html.Span("none", className="pill")
    name = dcc.Link(row["name"], href=row["href"], className="strong")
    shown = bar((score or 0) / 100, tone(score)) if score is not None else None
    return html.Tr(
        [
            html.Td([name, html.Span(row["domain"], className="row-below below")]),
            html.Td([html.Span(row["quality"], className="num score"), shown], className="with-bar"),
            html.Td(state),
            html.Td(ago(row["oldest"], row["now"]) if row["oldest"] else html.Span("not known", className="nothing")),
            html.Td(row["cost"], className="right num"),
            html.Td(row["consumers"], className="right num", title=", ".join(row["consumed_by"])),
            html.Td(row["owner"]),
        ]
    )


def tasks_card(facts: Facts, links: Links) -> Part:
    """One task for each of the three people, on nodes this mesh really has."""
    datasets = [row for row in facts.datasets() if facts.mine(row.domain)]
    feeding = max(datasets, key=lambda row: (row.downstream, row.id), default=None)
    ends = [row for row in datasets if row.upstream and not row.downstream]
    report = max(ends, key=lambda row: (row.upstream, row.id), default=None)
    tasks: list[Part] = []
    if feeding and feeding.downstream:
        name = short_name(feeding.name)[0]
        tasks.append(_task("Engineer", "See what breaks when you change ", name, links.to(
            "impact", target=feeding.id, change="drop")))  # fmt: skip
    if report:
        name = short_name(report.name)[0]
        there = links.to("provenance", target=report.id)
        tasks.append(_task("Auditor", "See where the data comes from in ", name, there))
    tasks.append(_lead(facts, links))
    return card("Try this", "One task for each of you, on this mesh", *tasks, html.H3("Or begin in the middle"),
                *_begin(datasets, links), name="tasks")  # fmt: skip


def _lead(facts: Facts, links: Links) -> Part:
    """The platform lead's task: the domain with the worst quality, else everything that is open."""
    known = [row for row in facts.quality("domain") if row.quality is not None]
    if not known:
        return _task("Platform lead", "Look through ", "what needs attention", facts.state.to(links, rows="attention"))
    name = known[0].id
    titles = {d.name: d.title or d.name for d in facts.domains()}
    return _task("Platform lead", "Find out what pulls down the score of ", titles.get(name, name),
                 facts.state.to(links, domain=name, rows="quality"))  # fmt: skip


def _task(person: str, text: str, name: str, href: str) -> Part:
    body = html.Span([html.Span(person, className="row-below"), html.Span([text, html.B(name)])])
    return dcc.Link([icon("arrow-right", size=16), body], href=href, className="row task")


def _begin(datasets: Sequence[Any], links: Links) -> list[Part]:
    return [
        dcc.Link(
            [icon("table", size=14), html.Span(short_name(row.name)[0], title=row.name), html.Small(row.domain)],
            href=links.lineage(row.id),
            className="ref",
        )
        for row in starts(datasets, 4)
    ]
