"""Check documents against the official JSON schemas of ODCS and Bitol ODPS, each by the version it states.

A document that its own version refuses but a newer minor version of the same major accepts is accepted with a warning
that names both: several of the standard's own examples state an older version than they are written in.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from math import isfinite
from typing import Any, Literal

from lineage.yamlfile import DeclaredFile, Place

Standard = Literal["odcs", "odps"]
VERSIONS: dict[Standard, tuple[str, ...]] = {
    "odcs": ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0"),
    "odps": ("v0.9.0", "v1.0.0", "v1.1.0"),
}
NAMES: dict[Standard, str] = {"odcs": "ODCS", "odps": "Bitol ODPS"}
_SCHEMA_OF = {("odps", "v0.9.0"): "v1.0.0"}  # the schema of 1.0.0 says that it is also that of 0.9.0
_SHOWN = 25  # problems named of one document
_LONGEST = 200  # characters of a message


def check_schema(standard: Standard, file: DeclaredFile) -> tuple[list[str], list[str]]:
    """Problems and warnings of a document by the schema of its ``apiVersion``.

    Parameters
    ----------
    standard
        ``odcs`` for contracts, ``odps`` for products.
    file
        the document, read without turning dates into objects.

    Returns
    -------
    tuple
        problems (it is refused when there is one), and warnings; each with file, line and path.

    Examples
    --------
    >>> from lineage.yamlfile import parse_declared
    >>> file, _ = parse_declared("apiVersion: v9.0.0\\n", "c.yaml")
    >>> check_schema("odcs", file)[0]
    ['c.yaml:1: apiVersion: “v9.0.0” is no version of ODCS that is known here (v3.0.0, v3.0.1, v3.0.2, v3.1.0, v3.2.0)']
    """
    value = file.value
    if not isinstance(value, dict):
        return [file.problem((), "must be a mapping")], []
    stated = value.get("apiVersion")
    versions = VERSIONS[standard]
    if stated is None:
        return [file.problem(("apiVersion",), f"is missing; write apiVersion: {versions[-1]}")], []
    if stated not in versions:
        known = ", ".join(versions)
        what = f"“{stated}” is no version of {NAMES[standard]} that is known here ({known})"
        return [file.problem(("apiVersion",), what)], []
    if _accepts(standard, stated, value):
        return [], []
    for newer in versions[versions.index(stated) + 1 :]:
        if newer[:2] == stated[:2] and _accepts(standard, newer, value):
            what = f"states {stated}, but only the schema of {newer} accepts it; write apiVersion: {newer}"
            return [], [file.problem(("apiVersion",), what)]
    return _problems(standard, stated, file), []


@cache
def schema(standard: Standard, version: str) -> dict[str, Any]:
    """One official schema."""
    name = f"{standard}-json-schema-{_SCHEMA_OF.get((standard, version), version)}.json"
    found: dict[str, Any] = json.loads((files(__package__) / "schemas" / name).read_text("utf-8"))
    return found


@cache
def _validator(standard: Standard, version: str) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(schema(standard, version))


def _accepts(standard: Standard, version: str, value: Any) -> bool:
    try:
        return bool(_validator(standard, version).is_valid(value))
    except (ValueError, OverflowError, TypeError):  # what JSON cannot hold: keys that are no text, numbers like .inf
        return False


def _problems(standard: Standard, version: str, file: DeclaredFile) -> list[str]:
    try:
        errors = list(_validator(standard, version).iter_errors(file.value))
    except (ValueError, OverflowError, TypeError) as unfit:
        return [file.problem(_unfit(file.value) or (), f"holds what JSON cannot: {str(unfit).splitlines()[0]}")]
    names = _keys(standard, version)
    problems = list(dict.fromkeys(line for one in errors for line in _told(file, one, version, names)))
    more = len(problems) - _SHOWN
    return problems[:_SHOWN] + ([file.problem((), f"{more} more problems by the schema")] if more > 0 else [])


def _told(file: DeclaredFile, error: Any, version: str, names: Sequence[str]) -> Iterator[str]:
    """One problem of the schema; what is missing and what is too much each at its own place."""
    place = tuple(error.instance_path)
    missing, unexpected = (getattr(error.kind, key, None) for key in ("property", "unexpected"))
    if isinstance(missing, str):
        yield file.problem((*place, missing), f"is missing (schema {version})")
    elif isinstance(unexpected, list) and unexpected:
        for name in unexpected:
            near = difflib.get_close_matches(str(name), names, 1)
            hint = f"; did you mean “{near[0]}”?" if near and near[0] != name else ""
            yield file.problem((*place, str(name)), f"is no key here{hint} (schema {version})")
    else:
        yield file.problem(place, _words(error.message, version))


@cache
def _keys(standard: Standard, version: str) -> tuple[str, ...]:
    """Every key that a schema names somewhere."""
    found: set[str] = set()
    left: list[Any] = [schema(standard, version)]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            held = one.get("properties")
            found.update(held if isinstance(held, dict) else ())
            left += one.values()
        elif isinstance(one, list):
            left += one
    return tuple(sorted(found))


def _unfit(value: Any, place: Place = ()) -> Place | None:
    """Where the first thing stands that JSON has no word for: a key that is no text, a number like ``.inf``."""
    if isinstance(value, dict):
        wrong = next(((*place, str(key)) for key in value if not isinstance(key, str)), None)
        parts = (_unfit(one, (*place, str(key))) for key, one in value.items())
        return wrong or next((one for one in parts if one is not None), None)
    if isinstance(value, list):
        found = (_unfit(one, (*place, i)) for i, one in enumerate(value))
        return next((one for one in found if one is not None), None)
    fits = isinstance(value, str | bool | None) or (isinstance(value, int) and abs(value) < 1 << 64)
    return None if fits or (isinstance(value, float) and isfinite(value)) else place


def _words(message: str, version: str) -> str:
    text = " ".join(message.split())
    cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"
    return f"{cut} (schema {version})"
