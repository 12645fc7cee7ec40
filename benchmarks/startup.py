"""Start-up times, as ratios to an interpreter that does nothing.

    python benchmarks/startup.py [--rounds N]

Each command runs in a process of its own; the commands take turns, so that a busy moment of the machine hits all of
them. The best round counts: it is the one that was disturbed least. CPU is user and system time of the process; on a
busy machine it is the figure to trust.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

PASS = "python -c pass"
COMMANDS = {
    PASS: [sys.executable, "-c", "pass"],
    "import lineage": [sys.executable, "-c", "import lineage"],
    "meshline --version": [sys.executable, "-m", "lineage.cli", "--version"],
    "meshline --help": [sys.executable, "-m", "lineage.cli", "--help"],
    "import lineage; lineage.open": [sys.executable, "-c", "import lineage; lineage.open"],
}


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
    rounds = parser.parse_args().rounds
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(rounds + 1):  # the first one warms the file cache and the byte code
        for name, command in COMMANDS.items():
            times[name].append(run(command))
    best = {name: tuple(min(column) for column in zip(*found[1:], strict=True)) for name, found in times.items()}
    print(f"| {'command':<30} | wall, ms | CPU, ms | CPU x python |")
    print(f"|{'-' * 32}|---------:|--------:|-------------:|")
    for name, (wall, cpu) in best.items():
        print(f"| {name:<30} | {wall * 1000:8.0f} | {cpu * 1000:7.0f} | {cpu / best[PASS][1]:12.1f} |")


if __name__ == "__main__":
    main()
