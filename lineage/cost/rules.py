"""The rules by which costs find their nodes, as declared in ``cost/*.yaml``.

.. code-block:: yaml

    name: warehouse              # id of the file, required
    resources:                   # whose is a resource: glob over ResourceId or ResourceName
      - {match: "*:hp-lake/raw/orders*", dataset: "hive://metastore:9083:raw.orders"}
    tags:                        # keys of tags that name a dataset, job, product or domain (case does not matter)
      domain: [domain, team]
      values: [{key: application, value: "Atlas*", domain: sales}]
    accounts:                    # whose is a sub-account: glob over SubAccountId or SubAccountName
      - {match: "51738928782", domain: finance}
    pools:                       # what many runs share
      - name: dwh
        match: {resource: "wh-*"}         # globs over any of the fields of a charge, all must fit
        jobs: ["dbt-prod:*"]              # whose runs use it
        usage: auto                       # auto, duration, bytes, even, fixed (then shares: {sales: 2, finance: 1})
        capacity: 4                       # runs at a time; what is not used is idle
        idle: visible                     # or spread, over those who used it
    egress: {match: ["*data transfer*"], spread: false}
    rates:                       # for those without a bill
      - {engine: "spark*", currency: EUR, run_second: "0.0004", byte_scanned: "5e-12", since: 2026-01-01}
    used: ["superset://*"]       # datasets that people use where lineage does not see it: never waste
    chargeback:                  # which share of its cost a node keeps, the rest goes on to its readers
      {default: 0, ports: 1, agreements: [{product: orders, keep: "0.25"}]}
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lineage.domains import glob_regex
from lineage.times import OPEN_END, parse_event_time
from lineage.yamlfile import Declared, DeclaredFile, Place

if TYPE_CHECKING:
    from lineage.store import Store

TARGETS = ("node", "dataset", "job", "product", "domain")
CHARGE_FIELDS = (
    "provider", "account", "sub_account", "sub_account_name", "category", "class", "service", "service_category",
    "sku", "meter", "description", "resource", "resource_name", "resource_type", "region", "currency",
)  # fmt: skip
TAG_KEYS: dict[str, tuple[str, ...]] = {
    "dataset": ("dataset",),
    "job": ("job",),
    "product": ("data_product", "product"),
    "domain": ("domain",),
}
EGRESS = ("*data transfer out*", "*egress*", "*inter-region*", "*inter region*")
_ROWS = """
-- one open version of one file of rules as known at K
SELECT name, rules FROM cost_rule
WHERE known_from <= $known AND known_to > $known AND valid_from <= $at AND valid_to > $at ORDER BY name
"""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a cost goes: a node (kinds node, dataset, job), a product or a domain."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Match:
    """One pattern, what it means, and where the rule stands."""

    regex: re.Pattern[str]
    target: Target
    rule: str
    key: str = ""  # of a tag


@dataclass(frozen=True, slots=True)
class Pool:
    """Something many runs share."""

    name: str
    match: tuple[tuple[str, re.Pattern[str]], ...]
    jobs: tuple[re.Pattern[str], ...]
    usage: str
    capacity: Decimal | None
    spread_idle: bool
    shares: tuple[tuple[str, int], ...]
    rule: str


@dataclass(frozen=True, slots=True)
class Rate:
    """Prices of one engine over one time, in 10⁻¹² of the unit of the currency; ``None`` = no price."""

    engine: re.Pattern[str]
    jobs: re.Pattern[str]
    currency: str
    prices: dict[str, Decimal]
    since: datetime
    until: datetime
    account: str | None
    rule: str


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of all files."""

    resources: tuple[Match, ...] = ()
    tag_keys: dict[str, str] = field(
        default_factory=dict
    )  # key of a tag in lower case -> dataset, job, product, domain
    tag_values: tuple[Match, ...] = ()
    accounts: tuple[Match, ...] = ()
    pools: tuple[Pool, ...] = ()
    rates: tuple[Rate, ...] = ()
    egress: tuple[re.Pattern[str], ...] = ()
    spread_egress: bool = False
    used: tuple[re.Pattern[str], ...] = ()
    keep_default: int = 0  # share kept, in 10⁻¹²
    keep_ports: int = 10**12
    agreements: tuple[tuple[str, int], ...] = ()  # product -> share its ports keep


def load_rules(store: Store, at: datetime, known: datetime) -> Rules:
    """The rules that hold at an instant as known at another."""
    return combine([(name, json.loads(text)) for name, text in store.rows(_ROWS, {"at": at, "known": known})])


def combine(files: Iterable[tuple[str, dict[str, Any]]]) -> Rules:
    """Rules of several files, in the order of their names.

    >>> combine([("a", {"accounts": [{"match": "5*", "domain": "sales"}]})]).accounts[0].target
    Target(kind='domain', name='sales')
    """
    resources: list[Match] = []
    values: list[Match] = []
    accounts: list[Match] = []
    pools: list[Pool] = []
    rates: list[Rate] = []
    keys = {key: kind for kind, names in TAG_KEYS.items() for key in names}
    egress: list[str] = []
    used: list[str] = []
    spread, keep, ports, agreements = False, Decimal(0), Decimal(1), list[tuple[str, int]]()
    for name, rules in files:
        resources += [_match(one, f"{name}: resources[{i}]") for i, one in enumerate(rules.get("resources") or [])]
        accounts += [_match(one, f"{name}: accounts[{i}]") for i, one in enumerate(rules.get("accounts") or [])]
        tags = rules.get("tags") or {}
        values += [_match(one, f"{name}: tags.values[{i}]") for i, one in enumerate(tags.get("values") or [])]
        keys |= {str(key).lower(): kind for kind in TAG_KEYS for key in tags.get(kind) or []}
        pools += [_pool(one, f"{name}: pools[{i}]") for i, one in enumerate(rules.get("pools") or [])]
        rates += [_rate(one, f"{name}: rates[{i}]") for i, one in enumerate(rules.get("rates") or [])]
        egress += (rules.get("egress") or {}).get("match") or []
        spread = bool((rules.get("egress") or {}).get("spread", spread))
        used += rules.get("used") or []
        back = rules.get("chargeback") or {}
        keep, ports = Decimal(str(back.get("default", keep))), Decimal(str(back.get("ports", ports)))
        agreements += [(one["product"], _share(one["keep"])) for one in back.get("agreements") or []]
    return Rules(
        tuple(resources), keys, tuple(values), tuple(accounts), tuple(pools), tuple(rates),
        tuple(_glob(text) for text in egress or EGRESS), spread, tuple(_glob(text) for text in used),
        _share(keep), _share(ports), tuple(agreements),
    )  # fmt: skip


def _glob(text: str) -> re.Pattern[str]:
    return re.compile(glob_regex(text), re.DOTALL | re.IGNORECASE)


def _share(value: Any) -> int:
    return int(Decimal(str(value)) * 10**12)


def _target(one: dict[str, Any]) -> Target:
    kind = next(kind for kind in TARGETS if kind in one)
    return Target(kind, str(one[kind]))


def _match(one: dict[str, Any], rule: str) -> Match:
    pattern = one.get("match", one.get("value", "*"))
    return Match(_glob(str(pattern)), _target(one), rule, str(one.get("key", "")).lower())


def _pool(one: dict[str, Any], rule: str) -> Pool:
    capacity = one.get("capacity")
    return Pool(
        name=str(one["name"]),
        match=tuple((key, _glob(str(text))) for key, text in one["match"].items()),
        jobs=tuple(_glob(text) for text in one.get("jobs") or ["*"]),
        usage=str(one.get("usage", "auto")),
        capacity=Decimal(str(capacity)) if capacity is not None else None,
        spread_idle=one.get("idle", "visible") == "spread",
        shares=tuple((domain, _share(share)) for domain, share in (one.get("shares") or {}).items()),
        rule=rule,
    )


PRICES = ("run_second", "byte_scanned", "byte_billed", "byte_written", "byte_stored", "byte_egressed")


def _rate(one: dict[str, Any], rule: str) -> Rate:
    since, until = (parse_event_time(str(one[key])) if one.get(key) else None for key in ("since", "until"))
    return Rate(
        engine=_glob(str(one.get("engine", "*"))),
        jobs=_glob(str(one.get("jobs", "*"))),
        currency=str(one["currency"]).upper(),
        prices={key: Decimal(str(one[key])) * 10**12 for key in PRICES if one.get(key) is not None},
        since=since.at if since else datetime.min,  # noqa: DTZ901 - naive UTC like all stored times
        until=until.at if until else OPEN_END,
        account=one.get("account"),
        rule=rule,
    )


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
        if one.get("usage", "auto") not in ("auto", "duration", "bytes", "even", "fixed"):
            problems.append(file.problem((*here, "usage"), "must be auto, duration, bytes, even or fixed"))
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


def _used(file: DeclaredFile, place: Place, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return [file.problem(place, "must be a list of patterns of datasets")]
    return []


def _rates(file: DeclaredFile, place: Place, value: Any) -> list[str]:
    known = ("engine", "jobs", "currency", "since", "until", "account", *PRICES)
    problems = _list_of(file, place, value, known, ("currency",))
    for i, one in enumerate(value if isinstance(value, list) else []):
        if not isinstance(one, dict):
            continue
        here = (*place, i)
        if not any(one.get(key) is not None for key in PRICES):
            problems.append(file.problem(here, f"has no price; give one of {', '.join(PRICES)}"))
        problems += _numbers(file, here, one, PRICES, least=Decimal(0))
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
    "used": _used,
    "rates": _rates,
    "chargeback": _chargeback,
}


def _rate_problems(item: Declared) -> list[str]:
    """Rates of the same engine that overlap, or leave days without a price between them."""
    rates = json.loads(item.columns["rules"]).get("rates") or []
    groups: dict[tuple[str, ...], list[tuple[datetime, datetime, int]]] = {}
    for i, one in enumerate(rates):
        rate = _rate(one, "")
        group = tuple(str(one.get(key, "")) for key in ("engine", "jobs", "currency", "account"))
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
