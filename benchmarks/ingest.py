"""What ingest costs, as ratios to parsing the same lines with orjson, in one run.

    python benchmarks/ingest.py [--events 20000] [--memory 0] [--seconds 5] [--rentgen PYTHON]

Bulk rows compare CPU (user and system time of the process) with ``orjson.loads`` alone on the same lines; 0.30 means
that ingest costs three and a third times as much as parsing. ``cold`` loads a fresh store, ``warm`` as many events of
the same jobs behind it. The costs at the end are parts of both (to take the time adds 3 us an event). ``--memory N``
streams N events through a store and shows resident memory on the way. A peer that is not installed is named and left
out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import events as generator  # noqa: E402
import needs  # noqa: E402
import serve  # noqa: E402

from ingest import archive, derive, scan, tables, writer  # noqa: E402
from ingest.archive import BLOCK_EVENTS, append_blocks  # noqa: E402
from ingest.entities import EntityHistories  # noqa: E402
from ingest.envelope import Envelope, decode, event_hash  # noqa: E402
from ingest.jobs import JobHistories  # noqa: E402
from ingest.live import LiveIngest  # noqa: E402
from ingest.project import Projector  # noqa: E402
from ingest.rebuild import rebuild  # noqa: E402
from ingest.scan import read  # noqa: E402
from ingest.writer import Writer  # noqa: E402
from lineage.store import Store  # noqa: E402
from lineage.times import utcnow  # noqa: E402

BATCH = 2_500  # what a file of such events gives, 32 MB


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=20_000, help="of each half; 40 a job")
    parser.add_argument("--memory", type=int, default=0, metavar="EVENTS", help="stream so many and show memory")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each HTTP row; 0 leaves them out")
    parser.add_argument("--rentgen", type=Path, metavar="PYTHON", help="of an environment with data-rentgen")
    parser.add_argument("--postgres", type=Path, default=Path("/usr/lib/postgresql/15/bin"), metavar="FOLDER")
    given = parser.parse_args()
    needs.needs("orjson")
    python, busy = platform.python_version(), os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {python}, load {busy:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        bulk(Path(folder), given.events)
        visibility(Path(folder))
        if given.memory:
            memory(Path(folder), given.memory)
    if given.seconds:
        posts(given.seconds)
    peers(given.rentgen, given.postgres)


# -- bulk


def bulk(folder: Path, count: int) -> None:
    """Everything that is measured against orjson."""
    lines = list(generator.events(2 * count, jobs=max(1, count // 40)))
    first, second = lines[:count], lines[count:]
    size = sum(map(len, lines))
    print(f"{count:,} events a half, {size / len(lines):,.0f} bytes an event\n")
    show = Table(count)
    show("orjson.loads", *beside(first, parse))
    with Store.open(folder / "archive.duckdb") as store:
        show("archive only (aim 0.7)", *beside(first, Archive(store).take, store.checkpoint))
    with Store.open(folder / "full.duckdb") as store:
        target = Writer(store)

        def take(lines: Sequence[bytes]) -> None:
            target.ingest(lines, source="benchmark")

        cold = show("full ingest, cold (aim 0.30)", *beside(first, take))
        warm = show("full ingest, warm (aim 0.40)", *beside(second, take))
        show("known events again (aim 2)", *beside(first, take))
        store.checkpoint()
        assert store.path is not None
        disk = store.path.stat().st_size
        with Store.open(folder / "replay.duckdb") as replayed:
            before = cpu(lambda: parse(lines))
            took = cpu(lambda: rebuild(store, replayed))
            parsing = min(before, cpu(lambda: parse(lines)))
            show("replay of both halves, per event (aim: as ingest)", took / 2, parsing / 2)
        print(f"| one new event a batch: {small(target):.1f} ms CPU a batch | | | |")
    print(f"\ningest of both halves, which replay compares with: {(cold + warm) / 2 / count * 1e6:.0f} us an event")
    print(f"database {disk / 1e6:.1f} MB of {size / 1e6:.0f} MB JSON: 1/{size / disk:.1f}\n")
    parts(folder, first, second)


class Table:
    """Prints rows with their ratio to parsing the same lines."""

    def __init__(self, count: int) -> None:
        self._count = count
        print("| path | CPU s | us/event | x orjson |\n|---|---:|---:|---:|")

    def __call__(self, name: str, took: float, parsing: float) -> float:
        """Print a row; the seconds it took."""
        print(f"| {name} | {took:.2f} | {took / self._count * 1e6:.0f} | {parsing / took:.2f} |", flush=True)
        return took


def beside(
    lines: Sequence[bytes], work: Callable[[Sequence[bytes]], object], last: Callable[[], object] | None = None
) -> tuple[float, float]:
    """CPU seconds of work on lines, batch by batch, and of parsing each batch just before and after it.

    What shares the processor slows both, so the ratio of the two hardly depends on the hour it is measured at.
    """
    took = parsing = 0.0
    for batch in batches(lines):
        before = cpu(partial(parse, batch))
        took += cpu(partial(work, batch))
        parsing += min(before, cpu(partial(parse, batch)))
    return took + (cpu(last) if last is not None else 0.0), parsing


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of all threads."""
    began = time.process_time()
    work()
    return time.process_time() - began


def parse(lines: Iterable[bytes]) -> None:
    """What is compared with."""
    import orjson

    for line in lines:
        orjson.loads(line)


def batches(lines: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Lines as a file source gives them."""
    return (lines[start : start + BATCH] for start in range(0, len(lines), BATCH))


def load(target: Writer, lines: Sequence[bytes]) -> None:
    """Full ingest."""
    for batch in batches(lines):
        target.ingest(batch, source="benchmark")


class Archive:
    """Envelope, archive and event row, nothing derived."""

    def __init__(self, store: Store) -> None:
        self._store, self._block = store, 1

    def take(self, batch: Sequence[bytes]) -> None:
        """One batch in one transaction."""
        block = self._block
        found = [event for event in map(read, batch) if isinstance(event, Envelope)]
        at = utcnow()
        parts_ = [found[i : i + BLOCK_EVENTS] for i in range(0, len(found), BLOCK_EVENTS)]
        rows = [
            (e.hash, e.at, tables.micros(at), e.kind, e.event_type, None, None, None, e.producer, block, i, None)
            for i, e in enumerate(found)
        ]
        with self._store.transaction() as cursor:
            append_blocks(cursor, block, [[event.data for event in part] for part in parts_], at, "benchmark")
            tables.append(cursor, "event", tables.EVENT_COLUMNS, rows)
        self._block += len(parts_)


def small(target: Writer, count: int = 50) -> float:
    """Milliseconds of CPU of a batch of one event of a job that is known."""
    lines = list(generator.events(count, jobs=20, seed=99))
    load(target, list(generator.events(400, jobs=20, seed=99))[count:])
    return cpu(lambda: [target.ingest([line], source="benchmark") for line in lines]) / count * 1e3


def parts(folder: Path, first: Sequence[bytes], second: Sequence[bytes]) -> None:
    """What the parts of a load cost, cold and warm. Folding and facts call others; the rest is in no row."""
    passing = [("one pass over its bytes, in C", scan._scan, "scan")] if scan._scan is not None else []
    wrapped = (
        ("SHA-256 of every event", writer, "event_hash"),
        *passing,
        ("compression of blocks", archive, "pack"),
        ("facts of events", Projector, "read"),
        ("folding runs", derive, "merge"),
        ("certainty: lives of edges per job", JobHistories, "changes"),
        ("histories of facets (valid clock)", EntityHistories, "changes"),
        ("closing rows (known clock)", tables, "_close"),
        ("Arrow tables", tables, "arrow_table"),
        ("insertion into tables", Store, "insert"),
    )
    columns = []
    with Store.open(folder / "parts.duckdb") as store:
        target = Writer(store)
        for lines in (first, second):
            spent: dict[str, float] = {}
            with timed(wrapped, spent):
                spent["all"] = cpu(partial(load, target, lines))
            columns.append({name: took / len(lines) * 1e6 for name, took in spent.items()})
    print("| part of a load, us/event | cold | share | warm | share |\n|---|---:|---:|---:|---:|")
    cold, warm = columns
    for name, took in cold.items():
        print(f"| {name} | {took:.1f} | {took / cold['all']:.0%} | {warm[name]:.1f} | {warm[name] / warm['all']:.0%} |")
    print()


@contextmanager
def timed(wrapped: Iterable[tuple[str, Any, str]], spent: dict[str, float]) -> Iterator[None]:
    """Add up the CPU time inside some functions."""
    originals = [(owner, name, getattr(owner, name)) for _, owner, name in wrapped]
    for (label, owner, name), (_, _, inner) in zip(wrapped, originals, strict=True):
        spent[label] = 0.0

        def around(*given: Any, _inner: Any = inner, _label: str = label, **named: Any) -> Any:
            began = time.process_time()
            try:
                return _inner(*given, **named)
            finally:
                spent[_label] += time.process_time() - began

        setattr(owner, name, around)
    try:
        yield
    finally:
        for owner, name, inner in originals:
            setattr(owner, name, inner)


# -- visibility and memory


def visibility(folder: Path, count: int = 40) -> None:
    """Time from the moment an event is on disk until a query finds it."""
    live = LiveIngest(folder / "visible.duckdb")
    live.start()
    lines = list(generator.events(count, jobs=5, seed=3))
    waits = []
    for line in lines:
        event = decode(line)
        assert isinstance(event, Envelope)
        asyncio.run(live.accept((event,)))
        began = time.perf_counter()
        while not live.store.rows("SELECT 1 FROM event WHERE hash = ?", [event_hash(line)]):
            threading.Event().wait(0.005)
        waits.append(time.perf_counter() - began)
    live.stop()
    waits.sort()
    print(f"visible after its 201: median {median(waits) * 1e3:.0f} ms, worst {waits[-1] * 1e3:.0f} ms (aim 300 ms)\n")


def memory(folder: Path, count: int) -> None:
    """Resident memory while a stream of events of 500 jobs goes through: it may not grow with what went through."""
    print("| events | JSON, GB | database, GB | resident, MB | peak, MB |\n|---:|---:|---:|---:|---:|")
    done = size = 0
    with Store.open(folder / "memory.duckdb") as store:
        target = Writer(store)
        batch: list[bytes] = []
        for line in generator.events(count, jobs=500, seed=11):
            batch.append(line)
            if len(batch) < BATCH:
                continue
            target.ingest(batch, source="benchmark")
            done, size, batch = done + len(batch), size + sum(map(len, batch)), []
            if done % (count // 8 // BATCH * BATCH or BATCH) == 0:
                assert store.path is not None
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                disk = store.path.stat().st_size
                print(f"| {done:,} | {size / 1e9:.2f} | {disk / 1e9:.3f} | {resident():.0f} | {peak:.0f} |", flush=True)
    print()


def resident() -> float:
    """Resident memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


# -- HTTP and peers


def posts(seconds: float) -> None:
    """The table of ``serve.py`` at 64 connections."""
    sys.argv = ["serve.py", "--seconds", str(seconds), "--connections", "64"]
    serve.main()


def peers(python: Path | None, binaries: Path, count: int = 200) -> None:
    """data-rentgen on the first events: its extractor and saver, in the environment that has it (``rentgen.py``)."""
    print()
    if python is None:
        print("data-rentgen: left out; --rentgen PYTHON names an environment where it is installed (see rentgen.py).")
        return
    lines = list(generator.events(count, jobs=max(1, count // 40)))
    with tempfile.TemporaryDirectory() as folder:
        source, data = Path(folder) / "lines.ndjson", Path(folder) / "postgres"
        source.write_bytes(b"\n".join(lines) + b"\n")
        data.mkdir()
        Path(folder).chmod(0o755)
        command = [python, ROOT / "benchmarks" / "rentgen.py", source, binaries, data]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            print(f"data-rentgen: left out, it failed: {done.stderr.strip()[-300:]}")
            return
        told = json.loads(done.stdout)
        with Store.open(Path(folder) / "same.duckdb") as store:
            took, parsing = beside(lines, partial(load, Writer(store)))
    theirs = told["python"] + told["postgres"]
    print(f"| {count} events in a new database | CPU s | us/event | x orjson |\n|---|---:|---:|---:|")
    for name, spent in (("data-rentgen with PostgreSQL", theirs), ("its Python alone", told["python"]), ("ours", took)):
        print(f"| {name} | {spent:.2f} | {spent / count * 1e6:,.0f} | {parsing / spent:.4f} |")


if __name__ == "__main__":
    main()
