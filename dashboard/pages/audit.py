"""The audit log: who did what and why, verification with one click, checkpoints, evidence packs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dash import Dash, Input, Output, State, html, no_update, set_props

from dashboard import forms
from dashboard.desk import Asked, Desk, failed, head, listing, slot
from dashboard.forms import Values
from dashboard.jobs_tray import jobs_of, started
from dashboard.names import short_id
from dashboard.page import Page, Part, callback
from dashboard.pages import audit_cards as cards
from dashboard.pages.audit_sheets import MOST, VIEWS, AuditFacts, sheet_of
from dashboard.pages.provenance import make_pack
from dashboard.pages.provenance_state import ProvenanceState
from lineage.actor import Actor
from lineage.audit.signing import signing_key
from lineage.errors import MeshlineError

if TYPE_CHECKING:
    from lineage.engine import Lineage

_ABOUT = {
    "log": "Nothing is ever edited or removed; a click shows the proof that an act is in it.",
    "checkpoints": "Signed statements about the log; keep the notes elsewhere, they show what was put right later.",
}


def layout() -> Part:
    """Frame of the page, with skeletons where numbers will stand."""
    return html.Div(
        [
            head("audit", "Audit"),
            slot("audit-tiles", 112, "tiles-room"),
            html.Div(
                [
                    slot("audit-verify", 220),
                    html.Div([slot("audit-pack-room", 220), slot("audit-sign", 220)], className="stack"),
                ],
                className="cols halves",
            ),
            slot("audit-act", 40, "room"),
            listing("audit", VIEWS),
        ],
        className="page desk-page",
    )


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    desk = Desk.at(app, lx, base, "audit")

    def facts(asked: Asked) -> AuditFacts:
        return AuditFacts(desk, asked)

    desk.card("sub", lambda asked: _sub(facts(asked)))
    desk.card("tiles", lambda asked: html.Div(cards.tiles(facts(asked)), className="tiles"))
    desk.card("verify", cards.verify, live=False)
    desk.card("pack-room", cards.pack, live=False)
    desk.card("sign", cards.sign, live=False)
    desk.card("act", lambda asked: cards.act(facts(asked)))
    desk.listing(lambda asked: _ABOUT[facts(asked).view], lambda asked: sheet_of(facts(asked)))
    _register_verify(app, lx)
    _register_sign(app, lx)
    _register_pack(app, lx, base)


def _sub(facts: AuditFacts) -> Part:
    log = facts.log()
    cut = f" · the newest {MOST:,} are listed" if log.partial else ""
    ends = " until the instant that is shown" if facts.asked.links.asof or facts.asked.links.known else ""
    return f"{log.total:,} acts{ends}{cut}"


def _register_verify(app: Dash, lx: Lineage) -> None:
    @callback(
        app, Output("audit-verified", "children"), Input("audit-verify-now", "n_clicks"), prevent_initial_call=True
    )
    def check(clicks: int | None) -> Any:
        if not clicks:
            return no_update
        began = time.monotonic()
        try:
            found = lx.audit.verify()
        except MeshlineError as error:
            return failed(str(error))
        return cards.verified(found, time.monotonic() - began)


def _register_sign(app: Dash, lx: Lineage) -> None:
    def sign(said: Values, actor: Actor) -> str:
        made = lx.audit.checkpoint(signing_key(), reason=said["reason"], actor=actor)
        set_props("audit-note", {"children": cards.note(made)})
        return f"Signed: {made.size:,} acts."

    forms.register(app, "audit-sign", (), sign, lx)


def _register_pack(app: Dash, lx: Lineage, base: str) -> None:
    @callback(
        app,
        Output("audit-node", "error"),
        Input("audit-pack", "n_clicks"),
        State("audit-node", "value"),
        State("audit-raw", "checked"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def pack(clicks: int | None, node: str | None, raw: bool | None, search: str | None) -> Any:
        if not clicks:
            return no_update
        if not (node or "").strip():
            return "Say what the pack is about."
        links = Asked.of(base, "audit", search).links
        state = ProvenanceState(target=str(node).strip(), as_of=links.asof, known_at=links.known)
        try:
            lx.provenance(state.target, as_of=state.as_of, known_at=state.known_at)  # a wrong name is said at once
            job = jobs_of(app).start(
                f"Evidence pack of {short_id(state.target)[0]}",
                lambda progress: make_pack(lx, state, bool(raw), progress),
            )
        except MeshlineError as error:
            return str(error)
        started(job)
        return None


PAGE: Any = Page(
    "/audit", "Audit", "the log, verification, checkpoints, evidence packs", "Govern", "file-certificate", layout,
    register,
)  # fmt: skip
