"""The frame around every page: header, navigation, palette, instant, notices, keyboard help."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html

from dashboard import notices, palette, saving
from dashboard.links import Links
from dashboard.memo import shared
from dashboard.page import Page, Part, callback
from dashboard.still import Still, packed
from dashboard.theme import MANTINE, icon
from lineage import __version__
from lineage.engine import Lineage

KEYS = (
    ("⌘K or Ctrl K", "search everything"),
    ("/", "find in the picture"),
    ("← →", "follow the edges"),
    ("↑ ↓", "next node in the column"),
    ("Space", "show or hide columns"),
    ("Enter", "focus on the node"),
    ("[  ]", "show more upstream, downstream"),
    ("F", "fit everything"),
    ("+  −", "zoom"),
    ("Esc", "clear the selection"),
    ("N", "notifications"),
    ("?", "this list"),
)


def layout(pages: Sequence[Page], base: str, banner: str | None) -> Part:
    """The whole document. Pages are filled into ``#page``."""
    return dmc.MantineProvider(
        theme=MANTINE,
        defaultColorScheme="auto",
        children=[
            dcc.Location(id="url", refresh="callback-nav"),
            dcc.Store(id="page-wanted"),  # the address of a page that is not the one shown
            dcc.Store(id="acted"),  # which form did something, and when
            dcc.Store(id="held"),  # of when an answer is that was given from memory although the store has changed
            dcc.Store(id="fresh"),  # grows when new data is to be shown; pages that show it take it as an input
            html.A("Skip to the content", href="#page", className="skip-link"),
            dmc.AppShell(
                [
                    dmc.AppShellHeader(_header(base)),
                    dmc.AppShellNavbar(_navigation(pages, base)),
                    dmc.AppShellMain([*_strips(banner), html.Div(id="page-error"), html.Div(id="page")]),
                ],
                header={"height": 58},
                navbar={"width": 212, "breakpoint": "sm", "collapsed": {"mobile": True}},
                padding=0,
            ),
            _palette(),
            _help(),
            saving.dialog(),
        ],
    )


def _header(base: str) -> Part:
    return html.Div(
        className="top",
        children=[
            dcc.Link(
                [
                    html.Span(icon("topology-star-3", size=19), className="brand-mark"),
                    html.Span("Meshline", className="brand-name"),
                ],
                href=base,
                className="brand",
            ),
            html.Button(
                [
                    icon("search", size=16),
                    html.Span("Search datasets, columns, owners, runs…"),
                    html.Kbd("⌘ K"),
                ],
                id="palette-open",
                className="palette-open",
            ),
            html.Div(
                className="top-tools",
                children=[
                    _instant(),
                    notices.bell(),
                    saving.button(),
                    html.Button(
                        icon("keyboard", size=20),
                        id="help-open",
                        className="round",
                        **{"aria-label": "Keyboard help"},
                    ),
                    dmc.ColorSchemeToggle(
                        lightIcon=icon("sun", size=20),
                        darkIcon=icon("moon", size=20),
                        variant="subtle",
                        color="gray",
                        size=36,
                        attributes={"root": {"aria-label": "Switch between light and dark"}},
                    ),
                ],
            ),
        ],
    )


def _instant() -> Part:
    def picker(name: str, label: str, description: str) -> Part:
        return dmc.DateTimePicker(
            id=f"asof-{name}",
            label=label,
            description=description,
            placeholder="now",
            clearable=True,
            valueFormat="YYYY-MM-DD HH:mm",
            popoverProps={"withinPortal": False},
        )

    return dmc.Popover(
        [
            dmc.PopoverTarget(
                html.Button(
                    [
                        icon("history", size=17),
                        html.Span(["As of", html.Span(" "), html.Span("now", id="asof-label")]),
                        html.Span(id="held-note", className="held-note"),  # written by assets/live.js
                    ],
                    id="asof-open",
                    className="asof-open",
                )
            ),
            dmc.PopoverDropdown(
                dmc.Stack(
                    [
                        picker("valid", "As of", "how things were at this time (UTC)"),
                        picker("known", "Known at", "with what Meshline had learned by then (UTC)"),
                        dmc.Group(
                            [
                                html.Button("Apply", id="asof-apply", className="btn primary"),
                                html.Button("Back to now", id="asof-now", className="btn"),
                            ]
                        ),
                    ],
                    gap="sm",
                )
            ),
        ],
        width=320,
        position="bottom-end",
        shadow="lg",
        trapFocus=True,
        returnFocus=True,
        keepMounted=True,  # the pickers take the instant of the address while the popover is closed
    )


def _navigation(pages: Sequence[Page], base: str) -> Part:
    items: list[Part] = []
    for group, members in groupby((p for p in pages if p.group), key=lambda page: page.group):
        items.append(html.Div(group, className="nav-group"))
        for page in members:
            href = base + page.path.lstrip("/")
            items.append(dcc.Link([icon(page.icon), html.Span(page.title)], href=href, className="nav-link"))
    foot = html.Div(f"Meshline {__version__}", className="nav-foot")
    links = Still([packed(item, ()) for item in items], id="nav-links")  # one component: each costs at every step
    return html.Nav([links, foot], className="nav", **{"aria-label": "Pages"})


def _strips(banner: str | None) -> list[Part]:
    strips = []
    if banner:
        strips.append(
            html.Div([icon("info-circle", size=16), html.Span(banner)], className="strip sample", role="note")
        )
    strips.append(html.Div(id="live-strip", className="live-strip is-empty", role="status"))
    strips.append(
        html.Div(
            [
                icon("history", size=16),
                html.Span(id="asof-text"),
                html.Button("Back to now", id="asof-strip-now"),
            ],
            id="asof-strip",
            className="strip past",
            style={"display": "none"},
            role="status",
        )
    )
    return strips


def _palette() -> Part:
    return dmc.Modal(
        id="palette",
        withCloseButton=False,
        keepMounted=True,
        size=620,
        padding=0,
        yOffset="11vh",
        radius="lg",
        opened=False,
        overlayProps={"backgroundOpacity": 0.35, "blur": 2},
        children=[
            dmc.TextInput(
                id="palette-input",
                placeholder="Search datasets, columns, owners, runs…",
                size="lg",
                variant="unstyled",
                leftSection=icon("search"),
                debounce=60,
                value="",
                className="palette-input",
                attributes={
                    "input": {
                        "role": "combobox",
                        "aria-label": "Search",
                        "aria-expanded": "true",
                        "aria-controls": "palette-results",
                        "autoComplete": "off",
                    }
                },
            ),
            html.Div(id="palette-results", role="listbox", **{"aria-label": "Results"}),
            html.Div(
                [
                    html.Span([html.Kbd("↑"), " ", html.Kbd("↓"), " choose"]),
                    html.Span([html.Kbd("Enter"), " open"]),
                    html.Span([html.Kbd("Esc"), " close"]),
                ],
                className="palette-foot",
            ),
        ],
    )


def _help() -> Part:
    rows = [html.Div([html.Kbd(key), html.Span(text)], className="help-row") for key, text in KEYS]
    return dmc.Modal(rows, id="help", title="Keyboard", size=420, opened=False)


def register(app: Dash, lx: Lineage, pages: Sequence[Page], base: str) -> None:
    """Callbacks of the frame."""
    notices.register(app, lx, base)
    saving.register(app, lx)
    _live(app)
    _clientside(app)

    @callback(
        app,
        Output("palette-results", "children"),
        Output("palette-results", "data-text"),
        Input("palette-input", "value"),
        Input("palette", "opened"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def find(text: str | None, opened: bool, search: str | None) -> tuple[list[Part], str | None]:
        wanted = (text or "").strip()
        if not opened:
            return [], None
        links = Links.at(base, search)
        found = shared(lx).at_once(("palette", wanted, links), lambda: palette.hits(lx, pages, links, wanted))
        return palette.rows(found, wanted), text or ""


def _live(app: Dash) -> None:
    """What happened since the page was drawn."""
    app.clientside_callback(
        ClientsideFunction("live", "acted"),
        Output("fresh", "data", allow_duplicate=True),
        Input("acted", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("live", "held"),
        Input("held", "data"),
        Input("url", "pathname"),
        Input("url", "search"),
    )
    app.clientside_callback(ClientsideFunction("meshline", "news"), Input("fresh", "data"))


def _clientside(app: Dash) -> None:
    def clientside(name: str, *spec: object, initial: bool = False) -> None:
        app.clientside_callback(ClientsideFunction("meshline", name), *spec, prevent_initial_call=not initial)

    clientside(
        "nav",
        Output("nav-links", "parts"),
        Input("url", "pathname"),
        Input("asof-text", "children"),  # another instant: the links keep it
        State("url", "search"),
        State("nav-links", "parts"),
        initial=True,
    )
    clientside(
        "palette",
        Output("palette", "opened"),
        Input("palette-open", "n_clicks"),
        Input({"type": "palette-open", "place": ALL}, "n_clicks"),
        Input("url", "search"),
        Input("url", "pathname"),
        State("palette", "opened"),
    )
    clientside("help", Output("help", "opened"), Input("help-open", "n_clicks"))
    said = (("asof-label", "children"), ("asof-open", "className"), ("asof-strip", "style"), ("asof-text", "children"),
            ("asof-valid", "value"), ("asof-known", "value"))  # fmt: skip
    clientside(
        "asof_shown",
        *(Output(*one) for one in said),
        Input("url", "search"),
        *(State(*one) for one in said),
        initial=True,
    )
    clientside(
        "asof_set",
        Output("url", "search", allow_duplicate=True),
        Input("asof-apply", "n_clicks"),
        Input("asof-now", "n_clicks"),
        Input("asof-strip-now", "n_clicks"),
        State("asof-valid", "value"),
        State("asof-known", "value"),
    )
