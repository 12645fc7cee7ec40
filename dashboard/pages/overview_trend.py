"""How figures went: a few instants of the period, each asked as of then. Past instants are kept for an hour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard import figures
from dashboard.lineage_graph.component import Spark
from dashboard.links import Links
from dashboard.memo import noticing, oldest
from dashboard.page import Part
from dashboard.pages.overview_facts import Facts
from dashboard.pages.overview_parts import card, nothing
from dashboard.theme import UNASSIGNED_COLOUR, domain_colours
from lineage.quality.answers import points

POINTS = 6
KEPT = 3600.0  # seconds
LINES = (
    "#5871e0", "#1496aa", "#3f9d53", "#b08a1a", "#dd6b2f", "#ab55c2", "#d1477a", "#8064e0", "#3f8fd6", "#2c9c78",
    "#7b9c2b", "#c46f3d", "#9360c4", "#d95757", "#a3754a", "#2b8fa3", "#5f76d6", "#6f9638", "#c24573", "#8590a3",
)  # fmt: skip
"""A colour for each domain that can be read on a light and on a dark ground."""
GOOD = 85.0


def instants(now: datetime, days: int) -> list[datetime]:
    """Ends of days, evenly over the period, oldest first; the last one is the beginning of today.

    >>> [f"{at:%d}" for at in instants(datetime(2026, 3, 31, 9), 11)]
    ['21', '23', '25', '27', '29', '31']
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    steps = [round(n * (days - 1) / (POINTS - 1)) for n in range(POINTS)]
    return [midnight - timedelta(days=days - 1 - step) for step in steps]


def quality_then(facts: Facts, at: datetime) -> dict[str, float | None]:
    """Quality score of each domain at an instant."""
    known = facts.state.known_at

    def ask() -> dict[str, float | None]:
        found = facts.lx.quality.report("domain", as_of=at, known_at=known).nodes
        return {row.id: row.quality for row in found}

    return facts.memo.get(("quality then", at, known), ask, old=KEPT, young=KEPT)


def scores_then(facts: Facts, at: datetime) -> dict[str, float | None]:
    """Figures of the scorecard of the mesh, or of the domain of the address, at an instant."""
    known, domain = facts.state.known_at, facts.state.domain
    every = instants(facts.summary().as_of, facts.state.days)
    if known is None and at in every:  # all of them in one go cost less than two, one by one

        def count() -> list[dict[str, float | None]]:
            return facts.lx.scorecards.values_at(every, domain=domain)

        told = facts.memo.get(("scores then", *every, domain), count, old=KEPT, young=KEPT)
        return told[every.index(at)]

    def ask() -> dict[str, float | None]:
        found = facts.lx.scorecards.report("mesh", domain=domain, as_of=at, known_at=known).scores
        return {one.metric: one.value for one in found}

    return facts.memo.get(("scores then", at, known, domain), ask, old=KEPT, young=KEPT)


def _earlier(find: Callable[[Facts, datetime], dict[str, float | None]], facts: Facts) -> tuple[list[Any], str]:
    """What was at the instants of the period, and of when it is if it was worked out before the store changed."""
    with noticing() as held:  # what is kept for an hour is told beside the figure, and nobody waits for it anew
        found = [find(facts, at) for at in instants(facts.summary().as_of, facts.state.days)]
    before = oldest(held)
    if before is None:
        return found, ""
    return found, f"; days before today as worked out at {datetime.fromtimestamp(before.of, UTC):%H:%M} UTC"


def sparks(facts: Facts, names: Sequence[str]) -> list[Part]:
    """A line for each of some figures of the scorecard, over the period to now."""
    then, of = _earlier(scores_then, facts)
    now = {one.metric: one.value for one in facts.scorecard("mesh").scores}
    told = f"over {facts.state.days} days{of}"
    return [Spark(values=[*(one.get(name) for one in then), now.get(name)], label=f"{name} {told}") for name in names]


def trend_card(facts: Facts, links: Links) -> Part:
    """Quality of each domain over the period, with its name at the end of its line."""
    at = instants(facts.summary().as_of, facts.state.days)
    then, of = _earlier(quality_then, facts)
    now = {row.id: row.quality for row in facts.quality("domain")}
    moments, told = [*at, facts.summary().as_of], [*then, now]
    names = [d.name for d in facts.domains() if not d.hidden and facts.mine(d.name)]
    lines = {name: [one.get(name) for one in told] for name in names}
    lines = {name: values for name, values in lines.items() if sum(value is not None for value in values) > 1}
    sub = f"Mean score of datasets over {facts.state.days} days; the band is good (85 and more){of}"
    if not lines:
        text = "No score is known at two instants of this time."
        return card("Quality by domain", sub, nothing("heart-rate-monitor", text), name="trend")
    colours = domain_colours(list(facts.domains()))
    titles = {d.name: d.title or d.name for d in facts.domains()}
    said = f"Quality of {len(lines)} domains over {facts.state.days} days: " + ", ".join(
        f"{titles[name]} {points(now.get(name), 0)}" for name in lines
    )
    low = min(value for values in lines.values() for value in values if value is not None)
    bottom = max(0.0, 10 * (low // 10) - 5)
    picture = figures.graph(
        "quality-trend", [_line(titles[name], moments, values, LINES[colours.get(name, UNASSIGNED_COLOUR)])
                          for name, values in lines.items()],
        height=228, label=said, margin={"l": 30, "r": 112, "t": 6, "b": 26},
        yaxis={"range": [bottom, 104], "gridcolor": "rgba(123,135,155,0.18)", "zeroline": False, "nticks": 5},
        annotations=_names({titles[name]: (values, LINES[colours.get(name, UNASSIGNED_COLOUR)])
                            for name, values in lines.items()}, bottom),
        shapes=[{"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": GOOD, "y1": 104, "line": {"width": 0},
                 "fillcolor": "rgba(99,189,150,0.13)", "layer": "below"}],
    )  # fmt: skip
    return card("Quality by domain", sub, picture, name="trend")


def _line(title: str, moments: Sequence[datetime], values: Sequence[float | None], colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": title,
        "x": [f"{at:%Y-%m-%d %H:%M}" for at in moments],
        "y": list(values),
        "connectgaps": False,
        "line": {"color": colour, "width": 2},
        "marker": {"size": 4},
        "hovertemplate": title.replace("<", "‹").replace("{", "(") + " %{y:.1f}<extra></extra>",
    }


def _names(lines: dict[str, tuple[Sequence[float | None], str]], bottom: float) -> list[dict[str, Any]]:
    """A name at the end of each line, pushed apart where lines end close to each other."""
    ends: list[tuple[float, str, str]] = []
    for title, (values, colour) in lines.items():
        known = [value for value in values if value is not None]
        ends.append((known[-1], title.replace("<", "‹"), colour))
    gap, floor = (104 - bottom) / 13, bottom - 1.0
    found = []
    for value, title, colour in sorted(ends):
        floor = max(value, floor + gap)
        place = {"x": 1, "xref": "paper", "xanchor": "left", "y": floor, "yref": "y", "showarrow": False}
        found.append({**place, "text": f" {title} {points(value, 0)}", "font": {"size": 11, "color": colour}})
    return found
