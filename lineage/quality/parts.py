"""The checks of datasets, columns and jobs as arrays, one function for each sort of check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.arrow import coded, numbers
from lineage.quality.freshness import F64, I64, timeliness_of
from lineage.quality.jobs import JobRuns
from lineage.quality.score import DIMENSIONS, dimension, severity_weight
from lineage.quality.volume import Volumes

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.contracts.conformance import Promise
    from lineage.view import View

STALE = 48 * 3_600.0  # seconds after which a result is unknown, unless twice the test's own gap is longer
TEST, FRESHNESS, VOLUME, PROMISE, KEY, RUN, DURATION = range(7)
SORTS = ("test", "freshness", "volume", "contract", "key", "run", "duration")
_TIMELINESS, _VOLUME, _UNIQUE, _CONFORMITY, _COMPLETENESS = (
    DIMENSIONS.index(k) for k in ("timeliness", "coverage", "uniqueness", "conformity", "completeness")
)

Part = tuple[I64, I64, I64, I64, F64, F64, Any]  # node, sort, ref, dimension, weight, result, blocking of each check


def of_tests(view: View, table: pa.Table, now: float) -> Part:
    """Tests count for their dataset and, once more, for their column."""
    (name, names), (severity, severities) = (coded(table.column(key)) for key in ("name", "severity"))
    kind = np.array([dimension(text or "") for text in names], dtype=np.int64)[name]
    weights = [3.0 if word is None else severity_weight(word) for word in severities]
    weight = np.array(weights, dtype=np.float64)[severity]
    tested, gap = (numbers(table.column(name)) for name in ("tested", "gap"))
    result = numbers(table.column("result")).astype(np.float64)
    result = np.where(now - tested <= np.maximum(STALE, 2 * gap), result, np.nan)
    dataset = view.snapshot.indices(numbers(table.column("dataset")))
    column = view.snapshot.indices(numbers(table.column("col"), 0))
    critical = _critical(view, table, dataset)
    weight = np.where(critical, 2 * weight, weight)
    ref = np.arange(len(dataset))
    blocking = critical & (weight >= 6)
    of, at = np.r_[dataset, column], np.r_[ref, ref]
    keep = of >= 0
    of, at = of[keep], at[keep]
    return of, np.full(len(of), TEST), at, kind[at], weight[at], result[at], blocking[at]


def _critical(view: View, table: pa.Table, dataset: I64) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether a test is about an element that an enforced contract calls critical."""
    from lineage.contracts.binding import bindings
    from lineage.contracts.conformance import ENFORCED

    found = np.zeros(len(dataset), dtype=bool)
    fields = table.column("field")
    for one in bindings(view.instant).bound:
        names = {c.path.lower() for c in one.thing.columns if c.critical}
        if names and one.contract.status in ENFORCED:
            for k in np.flatnonzero(dataset == one.node).tolist():
                found[k] = found[k] or (fields[k].as_py() or "").lower() in names
    return found


def promised_of(
    view: View,
    now: datetime,
    limit: F64,
    promised: Any,
    only: I64 | None,
    judged: Mapping[int, Sequence[Promise]] | None,
) -> list[tuple[int, Promise]]:
    """Promises of enforced contracts with their dataset; limits of freshness are put in place of the learned ones."""
    from lineage.contracts.binding import bindings
    from lineage.contracts.conformance import ENFORCED, freshness_slas, promises_of
    from lineage.contracts.facts import load_facts

    bound = [one for one in bindings(view.instant).bound if one.contract.status in ENFORCED]
    if only is not None:
        wanted = set(only.tolist())
        bound = [one for one in bound if one.node in wanted]
    facts = load_facts(view, sorted({one.node for one in bound})) if judged is None else None
    found = [(node, promise) for node, several in (judged or {}).items() for promise in several]
    for one in bound:
        for sla in freshness_slas(one):
            if sla.seconds is not None:
                limit[one.node] = min(limit[one.node], sla.seconds) if promised[one.node] else sla.seconds
                promised[one.node] = True
        if facts is not None:
            found += [(one.node, promise) for promise in promises_of(view, one, facts, now)]
    return found


def of_freshness(datasets: I64, last: F64, limit: F64, promised: Any, now: float) -> Part:
    """Whether the last write of each dataset is as young as promised or usual."""
    result = timeliness_of(now - last[datasets], limit[datasets])
    bound = promised[datasets]
    weight = np.where(bound, 3.0, 1.0)
    kind = np.full(len(datasets), _TIMELINESS)
    return datasets, np.full(len(datasets), FRESHNESS), datasets, kind, weight, result, bound.copy()


def of_volume(datasets: I64, volumes: Volumes) -> Part:
    """Whether the last write of each dataset had as many rows as expected."""
    count = len(datasets)
    result = volumes.result[datasets]
    sort, kind = np.full(count, VOLUME), np.full(count, _VOLUME)
    return datasets, sort, datasets, kind, np.ones(count), result, np.zeros(count, bool)


def of_promises(promises: list[tuple[int, Promise]]) -> Part:
    """Promises that no test, and not the freshness, stands for already; all column promises of a contract are one."""
    rows: list[tuple[int, int, int, float, float, bool]] = []
    schema: dict[tuple[int, str], int] = {}
    for ref, (node, promise) in enumerate(promises):
        result = {"kept": 1.0, "broken": 0.0}.get(promise.verdict, np.nan)
        head, _, rest = promise.promise.partition(" ")
        if head == "column":
            at = schema.setdefault((node, promise.contract), len(rows))
            if at == len(rows):
                rows.append((node, ref, _CONFORMITY, 3.0, result, True))
            elif result == 0.0 or (np.isnan(result) and rows[at][4] == 1.0):
                rows[at] = (node, ref, _CONFORMITY, 3.0, 0.0 if rows[at][4] == 0.0 else result, True)
        elif head in ("classification", "access") or (
            head == "sla" and rest.lower() not in ("frequency", "availability")
        ):
            continue  # rules of governance and dates of a life; freshness is a check of its own
        elif head == "sla":
            rows.append((node, ref, _TIMELINESS, 3.0, result, True))
        elif not promise.evidence.startswith("test "):
            rows.append((node, ref, dimension(f"{promise.promise} {promise.expected}"), 3.0, result, True))
    columns = list(zip(*rows, strict=True)) or [()] * 6
    nodes, refs, kind = (np.array(columns[k], dtype=np.int64) for k in range(3))
    weight, told = (np.array(columns[k], dtype=np.float64) for k in (3, 4))
    return nodes, np.full(len(nodes), PROMISE), refs, kind, weight, told, np.array(columns[5], dtype=bool)


def of_keys(datasets: I64, parts: list[Part], n: int) -> Part:
    """A check of the key is expected of every dataset; it is unknown where no test of uniqueness was ever seen."""
    have = np.zeros(n, dtype=bool)
    for part in parts:
        have[part[0][part[3] == _UNIQUE]] = True
    node = datasets[~have[datasets]]
    count = len(node)
    kind = np.full(count, _UNIQUE)
    return node, np.full(count, KEY), node, kind, np.full(count, 3.0), np.full(count, np.nan), np.zeros(count, bool)


def of_jobs(jobs: I64, runs: JobRuns) -> list[Part]:
    """Whether the last run completed, and whether it took as long as expected."""
    count, no = len(jobs), np.zeros(len(jobs), dtype=bool)
    rows = ((RUN, _COMPLETENESS, 3.0, runs.done), (DURATION, _TIMELINESS, 1.0, runs.usual))
    return [
        (jobs, np.full(count, sort), jobs, np.full(count, kind), np.full(count, weight), told[jobs], no)
        for sort, kind, weight, told in rows
    ]
