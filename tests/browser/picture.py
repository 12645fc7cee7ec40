"""How tests read and touch the picture: through the view that the component exposes."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.fake import NAMESPACE


def node_id(name: str) -> str:
    """Node text of a dataset of the fake."""
    return f"dataset:{NAMESPACE}:{name}"


def settled(page: Page, nodes: int | None = None) -> None:
    """Wait until the picture has come to rest, with ``nodes`` cards if given."""
    wanted = f'[data-nodes="{nodes}"]' if nodes is not None else '[data-nodes]:not([data-nodes="0"])'
    expect(page.locator(f".lineage-graph{wanted}[data-settled=true]")).to_be_visible()


def opened(page: Page, name: str) -> None:
    """Wait until a card shows its columns and the picture has come to rest; the number of cards does not tell."""
    page.wait_for_function("(name) => __lg.model.nodes.some((n) => n.full === name && n.rows.length)", arg=name)
    settled(page)


def shown(page: Page) -> dict[str, dict[str, Any]]:
    """Cards of the picture by full name."""
    code = """() => Object.fromEntries(__lg.model.nodes.map((n) => [n.full, {
        x: n.x, y: n.y, rows: n.rows.map((r) => r.name), up: n.cutUp, down: n.cutDown, more: n.more}]))"""
    found: dict[str, dict[str, Any]] = page.evaluate(code)
    return found


def lit(page: Page) -> dict[str, int]:
    """Lit cards by full name: -1 upstream, 1 downstream, 0 the start; empty when nothing is lit."""
    code = """() => Object.fromEntries(__lg.hl ? Array.from(__lg.hl.nodes)
        .map(([i, side]) => [__lg.model.nodes[i].full, side]) : [])"""
    found: dict[str, int] = page.evaluate(code)
    return found


def point(page: Page, name: str, part: str = "card") -> tuple[float, float]:
    """Pixel of a card, of one of its rows (``row:COLUMN``), or of a cut edge (``up``, ``down``)."""
    code = """([name, part]) => {
        const view = __lg, node = view.model.nodes.find((n) => n.full === name);
        const box = view.canvas.getBoundingClientRect();
        let x = node.cx + node.w / 3, y = node.cy + 12;
        if (part.startsWith("row:")) {
          const row = node.rows.findIndex((r) => r.name === part.slice(4));
          y = node.cy + view.model.head + (row + 0.5) * view.model.row;
        } else if (part === "more") {
          y = node.cy + view.model.head + (node.rows.length + 0.5) * view.model.row;
        } else if (part !== "card") {
          const cut = dashboard_lineage_graph.parts.cutBox(node, part === "up" ? -1 : 1, view.k);
          x = cut.x + cut.w / 2; y = cut.y + cut.h / 2;
        }
        const [sx, sy] = view.toScreen(x, y);
        return [sx + box.left, sy + box.top];
    }"""
    x, y = page.evaluate(code, [name, part])
    return x, y


def still(page: Page, name: str, part: str = "card") -> tuple[float, float]:
    """The same, once it stands still: what comes above the picture moves it."""
    at = point(page, name, part)
    while True:
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        now = point(page, name, part)
        if now == at:
            return at
        at = now


def click(page: Page, name: str, part: str = "card") -> None:
    """Click a card or a part of it."""
    page.mouse.click(*still(page, name, part))


def query(page: Page) -> dict[str, list[str]]:
    """The address's query."""
    from urllib.parse import parse_qs, urlparse

    return parse_qs(urlparse(page.url).query)
