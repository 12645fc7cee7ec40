"""From what a person or a program typed to what the answers take: times, nodes, filters."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from lineage.errors import UnknownNodeError, UsageError, repeated
from lineage.times import OPEN_END, parse_instant

if TYPE_CHECKING:
    from lineage.group_question import Group
    from lineage.reach import Asked
    from lineage.view import View

When = date | str | None
"""A time: a datetime (naive = UTC), a date (its start), a text like ``2026-03-31T18:00:00Z`` or ``30 days ago``, or
``None`` for now."""

Words = str | Iterable[str] | None
"""Names: one text with commas, or several texts; ``None`` for no limit."""


def read_walk(view: View, node: str, column: str | None, asked: Asked) -> int | Group:
    """The asked node, one of its columns, a product or a domain."""
    from lineage.group_question import group_or_node, refuse
    from lineage.resolve import resolve, resolve_column

    source = group_or_node(view, node, resolve)
    if isinstance(source, int):
        return source if column is None else resolve_column(view, source, column)
    refuse(source, column=column, bridge=asked.bridge)
    return source


def read_node(view: View, node: str, column: str | None) -> int:
    """The asked node, or one of its columns."""
    from lineage.resolve import resolve, resolve_column

    source = resolve(view, node)
    return source if column is None else resolve_column(view, source, column)


def read_asked(
    depth: int | None,
    links: bool,
    filters: tuple[Words, Words, Words],
    *,
    bridge: bool = False,
    facts: bool = True,
    hops: int | None = None,
    max_nodes: int | None = None,
) -> Asked:
    """How an answer is wanted.

    Raises
    ------
    UsageError
        for limits that are no whole numbers or go below their least value, for depth and hops together, and for filters
        that make no sense.
    """
    from lineage.filters import read_filters, whole
    from lineage.reach import Asked

    depth, hops = read_depth(depth), read_depth(hops, "hops")
    if depth is not None and hops is not None:
        raise UsageError("depth and hops do not go together: depth lists all up to a distance, hops what is at it.")
    most = None if max_nodes is None else whole("max_nodes", max_nodes)
    return Asked(depth, read_filters(*filters), links, bridge, facts, hops, most)


def read_depth(depth: int | None, name: str = "depth") -> int | None:
    """A number of hops; ``None`` for no limit.

    Raises
    ------
    UsageError
        when it is no whole number, or negative; the message begins with ``name``.

    Examples
    --------
    >>> read_depth(2), read_depth(None)
    (2, None)
    """
    from lineage.filters import whole

    if depth is None:
        return None
    if isinstance(depth, int) and depth < 0:
        raise UsageError(f"{name}: {depth} is negative; leave it out for no limit.")
    return whole(name, depth, 0)


def known_nodes(view: View, texts: Collection[str]) -> list[int]:
    """Dense indices of the nodes that texts name; what names none is left out."""
    from lineage.resolve import resolve

    found = []
    for text in texts:
        with contextlib.suppress(UnknownNodeError):
            found.append(resolve(view, text))
    return found


def several(texts: str | Iterable[str]) -> Iterable[str]:
    """Node texts; one alone counts as a list of one. Commas do not part them, as names may hold commas.

    >>> list(several("dataset:pg:a")), list(several(["a", "b"]))
    (['dataset:pg:a'], ['a', 'b'])
    """
    if isinstance(texts, str):
        return [texts]
    if not isinstance(texts, Iterable):
        raise UsageError(f"{repeated(repr(texts))} is no node text and no list of node texts.")
    return texts


def known_and_visible(view: View, texts: str | Iterable[str]) -> list[int]:
    """Dense indices of nodes that all have to be there and to be seen by the actor.

    Raises
    ------
    UnknownNodeError
        for a text that names no node or more than one.
    HiddenNodeError
        for a node that the actor may not see.
    """
    from lineage.resolve import resolve

    found = [resolve(view, text) for text in several(texts)]
    for i in found:
        view.require(i)
    return found


def naive_time(at: When, name: str) -> datetime | None:
    """A time as naive UTC; ``None`` for now.

    Raises
    ------
    UsageError
        when it is no time; the message begins with ``name``.

    Examples
    --------
    >>> naive_time(date(2026, 3, 31), "as-of")
    datetime.datetime(2026, 3, 31, 0, 0)
    """
    if at is None:
        return None
    if isinstance(at, str):
        return None if at.strip().lower() == "now" else parse_instant(at, name=name)
    if not isinstance(at, date):
        raise UsageError(
            f"{name}: {repeated(repr(at))} is no time. Give a datetime, a date, or a text like 2026-03-31T18:00:00Z."
        )
    moment = at if isinstance(at, datetime) else datetime(at.year, at.month, at.day)  # noqa: DTZ001 - naive is UTC here
    try:
        found = moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:  # its zone puts it before the first year or behind the last
        found = OPEN_END
    return found if found < OPEN_END else parse_instant(at.isoformat(), name=name)  # which refuses it, as typed
