"""The panel beside the picture: what is known about one node, and where to go from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from dashboard.lineage_graph.component import ColumnList
from dashboard.lineage_graph.drawing import status_pill
from dashboard.links import Links
from dashboard.names import short_id, short_name
from dashboard.page import Part
from dashboard.theme import UNASSIGNED_COLOUR, domain_dot, icon
from lineage.answers import NodeRef, Totals
from lineage.counting import ImpactCounts
from lineage.details import ColumnInfo, NodeDetail, RunInfo

SHOWN = 25  # neighbours listed; the rest is counted: Dash gets slow with thousands of components
_TONES = {0: "bad", 1: "warn", 2: "info", 3: "good", 4: "good", 5: ""}


def panel(
    detail: NodeDetail,
    counts: ImpactCounts,
    verdicts: tuple[str, str],
    links: Links,
    colour: int | None,
    title: str,
) -> Part:
    """The panel.

    Parameters
    ----------
    detail, counts
        what the query layer says about the node and of what is around it.
    verdicts
        of provenance and impact: what it means when nothing was found.
    links
        writes addresses.
    colour, title
        of its domain.
    """
    if detail.hidden:
        return html.Div(
            [html.H2(detail.name or detail.id), html.P("You may not see this node.")], className="panel-pad"
        )
    sections = [
        _tab("overview", "Overview", _overview(detail, links)),
        _tab("columns", f"Columns {len(detail.columns)}", _columns(detail, links)) if detail.columns else None,
        _tab("runs", f"Runs {len(detail.runs)}", _runs(detail.runs)) if detail.runs else None,
        _tab("facets", f"Facets {len(detail.facets)}", _facets(detail.facets)) if detail.facets else None,
    ]
    shown = [section for section in sections if section]
    return html.Div(
        [
            _head(detail, colour, title),
            _reach(counts, verdicts, detail.id, links),
            _actions(detail, links),
            dmc.Tabs(
                [dmc.TabsList([tab for tab, _ in shown]), *(body for _, body in shown)],
                value="overview",
                className="panel-tabs",
            ),
        ],
        className="panel-pad",
    )


def _tab(value: str, label: str, body: Part) -> tuple[Part, Part]:
    return dmc.TabsTab(label, value=value), dmc.TabsPanel(body, value=value, className="panel-body")


def _head(detail: NodeDetail, colour: int | None, title: str) -> Part:
    status = detail.runs[0].state if detail.runs else None
    text, tone = status_pill(status)
    pills: list[Part] = [html.Span(f"last run {text}" if status else text, className=f"pill {_TONES[tone]}")]
    pills.append(html.Span(detail.kind, className="pill"))
    pills += [html.Span([icon("tag", size=12), tag], className="pill info") for tag in detail.tags]
    dot = domain_dot(UNASSIGNED_COLOUR if colour is None else colour)
    return html.Div(
        [
            html.Div(pills, className="pills"),
            html.H2(short_name(detail.name)[0], title=detail.name),
            html.Div(
                [
                    html.Span(detail.id, className="mono node-text"),
                    dcc.Clipboard(content=detail.id, title="Copy the id"),
                ],
                className="node-id",
            ),
            html.P(detail.description, className="panel-description") if detail.description else None,
            _facts(
                ("Domain", [dot, title]),
                ("Owner", detail.owner or _none("no owner told")),
                ("Platform", html.Span(detail.namespace, className="mono")),
                ("Last seen", _time(detail.last_seen)),
                ("First seen", _time(detail.first_seen)),
            ),
        ]
    )


def _none(text: str) -> Part:
    return html.Span(text, className="nothing")


def _time(at: datetime | None) -> Part:
    return html.Span(f"{at:%Y-%m-%d %H:%M} UTC", className="num") if at else _none("not known")


def _facts(*facts: tuple[str, Part]) -> Part:
    rows: list[Part] = []
    for name, value in facts:
        rows += [html.Dt(name), html.Dd(value)]
    return html.Dl(rows, className="facts")


def _reach(counts: ImpactCounts, verdicts: tuple[str, str], node: str, links: Links) -> Part:
    """How much is up and down, and where; what "0" means is said by the verdicts of provenance and impact."""

    def side(totals: Totals, verdict: str, label: str, **steps: str) -> Part:
        jobs, domains = totals.by_kind.get("job", 0), len(totals.by_domain)
        datasets = totals.nodes - jobs
        beside = f"and {jobs:,} job{'s' if jobs != 1 else ''} " if jobs else ""
        note = f"{beside}in {domains} domain{'s' if domains != 1 else ''}" if totals.nodes else _verdict(verdict)
        return dcc.Link(
            [
                html.Span(f"{datasets:,}", className="big num"),
                html.Span(label, className="reach-label"),
                html.Span(note, className="reach-note"),
            ],
            href=links.lineage(node, view="nodes", **steps),
            className=f"reach {label}",
        )

    return html.Div(
        [
            side(counts.upstream, verdicts[0], "upstream", up="all", down="1"),
            side(counts.downstream, verdicts[1], "downstream", up="1", down="all"),
        ],
        className="reaches",
    )


def _verdict(verdict: str) -> str:
    words = {"blind": "none seen, but blind here", "itself": "none but a circle to itself"}
    return words.get(verdict, "none")


def _actions(detail: NodeDetail, links: Links) -> Part:
    provenance = links.to("provenance", target=detail.id) if detail.kind != "job" else None
    return html.Div(
        [
            dcc.Link([icon("focus-2", size=16), "Focus here"], href=links.lineage(detail.id), className="btn primary"),
            dcc.Link([icon("target", size=16), "Impact"], href=links.to("impact", target=detail.id), className="btn"),
            dcc.Link([icon("history", size=16), "Provenance"], href=provenance, className="btn")
            if provenance
            else None,
            *_whole(detail, links),
            html.Button([icon("link", size=16), "Copy link"], id="lineage-copy", className="btn"),
            html.Span(id="lineage-copied", className="copied", role="status"),
        ],
        className="panel-actions",
    )


def _whole(detail: NodeDetail, links: Links) -> list[Part]:
    """To everything about a dataset, and to the forms that put it right; of jobs the owner can be named."""
    if detail.kind == "dataset":
        page = links.to("dataset", id=detail.id)
        return [
            dcc.Link([icon("table", size=16), "All about it"], href=page, className="btn"),
            dcc.Link([icon("adjustments-horizontal", size=16), "Correct"], href=f"{page}#dataset-act", className="btn"),
        ]
    if detail.kind == "job":
        page = links.to("admin", view="owners", node=detail.id)
        return [dcc.Link([icon("adjustments-horizontal", size=16), "Correct"], href=page, className="btn")]
    return []


def _overview(detail: NodeDetail, links: Links) -> Part:
    metrics = [
        (name.replace("_", " "), html.Span(f"{value:,.10g}", className="num")) for name, value in detail.metrics.items()
    ]
    parts: list[Part] = [
        dcc.Store(id="lineage-facts-of", data=detail.id),
        html.Div(
            [dmc.Skeleton(height=38, radius="sm", mb=8) for _ in range(4)], id="lineage-facts", className="facts-room"
        ),
        _refs("Written by", detail.writers, links),
        _refs("Read by", detail.readers, links),
        _refs("Directly upstream", detail.upstream, links),
        _refs("Directly downstream", detail.downstream, links),
        _refs("Part of", detail.parents, links),
        _refs("Contains", detail.children, links),
    ]
    if metrics:
        parts.append(html.Section([html.H3("Last measured"), _facts(*metrics)]))
    if detail.assertions:
        parts.append(html.Section([html.H3("Tests"), *map(_assertion, detail.assertions)]))
    if detail.aliases:
        rows = [html.Div(alias, className="mono alias") for alias in detail.aliases]
        parts.append(html.Section([html.H3("Also known as"), *rows]))
    found = [part for part in parts if part is not None]
    return html.Div(found or _none("Nothing else is known about it."))


def _refs(title: str, refs: Sequence[NodeRef], links: Links) -> Part:
    if not refs:
        return None
    rows = [
        dcc.Link(
            [
                icon("player-play" if ref.kind == "job" else "table", size=14),
                html.Span(short_name(ref.name)[0], title=ref.name),
                html.Small(ref.domain),
            ],
            href=links.lineage(ref.id),
            className="ref",
        )
        for ref in refs[:SHOWN]
    ]
    if len(refs) > SHOWN:
        rows.append(html.Div(f"and {len(refs) - SHOWN:,} more", className="nothing"))
    return html.Section([html.H3([title, " ", html.Span(f"{len(refs):,}", className="count")]), *rows])


def _assertion(result: dict[str, Any]) -> Part:
    success = result.get("success", {"pass": True, "fail": False}.get(str(result.get("status")).lower()))
    tone, text = ("good", "passed") if success is True else ("bad", "failed") if success is False else ("", "unknown")
    name = str(result.get("assertion") or result.get("name") or "test")
    column = result.get("column") or result.get("field") or ""
    return html.Div(
        [html.Span(text, className=f"pill {tone}"), html.Span(name), html.Small(str(column), className="mono")],
        className="ref",
    )


def _columns(detail: NodeDetail, links: Links) -> Part:
    hint = html.P("Choose a column to trace it through every dataset.", className="hint")
    return html.Div([hint, ColumnList("lineage-columns", rows=[_column(column, links) for column in detail.columns])])


def _column(column: ColumnInfo, links: Links) -> dict[str, str | None]:
    traced = column.upstream or column.downstream
    return {
        "name": column.name,
        "type": column.type or "",
        "note": f"{column.upstream} ← · → {column.downstream}",
        "title": column.description or column.name,
        "href": links.lineage(column.id) if traced else None,
    }


def _runs(runs: Sequence[RunInfo]) -> Part:
    return html.Div([_run(run) for run in runs[:20]])


def _run(run: RunInfo) -> Part:
    text, tone = status_pill(run.state)
    took = ""
    if run.started_at and run.ended_at:
        took = f"took {_duration((run.ended_at - run.started_at).total_seconds())}"
    return html.Div(
        [
            html.Div(
                [
                    html.Span(text, className=f"pill {_TONES[tone]}"),
                    _time(run.started_at),
                    html.Small(took, className="num"),
                ],
                className="run-line",
            ),
            html.Div(short_id(run.job)[0], className="mono run-job", title=run.job),
            html.Div(f"Run {run.run_id}", className="run-id mono"),
            html.Div("Its events contradict each other about the end.", className="run-error")
            if run.conflict
            else None,
            html.Div(run.error, className="run-error") if run.error else None,
        ],
        className="run",
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _facets(facets: dict[str, Any]) -> Part:
    return dmc.Accordion(
        [
            dmc.AccordionItem(
                [
                    dmc.AccordionControl(key),
                    dmc.AccordionPanel(html.Pre(json.dumps(body, indent=2, ensure_ascii=False, default=str)[:20000])),
                ],
                value=key,
            )
            for key, body in list(facets.items())[:40]
        ],
        multiple=True,
        variant="default",
        className="facets",
    )
