"""``meshline recover``: a damaged log costs what lay in the damaged bytes, and nothing else."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.altered import switch
from ingest.archive import pack, unpack
from ingest.recovery import salvage
from lineage.doctor import examine
from lineage.fingerprint import fingerprint
from lineage.store import Store
from lineage.store.wal import hidden_break
from tests.ingest.build import loaded, run_event
from tests.ingest.cli import Cli

EVENTS = [run_event(f"r{i}", at=f"2026-01-{i + 1:02}T00:00:00Z", inputs=["a"], outputs=["b"]) for i in range(12)]

KILLED = """
import os, sys
from ingest.writer import Writer
from lineage.store import Store
store = Store.open(sys.argv[1])
writer = Writer(store)
for line in sys.stdin.buffer:
    writer.ingest([line.rstrip()], source="test")
os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a process that committed twelve times and was killed."""
    db = tmp_path_factory.mktemp("killed") / "m.duckdb"
    subprocess.run([sys.executable, "-c", KILLED, str(db)], input=b"\n".join(EVENTS), check=False)
    assert db.with_name(db.name + ".wal").stat().st_size > 12 * 1024
    return db


@pytest.fixture
def log(meshline: Cli, killed: Path) -> Path:
    """The write-ahead log of a copy of it."""
    shutil.copy(killed, meshline.db)
    return Path(shutil.copy(killed.with_name(killed.name + ".wal"), meshline.db.with_name(meshline.db.name + ".wal")))


def damage(log: Path, part: float, data: bytes) -> None:
    with log.open("r+b") as stream:
        stream.seek(int(log.stat().st_size * part))
        stream.write(data)


def sound(db: Path) -> tuple[int, str]:
    """Number of events and fingerprint of a store with which everything is well."""
    with Store.open(db, create=False) as store:
        assert examine(store).healthy
        return store.rows("SELECT count(*) FROM event")[0][0], fingerprint(store)


@pytest.mark.parametrize(("part", "data"), [(0.1, b"\xff" * 64), (0.5, b"\x00" * 64), (0.9, b"\xff" * 64)])
def test_what_lies_behind_the_damage_is_restored(meshline: Cli, log: Path, part: float, data: bytes) -> None:
    damage(log, part, data)
    before = {path.name: path.read_bytes() for path in (meshline.db, log)}
    code, _, err = meshline("doctor")
    assert code == 1
    assert f"meshline recover --db {meshline.db}" in err

    done = meshline.json("recover")
    assert done["damaged"]
    # an entry may begin inside the damage when its first bytes were the same anyway
    assert done["kept_bytes"] <= done["log_bytes"] * part + 64
    assert {Path(copy).read_bytes() for copy in done["copies"]} == set(before.values())
    events, _ = sound(meshline.db)
    assert events == done["events"] + done["restored"]
    assert events >= 11  # the damage hit one transaction, or none of its events
    with Store.open(meshline.db) as store:
        held = {json.dumps(row) for row in store.rows("SELECT run_id FROM run WHERE known_to = '9999-12-31'")}
    assert held <= {json.dumps([f"r{i}"]) for i in range(12)}

    meshline("ingest", meshline.write("again.ndjson", b"\n".join(EVENTS)))
    assert sound(meshline.db)[1] == fingerprint(loaded(*EVENTS))


def entries(data: bytes) -> list[int]:
    """Where the entries of a log begin: length and check sum (8 bytes each) stand before the content."""
    at = next(start for start in range(200) if walk(data, start)[-1:] == [len(data)] and len(walk(data, start)) > 5)
    return walk(data, at)[:-1]


def walk(data: bytes, at: int) -> list[int]:
    found = [at]
    while at + 16 <= len(data):
        at += 16 + struct.unpack_from("<Q", data, at)[0]
        found.append(at)
    return found


@pytest.mark.parametrize("length", [2**64 - 1, 2**40, 0])
def test_a_damaged_length_is_no_end_of_the_log(meshline: Cli, log: Path, length: int) -> None:
    data = bytearray(log.read_bytes())
    places = entries(bytes(data))
    struct.pack_into("<Q", data, places[len(places) // 2], length)
    log.write_bytes(data)
    for command in (["doctor"], ["ingest", meshline.write("more.ndjson", EVENTS[0])]):
        code, _, err = meshline(*command)
        assert (code, "meshline recover" in err) == (1, True), command
    assert log.read_bytes() == bytes(data), "nothing was cut without a word"
    done = meshline.json("recover")
    assert done["kept_bytes"] == places[len(places) // 2] and done["restored"] > 0
    assert sound(meshline.db)[0] >= 11


def test_a_log_cut_anywhere_is_no_damage(log: Path, tmp_path: Path) -> None:
    copy = tmp_path / "cut.duckdb"
    data = log.read_bytes()
    for part in range(1, 20):
        copy.with_name("cut.duckdb.wal").write_bytes(data[: len(data) * part // 20])
        assert hidden_break(copy) is None, part


def test_two_damaged_places_are_cut_at_the_first(meshline: Cli, log: Path) -> None:
    damage(log, 0.3, b"\x00" * 64)
    damage(log, 0.7, b"\x00" * 64)
    done = meshline.json("recover")
    assert done["kept_bytes"] <= done["log_bytes"] * 0.3 + 64
    assert sound(meshline.db)[0] >= 10


def test_a_log_that_breaks_off_needs_no_recovery(meshline: Cli, log: Path) -> None:
    with log.open("r+b") as stream:
        stream.truncate(log.stat().st_size // 2)
    assert not meshline.json("recover")["damaged"]
    assert list(meshline.folder.glob("*before-recover*")) == []
    assert 0 < sound(meshline.db)[0] < 12


def test_the_report_for_people_says_what_to_do(meshline: Cli, log: Path) -> None:
    damage(log, 0.5, b"\x00" * 64)
    code, out, _ = meshline("recover")
    text = out.decode()
    assert code == 0
    assert "opens again" in text
    assert "send it again" in text
    assert str(meshline.db) + ".before-recover" in text
    assert b"nothing to recover" in meshline("recover")[1]


@pytest.mark.parametrize(
    ("data", "words"), [(None, "There is no database"), (b"", "is empty"), (b"x" * 9000, "is no DuckDB database")]
)
def test_what_is_no_damaged_log_is_refused_and_left_alone(meshline: Cli, data: bytes | None, words: str) -> None:
    if data is not None:
        meshline.db.write_bytes(data)
    code, _, err = meshline("recover")
    assert code == 1
    assert words in err
    assert data is None or meshline.db.read_bytes() == data


def test_only_blocks_with_a_right_checksum_are_believed() -> None:
    block = bytearray(pack(EVENTS[:2]))
    assert list(salvage(b"noise" + bytes(block) + b"\x28\xb5\x2f\xfd" + bytes(block))) == [*EVENTS[:2], *EVENTS[:2]]
    for i in range(4, len(block)):
        broken = block[:i] + bytes([block[i] ^ 1]) + block[i + 1 :]
        assert set(salvage(bytes(broken))) <= set(EVENTS)


def test_events_that_were_masked_before_storage_come_back_masked(meshline: Cli) -> None:
    secret = run_event("r0", run_facets={"env": {"url": "postgres://ada:s3cret@db/shop"}}, inputs=["a"], outputs=["b"])
    with Store.open(meshline.db) as store:
        switch(store, True, "ann")
        store.checkpoint()
    subprocess.run(
        [sys.executable, "-c", KILLED, str(meshline.db)], input=b"\n".join([secret, *EVENTS[1:4]]), check=False
    )
    log = meshline.db.with_name(meshline.db.name + ".wal")
    assert b"s3cret" not in log.read_bytes()
    at = log.read_bytes().index(
        b"\x28\xb5\x2f\xfd"
    )  # the block of the first event; it is sound, what stood before is not
    damage(log, (at - 300) / log.stat().st_size, b"\xff" * 16)
    done = meshline.json("recover")
    assert done["restored"] == 4
    again = meshline.json("ingest", meshline.write("again.ndjson", secret))
    assert (again["accepted"], again["duplicates"]) == (0, 1)  # known by the hash it came with
    with Store.open(meshline.db) as store:
        assert examine(store).healthy
        assert store.rows("SELECT run_id, state FROM run WHERE known_to = '9999-12-31' ORDER BY 1") == [
            (f"r{i}", "COMPLETE") for i in range(4)
        ]
        bodies = [event for (body,) in store.rows("SELECT body FROM raw") for event in unpack(body)]
        assert not any(b"s3cret" in event for event in bodies)
