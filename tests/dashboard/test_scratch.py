"""Folders of a process that has gone are removed by the next one, and those of a living process are not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.jobs import Jobs, Made
from dashboard.scratch import Scratch

OWNER = """
import sys
from pathlib import Path
from dashboard.scratch import Scratch
scratch = Scratch("owned-", Path(sys.argv[1]))
(scratch.path() / "file").write_text("abc")
print("ready", flush=True)
sys.stdin.read()
"""


def owner(where: Path) -> subprocess.Popen[str]:
    """A process that has a folder with a file in it."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(where)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def folders(where: Path) -> list[str]:
    return sorted(path.name for path in where.iterdir())


def test_the_folder_of_a_killed_process_goes_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    with owner(tmp_path) as killed, owner(tmp_path) as living:
        assert len(folders(tmp_path)) == 2
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        (tmp_path / "owned-file").write_text("no folder")
        assert Scratch("owned-", tmp_path).sweep() == 1
        (left,) = (path for path in tmp_path.iterdir() if path.is_dir())
        assert (left / "file").read_text() == "abc"
        living.communicate()  # it ends in order
    assert folders(tmp_path) == ["owned-file"]


def test_a_folder_without_a_lock_or_behind_a_link_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "owned-other").mkdir()
    real = tmp_path / "real"
    real.mkdir()
    (real / ".owner").touch()
    (tmp_path / "owned-link").symlink_to(real)
    assert Scratch("owned-", tmp_path).sweep() == 0
    assert folders(tmp_path) == ["owned-link", "owned-other", "real"]


def test_it_is_made_when_it_is_needed_and_removed_with_what_is_in_it(tmp_path: Path) -> None:
    scratch = Scratch("x-", tmp_path)
    assert folders(tmp_path) == []
    assert scratch.path() == scratch.path()
    (scratch.path() / "inner").mkdir()
    assert Scratch("x-", tmp_path).sweep() == 0  # its owner is alive, in this very process
    scratch.close()
    scratch.close()
    assert folders(tmp_path) == []


def test_it_is_swept_between_its_making_and_its_lock_and_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, other, swept = os.open, Scratch("x-", tmp_path), []

    def slow(path: object, *flags: int, **more: int) -> int:
        held = real(path, *flags, **more)  # type: ignore[call-overload]
        if not swept:
            swept.append(True)
            assert other.sweep() == 1
        return int(held)

    monkeypatch.setattr(os, "open", slow)
    scratch = Scratch("x-", tmp_path)
    path = scratch.path()
    monkeypatch.undo()
    assert swept and path.is_dir() and folders(tmp_path) == [path.name]
    assert other.sweep() == 0
    scratch.close()


def test_jobs_leave_no_folder_and_sweep_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = tmp_path / "meshline-jobs-dead"
    dead.mkdir()
    (dead / ".owner").touch()
    jobs = Jobs()
    assert folders(tmp_path) == []
    done = jobs.wait(jobs.start("Numbers", lambda progress: Made("n.txt", b"1 2 3")).id)
    assert done is not None and done.state == "done"
    assert len(folders(tmp_path)) == 1
    jobs.close()
    assert folders(tmp_path) == []
