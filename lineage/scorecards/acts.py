"""Metrics of what people and teams did: violations, roll-out, access, delivery, breaking changes, incidents."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from lineage.policies.load import policies_of
from lineage.quality.incidents import times
from lineage.scorecards.answers import Row
from lineage.scorecards.base import WINDOW, Base, Settled
from lineage.scorecards.state import Rows

if TYPE_CHECKING:
    from lineage.policies.violations import Violation

DAY = timedelta(days=1)
QUARTER = timedelta(days=90)
BURN = timedelta(days=28)
_RUNS = """
-- runs of policies until T as known at K
SELECT policy, evaluated_at, scope, passed, waived, error FROM policy_run
WHERE evaluated_at <= $at AND evaluated_at <= $known ORDER BY policy, evaluated_at
"""
_PUBLISHED = """
-- when each policy was first published, as known at K
SELECT name, min(valid_from) FROM policy
WHERE valid_from <= $at AND known_from <= $known AND known_to > $known GROUP BY name
"""
_ASKED = """
-- requests for access with their decision until T as known at K; NULL while there is none
SELECT r.request, r.product, r.acted_at, min(d.acted_at), arg_min(d.actor, d.acted_at), arg_min(d.act, d.acted_at)
FROM access_act r LEFT JOIN access_act d
  ON d.request = r.request AND d.act IN ('approve', 'refuse') AND d.acted_at <= $at AND d.acted_at <= $known
WHERE r.act = 'request' AND r.acted_at <= $at AND r.acted_at <= $known
GROUP BY ALL ORDER BY r.request
"""


def velocity(base: Base) -> Rows:
    """The five numbers about violations, and the pace."""
    now = base.view.as_of
    found: Rows = {name: [] for name in ("mttr", "mova", "time-to-remediate", "deadline-attainment", "burn-down",
                                         "weeks-to-zero")}  # fmt: skip
    settled = base.settled
    for one in base.violations:
        kept = settled.get(id(one)) if settled is not None else None
        if kept is None or kept.of is not one or not base.is_there(kept):
            like = base.about(one.subject)
            if like is None:
                continue
            name = f"{one.id} {one.policy} {one.subject}"
            kept = Settled(one, like, [
                (metric, Row(name, like.domain, like.product, like.tier, counted, value, one.state))
                for metric, counted, value in _violated(one, now)
            ])  # fmt: skip
            if settled is not None and one.fixed is not None and one.fixed <= now - WINDOW:
                settled[id(one)] = kept
        for metric, row in kept.rows:
            found[metric].append(row)
    return found


def _violated(one: Violation, now: datetime) -> list[tuple[str, bool, float | None]]:
    """What one violation adds to which metric."""
    end = one.fixed or now
    age = (end - one.opened) / DAY
    said: list[tuple[str, bool, float | None]] = []
    if one.fixed is not None and one.fixed > now - WINDOW:
        said.append(("mttr", True, age))
    if one.fixed is None and one.state != "waived":
        said.append(("mova", True, age))
    if one.state != "waived":
        said.append(("time-to-remediate", one.fixed is not None, age))
    if one.fixed is not None or one.overdue:
        said.append(("deadline-attainment", one.fixed is not None and one.fixed <= one.deadline, None))
    change = float((one.fixed is not None and one.fixed > now - BURN) - (one.opened > now - BURN))
    said.append(("burn-down", True, change))
    said.append(("weeks-to-zero", one.fixed is None and one.state != "waived", change))
    return said


def roll_out(base: Base) -> Rows:
    """How long each policy took to 95 % compliance; one that has not got there is not counted."""
    view, when = base.view, {"at": base.view.as_of, "known": base.view.known_at}
    began = {row[0]: row[1] for row in view.store.rows(_PUBLISHED, when)}
    reached: dict[str, float | None] = {}
    for policy, ran, scope, passed, waived, error in view.store.rows(_RUNS, when):
        start = began.setdefault(policy, ran)
        if error is None and reached.get(policy) is None:
            there = ran >= start and (not scope or passed + waived >= 0.95 * scope)
            reached[policy] = (ran - start) / DAY if there else None
    domains = {one.id: one.domain for one in policies_of(view.store, view.as_of, view.known_at).policies}
    return {
        "roll-out": [
            Row(name, "" if domains[name] == "*" else domains[name], counted=value is not None, value=value)
            for name, value in sorted(reached.items())
            if name in domains and (domains[name] == "*" or view.actor.may_see(domains[name]))
        ]
    }


def access(base: Base) -> Rows:
    """From request to decision."""
    found: Rows = {"access-p50": [], "access-p90": [], "access-auto": []}
    when = {"at": base.view.as_of, "known": base.view.known_at}
    for request, product, asked, decided, by, act in base.view.store.rows(_ASKED, when):
        if product not in base.products:
            continue
        like = base.product_row(product)
        days = None if decided is None else (decided - asked) / DAY
        row = Row(request, like.domain, product, like.tier, decided is not None, days, act or "open")
        found["access-p50"].append(row)
        found["access-p90"].append(row)
        if decided is not None:
            auto = act == "approve" and str(by).startswith("rule:")
            found["access-auto"].append(Row(request, like.domain, product, like.tier, auto, None, str(by)))
    return found


def delivery(base: Base) -> Rows:
    """From the first version of a product or contract to its first active one, and how long old majors stayed.

    What was active from the first day on has no time of delivery: when it was proposed nobody wrote down.
    """
    found: Rows = {"delivery": [], "contract-delivery": [], "breaking-discipline": []}
    for table, name in (("product", "delivery"), ("contract", "contract-delivery")):
        for what, versions in base.versions[table].items():
            first, active = versions[0], next((one for one in versions if one[1] == "active"), None)
            if first[1] != "active":
                days = None if active is None else (active[3] - first[3]) / DAY
                found[name].append(Row(what, first[2], "", "", active is not None, days, first[1]))
    found["breaking-discipline"] = discipline(base)
    return found


def discipline(base: Base) -> list[Row]:
    """One row per new major of a contract that came 90 days ago or whose predecessor is gone."""
    rows = []
    for stem, by_major in base.majors.items():
        order = sorted(by_major)
        for old, new in pairwise(order):
            begin, end, now = by_major[new][0], by_major[old][1], base.view.as_of
            stayed = min(end, now) - begin
            if stayed >= QUARTER or end <= now:
                note = f"{old} stayed {max(stayed, timedelta()).days} days beside {new}"
                rows.append(Row(f"{stem} {old} → {new}", by_major[new][2], "", "", stayed >= QUARTER, None, note))
    return rows


def failures(base: Base) -> Rows:
    """Times of incidents that began in the last 90 days, in hours."""
    found: Rows = {"detect": [], "acknowledge": [], "repair": [], "repeats": []}
    for one in times(base.view, base.view.as_of - QUARTER, base.streaks):
        node = base.view.label(one.node)
        like = base.about(node)
        if like is None:
            continue
        name = f"{one.id} {node}"
        for metric, begin, end in (("detect", one.began_at, one.detected_at),
                                   ("acknowledge", one.detected_at, one.acknowledged_at),
                                   ("repair", one.began_at, one.ended_at)):  # fmt: skip
            if end is not None:
                hours = (end - begin).total_seconds() / 3600
                found[metric].append(Row(name, like.domain, like.product, like.tier, True, hours, one.what))
        found["repeats"].append(Row(name, like.domain, like.product, like.tier, one.repeated, None, one.what))
    return found
