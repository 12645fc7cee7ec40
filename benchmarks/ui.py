"""How quick the pages are, in headless Chromium: ``python -m benchmarks.ui``.

A server of its own over a made-up mesh: one part of 600 datasets, one of 9,400, columns for 100,000 names. Every row
prints what was measured beside the budget, and the load of the machine, since a busy one is slow whatever the code is.

``--only layout,lineage`` measures some rows only, of those that :data:`GROUPS` names; ``--mesh FILE`` keeps the made-up
mesh for the next time.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.needs import needs

needs("playwright")

from playwright.sync_api import Browser, Page, Request, sync_playwright  # noqa: E402

from dashboard.lineage_graph.drawing import Options, drawing  # noqa: E402
from lineage.declared import apply  # noqa: E402
from lineage.engine import Lineage  # noqa: E402
from lineage.identity import NodeKey, digest64  # noqa: E402
from lineage.store import Store, bump_version  # noqa: E402
from lineage.times import OPEN_END  # noqa: E402

NAMESPACE = "pg"
SMALL, LARGE, COLUMNS, DOMAINS = 600, 9_400, 9, 20
SINCE = datetime(2026, 1, 1)  # noqa: DTZ001 - naive UTC like all stored times
SETTLED = ".lineage-graph[data-settled=true]:not([data-nodes='0'])"
PEOPLE, EVENTS, CLICKS, BATCH = 20, 500, 6, 50
GROUPS = ("layout", "lineage", "graph", "map", "overview", "palette", "crowd")
PAN = """async () => {
  const view = __lg, times = [];
  let last = performance.now();
  for (let n = 0; n < 40; n++) {
    view.moving = true;
    view.pan(n % 2 ? 9 : 7, n % 3 ? 4 : -5);
    await new Promise((done) => requestAnimationFrame(done));
    const now = performance.now();
    times.push(now - last);
    last = now;
  }
  view.moving = false;
  return times;
}"""


def name(i: int) -> str:
    """Name of one dataset; the first 600 are a part of their own."""
    part = "small" if i < SMALL else "large"
    return f"{part}{i % DOMAINS:02d}.layer.table_{i:05d}"


def fill(store: Store, folder: Path, seed: int = 1) -> None:
    """Two layered parts, each dataset made of one or two of the two hundred before it, column by column."""
    rng = random.Random(seed)
    key = [NodeKey("dataset", NAMESPACE, name(i)).id for i in range(SMALL + LARGE)]
    fields = [f"column_{k}" for k in range(COLUMNS)]
    nodes: list[tuple[Any, ...]] = []
    edges: list[tuple[int, int]] = []
    lines: list[tuple[int, int]] = []
    columns = {i: [NodeKey("column", NAMESPACE, name(i), f).id for f in fields] for i in range(SMALL + LARGE)}
    for i, me in enumerate(key):
        nodes.append((me, "dataset", NAMESPACE, name(i), "", None))
        nodes += [(c, "column", NAMESPACE, name(i), f, me) for c, f in zip(columns[i], fields, strict=True)]
        first = 0 if i < SMALL else SMALL
        low = max(first, i - (60 if i < SMALL else 2_000))
        for source in {rng.randrange(low, i) for _ in range(1 + (i % 3 == 0))} if i > first else ():
            edges.append((key[source], me))
            lines += list(zip(columns[source], columns[i], strict=True))
    _insert(store, nodes, edges, lines, key)
    for d in range(DOMAINS):
        head = f'name: domain{d:02d}\nvalid_from: "2026-01-01"\nowner: team:{d}\n'
        text = head + f'patterns: ["small{d:02d}.*", "large{d:02d}.*"]\n'
        (folder / "domains" / f"domain{d:02d}.yaml").write_text(text, encoding="utf-8")
    apply(store, folder)


def _insert(
    store: Store,
    nodes: list[tuple[Any, ...]],
    edges: list[tuple[int, int]],
    lines: list[tuple[int, int]],
    key: list[int],
) -> None:
    clocks = {"valid_from": SINCE, "valid_to": OPEN_END, "known_from": SINCE, "known_to": OPEN_END}
    ids = {"id", "dataset", "src", "dst", "entity", "job", "body"}
    schema = json.dumps({"fields": [{"name": f"column_{k}", "type": "bigint"} for k in range(COLUMNS)]})

    def table(rows: list[tuple[Any, ...]], heads: tuple[str, ...], **same: Any) -> pa.Table:
        pairs = zip(heads, zip(*rows, strict=True), strict=True)
        parts = {n: pa.array(v, pa.uint64() if n in ids else None) for n, v in pairs}
        parts.update({n: pa.array([v] * len(rows), pa.uint64() if n in ids else None) for n, v in same.items()})
        return pa.table(parts)

    told = {"provenance": "column", "state": "current", "job": 0, **clocks}
    with store.transaction() as cursor:
        for target, rows in (
            ("node", table(nodes, ("id", "kind", "namespace", "name", "field", "dataset"), known_from=SINCE)),
            ("edge", table(edges, ("src", "dst"), kind="lineage", **told)),
            ("column_edge", table(lines, ("src", "dst"), type="DIRECT", masking=False, **told)),
            (
                "facet",
                table(
                    [(one,) for one in key], ("entity",), place="facets", key="schema", body=digest64(schema), **clocks
                ),
            ),
        ):
            cursor.register("rows_in", rows)
            cursor.execute(f"INSERT INTO {target} BY NAME SELECT * FROM rows_in")
            cursor.unregister("rows_in")
        cursor.execute("INSERT INTO facet_body VALUES (?, ?)", [digest64(schema), schema])
        bump_version(cursor)


@dataclass
class Board:
    """The table: what was measured beside its budget."""

    rows: list[tuple[str, float, float, str]] = field(default_factory=list)

    def add(self, what: str, budget: float, measured: float, unit: str) -> None:
        """Print one row."""
        self.rows.append((what, budget, measured, unit))
        verdict = "" if measured <= budget else f"  {measured / budget:.1f} x the budget"
        load = os.getloadavg()[0]
        print(f"{what:<52} {measured:>9,.0f} {unit:<3} {budget:>9,.0f} {unit:<3} load {load:4.1f}{verdict}", flush=True)


def timed(act: Callable[[], object]) -> float:
    """Milliseconds that something takes."""
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def shown(page: Page, address: str, selector: str) -> float:
    """Milliseconds from the beginning of a navigation until something is there."""

    def act() -> None:
        page.goto(address, wait_until="commit")
        page.wait_for_selector(selector, timeout=120_000)

    return timed(act)


def pages(board: Board, page: Page, url: str, only: Collection[str]) -> None:
    """Opening pages with a warm cache, expanding, panning, the palette."""
    if "lineage" in only:
        focus = f"{url}/lineage?focus=dataset:{NAMESPACE}:{name(SMALL // 2)}"
        shown(page, focus, SETTLED)
        board.add("lineage page, warm", 1500, min(shown(page, focus, SETTLED) for _ in range(3)), "ms")
        board.add("expand one card, middle of 3", 200, statistics.median(_expansions(page, url)), "ms")
    if "graph" in only:
        _picture(board, page, f"{url}/lineage?focus=dataset:{NAMESPACE}:{name(0)}&up=all&down=all&map=1", "graph", 1500)
    if "map" in only:
        cards = _picture(board, page, f"{url}/map", "map", 2500)
        frames = sorted(page.evaluate(PAN))
        board.add(f"frame while {cards:,} cards are panned, p95", 80, frames[int(len(frames) * 0.95)], "ms")
    if "overview" in only:
        shown(page, url, "h1:has-text('Governance health'), h1")
        page.wait_for_load_state("networkidle")
        board.add("governance health, 10,000 datasets, warm", 2500, _idle(page, url), "ms")
    if "palette" in only:
        if "overview" not in only:
            shown(page, f"{url}/views", "h1")
            page.wait_for_load_state("networkidle")
        _palette(board, page)


def _picture(board: Board, page: Page, address: str, what: str, budget: float) -> int:
    """Open a picture with many cards twice with a warm cache; how many cards there are."""
    shown(page, address, SETTLED)
    cards: int = page.evaluate("__lg.model.nodes.length")
    board.add(f"{what} of {cards:,} cards, warm", budget, min(shown(page, address, SETTLED) for _ in range(2)), "ms")
    return cards


def _idle(page: Page, url: str) -> float:
    """Milliseconds until the first page has asked everything and shows no skeleton."""

    def act() -> None:
        page.goto(url, wait_until="commit")
        page.wait_for_load_state("networkidle")
        page.wait_for_function("() => !document.querySelector('#page .mantine-Skeleton-root')", timeout=120_000)

    return min(timed(act) for _ in range(2)) - 500  # networkidle waits half a second of silence


def _expansions(page: Page, url: str) -> Iterator[float]:
    """Expanding a card of three pictures, each when all that stands beside it has come."""
    for k in range(3):
        shown(page, f"{url}/lineage?focus=dataset:{NAMESPACE}:{name(SMALL // 2 + k)}", SETTLED)
        page.wait_for_load_state("networkidle")
        yield _expand(page)


def _expand(page: Page) -> float:
    """Milliseconds from a press on a count until the new cards are drawn, seen from inside the browser."""
    before = page.evaluate("__lg.model.nodes.length")
    code = """async () => {
      const view = __lg, before = view.model.nodes.length, start = performance.now();
      const node = view.model.nodes.find((one) => one.cutUp || one.cutDown);
      const box = dashboard_lineage_graph.parts.cutBox(node, node.cutUp ? -1 : 1, view.k);
      const [x, y] = view.toScreen(box.x + box.w / 2, box.y + box.h / 2), at = view.canvas.getBoundingClientRect();
      for (const type of ["pointerdown", "pointerup"]) view.canvas.dispatchEvent(new PointerEvent(type,
        { clientX: x + at.left, clientY: y + at.top, button: 0, pointerId: 1, bubbles: true }));
      while (__lg.model.nodes.length === before && performance.now() - start < 20000)
        await new Promise(requestAnimationFrame);
      return performance.now() - start;
    }"""
    page.evaluate("HTMLCanvasElement.prototype.setPointerCapture = () => {}")
    taken: float = page.evaluate(code)
    assert page.evaluate("__lg.model.nodes.length") > before, "nothing was expanded"
    return taken


def _palette(board: Board, page: Page) -> None:
    """Each key of a search over 100,000 names: the answer of the server, and until it is drawn."""
    page.keyboard.press("Control+k")
    box = page.locator("#palette-input")
    box.wait_for()
    answers: list[float] = []

    def note(request: Request) -> None:
        if "palette-results" in (request.post_data or ""):
            answers.append(request.timing["responseEnd"] - request.timing["requestStart"])

    page.on("requestfinished", note)
    for text in ("t", "ta", "table_0", "table_04", "table_0471", "column_3"):
        with page.expect_response(lambda r: "palette-results" in (r.request.post_data or "")):
            box.fill(text)
        page.wait_for_timeout(150)
    page.remove_listener("requestfinished", note)
    board.add("palette, answer to a key at 100,000 names, median", 50, statistics.median(answers), "ms")


def layout(board: Board, lx: Lineage) -> None:
    """The layout alone, in Python."""
    picture = lx.picture(f"dataset:{NAMESPACE}:{name(0)}", upstream=10_000, downstream=10_000, max_nodes=600)
    options = Options({f"domain{d:02d}": d for d in range(DOMAINS)}, {}, {}, map_above=10_000)
    drawing(picture, options, key="warm")
    taken = min(timed(lambda: drawing(picture, options, key="k")) for _ in range(5))
    board.add(f"layout of {len(picture.nodes)} cards in layers", 100, taken, "ms")


# -- many people


def recorded(browser: Browser, url: str) -> list[bytes]:
    """What a browser sends when a person opens a picture, chooses a card, searches: to be sent again by others."""
    page = browser.new_page()
    bodies: list[bytes] = []

    def note(request: Request) -> None:
        wanted = ("lineage-graph.graph", "lineage-panel.children", "palette-results.children")
        if "_dash-update-component" in request.url and any(one in (request.post_data or "") for one in wanted):
            bodies.append((request.post_data or "").encode())

    page.on("request", note)
    page.goto(f"{url}/lineage?focus=dataset:{NAMESPACE}:{name(SMALL // 2)}")
    page.wait_for_selector(SETTLED)
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+k")
    with page.expect_response(
        lambda r: all(word in (r.request.post_data or "") for word in ("palette-results", "table_04"))
    ):
        page.locator("#palette-input").fill("table_04")
    page.close()
    return bodies


def crowd(board: Board, url: str, bodies: list[bytes], port: int, own: bool = False) -> None:
    """Twenty people click once in one to two seconds while 500 events a second arrive.

    All look at one picture, or each at a dataset and a search of their ``own``.
    """
    stop = threading.Event()
    sent: list[int] = []
    feeder = threading.Thread(target=_feed, args=(port, stop, sent))
    taken: list[float] = []
    feeder.start()
    theirs = [_own(bodies, n) if own else bodies for n in range(PEOPLE)]
    people = [threading.Thread(target=_click, args=(port, mine, n, taken)) for n, mine in enumerate(theirs)]
    start = time.perf_counter()
    for one in people:
        one.start()
    for one in people:
        one.join()
    seconds = time.perf_counter() - start
    stop.set()
    feeder.join()
    ordered = sorted(taken)
    whose = "each their own" if own else "one picture"
    what = f"{PEOPLE} people, {whose}, {sum(sent) / seconds:.0f} events/s, p95"
    board.add(what, 300, ordered[int(len(ordered) * 0.95)], "ms")
    print(f"  {len(taken)} answers, median {statistics.median(taken):,.0f} ms, slowest {ordered[-1]:,.0f} ms")


def _own(bodies: list[bytes], person: int) -> list[bytes]:
    """The same clicks at another dataset, and another text to search for."""
    middle = SMALL // 2
    texts = ((name(middle), name(middle + 1 + 7 * person)), ("table_04", f"table_{person:02d}"))
    for before, after in texts:
        bodies = [body.replace(before.encode(), after.encode()) for body in bodies]
    return bodies


def _click(port: int, bodies: list[bytes], seed: int, taken: list[float]) -> None:
    rng = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for _ in range(CLICKS):
        time.sleep(rng.uniform(1.0, 2.0))
        start = time.perf_counter()
        connection.request("POST", "/_dash-update-component", rng.choice(bodies), {"Content-Type": "application/json"})
        connection.getresponse().read()
        taken.append((time.perf_counter() - start) * 1000)
    connection.close()


def _feed(port: int, stop: threading.Event, sent: list[int]) -> None:
    """Batches at an even pace; a batch that is late is not made up for."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    number = 0
    while not stop.is_set():
        start = time.perf_counter()
        batch = [_event(number + k) for k in range(BATCH)]
        number += BATCH
        connection.request("POST", "/api/v1/lineage/batch", json.dumps(batch), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status < 300:
            sent.append(BATCH)
        stop.wait(max(BATCH / EVENTS - (time.perf_counter() - start), 0))
    connection.close()


def _event(n: int) -> dict[str, Any]:
    return {
        "eventType": "COMPLETE",
        "eventTime": f"2026-03-31T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z",
        "run": {"runId": f"0190a1b2-3c4d-7e5f-8a9b-{n:012x}"},
        "job": {"namespace": "nightly", "name": f"load_{n % 200}"},
        "inputs": [{"namespace": NAMESPACE, "name": name(n % LARGE)}],
        "outputs": [{"namespace": NAMESPACE, "name": f"landing.t{n % 200}"}],
        "producer": "https://example.com/bench",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    }


@contextlib.contextmanager
def served(database: Path) -> Iterator[tuple[str, int]]:
    """``meshline serve`` in a process of its own."""
    command = [sys.executable, "-m", "lineage.cli", "serve", "--db", str(database), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.rsplit(" at ", 1)[1].strip().rstrip("/")
        urllib.request.urlopen(f"{url}/health").read()
        yield url, int(url.rsplit(":", 1)[1])
    finally:
        process.terminate()
        process.wait(60)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chromium", default=os.environ.get("CHROMIUM") or shutil.which("chromium"))
    parser.add_argument("--only", default=",".join(GROUPS), help=f"some of {', '.join(GROUPS)}, with commas between")
    parser.add_argument("--mesh", type=Path, help="file that the mesh is made in, or read from when it is there")
    given = parser.parse_args()
    only = set(given.only.split(","))
    if unknown := only - set(GROUPS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    board = Board()
    with tempfile.TemporaryDirectory(prefix="meshline-ui-") as text:
        folder = Path(text)
        database: Path = given.mesh or folder / "mesh.duckdb"
        made = not database.exists()
        with Store.open(database) as store:
            if made:
                (folder / "domains").mkdir()
                fill(store, folder)
                store.checkpoint()
            print(f"{'what':<52} {'measured':>13} {'budget':>13}")
            if "layout" in only:
                layout(board, Lineage(store))
        if only != {"layout"}:
            _serve_and_measure(board, database, given.chromium, only)
    met = sum(1 for _, budget, measured, _ in board.rows if measured <= budget)
    print(f"{met} of {len(board.rows)} budgets met")


def _serve_and_measure(board: Board, database: Path, chromium: str | None, only: Collection[str]) -> None:
    """The rows that need a server and a browser."""
    with served(database) as (url, port), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        pages(board, browser.new_page(viewport={"width": 1440, "height": 900}), url, only)
        bodies = recorded(browser, url) if "crowd" in only else []
        browser.close()
        if "crowd" in only:
            crowd(board, url, bodies, port)
            crowd(board, url, bodies, port, own=True)


if __name__ == "__main__":
    main()
