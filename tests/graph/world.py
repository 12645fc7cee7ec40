"""A small world to put into a store by hand: nodes by short names, edges in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from lineage.graph import Snapshot, load
from lineage.identity import NodeKey
from lineage.store import Store
from lineage.times import OPEN_END

T0 = datetime(2024, 1, 1)  # noqa: DTZ001 - naive UTC like everything stored

_TIMES = ("valid_from", "valid_to", "known_from", "known_to")
_TYPES = {
    **dict.fromkeys(("id", "dataset", "src", "dst", "job", "a", "b"), pa.uint64()),
    **dict.fromkeys(_TIMES, pa.timestamp("us")),
    "masking": pa.bool_(),
}


class World:
    """``orders`` is a dataset, ``load()`` a job, ``orders.id`` a column; all in the namespace ``ns``."""

    _shared: Store | None = None

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or Store.open(":memory:")
        self._nodes: set[str] = set()
        self._rows: dict[str, list[dict[str, Any]]] = {"node": [], "edge": [], "column_edge": [], "alias": []}

    @classmethod
    def reused(cls) -> World:
        """An empty world in one store that many examples share: making a store takes longer than the rest."""
        cls._shared = cls._shared or Store.open(":memory:")
        with cls._shared.transaction() as cursor:
            for table in ("node", "edge", "column_edge", "alias"):
                cursor.execute(f"DELETE FROM {table}")
        return cls(cls._shared)

    @staticmethod
    def key(name: str) -> NodeKey:
        if name.endswith("()"):
            return NodeKey("job", "ns", name[:-2])
        dataset, dot, column = name.partition(".")
        return NodeKey("column", "ns", dataset, column) if dot else NodeKey("dataset", "ns", dataset)

    def node(self, name: str, known_from: datetime = T0) -> int:
        key = self.key(name)
        if name not in self._nodes:
            self._nodes.add(name)
            dataset = self.node(key.name, known_from) if key.kind == "column" else None
            self._rows["node"].append({**key._asdict(), "id": key.id, "dataset": dataset, "known_from": known_from})
        return key.id

    def nodes(self, *names: str) -> World:
        for name in names:
            self.node(name)
        return self

    def edge(
        self,
        src: str,
        dst: str,
        *,
        job: str | None = None,
        kind: str = "lineage",
        provenance: str = "explicit",
        state: str = "current",
        **times: datetime,
    ) -> World:
        ends = {"src": self.node(src), "dst": self.node(dst), "job": self.node(job) if job else 0}
        self._rows["edge"].append(
            {**ends, "kind": kind, "provenance": provenance, "state": state, **self._times(times)}
        )
        return self

    def run(self, job: str, inputs: Sequence[str], outputs: Sequence[str], provenance: str = "product") -> World:
        """The edges of a job that reads and writes."""
        for name in inputs:
            self.edge(name, job, job=job, kind="read", provenance="io")
        for name in outputs:
            self.edge(job, name, job=job, kind="write", provenance="io")
        for src in inputs:
            for dst in outputs:
                self.edge(src, dst, job=job, provenance=provenance)
        return self

    def column_edge(
        self,
        src: str,
        dst: str,
        *,
        job: str | None = None,
        type: str | None = "DIRECT",
        subtype: str | None = None,
        masking: bool = False,
        provenance: str = "column",
        state: str = "current",
        **times: datetime,
    ) -> World:
        ends = {"src": self.node(src), "dst": self.node(dst), "job": self.node(job) if job else 0}
        use = {"type": type, "subtype": subtype, "masking": masking}
        self._rows["column_edge"].append(
            {**ends, **use, "provenance": provenance, "state": state, **self._times(times)}
        )
        return self

    def alias(self, a: str, b: str, basis: str = "symlink", type: str | None = None, **times: datetime) -> World:
        ends = {"a": self.node(a), "b": self.node(b)}
        self._rows["alias"].append({**ends, "basis": basis, "type": type, **self._times(times)})
        return self

    def load(self, as_of: datetime | None = None, known_at: datetime | None = None, *, kernels: str = "numpy") -> Seen:
        with self.store.transaction() as cursor:
            for table, rows in self._rows.items():
                if rows:
                    Store.insert(cursor, table, _table(rows))
        self._rows = {table: [] for table in self._rows}
        return Seen(load(self.store, as_of, known_at, kernels=kernels))

    @staticmethod
    def _times(times: dict[str, datetime]) -> dict[str, datetime]:
        return dict(zip(_TIMES, (T0, OPEN_END, T0, OPEN_END), strict=True)) | times


class Seen:
    """A snapshot asked by short names."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def index(self, name: str) -> int:
        found = self.snapshot.index(World.key(name).id)
        assert found is not None, name
        return found

    def name(self, i: int) -> str:
        kind, _, rest = self.snapshot.text(i).partition(":")
        parts = rest.removeprefix("ns:").split(":")
        return parts[0] + "()" if kind == "job" else ".".join(parts)

    def walk(self, sources: str | Sequence[str], direction: str = "downstream", **options: Any) -> SeenWalk:
        names = [sources] if isinstance(sources, str) else sources
        if "blocked" in options:
            blocked = options["blocked"]
            options["blocked"] = self.mask(blocked)
        return SeenWalk(self, self.snapshot.walk([self.index(n) for n in names], direction, **options))

    def mask(self, names: Sequence[str]) -> Any:
        import numpy as np

        mask = np.zeros(self.snapshot.n, dtype=bool)
        mask[[self.index(n) for n in names]] = True
        return mask


class SeenWalk:
    """A walk by short names."""

    def __init__(self, seen: Seen, walk: Any) -> None:
        self.seen, self.raw = seen, walk

    @property
    def hops(self) -> dict[str, int]:
        return {self.seen.name(i): h for i, h in zip(self.raw.nodes.tolist(), self.raw.hops.tolist(), strict=True)}

    @property
    def certainty(self) -> dict[str, str]:
        names = ("certain", "probable", "stale")
        pairs = zip(self.raw.nodes.tolist(), self.raw.certainty.tolist(), strict=True)
        return {self.seen.name(i): names[c] for i, c in pairs}

    @property
    def indirect(self) -> set[str]:
        return {self.seen.name(i) for i in self.raw.nodes[self.raw.indirect].tolist()}

    @property
    def cut(self) -> set[str]:
        return {self.seen.name(i) for i in self.raw.cut.tolist()}

    def path(self, name: str) -> list[str]:
        return [self.seen.name(i) for i in self.raw.path(self.seen.index(name))]


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return pa.table({n: pa.array(v, type=_TYPES.get(n, pa.string())) for n, v in columns.items()})
