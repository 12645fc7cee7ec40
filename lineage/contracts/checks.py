"""What the official schema of ODCS does not catch.

Problems refuse a contract; warnings are told and kept. The standard's own examples use free status words, SLA elements
of other tables and relationships to other contracts, so these warn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lineage.contracts.model import STATUSES, semver
from lineage.contracts.periods import unit_seconds
from lineage.yamlfile import DeclaredFile, Place

_TIMED = ("latency", "freshness", "frequency", "retention")


def check_contract(file: DeclaredFile) -> tuple[list[str], list[str]]:
    """Problems and warnings of a contract that its schema accepts.

    >>> from lineage.yamlfile import parse_declared
    >>> text = "id: c\\nversion: 1.0.0\\nstatus: live\\nschema: []\\n"
    >>> check_contract(parse_declared(text, "c.yaml")[0])[1][0]
    'c.yaml:3: status: “live” is none of proposed, draft, active, deprecated, retired, so the contract is not enforced'
    """
    value = file.value
    problems, warnings = check_version(file), check_status(file)
    objects = value.get("schema") or []
    names: dict[str, int] = {}
    for i, one in enumerate(objects):
        name = str(one.get("name") or one.get("physicalName") or "")
        if name and names.setdefault(name, i) != i:
            problems.append(file.problem(("schema", i, "name"), f"object “{name}” stands twice"))
        problems += _duplicates(file, ("schema", i), one)
        warnings += _keys(file, ("schema", i), one)
    if not objects:
        warnings.append(file.problem(("schema",), "describes no object, so the contract refers to nothing"))
    warnings += _slas(file, value) + _relations(file, value)
    return problems, warnings


def check_version(file: DeclaredFile) -> list[str]:
    """An unquoted number where a version should be, or a version that is no semantic one."""
    version = file.value.get("version")
    if version is None:
        return []
    if not isinstance(version, str):
        what = f'{version} is a number here, and 1.10 would become 1.1; quote it: version: "{version}.0"'
        return [file.problem(("version",), what)]
    if semver(version) is None:
        return [file.problem(("version",), f"“{version}” is no semantic version; write three numbers, like 1.0.0")]
    return []


def check_status(file: DeclaredFile) -> list[str]:
    """A status that has no meaning in the life cycle."""
    status = file.value.get("status")
    if status in STATUSES:
        return []
    what = f"“{status}” is none of {', '.join(STATUSES)}, so the contract is not enforced"
    return [file.problem(("status",), what)]


# -- inside


def _duplicates(file: DeclaredFile, place: Place, value: Mapping[str, Any]) -> list[str]:
    problems: list[str] = []
    seen: dict[str, int] = {}
    for i, one in enumerate(value.get("properties") or []):
        if not isinstance(one, dict):
            continue
        where = (*place, "properties", i)
        name = str(one.get("name") or "")
        first = seen.setdefault(name, i) if name else i
        if first != i:
            line = file.lines.get((*place, "properties", first), 1)
            problems.append(file.problem((*where, "name"), f"column “{name}” stands twice (first in line {line})"))
        problems += _duplicates(file, where, one)
        if isinstance(one.get("items"), dict):
            problems += _duplicates(file, (*where, "items"), one["items"])
    return problems


def _keys(file: DeclaredFile, place: Place, value: Mapping[str, Any]) -> list[str]:
    """Positions of a primary key: 1, 2, … without a gap, and only on columns of the key."""
    warnings = []
    taken: dict[int, str] = {}
    for i, one in enumerate(value.get("properties") or []):
        position = one.get("primaryKeyPosition")
        where = (*place, "properties", i, "primaryKeyPosition")
        if position is None or position == -1:
            continue
        if one.get("primaryKey") is not True:
            warnings.append(file.problem(where, f"“{one.get('name')}” has a position in a key but is in none"))
        elif position in taken:
            warnings.append(
                file.problem(where, f"“{one.get('name')}” and “{taken[position]}” have position {position}")
            )
        else:
            taken[position] = str(one.get("name"))
    if taken and sorted(taken) != list(range(1, len(taken) + 1)):
        found = ", ".join(map(str, sorted(taken)))
        warnings.append(file.problem((*place, "properties"), f"positions of the primary key are {found}, not 1, 2, …"))
    return warnings


def _slas(file: DeclaredFile, value: Mapping[str, Any]) -> list[str]:
    warnings = []
    known = _elements(value)
    for i, one in enumerate(value.get("slaProperties") or []):
        for element in str(one.get("element") or "").split(","):
            if element.strip() and known and element.strip().lower() not in known:
                what = f"there is no “{element.strip()}” in the schema"
                warnings.append(file.problem(("slaProperties", i, "element"), what))
        unit, name = one.get("unit"), str(one.get("property"))
        if unit and name.lower() in _TIMED and unit_seconds(str(unit)) is None:
            warnings.append(file.problem(("slaProperties", i, "unit"), f"“{unit}” is no unit of time that is known"))
    return warnings


def _elements(value: Mapping[str, Any]) -> set[str]:
    """``object``, ``object.column`` and bare columns, in lower case."""
    found: set[str] = set()
    for one in value.get("schema") or []:
        heads = {str(one[k]).lower() for k in ("name", "physicalName") if one.get(k)}
        found |= heads
        for column in one.get("properties") or []:
            for name in {str(column[k]).lower() for k in ("name", "physicalName") if column.get(k)}:
                found |= {name, *(f"{head}.{name}" for head in heads)}
    return found


def _relations(file: DeclaredFile, value: Mapping[str, Any]) -> list[str]:
    warnings = []
    known = _elements(value)
    for i, one in enumerate(value.get("schema") or []):
        places: list[tuple[Place, Any]] = [(("schema", i), one)]
        places += [(("schema", i, "properties", k), c) for k, c in enumerate(one.get("properties") or [])]
        for place, holder in places:
            for n, relation in enumerate(holder.get("relationships") or []):
                for key in ("from", "to"):
                    ends = relation.get(key) if isinstance(relation, dict) else None
                    for end in ends if isinstance(ends, list) else [ends]:
                        if isinstance(end, str) and not _leads(end, known):
                            what = f"“{end}” leads nowhere in this contract"
                            warnings.append(file.problem((*place, "relationships", n, key), what))
    return warnings


def _leads(end: str, known: set[str]) -> bool:
    """Whether a reference leads somewhere; those to other files and by id are not judged here."""
    return "/" in end or "#" in end or ":" in end or end.lower() in known
