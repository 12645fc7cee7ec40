"""A contract as Meshline uses it: what ODCS says, in the parts that can be kept or broken.

Unknown keys and everything else a user wrote stay in the text that is stored beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lineage.contracts.periods import seconds_of

STATUSES = ("proposed", "draft", "active", "deprecated", "retired")
_SEMVER = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:[-+][0-9A-Za-z.+-]+)?")
ORDER = {"public": 0, "internal": 1, "confidential": 2, "restricted": 3, "secret": 4}
"""Classifications from open to closed; others are compared as equal or different only."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One quality rule, of an object (``column`` empty) or of a column."""

    column: str
    name: str
    type: str
    metric: str
    operator: str
    value: Any
    unit: str
    severity: str
    body: str  # query, text or implementation of rules that are no metric

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same when only a threshold changes."""
        return self.column, self.name or self.metric or self.body, self.metric


@dataclass(frozen=True, slots=True)
class Sla:
    """One SLA property; ``seconds`` is its duration, ``None`` when it has none."""

    name: str
    value: Any
    unit: str
    element: str
    driver: str

    @property
    def seconds(self) -> float | None:
        """The promise as a duration."""
        return seconds_of(self.value, self.unit)


@dataclass(frozen=True, slots=True)
class Column:
    """One property of an object; nested ones have dotted paths."""

    path: str
    id: str = ""
    type: str = ""  # physical type, else logical
    logical: str = ""
    physical_name: str = ""
    position: int = 0
    required: bool = False
    unique: bool = False
    key: bool = False
    key_position: int = -1
    partitioned: bool = False
    classification: str = ""
    encrypted_name: str = ""
    masking: str = ""
    critical: bool = False
    deprecated: bool = False
    description: str = ""
    tags: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    enum: tuple[str, ...] | None = None

    @property
    def pii(self) -> tuple[str, ...]:
        """Governed tags: those whose key is ``pii``."""
        return tuple(tag for tag in self.tags if re.split(r"[:=]", tag)[0].lower() == "pii")


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of the schema: a table, a topic, a file."""

    name: str
    id: str
    physical_name: str
    physical_type: str
    description: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    custom: Mapping[str, Any]

    def column(self, name: str) -> Column | None:
        """A column by its name or physical name."""
        low = name.lower()
        return next((c for c in self.columns if low in (c.path.lower(), c.physical_name.lower())), None)


@dataclass(frozen=True, slots=True)
class Server:
    """Where the data is: the keys of one ODCS server."""

    name: str
    type: str
    environment: str
    keys: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contract:
    """One version of one contract."""

    id: str
    version: str
    status: str
    name: str
    domain: str
    product: str
    things: tuple[Thing, ...]
    servers: tuple[Server, ...]
    slas: tuple[Sla, ...]
    roles: Mapping[str, str]  # role → access
    team: tuple[str, ...]
    custom: Mapping[str, Any]
    usage: str
    limitations: str
    purpose: str
    tags: tuple[str, ...]
    support: str = ""

    @property
    def title(self) -> str:
        """Name and version for people."""
        return f"{self.name or self.id} {self.version}"

    @property
    def major(self) -> int:
        """Major version; 0 when the version is no semantic one."""
        found = semver(self.version)
        return found[0] if found else 0

    def sla(self, *names: str) -> Sla | None:
        """The first SLA property of one of these names (case does not matter)."""
        low = {name.lower() for name in names}
        return next((sla for sla in self.slas if sla.name.lower() in low), None)

    @property
    def replaced_by(self) -> str:
        """Contract (and version) that follows this one."""
        return str(self.custom.get("replacedBy") or "")


def semver(text: str) -> tuple[int, int, int] | None:
    """Parts of a semantic version.

    >>> semver("2.10.0"), semver("v1.0.0"), semver("1.10")
    ((2, 10, 0), (1, 0, 0), None)
    """
    match = _SEMVER.fullmatch(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def read_contract(value: Mapping[str, Any]) -> Contract:
    """A contract from a document that the schema has accepted.

    >>> read_contract({"id": "c", "version": "1.0.0", "status": "active"}).title
    'c 1.0.0'
    """
    described = value.get("description")
    words = described if isinstance(described, dict) else {}
    return Contract(
        id=_text(value.get("id")),
        version=_text(value.get("version")),
        status=_text(value.get("status")),
        name=_text(value.get("name")),
        domain=_text(value.get("domain")),
        product=_text(value.get("dataProduct")),
        things=tuple(_thing(one) for one in _objects(value.get("schema"))),
        servers=tuple(_server(one) for one in _objects(value.get("servers"))),
        slas=tuple(_sla(one) for one in _objects(value.get("slaProperties"))),
        roles={_text(one.get("role")): _text(one.get("access")) for one in _objects(value.get("roles"))},
        team=tuple(_members(value.get("team"))),
        custom=custom_of(value),
        usage=_text(words.get("usage")),
        limitations=_text(words.get("limitations")),
        purpose=_text(words.get("purpose")),
        tags=_texts(value.get("tags")),
        support=repr(value.get("support") or ""),
    )


def custom_of(value: Mapping[str, Any]) -> dict[str, Any]:
    """``customProperties`` as a mapping."""
    return {_text(one.get("property")): one.get("value") for one in _objects(value.get("customProperties"))}


# -- inside


def _thing(value: Mapping[str, Any]) -> Thing:
    columns: list[Column] = []
    rules = list(_rules(value, ""))
    for place, one in enumerate(_objects(value.get("properties"))):
        _columns(one, "", place, columns, rules)
    return Thing(
        name=_text(value.get("name")),
        id=_text(value.get("id")),
        physical_name=_text(value.get("physicalName")),
        physical_type=_text(value.get("physicalType")),
        description=_text(value.get("description")),
        columns=tuple(columns),
        rules=tuple(rules),
        custom=custom_of(value),
    )


def _columns(value: Mapping[str, Any], above: str, place: int, found: list[Column], rules: list[Rule]) -> None:
    path = f"{above}{_text(value.get('name')) or 'items'}"
    told = {_COLUMN[key][0]: _COLUMN[key][1](one) for key, one in value.items() if key in _COLUMN}
    kind = _text(value.get("physicalType")) or told.get("logical", "")
    options = value.get("logicalTypeOptions")
    options = options if isinstance(options, dict) else {}
    enum = value.get("enum") if isinstance(value.get("enum"), list) else options.get("enum")
    if options:
        told["options"] = {k: v for k, v in options.items() if k != "enum"}
    if isinstance(enum, list):
        told["enum"] = tuple(map(str, enum))
    found.append(Column(path=path, type=kind, position=place, **told))
    if not value.keys().isdisjoint(_INSIDE):  # of most columns nothing more is told
        rules += _rules(value, path)
        items = value.get("items")
        below = [value, items] if isinstance(items, dict) else [value]
        for one in below:
            for at, part in enumerate(_objects(one.get("properties"))):
                _columns(part, f"{path}.", at, found, rules)


_INSIDE = ("quality", "properties", "items")
_OPERATORS = ("mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan",
              "mustBeLessOrEqualTo", "mustBeBetween", "mustNotBeBetween")  # fmt: skip


def _rules(value: Mapping[str, Any], column: str) -> Iterator[Rule]:
    for one in _objects(value.get("quality")):
        operator = next((word for word in _OPERATORS if word in one), "")
        body = one.get("query") or one.get("implementation") or one.get("description") or ""
        yield Rule(
            column=column,
            name=_text(one.get("name")) or _text(one.get("id")),
            type=_text(one.get("type")) or "library",
            metric=_text(one.get("metric")) or _text(one.get("rule")),
            operator=operator,
            value=one.get(operator),
            unit=_text(one.get("unit")),
            severity=_text(one.get("severity")).lower() or "error",
            body=body if isinstance(body, str) else repr(body),
        )


def _server(value: Mapping[str, Any]) -> Server:
    return Server(
        _text(value.get("server")) or _text(value.get("id")),
        _text(value.get("type")).lower(),
        _text(value.get("environment")),
        {**{k: v for k, v in value.items() if isinstance(v, str | int)}, "custom": custom_of(value)},
    )


def _sla(value: Mapping[str, Any]) -> Sla:
    return Sla(
        _text(value.get("property")), value.get("value"), _text(value.get("unit")), _text(value.get("element")),
        _text(value.get("driver")).lower(),
    )  # fmt: skip


def _members(team: Any) -> Iterator[str]:
    members = team.get("members") if isinstance(team, dict) else team
    for one in _objects(members):
        if not one.get("dateOut"):
            yield _text(one.get("username")) or _text(one.get("name"))


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in value if isinstance(one, str | int)) if isinstance(value, list) else ()


def _text(value: Any) -> str:
    if value.__class__ is str:
        return value.strip()
    return "" if value is None else str(value).strip()


def _int(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _lower(value: Any) -> str:
    return _text(value).lower()


def _true(value: Any) -> bool:
    return value is True


def _masking(properties: Any) -> str:
    return _text(custom_of({"customProperties": properties}).get("masking"))


_COLUMN: Mapping[str, tuple[str, Callable[[Any], Any]]] = {  # key of a property → field of a column, how it is read
    "id": ("id", _text),
    "logicalType": ("logical", _text),
    "physicalName": ("physical_name", _text),
    "required": ("required", _true),
    "unique": ("unique", _true),
    "primaryKey": ("key", _true),
    "primaryKeyPosition": ("key_position", _int),
    "partitioned": ("partitioned", _true),
    "classification": ("classification", _lower),
    "encryptedName": ("encrypted_name", _text),
    "customProperties": ("masking", _masking),
    "criticalDataElement": ("critical", _true),
    "deprecated": ("deprecated", _true),
    "description": ("description", _text),
    "tags": ("tags", _texts),
}
