"""The tables of the page of runs."""

from __future__ import annotations

from dashboard.desk import Asked, Desk, node_href
from dashboard.names import short_id
from dashboard.rows import Row, Sheet
from dashboard.tables import Column, cell
from lineage.blindspots import Ledger
from lineage.quality.performance import Performance
from lineage.runs.answers import FAILED, RunList, RunRow

VIEWS = (("runs", "Runs"), ("jobs", "Jobs"), ("sources", "Sources"), ("blind", "Blind spots"))
MOST = 100_000
"""Runs that are listed at most, failures first; the tiles count all."""
COLUMNS: dict[str, tuple[Column, ...]] = {
    "runs": (
        Column("state", "State", 0.8), Column("job", "Job", 2, link=True), Column("began", "Began", 1.5),
        Column("ended", "Ended", 1.5), Column("seconds", "Took (s)", 0.8, number=True),
        Column("delay", "Late by (s)", 0.8, number=True), Column("wrong", "What is wrong", 1),
        Column("domain", "Domain", 0.9), Column("owner", "Owner", 1), Column("engine", "Engine", 0.9),
        Column("error", "Error", 2.2), Column("run_id", "Run", 2),
    ),
    "jobs": (
        Column("job", "Job", 2.2, link=True), Column("domain", "Domain", 0.9), Column("owner", "Owner", 1),
        Column("runs", "Runs", 0.6, number=True), Column("failed", "Failed", 0.6, number=True),
        Column("failure_rate", "Failure rate", 0.8, number=True), Column("median", "Median (s)", 0.8, number=True),
        Column("p95", "p95 (s)", 0.8, number=True), Column("last", "Last (s)", 0.8, number=True),
        Column("expected", "Expected (s)", 0.8, number=True), Column("odd", "Last is odd", 0.8),
        Column("delay_p95", "Late by, p95 (s)", 0.9, number=True), Column("last_ended", "Last ended", 1.5),
    ),
    "sources": (
        Column("producer", "Producer", 3), Column("events", "Events", 0.7, number=True),
        Column("jobs", "Jobs", 0.6, number=True), Column("last_event", "Newest event", 1.5),
        Column("last_received", "Received last", 1.5), Column("lag", "Lag of the newest (s)", 0.9, number=True),
        Column("odd", "With a note", 0.7, number=True), Column("quarantined", "Quarantined", 0.8, number=True),
        Column("reasons", "Why", 2),
    ),
    "blind": (
        Column("what", "What cannot be seen", 2.4), Column("node", "Node", 2.4, link=True),
        Column("cases", "Cases", 0.6, number=True), Column("last", "Last", 1.5), Column("reason", "Reason", 2),
    ),
}  # fmt: skip
_EMPTY = {
    "runs": "No run was going on in the 7 days before this time.",
    "jobs": "No job ran in the 90 days before this time.",
    "sources": "No event was received yet. Send some, or read files with: meshline ingest",
    "blind": "No blind spot is known.",
}


class RunFacts:
    """Questions of one address."""

    def __init__(self, desk: Desk, asked: Asked) -> None:
        self.desk, self.asked, self.lx = desk, asked, desk.lx
        self.view = asked.get("view", [key for key, _ in VIEWS])

    def runs(self) -> RunList:
        """Runs of the 7 days before the instant that is shown, failures first."""
        return self.desk.ask(self.asked, "runs", lambda: self.lx.runs.list(limit=MOST, **self.asked.when))

    def jobs(self) -> Performance:
        """How jobs ran in the 90 days before."""
        return self.desk.ask(self.asked, "performance", lambda: self.lx.quality.performance(**self.asked.when))

    def ledger(self) -> Ledger:
        """Sources and blind spots; always those of now."""
        return self.desk.ask(self.asked, "ledger", lambda: self.lx.ledger(examples=None))


def sheet_of(facts: RunFacts) -> Sheet:
    """The table that the address names."""
    links, view = facts.asked.links, facts.view
    if view == "runs":
        asked_at = facts.runs().known_at
    elif view == "jobs":
        asked_at = facts.jobs().known_at
    else:
        asked_at = facts.ledger().now
    key = (view, asked_at, links.asof, links.known, links.base)
    find = {"runs": _runs, "jobs": _jobs, "sources": _sources, "blind": _blind}[view]
    rows = facts.desk.memo.get(("sheet", "runs", key), lambda: find(facts))
    return Sheet(key, COLUMNS[view], rows, f"runs-{view}", _EMPTY[view])


def _runs(facts: RunFacts) -> list[Row]:
    return [
        {
            "state": r.state, "job": short_id(r.job)[0], "began": cell(r.began), "ended": cell(r.ended),
            "seconds": r.seconds, "delay": r.delay, "wrong": wrong(r), "domain": r.domain,
            "owner": r.owner, "engine": r.engine, "error": r.error or "", "run_id": r.run_id,
            "href": facts.asked.to(run=r.run_id, job=r.job),
        }
        for r in facts.runs().runs
    ]  # fmt: skip


def wrong(run: RunRow) -> str:
    """What is wrong with a run, in a word for each; empty when nothing is."""
    words = (("failed", run.state in FAILED), ("no end", run.overdue), ("two ends", run.conflict))
    return ", ".join(word for word, so in words if so)


def _jobs(facts: RunFacts) -> list[Row]:
    return [
        {
            "job": short_id(j.job)[0], "domain": j.domain, "owner": j.owner, "runs": j.runs, "failed": j.failed,
            "failure_rate": round(j.failure_rate, 4), "median": j.median, "p95": j.p95, "last": j.last,
            "expected": j.expected, "odd": "unknown" if j.odd is None else "odd" if j.odd else "",
            "delay_p95": j.delay_p95, "last_ended": cell(j.last_ended), "href": node_href(facts.asked, j.job),
        }
        for j in facts.jobs().jobs
    ]  # fmt: skip


def source_rows(ledger: Ledger) -> list[Row]:
    """Who sends events, one row each."""

    def lag(event: object, received: object) -> float | None:
        return None if event is None or received is None else (received - event).total_seconds()  # type: ignore[operator]

    return [
        {
            "producer": s.producer or "not named", "events": s.events, "jobs": s.jobs,
            "last_event": cell(s.last_event), "last_received": cell(s.last_received),
            "lag": lag(s.last_event, s.last_received), "odd": s.odd, "quarantined": sum(s.quarantined.values()),
            "reasons": ", ".join(f"{reason} {n:,}" for reason, n in sorted(s.quarantined.items())),
        }
        for s in ledger.sources
    ]  # fmt: skip


def _sources(facts: RunFacts) -> list[Row]:
    return source_rows(facts.ledger())


def _blind(facts: RunFacts) -> list[Row]:
    return [
        {
            "what": finding.what, "node": short_id(spot.node)[0], "cases": spot.cases, "last": cell(spot.last),
            "reason": spot.reason or "", "href": node_href(facts.asked, spot.node),
        }
        for finding in facts.ledger().findings
        for spot in finding.spots
    ]  # fmt: skip
