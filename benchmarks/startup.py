"""Start-up times, as ratios to an interpreter that does nothing.

    python benchmarks/startup.py [--rounds N]

Each command runs in a process of its own; the commands take turns, so that a busy moment of the machine hits all of
them. The best round counts: it is the one that was disturbed least.
"""

from __future__ import annotations

import argparse
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


def run(command: list[str]) -> float:
    """Seconds that one command takes, from start to end."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds + 1):  # the first one warms the file cache and the byte code
        for name, command in COMMANDS.items():
            times[name].append(run(command))
    best = {name: min(found[1:]) for name, found in times.items()}
    print(f"| {'command':<30} | best, ms | x python |")
    print(f"|{'-' * 32}|---------:|---------:|")
    for name, seconds in best.items():
        print(f"| {name:<30} | {seconds * 1000:8.0f} | {seconds / best[PASS]:8.1f} |")


if __name__ == "__main__":
    main()
