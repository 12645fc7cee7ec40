"""The answers that the page of access is made of, and its tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dashboard.desk import Asked, Desk, node_href
from dashboard.names import short_id
from dashboard.pages.govern import recent
from dashboard.rows import Row, Sheet
from dashboard.tables import Column, cell
from lineage.policies.access import UnknownGrantError

if TYPE_CHECKING:
    from lineage.domains import DomainInfo
    from lineage.policies.access import AccessList, AccessRow, ShadowEdge

VIEWS = (("grants", "Grants and requests"), ("shadow", "Shadow edges"))
COLUMNS: dict[str, tuple[Column, ...]] = {
    "grants": (
        Column("state", "State", 0.8), Column("id", "Grant or request", 1.5, link=True),
        Column("product", "Product", 1.1), Column("domain", "Domain", 0.9), Column("consumer", "Consumer", 1.1),
        Column("kind", "Kind", 0.7), Column("purpose", "Purpose", 1.3), Column("used", "Used", 0.7),
        Column("expires", "Ends", 1.2), Column("requester", "Asked for by", 1.2),
        Column("approver", "Approved by", 1.3), Column("since", "Since", 1.2), Column("note", "Note", 1.6),
        Column("path", "Declared in", 1.2),
    ),
    "shadow": (
        Column("src", "Read", 1.8, link=True, short=True), Column("product", "Of product", 1),
        Column("domain", "By domain", 0.9), Column("dst", "Reader", 1.8, short=True),
    ),
}  # fmt: skip
_EMPTY = {
    "grants": "Nobody was granted anything, and nobody asked. Ask for access above.",
    "shadow": "Whatever is read across domains is granted.",
}


class AccessFacts:
    """Questions of one address."""

    def __init__(self, desk: Desk, asked: Asked) -> None:
        self.desk, self.asked, self.lx = desk, asked, desk.lx
        self.domain = asked.get("domain")
        self.view = asked.get("view", [key for key, _ in VIEWS])

    def domains(self) -> tuple[DomainInfo, ...]:
        """All domains."""
        return self.desk.ask(self.asked, "domains", lambda: tuple(self.lx.domains(**self.asked.when)))

    def products(self) -> dict[str, str]:
        """Domain of every product that may be named."""
        found = self.desk.ask(self.asked, "products", lambda: self.lx.products.list(**self.asked.when))
        return {one.id: one.domain for one in found.products}

    def _all(self) -> AccessList:
        return recent(self.desk, self.asked, ("access",), lambda: self.lx.access.list(**self.asked.when))

    def grants(self) -> list[AccessRow]:
        """Grants and requests in which the domain gives or takes; what waits for a decision first."""
        order = {"requested": 0, "holds": 1, "refused": 2, "ended": 3}
        homes = self.products() if self.domain else {}
        found = [
            one for one in self._all().grants
            if not self.domain or self.domain in (one.consumer, homes.get(one.product), homes.get(one.consumer))
        ]  # fmt: skip
        return sorted(found, key=lambda one: order[one.state])

    def shadows(self) -> list[ShadowEdge]:
        """What is read across domains without a grant."""
        homes = self.products() if self.domain else {}
        return [one for one in self._all().shadow_edges
                if not self.domain or self.domain in (one.domain, homes.get(one.product))]  # fmt: skip

    def zombies(self) -> list[AccessRow]:
        """Grants that hold and that nobody uses."""
        return [one for one in self.grants() if one.state == "holds" and one.used is False]

    def grant(self) -> AccessRow | None:
        """The grant or request that the address names."""
        name = self.asked.get("grant")
        if not name:
            return None
        for one in self.lx.access.list(**self.asked.when).grants:  # not a remembered one: it may be new
            if one.id == name:
                return one
        raise UnknownGrantError(f"There is no grant or request “{name}” at this time.")


def sheet_of(facts: AccessFacts) -> Sheet:
    """The table that the address names."""
    asked = facts.asked
    key = (facts.view, facts.domain, asked.links.asof, asked.links.known, asked.links.base)
    rows = facts.desk.memo.get(("sheet", "access", key), lambda: _ROWS[facts.view](facts))
    return Sheet(key, COLUMNS[facts.view], rows, f"access-{facts.view}", _EMPTY[facts.view])


def _used(one: AccessRow) -> str:
    if one.used or one.used is None:
        return "yes" if one.used else "not told"
    return "zombie" if one.state == "holds" else "no"


def _grants(facts: AccessFacts) -> list[Row]:
    homes = facts.products()
    return [
        {
            "state": one.state, "id": one.id, "product": one.product, "domain": homes.get(one.product, ""),
            "consumer": one.consumer, "kind": one.consumer_kind, "purpose": one.purpose, "used": _used(one),
            "expires": cell(one.expires), "requester": one.requester or "", "approver": one.approver or "",
            "since": cell(one.since), "note": one.note, "path": one.path, "href": facts.asked.to(grant=one.id),
        }
        for one in facts.grants()
    ]  # fmt: skip


def _shadows(facts: AccessFacts) -> list[Row]:
    return [
        {
            "src": one.src, "product": one.product, "domain": one.domain, "dst": one.dst,
            "href": node_href(facts.asked, one.src),
            "short": {"src": short_id(one.src), "dst": short_id(one.dst)},
        }
        for one in facts.shadows()
    ]  # fmt: skip


_ROWS: dict[str, Callable[[AccessFacts], list[Row]]] = {"grants": _grants, "shadow": _shadows}
