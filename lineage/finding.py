"""What besides nodes has a name: data products, owners, runs. For search boxes; forgiving of typing errors.

Products and owners are few, so every name is compared. Runs are found by the beginning of their id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import numpy as np

from lineage.presence import absent

if TYPE_CHECKING:
    from lineage.answers import NodeRef
    from lineage.view import View

ALIKE = 0.72  # similarity from which a name counts as meant
_RUN = re.compile(r"[0-9a-f]{4,8}(-[0-9a-f-]*)?", re.IGNORECASE)
_RUNS = """
-- runs whose id begins with a text, newest first
SELECT run_id, job, state, coalesce(started_at, first_event) FROM run
WHERE starts_with(lower(run_id), $text) AND known_from <= $known AND known_to > $known AND first_event <= $at
ORDER BY 4 DESC, run_id LIMIT $many
"""


@dataclass(frozen=True, slots=True)
class Thing:
    """One hit: ``kind`` is product, owner or run; ``node`` a dataset of it or the job that ran, where there is one."""

    kind: str
    id: str
    name: str
    about: str
    node: str | None
    score: float


def find(view: View, text: str, limit: int = 6) -> tuple[Thing, ...]:
    """Products, owners and runs that fit a text, best first; nothing for a text of one letter.

    Parameters
    ----------
    limit
        greatest number of each kind.
    """
    wanted = text.strip().lower()
    if len(wanted) < 2:
        return ()
    found = [
        *_best(_products(view), wanted, limit),
        *_best(_owners(view), wanted, limit),
        *(_runs(view, wanted, limit) if _RUN.fullmatch(wanted) else ()),
    ]
    return tuple(sorted(found, key=lambda one: (-one.score, one.kind, one.id)))


def closeness(text: str, name: str) -> float:
    """How well a text fits a name: 1 the name itself, above 0.8 a part of it, below that a look-alike.

    >>> closeness("orders", "Orders"), closeness("oders", "orders") > ALIKE, closeness("x", "orders")
    (1.0, True, 0.0)
    """
    wanted, whole = text.lower(), name.lower()
    if wanted == whole:
        return 1.0
    if whole.startswith(wanted):
        return 0.9 + 0.09 * len(wanted) / len(whole)
    if wanted in whole:
        return 0.8 + 0.09 * len(wanted) / len(whole)
    if len(wanted) < 3:
        return 0.0
    parts = [whole, *re.findall(r"[^\W_]+", whole)]
    best = max((_alike(wanted, part) for part in parts), default=0.0)
    return 0.8 * best if best >= ALIKE else 0.0


def _alike(wanted: str, part: str) -> float:
    """Similarity of two words; those of very different length are not compared letter by letter."""
    if not 0.6 <= len(wanted) / max(len(part), 1) <= 1.7:
        return 0.0
    pair = SequenceMatcher(None, wanted, part, autojunk=False)
    if pair.real_quick_ratio() < ALIKE or pair.quick_ratio() < ALIKE:  # upper bounds
        return 0.0
    return pair.ratio()


def _best(things: Iterable[tuple[str, str, str, str, str | None]], wanted: str, limit: int) -> list[Thing]:
    scored = ((max(closeness(wanted, id), closeness(wanted, name)), kind, id, name, about, node)
              for kind, id, name, about, node in things)  # fmt: skip
    hits = [Thing(kind, id, name, about, node, score) for score, kind, id, name, about, node in scored if score > 0]
    return sorted(hits, key=lambda one: (-one.score, one.id))[:limit]


def _products(view: View) -> list[tuple[str, str, str, str, str | None]]:
    from lineage.contracts.overview import products

    return [
        ("product", p.id, p.name or p.id, f"{p.domain} · {p.owner or 'no owner told'}", next(iter(p.datasets), None))
        for p in products(view).products
    ]


def _owners(view: View) -> list[tuple[str, str, str, str, str | None]]:
    found: dict[str, int] = {}
    for owner, nodes in _there(view).items():
        count = sum(not view.hidden(i) for i in nodes) if view.restricted else len(nodes)
        if count:
            found[owner] = count
    for domain in view.instant.domains.domains.values():
        if domain.owner and view.actor.may_see(domain.name):
            found.setdefault(domain.owner, 0)
    return [
        ("owner", name, name, f"{count:,} datasets and jobs" if count else "owner of a domain", None)
        for name, count in found.items()
    ]


def _there(view: View) -> dict[str, list[int]]:
    """What each owner has of the datasets and jobs that were there; other instants share the labels."""
    owners: dict[str, list[int]] = view.instant.remember_label("nodes by owner", lambda: _owned(view))
    gone = absent(view.instant)
    return {owner: [i for i in nodes if i not in gone] for owner, nodes in owners.items()} if gone else owners


def _owned(view: View) -> dict[str, list[int]]:
    owners: dict[str, list[int]] = {}
    for i in np.flatnonzero(view.snapshot.kind != 2).tolist():
        owner = view.instant.owner(i)
        if owner:
            owners.setdefault(owner, []).append(i)
    return owners


def owned(view: View, owner: str) -> list[NodeRef]:
    """Datasets and jobs of an owner."""
    return [view.ref(i) for i in _there(view).get(owner, []) if not view.hidden(i)]


def _runs(view: View, wanted: str, limit: int) -> list[Thing]:
    asked = {"text": wanted.lower(), "at": view.snapshot.as_of, "known": view.snapshot.known_at, "many": limit}
    found = []
    for run_id, job, state, at in view.store.rows(_RUNS, asked):
        i = view.snapshot.index(job)
        if i is None or view.hidden(i):
            continue
        about = f"{(state or 'unknown').lower()} · {at:%Y-%m-%d %H:%M} · {view.snapshot.name(i)}"
        found.append(Thing("run", run_id, run_id, about, view.label(i), 0.95))
    return found
