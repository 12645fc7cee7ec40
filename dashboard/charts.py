"""Figures of the pages of quality and cost: units on the axes, words beside the lines, a number beside every colour.

The colours are those of Okabe and Ito where kinds are told apart, so that all kinds of sight can; nothing is said by
colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dashboard.amounts import money
from dashboard.figures import GREY, graph
from dashboard.names import short_id
from dashboard.page import Part

if TYPE_CHECKING:
    from lineage.quality.answers import Incident
    from lineage.quality.history import Control

BLUE, ORANGE, RED, GREEN, SKY = "#3b6fd4", "#e08a1e", "#d64545", "#2f9e73", "#56b4e9"
BAND, LINE = "rgba(59,111,212,0.13)", "rgba(123,135,155,0.25)"
INK = "#14181f"  # on the light grounds of areas
AREAS = ("#9db7ec", "#f3c58b", "#9fd6bf", "#d9b3dc", "#f2b1a3", "#a9d8ee", "#d8d39a", "#c4c9d6")
_AXIS = {"gridcolor": "rgba(123,135,155,0.18)", "zeroline": False, "tickfont": {"color": GREY, "size": 11}}
_STATES = {"open": (RED, "open"), "acknowledged": (ORANGE, "acknowledged"), "muted": ("#8e9ab0", "muted"),
           "resolved": (GREEN, "resolved")}  # fmt: skip
_MOST = 24


def control_chart(name: str, found: Control, height: int = 300) -> Part:
    """A series with the band in which each point was expected; what left it is marked and has its number."""
    days = [p.at.isoformat() for p in found.points]
    known = [p for p in found.points if p.low is not None]
    odd = [p for p in found.points if p.verdict in ("anomaly", "level shift")]
    unit = f" {found.unit}" if found.unit else ""
    band_days = [p.at.isoformat() for p in known]
    traces: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "x": band_days, "y": [p.low for p in known], "line": {"width": 0},
         "hoverinfo": "skip"},
        {"type": "scatter", "mode": "lines", "x": band_days, "y": [p.high for p in known], "fill": "tonexty",
         "fillcolor": BAND, "line": {"width": 0}, "hoverinfo": "skip"},
        {"type": "scatter", "mode": "lines", "x": band_days, "y": [p.expected for p in known],
         "line": {"color": GREY, "width": 1, "dash": "dot"},
         "hovertemplate": "%{y:,.0f}" + unit + " expected<extra></extra>"},
        {"type": "scatter", "mode": "lines+markers", "x": days, "y": [p.value for p in found.points],
         "line": {"color": BLUE, "width": 1.8}, "marker": {"size": 3.5},
         "hovertemplate": "%{y:,.10~g}" + unit + "<extra></extra>"},
        {"type": "scatter", "mode": "markers+text", "x": [p.at.isoformat() for p in odd], "y": [p.value for p in odd],
         "marker": {"symbol": "diamond", "size": 11, "color": RED, "line": {"width": 1.5, "color": "#ffffff"}},
         "text": [f"{p.value:,.10g}" for p in odd], "textposition": "top center", "cliponaxis": False,
         "textfont": {"color": RED, "size": 11},
         "hovertemplate": "%{text} " + "is not expected<extra></extra>"},
    ]  # fmt: skip
    last = found.points[-1]
    notes = [{"x": last.at.isoformat(), "y": last.value, "text": f"{last.value:,.10g}", "showarrow": False,
              "xanchor": "left", "xshift": 7, "font": {"color": BLUE, "size": 12}}]  # fmt: skip
    said = f"{found.metric} of {found.dataset}: {len(found.points)} points, {len(odd)} outside the expected band."
    return graph(
        name, traces, height=height, label=said, annotations=notes, margin={"l": 58, "r": 62, "t": 22, "b": 28},
        yaxis={**_AXIS, "title": {"text": found.unit or found.metric, "font": {"size": 11}}, "tickformat": ",.10~g"},
        xaxis={**_AXIS, "showgrid": False},
    )  # fmt: skip


def timeline(name: str, found: Sequence[Incident], now: datetime, height: int | None = None) -> Part:
    """Incidents as bars from their begin to their end, or to now; the newest at the top, its state beside it."""
    drawn = sorted(found, key=lambda one: one.began_at, reverse=True)[:_MOST]
    labels = [f"{short_id(one.node)[0][:26]} · {one.sort}" for one in drawn]
    places = [f"{n}" for n in range(len(drawn))]
    ends = [one.resolved_at or now for one in drawn]
    long = [max((end - one.began_at).total_seconds(), 3600) * 1000 for one, end in zip(drawn, ends, strict=True)]
    first = min(one.began_at for one in drawn)
    whole = max((now - first).total_seconds() * 1000, 1.0)
    span = [(first - 0.03 * (now - first)).isoformat(), (now + 0.24 * (now - first)).isoformat()]
    shares = [length / whole for length in long]
    words = [_lasted((end - one.began_at).total_seconds()) for one, end in zip(drawn, ends, strict=True)]
    trace = {
        "type": "bar", "orientation": "h", "y": places, "base": [one.began_at.isoformat() for one in drawn], "x": long,
        "marker": {"color": [_STATES[one.state][0] for one in drawn], "cornerradius": 4},
        "text": [f"{_STATES[o.state][1]} · {w}" for o, w in zip(drawn, words, strict=True)],
        "textposition": ["inside" if share > 0.3 else "outside" for share in shares],
        "insidetextanchor": "end", "insidetextfont": {"color": "#ffffff", "size": 11},
        "outsidetextfont": {"color": GREY, "size": 11}, "cliponaxis": False, "constraintext": "none",
        "customdata": [[one.node, one.detail, f"{one.began_at:%Y-%m-%d %H:%M}"] for one in drawn],
        "hovertemplate": "%{customdata[0]}<br>%{customdata[1]}<br>since %{customdata[2]}<extra></extra>",
    }  # fmt: skip
    return graph(
        name, [trace], height=height or max(120, 34 + 30 * len(drawn)), hovermode="closest",
        label=f"{len(drawn)} incidents over time, each a bar from its begin to its end.",
        margin={"l": 8, "r": 12, "t": 4, "b": 26}, bargap=0.32,
        xaxis={**_AXIS, "type": "date", "range": span},
        yaxis={**_AXIS, "showgrid": False, "autorange": "reversed", "tickvals": places, "ticktext": labels,
               "type": "category", "automargin": True},
        shapes=[{"type": "line", "x0": now.isoformat(), "x1": now.isoformat(), "yref": "paper", "y0": 0, "y1": 1,
                 "line": {"color": GREY, "width": 1, "dash": "dot"}}],
    )  # fmt: skip


def _lasted(seconds: float) -> str:
    return f"{seconds / 86400:.1f} d" if seconds >= 48 * 3600 else f"{seconds / 3600:.1f} h"


@dataclass(frozen=True, slots=True)
class Bar:
    """One run on the line of its job: ``line`` tells jobs apart, ``label`` stands beside the line."""

    line: str
    label: str
    began: datetime
    ended: datetime
    state: str
    note: str


GANTT_LINES = 24
"""Lines of a Gantt chart; more cannot be read."""
_RUN_STATES = {"COMPLETE": (BLUE, "completed"), "FAIL": (RED, "failed"), "ABORT": (ORANGE, "aborted")}


def gantt_chart(name: str, bars: Sequence[Bar], first: datetime, last: datetime) -> Part:
    """Runs over time, a line for each job in the order of the bars; failed ones are red and carry their word.

    Parameters
    ----------
    bars
        runs within ``first`` to ``last``; a run that is too short to be seen is drawn as wide as can be seen.
    """
    labels = {one.line: one.label for one in bars}
    lines = list(labels)
    least = (last - first).total_seconds() * 1000 / 400
    traces = []
    for state in dict.fromkeys(one.state for one in bars):
        colour, word = _RUN_STATES.get(state, (GREY, state.lower()))
        drawn = [one for one in bars if one.state == state]
        traces.append({
            "type": "bar", "orientation": "h", "name": word, "y": [one.line for one in drawn],
            "base": [one.began.isoformat() for one in drawn],
            "x": [max((one.ended - one.began).total_seconds() * 1000, least) for one in drawn],
            "marker": {"color": colour, "cornerradius": 3},
            "text": [word if state != "COMPLETE" else "" for _ in drawn], "textposition": "outside",
            "outsidetextfont": {"color": GREY, "size": 11}, "cliponaxis": False, "constraintext": "none",
            "customdata": [[one.label, f"{(one.ended - one.began).total_seconds():,.0f}", one.note] for one in drawn],
            "hovertemplate": "%{customdata[0]}<br>" + word
            + ", %{customdata[1]} s<br>run %{customdata[2]}<extra></extra>",
        })  # fmt: skip
    return graph(
        name, traces, height=max(120, 40 + 22 * len(lines)), hovermode="closest", barmode="overlay", bargap=0.3,
        label=f"{len(bars)} runs of {len(lines)} jobs over time, each a bar from its begin to its end.",
        margin={"l": 8, "r": 12, "t": 4, "b": 26},
        xaxis={**_AXIS, "type": "date", "range": [first.isoformat(), (last + (last - first) * 0.06).isoformat()]},
        yaxis={**_AXIS, "showgrid": False, "autorange": "reversed", "type": "category", "automargin": True,
               "categoryorder": "array", "categoryarray": lines,
               "tickvals": lines, "ticktext": [label[:32] for label in labels.values()]},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spell:
    """How long a job takes, in seconds: median and 95th of 100, the last run and what was expected of it."""

    line: str
    label: str
    median: float
    p95: float
    last: float | None
    low: float | None
    high: float | None
    odd: bool


_SECONDS = {0.001: "1 ms", 0.01: "10 ms", 0.1: "0.1 s", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h",
            36_000: "10 h", 86_400: "1 d", 864_000: "10 d"}  # fmt: skip


def lasting(seconds: float) -> str:
    """A duration as one says it.

    >>> lasting(0.25), lasting(42), lasting(90), lasting(5400), lasting(200000)
    ('0.25 s', '42 s', '1.5 min', '1.5 h', '2.31 d')
    """
    for size, word in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {word}" if seconds < 10 * size else f"{seconds / size:,.0f} {word}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:,.0f} s"


def durations(name: str, jobs: Sequence[Spell]) -> Part:
    """How long jobs take, a line for each: from the median to the 95th of 100, and the last run beside its number."""
    least = min((x for one in jobs for x in (one.median, one.last, one.low) if x and x > 0), default=1.0)

    def at(value: float | None) -> float:
        return max(value or 0.0, least)  # the axis is logarithmic: what took no time stands at its left end

    banded = [one for one in jobs if one.low is not None and one.high is not None and one.last is not None]
    traces: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": {"color": BAND, "width": 15},
         "x": [x for one in banded for x in (at(one.low), at(one.high), None)],
         "y": [y for one in banded for y in (one.line, one.line, None)]},
        {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": {"color": GREY, "width": 3},
         "x": [x for one in jobs for x in (at(one.median), at(one.p95), None)],
         "y": [y for one in jobs for y in (one.line, one.line, None)]},
        {"type": "scatter", "mode": "markers", "x": [at(one.median) for one in jobs], "y": [one.line for one in jobs],
         "marker": {"symbol": "line-ns-open", "size": 11, "color": GREY, "line": {"width": 2}},
         "customdata": [[one.label, lasting(one.median), lasting(one.p95)] for one in jobs],
         "hovertemplate": "%{customdata[0]}<br>median %{customdata[1]}, p95 %{customdata[2]}<extra></extra>"},
    ]  # fmt: skip
    for odd, colour, symbol, word in ((False, BLUE, "circle", ""), (True, RED, "diamond", " odd")):
        drawn = [one for one in jobs if one.odd == odd and one.last is not None]
        traces.append({
            "type": "scatter", "mode": "markers", "x": [at(one.last) for one in drawn],
            "y": [one.line for one in drawn], "text": [f"{lasting(one.last or 0.0)}{word}" for one in drawn],
            "marker": {"color": colour, "symbol": symbol, "size": 10, "line": {"width": 1.5, "color": "#ffffff"}},
            "customdata": [one.label for one in drawn],
            "hovertemplate": "%{customdata}<br>the last run took %{text}<extra></extra>",
        })  # fmt: skip
    odd_ones = sum(one.odd for one in jobs)
    notes = [{"xref": "paper", "x": 1, "xanchor": "left", "xshift": 8, "y": one.line, "showarrow": False,
              "text": f"{lasting(one.last)}{' odd' if one.odd else ''}",
              "font": {"color": RED if one.odd else GREY, "size": 11}}
             for one in jobs if one.last is not None]  # fmt: skip
    return graph(
        name, traces, height=max(140, 44 + 24 * len(jobs)), hovermode="closest", barmode="overlay",
        label=f"How long {len(jobs)} jobs take: median, 95th of 100 and the last run, which is odd for {odd_ones}.",
        margin={"l": 8, "r": 84, "t": 4, "b": 28}, annotations=notes,
        xaxis={**_AXIS, "type": "log", "tickvals": list(_SECONDS), "ticktext": list(_SECONDS.values())},
        yaxis={**_AXIS, "showgrid": False, "autorange": "reversed", "type": "category", "automargin": True,
               "categoryorder": "array", "categoryarray": [one.line for one in jobs],
               "tickvals": [one.line for one in jobs], "ticktext": [one.label[:32] for one in jobs]},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Area:
    """One part of a tree map; ``parent`` is the id of the part around it, empty at the top."""

    id: str
    name: str
    parent: str
    value: float
    colour: str
    note: str = ""


def treemap(name: str, areas: Sequence[Area], currency: str, label: str, height: int = 380) -> Part:
    """Areas in areas, each with its name and amount; a click goes into one, a click on the bar above goes back."""
    trace = {
        "type": "treemap", "ids": [a.id for a in areas], "labels": [a.name for a in areas],
        "parents": [a.parent for a in areas], "values": [a.value for a in areas], "branchvalues": "total",
        "text": [money(f"{a.value:.4f}", currency) for a in areas], "customdata": [a.note for a in areas],
        "texttemplate": "%{label}<br>%{text}",
        "hovertemplate": "%{label}<br>%{text} · %{percentRoot:.1%} of all<br>%{customdata}<extra></extra>",
        "marker": {"colors": [a.colour for a in areas], "line": {"width": 1, "color": "rgba(255,255,255,0.7)"},
                   "pad": {"t": 20, "l": 3, "r": 3, "b": 3}, "cornerradius": 4},
        "textfont": {"color": INK, "size": 12}, "tiling": {"pad": 2}, "maxdepth": 4,
        "pathbar": {"visible": True, "thickness": 22, "textfont": {"color": INK, "size": 12}},
    }  # fmt: skip
    return graph(name, [trace], height=height, label=label, margin={"l": 0, "r": 0, "t": 24, "b": 0},
                 hovermode="closest", uniformtext={"minsize": 10, "mode": "hide"})  # fmt: skip


def sankey(name: str, flows: Sequence[tuple[str, str, float]], currency: str, label: str, height: int = 320) -> Part:
    """What goes from where to where; left payers, right users, so that nothing runs in a circle."""
    left = sorted({a for a, _, _ in flows}, key=lambda k: -sum(v for a, _, v in flows if a == k))
    right = sorted({b for _, b, _ in flows}, key=lambda k: -sum(v for _, b, v in flows if b == k))
    sums = [*(sum(v for a, _, v in flows if a == k) for k in left),
            *(sum(v for _, b, v in flows if b == k) for k in right)]  # fmt: skip
    names = [f"{n}  {money(f'{v:.4f}', currency)}" for n, v in zip([*left, *right], sums, strict=True)]
    colours = {k: AREAS[n % len(AREAS)] for n, k in enumerate(sorted({*left, *right}))}
    trace = {
        "type": "sankey", "arrangement": "snap", "valueformat": ",.2f", "valuesuffix": f" {currency}",
        "node": {"label": names, "color": [colours[k] for k in (*left, *right)], "pad": 16, "thickness": 14,
                 "line": {"width": 0}, "hovertemplate": "%{label}<extra></extra>"},
        "link": {"source": [left.index(a) for a, _, _ in flows],
                 "target": [len(left) + right.index(b) for _, b, _ in flows], "value": [v for _, _, v in flows],
                 "color": [_faint(colours[a]) for a, _, _ in flows],
                 "hovertemplate": "%{source.label} → %{target.label}: %{value}<extra></extra>"},
        "textfont": {"color": GREY, "size": 12.5, "shadow": "none"},
    }  # fmt: skip
    return graph(name, [trace], height=height, label=label, margin={"l": 6, "r": 6, "t": 8, "b": 8},
                 hovermode="closest")  # fmt: skip


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.45)"


def months(name: str, periods: Sequence[str], series: Sequence[tuple[str, Sequence[float | None], str]], currency: str,
           height: int = 260) -> Part:  # fmt: skip
    """Stacked bars per month with the sum above each; a month without bills has no bar and says so."""
    sums = [None if all(v[n] is None for _, v, _ in series) else sum(v[n] or 0 for _, v, _ in series)
            for n in range(len(periods))]  # fmt: skip
    traces = [
        {"type": "bar", "name": words, "x": list(periods), "y": [v or 0 for v in values], "marker": {"color": colour},
         "hovertemplate": "%{y:,.2f} " + f"{currency} {words}<extra></extra>"}
        for words, values, colour in series
    ]  # fmt: skip
    notes = [
        {"x": period, "y": total or 0, "text": "no bill" if total is None else money(f"{total:.4f}", currency),
         "showarrow": False, "yshift": 11, "font": {"color": GREY, "size": 12}}
        for period, total in zip(periods, sums, strict=True)
    ]  # fmt: skip
    told = "; ".join(f"{p}: {'no bill' if s is None else money(f'{s:.4f}', currency)}"
                     for p, s in zip(periods, sums, strict=True))  # fmt: skip
    return graph(name, traces, height=height, label=f"Cost per month in {currency}: {told}.", barmode="stack",
                 annotations=notes, margin={"l": 52, "r": 8, "t": 22, "b": 28},
                 xaxis={**_AXIS, "type": "category", "showgrid": False},
                 yaxis={**_AXIS, "tickformat": ",~s", "rangemode": "tozero",
                        "title": {"text": currency, "font": {"size": 11}}})  # fmt: skip
