"""The graph of runs and dataset versions.

A *version* is what one run wrote into one dataset. An edge leads from a version to each that was made from it, and from
a run to what it made. No edge leads into a run, so that no walk goes through one to join an input with an output that
the producer has ruled out. Which version a run read is told as in :mod:`lineage.run_provenance`: the one that it named,
else the newest that was complete when it began, or what a stream was writing then.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lineage.errors import UsageError
from lineage.graph.arrays import DATASET
from lineage.run_facts import RunFacts, RunRow, Write

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.run_trail import Tie
    from lineage.view import View

MOST_VERSIONS = 200_000
Version = tuple[int, int]  # run, dense index of the dataset


@dataclass(slots=True)
class _Written:
    """Writes of one dataset, in the order of their ends, ready to be looked up."""

    done: list[Write] = field(default_factory=list)
    ends: list[datetime] = field(default_factory=list)
    streams: list[Write] = field(default_factory=list)
    named: dict[str, list[Write]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, writes: list[Write]) -> _Written:
        found = cls()
        for write in writes:
            if write.stream:
                found.streams.append(write)
            if write.state == "COMPLETE" and write.ended_at is not None:
                found.done.append(write)
                found.ends.append(write.ended_at)
            if write.version is not None:
                found.named[write.version].append(write)
        return found

    def read_by(self, reader: RunRow, named: str | None, at: datetime) -> tuple[Write | None, Tie]:
        """What a run read that looked at ``at``."""
        if named is not None:
            same = [write for write in self.named.get(named, ()) if write.run != reader.run]
            if same:
                return same[-1], "version"
            if any(write.run != reader.run for writes in self.named.values() for write in writes):
                return None, "none"
        open_ = [w for w in self.streams if w.started_at <= at and (w.ended_at is None or w.ended_at > at)]
        open_ = [write for write in open_ if write.run != reader.run]
        if open_:
            return open_[-1], "stream"
        place = bisect_right(self.ends, at)
        while place and self.done[place - 1].run == reader.run:
            place -= 1
        if not place or self.done[place - 1].dropped:
            return None, "none"
        return self.done[place - 1], "time"


@dataclass(frozen=True, slots=True)
class RunGraph:
    """Nodes and edges of the level: texts, the dense index behind each (a job or a dataset), and what else is known."""

    labels: list[str]
    nodes: list[int]
    facts: list[Mapping[str, Any]]
    src: list[int]
    dst: list[int]
    uses: list[Mapping[str, Any]]


def run_graph(view: View) -> RunGraph:
    """All runs that wrote something until T as known at K, what they wrote, and what that was made from.

    What an actor may not see is left out, and ways end there.

    Raises
    ------
    UsageError
        when there are more than :data:`MOST_VERSIONS` versions.
    """
    datasets = view.nodes(DATASET).tolist()
    facts = RunFacts(view)
    facts.load_writes(datasets)
    writes = {(write.run, i): write for i in datasets for write in facts.writes(i)}
    if len(writes) > MOST_VERSIONS:
        raise UsageError(
            f"level run: {len(writes):,} versions are more than {MOST_VERSIONS:,}; ask for the provenance of single "
            "datasets (provenance --runs), or for an earlier --as-of."
        )
    facts.load_runs(writes, code=False)
    versions = sorted((pair for pair in writes if pair[0] in facts.runs), key=lambda p: (writes[p].started_at, p))
    runs = [run for run in dict.fromkeys(run for run, _ in versions) if _visible_job(view, facts.runs[run]) is not None]
    keys: list[int | Version] = [*runs, *versions]
    place = {key: k for k, key in enumerate(keys)}
    edges: list[tuple[int | Version, Version, dict[str, str]]] = [
        (run, (run, i), {"certainty": "certain", "use": "direct", "tie": "made"}) for run, i in versions if run in place
    ]
    edges += _made_from(facts, versions)
    edges = [edge for edge in edges if edge[0] in place]
    labels = [_run_label(view, facts.runs[run]) for run in runs]
    labels += [f"version:{_name(view.label(i))}:{_told(writes[run, i])}" for run, i in versions]
    return RunGraph(
        labels=_distinct(labels, [*runs, *(run for run, _ in versions)]),
        nodes=[*(_job(view, facts.runs[run]) for run in runs), *(i for _, i in versions)],
        facts=[
            *(_of_run(view, facts.runs[run]) for run in runs),
            *(_of_version(view, writes[run, i], i) for run, i in versions),
        ],
        src=[place[edge[0]] for edge in edges],
        dst=[place[edge[1]] for edge in edges],
        uses=[edge[2] for edge in edges],
    )


def _made_from(facts: RunFacts, versions: list[Version]) -> Iterator[tuple[Version, Version, dict[str, str]]]:
    written: dict[int, _Written] = {}
    indirect = facts.indirect_inputs({run for run, _ in versions})
    for run, dataset in versions:
        reader = facts.runs[run]
        at = facts.reads_until(reader)
        for source in facts.feeds.get((run, dataset), ()):
            if source not in written:
                written[source] = _Written.of(facts.writes(source))
            write, tie = written[source].read_by(reader, facts.named.get((run, source)), at)
            if write is not None:
                certainty = "certain" if tie == "version" else "probable"
                use = "indirect" if (run, dataset, source) in indirect else "direct"
                yield (write.run, source), (run, dataset), {"certainty": certainty, "use": use, "tie": tie}


def _job(view: View, row: RunRow) -> int:
    found = view.snapshot.index(row.job)
    assert found is not None
    return found


def _visible_job(view: View, row: RunRow) -> int | None:
    found = view.snapshot.index(row.job)
    return None if found is None or view.hidden(found) else found


def _name(label: str) -> str:
    return label.partition(":")[2]


def _told(write: Write) -> str:
    return write.version or write.run_id


def _run_label(view: View, row: RunRow) -> str:
    return f"run:{_name(view.label(_job(view, row)))}:{row.run_id}"


def _distinct(labels: list[str], runs: list[int]) -> list[str]:
    """Labels made different from each other by the number of their run where two are alike."""
    seen: dict[str, int] = defaultdict(int)
    for label in labels:
        seen[label] += 1
    return [label if seen[label] == 1 else f"{label} ({run:016x})" for label, run in zip(labels, runs, strict=True)]


def _of_run(view: View, row: RunRow) -> dict[str, Any]:
    return {
        "kind": "run",
        "job": view.label(_job(view, row)),
        "run_id": row.run_id,
        "state": row.state,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
    }


def _of_version(view: View, write: Write, dataset: int) -> dict[str, Any]:
    job = view.snapshot.index(write.job)
    hidden = job is None or view.hidden(job)
    return {
        "kind": "version",
        "dataset": view.label(dataset),
        "version": write.version,
        "run_id": None if hidden else write.run_id,
        "job": None if job is None else view.label(job),
        "state": write.state,
        "written_at": write.ended_at,
    }
