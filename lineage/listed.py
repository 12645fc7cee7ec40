"""The rows of an answer: which of the found nodes the filters and limits leave, in which order, with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lineage import annotators
from lineage.answers import Direction, Link, Reached, Totals
from lineage.filters import GROUPS, LEVELS, Filters
from lineage.graph.uses import Uses
from lineage.levels import Found, better, lift
from lineage.links import subtypes_of
from lineage.reach import Reach, reach
from lineage.temporary import bridges

if TYPE_CHECKING:
    from lineage.reach import Asked
    from lineage.view import View

Key = int | str | tuple[str, str]
"""What tells rows apart: the node, of hidden ones domain and kind, of products, domains and applications their id."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What is listed of what was found.

    ``rows`` are in the order of the answer; ``kept`` are the dense indices of the nodes among them, all of a hidden row
    included; where there are limits, ``keys`` tells the rows from those that are left out.
    """

    rows: list[Reached]
    kept: list[int]
    keys: frozenset[Key]


def listed(view: View, reached: Reach, asked: Asked) -> Listed:
    """The rows that the filters and limits leave: nodes by distance, then products, domains and applications."""
    kept = admitted(view, reached, asked.filters)
    rows = one_a_row(view, kept)
    if asked.deepest is None and asked.max_nodes is None:
        nodes = [*_nodes(view, reached, asked, kept, rows), *lifted(view, reached, asked)]
        return Listed(nodes, [one.index for one in kept], frozenset())
    if asked.hops is not None:
        rows = [row for row in rows if row.hops == asked.hops]
    rows = _nearest(view, rows, asked.max_nodes)
    keys: set[Key] = {view.row_of(row.index) for row in rows}
    if len(rows) < len(kept):
        kept = [one for one in kept if view.row_of(one.index) in keys]
    nodes = _nodes(view, reached, asked, kept, rows)
    groups = lifted(view, reached, asked)
    groups = groups if asked.max_nodes is None else groups[: asked.max_nodes - len(nodes)]
    keys.update(row.id for row in groups)
    return Listed([*nodes, *groups], [one.index for one in kept], frozenset(keys))


def admitted(view: View, reached: Reach, filters: Filters) -> list[Found]:
    """The found nodes that the filters list."""
    return [
        one
        for one in reached.found.values()
        if filters.admits(
            view.kind(one.index), view.domain(one.index) if filters.domains else "", LEVELS[one.certainty]
        )
    ]


def one_a_row(view: View, kept: list[Found]) -> list[Found]:
    """What becomes a row each: visible nodes, and once for a kind what a domain hides, as near as the nearest of it."""
    if not view.restricted:
        return kept
    rows: dict[int | tuple[str, str], Found] = {}
    for one in kept:
        row = view.row_of(one.index)
        rows[row] = better(rows[row], one) if row in rows else one
    return list(rows.values())


def lifted(view: View, reached: Reach, asked: Asked) -> list[Reached]:
    """Rows of the products, domains and applications that are asked for, by distance among each other."""
    rows = [row for kind in GROUPS if asked.filters.asks_for(kind) for row in _lifted(view, reached, kind, asked)]
    return sorted((row for row in rows if asked.hops in (None, row.hops)), key=lambda row: row.hops)


def totals(nodes: Sequence[Reached], *, partial: bool = False) -> Totals:
    """Counts of the listed nodes, domains by size, hops in order; ``partial``: more lies behind."""
    domains: dict[str, int] = {}
    hops: dict[int, int] = {}
    kinds: dict[str, int] = {}
    levels: dict[str, int] = {}
    for node in nodes:  # one loop: four counters take twice the time
        domains[node.domain] = domains.get(node.domain, 0) + 1
        hops[node.hops] = hops.get(node.hops, 0) + 1
        kinds[node.kind] = kinds.get(node.kind, 0) + 1
        levels[node.certainty] = levels.get(node.certainty, 0) + 1
    return Totals(
        nodes=len(nodes),
        by_domain=dict(sorted(domains.items(), key=lambda item: (-item[1], item[0]))),
        by_hop=dict(sorted(hops.items())),
        by_kind=dict(sorted(kinds.items())),
        by_certainty={level: levels[level] for level in LEVELS if level in levels},
        partial=partial,
    )


def bridge_links(view: View, reached: Reach, kept: Sequence[int]) -> list[Link]:
    """Steps through temporary datasets, in the direction of the flow."""
    sign = 1 if reached.direction == "downstream" else -1
    whole = reach(view, reached.origin, reached.direction, None).found
    ways = ((whole[i].path[::sign], whole[i].certainty) for i in kept if reached.found[i].bridge and i in whole)
    inside = {view.label(i) for i in (*reached.sources, *kept)}
    return [link for link in bridges(view, ways) if link.src in inside and link.dst in inside]


def _nearest(view: View, rows: list[Found], most: int | None) -> list[Found]:
    """The first rows of an answer; only those that may be among them are looked up."""
    if most is None or len(rows) <= most:
        return rows
    last = sorted(row.hops for row in rows)[most - 1]
    near = [row for row in rows if row.hops <= last]
    view.prepare([row.index for row in near])
    near.sort(key=lambda row: (row.hops, view.hidden(row.index), view.kind(row.index), view.label(row.index)))
    return near[:most]  # in the order in which they are listed


def _nodes(view: View, reached: Reach, asked: Asked, kept: list[Found], rows: list[Found]) -> list[Reached]:
    """Labelled rows of nodes, in order."""
    told = asked.facts and annotators.ANNOTATORS
    home = reached.home(view)
    view.prepare([*reached.sources, *{step for one in kept for step in (one.index, *one.path)}])
    facts = annotators.annotate(view, [one.index for one in rows]) if told else [None] * len(rows)
    uses = Uses(view.snapshot)
    nodes = [_labelled(view, one, home, fact, uses, reached.direction) for one, fact in zip(rows, facts, strict=True)]
    nodes.sort(key=lambda node: (node.hops, node.id.startswith("hidden ("), node.kind, node.id))
    return nodes


def _lifted(view: View, reached: Reach, kind: str, asked: Asked) -> list[Reached]:
    """One row per product, domain or application that the answer touches, with the way to its nearest node."""
    home = reached.home(view)
    facts = (dict.fromkeys(annotators.names()) or None) if asked.facts else None
    rows, uses = [], Uses(view.snapshot)
    for name, one in lift(view, reached.sources, reached.found, kind).items():
        row = _labelled(view, one, home, facts, uses, reached.direction)
        label = row.domain if kind == "domain" else name
        hidden = kind == "domain" and not view.actor.may_see(name)
        node = f"hidden (domain {name})" if hidden else f"{kind}:{label}"
        rows.append(replace(row, id=node, kind=kind, owner=None, aliases=()))
    admitted = [row for row in rows if asked.filters.admits(row.kind, row.domain, row.certainty)]
    return sorted(admitted, key=lambda row: (row.hops, row.id))


def _labelled(
    view: View, one: Found, home: str, facts: dict[str, Any] | None, uses: Uses, direction: Direction
) -> Reached:
    domain = view.domain(one.index)
    return Reached(
        id=view.label(one.index),
        kind=view.kind(one.index),
        hops=one.hops,
        certainty=LEVELS[one.certainty],
        path=view.steps(one.path),
        domain=domain,
        owner=view.owner(one.index),
        aliases=view.aliases(one.index),
        use="indirect" if one.indirect else "direct",
        crosses_domain=domain != home,
        subtypes=subtypes_of(uses, one.whole or one.path, direction) if one.indirect else (),
        bridge=view.steps(one.bridge) if one.bridge else (),
        facts=facts,
    )
