"""What differs in how a figure was made at two dates, and what is behind each difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dash import html

from dashboard.links import Links
from dashboard.names import short_id
from dashboard.page import Part
from dashboard.tables import Column, cell, grid
from dashboard.theme import icon
from lineage.audit.pack.differences import PackChange, diff_evidence

if TYPE_CHECKING:
    from lineage.audit.pack.differences import Evidence
    from lineage.differences import DiffAnswer, Difference

LATE = ("run", "version", "metric")  # what differs on any two dates stands last
WORDS = {
    "code": ("change of code", "changes of code"),
    "inputs": ("change of inputs", "changes of inputs"),
    "owner": ("change of owner", "changes of owner"),
    "test": ("change of a test", "changes of tests"),
    "policy": ("result of a policy", "results of policies"),
    "upstream": ("node upstream", "nodes upstream"),
    "gap": ("stated gap", "stated gaps"),
    "file": ("declared file", "declared files"),
    "run": ("other run", "other runs"),
    "version": ("other version", "other versions"),
    "metric": ("other metric", "other metrics"),
}
MADE = (
    Column("what", "What", 0.7),
    Column("subject", "Of", 2, short=True),
    Column("before", "Before", 2.2),
    Column("after", "After", 2.2),
)
MESH = (
    Column("change", "Change", 0.8),
    Column("what", "What", 0.8),
    Column("id", "Node", 1.8, link=True, short=True),
    Column("other", "To", 1.6, short=True),
    Column("detail", "Detail", 1),
    Column("before", "Before", 1.5),
    Column("after", "After", 1.5),
    Column("reason", "Cause", 0.9),
    Column("job", "By", 1.6, short=True),
    Column("run", "Run", 1.4),
    Column("code", "Code version", 1.2),
    Column("at", "At (UTC)", 1.5),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two dates of one figure: how it was made, and what changed in the mesh around it."""

    before: Evidence
    after: Evidence
    made: tuple[PackChange, ...]
    mesh: DiffAnswer

    @property
    def counts(self) -> dict[str, int]:
        """Differences by what differs, the telling ones first."""
        found: dict[str, int] = {}
        for change in self.made:
            found[change.what] = found.get(change.what, 0) + 1
        return found


def compare(before: Evidence, after: Evidence, mesh: DiffAnswer) -> Comparison:
    """Bring the two dates together; what always differs comes last."""
    made = sorted(diff_evidence(before, after), key=lambda change: change.what in LATE)
    return Comparison(before, after, tuple(made), mesh)


def section(found: Comparison, links: Links) -> Part:
    """The part of the page."""
    return html.Section(
        [
            html.Div(
                [
                    html.H2("What differs between the two dates"),
                    html.P(
                        [
                            html.Span(f"{found.before.trail.as_of:%d %b %Y %H:%M}", className="num"),
                            " → ",
                            html.Span(f"{found.after.trail.as_of:%d %b %Y %H:%M} UTC", className="num"),
                        ],
                        className="sub",
                    ),
                ],
                className="prov-section-head",
            ),
            html.Div(_chips(found), className="prov-chips", id="provenance-differences"),
            html.H3("How it was made"),
            _table(
                "provenance-made", [_made_row(change) for change in found.made], MADE, "It was made in the same way."
            ),
            html.H3("What changed in the mesh upstream of it, and why"),
            _table(
                "provenance-mesh",
                [_mesh_row(change, links) for change in found.mesh.changes],
                MESH,
                "Nothing upstream of it changed." if found.mesh.verdict == "same" else "What changed is not known.",
            ),
            *(html.P(note, className="sub") for note in found.mesh.notes),
        ],
        className="card prov-pad prov-compare",
    )


def _chips(found: Comparison) -> list[Part]:
    chips = []
    for what, n in found.counts.items():
        tone = "" if what in LATE else "warn"
        chips.append(html.Span(f"{n:,} {WORDS[what][n != 1]}", className=f"pill {tone}"))
    mesh = len(found.mesh.changes)
    if mesh:
        chips.append(html.Span(f"{mesh:,} in the mesh upstream", className="pill warn"))
    same = [icon("circle-check", size=14), "Nothing differs"]
    if not chips and found.mesh.verdict == "unknown":
        return [html.Span("What differs is not known", className="pill")]
    return chips or [html.Span(same, className="pill good")]


def _table(name: str, rows: list[dict[str, Any]], columns: tuple[Column, ...], none: str) -> Part:
    if not rows:
        return html.P(none, className="nothing")
    height = min(96 + 37 * len(rows), 400)
    return html.Div(grid(name, rows, columns), className="prov-grid", style={"height": height})


def _made_row(change: PackChange) -> dict[str, Any]:
    node = change.what != "gap" and change.subject.startswith(("dataset:", "job:", "column:"))  # a gap is a sentence
    return {
        "what": change.what,
        "subject": change.subject,
        "before": _said(change.what, change.before),
        "after": _said(change.what, change.after),
        "short": {"subject": short_id(change.subject) if node else (change.subject, "")},
    }


def _said(what: str, text: str | None) -> str:
    """One side of a difference; of code its version and hash, which differ, rather than its address, which does not.

    >>> _said("code", "https://git.example/a.sql 474d3b SQL b26d"), _said("run", None)
    ('474d3b SQL b26d', 'nothing')
    """
    if what == "code" and text and " " in text:
        return " ".join(part for part in text.split() if "://" not in part)
    return text or "nothing"


def _mesh_row(change: Difference, links: Links) -> dict[str, Any]:
    cause = change.cause
    return {
        "change": change.change,
        "what": change.what.replace("_", " "),
        "id": change.id,
        "other": change.other or "",
        "detail": change.detail,
        "before": change.before or "",
        "after": change.after or "",
        "reason": cause.reason if cause else "unknown",
        "job": cause.who if cause else "",
        "run": (cause.run_id or "") if cause else "",
        "code": str((cause.code or {}).get("version") or "") if cause else "",
        "at": cell(cause.at) if cause else "",
        "short": {
            key: short_id(text) if text else ("", "")
            for key, text in (("id", change.id), ("other", change.other), ("job", cause.who if cause else None))
        },
        "href": links.lineage(change.id) if change.id.startswith(("dataset:", "job:", "column:")) else None,
    }
