"""From the identifiers of the store to the dense nodes of a snapshot: alias groups, order, members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.arrow import FEW, array_of, coded, numbers
from lineage.graph.arrays import COLUMN, I64, JOB, U8, U32, U64, Bool, pair_halves
from lineage.graph.groups import Evidence, Groups, alias_groups
from lineage.graph.names import Names
from lineage.graph.nodes import Nodes
from lineage.graph.sorting import IdMap, gathered, sorted_pairs

if TYPE_CHECKING:
    import pyarrow as pa


def numpy_column(table: pa.Table, name: str, dtype: Any) -> Any:
    """One column of an Arrow table as a numpy array; NULL becomes 0."""
    return numbers(table.column(name), 0).astype(dtype, copy=False)


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
    bases = identify(entities, columns)
    groups = _entity_groups(bases, aliases)
    label, soft = _with_columns(groups, bases.names)
    return nodes_of(bases.names, bases.ids, label, bases.by_id), soft


@dataclass(frozen=True, eq=False, slots=True)
class Bases:
    """Identifiers of the store before any of them are taken for one: names and ids by base position.

    Datasets and jobs come first; ``by_id`` knows them and the columns.
    """

    names: Names
    ids: U64
    by_id: IdMap


def identify(entities: pa.Table, columns: pa.Table) -> Bases:
    """Bases of datasets, jobs, and columns of known datasets; tables as for :func:`number`."""
    ids, by_id = _ids(entities, columns)
    if not by_id.distinct:
        entities, columns = _distinct(entities), _distinct(columns)
        ids, by_id = _ids(entities, columns)
    prefix: U8 = numpy_column(entities, "job", np.uint8)
    owner = by_id.positions(numpy_column(columns, "dataset", np.uint64))
    known = (owner >= 0) & (owner < len(prefix))
    known[known] = prefix[owner[known]] == 0
    if not known.all():
        columns, owner = columns.filter(known), owner[known]
        ids, by_id = _ids(entities, columns)
    names = Names(prefix, entities.column("namespace"), entities.column("name"), columns.column("field"), owner)
    return Bases(names, ids, by_id)


def _ids(entities: pa.Table, columns: pa.Table) -> tuple[U64, IdMap]:
    """Ids of datasets, jobs and columns, and where each is: sorted once, for all that is looked up later."""
    ids: U64 = numpy_column(entities, "id", np.uint64)
    if len(columns):
        ids = np.concatenate([ids, numpy_column(columns, "id", np.uint64)])
    return ids, IdMap(ids)


def _distinct(table: pa.Table) -> pa.Table:
    """First row of each id."""
    ids = numpy_column(table, "id", np.uint64)
    found = IdMap(ids)
    twice = np.flatnonzero(found.sorted[1:] == found.sorted[:-1]) + 1
    return table.filter(~np.isin(np.arange(len(ids)), found.order[twice])) if len(twice) else table


def _entity_groups(bases: Bases, aliases: pa.Table) -> Groups:
    evidence, _ = evidence_between(bases, aliases)
    return alias_groups(bases.names.entities, evidence, lambda positions: text_rank(bases.names, positions))


def evidence_between(bases: Bases, aliases: pa.Table) -> tuple[Evidence, Bool]:
    """Evidence between two datasets that are known, and which rows of the table that is."""
    names = bases.names
    a = bases.by_id.positions(numpy_column(aliases, "a", np.uint64))
    b = bases.by_id.positions(numpy_column(aliases, "b", np.uint64))
    usable = (a >= 0) & (b >= 0) & (a < names.entities) & (b < names.entities)
    usable[usable] = (names.prefix[a[usable]] == 0) & (names.prefix[b[usable]] == 0)
    rows = aliases if usable.all() else aliases.filter(array_of(usable))
    basis, type_ = rows.column("basis").to_pylist(), rows.column("type").to_pylist()
    return Evidence(a[usable], b[usable], basis, type_), usable


def text_rank(names: Names, bases: I64) -> I64:
    """Place of each of some datasets and jobs in the order of their texts."""
    if len(bases) <= FEW:
        texts = [names.text(base) for base in bases.tolist()]
        order = np.array(sorted(range(len(texts)), key=texts.__getitem__), dtype=np.int64)
    else:
        import pyarrow.compute as pc

        order = numbers(pc.sort_indices(names.arrow_texts(bases)))
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
    field, _ = coded(names.field, shared)
    group = groups.label[dataset[shared]]
    rank = text_rank(names, dataset[shared])
    order = np.lexsort((rank, dataset[shared] != group, field, group))
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (group[order][1:] != group[order][:-1]) | (field[order][1:] != field[order][:-1])
    first = np.flatnonzero(fresh)
    leader = np.repeat(order[first], np.diff(np.append(first, len(order))))
    label[count + shared[order]] = count + shared[leader]
    return label, soft


def nodes_of(names: Names, base_ids: U64, label: I64, by_id: IdMap) -> Nodes:
    """Dense numbering: datasets by id, jobs by id, columns by dataset and id.

    ``label`` has the preferred member of the group of each base, ``by_id`` the position of each of ``base_ids``.
    """
    count = names.entities
    leads = label == np.arange(len(label))
    alone = bool(leads.all())
    ranked = by_id.order[by_id.order < count].astype(np.int64)
    ranked = ranked if alone else ranked[leads[ranked]]  # leaders of groups in order of their id
    is_job = names.prefix[ranked] == 1
    entity = np.concatenate([ranked[~is_job], ranked[is_job]])
    dense = np.zeros(len(label), dtype=np.uint32)
    dense[entity] = np.arange(len(entity), dtype=np.uint32)
    leading = np.arange(len(label) - count) if alone else np.flatnonzero(leads[count:])
    home = dense[names.dataset] if alone else dense[label[names.dataset[leading]]]
    order = _column_order(home, base_ids[count:] if alone else base_ids[count:][leading], len(entity))
    home = gathered(home, order)
    column = leading[order] + count
    dense[column] = np.arange(len(entity), len(entity) + len(column), dtype=np.uint32)
    dense = dense if alone else dense[label]
    preferred = np.concatenate([entity, column])
    datasets = len(entity) - int(is_job.sum())
    if len(preferred) == len(label):
        member_base, member_start = preferred, np.arange(len(label) + 1, dtype=np.int64)
    else:
        member_base = np.lexsort((~leads, dense))
        member_start = np.searchsorted(dense[member_base], np.arange(len(preferred) + 1)).astype(np.int64)
    kind = np.zeros(len(preferred), np.uint8)
    kind[datasets:], kind[len(entity) :] = JOB, COLUMN
    return Nodes(
        names=names,
        base_ids=base_ids,
        by_id=by_id,
        dense=dense,
        preferred=preferred,
        ids=base_ids[preferred],
        kind=kind,
        datasets=datasets,
        jobs=len(entity) - datasets,
        dataset_of=home,
        column_start=np.searchsorted(home, np.arange(datasets + 1, dtype=np.uint32)).astype(np.int64),
        member_base=member_base,
        member_start=member_start,
    )


def _column_order(home: U32, ids: U64, entities: int) -> U32:
    """Order of columns by dataset, then id: by half of the id, unless two of one dataset have that in common."""
    halves = pair_halves(ids)[0]
    key, order = sorted_pairs(home, halves, entities)
    if (key[1:] == key[:-1]).any():
        return np.lexsort((ids, home)).astype(np.uint32)
    return order
