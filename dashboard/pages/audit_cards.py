"""Tiles of the audit page, the result of a verification, one act with its proof."""

from __future__ import annotations

import json
from collections import Counter

import dash_mantine_components as dmc
from dash import dcc, html

from dashboard import forms
from dashboard.desk import Asked, clock, tile
from dashboard.page import Part
from dashboard.pages.audit_sheets import AuditFacts
from dashboard.pages.govern import facts as facts_list
from dashboard.pages.overview_parts import card, nothing
from dashboard.theme import icon
from lineage.audit.checkpoint import Checkpoint
from lineage.audit.verify import Verification
from lineage.errors import UsageError
from lineage.times import utcnow


def tiles(facts: AuditFacts) -> list[Part]:
    """The four numbers at the top, each leading to its rows."""
    asked, log, kept = facts.asked, facts.log(), facts.checkpoints()
    people = Counter(act.actor for act in log.acts)
    refused = sum(act.outcome != "done" for act in log.acts)
    newest = log.acts[0].at if log.acts else None
    top = people.most_common(1)
    covered = f"the newest covers {kept[0].size:,} acts" if kept else "none was signed yet"
    return [
        tile("list", "Acts", f"{log.total:,}", f"the newest of {clock(newest)} UTC", asked.to(view=None, act=None),
             name="count-acts"),
        tile("user", "Who acted", f"{len(people):,}", f"most: {top[0][0]}, {top[0][1]:,}" if top else "nobody",
             asked.to(view=None, act=None, sort="actor:asc"), name="count-actors"),
        tile("alert-triangle", "Not done", f"{refused:,}", "refused or failed",
             asked.to(view=None, act=None, filter="outcome:notEqual:done"), name="count-refused"),
        tile("file-certificate", "Checkpoints", f"{len(kept):,}", covered,
             asked.to(view="checkpoints", act=None), name="count-checkpoints"),
    ]  # fmt: skip


def verify(asked: Asked) -> Part:
    """The button that verifies, and room for what comes of it."""
    past = asked.links.asof or asked.links.known
    sub = "Every hash, every checkpoint, every batch of events" + (
        "; always of the whole log, whatever instant is shown" if past else ""
    )
    return card(
        "Verify the log", sub,
        html.Div(
            [html.Button([icon("shield-check", size=16), "Verify now"], id="audit-verify-now",
                         className="btn primary", type="button"),
             html.Code("meshline audit verify", className="muted small")],
            className="form-end",
        ),
        html.Div(html.P("Not verified since this page was opened: unknown.", className="muted"),
                 id="audit-verified", role="status"),
        name="verify-card",
    )  # fmt: skip


def verified(found: Verification, seconds: float) -> Part:
    """What a verification found, with its counts and how long it took."""
    tone, mark = ("good", "circle-check") if found.intact else ("bad", "alert-triangle")
    words = "Intact: nothing was edited, removed or put in." if found.intact else (
        f"Not intact: {len(found.problems):,} problem{'s' if len(found.problems) != 1 else ''}."
    )  # fmt: skip
    pairs: list[tuple[str, Part]] = [
        ("Acts", f"{found.acts:,}"), ("Checkpoints", f"{found.checkpoints:,}" if found.checkpoints else
                                      "0: nothing outside vouches for the log; sign one and keep it elsewhere"),
        ("Batches of events", f"{found.batches:,} whose bytes were checked"),
        ("Root", html.Span(found.root, className="mono small")),
        ("Keys", html.Span(", ".join(found.keys) or "none", className="mono small")),
        ("Verified", f"{clock(utcnow())} UTC, in {seconds:.2f} s"),
    ]  # fmt: skip
    problems = html.Ul([html.Li(text) for text in found.problems], className="says") if found.problems else None
    return [html.P(html.Span([icon(mark, size=16), words], className=f"form-{tone}")), problems, facts_list(pairs)]


def pack(asked: Asked) -> Part:
    """The form that starts the job of an evidence pack."""
    when = asked.links.asof or "now"
    return card(
        "Evidence pack", f"Where something came from, as of {when}: a file that proves itself offline",
        html.Div(
            [
                dmc.TextInput(id="audit-node", label="Dataset, column or job", value=asked.get("node"),
                              placeholder="dataset:NAMESPACE:NAME or the unique end of a name", withAsterisk=True),
                dmc.Checkbox(id="audit-raw", checked=False,
                             label="With the raw events; they are never altered and may hold secrets"),
                html.Div(
                    [html.Button([icon("file-certificate", size=16), "Make the pack"], id="audit-pack",
                                 className="btn primary", type="button"),
                     html.Span("It runs as a job in the corner; the pack is signed and stands in the log.",
                               className="muted small")],
                    className="form-end",
                ),
            ],
            className="act-form",
        ),
        name="pack-card",
    )  # fmt: skip


def sign(asked: Asked) -> Part:
    """The form that signs a checkpoint, and room for its note."""
    if asked.links.asof or asked.links.known:
        return card("Checkpoint", "", nothing("history", "You look at the past. Go back to now to act."))
    about = "Signs the log as it is, this act too. Keep the note where nobody who can write the database reaches it."
    form = forms.form("audit-sign", "Sign a checkpoint", about, (), "Sign")
    return card("Checkpoint", "What shows later that nothing before it was changed", form, html.Div(id="audit-note"),
                name="sign-card")  # fmt: skip


def note(made: Checkpoint) -> Part:
    """The note of a checkpoint, with a button that copies it."""
    return html.Div([dcc.Clipboard(content=made.note, title="Copy the note"),
                     html.Pre(made.note, className="yaml mono", tabIndex=0, role="region",
                              **{"aria-label": "Note of the checkpoint"})], className="note-of")  # fmt: skip


def act(facts: AuditFacts) -> Part:
    """The act that the address names, with the proof that it is in the log; nothing when it names none."""
    text = facts.asked.get("act")
    if not text:
        return None
    one = next((row for row in facts.log().acts if str(row.seq) == text), None)
    if one is None:
        raise UsageError(f"act {text[:40]}: the log that is shown has no such act.")
    proof = facts.lx.audit.prove(one.seq)
    pairs: list[tuple[str, Part]] = [
        ("When", f"{one.at:%Y-%m-%d %H:%M:%S} UTC"), ("Who", one.actor), ("Action", one.action), ("On", one.resource),
        ("Outcome", one.outcome), ("Leaf", html.Span(proof.leaf, className="mono small")),
        ("Root", html.Span(f"{proof.root} of {proof.size:,} acts", className="mono small")),
    ]  # fmt: skip
    details = json.dumps(one.payload, indent=2, ensure_ascii=False, sort_keys=True)
    path = "\n".join(proof.path) or "the log holds only this act"
    right = html.Div([_text("Details", details), _text(f"Proof: {len(proof.path)} hashes, bottom first", path)],
                     className="contract")  # fmt: skip
    body = html.Div([facts_list(pairs), right], className="pair")
    return card(f"Act {one.seq:,}", one.action, body, more=dcc.Link("Close", href=facts.asked.to(act=None)),
                name="act-card")  # fmt: skip


def _text(title: str, text: str) -> Part:
    block = html.Pre(text, className="yaml mono", tabIndex=0, role="region", **{"aria-label": title})
    return html.Div([html.H3(title), block])
