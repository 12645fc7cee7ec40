"""``meshline follow``: growing files, one-event files, rotation, restart; every event once."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.outcome import Line
from ingest.sources.tail import cut
from lineage.fingerprint import fingerprint
from lineage.store import Store
from tests.ingest.build import loaded, run_event
from tests.ingest.cli import Cli

EVENTS = [run_event(f"r{i}", at=f"2026-01-0{i + 1}T00:00:00Z", inputs=["a{"], outputs=['b"]']) for i in range(6)]
PRETTY = [json.dumps(json.loads(event), indent=2).encode() for event in EVENTS]


class Followed(Cli):
    """A folder and the command that follows it, once at a time: each call is a restart."""

    def look(self) -> tuple[int, int, int]:
        """(accepted, duplicates, quarantined) of one look."""
        (self.folder / "in").mkdir(exist_ok=True)
        found = self.json("follow", self.folder / "in", "--once")
        return found["accepted"], found["duplicates"], found["quarantined"]

    def append(self, name: str, data: bytes) -> Path:
        path = self.folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as stream:
            stream.write(data)
        return path

    def fingerprint(self) -> str:
        with Store.open(self.db) as store:
            return fingerprint(store)


@pytest.fixture
def folder(meshline: Cli) -> Followed:
    return Followed(meshline.folder, meshline._capture)


# -- cutting


@given(data=st.data())
def test_however_a_file_grows_the_same_events_come_out(data: st.DataObject) -> None:
    forms = [data.draw(st.sampled_from([compact, pretty])) for compact, pretty in zip(EVENTS, PRETTY, strict=True)]
    between = [data.draw(st.sampled_from([b"\n", b"\r\n", b"\n\n \n"])) for _ in forms]
    whole = b"".join(form + gap for form, gap in zip(forms, between, strict=True))
    ends = [*sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8))), len(whole)]
    found: list[Line] = []
    at = lines = 0
    for end in ends:
        part = cut(whole[at:end], first_line=lines + 1)
        found += part.lines
        at += part.bytes
        lines += part.newlines
    assert [line.data for line in found] == forms
    starts = [whole[: whole.index(form)].count(b"\n") + 1 for form in forms]
    assert [line.number for line in found] == starts


@pytest.mark.parametrize(
    ("data", "values", "used"),
    [
        (b"", [], 0),
        (b"\n \n", [], 3),
        (b'{"run": "}', [], 0),
        (b'{"a": {"b": 1}', [], 0),
        (b"[\n" + EVENTS[0] + b"\n]", [EVENTS[0]], 4 + len(EVENTS[0])),
        (b"[" + EVENTS[0] + b", " + EVENTS[1] + b"]\n", EVENTS[:2], 4 + len(EVENTS[0] + EVENTS[1])),
        (b"garbage\n" + EVENTS[0], [b"garbage", EVENTS[0]], 8 + len(EVENTS[0])),
        (EVENTS[0][:40] + b"\n" + EVENTS[1] + b"\n", [EVENTS[0][:40], EVENTS[1]], 41 + len(EVENTS[1])),
        (EVENTS[0][:40] + b"\n", [], 0),
        (b"12", [], 0),
    ],
)
def test_only_complete_values_are_taken(data: bytes, values: list[bytes], used: int) -> None:
    found = cut(data)
    assert [line.data for line in found.lines] == values
    assert len(data[: found.bytes].rstrip()) == len(data[:used].rstrip())


# -- following


def test_a_growing_file_is_read_on_from_where_it_was(folder: Followed) -> None:
    folder.append("events.ndjson", EVENTS[0] + b"\n")
    assert folder.look() == (1, 0, 0)
    assert folder.look() == (0, 0, 0)
    folder.append("events.ndjson", EVENTS[1] + b"\n" + EVENTS[2][:30])
    assert folder.look() == (1, 0, 0)
    folder.append("events.ndjson", EVENTS[2][30:])
    assert folder.look() == (1, 0, 0)
    folder.append("events.ndjson", b"\n" + EVENTS[3] + b"\n")
    assert folder.look() == (1, 0, 0)
    assert folder.fingerprint() == fingerprint(loaded(*EVENTS[:4]))


def test_one_file_an_event_and_folders_in_folders(folder: Followed) -> None:
    folder.append("a/ev-1.json", EVENTS[0])
    folder.append("ev-2.json", PRETTY[1] + b"\n")
    folder.append("b/c/array.json", b"[" + EVENTS[2] + b",\n" + EVENTS[3] + b"]")
    folder.append(".hidden/ev.json", EVENTS[4])
    folder.append("readme.md", b"# no events\n")
    assert folder.look() == (4, 0, 0)
    folder.append("ev-5.json", EVENTS[5])
    assert folder.look() == (1, 0, 0)


def test_a_file_that_is_not_complete_is_named_and_waited_for(folder: Followed) -> None:
    folder.append("ev.json", PRETTY[0][:50])
    folder.append("notes.txt", b"hello\n")
    found = folder.json("follow", folder.folder / "in", "--once")
    assert (found["read"], found["waiting"]) == (0, ["ev.json", "notes.txt"])
    folder.append("ev.json", PRETTY[0][50:])
    assert folder.look() == (1, 0, 0)


def test_a_renamed_file_goes_on_and_the_new_one_begins(folder: Followed) -> None:
    path = folder.append("events.ndjson", EVENTS[0] + b"\n")
    assert folder.look() == (1, 0, 0)
    folder.append("events.ndjson", EVENTS[1] + b"\n")
    path.rename(path.with_suffix(".ndjson.1"))
    folder.append("events.ndjson", EVENTS[2] + b"\n")
    assert folder.look() == (2, 0, 0)
    assert folder.look() == (0, 0, 0)


def test_a_file_copied_and_cut_loses_nothing(folder: Followed) -> None:
    path = folder.append("events.ndjson", EVENTS[0] + b"\n" + EVENTS[1] + b"\n")
    assert folder.look() == (2, 0, 0)
    shutil.copy(path, path.with_suffix(".1"))
    os.truncate(path, 0)
    folder.append("events.ndjson", EVENTS[2] + b"\n")
    accepted, duplicates, _ = folder.look()
    assert (accepted, duplicates) == (1, 2)  # the copy is a new file; known events change nothing
    assert folder.fingerprint() == fingerprint(loaded(*EVENTS[:3]))


@pytest.mark.parametrize("more", [[], [EVENTS[4], EVENTS[5]]], ids=["same size", "longer"])
def test_a_file_written_anew_in_place_is_read_from_its_start(folder: Followed, more: list[bytes]) -> None:
    path = folder.append("events.ndjson", EVENTS[0] + b"\n" + EVENTS[1] + b"\n")
    assert folder.look() == (2, 0, 0)
    path.write_bytes(b"".join(event + b"\n" for event in [EVENTS[2], EVENTS[3], *more]))
    assert folder.look() == (2 + len(more), 0, 0)


def test_a_removed_file_is_forgotten_and_its_inode_may_come_back(folder: Followed) -> None:
    folder.append("1.json", EVENTS[0]).unlink()
    folder.append("2.json", EVENTS[1])
    assert folder.look() == (1, 0, 0)
    (folder.folder / "in" / "2.json").unlink()
    assert folder.look() == (0, 0, 0)
    with Store.open(folder.db) as store:
        assert store.rows("SELECT count(*) FROM source_position") == [(0,)]
    for i in (2, 3, 4):
        folder.append(f"{i}.json", EVENTS[i])
    assert folder.look() == (3, 0, 0)


def test_a_rotated_file_that_was_compressed_is_read_whole(folder: Followed) -> None:
    data = gzip.compress(b"\n".join(EVENTS[:3]))
    folder.append("events.1.gz", data[:60])
    assert folder.look() == (0, 0, 0)
    folder.append("events.1.gz", data[60:])
    assert folder.look() == (3, 0, 0)
    assert folder.look() == (0, 0, 0)


def test_a_broken_line_is_quarantined_with_its_place_and_the_file_goes_on(folder: Followed) -> None:
    path = folder.append("events.ndjson", EVENTS[0] + b"\n")
    folder.look()
    folder.append("events.ndjson", EVENTS[1][:40] + b"\n" + EVENTS[2] + b"\nnonsense\n")
    assert folder.look() == (1, 0, 2)
    listed = folder.json("rejects", "list")["rejects"]
    assert {(item["source"], item["line"]) for item in listed} == {(str(path), 2), (str(path), 4)}


def test_positions_survive_a_rebuild_and_are_no_part_of_the_fingerprint(folder: Followed) -> None:
    folder.append("events.ndjson", EVENTS[0] + b"\n")
    folder.look()
    assert folder.fingerprint() == fingerprint(loaded(EVENTS[0]))
    assert folder("rebuild")[0] == 0
    assert folder.look() == (0, 0, 0)
    assert folder("doctor")[0] == 0


def test_a_folder_that_is_none_is_an_error(folder: Followed) -> None:
    code, _, err = folder("follow", folder.folder / "nowhere", "--once")
    assert code == 2
    assert "is no folder" in err


def test_it_follows_until_it_is_told_to_stop(folder: Followed) -> None:
    folder.append("events.ndjson", EVENTS[0] + b"\n")
    command = [sys.executable, "-m", "lineage.cli", "follow", str(folder.folder / "in"), "--every", "0.05"]
    options = ["--log-format", "json", "--format", "json", "--db", str(folder.db)]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        logged = (json.loads(line) for line in child.stderr)
        assert "Following" in next(logged)["message"]
        assert next(logged)["accepted"] == 1
        folder.append("events.ndjson", EVENTS[1] + b"\n")
        second = next(logged)
        assert (second["accepted"], second["level"], second["logger"]) == (1, "INFO", "meshline.follow")
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate()
    assert (child.returncode, err) == (0, "")
    assert json.loads(out)["accepted"] == 2


# -- audit log


def test_what_was_followed_is_in_the_audit_log_at_the_end(folder: Followed) -> None:
    folder.append("a.ndjson", b"\n".join(EVENTS) + b"\n")
    folder.look()
    with Store.open(folder.db) as store:
        blocks = store.rows("SELECT block FROM raw ORDER BY block")
        logged = store.rows("SELECT resource FROM audit WHERE action = 'events.accept' ORDER BY seq")
    assert blocks
    assert logged == [(f"block {block}",) for (block,) in blocks]
