"""The tables of the page of administration, and the answers they are made of."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.desk import Asked, Desk, node_href
from dashboard.names import short_id
from dashboard.pages.govern import recent
from dashboard.pages.runs_sheets import COLUMNS as RUN_COLUMNS
from dashboard.pages.runs_sheets import source_rows
from dashboard.rows import Row, Sheet
from dashboard.tables import Column, cell
from lineage.blindspots import Ledger
from lineage.hand.aliases import AliasList, Preview, Suggestions
from lineage.hand.edges import EdgeMarks
from lineage.owners.questions import OwnerMarks

VIEWS = (("sources", "Sources"), ("suggestions", "Suggested names"), ("names", "Names"), ("edges", "Edges by hand"),
         ("owners", "Owners by hand"))  # fmt: skip
MOST = 10_000
"""Suggestions that are listed at most, those with most edges first."""
COLUMNS: dict[str, tuple[Column, ...]] = {
    "sources": RUN_COLUMNS["sources"],
    "suggestions": (
        Column("name", "They share", 2.4, link=True), Column("rule", "Rule", 1), Column("edges", "Edges", 0.6,
                                                                                        number=True),
        Column("count", "Names", 0.6, number=True), Column("members", "Which", 4),
    ),
    "names": (
        Column("id", "Dataset", 2.4, link=True, short=True), Column("alias", "Is also called", 2.4),
        Column("evidence", "By", 1), Column("said", "What people said", 2),
    ),
    "edges": (
        Column("source", "From", 2, link=True, short=True), Column("target", "To", 2, short=True),
        Column("mark", "Said", 0.8), Column("actor", "By", 1), Column("reason", "Reason", 2),
        Column("valid", "Valid from", 1.3), Column("since", "Said at", 1.3),
    ),
    "owners": (
        Column("node", "Dataset or job", 2, link=True, short=True), Column("owner", "Owner", 1.2),
        Column("told", "Events tell", 1.2), Column("actor", "By", 1), Column("reason", "Reason", 2),
        Column("valid", "Valid from", 1.3), Column("since", "Said at", 1.3),
    ),
}  # fmt: skip
_EMPTY = {
    "sources": "No event was received yet. Send some, or read files with: meshline ingest",
    "suggestions": "No two names look like one dataset.",
    "names": "Every dataset has one name.",
    "edges": "Nobody added an edge or called one wrong. The form above does it.",
    "owners": "Nobody named an owner by hand. The form above does it.",
}


class AdminFacts:
    """Questions of one address."""

    def __init__(self, desk: Desk, asked: Asked) -> None:
        self.desk, self.asked, self.lx = desk, asked, desk.lx
        self.view = asked.get("view", [key for key, _ in VIEWS])

    def ledger(self) -> Ledger:
        """Who sends events; always those of now."""
        return recent(self.desk, self.asked, ("ledger",), lambda: self.lx.ledger(examples=None))

    def suggestions(self) -> Suggestions:
        """Names that may mean one dataset."""
        return self.desk.ask(self.asked, "suggestions", lambda: self.lx.aliases.suggest(limit=MOST))

    def names(self) -> AliasList:
        """Datasets with more than one name."""
        return self.desk.ask(self.asked, "names", lambda: self.lx.aliases.list(**self.asked.when))

    def edges(self) -> EdgeMarks:
        """What people said of edges."""
        known = self.asked.links.known
        return self.desk.ask(self.asked, "edges", lambda: self.lx.edges.list(known_at=known))

    def owners(self) -> OwnerMarks:
        """Owners that people named."""
        return self.desk.ask(self.asked, "owners", lambda: self.lx.owners.list(**self.asked.when))

    def preview(self) -> Preview | None:
        """What joining the two names of the address would do; ``None`` when it names none."""
        left, right = self.asked.get("left"), self.asked.get("right")
        if not left or not right:
            return None
        key = ("preview", left, right)
        return self.desk.ask(self.asked, key, lambda: self.lx.aliases.preview(left, right))


def sheet_of(facts: AdminFacts) -> Sheet:
    """The table that the address names."""
    links = facts.asked.links
    rows = facts.desk.memo.get(
        ("sheet", "admin", facts.view, links.asof, links.known, links.base), lambda: _ROWS[facts.view](facts), old=5.0
    )
    key = (facts.view, links.asof, links.known, links.base, len(rows))
    return Sheet(key, COLUMNS[facts.view], rows, f"admin-{facts.view}", _EMPTY[facts.view])


def _sources(facts: AdminFacts) -> list[Row]:
    return source_rows(facts.ledger())


def _suggestions(facts: AdminFacts) -> list[Row]:
    return [
        {
            "name": one.name, "rule": one.rule, "edges": one.edges, "count": len(one.members),
            "members": ", ".join(one.members),
            "href": facts.asked.to(view="suggestions", left=one.members[0], right=one.members[1]),
        }
        for one in facts.suggestions().items
    ]  # fmt: skip


def _names(facts: AdminFacts) -> list[Row]:
    found = facts.names()
    said = {(m.left, m.right): f"{m.actor}: {m.reason}" for m in found.marks}
    joined = [
        {
            "id": g.id, "alias": other, "evidence": ", ".join(g.evidence),
            "said": said.get((g.id, other)) or said.get((other, g.id), ""), "short": {"id": short_id(g.id)},
            "href": facts.asked.to(view="names", left=g.id, right=other),
        }
        for g in found.groups
        for other in g.members
        if other != g.id
    ]  # fmt: skip
    vetoes = [
        {
            "id": m.left, "alias": f"not {m.right}", "evidence": "kept apart by hand", "said": f"{m.actor}: {m.reason}",
            "short": {"id": short_id(m.left)}, "href": facts.asked.to(view="names", left=m.left, right=m.right),
        }
        for m in found.marks
        if m.sort == "veto"
    ]  # fmt: skip
    return [*joined, *vetoes]


def _edges(facts: AdminFacts) -> list[Row]:
    words = {"manual": "added", "refuted": "wrong"}
    return [
        {
            "source": m.left, "target": m.right, "mark": words.get(m.sort, m.sort), "actor": m.actor,
            "reason": m.reason, "valid": cell(m.valid_from), "since": cell(m.since),
            "href": facts.asked.to(view="edges", source=m.left, target=m.right),
            "short": {"source": short_id(m.left), "target": short_id(m.right)},
        }
        for m in facts.edges().marks
    ]  # fmt: skip


def _owners(facts: AdminFacts) -> list[Row]:
    return [
        {
            "node": m.node, "owner": m.owner, "told": m.told or "nobody", "actor": m.actor, "reason": m.reason,
            "valid": cell(m.valid_from), "since": cell(m.since), "short": {"node": short_id(m.node)},
            "href": facts.asked.to(view="owners", node=m.node) if m.node.startswith("job:")
            else node_href(facts.asked, m.node),
        }
        for m in facts.owners().marks
    ]  # fmt: skip


_ROWS: dict[str, Callable[[AdminFacts], list[Row]]] = {
    "sources": _sources, "suggestions": _suggestions, "names": _names, "edges": _edges, "owners": _owners,
}  # fmt: skip
