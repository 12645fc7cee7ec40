"""The mesh as it would be after a change of nodes, so that policies can be asked about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from lineage.contracts.binding import Bindings, Bound, Unbound, bindings, candidates
from lineage.contracts.facts import load_facts
from lineage.contracts.model import Contract
from lineage.contracts.newly import LASTING
from lineage.graph.arrays import COLUMN, DATASET
from lineage.policies.views import Thought
from lineage.products import membership, products_of
from lineage.renaming import new_name
from lineage.tags import tagging
from lineage.view import Instant, View

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.change_effects import Change
    from lineage.graph import Snapshot

_SAME = ("facets", "facets_of", "domains", "names", "grouped", "owners_by_hand")  # of an instant, whatever edges it has


@dataclass(frozen=True, slots=True)
class Moved:
    """One node with another name: texts before and after, and the new namespace, name and field.

    Of a column ``home`` is the text of its dataset before, and ``was`` its own name.
    """

    node: int
    old: str
    new: str
    namespace: str
    name: str
    field: str = ""
    home: str = ""
    was: str = ""


@dataclass(frozen=True)
class World:
    """A view of the mesh as it would be; :func:`lineage.policies.views.fill` wants both."""

    view: View
    thought: Thought
    renamed: tuple[Moved, ...]


def removed(changes: Sequence[Change]) -> set[int]:
    """Nodes that some changes take away."""
    return {change.node for change in changes if change.action in ("drop", "retire")}


def thought_away(view: View, changes: Sequence[Change], products: Sequence[str], snapshot: Snapshot) -> World:
    """The world after some changes together; ``snapshot`` is that of the view without what they take away.

    What goes: dropped and retired nodes with their edges. What is retyped or renamed has another observed schema. What
    is late, and what is made of it, was written so much longer ago. A renamed dataset may belong to another domain, and
    contracts that name the old one bind nothing. What contracts say of the data (tags) stays true of it.
    """
    gone, held = removed(changes), view.instant
    gone |= {c for i in gone if view.snapshot.kind[i] == DATASET for c in view.snapshot.columns_of(i).tolist()}
    moved = tuple(one for change in changes if change.action == "rename" for one in _moved(view, change))
    instant = Instant(held.store, snapshot, held.version, held.fingerprint, now=held.clock)
    instant.dated = held.dated
    instant.__dict__.update({name: getattr(held, name) for name in _SAME})
    instant._domain = dict(held._domain)
    instant._remembered.update({name: held._remembered[name] for name in LASTING if name in held._remembered})
    instant._remembered["contract bindings"] = bindings(held)
    instant._remembered["tags False"] = tagging(instant)
    for one in moved:
        if view.snapshot.kind[one.node] != COLUMN:
            keys = [(one.namespace, one.name), *held.keys(one.node)[1:]]
            facets = held.facets_of.get(one.node, ())
            instant._domain[one.node] = held.domains.of(held.kind(one.node), keys, facets)
            for column in view.snapshot.columns_of(one.node).tolist():
                instant._domain.pop(column, None)
    _declare(instant, held, gone, moved, products)
    now = instant if view._now is held else view._now
    thought = Thought(frozenset(gone), _schema(view, changes, gone), _older(view, changes))
    return World(View(instant, now, view.actor, view.as_of, view.known_at), thought, moved)


def respelled(tables: dict[str, pa.Table], moved: Sequence[Moved]) -> dict[str, pa.Table]:
    """The views with new names in place of old ones, wherever a node stands."""
    if not moved:
        return tables
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = {one.old: one.new for one in moved}
    olds = pa.array(list(texts))
    found = {}
    for name, table in tables.items():
        table = _names(name, table, moved)
        for at, column in enumerate(table.column_names):
            values = table[column]
            if pa.types.is_string(values.type) and pc.any(pc.is_in(values, olds)).as_py():
                again = [texts.get(one, one) for one in values.to_pylist()]
                table = table.set_column(at, column, pa.array(again, pa.string()))
        found[name] = table
    return found


# -- inside


def _moved(view: View, change: Change) -> Iterable[Moved]:
    """A renamed node and, of a dataset, its columns."""
    snapshot, i, to = view.snapshot, change.node, (change.to or "").strip()
    namespace, name, old = snapshot.namespace(i), snapshot.name(i), snapshot.text(i)
    if snapshot.kind[i] == COLUMN:
        home = snapshot.text(snapshot.dataset_of(i))
        yield Moved(i, old, f"column:{namespace}:{name}:{to}", namespace, name, to, home, snapshot.field(i))
        return
    kind, to = view.kind(i), new_name(snapshot, i, to)
    yield Moved(i, old, f"{kind}:{namespace}:{to}", namespace, to)
    for column in snapshot.columns_of(i).tolist():
        field = snapshot.field(column)
        text = snapshot.text(column)
        yield Moved(column, text, f"column:{namespace}:{to}:{field}", namespace, to, field, old, field)


def _names(view: str, table: pa.Table, moved: Sequence[Moved]) -> pa.Table:
    """A view with the parts of new names in their own columns."""
    import pyarrow as pa

    parts: Mapping[str, tuple[str, ...]] = {
        "asset": ("namespace", "name"), "asset_column": ("name",), "column_tag": ("name",),
    }  # fmt: skip
    by_text = {one.old: one for one in moved}
    if view == "test":
        fields = {(one.home, one.was.lower()): one.field for one in moved if one.field}
        pairs = zip(table["dataset"].to_pylist(), table["field"].to_pylist(), strict=True)
        again = [fields.get((d, f.lower()), f) if f else f for d, f in pairs]
        return table.set_column(table.schema.get_field_index("field"), "field", pa.array(again, pa.string()))
    for column in parts.get(view, ()):
        key = "field" if view != "asset" else column
        pairs = zip(table["id"].to_pylist(), table[column].to_pylist(), strict=True)
        again = [getattr(by_text[i], key) if i in by_text else value for i, value in pairs]
        table = table.set_column(table.schema.get_field_index(column), column, pa.array(again, pa.string()))
    return table


def _declare(instant: Instant, held: Instant, gone: set[int], moved: Sequence[Moved], products: Sequence[str]) -> None:
    """Contracts and products as they would be."""
    found = products_of(held)
    ports = {
        (port.contract, int(head) if (head := port.version.removeprefix("v").split(".")[0]).isdigit() else 0)
        for name in products if name in found for port in found[name].outputs
    }  # fmt: skip
    instant._remembered["products"] = {
        name: replace(one, status="retired") if name in products else one for name, one in found.items()
    }
    instant._remembered["contract bindings"] = _bindings(held, gone, moved, ports)
    bound = instant._remembered["contract bindings"].by_node
    lost = gone | {one.node for one in moved if one.node not in bound}
    members = {node: name for node, name in membership(held).items() if node not in lost}
    instant._remembered["product members"] = members


def _bindings(held: Instant, gone: set[int], moved: Sequence[Moved], retired: set[tuple[str, int]]) -> Bindings:
    """What contracts bind then: nothing of what is gone, and a renamed dataset only when they name it so already."""
    now = bindings(held)
    names = {one.node: (one.namespace, one.name) for one in moved if held.snapshot.kind[one.node] == DATASET}
    fresh = {(namespace.lower(), name.lower()): node for node, (namespace, name) in names.items()}

    def of(contract: Contract) -> Contract:
        return replace(contract, status="retired") if (contract.id, contract.major) in retired else contract

    def meant(contract: Contract, name: str) -> int | None:
        thing = next((one for one in contract.things if one.name == name), None)
        texts = candidates(contract, thing) if thing is not None else []
        return next((fresh[key] for a, b in texts if (key := (a.lower(), b.lower())) in fresh), None)

    bound, unbound = [], []
    for one in now.bound:
        if one.node in gone or (one.node in names and _by_name(held, one)):
            unbound.append(Unbound(of(one.contract), one.thing.name, "what it names would be gone"))
        else:
            bound.append(one if of(one.contract) is one.contract else replace(one, contract=of(one.contract)))
    for other in now.unbound:
        node = meant(other.contract, other.thing)
        thing = next((t for t in other.contract.things if t.name == other.thing), None)
        if node is not None and thing is not None:
            bound.append(Bound(of(other.contract), thing, node))
        else:
            unbound.append(replace(other, contract=of(other.contract)))
    by_node: dict[int, tuple[Bound, ...]] = {}
    for one in bound:
        by_node[one.node] = (*by_node.get(one.node, ()), one)
    return Bindings(tuple(of(one) for one in now.contracts), tuple(bound), tuple(unbound), by_node)


def _by_name(held: Instant, one: Bound) -> bool:
    """Whether a contract finds a dataset by the name that it has now, not by another of its names."""
    namespace, name = held.snapshot.namespace(one.node), held.snapshot.name(one.node)
    return (namespace.lower(), name.lower()) in {(a.lower(), b.lower()) for a, b in candidates(one.contract, one.thing)}


def _schema(view: View, changes: Sequence[Change], gone: set[int]) -> dict[int, dict[str, str | None]]:
    """Observed columns of datasets that a contract binds and of which a column goes or is another."""
    snapshot = view.snapshot
    columns = [change for change in changes if snapshot.kind[change.node] == COLUMN and change.action != "late"]
    homes = sorted({snapshot.dataset_of(change.node) for change in columns} & bindings(view.instant).by_node.keys())
    found = load_facts(view, homes).columns if homes else {}
    for change in columns:
        observed = found.get(snapshot.dataset_of(change.node))
        name = snapshot.field(change.node)
        key = next((one for one in observed or () if one.lower() == name.lower()), None)
        if observed is None or key is None:
            continue
        kind = observed.pop(key)
        if change.node not in gone:
            observed[change.to or key if change.action == "rename" else key] = (
                change.to if change.action == "retype" else kind
            )
    return found


def _older(view: View, changes: Sequence[Change]) -> dict[int, timedelta]:
    """By how much longer ago what is late, and all that is made of it, was written."""
    found: dict[int, timedelta] = {}
    for change in changes:
        if change.action != "late" or not change.hours:
            continue
        walk = view.snapshot.walk([change.node], "downstream", level="dataset")
        for i in {change.node, *walk.nodes.tolist()}:
            if view.snapshot.kind[i] == DATASET:
                found[i] = max(found.get(i, timedelta()), timedelta(hours=change.hours))
    return found
