"""Ingest with data-rentgen, for the table of ``ingest.py``: its extractor and its saver, into a PostgreSQL.

    PYTHON benchmarks/rentgen.py LINES POSTGRES_BIN FOLDER

Runs in an environment of its own, where ``data-rentgen[postgres,consumer]`` is installed (it needs other versions than
Meshline does). Starts a PostgreSQL with its data below FOLDER, migrates the schema, makes partitions for the months of
the events, then reads LINES (one event a line) in batches as its consumer of Kafka does, and prints JSON: CPU seconds
of Python and of PostgreSQL, events. Nothing but Kafka itself is left out.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

BATCH = 100  # records that its consumer takes at once, by default


def main() -> None:
    """Measure and print."""
    lines = list(with_time_in_ids(Path(sys.argv[1]).read_bytes().splitlines()))
    binaries, folder = Path(sys.argv[2]), Path(sys.argv[3])
    postgres = start(binaries, folder)
    try:
        url = f"postgresql+asyncpg://postgres@localhost/postgres?host={folder}"
        os.environ["DATA_RENTGEN__DATABASE__URL"] = url
        prepare(lines)
        importlib.import_module("data_rentgen.consumer.subscribers")  # what that takes is no part of ingest
        before = of_children(postgres.pid)
        began = time.process_time()
        asyncio.run(ingest(lines, url))
        took = time.process_time() - began
        print(json.dumps({"python": took, "postgres": of_children(postgres.pid) - before, "events": len(lines)}))
    finally:
        postgres.send_signal(signal.SIGINT)  # at once, whoever is connected
        postgres.wait(30)


def with_time_in_ids(lines: list[bytes]) -> Iterator[bytes]:
    """The same events with runIds of version 7: others are refused, since the time of a run is taken from its id."""
    made: dict[bytes, bytes] = {}
    for line in lines:
        at = int(datetime.fromisoformat(json.loads(line)["eventTime"]).timestamp() * 1000)
        for old in set(re.findall(rb'"runId":"([0-9a-f-]{36})"', line)):
            if old not in made:
                low = uuid.UUID(old.decode()).int & ((1 << 76) - 1)
                made[old] = str(uuid.UUID(int=(at << 80) | (7 << 76) | (low & ~(3 << 62)) | (2 << 62))).encode()
            line = line.replace(old, made[old])
        yield line


def start(binaries: Path, folder: Path) -> subprocess.Popen[bytes]:
    """A PostgreSQL of its own, as it comes, reached by a socket in the folder."""
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        subprocess.run(["chown", "postgres", str(folder)], check=True)
        quiet["user"] = "postgres"
    data = folder / "data"
    subprocess.run([binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust"], check=True, cwd=folder, **quiet)
    command = [binaries / "postgres", "-D", data, "-k", folder, "-h", ""]
    child = subprocess.Popen(command, cwd=folder, **quiet)
    for _ in range(100):
        if subprocess.run([binaries / "pg_isready", "-h", folder], check=False, **quiet).returncode == 0:
            return child
        time.sleep(0.1)
    raise SystemExit("PostgreSQL did not start.")


def prepare(lines: list[bytes]) -> None:
    """Schema and partitions."""
    times = sorted(datetime.fromisoformat(json.loads(line)["eventTime"]) for line in lines)
    module = [sys.executable, "-m"]
    for command in (
        [*module, "data_rentgen.db.migrations", "upgrade", "head"],
        [
            *module, "data_rentgen.db.scripts.create_partitions", "--start", times[0].date().replace(day=1).isoformat(),
            "--end", (times[-1].date() + timedelta(days=62)).isoformat(),
        ],
    ):  # fmt: skip
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command[1:4])} failed: {done.stderr[-600:]}")


async def ingest(lines: list[bytes], url: str) -> None:
    """Batches through the functions that its subscriber calls."""
    from data_rentgen.consumer.extractors import BatchExtractor
    from data_rentgen.consumer.subscribers import OpenLineageRunEventAdapter, save_to_db
    from data_rentgen.db.factory import create_session_factory
    from data_rentgen.db.settings import DatabaseSettings

    sessions = create_session_factory(DatabaseSettings(url=url))
    log = logging.getLogger("rentgen")
    for start in range(0, len(lines), BATCH):
        extractor = BatchExtractor()
        for line in lines[start : start + BATCH]:
            extractor.add_events([OpenLineageRunEventAdapter.validate_json(line)])
        async with sessions() as session:
            await save_to_db(extractor.result, session, log)


def of_children(pid: int) -> float:
    """CPU seconds of a process and of all its children, those that ended included."""
    tick = os.sysconf("SC_CLK_TCK")
    found = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(stat.parent.name) == pid:
            found += sum(map(int, fields[11:15])) / tick
        elif int(fields[1]) == pid:
            found += sum(map(int, fields[11:13])) / tick
    return found


if __name__ == "__main__":
    main()
