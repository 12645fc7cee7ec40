"""Policies that a change of a contract would newly violate: a formally harmless change that a policy forbids.

The same instant is asked twice, once with the old contract in force and once with the new one; what a policy says only
of the second is a clash. Only policies that read something of a view that differs are run.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lineage.contracts.binding import Bindings, Bound, bind, bind_all, bindings
from lineage.contracts.changes import WORST, ContractChange, Severity
from lineage.contracts.model import Contract
from lineage.policies.declared_views import classification_of
from lineage.policies.schema import VIEWS
from lineage.products import membership
from lineage.view import View

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.contracts.report import Judged
    from lineage.policies.model import Policy, PolicyResult
    from lineage.view import Instant

GRAVE = ("high", "critical")
"""Severities of policies that make a change BREAKING; the others make it RISKY."""
_KEPT = ("folded names", "column flow", "flow dataset", "figures dataset", "flow column", "products")
_ROWS = "*"
"""Stands for the rows of a view: some come or go."""


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


def clashes(view: View, old: Contract, new: Contract) -> tuple[tuple[Clash, ...], tuple[str, ...]]:
    """What policies would newly say, and which of them could not be evaluated.

    Parameters
    ----------
    view
        the instant, and the actor: what he may not see is not told.
    """
    from lineage.policies.evaluate import evaluate_both
    from lineage.policies.load import policies_of, waivers_of
    from lineage.policies.showing import Sieve
    from lineage.policies.views import fill

    altered = altered_views(view, old, new)
    held = policies_of(view.store, view.as_of, view.known_at).policies
    seen = [policy for policy in held if policy.domain == "*" or view.actor.may_see(policy.domain)]
    reads = _tables(seen)
    chosen = [policy for policy in seen if _touched(policy, reads[policy.id], altered)]
    if not chosen:
        return (), ()
    needed = set().union(*(reads[policy.id] for policy in chosen))
    if view.restricted or any(policy.domain != "*" for policy in chosen):
        needed |= {"asset", "asset_column", "contract", "product", "access", "domain"}
    before, after = (_world(view, old, one) for one in (old, new))
    tables, again = fill(before, needed), fill(after, needed & altered.keys())
    changed = _followed(tables, {**tables, **{name: again[name] for name in needed & altered.keys()}})
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


def altered_views(view: View, old: Contract, new: Contract) -> dict[str, set[str]]:
    """Columns of each view that differ when one contract stands in the place of the other; ``*``: rows do."""
    found: dict[str, set[str]] = {"contract": _differ(_of_contract(old), _of_contract(new))}
    before, after = {t.name: t for t in old.things}, {t.name: t for t in new.things}
    homes = {name: bind(view.instant, new, thing)[0] for name, thing in after.items()}
    moved = {n for n, t in before.items() if n not in after or bind(view.instant, old, t)[0] != homes[n]}
    if moved or after.keys() - before.keys():
        every = ("contract", "asset", "asset_column", "column_tag")
        return {name: {*VIEWS[name], _ROWS} for name in every}
    for name, thing in after.items():
        node = homes[name]
        if node is None:
            continue
        one, other = Bound(old, before[name], node), Bound(new, thing, node)
        for place, columns in _of_thing(view, one, other).items():
            found.setdefault(place, set()).update(columns)
    return {name: columns for name, columns in found.items() if columns}


def _of_contract(one: Contract) -> dict[str, object]:
    """What the rows of a contract say beside its objects, by the column of the view."""
    retention, latency, support = one.sla("retention"), one.sla("latency", "freshness"), one.sla("endOfSupport")
    return {
        "version": one.version, "major": one.major, "status": one.status, "domain": one.domain,
        "product": one.product, "retention_seconds": retention.seconds if retention else None,
        "latency_seconds": latency.seconds if latency else None,
        "purposes": one.custom.get("allowedPurposes"), "end_of_support": str(support.value) if support else None,
    }  # fmt: skip


def _of_thing(view: View, old: Bound, new: Bound) -> dict[str, set[str]]:
    level, status = _differ_in(classification_of, old, new), old.contract.status != new.contract.status
    before, after = ({c.path.lower(): c for c in one.thing.columns} for one in (old, new))
    known = {view.snapshot.field(c).lower() for c in view.snapshot.columns_of(new.node).tolist()}
    columns = {key for key in ("classification", "critical") for path in before.keys() | after.keys()
               if getattr(before.get(path), key, None) != getattr(after.get(path), key, None)
               and (getattr(before.get(path), key, None) or getattr(after.get(path), key, None))}  # fmt: skip
    if before.keys() != after.keys():
        columns |= {"promised", *([_ROWS] if (before.keys() ^ after.keys()) - known else [])}
    tags = {p: c.pii for p, c in before.items() if c.pii} != {p: c.pii for p, c in after.items() if c.pii}
    described = bool(old.thing.description) != bool(new.thing.description)
    return {
        "contract": {"classification"} if level else set(),
        "asset": {*(["classification"] if level else []), *(["contract_status"] if status else []),
                  *(["described"] if described else [])},
        "asset_column": columns,
        "column_tag": {_ROWS} if tags or status else set(),
    }  # fmt: skip


def _differ(one: dict[str, object], other: dict[str, object]) -> set[str]:
    return {key for key in one if one[key] != other[key]}


def _differ_in(what: Callable[[Bound], object], one: Bound, other: Bound) -> bool:
    return what(one) != what(other)


def _tables(policies: Iterable[Policy]) -> dict[str, set[str]]:
    """Views that each policy reads; of SQL that cannot be parsed every word, so that it is run and found in error."""
    import duckdb

    found: dict[str, set[str]] = {}
    with duckdb.connect(":memory:") as connection:
        for policy in policies:
            words: set[str] = set()
            for sql in (policy.scope_sql, policy.violation_sql):
                try:
                    words |= {name.lower() for name in connection.get_table_names(sql)}
                except duckdb.Error:
                    words |= set(re.findall(r"\w+", sql.lower()))
            found[policy.id] = words & VIEWS.keys()
    return found


def _touched(policy: Policy, tables: Collection[str], altered: Mapping[str, Collection[str]]) -> bool:
    """Whether a policy reads something that differs: rows of a view, or a column that its SQL names."""
    sql = f"{policy.scope_sql} {policy.violation_sql}".lower()
    words = set(re.findall(r"\w+", sql))
    everything = "*" in sql.replace("count(*)", "")
    return any(_ROWS in altered[t] or everything or words & set(altered[t]) for t in tables if t in altered)


def _world(view: View, old: Contract, put: Contract) -> View:
    """The view as it would be with ``put`` in the place of the old contract, the products' datasets unchanged."""
    instant: Instant = copy.copy(view.instant)
    held = bindings(view.instant)
    if any(one is put for one in held.contracts):
        return view
    gone = {(c.id, c.major) for c in (old, put)}
    kept = {key: value for key, value in view.instant._remembered.items() if key in _KEPT}
    instant._remembered = kept
    mine = bind_all(instant, (put,))
    bound = tuple(one for one in held.bound if (one.contract.id, one.contract.major) not in gone)
    by_node: dict[int, tuple[Bound, ...]] = {}
    for one in (*bound, *mine.bound):
        by_node[one.node] = (*by_node.get(one.node, ()), one)
    kept["contract bindings"] = Bindings(
        (*(c for c in held.contracts if (c.id, c.major) not in gone), put),
        (*bound, *mine.bound),
        (*(one for one in held.unbound if (one.contract.id, one.contract.major) not in gone), *mine.unbound),
        by_node,
    )
    kept["product members"] = membership(view.instant)
    now = instant if view._now is view.instant else view._now
    return View(instant, now, view.actor, view.as_of, view.known_at)


def _followed(before: Mapping[str, pa.Table], after: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """The second state as it will be when the data has followed the contract.

    A column that the new version adds is not there yet, which is no fault of the change: what is observed counts as
    kept as much as it is today.
    """
    import pyarrow as pa

    kept = after["contract"]
    if len(kept):
        names = ("id", "object", "schema_kept")
        today = {(i, o): value for i, o, value in zip(*(before["contract"][n].to_pylist() for n in names), strict=True)}
        values = [today.get(key) for key in zip(kept["id"].to_pylist(), kept["object"].to_pylist(), strict=True)]
        at = kept.schema.get_field_index("schema_kept")
        after["contract"] = kept.set_column(at, "schema_kept", pa.array(values, pa.bool_()))
    columns = after["asset_column"]
    if columns is not before["asset_column"]:
        known = set(before["asset_column"]["id"].to_pylist())
        pairs = zip(columns["id"].to_pylist(), columns["observed"].to_pylist(), strict=True)
        at = columns.schema.get_field_index("observed")
        observed = pa.array([seen or i not in known for i, seen in pairs], pa.bool_())
        after["asset_column"] = columns.set_column(at, "observed", observed)
    return after


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
