"""What grants, waivers and policies of files name but nobody declares: a warning each, as the other file may come."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lineage.answers import UNASSIGNED
from lineage.contracts.together import RETIREMENT
from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.store import Store
    from lineage.yamlfile import Declared, Place

_TABLES = {"domains": "domain", "products": "product", "policies": "policy"}
_OPEN = """
-- names of what holds of one kind
SELECT DISTINCT name FROM {table} WHERE known_to = ? AND valid_to = ?
"""


def warn_of_unknown(found: Mapping[str, Sequence[Declared]], store: Store) -> list[str]:
    """Warnings, each with file and line, of what is not there: product or consumer of a grant, policy of a waiver,
    domain of a policy.

    Parameters
    ----------
    found
        the declared things of one tree by folder; a kind whose folder is missing is looked up in the store.
    store
        what was applied before.
    """
    told = [line for item in found.get("grants", ()) for line in _of_grant(item, found, store)]
    told += [line for item in found.get("waivers", ()) for line in _of_waiver(item, found, store)]
    return [*told, *(line for item in found.get("policies", ()) for line in _of_policy(item, found, store))]


def _of_grant(item: Declared, found: Mapping[str, Sequence[Declared]], store: Store) -> Iterator[str]:
    product = str(item.columns["product"])
    if product not in (known := _names("products", found, store)):
        yield _line(item, ("product",), "product", product, known, "until there is one the grant allows nothing")
    kind, consumer = str(item.columns["consumer_kind"]), str(item.columns["consumer"])
    if kind != "team" and consumer not in (known := _names(f"{kind}s", found, store)):  # nobody declares teams
        yield _line(item, ("consumer", "name"), kind, consumer, known, "until there is one the grant serves nobody")


def _of_waiver(item: Declared, found: Mapping[str, Sequence[Declared]], store: Store) -> Iterator[str]:
    from lineage.policies.load import library

    policy = str(item.columns["policy"])
    known = _names("policies", found, store) or {one.id for one in library()}
    if policy not in known | {RETIREMENT}:
        yield _line(item, ("policy",), "policy", policy, known, "until there is one the waiver excuses nothing")


def _of_policy(item: Declared, found: Mapping[str, Sequence[Declared]], store: Store) -> Iterator[str]:
    domain = str(item.columns["domain"])
    if domain not in ("*", UNASSIGNED) and domain not in (known := _names("domains", found, store)):
        yield _line(item, ("domain",), "domain", domain, known, "until there is one the policy judges nothing")


def _names(folder: str, found: Mapping[str, Sequence[Declared]], store: Store) -> set[str]:
    """Names of the kind: those of its folder when the tree has it, since what is not there ends; else of the store."""
    if folder in found:
        return {item.name for item in found[folder]}
    return {str(row[0]) for row in store.rows(_OPEN.format(table=_TABLES[folder]), [OPEN_END, OPEN_END])}


def _line(item: Declared, place: Place, kind: str, name: str, known: set[str], then: str) -> str:
    near = difflib.get_close_matches(name, sorted(known), 1)
    hint = f" (did you mean “{near[0]}”?)" if near else ""
    return item.file.problem(place, f"there is no {kind} “{name}”{hint}; {then}")
