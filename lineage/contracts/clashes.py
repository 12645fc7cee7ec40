"""Policies that a change of a contract would newly violate: a formally harmless change that a policy forbids.

The same instant is asked twice, once with the old contract in force and once with the new one; what a policy says only
of the second is a clash. Only policies whose SQL names a view that the change can alter are run.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lineage.contracts.binding import bind_all, bindings
from lineage.contracts.changes import WORST, ContractChange, Severity
from lineage.contracts.model import Contract
from lineage.products import membership
from lineage.view import View

if TYPE_CHECKING:
    from lineage.contracts.report import Judged
    from lineage.policies.model import Policy, PolicyResult
    from lineage.view import Instant

GRAVE = ("high", "critical")
"""Severities of policies that make a change BREAKING; the others make it RISKY."""
_KEPT = ("folded names", "column flow", "flow dataset", "figures dataset", "flow column", "products")
_TOUCHES = {
    "contract": ("column.", "type.", "object.", "server.", "sla.", "lifecycle", "purposes", "status", "classification.",
                 "pii."),
    "asset": ("object.", "server.", "status", "classification.", "description", "column."),
    "asset_column": ("column.", "object.", "server.", "status", "classification."),
    "column_tag": ("column.", "object.", "server.", "status", "pii."),
}  # fmt: skip
"""View → beginnings of the names of changes that can alter it."""


@dataclass(frozen=True, slots=True)
class Clash:
    """One asset that a policy would newly find fault with. ``outcome`` is ``waived`` when a waiver allows it."""

    policy: str
    version: str
    severity: str
    title: str
    subject: str
    message: str
    outcome: str
    waiver: str | None = None


def clashes(
    view: View, old: Contract, new: Contract, changes: Sequence[ContractChange]
) -> tuple[tuple[Clash, ...], tuple[str, ...]]:
    """What policies would newly say, and which of them could not be evaluated.

    Parameters
    ----------
    view
        the instant, and the actor: what he may not see is not told.
    changes
        those between the two contracts.
    """
    from lineage.policies.evaluate import evaluate_both
    from lineage.policies.load import policies_of, waivers_of
    from lineage.policies.showing import Sieve
    from lineage.policies.views import fill

    altered = {name for name, heads in _TOUCHES.items() if any(c.what.startswith(heads) for c in changes)}
    held = policies_of(view.store, view.as_of, view.known_at).policies
    chosen = [p for p in held if _names(p) & altered and (p.domain == "*" or view.actor.may_see(p.domain))]
    if not chosen:
        return (), ()
    needed = {name for policy in chosen for name in _names(policy)}
    if view.restricted or any(policy.domain != "*" for policy in chosen):
        needed |= {"asset", "asset_column", "contract", "product", "access", "domain"}
    before, after = (_world(view, old, one) for one in (old, new))
    tables = fill(before, needed)
    changed = {**tables, **fill(after, needed & altered)}
    waivers = waivers_of(view.store, view.as_of, view.known_at)
    first, second = evaluate_both(tables, changed, chosen, waivers, at=view.as_of)
    sieve = Sieve(after, changed) if view.restricted else None
    found: list[Clash] = []
    errors: list[str] = []
    for was, now in zip(first, second, strict=True):
        if now.error is not None:
            errors.append(f"policy {now.policy.id} could not be evaluated, so nobody knows whether it would hold")
            continue
        found += _new(was, now, sieve)
    return tuple(found), tuple(errors)


def with_clashes(view: View, judged: Sequence[Judged], found: Iterable[Clash]) -> list[Judged]:
    """Each clash at the change that most likely causes it; a grave one makes a harmless change really breaking."""
    result = list(judged)
    for clash in found:
        if clash.outcome == "waived" or not result:
            continue
        at = max(range(len(result)), key=lambda k: (_fit(view, result[k].change, clash.subject), -k))
        one = result[at]
        least = Severity.breaking if clash.severity in GRAVE else Severity.risky
        real = min(one.real, least, key=WORST.index)
        harmless = one.change.consumer is not Severity.breaking
        finding = "really breaking" if real is Severity.breaking and harmless else one.finding
        if finding == "really harmless" or (finding == "cannot tell" and real is Severity.breaking):
            finding = "as formal"
        note = f"policy {clash.policy} ({clash.severity}) would be violated by {clash.subject}: {clash.message}"
        result[at] = replace(one, real=real, finding=finding, notes=(*one.notes, note))
    return result


# -- inside


def _names(policy: Policy) -> set[str]:
    """Words of the SQL of a policy; among them are the views that it reads."""
    return set(re.findall(r"\w+", f"{policy.scope_sql} {policy.violation_sql}".lower()))


def _world(view: View, old: Contract, put: Contract) -> View:
    """The view as it would be with ``put`` in the place of the old contract, the products' datasets unchanged."""
    instant: Instant = copy.copy(view.instant)
    held = bindings(view.instant).contracts
    others = tuple(c for c in held if not (c.id == put.id and c.major in (old.major, put.major)))
    kept = {key: value for key, value in view.instant._remembered.items() if key in _KEPT}
    instant._remembered = kept
    kept["contract bindings"] = bind_all(instant, (*others, put))
    kept["product members"] = membership(view.instant)
    now = instant if view._now is view.instant else view._now
    return View(instant, now, view.actor, view.as_of, view.known_at)


def _new(was: PolicyResult, now: PolicyResult, sieve: object) -> list[Clash]:
    from lineage.policies.showing import Sieve

    known = {finding.subject for finding in was.findings}
    policy = now.policy
    found = []
    for finding in now.findings:
        if finding.subject in known or (isinstance(sieve, Sieve) and sieve.hides(finding.subject)):
            continue
        message = policy.title if sieve is not None else finding.message
        found.append(Clash(policy.id, policy.version, policy.severity, policy.title, finding.subject, message,
                           finding.outcome, finding.waiver))  # fmt: skip
    return found


def _fit(view: View, change: ContractChange, subject: str) -> int:
    """How likely a change is the cause of a finding about a subject."""
    if change.column and subject.lower().endswith(f":{change.column.lower()}"):
        return 3
    if change.governed:
        return 2
    return 0 if change.consumer is Severity.cosmetic else 1
