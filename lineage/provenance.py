"""Provenance: everything upstream of a node, for the auditor who asks where figures come from.

An empty answer has two meanings (semantics 18), and :attr:`lineage.answers.Answer.verdict` says which:

``none``
    the node was told to have no origin: an explicit lineage facet with ``inputs: []``; for a column, its dataset has
    column lineage that names no source for it.
``blind``
    nothing was found, but there must be something: the node is first told of after the asked instant; no job was ever
    seen writing the dataset; the job was only ever seen writing; the column's dataset comes from others without telling
    from which columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.answered import answer
from lineage.dropped import dropped
from lineage.impact import blind_of_group, contains
from lineage.origin import ended_at, told_without_origin
from lineage.presence import told_later
from lineage.reach import Asked, Reach, named, open_runs, reach, without_writer
from lineage.run_facts import incomplete
from lineage.times import iso
from lineage.untold import untold

if TYPE_CHECKING:
    from lineage.answers import Answer
    from lineage.group_question import Group
    from lineage.view import View

_PARTS = """
-- datasets of which the last thing told is that only a part was read or written
SELECT DISTINCT entity FROM facet WHERE key = 'subset' AND body <> 0
  AND valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known
"""
_LOOKED_UP = 50  # jobs, nearest first, of whose last run the events are read


def provenance(view: View, source: int | Group, asked: Asked | None = None) -> Answer:
    """Everything upstream of a node, or of all datasets of a product or domain.

    Parameters
    ----------
    view
        the instant and the actor.
    source
        dense index of the asked node, or a group.
    asked
        depth and filters; default: everything.

    Raises
    ------
    HiddenNodeError
        when the actor may not see the node.
    """
    if isinstance(source, int):
        view.require(source)
    asked = asked or Asked()
    reached = reach(view, source, "upstream", asked.deepest, asked.filters, bridge=asked.bridge)
    spots = [*blind_further(view, reached), *gaps(view, reached)]
    return answer(view, reached, blind_here(view, reached), spots, asked)


def blind_here(view: View, reached: Reach) -> list[str]:
    """Why nothing can be concluded when nothing was found; empty when "nothing" means nothing."""
    if reached.group is not None:
        ask = _blind_column if reached.level == "column" else _blind_dataset
        return blind_of_group(view, reached.group, lambda i: ask(view, i))
    source = reached.sources[0]
    kind = view.kind(source)
    if kind == "dataset" and reached.level == "column":
        kind = "column"
    ask = {"dataset": _blind_dataset, "job": _blind_job, "column": _blind_column}[kind]
    return (told_later(view, source) if not reached.found else []) or ask(view, source)


def _blind_dataset(view: View, source: int) -> list[str]:
    if not without_writer(view, [source]) or told_without_origin(view, [source]):
        return []
    return unwritten(view, [source])


def _blind_job(view: View, source: int) -> list[str]:
    snapshot = view.snapshot
    if len(snapshot.inputs(source)) or told_without_origin(view, [source]):
        return []
    label = view.label(source)
    if open_runs(view, [source]):
        return [f"{label}: has runs that have not ended, and no inputs so far"]
    if len(snapshot.outputs(source)):
        if ended_at(view, [source], "dst", "read"):
            return [f"{label}: reads nothing any more that is known"]
        return [f"{label}: was only ever seen writing; what it reads was not told"]
    if inside := contains(view, source):
        return [f"{label}: moves no data itself; {inside}"]
    return [f"{label}: was never seen with a dataset"]


def _blind_column(view: View, source: int) -> list[str]:
    snapshot = view.snapshot
    dataset = snapshot.dataset_of(source) if view.kind(source) == "column" else source
    spots = _blind_dataset(view, dataset)
    if spots:
        return spots
    if mute := untold(snapshot, dataset, "upstream"):
        return [
            f"{view.label(dataset)}: comes from {view.several(mute, 'dataset')[0]} without telling from which columns"
        ]
    if not snapshot.neighbours(dataset, "upstream"):
        return [f"{view.label(dataset)}: is written by a job that was never seen reading"]
    return []


def blind_further(view: View, reached: Reach) -> list[str]:
    """Blind spots behind the asked node: datasets nobody was seen writing, jobs that did not tell all they read."""
    if reached.level == "column":
        owners = {view.snapshot.dataset_of(i) for i in reached.found if view.kind(i) == "column"}
        bare = without_writer(view, sorted(owners))
    else:
        bare = without_writer(view, [i for i in reached.of_kind(view, "dataset") if i not in reached.sources])
    spots = unwritten(view, [i for i in bare if not view.hidden(i)])
    starts = [
        job
        for job in reached.of_kind(view, "job")
        if job not in reached.sources
        and job not in view.instant.reading
        and not view.hidden(job)
        and not view.snapshot.neighbours(job, "upstream")
    ]
    known = told_without_origin(view, starts) | ended_at(view, starts, "dst", "read").keys()
    starts = [job for job in starts if job not in known]
    spots += named(view, starts, "was only ever seen writing; what it reads was not told")
    jobs = [job for job in reached.of_kind(view, "job") if not view.hidden(job)]
    for job, what in incomplete(view, jobs[:_LOOKED_UP]).items():
        spots.append(f"{view.label(job)}: lineage of its last run is incomplete, {what}")
    return spots


def unwritten(view: View, datasets: list[int]) -> list[str]:
    """Blind spots of datasets that nobody writes: nobody ever did, it was dropped, or who did does so no more."""
    gone = dropped(view.store, view.snapshot, datasets) if datasets else {}
    ended = ended_at(view, [i for i in datasets if i not in gone], "dst", "lineage", "write")
    spots = named(view, [i for i in datasets if i not in ended and i not in gone], "no job was ever seen writing it")
    spots += [f"{view.label(i)}: was dropped at {iso(at)}" for i, at in sorted(gone.items())]
    return spots + [f"{view.label(i)}: nobody is seen writing it since {iso(at)}" for i, at in sorted(ended.items())]


def gaps(view: View, reached: Reach) -> list[str]:
    """What is not complete in what was told: runs without an end, datasets of which only a part was moved."""
    jobs = [job for job in reached.of_kind(view, "job") if view.instant.open_runs.get(job) and not view.hidden(job)]
    in_parts = view.instant.remember("in parts", lambda: _in_parts(view))
    parts = [i for i in reached.of_kind(view, "dataset") if i in in_parts and not view.hidden(i)]
    spots = named(view, jobs, "has runs that have not ended")
    return spots + named(view, parts, "only a part of it was read or written")


def _in_parts(view: View) -> frozenset[int]:
    """Datasets of which only a part was read or written."""
    when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at}
    found = (view.snapshot.index(entity) for (entity,) in view.store.rows(_PARTS, when))
    return frozenset(i for i in found if i is not None)
