"""Answers about the graph as a whole as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.tables import counted, line, new_console, second, table

if TYPE_CHECKING:
    from lineage.cause_answer import Causes
    from lineage.tags import Tags

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
        line(console, "No tag is here, and nothing is missing that could bring one.")
    if answer.verdict == "blind":
        line(console, "No tag was found, but some lineage that leads here does not tell its columns:")
    for stop in answer.stopped[:_STOPS]:
        who = f" by {stop.by}" if stop.by else ""
        line(console, f"{stop.tag} stops between {stop.src} and {stop.dst}: {stop.why}{who}")
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
