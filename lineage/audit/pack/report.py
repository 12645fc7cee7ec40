"""The readable part of an evidence pack: one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from lineage.audit.pack.policies import report_rows
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.answers import Answer
    from lineage.run_trail import RunStep, RunTrail

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body{{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1a2233}}
h1{{font-size:1.5rem}} h2{{font-size:1.15rem;margin-top:2rem}} code{{font-size:.85em;overflow-wrap:anywhere}}
table{{border-collapse:collapse;width:100%}} th,td{{text-align:left;vertical-align:top;padding:.35rem .6rem;
border-bottom:1px solid #d5dae4}}
td{{overflow-wrap:anywhere;min-width:5.4rem}} th{{background:#f2f4f8}} .gap{{background:#fff4e0;padding:.5rem .8rem}}
pre{{white-space:pre-wrap;background:#f6f7fa;padding:.6rem;font-size:.8rem}}
@media print{{h2{{break-after:avoid}} tr{{break-inside:avoid}}}}
</style></head><body>
<h1>{title}</h1>
<p>As it was on <b>{as_of}</b>, as it was known on <b>{known_at}</b>. Made {made_at} by {actor} with {generated_by};
state <code>{fingerprint}</code>.</p>
{sections}
</body></html>
"""


_POLICIES = ("Policy", "Asset", "Result", "What it says", "Since")
_STOPS = ("Node", "Tag", "Asked by", "Approved by", "Reason", "Since", "Until")


def to_html(
    trail: RunTrail,
    answer: Answer,
    quality: Mapping[str, Any],
    policies: Mapping[str, Any],
    stops: Sequence[Mapping[str, Any]],
    gaps: Sequence[str],
    manifest: Mapping[str, Any],
) -> str:
    """The report of one pack. Every text from outside is escaped."""
    sections = [
        _section("What this page cannot tell", _gaps(gaps)),
        _section(f"The {len(trail.steps)} runs behind it, nearest first", _steps(trail.steps)),
        _section(f"Everything upstream ({len(answer.nodes)})", _upstream(answer)),
        _section("Tests at that time", _tests(quality["tests"])),
        _section("Policies at that time", _table(_POLICIES, report_rows(policies))),
        _section("Tags that were stopped there, with approval", _table(_STOPS, _stops(stops))),
        _section("Code that ran", _code(trail.steps)),
        _section("How to check this pack", _check(manifest)),
    ]
    return _PAGE.format(
        title=escape(f"Where {trail.node} came from"),
        as_of=iso(trail.as_of),
        known_at=iso(trail.known_at),
        made_at=escape(str(manifest["made_at"])),
        actor=escape(str(manifest["made_by"])),
        generated_by=escape(str(manifest["generated_by"])),
        fingerprint=escape(str(manifest["fingerprint"])),
        sections="\n".join(sections),
    )


def _section(title: str, body: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{body}"


def _stops(stops: Sequence[Mapping[str, Any]]) -> Iterable[tuple[object, ...]]:
    for one in stops:
        told = (one["requester"], one["approver"], one["reason"], one["since"], one["until"] or "no end")
        yield one["node"], one["tag"] or "every tag", *told


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(_text(cell))}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else "<p>None is known.</p>"


def _text(cell: object) -> str:
    return "unknown" if cell is None or cell == "" else str(cell)


def _gaps(gaps: Sequence[str]) -> str:
    if not gaps:
        return "<p>No blind spot is known on the way.</p>"
    return "".join(f'<p class="gap">{escape(gap)}</p>' for gap in gaps)


def _steps(steps: Sequence[RunStep]) -> str:
    heads = ("Step", "Version of", "Made by run", "Job", "State", "Started", "Ended", "From", "Owner")
    rows = [
        (
            step.hops, f"{step.dataset} {step.version or ''}".strip(), step.run_id, step.job, step.state,
            iso(step.started_at), iso(step.ended_at),
            "; ".join(f"{read.dataset} @ {read.run_id or 'unknown run'}" for read in step.inputs) or "nothing told",
            step.owner,
        )
        for step in steps
    ]  # fmt: skip
    return _table(heads, rows)


def _upstream(answer: Answer) -> str:
    heads = ("Hops", "Node", "Domain", "Owner", "Certainty")
    return _table(heads, [(n.hops, n.id, n.domain, n.owner, n.certainty) for n in answer.nodes])


def _tests(tests: Sequence[Mapping[str, Any]]) -> str:
    heads = ("Dataset", "Column", "Test", "Result", "At")
    rows = [(t["dataset"], t["column"] or "whole dataset", t["test"], t["status"], iso(t["tested_at"])) for t in tests]
    return _table(heads, rows)


def _code(steps: Sequence[RunStep]) -> str:
    parts = []
    for step in steps:
        if not step.sql and not step.code:
            continue
        code = step.code or {}
        place = " ".join(str(code[key]) for key in ("url", "version") if code.get(key))
        sql = f"<pre>{escape(step.sql)}</pre><p>SHA-256 <code>{step.sql_hash}</code></p>" if step.sql else ""
        parts.append(f"<p><b>{escape(step.job)}</b> <code>{escape(place)}</code></p>{sql}")
    return "".join(dict.fromkeys(parts)) or "<p>No producer told its code.</p>"


def _check(manifest: Mapping[str, Any]) -> str:
    return (
        f"<p>{manifest['events']:,} archived events and their proofs are in this pack. <code>python3 verify.py "
        "PACK.zip --key FINGERPRINT</code> checks every member, every event and the audit log behind them; it needs "
        "Python and nothing else. Run a copy of verify.py that you trust, and compare the fingerprint of the key "
        f"(<code>{escape(str(manifest['key']))}</code>) with one that you got from elsewhere.</p>"
    )
