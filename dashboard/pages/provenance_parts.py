"""Parts of the provenance page: figures, timeline, the story step by step, owners, blind spots, evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from dashboard.lineage_graph.component import LineageGraph
from dashboard.lineage_graph.trail import RunStory, RunTimeline
from dashboard.links import Links
from dashboard.names import short_id
from dashboard.page import Part
from dashboard.pages.provenance_story import Story, in_words
from dashboard.pages.provenance_words import bar, marks, node, step
from dashboard.tables import Column, cell, grid
from dashboard.theme import icon
from lineage.quality.answers import points
from lineage.run_trail import RunTrail

SHOWN = 60  # steps told one by one; the table and the file have all


def figures(tale: Story) -> Part:
    """What stands above everything: how many runs, sources, owners, tests, and how old the oldest part is."""
    passed, failed = tale.tests
    oldest = tale.oldest
    age = in_words(tale.evidence.trail.as_of - oldest.ended) if oldest and oldest.ended else "unknown"
    owners = [name for name in tale.owners if name]
    tests = f"{passed:,} of {passed + failed:,}" if passed + failed else "none told"
    tiles = [
        ("steps", "route", f"{len(tale.steps):,}", "runs made it", ""),
        ("sources", "database", f"{len(tale.sources):,}", "sources", ""),
        (
            "oldest",
            "clock",
            age,
            f"oldest part: {short_id(oldest.step.dataset)[0]}" if oldest else "no end is known",
            "",
        ),
        ("tests", "clipboard-check", tests, "tests passed then", "bad" if failed else ""),
        ("owners", "user", f"{len(owners):,}", "owners", "" if "" not in tale.owners else "warn"),
        ("gaps", "eye-off", f"{len(tale.gaps):,}", "blind spots", "warn" if tale.gaps else "good"),
    ]
    return html.Div(
        [
            html.Div(
                [
                    html.Div([icon(mark, size=15), html.Span(label)], className="prov-tile-label"),
                    html.Div(value, className=f"prov-tile-value num {tone}", id=f"provenance-{name}"),
                ],
                className="card prov-tile",
            )
            for name, mark, value, label, tone in tiles
        ],
        className="prov-tiles",
    )


# -- the steps


def timeline(tale: Story, colours: Mapping[str, int]) -> Part:
    """One row a step on a common axis; a press leads to the step in the story."""
    hint = "Times in UTC. What ended long before the rest stands in the margin, with its age before the last step."
    rows = [bar(one, len(tale.steps), colours) for one in tale.bars[-SHOWN:]]
    early = any(one.early for one in tale.bars)
    return html.Div(
        [RunTimeline("provenance-timeline", marks=marks(tale), early=early, rows=rows), html.P(hint, className="hint")]
    )


def drawn(graph: dict[str, Any]) -> Part:
    """The picture of the trail."""
    label = "Picture of the runs. Arrow keys follow the edges; the list of steps below tells the same."
    return html.Div(LineageGraph("provenance-graph", graph=graph, overlay="age", label=label), className="canvas-room")


def steps(tale: Story, links: Links, colours: Mapping[str, int]) -> Part:
    """Every step in words, from the sources to the figure."""
    left = len(tale.steps) - SHOWN
    return RunStory(
        "provenance-story",
        sources=[node(name, links) for name in tale.sources],
        steps=[step(told, tale, links, colours) for told in tale.steps[-SHOWN:]],
        cut=f"{left:,} earlier steps are in the table and in its file." if left > 0 else "",
    )


# -- beside the story


def owners(tale: Story) -> Part:
    """Who answers for the steps."""
    most = max(tale.owners.values(), default=1)
    rows = [
        html.Div(
            [
                html.Span(name or "no owner told", className="" if name else "nothing"),
                html.I(style={"width": f"{100 * n / most:.0f}%"}),
                html.Span(f"{n:,}", className="num"),
            ],
            className="prov-owner",
        )
        for name, n in tale.owners.items()
    ]
    return html.Section([html.H2("Who answers for the steps"), *rows], className="card prov-pad", id="provenance-who")


def gaps(tale: Story) -> Part:
    """What this page cannot tell, openly."""
    said = {"aria-label": "What cannot be told"}
    body: Part = html.Div(html.Ul([html.Li(gap) for gap in tale.gaps[:SHOWN]]), role="region", tabIndex=0, **said)
    if not tale.gaps:
        body = html.P("Nothing is known to be missing.", className="nothing")
    more = (
        html.P(f"and {len(tale.gaps) - SHOWN:,} more in the evidence pack", className="hint")
        if len(tale.gaps) > SHOWN
        else None
    )
    return html.Section(
        [html.H2("What cannot be told"), body, more], className="card prov-pad prov-gaps", id="provenance-blind"
    )


def evidence(key: str) -> Part:
    """The pack: what it is, the button that makes it, how to check it; ``key`` is the fingerprint that will sign."""
    check = f"meshline evidence verify PACK.zip --key {key}" if key else "meshline evidence verify PACK.zip"
    lines = [check, "unzip PACK.zip verify.py && python3 verify.py PACK.zip"]
    return html.Section(
        [
            html.H2("Evidence pack"),
            html.P(
                "One zip file that proves itself offline: the answer, the runs, the events behind them, tests, "
                "declared files, signed and anchored in the audit log."
            ),
            dmc.Checkbox(
                id="provenance-raw", label="With the archived events (they may hold secrets)", checked=True, size="xs"
            ),
            html.Button(
                [icon("clipboard-check", size=16), "Make evidence pack"], id="provenance-pack", className="btn primary"
            ),
            html.P("Check it with Meshline, or with Python alone:", className="hint"),
            *(
                html.Div(
                    [html.Code(line), dcc.Clipboard(content=line, title="Copy the command")], className="prov-command"
                )
                for line in lines
            ),
        ],
        className="card prov-pad prov-evidence",
    )


# -- the table

STEPS = (
    Column("number", "Step", 0.6, number=True),
    Column("dataset", "Dataset", 2, link=True, short=True),
    Column("ended_at", "Ended (UTC)", 1.5),
    Column("job", "Job", 2, short=True),
    Column("run_id", "Run", 1.8),
    Column("version", "Version", 1),
    Column("state", "State", 0.8),
    Column("code", "Code version", 1.4),
    Column("sql_hash", "SQL (SHA-256)", 1.2),
    Column("owner", "Owner", 1.4),
    Column("domain", "Domain", 0.9),
    Column("quality", "Quality then", 0.9),
    Column("inputs", "Read", 2.4),
    Column("producer", "Producer", 1.8),
    Column("hops", "Hops", 0.6, number=True),
)


def rows(tale: Story, links: Links) -> list[dict[str, Any]]:
    """One row a step, in the order of the story."""
    return [
        {
            "number": told.number,
            "dataset": s.dataset,
            "ended_at": cell(s.ended_at),
            "job": s.job,
            "run_id": s.run_id,
            "version": s.version or "",
            "state": s.state,
            "code": str((s.code or {}).get("version") or ""),
            "sql_hash": s.sql_hash or "",
            "owner": s.owner or "",
            "domain": s.domain,
            "quality": points(told.quality.quality) if told.quality else "unknown",
            "inputs": "; ".join(f"{read.dataset} @ {read.run_id or 'unknown'}" for read in s.inputs),
            "producer": s.producer or "",
            "hops": s.hops,
            "short": {"dataset": short_id(s.dataset), "job": short_id(s.job)},
            "href": links.lineage(s.dataset) if s.dataset.startswith("dataset:") else None,
        }
        for told in tale.steps
        for s in (told.step,)
    ]


def table(tale: Story, links: Links) -> Part:
    """The steps as rows; its file holds what it shows."""
    return html.Div(grid("provenance-grid", rows(tale, links), STEPS), className="prov-table")


def blind(trail: RunTrail) -> Part:
    """No run is known that made the node."""
    reasons = html.Ul([html.Li(spot) for spot in trail.blind_spots])
    return html.Div(
        [
            icon("eye-off", size=26),
            html.Div([html.H2("BLIND"), html.P("No run is known that made it at that time."), reasons]),
        ],
        className="impact-verdict warn",
        role="status",
        id="provenance-verdict",
    )
