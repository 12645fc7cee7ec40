"""Column lineage in the shape of Marquez's ``GET /api/v1/column-lineage``."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from lineage.columns import column_facts
from lineage.errors import UsageError

if TYPE_CHECKING:
    from lineage.view import View

_EDGES = """
-- column edges at some columns or datasets, on one side
SELECT src, dst, type, subtype, description FROM column_edge
WHERE {side} IN (SELECT unnest($ids::UBIGINT[]))
  AND valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known
ORDER BY src, dst, type, subtype
"""
_Row = tuple[int, int, str | None, str | None, str | None]


def column_lineage(view: View, i: int, depth: int, downstream: bool) -> dict[str, Any]:
    """Columns that those of a node come from, and with ``downstream`` those that come from them.

    Parameters
    ----------
    i
        a dataset, a column, or a job (its outputs).
    depth
        greatest number of steps, in each direction for itself: a walk down never turns up again.
    """
    view.require(i)
    if depth < 0:
        raise UsageError(f"depth: {depth} is negative.")
    start = _columns(view, i)
    edges: dict[tuple[int, int], list[_Row]] = {}
    for side, other in (("dst", 0), ("src", 1))[: 2 if downstream else 1]:
        seen, frontier = set(start), list(start)
        for _ in range(depth):
            rows = _at(view, frontier, side)
            for row in rows:
                edges.setdefault((row[0], row[1]), []).append(row)
            frontier = sorted({row[0] if other == 0 else row[1] for row in rows} - seen)
            seen.update(frontier)
            if not frontier:
                break
    return {"graph": _graph(view, edges)}


def column_lineage_of(view: View, datasets: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """What Marquez shows beside a dataset: for each of its columns the columns it comes from."""
    owner = {int(c): d for d in datasets if not view.hidden(d) for c in view.snapshot.columns_of(d).tolist()}
    found: dict[int, dict[int, list[_Row]]] = {}
    for row in _at(view, list(owner), "dst") if owner else []:
        found.setdefault(owner[row[1]], {}).setdefault(row[1], []).append(row)
    return {
        d: [
            {"name": view.snapshot.field(c), **_how(rows), "inputFields": [_input(view, row) for row in _once(rows)]}
            for c, rows in columns.items()
        ]
        for d, columns in found.items()
    }


def _columns(view: View, i: int) -> list[int]:
    if view.kind(i) == "column":
        return [i]
    datasets = view.snapshot.outputs(i).tolist() if view.kind(i) == "job" else [i]
    return [int(c) for d in datasets if not view.hidden(d) for c in view.snapshot.columns_of(d).tolist()]


def _at(view: View, columns: Iterable[int], side: str) -> list[_Row]:
    """Edges between visible columns, by dense indices."""
    snapshot = view.snapshot
    ids = [int(member) for c in columns for member in (snapshot.members(c) or [snapshot.ids[c]])]
    asked = {"ids": ids, "at": snapshot.as_of, "known": snapshot.known_at}
    found = []
    for src, dst, *rest in view.store.rows(_EDGES.format(side=side), asked) if ids else []:
        ends = snapshot.index(src), snapshot.index(dst)
        if ends[0] is None or ends[1] is None or view.kind(ends[0]) != "column" or view.kind(ends[1]) != "column":
            continue  # an edge to a whole dataset has no place in this shape
        if not view.hidden(ends[0]) and not view.hidden(ends[1]):
            found.append((ends[0], ends[1], rest[0], rest[1], rest[2]))
    return found


def _graph(view: View, edges: dict[tuple[int, int], list[_Row]]) -> list[dict[str, Any]]:
    nodes = {i for pair in edges for i in pair}
    facts = column_facts(view, {view.snapshot.dataset_of(i) for i in nodes})
    into: dict[int, list[_Row]] = {i: [] for i in nodes}
    out: dict[int, list[int]] = {i: [] for i in nodes}
    for (src, dst), rows in edges.items():
        into[dst] += rows[:1]
        out[src].append(dst)
    graph = []
    for i in nodes:
        told = facts.get(view.snapshot.dataset_of(i), {}).get(view.snapshot.field(i))
        me = _id(view, i)
        data = {
            **_place(view, i), "datasetVersion": None, "fieldType": told.type if told else None, **_how(into[i]),
            "inputFields": [_input(view, row) for row in _once(into[i])],
        }  # fmt: skip
        graph.append(
            {
                "id": me,
                "type": "DATASET_FIELD",
                "data": data,
                "inEdges": [{"origin": me, "destination": o} for o in sorted({_id(view, r[0]) for r in into[i]})],
                "outEdges": [{"origin": me, "destination": o} for o in sorted(_id(view, o) for o in out[i])],
            }
        )
    return sorted(graph, key=lambda node: str(node["id"]))


def _once(rows: list[_Row]) -> list[_Row]:
    return list({row[0]: row for row in rows}.values())


def _how(rows: list[_Row]) -> dict[str, Any]:
    first = rows[0] if rows else None
    return {
        "transformationDescription": first[4] if first else None,
        "transformationType": (first[3] or first[2]) if first else None,
    }


def _input(view: View, row: _Row) -> dict[str, Any]:
    return {**_place(view, row[0]), "datasetVersion": None, **_how([row])}


def _place(view: View, i: int) -> dict[str, str]:
    dataset = view.snapshot.dataset_of(i)
    names = {"namespace": view.snapshot.namespace(dataset), "dataset": view.snapshot.name(dataset)}
    return {**names, "field": view.snapshot.field(i)}


def _id(view: View, i: int) -> str:
    place = _place(view, i)
    return f"datasetField:{place['namespace']}:{place['dataset']}:{place['field']}"
