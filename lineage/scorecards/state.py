"""Metrics of what is: policies' results, contracts, owners, columns, lineage, use. One function a group of metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from lineage.policies.load import policies_of, waivers_of
from lineage.policies.recording import WHOLE
from lineage.products import membership
from lineage.scorecards.answers import Row
from lineage.scorecards.base import Base

Rows = dict[str, list[Row]]
_RESULTS = """
-- result that holds at T as known at K, of every policy and asset
SELECT policy, subject, result FROM evaluation
WHERE valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known AND subject <> $whole
ORDER BY policy, subject
"""
_LAST = """
-- last run of every policy until T as known at K
SELECT policy, max(evaluated_at) FROM policy_run WHERE evaluated_at <= $at AND evaluated_at <= $known GROUP BY policy
"""


def policies(base: Base) -> Rows:
    """Coverage and compliance: a row per policy and asset."""
    view = base.view
    held = {one.id: one for one in policies_of(view.store, view.as_of, view.known_at).policies}
    held = {name: one for name, one in held.items() if one.domain == "*" or view.actor.may_see(one.domain)}
    when = {"at": view.as_of, "known": view.known_at}
    last = {row[0]: row[1] for row in view.store.rows(_LAST, when)}
    ended = ended_waivers(base)
    found: Rows = {name: [] for name in ("policy-coverage", "compliance-strict", "compliance", "waiver-load",
                                         "overdue-waivers", "full-coverage")}  # fmt: skip
    covered: dict[str, bool] = {}
    for policy, subject, told in view.store.rows(_RESULTS, {**when, "whole": WHOLE}):
        if policy not in held or (row := base.about(subject)) is None:
            continue
        over = told == "waived" and (policy, subject) in ended
        result = "violation" if over else told
        ran = last.get(policy)
        fresh = ran is not None and ran + timedelta(hours=held[policy].ttl_hours) >= view.as_of
        good = fresh and result != "error"
        covered[subject] = covered.get(subject, True) and good
        pair = f"{policy} {subject}"
        _add(found, "policy-coverage", row, pair, good, "" if good else "in error" if fresh else "not run in time")
        _add(found, "compliance-strict", row, pair, result == "pass", result)
        _add(found, "compliance", row, pair, result in ("pass", "waived"), result)
        if result in ("violation", "waived"):
            _add(found, "waiver-load", row, pair, result == "waived", result)
        if result == "violation" and (policy, subject) in ended:
            _add(found, "overdue-waivers", row, pair, True, f"waiver {ended[policy, subject]} has ended")
    never = sorted(held.keys() - last.keys()) if last else []
    found["policy-coverage"] += [Row(name, _of(held[name].domain), counted=False, note="never run") for name in never]
    if covered:
        found["full-coverage"] = [
            base.row(one, covered.get(one["id"], False) and not never, note="" if one["id"] in covered else "no policy")
            for one in base.datasets
        ]
    return found


def contracts(base: Base) -> Rows:
    """Contracts on what crosses domains, and whether they are kept."""
    active = {one["id"] for one in base.datasets if one["contract_status"] == "active"}
    found: Rows = {"contract-coverage": [], "contract-edges": [], "conformance": []}
    for one in base.datasets:
        if one["other_domains"]:
            note = f"contract {one['contract']} ({one['contract_status']})" if one["contract"] else "no contract"
            found["contract-coverage"].append(base.row(one, one["id"] in active, note=note))
    mesh, nodes = base.mesh, {one["node"]: one for one in base.datasets}
    for src, dst in zip(mesh.flow.src.tolist(), mesh.flow.dst.tolist(), strict=True):
        if mesh.domains[src] != mesh.domains[dst] and src in nodes and dst in nodes:
            one = nodes[src]
            row = base.row(one, one["id"] in active)
            _add(found, "contract-edges", row, f"{one['id']} → {nodes[dst]['id']}", one["id"] in active, "")
    found["conformance"] = conformance(base)
    return found


def conformance(base: Base) -> list[Row]:
    """A row per dataset with a contract in force: whether every promise is kept; unknown as long as none is broken."""
    rows = []
    for label, (broken, unknown) in sorted(base.verdicts.items()):
        kept = None if unknown and not broken else not broken
        about = base.about(label, kept, note=f"{broken} broken, {unknown} unknown")
        rows += [about] if about else []
    return rows


def ownership(base: Base) -> Rows:
    """Datasets that somebody answers for."""
    return {"ownership": [base.row(one, bool(one["owner"]), note=one["owner"] or "") for one in base.datasets]}


def columns(base: Base) -> Rows:
    """Classification, and masking of personal columns on edges that leave their domain."""
    table = base.mesh.asset_column()
    found: Rows = {"classification": [], "masking": []}
    tagged = {column: tag for column, _, tag, _ in base.tags if is_personal(tag) or tag.startswith("classification:")}
    for name, dataset, told in zip(
        *(table[key].to_pylist() for key in ("id", "dataset", "classification")), strict=True
    ):
        if dataset in base.by_id:
            said = told or tagged.get(name, "")
            _add(found, "classification", base.row(base.by_id[dataset]), name, bool(said), said)
    personal = {column for column, _, tag, _ in base.tags if is_personal(tag)}
    if personal:
        found["masking"] = list(_crossing(base, personal))
    return found


def _crossing(base: Base, personal: set[str]) -> Iterable[Row]:
    """Personal columns that another domain reads, each with whether all of these edges mask it."""
    edges = base.mesh.column_edge()
    names = ("src", "src_dataset", "dst_dataset", "type", "masking")
    masked: dict[str, tuple[dict[str, Any], bool, str]] = {}
    for src, home, target, kind, masking in zip(*(edges[name].to_pylist() for name in names), strict=True):
        one, other = base.by_id.get(home), base.by_id.get(target)
        if src in personal and kind == "direct" and one and other and one["domain"] != other["domain"]:
            _, all_masked, note = masked.get(src, (one, True, ""))
            masked[src] = one, all_masked and masking, note or ("" if masking else f"in the clear to {target}")
    for src, (one, good, note) in sorted(masked.items()):
        row = base.row(one)
        yield Row(src, row.domain, row.product, row.tier, good, note=note)


def lineage(base: Base) -> Rows:
    """How much of the mesh runs told, and who reads what."""
    found: Rows = {
        "lineage-datasets": [base.row(one, one["node"] in base.recent) for one in base.datasets],
        "lineage-jobs": [base.row(one, one["node"] in base.ran) for one in base.assets if one["kind"] == "job"],
        "reads": [base.row(one, value=float(base.recent.get(one["node"], 0))) for one in base.datasets],
        "unread": [base.row(one, not base.recent.get(one["node"])) for one in base.datasets],
        "lineage-columns": [],
        "consumers": [],
    }
    edges = base.mesh.column_edge()
    known = set(zip(edges["src_dataset"].to_pylist(), edges["dst_dataset"].to_pylist(), strict=True))
    mesh, nodes = base.mesh, {one["node"]: one for one in base.datasets}
    members = membership(base.view.instant)
    readers: dict[str, set[str]] = {name: set() for name in base.products}
    for src, dst in zip(mesh.flow.src.tolist(), mesh.flow.dst.tolist(), strict=True):
        if src not in nodes or dst not in nodes:
            continue
        pair = nodes[src]["id"], nodes[dst]["id"]
        _add(found, "lineage-columns", base.row(nodes[src]), " → ".join(pair), pair in known, "")
        product, reader = members.get(src, ""), members.get(dst, "")
        outside = reader != product if reader else mesh.domains[dst] != mesh.domains[src]
        if product in readers and outside:
            readers[product].add(f"product {reader}" if reader else f"domain {mesh.domains[dst]}")
    found["consumers"] = [
        base.product_row(name, value=float(len(by)), note=", ".join(sorted(by))) for name, by in sorted(readers.items())
    ]
    return found


def is_personal(tag: str) -> bool:
    """Whether a tag says that a column holds personal data, as the shipped policies read it.

    >>> is_personal("pii:email"), is_personal("tier:critical")
    (True, False)
    """
    return tag == "pii" or tag.startswith("pii:")


# -- inside


def _add(found: Mapping[str, list[Row]], metric: str, like: Row, name: str, counted: bool, note: str) -> None:
    found[metric].append(Row(name, like.domain, like.product, like.tier, counted, None, note))


def _of(domain: str) -> str:
    return "" if domain == "*" else domain


def ended_waivers(base: Base) -> dict[tuple[str, str], str]:
    """Policy and asset → waiver, where every waiver has ended."""
    view = base.view
    last: dict[tuple[str, str], tuple[Any, str]] = {}
    for one in waivers_of(view.store, view.as_of, view.known_at):
        key = one.policy, one.subject
        last[key] = max(last.get(key, (one.expires, one.id)), (one.expires, one.id))
    return {key: name for key, (expires, name) in last.items() if expires <= view.as_of}
