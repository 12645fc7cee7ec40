"""Tiles of the page of runs, the runs of a day over time, and everything about one run."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from dash import dcc, html

from dashboard.charts import GANTT_LINES, Bar, Spell, durations, gantt_chart
from dashboard.desk import clock, node_link, plain, tile
from dashboard.names import short_id
from dashboard.page import Part
from dashboard.pages.govern import facts as facts_list
from dashboard.pages.overview_parts import card, nothing
from dashboard.pages.runs_sheets import RunFacts
from lineage.runs.answers import FAILED, RunDetail, RunRow, RunSide

DAY = timedelta(days=1)
_SPELLS = 14


def tiles(facts: RunFacts) -> list[Part]:
    """The numbers at the top, each leading to its rows."""
    asked, found, ledger = facts.asked, facts.runs(), facts.ledger()
    quarantined = sum(sum(source.quarantined.values()) for source in ledger.sources)
    newest = max((s.last_received for s in ledger.sources if s.last_received), default=None)
    spots = sum(finding.nodes for finding in ledger.findings)
    every = sum(found.states.values())
    share = f"{found.failed / every:.1%} of them" if every else "no run in these days"
    odd = [job for job in facts.jobs().jobs if job.odd]
    return [
        tile("player-play", "Runs in 7 days", f"{every:,}", f"{found.states.get('COMPLETE', 0):,} ended well",
             asked.to(view=None, run=None, job=None), name="count-runs"),
        tile("alert-triangle", "Failed or aborted", f"{found.failed:,}", share,
             asked.to(view=None, run=None, job=None, filter="wrong:contains:failed"),
             bad=found.failed > 0, name="count-failed"),
        tile("clock", "Without an end", f"{found.overdue:,}", "silent for more than a day",
             asked.to(view=None, run=None, job=None, filter="wrong:contains:no end"), bad=found.overdue > 0,
             name="count-overdue"),
        tile("heart-rate-monitor", "Odd last runs", f"{len(odd):,}", "jobs that took longer or less than they do",
             asked.to(view="jobs", run=None, job=None, filter="odd:equals:odd"), name="count-odd"),
        tile("database", "Sources", f"{len(ledger.sources):,}",
             f"last heard {clock(newest)} UTC · {quarantined:,} events in quarantine",
             asked.to(view="sources", run=None, job=None), bad=quarantined > 0, name="count-sources"),
        tile("eye-off", "Blind spots", f"{spots:,}", f"of {len(ledger.findings):,} kinds",
             asked.to(view="blind", run=None, job=None), name="count-blind"),
    ]  # fmt: skip


def gantt(facts: RunFacts) -> Part:
    """The last day on which something ran, a line for each job; jobs that failed first, then the longest."""
    runs = facts.runs().runs
    if not runs:
        return card("When jobs ran", "", nothing("player-play", "No run was going on in the 7 days before this time."))
    end = max(run.ended or run.began for run in runs)
    day = [run for run in runs if (run.ended or end) >= end - DAY and not (run.overdue and run.began < end - DAY)]
    by_job: dict[str, list[RunRow]] = {}
    for run in day:
        by_job.setdefault(run.job, []).append(run)
    order = sorted(by_job, key=lambda job: (-_failed(by_job[job]), -_busy(by_job[job]), job))
    shown = order[:GANTT_LINES]
    bars = [
        Bar(run.job, short_id(run.job)[0], max(run.began, end - DAY), run.ended or end, run.state, run.run_id)
        for job in shown
        for run in by_job[job]
    ]
    kinds = Counter(run.state for run in day)
    words = ", ".join(f"{n:,} {state}" for state, n in sorted(kinds.items()))
    more = (
        f" · {len(shown)} of {len(order)} jobs, those that failed and the longest first"
        if len(order) > len(shown)
        else ""
    )
    return card(
        "When jobs ran", f"The 24 hours before {clock(end)} UTC: {words}{more}",
        gantt_chart("runs-gantt-figure", bars, end - DAY, end), name="gantt-card",
    )  # fmt: skip


def spells(facts: RunFacts) -> Part:
    """How long jobs take: those whose last run was odd first, then those that take longest."""
    found = facts.jobs()
    known = [j for j in found.jobs if j.median is not None and j.p95 is not None]
    more = dcc.Link(f"All {len(found.jobs):,} jobs", href=facts.asked.to(view="jobs", run=None, job=None))
    if not known:
        return card("How long jobs take", "", nothing("clock", "No run of the 90 days before has an end."), more=more)
    order = sorted(known, key=lambda j: (not j.odd, -(j.p95 or 0.0), j.job))[:_SPELLS]
    lines = [
        Spell(j.job, short_id(j.job)[0], j.median or 0.0, j.p95 or 0.0, j.last, j.low, j.high, bool(j.odd))
        for j in order
    ]
    cut = f", {len(order)} of {len(known):,} jobs, the odd and the longest first" if len(order) < len(known) else ""
    band = ", the shade what was expected of it" if any(line.low is not None for line in lines) else ""
    sub = ["Median ", html.B("|"), f" to p95 of 90 days; the point is the last run{band}{cut}"]
    return card("How long jobs take", sub, durations("runs-durations", lines), more=more, name="durations-card")


def _failed(runs: list[RunRow]) -> int:
    return sum(run.state in FAILED for run in runs)


def _busy(runs: list[RunRow]) -> float:
    return sum(run.seconds or 0.0 for run in runs)


def one(facts: RunFacts) -> Part:
    """The run that the address names; nothing when it names none, unless it names a job that nobody knows."""
    asked = facts.asked
    run_id = asked.get("run")
    if not run_id:
        said = facts.desk.unknown(asked, "job")
        return said and html.Div(said, className="card block")
    found = facts.lx.runs.show(run_id, job=asked.get("job") or None, **asked.when)
    run = found.run
    state = f"{run.state} (its ends contradict each other)" if run.conflict else run.state
    pairs: list[tuple[str, Part]] = [
        ("Job", node_link(asked, run.job)), ("State", state),
        ("Began", f"{clock(run.began)} UTC{_late(run.delay)}"),
        ("Ended", f"{clock(run.ended)} UTC" if run.ended else "no end is known"),
        ("Took", _took(found)), ("Domain", run.domain), ("Owner", run.owner or "nobody is named"),
        ("Engine", run.engine or "not told"), ("Producer", run.producer or "not told"),
        ("Code", _code(found.code)), ("Started by", node_link(asked, found.parent_job) if found.parent_job else "–"),
        ("Run", html.Span(run.run_id, className="mono small")),
    ]  # fmt: skip
    body: list[Part] = [html.P(text, className="form-bad") for text in ([run.error] if run.error else [])]
    body += [html.Div([facts_list(pairs), _sides(facts, found)], className="pair")]
    body += [_pre("Stack trace", found.stack), _pre("SQL", found.sql), _tests(facts, found), _events(found)]
    close = dcc.Link("Close", href=asked.to(run=None, job=None))
    return card(f"Run of {short_id(run.job)[0]}", f"{len(found.events):,} events", *body, more=close, name="run-card")


def _late(delay: float | None) -> str:
    return "" if delay is None else f", {abs(delay):,.0f} s {'after' if delay >= 0 else 'before'} its nominal time"


def _took(found: RunDetail) -> str:
    took = "unknown" if found.run.seconds is None else f"{found.run.seconds:,.1f} s"
    usual = (
        "how long it usually takes is unknown"
        if found.usual_seconds is None
        else f"usually {found.usual_seconds:,.1f} s"
    )
    return f"{took}; {usual}"


def _code(code: dict[str, Any]) -> str:
    words = [str(code[key]) for key in ("repoUrl", "url", "path", "version", "branch", "tag") if code.get(key)]
    return ", ".join(dict.fromkeys(words)) or "not told"


def _sides(facts: RunFacts, found: RunDetail) -> Part:
    heads = (("", False), ("Dataset", False), ("Version", False), ("Rows", True), ("Bytes", True))

    def row(side: str, one: RunSide) -> list[Part]:
        amounts = [f"{n:,}" if n is not None else "unknown" for n in (one.row_count, one.byte_count)]
        return [
            side + (", dropped" if one.dropped else ""),
            node_link(facts.asked, one.dataset),
            one.version or "–",
            *amounts,
        ]

    rows = [row("read", s) for s in found.inputs] + [row("wrote", s) for s in found.outputs]
    if not rows:
        return nothing("eye-off", "It told nothing that it read or wrote.")
    return plain(heads, rows, "What the run read and wrote")


def _tests(facts: RunFacts, found: RunDetail) -> Part:
    if not found.tests:
        return None
    heads = (("Test", False), ("Result", False), ("On", False), ("Expected", False), ("Found", False))
    rows = [
        [
            t.name,
            t.status,
            (node_link(facts.asked, t.dataset) if t.dataset else "–"),
            t.expected or "–",
            t.actual or "–",
        ]
        for t in found.tests
    ]
    return html.Div([html.H3("Tests"), plain(heads, rows, "Tests of the run")])


def _events(found: RunDetail) -> Part:
    heads = (("At", False), ("Received", False), ("Type", False), ("What was odd", False))
    rows = [[clock(e.at), clock(e.received_at), e.type or "–", "; ".join(e.notes) or "–"] for e in found.events]
    return html.Details([html.Summary(f"{len(rows):,} events"), plain(heads, rows, "Events of the run")])


def _pre(title: str, text: str | None) -> Part:
    if not text:
        return None
    block = html.Pre(text, className="yaml mono", tabIndex=0, role="region", **{"aria-label": title})
    return html.Details([html.Summary(title), block], open=title == "Stack trace")
