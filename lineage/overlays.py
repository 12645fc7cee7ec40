"""Overlays: one figure of every dataset, as a text and a step of a scale, for pictures that are coloured by it.

``quality``
    the score; the same as in :mod:`lineage.quality.columns`.
``freshness``
    time since the last completed write, against its limit: of a contract, else learned, see
    :mod:`lineage.quality.freshness`.
``cost``
    own cost in the month of the newest bill; the same as in :mod:`lineage.cost.columns`.
``policy``
    personal data (tags ``pii:…``, carried along columns) and violations of policies.
``change``
    what differs from an earlier instant (:mod:`lineage.diff`); what does not differ has no mark.

Steps of good and bad go from 0 (bad) to 4 (good), of amounts from 0 (least) to 4 (most). ``None`` is unknown, which is
neither.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage import annotators
from lineage.actor import LOCAL, Actor
from lineage.columns import absent_columns
from lineage.errors import UnknownTagError, UsageError
from lineage.shown import Shown
from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.asking import When
    from lineage.differences import Difference
    from lineage.engine import Lineage
    from lineage.view import View

BY = ("quality", "freshness", "cost", "policy", "change")
SINCE = timedelta(days=7)
_POINTS = ((95.0, 4), (85.0, 3), (75.0, 2), (60.0, 1))
_SCALES: dict[str, tuple[tuple[str, int], ...]] = {
    "quality": (("below 60", 0), ("60", 1), ("75", 2), ("85", 3), ("95 and more", 4)),
    "freshness": (("more than twice its limit", 0), ("late", 1), ("near its limit", 3), ("fresh", 4)),
    "policy": (("grave violation", 0), ("violation", 1), ("personal data, no violation", 2), ("neither", 4)),
    "change": (("changed", 1), ("new", 4)),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One node: the figure as text, its step, and why it is so."""

    id: str
    text: str
    step: int | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Overlay(Shown):
    """Answer of ``overlay``. ``scale`` gives the words of each step that can occur; ``amounts``: steps are amounts."""

    by: str
    marks: tuple[Mark, ...]
    scale: tuple[tuple[str, int], ...]
    amounts: bool
    unknown: int
    note: str
    as_of: datetime
    known_at: datetime

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("id", "text", "step", "why")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per node."""
        return [(m.id, m.text, m.step, m.why) for m in self.marks]

    def title(self) -> str:
        """What is shown."""
        return f"{self.by.capitalize()}: {len(self.marks):,} nodes, {self.unknown:,} unknown"


def overlay(
    lx: Lineage,
    by: str,
    *,
    nodes: Collection[str] | None = None,
    since: When = None,
    now: datetime | None = None,
    as_of: When = None,
    known_at: When = None,
    actor: Actor = LOCAL,
) -> Overlay:
    """Marks of all visible datasets (of ``policy`` and ``change``: and jobs), or of some of them.

    Parameters
    ----------
    by
        one of :data:`BY`.
    nodes
        node texts; default: all.
    since
        for ``change``: the earlier instant; default: :data:`SINCE` before.

    Raises
    ------
    UsageError
        for another overlay, or a time that is none.
    """
    if by not in BY:
        raise UsageError(f"by: “{by}” is none of {', '.join(BY)}.")
    view = lx.view(as_of, known_at, actor)
    moment = now or (utcnow() if as_of is None and known_at is None else view.as_of)
    asked: dict[str, Any] = {"as_of": as_of, "known_at": known_at, "actor": actor}
    scale, note = _SCALES.get(by, ()), ""
    if by == "quality":
        found = _quality(view)
    elif by == "freshness":
        found = _freshness(view, moment)
    elif by == "cost":
        found, scale, note = _cost(view)
    elif by == "policy":
        found = _policy(lx, view, asked)
    else:
        found, note = _changes(lx, view, since, asked)
    marks = tuple(found) if nodes is None else tuple(one for one in found if one.id in nodes)
    unknown = sum(one.step is None for one in marks)
    return Overlay(by, marks, scale, by == "cost", unknown, note, view.as_of, view.known_at)


def _visible(view: View, kinds: tuple[int, ...] = (0,)) -> list[int]:
    found = [i for i in np.flatnonzero(np.isin(view.snapshot.kind, kinds)).tolist() if not view.hidden(i)]
    view.prepare(found)
    return found


def _quality(view: View) -> list[Mark]:
    from lineage.quality.answers import points

    nodes = _visible(view)
    marks = []
    for i, told in zip(nodes, annotators.annotate(view, nodes), strict=True):
        score = told["quality"]
        if score is None:
            marks.append(Mark(view.label(i), "unknown", None, "too few checks are known"))
            continue
        risk = told["upstream_risk"]
        why = f"{told['grade']}, {100 * told['coverage']:.0f} % of its checks known"
        why += f", upstream risk {risk:.0f}" if risk is not None else ""
        step = next((step for limit, step in _POINTS if score >= limit), 0)
        marks.append(Mark(view.label(i), points(score, 0), step, why))
    return marks


def _freshness(view: View, now: datetime) -> list[Mark]:
    from lineage.quality.evidence import evidence, seconds

    found = evidence(view)
    marks = []
    for i in _visible(view):
        last, limit = float(found.last[i]), float(found.limit[i])
        if np.isnan(last):
            marks.append(Mark(view.label(i), "unknown", None, "no completed run was seen to write it"))
            continue
        age = max(seconds(now) - last, 0.0)
        if np.isnan(limit):
            marks.append(Mark(view.label(i), _span(age), None, "no limit is promised, and too few writes to learn one"))
            continue
        ratio = age / limit if limit else float("inf")
        step = 0 if ratio > 2 else 1 if ratio > 1 else 3 if ratio > 0.8 else 4
        basis = "promised" if found.promised[i] else "usual"
        marks.append(Mark(view.label(i), _span(age), step, f"last write {_span(age)} ago, {basis}: {_span(limit)}"))
    return marks


def _span(length: float) -> str:
    """A length of time in one unit.

    >>> _span(300.0), _span(7200.0), _span(900000.0)
    ('5 min', '2 h', '10 d')
    """
    if length < 3600:
        return f"{length / 60:.0f} min"
    return f"{length / 3600:.0f} h" if length < 48 * 3600 else f"{length / 86_400:.0f} d"


def _cost(view: View) -> tuple[list[Mark], tuple[tuple[str, int], ...], str]:
    """Own cost; steps are powers of ten below the dearest."""
    nodes = _visible(view)
    told = annotators.annotate(view, nodes)
    amounts = {i: Decimal(one["cost_own"]) for i, one in zip(nodes, told, strict=True) if one["cost_own"] is not None}
    currency = next((one["cost_currency"] for one in told if one["cost_currency"]), "")
    period = next((one["cost_period"] for one in told if one["cost_period"]), "")
    top = max(amounts.values(), default=Decimal(0))
    limits = [(top * share, step) for share, step in ((Decimal("0.5"), 4), (Decimal("0.2"), 3), (Decimal("0.05"), 2),
                                                    (Decimal("0.01"), 1))]  # fmt: skip
    marks = []
    for i, one in zip(nodes, told, strict=True):
        amount = amounts.get(i)
        if amount is None:
            marks.append(Mark(view.label(i), "unknown", None, "no cost was placed here"))
            continue
        step = next((step for limit, step in limits if amount >= limit and top), 0)
        full = f", full {one['cost_full']}" if one["cost_full"] is not None else ""
        marks.append(Mark(view.label(i), _amount(amount), step, f"own {amount} {currency} in {period}{full}"))
    words = tuple((f"{_amount(limit)} and more", step) for limit, step in reversed(limits)) if amounts else ()
    scale = ((f"below {_amount(limits[-1][0])}", 0), *words) if amounts else ()
    return marks, scale, f"own cost in {currency}, {period}" if amounts else "no bill was imported"


def _amount(amount: Decimal) -> str:
    """An amount to about three digits.

    >>> _amount(Decimal("253.4")), _amount(Decimal("4.25")), _amount(Decimal("12345"))
    ('253', '4.25', '12.3k')
    """
    if amount >= 10_000:
        return f"{amount / 1000:.1f}k"
    return f"{amount:.0f}" if amount >= 100 else f"{amount:.3g}" if amount else "0"


def _policy(lx: Lineage, view: View, asked: Mapping[str, Any]) -> list[Mark]:
    from lineage.policies.model import SEVERITIES

    check = lx.policies.check(**asked)
    titles = {one.policy: one.title for one in check.policies}
    violations: dict[str, Counter[str]] = defaultdict(Counter)
    worst: dict[str, int] = {}
    for finding in check.findings:
        if finding.outcome == "violation":
            home = _home(finding.subject)
            violations[home][finding.policy] += 1
            worst[home] = max(worst.get(home, 0), SEVERITIES.index(finding.severity))
    personal: dict[str, set[str]] = defaultdict(set)
    with contextlib.suppress(UnknownTagError):  # nobody ever told one
        for row in lx.tags(tag="pii", **asked).found:
            personal[_home(row.id)].add(row.tag)
    marks = []
    absent = absent_columns(view)
    for i in _visible(view, (0, 1)):
        label = view.label(i)
        broken, tags = violations.get(label), personal.get(label)
        said = [titles.get(policy, policy) for policy in broken or ()] + sorted(tags or ())
        if broken:
            text = f"{'PII · ' if tags else ''}{len(broken)} broken"
            marks.append(Mark(label, text, 0 if worst[label] >= SEVERITIES.index("high") else 1, "; ".join(said)))
        elif tags:
            marks.append(Mark(label, "PII", 2, "; ".join(said)))
        elif view.kind(i) == "dataset" and absent.issuperset(view.snapshot.columns_of(i).tolist()):
            marks.append(Mark(label, "unknown", None, "its columns are not known"))
        else:
            marks.append(Mark(label, "clear", 4, "no personal data is known, no violation"))
    return marks


def _changes(lx: Lineage, view: View, since: When, asked: Mapping[str, Any]) -> tuple[list[Mark], str]:
    start = since if since is not None else view.as_of - SINCE
    known = asked["known_at"]
    answer = lx.diff(start, asked["as_of"], known_from=known, known_to=known, actor=asked["actor"])
    told: dict[str, list[Difference]] = defaultdict(list)
    for one in answer.changes:
        for end in {_home(one.id), *([_home(one.other)] if one.other else [])}:
            told[end].append(one)
    visible = {view.label(i) for i in _visible(view, (0, 1))}
    marks = []
    for label, changes in sorted(told.items()):
        if label not in visible:
            continue
        new = any(one.what == "node" and one.change == "added" and one.id == label for one in changes)
        counts = Counter(f"{one.what.replace('_', ' ')} {one.change}" for one in changes)
        why = ", ".join(f"{n} × {what}" if n > 1 else what for what, n in sorted(counts.items()))
        many = f"{len(changes)} change{'s' if len(changes) != 1 else ''}"
        marks.append(Mark(label, "new" if new else many, 4 if new else 1, why))
    return marks, "; ".join([f"since {answer.from_time:%Y-%m-%d %H:%M} UTC", *answer.notes])


def _home(text: str) -> str:
    """The dataset of a column's text; any other text as it is.

    >>> _home("column:pg://db:5432:shop.orders:id")
    'dataset:pg://db:5432:shop.orders'
    """
    if not text.startswith("column:"):
        return text
    return f"dataset:{text.removeprefix('column:').rpartition(':')[0]}"
