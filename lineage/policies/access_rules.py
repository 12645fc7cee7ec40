"""Rules that approve requests for access, and who decides on the others.

.. code-block:: yaml

    id: internal-for-its-purpose       # access_rules/internal-for-its-purpose.yaml
    title: Internal data for a purpose that its contract allows
    product: "*"                       # or the id of one product
    classification: internal           # strictest class of a column that may be given out
    same_purpose: true                 # the purpose is among allowedPurposes of every contract (default)
    purposes: [reporting, testing]     # and among these, when they are given
    longest_days: 90                   # until when at most

A rule approves only what it knows: a product without contracts, a column without classification or a contract without
purposes goes to people.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lineage.actor import same_person
from lineage.contracts.binding import bindings
from lineage.contracts.model import ORDER
from lineage.policies.files import FieldReader, FieldTypes
from lineage.products import products_of
from lineage.yamlfile import Declared, DeclaredFile, parse_declared

if TYPE_CHECKING:
    from lineage.contracts.model import Contract
    from lineage.products import Port
    from lineage.store import Store
    from lineage.view import View

LONGEST = 366
_RULES = """
-- rules at T as known at K
SELECT document FROM access_rule
WHERE valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known ORDER BY name
"""
_DOMAIN = """
-- the file of one domain at T as known at K
SELECT owner, body FROM domain
WHERE name = $name AND valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known
"""


@dataclass(frozen=True, slots=True)
class AccessRule:
    """One rule; see the text of this module."""

    id: str
    product: str
    classification: str
    same_purpose: bool
    purposes: tuple[str, ...] | None
    longest_days: float


class AccessRuleFiles:
    """The kind of file that declares a rule."""

    folder = "access_rules"
    table = "access_rule"

    def read(self, file: DeclaredFile) -> tuple[Declared | None, list[str]]:
        """The rule in a file, and what is wrong with it."""
        more: FieldTypes = {
            "title": str, "description": str, "owner": str, "product": str, "same_purpose": bool, "purposes": list,
            "longest_days": (int, float),
        }  # fmt: skip
        reader = FieldReader(file, {"classification": str}, more)
        reader.among("classification", tuple(ORDER))
        value = reader.value
        days = value.get("longest_days")
        if isinstance(days, int | float) and not 0 < days <= LONGEST:
            reader.wrong(("longest_days",), f"must be more than 0 and at most {LONGEST}")
        columns = {
            "product": value.get("product") or "*",
            "classification": value.get("classification"),
            "longest_days": float(days) if isinstance(days, int | float) else float(LONGEST),
            "document": json.dumps(value, sort_keys=True, ensure_ascii=False),
        }
        return reader.done(columns)

    def check(self, items: Sequence[Declared], store: Store) -> list[str]:
        """Nothing that only shows among several rules."""
        return []


ACCESS_RULES = AccessRuleFiles()


def rules_of(store: Store, as_of: datetime, known_at: datetime) -> tuple[AccessRule, ...]:
    """The rules of one instant, by id."""
    documents = store.rows(_RULES, {"at": as_of, "known": known_at})
    return tuple(_rule(json.loads(row[0])) for row in documents)


def approving(view: View, product: str, purpose: str, end: datetime, now: datetime) -> tuple[str | None, str]:
    """Id of the first rule that approves a request, and why; ``None`` and what stands against it when none does."""
    rules = [one for one in rules_of(view.store, view.as_of, view.known_at) if one.product in ("*", product)]
    if not rules:
        return None, "no rule speaks of this product"
    against = []
    for rule in rules:
        why = next(_against(view, rule, product, purpose, end - now), None)
        if why is None:
            return rule.id, f"rule {rule.id}: {rule.classification} at most, for {purpose}"
        against.append(f"rule {rule.id}: {why}")
    return None, "; ".join(against)


def deciders(view: View, product: str) -> tuple[str, ...]:
    """Who may decide: the owner of a product, the owner and the members of its domain; empty when nobody is known."""
    found = products_of(view.instant).get(product)
    if found is None:
        return ()
    names = [found.owner]
    for owner, body in view.store.rows(_DOMAIN, {"name": found.domain, "at": view.as_of, "known": view.known_at}):
        file, _ = parse_declared(body, found.domain)
        held = file.value.get("members") if file is not None and isinstance(file.value, dict) else None
        names += [owner, *(str(one) for one in held or ())]
    return tuple(dict.fromkeys(name for name in names if name))


def may_decide(view: View, product: str, actor: str) -> bool:
    """Whether somebody may decide; where no people are named but teams only, whoever did not ask may."""
    names = deciders(view, product)
    people = [name for name in names if not name.startswith("team:")]
    return not people or any(same_person(actor, name) for name in names)


# -- inside


def _rule(value: Mapping[str, Any]) -> AccessRule:
    purposes = value.get("purposes")
    return AccessRule(
        id=value["id"],
        product=value.get("product") or "*",
        classification=value["classification"],
        same_purpose=bool(value.get("same_purpose", True)),
        purposes=tuple(map(str, purposes)) if purposes is not None else None,
        longest_days=float(value.get("longest_days") or LONGEST),
    )


def _against(view: View, rule: AccessRule, product: str, purpose: str, length: timedelta) -> Iterator[str]:
    """What a rule has against a request."""
    if length > timedelta(days=rule.longest_days):
        yield f"longer than {rule.longest_days:g} days"
    if rule.purposes is not None and purpose not in rule.purposes:
        yield f"{purpose} is none of its purposes"
    contracts = _contracts(view, product)
    held = {one.id for one in contracts}
    if not contracts:
        yield "the product has no contract that says what it holds"
    for port in _outputs(view, product):
        if port.contract not in held:  # what it gives out is not promised to be harmless
            yield f"port {port.name} has no contract in force"
    for one in contracts:
        allowed = one.custom.get("allowedPurposes")
        words = [str(word) for word in allowed] if isinstance(allowed, list) else str(allowed or "").split(",")
        if rule.same_purpose and purpose not in [word.strip() for word in words]:
            yield f"contract {one.id} does not allow {purpose}"
        for thing in one.things:
            if not thing.columns:
                yield f"contract {one.id} names no column of {thing.name}"
        for column in (column for thing in one.things for column in thing.columns):
            grade = ORDER.get(column.classification.lower())
            if grade is None:
                yield f"nobody has classified {column.path} of contract {one.id}"
            elif grade > ORDER[rule.classification]:
                yield f"{column.path} of contract {one.id} is {column.classification}"


def _outputs(view: View, product: str) -> tuple[Port, ...]:
    found = products_of(view.instant).get(product)
    return found.outputs if found else ()


def _contracts(view: View, product: str) -> list[Contract]:
    """Contracts of the output ports of a product that are in force."""
    named = {port.contract for port in _outputs(view, product)}
    return [
        one
        for one in bindings(view.instant).contracts
        if one.id in named and one.status in ("active", "deprecated")
    ]  # fmt: skip
