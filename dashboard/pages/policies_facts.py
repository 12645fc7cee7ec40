"""The answers that the page of policies is made of, each asked once for all its cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.desk import Asked, Desk
from dashboard.pages.govern import recent

if TYPE_CHECKING:
    from lineage.domains import DomainInfo
    from lineage.policies.answers import PolicyRow
    from lineage.policies.domains import DomainResult, DomainResults
    from lineage.policies.model import Policy
    from lineage.policies.violations import Violation
    from lineage.policies.waiving import WaiverRow

VIEWS = (
    ("violations", "Violations"), ("results", "Results"), ("findings", "Not passing now"), ("waivers", "Waivers"),
    ("policies", "Policies"),
)  # fmt: skip
LIVE = ("open", "reopened", "acknowledged")


class PolicyFacts:
    """Questions of one address."""

    def __init__(self, desk: Desk, asked: Asked) -> None:
        self.desk, self.asked, self.lx = desk, asked, desk.lx
        self.domain = asked.get("domain")
        self.view = asked.get("view", [key for key, _ in VIEWS])

    def mine(self, domain: str) -> bool:
        """Whether something of this domain is asked for."""
        return not self.domain or domain == self.domain

    def domains(self) -> tuple[DomainInfo, ...]:
        """All domains."""
        return self.desk.ask(self.asked, "domains", lambda: tuple(self.lx.domains(**self.asked.when)))

    def results(self) -> DomainResults:
        """One run of all policies, by domain."""
        from lineage.policies.domains import by_domain

        return self.desk.ask(self.asked, "by-domain", lambda: by_domain(self.lx, **self.asked.when))

    def cells(self) -> list[DomainResult]:
        """Results by policy and domain."""
        return [one for one in self.results().domains if self.mine(one.domain)]

    def policies(self) -> tuple[PolicyRow, ...]:
        """The policies that hold."""
        return self.desk.ask(self.asked, "policies", lambda: self.lx.policies.list(**self.asked.when)).policies

    def violations(self) -> list[Violation]:
        """Violations that were kept, the fixed ones too; those past their deadline first."""
        found = recent(
            self.desk, self.asked, ("violations",),
            lambda: self.lx.policies.violations(everything=True, **self.asked.when),
        )  # fmt: skip
        return [one for one in found.violations if self.mine(one.domain)]

    def waivers(self) -> tuple[WaiverRow, ...]:
        """Waivers and requests for them."""
        return recent(self.desk, self.asked, ("waivers",), lambda: self.lx.waivers.list(**self.asked.when)).waivers

    def policy(self) -> Policy | None:
        """The policy that is shown: the one named, else that of the violation that is, else the first."""
        name = self.asked.get("policy")
        picked = self.violation()
        if not name and picked is not None:
            name = picked.policy
        held = self.policies()
        name = name or (held[0].id if held else "")
        if not name:
            return None
        key = ("policy", name)
        return self.desk.ask(self.asked, key, lambda: self.lx.policies.show(name, **self.asked.when))

    def violation(self) -> Violation | None:
        """The violation that the address names; it raises what the query layer raises when there is none."""
        name = self.asked.get("violation")
        if not name:
            return None
        key = ("violation", name)
        return recent(self.desk, self.asked, key, lambda: self.lx.policies.violation(name, **self.asked.when))

    def waiver(self) -> WaiverRow | None:
        """The waiver that the address names."""
        name = self.asked.get("waiver")
        if not name:
            return None
        from lineage.policies.waiving import UnknownWaiverError

        for one in self.lx.waivers.list(**self.asked.when).waivers:  # not a remembered one: it may be new
            if one.id == name:
                return one
        raise UnknownWaiverError(f"There is no waiver or request “{name}” at this time.")
