"""What the engine reads from the store. ``$at`` is the valid time and ``$known`` the known time of the question."""

from __future__ import annotations

from lineage.graph.arrays import PROVENANCES

EDGE_KINDS = ("lineage", "read", "write", "control", "contains")

_VISIBLE = "valid_from <= $at AND $at < valid_to AND known_from <= $known AND $known < known_to"
_KNOWN = "known_from <= $known AND $known < known_to AND valid_from < valid_to"
_REFUTED = """ AND NOT (kind = 'lineage' AND EXISTS (
  SELECT 1 FROM edge_mark m WHERE m.src = edge.src AND m.dst = edge.dst AND m.mark = 'refuted'
    AND m.valid_from <= $at AND $at < m.valid_to AND m.known_from <= $known AND $known < m.known_to
))"""
_REFUTED_COLUMNS = """ AND NOT EXISTS (
  SELECT 1 FROM refuted JOIN node s ON s.dataset = refuted.src
    JOIN node d ON coalesce(d.dataset, d.id) = refuted.dst
  WHERE s.id = column_edge.src AND d.id = column_edge.dst
)"""


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
# (names that a rule takes for one hang on the usual spelling or, when nobody used that, on the smallest id)
def _aliases(which: str, times: str = "", always: str = "") -> str:
    return f"""
WITH off AS (
  SELECT coalesce(list(rule), []) AS rules FROM alias_rule WHERE known_from <= $known AND $known < known_to
), spelled AS (
  SELECT node, canonical FROM spelling, off
  WHERE known_from <= $known AND NOT list_has_any(string_split(spelling.rules, '+'), off.rules)
)
SELECT a, b, type, basis{times} FROM alias WHERE {which}
UNION ALL
SELECT a, b, NULL, basis{times} FROM alias_mark WHERE {which}
UNION ALL
SELECT canonical, node, NULL, 'rule'{always} FROM spelled
UNION ALL
SELECT min(node) OVER (PARTITION BY canonical), node, NULL, 'rule'{always} FROM spelled
"""  # noqa: S608 - constants only


ALIASES = _aliases(_VISIBLE)


def _edges(which: str, more: str = "", unless: str = _REFUTED) -> str:
    return f"""
SELECT src, dst, job, {_codes("kind", EDGE_KINDS, len(EDGE_KINDS))} AS kind,
  {_codes("provenance", PROVENANCES[:-1], len(PROVENANCES) - 1)} AS provenance,
  CAST(state = 'stale' AS UTINYINT) AS stale, epoch_us(valid_from) AS valid_from{more}
FROM edge WHERE {which}{unless}
"""  # noqa: S608 - constants only


_TYPES = ("DIRECT", "INDIRECT", None)
_SUBTYPES = (
    "IDENTITY",
    "TRANSFORMATION",
    "AGGREGATION",
    "JOIN",
    "GROUP_BY",
    "FILTER",
    "SORT",
    "WINDOW",
    "CONDITIONAL",
    None,
)
# type and subtype of column edges by their code; whatever is not OpenLineage's has the code behind them
USES = tuple((type_, subtype) for type_ in _TYPES for subtype in _SUBTYPES)
ODD_USE = len(USES)


def _use() -> str:
    """SQL for the use of a column as a small number: no text per edge leaves the database."""

    def numbers(column: str, values: tuple[str | None, ...], step: int) -> str:
        tests = (f"{column} IS NULL" if value is None else f"{column} = '{value}'" for value in values)
        cases = " ".join(f"WHEN {test} THEN {code * step}" for code, test in enumerate(tests))
        return f"CASE {cases} ELSE {ODD_USE} END"

    code = f"{numbers('type', _TYPES, len(_SUBTYPES))} + {numbers('subtype', _SUBTYPES, 1)}"
    return f"CAST(least({code}, {ODD_USE}) AS UTINYINT)"


_TEXTS = """type, subtype, coalesce(masking, false) AS masking,
  CAST(coalesce(upper(type), '') = 'INDIRECT' AS UTINYINT) AS indirect"""
_CODE = f"{_use()} AS use, CAST(coalesce(masking, false) AS UTINYINT) AS masking"


def _column_edges(which: str, more: str = "", unless: str = _REFUTED_COLUMNS, use: str = _TEXTS) -> str:
    refuted = f"WITH refuted AS (SELECT src, dst FROM edge_mark WHERE mark = 'refuted' AND {_VISIBLE})"  # noqa: S608
    return f"""
{refuted if unless else ""}
SELECT src, dst, job, {use},
  {_codes("provenance", PROVENANCES[:-1], len(PROVENANCES) - 1)} AS provenance,
  CAST(state = 'stale' AS UTINYINT) AS stale, epoch_us(valid_from) AS valid_from{more}
FROM column_edge WHERE {which}{unless}
"""  # noqa: S608


def _by_hand(which: str, more: str = "") -> str:
    return f"""
SELECT src, dst, CAST(0 AS UBIGINT), CAST(0 AS UTINYINT), CAST({PROVENANCES.index("manual")} AS UTINYINT),
  CAST(0 AS UTINYINT), epoch_us(valid_from){more}
FROM edge_mark WHERE mark = 'manual' AND {which}
"""  # noqa: S608


# one row per visible edge; those that a person added have no job
EDGES = f"{_edges(_VISIBLE)} UNION ALL {_by_hand(_VISIBLE)}"

# one row per visible column edge
COLUMN_EDGES = _column_edges(_VISIBLE)

# the same, with type and subtype as one code
COLUMN_EDGES_CODED = _column_edges(_VISIBLE, use=_CODE)

# one row: whether a person ever called an edge wrong
ANY_REFUTED = "SELECT count(*) > 0 FROM edge_mark WHERE mark = 'refuted'"

# the same edges where nobody did
EDGES_UNMARKED = f"{_edges(_VISIBLE, unless='')} UNION ALL {_by_hand(_VISIBLE)}"
COLUMN_EDGES_UNMARKED = _column_edges(_VISIBLE, unless="", use=_CODE)

# -- everything that holds at some time, as known at $known

_TIMES = ", epoch_us(valid_from) AS valid_from, epoch_us(valid_to) AS valid_to"
_ALWAYS = f", CAST({-(1 << 62)} AS BIGINT), CAST({1 << 62} AS BIGINT)"

_UNTIL = ", epoch_us(valid_to) AS valid_to"
_HAND = ", CAST({} AS UTINYINT) AS by_hand"

ALIASES_EVER = _aliases(_KNOWN, _TIMES, _ALWAYS)
EDGES_EVER = f"{_edges(_KNOWN, _UNTIL + _HAND.format(0), '')} UNION ALL {_by_hand(_KNOWN, _UNTIL + _HAND.format(1))}"
COLUMN_EDGES_EVER = _column_edges(_KNOWN, _UNTIL, "")

# one row per edge that a person called wrong, with the time over which it is
REFUTED_EVER = f"SELECT src, dst{_TIMES} FROM edge_mark WHERE mark = 'refuted' AND {_KNOWN}"  # noqa: S608


def _ever(table: str, columns: str, which: str = "known_from <= $known AND $known < known_to") -> str:
    return f"""
SELECT '{table}' AS name, count(*) AS n, coalesce(sum(CAST(hash({columns}) AS HUGEINT)), 0) AS total
FROM {table} WHERE {which}
"""  # noqa: S608 - constants only


# one row per table that a timeline is made of: rows known at $known, whenever they hold, and the sum of their hashes
EVER_DIGEST = "UNION ALL".join(
    (
        _ever("node", "id", "known_from <= $known"),
        _ever("edge", "src, dst, job, kind, provenance, state, valid_from, valid_to"),
        _ever("column_edge", "src, dst, job, type, subtype, masking, provenance, state, valid_from, valid_to"),
        _ever("alias", "a, b, type, basis, valid_from, valid_to"),
        _ever("alias_mark", "a, b, basis, valid_from, valid_to"),
        _ever("edge_mark", "src, dst, mark, valid_from, valid_to"),
        _ever("spelling", "node, canonical, rules", "known_from <= $known"),
        _ever("alias_rule", "rule"),
    )
)

# -- what has changed since a snapshot of the instant $before, when nothing newer than $floor had been recorded

_EDGE_HASH = "hash(src, dst, job, kind, provenance, stale, valid_from)"
_COLUMN_EDGE_HASH = "hash(src, dst, job, type, subtype, masking, indirect, provenance, stale, valid_from)"
_COME = f"{_VISIBLE} AND (known_from > $floor OR valid_from > $before)"
_GONE = (
    f"known_from <= $floor AND valid_from <= $before AND $before < valid_to AND known_to > $floor AND NOT ({_VISIBLE})"
)


def _digest(rows: str, row_hash: str) -> str:
    """Number of rows and sum of their hashes: the content whatever its order."""
    return f"SELECT count(*), coalesce(sum(CAST({row_hash} AS HUGEINT)), 0) FROM ({rows})"  # noqa: S608


# one row each
NODE_DIGEST = _digest("SELECT id FROM node WHERE known_from <= $known", "hash(id)")
EVIDENCE_DIGEST = _digest(
    f"SELECT a, b, type, basis FROM ({ALIASES}) UNION ALL "  # noqa: S608
    f"SELECT src, dst, 'edge', mark FROM edge_mark WHERE {_VISIBLE}",
    "hash(a, b, type, basis)",
)
EDGE_DIGEST = _digest(EDGES, _EDGE_HASH)
COLUMN_EDGE_DIGEST = _digest(COLUMN_EDGES, _COLUMN_EDGE_HASH)

# -- whether a table is what it was, at a quarter of the cost of a digest of what is visible of it

_CLOCKS = "valid_from, valid_to, known_from, known_to"
_TURN = """(valid_from > $before AND valid_from <= $at) OR (valid_to > $before AND valid_to <= $at)
    OR (known_from > $learned AND known_from <= $known) OR (known_to > $learned AND known_to <= $known)"""
_LEARNED = "greatest(max(known_from), max(known_to) FILTER (known_to < '9999-12-31'))"


def _marks(table: str, columns: str, turn: str = _TURN, learned: str = "NULL") -> str:
    return f"""
SELECT '{table}' AS name, count(*) AS n, coalesce(sum(CAST(hash({columns}) AS HUGEINT)), 0) AS total,
  count(*) FILTER ({turn}) AS turned, {learned} AS learned FROM {table}
"""  # noqa: S608 - constants only


# one row per table that a snapshot is made of: all of its rows, whenever they hold; how many have begun or ceased to be
# visible between ($before, $learned) and ($at, $known) by time alone; when its newest edge was learned or unlearned
MARKS = "UNION ALL".join(
    (
        _marks("edge", f"src, dst, job, {_CLOCKS}", learned=_LEARNED),
        _marks("column_edge", f"src, dst, job, {_CLOCKS}", learned=_LEARNED),
        _marks("alias", f"a, b, type, basis, {_CLOCKS}"),
        _marks("alias_mark", f"a, b, basis, {_CLOCKS}"),
        _marks("edge_mark", f"src, dst, mark, {_CLOCKS}"),
        _marks("spelling", "node, canonical, rules, known_from", "known_from > $learned AND known_from <= $known"),
        _marks(
            "alias_rule",
            "rule, known_from, known_to",
            "(known_from > $learned AND known_from <= $known) OR (known_to > $learned AND known_to <= $known)",
        ),
    )
)

# one row per edge that has come to be visible, or has ceased to be
EDGES_COME = f"SELECT *, {_EDGE_HASH} AS digest FROM ({_edges(_COME)})"  # noqa: S608
EDGES_GONE = f"SELECT *, {_EDGE_HASH} AS digest FROM ({_edges(_GONE)})"  # noqa: S608
COLUMN_EDGES_COME = f"SELECT *, {_COLUMN_EDGE_HASH} AS digest FROM ({_column_edges(_COME)})"  # noqa: S608
COLUMN_EDGES_GONE = f"SELECT *, {_COLUMN_EDGE_HASH} AS digest FROM ({_column_edges(_GONE)})"  # noqa: S608
