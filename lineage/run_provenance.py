"""Provenance down to runs: the exact runs and input versions that made the version of a dataset that was current at T.

* The version current at T was made by the last run that wrote the dataset and was complete at T. Its name is what the
  producer's ``version`` facet says; without one the run is its name. A stream has no versions: the run that was writing
  at T stands for them, and is listed as a blind spot.
* What a run fed into a dataset are the edges that this run showed, so that pairs which explicit lineage ruled out do
  not come back.
* An input is tied to the run whose output has the version that the reader named; else to the newest write that was
  complete when the reader began. If writes do name versions and none is the one that was read, it is tied to none.
* A pair of dataset and run is visited once, so tables that are computed from themselves end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lineage.diff_causes import code_place
from lineage.errors import UsageError
from lineage.origin import told_without_origin
from lineage.presence import told_later
from lineage.redact import redact
from lineage.run_facts import RunFacts, RunRow, Write
from lineage.run_trail import ColumnUse, InputVersion, RunStep, RunTrail, Tie
from lineage.times import iso

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.view import View

MOST = 1_000  # versions that are followed; an incremental table may rest on ten thousand
_GUESSED = 500  # datasets that are looked up ahead at once
Version = tuple[int, int]  # (run key, dense index of the dataset)


def run_provenance(view: View, node: int, *, depth: int | None = None, limit: int = MOST) -> RunTrail:
    """Every run behind a dataset, a column, or the last run of a job.

    Parameters
    ----------
    view
        the instant and the actor.
    node
        dense index. Of a column only the inputs that its column edges name are followed.
    depth
        greatest number of steps back; ``None`` for no limit.
    limit
        greatest number of versions.

    Raises
    ------
    HiddenNodeError
        when the actor may not see the node.
    UsageError
        for a limit that makes no sense.
    """
    view.require(node)
    if limit < 1:
        raise UsageError(f"limit: {limit} is not 1 or more.")
    return _Trail(view, node, depth, limit).answer()


class _Trail:
    """One question while it is being answered, nearest versions first."""

    def __init__(self, view: View, node: int, depth: int | None, limit: int) -> None:
        self.view, self.node, self.depth, self.limit = view, node, depth, limit
        self.facts = RunFacts(view)
        self.column = view.kind(node) == "column"
        self.steps: dict[Version, RunStep] = {}
        self.traced: dict[Version, set[int]] = {}
        self.read: dict[Version, dict[int, Version]] = {}  # by input of a version, the version that was read of it
        self.spots: list[str] = []
        self.behind: set[Version] = set()
        self.ahead = 1  # steps back that the next look into the store goes beyond what is asked

    def answer(self) -> RunTrail:
        frontier = self._first()
        first = {version: set(columns) for version, columns in frontier.items()}
        hops = 0
        while frontier:
            if self.depth is not None and hops > self.depth:
                self.behind |= frontier.keys() - self.steps.keys()
                break
            frontier = self._level(frontier, hops)
            hops += 1
        lost = self.view.instant.horizon_notes
        direct = self._directly(first)
        steps = (step if at in direct else replace(step, use="indirect") for at, step in self.steps.items())
        return RunTrail(
            node=self.view.label(self.node),
            verdict="found" if self.steps else "blind",
            as_of=self.view.as_of,
            known_at=self.view.known_at,
            steps=tuple(steps),
            blind_spots=tuple(dict.fromkeys((*lost, *self.spots))),
            partial=bool(self.behind or lost),
            behind=len(self.behind),
        )

    def _first(self) -> dict[Version, set[int]]:
        """The versions that were current at T."""
        view = self.view
        kind = view.kind(self.node)
        dataset = view.snapshot.dataset_of(self.node) if self.column else self.node
        datasets = [int(i) for i in view.snapshot.outputs(self.node)] if kind == "job" else [dataset]
        if later := told_later(view, self.node):
            self.spots += later
            return {}
        if kind == "job" and not datasets:
            self.spots.append(f"{view.label(self.node)}: was never seen writing")
        self.facts.load_writes(datasets)
        found: dict[Version, set[int]] = {}
        for i in datasets:
            if view.hidden(i):
                continue
            writes = self.facts.writes(i)
            if kind == "job":
                writes = [w for w in writes if view.snapshot.index(w.job) == self.node]
            write, _ = self._current(i, writes, view.snapshot.as_of)
            if write is not None:
                found[write.run, i] = {self.node} if self.column else set()
        return found

    def _current(self, dataset: int, writes: list[Write], at: datetime) -> tuple[Write | None, Tie]:
        """The write that made what could be read of a dataset at an instant."""
        label = self.view.label(dataset)
        streams = [w for w in writes if w.stream and w.started_at <= at and (w.ended_at is None or w.ended_at > at)]
        if streams:
            self.spots.append(f"{label}: is written by a stream, so it has no version of its own")
            return streams[-1], "stream"
        done = [w for w in writes if w.state == "COMPLETE" and w.ended_at is not None and w.ended_at <= at]
        open_ = [w for w in writes if w.ended_at is None and not w.stream and w.started_at <= at]
        if open_ and (not done or open_[-1].started_at > done[-1].started_at):
            self.spots.append(f"{label}: a run that wrote it had not ended at {iso(at)}, so it is not followed")
        if done and done[-1].dropped:
            self.spots.append(f"{label}: was dropped at {iso(done[-1].ended_at)}")
            return None, "none"
        if done:
            return done[-1], "time"
        reason = (
            f"no complete run was seen writing it before {iso(at)}" if writes else "no job was ever seen writing it"
        )
        self.spots.append(f"{label}: {reason}")
        return None, "none"

    def _level(self, frontier: dict[Version, set[int]], hops: int) -> dict[Version, set[int]]:
        """Steps of one distance, and the versions right behind them."""
        room = self.limit - len(self.steps)
        fresh = [version for version in frontier if version not in self.steps]
        self.behind |= set(fresh[room:])
        wanted = [version for version in frontier if version not in self.behind]
        self._load([version for version in wanted if version not in self.facts.loaded])
        self.facts.load_writes(sorted({s for version in wanted for s in self.facts.feeds.get(version, ())}))
        following: dict[Version, set[int]] = {}
        for version in wanted:
            if version[0] in self.facts.runs:
                self._visit(version, frontier[version], hops, following)
        return following

    def _load(self, versions: list[Version]) -> None:
        """Look up some versions, and with them what probably lies behind: each time twice as far.

        A chain of two hundred steps is looked up in eight goes instead of two hundred. What lies behind is guessed to
        be the newest writes that were complete when the newest of the asked runs began; a wrong guess is not used.
        """
        if not versions:
            return
        datasets = {dataset for _, dataset in versions}
        depth = self.ahead if self.depth is None else min(self.ahead, self.depth)
        behind = self.view.snapshot.walk(sorted(datasets), "upstream", depth=depth).nodes[:_GUESSED].tolist()
        self.ahead *= 2
        self.facts.load_writes([*datasets, *behind])
        asked = set(versions)
        begun = max((w.started_at for i in datasets for w in self.facts.writes(i) if (w.run, i) in asked), default=None)
        guessed = [
            (write.run, i)
            for i in behind
            for write in [w for w in self.facts.writes(i) if begun and w.ended_at and w.ended_at <= begun][-1:]
        ]
        self.facts.load_runs([*versions, *guessed])

    def _visit(self, version: Version, columns: set[int], hops: int, following: dict[Version, set[int]]) -> None:
        """Note one version and queue its inputs."""
        run, dataset = version
        row = self.facts.runs[run]
        known = self.traced.setdefault(version, set())
        if version in self.steps and columns <= known:
            return
        known |= columns
        inputs = []
        for source in self.facts.feeds.get(version, ()):
            uses = self._uses(run, dataset, source, known)
            if self.column and not uses:
                continue
            read, write = self._input(row, source, uses)
            if read not in inputs or not self.view.hidden(source):  # of a hidden domain once, however many they are
                inputs.append(read)
            if write is not None:
                self.read.setdefault(version, {})[source] = write.run, source
                behind = self._sources(run, dataset, source, known)
                following.setdefault((write.run, source), set()).update(behind)
        self._note_silence(row, dataset)
        old = self.steps.get(version)
        self.steps[version] = replace(old, inputs=tuple(inputs)) if old else self._step(row, dataset, hops, inputs)

    def _directly(self, first: dict[Version, set[int]]) -> dict[Version, set[int]]:
        """Versions whose values are in the first ones, of a column with the columns that they are in."""
        found, waiting = dict(first), list(first)
        while waiting:
            version = waiting.pop()
            for source, behind in self.read.get(version, {}).items():
                edges = list(self._edges(*version, source, found[version]))
                values = [edge for edge in edges if (edge[2] or "").upper() != "INDIRECT"]
                if not values and (edges or self.column):
                    continue
                columns = {edge[0] for edge in values} if self.column else set()
                if behind not in found or not columns <= found[behind]:
                    found[behind] = found.get(behind, set()) | columns
                    waiting.append(behind)
        return found

    def _note_silence(self, row: RunRow, dataset: int) -> None:
        """Blind spots of a run that told nothing of what went into a dataset, or no columns of it."""
        label, name = self.view.label(dataset), self._run_name(row)
        if not self.facts.feeds.get((row.run, dataset)):
            job = self.view.snapshot.index(row.job)
            if not told_without_origin(self.view, [dataset, *([job] if job is not None else [])]):
                self.spots.append(f"{label}: {name} told of nothing that it read")
        elif self.column and not any(self._home(edge[1]) == dataset for edge in self.facts.columns[row.run]):
            self.spots.append(f"{label}: {name} told no columns")

    def _input(self, reader: RunRow, source: int, uses: tuple[ColumnUse, ...]) -> tuple[InputVersion, Write | None]:
        """One input of a run: how it is shown, and the write that is followed."""
        view = self.view
        if view.hidden(source):
            return InputVersion(view.label(source), "none", domain=view.domain(source)), None
        if view.kind(source) == "job":
            self.spots.append(
                f"{view.label(source)}: feeds {self._run_name(reader)} directly; by which run was not told"
            )
            return InputVersion(view.label(source), "none", domain=view.domain(source)), None
        named = self.facts.named.get((reader.run, source))
        write, tie = self._tie(reader, source, named)
        told = write is not None and not view.hidden(_index(view, write.job))
        found = InputVersion(
            dataset=view.label(source),
            tie=tie,
            version=named or (write.version if write else None),
            run_id=write.run_id if write and told else None,
            job=view.label(_index(view, write.job)) if write else None,
            written_at=write.ended_at if write else None,
            domain=view.domain(source),
            columns=uses,
            use="indirect" if (mere := bool(uses) and all(use.indirect for use in uses)) else "direct",
            subtypes=tuple(dict.fromkeys(use.subtype for use in uses if use.subtype)) if mere else (),
        )
        return found, write

    def _tie(self, reader: RunRow, source: int, named: str | None) -> tuple[Write | None, Tie]:
        writes = [w for w in self.facts.writes(source) if w.run != reader.run]
        if named is None:
            return self._current(source, writes, self.facts.reads_until(reader))
        same = [w for w in writes if w.version == named]
        if same:
            return same[-1], "version"
        self.spots.append(
            f"{self.view.label(source)}: {self._run_name(reader)} read version {named}, which no known run wrote"
        )
        if any(w.version is not None for w in writes):
            return None, "none"
        return self._current(source, writes, self.facts.reads_until(reader))

    # -- columns

    def _home(self, i: int | None) -> int | None:
        if i is None:
            return None
        return self.view.snapshot.dataset_of(i) if self.view.kind(i) == "column" else i

    def _edges(self, run: int, dataset: int, source: int, wanted: set[int]) -> Iterable[tuple[Any, ...]]:
        """Column edges of a run between two datasets; with traced columns, those that lead to one of them."""
        for edge in self.facts.columns[run]:
            into = edge[1] == dataset or (self._home(edge[1]) == dataset and (not self.column or edge[1] in wanted))
            if edge[0] is not None and into and self._home(edge[0]) == source:
                yield edge

    def _uses(self, run: int, dataset: int, source: int, wanted: set[int]) -> tuple[ColumnUse, ...]:
        if self.view.hidden(source):
            return ()
        label = self.view.label
        return tuple(
            sorted(
                (
                    ColumnUse(label(src), label(dst), type_, subtype, masking)
                    for src, dst, type_, subtype, masking in self._edges(run, dataset, source, wanted)
                ),
                key=lambda use: (use.dst, use.src, use.type or "", use.subtype or ""),
            )
        )

    def _sources(self, run: int, dataset: int, source: int, wanted: set[int]) -> set[int]:
        return {edge[0] for edge in self._edges(run, dataset, source, wanted)} if self.column else set()

    # -- how a run is shown

    def _step(self, row: RunRow, dataset: int, hops: int, inputs: list[InputVersion]) -> RunStep:
        view = self.view
        job = _index(view, row.job)
        hidden = view.hidden(job)
        own, jobs = self.facts.code.get(row.job_facets or 0, {}), self.facts.job_code.get(row.run, {})
        code = {} if hidden else {**jobs, **own}
        sql = code.get("sql", {}).get("query") if isinstance(code.get("sql"), dict) else None
        withheld = view.restricted and any(view.hidden(i) for i in self.facts.feeds.get((row.run, dataset), ()))
        text = sql if isinstance(sql, str) and not withheld else None
        if row.run in self.facts.gaps and not hidden:
            self.spots.append(f"{self._run_name(row)}: lineage is incomplete, {self.facts.gaps[row.run]}")
        mine = [w for w in self.facts.writes(dataset) if w.run == row.run]
        write = mine[-1] if mine else None
        parent = view.snapshot.index(row.parent_job) if row.parent_job else None
        return RunStep(
            hops=hops,
            dataset=view.label(dataset),
            version=write.version if write else None,
            run_id="" if hidden else row.run_id,
            job=view.label(job),
            state=write.state if write else row.state,
            started_at=row.started_at,
            ended_at=write.ended_at if write else row.ended_at,
            producer=None if hidden else row.producer,
            engine=None if hidden else row.engine,
            nominal_start=row.nominal_start,
            nominal_end=row.nominal_end,
            conflict=bool(row.conflict),
            parent=view.label(parent) if parent is not None else None,
            code=code_place(code.get("sourceCodeLocation")),
            told_by="run" if own else "job" if code else None,
            sql=redact(text) if text else None,
            sql_hash=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() if text else None,
            owner=view.owner(dataset),
            domain=view.domain(dataset),
            inputs=tuple(inputs),
        )

    def _run_name(self, row: RunRow) -> str:
        job = _index(self.view, row.job)
        label = self.view.label(job)
        return label if self.view.hidden(job) else f"run {row.run_id} of {label}"


def _index(view: View, job: int) -> int:
    found = view.snapshot.index(job)
    assert found is not None, "every run's job is a node"
    return found
