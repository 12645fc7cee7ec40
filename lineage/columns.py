"""What is known about columns: type, description and tags out of the facets of their dataset."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineage.answers import Direction
    from lineage.details import ColumnInfo
    from lineage.view import View

_FACETS = """
-- schema and tags facets of some datasets at T as known at K, oldest first
SELECT f.entity, f.key, b.json FROM facet f JOIN facet_body b USING (body)
WHERE f.key IN ('schema', 'tags') AND f.entity IN (SELECT unnest($members::UBIGINT[]))
  AND f.valid_from <= $at AND f.valid_to > $at AND f.known_from <= $known AND f.known_to > $known
ORDER BY f.valid_from, f.place, f.body
"""
_OVER = """
-- datasets of which a schema was over at T, or had not begun, as known at K; without members of all datasets
SELECT DISTINCT entity FROM facet
WHERE key = 'schema' AND ($members::UBIGINT[] IS NULL OR entity IN (SELECT unnest($members::UBIGINT[])))
  AND (valid_to <= $at OR valid_from > $at) AND known_from <= $known AND known_to > $known
"""
_DEEPEST = 50  # nesting of fields that is followed
_BOTH: tuple[Direction, Direction] = ("upstream", "downstream")
_NOT_IN_SCHEMA = 1_000_000  # place of a column that no schema names


@dataclass(slots=True)
class ColumnFacts:
    """What the facets say about one column."""

    type: str | None = None
    description: str | None = None
    order: int = _NOT_IN_SCHEMA  # position in the schema
    tags: list[str] = field(default_factory=list)


def column_facts(view: View, datasets: Iterable[int]) -> dict[int, dict[str, ColumnFacts]]:
    """Facts by dataset (dense index) and column path.

    Parameters
    ----------
    datasets
        dense indices of datasets; of hidden ones nothing is said.
    """
    owner = {m: i for i in datasets if not view.hidden(i) for m in view.snapshot.members(i)}
    when = {"members": list(owner), "at": view.snapshot.as_of, "known": view.snapshot.known_at}
    return facts_of(owner, view.store.rows(_FACETS, when) if owner else [])


def facts_of(owner: Mapping[int, int], rows: Iterable[tuple[int, str, str]]) -> dict[int, dict[str, ColumnFacts]]:
    """Facts by dataset and column path.

    Parameters
    ----------
    owner
        node id of each member of a dataset's group → its dense index.
    rows
        node id, key and body of their schema and tags facets, the oldest first.
    """
    found: dict[int, dict[str, ColumnFacts]] = {}
    for entity, key, text in rows:
        facts = found.setdefault(owner[entity], {})
        body = json.loads(text)
        if key == "schema":
            read_fields(entries(body, "fields"), "", facts, [0], 0)
        else:
            for tag in entries(body, "tags"):
                if tag.get("field"):
                    facts.setdefault(str(tag["field"]), ColumnFacts()).tags.append(tag_text(tag))
    return found


def absent_columns(view: View, datasets: Sequence[int] | None = None) -> frozenset[int]:
    """Columns that a schema named before the instant, or names later, while nothing does at it: no schema, tag or edge.

    A schema that was deleted (``_deleted``) leaves a dataset without one; what it named is history then, like a column
    that a newer schema leaves out.

    Parameters
    ----------
    datasets
        dense indices of those to look at; ``None`` for all.

    Returns
    -------
    frozenset[int]
        dense indices of columns of visible datasets.
    """
    snapshot = view.snapshot
    owner = None if datasets is None else {m: i for i in datasets for m in snapshot.members(i)}
    when = {"at": snapshot.as_of, "known": snapshot.known_at}
    over = [] if owner == {} else view.store.rows(_OVER, {**when, "members": None if owner is None else list(owner)})
    homes = {i for i in snapshot.indices([entity for (entity,) in over]).tolist() if i >= 0} if over else set()
    named = column_facts(view, homes) if homes else {}
    return frozenset(
        column
        for home in homes
        if not view.hidden(home)
        for column in snapshot.columns_of(home).tolist()
        if snapshot.field(column) not in named.get(home, {}) and not any(_edges(view, column))
    )


def _edges(view: View, column: int) -> tuple[int, int]:
    """How many visible nodes are upstream and downstream of a column."""
    up, down = (view.snapshot.neighbours(column, direction) for direction in _BOTH)
    return sum(not view.hidden(edge.src) for edge in up), sum(not view.hidden(edge.dst) for edge in down)


def column_infos(
    view: View,
    dataset: int,
    facts: dict[str, ColumnFacts],
    only: Sequence[int] | None = None,
    absent: Collection[int] | None = None,
) -> tuple[ColumnInfo, ...]:
    """Columns of a dataset in the order of its schema.

    Parameters
    ----------
    facts
        what :func:`column_facts` said about the dataset.
    only
        dense indices of the wanted columns; ``None`` for all that there are at the instant.
    absent
        :func:`absent_columns` of at least this dataset, when it was asked for already.
    """
    from lineage.details import ColumnInfo

    snapshot = view.snapshot
    if view.hidden(dataset):
        return ()
    wanted = [int(i) for i in (snapshot.columns_of(dataset) if only is None else only)]
    # With a schema at T, a column that neither it nor an edge of T names belongs to another time; so it does after the
    # schema that named it was deleted.
    has_schema = only is None and any(fact.order < _NOT_IN_SCHEMA for fact in facts.values())
    if only is not None or has_schema:
        absent = ()
    elif absent is None:
        absent = absent_columns(view, [dataset])
    infos = []
    for i in wanted:
        if i in absent:
            continue
        path = snapshot.field(i)
        fact = facts.get(path, ColumnFacts())
        up, down = _edges(view, i)
        if has_schema and path not in facts and not up and not down:
            continue
        info = ColumnInfo(
            id=snapshot.text(i),
            name=path,
            type=fact.type,
            description=fact.description,
            tags=tuple(dict.fromkeys(fact.tags)),
            upstream=up,
            downstream=down,
        )
        infos.append((fact.order, path, info))
    return tuple(info for _, _, info in sorted(infos, key=lambda entry: entry[:2]))


def entries(facet: Any, key: str) -> list[dict[str, Any]]:
    """The list of objects ``facet[key]``, whatever the producer really sent."""
    found = facet.get(key) if isinstance(facet, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def tag_text(tag: dict[str, Any]) -> str:
    """A tag as people read it.

    >>> tag_text({"key": "pii", "value": "true"}), tag_text({"key": "class", "value": "email"})
    ('pii', 'class:email')
    """
    key, value = str(tag.get("key", "")), tag.get("value")
    return key if value in (None, "", True, "true", "True") else f"{key}:{value}"


def read_fields(
    fields: list[dict[str, Any]], prefix: str, facts: dict[str, ColumnFacts], order: list[int], depth: int
) -> None:
    """Note type, description and position of fields and of the fields inside them."""
    for one in fields:
        path = f"{prefix}{one.get('name')}"
        fact = facts.setdefault(path, ColumnFacts())
        fact.type = str(one["type"]) if one.get("type") is not None else fact.type
        fact.description = str(one["description"]) if one.get("description") else fact.description
        fact.order = order[0]
        order[0] += 1
        if depth < _DEEPEST:
            read_fields(entries(one, "fields"), f"{path}.", facts, order, depth + 1)
