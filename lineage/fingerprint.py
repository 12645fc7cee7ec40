"""Fingerprint of all derived content (semantics 10).

Two stores that were fed the same events have the same fingerprint, whatever the order, the batches, the repetitions and
the times of receipt were. It leaves out known times, arrival order and storage order, and nothing else.

Method: every row becomes canonical text (each value preceded by its length), the text its MD5, and the 128-bit numbers
of a table are added up in two 64-bit lanes; sums do not care about order, and unlike XOR they see repetitions. SHA-256
over the sums of all tables is the fingerprint. It is a check against mistakes, not against forgers. All of it runs
inside the database, in one scan per table, with functions whose results do not depend on its version.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from lineage.store.version import DECLARED
from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.store import Store

METHOD = "meshline fingerprint 1"

# Rows of the present state of knowledge, per table.
_TABLES = {
    "event": "",
    "node": "WHERE id NOT IN (SELECT id FROM sql_node)",
    "declaration": "",
    "spelling": "",
    **dict.fromkeys(
        (
            "run",
            "run_io",
            "run_stage",
            "run_told",
            "turn",
            "facet",
            "edge",
            "column_edge",
            "alias",
            "metric",
            "assertion",
            *DECLARED,
            "alias_mark",
            "edge_mark",
            "owner_mark",
            "alias_rule",
            "sql_problem",
        ),
        "WHERE known_to = $open",
    ),
    "facet_set": "WHERE set_id IN (SELECT set_id FROM used_set)",
    "facet_body": "WHERE body IN (SELECT body FROM used_body)",
}
_LEFT_OUT = {"known_from", "known_to", "received_at", "block", "position"}
_WHO = {"actor", "reason"}
_LEFT_OUT_OF: dict[str, frozenset[str] | set[str]] = {  # what its hash covers, and who and when
    **dict.fromkeys(DECLARED, frozenset({"path", "actor", "body", "valid_from", "valid_to"})),
    "alias_mark": _WHO,
    "edge_mark": _WHO,
    "owner_mark": _WHO,
    "alias_rule": _WHO,
}
_COLUMNS = """
SELECT column_name, data_type FROM information_schema.columns WHERE table_name = ? ORDER BY column_name
"""
_USED = """
-- facet sets and bodies that some row of the present state points to
WITH used_set AS (
  SELECT job_facets AS set_id FROM run WHERE known_to = $open
  UNION SELECT facet_set FROM run_io WHERE known_to = $open
  UNION SELECT facet_set FROM run_told WHERE known_to = $open
  UNION SELECT facet_set FROM declaration
), used_body AS (
  SELECT body FROM facet_set WHERE set_id IN (SELECT set_id FROM used_set)
  UNION SELECT body FROM facet WHERE known_to = $open
)
"""


def fingerprint(store: Store) -> str:
    """Fingerprint of a store, 64 hexadecimal digits.

    Examples
    --------
    >>> from lineage.store import Store
    >>> fingerprint(Store.open(":memory:")) == fingerprint(Store.open(":memory:"))
    True
    """
    total = hashlib.sha256(METHOD.encode())
    for line in parts(store):
        total.update(b"\n" + line.encode())
    return total.hexdigest()


def parts(store: Store) -> list[str]:
    """Table, number of rows and sums, one line per table: says which table two stores differ in."""
    lines = []
    with store.reading() as cursor:
        for table, where in sorted(_TABLES.items()):
            columns = cursor.execute(_COLUMNS, [table]).fetchall()
            left_out = _LEFT_OUT | _LEFT_OUT_OF.get(table, set())
            text = " || ".join(_canonical(name, kind) for name, kind in columns if name not in left_out)
            if table in DECLARED:  # when it ended is left out like when it began, but not that it did
                text += " || CASE WHEN valid_to < TIMESTAMP '9999-12-31' THEN 'ended' ELSE '' END"
            sql = f"""{_USED if "used_" in where else ""}
                SELECT count(*), coalesce(sum(('0x' || left(h, 16))::UBIGINT), 0),
                  coalesce(sum(('0x' || right(h, 16))::UBIGINT), 0)
                FROM (SELECT md5({text}) AS h FROM {table} {where})"""  # noqa: S608 - our own names
            used = {"open": OPEN_END} if "$open" in sql else None
            rows, low, high = cursor.execute(sql, used).fetchall()[0]
            lines.append(f"{table} {rows} {int(low):x} {int(high):x}")
    return lines


def _canonical(name: str, kind: str) -> str:
    """SQL for one value as text that cannot run into its neighbour."""
    text = f'"{name}"::VARCHAR'
    if kind.startswith("TIMESTAMP"):
        text = f'epoch_us("{name}")::VARCHAR'
    elif kind == "BLOB":
        text = f'hex("{name}")'
    return f"coalesce(strlen({text}) || ':' || {text}, '-')"
