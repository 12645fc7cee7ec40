"""The kind of file that declares rules of cost, ``cost/*.yaml``: what may stand in it, and what is wrong with one."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lineage.cost.rules import CHARGE_FIELDS, PRICES, TAG_KEYS, TARGETS, read_rate
from lineage.times import parse_event_time
from lineage.yamlfile import Declared, DeclaredFile, Place

if TYPE_CHECKING:
    from lineage.store import Store


class CostFiles:
    """The kind of file that declares rules of cost."""

    folder = "cost"
    table = "cost_rule"

    def read(self, file: DeclaredFile) -> tuple[Declared | None, list[str]]:
        """The rules in a file, and what is wrong with them.

        >>> from lineage.yamlfile import parse_declared
        >>> file, _ = parse_declared("name: a\\npools: [{name: x, match: {resorce: y}}]\\n", "cost/a.yaml")
        >>> COST.read(file)[1]
        ['cost/a.yaml:2: pools[0].match.resorce: is no key here; did you mean “resource”?']
        """
        value = file.value
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            return None, [file.problem((), "must be a mapping with a “name”")]
        problems = unknown_keys(file, (), value, (*_SECTIONS, "name", "description", "valid_from"))
        for section, check in _SECTIONS.items():
            if value.get(section) is not None:
                problems += check(file, (section,), value[section])
        start = parse_event_time(str(value["valid_from"])) if value.get("valid_from") else None
        if value.get("valid_from") and start is None:
            problems.append(file.problem(("valid_from",), f"“{value['valid_from']}” is no date; write 2026-01-31"))
        if problems:
            return None, problems
        rules = {key: value[key] for key in _SECTIONS if value.get(key) is not None}
        columns = {"rules": json.dumps(rules, sort_keys=True)}
        return Declared(value["name"], file, columns, start.at if start else None), []

    def check(self, items: Sequence[Declared], store: Store) -> list[str]:
        """Pools that are declared twice, and rates of one engine that overlap or leave a gap between them."""
        problems: list[str] = []
        pools: dict[str, str] = {}
        for item in items:
            for i, pool in enumerate(json.loads(item.columns["rules"]).get("pools") or []):
                first = pools.setdefault(pool["name"], item.file.path)
                if first != item.file.path:
                    problems.append(item.file.problem(("pools", i, "name"), f"“{pool['name']}” is in {first} too"))
            problems += _rate_problems(item)
        return problems


COST = CostFiles()


def unknown_keys(file: DeclaredFile, place: Place, value: dict[Any, Any], known: Sequence[str]) -> list[str]:
    """What a mapping has that it should not have."""
    problems = []
    for key in value:
        if key in known or str(key).startswith("x-"):
            continue
        near = difflib.get_close_matches(str(key), known, 1)
        hint = f"; did you mean “{near[0]}”?" if near else f" ({', '.join(known)})"
        problems.append(file.problem((*place, str(key)), f"is no key here{hint}"))
    return problems


def _list_of(file: DeclaredFile, place: Place, value: Any, known: Sequence[str], need: Sequence[str]) -> list[str]:
    """Problems of a list of mappings."""
    if not isinstance(value, list):
        return [file.problem(place, "must be a list")]
    problems = []
    for i, one in enumerate(value):
        if not isinstance(one, dict):
            problems.append(file.problem((*place, i), "must be a mapping"))
            continue
        problems += unknown_keys(file, (*place, i), one, known)
        problems += [file.problem((*place, i), f"has no “{key}”") for key in need if one.get(key) is None]
    return problems


def _with_target(*known: str, need: str) -> Any:
    def check(file: DeclaredFile, place: Place, value: Any) -> list[str]:
        problems = _list_of(file, place, value, (*known, *TARGETS), (need,))
        for i, one in enumerate(value if isinstance(value, list) else []):
            if isinstance(one, dict) and sum(kind in one for kind in TARGETS) != 1:
                problems.append(file.problem((*place, i), f"must name one of {', '.join(TARGETS)}"))
        return problems

    return check


def _tags(file: DeclaredFile, place: Place, value: Any) -> list[str]:
    if not isinstance(value, dict):
        return [file.problem(place, "must be a mapping of dataset, job, product, domain to keys of tags")]
    problems = unknown_keys(file, place, value, (*TAG_KEYS, "values"))
    for kind in TAG_KEYS:
        if value.get(kind) is not None and not isinstance(value[kind], list):
            problems.append(file.problem((*place, kind), "must be a list of keys"))
    if value.get("values") is not None:
        problems += _with_target("key", "value", need="key")(file, (*place, "values"), value["values"])
    return problems


def _pools(file: DeclaredFile, place: Place, value: Any) -> list[str]:
    known = ("name", "match", "jobs", "usage", "capacity", "idle", "shares")
    problems = _list_of(file, place, value, known, ("name", "match"))
    for i, one in enumerate(value if isinstance(value, list) else []):
        if not isinstance(one, dict):
            continue
        here = (*place, i)
        if not isinstance(one.get("match"), dict) or not one["match"]:
            problems.append(file.problem((*here, "match"), "must be a mapping of fields of a charge to patterns"))
        else:
            problems += unknown_keys(file, (*here, "match"), one["match"], CHARGE_FIELDS)
        if one.get("usage", "auto") not in ("auto", "duration", "bytes", "cpu", "even", "fixed"):
            problems.append(file.problem((*here, "usage"), "must be auto, duration, bytes, cpu, even or fixed"))
        if one.get("usage") == "fixed" and not isinstance(one.get("shares"), dict):
            problems.append(file.problem(here, "has “usage: fixed” and no “shares” (a mapping of domains to numbers)"))
        if one.get("idle", "visible") not in ("visible", "spread"):
            problems.append(file.problem((*here, "idle"), "must be visible or spread"))
        if one.get("jobs") is not None and not isinstance(one["jobs"], list):
            problems.append(file.problem((*here, "jobs"), "must be a list of patterns"))
        problems += _numbers(file, here, one, ("capacity",), least=Decimal(0))
        for domain in one["shares"] if isinstance(one.get("shares"), dict) else ():
            problems += _numbers(file, (*here, "shares"), one["shares"], (domain,), least=Decimal(0))
    return problems


def _egress(file: DeclaredFile, place: Place, value: Any) -> list[str]:
    if not isinstance(value, dict):
        return [file.problem(place, "must be a mapping with “match” and “spread”")]
    problems = unknown_keys(file, place, value, ("match", "spread"))
    if value.get("match") is not None and not isinstance(value["match"], list):
        problems.append(file.problem((*place, "match"), "must be a list of patterns"))
    return problems


def _regions(file: DeclaredFile, place: Place, value: Any) -> list[str]:
    return _list_of(file, place, value, ("match", "region"), ("match", "region"))


def _used(file: DeclaredFile, place: Place, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return [file.problem(place, "must be a list of patterns of datasets")]
    return []


def _rates(file: DeclaredFile, place: Place, value: Any) -> list[str]:
    known = ("engine", "jobs", "currency", "since", "until", "account", "from", "to", *PRICES)
    problems = _list_of(file, place, value, known, ("currency",))
    for i, one in enumerate(value if isinstance(value, list) else []):
        if not isinstance(one, dict):
            continue
        here = (*place, i)
        if not any(one.get(key) is not None for key in PRICES):
            problems.append(file.problem(here, f"has no price; give one of {', '.join(PRICES)}"))
        problems += _numbers(file, here, one, PRICES, least=Decimal(0))
        if (one.get("from") or one.get("to")) and one.get("byte_egressed") is None:
            problems.append(file.problem(here, "has “from” or “to”, which regions are for, and no “byte_egressed”"))
        for key in ("since", "until"):
            if one.get(key) is not None and parse_event_time(str(one[key])) is None:
                problems.append(file.problem((*here, key), f"“{one[key]}” is no date; write 2026-01-31"))
    return problems


def _chargeback(file: DeclaredFile, place: Place, value: Any) -> list[str]:
    if not isinstance(value, dict):
        return [file.problem(place, "must be a mapping with “default”, “ports”, “agreements”")]
    problems = unknown_keys(file, place, value, ("default", "ports", "agreements"))
    problems += _numbers(file, place, value, ("default", "ports"), least=Decimal(0), most=Decimal(1))
    if value.get("agreements") is not None:
        here = (*place, "agreements")
        problems += _list_of(file, here, value["agreements"], ("product", "keep"), ("product", "keep"))
        for i, one in enumerate(value["agreements"] if isinstance(value["agreements"], list) else []):
            if isinstance(one, dict):
                problems += _numbers(file, (*here, i), one, ("keep",), least=Decimal(0), most=Decimal(1))
    return problems


def _numbers(
    file: DeclaredFile, place: Place, value: dict[Any, Any], keys: Iterable[str], *, least: Decimal, most: Any = None
) -> list[str]:
    problems = []
    for key in keys:
        if value.get(key) is None:
            continue
        try:
            number = Decimal(str(value[key]))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or number < least or (most is not None and number > most):
            limits = f" between {least} and {most}" if most is not None else f" of at least {least}"
            problems.append(file.problem((*place, key), f"“{value[key]}” must be a number{limits}"))
    return problems


_SECTIONS: dict[str, Any] = {
    "resources": _with_target("match", need="match"),
    "tags": _tags,
    "accounts": _with_target("match", need="match"),
    "pools": _pools,
    "egress": _egress,
    "regions": _regions,
    "used": _used,
    "rates": _rates,
    "chargeback": _chargeback,
}


def _rate_problems(item: Declared) -> list[str]:
    """Rates of the same engine that overlap, or leave days without a price between them."""
    rates = json.loads(item.columns["rules"]).get("rates") or []
    groups: dict[tuple[str, ...], list[tuple[datetime, datetime, int]]] = {}
    for i, one in enumerate(rates):
        rate = read_rate(one, "")
        group = tuple(str(one.get(key, "")) for key in ("engine", "jobs", "currency", "account", "from", "to"))
        groups.setdefault((*group, *sorted(rate.prices)), []).append((rate.since, rate.until, i))
    problems = []
    for spans in groups.values():
        spans.sort()
        for (_, until, _), (since, _, i) in pairwise(spans):
            if since < until:
                problems.append(item.file.problem(("rates", i), "overlaps with an earlier rate of the same engine"))
            elif since > until:
                gap = f"leaves a gap: there is no price from {until:%Y-%m-%d} to {since:%Y-%m-%d}"
                problems.append(item.file.problem(("rates", i), gap))
    return problems
