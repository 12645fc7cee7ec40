"""From a query to the columns its output depends on: a walk over sqlglot's scopes, inner ones first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

Place = tuple[str, str]  # table, column
Uses = dict[tuple[Place, str, str], None]  # place, type, subtype
_STRENGTH = {"IDENTITY": 0, "TRANSFORMATION": 1, "AGGREGATION": 2}


@dataclass
class Dependencies:
    """What the output of a query depends on.

    ``columns`` has name and uses of each projection in order; ``rows`` are the columns that decide which rows there
    are; ``star`` tells that projections are missing because the columns of a table are not known.
    """

    columns: list[tuple[str, Uses]] = field(default_factory=list)
    rows: dict[tuple[Place, str], None] = field(default_factory=dict)
    star: bool = False

    def named(self, name: str) -> Uses:
        """Uses of the projections of this name."""
        return {use: None for found, uses in self.columns if found == name for use in uses}

    def all(self) -> Uses:
        """Uses of all projections."""
        return {use: None for _, uses in self.columns for use in uses}


def dependencies(query: exp.Query, schema: dict[str, dict[str, str]], dialect: str | None) -> Dependencies:
    """Dependencies of a query whose tables have names of one part.

    Parameters
    ----------
    query
        parsed, not yet qualified; it is changed.
    schema
        table → column → type.
    dialect
        sqlglot's name of it.
    """
    from sqlglot.errors import OptimizeError
    from sqlglot.optimizer.scope import build_scope

    try:
        qualified = _qualified(query.copy(), schema, dialect, aliases=True)
    except OptimizeError:  # an alias that may be a column of a table nobody knows stays what it is
        qualified = _qualified(query, schema, dialect, aliases=False)
    scope = build_scope(qualified)
    return _Walk(schema).of(scope) if scope is not None else Dependencies()


def _qualified(query: exp.Query, schema: dict[str, dict[str, str]], dialect: str | None, aliases: bool) -> exp.Query:
    from sqlglot.optimizer.qualify import qualify

    return qualify(
        query,
        schema=schema,  # type: ignore[arg-type]
        dialect=dialect,
        allow_partial_qualification=True,  # a schema may be older than the text
        expand_alias_refs=aliases,
        validate_qualify_columns=False,
        quote_identifiers=False,
    )


class _Walk:
    """Remembers what was found of each scope; a recursive one adds nothing to itself."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)  # tables whose columns are known
        self._done: dict[int, Dependencies] = {}

    def of(self, scope: Scope) -> Dependencies:
        found = self._done.get(id(scope))
        if found is None:
            found = self._done[id(scope)] = Dependencies()
            self._fill(scope, found)
        return found

    def _fill(self, scope: Scope, found: Dependencies) -> None:
        from sqlglot import exp

        expression = scope.expression
        if scope.set_operation_scopes:
            self._union(scope, found)
        elif isinstance(expression, exp.Select):
            self._select(scope, expression, found)
        elif isinstance(expression, exp.Subquery):
            for inner in scope.subquery_scopes or scope.derived_table_scopes:
                part = self.of(inner)
                found.columns += part.columns
                found.rows.update(part.rows)
                found.star |= part.star

    def _union(self, scope: Scope, found: Dependencies) -> None:
        sides = [self.of(inner) for inner in scope.set_operation_scopes]
        for position, (name, _) in enumerate(sides[0].columns):
            parts = [side.columns[position][1] for side in sides if position < len(side.columns)]
            found.columns.append((name, {use: None for uses in parts for use in uses}))
        for side in sides:
            found.rows.update(side.rows)
            found.star |= side.star
        order = scope.expression.args.get("order")
        if order is not None:
            for column in order.find_all(_column()):
                for place, _, _ in found.named(column.name):
                    found.rows[place, "SORT"] = None

    def _select(self, scope: Scope, select: exp.Select, found: Dependencies) -> None:
        for number, projection in enumerate(select.expressions):
            if projection.is_star:
                found.star = True
                continue
            name = projection.alias_or_name or f"_{number}"
            found.columns.append((name, self._value(scope, projection)))
        for inner in self._sources(scope):
            found.rows.update(self.of(inner).rows)
        for clause, subtype in self._clauses(select):
            self._decide(scope, clause, subtype, found)

    @staticmethod
    def _sources(scope: Scope) -> Iterator[Scope]:
        from sqlglot.optimizer.scope import Scope

        for _, source in scope.selected_sources.values():
            if isinstance(source, Scope):
                yield source

    @staticmethod
    def _clauses(select: exp.Select) -> Iterator[tuple[exp.Expr, str]]:
        for key, subtype in (("where", "FILTER"), ("having", "FILTER"), ("qualify", "FILTER"), ("order", "SORT")):
            clause = select.args.get(key)
            if clause is not None:
                yield clause, subtype
        group = select.args.get("group")
        if group is not None:
            yield group, "GROUP_BY"
        for join in select.args.get("joins") or ():
            if join.args.get("on") is not None:
                yield join.args["on"], "JOIN"
            for column in join.args.get("using") or ():
                yield column, "JOIN"

    def _decide(self, scope: Scope, clause: exp.Expr, subtype: str, found: Dependencies) -> None:
        """Columns of a clause decide about rows; a projection's alias stands for what it is made of."""
        for node, _, _ in _leaves(clause):
            if isinstance(node, _column()):
                uses = self._column(scope, node)
                if not uses and not node.table:
                    uses = found.named(node.name)
                places = [place for place, _, _ in uses]
            else:
                part = self._inner(scope, node)
                places = [place for place, _, _ in part.all()]
                places += [place for place, _ in part.rows]
            found.rows.update(dict.fromkeys((place, subtype) for place in places))

    def _value(self, scope: Scope, projection: exp.Expr) -> Uses:
        from sqlglot import exp

        bare = projection.unalias() if isinstance(projection, exp.Alias) else projection
        whole = "IDENTITY" if isinstance(bare, exp.Column) else "TRANSFORMATION"
        found: Uses = {}
        for node, type_, subtype in _leaves(bare, whole):
            if isinstance(node, exp.Column):
                inner = self._column(scope, node)
            else:
                part = self._inner(scope, node)
                inner = part.all()
                inner.update({(place, "INDIRECT", how): None for place, how in part.rows})
            for place, inner_type, inner_subtype in inner:
                found[_chain(place, (inner_type, inner_subtype), (type_, subtype))] = None
        return found

    def _column(self, scope: Scope, column: exp.Column) -> Uses:
        """What a column is made of, in terms of tables."""
        from sqlglot import exp

        where: Scope | None = scope
        while where is not None:
            source = where.sources.get(column.table or self._only_open(where))
            if isinstance(source, exp.Table):
                return {((source.name.lower(), column.name), "DIRECT", "IDENTITY"): None}
            if source is not None:
                return self.of(source).named(column.name) or self._through(source, column)
            where = where.parent
        return {}

    def _through(self, scope: Scope, column: exp.Column) -> Uses:
        """A column of an inner query that is ``SELECT *`` from one source."""
        from sqlglot import exp

        inner = scope.expression
        if not (isinstance(inner, exp.Select) and all(item.is_star for item in inner.expressions)):
            return {}
        if len(scope.selected_sources) != 1:
            return {}
        return self._column(scope, exp.column(column.name, table=next(iter(scope.selected_sources))))

    def _only_open(self, scope: Scope) -> str:
        """The source that an unqualified column must come from: the only one whose columns are not known.

        Where columns of a source are known, the column was qualified if it is one of them.
        """
        names = [name for name, (_, source) in scope.selected_sources.items() if self._is_open(source)]
        return names[0] if len(names) == 1 else ""

    def _is_open(self, source: exp.Expr | Scope) -> bool:
        from sqlglot import exp

        if isinstance(source, exp.Table):
            return source.name.lower() not in self._known
        return not isinstance(source, exp.Expr) and self.of(source).star

    def _inner(self, scope: Scope, query: Any) -> Dependencies:
        for inner in scope.subquery_scopes:
            if inner.expression is query or inner.expression is query.unnest():
                return self.of(inner)
        return Dependencies()


def _chain(place: Place, inner: tuple[str, str], outer: tuple[str, str]) -> tuple[Place, str, str]:
    """A use of something that itself uses a column: indirect wins, then the stronger transformation."""
    if outer[0] == "INDIRECT":
        return place, *outer
    if inner[0] == "INDIRECT":
        return place, *inner
    return place, *max(inner, outer, key=lambda use: _STRENGTH.get(use[1], 1))


def _leaves(node: exp.Expr, subtype: str = "TRANSFORMATION") -> Iterator[tuple[Any, str, str]]:
    """Columns and inner queries of an expression, each with the way it is used."""
    from sqlglot import exp

    if isinstance(node, exp.Column | exp.Query):
        yield node, "DIRECT", subtype
        return
    for key, child in node.args.items():
        for item in child if isinstance(child, list) else [child]:
            if not isinstance(item, exp.Expr):
                continue
            how = "AGGREGATION" if isinstance(node, exp.AggFunc) else subtype
            indirect = _indirect(node, key)
            for leaf, type_, found in _leaves(item, how):
                yield (leaf, "INDIRECT", indirect) if indirect and type_ == "DIRECT" else (leaf, type_, found)


def _indirect(node: exp.Expr, key: str) -> str:
    """How a part of an expression decides without being part of the value; empty when it is part of it."""
    from sqlglot import exp

    if isinstance(node, exp.If) and key == "this":
        return "CONDITIONAL"
    if isinstance(node, exp.Case) and key == "this":
        return "CONDITIONAL"
    if isinstance(node, exp.Window) and key in ("partition_by", "order"):
        return "WINDOW"
    if isinstance(node, exp.Filter) and key == "expression":
        return "CONDITIONAL"
    return ""


def _column() -> Any:
    from sqlglot import exp

    return exp.Column
