"""The timeline and the steps of a story in words: what ``trail.js`` shows. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from dashboard.lineage_graph.drawing import status_pill
from dashboard.links import Links
from dashboard.names import short_id
from dashboard.pages.provenance_story import Bar, Story, Told, in_words, lasted
from dashboard.theme import UNASSIGNED_COLOUR
from lineage.quality.answers import points
from lineage.run_trail import ColumnUse, InputVersion, RunStep

TIES = {
    "version": "the version that the run named",
    "time": "the newest that was complete when the run began",
    "stream": "a stream, which has no versions",
    "none": "by which run is not known",
}
_TONES = {0: "bad", 1: "warn", 2: "info", 3: "good", 4: "good", 5: ""}
Words = dict[str, Any]


def node(text: str, links: Links) -> Words:
    """A node by its text, with the way to its picture; what is hidden has none."""
    name, before = short_id(text)
    plain = text.startswith(("dataset:", "job:", "column:"))
    return {"text": text, "name": name, "before": before, "href": links.lineage(text) if plain else None}


# -- timeline


def marks(tale: Story) -> list[tuple[float, str]]:
    """Places and texts of the axis: five instants from the first recent step to the last."""
    if tale.begin is None or tale.end is None:
        return []
    span = tale.end - tale.begin
    form = "%H:%M" if tale.begin.date() == tale.end.date() else "%d %b %H:%M"
    return [(share * 100, f"{tale.begin + span * share:{form}}") for share in (0.0, 0.25, 0.5, 0.75, 1.0)]


def bar(one: Bar, last: int, colours: Mapping[str, int]) -> Words:
    """One row of the timeline."""
    told, step = one.told, one.told.step
    name, before = short_id(step.dataset)
    said = _span(step)
    return {
        "number": told.number,
        "anchor": told.anchor,
        "name": name,
        "before": before,
        "said": said,
        "title": f"{step.dataset}\n{said}\n{step.job}",
        "color": _colour(step.domain, colours),
        "left": one.left,
        "width": one.width,
        "age": in_words(one.early) if one.early else "",
        "open": step.ended_at is None,
        "last": told.number == last,
    }


def _colour(domain: str, colours: Mapping[str, int]) -> str:
    return f"var(--domain-{colours.get(domain, UNASSIGNED_COLOUR)})"


def _span(step: RunStep) -> str:
    if step.ended_at is None:
        return "still running: a stream"
    start = f"{step.started_at:%d %b %H:%M} to " if step.started_at else ""
    return f"{start}{step.ended_at:%H:%M}" if start else f"{step.ended_at:%d %b %H:%M}"


# -- steps


def step(told: Told, tale: Story, links: Links, colours: Mapping[str, int]) -> Words:
    """One step of the story."""
    s = told.step
    return {
        "number": told.number,
        "anchor": told.anchor,
        "color": _colour(s.domain, colours),
        "last": told.number == len(tale.steps),
        "node": node(s.dataset, links),
        "pills": _pills(told),
        "when": _when(s),
        "domain": s.domain,
        "reads": [_read(one, tale, links) for one in s.inputs],
        "facts": _facts(s, links),
        "tests": f"{told.passed} test{'s' if told.passed != 1 else ''} passed then" if told.passed else "",
        "failed": f"{len(told.failed)} failed: {', '.join(told.failed[:6])}" if told.failed else "",
        "sql": s.sql or "",
        "hash": (s.sql_hash or "")[:16],
    }


def _pills(told: Told) -> list[tuple[str, str]]:
    text, tone = status_pill(told.step.state)
    row = told.quality
    found = [(text, _TONES[tone])]
    if row is None or row.quality is None:
        found.append(("quality unknown", ""))
    else:
        worth = {"good": "good", "at risk": "warn"}.get(row.grade, "bad")
        found.append((f"quality {points(row.quality)} · {row.grade}", worth))
    if told.step.conflict:
        found.append(("two events tell different ends", "warn"))
    return found


def _when(s: RunStep) -> str:
    start = f"{s.started_at:%d %b %Y %H:%M:%S}" if s.started_at else "start unknown"
    took = lasted(s)
    end = f"{s.ended_at:%H:%M:%S} UTC" if s.ended_at else "still running"
    return f"{start} – {end}{f' · {took}' if took else ''}"


def _read(read: InputVersion, tale: Story, links: Links) -> Words:
    when = f"as written {read.written_at:%d %b %H:%M}, " if read.written_at else ""
    version = f"version {read.version}, " if read.version else ""
    return {
        "node": node(read.dataset, links),
        "tie": f"{version}{when}{TIES[read.tie]}",
        "jump": tale.numbers.get((read.dataset, read.run_id or "")),
        "uses": [_use(use) for use in read.columns],
    }


def _use(use: ColumnUse) -> str:
    into = use.dst.rpartition(":")[2] if use.dst.startswith("column:") else "every row"
    kind = " ".join(part.lower() for part in (use.type, use.subtype) if part)
    return f"{use.src.rpartition(':')[2]} → {into}{f' ({kind})' if kind else ''}{' masked' if use.masking else ''}"


def _facts(s: RunStep, links: Links) -> list[Words]:
    code = s.code or {}
    facts: list[Words] = [{"name": "Job", "node": node(s.job, links)}]
    run: Words = {"name": "Run", "text": s.run_id, "mono": True, "copy": True}
    facts.append(run if s.run_id else {"name": "Run", "text": "hidden", "none": True})
    if s.version:
        facts.append({"name": "Version", "text": s.version, "mono": True, "copy": True})
    place, commit = str(code.get("path") or code.get("url") or ""), str(code.get("version") or "")
    if place or commit:
        shown = f"{place} @ {commit[:12]}" if commit else place
        note = "told of the job, not by this run" if s.told_by == "job" else ""
        href = outward(str(code.get("url") or ""))
        facts.append({"name": "Code", "text": shown, "mono": True, "href": href, "note": note})
    producer = f"{s.producer or 'unknown'}{f' · {s.engine}' if s.engine else ''}"
    facts.append({"name": "Producer", "text": producer, "mono": True})
    if s.parent:
        facts.append({"name": "Part of", "node": node(s.parent, links)})
    if s.nominal_start:
        facts.append({"name": "For the time", "text": f"{s.nominal_start:%Y-%m-%d %H:%M} UTC"})
    owner: Words = {"name": "Owner", "text": s.owner or "no owner told", "none": not s.owner}
    return [*facts, owner]


def outward(url: str) -> str | None:
    """An address of the web that a producer told, if it is one: nothing else may become a link.

    >>> outward("https://git.example/x"), outward("javascript:alert(1)"), outward("git@example:x.git")
    ('https://git.example/x', None, None)
    """
    try:
        parts = urlsplit(url) if url.isprintable() else None
    except ValueError:
        return None
    return url if parts and parts.scheme in ("http", "https") and parts.netloc else None
