"""The numbers at the top of the governance health page. Each leads to the rows it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dash import dcc, html

from dashboard.amounts import money, percent
from dashboard.lineage_graph.component import Spark
from dashboard.links import Links
from dashboard.page import Part
from dashboard.pages.overview_facts import Facts
from dashboard.theme import icon
from lineage.cost.periods import read_period
from lineage.quality.answers import Incident

LATE = ("latency", "frequency", "freshness", "timeofavailability")


@dataclass(frozen=True, slots=True)
class Tile:
    """One number. ``tone`` colours it; ``trend`` are values of the period, oldest first; ``note`` says of what."""

    of: str
    mark: str
    label: str
    value: str
    note: str
    href: str
    tone: str = ""
    trend: Sequence[float | None] = ()
    change: str = ""
    change_tone: str = ""
    slot: str = ""  # where a line will be put later


def tile(one: Tile) -> Part:
    """The number as a card that is a link."""
    line = Spark(values=list(one.trend), label=f"{one.label} over the period", tone=one.tone) if one.trend else None
    return dcc.Link(
        [
            html.Span([icon(one.mark, size=16), one.label], className="tile-label"),
            html.Span(
                [
                    html.Span(one.value, className=f"tile-value num {one.tone}", id=f"count-{one.of}"),
                    html.Span(one.change, className=f"change {one.change_tone}") if one.change else None,
                ],
                className="tile-line",
            ),
            html.Span(one.note, className="tile-note"),
            html.Span(line, className="tile-spark") if one.trend else None,
            html.Span(id=f"spark-{one.slot}", className="tile-spark") if one.slot else None,
        ],
        href=one.href,
        className=f"card tile {'has-spark' if one.trend or one.slot else ''}",
    )


def tiles(facts: Facts, links: Links) -> list[Part]:
    """Contracts, freshness, quality, incidents, cost."""
    asked = (_contracts, _fresh, _quality, _incidents, _cost)
    return [tile(_told(facts, ask(facts, links))) for ask in asked]


def _told(facts: Facts, one: Tile) -> Tile:
    """A number as it is, or unknown before anything was told."""
    if facts.summary().datasets is not None or one.of == "cost":
        return one
    return replace(one, value="unknown", note="nothing was told yet", tone="", trend=(), change="")


def figures(facts: Facts, links: Links) -> list[Part]:
    """Figures of the scorecard; they take longer, so they come by themselves."""
    return [tile(_told(facts, _figure(facts, links, *one))) for one in FIGURES]


FIGURES = (("ownership", "user", "Ownership"), ("lineage-columns", "sitemap", "Column lineage"))
"""Figures of the scorecard that have a number at the top, with a line that comes when past instants are known."""


def _figure(facts: Facts, links: Links, metric: str, mark: str, label: str) -> Tile:
    found = facts.scorecard("mesh").of(metric)
    href = facts.state.to(links, rows=f"score {metric}")
    if found is None or found.value is None:
        return Tile(metric, mark, label, "unknown", found.reason if found else "nothing to count", href, slot=metric)
    things = "datasets" if metric == "ownership" else "edges"
    note = f"{found.numerator:,.0f} of {found.denominator:,.0f} {things}"
    return Tile(metric, mark, label, percent(found.value), note, href, slot=metric)


def kept_share(verdicts: Sequence[str]) -> float | None:
    """Share of kept among what is known; ``None`` when nothing is.

    >>> kept_share(["kept", "broken", "unknown"]), kept_share(["unknown"])
    (0.5, None)
    """
    kept, broken = verdicts.count("kept"), verdicts.count("broken")
    return kept / (kept + broken) if kept + broken else None


def _verdicts(verdicts: Sequence[str]) -> tuple[str, str]:
    """Note and tone of a share of promises."""
    broken, unknown = verdicts.count("broken"), verdicts.count("unknown")
    if not verdicts:
        return "nothing is promised", ""
    words = [f"{broken} of {len(verdicts):,} broken" if broken else f"all of {len(verdicts):,} that are known"]
    return " · ".join([*words, *([f"{unknown} unknown"] if unknown else [])]), "bad" if broken else ""


def _contracts(facts: Facts, links: Links) -> Tile:
    verdicts = [p.verdict for p in facts.promises()]
    note, tone = _verdicts(verdicts)
    share = percent(kept_share(verdicts)) if verdicts else "none"
    return Tile("contracts", "file-certificate", "Promises kept", share, note,
                facts.state.to(links, rows="contracts"), tone)  # fmt: skip


def is_lateness(promise: str) -> bool:
    """Whether a promise is about time."""
    return any(word in promise.lower() for word in LATE)


def _fresh(facts: Facts, links: Links) -> Tile:
    verdicts = [p.verdict for p in facts.promises() if is_lateness(p.promise)]
    note, tone = _verdicts(verdicts)
    share = percent(kept_share(verdicts)) if verdicts else "none"
    return Tile("fresh", "clock", "Freshness kept", share, note, facts.state.to(links, rows="fresh"), tone)


def _quality(facts: Facts, links: Links) -> Tile:
    rows = facts.quality()
    known = [row for row in rows if row.quality is not None]
    risky = sum(row.grade == "at risk" for row in known)
    note = f"of {len(known):,} with a score · {len(rows) - len(known):,} unknown"
    value = f"{risky:,}" if known else "unknown"
    return Tile("risky", "heart-rate-monitor", "Datasets at risk", value, note,
                facts.state.to(links, rows="quality"), "bad" if risky else "")  # fmt: skip


def _incidents(facts: Facts, links: Links) -> Tile:
    found = facts.incidents()
    still = [one for one in found if one.state != "resolved"]
    now = facts.summary().as_of
    trend = open_per_day(found, now, facts.state.days)
    before = trend[0]
    change = len(still) - before
    text = f"{'↗ +' if change > 0 else '↘ −'}{abs(change)}" if change else ""
    causes = len({one.cause for one in still})
    note = f"under {causes} cause{'s' if causes != 1 else ''}" if still else "all resolved"
    href = links.to("quality", view="incidents")
    return Tile("incidents", "alert-triangle", "Open incidents", f"{len(still):,}", note,
                facts.state.to(links, rows="incidents") if facts.state.domain else href, "bad" if still else "",
                [float(n) for n in trend], text, "bad" if change > 0 else "good")  # fmt: skip


def open_per_day(found: Sequence[Incident], now: datetime, days: int) -> list[int]:
    """How many incidents were open at the end of each of the last days, oldest first, and now."""
    moments = [now - timedelta(days=n) for n in range(days, -1, -1)]
    return [
        sum(one.detected_at <= at and (one.resolved_at is None or one.resolved_at > at) for one in found)
        for at in moments
    ]


def _cost(facts: Facts, links: Links) -> Tile:
    report = facts.cost("domain")
    href = links.to("cost")
    if not report.currencies:
        return Tile("cost", "coin", "Monthly cost", "unknown", facts.unbilled, href)
    main = max(report.currencies, key=lambda one: float(one.billed))
    running = facts.state.as_of is not None and facts.summary().as_of < read_period(report.period).end
    month = f"{report.period}{' until then' if running else ''}"
    amount, note = main.billed, f"billed in {month}"
    if facts.state.domain:
        own = next((row.own for row in main.rows if row.id == facts.state.domain), None)
        amount, note = own or "0", f"own cost in {month}"
    others = len(report.currencies) - 1
    return Tile("cost", "coin", "Monthly cost", money(amount, main.currency),
                note + (f" · {others} more currencies" if others else ""), href)  # fmt: skip


def holds(facts: Facts, links: Links) -> Part:
    """What the mesh holds: a line of counts, each with its list in the catalogue."""
    summary = facts.summary()
    unassigned = f"{summary.unassigned:,} nodes without domain" if summary.unassigned else "all have a domain"
    if summary.datasets is None:
        unassigned = "nothing was told yet"
    elif summary.named_datasets:
        unassigned = f"{summary.named_datasets:,} only named · {unassigned}"
    counts = (
        ("datasets", "Datasets", summary.datasets, unassigned),
        ("columns", "Columns", summary.columns,
         f"{summary.named_columns:,} only named by lineage" if summary.named_columns
         else "all in a schema" if summary.columns else ""),
        ("jobs", "Jobs", summary.jobs, ""),
        ("edges", "Edges", summary.edges,
         "" if summary.cross_domain_edges is None else f"{summary.cross_domain_edges:,} between domains"),
        ("runs", "Runs", summary.runs, ""),
        ("events", "Events", summary.events, "accepted"),
        ("quarantine", "Quarantine", summary.quarantined,
         "refused, with the reason" if summary.quarantined else "nothing refused"),
    )  # fmt: skip
    cells = [
        dcc.Link(
            [
                html.Span(label, className="hold-label"),
                html.Span("unknown" if value is None else f"{value:,}", id=f"count-{of}",
                          className=f"hold-value num {'bad' if of == 'quarantine' and value else ''}"),
                html.Span(note, className="tile-note"),
            ],
            href=links.to("catalogue", of=of),
            className="hold",
        )
        for of, label, value, note in counts
    ]  # fmt: skip
    return html.Section(cells, className="card holds", **{"aria-label": "What the mesh holds"})
