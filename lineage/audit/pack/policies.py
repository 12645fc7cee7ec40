"""What policies said of the assets of an evidence pack at its instant, as it was known then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lineage.jsonable import to_json
from lineage.policies.ledger import violations
from lineage.policies.moment import moment
from lineage.products import membership
from lineage.times import iso

if TYPE_CHECKING:
    import duckdb

    from lineage.run_trail import RunTrail
    from lineage.view import View

_RESULTS = """
-- result of one policy on one of some assets that held at T, as known at K; no subject: the whole policy is in error
SELECT policy, version, subject, result, message, path, evidence, valid_from FROM evaluation
WHERE (subject = '' OR subject IN (SELECT unnest($subjects::VARCHAR[])))
  AND valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known
ORDER BY policy, subject
"""
_NEWEST = """
-- newest run of each policy until T and K
SELECT policy, version, evaluated_at, scope, passed, violations, waived, error
FROM policy_run JOIN (
  SELECT policy, max(evaluated_at) AS evaluated_at FROM policy_run
  WHERE evaluated_at <= $at AND evaluated_at <= $known GROUP BY policy
) USING (policy, evaluated_at)
ORDER BY policy
"""
_RESULT_KEYS = ("policy", "version", "subject", "result", "message", "path", "evidence", "since")
_RUN_KEYS = ("policy", "version", "evaluated_at", "scope", "passed", "violations", "waived", "error")


def policies_then(
    view: View, cursor: duckdb.DuckDBPyConnection, trail: RunTrail, datasets: Sequence[int]
) -> dict[str, Any]:
    """Recorded results on the datasets of a trail, their columns, jobs and products, and the violations of these.

    Returns
    -------
    dict
        ``results`` (one per policy and asset; an empty ``subject`` is a policy in error), ``violations`` (also fixed
        ones, with what people did), ``runs`` (the newest of each policy). A policy without a run was never asked.
    """
    subjects = _subjects(view, trail, datasets)
    when = {"at": moment(view), "known": view.known_at}  # what people do needs no new snapshot
    results = cursor.execute(_RESULTS, {**when, "subjects": sorted(subjects)}).fetchall()
    runs = cursor.execute(_NEWEST, when).fetchall()
    found = [one for one in violations(view, everything=True).violations if one.subject in subjects]
    return {
        "results": [dict(zip(_RESULT_KEYS, row, strict=True)) for row in results],
        "violations": [to_json(one) for one in found],
        "runs": [dict(zip(_RUN_KEYS, row, strict=True)) for row in runs],
    }


def report_rows(policies: Mapping[str, Any]) -> Iterable[tuple[object, ...]]:
    """Policy, asset, result, message and since when; what passed is one row for each policy."""
    passed: dict[str, list[Any]] = {}
    waived = {(one["policy"], one["subject"]): one["state"] for one in policies["violations"]}
    for one in policies["results"]:
        if one["result"] == "pass":
            passed.setdefault(one["policy"], []).append(one["since"])
            continue
        state = waived.get((one["policy"], one["subject"]))
        told = f"{one['result']} ({state})" if state else one["result"]
        yield one["policy"], one["subject"] or "the whole policy", told, one["message"], iso(one["since"])
    for policy, since in sorted(passed.items()):
        yield policy, f"{len(since):,} asset{'s' * (len(since) > 1)}", "pass", "all keep to it", iso(max(since))


def _subjects(view: View, trail: RunTrail, datasets: Sequence[int]) -> set[str]:
    """Node texts and product ids that policies may have spoken of."""
    snapshot, products = view.snapshot, membership(view.instant)
    columns = [column for i in datasets for column in snapshot.columns_of(i)]
    found = {trail.node, *(step.job for step in trail.steps)}
    found |= {view.label(i) for i in (*datasets, *columns)}
    return found | {products[i] for i in datasets if i in products}
