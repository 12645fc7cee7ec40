"""The scorecard: a row for each domain, a column for each dimension, each cell a number with the rows behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dash import dcc, html

from dashboard.links import Links
from dashboard.page import Part
from dashboard.pages.overview_facts import Facts
from dashboard.pages.overview_parts import card, nothing, tone
from dashboard.pages.overview_tiles import is_lateness, kept_share
from dashboard.theme import UNASSIGNED_COLOUR, domain_colours, domain_dot
from lineage.contracts.conformance import Promise
from lineage.domains import DomainInfo
from lineage.quality.answers import points
from lineage.scorecards.answers import Score as Figure


@dataclass(frozen=True, slots=True)
class Score:
    """One cell: 0 to 100 or ``None`` = unknown; ``note`` says of how many, ``rows`` names the list behind it."""

    value: float | None
    note: str
    rows: str


@dataclass(frozen=True, slots=True)
class Dimension:
    """One column of the scorecard."""

    title: str
    about: str
    scores: Mapping[str, Score]


METRICS = (
    ("ownership", "Ownership"),
    ("contract-coverage", "Contracts"),
    ("conformance", "Kept"),
    ("lineage-columns", "Lineage"),
    ("classification", "Classified"),
    ("compliance", "Compliance"),
)
"""Figures of :mod:`lineage.scorecards.metrics` that are columns here."""


def dimensions(facts: Facts) -> list[Dimension]:
    """All columns: shares of the scorecard, promises about time, quality."""
    from lineage.scorecards.metrics import BY_ID

    names = [domain.name for domain in facts.domains()]
    promises = facts.conformance().promises
    quality = {row.id: row for row in facts.ask("quality domain", lambda: facts.lx.quality.report(
        "domain", **facts.state.when).nodes)}  # fmt: skip
    report = facts.scorecard("domain")
    shares = {
        metric: Dimension(title, BY_ID[metric].title, {n: _figure(report.of(metric, n), metric) for n in names})
        for metric, title in METRICS
    }
    fresh = Dimension("Freshness", "promises about time that are kept, of those that are known",
                      {n: _promised([p for p in promises if p.domain == n and is_lateness(p.promise)], "fresh")
                       for n in names})  # fmt: skip
    scored = Dimension("Quality", "mean score of datasets",
                       {n: Score(quality[n].quality, f"{quality[n].datasets - quality[n].unknown} of "
                                 f"{quality[n].datasets} datasets have a score", "quality")
                        for n in names if n in quality})  # fmt: skip
    return [*list(shares.values())[:3], fresh, scored, *list(shares.values())[3:]]


def _figure(found: Figure | None, metric: str) -> Score:
    """A share of the scorecard as a score."""
    rows = f"score {metric}"
    if found is None:
        return Score(None, "nothing to count", rows)
    if found.value is None:
        return Score(None, found.reason or "unknown", rows)
    unknown = f", {found.unknown:,} unknown" if found.unknown else ""
    return Score(100 * found.value, f"{found.numerator:,.0f} of {found.denominator:,.0f}{unknown}", rows)


def _promised(promises: Sequence[Promise], rows: str) -> Score:
    verdicts = [p.verdict for p in promises]
    kept = kept_share(verdicts)
    if not verdicts:
        return Score(None, "nothing is promised", rows)
    known = len(verdicts) - verdicts.count("unknown")
    return Score(None if kept is None else 100 * kept, f"{verdicts.count('kept')} of {known} known promises kept", rows)


def scores_card(facts: Facts, links: Links) -> Part:
    """The scorecard as a table: colour, and the number on it."""
    domains = [d for d in facts.domains() if not d.hidden and facts.mine(d.name)]
    sub = "0–100 for each domain and dimension. A cell leads to what it counts."
    if not domains:
        text = f"There is no domain “{facts.state.domain}” at this time."
        clear = dcc.Link("Show all domains", href=facts.state.to(links, domain=None), className="btn")
        return card("Domain scorecard", sub, nothing("filter-off", text, clear), name="scorecard")
    columns = dimensions(facts)
    colours = domain_colours(list(facts.domains()))
    heads = [html.Th(column.title, title=column.about, scope="col") for column in columns]
    head = html.Thead(html.Tr([html.Th("Domain", scope="col"), *heads]))
    body = html.Tbody([_row(d, columns, colours.get(d.name, UNASSIGNED_COLOUR), facts, links) for d in domains])
    table = html.Table([head, body], className="heat")
    return card("Domain scorecard", sub, html.Div(table, className="scrolls"), _scale(), name="scorecard")


def _row(domain: DomainInfo, columns: Sequence[Dimension], colour: int, facts: Facts, links: Links) -> Part:
    owner = domain.owner or "no owner told"
    name = dcc.Link(
        [domain_dot(colour), html.Span(domain.title or domain.name)],
        href=links.to("catalogue", of="datasets", domain=domain.name),
        title=f"{domain.datasets or 0:,} datasets, {domain.jobs or 0:,} jobs · {owner}",
    )
    cells = [_cell(column, domain.name, facts, links) for column in columns]
    return html.Tr([html.Th([name, html.Span(owner, className="heat-owner")], scope="row"), *cells])


def _cell(column: Dimension, domain: str, facts: Facts, links: Links) -> Part:
    found = column.scores.get(domain)
    if found is None:
        return html.Td(html.Span("–", className="heat-cell is-unknown", title=f"{column.title}: not known"))
    text = "–" if found.value is None else points(found.value, 0)
    href = facts.state.to(links, domain=domain, rows=found.rows)
    said = f"{column.title} of {domain}: {'unknown' if found.value is None else text}, {found.note}"
    return html.Td(
        dcc.Link(
            [text, html.Span(f" {said}", className="sr-only")],
            href=href,
            title=f"{column.title}: {found.note}",
            className=f"heat-cell num tone-{tone(found.value)}",
        )
    )


def _scale() -> Part:
    keys = [(0, "< 60"), (1, "60"), (2, "75"), (3, "85"), (4, "95 +"), (5, "unknown")]
    return html.Div(
        [html.Span([html.Span(className=f"swatch tone-{key}"), text]) for key, text in keys], className="keys heat-keys"
    )
