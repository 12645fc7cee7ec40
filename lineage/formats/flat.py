"""Rows as CSV and as Markdown."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from lineage.times import iso

if TYPE_CHECKING:
    from lineage.answers import Answer
    from lineage.shown import Shown

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SEPARATORS = {"path": " > ", "aliases": "; ", "subtypes": "; ", "bridge": "; "}
_SHOWN = ("hops", "id", "kind", "certainty", "use", "domain", "owner", "path", "bridge")  # columns of a Markdown table


def to_csv(answer: Shown) -> str:
    """CSV by RFC 4180 with a header; lists are joined, nothing is left out.

    The totals stand in each row (``nodes_in_domain``, ``nodes_at_hop``), and so does whether the answer was cut and how
    many nodes lie behind (``partial``, ``nodes_behind``), so that the file has rows and nothing else. A text that a
    spreadsheet would run as a formula gets an apostrophe in front.
    """
    out = io.StringIO()
    heads = answer.heads()
    writer = csv.writer(out)
    writer.writerow(heads)
    for row in answer.rows():
        writer.writerow([_cell(head, value) for head, value in zip(heads, row, strict=True)])
    return out.getvalue()


def to_markdown(answer: Answer) -> str:
    """A table for a pull request or a report, with the totals by domain and hop above it."""
    lines = [f"**{_md(answer.title())}**", "", f"as of {iso(answer.as_of)}, known at {iso(answer.known_at)}", ""]
    totals = answer.totals
    total = "total shown" if totals.partial else "total"
    for name, counts in (("domain", totals.by_domain), ("hops", totals.by_hop)):
        if counts:
            keys = [_md(str(key)) for key in counts]
            lines += [f"| {' | '.join([name, *keys, total])} |", f"|{'---|' * (len(keys) + 2)}"]
            lines += [f"| {' | '.join(['nodes', *map(str, counts.values()), str(totals.nodes)])} |", ""]
    wanted = [(head, answer.heads().index(head)) for head in _SHOWN if head in answer.heads()]
    lines += [f"| {' | '.join(head for head, _ in wanted)} |", f"|{'---|' * len(wanted)}"]
    use = answer.heads().index("use")
    for row, node in zip(answer.rows(), answer.nodes, strict=True):
        cells = list(row)
        cells[use] = f"{node.use} ({', '.join(node.subtypes)})" if node.subtypes else node.use
        lines.append(f"| {' | '.join(_md(_cell(head, cells[at])) for head, at in wanted)} |")
    lines += ["", *(f"- {_md(line)}" for line in answer.remarks())]
    return "\n".join(lines) + "\n"


def _cell(head: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return _SEPARATORS.get(head, "; ").join(map(str, value))
    text = iso(value) or "" if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _md(text: str) -> str:
    """Text inside a Markdown table.

    >>> _md("a|b <c>")
    'a\\\\|b &lt;c&gt;'
    """
    flat = " ".join(text.split())
    for sign in ("\\", "|", "*", "`", "["):
        flat = flat.replace(sign, f"\\{sign}")
    return flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
