"""Drops and renames as known at one time, for the columns that readings of SQL name."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import TYPE_CHECKING

from ingest.lives import Turn
from ingest.turns import Turns
from lineage.identity import NodeKey

if TYPE_CHECKING:
    import duckdb

_TURNS = """
-- drops and renames of datasets as known at K
SELECT dataset, successor, epoch_us(turned_at), run, hash FROM turn
WHERE known_from <= make_timestamp($k) AND known_to > make_timestamp($k)
"""
_NAMES = "SELECT id, namespace, name FROM node WHERE id IN (SELECT unnest(?::UBIGINT[]))"


class TurnsAt:
    """All drops and renames as known at a time, microseconds.

    Parameters
    ----------
    cursor
        where to read them.
    known_at
        that time.
    keys
        columns by id; what a column is called under the new name of its dataset is added.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, known_at: int, keys: MutableMapping[int, NodeKey]) -> None:
        rows = cursor.execute(_TURNS, {"k": known_at}).fetchall()
        self._turns = Turns()
        self._turns.add(rows)
        self._keys = keys
        news = list({row[1] for row in rows if row[1] is not None})
        found = cursor.execute(_NAMES, [news]).fetchall() if news else []
        self._names = {node: (namespace, name) for node, namespace, name in found}

    def of(self, datasets: Iterable[int]) -> list[Turn]:
        """What happens to these datasets and to what they become."""
        return self._turns.of(datasets, self._column) if self._turns else []

    def told(self, datasets: set[int]) -> set[int]:
        """These datasets under all names they had before: what is told of a table holds for its line of history."""
        return self._turns.formers(datasets) if self._names else datasets

    def _column(self, column: int, dataset: int) -> int:
        key = NodeKey("column", *self._names[dataset], self._keys[column].field)
        self._keys[key.id] = key
        return key.id
