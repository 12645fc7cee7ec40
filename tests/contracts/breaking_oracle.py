"""Pairs of contract versions from a seed, and what datacontract-cli says of each: an oracle for our classification.

The recorded verdicts lie in ``tests/data/contracts/datacontract-cli-breaking.json``. To record them anew::

    python -m venv oracle && oracle/bin/pip install "datacontract-cli==1.2.8"
    oracle/bin/python tests/contracts/breaking_oracle.py > tests/data/contracts/datacontract-cli-breaking.json

This file needs nothing of Meshline, so that it runs where only the other tool is installed.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
import sys
from collections.abc import Callable
from typing import Any

SEEDS = 530
Document = dict[str, Any]
Edit = Callable[[random.Random, Document], None]


def base(rng: random.Random) -> Document:
    """A valid contract: two objects, columns of every family, constraints, rules, a promise of freshness."""
    columns: list[Document] = [
        {"name": "id", "logicalType": "integer", "physicalType": "bigint", "required": True, "primaryKey": True,
         "primaryKeyPosition": 1},
        {"name": "amount", "logicalType": "number", "physicalType": "decimal(10,2)", "required": rng.random() < 0.5,
         "logicalTypeOptions": {"minimum": 0, "maximum": 1_000}, "classification": "internal"},
        {"name": "code", "logicalType": "string", "physicalType": "varchar(20)", "unique": True,
         "logicalTypeOptions": {"minLength": 2, "maxLength": 20, "pattern": "^[A-Z]+$"}},
        {"name": "state", "logicalType": "string", "physicalType": "varchar(8)",
         "enum": [{"value": word} for word in ("new", "paid", "sent")], "tags": ["pii:email"]},
        {"name": "n", "logicalType": "integer", "physicalType": rng.choice(["int", "smallint"])},
        {"name": "at", "logicalType": "date", "physicalType": "date"},
        {"name": "place", "logicalType": "object", "physicalType": "struct",
         "properties": [{"name": "city", "logicalType": "string", "physicalType": "text"},
                        {"name": "zip", "logicalType": "string", "physicalType": "varchar(5)"}]},
    ]  # fmt: skip
    columns[1]["quality"] = [
        {"name": "few nulls", "metric": "nullValues", "mustBeLessThan": 10, "severity": "error"},
        {"name": "odd", "metric": "invalidValues", "arguments": {"validValues": [1, 2]}, "mustBe": 0,
         "severity": "warning"},
    ]  # fmt: skip
    return {
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": "orders", "name": "orders", "version": "1.0.0",
        "status": "active",
        "schema": [
            {"name": "orders", "physicalName": "orders", "properties": columns,
             "quality": [{"name": "size", "metric": "rowCount", "mustBeGreaterThan": 100, "severity": "error"}]},
            {"name": "lines", "physicalName": "lines",
             "properties": [{"name": "id", "logicalType": "integer", "physicalType": "int"}]},
        ],
        "slaProperties": [{"property": "freshness", "value": 24, "unit": "h", "element": "orders.at"}],
    }  # fmt: skip


def column(value: Document, name: str) -> Document:
    """A column of the first object."""
    found: Document = next(one for one in value["schema"][0]["properties"] if one["name"] == name)
    return found


def _set(name: str, key: str, *choices: Any) -> Edit:
    def edit(rng: random.Random, value: Document) -> None:
        choice = rng.choice(choices)
        if choice is None:
            column(value, name).pop(key, None)
        else:
            column(value, name)[key] = choice

    return edit


def _option(name: str, key: str, *choices: Any) -> Edit:
    def edit(rng: random.Random, value: Document) -> None:
        choice, options = rng.choice(choices), column(value, name)["logicalTypeOptions"]
        if choice is None:
            options.pop(key, None)
        else:
            options[key] = choice

    return edit


def _type(*pairs: tuple[str, str]) -> Edit:
    def edit(rng: random.Random, value: Document) -> None:
        name, kind = rng.choice(pairs)
        column(value, name)["physicalType"] = kind

    return edit


def _drop(rng: random.Random, value: Document) -> None:
    columns = value["schema"][0]["properties"]
    columns.remove(rng.choice([one for one in columns if one["name"] not in ("at", "id")]))


def _add(rng: random.Random, value: Document, **more: Any) -> None:
    at = rng.randrange(len(value["schema"][0]["properties"]) + 1)
    fresh = {"name": rng.choice(["voucher", "channel", "weight"]), "logicalType": "string", "physicalType": "text"}
    value["schema"][0]["properties"].insert(at, {**fresh, **more})


def _rename(rng: random.Random, value: Document) -> None:
    one = column(value, rng.choice(["amount", "code", "state"]))
    one["name"] += "_2"


def _swap(rng: random.Random, value: Document) -> None:
    columns = value["schema"][0]["properties"]
    a, b = rng.sample(range(len(columns)), 2)
    columns[a], columns[b] = columns[b], columns[a]


def _rule(index: int, key: str, *choices: Any) -> Edit:
    def edit(rng: random.Random, value: Document) -> None:
        column(value, "amount")["quality"][index][key] = rng.choice(choices)

    return edit


def _without_rule(index: int) -> Edit:
    return lambda rng, value: column(value, "amount")["quality"].pop(index)


def _new_rule(rng: random.Random, value: Document) -> None:
    rule = {"name": "no doubles", "metric": "duplicateValues", "mustBe": 0, "severity": "error"}
    column(value, rng.choice(["code", "n"]))["quality"] = [rule]


def _fresh(key: str, *choices: Any) -> Edit:
    def edit(rng: random.Random, value: Document) -> None:
        value["slaProperties"][0][key] = rng.choice(choices)

    return edit


NOTE = {"name": "text", "logicalType": "string"}
EDITS: dict[str, Edit] = {
    "column dropped": _drop,
    "column added": lambda rng, value: _add(rng, value),
    "required column added": lambda rng, value: _add(rng, value, required=True),
    "column renamed": _rename,
    "order": _swap,
    "nested column dropped": lambda rng, value: column(value, "place")["properties"].pop(rng.randrange(2)),
    "type alias": _type(("amount", "numeric(10,2)"), ("state", "character varying(8)")),
    "type wider": _type(("n", "bigint"), ("amount", "decimal(12,2)"), ("code", "varchar(40)"), ("code", "text")),
    "type narrower": _type(("id", "int"), ("amount", "decimal(8,2)"), ("code", "varchar(10)")),
    "type other": _type(("id", "varchar(20)"), ("at", "timestamp"), ("code", "int"), ("amount", "decimal(10,4)")),
    "required off": _set("id", "required", False, None),
    "required on": _set("n", "required", True),
    "unique off": _set("code", "unique", False, None),
    "unique on": _set("n", "unique", True),
    "key off": _set("id", "primaryKey", False, None),
    "second key off": lambda rng, value: column(value, "n").pop("primaryKey"),
    "key wider": _set("n", "primaryKey", True),
    "maximum up": _option("amount", "maximum", 1_001, 9_999),
    "maximum down": _option("amount", "maximum", 999, 10),
    "minimum down": _option("amount", "minimum", -1),
    "minimum up": _option("amount", "minimum", 1),
    "maximum gone": _option("amount", "maximum", None),
    "length up": _option("code", "maxLength", 21, 40),
    "length down": _option("code", "maxLength", 19, 10),
    "pattern gone": _option("code", "pattern", None),
    "pattern changed": _option("code", "pattern", "^[a-z]+$"),
    "enum grown": lambda rng, value: column(value, "state")["enum"].append({"value": "lost"}),
    "enum shrunk": lambda rng, value: column(value, "state")["enum"].pop(rng.randrange(3)),
    "enum gone": _set("state", "enum", None),
    "rule looser": _rule(0, "mustBeLessThan", 11, 100),
    "rule tighter": _rule(0, "mustBeLessThan", 9, 1),
    "rule gone": _without_rule(0),
    "warning rule gone": _without_rule(1),
    "rule new": _new_rule,
    "rows fewer": lambda rng, value: value["schema"][0]["quality"][0].update(mustBeGreaterThan=10),
    "rows more": lambda rng, value: value["schema"][0]["quality"][0].update(mustBeGreaterThan=1_000),
    "fresh later": _fresh("value", 25, 72),
    "fresh sooner": _fresh("value", 23, 1),
    "fresh same": lambda rng, value: value["slaProperties"][0].update(value=1, unit="d"),
    "fresh gone": lambda rng, value: value.pop("slaProperties"),
    "object dropped": lambda rng, value: value["schema"].pop(1),
    "object added": lambda rng, value: value["schema"].append({"name": "notes", "properties": [NOTE]}),
    "object moved": lambda rng, value: value["schema"][0].update(physicalName="orders_v2"),
    "description": _set("n", "description", "how many"),
    "class higher": _set("amount", "classification", "restricted"),
    "class lower": _set("amount", "classification", "public"),
    "pii gone": _set("state", "tags", None),
    "deprecated": lambda rng, value: value.update(status="deprecated"),
    "role gone": lambda rng, value: value.pop("roles", None),
    "latency": lambda rng, value: value["slaProperties"].append({"property": "latency", "value": 1, "unit": "h"}),
}
"""Name of an edit → what it does to a contract."""


def pair(seed: int) -> tuple[tuple[str, ...], Document, Document]:
    """Names of the edits, the old contract and the new one; one edit, in every fifth round two or three."""
    rng = random.Random(seed)
    old = base(rng)
    if rng.random() < 0.5:
        old["roles"] = [{"role": "analyst", "access": "read"}]
    names = list(EDITS)
    chosen = [names[seed % len(names)]]
    if chosen == ["second key off"]:
        column(old, "n")["primaryKey"] = True
    if seed // len(names) % 5 == 4:
        chosen += rng.sample([name for name in names if name != chosen[0]], rng.randint(1, 2))
    new = copy.deepcopy(old)
    done = []
    for name in chosen:
        before = copy.deepcopy(new)
        try:
            EDITS[name](rng, new)
        except (StopIteration, IndexError, KeyError):  # an earlier edit took away what this one wants
            new = before
        if new != before:
            done.append(name)
    return tuple(done), old, new


def text_of(value: Document) -> str:
    """A contract as text; JSON is YAML."""
    return json.dumps(value, indent=1)


def digest_of(old: Document, new: Document) -> str:
    """What tells whether a recorded verdict is about this pair."""
    return hashlib.sha256(json.dumps([old, new], sort_keys=True).encode()).hexdigest()[:16]


def verdict(old: Document, new: Document) -> dict[str, str]:
    """Worst level that datacontract-cli gives, as a consumer and as a producer sees it: error, warning or info."""
    from datacontract.data_contract import DataContract
    from datacontract.model.breaking import Perspective
    from open_data_contract_standard.model import OpenDataContractStandard as Model

    # from the model: the tool checks a text against its schema first, a second for each
    before, after = (DataContract(data_contract=Model.model_validate(one)) for one in (old, new))
    found = {}
    for perspective in Perspective:
        levels = {entry.level.value for entry in before.breaking(after, perspective=perspective).entries}
        found[perspective.value] = next((word for word in ("error", "warning") if word in levels), "info")
    return found


def main() -> None:
    """Print the verdicts on all pairs as JSON, one line each."""
    from importlib.metadata import version

    rows = []
    for seed in range(SEEDS):
        _, old, new = pair(seed)
        said = verdict(old, new)
        rows.append(json.dumps([seed, digest_of(old, new), said["consumer"], said["producer"]]))
    head = json.dumps({"tool": "datacontract-cli", "version": version("datacontract-cli"), "command": "breaking",
                       "made by": "tests/contracts/breaking_oracle.py"})  # fmt: skip
    sys.stdout.write(f'{head[:-1]}, "columns": ["seed", "digest", "consumer", "producer"],\n "verdicts": [\n')
    sys.stdout.write(",\n".join(rows) + "\n]}\n")


if __name__ == "__main__":
    main()
