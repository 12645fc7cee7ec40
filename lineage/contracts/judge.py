"""A change of a contract, or of a node, against who really reads what (``meshline change``).

The classifier says what a change means on paper; the graph says whom it meets. A column that nobody reads can go; a
column that is added can break who copies every column (``SELECT *``) into a table with a contract of its own; a wider
type breaks a narrower column downstream that somebody promised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lineage.change import Effect, rehearse
from lineage.change_effects import Change
from lineage.contracts.binding import bind, bindings
from lineage.contracts.changes import (
    WORST,
    ContractChange,
    Severity,
    bump,
    classify,
    enough,
    required_bump,
    worst,
)
from lineage.contracts.clashes import clashes
from lineage.contracts.far import LIMIT, far_effects
from lineage.contracts.model import Contract
from lineage.contracts.newly import with_clashes
from lineage.contracts.node_clashes import node_clashes
from lineage.contracts.report import ChangeReport, Consumer, Finding, Judged
from lineage.contracts.signoff import nobody, smallest
from lineage.contracts.types import Step, compare
from lineage.renaming import taken

if TYPE_CHECKING:
    from lineage.view import View

_SQL = """
-- SQL of some jobs at T as known at K
SELECT f.entity, b.json FROM facet f JOIN facet_body b ON b.body = f.body
WHERE f.key = 'sql' AND f.entity IN (SELECT unnest($jobs::UBIGINT[]))
  AND f.valid_from <= $at AND f.valid_to > $at AND f.known_from <= $known AND f.known_to > $known
"""
_FEW = 3  # columns from which taking them all looks like SELECT *
_TESTED = """
-- columns that each job tested of a dataset, as known at K
SELECT job, list(DISTINCT field) FROM assertion
WHERE dataset IN (SELECT unnest($members::UBIGINT[])) AND job IS NOT NULL
  AND known_from <= $known AND known_to > $known
GROUP BY job
"""
_STAR = re.compile(r"select\s+(?:distinct\s+)?(?:\w+\.)?\*", re.IGNORECASE)
_REMOVING = ("column.removed", "column.renamed", "object.removed", "object.moved")
_GRAPH = (
    *_REMOVING, "type.", "required.dropped", "unique.dropped", "primaryKey.dropped", "enum.", "limit.", "partition",
    "classification.raised", "pii.added", "column.moved", "quality.removed", "quality.loosened",
)  # fmt: skip


def judge_contract(view: View, old: Contract, new: Contract) -> ChangeReport:
    """Two versions of a contract, joined with the lineage of the view."""
    changes = classify(old, new)
    homes = {thing.name: bind(view.instant, new, thing)[0] for thing in new.things}
    homes = {**{thing.name: bind(view.instant, old, thing)[0] for thing in old.things}, **homes}
    judged = [_judge(view, change, homes.get(change.thing)) for change in changes]
    found, errors = clashes(view, old, new)
    judged = with_clashes(view, judged, found)
    required, step = required_bump(changes), bump(old.version, new.version)
    nodes = {name: node for name, node in homes.items() if node is not None}
    notes = [f"{name}: binds no dataset that was ever seen, so nobody can be told" for name in homes.keys() - nodes]
    report = _report(view, new.name or new.id, judged, list(nodes.values()), [*notes, *errors],
                     (old.version, new.version, required, step, enough(step, required)))  # fmt: skip
    return replace(report, clashes=found)


def judge_nodes(view: View, changes: Sequence[Change], products: Sequence[str] = ()) -> ChangeReport:
    """Changes of nodes, all together: drop, rename, retype, retire, late. ``products`` retire with some of them."""
    answer, names = rehearse(view, changes), taken(view, changes)
    judged = []
    for change, info in zip(changes, answer.changes, strict=False):
        own = rehearse(view, [change]) if len(changes) > 1 else answer
        consumers = _consumers(view, own.effects, change.action)
        promises = _late(view, info.node, own.effects, change.hours) if change.action == "late" else ()
        to = info.to or (f"{change.hours:g} hours late" if change.hours else "")
        blind = own.blind_spots if not consumers else ()
        clash = names.get(change.node, "")
        severity = Severity.breaking if promises or clash else _of_harm((c.harm for c in consumers), blind=bool(blind))
        formal = Severity.risky if change.action == "late" else Severity.breaking
        what = ContractChange(f"node.{change.action}", info.node, info.node, to, formal, Severity.safe)
        finding = "as formal" if clash else _finding(formal, severity, consumers, blind)
        notes = (*promises, *([clash] if clash else []), *blind)
        judged.append(Judged(what, severity, finding, consumers, notes, blind, clash))
    subject = ", ".join(f"{info.action} {info.node}" for info in answer.changes)
    nodes = [change.node for change in changes]
    tests = [f"test “{t.name}” of {t.column or t.dataset} has nothing left to test" for t in answer.tests]
    found, unjudged = node_clashes(view, changes, products)
    judged = with_clashes(view, judged, found)
    said = [*tests, *answer.notes, *unjudged]
    return replace(_report(view, subject, judged, nodes, said, ("", "", "none", None, True)), clashes=found)


# -- one change


def _judge(view: View, change: ContractChange, home: int | None) -> Judged:
    if home is None or view.hidden(home):
        return Judged(change, change.consumer, "as formal" if not change.thing else "cannot tell")
    if change.what in ("column.added", "object.added"):
        return _added(view, change, home)
    if not change.what.startswith(_GRAPH):
        return Judged(change, change.consumer, "as formal")
    node = _node(view, home, change)
    if node is None:
        dropped = rehearse(view, [Change("drop", home)])
        silent = _consumers(view, [e for e in dropped.effects if e.hops <= 1], "drop")
        finding: Finding = "cannot tell" if silent or dropped.blind_spots else "really harmless"
        real = Severity.safe if finding == "really harmless" else change.consumer
        told = finding if change.consumer is Severity.breaking else "as formal"
        return Judged(change, real, told, silent, dropped.blind_spots, dropped.blind_spots)
    effects, blind = _effects(view, change, node)
    consumers = _consumers(view, _without_other_tests(view, effects, home, change), change.what)
    narrow = _narrower(view, change, node) if change.what.startswith("type.") else ()
    if narrow:
        return Judged(change, Severity.breaking, "really breaking" if change.consumer is not Severity.breaking
                      else "as formal", consumers, narrow)  # fmt: skip
    if blind and not consumers:
        return Judged(change, change.consumer, "cannot tell", consumers, blind, blind)
    real = change.consumer if consumers else min(Severity.safe, change.consumer, key=lambda s: -WORST.index(s))
    return Judged(change, real, _finding(change.consumer, real, consumers), consumers)


def _effects(view: View, change: ContractChange, node: int) -> tuple[Sequence[Effect], tuple[str, ...]]:
    """Who is hurt, and why it says nothing when nobody is."""
    if view.kind(node) == "column":
        walk = view.walk([node], "downstream", level="column")
        if len(walk.nodes) > LIMIT:
            return far_effects(view, node, walk), ()
    answer = rehearse(view, [_as_node_change(change, node, view)])
    return answer.effects, answer.blind_spots


def _without_other_tests(view: View, effects: Iterable[Effect], home: int, change: ContractChange) -> list[Effect]:
    """Effects without jobs that only test the dataset, and other columns of it: tests tell what they read."""
    found = list(effects)
    if not change.column:
        return found
    when = {"members": view.snapshot.members(home), "known": view.snapshot.known_at}
    elsewhere: set[str] = set()
    for job, fields in view.store.rows(_TESTED, when):
        i = view.snapshot.index(job)
        low = {str(name or "").lower() for name in fields}
        if i is not None and not view.hidden(i) and not len(view.snapshot.outputs(i)) and "" not in low:
            elsewhere.update(() if change.column.lower() in low else (view.label(i),))
    return [e for e in found if not (e.harm == "unknown" and e.id in elsewhere)]


def _finding(formal: Severity, real: Severity, consumers: Sequence[Consumer], blind: Sequence[str] = ()) -> Finding:
    if blind and real is not Severity.breaking:
        return "cannot tell"
    if formal is Severity.breaking and not consumers:
        return "as formal" if real is Severity.breaking else "really harmless"
    if consumers and all(c.harm == "unknown" for c in consumers):
        return "cannot tell"
    return "really breaking" if real is Severity.breaking and formal is not Severity.breaking else "as formal"


def _as_node_change(change: ContractChange, node: int, view: View) -> Change:
    if change.what == "column.renamed" and view.kind(node) == "column":
        return Change("rename", node, to=change.new)
    if change.what in _REMOVING:
        return Change("drop", node)
    if view.kind(node) == "column":
        return Change("retype", node, to=change.new or "changed")
    return Change("late", node, hours=1.0)  # keeps every input and touches every reader


def _node(view: View, home: int, change: ContractChange) -> int | None:
    if not change.column:
        return home
    low = change.column.lower()
    columns = view.snapshot.columns_of(home).tolist()
    return next((c for c in columns if view.snapshot.field(c).lower() == low), None)


def _added(view: View, change: ContractChange, home: int) -> Judged:
    """A new column: harmless, but for those who copy every column."""
    if change.what == "object.added":
        return Judged(change, change.consumer, "as formal")
    jobs = [job for job in view.snapshot.readers(home).tolist() if not view.hidden(job)]
    ids = {int(view.snapshot.ids[job]): job for job in jobs}
    when = {"jobs": list(ids), "at": view.snapshot.as_of, "known": view.snapshot.known_at}
    consumers = []
    for entity, text in view.store.rows(_SQL, when) if ids else []:
        query = json.loads(text or "{}").get("query") if text else None
        if isinstance(query, str) and _STAR.search(query) and _from(query, view.snapshot.name(home)):
            job = ids[entity]
            for target in view.snapshot.outputs(job).tolist():
                consumers.append(_star(view, home, job, target))
    consumers += _copiers(view, home, {c.id for c in consumers})
    if not consumers:
        return Judged(change, change.consumer, "as formal")
    ordered = tuple(sorted(consumers, key=lambda c: c.id))
    broken = any(c.contracts or c.harm == "all columns" for c in ordered)
    real: Severity = Severity.breaking if broken else Severity.risky
    notes = tuple(f"{c.id}: {c.why}" for c in ordered)
    return Judged(change, real, "really breaking" if broken else "as formal", ordered, notes)


def _copiers(view: View, home: int, known: set[str]) -> list[Consumer]:
    """Datasets into which every column arrives under its own name: what a SELECT * looks like from outside."""
    snapshot = view.snapshot
    columns = snapshot.columns_of(home).tolist()
    if len(columns) < _FEW:
        return []
    arrived: dict[int, set[int]] = {}
    for column in columns:
        for edge in snapshot.neighbours(column, "downstream"):
            if (
                snapshot.kind[edge.dst] == 2
                and not edge.indirect
                and snapshot.field(edge.dst) == snapshot.field(column)
            ):
                arrived.setdefault(snapshot.dataset_of(edge.dst), set()).add(column)
    found = []
    for target, came in arrived.items():
        if len(came) == len(columns) and not view.hidden(target) and view.label(target) not in known and target != home:
            label = view.label(target)
            found.append(Consumer(label, "dataset", "same columns", "direct", "direct", 1, "certain",
                                  f"takes all {len(came)} columns under their names", (view.label(home), label),
                                  _contracts(view, target), view.domain(target), view.owner(target)))  # fmt: skip
    return found


def _from(query: str, name: str) -> bool:
    """Whether a star stands over this table: its last name comes in a FROM or JOIN."""
    last = re.escape(name.rpartition(".")[2].rpartition("/")[2])
    return re.search(rf"\b(?:from|join)\s+[\w.\"`\[\]]*\b{last}\b", query, re.IGNORECASE) is not None


def _star(view: View, home: int, job: int, target: int) -> Consumer:
    label = view.label(target)
    return Consumer(label, "dataset", "all columns", "direct", "direct", 1, "certain", "copies every column",
                    (view.label(home), view.label(job), label), _contracts(view, target), view.domain(target),
                    view.owner(target))  # fmt: skip


def _narrower(view: View, change: ContractChange, node: int) -> tuple[str, ...]:
    """Promised columns downstream, on a direct way, that hold less than the new type."""
    found = bindings(view.instant)
    walk = view.snapshot.walk([node], "downstream", level="column")
    notes = []
    for i, indirect in zip(walk.nodes.tolist(), walk.indirect.tolist(), strict=True):
        if indirect or view.kind(i) != "column" or view.hidden(i):
            continue
        for one in found.by_node.get(view.snapshot.dataset_of(i), ()):
            column = one.thing.column(view.snapshot.field(i))
            if column and column.type and compare(change.new, column.type) is Step.narrower:
                notes.append(
                    f"{view.label(i)}: {one.contract.title} promises {column.type}, narrower than {change.new}"
                )
    return tuple(sorted(notes))


def _late(view: View, node: str, effects: Iterable[Effect], hours: float | None) -> tuple[str, ...]:
    """Promises of freshness that a delay breaks, of what is late itself and downstream."""
    from lineage.contracts.periods import spoken

    labels = {node, *(effect.id for effect in effects)}
    notes = []
    for one in bindings(view.instant).bound:
        sla = one.contract.sla("latency", "freshness", "frequency")
        if sla and sla.seconds is not None and view.label(one.node) in labels and (hours or 0) * 3_600 > sla.seconds:
            notes.append(f"{view.label(one.node)}: {one.contract.title} promises {sla.name} of {spoken(sla.seconds)}")
    return tuple(sorted(set(notes)))


# -- consumers, owners


_WORDS = {"all": "loses every input", "some": "loses an input", "unknown": "reads it without telling columns",
          "touched": "gets other data"}  # fmt: skip


def _consumers(view: View, effects: Iterable[Effect], what: str) -> tuple[Consumer, ...]:
    nodes = _nodes(view)
    return tuple(
        Consumer(e.id, e.kind, e.harm, e.use, e.reader, e.hops, e.certainty, _WORDS[e.harm], e.path,
                 _contracts_of(nodes.get(e.id, ())), e.domain, e.owner)
        for e in effects
        if e.kind in ("dataset", "job")
    )  # fmt: skip


def _nodes(view: View) -> dict[str, tuple[str, ...]]:
    """Contracts by label of the dataset they bind."""
    found: dict[str, tuple[str, ...]] = {}
    for node, bound in bindings(view.instant).by_node.items():
        if not view.hidden(node):
            found[view.label(node)] = tuple(one.contract.title for one in bound)
    return found


def _contracts_of(titles: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(titles))


def _contracts(view: View, node: int) -> tuple[str, ...]:
    return _contracts_of(tuple(one.contract.title for one in bindings(view.instant).by_node.get(node, ())))


def _of_harm(harms: Iterable[str], *, blind: bool) -> Severity:
    """Severity by who is hurt; where nobody is found and that says nothing, nobody can call it safe (semantics 18)."""
    found = set(harms)
    if found & {"all", "some"}:
        return Severity.breaking
    return Severity.risky if found or blind else Severity.safe


def _report(
    view: View,
    subject: str,
    judged: Sequence[Judged],
    nodes: Sequence[int],
    notes: Sequence[str],
    version: tuple[str, str, str, str | None, bool],
) -> ChangeReport:
    from lineage import __version__

    old, new, required, step, ok = version
    formal = worst([one.change for one in judged])
    real = min((one.real for one in judged), key=WORST.index, default=None)
    hurt = [c for one in judged for c in one.consumers if one.real in (Severity.breaking, Severity.risky)]
    crossings = _crossings(view, {view.domain(node) for node in nodes}, hurt)
    return ChangeReport(
        subject=subject,
        old_version=old,
        new_version=new,
        formal=formal,
        real=real,
        required_bump=required,
        bump=step,
        bump_enough=ok,
        governed=any(one.change.governed for one in judged),
        changes=tuple(judged),
        owners=tuple(sorted({c.owner or f"domain {c.domain}" for c in hurt})),
        sign_off=smallest(crossings),
        nobody=nobody(crossings),
        steps=_steps(judged),
        notes=tuple(notes),
        as_of=view.as_of,
        known_at=view.known_at,
        generated_by=f"meshline {__version__}",
        fingerprint=view.instant.fingerprint,
    )


def _crossings(view: View, home: set[str], hurt: Iterable[Consumer]) -> dict[str, set[str]]:
    """Hurt nodes outside the domains of what changes, each with who may approve: its owner or its domain's."""
    domains = view.instant.domains.domains
    found: dict[str, set[str]] = {}
    for one in hurt:
        if one.domain in home or one.kind != "dataset" or one.id.startswith("hidden ("):
            continue
        who = {one.owner} if one.owner else set()
        name: str | None = one.domain
        while name is not None and name in domains:
            owner = domains[name].owner
            who |= {owner} if owner else set()
            name = domains[name].parent
        found[one.id] = {person for person in who if person}
    return found


def _steps(judged: Iterable[Judged]) -> tuple[str, ...]:
    """Expand, migrate, contract: how to rename without breaking anybody."""
    steps: list[str] = []
    for one in judged:
        if one.change.what not in ("column.renamed", "node.rename") or not one.consumers or one.taken:
            continue
        old, new = one.change.old, one.change.new
        direct = [c.id for c in one.consumers if c.reader == "direct" and c.kind == "job"]
        direct = direct or [c.id for c in one.consumers if c.reader == "direct"]
        steps += [
            f"1. expand: add {new} beside {old}, fill both, mark {old} as deprecated (a minor version)",
            f"2. migrate: move {', '.join(direct) or 'the readers'} to {new}",
            f"3. contract: remove {old} with the next major version, when lineage shows no reader of it",
        ]
    return tuple(steps)


def with_version(report: ChangeReport, subject: str) -> ChangeReport:
    """The same report under another subject."""
    return replace(report, subject=subject)
