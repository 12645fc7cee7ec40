"""Turns in the life of datasets: they are dropped, and they get another name.

A rename is a succession with a date. Up to then a line of history has the old name, from then on the new one: its edges
and facets move over (:mod:`ingest.lives`, :mod:`ingest.entities`). What is told under the old name later belongs to
another table. Renames of one instant are one step, so two tables can swap their names.

Only what concerns the datasets at hand is read from the store; there may be many drops, and few renames ever.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from ingest import sql_nodes, tables
from ingest.lives import Drop, Renames, Turn
from ingest.tables import OPEN_MICROS, Row
from lineage.identity import NodeKey

if TYPE_CHECKING:
    import duckdb

_KEPT = 500_000  # datasets in memory
_Told = tuple[int, bytes | None]  # run or 0, hash of the event

_TURNS = f"""
SELECT dataset, successor, epoch_us(turned_at), run, hash FROM turn
WHERE (dataset IN (SELECT unnest($asked::UBIGINT[])) OR successor IN (SELECT unnest($asked::UBIGINT[])))
  AND known_to = make_timestamp({OPEN_MICROS})
"""  # noqa: S608 - a constant
_CREATED = f"""
SELECT dataset, epoch_us(seen_at) FROM run_io
WHERE direction = 'out' AND dataset IN (SELECT unnest($asked::UBIGINT[])) AND known_to = make_timestamp({OPEN_MICROS})
UNION ALL
SELECT entity, epoch_us(event_time) FROM declaration
WHERE entity IN (SELECT unnest($asked::UBIGINT[])) AND NOT dropped
"""  # noqa: S608 - a constant
_ALIASES = f"""
SELECT a, b, type, basis, epoch_us(valid_from), epoch_us(valid_to) FROM alias
WHERE basis = 'rename' AND b IN (SELECT unnest(?::UBIGINT[])) AND known_to = make_timestamp({OPEN_MICROS})
"""  # noqa: S608 - a constant
_FIELDS = """
-- columns of these datasets that events named; what only readings of SQL name moves with them (ingest.sql_turns)
SELECT id, dataset, field FROM node ANTI JOIN sql_node USING (id) WHERE dataset IN (SELECT unnest(?::UBIGINT[]))
"""
_NAMES = "SELECT id, namespace, name FROM node WHERE id IN (SELECT unnest(?::UBIGINT[]))"


class Turns:
    """Drops and renames of the datasets touched lately."""

    def __init__(self) -> None:
        self._any: bool | None = None  # None: not looked yet
        self._loaded: set[int] = set()
        self._drops: dict[int, dict[_Told, int]] = {}
        self._renames: dict[int, dict[tuple[int, _Told], int]] = {}  # old → (new, who told it) → when
        self._former: dict[int, set[int]] = {}  # new → names it had before
        self._moved: dict[tuple[int, int], int] = {}  # (column, new dataset) → the column there

    def load(self, cursor: duckdb.DuckDBPyConnection, datasets: Iterable[int]) -> None:
        """Read what the store knows about these datasets and those they were renamed from and to."""
        if not self._any:
            self._any = bool(self._any is None and cursor.execute("SELECT 1 FROM turn LIMIT 1").fetchall())
            if not self._any:
                return
        missing = set(datasets) - self._loaded
        while missing:
            self._loaded |= missing
            rows = cursor.execute(_TURNS, {"asked": list(missing)}).fetchall()
            self.add(rows)
            missing = {end for row in rows for end in row[:2] if end is not None} - self._loaded

    def ready(self, cursor: duckdb.DuckDBPyConnection, datasets: Collection[int], known_at: int) -> None:
        """Everything that :meth:`of` needs for these datasets."""
        self.load(cursor, datasets)
        if self._renames:
            self._name_columns(cursor, datasets, known_at)

    def __bool__(self) -> bool:
        """Whether there is any turn among what was loaded."""
        return bool(self._drops or self._renames)

    def shrink(self) -> None:
        """Forget everything when it became much."""
        if len(self._loaded) > _KEPT:
            self.__dict__.update(Turns().__dict__)

    def add(self, rows: Iterable[Row]) -> None:
        """Take in rows of ``turn``; their datasets are loaded."""
        for dataset, successor, at, run, hash_ in rows:
            self._any = True
            told = (run, bytes(hash_) if hash_ is not None else None)
            if successor is None:
                self._drops.setdefault(dataset, {})[told] = at
                continue
            self._renames.setdefault(dataset, {})[successor, told] = at
            self._former.setdefault(successor, set()).add(dataset)

    def remove(self, rows: Iterable[Row]) -> None:
        """Forget rows of ``turn`` that no longer hold."""
        for dataset, successor, _, run, hash_ in rows:
            told = (run, bytes(hash_) if hash_ is not None else None)
            if successor is None:
                self._drops.get(dataset, {}).pop(told, None)
            else:
                self._renames.get(dataset, {}).pop((successor, told), None)

    def successors(self, datasets: Iterable[int]) -> set[int]:
        """These datasets and all names they got later, at whatever time."""
        return _closure(datasets, lambda dataset: (new for new, _ in self._renames.get(dataset, ())))

    def formers(self, datasets: Iterable[int]) -> set[int]:
        """These datasets and all names they had before."""
        return _closure(datasets, lambda dataset: self._former.get(dataset, ()))

    def renamed(self, dataset: int) -> bool:
        """Whether a dataset had or got another name."""
        return bool(self._renames.get(dataset) or self._former.get(dataset))

    def incoming(self, dataset: int) -> list[tuple[int, int]]:
        """(when, former name) of each rename to this dataset; every one once for each time it was told."""
        found = {
            (at, old)
            for old in self._former.get(dataset, ())
            for (new, _), at in self._renames.get(old, {}).items()
            if new == dataset
        }
        return sorted(found)

    def outgoing(self, dataset: int) -> list[tuple[int, int]]:
        """(when, new name) of each rename of this dataset."""
        return sorted({(at, new) for (new, _), at in self._renames.get(dataset, {}).items()})

    def of(self, datasets: Iterable[int], column: Callable[[int, int], int] | None = None) -> list[Turn]:
        """What happens to these datasets and to what they become, as steps for :mod:`ingest.lives`.

        ``column`` gives a column under a new dataset (default: those that :meth:`ready` named).
        """
        line = self.successors(datasets) if self._renames else set(datasets)
        steps: list[Turn] = [Drop(at, dataset) for dataset in line for at in self._drops.get(dataset, {}).values()]
        moves: dict[int, dict[int, int]] = {}
        for dataset in line:
            for at, new in self.outgoing(dataset):
                moves.setdefault(at, {}).setdefault(dataset, new)  # of two at one instant the smaller id counts
        return steps + [Renames(at, names, column or self._column) for at, names in moves.items()]

    # -- columns under the new name

    def _name_columns(self, cursor: duckdb.DuckDBPyConnection, touched: Collection[int], known_at: int) -> None:
        """Give every column of a renamed dataset its node under the new name.

        Which columns these are depends on the renames and on the columns ever named, so not on the order of events.
        """
        line = [dataset for dataset in self.successors(self.formers(touched)) if self._renames.get(dataset)]
        if not line:
            return
        news = {new for old in line for _, new in self.outgoing(old)}
        names = {node: (ns, name) for node, ns, name in cursor.execute(_NAMES, [list(news)]).fetchall()}
        known = -1
        while known < len(self._moved):  # a chain of names takes one round a link
            known = len(self._moved)
            rows: set[Row] = set()
            for column, dataset, field in cursor.execute(_FIELDS, [line]).fetchall():
                for _, new in self.outgoing(dataset):
                    key = NodeKey("column", names[new][0], names[new][1], field)
                    self._moved[column, new] = key.id
                    rows.add((key.id, *key, new))
            if rows:
                tables.append_new(cursor, tables.NODE, list(rows), known_at)
                sql_nodes.named_by_events(cursor, [row[0] for row in rows])

    def _column(self, column: int, dataset: int) -> int:
        return self._moved[column, dataset]

    # -- aliases

    def aliases(self, cursor: duckdb.DuckDBPyConnection, touched: Collection[int]) -> tuple[list[Row], list[Row]]:
        """Rows of ``alias`` by rename of these datasets: as they are, and as they should be.

        From the rename on the old name means the new one, until a table is made under the old name again.
        """
        olds = [dataset for dataset in touched if self._renames.get(dataset)]
        if not olds:
            return [], []
        before = cursor.execute(_ALIASES, [olds]).fetchall()
        created: dict[int, list[int]] = {}
        for dataset, at in cursor.execute(_CREATED, {"asked": olds}).fetchall():
            created.setdefault(dataset, []).append(at)
        after: list[Row] = []
        for old in olds:
            again = [at for at, _ in self.incoming(old)]
            ends: dict[int, int] = {}  # new name → end of its latest row
            for at, new in self.outgoing(old):
                end = min(
                    (t for t in (*(t for t in created.get(old, ()) if t > at), *(t for t in again if t >= at))),
                    default=OPEN_MICROS,
                )
                if at < end and at >= ends.get(new, at):
                    after.append((new, old, "", "rename", at, end))
                    ends[new] = end
        return before, after


def _closure(datasets: Iterable[int], beside: Callable[[int], Iterable[int]]) -> set[int]:
    found: set[int] = set()
    todo: Sequence[int] = list(datasets)
    while todo:
        found.update(todo)
        todo = [other for dataset in todo for other in beside(dataset) if other not in found]
    return found
