"""Aliases of datasets: what joins names, what might, and what people say about it (``lx.aliases``)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from lineage.actor import LOCAL, Actor
from lineage.answers import Direction
from lineage.asking import When
from lineage.errors import UsageError
from lineage.hand.marks import Identifier, Mark, as_marks, close, pair, said, say
from lineage.shown import Shown
from lineage.spelling import ACTING, SUGGESTING, suggested, usual
from lineage.store.version import bump_version
from lineage.times import OPEN_END, utcnow

if TYPE_CHECKING:
    from lineage.engine import Lineage
    from lineage.view import View

_SIDES: tuple[Direction, ...] = ("upstream", "downstream")
_NAMED = 20  # nodes named in a preview
_OFF = "SELECT rule FROM alias_rule WHERE known_from <= $known AND $known < known_to ORDER BY rule"
_DATASETS = (
    "SELECT id, namespace, name FROM node WHERE kind = 'dataset' AND known_from <= $known ORDER BY namespace, name"
)


@dataclass(frozen=True, slots=True)
class AliasGroup:
    """Identifiers that are one dataset; ``id`` is the preferred one, ``evidence`` what joins them."""

    id: str
    members: tuple[str, ...]
    evidence: tuple[str, ...]  # symlink, rename, rule or manual


@dataclass(frozen=True, slots=True)
class AliasList(Shown):
    """Groups of more than one identifier, and what people said."""

    groups: tuple[AliasGroup, ...]
    marks: tuple[Mark, ...]
    rules_off: tuple[str, ...] = ()

    own_types = (("evidence", "texts"),)

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("id", "alias", "evidence")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per alias."""
        return [(g.id, m, list(g.evidence)) for g in self.groups for m in g.members if m != g.id]

    def title(self) -> str:
        """How many there are."""
        return f"{len(self.groups)} datasets with more than one name"

    def remarks(self) -> tuple[str, ...]:
        """What people said."""
        sign = {"manual": "=", "veto": "≠"}
        return tuple(f"{m.left} {sign[m.sort]} {m.right} ({m.actor}: {m.reason})" for m in self.marks)


@dataclass(frozen=True, slots=True)
class Preview:
    """What joining two datasets would do; nothing is changed by it.

    ``edges`` is how many edges end or begin at either of them; ``upstream`` and ``downstream`` are what the left one
    and the right one bring together: everything upstream of one would be upstream of everything downstream of the
    other.
    """

    left: str
    right: str
    joined: bool  # they are one dataset already
    edges: tuple[int, int] = (0, 0)
    upstream: tuple[int, int] = (0, 0)
    downstream: tuple[int, int] = (0, 0)
    nodes: tuple[str, ...] = ()  # direct neighbours of both


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Datasets that a rule takes for one. Accept with :meth:`Aliases.add`."""

    rule: str
    name: str  # the spelling they have in common
    members: tuple[str, ...]
    edges: int  # edges at all members


@dataclass(frozen=True, slots=True)
class Suggestions(Shown):
    """Suggestions, those with most edges first."""

    items: tuple[Suggestion, ...]
    partial: bool = False

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("rule", "name", "edges", "members")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per suggestion."""
        return [(one.rule, one.name, one.edges, list(one.members)) for one in self.items]

    def title(self) -> str:
        """How many there are."""
        return f"{len(self.items)} suggestions"


class Aliases:
    """Questions and acts about names of datasets.

    Acts need a database that is open for writing. ``actor`` is who acts, ``reason`` goes to the audit log.
    """

    def __init__(self, lx: Lineage) -> None:
        self._lx = lx

    def list(self, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> AliasList:
        """Groups of names that are one dataset, with what joins them."""
        view = self._lx.view(as_of, known_at, actor)
        groups = []
        for i, evidence in _evidence(view).items():
            members = (view.label(i), *view.aliases(i))
            if len(members) > 1 and not view.hidden(i):
                groups.append(AliasGroup(members[0], members, tuple(sorted(evidence))))
        return AliasList(tuple(sorted(groups, key=lambda g: g.id)), as_marks(view, "alias_mark"), _off(view))

    def preview(self, left: str, right: str, *, actor: Actor = LOCAL) -> Preview:
        """What joining two datasets would connect."""
        view = self._lx.view(actor=actor)
        one, other = pair(view, left, right)
        i, j = (view.snapshot.index(end.id) for end in (one, other))
        assert i is not None and j is not None
        if i == j:
            return Preview(one.text, other.text, joined=True)
        around = {
            end
            for k, side in product((i, j), _SIDES)
            for edge in view.snapshot.neighbours(k, side)
            for end in (edge.src, edge.dst)
        }
        up, down = ((_reached(view, i, side), _reached(view, j, side)) for side in _SIDES)
        return Preview(
            one.text, other.text, False, (_edges(view, i), _edges(view, j)), up, down,
            tuple(sorted(view.label(k) for k in around - {i, j} if not view.hidden(k))[:_NAMED]),
        )  # fmt: skip

    def suggest(self, *, limit: int = 100, actor: Actor = LOCAL) -> Suggestions:
        """Names that may mean one dataset, by the rules that do not act; not those that people keep apart."""
        view = self._lx.view(actor=actor)
        apart = {frozenset(row[:2]) for row in said(view.store, "alias_mark") if row[2] == "veto"}
        found = []
        for (rule, name), nodes in _alike(view, _off(view)).items():
            members = {i: node for node in nodes if (i := view.snapshot.index(node)) is not None and not view.hidden(i)}
            kept = set(members.values())
            kept -= {node for two in apart if two <= kept for node in list(two)[1:]}
            if len(kept) > 1:
                places = sorted(i for i, node in members.items() if node in kept)
                texts = tuple(view.snapshot.text(i) for i in places)
                found.append(Suggestion(rule, name, texts, sum(_edges(view, i) for i in places)))
        found.sort(key=lambda one: (-one.edges, one.rule, one.name))
        return Suggestions(tuple(found[:limit]), partial=len(found) > limit)

    def add(self, left: str, right: str, *, reason: str, actor: Actor = LOCAL) -> AliasList:
        """Say that two names are one dataset; where they were kept apart by hand, that is taken back.

        Raises
        ------
        UsageError
            when they are one dataset already, or no reason is given.
        """
        view, one, other = self._pair(left, right, actor)
        texts = (one.text, other.text)
        vetoes = _between(view, one, other, "veto")
        if vetoes:
            close(view.store, "alias_mark", vetoes, actor=actor.name, reason=reason, action="alias.lift", texts=texts)
            view = self._lx.view(actor=actor)
        if view.snapshot.index(one.id) != view.snapshot.index(other.id):
            say(
                view.store, "alias_mark", [(one.id, other.id)], "manual",
                actor=actor.name, reason=reason, action="alias.add", texts=texts,
            )  # fmt: skip
        elif not vetoes:
            raise UsageError(f"{one.text} and {other.text} are one dataset already.")
        return self.list(actor=actor)

    def remove(self, left: str, right: str, *, reason: str, actor: Actor = LOCAL) -> AliasList:
        """Say that two names are not one dataset.

        What was said by hand is taken back, and answers are what they were before. What evidence joins is kept apart
        by a veto, which later evidence cannot undo; :meth:`add` takes it back.

        Raises
        ------
        UsageError
            when they are two datasets already, or no reason is given.
        """
        view, one, other = self._pair(left, right, actor)
        texts = (one.text, other.text)
        if view.snapshot.index(one.id) != view.snapshot.index(other.id):
            raise UsageError(f"{one.text} and {other.text} are two datasets already.")
        manual = _between(view, one, other, "manual")
        if manual:
            close(view.store, "alias_mark", manual, actor=actor.name, reason=reason, action="alias.remove", texts=texts)
        else:
            say(
                view.store, "alias_mark", [(one.id, other.id)], "veto",
                actor=actor.name, reason=reason, action="alias.veto", texts=texts,
            )  # fmt: skip
        return self.list(actor=actor)

    def reject(self, left: str, right: str, *, reason: str, actor: Actor = LOCAL) -> AliasList:
        """Say of two datasets that look like one that they are not: no longer suggested, and no later evidence joins
        them. :meth:`lift` takes it back.

        Raises
        ------
        UsageError
            when they are one dataset (:meth:`remove` parts them), are kept apart already, or no reason is given.
        """
        view, one, other = self._pair(left, right, actor)
        if view.snapshot.index(one.id) == view.snapshot.index(other.id):
            raise UsageError(f"{one.text} and {other.text} are one dataset. Part them with: meshline alias remove")
        if _between(view, one, other, "veto"):
            raise UsageError(f"{one.text} and {other.text} are kept apart already.")
        say(
            view.store, "alias_mark", [(one.id, other.id)], "veto",
            actor=actor.name, reason=reason, action="alias.reject", texts=(one.text, other.text),
        )  # fmt: skip
        return self.list(actor=actor)

    def lift(self, left: str, right: str, *, reason: str, actor: Actor = LOCAL) -> AliasList:
        """Take back that two names are kept apart, and say nothing in its place: evidence and suggestions count again.

        Raises
        ------
        UsageError
            when nobody keeps them apart, or no reason is given.
        """
        view, one, other = self._pair(left, right, actor)
        vetoes = _between(view, one, other, "veto")
        if not vetoes:
            raise UsageError(f"Nobody keeps {one.text} and {other.text} apart.")
        texts = (one.text, other.text)
        close(view.store, "alias_mark", vetoes, actor=actor.name, reason=reason, action="alias.lift", texts=texts)
        return self.list(actor=actor)

    def switch(self, rule: str, on: bool, *, actor: Actor = LOCAL) -> tuple[str, ...]:
        """Switch an acting rule on or off for the whole database from now on; returns the rules that are off.

        What was known before stays what it was: an answer with an earlier ``known_at`` follows the rules of then.

        Raises
        ------
        UsageError
            for a rule that does not act.
        """
        from lineage.audit import record

        if rule not in ACTING:
            raise UsageError(
                f"“{rule}” is no rule that acts ({', '.join(ACTING)}); {', '.join(SUGGESTING)} only suggest."
            )
        moment = utcnow()
        with self._lx.store.transaction() as cursor:
            is_off = cursor.execute("SELECT 1 FROM alias_rule WHERE rule = ? AND known_to = ?", [rule, OPEN_END])
            if bool(is_off.fetchall()) == on:
                if on:
                    statement = "UPDATE alias_rule SET known_to = ? WHERE rule = ? AND known_to = ?"
                    cursor.execute(statement, [moment, rule, OPEN_END])
                else:
                    cursor.execute("INSERT INTO alias_rule VALUES (?, ?, ?, ?)", [rule, actor.name, moment, OPEN_END])
                record(cursor, actor=actor.name, action="alias.rule", resource=rule, payload={"on": on}, at=moment)
                bump_version(cursor)
        return tuple(row[0] for row in self._lx.store.rows(_OFF, {"known": utcnow()}))

    def _pair(self, left: str, right: str, actor: Actor) -> tuple[View, Identifier, Identifier]:
        view = self._lx.view(actor=actor)
        return view, *pair(view, left, right)


def _off(view: View) -> tuple[str, ...]:
    """Rules that were switched off at the known time of a view."""
    return tuple(row[0] for row in view.store.rows(_OFF, {"known": view.snapshot.known_at}))


def _between(view: View, one: Identifier, other: Identifier, sort: str) -> list[tuple[int, int, str]]:
    ends = {one.id, other.id}
    return [(a, b, basis) for a, b, basis, *_ in said(view.store, "alias_mark") if {a, b} == ends and basis == sort]


def _evidence(view: View) -> dict[int, set[str]]:
    """What joins each group, by dense index."""
    from lineage.graph import sql

    found: dict[int, set[str]] = {}
    when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at}
    for a, b, _, basis in view.store.rows(sql.ALIASES, when):
        i, j = view.snapshot.index(a), view.snapshot.index(b)
        if i is not None and i == j and a != b:
            found.setdefault(i, set()).add(basis)
    return found


def _alike(view: View, off: tuple[str, ...]) -> dict[tuple[str, str], set[int]]:
    """Datasets by rule and common spelling."""
    found: dict[tuple[str, str], set[int]] = {}
    spelled: dict[tuple[str, str], int] = {}
    for node, namespace, name in view.store.rows(_DATASETS, {"known": view.snapshot.known_at}):
        spelled[namespace, name] = node
        plain, rules = usual(namespace, name)
        if set(rules) & set(off):
            found.setdefault(("+".join(rules), ":".join(plain)), set()).add(node)
        for rule, other in suggested(namespace, name).items():
            found.setdefault((rule, ":".join(other)), set()).add(node)
    rules_found = {rule for rule, _ in found}
    for (namespace, name), node in spelled.items():
        for one in {(namespace, name), usual(namespace, name)[0]}:  # a table may itself have another spelling
            for rule in rules_found:
                if (rule, ":".join(one)) in found:
                    found[rule, ":".join(one)].add(node)
    return found


def _edges(view: View, i: int) -> int:
    """How many edges end or begin at a dataset, those to hidden nodes left out."""
    edges = [edge for side in _SIDES for edge in view.snapshot.neighbours(i, side)]
    return sum(not view.hidden(edge.dst if edge.src == i else edge.src) for edge in edges)


def _reached(view: View, i: int, side: Direction) -> int:
    return sum(not view.hidden(int(node)) for node in view.snapshot.walk([i], side).nodes)
