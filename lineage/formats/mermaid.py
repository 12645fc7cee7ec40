"""An answer as a Mermaid flow chart, which GitHub, GitLab and many wikis draw. Source: mermaid.js.org, "Flowcharts"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.times import iso

if TYPE_CHECKING:
    from lineage.answers import Answer, Link

_SHAPES = {"dataset": ("[", "]"), "job": ("([", "])"), "column": ("(", ")")}
_ARROWS = {"certain": "-->", "probable": "-.->", "stale": "-. stale .->"}


def to_mermaid(answer: Answer) -> str:
    """A flow chart: one box per listed node inside its domain, dashed arrows for what is not certain.

    Where a listed job carries an edge between two listed datasets, the arrows go through the job.
    """
    names: dict[str, str] = {answer.node: "asked"}
    lines = [
        f"%% {_line(answer.title())}",
        f"%% as of {iso(answer.as_of)}, known at {iso(answer.known_at)}",
        f"%% {answer.totals.nodes} nodes{' shown' if answer.totals.partial else ''}",
        *(f"%% domain {_line(name)}: {count}" for name, count in answer.totals.by_domain.items()),
        *(f"%% hop {hop}: {count}" for hop, count in answer.totals.by_hop.items()),
        *(f"%% {_line(remark)}" for remark in answer.remarks()),
        "flowchart LR",
        f'  asked["{_label(answer.node)}"]:::asked',
    ]
    for d, (domain, count) in enumerate(answer.totals.by_domain.items()):
        lines.append(f'  subgraph d{d}["{_label(domain)} ({count})"]')
        for n, node in enumerate(answer.nodes):
            if node.domain == domain:
                begin, end = _SHAPES.get(node.kind, _SHAPES["dataset"])
                names.setdefault(node.id, f"n{n}")
                lines.append(f'    n{n}{begin}"{_label(node.id)}"{end}')
        lines.append("  end")
    for link in _drawn(answer.links or ()):
        src, dst = (names.get(end, "asked") for end in (link.src, link.dst))  # what is not listed is a column of it
        lines.append(f"  {src} {_ARROWS[link.certainty]} {dst}")
    lines.append("  classDef asked stroke-width:3px")
    return "\n".join(lines) + "\n"


def _drawn(links: tuple[Link, ...]) -> list[Link]:
    """Links without those between datasets that a listed job carries."""
    arrows = {(link.src, link.dst) for link in links if link.kind in ("read", "write")}
    return [
        link
        for link in links
        if link.kind != "lineage" or not any({(link.src, job), (job, link.dst)} <= arrows for job in link.jobs)
    ]


def _line(text: str) -> str:
    return " ".join(text.split())


def _label(text: str) -> str:
    """Text inside quotes; Mermaid has entities of its own.

    >>> _label('say "x#1" <b>')
    'say #quot;x#35;1#quot; #lt;b#gt;'
    """
    flat = _line(text).replace("#", "#35;")
    for sign, entity in (('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
        flat = flat.replace(sign, entity)
    return flat
