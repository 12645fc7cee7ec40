"""What policies say of one state of the mesh and not of another: the clashes of a change.

A change of a contract and a change of nodes make such states in their own ways (:mod:`lineage.contracts.clashes`,
:mod:`lineage.contracts.node_clashes`). Only policies that read something of a view that differs are run.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from lineage.contracts.changes import WORST, ContractChange, Severity
from lineage.policies.schema import VIEWS

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

    from lineage.contracts.report import Judged
    from lineage.policies.model import Policy, Waiver
    from lineage.policies.sandbox import Sandbox
    from lineage.view import View

GRAVE = ("high", "critical")
"""Severities of policies that make a change BREAKING; the others make it RISKY."""
LASTING = ("folded names", "policy texts", "policy columns", "policy tests", "policy described", "policy written",
           "policy contracts")  # fmt: skip
"""What is found of an instant once and holds in each state of it that somebody thinks of."""
ROWS = "*"
"""Stands for the rows of a view: some come or go."""
_KNOWN = "known_subjects"  # table of the sandbox
_TO_SIFT = ("asset", "asset_column", "contract", "product", "access", "domain")  # what tells the domain of a subject


@dataclass(frozen=True, slots=True)
class Clash:
    """One asset that a policy would newly find fault with.

    ``outcome`` is ``waived`` when a waiver allows it. ``given`` says what else has to happen for it; such a clash is
    told and does not make the change any worse.
    """

    policy: str
    version: str
    severity: str
    title: str
    subject: str
    message: str
    outcome: str
    waiver: str | None = None
    given: str = ""

    @property
    def told(self) -> str:
        """In one sentence."""
        given = f", if {self.given}" if self.given else ""
        return f"policy {self.policy} ({self.severity}) would be violated by {self.subject}{given}: {self.message}"


@dataclass(frozen=True)
class State:
    """The views as they would be. ``renamed`` tells subjects that only have another name, old → new."""

    view: View
    tables: dict[str, pa.Table]
    given: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)


def policies_for(view: View, altered: Mapping[str, Collection[str]]) -> tuple[list[Policy], set[str]]:
    """Policies that a change of some views may meet, and every view that is needed to ask them.

    Parameters
    ----------
    altered
        columns that may differ by view; :data:`ROWS` for rows.
    """
    from lineage.policies.load import policies_of

    held = policies_of(view.store, view.as_of, view.known_at).policies
    seen = [policy for policy in held if policy.domain == "*" or view.actor.may_see(policy.domain)]
    reads = _tables(seen)
    chosen = [policy for policy in seen if _touched(policy, reads[policy.id], altered)]
    needed = {name for policy in chosen for name in reads[policy.id]}
    if chosen and (view.restricted or any(policy.domain != "*" for policy in chosen)):
        needed.update(_TO_SIFT)
    return chosen, needed


def newly(
    view: View, policies: Sequence[Policy], before: dict[str, pa.Table], states: Sequence[State], sandbox: Sandbox
) -> tuple[tuple[Clash, ...], tuple[str, ...]]:
    """What policies say of the states and not of the mesh as it is, and which of them could not be evaluated.

    What is true of an earlier state is not told of a later one again.
    """
    from lineage.policies.load import waivers_of
    from lineage.policies.showing import Sieve

    reads = _tables(policies)
    meets = []
    for state in states:
        differ = _differing(before, state.tables)
        meets.append([one for one in policies if _touched(one, reads[one.id], differ)])
    chosen = [policy for policy in policies if any(policy in some for some in meets)]
    if not chosen:
        return (), ()
    waivers = waivers_of(view.store, view.as_of, view.known_at)
    wanted = {name for policy in chosen for name in reads[policy.id]}
    sandbox.load({name: table if name in wanted else table.slice(0, 0) for name, table in before.items()})
    known = {policy.id: _known(sandbox, policy, before) for policy in chosen}
    found: dict[tuple[str, str], Clash] = {}
    errors: dict[str, None] = {}
    held: Mapping[str, pa.Table] = before
    for state, some in zip(states, meets, strict=True):
        sandbox.load({n: table for n, table in state.tables.items() if n in wanted and table is not held.get(n)})
        held = state.tables
        sieve = Sieve(state.view, state.tables) if view.restricted else None
        for policy in some:
            clashes = _new(sandbox, policy, known[policy.id], state, waivers, view.as_of)
            if clashes is None:
                errors[f"policy {policy.id} could not be evaluated, so nobody knows whether it would hold"] = None
            for clash in clashes or ():
                if sieve is None:
                    found.setdefault((clash.policy, clash.subject), clash)
                elif not sieve.hides(clash.subject):
                    found.setdefault((clash.policy, clash.subject), replace(clash, message=policy.title))
    return tuple(found.values()), tuple(errors)


def with_clashes(view: View, judged: Sequence[Judged], found: Iterable[Clash]) -> list[Judged]:
    """Each clash at the change that most likely causes it; a grave one makes a harmless change really breaking."""
    result = list(judged)
    for clash in found:
        if clash.outcome == "waived" or not result:
            continue
        at = max(range(len(result)), key=lambda k: (_fit(result[k].change, clash.subject), -k))
        one = replace(result[at], notes=(*result[at].notes, clash.told))
        result[at] = one if clash.given else _worse(one, clash)
    return result


# -- inside


def _worse(one: Judged, clash: Clash) -> Judged:
    least = Severity.breaking if clash.severity in GRAVE else Severity.risky
    real = min(one.real, least, key=WORST.index)
    harmless = one.change.consumer is not Severity.breaking
    finding = "really breaking" if real is Severity.breaking and harmless else one.finding
    if finding == "really harmless" or (finding == "cannot tell" and real is Severity.breaking):
        finding = "as formal"
    return replace(one, real=real, finding=finding)


def _fit(change: ContractChange, subject: str) -> int:
    """How likely a change is the cause of a finding about a subject."""
    if change.column and subject.lower().endswith(f":{change.column.lower()}"):
        return 3
    if change.governed or (change.old and subject.rpartition(":")[2] == change.old.rpartition(":")[2]):
        return 2
    return 0 if change.consumer is Severity.cosmetic else 1


def _tables(policies: Sequence[Policy]) -> dict[str, frozenset[str]]:
    """Views that each policy reads."""
    return {one.id: _named(one.scope_sql) | _named(one.violation_sql) for one in policies}


@lru_cache(maxsize=1_024)
def _named(sql: str) -> frozenset[str]:
    """Views that a query reads; of SQL that cannot be parsed every word, so that it is run and found in error."""
    import duckdb

    from lineage.policies.sandbox import memory

    try:
        words = {name.lower() for name in memory().cursor().get_table_names(sql)}
    except duckdb.Error:
        words = set(re.findall(r"\w+", sql.lower()))
    return frozenset(words & VIEWS.keys())


def _touched(policy: Policy, tables: Collection[str], altered: Mapping[str, Collection[str]]) -> bool:
    """Whether a policy reads something that differs: rows of a view, or a column that its SQL names."""
    sql = f"{policy.scope_sql} {policy.violation_sql}".lower()
    words = set(re.findall(r"\w+", sql))
    everything = "*" in sql.replace("count(*)", "")
    return any(ROWS in altered[t] or everything or words & set(altered[t]) for t in tables if t in altered)


def _differing(before: Mapping[str, pa.Table], after: Mapping[str, pa.Table]) -> dict[str, set[str]]:
    """Columns that differ by view."""
    found: dict[str, set[str]] = {}
    for name, table in after.items():
        was = before[name]
        if table is was or name == "question":
            continue
        columns = {column for column in table.column_names if not table[column].equals(was[column])}
        if columns:
            found[name] = columns | ({ROWS} if len(table) != len(was) or "id" in columns else set())
    return found


def _known(sandbox: Sandbox, policy: Policy, tables: Mapping[str, pa.Table]) -> list[str]:
    """Subjects that violate a policy already; none when it cannot be evaluated, which the next state will tell."""
    from lineage.policies.evaluate import domains_of, violating
    from lineage.policies.sandbox import PolicyError

    try:
        found = violating(sandbox, policy)
    except PolicyError:
        return []
    if policy.domain == "*":
        return found
    domains = domains_of(tables)
    return [one for one in found if domains.get(one) == policy.domain]


def _new(
    sandbox: Sandbox, policy: Policy, known: Sequence[str], state: State, waivers: Sequence[Waiver], at: datetime
) -> list[Clash] | None:
    """Findings that there were not, also of what was waived and is no more; ``None`` when it cannot be evaluated."""
    import pyarrow as pa

    from lineage.policies.evaluate import domains_of, violating_beside
    from lineage.policies.sandbox import PolicyError

    passed = {one.subject for one in waivers if one.policy == policy.id and one.approver and one.expires > at}
    was_waived = {state.renamed.get(one, one) for one in known if one in passed}
    plain = [state.renamed.get(one, one) for one in known if one not in passed]
    sandbox.load({_KNOWN: pa.table({"subject": pa.array(plain, pa.string())})})
    try:
        found = violating_beside(sandbox, policy, _KNOWN, waivers, at)
    except PolicyError:
        return None
    if found and policy.domain != "*":
        domains = domains_of(state.tables)
        found = [one for one in found if domains.get(one.subject) == policy.domain]
    return [
        Clash(policy.id, policy.version, policy.severity, policy.title, one.subject, one.message, one.outcome,
              one.waiver, state.given)
        for one in found if one.outcome != "waived" or one.subject not in was_waived
    ]  # fmt: skip
