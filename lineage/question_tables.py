"""Path and diff as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.differences import UNKNOWN
from lineage.tables import counted, line, new_console, second, table

if TYPE_CHECKING:
    from lineage.differences import Cause, DiffAnswer, Difference
    from lineage.path_answer import PathAnswer
    from lineage.run_trail import InputVersion, RunStep, RunTrail


def print_path(answer: PathAnswer) -> None:
    """A path with its steps, or why there is none."""
    console = new_console()
    line(console, f"{answer.src} → {answer.dst}", "bold")
    line(console, f"as of {second(answer.as_of)} · known at {second(answer.known_at)}", "dim")
    if answer.verdict == "found":
        rows = [(str(n), step.id, step.domain) for n, step in enumerate(answer.path)]
        table(console, ("Step", "Node", "Domain"), rows)
        line(console, f"This path is {answer.certainty}. The shortest distance is {counted(answer.hops, 'hop')}.")
        for note in answer.notes:
            line(console, note)
        if answer.links:
            line(console, f"{counted(len(answer.links), 'edge')} on all paths:")
            edges = [(link.src, link.dst, f"{link.certainty}, {link.provenance}") for link in answer.links]
            table(console, ("From", "To", "Edge"), edges)
        return
    if answer.verdict == "none":
        line(console, f"No path: {answer.reasons[0]}.")
    else:
        line(console, "Cannot tell: no path was seen, but both sides are open.")
        for reason in answer.reasons:
            line(console, f"  {reason}")
    if answer.reverse:
        line(console, "There is one the other way round.")


_TIES = {"version": "named by the reader", "time": "newest before it began", "stream": "a stream", "none": "unknown"}
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def print_diff(answer: DiffAnswer) -> None:
    """Differences, each with its cause below it, and the totals."""
    console = new_console()
    line(console, answer.title(), "bold")
    line(console, f"known at {second(answer.known_from)} and {second(answer.known_to)}", "dim")
    for change in answer.changes:
        line(console, f"{_SIGNS[change.change]} {_difference(change)}")
        line(console, f"    {_cause(change.cause or UNKNOWN)}", "dim")
    for remark in answer.remarks():
        line(console, remark)
    if answer.verdict == "same":
        line(console, "Nothing differs.")
    elif answer.verdict == "unknown":
        line(console, "Whether anything differs is not known.")


def _difference(change: Difference) -> str:
    where = f"{change.id} → {change.other}" if change.other else change.id
    what = {"column_edge": "column edge", "node": change.kind}.get(change.what, change.what)
    if change.what == "edge" and change.kind != "lineage":
        what = f"edge ({change.kind})"
    sides = [side for side in (change.before, change.after) if side]
    told = f": {' ⇒ '.join(sides)}" if sides else ""
    return f"{what} {where}{f' {change.detail}' if change.detail else ''}{told}"


def _cause(cause: Cause) -> str:
    code = cause.code or {}
    parts = [
        "cause unknown" if cause.reason == UNKNOWN.reason else cause.reason,
        f"at {second(cause.at)}" if cause.at else "",
        f"by {cause.by}" if cause.by else "",
        f"file {cause.file}" if cause.file else "",
        f"by {cause.job}" if cause.job else "",
        f"run {cause.run_id}" if cause.run_id else "",
        f"code {code['version']}" if code.get("version") else "code version unknown" if cause.run_id else "",
        f"producer {cause.producer}" if cause.producer else "",
    ]
    return ", ".join(part for part in parts if part)


def print_trail(trail: RunTrail) -> None:
    """Runs behind a version: each with its code, SQL and inputs."""
    console = new_console()
    line(console, trail.title(), "bold")
    line(console, f"known at {second(trail.known_at)}", "dim")
    for step in trail.steps:
        line(console, f"{step.hops}  {step.dataset}", "bold")
        for text in _facts(step):
            line(console, f"     {text}")
        for read in step.inputs:
            line(console, f"     ← {_read(read)}")
            for use in read.columns if trail.node.startswith("column:") else ():
                kind = " ".join(part for part in (use.type, use.subtype, "masking" if use.masking else "") if part)
                line(console, f"         {use.src} → {use.dst} {kind}".rstrip())
    if not trail.steps:
        line(console, "No run is known that made it.")
    else:
        jobs = len({step.job for step in trail.steps})
        line(console, f"{counted(len(trail.steps), 'version')} by {counted(jobs, 'job')}.")
    if trail.behind:
        line(console, f"Partial: {counted(trail.behind, 'more version')} behind.")
    if trail.blind_spots:
        line(console, "Blind spots:")
        for spot in trail.blind_spots:
            line(console, f"  {spot}")


def _facts(step: RunStep) -> list[str]:
    end = second(step.ended_at) if step.ended_at else "not ended"
    start = second(step.started_at) if step.started_at else "unknown"
    code = step.code or {}
    place = " ".join(str(code[name]) for name in ("url", "version") if code.get(name))
    sql = " ".join(step.sql.split()) if step.sql else ""
    found = {
        "version": step.version,
        "run": f"{step.run_id} of {step.job}",
        "time": f"{start} … {end}, {step.state}{' (contradicted)' if step.conflict else ''}",
        "code": place,
        "sql": f"{sql[:200]}{'…' if len(sql) > 200 else ''} (SHA-256 {step.sql_hash[:12]})" if step.sql_hash else None,
        "by": step.producer,
    }
    return [f"{name:<8}{value}" for name, value in found.items() if value]


def _read(read: InputVersion) -> str:
    version = f" version {read.version}" if read.version else ""
    made = f", run {read.run_id} of {read.job}" if read.run_id else ""
    columns = f", {counted(len(read.columns), 'column edge')}" if read.columns else ""
    return f"{read.dataset}{version}{made} ({_TIES[read.tie]}{columns})"
