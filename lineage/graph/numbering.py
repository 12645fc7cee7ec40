"""From the identifiers of the store to the dense nodes of a snapshot: alias groups, order, members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.graph.arrays import COLUMN, I64, U8, U64, Bool
from lineage.graph.groups import Evidence, Groups, alias_groups
from lineage.graph.names import Names
from lineage.graph.nodes import Nodes

if TYPE_CHECKING:
    import pyarrow as pa


class IdMap:
    """Positions of ids; of ids that occur twice, the first position."""

    def __init__(self, ids: U64) -> None:
        self.order = np.argsort(ids, kind="stable")
        self.sorted = ids[self.order]

    def positions(self, wanted: U64) -> I64:
        """Position of each id, -1 where it is unknown."""
        if not len(self.sorted):
            return np.full(len(wanted), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.sorted, wanted), len(self.sorted) - 1)
        return np.where(self.sorted[at] == wanted, self.order[at], -1)


def numpy_column(table: pa.Table, name: str, dtype: Any) -> Any:
    """One column of an Arrow table as a numpy array; NULL becomes 0."""
    column = table.column(name)
    if column.null_count:
        import pyarrow.compute as pc

        column = pc.fill_null(column, 0)
    return column.to_numpy().astype(dtype, copy=False)


def number(entities: pa.Table, columns: pa.Table, aliases: pa.Table) -> tuple[Nodes, Bool]:
    """Nodes of a snapshot, and which bases are soft members of their group.

    Parameters
    ----------
    entities
        datasets and jobs: id, job (0 or 1), namespace, name.
    columns
        columns: id, dataset, field.
    aliases
        evidence: a, b, type, basis.
    """
    entities, columns = _distinct(entities), _distinct(columns)
    entity_ids: U64 = numpy_column(entities, "id", np.uint64)
    by_id = IdMap(entity_ids)
    prefix: U8 = numpy_column(entities, "job", np.uint8)
    owner = by_id.positions(numpy_column(columns, "dataset", np.uint64))
    known = (owner >= 0) & (prefix[owner] == 0) if len(prefix) else np.zeros(len(owner), dtype=bool)
    if not known.all():
        columns, owner = columns.filter(known), owner[known]
    names = Names(prefix, entities.column("namespace"), entities.column("name"), columns.column("field"), owner)
    groups = _entity_groups(len(entity_ids), by_id, prefix, aliases, names)
    label, soft = _with_columns(groups, names)
    base_ids: U64 = np.concatenate([entity_ids, numpy_column(columns, "id", np.uint64)])
    return _nodes(names, base_ids, label), soft


def _distinct(table: pa.Table) -> pa.Table:
    """First row of each id."""
    ids = numpy_column(table, "id", np.uint64)
    first = np.unique(ids, return_index=True)[1]
    return table if len(first) == len(ids) else table.take(np.sort(first))


def _entity_groups(n: int, by_id: IdMap, prefix: U8, aliases: pa.Table, names: Names) -> Groups:
    a = by_id.positions(numpy_column(aliases, "a", np.uint64))
    b = by_id.positions(numpy_column(aliases, "b", np.uint64))
    usable = (a >= 0) & (b >= 0)
    usable[usable] = (prefix[a[usable]] == 0) & (prefix[b[usable]] == 0)
    rows = aliases.filter(usable)
    evidence = Evidence(a[usable], b[usable], rows.column("basis").to_pylist(), rows.column("type").to_pylist())
    return alias_groups(n, evidence, lambda positions: _text_rank(names, positions))


def _text_rank(names: Names, bases: I64) -> I64:
    import pyarrow.compute as pc

    order = pc.sort_indices(names.arrow_texts(bases)).to_numpy()
    rank = np.empty(len(bases), dtype=np.int64)
    rank[order] = np.arange(len(bases))
    return rank


def _with_columns(groups: Groups, names: Names) -> tuple[I64, Bool]:
    """Groups of all bases: columns of one field in datasets of one group are one node."""
    count, dataset = names.entities, names.dataset
    label = np.concatenate([groups.label, np.arange(count, count + len(dataset), dtype=np.int64)])
    soft = np.concatenate([groups.soft, groups.soft[dataset]])
    if groups.trivial or not len(dataset):
        return label, soft
    size = np.bincount(groups.label, minlength=count)
    shared = np.flatnonzero(size[groups.label[dataset]] > 1)
    if not len(shared):
        return label, soft
    field = names.field.take(shared).combine_chunks().dictionary_encode().indices.to_numpy()
    group = groups.label[dataset[shared]]
    rank = _text_rank(names, dataset[shared])
    order = np.lexsort((rank, dataset[shared] != group, field, group))
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (group[order][1:] != group[order][:-1]) | (field[order][1:] != field[order][:-1])
    first = np.flatnonzero(fresh)
    leader = np.repeat(order[first], np.diff(np.append(first, len(order))))
    label[count + shared[order]] = count + shared[leader]
    return label, soft


def _nodes(names: Names, base_ids: U64, label: I64) -> Nodes:
    """Dense numbering: datasets by id, jobs by id, columns by dataset and id."""
    count = names.entities
    alone = np.flatnonzero(label == np.arange(len(label)))
    entity, column = alone[alone < count], alone[alone >= count]
    kind = names.prefix[entity]
    entity = entity[np.lexsort((base_ids[entity], kind))]
    dense = np.zeros(len(label), dtype=np.uint32)
    dense[entity] = np.arange(len(entity), dtype=np.uint32)
    home = dense[label[names.dataset[column - count]]]
    order = np.lexsort((base_ids[column], home))
    column, home = column[order], home[order]
    dense[column] = np.arange(len(entity), len(entity) + len(column), dtype=np.uint32)
    dense = dense[label]
    preferred = np.concatenate([entity, column])
    datasets = int((kind == 0).sum())
    by_id = IdMap(base_ids)
    member_base = np.lexsort((preferred[dense] != np.arange(len(label)), dense))
    return Nodes(
        names=names,
        base_ids=base_ids,
        id_sorted=by_id.sorted,
        id_base=by_id.order,
        dense=dense,
        preferred=preferred,
        ids=base_ids[preferred],
        kind=np.concatenate([np.sort(kind), np.full(len(column), COLUMN, np.uint8)]).astype(np.uint8),
        datasets=datasets,
        jobs=len(entity) - datasets,
        dataset_of=home.astype(np.uint32),
        column_start=np.searchsorted(home, np.arange(datasets + 1)).astype(np.int64),
        member_base=member_base,
        member_start=np.searchsorted(dense[member_base], np.arange(len(preferred) + 1)).astype(np.int64),
    )
