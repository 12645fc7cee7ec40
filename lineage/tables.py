"""Answers as tables for people: readable at 80 columns, nothing in them that a terminal would obey."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.errors import repeated
from lineage.jsonable import to_json
from lineage.times import iso

if TYPE_CHECKING:
    from rich.console import Console

    from lineage.answers import Answer, NodeRef
    from lineage.declared import Change, Plan
    from lineage.details import NodeDetail, SearchHit
    from lineage.doctor import Report

CROSSES = "↗"  # marks a node of another domain than the asked one
_SHOWN = 15  # entries of a list on the page of a node
_SOURCES = 5  # datasets of a product or domain that are named
_READABLE = 16  # characters that a column of long texts needs
_LONG = 2_000  # rows from which a table is only aligned: folding takes about 1 ms a row


def print_json(value: object) -> None:
    """Write an answer as JSON to standard output."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    sys.stdout.write(
        (_quick_json(value) if utf8 else None) or json.dumps(to_json(value), indent=2, ensure_ascii=not utf8)
    )
    sys.stdout.write("\n")


def _quick_json(value: object) -> str | None:
    """The same value by an encoder that is ten times as fast; ``None`` for what only that of Python can write."""
    import msgspec

    try:
        return msgspec.json.format(msgspec.json.encode(to_json(value, keep=True)), indent=2).decode()
    except (OverflowError, TypeError, UnicodeEncodeError):  # integers beyond 64 bit, halves of surrogates
        return None


def clean(text: object) -> str:
    """Text of a producer without control characters, which could rewrite a terminal.

    >>> clean("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def print_answer(answer: Answer) -> None:
    """Impact or provenance as a table with its summary."""
    console = new_console()
    line(console, answer.title(), "bold")
    line(console, f"domain {answer.domain} · as of {second(answer.as_of)} · known at {second(answer.known_at)}", "dim")
    if answer.nodes:
        rows = [
            (
                str(node.hops),
                f"{node.id} via {', '.join(node.bridge)}" if node.bridge else node.id,
                f"{CROSSES} {node.domain}" if node.crosses_domain else node.domain,
                node.certainty + (", indirect" if node.use == "indirect" else "") + _subtypes(node.subtypes),
            )
            for node in answer.nodes
        ]
        table(console, ("Hops", "Node", "Domain", "Certainty"), rows)
    if answer.sources:
        more = f" and {len(answer.sources) - _SOURCES:,} more" if len(answer.sources) > _SOURCES else ""
        line(console, f"Asked of {', '.join(answer.sources[:_SOURCES])}{more}.")
    for text in summary_lines(answer):
        line(console, text)


def summary_lines(answer: Answer) -> list[str]:
    """What an answer says in words: totals, what was cut, how much is guessed, where it is blind."""
    lines = _verdict(answer)
    totals = answer.totals
    if len(totals.by_domain) + len(totals.by_hop) > 2:  # else the line above says it all
        shown = " of what is shown" if totals.partial else ""
        lines.append(f"By domain{shown}: {', '.join(f'{name} {n}' for name, n in totals.by_domain.items())}.")
        lines.append(f"By hops{shown}: {', '.join(f'{hops}: {n}' for hops, n in totals.by_hop.items())}.")
    lines += answer.notes
    if answer.frontier is not None:
        lines.append(f"Partial: {answer.frontier}. {_more(answer.limits)}")
    coverage = answer.coverage
    if coverage and coverage.share_certain is not None:
        lines.append(f"{coverage.certain_edges} of {coverage.edges} edges are certain.")
    if coverage and coverage.runs_without_end:
        verb = "has" if coverage.runs_without_end == 1 else "have"
        lines.append(f"{counted(coverage.runs_without_end, 'run')} of these jobs {verb} not ended.")
    if coverage and coverage.unparsed_sql:
        lines.append(f"The SQL of {coverage.unparsed_sql} of these jobs was not read for columns.")
    if answer.nodes and answer.blind_spots:
        lines += ["Blind spots:", *(f"  {spot}" for spot in answer.blind_spots)]
    return lines


def print_hits(text: str, hits: Sequence[SearchHit]) -> None:
    """Search hits as a table."""
    console = new_console()
    if not hits:
        line(console, f"Nothing is called anything like “{repeated(text)}”.")
        return
    table(console, ("Score", "Node", "Domain"), [(f"{hit.score:.2f}", hit.id, hit.domain) for hit in hits])
    line(console, counted(len(hits), "hit"))


def print_node(node: NodeDetail) -> None:
    """The page of one node."""
    console = new_console()
    line(console, node.id, "bold")
    if node.hidden:
        line(console, "You may not see nodes of this domain.")
        return
    facts = {
        "domain": node.domain,
        "owner": node.owner,
        "description": node.description,
        "tags": ", ".join(node.tags),
        "aliases": ", ".join(node.aliases),
        "seen": f"{second(node.first_seen)} … {second(node.last_seen)}" if node.first_seen else None,
        "self-loop": "it is made from itself too" if node.self_loop else None,
    }
    for name, value in facts.items():
        if value:
            line(console, f"{name:<12}{value}")
    lists = (
        ("upstream", node.upstream),
        ("downstream", node.downstream),
        ("written by", node.writers),
        ("read by", node.readers),
        ("part of", node.parents),
        ("contains", node.children),
    )
    for name, refs in lists:
        _references(console, name, refs)
    _node_tables(console, node)


def print_plan(plan: Plan) -> None:
    """What an application of declared files did or would do."""
    console = new_console()
    signs = (("+", plan.added), ("~", plan.changed), ("-", plan.removed))
    for sign, changes in signs:
        for change in changes:
            line(console, f"{sign} {_change(change)}")
    counts = ", ".join(f"{len(changes)} {word}" for word, (_, changes) in zip(_DONE, signs, strict=True))
    verb = "Applied" if plan.applied else "Dry run"
    line(console, f"{verb}: {counts}, {plan.unchanged} unchanged.")
    for warning in plan.warnings:
        line(console, f"warning: {warning}")
    if plan.ignored:
        line(console, f"Not read by this version: {', '.join(plan.ignored)}")


def print_report(report: Report) -> None:
    """Findings of the doctor."""
    console = new_console()
    findings = [check for check in report.checks if not check.ok]
    for check in findings:
        line(console, f"{check.name}: {check.found} {check.what}, for instance {', '.join(check.examples)}")
    if findings:
        line(console, f"{len(findings)} of {len(report.checks)} checks found something. Try: meshline rebuild")
    else:
        line(console, f"{len(report.checks)} checks, nothing found.")
    if report.fingerprint:
        line(console, f"fingerprint {report.fingerprint}")


_DONE = ("added", "changed", "removed")


def table(console: Console, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; the widest texts are folded, never cut. A very long one is only aligned, for speed.

    Where the columns would be too narrow to read, every row becomes a block of lines.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    rows = list(rows)
    if len(rows) > _LONG:
        _plain_table(console, [heads, *rows])
        return
    if _too_narrow(console, heads, rows):
        _blocks(console, heads, rows)
        return
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in heads:
        right = head in ("Hops", "Score")
        grid.add_column(
            head,
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=head in ("Started", "State") or (head == "Certainty" and max(len(row[-1]) for row in rows) < 20),
        )
    for row in rows:
        grid.add_row(*(Text(clean(cell)) for cell in row))
    console.print(grid)


def _too_narrow(console: Console, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether some column would get fewer characters than are needed to read it."""
    widest = [max(len(head), *(len(row[at]) for row in rows)) for at, head in enumerate(heads)] if rows else []
    return sum(min(width, _READABLE) + 3 for width in widest) > console.width


def _blocks(console: Console, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Each row as its first two cells and, below them, a line for each other cell that says something."""
    from rich.table import Table
    from rich.text import Text

    for row in rows:
        console.print(Text(clean("  ".join(cell for cell in row[:2] if cell)), style="bold"))
        grid = Table.grid(padding=(0, 1))
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column(overflow="fold")
        for head, cell in zip(heads[2:], row[2:], strict=True):
            if cell:
                grid.add_row(f"  {head}", Text(clean(cell)))
        console.print(grid)


def _plain_table(console: Console, rows: Sequence[Sequence[str]]) -> None:
    cells = [[clean(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        text = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.file.write(text.rstrip() + "\n")


def line(console: Console, text: str, style: str = "") -> None:
    """Print one line as it is, without markup; what does not fit hangs under its beginning."""
    from rich.padding import Padding
    from rich.text import Text

    indent = len(text) - len(text.lstrip())
    console.print(
        Padding(Text(clean(text.lstrip()), style=style), (0, 0, 0, indent), expand=False)
        if indent
        else Text(clean(text), style=style)
    )


def new_console() -> Console:
    """Standard output, with nothing in texts taken for markup."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False, soft_wrap=False)


def second(at: datetime | None) -> str:
    return iso(at.replace(microsecond=0)) or "" if at else ""


def _verdict(answer: Answer) -> list[str]:
    down = answer.direction == "downstream"
    if answer.verdict == "none":
        what = (
            "No impact: nothing Meshline knows of uses"
            if down
            else "No origin: Meshline was told of nothing upstream of"
        )
        if down and answer.itself:
            jobs = " and ".join(answer.itself)
            return [f"No impact on anything else: only {jobs}, a circle to itself, uses {answer.node}."]
        return [f"{what} {answer.node}."]
    if answer.verdict == "blind":
        what = "impact" if down else "origin"
        return [f"No {what} found, but blind here:", *(f"  {spot}" for spot in answer.blind_spots)]
    if not answer.nodes and not answer.unfiltered:
        return [f"Nothing of {answer.node} within this depth."]
    if not answer.nodes and not any(answer.filters.values()):
        return [f"Nothing at {counted(answer.limits['hops'], 'hop')}; nearer {_are(answer.unfiltered)}."]
    if not answer.nodes:
        return [f"Nothing that fits the filters; without them there are {counted(answer.unfiltered, 'node')}."]
    domains = len({node.domain for node in answer.nodes})
    crossing = sum(node.crosses_domain for node in answer.nodes)
    levels = Counter(node.certainty for node in answer.nodes)
    shown = ", ".join(f"{levels[level]} {level}" for level in ("certain", "probable", "stale") if levels[level])
    across = f", {crossing} in another domain ({CROSSES})" if crossing else ""
    return [f"{counted(len(answer.nodes), 'node')} in {counted(domains, 'domain')}{across}: {shown}."]


def _more(limits: Mapping[str, int]) -> str:
    """How to ask for what was cut off."""
    options = [f"--{name.replace('_', '-')}" for name in limits]
    return f"Ask with a greater {' or '.join(options)}, or with none."


def _are(number: int) -> str:
    return f"{'is' if number == 1 else 'are'} {counted(number, 'node')}"


def _subtypes(subtypes: Sequence[str]) -> str:
    return f" ({', '.join(subtypes).lower()})" if subtypes else ""


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "node"), counted(2, "node")
    ('1 node', '2 nodes')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _change(change: Change) -> str:
    fields = f": {', '.join(change.fields)}" if change.fields else ""
    return f"{change.kind} {change.name} ({change.path}){fields}"


def _references(console: Console, name: str, refs: Sequence[NodeRef]) -> None:
    for i, ref in enumerate(refs[:_SHOWN]):
        line(console, f"{name if not i else '':<12}{ref.id}")
    if len(refs) > _SHOWN:
        line(console, f"{'':<12}… {len(refs) - _SHOWN} more")


def _node_tables(console: Console, node: NodeDetail) -> None:
    if node.columns:
        rows = [(c.name, c.type or "", ", ".join(c.tags), f"{c.upstream}/{c.downstream}") for c in node.columns]
        table(console, ("Column", "Type", "Tags", "From/to"), rows)
    if node.runs:
        own = node.kind == "job"
        runs = [(second(r.started_at), _state(r), r.run_id if own else r.job) for r in node.runs[:_SHOWN]]
        table(console, ("Started", "State", "Run" if own else "Job"), runs)
        if len(node.runs) > _SHOWN:
            line(console, f"… {len(node.runs) - _SHOWN} more runs")
    if node.metrics:
        table(console, ("Metric", "Last value"), [(name, f"{value:g}") for name, value in node.metrics.items()])
    if node.assertions:
        tests = [(str(t["status"]), str(t["name"]), t["column"] or "", second(t["tested_at"])) for t in node.assertions]
        table(console, ("Test", "Name", "Column", "At"), tests)
    if node.facets:
        line(console, f"{'facets':<12}{', '.join(sorted(node.facets))}")


def _state(run: Any) -> str:
    if run.no_end_seen:
        return f"{run.state} (no end seen for 24 h)"
    return f"{run.state} (contradicted)" if run.conflict else str(run.state)
