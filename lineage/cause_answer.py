"""Causes in the words of an answer, and what fails at an instant when nobody says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lineage.cause import Explained, Group, causes, suspects
from lineage.shown import Shown

if TYPE_CHECKING:
    from lineage.graph.snapshot import CertaintyName
    from lineage.view import View

_FAILED_JOBS = """
-- jobs whose last ended run failed, at T as known at K
SELECT job FROM run WHERE ended_at <= $at AND known_from <= $known AND known_to > $known
GROUP BY job HAVING arg_max(state, ended_at) IN ('FAIL', 'ABORT')
"""
_FAILED_TESTS = """
-- datasets (and columns) with a test whose last result is a failure, at T as known at K
SELECT DISTINCT dataset, field FROM (
  SELECT dataset, field, name, arg_max(status, tested_at) AS status FROM assertion
  WHERE dataset IS NOT NULL AND tested_at <= $at AND known_from <= $known AND known_to > $known
  GROUP BY dataset, field, name
) WHERE status = 'fail'
"""


@dataclass(frozen=True, slots=True)
class FailingNode:
    """One failing node with its way from the cause; ``also``: further causes that explain it."""

    id: str
    kind: str
    hops: int
    path: tuple[str, ...]
    also: tuple[str, ...] = ()
    domain: str = ""
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class CauseGroup:
    """One cause with everything it explains; ``cycle``: failing nodes in a cycle with it."""

    cause: str
    kind: str
    explains: tuple[FailingNode, ...]
    cycle: tuple[str, ...] = ()
    domain: str = ""
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class SuspectNode:
    """A node that does not fail but lies upstream of several causes."""

    id: str
    kind: str
    explains: tuple[str, ...]
    hops: int
    domain: str = ""
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Causes(Shown):
    """Answer of ``cause``: the smallest set of failing nodes that explains all of them. ``failing`` counts them."""

    as_of: datetime
    known_at: datetime
    failing: int
    groups: tuple[CauseGroup, ...]
    suspects: tuple[SuspectNode, ...] = ()
    generated_by: str = ""
    fingerprint: str = ""

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("cause", "hops", "id", "kind", "domain", "owner", "path", "also")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per failing node, the cause of each group first."""
        found: list[tuple[Any, ...]] = []
        for g in self.groups:
            found.append((g.cause, 0, g.cause, g.kind, g.domain, g.owner, [g.cause], []))
            found += [(g.cause, 0, node, "", g.domain, None, [g.cause, node], []) for node in g.cycle]
            found += [
                (g.cause, n.hops, n.id, n.kind, n.domain, n.owner, list(n.path), list(n.also)) for n in g.explains
            ]
        return found

    def title(self) -> str:
        """How many nodes fail, and for how many reasons."""
        return f"{self.failing} failing, {len(self.groups)} {'cause' if len(self.groups) == 1 else 'causes'}"

    def remarks(self) -> tuple[str, ...]:
        """Healthy-looking common ancestors."""
        return tuple(f"upstream of {len(s.explains)} causes: {s.id}" for s in self.suspects)


def explain(
    view: View,
    failing: Collection[int] | None = None,
    *,
    passing: Iterable[int] = (),
    min_certainty: CertaintyName = "stale",
) -> Causes:
    """Causes of failing nodes, masked for the actor of the view.

    Parameters
    ----------
    failing
        dense indices; ``None``: what fails at the instant of the view (see :func:`failing_now`).
    passing
        nodes known to be well.
    """
    from lineage import __version__

    nodes = failing_now(view) if failing is None else sorted(set(failing))
    well = set(passing)
    groups = causes(view.snapshot, nodes, passing=well, min_certainty=min_certainty)
    found = suspects(view.snapshot, groups, passing=well, min_certainty=min_certainty, walk=view.walk)
    return Causes(
        as_of=view.as_of,
        known_at=view.known_at,
        failing=sum(1 + len(group.cycle) + len(group.members) for group in groups),
        groups=tuple(_group(view, group) for group in groups),
        suspects=tuple(
            SuspectNode(
                view.label(s.node), view.kind(s.node), _labels(view, s.explains), s.hops, view.domain(s.node),
                view.owner(s.node),
            )
            for s in found if not view.hidden(s.node)
        ),
        generated_by=f"meshline {__version__}",
        fingerprint=view.instant.fingerprint,
    )  # fmt: skip


def failing_now(view: View) -> list[int]:
    """Jobs whose last run failed and datasets with a failing test, at the instant of a view; hidden ones left out."""
    when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at}
    found = {view.snapshot.index(job) for (job,) in view.store.rows(_FAILED_JOBS, when)}
    found |= {view.snapshot.index(dataset) for dataset, _ in view.store.rows(_FAILED_TESTS, when)}
    return sorted(i for i in found if i is not None and not view.hidden(i))


def _group(view: View, group: Group) -> CauseGroup:
    return CauseGroup(
        cause=view.label(group.cause),
        kind=view.kind(group.cause),
        explains=tuple(_failing(view, one) for one in group.members),
        cycle=_labels(view, group.cycle),
        domain=view.domain(group.cause),
        owner=view.owner(group.cause),
    )


def _failing(view: View, one: Explained) -> FailingNode:
    return FailingNode(
        id=view.label(one.node),
        kind=view.kind(one.node),
        hops=one.hops - sum(view.as_one(a, b) for a, b in pairwise(one.path)),
        path=view.steps(one.path),
        also=_labels(view, one.also),
        domain=view.domain(one.node),
        owner=view.owner(one.node),
    )


def _labels(view: View, nodes: Sequence[int]) -> tuple[str, ...]:
    return tuple(view.label(i) for i in nodes)
