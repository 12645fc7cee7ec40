"""History of facets: from what runs and declarations showed to intervals of valid time.

A run shows the facets of an entity from its first event on (semantics 7) and once more, at its last event, confirms
them: so the newest event decides what holds now, however long the run took. Declarations show at their event time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Point(NamedTuple):
    """One facet shown at one time. ``order`` breaks ties: declared before read before written; then by run."""

    at: int
    order: int
    run: int
    body: int
    producer: str


class Span(NamedTuple):
    """One body over [start, end); ``run`` showed it first (0: it was declared)."""

    body: int
    run: int
    producer: str
    start: int
    end: int


DECLARED, READ, WRITTEN = 0, 1, 2


def spans(points: Iterable[Point], open_end: int) -> list[Span]:
    """Step function of the points: each holds until another body is shown; body 0 tells of a deletion.

    >>> shown = [Point(1, WRITTEN, 7, 100, ""), Point(5, WRITTEN, 8, 200, ""), Point(3, READ, 9, 100, "")]
    >>> [(span.body, span.start, span.end) for span in spans(shown, 99)]
    [(100, 1, 5), (200, 5, 99)]
    """
    found: list[Span] = []
    last: Point | None = None  # the point that opened the current span
    newest: dict[int, Point] = {}
    for point in sorted(points):
        newest[point.at] = point  # the last of one instant counts
    for point in newest.values():
        if last is not None and point.body == last.body:
            continue
        if last is not None and last.body:
            found.append(Span(last.body, last.run, last.producer, last.at, point.at))
        last = point
    if last is not None and last.body:
        found.append(Span(last.body, last.run, last.producer, last.at, open_end))
    return found
