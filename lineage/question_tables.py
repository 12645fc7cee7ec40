"""Path and diff as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.tables import counted, line, new_console, second, table

if TYPE_CHECKING:
    from lineage.answers import PathAnswer


def print_path(answer: PathAnswer) -> None:
    """A path with its steps, or why there is none."""
    console = new_console()
    line(console, f"{answer.src} → {answer.dst}", "bold")
    line(console, f"as of {second(answer.as_of)} · known at {second(answer.known_at)}", "dim")
    if answer.verdict == "found":
        rows = [(str(n), step.id, step.domain) for n, step in enumerate(answer.path)]
        table(console, ("Step", "Node", "Domain"), rows)
        line(console, f"This path is {answer.certainty}. The shortest distance is {counted(answer.hops, 'hop')}.")
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
