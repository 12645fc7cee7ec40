"""The report for people who decide: a domain and a period on one page, ready for paper, and the weekly mail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from dashboard.desk import Asked, Desk, clock, domain_choice, head, plain, slot, tabs, waiting
from dashboard.page import Page, Part, callback
from dashboard.pages.govern import recent
from dashboard.pages.overview_parts import card, nothing
from dashboard.theme import icon
from lineage.asking import naive_time
from lineage.errors import MeshlineError
from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.engine import Lineage
    from lineage.report.contents import ExecutiveReport, Section

PERIODS = (("30", "30 days"), ("7", "7 days"), ("90", "90 days"))
FORMS = {"reports-html": ("html", "governance-report.html"), "reports-md": ("md", "governance-report.md")}


def layout() -> Part:
    """Frame of the page."""
    files = [
        html.Button([icon("download", size=16), "Print or PDF"], id="reports-print", className="btn"),
        html.Button("HTML", id="reports-html", className="btn", **{"aria-label": "Save the report as HTML"}),
        html.Button("Markdown", id="reports-md", className="btn", **{"aria-label": "Save the report as Markdown"}),
    ]
    return html.Div(
        [
            head("reports", "Governance report", html.Div(id="reports-domain-room"),
                 tabs("reports-view", PERIODS, PERIODS[0][0], "Period"), *files),
            dcc.Download(id="reports-download"),
            html.Div(id="reports-said", role="status"),
            slot("reports-summary", 140, "room"),
            html.Div(waiting(600), id="reports-sections"),
            html.Div(_mail(), className="room"),
        ],
        className="page desk-page report-page",
    )  # fmt: skip


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    desk = Desk.at(app, lx, base, "reports")

    def report(asked: Asked) -> ExecutiveReport:
        start, end = period(asked)
        name = ("report", asked.get("domain"), asked.get("view", [key for key, _ in PERIODS]))
        return recent(
            desk, asked, name, lambda: lx.reports.executive(asked.get("domain") or None, start=start, end=end)
        )

    desk.controls("view", "domain")
    desk.card("sub", lambda asked: _sub(report(asked), asked))
    desk.card("domain-room", lambda asked: _domains(desk, asked))
    desk.card("summary", lambda asked: _summary(report(asked)))
    desk.card("sections", lambda asked: [_section(one) for one in report(asked).sections])
    app.clientside_callback(
        ClientsideFunction("sheets", "pick"), Output("reports-view", "value"), Input("url", "search")
    )
    app.clientside_callback(
        ClientsideFunction("sheets", "print"), Output("reports-print", "title"), Input("reports-print", "n_clicks"),
        prevent_initial_call=True,
    )  # fmt: skip
    _register_mail(app, lx, base)
    for button, (form, file) in FORMS.items():
        _register_file(app, lx, base, button, form, file)


def _domains(desk: Desk, asked: Asked) -> Part:
    found = desk.ask(asked, "domains", lambda: desk.lx.domains(**asked.when))
    return domain_choice("reports-domain", found, asked.get("domain"))


def period(asked: Asked) -> tuple[datetime, datetime]:
    """Begin and end of the report: so many days before the instant that is shown."""
    days = int(asked.get("view", [key for key, _ in PERIODS]))
    end = naive_time(asked.links.asof, "asof") or utcnow()
    return end - timedelta(days=days), end


def _register_file(app: Dash, lx: Lineage, base: str, button: str, form: str, file: str) -> None:
    @callback(
        app,
        Output("reports-download", "data", allow_duplicate=True),
        Output("reports-said", "children", allow_duplicate=True),
        Input(button, "n_clicks"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def save(clicks: int | None, search: str | None) -> tuple[Any, Any]:
        if not clicks:
            return no_update, no_update
        asked = Asked.of(base, "reports", search)
        start, end = period(asked)
        try:
            text = lx.reports.text(form, asked.get("domain") or None, start=start, end=end)
        except MeshlineError as error:
            return no_update, html.P(str(error), className="form-bad")
        return {"content": text, "filename": file}, None


def _sub(found: ExecutiveReport, asked: Asked) -> Part:
    known = " · made from what is known now; the second clock does not change it" if asked.links.known else ""
    return f"{found.domain or 'The whole mesh'}, {clock(found.start)} to {clock(found.end)} UTC{known}"


def _summary(found: ExecutiveReport) -> Part:
    lines = html.Ul([html.Li(text) for text in found.summary], className="says")
    foot = html.P(f"Made {clock(found.made_at)} UTC by {found.generated_by}; state {found.fingerprint}",
                  className="muted small")  # fmt: skip
    return card("In short", "What changed, and what needs a decision", lines, foot, name="report-summary")


def _section(one: Section) -> Part:
    cut = f"{len(one.rows):,} of {one.total:,} rows" if one.total > len(one.rows) else ""
    sub = " · ".join(text for text in (one.note, cut) if text)
    if not one.rows:
        return card(one.title, sub, nothing("circle-check", one.nothing), name=f"report-{one.id}")
    heads = [(text, False) for text in one.heads]
    return card(one.title, sub, plain(heads, one.rows, one.title), name=f"report-{one.id}")


def _mail() -> Part:
    button = html.Button("Write the text", id="reports-mail-now", className="btn", type="button")
    body = html.Div([button, html.Div(id="reports-mail-room", role="status")])
    return card("Weekly mail", "The last seven days, as plain text: meshline report --mail", body, name="report-mail")


def _register_mail(app: Dash, lx: Lineage, base: str) -> None:
    @callback(
        app,
        Output("reports-mail-room", "children"),
        Input("reports-mail-now", "n_clicks"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def write(clicks: int | None, search: str | None) -> Any:
        if not clicks:
            return no_update
        asked = Asked.of(base, "reports", search)
        try:
            text = lx.reports.text("mail", asked.get("domain") or None, end=period(asked)[1])
        except MeshlineError as error:
            return html.P(str(error), className="form-bad")
        return html.Pre(text, className="yaml mono", id="reports-mail-text", tabIndex=0, role="region",
                        **{"aria-label": "Text of the weekly mail"})  # fmt: skip


PAGE: Any = Page(
    "/reports", "Governance report", "for people who decide: on paper, as a file, as a weekly mail", "Govern",
    "stack", layout, register,
)  # fmt: skip
