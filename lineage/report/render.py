"""The report as HTML for paper, as Markdown, and as the text of a mail. Everything that is told is escaped."""

from __future__ import annotations

from html import escape

from lineage.report.contents import ExecutiveReport, Section
from lineage.times import iso

_CSS = """
@page { size: A4; margin: 16mm }
* { box-sizing: border-box }
body { font: 10pt/1.45 system-ui, sans-serif; color: #1b2330; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 20pt; margin: 0 0 .2rem } h2 { font-size: 13pt; margin: 1.6rem 0 .4rem; break-after: avoid }
p.sub, .note, footer { color: #4c5768 } ul { padding-left: 1.2rem }
table { border-collapse: collapse; width: 100%; font-size: 8.5pt } thead { display: table-header-group }
th, td { text-align: left; vertical-align: top; padding: .25rem .5rem; border-bottom: 1px solid #d5dae2;
  overflow-wrap: anywhere }
th { border-bottom: 2px solid #8a94a6 } tr { break-inside: avoid }
.better { color: #0b6b3a } .worse { color: #a3261b } .unknown { color: #4c5768; font-style: italic }
footer { margin-top: 2rem; font-size: 8pt; border-top: 1px solid #d5dae2; padding-top: .5rem }
@media print { body { margin: 0; max-width: none; padding: 0 } }
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{css}</style></head>
<body><header><h1>{title}</h1><p class="sub">{period}</p></header>
<main><ul>{summary}</ul>
{sections}
</main><footer>{foot}</footer></body></html>
"""
_WORDS = frozenset({"better", "worse", "unknown"})
_MAIL_ROWS = 5  # rows of a section in a mail


def title(report: ExecutiveReport) -> str:
    """Head line."""
    return f"Governance report: {report.domain or 'the whole mesh'}"


def to_html(report: ExecutiveReport) -> str:
    """One page that needs nothing else: no script, no picture, no font from outside."""
    return _PAGE.format(
        title=escape(title(report)),
        css=_CSS,
        period=escape(_period(report)),
        summary="".join(f"<li>{escape(line)}</li>" for line in report.summary),
        sections="\n".join(map(_section, report.sections)),
        foot=escape(_foot(report)),
    )


def to_markdown(report: ExecutiveReport) -> str:
    """For a wiki or a pull request."""
    lines = [f"# {_md(title(report))}", "", _period(report), ""]
    lines += [f"- {_md(line)}" for line in report.summary]
    for one in report.sections:
        lines += ["", f"## {_md(one.title)}", ""]
        if one.rows:
            lines += ["| " + " | ".join(one.heads) + " |", "|" + "---|" * len(one.heads)]
            lines += ["| " + " | ".join(map(_md, row)) + " |" for row in one.rows]
        else:
            lines.append(_md(one.nothing))
        lines += ["", _md(_note(one))] if _note(one) else []
    return "\n".join([*lines, "", _md(_foot(report)), ""])


def to_mail(report: ExecutiveReport) -> str:
    """Text of the weekly mail; the first line is its subject."""
    lines = [f"Subject: {_line(title(report))}, {report.end:%Y-%m-%d}", "", _period(report), ""]
    lines += [f"* {_line(line)}" for line in report.summary]
    for one in report.sections:
        if one.id == "scores":
            rows = [row for row in one.rows if row[3] in ("better", "worse")]
            told = [f"{row[3]}: {row[0]}: {row[1]} (before {row[2]})" for row in rows]
            nothing = "No figure is known to have moved."
        else:
            told = [", ".join(part for part in row if part) for row in one.rows[:_MAIL_ROWS]]
            nothing = one.nothing
        lines += ["", one.title.upper()]
        lines += [f"- {_line(text)}" for text in told] or [_line(nothing)]
        rest = one.total - len(told)
        lines += [f"  and {rest} more"] if rest > 0 and one.id != "scores" else []
        lines += [f"  {_line(one.note)}"] if one.note and one.id != "changes" else []
    return "\n".join([*lines, "", "-- ", _foot(report), ""])


# -- inside


def _period(report: ExecutiveReport) -> str:
    return f"{report.start:%Y-%m-%d} to {report.end:%Y-%m-%d %H:%M} UTC"


def _foot(report: ExecutiveReport) -> str:
    return f"Made {iso(report.made_at)} by {report.generated_by}; state {report.fingerprint[:16]}."


def _note(one: Section) -> str:
    left = one.total - len(one.rows)
    return f"{left} more are not listed. {one.note}".strip() if left > 0 else one.note


def _section(one: Section) -> str:
    note = f'<p class="note">{escape(_note(one))}</p>' if _note(one) else ""
    if not one.rows:
        return f"<section><h2>{escape(one.title)}</h2><p>{escape(one.nothing)}</p>{note}</section>"
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in one.heads)
    rows = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in one.rows)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<section><h2>{escape(one.title)}</h2>{table}{note}</section>"


def _cell(text: str) -> str:
    return f'<td class="{text}">{escape(text)}</td>' if text in _WORDS else f"<td>{escape(text)}</td>"


def _md(text: str) -> str:
    """Text that stays text in Markdown, also inside a table."""
    flat = _line(text)
    for sign in "\\`*_[]<>|#":
        flat = flat.replace(sign, "\\" + sign)
    return flat


def _line(text: str) -> str:
    """No line break of a told text starts a new line, or a header, of a mail."""
    return " ".join(text.split())
