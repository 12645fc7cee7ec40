"""Fill the views that policies see from one instant of the mesh; :mod:`lineage.policies.schema` says what they hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.arrow import numbers
from lineage.contracts.binding import Bound, bindings
from lineage.contracts.facts import observed_columns
from lineage.graph.arrays import CERTAINTY_NAMES, CLASS_SHIFT, COLUMN, DATASET, I64, JOB, KIND_NAMES, U32, VERTEX_MASK
from lineage.graph.column_flow import column_flow
from lineage.policies import declared_views as declared
from lineage.policies.declared_views import classification_of
from lineage.policies.schema import VIEWS, table
from lineage.policies.teams import teams_of
from lineage.presence import absent, there
from lineage.products import membership, products_of
from lineage.ranking import figures_of
from lineage.tags import column_tags
from lineage.view import prepare_domains

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.policies.model import Policy
    from lineage.view import View

_WORD = re.compile(r"\w+")
DESCRIBED = """
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

    src: U32
    dst: U32
    certainty: U32


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
        self.gone = np.array(sorted({*thought.gone, *self._later()}), dtype=np.uint32)
        self.when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at}
        kinds = self.snapshot.kind
        self.nodes = np.setdiff1d(np.flatnonzero((kinds == DATASET) | (kinds == JOB)), self.gone).tolist()
        prepare_domains(view.instant, self.nodes)
        self.domains = {i: view.instant._domain[i] for i in self.nodes}
        self.products = membership(self.instant)
        self.bound: dict[int, tuple[Bound, ...]] = bindings(self.instant).by_node

    def _later(self) -> Iterable[int]:
        """Datasets and jobs that were not there yet at the instant, and their columns."""
        later = sorted(absent(self.instant))
        columns = np.flatnonzero(self.snapshot.kind == COLUMN) if later else np.zeros(0, np.int64)
        return [*later, *columns[~there(self.instant, columns.astype(np.uint32))].tolist()]

    @cached_property
    def text(self) -> pa.Array:
        """Node text of every node."""
        return self.instant.remember("policy texts", lambda: self.snapshot.arrow_texts(np.arange(self.snapshot.n)))

    def text_of(self, nodes: Any) -> pa.Array:
        """Node text of each of some nodes."""
        return _taken(self.text, nodes)

    @cached_property
    def texts(self) -> dict[int, str]:
        """Node text of every dataset and job."""
        return dict(zip(self.nodes, self.text_of(self.nodes).to_pylist(), strict=True))

    def domain_of(self, nodes: Any) -> pa.Array:
        """Domain of each of some datasets and jobs."""
        return _taken(self._words[0], nodes)

    def product_of(self, nodes: Any) -> pa.Array:
        """Product of each of some datasets and jobs."""
        return _taken(self._words[1], nodes)

    @cached_property
    def _words(self) -> tuple[pa.Array, pa.Array]:
        """Domain and product of every dataset and job, by dense index."""
        import pyarrow as pa

        many = self.snapshot._nodes.first_column
        return (
            pa.array([self.domains.get(i) for i in range(many)], pa.string()),
            pa.array([self.products.get(i) for i in range(many)], pa.string()),
        )

    @cached_property
    def teams(self) -> pa.Array:
        """Who answers for every dataset and job, by dense index."""
        import pyarrow as pa

        found = teams_of(self.instant, self.nodes, self.domains, self.products)
        return pa.array([found.get(i) for i in range(self.snapshot._nodes.first_column)], pa.string())

    @cached_property
    def columns(self) -> Mapping[int, Mapping[str, str | None]]:
        """Observed columns and types of the datasets that contracts bind."""
        known: dict[int, dict[str, str | None]] = self.instant.remember("policy columns", dict)
        left = sorted(self.bound.keys() - known.keys())
        if left:
            known.update({**{i: {} for i in left}, **observed_columns(self.view, left)})
        return {**known, **self.thought.schema}

    @cached_property
    def flow(self) -> Flow:
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
        return Flow(*(part[keep][order] for part in (src, dst, certainty)))

    @cached_property
    def tests(self) -> list[tuple[int, str, str, str, str | None, Any]]:
        """Last result of every test: dense index of the dataset, column, name, status, severity, time."""
        found, gone, snapshot = [], self.thought.gone, self.snapshot
        fields = {(snapshot.dataset_of(c), snapshot.field(c).lower()) for c in gone if snapshot.kind[c] == COLUMN}
        rows = self.instant.remember("policy tests", lambda: self.view.store.rows(_TESTS, self.when))
        places = snapshot.indices(np.fromiter((row[0] for row in rows), np.uint64, len(rows))).tolist()
        for i, (_, column, name, status, severity, at) in zip(places, rows, strict=True):
            if i >= 0 and i not in gone and (not fields or (i, column.lower()) not in fields):
                found.append((i, column, name, status, severity, at))
        return sorted(found, key=lambda row: row[:3])

    def _dense(self, sql: str) -> dict[int, Any]:
        """First column as dense index → second column (or True)."""
        found: dict[int, Any] = {}
        rows = self.view.store.rows(sql, self.when)
        places = self.snapshot.indices(np.fromiter((row[0] for row in rows), np.uint64, len(rows))).tolist()
        for i, row in zip(places, rows, strict=True):
            if i >= 0:
                value = row[1] if len(row) > 1 else True
                found[i] = max(found[i], value) if i in found else value
        return found

    def asset(self) -> pa.Table:
        """One row per dataset and job."""
        import pyarrow as pa

        described, written = (
            self.instant.remember(f"policy {name}", partial(self._dense, sql))
            for name, sql in (("described", DESCRIBED), ("written", _WRITTEN))
        )
        written = dict(written)
        written.update({i: written[i] - more for i, more in self.thought.older.items() if i in written})
        contract = {i: first_active(bound) for i, bound in self.bound.items()}
        told = {i for i, one in contract.items() if one.thing.description} | described.keys()
        nodes = np.asarray(self.nodes, dtype=np.int64)
        is_dataset = self.snapshot.kind[nodes] == DATASET
        namespaces, names = self.snapshot.arrow_names(nodes)
        figures = figures_of(self.instant)
        counts = {
            "readers": self._arrows(self.snapshot.readers_of), "writers": self._arrows(self.snapshot.writers_of),
            "other_domains": self._other_domains(), "tests": self._counted([row[0] for row in self.tests]),
        }  # fmt: skip
        return table(
            "asset",
            {
                "id": self.text_of(nodes),
                "kind": _taken(pa.array(KIND_NAMES), self.snapshot.kind[nodes]),
                "namespace": namespaces,
                "name": names,
                "domain": self.domain_of(nodes),
                "owner": self.instant.owners(self.nodes),
                "described": self._among(told),
                "product": self.product_of(nodes),
                "port": self._among(self._ports()),
                "contract": self._of({i: one.contract.id for i, one in contract.items()}, pa.string()),
                "contract_status": self._of({i: one.contract.status for i, one in contract.items()}, pa.string()),
                "classification": self._of({i: classification_of(one) for i, one in contract.items()}, pa.string()),
                "reach": self._scattered(figures.node, figures.downstream),
                "depends_alone": self._scattered(figures.node, figures.dependents),
                **{name: pa.array(every[nodes], pa.int64(), mask=~is_dataset) for name, every in counts.items()},
                "last_written": self._of(written, pa.timestamp("us")),
            },
        )

    @property
    def _many(self) -> int:
        """Number of dense indices of datasets and jobs."""
        return self.snapshot._nodes.first_column

    def _of(self, values: Mapping[int, Any], kind: pa.DataType) -> pa.Array:
        """What a mapping says of each dataset and job; ``NULL`` where it says nothing."""
        import pyarrow as pa

        place = np.full(self._many, -1, dtype=np.int64)
        place[np.fromiter(values, np.int64, len(values))] = np.arange(len(values))
        at = place[self.nodes]
        return pa.array(list(values.values()), kind).take(pa.array(at, mask=at < 0))

    def _scattered(self, nodes: Any, values: Any) -> pa.Array:
        """The same of arrays of dense indices and whole numbers."""
        import pyarrow as pa

        every, known = np.zeros(self._many, dtype=np.int64), np.zeros(self._many, dtype=bool)
        every[nodes], known[nodes] = values, True
        return pa.array(every[self.nodes], pa.int64(), mask=~known[self.nodes])

    def _among(self, nodes: Collection[int]) -> pa.Array:
        """Whether each dataset and job is one of these."""
        import pyarrow as pa

        every = np.zeros(self._many, dtype=bool)
        every[np.fromiter(nodes, np.int64, len(nodes))] = True
        return pa.array(every[self.nodes])

    def _counted(self, nodes: Sequence[int]) -> I64:
        """How often each dense index occurs."""
        return np.bincount(np.asarray(nodes, dtype=np.int64), minlength=self._many)

    def _arrows(self, ask: Callable[[U32], tuple[Any, Any, Any]]) -> I64:
        """Number of jobs that read (write) each dataset, by dense index."""
        datasets = np.flatnonzero(self.snapshot.kind[: self._many] == DATASET).astype(np.uint32)
        place, _, _ = ask(datasets)
        return np.bincount(datasets[place], minlength=self._many)

    def _other_domains(self) -> I64:
        """Number of other domains into which each dataset flows, by dense index."""
        codes = numbers(self._words[0].dictionary_encode().indices.fill_null(0)).astype(np.int64)
        src, dst = self.flow.src, codes[self.flow.dst]
        away = codes[src] != dst
        pairs = np.unique(src[away].astype(np.int64) * (len(codes) + 1) + dst[away])
        return np.bincount(pairs // (len(codes) + 1), minlength=self._many)

    def _ports(self) -> set[int]:
        """Datasets bound to a contract that an output port of some product names."""
        named = {port.contract for product in products_of(self.instant).values() for port in product.outputs}
        return {i for i, bound in self.bound.items() if any(one.contract.id in named for one in bound)}

    @cached_property
    def seen_columns(self) -> I64:
        """Dense indices of the columns that were observed, with which :meth:`asset_column` begins."""
        found: I64 = np.setdiff1d(np.flatnonzero(self.snapshot.kind == COLUMN), self.gone)
        return found

    def asset_column(self) -> pa.Table:
        """One row per column that was observed or promised."""
        import pyarrow as pa
        import pyarrow.compute as pc

        columns = self.seen_columns
        homes = self.snapshot._nodes.datasets_of(columns.astype(np.uint32))
        fields = self.snapshot.fields(columns).cast(pa.string())
        promised = {
            (i, column.path.lower()): column
            for i, bound in self.bound.items()
            for one in bound
            for column in one.thing.columns
        }
        tests = Counter((row[0], row[1].lower()) for row in self.tests if row[1])
        # only of datasets with a contract or a test there is more to say
        told = np.flatnonzero(np.isin(homes, [*self.bound, *{i for i, _ in tests}]))
        lower = pc.utf8_lower(fields.take(told)).to_pylist()
        places = dict(zip(zip(homes[told].tolist(), lower, strict=True), told.tolist(), strict=True))
        extra = [key for key in promised if key not in places]
        places.update(zip(extra, range(len(columns), len(columns) + len(extra)), strict=True))
        many = len(columns) + len(extra)
        classification: list[str | None] = [None] * many
        critical: list[bool | None] = [None] * many
        held, counts = [False] * many, [0] * many
        for key, column in promised.items():
            at = places[key]
            classification[at], critical[at], held[at] = column.classification or None, column.critical, True
        for key, count in tests.items():
            if key in places:
                counts[places[key]] = count
        more = [f"{self.texts[i].replace('dataset:', 'column:', 1)}:{promised[i, name].path}" for i, name in extra]
        every = np.concatenate([homes, np.array([i for i, _ in extra], dtype=np.uint32)])
        return table(
            "asset_column",
            {
                "id": pa.concat_arrays([self.text_of(columns), pa.array(more, pa.string())]),
                "dataset": self.text_of(every),
                "name": pa.concat_arrays([fields, pa.array([promised[key].path for key in extra], pa.string())]),
                "domain": self.domain_of(every),
                "classification": classification,
                "critical": critical,
                "promised": held,
                "observed": [True] * len(columns) + [False] * len(extra),
                "tests": counts,
            },
        )

    def column_tag(self) -> pa.Table:
        """One row per column and tag."""
        import pyarrow as pa

        found = column_tags(self.instant)
        if len(self.gone):  # what is gone may still carry a tag by itself
            found = found.filter(~np.isin(self.snapshot.indices(numbers(found["column"])), self.gone))
        column, dataset, origin = (self.snapshot.indices(numbers(found[n])) for n in ("column", "dataset", "origin"))
        previous = self.snapshot.indices(numbers(found["previous"], 0))
        untold = numbers(found["previous"].is_null())
        return table(
            "column_tag",
            {
                "id": self.text_of(column),
                "dataset": self.text_of(dataset),
                "name": found["field"].combine_chunks(),
                "domain": self.domain_of(dataset),
                "tag": found["tag"].combine_chunks(),
                "hops": found["hops"].to_pylist(),
                "origin": self.text_of(origin),
                "origin_domain": self.domain_of(self.homes(origin.astype(np.uint32))),
                "previous": self.text.take(pa.array(previous, mask=untold)),
            },
        )

    def edge(self) -> pa.Table:
        """One row per flow between two datasets."""
        import pyarrow as pa
        import pyarrow.compute as pc

        src, dst = self.flow.src, self.flow.dst
        return table(
            "edge",
            {
                "src": self.text_of(src),
                "dst": self.text_of(dst),
                "src_domain": self.domain_of(src),
                "dst_domain": self.domain_of(dst),
                "src_product": self.product_of(src),
                "dst_product": self.product_of(dst),
                "dst_team": _taken(self.teams, dst),
                "crosses": pc.not_equal(self.domain_of(src), self.domain_of(dst)),
                "certainty": _taken(pa.array(CERTAINTY_NAMES), self.flow.certainty),
            },
        )

    def column_edge(self) -> pa.Table:
        """One row per flow between two columns."""
        flow = self.instant.remember("column flow", lambda: column_flow(self.snapshot))
        return table(
            "column_edge",
            {
                "src": self.text_of(flow.src),
                "dst": self.text_of(flow.dst),
                "src_dataset": self.text_of(self.homes(flow.src)),
                "dst_dataset": self.text_of(self.homes(flow.dst)),
                "type": np.where(flow.direct | flow.masked, "direct", "indirect").tolist(),
                "masking": flow.masked.tolist(),
            },
        )

    def homes(self, nodes: U32) -> U32:
        """Dataset of each column, and each dataset itself."""
        return self.snapshot._nodes.datasets_of(nodes)


def _taken(values: pa.Array, places: Any) -> pa.Array:
    import pyarrow as pa

    return values.take(pa.array(np.asarray(places, dtype=np.int64)))


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


def first_active(bound: Sequence[Bound]) -> Bound:
    """The contract that counts when a dataset has several: an active one, then the newest."""
    order = {"active": 0, "deprecated": 1, "draft": 2, "proposed": 3, "retired": 4}
    return min(bound, key=lambda one: (order.get(one.contract.status, 9), -one.contract.major, one.contract.id))
