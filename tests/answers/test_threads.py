"""Any thread may ask while another writes, and sees one whole state each time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from lineage.engine import Lineage
from tests.answers.builder import World


def test_threads_that_ask_during_writes_see_whole_states(world: World) -> None:
    """Each write adds a job and its output together, so an answer never has one without the other."""
    world.flow(["a"], "j0", ["x0"])
    lx = Lineage(world.store)
    done = threading.Event()
    steps = 15

    def ask(_: int) -> int:
        seen = 0
        while True:
            last = done.is_set()
            answer = lx.impact("dataset:pg:a")
            jobs = {node.id.rpartition("j")[2] for node in answer.nodes if node.kind == "job"}
            datasets = {node.id.rpartition("x")[2] for node in answer.nodes if node.kind == "dataset"}
            assert jobs == datasets
            assert len(jobs) >= seen  # never older than what this thread saw before
            seen = len(jobs)
            if last:
                return seen

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask, number) for number in range(3)]
        try:
            for number in range(1, steps):
                world.flow(["a"], f"j{number}", [f"x{number}"])
                assert world.store is lx.store
        finally:
            done.set()
        assert [question.result() for question in asking] == [steps] * 3
