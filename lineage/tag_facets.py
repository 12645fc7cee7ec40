"""Tags that producers told in facets, as seeds of the propagation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lineage.columns import entries, tag_text
from lineage.identity import NodeKey
from lineage.propagation import Seed

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.store import Store
    from lineage.view import Instant, View

_TAGS = """
-- one tags facet of one dataset at T as known at K
SELECT n.namespace, n.name, f.entity, f.body FROM facet f JOIN node n ON n.id = f.entity
WHERE f.key = 'tags' AND n.kind = 'dataset'
  AND f.valid_from <= $at AND f.valid_to > $at AND f.known_from <= $known AND f.known_to > $known
"""
_EVER = """
-- one body of a tags facet of one dataset at any time, as known at K
SELECT DISTINCT f.entity, b.json FROM facet f JOIN facet_body b ON b.body = f.body JOIN node n ON n.id = f.entity
WHERE f.key = 'tags' AND n.kind = 'dataset' AND f.known_from <= $known AND f.known_to > $known
"""
_BODIES = "SELECT body, json FROM facet_body WHERE body IN (SELECT body FROM facet WHERE key = 'tags')"
_NESTED = """
-- one column that lies inside another one
SELECT dataset, field, id FROM node WHERE kind = 'column' AND contains(field, '.') AND known_from <= $known
"""


def seeds(instant: Instant) -> list[Seed]:
    """One seed per tag of a dataset or column, at the asked instant.

    A tag on a column with columns inside it (a struct) holds for these too. A tag on a column that nothing else ever
    named is left out: no edge can begin there.
    """
    snapshot, store = instant.snapshot, instant.store
    when = {"at": snapshot.as_of, "known": snapshot.known_at}
    bodies = {body: _tags(text) for body, text in store.rows(_BODIES)}
    nested: dict[int, list[tuple[str, int]]] = {}
    for dataset, field, node in store.rows(_NESTED, {"known": snapshot.known_at}):
        nested.setdefault(dataset, []).append((field, node))
    found: set[Seed] = set()
    for namespace, name, entity, body in store.rows(_TAGS, when):
        for field, tag in bodies.get(body, ()):
            if not field:
                nodes: Iterable[int] = (entity,)
            else:
                inside = [node for path, node in nested.get(entity, ()) if path.startswith(f"{field}.")]
                nodes = (NodeKey("column", namespace, name, field).id, *inside)
            found.update(Seed(i, tag) for i in map(snapshot.index, nodes) if i is not None)
    return sorted(found, key=lambda seed: (seed.node, seed.tag))


def ever(view: View) -> Iterator[str]:
    """Every tag that was told of a dataset or column at any time, as known then; of hidden ones none."""
    for entity, tag in ever_told(view.store, view.snapshot.known_at):
        if view.restricted:
            i = view.snapshot.index(entity)
            if i is None or view.hidden(i):
                continue
        yield tag


def ever_told(store: Store, known_at: datetime) -> Iterator[tuple[int, str]]:
    """Node id of a dataset and a tag that was told of it, or of a column of it, at any time."""
    for entity, text in store.rows(_EVER, {"known": known_at}):
        for _, tag in _tags(text):
            yield entity, tag


def _tags(text: str) -> tuple[tuple[str, str], ...]:
    """(column path or empty, tag) of each tag of a facet."""
    try:
        body: Any = json.loads(text)
    except ValueError:
        return ()
    return tuple((str(tag.get("field") or ""), tag_text(tag)) for tag in entries(body, "tags") if tag.get("key"))
