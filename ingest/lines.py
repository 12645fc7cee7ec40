"""Histories of facets across renames: one line of history, whatever it was called when.

At a rename the facets of the old name end, and go on under the new one until something else is told there. Symlinks
stay behind: they say where the old name led, and the new one leads elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from ingest.history import Point, Span, spans
from ingest.tables import OPEN_MICROS
from ingest.turns import Turns

Key = tuple[str, str]  # place, facet key
_INHERITED, _LEFT, _SWAPPED = -1, 3, 4  # order among the points of one instant: anything told comes between
_STAYS = "symlinks"


def line_of_history(
    entity: int, points: Mapping[int, Mapping[Key, list[Point]]], turns: Turns
) -> dict[Key, list[Span]]:
    """Spans of an entity by facet.

    Parameters
    ----------
    entity
        a dataset or job.
    points
        what was shown of it and of every name that was renamed to it, by entity.
    turns
        the renames.
    """
    found = _points(entity, OPEN_MICROS, points, turns)
    return {key: told for key, shown in found.items() if (told := spans(shown, OPEN_MICROS))}


def _points(
    entity: int, before: int, points: Mapping[int, Mapping[Key, list[Point]]], turns: Turns
) -> dict[Key, list[Point]]:
    """Points of an entity with what renames before an instant brought and took away.

    Each step back to a former name is a step back in time, so this ends, whatever rings the names form.
    """
    found = {key: list(shown) for key, shown in points.get(entity, {}).items()}
    leaves = sorted({at for at, _ in turns.outgoing(entity) if at < before})
    for at, old in turns.incoming(entity):
        if at >= before:
            continue
        order = _SWAPPED if at in leaves else _INHERITED
        for key, shown in _points(old, at, points, turns).items():
            last = spans((point for point in shown if point.at <= at), OPEN_MICROS)[-1:]
            if last and last[0].end == OPEN_MICROS and key[1] != _STAYS:
                span = last[0]
                found.setdefault(key, []).append(Point(at, order, span.run, span.body, span.producer))
    for at in leaves:
        for shown in found.values():
            if any(point.at <= at for point in shown):
                shown.append(Point(at, _LEFT, 0, 0, ""))
    return found
