"""What a change of a contract means: a pure function from two versions to named changes.

A contract is a set of promises about data to come. For consumers a new promise that lies within the old one is
harmless; for producers the reverse. Each change is judged in both views (docs/change.md has the table):

``BREAKING`` asks for a major version, ``RISKY`` and ``SAFE`` for a minor one, ``COSMETIC`` for a patch. A *governed*
change needs a steward's approval whatever its severity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Literal

from lineage.contracts.model import ORDER, Column, Contract, Rule, Sla, Thing, semver
from lineage.contracts.types import Step, compare, dialect_of

Bump = Literal["major", "minor", "patch", "none"]
_GOVERNED_WORDS = ("usage", "limitations")
_ALIKE = 0.6  # similarity of names from which a removed and an added column look like a rename


class Severity(StrEnum):
    """How bad a change is, the worst first."""

    breaking = "BREAKING"
    risky = "RISKY"
    safe = "SAFE"
    cosmetic = "COSMETIC"


B, R, S, C = Severity.breaking, Severity.risky, Severity.safe, Severity.cosmetic
WORST = tuple(Severity)


@dataclass(frozen=True, slots=True)
class ContractChange:
    """One difference between two versions. ``column`` is empty when the whole object or contract changed."""

    what: str  # stable name: column.removed, type.wider, sla.loosened, …
    place: str  # object.column, sla.latency, …
    old: str
    new: str
    consumer: Severity
    producer: Severity
    governed: bool = False
    thing: str = ""
    column: str = ""
    note: str = ""


def classify(old: Contract, new: Contract) -> tuple[ContractChange, ...]:
    """All differences between two versions, the worst for consumers first.

    Examples
    --------
    >>> from lineage.contracts.model import read_contract
    >>> def contract(*names):
    ...     columns = [{"name": name, "physicalType": "int"} for name in names]
    ...     return read_contract({"id": "c", "version": "1.0.0", "schema": [{"name": "t", "properties": columns}]})
    >>> [(c.what, c.consumer.value) for c in classify(contract("a", "b"), contract("a"))]
    [('column.removed', 'BREAKING')]
    """
    dialect = next((dialect_of(s.type) for s in (*new.servers, *old.servers)), "")
    found = [*_things(old, new, dialect), *_slas(old, new), *_words(old, new)]
    return tuple(sorted(found, key=lambda c: (WORST.index(c.consumer), WORST.index(c.producer), c.place, c.what)))


def worst(changes: Iterable[ContractChange], *, producer: bool = False) -> Severity | None:
    """The worst severity; ``None`` when nothing changed."""
    found = [c.producer if producer else c.consumer for c in changes]
    return min(found, key=WORST.index) if found else None


def required_bump(changes: Iterable[ContractChange]) -> Bump:
    """The smallest step of the version that the changes allow."""
    severity = worst(changes)
    steps: dict[Severity | None, Bump] = {None: "none", B: "major", R: "minor", S: "minor", C: "patch"}
    return steps[severity]


def bump(old: str, new: str) -> Bump | None:
    """The step between two versions; ``None`` when it goes back or is none that can be told."""
    one, other = semver(old), semver(new)
    if one is None or other is None or other < one:
        return None
    steps: tuple[Bump, ...] = ("major", "minor", "patch")
    return next((step for step, a, b in zip(steps, one, other, strict=True) if a != b), "none")


def enough(step: Bump | None, required: Bump) -> bool:
    """Whether a step is at least the required one."""
    order = ("none", "patch", "minor", "major")
    return step is not None and order.index(step) >= order.index(required)


# -- objects and columns


def _things(old: Contract, new: Contract, dialect: str) -> Iterator[ContractChange]:
    before, after = {t.name: t for t in old.things}, {t.name: t for t in new.things}
    for name in before.keys() - after.keys():
        yield ContractChange("object.removed", name, name, "", B, S, thing=name)
    for name in after.keys() - before.keys():
        yield ContractChange("object.added", name, "", name, S, S, thing=name)
    for name in before.keys() & after.keys():
        yield from _thing(before[name], after[name], dialect)


def _thing(old: Thing, new: Thing, dialect: str) -> Iterator[ContractChange]:
    name = new.name
    if old.physical_name != new.physical_name:
        yield ContractChange("object.moved", name, old.physical_name, new.physical_name, B, R, thing=name)
    if old.description != new.description:
        yield ContractChange("description", name, old.description, new.description, C, C, thing=name)
    before, after = {c.path: c for c in old.columns}, {c.path: c for c in new.columns}
    gone = [before[p] for p in before if p not in after]
    come = [after[p] for p in after if p not in before]
    renamed = dict(_renames(gone, come, dialect))
    for column in gone:
        other = renamed.get(column.path)
        what = "column.renamed" if other else "column.removed"
        note = f"probable rename to {other}" if other else ""
        yield ContractChange(what, f"{name}.{column.path}", column.path, other or "", B, R if other else S,
                             thing=name, column=column.path, note=note)  # fmt: skip
    for column in come:
        if column.path in renamed.values():
            continue
        level = _level(old)
        above = ORDER.get(column.classification, -1) > level or bool(column.pii)
        yield ContractChange("column.added", f"{name}.{column.path}", "", column.path, S, R if column.required else S,
                             above, name, column.path)  # fmt: skip
    composite = any(c.key for c in old.columns) and any(c.key for c in new.columns)
    pairs = [(before[p], after[p]) for p in before if p in after]
    pairs += [(before[a], after[b]) for a, b in renamed.items()]
    for one, other_ in pairs:
        for change in (*_column(one, other_, dialect), *_key(one, other_, composite)):
            what, before_, after_, consumer, producer, governed = change
            yield ContractChange(what, f"{name}.{other_.path}", before_, after_, consumer, producer, governed,
                                 name, one.path)  # fmt: skip
    kept = [p for p in before if p in after]
    if kept != [p for p in after if p in before]:
        yield ContractChange(
            "order", name, ", ".join(kept), ", ".join(p for p in after if p in before), C, C, thing=name
        )
    yield from _rules(name, old.rules, new.rules)


def _level(thing: Thing) -> int:
    return max((ORDER.get(c.classification, -1) for c in thing.columns), default=-1)


def _renames(gone: list[Column], come: list[Column], dialect: str) -> Iterator[tuple[str, str]]:
    """Pairs of a removed and an added column that are one: same id, else alike in name, type and position."""
    left = list(come)
    for column in gone:
        same = next((c for c in left if column.id and c.id == column.id), None)
        if same is None:
            alike = [
                (SequenceMatcher(None, column.path.lower(), c.path.lower()).ratio(), c)
                for c in left
                if c.position == column.position and compare(column.type, c.type, dialect) in (Step.same, Step.alias)
            ]
            best = max(alike, key=lambda pair: pair[0], default=None)
            same = best[1] if best and best[0] >= _ALIKE else None
        if same is not None:
            left.remove(same)
            yield column.path, same.path


_Bare = tuple[str, str, str, Severity, Severity, bool]


def _column(old: Column, new: Column, dialect: str) -> Iterator[_Bare]:
    step = compare(old.type, new.type, dialect) if old.type or new.type else Step.same
    if old.type and not new.type:
        step = Step.unknown
    types = {Step.alias: (C, C), Step.wider: (R, S), Step.narrower: (S, R), Step.other: (B, B), Step.unknown: (R, R)}
    if step in types:
        yield f"type.{step.value}", old.type, new.type, *types[step], False
    for name, a, b in (("required", old.required, new.required), ("unique", old.unique, new.unique)):
        if a != b:
            yield (
                (f"{name}.dropped", "true", "false", B, S, False)
                if a
                else (f"{name}.added", "false", "true", S, R, False)
            )
    yield from _limits(old, new)
    yield from _protection(old, new)
    if old.deprecated != new.deprecated:
        yield "column.deprecated", str(old.deprecated), str(new.deprecated), S, S, False
    if old.partitioned != new.partitioned:
        yield "partition", str(old.partitioned), str(new.partitioned), R, S, False
    if old.physical_name != new.physical_name and new.physical_name != new.path:
        yield "column.moved", old.physical_name, new.physical_name, B, R, False
    if old.description != new.description:
        yield "description", old.description, new.description, C, C, False
    if set(old.tags) - set(old.pii) != set(new.tags) - set(new.pii):
        yield "tags", ", ".join(old.tags), ", ".join(new.tags), C, C, False


def _key(old: Column, new: Column, composite: bool) -> Iterator[_Bare]:
    """A key that stays with other columns: one more makes it say less; one fewer may be null and the rest says more."""
    if old.key != new.key:
        word = "dropped" if old.key else "added"
        views = (B, R) if composite else (B, S) if old.key else (S, R)
        yield f"primaryKey.{word}", str(old.key).lower(), str(new.key).lower(), *views, False


_LOOSER_UP = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
_LOOSER_DOWN = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")


def _limits(old: Column, new: Column) -> Iterator[_Bare]:
    for key in sorted(old.options.keys() | new.options.keys()):
        a, b = old.options.get(key), new.options.get(key)
        if a == b:
            continue
        if key in (*_LOOSER_UP, *_LOOSER_DOWN) or a is None or b is None:
            one, other = _number(a), _number(b)
            wider = b is None or (
                one is not None and other is not None and (other > one if key in _LOOSER_UP else other < one)
            )
            yield (
                f"limit.{'loosened' if wider else 'tightened'}",
                f"{key} {a}",
                f"{key} {b}",
                *((R, S) if wider else (S, R)),
                False,
            )
        else:
            yield "limit.changed", f"{key} {a}", f"{key} {b}", R, R, False
    if old.enum != new.enum:
        before, after = old.enum, new.enum
        grown = after is None or (before is not None and set(after) - set(before))
        if grown:
            yield "enum.grown", str(before or ""), str(after or ""), R, S, False
        if before is None or (after is not None and set(before) - set(after)):
            yield "enum.shrunk", str(before or ""), str(after or ""), S, R, False


def _protection(old: Column, new: Column) -> Iterator[_Bare]:
    if old.classification != new.classification:
        one, other = ORDER.get(old.classification), ORDER.get(new.classification)
        raised = not old.classification or (one is not None and other is not None and other > one)
        what = "classification.raised" if raised else "classification.lowered"
        yield what, old.classification, new.classification, R if raised else S, S, True
    lost = sorted(set(old.pii) - set(new.pii))
    if lost:
        yield "pii.removed", ", ".join(lost), "", S, S, True
    gained = sorted(set(new.pii) - set(old.pii))
    if gained:
        yield "pii.added", "", ", ".join(gained), R, S, True
    if old.encrypted_name and not new.encrypted_name:
        yield "encryption.removed", old.encrypted_name, "", S, S, True
    if old.masking != new.masking and old.masking:
        yield "masking.changed", old.masking, new.masking or "none", S, S, True


# -- promises


def _rules(thing: str, old: Iterable[Rule], new: Iterable[Rule]) -> Iterator[ContractChange]:
    before, after = {r.key: r for r in old}, {r.key: r for r in new}
    for key in sorted(before.keys() | after.keys()):
        a, b = before.get(key), after.get(key)
        one = a or b
        if one is None or a == b:
            continue
        place = f"{thing}.{one.column + '.' if one.column else ''}quality.{one.name or one.metric or 'rule'}"
        level = B if one.severity == "error" else R
        if a is None:
            yield ContractChange("quality.added", place, "", _spoken(one), S, R, thing=thing, column=one.column)
        elif b is None:
            yield ContractChange("quality.removed", place, _spoken(one), "", level, S, thing=thing, column=one.column)
        else:
            looser = _looser(a, b)
            name = {True: "loosened", False: "tightened", None: "changed"}[looser]
            views = {True: (level, S), False: (S, R), None: (R, R)}[looser]
            yield ContractChange(f"quality.{name}", place, _spoken(a), _spoken(b), *views, thing=thing,
                                 column=one.column)  # fmt: skip


def _spoken(rule: Rule) -> str:
    return f"{rule.metric or rule.type} {rule.operator} {rule.value} {rule.unit}".replace(" None", "").strip()


def _looser(old: Rule, new: Rule) -> bool | None:
    """Whether a rule lets more through than before; ``None`` when it cannot be told."""
    if old.operator != new.operator or old.unit != new.unit:
        return None
    a, b = _number(old.value), _number(new.value)
    if a is None or b is None:
        if isinstance(old.value, list) and isinstance(new.value, list) and len(old.value) == len(new.value) == 2:
            low, high = (_number(v) for v in old.value)
            low2, high2 = (_number(v) for v in new.value)
            if None not in (low, high, low2, high2):
                inside = low >= low2 and high <= high2  # type: ignore[operator]
                return inside if inside or (low2 >= low and high2 <= high) else None  # type: ignore[operator]
        return None
    if "Less" in old.operator:
        return b > a
    if "Greater" in old.operator:
        return b < a
    return None


_LATE = ("latency", "freshness", "frequency", "timetodetect", "timetonotify", "timetorepair", "errorrate")
_LONG = ("retention", "availability")


def _slas(old: Contract, new: Contract) -> Iterator[ContractChange]:
    before = {(s.name.lower(), s.element.lower(), s.driver): s for s in old.slas}
    after = {(s.name.lower(), s.element.lower(), s.driver): s for s in new.slas}
    for key in sorted(before.keys() | after.keys()):
        a, b = before.get(key), after.get(key)
        one = a or b
        if one is None or a == b:
            continue
        place, kept = f"sla.{one.name}", one.name.lower() == "retention"
        if one.name.lower() in ("endofsupport", "endoflife", "generalavailability"):
            yield ContractChange("lifecycle", place, _value(a), _value(b), S, S, True)
        elif b is None:
            yield ContractChange("sla.removed", place, _value(a), "", B, S, kept)
        elif a is None:
            yield ContractChange("sla.added", place, "", _value(b), S, R, kept)
        else:
            if a.seconds is not None and a.seconds == b.seconds:
                yield ContractChange("sla.respelled", place, _value(a), _value(b), C, C)
                continue
            looser = _loosened(a, b)
            name = {True: "loosened", False: "tightened", None: "changed"}[looser]
            hard = B if a.driver == "regulatory" else R
            views = {True: (hard, S), False: (S, R), None: (R, R)}[looser]
            yield ContractChange(f"sla.{name}", place, _value(a), _value(b), *views, kept)


def _loosened(old: Sla, new: Sla) -> bool | None:
    a, b = (one.seconds if one.seconds is not None else _number(one.value) for one in (old, new))
    if a is None or b is None or a == b:
        return None
    name = old.name.lower()
    if name in _LATE:
        return b > a
    return b < a if name in _LONG else None


def _value(one: Sla | None) -> str:
    return f"{one.value} {one.unit}".strip() if one else ""


# -- everything else


def _words(old: Contract, new: Contract) -> Iterator[ContractChange]:
    for role in sorted(old.roles.keys() - new.roles.keys()):
        yield ContractChange("role.removed", f"roles.{role}", old.roles[role], "", B, S, True)
    for role in sorted(new.roles.keys() - old.roles.keys()):
        yield ContractChange("role.added", f"roles.{role}", "", new.roles[role], S, S, True)
    for role in sorted(old.roles.keys() & new.roles.keys()):
        if old.roles[role] != new.roles[role]:
            narrower = "write" in old.roles[role].lower() and "write" not in new.roles[role].lower()
            yield ContractChange(
                "role.changed", f"roles.{role}", old.roles[role], new.roles[role], B if narrower else S, S, True
            )
    before, after = ({s.name: s for s in c.servers} for c in (old, new))
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            yield ContractChange(
                "server.moved", f"servers.{name}", _where(before[name].keys), _where(after[name].keys), B, R
            )
    for name in sorted(before.keys() - after.keys()):
        yield ContractChange("server.removed", f"servers.{name}", _where(before[name].keys), "", B, R)
    for name in sorted(after.keys() - before.keys()):
        yield ContractChange("server.added", f"servers.{name}", "", _where(after[name].keys), S, S)
    for key in _GOVERNED_WORDS:
        if getattr(old, key) != getattr(new, key):
            yield ContractChange(key, f"description.{key}", getattr(old, key), getattr(new, key), R, S, True)
    if old.custom.get("allowedPurposes") != new.custom.get("allowedPurposes"):
        a, b = (set(map(str, c.custom.get("allowedPurposes") or ())) for c in (old, new))
        yield ContractChange(
            "purposes", "allowedPurposes", ", ".join(sorted(a)), ", ".join(sorted(b)), R if a - b else S, S, True
        )
    if old.status != new.status:
        retired = new.status == "retired"
        yield ContractChange("status", "status", old.status, new.status, B if retired else S, S,
                             new.status in ("deprecated", "retired"))  # fmt: skip
    if old.team != new.team:
        yield ContractChange("team", "team", ", ".join(old.team), ", ".join(new.team), C, S, not new.team)
    for key in ("name", "purpose", "tags", "support"):
        if getattr(old, key) != getattr(new, key):
            yield ContractChange(key, key, str(getattr(old, key)), str(getattr(new, key)), C, C)


def _where(keys: object) -> str:
    return ", ".join(f"{k}={v}" for k, v in keys.items() if k != "custom") if isinstance(keys, dict) else ""


def _number(value: object) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(str(value))
    except ValueError:
        return None
