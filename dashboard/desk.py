"""What the pages of quality, cost, contracts and the catalogue have in common: their address, their cards, their words.

A card is filled by a callback of its own, so that one that is slow or fails does not hold up the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from dashboard import rows as sheets
from dashboard.links import Links
from dashboard.memo import OLD, Memo
from dashboard.names import short_id
from dashboard.page import Part, callback
from dashboard.rows import Sheet
from dashboard.theme import icon
from lineage.errors import MeshlineError, NotYetKnownError, UnknownNodeError
from lineage.resolve import resolve

if TYPE_CHECKING:
    from lineage.engine import Lineage

T = TypeVar("T")
PAGES_OF_NODES = ("dataset:", "job:", "column:")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks of a page. Keys that nobody knows are ignored."""

    links: Links
    path: str
    search: str
    query: dict[str, list[str]]

    @classmethod
    def of(cls, base: str, path: str, search: str | None) -> Asked:
        """Read an address.

        >>> Asked.of("/", "cost", "?by=job&asof=2026-03-31").get("by", ("domain", "job"))
        'job'
        """
        return cls(Links.at(base, search), path, search or "", parse_qs((search or "").lstrip("?")))

    def get(self, key: str, known: Sequence[str] = (), standard: str = "") -> str:
        """A value; the standard (default: the first known one) when there is none, or one that makes no sense."""
        value = self.query.get(key, [""])[-1]
        if known and value not in known:
            return standard or known[0]
        return value or standard

    @property
    def when(self) -> dict[str, Any]:
        """The instant, as questions take it."""
        return {"as_of": self.links.asof, "known_at": self.links.known}

    def to(self, **changes: Any) -> str:
        """Address of this page with some of its state changed; ``None`` removes. Sorting and filters go."""
        kept = {k: v[-1] for k, v in self.query.items() if k not in ("asof", "known", "sort", "filter")}
        return self.links.to(self.path, **{**kept, **changes})


@dataclass(frozen=True, slots=True)
class Desk:
    """One page while it registers its callbacks. ``name`` is the first part of its ids."""

    app: Dash
    lx: Lineage
    base: str
    path: str
    name: str
    memo: Memo

    @classmethod
    def at(cls, app: Dash, lx: Lineage, base: str, path: str) -> Desk:
        """The desk of the page at ``/path``."""
        return cls(app, lx, base, path, path, Memo(lx))

    def here(self, pathname: str | None) -> bool:
        """Whether an address is this page's."""
        return (pathname or "").rstrip("/") == (self.base + self.path).rstrip("/")

    def ask(self, asked: Asked, name: Any, find: Callable[[], T], *, old: float = OLD) -> T:
        """An answer for the instant of the address, shared with other readers; ``old`` as in the memory of answers."""
        return self.memo.get((name, asked.links.asof, asked.links.known), find, old=old)

    def unknown(self, asked: Asked, key: str) -> Part:
        """What the page says of a node that its address names and nobody knows, with near ones; else ``None``."""
        text = asked.get(key)
        if not text:
            return None
        try:
            resolve(self.lx.view(**asked.when), text)
        except UnknownNodeError as error:
            return no_such_node(error, lambda candidate: asked.to(**{key: candidate}))
        return None

    def card(
        self,
        name: str,
        build: Callable[[Asked], Any],
        *,
        live: bool = True,
        of: Callable[[Asked], str] = lambda _asked: "",
        says: bool = False,
    ) -> None:
        """Fill ``PAGE-name`` whenever the address changes, and when there is new data unless not ``live``.

        ``of`` says which key of an address names the node that the page is about, if any. Where nobody knows that node
        the card has no figures: those of the whole mesh would be read as its own. One card of the page ``says`` so.
        """

        def show(search: str | None, pathname: str | None) -> Any:
            if not self.here(pathname):
                return no_update
            asked = Asked.of(self.base, self.path, search)
            try:
                key = of(asked)
                if key and self.unknown(asked, key) is not None:
                    return untold(asked, key) if says else None
                return build(asked)
            except MeshlineError as error:
                return failed(str(error))

        place, address = Output(f"{self.name}-{name}", "children"), Input("url", "search")
        if live:

            @callback(self.app, place, address, Input("fresh", "data"), State("url", "pathname"))
            def show_live(search: str | None, _fresh: Any, pathname: str | None) -> Any:
                return show(search, pathname)

        else:
            callback(self.app, place, address, State("url", "pathname"))(show)

    def sheet(self, find: Callable[[Asked], Sheet | None]) -> None:
        """Fill ``PAGE-list`` with the page's table, and its callbacks."""

        def table(asked: Asked) -> Part:
            found = find(asked)
            return None if found is None else sheets.frame(f"{self.name}-grid", found, asked.search)

        self.card("list", table, live=False)
        sheets.register(
            self.app, f"{self.name}-grid", self.memo, self.here,
            lambda search: find(Asked.of(self.base, self.path, search)),
        )  # fmt: skip

    def listing(self, about: Callable[[Asked], Part], find: Callable[[Asked], Sheet | None]) -> None:
        """Fill what :func:`listing` has room for: which list is shown, what it is about, the table."""
        self.controls("view")
        self.card("list-sub", about)
        self.sheet(find)
        self.app.clientside_callback(
            ClientsideFunction("sheets", "pick"), Output(f"{self.name}-view", "value"), Input("url", "search")
        )

    def controls(self, *keys: str) -> None:
        """Controls ``PAGE-key`` whose value goes into the address under ``key``."""
        for key in keys:  # one each: some of them come and go
            self.app.clientside_callback(
                ClientsideFunction("sheets", "go"),
                Output("url", "search", allow_duplicate=True),
                Input(f"{self.name}-{key}", "value"),
                prevent_initial_call=True,
            )


def failed(text: str) -> Part:
    """A card that could not be filled says why."""
    return html.Div([icon("alert-triangle", size=18), text], className="card block failed", role="alert")


def untold(asked: Asked, key: str) -> Part:
    """What stands in place of figures of something that nobody knows; leads to those of everything."""
    every = dcc.Link(f"Show every {key}", href=asked.to(**{key: None}))
    return html.Div(
        [icon("eye-off", size=18), html.Span(["Unknown: nobody knows “", asked.get(key), "”. "]), every],
        className="card block untold",
    )  # fmt: skip


def why_unknown(error: UnknownNodeError) -> str:
    """What to think of a name without a node that comes near."""
    if isinstance(error, NotYetKnownError):
        return f"It is first known at {error.since}; choose that time or a later one."
    return "It may have been named differently, or was never seen."


def no_such_node(error: UnknownNodeError, to: Callable[[str], str]) -> Part:
    """Says that no node or more than one has a name, and leads to those that come near."""
    text = "Choose the one you mean." if error.candidates else why_unknown(error)
    found = [dcc.Link(html.Span(one, className="mono"), href=to(one), className="choice") for one in error.candidates]
    body = [html.H2(error.headline), html.P(text, className="card-sub"), html.Div(found, className="choices")]
    return html.Div(body, className="unknown-node", role="alert")


def head(name: str, title: str, *side: Part) -> Part:
    """Heading of a page with its controls."""
    return html.Div(
        [html.Div([html.H1(title), html.Div("…", id=f"{name}-sub", className="sub")]),
         html.Div(list(side), className="side")],
        className="page-head",
    )  # fmt: skip


def waiting(height: int) -> Part:
    """What stands there until the answer comes."""
    return dmc.Skeleton(height=height, radius=12)


def slot(name: str, height: int, kind: str | None = None) -> Part:
    """Place of a card."""
    return html.Div(waiting(height), id=name, **({"className": kind} if kind else {}))


def listing(name: str, views: Sequence[tuple[str, str]], *, options: bool = False) -> Part:
    """The section of a page that lists the rows behind its numbers; :meth:`Desk.listing` fills it.

    Parameters
    ----------
    name
        of the page.
    views
        lists that one chooses from (key, words), the standard one first.
    options
        whether the page fills ``NAME-options`` with what narrows a list down.
    """
    title = html.Div([html.H2("The rows"), html.Div("", id=f"{name}-list-sub", className="card-sub")])
    choice = tabs(f"{name}-view", views, views[0][0], "What is listed") if len(views) > 1 else None
    return html.Section(
        [
            html.Div([title, choice], className="card-head wraps"),
            html.Div(id=f"{name}-options", className="options") if options else None,
            html.Div(waiting(420), id=f"{name}-list"),
        ],
        className="card block",
        id="list",
    )


def tabs(name: str, choices: Sequence[tuple[str, str]], value: str, label: str) -> Part:
    """A choice of few; the first is the standard and stays out of the address."""
    data = [{"value": key, "label": text} for key, text in choices]
    return html.Div(
        dmc.SegmentedControl(id=name, data=data, value=value, attributes={"root": {"aria-label": label}}),
        className="tabs-room", **{"data-standard": choices[0][0]},
    )  # fmt: skip


def domain_choice(name: str, domains: Sequence[Any], chosen: str) -> Part:
    """The choice of a domain; one that is not known is still shown as what was asked for."""
    data = [{"value": d.name, "label": d.title or d.name} for d in domains if not d.hidden]
    if chosen and chosen not in {d.name for d in domains}:
        data.append({"value": chosen, "label": f"{chosen} (unknown)"})
    return dmc.Select(
        id=name, data=data, value=chosen or None, placeholder="All domains", clearable=True, w=180, searchable=True,
        attributes={"input": {"aria-label": "Show one domain only"}},
    )  # fmt: skip


def tile(mark: str, label: str, value: str, note: Part, href: str, *, bad: bool = False, name: str = "") -> Part:
    """A number that leads to its rows."""
    return dcc.Link(
        [
            html.Span([icon(mark, size=15), label], className="tile-label"),
            html.Span(value, className=f"tile-value{' bad' if bad else ''}", **({"id": name} if name else {})),
            html.Span(note, className="tile-note"),
        ],
        href=href,
        className="card tile",
    )


def node_link(asked: Asked, node: str, text: Part = None) -> Part:
    """A node by its short name; leads to the page of a dataset, else to the picture. Hidden ones lead nowhere."""
    shown = text or short_id(node)[0]
    if node.startswith("dataset:"):
        return dcc.Link(shown, href=asked.links.to("dataset", id=node), title=node)
    if node.startswith(PAGES_OF_NODES):
        return dcc.Link(shown, href=asked.links.lineage(node), title=node)
    return html.Span(shown, title=node)


def node_href(asked: Asked, node: str) -> str | None:
    """Address of a node's page, for the link of a row."""
    if node.startswith("dataset:"):
        return asked.links.to("dataset", id=node)
    return asked.links.lineage(node) if node.startswith(PAGES_OF_NODES) else None


def clock(at: datetime | None) -> str:
    """A time to the minute, in UTC.

    >>> clock(datetime(2026, 3, 1, 6, 30)), clock(None)
    ('2026-03-01 06:30', '–')
    """
    return "–" if at is None else f"{at:%Y-%m-%d %H:%M}"


def plain(head: Sequence[tuple[str, bool]], rows: Sequence[Sequence[Part]], label: str) -> Part:
    """A small table in the page; ``head`` is (title, whether numbers)."""

    def cells(row: Sequence[Part]) -> list[Part]:
        return [html.Td(cell, className="right num" if head[n][1] else None) for n, cell in enumerate(row)]

    return html.Div(
        html.Table(
            [
                html.Thead(html.Tr([html.Th(t, scope="col", className="right" if n else None) for t, n in head])),
                html.Tbody([html.Tr(cells(row)) for row in rows]),
            ],
            className="plain", **{"aria-label": label},
        ),
        className="scrolls", tabIndex=0, role="region", **{"aria-label": label},
    )  # fmt: skip
