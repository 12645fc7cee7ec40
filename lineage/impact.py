"""Impact: everything downstream of a node, for the engineer who wants to change it.

An empty answer has two meanings (semantics 18), and :attr:`lineage.answers.Answer.verdict` says which:

``none``
    nothing that Meshline knows of uses the node, and it was seen well enough to say so: runs or declarations touched
    it and ended. A job that tests data and writes none has no impact.
``blind``
    nothing was found, but from here nothing could have been. For any node: it is first told of after the asked instant
    (:mod:`lineage.presence`). For a dataset: it is known by name only (no run and no
    declaration ever read or wrote it), or every run that touched it has still to end. For a job: it was only ever seen
    reading, or seen with no dataset at all, so what it writes was not told. For a column: jobs use its dataset without
    telling which columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.answered import answer
from lineage.origin import ended_at
from lineage.presence import absent, told_later
from lineage.reach import Asked, Reach, cut, named, open_runs, reach
from lineage.untold import untold

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.answers import Answer
    from lineage.group_question import Group
    from lineage.view import View


def impact(view: View, source: int | Group, asked: Asked | None = None) -> Answer:
    """Everything downstream of a node, or of all datasets of a product or domain.

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
    reached = reach(view, source, "downstream", asked.deepest, asked.filters, bridge=asked.bridge)
    return answer(view, reached, blind_here(view, reached), blind_further(view, reached), asked)


def blind_here(view: View, reached: Reach) -> list[str]:
    """Why nothing can be concluded when nothing was found; empty when "nothing" means nothing."""
    column = reached.level == "column"
    if reached.group is None:
        return blind_at(view, reached.sources[0], columns=column, empty=not reached.found)
    return blind_of_group(view, reached.group, lambda i: blind_at(view, i, columns=column, empty=False))


def blind_of_group(view: View, group: Group, ask: Callable[[int], list[str]]) -> list[str]:
    """Why nothing can be concluded of single datasets of a group, or of all of it when it has none."""
    if not group.nodes:
        return [group.unseen]
    later = absent(view.instant)
    return cut(spot for i in group.nodes for spot in (told_later(view, i) if i in later else ask(i)))


def blind_at(view: View, node: int, *, columns: bool = False, empty: bool = True) -> list[str]:
    """Why "nobody uses it" cannot be concluded of a node.

    Parameters
    ----------
    view
        the instant and the actor.
    node
        its dense index.
    columns
        whether only columns were asked for, so that a dataset is as blind as its columns are.
    empty
        whether nothing was found; only then it is looked up whether the node was there yet.
    """
    kind = view.kind(node)
    if kind == "dataset" and columns:
        kind = "column"
    ask = {"dataset": _blind_dataset, "job": _blind_job, "column": _blind_column}[kind]
    return (told_later(view, node) if empty else []) or ask(view, node)


def unfinished(view: View, jobs: list[int]) -> bool:
    """Whether all runs of all these jobs have still to end."""
    if not jobs or not open_runs(view, jobs):
        return False
    sql = """
    -- whether any run of these jobs has ended at T as known at K
    SELECT 1 FROM run WHERE job IN (SELECT unnest($jobs::UBIGINT[])) AND ended_at <= $at
      AND known_from <= $known AND known_to > $known LIMIT 1
    """
    members = [member for job in jobs for member in view.snapshot.members(job)]
    when = {"jobs": members, "at": view.snapshot.as_of, "known": view.snapshot.known_at}
    return not view.store.rows(sql, when)


def touched(view: View, dataset: int) -> list[int]:
    """Jobs that read or write a dataset."""
    snapshot = view.snapshot
    return [int(job) for job in {*snapshot.readers(dataset).tolist(), *snapshot.writers(dataset).tolist()}]


def _blind_dataset(view: View, source: int) -> list[str]:
    snapshot = view.snapshot
    jobs = touched(view, source)
    if not jobs and not snapshot.neighbours(source, "upstream") and not snapshot.neighbours(source, "downstream"):
        if ended_at(view, [source]):  # it was read or written, and that is over: known well enough to say "nothing"
            return []
        return [f"{view.label(source)}: known by name only; no run or declaration was seen to read or write it"]
    if unfinished(view, jobs):
        return [f"{view.label(source)}: no run that touched it has ended yet"]
    return []


def _blind_job(view: View, source: int) -> list[str]:
    snapshot = view.snapshot
    if snapshot.neighbours(source, "downstream"):
        return []
    label = view.label(source)
    if open_runs(view, [source]):
        return [f"{label}: has runs that have not ended, and no outputs so far"]
    if source in view.instant.testing:
        return []
    if len(snapshot.inputs(source)):
        if ended_at(view, [source], "src", "write"):
            return []
        return [f"{label}: was only ever seen reading; what it writes was not told"]
    if inside := contains(view, source):
        return [f"{label}: moves no data itself; {inside}"]
    return [f"{label}: was never seen with a dataset"]


def contains(view: View, job: int) -> str:
    """What to ask for instead of a job that only contains others; nothing when it contains none."""
    children = view.snapshot.children(job).tolist()
    seen = [child for child in children if not view.hidden(child)]
    if seen:
        return f"ask for one of the {len(seen)} jobs it contains"
    return f"the jobs it contains are {' and '.join(sorted({view.label(c) for c in children}))}" if children else ""


def _blind_column(view: View, source: int) -> list[str]:
    snapshot = view.snapshot
    dataset = snapshot.dataset_of(source) if view.kind(source) == "column" else source
    spots = []
    if mute := [i for i in untold(snapshot, dataset, "downstream") if view.kind(i) == "dataset"]:
        words, one = view.several(mute, "dataset")
        spots.append(
            f"{view.label(dataset)}: {words} {'comes' if one else 'come'} from it without telling from which columns"
        )
    silent = [job for job in snapshot.readers(dataset).tolist() if not len(snapshot.outputs(job))]
    if silent:
        words, one = view.several(silent, "job")
        spots.append(f"{view.label(dataset)}: {words} {'reads' if one else 'read'} it without telling which columns")
    return spots or _blind_dataset(view, dataset)


def blind_further(view: View, reached: Reach) -> list[str]:
    """Blind spots behind the asked node: jobs at the end of the answer that never told what they write."""
    told = view.instant.writing | view.instant.testing
    ends = [
        job
        for job in reached.of_kind(view, "job")
        if job not in reached.sources and job not in told and not view.hidden(job)
    ]
    ends = [job for job in ends if not view.snapshot.neighbours(job, "downstream")]  # it hands on to other jobs
    before = ended_at(view, ends, "src", "write")  # what it wrote was dropped
    ends = [job for job in ends if job not in before]
    return named(view, ends, "was only ever seen reading; what it writes was not told")
