"""As few cards for hidden nodes as show what leads to what.

How many nodes a hidden domain has is not told (semantics 19), so a picture cannot have one card for each. Hidden nodes
of a group that the same visible nodes lead to, and that lead to the same visible ones, are one; one whose visible
neighbours are among those of another, no less certain there, is part of that. Ways from one hidden node to the next are
passed through, so that no card is there but for a way between visible nodes that no other card shows.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

_Ends = dict[int, dict[int, tuple[int, int]]]
_LEVELS = (0, 1, 2)  # certain, probable, stale


class Arrow(NamedTuple):
    """An arrow between a visible node and a stand-in; ``edge`` is the place of the edge that it stands for."""

    src: int
    dst: int
    level: int
    edge: int


def stand_ins(
    hidden: Mapping[int, Hashable], edges: Sequence[tuple[int, int, int]]
) -> tuple[dict[int, int], list[Arrow]]:
    """Which hidden node stands for each, and the arrows at those that stand for others.

    Parameters
    ----------
    hidden
        group of each hidden node; only nodes of one group stand for each other.
    edges
        (source, target, certainty from 0, the best) of all edges; those between visible nodes do not matter.

    Returns
    -------
    tuple
        stand-in by hidden node, and arrows with the certainty of the best way.

    Examples
    --------
    >>> x, one, two, three, y = range(5)
    >>> ways = [(x, one, 0), (x, two, 0), (x, three, 0), (one, y, 1)]
    >>> stands, arrows = stand_ins(dict.fromkeys((one, two, three), "hr"), ways)
    >>> stands, sorted((arrow.src, arrow.dst) for arrow in arrows)
    ({1: 1, 2: 1, 3: 1}, [(0, 1), (1, 4)])
    """
    into = _ends(hidden, edges)
    out = _ends(hidden, [(dst, src, level) for src, dst, level in edges])
    alike: dict[Hashable, int] = {}
    first = {
        node: alike.setdefault((group, _levels(into[node]), _levels(out[node])), node)
        for node, group in sorted(hidden.items())
    }
    stands = {node: _widest(node, alike.values(), hidden, into, out) for node in alike.values()}
    arrows = []
    for stand in dict.fromkeys(stands.values()):
        arrows += [Arrow(other, stand, *way) for other, way in into[stand].items()]
        arrows += [Arrow(stand, other, *way) for other, way in out[stand].items()]
    return {node: stands[first[node]] for node in hidden}, arrows


def _ends(hidden: Mapping[int, Hashable], edges: Sequence[tuple[int, int, int]]) -> _Ends:
    """Of each hidden node the visible ones that lead to it past hidden ones: certainty of the way, and its edge."""
    found: _Ends = {node: {} for node in hidden}
    for most in _LEVELS:
        following: dict[int, list[int]] = {}
        doors = []
        for at, (src, dst, level) in enumerate(edges):
            if level > most or dst not in hidden:
                continue
            if src in hidden:
                following.setdefault(src, []).append(dst)
            else:
                doors.append((at, src, dst))
        seen: set[tuple[int, int]] = set()
        for at, src, dst in doors:
            waiting = [dst]
            while waiting:
                node = waiting.pop()
                if (src, node) not in seen:
                    seen.add((src, node))
                    found[node].setdefault(src, (most, at))
                    waiting += following.get(node, ())
    return found


def _levels(ends: Mapping[int, tuple[int, int]]) -> frozenset[tuple[int, int]]:
    return frozenset((node, level) for node, (level, _) in ends.items())


def _widest(node: int, others: Iterable[int], hidden: Mapping[int, Hashable], into: _Ends, out: _Ends) -> int:
    """The node of the same group that shows all that this one does, and most beside it."""
    wider = [
        other
        for other in others
        if hidden[other] == hidden[node] and _covers(into[other], into[node]) and _covers(out[other], out[node])
    ]
    return max(wider, key=lambda other: (len(into[other]) + len(out[other]), -_grade(into[other], out[other]), -other))


def _covers(one: Mapping[int, tuple[int, int]], other: Mapping[int, tuple[int, int]]) -> bool:
    """Whether one has all ends of the other, each as certain or more."""
    return all(node in one and one[node][0] <= level for node, (level, _) in other.items())


def _grade(*ends: Mapping[int, tuple[int, int]]) -> int:
    return sum(level for side in ends for level, _ in side.values())
