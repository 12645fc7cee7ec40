"""What the engine reads from the store. ``$at`` is the valid time and ``$known`` the known time of the question."""

from __future__ import annotations

from lineage.graph.arrays import PROVENANCES

EDGE_KINDS = ("lineage", "read", "write", "control", "contains")

_VISIBLE = "valid_from <= $at AND $at < valid_to AND known_from <= $known AND $known < known_to"


def _codes(column: str, values: tuple[str, ...], otherwise: int) -> str:
    """SQL that turns the texts of a column into small numbers, so that no text per edge leaves the database."""
    cases = " ".join(f"WHEN '{value}' THEN {code}" for code, value in enumerate(values))
    return f"CAST(CASE {column} {cases} ELSE {otherwise} END AS UTINYINT)"


# one row: the newest event time and the newest receipt
CLOCK = "SELECT max(event_time), max(received_at) FROM event"

# one row per dataset or job that was known
ENTITIES = """
SELECT id, CAST(kind = 'job' AS UTINYINT) AS job, namespace, name
FROM node WHERE kind <> 'column' AND known_from <= $known
"""

# one row per column that was known
COLUMNS = "SELECT id, dataset, field FROM node WHERE kind = 'column' AND known_from <= $known"

# one row per piece of visible alias evidence
ALIASES = f"SELECT a, b, type, basis FROM alias WHERE {_VISIBLE}"  # noqa: S608 - constants only

# one row per visible edge
EDGES = f"""
SELECT src, dst, job, {_codes("kind", EDGE_KINDS, len(EDGE_KINDS))} AS kind,
  {_codes("provenance", PROVENANCES[:-1], len(PROVENANCES) - 1)} AS provenance,
  CAST(state = 'stale' AS UTINYINT) AS stale, epoch_us(valid_from) AS valid_from
FROM edge WHERE {_VISIBLE}
"""  # noqa: S608

# one row per visible column edge
COLUMN_EDGES = f"""
SELECT src, dst, job, type, subtype, coalesce(masking, false) AS masking,
  CAST(coalesce(upper(type), '') = 'INDIRECT' AS UTINYINT) AS indirect,
  {_codes("provenance", PROVENANCES[:-1], len(PROVENANCES) - 1)} AS provenance,
  CAST(state = 'stale' AS UTINYINT) AS stale, epoch_us(valid_from) AS valid_from
FROM column_edge WHERE {_VISIBLE}
"""  # noqa: S608
