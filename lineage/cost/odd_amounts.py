"""Amounts of a bill that are no plain decimals, and what else is noticed while a file is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from lineage.cost import import_sql as sql
from lineage.cost.money import ROUNDED, MoneyError, parse_money, rounding
from lineage.cost.reading import Refused

if TYPE_CHECKING:
    import duckdb


@dataclass
class Reading:
    """What is gathered while one file is read."""

    refused: list[Refused] = field(default_factory=list)
    empty: list[int] = field(default_factory=list)  # numbers of rows without any value
    rows: int = 0
    notes: dict[str, list[int]] = field(default_factory=dict)  # what was assumed -> number of amounts, first row
    rounded: Decimal = Decimal(0)  # what was billed beyond the twelfth decimal, in sum


def read_odd_amounts(memory: duckdb.DuckDBPyConnection, reading: Reading) -> bool:
    """Read the amounts that are no plain decimals, each distinct text once and exactly; whether there are any."""
    rows: list[tuple[str, int | None, str | None]] = []
    for text, number, first, elsewhere, billed in memory.execute(sql.ODD_AMOUNTS).fetchall():
        try:
            value, note = parse_money(text)
        except MoneyError as error:
            rows.append((text, None, str(error)))
            if elsewhere:  # ContractedCost or ListCost: a charge can be used without them
                _note(reading, "no number in ContractedCost or ListCost, left out there", elsewhere, first)
            continue
        rows.append((text, value, None))
        if note is not None:
            _note(reading, note, number, first)
        if note == ROUNDED:
            reading.rounded += rounding(text) * billed
    if rows:
        import pyarrow as pa

        texts, values, reasons = zip(*rows, strict=True)
        plain = [None if value is None else str(value) for value in values]
        columns = {"t": pa.array(texts, pa.string()), "v": pa.array(plain, pa.string())}
        memory.register("_odd", pa.table({**columns, "why": pa.array(reasons, pa.string())}))
        memory.execute("INSERT INTO amount SELECT t, v::HUGEINT, why FROM _odd")
        memory.unregister("_odd")
    return bool(rows)


def _note(reading: Reading, what: str, number: int, first: int) -> None:
    count, earliest = reading.notes.get(what, [0, first])
    reading.notes[what] = [count + number, min(earliest, first)]
