"""The views that hold what people declared: contracts, products, access, domains; and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.beginning import unknown_then
from lineage.contracts.binding import Bound, bindings
from lineage.contracts.conformance import schema_kept
from lineage.policies.moment import moment
from lineage.policies.schema import table
from lineage.products import products_of
from lineage.times import parse_event_time

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.policies.views import Mesh

GRANTS = """
-- grants as known at K, also those that ended
SELECT name, product, consumer_kind, consumer, purpose, approver, expires, valid_from <= $at AND valid_to > $at
  AND (expires IS NULL OR expires > $at)
FROM access_grant WHERE known_from <= $known AND known_to > $known ORDER BY name
"""
DOMAINS = """
-- domains at T as known at K
SELECT name, title, owner, parent, body FROM domain
WHERE valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known ORDER BY name
"""


def contract(mesh: Mesh) -> pa.Table:
    """One row per object of each contract."""
    rows: list[tuple[Any, ...]] = []
    found = bindings(mesh.instant)
    known: dict[int, tuple[Bound, tuple[Any, ...]]] = mesh.instant.remember("policy contracts", dict)
    for one in found.bound:
        held = known.get(id(one))
        if held is None or one.node in mesh.thought.schema:
            held = one, _contract_row(mesh, one.contract, one.thing.name, one)
            if one.node not in mesh.thought.schema:
                known[id(one)] = held
        rows.append(held[1])
    if unknown_then(mesh.view) is None:  # nobody can say that it binds nothing
        rows += [_contract_row(mesh, one.contract, one.thing, None) for one in found.unbound if one.later is None]
    names = (
        "id", "version", "major", "status", "domain", "product", "object", "dataset", "classification",
        "retention_seconds", "latency_seconds", "purposes", "end_of_support", "schema_kept",
    )  # fmt: skip
    return table("contract", dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {})


def _contract_row(mesh: Mesh, contract: Any, thing: str, one: Bound | None) -> tuple[Any, ...]:
    retention, latency = contract.sla("retention"), contract.sla("latency", "freshness")
    support = contract.sla("endOfSupport")
    parsed = parse_event_time(str(support.value)) if support is not None else None
    purposes = contract.custom.get("allowedPurposes")
    kept = schema_kept(one, mesh.columns.get(one.node)) if one is not None else None
    return (
        contract.id, contract.version, contract.major, contract.status, contract.domain or None,
        contract.product or None, thing, mesh.texts[one.node] if one else None,
        classification_of(one) if one else None, retention.seconds if retention else None,
        latency.seconds if latency else None,
        ",".join(map(str, purposes)) if isinstance(purposes, list) else purposes,
        parsed.at if parsed else None, kept,
    )  # fmt: skip


def product(mesh: Mesh) -> pa.Table:
    """One row per product."""
    products = list(products_of(mesh.instant).values())
    names = ("id", "version", "status", "domain", "owner")
    return table("product", {name: [getattr(p, name) or None for p in products] for name in names})


def access(mesh: Mesh) -> pa.Table:
    """One row per grant."""
    rows = mesh.view.store.rows(GRANTS, {"at": moment(mesh.view), "known": mesh.view.known_at})
    used: set[tuple[str, str, str]] = set()
    team = mesh.teams.to_pylist() if rows else []
    for src, dst in zip(mesh.flow.src.tolist(), mesh.flow.dst.tolist(), strict=True) if rows else ():
        product = mesh.products.get(src)
        if product is not None:
            used.add((product, "team", team[dst] or ""))
            used.add((product, "domain", mesh.domains[dst]))
            used.add((product, "product", mesh.products.get(dst, "")))
    names = ("id", "product", "consumer_kind", "consumer", "purpose", "approver", "expires", "holds")
    columns: dict[str, Any] = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
    if rows:
        columns["used"] = [(row[1], row[2], row[3]) in used for row in rows]
    return table("access", columns)


def domain(mesh: Mesh) -> pa.Table:
    """One row per domain."""
    from lineage.yamlfile import parse_declared

    rows = mesh.view.store.rows(DOMAINS, mesh.when)
    members = []
    for row in rows:
        file, _ = parse_declared(row[4], row[0])
        held = file.value.get("members") if file is not None and isinstance(file.value, dict) else None
        members.append(len(held) if isinstance(held, list) else None)
    return table(
        "domain",
        {
            "name": [row[0] for row in rows],
            "title": [row[1] for row in rows],
            "owner": [row[2] for row in rows],
            "parent": [row[3] for row in rows],
            "members": members,
        },
    )


def test(mesh: Mesh) -> pa.Table:
    """One row per test with its last result."""
    return table(
        "test",
        {
            "dataset": [mesh.texts[row[0]] for row in mesh.tests],
            "field": [row[1] or None for row in mesh.tests],
            "name": [row[2] for row in mesh.tests],
            "status": [row[3] for row in mesh.tests],
            "severity": [row[4] for row in mesh.tests],
            "tested_at": [row[5] for row in mesh.tests],
        },
    )


def classification_of(one: Bound) -> str | None:
    """The strictest classification that a contract gives to its columns."""
    from lineage.contracts.model import ORDER

    given = {column.classification.lower() for column in one.thing.columns if column.classification}
    return max(given, key=lambda word: (ORDER.get(word, -1), word)) if given else None
