"""kill -9 at random moments: is anything lost that was acknowledged, and how long does the next start take?

    python benchmarks/crash.py [--kills N]

Each round kills a process that is ingesting, opens the database again, and compares it with what the process had
acknowledged: committed batches of bulk ingest, and 201 answers of a server. At the end of a mode everything is sent
once more, and the fingerprint must be that of a store that was never interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.needs import needs  # noqa: E402

needs("httpx", "openlineage")

import httpx  # noqa: E402

from ingest.envelope import event_hash  # noqa: E402
from ingest.writer import Writer  # noqa: E402
from lineage.doctor import examine  # noqa: E402
from lineage.fingerprint import fingerprint  # noqa: E402
from lineage.store import Store  # noqa: E402
from tests.ingest.bulk import BATCH  # noqa: E402

SENDERS = 4  # connections that post to the server


@dataclass
class Score:
    """What one mode showed."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    halves: int = 0
    unsaid: int = 0  # committed, but the process died before it could say so
    unsound: int = 0
    opened: list[float] = field(default_factory=list)


def events(count: int) -> list[bytes]:
    """Different run events."""
    rng = random.Random(1)
    return [
        json.dumps(
            {
                "eventType": "COMPLETE",
                "eventTime": f"2026-03-{i % 28 + 1:02}T{i % 24:02}:{i % 60:02}:00Z",
                "producer": "https://example.com/crash",
                "run": {"runId": f"{i:032x}"},
                "job": {"namespace": "crash", "name": f"job{i % 97}"},
                "inputs": [{"namespace": "db", "name": f"t{rng.randrange(500)}"}],
                "outputs": [{"namespace": "db", "name": f"t{rng.randrange(500)}"}],
            }
        ).encode()
        for i in range(count)
    ]


def held(db: Path, score: Score) -> set[bytes]:
    """Hashes of the events in a store that was opened after a kill; checks that it is sound."""
    began = time.perf_counter()
    with Store.open(db) as store:
        Writer(store).catch_up()
        score.opened.append(time.perf_counter() - began)
        score.unsound += not examine(store).healthy
        return {bytes(row[0]) for row in store.rows("SELECT hash FROM event")}


def bulk(folder: Path, kills: int, rng: random.Random, setting: str | None) -> Score:
    """Bulk ingest in batches; each round goes on where the last one was acknowledged."""
    score = Score()
    db, file = folder / "bulk.duckdb", folder / "all.ndjson"
    lines = events(kills * 6 * BATCH)
    hashes = [event_hash(line) for line in lines]
    file.write_bytes(b"\n".join(lines))
    done = 0
    settings = [setting] if setting else []

    def start(begin: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.ingest.bulk", str(db), str(file), str(begin), "0", *settings]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    for _ in range(kills):
        before = done
        with start(done) as child:
            assert child.stdout is not None
            for _ in range(rng.randint(1, 4)):
                done = int(next(child.stdout))
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(rng.uniform(0, 0.05))
            child.send_signal(signal.SIGKILL)
            done = max([done, *map(int, child.stdout)])
        score.kills += 1
        score.acknowledged += done - before
        found = held(db, score)
        score.lost += len(set(hashes[:done]) - found)
        score.halves += len(found) % BATCH != 0
        score.unsaid += len(found) > done
        done = len(found) - len(found) % BATCH
    with start(0) as child:
        child.communicate()
    return check(score, db, lines)


def http(folder: Path, kills: int, rng: random.Random) -> Score:
    """A server that several connections post to; acknowledged is what was answered with 201."""
    score = Score()
    db = folder / "http.duckdb"
    lines = events(kills * 2_000)
    waiting = iter(lines)
    sent: list[bytes] = []
    acknowledged: set[bytes] = set()
    lock = threading.Lock()
    unsaid = 0

    def post(url: str, heard: threading.Event) -> None:
        with httpx.Client(base_url=url) as client, contextlib.suppress(httpx.HTTPError):
            while True:
                with lock:
                    line = next(waiting)
                    sent.append(line)
                headers = {"content-type": "application/json"}
                if client.post("api/v1/lineage", content=line, headers=headers).status_code == 201:
                    with lock:
                        acknowledged.add(event_hash(line))
                    heard.set()

    for _ in range(kills):
        with serving(db) as (child, url):
            heard = threading.Event()
            threads = [threading.Thread(target=post, args=(url, heard)) for _ in range(SENDERS)]
            for thread in threads:
                thread.start()
            heard.wait()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(rng.uniform(0, 0.6))
            child.send_signal(signal.SIGKILL)
            for thread in threads:
                thread.join()
        score.kills += 1
        found = held(db, score)
        score.lost += len(acknowledged - found)
        score.unsaid += len(found - acknowledged) > unsaid
        unsaid = len(found - acknowledged)
    score.acknowledged = len(acknowledged)
    with Store.open(db) as store:
        Writer(store).ingest(sent, source="again")
    return check(score, db, sent)


@contextlib.contextmanager
def serving(db: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own and its address."""
    command = [sys.executable, "-u", "-m", "lineage.cli", "serve", "--port", "0", "--db", str(db)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            address = re.search(r"(http://\S+/) *$", line)
            if address:
                yield child, address[1]
                return
        raise SystemExit("the server did not start")


def check(score: Score, db: Path, lines: list[bytes]) -> Score:
    """After everything was sent again the store must be the one that was never interrupted."""
    with Store.open(db) as store, Store.open(":memory:") as clean:
        writer = Writer(clean)
        for start in range(0, len(lines), 5_000):
            writer.ingest(lines[start : start + 5_000], source="clean")
        if fingerprint(store) != fingerprint(clean):
            raise SystemExit(f"{db}: the fingerprint differs from that of a clean ingest")
    return score


def main() -> None:
    """Run all modes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100, help="in all modes together")
    kills = max(1, parser.parse_args().kills // 4)
    rng = random.Random()
    heads = ("kills", "acked", "lost", "halves", "unsound", "unsaid", "open p50", "max")
    widths = (6, 8, 6, 8, 9, 8, 10, 7)
    print(f"{'mode':<24}" + "".join(f"{head:>{width}}" for head, width in zip(heads, widths, strict=True)))
    failed = False
    with tempfile.TemporaryDirectory() as name:
        for mode in ("bulk", "bulk, checkpoints", "server"):
            folder = Path(name, mode.replace(", ", "-"))
            folder.mkdir()
            if mode == "server":
                score = http(folder, 2 * kills, rng)
            else:
                score = bulk(folder, kills, rng, "checkpoint_threshold = '64KB'" if "," in mode else None)
            print(
                f"{mode:<24}{score.kills:>6}{score.acknowledged:>8,}{score.lost:>6}{score.halves:>8}{score.unsound:>9}"
                f"{score.unsaid:>8}{median(score.opened):>9.2f}s{max(score.opened):>6.2f}s",
                flush=True,
            )
            failed = failed or bool(score.lost or score.halves or score.unsound)
    print("Fingerprints after sending everything again equal those of a clean ingest.")
    sys.exit(failed)


if __name__ == "__main__":
    main()
