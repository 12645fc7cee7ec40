"""Change rehearsal: what would happen if nodes were dropped, renamed, retyped, retired or late, before it happens.

:func:`rehearse` is a question like impact, but it tells harm instead of reach: who loses all inputs, who some, which
columns can no longer be made, who reads without telling columns (so nobody can say), whose tests have nothing left to
test. Contract checks and the command ``meshline change`` build on it; what they may rely on:

* :class:`Change` (action, node, ``to``, ``hours``) and :func:`lineage.change_effects.effects` take dense indices and
  know nothing of actors;
* :func:`rehearse` takes a view and gives a :class:`Rehearsal`, masked for its actor, with one :class:`Effect` per node
  in a fixed order (harm, hops, id);
* ``Lineage.rehearse(drop=…, rename=…, retype=…, retire=…, late=…)`` does the same with node texts.

A product is retired as the list of its output datasets; several changes count together, so that a report whose two
inputs are retired loses all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby, pairwise
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lineage.answers import Certainty
from lineage.change_effects import HARMS, REMOVING, Action, Change, Harm, Hit, effects
from lineage.errors import UsageError, repeated
from lineage.filters import LEVELS
from lineage.graph.arrays import COLUMN, DATASET, JOB, KIND_NAMES
from lineage.presence import told_later
from lineage.renaming import new_name, taken
from lineage.shown import Shown
from lineage.svg import Arrow, Box

if TYPE_CHECKING:
    from lineage.view import View

__all__ = ["HARMS", "Action", "Change", "ChangeInfo", "Effect", "Harm", "OrphanedTest", "Rehearsal", "rehearse"]

_PLACE = {harm: place for place, harm in enumerate(HARMS)}
_TESTS = """
-- last result of each test of some datasets at T as known at K
SELECT dataset, field, name, arg_max(status, tested_at), arg_max(severity, tested_at), max(tested_at)
FROM assertion WHERE dataset IN (SELECT unnest($members::UBIGINT[])) AND tested_at <= $at
  AND known_from <= $known AND known_to > $known
GROUP BY dataset, field, name
"""


@dataclass(frozen=True, slots=True)
class ChangeInfo:
    """One change in the words of the answer."""

    action: Action
    node: str
    kind: str
    to: str | None = None
    hours: float | None = None
    domain: str = ""
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """One node that is hurt.

    ``harm``: ``all`` inputs are lost, ``some`` are, ``unknown`` (it reads without telling columns), or ``touched``:
    its inputs stay but what arrives is less, later or of another type. Inputs of a column are those that its value is
    made of; where only what filters, joins or groups it is gone, it and its dataset are ``touched`` and the job is
    ``some``. ``reader`` is ``direct`` when nothing lies between it and a changed node. ``use`` is ``indirect`` when the
    change only reaches it through filters, joins or groups.
    """

    id: str
    kind: str
    harm: Harm
    reader: Literal["direct", "transitive"]
    use: Literal["direct", "indirect"]
    hops: int
    certainty: Certainty
    path: tuple[str, ...]
    domain: str = ""
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class OrphanedTest:
    """One test with nothing left to test: what it tests is ``gone``, or can no longer be made (``unreachable``)."""

    dataset: str
    column: str
    name: str
    status: str
    why: Literal["gone", "unreachable"]
    severity: str | None = None
    tested_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rehearsal(Shown):
    """Answer of a change rehearsal. ``totals`` counts effects by harm, ``owners`` those of each known owner.

    ``verdict`` is ``found`` when anybody is hurt, ``none`` when nobody is, and ``blind`` when nobody was found and that
    says nothing; ``blind_spots`` tells why, for each change that reaches nobody. ``clashes`` are renames onto a name
    that something has already, a sentence each.
    """

    changes: tuple[ChangeInfo, ...]
    as_of: datetime
    known_at: datetime
    effects: tuple[Effect, ...]
    tests: tuple[OrphanedTest, ...]
    totals: dict[str, int] = field(default_factory=dict)
    by_domain: dict[str, int] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    generated_by: str = ""
    fingerprint: str = ""
    verdict: Literal["found", "none", "blind"] = "found"
    blind_spots: tuple[str, ...] = ()
    clashes: tuple[str, ...] = ()

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("harm", "hops", "id", "kind", "reader", "use", "certainty", "domain", "owner", "path")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per node that is hurt."""
        return [
            (e.harm, e.hops, e.id, e.kind, e.reader, e.use, e.certainty, e.domain, e.owner, list(e.path))
            for e in self.effects
        ]

    def title(self) -> str:
        """What was rehearsed."""
        words = [f"{c.action} {c.node}{f' to {c.to}' if c.to else ''}" for c in self.changes]
        return f"Rehearsal: {'; '.join(words)}"

    def remarks(self) -> tuple[str, ...]:
        """Totals, blind spots, clashes, orphaned tests, notes."""
        counts = [f"{harm}: {n}" for harm, n in self.totals.items()]
        nobody = "none found, but blind here" if self.verdict == "blind" else "none"
        tests = [f"test “{t.name}” of {t.column or t.dataset}: {t.why}" for t in self.tests]
        return (f"harm: {', '.join(counts) or nobody}", *self.blind_spots, *self.clashes, *tests, *self.notes)

    def drawing(self) -> tuple[list[Box], list[Arrow]]:
        """Changed nodes to the left, those that are hurt by hops."""
        boxes = {c.node: Box(c.node, c.node.rpartition(":")[2], 0, c.domain) for c in self.changes}
        arrows = {}
        for e in self.effects:
            boxes.setdefault(e.id, Box(e.id, e.id.rpartition(":")[2], max(e.hops, 1), e.domain))
            if len(e.path) > 1 and e.path[-2] in boxes:
                arrows[e.path[-2], e.id] = Arrow(e.path[-2], e.id, e.certainty)
        return list(boxes.values()), list(arrows.values())


def rehearse(view: View, changes: Sequence[Change]) -> Rehearsal:
    """What some changes together would do.

    Parameters
    ----------
    view
        the instant to rehearse in, and the actor.
    changes
        in any order; a node may not be changed twice in ways that exclude each other.

    Raises
    ------
    HiddenNodeError
        when the actor may not see a node that is to change.
    UsageError
        when a change makes no sense: no change at all, a type for a dataset, a delay that is not positive.
    """
    from lineage import __version__

    checked = _checked(view, changes)
    hits = effects(view.snapshot, checked)
    if view.restricted:
        hits = _without_lengths(view, hits)
    found = _rows(view, sorted(_effects(view, hits), key=_order))
    owners = Counter(e.owner for e in found if e.owner is not None)
    blind = _blind(view, checked, hits)
    return Rehearsal(
        changes=tuple(_info(view, change) for change in checked),
        as_of=view.as_of,
        known_at=view.known_at,
        effects=tuple(found),
        tests=tuple(_tests(view, checked, hits)),
        totals={harm: n for harm in HARMS if (n := sum(e.harm == harm for e in found))},
        by_domain=dict(sorted(Counter(e.domain for e in found).items(), key=lambda item: (-item[1], item[0]))),
        owners=dict(sorted(owners.items(), key=lambda item: (-item[1], item[0]))),
        notes=tuple(_notes(view, checked)),
        generated_by=f"meshline {__version__}",
        fingerprint=view.instant.fingerprint,
        verdict="found" if found else "blind" if blind else "none",
        blind_spots=tuple(blind),
        clashes=tuple(taken(view, checked).values()),
    )


def read_changes(
    view: View,
    drop: str | Iterable[str] = (),
    rename: Mapping[str, str] | None = None,
    retype: Mapping[str, str] | None = None,
    retire: str | Iterable[str] = (),
    late: Mapping[str, float] | None = None,
) -> list[Change]:
    """Changes from node texts; ``late`` gives hours.

    Raises
    ------
    UnknownNodeError
        when a text names no node or more than one.
    UsageError
        when something is no text, no list of texts, or not told for each node.
    """
    from lineage.asking import several
    from lineage.resolve import resolve

    for name, told in (("rename", rename), ("retype", retype), ("late", late)):
        if told is not None and not isinstance(told, Mapping):
            raise UsageError(f"{name}: {repeated(repr(told))} says of no node what it becomes; write {{node: …}}.")
    return [
        *(Change("drop", resolve(view, node)) for node in several(drop)),
        *(Change("rename", resolve(view, node), to=to) for node, to in (rename or {}).items()),
        *(Change("retype", resolve(view, node), to=to) for node, to in (retype or {}).items()),
        *(Change("retire", resolve(view, node)) for node in several(retire)),
        *(Change("late", resolve(view, node), hours=hours) for node, hours in (late or {}).items()),
    ]


# -- inside


def _checked(view: View, changes: Sequence[Change]) -> list[Change]:
    if not changes:
        raise UsageError("A rehearsal needs a change: drop, rename, retype, retire or late.")
    actions: dict[int, Action] = {}
    for change in changes:
        view.require(change.node)
        label, kind = view.label(change.node), view.kind(change.node)
        if actions.setdefault(change.node, change.action) != change.action:
            raise UsageError(f"{label}: {actions[change.node]} and {change.action} exclude each other.")
        if change.action == "retype" and kind != "column":
            raise UsageError(f"{label} is a {kind}; only a column has a type.")
        if change.action == "late" and kind == "column":
            raise UsageError(f"{label} is a column; datasets and jobs are late as a whole.")
        if change.action in ("rename", "retype") and not (isinstance(change.to, str) and change.to.strip()):
            raise UsageError(f"{label}: {change.action} needs what it becomes, as a text.")
        if change.action == "rename" and _same_name(view, change.node, (change.to or "").strip()):
            raise UsageError(f"{label}: it has the name {change.to} already; a rename needs another one.")
        if change.action == "late" and not (isinstance(change.hours, Real) and 0 < change.hours < float("inf")):
            raise UsageError(f"{label}: late needs a number of hours above 0, not {change.hours}.")
    return list(dict.fromkeys(changes))


def _same_name(view: View, node: int, to: str) -> bool:
    """Whether a node that is renamed would keep its name."""
    if view.kind(node) == "column":
        return to == view.snapshot.field(node)
    return new_name(view.snapshot, node, to) == view.snapshot.name(node)


def _info(view: View, change: Change) -> ChangeInfo:
    i = change.node
    return ChangeInfo(
        change.action, view.label(i), view.kind(i), change.to, change.hours, view.domain(i), view.owner(i)
    )


def _effects(view: View, hits: Mapping[int, Hit]) -> list[Effect]:
    """Hits in the words of the answer; each node is named once, for the paths of many share their beginnings."""
    steps = list({step for hit in hits.values() for step in hit.path} | hits.keys())
    named, domains, owners = view.many(steps)
    labels = dict(zip(steps, named, strict=True))
    told = dict(zip(steps, zip(domains, owners, strict=True), strict=True))
    kinds = dict(zip(steps, view.snapshot.kind[steps].tolist(), strict=True)) if steps else {}
    return [
        Effect(labels[node], KIND_NAMES[kinds[node]], harm, "direct" if hops <= 1 else "transitive",
               "indirect" if indirect else "direct", hops, LEVELS[grade],
               tuple([labels[step] for step in _shown(path, kinds)]), *told[node])
        for node, harm, hops, grade, path, indirect in hits.values()
    ]  # fmt: skip


def _without_lengths(view: View, hits: Mapping[int, Hit]) -> dict[int, Hit]:
    """Hits whose hops do not tell how many hidden nodes follow each other."""
    distances: dict[tuple[int, bool], dict[int, int]] = {}

    def far(source: int, i: int) -> int | None:
        column = view.kind(i) == "column"
        if (source, column) not in distances:
            walk = view.walk([source], "downstream", level="column" if column else "dataset")
            distances[source, column] = dict(zip(walk.nodes.tolist(), walk.hops.tolist(), strict=True))
        return distances[source, column].get(i)

    found = {}
    for node, hit in hits.items():
        job = view.kind(node) == "job" and len(hit.path) > 1
        end = hit.path[-2] if job else node
        hops = 0 if end == hit.path[0] else far(hit.path[0], end)
        if hops is None:  # reached in another way than by edges
            hops = hit.hops - job - sum(view.as_one(a, b) for a, b in pairwise(hit.path))
        found[node] = hit._replace(hops=min(hit.hops, hops + job))
    return found


def _rows(view: View, effects: list[Effect]) -> list[Effect]:
    """What a domain hides once for a kind, at its worst; hidden nodes that follow each other on a path are one step."""
    if not view.restricted:
        return effects
    rows = {(e.id, e.kind): e for e in reversed(effects)}
    kept = [e for e in effects if rows[e.id, e.kind] is e]
    return [replace(e, path=tuple(step for step, _ in groupby(e.path))) for e in kept]


def _shown(path: Sequence[int], kinds: Mapping[int, int]) -> Sequence[int]:
    """A path without the datasets that only are those of the column before, on the way to a job."""
    of = [kinds[step] for step in path]
    if DATASET not in of[1:-1] or COLUMN not in of:
        return path
    last = len(path) - 1
    return [s for at, s in enumerate(path) if not (0 < at < last and of[at] == DATASET and of[at - 1] == COLUMN)]


def _order(effect: Effect) -> tuple[int, int, bool, str, str]:
    return (_PLACE[effect.harm], effect.hops, effect.id.startswith("hidden ("), effect.kind, effect.id)


def _tests(view: View, changes: Sequence[Change], hits: Mapping[int, Hit]) -> list[OrphanedTest]:
    """Tests of what is gone or can no longer be made; those of hidden nodes are not told."""
    snapshot = view.snapshot
    gone = {change.node for change in changes if change.action in REMOVING}
    lost = {i for i, hit in hits.items() if hit.harm == "all"} - gone
    nodes = np.array(sorted(gone | lost), dtype=np.uint32)
    homes = np.unique(snapshot._nodes.datasets_of(nodes[snapshot.kind[nodes] != JOB])).tolist()
    members = snapshot.owners_of_ids([d for d in homes if not view.hidden(d)])
    if not members:
        return []
    when = {"members": list(members), "at": snapshot.as_of, "known": snapshot.known_at}
    found = []
    for node, column, name, status, severity, tested_at in view.store.rows(_TESTS, when):
        dataset = members[node]
        fields = {snapshot.field(c): c for c in snapshot.columns_of(dataset).tolist()} if column else {}
        tested = {dataset, fields.get(column, dataset)}
        why: Literal["gone", "unreachable"] | None = (
            "gone" if tested & gone else "unreachable" if tested & lost else None
        )
        if why is not None:
            label = view.label(fields[column]) if column in fields else column
            found.append(OrphanedTest(view.label(dataset), label, name, status, why, severity, tested_at))
    return sorted(found, key=lambda test: (test.dataset, test.column, test.name))


def _blind(view: View, changes: Sequence[Change], hits: Mapping[int, Hit]) -> list[str]:
    """Why it says nothing that nobody is hurt, for each change that hurts nobody (semantics 18)."""
    from lineage.impact import blind_at

    reached = {hit.path[0] for hit in hits.values()}
    found: dict[str, None] = {}
    for change in changes:
        renamed_job = change.action == "rename" and view.kind(change.node) == "job"  # moves no data, seen or not
        home = view.snapshot.dataset_of(change.node) if view.kind(change.node) == "column" else change.node
        if reached.isdisjoint((change.node, home)):  # of a column also who reads its dataset without telling columns
            spots = told_later(view, change.node) if renamed_job else blind_at(view, change.node)
            found.update(dict.fromkeys([*spots, *(() if renamed_job else view.instant.horizon_notes)]))
    return list(found)


def _notes(view: View, changes: Sequence[Change]) -> list[str]:
    renamed = [change.node for change in changes if change.action == "rename" and view.kind(change.node) == "job"]
    return [f"{view.label(i)}: another name of a job changes no data; its history goes on under a new node."
            for i in renamed]  # fmt: skip
