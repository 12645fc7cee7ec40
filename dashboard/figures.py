"""Every figure of the dashboard goes through :func:`graph`: one look for light and dark, and no way out of the house.

plotly 7 shows a button that uploads the figure to Plotly's cloud unless it is told not to. Governance data must not
leave, so the configuration is fixed here and a test looks for the button.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from dash import dcc, html

from dashboard.page import Part

if TYPE_CHECKING:
    from lineage.listing import DayRuns

CONFIG = {
    "showSendToCloud": False,
    "displaylogo": False,
    "displayModeBar": False,
    "responsive": True,
    "plotlyServerURL": "",
}
GREY = "#7b879b"  # readable on both grounds, so a change of scheme needs no new figure
STATES = (  # state, words, colour; from the safe to the bad, distinguishable without hue
    ("COMPLETE", "completed", "#5bb98c"),
    ("RUNNING", "running", "#6f94e8"),
    ("START", "started", "#a9b9e8"),
    ("OTHER", "other", "#b3bac8"),
    ("ABORT", "aborted", "#e7a13c"),
    ("FAIL", "failed", "#d64545"),
)


def graph(name: str, traces: Sequence[Mapping[str, Any]], *, height: int, label: str, **layout: Any) -> Part:
    """A figure.

    Parameters
    ----------
    name
        id of the component.
    traces
        plotly traces as dicts.
    height
        in pixels.
    label
        what a screen reader says in place of the picture.
    layout
        what differs from the common layout.
    """
    axis = {"gridcolor": "rgba(123,135,155,0.18)", "zeroline": False, "tickfont": {"color": GREY, "size": 11}}
    base: dict[str, Any] = {
        "height": height,
        "margin": {"l": 38, "r": 8, "t": 8, "b": 28},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "Inter Variable, Inter, sans-serif", "color": GREY, "size": 12},
        "hovermode": "x unified",
        "hoverlabel": {"font": {"family": "Inter Variable, Inter, sans-serif", "size": 12}},
        "showlegend": False,
        "xaxis": {**axis, "showgrid": False},
        "yaxis": {**axis, "rangemode": "tozero"},
        "bargap": 0.22,
    }
    figure = {"data": list(traces), "layout": {**base, **layout}}
    figure_part = dcc.Graph(id=name, figure=figure, config=CONFIG, style={"height": height})
    return html.Div(figure_part, role="img", style={"minHeight": height}, **{"aria-label": label})


def runs_per_day(days: Sequence[DayRuns]) -> Part:
    """Stacked bars: runs of each day by state, days without runs included."""
    counts = {(entry.day, entry.state): entry.runs for entry in days}
    first, last = min(entry.day for entry in days), max(entry.day for entry in days)
    span: list[date] = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    traces = [
        {
            "type": "bar",
            "name": words,
            "x": [day.isoformat() for day in span],
            "y": [counts.get((day, state), 0) for day in span],
            "marker": {"color": colour},
            "hovertemplate": "%{y:,} " + words + "<extra></extra>",
        }
        for state, words, colour in STATES
        if any(entry.state == state for entry in days)
    ]
    total = sum(counts.values())
    label = f"{total:,} runs from {first:%d %B} to {last:%d %B %Y}, stacked by state."
    return graph("runs-per-day", traces, height=190, label=label, barmode="stack")
