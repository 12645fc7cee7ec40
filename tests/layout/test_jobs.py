"""Long work of the pages: what it tells, how it ends, and that nothing of it stays."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.jobs import KEPT, WAITING, Jobs, JobsFullError, Made, Progress
from lineage.errors import UsageError


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs(workers=1)
    yield made
    made.close()


def one(progress: Progress) -> Made:
    progress(0.5, "half")
    return Made("a.txt", b"abc", "text/plain", (("SHA-256", "ba78…"),))


def test_a_job_ends_with_a_file_and_what_is_told_of_it(jobs: Jobs) -> None:
    done = jobs.wait(jobs.start("A file", one).id)
    assert done is not None
    assert (done.state, done.share, done.file, done.size, done.notes[0][0]) == ("done", 1.0, "a.txt", 3, "SHA-256")
    held = jobs.file(done.id)
    assert held is not None
    assert held[0].read_bytes() == b"abc"


def test_progress_is_seen_while_it_runs_and_a_cancelled_job_leaves_nothing(jobs: Jobs) -> None:
    reached, go = threading.Event(), threading.Event()

    def slow(progress: Progress) -> Made:
        progress(0.25, "first part")
        reached.set()
        go.wait(20)
        progress(0.5, "second part")
        raise AssertionError("a cancelled job went on")

    job = jobs.start("Slow", slow)
    waiting = jobs.start("Behind it", one)
    assert reached.wait(20)
    shown = jobs.get(job.id)
    assert shown is not None
    assert (shown.state, shown.share, shown.text) == ("running", 0.25, "first part")
    jobs.cancel(waiting.id)
    jobs.cancel(job.id)
    go.set()
    ended = jobs.wait(job.id)
    assert ended is not None
    assert ended.state == "cancelled"
    assert jobs.file(job.id) is None
    behind = jobs.wait(waiting.id)
    assert behind is not None
    assert behind.state == "cancelled"


def test_a_job_that_fails_says_why_and_can_be_tried_again(jobs: Jobs) -> None:
    tries = []

    def sometimes(progress: Progress) -> Made:
        tries.append(1)
        if len(tries) == 1:
            raise UsageError("There is no such node.")
        return one(progress)

    failed = jobs.wait(jobs.start("Try", sometimes).id)
    assert failed is not None
    assert (failed.state, failed.error, len(failed.error_id)) == ("failed", "There is no such node.", 8)
    again = jobs.retry(failed.id)
    assert again is not None
    done = jobs.wait(again.id)
    assert done is not None
    assert done.state == "done"


def test_a_defect_goes_to_the_log_with_the_number_that_people_see(jobs: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_progress: Progress) -> Made:
        raise ZeroDivisionError("secret detail")

    with caplog.at_level(logging.ERROR):
        failed = jobs.wait(jobs.start("Broken", broken).id)
    assert failed is not None
    assert "secret detail" not in failed.error
    assert failed.error_id in caplog.text


def test_what_is_kept_is_bounded_and_gone_at_the_end() -> None:
    jobs = Jobs()
    ids = []
    for n in range(KEPT + 8):
        ids.append(jobs.start(f"File {n}", one).id)
        jobs.wait(ids[-1])
    assert len(jobs.those(ids)) <= KEPT + 1
    last = jobs.file(ids[-1])
    assert last is not None
    folder: Path = last[0].parent
    assert len(list(folder.glob("[!.]*"))) <= KEPT + 1
    jobs.forget(ids[-1])
    assert jobs.file(ids[-1]) is None
    jobs.close()
    assert not folder.exists()


def test_too_many_waiting_jobs_are_refused(jobs: Jobs) -> None:
    go = threading.Event()

    def hold(progress: Progress) -> Made:
        go.wait(20)
        return one(progress)

    for n in range(WAITING):
        jobs.start(f"Job {n}", hold)
    with pytest.raises(JobsFullError, match="Too many jobs"):
        jobs.start("One more", hold)
    go.set()
