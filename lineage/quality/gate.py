"""The circuit breaker: is everything a node depends on fresh, passing and inside its contract right now?"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

import numpy as np

from lineage.quality.answers import Blocker, GateAnswer
from lineage.quality.evidence import Evidence, evidence
from lineage.quality.parts import FRESHNESS, KEY, PROMISE, TEST, VOLUME
from lineage.quality.report import checks_of

if TYPE_CHECKING:
    from lineage.view import View

State = Literal["open", "closed", "unknown"]
EXIT = {"open": 0, "closed": 1, "unknown": 3}
_WORDS = {TEST: "failing", FRESHNESS: "late", VOLUME: "volume", PROMISE: "outside contract"}
_ERROR = 3.0  # weight of an error; warnings close nothing


def gate(view: View, node: int, *, trust_sources: bool = False, now: datetime | None = None) -> GateAnswer:
    """Whether a pipeline may go on with a node.

    *Closed*: a dataset at or upstream of the node is late by its contract, fails a test of severity error, breaks a
    promise, or the last run of a job that writes one of them failed. *Unknown*: nothing of that, but there is a dataset
    of which freshness or a test result cannot be told, or that may not be seen. Warnings, learned lateness and row
    counts that are not expected are listed and close nothing.

    Parameters
    ----------
    trust_sources
        datasets that no known job writes count as fine when nothing is known of them.
    now
        decides what is late; default: the instant of the view.

    Raises
    ------
    HiddenNodeError
        when the actor may not see the node.
    """
    view.require(node)
    found = evidence(view, now)
    hops = _upstream(view, node)
    failed = _failed_jobs(view)
    blockers: list[Blocker] = []
    closed = unsure = False
    masked: set[str] = set()
    for i, far in sorted(hops.items(), key=lambda item: (item[1], item[0])):
        label = view.label(i)
        if view.hidden(i):  # once for a domain, as near as the nearest of it
            if label not in masked:
                blockers.append(Blocker(label, far, "unknown", "may not be seen"))
            masked.add(label)
            unsure = True
            continue
        listed, shut, blind = _of(found, view, i, trust_sources)
        blockers += [Blocker(label, far, what, detail) for what, detail in listed]
        for job in view.snapshot.writers(i).tolist():
            if job in failed and not view.hidden(job):
                blockers.append(Blocker(view.label(job), far, "failing", "its last run failed"))
                shut = True
        closed, unsure = closed or shut, unsure or blind
    if not hops:  # a job of which no run told what it reads: nothing was looked at, which is not the same as fine
        blockers.append(Blocker(view.label(node), 0, "unknown", "nothing is known of what it reads"))
        unsure = True
    state: State = "closed" if closed else "unknown" if unsure else "open"
    once = tuple(dict.fromkeys(blockers))
    return GateAnswer(view.label(node), state, sum(not view.hidden(i) for i in hops), once, view.as_of, view.known_at)


def _upstream(view: View, node: int) -> dict[int, int]:
    """Datasets at and upstream of a node with their hops."""
    walk = view.walk([node], "upstream")
    hops = {
        int(i): int(far)
        for i, far in zip(walk.nodes.tolist(), walk.hops.tolist(), strict=True)
        if view.kind(int(i)) == "dataset"
    }
    kind = view.kind(node)
    if kind != "job":
        hops[view.snapshot.dataset_of(node) if kind == "column" else node] = 0
    return hops


def _of(found: Evidence, view: View, i: int, trust_sources: bool) -> tuple[list[tuple[str, str]], bool, bool]:
    """What is wrong or unknown at one dataset; whether that closes the gate, and whether it leaves it unknown."""
    listed: list[tuple[str, str]] = []
    shut = blind = False
    source = not len(view.snapshot.writers(i)) and np.isnan(found.last[i])
    for k, check in zip(np.flatnonzero(found.checks.node == i).tolist(), checks_of(found, view, i), strict=True):
        sort, result = int(found.checks.sort[k]), check.result
        if sort == KEY or (result is not None and result >= 1):
            continue
        name = f"{check.name} of {check.column}" if check.column else check.name
        if result is None:
            if sort == VOLUME or check.observed == "skipped" or (source and trust_sources):
                continue
            listed.append(("unknown", f"{name}: {check.observed}"))
            blind = True
            continue
        listed.append((_WORDS[sort], f"{name}: {check.observed}" + (f", {check.expected}" if check.expected else "")))
        shut = shut or (check.weight >= _ERROR and sort != VOLUME)
    return listed, shut, blind


def _failed_jobs(view: View) -> set[int]:
    from lineage.cause_answer import failing_now

    return {i for i in failing_now(view) if view.kind(i) == "job"}
