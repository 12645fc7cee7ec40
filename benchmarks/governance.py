"""Speed of contracts: ``python -m benchmarks.governance``.

Validation of a contract, 2,000 damaged ones, ``meshline change`` in a mesh of 10,000 datasets, and the conformance of
1,000 contracts; policies, scorecards, audit log and evidence packs.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow as pa

import lineage
from benchmarks import scorecards, yearly
from lineage.contracts.files import check_text
from lineage.identity import NodeKey, digest64
from lineage.store import Store, bump_version
from lineage.times import OPEN_END

DATASETS, COLUMNS, CONTRACTS = yearly.DATASETS, yearly.COLUMNS, yearly.CONTRACTS
SINCE = datetime(2026, 1, 1)  # noqa: DTZ001 - naive UTC like all stored times
EXAMPLES = Path(__file__).parents[1] / "tests" / "data" / "contracts" / "odcs-examples"


def name(i: int) -> str:
    """Name of one dataset."""
    return f"shop.t{i}"


def contract(i: int, columns: int = COLUMNS, version: str = "1.0.0") -> str:
    """A contract for one dataset."""
    lines = [
        "apiVersion: v3.1.0", "kind: DataContract", f"id: t{i}", f'version: "{version}"', "status: active", "schema:",
        f"  - name: t{i}", "    customProperties:", "      - {property: openlineage.namespace, value: pg}",
        f"      - {{property: openlineage.name, value: {name(i)}}}", "    properties:",
    ]  # fmt: skip
    lines += [f"      - {{name: c{k}, physicalType: bigint, required: true}}" for k in range(columns)]
    return "\n".join([*lines, "slaProperties:", "  - {property: latency, value: 14, unit: d}"]) + "\n"


def fill(store: Store, seed: int = 1) -> None:
    """Layered datasets, each made of two earlier ones, column by column."""
    rng = random.Random(seed)
    nodes, edges, columns = [], [], []
    schema = '{"fields": [' + ", ".join(f'{{"name": "c{k}", "type": "bigint"}}' for k in range(COLUMNS)) + "]}"
    body = digest64(schema)
    clocks = {"valid_from": SINCE, "valid_to": OPEN_END, "known_from": SINCE, "known_to": OPEN_END}
    facets = []
    for i in range(DATASETS):
        me = NodeKey("dataset", "pg", name(i)).id
        nodes.append((me, "dataset", "pg", name(i), "", None))
        nodes += [
            (NodeKey("column", "pg", name(i), f"c{k}").id, "column", "pg", name(i), f"c{k}", me) for k in range(COLUMNS)
        ]
        facets.append(me)
        for source in {rng.randrange(max(0, i - 2_000), i) for _ in range(2)} if i else ():
            edges.append((NodeKey("dataset", "pg", name(source)).id, me))
            columns += [
                (NodeKey("column", "pg", name(source), f"c{k}").id, NodeKey("column", "pg", name(i), f"c{k}").id)
                for k in range(COLUMNS)
            ]
    with store.transaction() as cursor:
        heads = ("id", "kind", "namespace", "name", "field", "dataset")
        ids = {"id", "dataset", "src", "dst", "entity"}

        def table(rows: list[tuple[object, ...]], names: tuple[str, ...], **same: object) -> pa.Table:
            parts = {
                n: pa.array(v, pa.uint64() if n in ids else None)
                for n, v in zip(names, zip(*rows, strict=True), strict=True)
            }
            parts.update({n: pa.array([v] * len(rows)) for n, v in same.items()})
            return pa.table(parts)

        for target, rows in (
            ("node", table(nodes, heads, known_from=SINCE)),
            ("edge", table(edges, ("src", "dst"), kind="lineage", provenance="column", state="current", **clocks)),
            (
                "column_edge",
                table(columns, ("src", "dst"), type="DIRECT", provenance="column", state="current", **clocks),
            ),
            ("facet", table([(f,) for f in facets], ("entity",), place="facets", key="schema", **clocks)),
        ):
            cursor.register("rows_in", rows)
            cursor.execute(f"INSERT INTO {target} BY NAME SELECT * FROM rows_in")
            cursor.unregister("rows_in")
        cursor.execute("UPDATE facet SET body = ?", [body])
        cursor.execute("UPDATE edge SET job = 0")
        cursor.execute("UPDATE column_edge SET job = 0, masking = false")
        cursor.execute("INSERT INTO facet_body VALUES (?, ?)", [body, schema])
        bump_version(cursor)


def declare(store: Store) -> None:
    """The contracts, as an application would write them."""
    rows = []
    for i in range(0, DATASETS, DATASETS // CONTRACTS):
        item, problems = check_text(contract(i), "c.yaml")
        assert item is not None, problems
        rows.append({**item.columns, "name": item.name, "path": "c.yaml", "hash": item.file.hash, "valid_from": SINCE,
                     "valid_to": OPEN_END, "known_from": SINCE, "known_to": OPEN_END})  # fmt: skip
    with store.transaction() as cursor:
        cursor.register("rows_in", pa.Table.from_pylist(rows))
        cursor.execute("INSERT INTO contract BY NAME SELECT * FROM rows_in")
        bump_version(cursor)


def timed(what: str, goal: float, work: Callable[[], object], times: int = 1) -> None:
    """Print the middle time of some repetitions beside its goal, and the least CPU that one took, in milliseconds.

    The CPU of this process and of those it waited for: on a busy machine it tells more than the time.
    """
    found, spent = [], []
    for _ in range(times):
        start, before = time.perf_counter(), time.process_time() + sum(os.times()[2:4])
        work()
        found.append((time.perf_counter() - start) * 1_000)
        spent.append((time.process_time() + sum(os.times()[2:4]) - before) * 1_000)
    middle, verdict = statistics.median(found), "ok" if statistics.median(found) <= goal else "MISSED"
    print(f"{what:<48} {middle:>10.1f} ms   goal {goal:>7,.0f} ms   {verdict:<6}   CPU {min(spent):>8.1f} ms")


def validation() -> None:
    """One contract against its official schema and ours."""
    text = (EXAMPLES / "full-example.odcs.yaml").read_text(encoding="utf-8")
    check_text(text, "c.yaml")
    timed("validate the full example (10 kB)", 5, lambda: check_text(text, "c.yaml"), 50)
    large = (EXAMPLES / "postgresql-adventureworks-contract.odcs.yaml").read_text(encoding="utf-8")
    timed("validate AdventureWorks (192 kB; no goal)", 1_000, lambda: check_text(large, "c.yaml"), 3)


def mutations() -> None:
    """Two thousand damaged contracts: each is accepted or named with file, line and path, and none raises."""
    from tests.contracts.mutations import outcomes

    start = time.perf_counter()
    found = outcomes(sorted(EXAMPLES.glob("*.yaml")), 2_000)
    spent = time.perf_counter() - start
    print(f"2,000 mutations in {spent:.1f} s: {found.accepted:,} accepted, {found.refused:,} named")
    assert not found.unplaced and found.accepted + found.refused == 2_000


def changes(store: Store) -> None:
    """A change of the dataset that the most lies behind, and of its column as a node."""
    lx = lineage.open(store)
    new = contract(0, COLUMNS - 1, "2.0.0")
    timed("change, 10,000 datasets, snapshot not loaded", 1_000, lambda: lx.contracts.change_text(new))
    timed("change, 10,000 datasets", 1_000, lambda: lx.contracts.change_text(new), 5)
    report = lx.contracts.change_text(new)
    print(f"  {sum(len(one.consumers) for one in report.changes):,} consumers of the dropped column")
    node = f"column:pg:{name(0)}:c{COLUMNS - 1}"
    timed("change --drop of that column", 1_000, lambda: lx.contracts.change_nodes(drop=[node]), 5)
    timed("change --retype of that column", 1_000, lambda: lx.contracts.change_nodes(retype={node: "int"}), 5)
    dataset = f"dataset:pg:{name(DATASETS // 2)}"
    timed("change --drop of a dataset in the middle", 1_000, lambda: lx.contracts.change_nodes(drop=[dataset]), 5)


def command(database: Path) -> None:
    """The same change as somebody asks it: a process that starts, reads, judges and prints.

    The first one compiles the modules and keeps the graph beside the database; an installed package is compiled.
    """
    file = database.with_name("new.yaml")
    file.write_text(contract(0, COLUMNS - 1, "2.0.0"), encoding="utf-8")
    start = "from lineage.cli import main; main()"
    asked = [sys.executable, "-c", start, "change", str(file), "--db", str(database), "--exit-zero", "--format", "json"]
    there = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    there["PYTHONPYCACHEPREFIX"] = str(database.with_name("compiled"))

    def ask() -> None:
        subprocess.run(asked, check=True, stdout=subprocess.DEVNULL, env=there)

    ask()
    timed("meshline change, the process", 1_000, ask, 5)


def promises(store: Store) -> None:
    """Verdicts on all contracts."""
    lx = lineage.open(store)
    timed("conformance of 1,000 contracts, not loaded", 5_000, lambda: lx.contracts.check())
    timed("conformance of 1,000 contracts", 5_000, lambda: lx.contracts.check(), 3)
    print(f"  {len(lx.contracts.check().promises):,} promises")


def main() -> None:
    """Print the table."""
    validation()
    mutations()
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "mesh.duckdb"
        with Store.open(database) as store:
            fill(store)
            declare(store)
            changes(store)
            promises(store)
        command(database)
        with Store.open(database) as store:
            scorecards.policies(store, timed)
            scorecards.scorecards(store, timed)
    scorecards.audit(timed)
    scorecards.pack(timed)


if __name__ == "__main__":
    main()
