"""Answers about the graph as a whole as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.tables import counted, line, new_console, second, table

if TYPE_CHECKING:
    from lineage.attention import Attention
    from lineage.cause_answer import Causes
    from lineage.mesh import Mesh
    from lineage.ranking import Ranking
    from lineage.tags import Tags
    from lineage.unread import Cycles, DeadBranches

_STOPS = 20  # stopped edges that are listed


def print_tags(answer: Tags) -> None:
    """Tags with their sources, then where they stop."""
    console = new_console()
    line(console, answer.title(), "bold")
    line(console, f"as of {second(answer.as_of)} · known at {second(answer.known_at)}", "dim")
    if answer.found:
        rows = [(r.tag, f"{r.hops}{', indirect' * (r.use == 'indirect')}", r.id, r.domain) for r in answer.found]
        table(console, ("Tag", "Hops", "Node", "Domain"), rows)
    if answer.verdict == "none":
        what = f"The tag “{answer.tag}”" if answer.tag else "No tag"
        where = "not here" if answer.tag else "here"
        line(console, f"{what} is {where}, and nothing is missing that could bring {'it' if answer.tag else 'one'}.")
    if answer.verdict == "blind":
        line(console, "No tag was found, but some lineage that leads here does not tell its columns:")
    for stop in answer.stopped[:_STOPS]:
        line(console, f"{stop.tag} stops between {stop.src} and {stop.dst}: {stop.words}")
    if len(answer.stopped) > _STOPS:
        line(console, f"{counted(len(answer.stopped) - _STOPS, 'more stop')}.")
    for spot in answer.blind_spots:
        line(console, f"  {spot}")


def print_causes(answer: Causes) -> None:
    """Each cause with what it explains below it."""
    console = new_console()
    line(console, answer.title(), "bold")
    line(console, f"as of {second(answer.as_of)} · known at {second(answer.known_at)}", "dim")
    for group in answer.groups:
        owner = f", {group.owner}" if group.owner else ""
        count = len(group.explains) + len(group.cycle)
        line(console, f"{group.cause} ({group.domain}{owner})" + (f" explains {count} more" if count else ""))
        for node in group.cycle:
            line(console, f"    in a cycle with it: {node}")
        if group.explains:
            table(console, ("Hops", "Node", "Domain"), [(str(n.hops), n.id, n.domain) for n in group.explains])
    for suspect in answer.suspects:
        line(console, f"Upstream of {len(suspect.explains)} causes, not known to fail: {suspect.id}")
    if not answer.failing:
        line(console, "Nothing fails.")


def print_ranking(answer: Ranking) -> None:
    """Nodes with their figures."""
    console = new_console()
    line(console, answer.title(), "bold")
    line(console, f"as of {second(answer.as_of)} · known at {second(answer.known_at)}", "dim")
    rows = [
        (
            f"{r.criticality:.1f}", str(r.downstream), str(r.upstream), str(r.dependents), str(r.feeders),
            f"{r.id}{' (bridge)' * r.bridge}{f' (cycle {r.cycle})' if r.cycle else ''}", r.domain,
        )
        for r in answer.found
    ]  # fmt: skip
    if rows:
        table(console, ("Critical", "Down", "Up", "Depend", "Feed", "Node", "Domain"), rows)
    for remark in answer.remarks():
        line(console, remark)


def print_attention(answer: Attention) -> None:
    """What is not well, one line each."""
    console = new_console()
    line(console, answer.title(), "bold")
    line(console, f"as of {second(answer.as_of)} · known at {second(answer.known_at)}", "dim")
    rows = [
        (m.severity, m.kind, m.what, "unknown" if m.reach is None else str(m.reach), str(m.cases), m.node or m.ref)
        for m in answer.matters
    ]
    if rows:
        table(console, ("Severity", "Kind", "What", "Down", "Cases", "Node"), rows)
    for remark in answer.remarks():
        line(console, remark)


def print_cycles(answer: Cycles) -> None:
    """Cycles, one after the other."""
    console = new_console()
    line(console, answer.title(), "bold")
    for number, cycle in enumerate(answer.found, 1):
        line(console, f"{number}: {counted(len(cycle.datasets), 'dataset')} in {', '.join(cycle.domains)}")
        for dataset in cycle.datasets:
            line(console, f"    {dataset}")
        for job in cycle.jobs:
            line(console, f"    moved by {job}")


def print_dead(answer: DeadBranches) -> None:
    """Unread datasets, or the steps of a removal."""
    console = new_console()
    line(console, answer.title(), "bold")
    line(console, f"as of {second(answer.as_of)} · known at {second(answer.known_at)}", "dim")
    if answer.steps:
        rows = [(str(s.order), s.id, s.kind, s.domain) for s in answer.steps]
        table(console, ("Step", "Remove", "Kind", "Domain"), rows)
    elif answer.unread:
        ends = [(b.id, str(b.exclusive), "yes" if b.written else "no", b.domain) for b in answer.unread]
        table(console, ("Unread", "Only for it", "Written", "Domain"), ends)
        line(console, "Nobody was seen reading these. Name those that are not needed to see how they can be removed.")
    for remark in answer.remarks():
        line(console, remark)


def print_mesh(answer: Mesh) -> None:
    """Edges between groups."""
    console = new_console()
    line(console, answer.title(), "bold")
    line(console, f"as of {second(answer.as_of)} · known at {second(answer.known_at)}", "dim")
    if answer.edges:
        rows = [
            (
                e.src,
                e.dst,
                f"{e.certainty}{', indirect' * (e.use == 'indirect')}{', through others' * e.through}",
                "" if e.edges is None else str(e.edges),
            )
            for e in answer.edges
        ]
        table(console, ("From", "To", "Edge", "Count"), rows)
    for remark in answer.remarks():
        line(console, remark)
