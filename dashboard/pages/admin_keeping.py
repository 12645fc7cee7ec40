"""What keeps a database in order, on the page of administration: its health, retention, masking, and running jobs."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update, set_props

from dashboard import forms
from dashboard.desk import Asked, clock, failed, plain
from dashboard.forms import Field, Values
from dashboard.jobs import Job, Made, Progress
from dashboard.jobs_tray import jobs_of, press, progress_bar, started
from dashboard.page import Part, callback
from dashboard.pages.govern import facts as facts_list
from dashboard.pages.overview_parts import card, nothing
from dashboard.theme import icon
from ingest import altered
from ingest.retention import KINDS, Removal, Rule, retain, retain_quarantine
from lineage.actor import Actor
from lineage.audit.signing import signing_key
from lineage.doctor import Report, examine, holdings
from lineage.errors import MeshlineError, UsageError
from lineage.jsonable import to_json
from lineage.redact import redact
from lineage.times import utcnow

if TYPE_CHECKING:
    from ingest.live import LiveIngest
    from lineage.engine import Lineage

MASKING = (Field("on", "Mask before storage", "choice", choices=(("on", "on"), ("off", "off"))),)
_KINDS = (
    ("quarantine", "Refused inputs"), ("events", "Bytes of events"), ("metrics", "Metrics"), ("assertions", "Tests"),
    ("edges", "Ended edges"), ("runs", "Runs"), ("all", "All but refused inputs"),
)  # fmt: skip


@dataclass(slots=True)
class Examined:
    """The last examination of this server; gone when it ends."""

    report: Report | None = None
    at: datetime | None = None
    seconds: float = 0.0


def _live(app: Dash) -> LiveIngest | None:
    """The receiver of events beside the pages; ``None`` when pages are served alone."""
    return cast("LiveIngest | None", getattr(app.server.state, "live", None))


# -- health


def health(lx: Lineage, done: Examined) -> Part:
    """Size and age of the database, and what the last examination found."""
    store = lx.store
    held = holdings(store)
    size = store.path.stat().st_size if store.path and store.path.exists() else None
    pairs: list[tuple[str, Part]] = [
        ("File", "in memory" if size is None else f"{size / 1e6:,.1f} MB"),
        ("Format", store.get_meta("format") or "unknown"),
        ("Holds", f"{held.events:,} events, {held.nodes:,} nodes, {held.runs:,} states of runs"),
        ("Events received", f"{clock(held.first)} to {clock(held.last)} UTC"),
    ]  # fmt: skip
    body: list[Part] = []
    report = done.report
    if report is not None and done.at is not None:
        bad = [check for check in report.checks if not check.ok]
        words = f"Sound: {len(report.checks):,} checks, nothing found." if report.healthy else (
            f"{len(bad):,} of {len(report.checks):,} checks found something."
        )  # fmt: skip
        mark, tone = ("circle-check", "good") if report.healthy else ("alert-triangle", "bad")
        body.append(html.P(html.Span([icon(mark, size=16), words], className=f"form-{tone}"), id="admin-sound"))
        pairs += [("Examined", f"{clock(done.at)} UTC, in {done.seconds:.1f} s"),
                  ("Fingerprint", html.Span(report.fingerprint or "–", className="mono small",
                                            id="admin-fingerprint"))]  # fmt: skip
        if bad:
            heads = (("Check", False), ("What was found", False), ("How often", True), ("For instance", False))
            rows = [[c.name, c.what, f"{c.found:,}", "; ".join(c.examples)] for c in bad]
            body.append(plain(heads, rows, "What the examination found"))
    else:
        body.append(html.P("Not examined since the server was started: unknown.", className="muted"))
    button = html.Button([icon("heart-rate-monitor", size=16), "Examine now"], id="admin-examine",
                         className="btn primary", type="button")  # fmt: skip
    foot = html.Div([button, html.Code("meshline doctor --fingerprint", className="muted small")], className="form-end")
    return card("Database", "Whether what is stored is sound, and the fingerprint of all that follows from events",
                *body, facts_list(pairs), foot, name="health-card")  # fmt: skip


def examination(lx: Lineage, done: Examined, progress: Progress) -> Made:
    """The job that examines."""
    progress(0.05, "running the checks, computing the fingerprint")
    began = time.monotonic()
    report = examine(lx.store, with_fingerprint=True)
    done.report, done.at, done.seconds = report, utcnow(), time.monotonic() - began
    notes = (("Sound" if report.healthy else "Not sound", f"{len(report.checks):,} checks"),
             ("Fingerprint", report.fingerprint or ""))  # fmt: skip
    return Made("doctor.json", _json(report), "application/json", notes)


def _json(value: Any) -> bytes:
    return json.dumps(to_json(value), indent=2, ensure_ascii=False).encode()


# -- retention


def retention(asked: Asked) -> Part:
    """What may go; said first, done only afterwards."""
    if asked.links.asof or asked.links.known:
        return card("Retention", "", nothing("history", "You look at the past. Go back to now to act."))
    kinds = [{"value": key, "label": words} for key, words in _KINDS]
    inputs = html.Div(
        [
            dmc.Select(id="admin-kind", data=kinds, value="quarantine", label="What", allowDeselect=False, w=190),
            dmc.TextInput(id="admin-days", label="Older than (days)", w=150),
            dmc.TextInput(id="admin-keep", label="Keep the newest", w=150),
            dmc.Checkbox(id="admin-replayed", label="Only refused inputs that were accepted later", checked=False),
        ],
        className="options",
    )
    button = html.Button([icon("search", size=16), "See what would go"], id="admin-try", className="btn primary",
                         type="button")  # fmt: skip
    return card(
        "Retention", "Nothing goes by itself; what would go is shown before it can be removed", inputs,
        html.Div([button, html.Code("meshline retention", className="muted small")], className="form-end"),
        html.Div(id="admin-tried", role="status"), name="retention-card",
    )  # fmt: skip


def _rule(days: str | None, keep: str | None, replayed: bool) -> Rule:
    """What the form asks for.

    Raises
    ------
    UsageError
        when a limit is no number.
    """
    try:
        return Rule(float(days) if days else None, int(keep) if keep else None, replayed)
    except ValueError as error:
        raise UsageError("Days and the number that is kept are numbers.") from error


def _retain(lx: Lineage, kind: str, rule: Rule, *, actor: str, apply: bool, reason: str | None = None) -> list[Removal]:
    now = utcnow()
    if kind == "quarantine":
        return [retain_quarantine(lx.store, rule, now=now, actor=actor, apply=apply, reason=reason)]
    kinds = KINDS if kind == "all" else (kind,)
    key = signing_key() if apply else None
    return retain(lx.store, kinds, rule, now=now, actor=actor, key=key, reason=reason)


def _table(found: list[Removal], verb: str) -> Part:
    words = dict(_KINDS)
    heads = (("What", False), (verb, True), ("Bytes", True), ("Stays", True), ("From before", False))
    rows = [[words[r.kind], f"{r.rows:,}", f"{r.bytes:,}", f"{r.kept:,}", clock(r.before)] for r in found]
    return plain(heads, rows, verb)


def tried(lx: Lineage, kind: str, days: str | None, keep: str | None, replayed: bool) -> Part:
    """What a rule would let go, and the form that does it when there is something."""
    rule = _rule((days or "").strip(), (keep or "").strip(), replayed)
    found = _retain(lx, kind, rule, actor=forms.standing_actor(), apply=False)
    rows = sum(r.rows for r in found)
    table = _table(found, "Would go")
    if not rows:
        return [table, html.P("Nothing would go.", className="muted")]
    subject = json.dumps([kind, rule.days, rule.keep, rule.replayed])
    about = f"{rows:,} rows go for good. What was derived stays true: a signed baseline says what it was."
    return [table, forms.form("retention", "Remove it", about, (), "Remove", subject=subject)]


def removal(lx: Lineage, live: LiveIngest | None, said: Values, actor: Actor, progress: Progress) -> Made:
    """The job that removes."""
    kind, days, keep, replayed = json.loads(said["subject"])
    progress(0.1, "waiting until nothing is being written")
    with live.resting() if live else contextlib.nullcontext():
        progress(0.3, "removing")
        rule = Rule(days, keep, replayed)
        found = _retain(lx, kind, rule, actor=actor.name, apply=True, reason=said["reason"])
    notes = tuple((dict(_KINDS)[r.kind], f"{r.rows:,} removed, {r.kept:,} stay") for r in found)
    return Made("retention.json", _json(found), "application/json", notes)


# -- masking


def masking(lx: Lineage, asked: Asked) -> Part:
    """What is masked where, a place to try it, and the switch."""
    with lx.store.cursor() as cursor:
        on = altered.is_on(cursor)
    pairs: list[tuple[str, Part]] = [
        ("When shown", "always: pages, exports and answers mask what looks like a secret"),
        ("Before storage", html.Span("on" if on else "off", id="admin-masks")),
        ("Known by", "names that announce a secret, addresses with a password, well-known forms of keys"),
    ]
    probe = html.Div(
        [dmc.TextInput(id="admin-probe", label="Try it", debounce=300, placeholder="a text, for instance a connection",
                       description="nothing of it is kept"),
         html.Code(id="admin-probed", className="small")], className="act-form",
    )  # fmt: skip
    past = asked.links.asof or asked.links.known
    form = None if past else forms.form(
        "masking", "Mask before storage", "From now on; what is stored stays as it is. Masking goes by rules, so it is "
        "no promise.", (replace(MASKING[0], value="off" if on else "on"),), "Switch",
    )  # fmt: skip
    return card("Masking", "Passwords, keys and tokens in SQL, code and facets", facts_list(pairs), probe, form,
                name="masking-card")  # fmt: skip


# -- jobs


def jobs(app: Dash) -> Part:
    """Every job of this server, the newest first."""
    found = jobs_of(app).all()
    title, sub = "Jobs", "Of everybody, since the server was started"
    tick = dcc.Interval(
        id={"type": "admin-tick", "id": "jobs"}, interval=800, disabled=not any(job.active for job in found)
    )
    if not found:
        text = "Nothing runs. Evidence packs, examinations and removals run as jobs."
        return card(title, sub, nothing("clock", text), tick, name="all-jobs-card")
    return card(title, sub, html.Ul([_job(job) for job in found], className="log"), tick, name="all-jobs-card")


def _job(job: Job) -> Part:
    cancel = press(job, "cancel", "Cancel", "x", "admin-pressed")
    said = job.error or ", ".join(f"{label}: {text}" for label, text in job.notes[:3])
    return html.Li(
        [html.B(job.title), f" {job.state} ", progress_bar(job) if job.active else None,
         html.Span(said, className="muted") if said else None, cancel if job.active else None],
        className="bad" if job.state == "failed" else "",
    )  # fmt: skip


def register(app: Dash, lx: Lineage, done: Examined) -> None:
    """Callbacks of these cards."""

    @callback(
        app, Output("admin-examine", "title"), Input("admin-examine", "n_clicks"), prevent_initial_call=True,
    )  # fmt: skip
    def start(_clicks: int | None) -> Any:  # not counted: a button that was drawn anew since the click has none
        started(jobs_of(app).start("Examination of the database", lambda progress: examination(lx, done, progress)))
        return no_update

    @callback(
        app, Output("admin-tried", "children"), Input("admin-try", "n_clicks"), State("admin-kind", "value"),
        State("admin-days", "value"), State("admin-keep", "value"), State("admin-replayed", "checked"),
        prevent_initial_call=True,
    )  # fmt: skip
    def see(clicks: int | None, kind: str, days: str | None, keep: str | None, replayed: bool | None) -> Any:
        if not clicks:
            return no_update
        try:
            return tried(lx, kind, days, keep, bool(replayed))
        except MeshlineError as error:
            return failed(str(error))

    @callback(app, Output("admin-probed", "children"), Input("admin-probe", "value"), prevent_initial_call=True)
    def probe(text: str | None) -> str:
        return redact(text or "")

    app.clientside_callback(
        ClientsideFunction("jobs", "look"), Output("admin-look", "data"),
        Input({"type": "admin-tick", "id": ALL}, "n_intervals"), prevent_initial_call=True,
    )  # fmt: skip
    app.clientside_callback(ClientsideFunction("jobs", "seen"), Input("admin-jobs", "children"))

    @callback(
        app, Output("admin-jobs", "children"), Input("url", "search"), Input("fresh", "data"),
        Input("jobs-started", "data"), Input("admin-look", "data"), Input("admin-pressed", "data"),
    )  # fmt: skip
    def look(_search: str | None, _fresh: Any, _begun: Any, _look: Any, pressed: Any) -> Any:
        if isinstance(pressed, dict) and pressed.get("press") == "cancel":
            jobs_of(app).cancel(str(pressed["job"]))
        causes = {one["prop_id"] for one in ctx.triggered}
        if causes & {"jobs-started.data", "admin-look.data"} and not any(job.active for job in jobs_of(app).all()):
            set_props("acted", {"data": {"at": time.time()}})  # what the last job found or did is on the page
        return jobs(app)

    def remove(said: Values, actor: Actor) -> str:
        job = jobs_of(app).start("Retention", lambda progress: removal(lx, _live(app), said, actor, progress))
        started(job)
        return "It runs as a job, with its progress in the corner."

    def mask(said: Values, actor: Actor) -> str:
        on, live = said["on"] == "on", _live(app)
        altered.switch(lx.store, on, actor.name, reason=said["reason"])
        if live is not None:
            live.mask(on)
        return f"Secrets are {'masked before storage from now on' if on else 'stored as they come from now on'}."

    forms.register(app, "retention", (), remove, lx)
    forms.register(app, "masking", MASKING, mask, lx)
