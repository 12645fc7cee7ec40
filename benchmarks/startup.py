"""Start-up times, as ratios to an interpreter that does nothing.

    python benchmarks/startup.py [--rounds N] [--db FILE --node NODE]

Each command runs in a process of its own; the commands take turns, so that a busy moment of the machine hits all of
them. The best round is the one that was disturbed least; the middle one is what one has to expect. CPU is user and
system time of the process; on a busy machine it is the figure to trust. ``--db`` asks a database, too: that of
``meshline demo --no-serve``, and the node that the documentation asks for, unless others are named.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time

PASS = "python -c pass"
MESHLINE = [sys.executable, "-m", "lineage.cli"]
COMMANDS = {
    PASS: [sys.executable, "-c", "pass"],
    "import lineage": [sys.executable, "-c", "import lineage"],
    "meshline --version": [*MESHLINE, "--version"],
    "meshline --help": [*MESHLINE, "--help"],
    "import lineage; lineage.open": [sys.executable, "-c", "import lineage; lineage.open"],
}
NODE = "dataset:snowflake://hp-eu1:dwh.sales.fct_orders"
MODULES = """import os, sys
os.environ["OPENBLAS_NUM_THREADS"] = "1"
import duckdb, importlib.metadata, numpy, pyarrow, rich.console, rich.table, typer
duckdb.connect(sys.argv[1], read_only=True)"""


def questions(database: str, node: str) -> dict[str, list[str]]:
    """Commands that ask a database, and what their modules alone take to load."""
    asked = {
        "impact": ["impact", node],
        "impact --format json": ["impact", node, "--format", "json"],
        "provenance": ["provenance", node],
        "show": ["show", node],
        "tags": ["tags"],
        "rank": ["rank"],
    }
    found = {f"meshline {name}": [*MESHLINE, *words, "--db", database] for name, words in asked.items()}
    return {"their modules, a connection": [sys.executable, "-c", MODULES, database], **found}


def run(command: list[str]) -> tuple[float, float]:
    """Seconds that one command takes from start to end, and seconds of CPU."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--db", help="ask this database, too")
    parser.add_argument("--node", default=NODE)
    given = parser.parse_args()
    rounds, commands = given.rounds, COMMANDS | (questions(given.db, given.node) if given.db else {})
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(rounds + 1):  # the first one warms the file cache and the byte code
        for name, command in commands.items():
            times[name].append(run(command))
    print(f"| {'command':<30} | wall, ms: best | middle | CPU, ms: best | middle | CPU x python |")
    print(f"|{'-' * 32}|---------------:|-------:|--------------:|-------:|-------------:|")
    empty = min(cpu for _, cpu in times[PASS][1:])
    for name, found in times.items():
        wall, cpu = ([1000 * one[k] for one in found[1:]] for k in (0, 1))
        shown = f"{min(wall):14.0f} | {statistics.median(wall):6.0f} | {min(cpu):13.0f} | {statistics.median(cpu):6.0f}"
        print(f"| {name:<30} | {shown} | {min(cpu) / 1000 / empty:12.1f} |")


if __name__ == "__main__":
    main()
