"""Parts of the impact page: verdict, callouts, owners, sign-off, table, text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from dashboard.links import Links
from dashboard.names import short_id
from dashboard.page import Part
from dashboard.pages.impact_answer import Hit, Impact, markdown
from dashboard.tables import Column, grid
from dashboard.theme import icon
from lineage.contracts.changes import Severity

_TONES = {Severity.breaking: "bad", Severity.risky: "warn", Severity.safe: "good", Severity.cosmetic: "good"}
_CALLED = {
    "really harmless": ("good", "Formally breaking, but nobody is hurt"),
    "really breaking": ("bad", "Formally harmless, but it breaks somebody"),
    "cannot tell": ("warn", "Cannot tell: those who read it do not tell which columns"),
}
_UNSEEN = "Cannot tell: nobody is seen to use it, and that says nothing here"
_MOST = 12  # names in a list of the page; the table has all
COLUMNS = (
    Column("owner", "Owner", 1.5),
    Column("consumer", "Consumer", 2, link=True, short=True),
    Column("why", "Why", 1.5),
    Column("real", "Really", 0.8),
    Column("change", "Change", 1.6),
    Column("contract", "Contract", 1.2),
    Column("sla", "SLA", 1),
    Column("cost", "Cost a month", 1),
    Column("hops", "Hops", 0.6, number=True),
    Column("reader", "Reader", 0.8),
    Column("use", "Use", 0.7),
    Column("certainty", "Certainty", 0.8),
    Column("domain", "Domain", 0.8),
    Column("path", "Path", 2.4),
)


def answer(impact: Impact, links: Links) -> Part:
    """Everything below the form."""
    return html.Div(
        [
            verdict(impact),
            *_callouts(impact),
            html.Div([_owners(impact), _signoff(impact), _depths(impact)], className="impact-cols")
            if impact.hits
            else None,
            _table(impact, links) if impact.hits else None,
            _text(impact),
        ]
    )  # fmt: skip


def verdict(impact: Impact) -> Part:
    """The banner: severity in a word, and what it means."""
    report = impact.report
    if report.real is None:
        tone, word, text = "good", "NO CHANGE", "Nothing differs between the two versions."
    elif not impact.hits and impact.blind_spots:
        tone, word, text = "warn", "BLIND", "Nobody is seen to read it, but readers may be missing here."
    else:
        tone, word = _TONES[report.real], report.real.value
        n, owners = impact.consumers, len(impact.owners)
        reached = f"{n:,} consumer{'s' if n != 1 else ''} of {owners:,} owner{'s' if owners != 1 else ''} reached."
        text = reached if n else "No impact: nobody reads it."
    formal = f"Formally {report.formal.value}, really {report.real.value}. " if report.real and report.formal else ""
    versions = f"{report.old_version} → {report.new_version}: " if report.new_version else ""
    mark = icon("circle-check" if tone == "good" else "alert-triangle", size=26)
    head = html.H2([html.Span(word, id="impact-word"), " · ", report.subject])
    return html.Div(
        [mark, html.Div([head, html.P(f"{versions}{formal}{text}", id="impact-sum")])],
        className=f"impact-verdict {tone}",
        role="status",
    )


def _callouts(impact: Impact) -> list[Part]:
    report = impact.report
    found = [
        html.Div(
            [html.B(_UNSEEN if j.blind_spots else _CALLED[j.finding][1]),
             html.Span(f"{j.change.what} {j.change.place}", className="mono"),
             *(html.Span(note) for note in j.notes[:_MOST])],
            className=f"notice {_CALLED[j.finding][0]}",
        )
        for j in report.changes
        if j.finding in _CALLED
    ]  # fmt: skip
    promises = [note for j in report.changes if j.finding not in _CALLED for note in j.notes]
    said = [impact.remark, *promises, *report.steps, *report.notes]
    if not report.bump_enough:
        said.insert(
            0, f"The step of the version ({report.bump or 'back'}) is too small: {report.required_bump} is needed."
        )
    if report.governed:
        said.insert(0, "A governed change: it needs a steward's approval.")
    lines = [line for line in said if line]
    if lines:
        more = [html.Li(f"and {len(lines) - _MOST} more, in the text below")] if len(lines) > _MOST else []
        found.append(html.Div(html.Ul([*map(html.Li, lines[:_MOST]), *more]), className="notice info"))
    return found


def _owners(impact: Impact) -> Part:
    rows = [
        html.Div([html.B(owner), " ", html.Span(_counted(hits), className="num"), html.Small(_names(hits))],
                 className="impact-owner")
        for owner, hits in list(impact.owners.items())[:_MOST]
    ]  # fmt: skip
    left = len(impact.owners) - len(rows)
    return html.Section(
        [html.H3(f"Consumers by owner · {len(impact.owners):,}"), *rows]
        + ([html.Small(f"and {left:,} more owners in the table")] if left > 0 else []),
        className="card",
        id="impact-owners",
    )


def _counted(hits: Sequence[Hit]) -> str:
    return f"{len({hit.consumer.id for hit in hits}):,}"


def _names(hits: Sequence[Hit]) -> str:
    names = list(dict.fromkeys(short_id(hit.consumer.id)[0] for hit in hits))
    return ", ".join(names[:6]) + (f" and {len(names) - 6:,} more" if len(names) > 6 else "")


def _signoff(impact: Impact) -> Part:
    report = impact.report
    body: list[Part] = [html.Li(one) for one in report.sign_off]
    nobody = [html.Li(f"nobody owns {one}") for one in report.nobody]
    text = "Their word covers every border between domains." if body else "No border between domains is crossed."
    return html.Section(
        [html.H3("Smallest sign-off set"), html.P(text), html.Ul([*body, *nobody])],
        className="card",
        id="impact-signoff",
    )


def _depths(impact: Impact) -> Part:
    most = max(impact.by_hop.values())
    bars = [
        html.Div(
            [html.Span(f"{hop} hop{'s' if hop != 1 else ''}"), html.I(style={"width": f"{100 * n / most:.0f}%"}),
             html.Span(f"{n:,}", className="num")],
            className="impact-bar",
        )
        for hop, n in impact.by_hop.items()
    ]  # fmt: skip
    return html.Section([html.H3("How far away"), *bars], className="card")


def _table(impact: Impact, links: Links) -> Part:
    rows = [_row(hit, links) for hit in impact.hits]
    return html.Div(grid("impact-grid", rows, COLUMNS), className="card impact-table")


def _row(hit: Hit, links: Links) -> dict[str, Any]:
    c = hit.consumer
    hidden = c.id.startswith("hidden (")
    return {
        "owner": hit.owner,
        "consumer": c.id,
        "why": c.why,
        "real": hit.judged.real.value,
        "change": f"{hit.judged.change.what} {hit.judged.change.place}",
        "contract": hit.contract,
        "sla": hit.sla,
        "cost": hit.cost,
        "hops": c.hops,
        "reader": c.reader,
        "use": c.use,
        "certainty": c.certainty,
        "domain": c.domain,
        "path": " → ".join(c.path),
        "short": {"consumer": (c.id, "") if hidden else short_id(c.id)},
        "href": None if hidden else links.lineage(c.id),
    }


def _text(impact: Impact) -> Part:
    buttons = [
        html.Button([icon("copy", size=16), "Copy text"], id="impact-copy", className="btn primary"),
        html.Button([icon("link", size=16), "Copy link"], id="impact-link", className="btn"),
        html.Button([icon("download", size=16), "Markdown"], id="impact-md", className="btn"),
        html.Span(id="impact-copied", role="status"),
        html.Span(id="impact-saved", role="status"),
    ]
    return html.Section(
        [html.H3("Text to send"), html.Div(buttons, className="impact-actions"),
         html.Pre(markdown(impact), id="impact-text", tabIndex=0, **{"aria-label": "Text to send, Markdown"})],
        className="card impact-text",
    )  # fmt: skip


def hero(mark: str, head: str, text: str, *more: Part) -> Part:
    """A state without an answer."""
    return html.Div(
        [html.Div(icon(mark, size=30), className="mark"), html.H2(head), html.P(text), *more], className="hero"
    )


def choices(title: str, text: str, found: Sequence[tuple[str, str]], mark: str = "target") -> Part:
    """A state with ways forward: pairs of what is shown and where it leads."""
    rows = [dcc.Link(html.Span(name, className="mono"), href=href, className="choice") for name, href in found]
    return hero(mark, title, text, html.Div(rows, className="choices"))
