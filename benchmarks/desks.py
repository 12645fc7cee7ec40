"""How quick the pages with tables and figures are, in headless Chromium: ``python -m benchmarks.desks [DATASETS]``.

A server of its own over a made-up mesh: for each dataset a job, ten to twenty runs and three tests. Each page is opened
once, then again with everything warm; then a table is scrolled. Every row prints the load of the machine beside what
was measured: a busy one is slow whatever the code is.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pyarrow as pa

from benchmarks.needs import needs

needs("playwright")

from playwright.sync_api import Page, sync_playwright  # noqa: E402

from benchmarks.quality import _EDGES, _NODES, _RUNS, _TESTS, _WRITES  # noqa: E402
from benchmarks.ui import Board, served, timed  # noqa: E402
from lineage.declared import apply  # noqa: E402
from lineage.identity import NodeKey  # noqa: E402
from lineage.store import Store, bump_version  # noqa: E402
from lineage.times import utcnow  # noqa: E402

PAGES = (
    "", "catalogue", "quality", "quality?view=fresh", "quality?view=series", "cost", "contracts", "policies", "access",
    "runs", "runs?view=jobs", "audit", "reports", "admin", "admin?view=suggestions", "views", "dataset?id={one}",
)  # fmt: skip
PAGE_MS, ROWS_MS = 2_000, 300
SCROLL = """async (name) => {
  const view = document.querySelector(`#${name} .ag-body-viewport`), times = [];
  for (let n = 1; n <= 8; n++) {
    const start = performance.now();
    view.scrollTop = n * view.scrollHeight / 9;
    await new Promise(requestAnimationFrame);
    const filled = () => [...document.querySelectorAll(`#${name} .ag-center-cols-container .ag-row`)].every(
      (row) => row.textContent.trim());
    while (!filled() && performance.now() - start < 20000) await new Promise(requestAnimationFrame);
    times.push(performance.now() - start);
  }
  return times;
}"""


IDS = (("node", "id"), ("run", "job"), ("run_io", "job"), ("run_io", "dataset"), ("assertion", "dataset"),
       ("edge", "src"), ("edge", "dst"), ("edge", "job"))  # fmt: skip


def fill(store: Store, datasets: int, folder: Path) -> None:
    """The mesh of the benchmark of quality in a file, with the ids that events would give, in ten domains."""
    start = utcnow().replace(microsecond=0) - timedelta(days=20)
    with store.transaction() as cursor:
        for sql in (_NODES, _RUNS, _WRITES, _TESTS, _EDGES):
            cursor.execute(sql, {name: v for name, v in (("n", datasets), ("start", start)) if f"${name}" in sql})
        rows = cursor.execute("SELECT id, kind, namespace, name FROM node").fetchall()
        pairs = {"old": [row[0] for row in rows], "new": [NodeKey(*row[1:]).id for row in rows]}
        cursor.register("pairs", pa.table({key: pa.array(ids, pa.uint64()) for key, ids in pairs.items()}))
        for table, column in IDS:
            cursor.execute(f"UPDATE {table} SET {column} = pairs.new FROM pairs WHERE {column} = pairs.old")
        cursor.unregister("pairs")
        bump_version(cursor)
    for d in range(10):
        text = f'name: domain{d}\nvalid_from: "{start:%Y-%m-%d}"\nowner: team:{d}\npatterns: ["schema.*{d}"]\n'
        (folder / "domains" / f"domain{d}.yaml").write_text(text, encoding="utf-8")
    apply(store, folder)


def opened(page: Page, address: str) -> float:
    """Milliseconds until a page has asked everything and shows no skeleton."""

    def act() -> None:
        page.goto(address, wait_until="commit")
        page.wait_for_selector("h1", timeout=120_000)
        page.wait_for_function(
            "() => document.querySelector('#page h1') && !document.querySelector('#page .mantine-Skeleton-root')",
            timeout=120_000,
        )

    return timed(act)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", nargs="?", type=int, default=10_000)
    parser.add_argument("--chromium", default=os.environ.get("CHROMIUM") or shutil.which("chromium"))
    given = parser.parse_args()
    board = Board()
    with tempfile.TemporaryDirectory(prefix="meshline-desks-") as folder:
        database = Path(folder) / "mesh.duckdb"
        with Store.open(database) as store:
            declared = Path(folder) / "declared"
            (declared / "domains").mkdir(parents=True)
            fill(store, given.datasets, declared)
            one = store.rows("SELECT namespace || ':' || name FROM node WHERE kind = 'dataset' ORDER BY name LIMIT 1")
            store.checkpoint()
        with served(database) as (url, _), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=given.chromium, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            for path in PAGES:
                address = f"{url}/{path.format(one='dataset:' + one[0][0])}"
                cold = opened(page, address)
                board.add(f"/{path}", PAGE_MS, opened(page, address), "ms")
                print(f"  the first time {cold:,.0f} ms")
            for path, name in (("catalogue", "catalogue-grid"), ("quality", "quality-grid")):
                opened(page, f"{url}/{path}")
                page.wait_for_selector(f"#{name} .ag-row")
                times = sorted(page.evaluate(SCROLL, name))
                board.add(f"rows of {path} after a jump, {given.datasets:,} rows, slowest", ROWS_MS, times[-1], "ms")
            browser.close()


if __name__ == "__main__":
    main()
