"""The answers that the contracts page is made of."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from dashboard.desk import Asked, Desk

if TYPE_CHECKING:
    from lineage.contracts.conformance import Promise
    from lineage.contracts.overview import ContractRow, Version
    from lineage.contracts.report import ChangeReport
    from lineage.domains import DomainInfo

VIEWS = (("promises", "Promises"), ("contracts", "Contracts"), ("changes", "Changes"))
ORDER = ("broken", "unknown", "kept")


class ContractFacts:
    """Questions of one address; with an ``id`` all of them are about that contract."""

    def __init__(self, desk: Desk, asked: Asked) -> None:
        self.desk, self.asked, self.lx = desk, asked, desk.lx
        self.view = asked.get("view", [key for key, _ in VIEWS])
        self.domain, self.id = asked.get("domain"), asked.get("id")

    def domains(self) -> tuple[DomainInfo, ...]:
        """All domains."""
        return self.desk.ask(self.asked, "domains", lambda: tuple(self.lx.domains(**self.asked.when)))

    def contracts(self) -> list[ContractRow]:
        """Contracts that are asked for."""
        found = self.desk.ask(self.asked, "contracts", lambda: self.lx.contracts.list(**self.asked.when).contracts)
        return [
            c
            for c in found
            if (not self.domain or c.domain == self.domain) and (not self.id or self.id in (c.id, c.name))
        ]

    def promises(self) -> list[Promise]:
        """Their promises, the broken ones first."""
        found = self.desk.ask(self.asked, "check", lambda: self.lx.contracts.check(**self.asked.when).promises)
        names = {(c.name or c.id, c.version) for c in self.contracts()} | {(c.id, c.version) for c in self.contracts()}
        return [p for p in found if (p.contract, p.version) in names]

    def versions(self, id: str) -> tuple[Version, ...]:
        """Versions of one contract, newest first."""
        known = self.asked.links.known
        return self.desk.ask(self.asked, ("versions", id), lambda: self.lx.contracts.versions(id, known_at=known))

    def change(self, new: Version, old: Version) -> ChangeReport:
        """What one version changed."""
        key = ("change", new.hash, old.hash)
        return self.desk.ask(
            self.asked, key, lambda: self.lx.contracts.change_text(new.text, old.text, **self.asked.when)
        )

    def steps(self) -> list[tuple[str, Version, Version]]:
        """Pairs of versions that follow each other, of all contracts that are asked for: (id, new, old)."""
        found = []
        for id in sorted({c.id for c in self.contracts()}):
            listed = self.versions(id)
            found += [(id, new, old) for new, old in pairwise(listed) if new.hash != old.hash]
        return found
