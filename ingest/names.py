"""What events name: nodes with their ids, and what was made of bytes that were seen before.

Both last for a writer. New nodes and facet bodies are collected for the store; the memo holds only derived values and
may be dropped at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingest.model import Body, ColumnEdge, ColumnLineage, ColumnUse, ColumnUses, DatasetPart, ExplicitLineage
from lineage.identity import NodeKey, run_key

_CAP = 250_000  # entries in one half of the memo; a body that changes its bytes with every run never hits
_RUNS = 50_000  # runs are kept apart: each is named by a few events, soon after each other, and then no more


class Names:
    """Gives ids; collects the nodes and facet bodies that are met for the first time.

    Attributes
    ----------
    nodes
        new nodes since the last :meth:`drain`, by id.
    bodies
        new facet bodies since the last :meth:`drain`, JSON text by id.
    """

    def __init__(self, *, exact: bool = False) -> None:
        self._exact = exact  # run ids as they are spelled
        self.nodes: dict[int, NodeKey] = {}
        self.bodies: dict[int, str] = {}
        self._memo: dict[tuple[Any, ...], Any] = {}
        self._older: dict[tuple[Any, ...], Any] = {}  # the memo before: what is still in use moves over from there
        self._runs: dict[tuple[str, str, str], int] = {}  # keys of runs
        self._told: dict[tuple[Any, ...], tuple[Any, ...]] = {}  # what facets say of a run, by their digest

    def forget(self) -> None:
        """Drop the memo: after a failed write, what it remembers as told may not be in the store."""
        self._memo, self._older, self._runs, self._told = {}, {}, {}, {}
        self.nodes.clear()
        self.bodies.clear()

    def drain(self) -> tuple[dict[int, NodeKey], dict[int, str]]:
        """New nodes and bodies since the last call."""
        nodes, bodies = self.nodes, self.bodies
        self.nodes, self.bodies = {}, {}
        if len(self._memo) > _CAP:
            self._memo, self._older = {}, self._memo
        if len(self._runs) > _RUNS:
            self._runs = {}
        if len(self._told) > _RUNS:
            self._told = {}
        return nodes, bodies

    def _recall(self, memo_key: tuple[Any, ...]) -> Any:
        """What the memo held before its last turn; callers ask it after they missed in the young half."""
        found = self._older.pop(memo_key, None)
        if found is not None:
            self._memo[memo_key] = found
        return found

    def node(self, key: NodeKey) -> int:
        """Id of a node, which is told to the store when it is new."""
        found: int | None = self._memo.get(key) or self._recall(key)
        if found is None:
            found = self._memo[key] = key.id
            self.nodes[found] = key
        return found

    def job(self, namespace: str, name: str) -> int:
        """Id of a job, as :meth:`node` gives it."""
        memo_key = ("job", namespace, name, "")  # equal to its NodeKey, and made in half the time
        found: int | None = self._memo.get(memo_key)
        return found if found is not None else self.node(NodeKey("job", namespace, name))

    def run(self, run_id: str, namespace: str, name: str) -> int:
        """Key of a run."""
        memo_key = (run_id, namespace, name)
        found = self._runs.get(memo_key)
        if found is None:
            found = self._runs[memo_key] = run_key(run_id, namespace, name, exact=self._exact)
        return found

    def _name_job(self, namespace: str, name: str) -> None:
        if name:
            self.node(NodeKey("job", namespace, name))

    def _once(self, memo_key: tuple[Any, ...], make: Callable[..., Any], *arguments: Any) -> Any:
        found = self._memo.get(memo_key) or self._recall(memo_key)
        if found is None:
            found = self._memo[memo_key] = make(*arguments)
        return found

    def _resolve_uses(self, key: NodeKey, told: ColumnUses, columns: Body | None) -> ColumnLineage:
        inputs: dict[int, None] = {}
        edges = []
        for use in told.of(columns.parsed if columns else None):
            inputs[self.node(NodeKey("dataset", use.namespace, use.name))] = None
            edges.append(self.column_edge(key, use, "column"))
        return ColumnLineage(tuple(dict.fromkeys(edges)), tuple(inputs))

    def column_edge(self, target: NodeKey, use: ColumnUse, provenance: str) -> ColumnEdge:
        """Column edge into ``target`` (a dataset), between node ids."""
        source = self.column(use.namespace, use.name, use.field)
        origin = self.node(NodeKey("dataset", use.namespace, use.name))
        dataset = destination = self.node(target)
        if use.target:
            destination = self.column(target.namespace, target.name, use.target)
        rest = (use.type, use.subtype, use.masking, use.description, provenance, origin, dataset)
        return ColumnEdge(source, destination, *rest)

    def _name_parts(self, key: NodeKey, bodies: tuple[tuple[str, Body], ...]) -> None:
        """Tell the nodes that a dataset's facets name: its columns, its other identifiers."""
        for _, body in bodies:
            if body.parsed is None:
                continue
            if body.key == "schema":
                self._once(("schema", key.id, body.id), self._name_columns, key, body.parsed)
            elif body.key == "symlinks":
                for link in body.parsed:
                    self.node(NodeKey("dataset", link.namespace, link.name))
            elif body.key == "lifecycleStateChange" and body.parsed.previous is not None:
                self.node(NodeKey("dataset", *body.parsed.previous))

    def _name_columns(self, key: NodeKey, paths: tuple[str, ...]) -> bool:
        for path in paths:
            self.column(key.namespace, key.name, path)
        return True

    def column(self, namespace: str, name: str, path: str) -> int:
        """Id of a column, which is told to the store when it is new."""
        memo_key = ("column", namespace, name, path)  # equal to its NodeKey, and made in half the time
        found: int | None = self._memo.get(memo_key) or self._recall(memo_key)
        if found is None:
            key = NodeKey("column", namespace, name, path)
            found = self._memo[memo_key] = key.id
            self.nodes[found] = key
        return found

    def measures(
        self, part: DatasetPart, names: tuple[tuple[str, str], ...]
    ) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Nodes and metrics of the numbers of a dataset, which are named by (column or '', metric)."""
        memo_key = ("measures", part.id, names)
        found: tuple[tuple[int, ...], tuple[str, ...]] | None = self._memo.get(memo_key) or self._recall(memo_key)
        if found is None:
            nodes = [self.column(part.namespace, part.name, column) if column else part.id for column, _ in names]
            found = self._memo[memo_key] = (tuple(nodes), tuple([metric for _, metric in names]))
        return found

    def _name_explicit(self, lineage: ExplicitLineage) -> None:
        for edge in lineage.edges:
            for kind, namespace, name in (edge[:3], edge[3:]):
                if name:
                    self.node(NodeKey(kind, namespace, name))  # type: ignore[arg-type]
        for kind, namespace, name in lineage.targets:
            if name:
                self.node(NodeKey(kind, namespace, name))  # type: ignore[arg-type]
        for column in lineage.columns:
            target = NodeKey("dataset", column.target_namespace, column.target_name)
            self.node(NodeKey("dataset", column.use.namespace, column.use.name))
            self.column_edge(target, column.use, "explicit")
