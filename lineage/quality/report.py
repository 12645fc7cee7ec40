"""Scores as answers: one node explained, all datasets, roll-ups by domain and product."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from lineage.beginning import unknown_then
from lineage.quality.answers import CheckRow, NodeQuality, QualityReport, QualityRow
from lineage.quality.evidence import Evidence, checks_among, evidence, seconds
from lineage.quality.freshness import F64, I64
from lineage.quality.parts import DURATION, FRESHNESS, KEY, PROMISE, RUN, SORTS, TEST, VOLUME
from lineage.quality.score import DIMENSIONS, grade, points_lost
from lineage.times import EPOCH

if TYPE_CHECKING:
    from lineage.contracts.conformance import Promise
    from lineage.view import View

_CRITICAL = ("critical", "tier1", "tier-1")


def number(value: float) -> float | None:
    """A number of an array; not-a-number is ``None``.

    >>> number(float("nan")), number(1.5)
    (None, 1.5)
    """
    return None if np.isnan(value) else float(value)


def explain(view: View, node: int, now: datetime | None = None) -> NodeQuality:
    """The score of a dataset, column or job, point by point."""
    from lineage import __version__

    view.require(node)
    found = evidence(view, now)
    checks = checks_of(found, view, node)
    shown = number(float(found.scores.shown[node]))
    gated = bool(found.scores.gated[node])
    origin = int(found.origin[node])
    return NodeQuality(
        node=view.label(node),
        kind=view.kind(node),
        domain=view.domain(node),
        quality=shown,
        score=number(float(found.scores.score[node])),
        coverage=number(float(found.scores.coverage[node])),
        known=int(found.scores.known[node]),
        expected=int(found.scores.expected[node]),
        grade=grade(shown, gated),
        gate=tuple(f"{c.name}: {c.observed}" for c in checks if c.blocking and c.result is not None and c.result < 1),
        upstream_risk=None if view.restricted else number(float(found.risk[node])),
        limited_by=view.label(origin) if origin >= 0 and not view.restricted else None,
        checks=tuple(sorted(checks, key=lambda c: (-c.lost, c.result is not None, c.dimension, c.name, c.column))),
        as_of=view.as_of,
        known_at=view.known_at,
        generated_by=f"meshline {__version__}",
        fingerprint=view.instant.fingerprint,
        notes=view.instant.horizon_notes,
    )


def checks_of(found: Evidence, view: View, node: int) -> list[CheckRow]:
    """The checks of one node, in words."""
    at = np.flatnonzero(found.checks.node == node)
    lost = points_lost(found.checks.kind[at], found.checks.weight[at], found.checks.result[at], _weights(found, node))
    rows = []
    for k, cost in zip(at.tolist(), lost.tolist(), strict=True):
        name, column, expected, observed, when = _words(found, view, k)
        rows.append(
            CheckRow(
                name, SORTS[found.checks.sort[k]], DIMENSIONS[found.checks.kind[k]], column,
                float(found.checks.weight[k]), number(float(found.checks.result[k])), cost, expected, observed, when,
                bool(found.checks.blocking[k]),
            )
        )  # fmt: skip
    return rows


def report(view: View, by: str = "dataset", now: datetime | None = None) -> QualityReport:
    """All datasets, columns or jobs, or roll-ups of datasets by ``domain`` or ``product``, the worst first.

    Hidden ones are left out.
    """
    from lineage import __version__

    found = evidence(view, now)
    kind = _KINDS.index(by) if by in _KINDS else 0
    datasets = view.nodes(kind).tolist()
    if by in _KINDS:
        view.prepare(datasets)
        rows = [_row(view, found, i) for i in datasets]
    else:
        rows = _groups(view, found, by, datasets)
    rows.sort(key=lambda r: (r.quality is None, r.quality if r.quality is not None else 0.0, r.id))
    head = f"meshline {__version__}"
    at, why = view.instant, unknown_then(view)
    notes = (*([why] if why else []), *at.horizon_notes)
    return QualityReport(by, tuple(rows), view.as_of, view.known_at, head, at.fingerprint, notes)


def coverage_of_products(
    view: View, names: Collection[str] | None = None, judged: Mapping[str, Sequence[Promise]] | None = None
) -> dict[str, float | None]:
    """Share of the checks of each product of which something is known, as :func:`report` tells it.

    Parameters
    ----------
    names
        products that are asked for; default: all.
    judged
        verdicts on all promises at this instant by dataset, where they are known already.
    """
    groups = {name: nodes for name, nodes in _products(view).items() if names is None or name in names}
    datasets = [node for nodes in groups.values() for node in nodes]
    said = None if judged is None else {node: judged.get(view.label(node), ()) for node in datasets}
    checks, n = checks_among(view, datasets, said), view.snapshot.n
    known = np.bincount(checks.node[~np.isnan(checks.result)], minlength=n)
    expected = np.bincount(checks.node, minlength=n)
    return {name: _share(known, expected, nodes) for name, nodes in groups.items()}


# -- inside

_KINDS = ("dataset", "job", "column")  # in the order of their codes in a snapshot


def _weights(found: Evidence, node: int) -> F64:
    row: F64 = found.weights if found.weights.ndim == 1 else found.weights[node]
    return row


def _row(view: View, found: Evidence, i: int) -> QualityRow:
    shown = number(float(found.scores.shown[i]))
    origin = int(found.origin[i])
    return QualityRow(
        id=view.label(i),
        kind=view.kind(i),
        domain=view.domain(i),
        quality=shown,
        grade=grade(shown, bool(found.scores.gated[i])),
        coverage=number(float(found.scores.coverage[i])),
        upstream_risk=None if view.restricted else number(float(found.risk[i])),
        limited_by=view.label(origin) if origin >= 0 and not view.restricted else None,
    )


def _groups(view: View, found: Evidence, by: str, datasets: Iterable[int]) -> list[QualityRow]:
    members: dict[str, list[int]] = _products(view) if by == "product" else {}
    if by != "product":
        for node in datasets:
            members.setdefault(view.domain(node), []).append(node)
    critical = _critical(view, [i for nodes in members.values() for i in nodes])
    return [_group(view, found, by, name, sorted(nodes), critical) for name, nodes in members.items()]


def _products(view: View) -> dict[str, list[int]]:
    """Datasets of each product that the actor may see as a whole."""
    from lineage.products import membership, products_of

    members: dict[str, list[int]] = {}
    for node, name in membership(view.instant).items():
        members.setdefault(name, []).append(node)
    known = products_of(view.instant)
    return {
        name: nodes
        for name, nodes in members.items()
        if view.actor.may_see(known[name].domain) and not any(view.hidden(node) for node in nodes)
    }


def _share(known: I64, expected: I64, nodes: Sequence[int]) -> float | None:
    total = int(expected[nodes].sum())
    return int(known[nodes].sum()) / total if total else None


def _group(view: View, found: Evidence, by: str, name: str, nodes: list[int], critical: set[int]) -> QualityRow:
    """Mean over the datasets, weighted 2 for critical ones; what is unknown goes to coverage, never to the score."""
    known = [i for i in nodes if not np.isnan(found.scores.shown[i])]
    weights = [2.0 if i in critical else 1.0 for i in known]
    values = [float(found.scores.shown[i]) for i in known]
    mean = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights) if known else None
    least = min(values, default=None)
    worst = min((i for i, value in zip(known, values, strict=True) if value == least), key=view.label, default=None)
    return QualityRow(
        id=name,
        kind=by,
        domain=view.domain(nodes[0]) if by == "product" else name,
        quality=mean,
        grade=grade(mean, any(bool(found.scores.gated[i]) for i in known)),
        coverage=_share(found.scores.known, found.scores.expected, nodes),
        datasets=len(nodes),
        unknown=len(nodes) - len(known),
        minimum=least,
        lowest=None if worst is None else view.label(worst),
    )


def _critical(view: View, nodes: Iterable[int]) -> set[int]:
    """Datasets with the tag ``critical`` (or ``tier1``), or with a critical element in an enforced contract."""
    from lineage.columns import entries
    from lineage.contracts.binding import bindings
    from lineage.contracts.conformance import ENFORCED

    found = set()
    bound = bindings(view.instant).by_node
    for i in nodes:
        tags = [tag for facets in view.instant.facets_of.get(i, ()) for tag in entries(facets.get("tags"), "tags")]
        told = {str(tag.get(key) or "").lower() for tag in tags if not tag.get("field") for key in ("key", "value")}
        elements = any(
            column.critical
            for one in bound.get(i, ())
            if one.contract.status in ENFORCED
            for column in one.thing.columns
        )
        if elements or told & set(_CRITICAL):
            found.add(i)
    return found


def _words(found: Evidence, view: View, k: int) -> tuple[str, str, str, str, datetime | None]:
    """Name, column, expected, observed and time of one check."""
    sort, ref = int(found.checks.sort[k]), int(found.checks.ref[k])
    if sort == TEST:
        row = {name: found.tests.column(name)[ref].as_py() for name in ("name", "field", "result", "tested")}
        status = {1.0: "pass", 0.0: "fail"}.get(row["result"], "skipped")
        stale = row["result"] is not None and np.isnan(found.checks.result[k])
        return row["name"], row["field"] or "", "pass", f"{status}, too old" if stale else status, _time(row["tested"])
    if sort == FRESHNESS:
        return ("freshness", "", *fresh_words(found, ref))
    if sort == VOLUME:
        return ("volume", "", *_volume_words(found, ref))
    if sort == KEY:
        return "key", "", "a test that its key is unique", "no such test was seen", None
    if sort in (RUN, DURATION):
        return _job_words(found, sort, ref)
    assert sort == PROMISE
    promise = found.promises[ref]
    name = f"columns of {promise.contract}" if promise.promise.startswith("column ") else promise.promise
    observed = promise.observed or promise.evidence
    if promise.promise.startswith("column ") and promise.verdict != "kept":
        observed = f"{promise.promise}: {observed}"
    return name, "", promise.expected, observed, None


def _job_words(found: Evidence, sort: int, job: int) -> tuple[str, str, str, str, datetime | None]:
    jobs = found.jobs
    at = None if np.isnan(jobs.ended[job]) else _time(float(jobs.ended[job]))
    if sort == RUN:
        state = "no run ended in 90 days" if at is None else "completed" if jobs.done[job] else "failed"
        return "last run", "", "completed", state, at
    length = float(jobs.duration[job])
    if np.isnan(length):
        return "duration", "", "", "no completed run told how long it took", at
    odd = jobs.odd.get(job)
    if odd is None:
        known = not np.isnan(jobs.usual[job])
        return "duration", "", "", f"{length:,.0f} s" + ("" if known else "; too few runs to learn from"), at
    band = f"{odd.expected:,.0f} s, {odd.low:,.0f} to {odd.high:,.0f} from {odd.points} runs"
    return "duration", "", band, f"{length:,.0f} s ({odd.verdict})", at


def fresh_words(found: Evidence, node: int) -> tuple[str, str, datetime | None]:
    """Limit, age and last write of a dataset, in words."""
    last, limit = float(found.last[node]), float(found.limit[node])
    if np.isnan(last):
        return "", "no completed run wrote it", None
    age = seconds(found.now) - last
    if np.isnan(limit):
        return "", f"written {_span(age)} ago; too few writes to learn from", _time(last)
    basis = "by contract" if found.promised[node] else f"learned from {int(found.gaps[node])} gaps"
    return f"at most {_span(limit)} ({basis})", f"written {_span(age)} ago", _time(last)


def _volume_words(found: Evidence, node: int) -> tuple[str, str, datetime | None]:
    last = float(found.volumes.last[node])
    if np.isnan(last):
        return "", "no run told how many rows it wrote", None
    odd = found.odd.get(node)
    if odd is None:
        known = not np.isnan(found.volumes.result[node])
        return "", f"{last:,.0f} rows" + ("" if known else "; too few points to learn from"), None
    band = f"{odd.expected:,.0f} rows, {odd.low:,.0f} to {odd.high:,.0f} from {odd.points} points"
    return band, f"{last:,.0f} rows ({odd.verdict})", None


def _span(value: float) -> str:
    return f"{value / 86_400:.1f} days" if value >= 172_800 else f"{value / 3_600:.1f} hours"


def _time(value: float | None) -> datetime | None:
    return None if value is None else EPOCH + timedelta(seconds=value)
