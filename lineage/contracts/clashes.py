"""Policies that a change of a contract would newly violate: a formally harmless change that a policy forbids.

The same instant is asked twice, once with the old contract in force and once with the new one; what a policy says only
of the second is a clash. Only policies that read something of a view that differs are run.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from lineage.contracts.binding import Bindings, Bound, bind, bind_all, bindings
from lineage.contracts.model import Contract
from lineage.contracts.newly import LASTING, ROWS, Clash, State, newly, policies_for
from lineage.policies.declared_views import classification_of
from lineage.policies.schema import VIEWS
from lineage.products import membership
from lineage.view import View

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.view import Instant

_KEPT = ("column flow", "flow dataset", "figures dataset", "flow column", "products", *LASTING)


def clashes(view: View, old: Contract, new: Contract) -> tuple[tuple[Clash, ...], tuple[str, ...]]:
    """What policies would newly say, and which of them could not be evaluated.

    Parameters
    ----------
    view
        the instant, and the actor: what he may not see is not told.
    """
    from lineage.policies.evaluate import sandbox_for
    from lineage.policies.views import fill

    altered = altered_views(view, old, new)
    chosen, needed = policies_for(view, altered)
    if not chosen:
        return (), ()
    with sandbox_for(chosen) as sandbox:
        tables = fill(_world(view, old, old), needed)
        after = _world(view, old, new)  # now, so that it knows what was found for the first
        again = fill(after, needed & altered.keys())
        changed = _followed(tables, {**tables, **{name: again[name] for name in needed & altered.keys()}})
        return newly(view, chosen, tables, [State(after, changed)], sandbox)


# -- inside


def altered_views(view: View, old: Contract, new: Contract) -> dict[str, set[str]]:
    """Columns of each view that differ when one contract stands in the place of the other; ``*``: rows do."""
    found: dict[str, set[str]] = {"contract": _differ(_of_contract(old), _of_contract(new))}
    before, after = {t.name: t for t in old.things}, {t.name: t for t in new.things}
    homes = {name: bind(view.instant, new, thing)[0] for name, thing in after.items()}
    moved = {n for n, t in before.items() if n not in after or bind(view.instant, old, t)[0] != homes[n]}
    if moved or after.keys() - before.keys():
        every = ("contract", "asset", "asset_column", "column_tag")
        return {name: {*VIEWS[name], ROWS} for name in every}
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
        columns |= {"promised", *([ROWS] if (before.keys() ^ after.keys()) - known else [])}
    tags = {p: c.pii for p, c in before.items() if c.pii} != {p: c.pii for p, c in after.items() if c.pii}
    described = bool(old.thing.description) != bool(new.thing.description)
    return {
        "contract": {"classification"} if level else set(),
        "asset": {*(["classification"] if level else []), *(["contract_status"] if status else []),
                  *(["described"] if described else [])},
        "asset_column": columns,
        "column_tag": {ROWS} if tags or status else set(),
    }  # fmt: skip


def _differ(one: dict[str, object], other: dict[str, object]) -> set[str]:
    return {key for key in one if one[key] != other[key]}


def _differ_in(what: Callable[[Bound], object], one: Bound, other: Bound) -> bool:
    return what(one) != what(other)


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
