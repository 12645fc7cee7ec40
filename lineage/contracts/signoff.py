"""Whose approval a change needs: the smallest set of owners that covers every crossing of a domain's border."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import combinations

_EXACT = 14  # candidates up to which every set is tried


def smallest(approvers: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """A smallest set that holds one of the approvers of each crossing; the first in order among equals.

    Parameters
    ----------
    approvers
        crossing → who may approve it. One without anybody is left out: see :func:`nobody`.

    Examples
    --------
    >>> smallest({"a": ["ada", "head"], "b": ["bob", "head"], "c": ["cy"]})
    ('cy', 'head')
    """
    needs = [frozenset(who) for who in approvers.values() if who]
    everyone = sorted(set().union(*needs))
    if len(everyone) <= _EXACT:
        for size in range(len(everyone) + 1):
            for some in combinations(everyone, size):
                if all(need & set(some) for need in needs):
                    return some
    return tuple(sorted(_greedy(needs)))


def nobody(approvers: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Crossings that nobody can approve, for nobody owns them."""
    return tuple(sorted(what for what, who in approvers.items() if not who))


def _greedy(needs: Iterable[frozenset[str]]) -> set[str]:
    left = list(needs)
    found: set[str] = set()
    while left:
        counts: dict[str, int] = {}
        for need in left:
            for who in need:
                counts[who] = counts.get(who, 0) + 1
        best = min(counts, key=lambda who: (-counts[who], who))
        found.add(best)
        left = [need for need in left if best not in need]
    return found
