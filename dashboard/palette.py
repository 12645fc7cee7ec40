"""What the palette finds: pages and actions, data products, owners, runs, and every dataset, job and column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dash import html

from dashboard.links import Links
from dashboard.memo import YOUNG, shared
from dashboard.names import short_name, subtitle
from dashboard.page import Page, Part
from dashboard.still import LINK, Still, packed
from dashboard.theme import UNASSIGNED_COLOUR, domain_colours, domain_dot, icon
from lineage.finding import Thing, closeness

if TYPE_CHECKING:
    from lineage.details import SearchHit
    from lineage.engine import Lineage
    from lineage.saved.questions import SavedView

MOST = 24
_ICONS = {"dataset": "table", "job": "player-play", "column": "columns-3", "product": "box", "owner": "user",
          "run": "refresh"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    """Something the palette does: ``name`` is what ``assets/palette.js`` carries out."""

    name: str
    title: str
    words: str  # what else it is called
    icon: str


ACTS = (
    Act("scheme", "Switch between light and dark", "theme colour mode night", "moon"),
    Act("now", "Back to now", "as of instant time present", "history"),
    Act("asof", "Look at another time", "as of instant past known valid", "history"),
    Act("link", "Copy a link to this view", "url share address", "link"),
    Act("print", "Print this page", "pdf paper export", "download"),
    Act("help", "Show the keyboard's short cuts", "keys help", "keyboard"),
    Act("bell", "Show notifications", "incidents violations bell", "bell"),
)
LEAST = 0.5


@dataclass(frozen=True, slots=True)
class Hit:
    """One row of the palette."""

    score: float
    href: str
    icon: str
    title: str
    below: str
    right: Part
    act: str = ""


def hits(lx: Lineage, pages: Sequence[Page], links: Links, text: str) -> list[Hit]:
    """What fits a text, best first; without a text the pages and actions."""
    if not text:
        return [_page(page, links, 1.0) for page in pages if page.group] + [_act(act, 1.0) for act in ACTS]
    found = [
        _page(page, links, score)
        for page in pages
        if page.group and (score := max(closeness(text, page.title), 0.8 * closeness(text, page.about))) >= LEAST
    ]
    found += [_act(act, s) for act in ACTS if (s := max(closeness(text, act.title), _words(text, act))) >= LEAST]
    found += [_view(one, links, score) for one in _saved(lx) if (score := closeness(text, one.title)) >= LEAST]
    found += [_thing(one, links) for one in lx.find(text, as_of=links.asof, known_at=links.known)]
    colours = domain_colours(lx.domains())
    found += [_node(one, links, colours.get(one.domain)) for one in lx.search(text, limit=MOST)]
    return sorted(found, key=lambda hit: -hit.score)[: MOST + 8]


def _saved(lx: Lineage) -> tuple[SavedView, ...]:
    return shared(lx).get("saved views of the palette", lambda: lx.saved.list().views, old=YOUNG)


def _view(one: SavedView, links: Links, score: float) -> Hit:
    return Hit(score, links.base + one.address.lstrip("/"), "list", one.title, f"saved by {one.saved_by}", "view")


def _words(text: str, act: Act) -> float:
    return 0.85 * max(closeness(text, word) for word in act.words.split())


def _page(page: Page, links: Links, score: float) -> Hit:
    return Hit(score, links.to(page.path), page.icon, page.title, page.about, "page")


def _act(act: Act, score: float) -> Hit:
    return Hit(score, "", act.icon, act.title, "", "action", act.name)


def _thing(one: Thing, links: Links) -> Hit:
    if one.kind == "product":
        href = links.to("product", id=one.id)
    elif one.kind == "owner":
        href = links.to("", rows="owned", owner=one.id)
    else:
        href = links.lineage(one.node or "", sel=one.node)
    return Hit(one.score, href, _ICONS[one.kind], one.name, one.about, one.kind)


def _node(hit: SearchHit, links: Links, colour: int | None) -> Hit:
    if hit.kind == "column":
        below, _, title = hit.name.rpartition(":")  # the name of a column hit is DATASET:COLUMN
    else:
        title, below = short_name(hit.name)[0], subtitle(hit.namespace, hit.name)
    dot = domain_dot(UNASSIGNED_COLOUR if colour is None else colour)
    return Hit(hit.score, links.lineage(hit.id), _ICONS[hit.kind], title, below, [dot, hit.domain])


def rows(found: Sequence[Hit], text: str) -> list[Part]:
    """The list, or that there is nothing."""
    if not found:
        return [html.Div(f"Nothing is called “{text}”.", className="palette-none", role="status")]
    return [Still([_option(n, hit) for n, hit in enumerate(found)])]


def _option(n: int, hit: Hit) -> list[Any]:
    """One row, packed from the beginning: it is drawn at every key."""
    right = [packed(one, ()) for one in (hit.right if isinstance(hit.right, list) else [hit.right])]
    inside = (
        packed(icon(hit.icon), ()),
        ["span", {"className": "hit-text"}, ["span", {"className": "hit-title"}, hit.title],
         ["span", {"className": "hit-below"}, hit.below]],
        ["span", {"className": "hit-right"}, *right],
    )  # fmt: skip
    if hit.act:
        row = ["button", {"className": "hit", "data-act": hit.act, "tabIndex": -1}, *inside]
    else:
        row = [LINK, {"className": "hit", "href": hit.href}, *inside]
    chosen = {"className": "is-active" if n == 0 else "", "aria-selected": "true" if n == 0 else "false"}
    return ["div", {"id": f"palette-hit-{n}", "role": "option", **chosen}, row]
