"""Read one declared YAML file: values with their lines, and nothing that surprises.

Dates stay text, a key that stands twice is an error, tags that build Python objects are refused, and so is a file
whose aliases would unfold to more than a person can have meant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

SUFFIXES = (".yaml", ".yml")  # of declared files
MAX_BYTES = 1_000_000
MAX_VALUES = 100_000  # after unfolding of aliases
_TIMESTAMP = "tag:yaml.org,2002:timestamp"

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class DeclaredFile:
    """One file as it was read. ``lines`` gives the 1-based line of each value by its place in the document."""

    path: str
    text: str
    value: Any = None
    lines: Mapping[Place, int] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """SHA-256 of the text, hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def problem(self, place: Place, what: str) -> str:
        """``file:line: path.in.file: what`` for a message.

        >>> DeclaredFile("a.yaml", "", {}, {("patterns", 1): 4}).problem(("patterns", 1), "is empty")
        'a.yaml:4: patterns[1]: is empty'
        """
        where = place
        while where and where not in self.lines:
            where = where[:-1]
        return f"{self.path}:{self.lines.get(where, 1)}: {_head(place)}{what}"


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared thing read from one file: its columns in the table of its kind."""

    name: str
    file: DeclaredFile
    columns: Mapping[str, Any]
    valid_from: datetime | None = None  # date in the file; None = from the moment it is applied
    warnings: tuple[str, ...] = ()  # what is odd about it but does not stand in its way


def read_declared(file: Path, shown: str) -> tuple[DeclaredFile | None, list[str]]:
    """Read one file.

    Parameters
    ----------
    file, shown
        where it is, and how messages name it.

    Returns
    -------
    tuple
        the file, or ``None`` when it cannot be used, and what is wrong with it.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        return None, [f"{shown}:1: cannot be read: {error.strerror}"]
    if len(data) > MAX_BYTES:
        return None, [f"{shown}:1: has {len(data):,} bytes; a declared file may have {MAX_BYTES:,}"]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return None, [f"{shown}:{line}: is not UTF-8; save it as UTF-8"]
    return parse_declared(text, shown)


def parse_declared(text: str, shown: str) -> tuple[DeclaredFile | None, list[str]]:
    """Like :func:`read_declared`, from text.

    >>> parse_declared("a: 1\\na: 2\\n", "x.yaml")[1]
    ['x.yaml:2: a: stands twice (first in line 1)']
    """
    import yaml

    loader = _loader()(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, [f"{shown}:1: is empty"]
        lines: dict[Place, int] = {}
        problems = _check(node, (), lines, [MAX_VALUES], shown)
        if problems:
            return None, problems
        value = _value(node, loader) if _plain(node) else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return None, [f"{shown}:{mark.line + 1 if mark else 1}: {error.problem or 'is no YAML'}"]
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        return None, [f"{shown}:1: is no YAML that can be read: {str(error).splitlines()[0]}"]
    finally:
        loader.dispose()
    return DeclaredFile(shown, text, value, lines), []


def place_text(place: Place) -> str:
    """A place as people write it.

    >>> place_text(("schema", 0, "name"))
    'schema[0].name'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def _head(place: Place) -> str:
    return f"{place_text(place)}: " if place else ""


def _check(node: Any, place: Place, lines: dict[Place, int], budget: list[int], shown: str) -> list[str]:
    """Note lines; report duplicate keys, merge keys' excess and documents that unfold without measure."""
    import yaml

    budget[0] -= 1
    if budget[0] < 0:
        what = f"unfolds to more than {MAX_VALUES:,} values; use fewer aliases"
        return [f"{shown}:{node.start_mark.line + 1}: {_head(place)}{what}"]
    lines.setdefault(place, node.start_mark.line + 1)
    children: list[tuple[Place, Any]] = []
    problems: list[str] = []
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in first:
                what = f"stands twice (first in line {first[name]})"
                problems.append(f"{shown}:{line}: {_head((*place, name))}{what}")
            first.setdefault(name, line)
            lines.setdefault((*place, name), line)
            children.append(((*place, name), value))
    elif isinstance(node, yaml.SequenceNode):
        children = [((*place, i), child) for i, child in enumerate(node.value)]
    for where, child in children:
        problems += _check(child, where, lines, budget, shown)
        if budget[0] < 0:
            break
    return problems


_TAG = "tag:yaml.org,2002:"


def _plain(node: Any) -> bool:
    """Whether a document is mappings with scalar keys, sequences and scalars alone: no merge keys, no other tags."""
    if isinstance(node.value, str):
        return True
    if node.tag == _TAG + "seq":
        return all(_plain(child) for child in node.value)
    return node.tag == _TAG + "map" and all(
        key.tag == _TAG + "str" and isinstance(key.value, str) and _plain(value) for key, value in node.value
    )


def _value(node: Any, loader: Any) -> Any:
    """What a plain node says; the loader's own way through its generators takes twice as long."""
    if isinstance(node.value, str):
        return node.value if node.tag == _TAG + "str" else loader.construct_object(node)
    if node.tag == _TAG + "seq":
        return [_value(child, loader) for child in node.value]
    return {key.value: _value(value, loader) for key, value in node.value}


@cache
def _loader() -> Any:
    """The safe loader (the C one where it is there) that leaves dates as text."""
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    resolvers = {
        first: [(tag, regex) for tag, regex in pairs if tag != _TIMESTAMP]
        for first, pairs in base.yaml_implicit_resolvers.items()
    }
    return type("DeclaredLoader", (base,), {"yaml_implicit_resolvers": resolvers})
