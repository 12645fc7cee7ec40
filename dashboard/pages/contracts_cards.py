"""Tiles and cards of the contracts page."""

from __future__ import annotations

from collections import Counter

from dash import dcc, html

from dashboard.amounts import percent
from dashboard.contract_text import human, parsed, yaml_of
from dashboard.desk import clock, node_link, tile
from dashboard.page import Part
from dashboard.pages.contracts_facts import ORDER, ContractFacts
from dashboard.pages.overview_parts import card, nothing
from lineage.contracts.overview import ContractRow, Version

_TONES = {"broken": "bad", "unknown": "unknown", "kept": "good"}
SEVERITIES = {"BREAKING": "bad", "RISKY": "warn", "SAFE": "good", "COSMETIC": ""}
_STATUS = {"active": "good", "deprecated": "warn", "retired": "bad"}
_MOST = 12


def tiles(facts: ContractFacts) -> list[Part]:
    """The numbers at the top."""
    asked, promises, contracts = facts.asked, facts.promises(), facts.contracts()
    counts = Counter(p.verdict for p in promises)
    known = counts["kept"] + counts["broken"]
    ending = [c for c in contracts if c.status in ("deprecated", "retired") and c.readers]
    empty = [c for c in contracts if c.unbound]
    return [
        tile("clipboard-check", "Promises kept", percent(counts["kept"] / known) if known else "none",
             f"{counts['kept']:,} of {known:,} that can be told", asked.to(view=None, filter="verdict:equals:kept"),
             name="count-kept"),
        tile("alert-triangle", "Broken", f"{counts['broken']:,}", "promises, by evidence",
             asked.to(view=None, filter="verdict:equals:broken"), bad=bool(counts["broken"]), name="count-broken"),
        tile("help", "Unknown", f"{counts['unknown']:,}", "nothing was seen that could tell",
             asked.to(view=None, filter="verdict:equals:unknown"), name="count-unknown"),
        tile("history", "Ends, still read", f"{len(ending):,}", "deprecated or retired with readers",
             asked.to(view="contracts", sort="readers:desc"), bad=bool(ending), name="count-ending"),
        tile("eye-off", "Binds nothing", f"{len(empty):,}", "contracts about data never seen",
             asked.to(view="contracts", filter="unbound:notBlank:"), bad=bool(empty), name="count-unbound"),
    ]  # fmt: skip


def kept(facts: ContractFacts) -> Part:
    """Each contract as a bar of its promises: broken, unknown, kept."""
    promises = facts.promises()
    more = dcc.Link(f"All {len(promises):,} promises", href=facts.asked.to(view=None))
    title = "Kept, by contract"
    if not promises:
        return card(title, "", nothing("clipboard-check", "No contract promises anything here."), more=more)
    by: dict[tuple[str, str], Counter[str]] = {}
    for p in promises:
        by.setdefault((p.contract, p.version), Counter())[p.verdict] += 1
    listed = sorted(by.items(), key=lambda item: (-item[1]["broken"], -item[1]["unknown"], item[0]))[:_MOST]
    rows = [
        html.Li(
            [
                html.Div([dcc.Link([name, html.Span(f" {version}", className="muted")], href=facts.asked.to(id=name)),
                          html.Span(", ".join(f"{counts[v]:,} {v}" for v in ORDER if counts[v]), className="muted")],
                         className="board-line"),
                html.Span([html.Span(className=f"part {_TONES[v]}", style={"flex": counts[v]}) for v in ORDER
                           if counts[v]], className="parts", **{"aria-hidden": "true"}),
            ]
        )
        for (name, version), counts in listed
    ]  # fmt: skip
    sub = "Broken, unknown and kept promises; unknown is not kept"
    return card(title, sub, html.Ul(rows, className="board"), more=more, name="kept-card")


def ends(facts: ContractFacts) -> Part:
    """What is deprecated, until when, and who still reads it."""
    found = [c for c in facts.contracts() if c.status in ("deprecated", "retired")]
    more = dcc.Link("All contracts", href=facts.asked.to(view="contracts"))
    title, sub = "What ends", "Deprecated and retired contracts with who still reads"
    if not found:
        return card(title, sub, nothing("circle-check", "No contract is deprecated."), more=more)
    return card(title, sub, html.Ul([_end(facts, one) for one in found[:6]], className="board"), more=more,
                name="ends-card")  # fmt: skip


def _end(facts: ContractFacts, one: ContractRow) -> Part:
    when = f"support ends {one.end_of_support}" if one.end_of_support else "no end of support is told"
    after = f", followed by {one.replaced_by}" if one.replaced_by else ", nothing follows it"
    readers = [html.Li(node_link(facts.asked, job)) for job in one.readers[:8]]
    return html.Li(
        [
            html.Div([dcc.Link([one.name or one.id, html.Span(f" {one.version}", className="muted")],
                               href=facts.asked.to(id=one.id)),
                      html.Span(one.status, className=f"pill {_STATUS.get(one.status, '')}")], className="board-line"),
            html.Div(when + after, className="muted small"),
            html.Ul(readers, className="names said") if readers
            else html.Div("Nobody reads it any more: it can go.", className="said"),
        ]
    )  # fmt: skip


def one_contract(facts: ContractFacts) -> Part:
    """The contract of the address in words, with its versions."""
    if not facts.id:
        return None
    versions = facts.versions(facts.id)
    if not versions:
        return nothing("clipboard-check", "No version of it is known at this time.")
    rows = facts.contracts()
    first = versions[0]
    status = [html.Span(f"{c.version} {c.status}", className=f"pill {_STATUS.get(c.status, '')}") for c in rows]
    shown = html.Div([html.Div(status, className="said"), *human(parsed(first.text)), yaml_of(first.text)],
                     className="contract")  # fmt: skip
    left = card(
        f"{first.name.partition('@')[0] or facts.id} {first.version or ''}",
        "The contract in words",
        shown,
        name="human-card",
    )
    return html.Div([html.Div(left), html.Div(_versions(facts, versions))], className="cols wide-left")


def _versions(facts: ContractFacts, versions: tuple[Version, ...]) -> Part:
    more = dcc.Link("All changes", href=facts.asked.to(view="changes"))
    items = []
    for n, one in enumerate(versions):
        older = versions[n + 1] if n + 1 < len(versions) else None
        body = _step(facts, one, older) if older is not None else [html.Span("the first that is known",
                                                                             className="muted")]  # fmt: skip
        head = [html.B(one.version or "unnamed"), f" since {clock(one.valid_from)} ",
                html.Span(one.status, className=f"pill {_STATUS.get(one.status or '', '')}"),
                html.Span(f"by {one.actor}, {one.path}", className="muted")]  # fmt: skip
        items.append(html.Li([*head, *body]))
    return card("Versions", "Newest first, each with what it changed", html.Ul(items, className="log"), more=more,
                name="versions-card")  # fmt: skip


def _step(facts: ContractFacts, new: Version, old: Version) -> list[Part]:
    if new.hash == old.hash:
        return [html.Span("the same text", className="muted")]
    found = facts.change(new, old)
    lines = [
        html.Li([html.Span(j.change.consumer.value, className=f"pill {SEVERITIES[j.change.consumer.value]}"),
                 f" {j.change.what} ", html.Span(j.change.place, className="mono small"),
                 html.Span(f" {j.finding}, {len(j.consumers):,} readers hit", className="muted")])
        for j in found.changes[:12]
    ]  # fmt: skip
    enough = "" if found.bump_enough else f"; the step is too small, {found.required_bump} was needed"
    return [html.Span(f"{len(found.changes):,} changes against {old.version}{enough}", className="muted"),
            html.Ul(lines, className="short")]  # fmt: skip
