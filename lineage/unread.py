"""What nobody reads, what exists only for it, and in which order it can go; and where data goes in circles.

A dataset is *unread* when no job and no other dataset was seen to take data from it at the asked instant. That is a
fact about what was told, not about people: a report that is looked at on a screen is unread too. Whoever knows which
datasets are of use says so with ``keep``.

*Exclusive* ancestors of a dataset are the datasets whose data ends up there and nowhere else that is kept. The safe
order of removal takes readers before what they read: first the jobs that make a dataset, then the dataset; datasets of
a cycle go together.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lineage.errors import UsageError
from lineage.graph.arrays import DATASET
from lineage.itself import circle_notes
from lineage.presence import absent
from lineage.ranking import figures_of, flow_of
from lineage.shown import Shown

if TYPE_CHECKING:
    from lineage.view import Instant, View


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a removal. ``together`` are datasets of one cycle; ``because`` is the unread dataset it serves."""

    order: int
    id: str
    kind: Literal["dataset", "job"]
    because: str
    together: tuple[str, ...] = ()
    domain: str = ""
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """One unread dataset with the number of datasets all of whose data ends up in it (a figure of lineage alone)."""

    id: str
    domain: str
    owner: str | None
    exclusive: int
    written: bool  # whether some job writes it: else it is only named, or a source that nobody uses


@dataclass(frozen=True, slots=True)
class DeadBranches(Shown):
    """Answer of ``dead``: unread datasets; of named ones the order in which they and what only they need can go."""

    as_of: datetime
    known_at: datetime
    unread: tuple[Branch, ...]
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    generated_by: str = ""
    fingerprint: str = ""

    def heads(self) -> tuple[str, ...]:
        """Columns of the table of steps."""
        return ("order", "id", "kind", "because", "together", "domain", "owner")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per step."""
        return [(s.order, s.id, s.kind, s.because, list(s.together), s.domain, s.owner) for s in self.steps]

    def title(self) -> str:
        """How much it is."""
        steps = sum(s.kind == "dataset" for s in self.steps)
        return f"{len(self.unread)} unread" + (f", {steps} can go" if steps else "")

    def remarks(self) -> tuple[str, ...]:
        """Jobs that have to be changed."""
        return self.notes


@dataclass(frozen=True, slots=True)
class Cycle:
    """Datasets that are all downstream of each other, and the jobs on the edges between them."""

    datasets: tuple[str, ...]
    jobs: tuple[str, ...]
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cycles(Shown):
    """Answer of ``cycles``, the largest first."""

    as_of: datetime
    known_at: datetime
    found: tuple[Cycle, ...]

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("cycle", "datasets", "jobs", "domains")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per cycle."""
        return [(n, list(c.datasets), list(c.jobs), list(c.domains)) for n, c in enumerate(self.found, 1)]

    def title(self) -> str:
        """How many there are."""
        return "1 cycle" if len(self.found) == 1 else f"{len(self.found)} cycles"


@dataclass(frozen=True, slots=True)
class Plan:
    """A removal by dense indices, in order: jobs and datasets, with the unread dataset that each served."""

    order: tuple[int, ...]
    serves: dict[int, int]
    together: dict[int, tuple[int, ...]]
    shared: tuple[tuple[int, int], ...]  # (job, dataset): the job stays for other outputs, the dataset goes


def unread_datasets(instant: Instant) -> list[int]:
    """Dense indices of datasets from which nothing but their own writers and tests was seen to take data."""
    snapshot, flow, level = instant.snapshot, flow_of(instant), instant.snapshot.level("dataset")
    ends = []
    for i in np.flatnonzero(snapshot.kind == DATASET).tolist():
        v = level.vertex(i)
        if v is None or len(flow.successors(v)):
            continue
        others = set(snapshot.readers(i).tolist()) - set(snapshot.writers(i).tolist())
        if others <= instant.testing:
            ends.append(i)
    return ends


def exclusive_ancestors(instant: Instant, ends: Collection[int]) -> dict[int, int]:
    """Datasets all of whose data ends up in ``ends``, with an end that each serves; ends that nothing else needs too.

    A dataset counts when every dataset that it leads to counts, and every job that reads it either tests or writes
    nothing else. A cycle counts as a whole.
    """
    snapshot, flow, level = instant.snapshot, flow_of(instant), instant.snapshot.level("dataset")
    found, small = flow.components, flow.condensation.flow
    wanted = set(ends)
    above = snapshot.walk(sorted(wanted), "upstream").nodes.tolist() if wanted else []
    near = {v for i in (*wanted, *above) if (v := level.vertex(i)) is not None}
    counted: dict[int, int] = {}  # component -> the end it serves
    serves: dict[int, int] = {}
    for c in sorted({int(found.component[v]) for v in near}, reverse=True):  # readers first
        members = [int(flow.public[v]) for v in found.members(c)]
        after = small.successors(c).tolist()
        here = [i for i in members if i in wanted]
        if not (here or after) or any(d not in counted for d in after):
            continue
        if all(_reads_for(instant, i, serves, members) for i in members):
            counted[c] = min(here) if here else min(counted[d] for d in after)
            serves.update((i, counted[c]) for i in members if snapshot.kind[i] == DATASET)
    return serves


def removal_plan(instant: Instant, ends: Collection[int]) -> Plan:
    """The order in which ``ends`` and what only they need can be removed: jobs before what they write and read."""
    snapshot, flow, level = instant.snapshot, flow_of(instant), instant.snapshot.level("dataset")
    serves = exclusive_ancestors(instant, ends)
    place = {i: int(flow.components.component[v]) for i in serves if (v := level.vertex(i)) is not None}
    jobs: dict[int, int] = {}
    shared: list[tuple[int, int]] = []
    for i in sorted(serves):
        for job in sorted({*snapshot.writers(i).tolist(), *snapshot.readers(i).tolist()}):
            outputs, inputs = snapshot.outputs(job).tolist(), snapshot.inputs(job).tolist()
            if outputs and all(d in serves for d in outputs):
                jobs[job] = min(place[d] for d in outputs)
            elif not outputs and all(d in serves for d in inputs):
                jobs[job] = max(place[d] for d in inputs)
            elif i in outputs:
                shared.append((job, i))
    waits = {
        i: min(
            [place[i], *(jobs[j] for j in (*snapshot.writers(i).tolist(), *snapshot.readers(i).tolist()) if j in jobs)]
        )
        for i in serves
    }
    order = sorted([*((-at, 0, job) for job, at in jobs.items()), *((-at, 1, i) for i, at in waits.items())])
    served = dict(serves)
    for job in jobs:
        beside = snapshot.outputs(job).tolist() or snapshot.inputs(job).tolist()
        served[job] = min(serves[d] for d in beside)
    cycles: dict[int, list[int]] = {}
    for i, c in place.items():
        cycles.setdefault(c, []).append(i)
    together = {i: tuple(sorted(set(cycles[c]) - {i})) for i, c in place.items() if len(cycles[c]) > 1}
    return Plan(tuple(i for _, _, i in order), served, together, tuple(shared))


def dead(view: View, ends: Sequence[int] | None = None, keep: Collection[int] = ()) -> DeadBranches:
    """Unread datasets with what exists only for each; of given ones also a safe order to remove all of it.

    Without ``ends`` there are no steps: that nobody was seen reading a dataset does not make it useless.

    Parameters
    ----------
    view
        the instant and the actor; a branch with a hidden dataset is left out.
    ends
        dense indices of datasets that are not needed; default: all unread ones that were there at the instant. One that
        is still read is refused.
    keep
        datasets that are needed although nobody was seen reading them: reports, exports.

    Raises
    ------
    UsageError
        for an end that something else still reads, or that is no dataset.
    """
    from lineage import __version__

    instant = view.instant
    gone = absent(view.instant) if ends is None else frozenset()
    given = [
        i for i in (unread_datasets(instant) if ends is None else ends)
        if i not in set(keep) and i not in gone and not view.hidden(i)
    ]  # fmt: skip
    plan = Plan((), {}, {}, ()) if ends is None and not view.restricted else removal_plan(instant, given)
    order = () if ends is None else plan.order
    for i in given if ends is not None else ():
        if i not in plan.serves and view.kind(i) != "dataset":
            raise UsageError(f"{view.label(i)} is a {view.kind(i)}; only datasets can be unread.")
        if i not in plan.serves:
            raise UsageError(f"{view.label(i)} is still read; see meshline impact.")
    masked = {plan.serves[i] for i in plan.order if view.hidden(i)}  # a branch with a hidden part is not told
    shown = [i for i in order if plan.serves[i] not in masked]
    branches = [_branch(view, i) for i in given if i not in masked]
    notes = tuple(
        f"{view.label(job)}: goes on for other outputs; take {view.label(i)} out of it"
        for job, i in (plan.shared if order else ())
        if not view.hidden(job) and not view.hidden(i)
    )
    circles = circle_notes(view, [i for i in given if ends is not None and i not in masked], "downstream")
    return DeadBranches(
        as_of=view.as_of,
        known_at=view.known_at,
        unread=tuple(sorted(branches, key=lambda b: (-b.exclusive, b.id))),
        steps=tuple(_step(view, plan, number, i) for number, i in enumerate(shown, 1)),
        notes=(*circles, *notes),
        generated_by=f"meshline {__version__}",
        fingerprint=instant.fingerprint,
    )


def cycles(view: View) -> Cycles:
    """Where data goes in circles, the largest first; self-loops are no cycles, and one of hidden nodes is not told."""
    snapshot, flow = view.snapshot, flow_of(view.instant)
    found = []
    for c in flow.components.cyclic.tolist():
        inside = {int(flow.public[v]) for v in flow.components.members(c)}
        datasets = sorted(i for i in inside if snapshot.kind[i] == DATASET)
        if len(datasets) < 2 or any(view.hidden(i) for i in inside):
            continue
        edges = [edge for i in datasets for edge in snapshot.neighbours(i, "downstream") if edge.dst in inside]
        jobs = {view.label(job) for edge in edges for job in edge.jobs}
        domains = {view.domain(i) for i in datasets}
        found.append(Cycle(tuple(sorted(map(view.label, datasets))), tuple(sorted(jobs)), tuple(sorted(domains))))
    ordered = sorted(found, key=lambda cycle: (-len(cycle.datasets), cycle.datasets))
    return Cycles(view.as_of, view.known_at, tuple(ordered))


# -- inside


def _reads_for(instant: Instant, i: int, serves: dict[int, int], members: Sequence[int]) -> bool:
    """Whether every job that reads a dataset does so for what counts."""
    if instant.snapshot.kind[i] != DATASET:
        return True
    for job in instant.snapshot.readers(i).tolist():
        outputs = instant.snapshot.outputs(job).tolist()
        if not outputs and job not in instant.testing:
            return False
        if any(d not in serves and d not in members for d in outputs):
            return False
    return True


def _branch(view: View, i: int) -> Branch:
    figures, v = figures_of(view.instant), view.snapshot.level("dataset").vertex(i)
    written = bool(len(view.snapshot.writers(i)) or view.snapshot.neighbours(i, "upstream"))
    exclusive = 0 if v is None else int(figures.feeders[v])
    return Branch(view.label(i), view.domain(i), view.owner(i), exclusive, written)


def _step(view: View, plan: Plan, number: int, i: int) -> Step:
    return Step(
        order=number,
        id=view.label(i),
        kind="job" if view.kind(i) == "job" else "dataset",
        because=view.label(plan.serves[i]),
        together=tuple(view.label(other) for other in plan.together.get(i, ())),
        domain=view.domain(i),
        owner=view.owner(i),
    )
