"""Fill the views that policies see from one instant of the mesh; :mod:`lineage.policies.schema` says what they hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.contracts.binding import Bound, bindings
from lineage.contracts.facts import Facts, load_facts
from lineage.graph.arrays import CERTAINTY_NAMES, CLASS_SHIFT, COLUMN, DATASET, JOB, KIND_NAMES, U32, VERTEX_MASK
from lineage.graph.column_flow import column_flow
from lineage.policies import declared_views as declared
from lineage.policies.declared_views import classification_of
from lineage.policies.schema import VIEWS, table
from lineage.products import membership, products_of
from lineage.ranking import figures_of
from lineage.tags import column_tags

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.policies.model import Policy
    from lineage.view import View

_WORD = re.compile(r"\w+")
_DESCRIBED = """
-- entities that are described at T as known at K
SELECT DISTINCT entity FROM facet WHERE key = 'documentation' AND body <> 0
  AND valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known
"""
_TESTS = """
-- last result of every test until T as known at K
SELECT dataset, coalesce(field, ''), name, arg_max(status, tested_at), arg_max(severity, tested_at), max(tested_at)
FROM assertion WHERE dataset IS NOT NULL AND tested_at <= $at AND known_from <= $known AND known_to > $known
GROUP BY ALL
"""
_WRITTEN = """
-- end of the last completed run that wrote each dataset until T as known at K
SELECT o.dataset, max(coalesce(r.ended_at, r.first_event)) FROM run_io o JOIN run r ON r.run = o.run
WHERE o.direction = 'out' AND r.state = 'COMPLETE' AND coalesce(r.ended_at, r.first_event) <= $at
  AND o.known_from <= $known AND o.known_to > $known AND r.known_from <= $known AND r.known_to > $known
GROUP BY o.dataset
"""


@dataclass(frozen=True)
class Thought:
    """What of an instant is other than it was observed, because somebody asks what would be if.

    ``gone`` are dense indices of nodes, ``schema`` observed columns and types of datasets in place of those that were
    observed, ``older`` by how much longer ago the last write of datasets is.
    """

    gone: frozenset[int] = frozenset()
    schema: Mapping[int, dict[str, str | None]] = field(default_factory=dict)
    older: Mapping[int, timedelta] = field(default_factory=dict)


@dataclass(frozen=True)
class Flow:
    """Dataset-to-dataset edges in dense indices."""

    src: Sequence[int]
    dst: Sequence[int]
    certainty: Sequence[int]


def fill(view: View, only: Collection[str] | None = None, thought: Thought | None = None) -> dict[str, pa.Table]:
    """Every view as an Arrow table, by its name; with ``only`` those alone are filled, the others are empty.

    ``thought`` belongs to the instant of the view: the same must be given whenever its views are filled.

    The views hold everything, whoever asks: what of a result may be shown is decided when it is shown. Those that
    follow from the instant alone are filled once for it; grants end while nothing else changes.
    """
    kept: dict[str, pa.Table] = view.instant.remember("policy views", dict)
    mesh: Mesh | None = None
    found: dict[str, pa.Table] = {}
    for name, way in _WAYS.items():
        if only is not None and name not in only:
            found[name] = table(name, {})
            continue
        if name not in kept:
            mesh = mesh or Mesh(view, thought)
            filled = way(mesh)
            if name in _OF_NOW:
                found[name] = filled
                continue
            kept[name] = filled
        found[name] = kept[name]
    found["question"] = table("question", {"as_of": [view.as_of], "known_at": [view.known_at]})
    return found


def named(policies: Iterable[Policy]) -> frozenset[str]:
    """Views that the SQL of some policies may read: every one whose name is a word of it."""
    words = {word for one in policies for word in _WORD.findall(f"{one.scope_sql} {one.violation_sql}".lower())}
    return frozenset(words & VIEWS.keys())


class Mesh:
    """One instant while its views are filled."""

    def __init__(self, view: View, thought: Thought | None = None) -> None:
        self.view, self.snapshot, self.instant = view, view.snapshot, view.instant
        self.thought = thought = thought or Thought()
        self.gone = np.array(sorted(thought.gone), dtype=np.uint32)
        self.when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at}
        kinds = self.snapshot.kind
        self.nodes = np.setdiff1d(np.flatnonzero((kinds == DATASET) | (kinds == JOB)), self.gone).tolist()
        self.texts = dict(zip(self.nodes, self.snapshot.texts(self.nodes), strict=True))
        self.domains = {i: self.instant.domain(i) for i in self.nodes}
        self.products = membership(self.instant)
        self.bound: dict[int, tuple[Bound, ...]] = bindings(self.instant).by_node
        self.facts: Facts = load_facts(view, sorted(self.bound))
        self.facts.columns.update({i: columns for i, columns in thought.schema.items() if i in self.bound})
        self.flow = self._flow()
        self.tests = self._tests()

    def _flow(self) -> Flow:
        """Edges of the dataset level, self-loops left out; what is told only between jobs is not among them."""
        level = self.snapshot.level("dataset")
        unit = level.down.unit
        packed = unit.indices[: unit.edges]
        src = level.public[np.repeat(np.arange(len(unit.indptr) - 1) + unit.first, np.diff(unit.indptr))]
        dst, certainty = (
            level.public[packed & np.uint32(VERTEX_MASK)],
            (packed >> np.uint32(CLASS_SHIFT)) % np.uint32(3),
        )
        kinds = self.snapshot.kind
        keep = (kinds[src] == DATASET) & (kinds[dst] == DATASET) & (src != dst)
        order = np.lexsort((dst[keep], src[keep]))
        return Flow(*(part[keep][order].tolist() for part in (src, dst, certainty)))

    def _tests(self) -> list[tuple[int, str, str, str, str | None, Any]]:
        found, gone, snapshot = [], self.thought.gone, self.snapshot
        fields = {(snapshot.dataset_of(c), snapshot.field(c).lower()) for c in gone if snapshot.kind[c] == COLUMN}
        for dataset, column, name, status, severity, at in self.view.store.rows(_TESTS, self.when):
            i = snapshot.index(dataset)
            if i is not None and i not in gone and (i, column.lower()) not in fields:
                found.append((i, column, name, status, severity, at))
        return sorted(found, key=lambda row: row[:3])

    def _dense(self, sql: str) -> dict[int, Any]:
        """First column as dense index → second column (or True)."""
        found: dict[int, Any] = {}
        for row in self.view.store.rows(sql, self.when):
            i = self.snapshot.index(row[0])
            if i is not None:
                value = row[1] if len(row) > 1 else True
                found[i] = max(found[i], value) if i in found else value
        return found

    def asset(self) -> pa.Table:
        """One row per dataset and job."""
        described, written = self._dense(_DESCRIBED), self._dense(_WRITTEN)
        written.update({i: written[i] - more for i, more in self.thought.older.items() if i in written})
        figures = figures_of(self.instant)
        reach = dict(zip(figures.node.tolist(), figures.downstream.tolist(), strict=True))
        alone = dict(zip(figures.node.tolist(), figures.dependents.tolist(), strict=True))
        others: dict[int, set[str]] = {}
        for src, dst in zip(self.flow.src, self.flow.dst, strict=True):
            if self.domains[dst] != self.domains[src]:
                others.setdefault(src, set()).add(self.domains[dst])
        tests = Counter(row[0] for row in self.tests)
        ports = self._ports()
        contract = {i: _first_active(bound) for i, bound in self.bound.items()}
        kinds = self.snapshot.kind
        nodes = self.nodes
        return table(
            "asset",
            {
                "id": [self.texts[i] for i in nodes],
                "kind": [KIND_NAMES[kinds[i]] for i in nodes],
                "namespace": [self.snapshot.namespace(i) for i in nodes],
                "name": [self.snapshot.name(i) for i in nodes],
                "domain": [self.domains[i] for i in nodes],
                "owner": [self.instant.owner(i) for i in nodes],
                "described": [i in described or bool(i in contract and contract[i].thing.description) for i in nodes],
                "product": [self.products.get(i) for i in nodes],
                "port": [i in ports for i in nodes],
                "contract": [contract[i].contract.id if i in contract else None for i in nodes],
                "contract_status": [contract[i].contract.status if i in contract else None for i in nodes],
                "classification": [classification_of(contract[i]) if i in contract else None for i in nodes],
                "readers": self._arrows(self.snapshot.readers_of),
                "writers": self._arrows(self.snapshot.writers_of),
                "other_domains": [len(others.get(i, ())) if kinds[i] == DATASET else None for i in nodes],
                "reach": [reach.get(i) for i in nodes],
                "depends_alone": [alone.get(i) for i in nodes],
                "tests": [tests[i] if kinds[i] == DATASET else None for i in nodes],
                "last_written": [written.get(i) for i in nodes],
            },
        )

    def _arrows(self, ask: Callable[[U32], tuple[Any, Any, Any]]) -> list[int | None]:
        """Number of jobs that read (write) each dataset; ``None`` for a job."""
        nodes = np.asarray(self.nodes, dtype=np.uint32)
        is_dataset = self.snapshot.kind[nodes] == DATASET
        place, _, _ = ask(nodes[is_dataset])
        counts = iter(np.bincount(place, minlength=int(is_dataset.sum())).tolist())
        return [next(counts) if one else None for one in is_dataset.tolist()]

    def _ports(self) -> set[int]:
        """Datasets bound to a contract that an output port of some product names."""
        named = {port.contract for product in products_of(self.instant).values() for port in product.outputs}
        return {i for i, bound in self.bound.items() if any(one.contract.id in named for one in bound)}

    def asset_column(self) -> pa.Table:
        """One row per column that was observed or promised."""
        columns = np.setdiff1d(np.flatnonzero(self.snapshot.kind == COLUMN), self.gone).tolist()
        homes = [self.snapshot.dataset_of(c) for c in columns]
        fields = self.snapshot.fields(np.asarray(columns, dtype=np.uint32)).to_pylist()
        texts = self.snapshot.texts(columns)
        promised = {
            (i, column.path.lower()): column
            for i, bound in self.bound.items()
            for one in bound
            for column in one.thing.columns
        }
        tests = Counter((row[0], row[1].lower()) for row in self.tests if row[1])
        keys = [(home, str(field).lower()) for home, field in zip(homes, fields, strict=True)]
        seen = set(keys)
        extra = [key for key in promised if key not in seen]
        everything = keys + extra
        observed = [True] * len(keys) + [False] * len(extra)
        ids = texts + [
            f"{self.texts[i].replace('dataset:', 'column:', 1)}:{promised[i, name].path}" for i, name in extra
        ]
        return table(
            "asset_column",
            {
                "id": ids,
                "dataset": [self.texts[i] for i, _ in everything],
                "name": [*fields, *(promised[key].path for key in extra)],
                "domain": [self.domains[i] for i, _ in everything],
                "classification": [promised[k].classification or None if k in promised else None for k in everything],
                "critical": [promised[k].critical if k in promised else None for k in everything],
                "promised": [k in promised for k in everything],
                "observed": observed,
                "tests": [tests[k] for k in everything],
            },
        )

    def column_tag(self) -> pa.Table:
        """One row per column and tag."""
        found = column_tags(self.instant)
        if len(self.gone):  # what is gone may still carry a tag by itself
            found = found.filter(~np.isin(self.snapshot.indices(found["column"].to_numpy()), self.gone))
        column = self.snapshot.indices(found["column"].to_numpy()).tolist()
        dataset = self.snapshot.indices(found["dataset"].to_numpy()).tolist()
        origin = self.snapshot.indices(found["origin"].to_numpy()).tolist()
        home = self.homes(np.asarray(origin, dtype=np.uint32))
        told = found["previous"].is_valid().to_numpy(zero_copy_only=False)
        before = np.flatnonzero(told)
        previous: Any = np.full(len(column), None, dtype=object)
        previous[before] = self.snapshot.texts(self.snapshot.indices(found["previous"].drop_null().to_numpy()).tolist())
        return table(
            "column_tag",
            {
                "id": self.snapshot.texts(column),
                "dataset": [self.texts[i] for i in dataset],
                "name": found["field"].to_pylist(),
                "domain": [self.domains[i] for i in dataset],
                "tag": found["tag"].to_pylist(),
                "hops": found["hops"].to_pylist(),
                "origin": self.snapshot.texts(origin),
                "origin_domain": [self.domains[i] for i in home],
                "previous": previous,
            },
        )

    def edge(self) -> pa.Table:
        """One row per flow between two datasets."""
        src, dst = self.flow.src, self.flow.dst
        return table(
            "edge",
            {
                "src": [self.texts[i] for i in src],
                "dst": [self.texts[i] for i in dst],
                "src_domain": [self.domains[i] for i in src],
                "dst_domain": [self.domains[i] for i in dst],
                "src_product": [self.products.get(i) for i in src],
                "dst_product": [self.products.get(i) for i in dst],
                "crosses": [self.domains[a] != self.domains[b] for a, b in zip(src, dst, strict=True)],
                "certainty": [CERTAINTY_NAMES[grade] for grade in self.flow.certainty],
            },
        )

    def column_edge(self) -> pa.Table:
        """One row per flow between two columns."""
        flow = self.instant.remember("column flow", lambda: column_flow(self.snapshot))
        ends, place = np.unique(np.concatenate([flow.src, flow.dst]), return_inverse=True)
        src, dst = place[: len(flow.src)], place[len(flow.src) :]
        text: Any = np.array(self.snapshot.texts(ends), dtype=object)
        home: Any = np.array([self.texts[i] for i in self.homes(ends)], dtype=object)
        return table(
            "column_edge",
            {
                "src": text[src],
                "dst": text[dst],
                "src_dataset": home[src],
                "dst_dataset": home[dst],
                "type": np.where(flow.direct | flow.masked, "direct", "indirect").tolist(),
                "masking": flow.masked.tolist(),
            },
        )

    def homes(self, nodes: U32) -> list[int]:
        """Dataset of each column, and each dataset itself."""
        found: list[int] = nodes.tolist()
        at = np.flatnonzero(self.snapshot.kind[nodes] == COLUMN)
        for k, dataset in zip(at.tolist(), self.snapshot._nodes.datasets_of(nodes[at]).tolist(), strict=True):
            found[k] = dataset
        return found


_WAYS: dict[str, Callable[[Mesh], pa.Table]] = {
    "asset": Mesh.asset,
    "asset_column": Mesh.asset_column,
    "column_tag": Mesh.column_tag,
    "edge": Mesh.edge,
    "column_edge": Mesh.column_edge,
    "contract": declared.contract,
    "product": declared.product,
    "access": declared.access,
    "domain": declared.domain,
    "test": declared.test,
}
_OF_NOW = frozenset({"access"})  # what it holds follows from the clock too


def _first_active(bound: Sequence[Bound]) -> Bound:
    """The contract that counts when a dataset has several: an active one, then the newest."""
    order = {"active": 0, "deprecated": 1, "draft": 2, "proposed": 3, "retired": 4}
    return min(bound, key=lambda one: (order.get(one.contract.status, 9), -one.contract.major, one.contract.id))
