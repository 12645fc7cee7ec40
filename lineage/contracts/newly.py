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
    import pyarrow as pa

    from lineage.contracts.report import Judged
    from lineage.policies.model import Policy, PolicyResult
    from lineage.policies.sandbox import Sandbox
    from lineage.policies.showing import Sieve
    from lineage.view import View

GRAVE = ("high", "critical")
"""Severities of policies that make a change BREAKING; the others make it RISKY."""
LASTING = ("folded names", "policy texts", "policy columns", "policy tests", "policy described", "policy written",
           "policy contracts")  # fmt: skip
"""What is found of an instant once and holds in each state of it that somebody thinks of."""
ROWS = "*"
"""Stands for the rows of a view: some come or go."""
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
    from lineage.policies.evaluate import evaluate_states
    from lineage.policies.load import waivers_of
    from lineage.policies.showing import Sieve

    differ: dict[str, set[str]] = {}
    for state in states:
        for name, columns in _differing(before, state.tables).items():
            differ.setdefault(name, set()).update(columns)
    reads = _tables(policies)
    chosen = [policy for policy in policies if _touched(policy, reads[policy.id], differ)]
    if not chosen:
        return (), ()
    waivers = waivers_of(view.store, view.as_of, view.known_at)
    first, *others = evaluate_states(sandbox, (before, *(s.tables for s in states)), chosen, waivers, at=view.as_of)
    found: dict[tuple[str, str], Clash] = {}
    errors: dict[str, None] = {}
    for state, results in zip(states, others, strict=True):
        sieve = Sieve(state.view, state.tables) if view.restricted else None
        for was, now in zip(first, results, strict=True):
            if now.error is not None:
                errors[f"policy {now.policy.id} could not be evaluated, so nobody knows whether it would hold"] = None
                continue
            for clash in _new(was, now, state, sieve):
                found.setdefault((clash.policy, clash.subject), clash)
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
    named = _named(tuple(sql for policy in policies for sql in (policy.scope_sql, policy.violation_sql)))
    return {one.id: named[one.scope_sql] | named[one.violation_sql] for one in policies}


@lru_cache(maxsize=16)
def _named(queries: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """Views that each query reads; of SQL that cannot be parsed every word, so that it is run and found in error."""
    import duckdb

    found: dict[str, frozenset[str]] = {}
    with duckdb.connect(":memory:") as connection:
        for sql in queries:
            try:
                words = {name.lower() for name in connection.get_table_names(sql)}
            except duckdb.Error:
                words = set(re.findall(r"\w+", sql.lower()))
            found[sql] = frozenset(words & VIEWS.keys())
    return found


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


def _new(was: PolicyResult, now: PolicyResult, state: State, sieve: Sieve | None) -> list[Clash]:
    """Findings that there were not; one that was waived and is no more is new too."""
    known = {(state.renamed.get(one.subject, one.subject), one.outcome) for one in was.findings}
    policy = now.policy
    found = []
    for finding in now.findings:
        old = {(finding.subject, finding.outcome), (finding.subject, "violation")} & known
        if old or (sieve is not None and sieve.hides(finding.subject)):
            continue
        message = policy.title if sieve is not None else finding.message
        found.append(Clash(policy.id, policy.version, policy.severity, policy.title, finding.subject, message,
                           finding.outcome, finding.waiver, state.given))  # fmt: skip
    return found
