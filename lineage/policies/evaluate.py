"""Run policies over the views: each asset of the scope is pass, violation, waived or error; error is never pass."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from lineage.errors import MeshlineError
from lineage.policies.load import is_own
from lineage.policies.model import Finding, Policy, PolicyResult, PolicyTest, Waiver
from lineage.policies.sandbox import Here, PolicyError, Sandbox
from lineage.policies.schema import VIEWS, table_of_rows
from lineage.times import parse_instant

if TYPE_CHECKING:
    import pyarrow as pa

_SCOPE = ("subject",)
_NEEDED, _ALLOWED = ("subject", "message"), ("subject", "message", "path", "evidence")
_DOMAIN_OF = {
    "asset": "id",
    "asset_column": "id",
    "column_tag": "id",
    "contract": "id",
    "product": "id",
    "domain": "name",
}
_TEST_TIME = "2026-01-01"  # ``question`` in a test that gives no row of it


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What came of one test of a policy. ``error`` is why it could not be run."""

    __test__ = False  # no test of pytest
    policy: str
    name: str
    passed: bool
    expected: tuple[str, ...]
    found: tuple[str, ...]
    error: str | None = None


def evaluate(
    tables: Mapping[str, pa.Table],
    policies: Iterable[Policy],
    waivers: Iterable[Waiver] = (),
    *,
    at: datetime,
    seconds: float = 10.0,
) -> tuple[PolicyResult, ...]:
    """Every policy over the views of one instant.

    Parameters
    ----------
    tables
        the views by name (:func:`lineage.policies.views.fill`).
    policies, waivers
        what is to be checked, and the exceptions; only those whose time has come matter.
    at
        the instant, naive UTC: what a waiver has to outlive.
    seconds
        time for one query.

    Returns
    -------
    tuple of PolicyResult
        one per policy, in their order. A policy whose SQL is refused, fails, gives other columns than wanted or names a
        subject outside its scope has ``error`` and no findings.
    """
    with Sandbox(tables, seconds=seconds) as sandbox:
        return evaluate_in(sandbox, tables, policies, waivers, at)


def sandbox_for(policies: Iterable[Policy]) -> Sandbox:
    """An empty sandbox for some policies; it starts while the caller fills the tables, where it needs to start."""
    if all(map(is_own, policies)):
        return Here({})
    sandbox = Sandbox({})
    sandbox.warm()
    return sandbox


def violating(sandbox: Sandbox, policy: Policy) -> list[str]:
    """Subjects that violate a policy, by what the sandbox holds; none of the rest is read.

    Raises
    ------
    PolicyError
        when it cannot be evaluated.
    """
    rows = sandbox.select(f"SELECT DISTINCT subject FROM (\n{_bare(policy.violation_sql)}\n) AS v").rows  # noqa: S608
    return [row[0] for row in rows if isinstance(row[0], str)]


def violating_beside(
    sandbox: Sandbox, policy: Policy, known: str, waivers: Iterable[Waiver], at: datetime
) -> list[Finding]:
    """Findings about subjects that do not stand in the table ``known`` (column ``subject``) of the sandbox.

    Raises
    ------
    PolicyError
        as in an evaluation of everything: a subject outside the scope, columns other than wanted.
    """
    result = sandbox.select(
        f"SELECT v.* FROM (\n{_bare(policy.violation_sql)}\n) AS v "  # noqa: S608
        f'WHERE v.subject IS NULL OR v.subject NOT IN (SELECT subject FROM "{known}")'
    )
    rows = _rows(result.columns, result.rows)
    if rows or not is_own(policy):  # ours have no scope that fails; to ask for it can cost more than all the rest
        _inside(sorted(rows.keys() - set(_scope(sandbox, policy))))
    held: dict[str, list[Waiver]] = {}
    for waiver in waivers:
        if waiver.policy == policy.id:
            held.setdefault(waiver.subject, []).append(waiver)
    found = (_finding(policy, subject, told) for subject, told in sorted(rows.items()))
    return [_waive(finding, held.get(finding.subject, ()), at) for finding in found]


def run_tests(policies: Iterable[Policy]) -> tuple[TestOutcome, ...]:
    """Every test of every policy: rows in, subjects out."""
    policies = tuple(policies)
    with sandbox_for(policies) as sandbox:
        return tuple(_test(sandbox, policy, test) for policy in policies for test in policy.tests)


def evaluate_in(
    sandbox: Sandbox,
    tables: Mapping[str, pa.Table],
    policies: Iterable[Policy],
    waivers: Iterable[Waiver],
    at: datetime,
) -> tuple[PolicyResult, ...]:
    """The same in a sandbox that holds the tables; see :func:`evaluate`."""
    policies = tuple(policies)
    by_policy: dict[str, list[Waiver]] = {}
    for waiver in waivers:
        by_policy.setdefault(waiver.policy, []).append(waiver)
    domains = domains_of(tables) if any(policy.domain != "*" for policy in policies) else {}
    return tuple(_run(sandbox, policy, by_policy.get(policy.id, ()), domains, at) for policy in policies)


# -- inside


def _run(
    sandbox: Sandbox, policy: Policy, waivers: Sequence[Waiver], domains: Mapping[str, str | None], at: datetime
) -> PolicyResult:
    begin = time.perf_counter()
    subjects: tuple[str, ...] = ()
    try:
        subjects = _scope(sandbox, policy)
        found = _violations(sandbox, policy, subjects)
    except PolicyError as error:
        return PolicyResult(policy, at, subjects, error=str(error), seconds=time.perf_counter() - begin)
    if policy.domain != "*":
        subjects = tuple(one for one in subjects if domains.get(one) == policy.domain)
        held = frozenset(subjects)
        found = [finding for finding in found if finding.subject in held]
    by_subject: dict[str, list[Waiver]] = {}
    for waiver in waivers:
        by_subject.setdefault(waiver.subject, []).append(waiver)
    findings = tuple(_waive(finding, by_subject.get(finding.subject, ()), at) for finding in found)
    return PolicyResult(policy, at, subjects, findings, seconds=time.perf_counter() - begin)


def _scope(sandbox: Sandbox, policy: Policy) -> tuple[str, ...]:
    """Subjects in order, each once."""
    result = sandbox.select(policy.scope_sql)
    if result.columns != _SCOPE:
        raise PolicyError(f"scope_sql has to give one column “subject”, not {_listed(result.columns)}.")
    found = {row[0] for row in result.rows}
    if not all(isinstance(one, str) and one for one in found):
        raise PolicyError("scope_sql gives a subject that is no text.")
    return tuple(sorted(found))


def _violations(sandbox: Sandbox, policy: Policy, subjects: Sequence[str]) -> list[Finding]:
    """One finding per subject; what several rows say of it is put together."""
    result = sandbox.select(policy.violation_sql)
    rows = _rows(result.columns, result.rows)
    _inside(sorted(rows.keys() - set(subjects)))
    return [_finding(policy, subject, told) for subject, told in sorted(rows.items())]


def _bare(sql: str) -> str:
    """SQL as it can stand between brackets."""
    return sql.rstrip().rstrip(";")


def _inside(outside: Sequence[str]) -> None:
    if outside:
        raise PolicyError(f"violation_sql names {len(outside)} subjects outside the scope, as {outside[0]}.")


def _rows(
    columns: tuple[str, ...], found: Iterable[tuple[object, ...]]
) -> dict[str, list[tuple[str, str | None, str | None]]]:
    """Message, path and evidence by subject."""
    if not set(_NEEDED) <= set(columns) <= set(_ALLOWED) or len(set(columns)) < len(columns):
        raise PolicyError(
            f"violation_sql has to give subject and message, and may give path and evidence; not {_listed(columns)}."
        )
    rows: dict[str, list[tuple[str, str | None, str | None]]] = {}
    for values in found:
        row = dict(zip(columns, values, strict=True))
        subject = row["subject"]
        if not isinstance(subject, str):
            raise PolicyError("violation_sql gives a subject that is no text.")
        path, evidence = (None if row.get(key) is None else str(row[key]) for key in ("path", "evidence"))
        message = "" if row["message"] is None else str(row["message"])
        rows.setdefault(subject, []).append((message, path, evidence))
    return rows


def _finding(policy: Policy, subject: str, told: Sequence[tuple[str, str | None, str | None]]) -> Finding:
    first = told[0]
    message, path, evidence = first if len(told) == 1 else min(told, key=lambda one: tuple(part or "" for part in one))
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    return Finding(policy.id, subject, "violation", message + more, path, evidence)


def _waive(finding: Finding, waivers: Sequence[Waiver], at: datetime) -> Finding:
    """Waived when some waiver holds; else with the one that ended last."""
    allowed = [one for one in waivers if one.approver]
    holding = max((one for one in allowed if one.expires > at), key=lambda one: (one.expires, one.id), default=None)
    if holding is not None:
        return replace(finding, outcome="waived", waiver=holding.id)
    ended = max(allowed, key=lambda one: (one.expires, one.id), default=None)
    return replace(finding, expired_waiver=ended.id) if ended is not None else finding


def domains_of(tables: Mapping[str, pa.Table]) -> dict[str, str | None]:
    """Domain of every subject that has one."""
    found: dict[str, str | None] = {}
    for view, key in _DOMAIN_OF.items():
        if view in tables:
            ids = tables[view][key].to_pylist()
            found.update(zip(ids, ids if view == "domain" else tables[view]["domain"].to_pylist(), strict=True))
    if "access" in tables:
        of_grants = zip(tables["access"]["id"].to_pylist(), tables["access"]["product"].to_pylist(), strict=True)
        found.update({grant: found.get(product) for grant, product in of_grants})
    return found


def _test(sandbox: Sandbox, policy: Policy, test: PolicyTest) -> TestOutcome:
    expected = tuple(sorted(test.violations))
    moment = parse_instant(_TEST_TIME)
    rows = {"question": [{"as_of": moment, "known_at": moment}], **test.rows}
    try:
        sandbox.load({view: table_of_rows(view, rows.get(view, ())) for view in VIEWS})
        found = tuple(one.subject for one in _violations(sandbox, policy, _scope(sandbox, policy)))
    except (MeshlineError, TypeError, ValueError) as error:  # a value of the wrong type in a row of the test
        return TestOutcome(policy.id, test.name, False, expected, (), str(error))
    return TestOutcome(policy.id, test.name, found == expected, expected, found)


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(columns) or "none"
