"""What people have to hear of right now: one alert for one cause, with the list of what it explains folded in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.alerts.model import Alert
from lineage.errors import MeshlineError

if TYPE_CHECKING:
    from lineage.engine import Lineage

_BUDGETS = {"over": ("high", 2), "forecast over": ("medium", 1), "warned": ("low", 0)}


def gather(lx: Lineage, now: datetime) -> tuple[list[Alert], tuple[str, ...]]:
    """Alerts of the present, without ids, and the sources that could not be asked.

    What hangs on a cause is a member of its alert: violations of one policy downstream of each other, incidents under
    one cause together with the contracts that they break, the broken promises of one contract on one dataset.
    """
    incidents: dict[str, list[Any]] = defaultdict(list)
    broken: list[Any] = []
    problems: list[str] = []

    def ask_quality() -> None:
        for one in lx.quality.incidents(now=now).incidents:
            if one.state in ("open", "acknowledged"):
                incidents[one.cause].append(one)
        broken.extend(p for p in lx.contracts.check(now=now).promises if p.verdict == "broken")

    _try("incidents and contracts", ask_quality, problems)
    found: list[Alert] = []
    for name, source in (
        ("violations", lambda: _violations(lx)),
        ("incidents", lambda: incident_alerts(incidents, broken)),
        ("contracts", lambda: _contracts(broken, {one.node for group in incidents.values() for one in group})),
        ("budgets", lambda: _budgets(lx, now)),
    ):
        _try(name, lambda source=source: found.extend(source()), problems)  # type: ignore[misc]
    return found, tuple(problems)


def _try(name: str, ask: Callable[[], None], problems: list[str]) -> None:
    """One source that cannot be asked does not silence the others."""
    try:
        ask()
    except MeshlineError as error:
        problems.append(f"{name}: {error}")


def _violations(lx: Lineage) -> Iterator[Alert]:
    from lineage.policies.groups import grouped

    for group in grouped(lx.policies.violations(), waived=False).groups:
        late = f", {group.overdue} past their deadline" if group.overdue else ""
        members = tuple(f"{one.subject}: {one.message}" for one in group.members)
        yield Alert(
            "", f"violation:{group.id}", "violation", group.severity, group.domain, group.level,
            f"{group.policy}: {len(members)} violation{'s' * (len(members) > 1)}{late}", group.cause, group.message,
            group.escalation, group.opened, group.deadline, members,
        )  # fmt: skip


def incident_alerts(causes: dict[str, list[Any]], broken: list[Any]) -> Iterator[Alert]:
    """One alert for the incidents of each cause, in the order of the causes, with the promises that they break."""
    for cause, group in causes.items():
        first = min(group, key=lambda one: (one.node != cause, one.severity != "error", one.began_at, one.id))
        nodes = {one.node for one in group}
        promises = [f"{p.contract} {p.version}: {p.promise}" for p in broken if p.dataset in nodes]
        members = (*(f"{one.node}: {one.what}" for one in group), *sorted(promises))
        severity = "high" if any(one.severity == "error" for one in group) else "medium"
        yield Alert(
            "", f"incident:{first.id}", "incident", severity, first.domain, 0, f"Incident: {first.what}", cause,
            first.detail, "", min(one.began_at for one in group), None, members,
        )  # fmt: skip


def _contracts(broken: list[Any], told: set[str]) -> Iterator[Alert]:
    groups: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for promise in broken:
        if promise.dataset not in told:
            groups[promise.contract, promise.version, promise.dataset].append(promise)
    for (contract, version, dataset), promises in groups.items():
        members = tuple(f"{p.promise}: expected {p.expected}, observed {p.observed}" for p in promises)
        yield Alert(
            "", f"contract:{contract} {version} {dataset}", "contract", "high", promises[0].domain, 0,
            f"Contract {contract} {version} is broken", dataset, members[0], members=members,
        )  # fmt: skip


def _budgets(lx: Lineage, now: datetime) -> Iterator[Alert]:
    for one in lx.cost.budgets(now=now).budgets:
        if one.state not in _BUDGETS:
            continue
        severity, level = _BUDGETS[one.state]
        kind, _, name = one.scope.partition(":")
        share = one.forecast_percent if one.state == "forecast over" else one.spent_percent
        yield Alert(
            "", f"budget:{one.name} {one.period}", "budget", severity, name if kind == "domain" else "", level,
            f"Budget {one.name}: {share} % {'forecast' if one.state == 'forecast over' else 'spent'}", one.scope,
            f"{one.spent} of {one.amount} {one.currency} in {one.period}", one.owner or "",
        )  # fmt: skip
