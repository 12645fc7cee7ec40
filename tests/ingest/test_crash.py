"""kill -9 and a full disk: what was reported as committed is there, nothing is there by half, and nothing is twice."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from lineage.doctor import examine
from lineage.fingerprint import fingerprint
from lineage.store import Store
from tests.ingest.build import column_lineage, loaded, run_event, schema
from tests.ingest.bulk import BATCH

ROOT = Path(__file__).resolve().parents[2]
MANY = 16 * BATCH  # events; no round of kills gets so far
KILLS = 4  # in each of two modes; tests/server kills a server twice more


def events(count: int) -> list[bytes]:
    """Runs of two events each, some in different batches; names that do not compress."""
    rng = random.Random(7)
    lines = []
    for i in range(count // 2):
        source, target = (f"{word}_{rng.getrandbits(60):x}" for word in ("raw", "mart"))
        facets = {"schema": schema("x"), "columnLineage": column_lineage({"x": [(source, "x")]})}
        day = f"2026-01-{i % 28 + 1:02}T{i % 24:02}"
        lines.append(run_event(f"r{i}", job=f"j{i % 9}", at=f"{day}:00:00Z", kind="START", inputs=[source]))
        lines.append(run_event(f"r{i}", job=f"j{i % 9}", at=f"{day}:30:00Z", outputs=[(target, facets)]))
    rng.shuffle(lines)
    return lines


@cache
def expected(count: int) -> str:
    """Fingerprint of a store that took so many of these events in peace."""
    with loaded(*events(count)) as store:
        return fingerprint(store)


def start(db: Path, file: Path, begin: int, *settings: str, limit: int = 0) -> subprocess.Popen[str]:
    """The bulk process."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.ingest.bulk", str(db), str(file), str(begin), str(limit), *settings],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def held(db: Path, acknowledged: int) -> int:
    """How many events a sound store holds: all acknowledged ones, and whole batches."""
    with Store.open(db) as store:
        report = examine(store)
        assert report.healthy, [check for check in report.checks if not check.ok]
        archived, derived = store.rows("SELECT (SELECT sum(n) FROM raw), count(*) FROM event")[0]
    assert archived == derived
    assert derived % BATCH == 0
    assert derived - acknowledged in (0, BATCH)
    return int(derived)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [(), ("checkpoint_threshold = '64KB'",)], ids=["log", "checkpoints"])
def test_kill_9_at_random_moments_loses_no_committed_batch(tmp_path: Path, settings: tuple[str, ...]) -> None:
    rng = random.Random(os.urandom(8))
    db, file = tmp_path / "m.duckdb", tmp_path / "all.ndjson"
    lines = events(MANY)
    file.write_bytes(b"\n".join(lines))
    done = 0
    for _ in range(KILLS):
        with start(db, file, done, *settings) as child:
            assert child.stdout is not None
            for _ in range(rng.randint(1, 2)):
                done = int(next(child.stdout))
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(rng.uniform(0, 0.05))
            child.send_signal(signal.SIGKILL)
            done = max([done, *map(int, child.stdout)])
        done = held(db, done)
    with start(db, file, 0, *settings) as child:  # the client sends everything again
        child.communicate()
    with Store.open(db) as store:
        assert fingerprint(store) == expected(len(lines))


def fill_up(db: Path, file: Path, limit: int = 0) -> int:
    """Ingest until the disk refuses; how many events were acknowledged before."""
    with start(db, file, 0, limit=limit) as child:
        out, err = child.communicate()
    assert child.returncode == 1
    assert err.startswith(f"refused: {db} cannot be written: the disk ")
    assert "make room" in err
    assert "Traceback" not in err
    return max(map(int, out.split()))


def goes_on(db: Path, file: Path, done: int, lines: list[bytes]) -> None:
    assert held(db, done) == done
    with start(db, file, 0) as child:
        _, err = child.communicate()
    assert (child.returncode, err) == (0, "")
    with Store.open(db) as store:
        assert fingerprint(store) == expected(len(lines))


def test_a_file_that_may_not_grow_refuses_and_keeps_what_was_committed(tmp_path: Path) -> None:
    db, file = tmp_path / "m.duckdb", tmp_path / "all.ndjson"
    lines = events(MANY)
    file.write_bytes(b"\n".join(lines))
    goes_on(db, file, fill_up(db, file, 600_000), lines)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with little room; only root may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no file system of its own can be mounted here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="needs tmpfs")
def test_a_full_disk_refuses_and_goes_on_when_there_is_room(small_disk: Path, tmp_path: Path) -> None:
    db, file = small_disk / "m.duckdb", tmp_path / "all.ndjson"
    lines = events(30 * BATCH)
    file.write_bytes(b"\n".join(lines))
    done = fill_up(db, file)
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    goes_on(db, file, done, lines)
