"""The tables of the audit page."""

from __future__ import annotations

import json

from dashboard.desk import Asked, Desk
from dashboard.pages.govern import recent
from dashboard.rows import Row, Sheet
from dashboard.tables import Column, cell
from lineage.asking import naive_time
from lineage.audit.checkpoint import Checkpoint
from lineage.audit.questions import LogPage

VIEWS = (("log", "Log"), ("checkpoints", "Checkpoints"))
MOST = 100_000
"""Acts that are listed at most; the newest ones. The tiles and the verification count all."""
COLUMNS: dict[str, tuple[Column, ...]] = {
    "log": (
        Column("seq", "Act", 0.5, number=True), Column("at", "When", 1.5), Column("actor", "Who", 1),
        Column("action", "Action", 1.2, link=True), Column("resource", "On", 1.6), Column("outcome", "Outcome", 0.8),
        Column("reason", "Reason", 1.6), Column("payload", "Details", 2.2), Column("leaf", "Hash", 1),
    ),
    "checkpoints": (
        Column("at", "Signed", 1.5), Column("size", "Acts", 0.7, number=True), Column("root", "Root", 2.4),
        Column("key", "Key", 1.6), Column("note", "Note", 2.4),
    ),
}  # fmt: skip
_EMPTY = {
    "log": "Nothing was done until this time.",
    "checkpoints": "No checkpoint was signed yet. The form above signs one.",
}


class AuditFacts:
    """Questions of one address. The log ends at the instant that is shown: the earlier of valid and known time."""

    def __init__(self, desk: Desk, asked: Asked) -> None:
        self.desk, self.asked, self.lx = desk, asked, desk.lx
        self.view = asked.get("view", [key for key, _ in VIEWS])

    def log(self) -> LogPage:
        """Acts until the instant that is shown, the newest first."""
        links = self.asked.links
        ends = [naive_time(text, name) for text, name in ((links.asof, "asof"), (links.known, "known")) if text]
        until = min((end for end in ends if end is not None), default=None)
        return recent(self.desk, self.asked, ("audit",), lambda: self.lx.audit.log(until=until, limit=MOST))

    def checkpoints(self) -> list[Checkpoint]:
        """Signed checkpoints, the newest first."""
        found = recent(self.desk, self.asked, ("checkpoints",), self.lx.audit.checkpoints)
        return list(reversed(found))


def sheet_of(facts: AuditFacts) -> Sheet:
    """The table that the address names."""
    links = facts.asked.links
    newest = facts.log().acts[0].seq if facts.view == "log" and facts.log().acts else 0
    key = (facts.view, newest, links.asof, links.known, links.base)
    find = _log if facts.view == "log" else _checkpoints
    rows = facts.desk.memo.get(("sheet", "audit", key), lambda: find(facts))
    return Sheet(key, COLUMNS[facts.view], rows, f"audit-{facts.view}", _EMPTY[facts.view])


def _log(facts: AuditFacts) -> list[Row]:
    return [
        {
            "seq": act.seq, "at": cell(act.at), "actor": act.actor, "action": act.action, "resource": act.resource,
            "outcome": act.outcome, "reason": str(act.payload.get("reason") or act.payload.get("note") or ""),
            "payload": json.dumps(act.payload, ensure_ascii=False, sort_keys=True), "leaf": act.leaf,
            "href": facts.asked.to(act=str(act.seq)),
        }
        for act in facts.log().acts
    ]  # fmt: skip


def _checkpoints(facts: AuditFacts) -> list[Row]:
    return [
        {"at": cell(one.signed_at), "size": one.size, "root": one.root.hex(), "key": one.key, "note": one.note}
        for one in facts.checkpoints()
    ]  # fmt: skip
