"""Column lineage from SQL, with sqlglot: a pure function from a question to a reading.

Only the run's own inputs and outputs count. A table of the text is one of them when its name is the end of exactly one
of their names; what fits none or several is left alone, never guessed. Tables that the text itself makes on the way
(temporary ones, common table expressions) are read through.

Uses are told in the words of OpenLineage's column lineage facet 1-2-0: DIRECT with IDENTITY, TRANSFORMATION or
AGGREGATION; INDIRECT with FILTER, JOIN, GROUP_BY, SORT for all rows of the output, CONDITIONAL and WINDOW for a column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ingest.sql_reading import MAX_EDGES, MAX_TEXT, Known, Question, Reading, Use
from ingest.sql_scopes import Dependencies, dependencies
from lineage.redact import redact

if TYPE_CHECKING:
    from sqlglot import exp

_NO_LINEAGE = ("Drop", "Delete", "TruncateTable", "Use", "Set", "Command", "Commit", "Rollback", "Transaction", "Grant")


def read(question: Question) -> Reading:
    """Column lineage of one text.

    Examples
    --------
    >>> orders, report = Known(("shop.public.orders",), ("id", "total")), Known(("shop.public.report",), None)
    >>> text = "CREATE TABLE report AS SELECT sum(total) AS sales FROM orders WHERE id > 7"
    >>> for use in read(Question(text, "postgres", (orders,), (report,))).uses:
    ...     print(use.target or "all rows", "from", use.source, use.type, use.subtype)
    all rows from id INDIRECT FILTER
    sales from total DIRECT AGGREGATION
    """
    import sqlglot
    from sqlglot.errors import SqlglotError, TokenError

    if len(question.text) > MAX_TEXT:
        return Reading(problem=f"longer than {MAX_TEXT:,} characters")
    try:
        statements = [s for s in sqlglot.parse(question.text, read=question.dialect or None) if s is not None]
        return _Script(question).read(statements)
    except TokenError:  # its message holds a piece of the text
        return Reading(problem="cannot be parsed: a quote or comment has no end")
    except (SqlglotError, RecursionError) as error:
        return Reading(problem=f"cannot be parsed: {_first_line(error)}")
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError) as error:
        # a parser of thirty dialects meets text it was not made for; what it trips over must not stop the others
        return Reading(problem=f"cannot be read: {type(error).__name__}: {_first_line(error)}")


class _Script:
    """The statements of one text, read in their order."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.local: dict[tuple[str, ...], Any] = {}  # tables made on the way → their query
        self.uses: dict[Use, None] = {}
        self.problems: dict[str, None] = {}

    def read(self, statements: Sequence[exp.Expr]) -> Reading:
        from sqlglot import exp

        queries = [s for s in statements if isinstance(s, exp.Query)]
        for statement in statements:
            if isinstance(statement, exp.Query):
                if len(queries) == 1 and len(self.question.outputs) == 1:
                    self._flow(self._prepared(statement), 0, None, by_position=False)
                else:
                    self.problems["a query without target, and more than one output"] = None
            else:
                self._statement(statement)
        if not self.uses and not self.problems:
            self.problems["moves no data between the inputs and outputs of the run"] = None
        if len(self.uses) > MAX_EDGES:
            return Reading(problem=f"more than {MAX_EDGES:,} column edges")
        return Reading(tuple(sorted(self.uses)), "; ".join(self.problems))

    def _statement(self, statement: exp.Expr) -> None:
        from sqlglot import exp

        if isinstance(statement, exp.Create | exp.Insert):
            self._write(statement)
        elif isinstance(statement, exp.Update):
            values = [(e.this.name, e.expression) for e in statement.expressions if isinstance(e, exp.EQ)]
            query = exp.select(*(exp.alias_(value.copy(), name) for name, value in values)).from_(statement.this.copy())
            source = statement.args.get("from_") or statement.args.get("from")
            if source is not None:
                query = query.join(source.this.copy(), join_type="cross")
            if statement.args.get("where"):
                query = query.where(statement.args["where"].this.copy())
            self._into(statement.this, query, None)
        elif isinstance(statement, exp.Merge):
            self._merge(statement)
        elif isinstance(statement, exp.Column | exp.Alias | exp.Identifier | exp.Literal):
            self.problems["cannot be parsed: it is no statement"] = None
        elif type(statement).__name__ not in _NO_LINEAGE:
            self.problems[f"{type(statement).__name__.upper()} is not read"] = None

    def _write(self, statement: exp.Create | exp.Insert) -> None:
        from sqlglot import exp

        query = statement.expression
        if isinstance(query, exp.Subquery):
            query = query.unnest()
        target = statement.this
        names = None
        if isinstance(target, exp.Schema):
            names = tuple(e.name for e in target.expressions)
            target = target.this
        if not isinstance(query, exp.Query) or not isinstance(target, exp.Table):
            return  # values, or a table without a query: nothing flows between datasets
        with_ = statement.args.get("with_") or statement.args.get("with")
        if with_ is not None:
            query = query.copy()
            query.set("with_" if "with_" in query.arg_types else "with", with_.copy())
        positional = isinstance(statement, exp.Insert) and not statement.args.get("by_name")
        self._into(target, query, names, by_position=positional)

    def _merge(self, merge: exp.Merge) -> None:
        from sqlglot import exp

        pairs: list[tuple[str, exp.Expr]] = []
        for when in merge.find_all(exp.When):
            then = when.args.get("then")
            if isinstance(then, exp.Update):
                pairs += [(e.this.name, e.expression) for e in then.expressions if isinstance(e, exp.EQ)]
            elif isinstance(then, exp.Insert) and then.this is not None and then.expression is not None:
                pairs += list(zip((e.name for e in then.this.expressions), then.expression.expressions, strict=False))
        query = exp.select(*(exp.alias_(value.copy(), name) for name, value in pairs))
        query = query.from_(merge.args["using"].copy()).join(merge.this.copy(), on=merge.args["on"].copy())
        self._into(merge.this, query, None)

    def _into(
        self, target: exp.Expr, query: exp.Query, names: tuple[str, ...] | None, by_position: bool = False
    ) -> None:
        from sqlglot import exp

        if not isinstance(target, exp.Table):
            return
        parts = _parts(target)
        output = _only(_fits(parts, self.question.outputs))
        made = self._prepared(query)
        if output is not None:
            self._flow(made, output, names, by_position)
        if _only(_fits(parts, self.question.inputs)) is None:
            before = self.local.get(parts) if by_position else None  # INSERT adds to what is there
            self.local[parts] = exp.union(before, made, distinct=False) if before is not None else made

    def _flow(self, query: exp.Query, output: int, names: tuple[str, ...] | None, by_position: bool) -> None:
        found = dependencies(query.copy(), self._schema(), self.question.dialect or None)
        known = self.question.outputs[output]
        for place, subtype in found.rows:
            self._add(output, "", place, "INDIRECT", subtype)
        if found.star:
            self.problems["* over a table whose columns are not known"] = None
        targets = _targets(found, names, known, by_position)
        if targets is None:
            self.problems["the columns of the written table are not known"] = None
            return
        for target, (_, uses) in zip(targets, found.columns, strict=False):
            for place, type_, subtype in uses if target is not None else ():
                self._add(output, target, place, type_, subtype)

    def _add(self, output: int, target: str | None, place: tuple[str, str], type_: str, subtype: str) -> None:
        table, column = place
        if not table.startswith("in_"):
            return
        source = _spelled(column, self.question.inputs[int(table[3:])])
        if source is not None and target is not None:
            self.uses[Use(output, target, int(table[3:]), source, type_, subtype)] = None

    def _schema(self) -> dict[str, dict[str, str]]:
        return {
            f"in_{i}": dict.fromkeys(known.columns, "unknown")
            for i, known in enumerate(self.question.inputs)
            if known.columns
        }

    def _prepared(self, query: exp.Query) -> exp.Query:
        """The query with its tables renamed to the positions of the inputs, so that all have names of one part."""
        from sqlglot import exp
        from sqlglot.optimizer.scope import traverse_scope

        query = query.copy()
        real = {
            id(source): source
            for scope in traverse_scope(query)
            for source in scope.sources.values()
            if isinstance(source, exp.Table)
        }
        names = {table.name.lower() for table in real.values()}
        for column in list(query.find_all(exp.Column)):
            if column.args.get("db") is not None and column.table.lower() in names:
                column.set("db", None)
                column.set("catalog", None)
        for number, table in enumerate(real.values()):
            parts = _parts(table)
            alias = table.args.get("alias")
            name = alias.this.copy() if alias is not None and alias.this is not None else table.this.copy()
            place = _only(_fits(parts, self.question.inputs))
            made = self.local.get(parts) or self.local.get(parts[-1:])
            fresh: exp.Expr
            if place is None and made is not None:
                fresh = exp.Subquery(this=made.copy(), alias=exp.TableAlias(this=name))
            else:
                label = f"in_{place}" if place is not None else f"other_{number}"
                fresh = exp.Table(this=exp.to_identifier(label), alias=exp.TableAlias(this=name))
            for key in ("joins", "laterals", "pivots"):
                if table.args.get(key):
                    fresh.set(key, table.args[key])
            table.replace(fresh)
        return query


def _targets(
    found: Dependencies, names: tuple[str, ...] | None, known: Known, by_position: bool
) -> list[str | None] | None:
    """Name of the output column that each projection goes to; ``None`` when that cannot be told."""
    if names is not None:
        return [_spelled(name, known) for name in names]
    if by_position:
        if known.columns is None or len(known.columns) != len(found.columns) or found.star:
            return None
        return list(known.columns)
    return [_spelled(name, known) for name, _ in found.columns]


def _spelled(column: str, known: Known) -> str | None:
    """A column as its dataset spells it; ``None`` when the dataset has none of this name."""
    if known.columns is None:
        return column
    fits = [name for name in known.columns if name == column] or [
        name for name in known.columns if name.lower() == column.lower()
    ]
    return fits[0] if len(fits) == 1 else None


def _parts(table: exp.Table) -> tuple[str, ...]:
    words = ".".join(part.name for part in table.parts)
    return tuple(word.lower() for word in words.split(".") if word)


def _fits(parts: tuple[str, ...], datasets: Iterable[Known]) -> Iterator[int]:
    for place, known in enumerate(datasets):
        spelled = (tuple(word for word in name.lower().strip("/").split(".") if word) for name in known.names)
        if any(name[-len(parts) :] == parts for name in spelled):
            yield place


def _only(places: Iterator[int]) -> int | None:
    found = list(places)
    return found[0] if len(found) == 1 else None


def _first_line(error: Exception) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()
    return redact(text[0] if text else type(error).__name__)[:200]
