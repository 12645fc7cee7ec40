"""Columns from SQL, behind the projection: brings the inferred column edges up to what the store knows.

The step walks over receipt times in their order. At each one it looks at the jobs that something changed for, as known
at that time, asks for the SQL that no memo answers, and writes the difference with that receipt time as known time. So
it does not matter when the step runs: the past of the known clock comes out as if it had run with every batch.

A job's inferred edges are a function of its runs alone: what each run's SQL says is evidence, and
:mod:`ingest.lives` makes intervals of it, as of told columns. Where the producer told columns of an output, in that run
or in any other of the job, nothing is inferred for this output; explicit lineage forbids inference in its run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ingest import sql_nodes, tables
from ingest.lives import Evidence, column_lives
from ingest.model import ColumnEdge
from ingest.sets import Sets
from ingest.sql_facts import Place, Schemas, SqlRun, question_of, runs_at, told_outputs
from ingest.sql_reading import Question, Reading, reader_version
from ingest.sql_turns import TurnsAt
from ingest.sql_worker import Reader
from ingest.tables import OPEN_MICROS, Changes, Row, Table
from lineage.identity import NodeKey
from lineage.store import Store
from lineage.store.version import bump_version

if TYPE_CHECKING:
    import duckdb

PROVENANCE = "sql"
SETTINGS = _DONE, _READER = "sql_block", "sql_reader"  # last block looked at, and by which reader
_EVIDENCE_KEPT = 500_000
_OPEN = f"known_to = make_timestamp({OPEN_MICROS})"

_TIMES = """
-- receipt times of blocks that were projected and not looked at
SELECT DISTINCT epoch_us(received_at), max(block) FROM raw WHERE block > ? AND block <= ? GROUP BY 1 ORDER BY 1
"""
_CHANGED = """
-- one job with SQL that something changed for at one known time; what concerns more than its own new runs is 'all'
WITH RECURSIVE line AS (
  -- a dataset that was dropped or renamed, and every name it had before
  SELECT dataset, known_from AS k FROM turn WHERE known_from BETWEEN make_timestamp($low) AND make_timestamp($high)
  UNION SELECT dataset, known_to FROM turn WHERE known_to BETWEEN make_timestamp($low) AND make_timestamp($high)
  UNION SELECT turn.dataset, line.k FROM line JOIN turn ON turn.successor = line.dataset
), at_dataset AS (
  SELECT entity AS dataset, known_from AS k FROM facet
  WHERE key = 'schema' AND known_from BETWEEN make_timestamp($low) AND make_timestamp($high)
  UNION SELECT entity, known_to FROM facet
  WHERE key = 'schema' AND known_to BETWEEN make_timestamp($low) AND make_timestamp($high)
  UNION SELECT dataset, k FROM line
), changed AS (
  SELECT job, known_from AS k, run FROM run
  WHERE events > 0 AND known_from BETWEEN make_timestamp($low) AND make_timestamp($high)
  UNION ALL SELECT io.job, d.k, NULL FROM at_dataset d JOIN run_io io USING (dataset)
  UNION ALL SELECT job, known_from, NULL FROM column_edge
  WHERE provenance <> 'sql' AND known_from BETWEEN make_timestamp($low) AND make_timestamp($high)
  UNION ALL SELECT job, known_to, NULL FROM column_edge
  WHERE provenance <> 'sql' AND known_to BETWEEN make_timestamp($low) AND make_timestamp($high)
), with_sql AS (
  SELECT DISTINCT r.job FROM run r SEMI JOIN changed USING (job) JOIN facet_set s ON s.set_id = r.job_facets
  WHERE s.key = 'sql'
)
SELECT epoch_us(k), job, bool_or(run IS NULL), list(DISTINCT run) FILTER (run IS NOT NULL)
FROM changed SEMI JOIN with_sql USING (job) GROUP BY k, job ORDER BY k, job
"""
_ROWS = f"""
-- inferred column edges of some jobs that hold now, as rows of ingest.tables.COLUMN_EDGE
SELECT src, dst, job, type, subtype, masking, description, provenance, state, first_run, producer, end_reason,
  epoch_us(valid_from), epoch_us(valid_to)
FROM column_edge WHERE provenance = 'sql' AND job IN (SELECT unnest(?::UBIGINT[])) AND {_OPEN}
"""  # noqa: S608 - a constant
_PROBLEMS = f"SELECT job, problem FROM sql_problem WHERE job IN (SELECT unnest(?::UBIGINT[])) AND {_OPEN}"  # noqa: S608
PROBLEM = Table("sql_problem", (tables.COLUMN_EDGE.columns[2], ("problem", tables.NODE.columns[1][1])), ("job",))

Ask = Callable[[Question], Reading]


def read_pending(store: Store, ask: Ask | None = None) -> int:
    """Infer columns for everything projected so far; for commands that end.

    Parameters
    ----------
    store
        its archive is projected.
    ask
        reads one text (default: a process of its own).

    Returns
    -------
    int
        how many jobs were looked at.
    """
    if ask is not None:
        return SqlStep(store, ask).run()
    with Reader() as reader:
        return SqlStep(store, reader).run()


class _Unit:
    """A job in memory: its runs as evidence, with the sets of columns their SQL says, and what could not be read."""

    def __init__(self) -> None:
        self.evidence: dict[int, Evidence] = {}
        self.problems: dict[int, str] = {}
        self.told: set[int] = set()
        self.last: Evidence | None = None  # newest run, when a later one that looks like it changes nothing

    def take(self, found: Evidence, problem: str) -> bool:
        """Take in one run; whether its edges can have changed."""
        last, known = self.last, found.run in self.evidence
        same = last is not None and not known and found.at > last.at and found[3:] == last[3:]
        self.evidence[found.run], self.problems[found.run] = found, problem
        if same:
            self.last = found
        return not same

    def problem(self) -> str:
        """What could not be read of the newest run."""
        newest = max(self.evidence.values(), default=None)
        return self.problems[newest.run] if newest is not None else ""


class SqlStep:
    """Brings inferred columns up to date; one instance per process, used by one thread.

    Parameters
    ----------
    store
        the open store.
    ask
        reads one text.
    """

    def __init__(self, store: Store, ask: Ask) -> None:
        self._store = store
        self._ask = ask
        self._reader = reader_version()
        self._sets = Sets()
        self._units: dict[int, _Unit] = {}
        self._memo: dict[int, Reading] = {}
        self._keys: dict[int, NodeKey] = {}  # columns that readings name

    def run(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Look at everything projected since the last call; how many jobs were looked at.

        ``stop`` is asked between receipt times; what is left then is done by the next call.
        """
        self._start_over_for_another_reader()
        done = int(self._store.get_meta(_DONE) or 0)
        projected = int(self._store.get_meta("projected_block") or 0)
        with self._store.cursor() as cursor:
            times = cursor.execute(_TIMES, [done, projected]).fetchall()
            if not times:
                return 0
            changed: dict[int, list[tuple[int, bool, list[int]]]] = {}
            for k, *rest in cursor.execute(_CHANGED, {"low": times[0][0], "high": times[-1][0]}).fetchall():
                changed.setdefault(k, []).append((rest[0], rest[1], rest[2] or []))
        jobs = 0
        for k, block in times:
            if stop():
                return jobs
            if k in changed:
                self._look(k, changed[k], block)
                jobs += len(changed[k])
        if times[-1][0] not in changed:
            with self._store.transaction() as cursor:
                Store.set_meta(cursor, _DONE, str(times[-1][1]))
        return jobs

    def _start_over_for_another_reader(self) -> None:
        """Another version of the library may read more: what the former one read goes, as in a rebuild."""
        before = self._store.get_meta(_READER)
        if before == self._reader:
            return
        with self._store.transaction() as cursor:
            if before is not None:
                cursor.execute("DELETE FROM column_edge WHERE provenance = 'sql'")
                cursor.execute("DELETE FROM sql_problem")
                bump_version(cursor)
            Store.set_meta(cursor, _READER, self._reader)
            Store.set_meta(cursor, _DONE, "0")

    def _look(self, k: int, changed: Sequence[tuple[int, bool, list[int]]], block: int) -> None:
        """Everything that changed at one receipt time: facts, questions, rows."""
        asked: dict[int, Question] = {}
        with self._store.reading() as cursor:
            turns = TurnsAt(cursor, k, self._keys)
            touched = self._evidence(cursor, k, changed, turns, asked)
        changes = Changes()
        with self._store.transaction() as cursor:
            old: dict[int, set[Row]] = {job: set() for job in touched}
            for row in cursor.execute(_ROWS, [list(touched)]).fetchall() if touched else []:
                old[row[2]].add(row)
            problems = dict(cursor.execute(_PROBLEMS, [[job for job, *_ in changed]]).fetchall())
            for job in touched:
                changes.replace(tables.COLUMN_EDGE, old[job], self._rows(job, turns))
            for job, *_ in changed:
                before, after = problems.get(job), self._units[job].problem()
                changes.replace(PROBLEM, [(job, before)] if before else [], [(job, after)] if after else [])
            wrote = bool(changes.insert or changes.close)
            self._write_nodes(cursor, changes, k)
            changes.write(cursor, k, (tables.COLUMN_EDGE, PROBLEM))
            self._remember(cursor, asked)
            Store.set_meta(cursor, _DONE, str(block))
            if wrote:
                bump_version(cursor)
        if sum(len(unit.evidence) for unit in self._units.values()) > _EVIDENCE_KEPT:
            self._units.clear()
            self._sets = Sets()

    # -- facts into evidence

    def _evidence(
        self,
        cursor: duckdb.DuckDBPyConnection,
        k: int,
        changed: Sequence[tuple[int, bool, list[int]]],
        turns: TurnsAt,
        asked: dict[int, Question],
    ) -> list[int]:
        """Jobs whose edges can have changed; their units are up to date."""
        told = {
            job: turns.told(outputs) for job, outputs in told_outputs(cursor, [job for job, *_ in changed], k).items()
        }
        anew = [job for job, all_, _ in changed if all_ or job not in self._units or self._units[job].told != told[job]]
        some = [(job, runs) for job, _, runs in changed if job not in anew]
        found = runs_at(cursor, anew, k) if anew else []
        if some:
            found += runs_at(cursor, [job for job, _ in some], k, [run for _, runs in some for run in runs])
        for job in anew:
            self._units[job] = _Unit()
            self._units[job].told = told[job]
        self._sets.load(cursor, (run.edge_set for run in found), ())
        places = [place.dataset for run in found for place in (*run.inputs, *run.outputs)]
        schemas = Schemas(cursor, places, k)
        touched = dict.fromkeys(anew)
        for run, outputs, question in self._questions(found, schemas):
            reading = self._reading(cursor, question, asked) if question else Reading()
            columns = self._sets.add_columns(self._edges(run, outputs, reading))
            evidence = Evidence(run.at, run.run, self._reader, run.edge_set, columns, run.complete)
            if self._units[run.job].take(evidence, reading.problem):
                touched[run.job] = None
        return list(touched)

    def _questions(self, runs: Sequence[SqlRun], schemas: Schemas) -> list[tuple[SqlRun, list[Place], Question | None]]:
        found: list[tuple[SqlRun, list[Place], Question | None]] = []
        for run in runs:
            told = self._units[run.job].told | run.told
            outputs = [place for place in run.outputs if place.dataset not in told]
            ask = run.sql is not None and not run.explicit and bool(run.inputs) and bool(outputs)
            # all outputs are asked for: what one of them is called decides what the text says of the others
            found.append((run, run.outputs, question_of(run, run.outputs, schemas) if ask else None))
        return found

    def _reading(self, cursor: duckdb.DuckDBPyConnection, question: Question, asked: dict[int, Question]) -> Reading:
        """What the memo, the store or the reader says, in this order."""
        number = question.id(self._reader)
        found = self._memo.get(number)
        if found is None:
            rows = cursor.execute("SELECT reading FROM sql_reading WHERE question = ?", [number]).fetchall()
            if rows:
                found = Reading.from_json(rows[0][0])
            else:
                found = self._ask(question)
                asked[number] = question
            self._memo[number] = found
        return found

    def _edges(self, run: SqlRun, outputs: Sequence[Place], reading: Reading) -> list[ColumnEdge]:
        told = self._units[run.job].told | run.told
        edges = []
        for use in reading.uses:
            target, source = outputs[use.output], run.inputs[use.input]
            if target.dataset in told:
                continue
            src = self._column(source, use.source)
            dst = self._column(target, use.target) if use.target else target.dataset
            edges.append(
                ColumnEdge(src, dst, use.type, use.subtype, False, None, PROVENANCE, source.dataset, target.dataset)
            )
        return edges

    def _column(self, place: Place, name: str) -> int:
        key = NodeKey("column", place.namespace, place.name, name)
        number = key.id
        self._keys[number] = key
        return number

    # -- evidence into rows

    def _rows(self, job: int, turns: TurnsAt) -> set[Row]:
        unit = self._units[job]
        evidence = list(unit.evidence.values())
        ends = {end for run in evidence for edge in self._sets.columns(run.column_set).edges for end in edge[-2:]}
        own = turns.of(ends)
        lives = column_lives(evidence, self._sets, OPEN_MICROS, own)
        rows: set[Row] = {
            (i.edge.src, i.edge.dst, job, *i.edge[2:-2], i.state, i.run, i.producer, i.end_reason, i.start, i.end)
            for i in lives
        }
        pending = any(row[-6] == "stale" and row[-1] == OPEN_MICROS for row in rows)
        newest = max(evidence, default=None)
        if pending or (newest is not None and any(turn.at >= newest.at for turn in own)):
            newest = None
        unit.last = newest
        return rows

    def _write_nodes(self, cursor: duckdb.DuckDBPyConnection, changes: Changes, k: int) -> None:
        """Nodes of the columns at the ends of new edges."""
        used = {end for row in changes.insert.get(tables.COLUMN_EDGE.name, ()) for end in row[:2]}
        keys = {number: self._keys[number] for number in used if number in self._keys}
        if not keys:
            return
        rows = [(n, "column", key.namespace, key.name, key.field, _owner(key)) for n, key in sorted(keys.items())]
        sql_nodes.add(cursor, tables.arrow_table(tables.NODE.typed(), tables.NODE.known(rows, k)), k)

    def _remember(self, cursor: duckdb.DuckDBPyConnection, asked: dict[int, Question]) -> None:
        for number in asked:
            row = [number, self._reader, self._memo[number].to_json()]
            cursor.execute("INSERT INTO sql_reading VALUES (?, ?, ?)", row)
        if len(self._memo) > 50_000:
            self._memo.clear()
            self._keys.clear()
            self._units.clear()


def _owner(key: NodeKey) -> int:
    return NodeKey("dataset", key.namespace, key.name).id
