"""The tables of the page of policies."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.names import short_id
from dashboard.pages.policies_facts import PolicyFacts
from dashboard.rows import Row, Sheet
from dashboard.tables import Column, cell

_POLICY, _DOMAIN = Column("policy", "Policy", 1.6, link=True), Column("domain", "Domain", 0.9)
_SEVERITY, _SUBJECT = Column("severity", "Severity", 0.7), Column("subject", "Asset", 1.8, short=True)
COLUMNS: dict[str, tuple[Column, ...]] = {
    "violations": (
        Column("state", "State", 0.9), _SEVERITY, _POLICY, _SUBJECT, _DOMAIN, Column("deadline", "Deadline", 1.5),
        Column("overdue", "Overdue", 0.7), Column("escalation", "Escalated to", 0.9),
        Column("above", "Above owner", 0.7),
        Column("next", "Next step", 1.2), Column("assignee", "Assigned to", 0.9),
        Column("cause", "Cause", 1.4, short=True), Column("opened", "Opened", 1.2),
        Column("until", "Waived until", 1.1), Column("fixed", "Fixed", 1.1), Column("message", "Message", 2.2),
        Column("id", "Id", 0.9),
    ),
    "results": (
        Column("state", "State", 0.8), _SEVERITY, _POLICY, _DOMAIN, Column("scope", "Assets", 0.7, number=True),
        Column("passed", "Pass", 0.6, number=True), Column("violations", "Violations", 0.8, number=True),
        Column("waived", "Waived", 0.7, number=True), Column("error", "Error", 1.6),
    ),
    "findings": (
        Column("outcome", "Outcome", 0.8), _SEVERITY, _POLICY, _SUBJECT, _DOMAIN, Column("message", "Message", 2.2),
        Column("path", "Path", 1.8), Column("waiver", "Waiver", 1),
    ),
    "waivers": (
        Column("state", "State", 0.8), Column("id", "Waiver", 1.2, link=True), Column("policy", "Policy", 1.4),
        _SUBJECT, Column("requester", "Asked for by", 1.2), Column("approver", "Approved by", 1.2),
        Column("since", "Since", 1.2), Column("expires", "Ends", 1.2), Column("reason", "Reason", 2),
        Column("path", "Declared in", 1.2),
    ),
    "policies": (
        _POLICY, Column("title", "Title", 2.2), _SEVERITY, Column("stage", "Runs at", 0.9),
        Column("domain", "Holds in", 0.8), Column("owner", "Owner", 1),
        Column("days", "Days to mend", 0.8, number=True),
        Column("tests", "Tests", 0.6, number=True), Column("version", "Version", 0.7), Column("origin", "From", 0.8),
    ),
}  # fmt: skip
_EMPTY = {
    "violations": "No violation was kept at this time. Applied policies run when events come and by the clock.",
    "findings": "Every asset passes every policy that could be evaluated.",
    "waivers": "Nobody asked for a waiver. Open a violation to ask for one.",
}


def sheet_of(facts: PolicyFacts) -> Sheet:
    """The table that the address names."""
    asked = facts.asked
    key = (facts.view, facts.domain, asked.links.asof, asked.links.known, asked.links.base,
           asked.get("policy"))  # fmt: skip
    rows = facts.desk.memo.get(("sheet", "policies", key), lambda: _ROWS[facts.view](facts))
    return Sheet(key, COLUMNS[facts.view], rows, f"policies-{facts.view}", _EMPTY.get(facts.view, "No policy holds."))


def _violations(facts: PolicyFacts) -> list[Row]:
    return [
        {
            "state": one.state, "severity": one.severity, "policy": one.policy, "subject": one.subject,
            "domain": one.domain, "deadline": cell(one.deadline), "overdue": "yes" if one.overdue else "no",
            "escalation": one.escalation,
            "above": "yes" if one.level > 1 else "no", "next": cell(one.next_step), "assignee": one.assignee or "",
            "cause": one.cause or "", "opened": cell(one.opened), "until": cell(one.waived_until),
            "fixed": cell(one.fixed), "message": one.message, "id": one.id,
            "href": facts.asked.to(violation=one.id, policy=None, waiver=None),
            "short": {"subject": short_id(one.subject), "cause": short_id(one.cause or "")},
        }
        for one in facts.violations()
    ]  # fmt: skip


def _policy_href(facts: PolicyFacts, policy: str) -> str:
    return facts.asked.to(policy=policy, violation=None, waiver=None)


def _results(facts: PolicyFacts) -> list[Row]:
    return [
        {
            "state": one.state, "severity": one.severity, "policy": one.policy, "domain": one.domain or "no domain",
            "scope": one.scope, "passed": one.passed, "violations": one.violations, "waived": one.waived,
            "error": one.error or "", "href": _policy_href(facts, one.policy),
        }
        for one in facts.cells()
    ]  # fmt: skip


def _findings(facts: PolicyFacts) -> list[Row]:
    return [
        {
            "outcome": one.outcome, "severity": one.severity, "policy": one.policy, "subject": one.subject,
            "domain": one.domain, "message": one.message, "path": " → ".join(one.path),
            "waiver": one.waiver or (f"{one.expired_waiver} (ended)" if one.expired_waiver else ""),
            "short": {"subject": short_id(one.subject)},
            "href": _policy_href(facts, one.policy),
        }
        for one in facts.results().findings
        if facts.mine(one.domain)
    ]  # fmt: skip


def _waivers(facts: PolicyFacts) -> list[Row]:
    return [
        {
            "state": one.state, "id": one.id, "policy": one.policy, "subject": one.subject,
            "requester": one.requester, "approver": one.approver or "", "since": cell(one.since),
            "expires": cell(one.expires), "reason": one.reason, "path": one.path,
            "href": facts.asked.to(waiver=one.id, violation=None, policy=None),
            "short": {"subject": short_id(one.subject)},
        }
        for one in facts.waivers()
    ]  # fmt: skip


def _policies(facts: PolicyFacts) -> list[Row]:
    return [
        {
            "policy": one.id, "title": one.title, "severity": one.severity, "stage": one.stage,
            "domain": "all domains" if one.domain == "*" else one.domain, "owner": one.owner or "", "days": one.days,
            "tests": one.tests, "version": one.version, "origin": "library" if one.shipped else "applied file",
            "href": _policy_href(facts, one.id),
        }
        for one in facts.policies()
    ]  # fmt: skip


_ROWS: dict[str, Callable[[PolicyFacts], list[Row]]] = {
    "violations": _violations, "results": _results, "findings": _findings, "waivers": _waivers, "policies": _policies,
}  # fmt: skip
