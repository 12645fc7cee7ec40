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
        usage: auto                       # auto, duration, bytes, cpu, even, fixed (shares: {sales: 2, finance: 1})
        capacity: 4                       # runs at a time; what is not used is idle
        idle: visible                     # or spread, over those who used it
    egress: {match: ["*data transfer*"], spread: false}
    regions: [{match: "s3://eu-*", region: eu-west-1}]     # where datasets lie; what leaves a region is egress
    rates:                       # for those without a bill
      - {engine: "spark*", currency: EUR, run_second: "0.0004", byte_scanned: "5e-12", since: 2026-01-01}
      - {currency: EUR, byte_egressed: "8e-11", from: "eu-*", to: "us-*"}   # of a pair of regions; the first that fits
    used: ["superset://*"]       # datasets that people use where lineage does not see it: never waste
    chargeback:                  # which share of its cost a node keeps, the rest goes on to its readers
      {default: 0, ports: 1, agreements: [{product: orders, keep: "0.25"}]}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lineage.domains import glob_regex
from lineage.times import OPEN_END, parse_event_time

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
    source: re.Pattern[str] | None = None  # regions between which bytes are egressed
    target: re.Pattern[str] | None = None


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
    regions: tuple[tuple[re.Pattern[str], str], ...] = ()
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
    regions: list[tuple[re.Pattern[str], str]] = []
    used: list[str] = []
    spread, keep, ports, agreements = False, Decimal(0), Decimal(1), list[tuple[str, int]]()
    for name, rules in files:
        resources += [_match(one, f"{name}: resources[{i}]") for i, one in enumerate(rules.get("resources") or [])]
        accounts += [_match(one, f"{name}: accounts[{i}]") for i, one in enumerate(rules.get("accounts") or [])]
        tags = rules.get("tags") or {}
        values += [_match(one, f"{name}: tags.values[{i}]") for i, one in enumerate(tags.get("values") or [])]
        keys |= {str(key).lower(): kind for kind in TAG_KEYS for key in tags.get(kind) or []}
        pools += [_pool(one, f"{name}: pools[{i}]") for i, one in enumerate(rules.get("pools") or [])]
        rates += [read_rate(one, f"{name}: rates[{i}]") for i, one in enumerate(rules.get("rates") or [])]
        egress += (rules.get("egress") or {}).get("match") or []
        spread = bool((rules.get("egress") or {}).get("spread", spread))
        regions += [(_glob(str(one["match"])), str(one["region"])) for one in rules.get("regions") or []]
        used += rules.get("used") or []
        back = rules.get("chargeback") or {}
        keep, ports = Decimal(str(back.get("default", keep))), Decimal(str(back.get("ports", ports)))
        agreements += [(one["product"], _share(one["keep"])) for one in back.get("agreements") or []]
    return Rules(
        tuple(resources), keys, tuple(values), tuple(accounts), tuple(pools), tuple(rates),
        tuple(_glob(text) for text in egress or EGRESS), spread, tuple(regions), tuple(_glob(text) for text in used),
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


def read_rate(one: dict[str, Any], rule: str) -> Rate:
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
        source=_glob(str(one["from"])) if one.get("from") is not None else None,
        target=_glob(str(one["to"])) if one.get("to") is not None else None,
    )
