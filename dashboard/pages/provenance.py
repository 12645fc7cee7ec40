"""How was this figure made: which runs, of which code, from which versions, by whom, and what cannot be told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from dashboard.jobs import Made, Progress
from dashboard.jobs_tray import jobs_of, started
from dashboard.lineage_graph.drawing import Options, drawing
from dashboard.links import Links
from dashboard.names import short_id
from dashboard.page import Page, Part, callback
from dashboard.pages import provenance_parts as parts
from dashboard.pages.impact_parts import choices, hero
from dashboard.pages.lineage_states import empty_store
from dashboard.pages.provenance_compare import compare, section
from dashboard.pages.provenance_state import ProvenanceState
from dashboard.pages.provenance_story import Story, picture, story
from dashboard.theme import domain_colours, icon
from lineage.answers import to_json
from lineage.errors import MeshlineError, UnknownNodeError
from lineage.view import HiddenNodeError

if TYPE_CHECKING:
    from lineage.engine import Lineage

_VIEWS = [("timeline", "Timeline"), ("picture", "Picture"), ("table", "Table")]


def layout() -> Part:
    """Frame of the page."""

    def date(name: str, label: str, placeholder: str) -> Part:
        return dmc.DateTimePicker(
            id=f"provenance-{name}",
            label=label,
            placeholder=placeholder,
            clearable=True,
            valueFormat="YYYY-MM-DD HH:mm",
            popoverProps={"withinPortal": False},
            className="prov-date",
        )

    node = dmc.Autocomplete(
        id="provenance-node",
        label="Report, dataset, column or job",
        data=[],
        value="",
        limit=20,
        placeholder="Type a name…",
        comboboxProps={"withinPortal": False},
    )
    data = [{"value": value, "label": label} for value, label in _VIEWS]
    view = dmc.SegmentedControl(
        id="provenance-view", data=data, value="timeline", attributes={"root": {"aria-label": "Show the steps as"}}
    )
    form = html.Div(
        [
            html.Div(node, className="grow"),
            date("asof", "As it was on (UTC)", "now"),
            date("vs", "Compare with (UTC)", "no other date"),
            html.Button([icon("route", size=16), "Show"], id="provenance-go", className="btn primary"),
            html.Span(id="provenance-say", role="alert"),
        ],
        className="card impact-form prov-form",
    )
    tools = [
        html.Button([icon("download", size=16), "PROV-JSON"], id="provenance-prov", className="btn"),
        html.Button([icon("link", size=16), "Copy link"], id="provenance-link", className="btn"),
        html.Span(id="provenance-copied", role="status", className="copied"),
    ]
    return html.Div(
        [
            html.Div(
                [
                    html.Div(
                        [
                            html.H1("Provenance"),
                            html.Div("How was this figure made?", id="provenance-sub", className="sub"),
                        ]
                    ),
                    html.Div([view, *tools], className="side", id="provenance-side", style={"display": "none"}),
                ],
                className="page-head",
            ),
            form,
            html.Div(_skeleton(), id="provenance-answer"),
            dcc.Download(id="provenance-download"),
        ],
        className="page provenance-page",
    )


def _skeleton() -> Part:
    return html.Div(
        [dmc.Skeleton(height=84, radius=12, mb=14), dmc.Skeleton(height=360, radius=12)], **{"aria-hidden": "true"}
    )


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    _register_browser(app)

    @callback(app, Output("provenance-node", "data"), Input("provenance-node", "value"), State("url", "search"))
    def suggest(text: str | None, search: str | None) -> list[str]:
        wanted, state = (text or "").strip(), ProvenanceState.parse(search)
        hits = lx.search(wanted, limit=20) if wanted and wanted != state.target else []
        return list(dict.fromkeys(hit.id for hit in hits))

    @callback(
        app,
        Output("provenance-sub", "children"),
        Output("provenance-side", "style"),
        Output("provenance-answer", "children"),
        Input("url", "search"),
        State("url", "pathname"),
    )
    def show(search: str | None, pathname: str | None) -> tuple[Any, ...]:
        if not (pathname or "").rstrip("/").endswith("/provenance"):
            return (no_update,) * 3
        state, links = ProvenanceState.parse(search), Links.at(base, search)
        body, found = _body(lx, state, links)
        sub: Part = (
            ["How ", html.Span(short_id(found)[0], className="mono strong"), " was made"]
            if found
            else "How was this figure made?"
        )
        return sub, {} if found else {"display": "none"}, body

    @callback(
        app,
        Output("provenance-download", "data"),
        Input("provenance-prov", "n_clicks"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def save(clicks: int | None, search: str | None) -> Any:
        from lineage.audit.pack.prov import to_prov

        state = ProvenanceState.parse(search)
        if not clicks or not state.target:
            return no_update
        trail = lx.run_provenance(state.target, as_of=state.as_of, known_at=state.known_at)
        text = json.dumps(to_json(to_prov(trail)), indent=1, ensure_ascii=False)
        return dcc.send_string(text, f"{_file_name(state)}.prov.json")

    _register_pack(app, lx)


def _register_pack(app: Dash, lx: Lineage) -> None:
    @callback(
        app,
        Output("provenance-pack", "title"),
        Input("provenance-pack", "n_clicks"),
        State("provenance-raw", "checked"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def pack(clicks: int | None, raw: bool | None, search: str | None) -> Any:
        state = ProvenanceState.parse(search)
        if clicks and state.target:
            title = f"Evidence pack of {short_id(state.target)[0]}"
            started(jobs_of(app).start(title, lambda progress: make_pack(lx, state, bool(raw), progress)))
        return no_update


def make_pack(lx: Lineage, state: ProvenanceState, raw: bool, progress: Progress) -> Made:
    """The job that makes an evidence pack."""
    from lineage.audit.signing import signing_key

    made = lx.audit.evidence(
        state.target, signing_key(), as_of=state.as_of, known_at=state.known_at, raw_events=raw, progress=progress
    )
    name = f"{_file_name(state)}.zip"
    notes = (
        ("Verify", f"meshline evidence verify {name} --key {made.key}"),
        ("Or alone", f"unzip {name} verify.py && python3 verify.py {name}"),
        ("SHA-256", made.sha256),
        ("verify.py", made.verifier),
    )
    return Made(name, made.data, "application/zip", notes)


def _file_name(state: ProvenanceState) -> str:
    """A name for the files of a page that every system takes.

    >>> _file_name(ProvenanceState("dataset:db:core/a b", as_of="2026-03-31T10:00"))
    'evidence-a_b-2026-03-31T1000'
    """
    short = "".join(c if c.isalnum() or c in "-." else "_" for c in short_id(state.target)[0])[:60]
    day = (state.as_of or "now").replace(":", "")
    return f"evidence-{short}-{''.join(c for c in day if c.isalnum() or c in '-.')[:32]}"


def _body(lx: Lineage, state: ProvenanceState, links: Links) -> tuple[Part, str]:
    """The answer, or the state that stands for it, and the node it is about."""
    try:
        if not state.target:
            return _empty(lx, links), ""
        return _answer(lx, state, links)
    except UnknownNodeError as error:
        when = " at that time" if state.as_of or state.known_at else ""
        text = (
            "Choose the one you mean."
            if error.candidates
            else f"It was never seen{when}. Type a part of its name above."
        )
        found = [(one, links.to("provenance", target=one, vs=state.versus or None)) for one in error.candidates]
        return choices(error.headline, text, found, "help"), ""
    except HiddenNodeError as error:
        return hero("eye-off", "You may not see this node", str(error)), ""
    except MeshlineError as error:
        retry = dcc.Link("Start again", href=links.to("provenance"), className="btn")
        return hero("alert-triangle", "This cannot be answered", str(error), retry), ""


def tell(lx: Lineage, target: str, as_of: str | None, known_at: str | None) -> Story:
    """The story of one node at one instant, with the quality of then.

    Raises
    ------
    MeshlineError
        when the node is unknown or hidden, or a time is none.
    """
    found = lx.audit.evidence_of(target, as_of=as_of, known_at=known_at)
    report = lx.quality.report(now=found.trail.as_of, as_of=as_of, known_at=known_at)
    return story(found, {row.id: row for row in report.nodes})


def _answer(lx: Lineage, state: ProvenanceState, links: Links) -> tuple[Part, str]:
    tale = tell(lx, state.target, state.as_of, state.known_at)
    trail = tale.evidence.trail
    domains = list(lx.domains())
    colours = domain_colours(domains)
    compared = _compared(lx, state, tale, links) if state.versus else None
    if not trail.steps:
        return html.Div([parts.blind(trail), compared, _aside(tale)]), trail.node
    titles = {d.name: d.title or d.name for d in domains}
    if state.view == "picture":
        rows = {node.id: len(node.columns) for node in picture(tale).nodes}
        options = Options(colours, titles, rows, lanes=True, traced=trail.node.startswith("column:"))
        stage = html.Div(
            parts.drawn(drawing(picture(tale), options, key=f"{trail.node}|{trail.as_of}")), className="prov-stage"
        )
    elif state.view == "table":
        stage = parts.table(tale, links)
    else:
        stage = parts.timeline(tale, colours)
    cut = f"Only the nearest {len(trail.steps):,} versions are shown; {trail.behind:,} more are right behind."
    main = html.Div(
        [
            html.Div(cut, className="notice warn", role="status") if trail.partial else None,
            html.Section(
                [html.H2(f"As it was on {trail.as_of:%d %B %Y, %H:%M} UTC"), stage], className="card prov-pad"
            ),
            html.Section([html.H2("Step by step"), parts.steps(tale, links, colours)], className="card prov-pad"),
        ],
        className="prov-main",
    )
    return html.Div([parts.figures(tale), compared, html.Div([main, _aside(tale)], className="prov-cols")]), trail.node


def _aside(tale: Story) -> Part:
    from lineage.audit.signing import SigningError, signing_key

    try:
        key = signing_key(create=False).fingerprint
    except SigningError:  # none was made yet: the first pack makes it
        key = ""
    return html.Aside(
        [parts.evidence(key), parts.gaps(tale), parts.owners(tale)],
        className="prov-aside",
        **{"aria-label": "Evidence, gaps, owners"},
    )


def _compared(lx: Lineage, state: ProvenanceState, tale: Story, links: Links) -> Part:
    """The other date beside this one; the earlier of the two is the one before."""
    try:
        other = lx.audit.evidence_of(state.target, as_of=state.versus, known_at=state.known_at)
        here = tale.evidence
        before, after = sorted((other, here), key=lambda one: one.trail.as_of)
        mesh = lx.diff(
            before.trail.as_of,
            after.trail.as_of,
            node=after.trail.node,
            known_from=state.known_at,
            known_to=state.known_at,
        )
    except MeshlineError as error:
        return html.Div(f"It cannot be compared with {state.versus}: {error}", className="notice warn", role="status")
    return section(compare(before, after, mesh), links)


def _empty(lx: Lineage, links: Links) -> Part:
    """Nothing was asked: offer what stands at the end of the mesh, the most fed of each domain first."""
    rows = lx.listing("datasets", as_of=links.asof, known_at=links.known).rows
    if not rows:
        return empty_store()
    ends = [row for row in rows if row.upstream and not row.downstream] or list(rows)
    counts = {
        row.id: len(lx.provenance(row.id, kinds="dataset", as_of=links.asof, known_at=links.known).nodes)
        for row in ends[:24]
    }
    best = sorted(counts, key=lambda id: (-counts[id], id))[:6]
    found = [(one, links.to("provenance", target=one)) for one in best]
    return choices(
        "Which figure do you want to follow?",
        "Choose above, or one of those with the most behind them.",
        found,
        "route",
    )


def _register_browser(app: Dash) -> None:
    def clientside(name: str, *spec: object) -> None:
        app.clientside_callback(ClientsideFunction("provenance", name), *spec, prevent_initial_call=True)

    clientside(
        "go",
        Output("url", "search", allow_duplicate=True),
        Output("provenance-say", "children"),
        Input("provenance-go", "n_clicks"),
        Input("provenance-view", "value"),
        *(State(f"provenance-{name}", "value") for name in ("node", "asof", "vs")),
    )
    app.clientside_callback(
        ClientsideFunction("provenance", "form"),
        *(Output(f"provenance-{name}", "value") for name in ("node", "asof", "vs", "view")),
        Input("url", "search"),
    )
    clientside("link", Output("provenance-copied", "children"), Input("provenance-link", "n_clicks"))
    for name in ("provenance-grid", "provenance-made", "provenance-mesh"):
        app.clientside_callback(
            ClientsideFunction("meshline", "grid_csv"),
            Output(name, "exportDataAsCsv"),
            Input(f"{name}-csv", "n_clicks"),
            prevent_initial_call=True,
        )


PAGE = Page(
    "/provenance", "Provenance", "how a figure was made, run by run", "Explore", "fingerprint", layout, register
)
