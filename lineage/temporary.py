"""Temporary datasets taken out of an answer, with the bridge shown: a → tmp → b becomes one step from a to b.

A dataset is temporary when its producer says so (``datasetType`` with the sub-type TEMPORARY, or a namespace
``inmemory://``), when its name does (:data:`PATTERNS`), when it has the tag ``temporary``, or when one job alone writes
and reads it: what never leaves the job that made it is of no use to anybody else.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from lineage.answers import Link
from lineage.columns import entries
from lineage.filters import LEVELS
from lineage.graph.arrays import DATASET
from lineage.levels import Found

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lineage.view import Instant, View

PATTERNS = (
    "*__dbt_tmp", "*_tmp", "*.tmp", "tmp_*", "*.tmp_*", "*/tmp_*", "temp_*", "*.temp_*", "pg_temp*", "*/_temporary/*",
    "*_temporary", "#*", "*.#*",
)  # fmt: skip
"""Names of temporary datasets, as shell patterns over the name in lower case."""

_TYPES = """
-- what the producer said of the type of each dataset at T as known at K
SELECT f.entity, b.json FROM facet f JOIN facet_body b USING (body) WHERE f.key = 'datasetType'
  AND f.valid_from <= $at AND f.valid_to > $at AND f.known_from <= $known AND f.known_to > $known
"""
_IN_MEMORY = "inmemory://"


def temporary(instant: Instant) -> frozenset[int]:
    """Dense indices of the temporary datasets of an instant."""
    return instant.remember("temporary", lambda: _find(instant))


def _find(instant: Instant) -> frozenset[int]:
    snapshot = instant.snapshot
    found = _told(instant)
    for i in np.flatnonzero(snapshot.kind == DATASET).tolist():
        name = snapshot.name(i).lower()
        jobs = set(snapshot.writers(i).tolist())
        alone = len(jobs) == 1 and set(snapshot.readers(i).tolist()) == jobs
        told = snapshot.namespace(i).lower().startswith(_IN_MEMORY)
        if told or alone or any(fnmatchcase(name, pattern) for pattern in PATTERNS) or _tagged(instant, i):
            found.add(i)
    return frozenset(found)


def _told(instant: Instant) -> set[int]:
    """Datasets that their producer calls temporary."""
    snapshot, found = instant.snapshot, set()
    for entity, text in instant.store.rows(_TYPES, {"at": snapshot.as_of, "known": snapshot.known_at}):
        i, body = snapshot.index(entity), json.loads(text)
        if i is not None and isinstance(body, dict) and str(body.get("subType")).upper() == "TEMPORARY":
            found.add(i)
    return found


def _tagged(instant: Instant, i: int) -> bool:
    tags = (tag for facets in instant.facets_of.get(i, ()) for tag in entries(facets.get("tags"), "tags"))
    return any(str(tag.get("key", "")).lower() == "temporary" and not tag.get("field") for tag in tags)


def contract(
    view: View, source: int, direction: str, depth: int | None, found: dict[int, Found], worst: int
) -> tuple[dict[int, Found], frozenset[int]]:
    """An answer without temporary datasets (and their columns), and the nodes right behind its depth.

    Parameters
    ----------
    depth
        greatest number of hops, those through temporary datasets not counted.
    found
        everything that was reached without a limit.
    worst
        least certainty (position in ``LEVELS``) of an edge that is followed.
    """
    gone = temporary(view.instant) - {_home(view, source)}
    distance = _distances(view, source, direction, set(found), gone, worst)
    kept: dict[int, Found] = {}
    behind: set[int] = set()
    for i, one in found.items():
        if _home(view, i) in gone:
            continue
        hops = distance.get(i, one.hops)
        if view.kind(i) == "job":
            beside = view.snapshot.inputs(i) if direction == "downstream" else view.snapshot.outputs(i)
            near = [distance[d] + (direction == "downstream") for d in beside.tolist() if d in distance]
            hops = min(near, default=one.hops)
        if depth is not None and hops > depth:
            behind.update({i} if hops == depth + 1 else ())
            continue
        bridge = tuple(step for step in one.path if _home(view, step) in gone)
        path = tuple(s for s in one.path if s not in bridge)
        kept[i] = replace(one, hops=hops, path=path, bridge=bridge, whole=one.path if bridge else ())
    return kept, frozenset(behind)


def bridges(view: View, found: Iterable[tuple[tuple[int, ...], int]]) -> list[Link]:
    """The steps of some paths (with their certainty) that lead through temporary datasets, as links."""
    gone = temporary(view.instant)
    links: dict[tuple[int, int], Link] = {}
    for path, certainty in found:
        stays = [at for at, step in enumerate(path) if _home(view, step) not in gone]
        for a, b in pairwise(stays):
            if b > a + 1:
                pair = (path[a], path[b])
                links.setdefault(
                    pair, Link(view.label(path[a]), view.label(path[b]), "lineage", LEVELS[certainty], "bridge")
                )
    return list(links.values())


def _distances(
    view: View, source: int, direction: str, inside: set[int], gone: frozenset[int], worst: int
) -> dict[int, int]:
    """Hops from the source when a step into a temporary dataset costs nothing (breadth first, with two costs)."""
    down = direction == "downstream"
    starts = {source: 0}
    if view.kind(source) == "job":
        moved = view.snapshot.outputs(source) if down else view.snapshot.inputs(source)
        starts = {int(i): 0 if down or int(i) in gone else 1 for i in moved}
    distance = dict(starts)
    waiting = deque(sorted(starts, key=lambda i: starts[i]))
    while waiting:
        i = waiting.popleft()
        for edge in view.snapshot.neighbours(i, "downstream" if down else "upstream"):
            other = edge.dst if down else edge.src
            cost = int(_home(view, other) not in gone and not view.as_one(i, other))
            hops = distance[i] + cost
            if other in inside and LEVELS.index(edge.certainty) <= worst and hops < distance.get(other, hops + 1):
                distance[other] = hops
                (waiting.append if cost else waiting.appendleft)(other)
    return distance


def _home(view: View, i: int) -> int:
    return view.snapshot.dataset_of(i) if view.kind(i) == "column" else i
