"""Domain files: ``domains/*.yaml``, one domain each.

.. code-block:: yaml

    name: sales                  # id, required
    title: Sales                 # for people
    owner: team:sales            # who answers for it
    parent: commerce             # domain it belongs to
    members: [ada, grace]
    escalation: [ada, on-call]
    quality: {timeliness: 0.4}   # weights of dimensions in scores; default: see docs/quality.md
    valid_from: 2026-01-01       # since when it holds; default: since it is applied
    patterns:                    # what belongs to it, see lineage/domains.py
      - "shop.*"
      - "dataset:postgres://db:5432:crm.*"
      - "job:airflow:sales_*"
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lineage.answers import UNASSIGNED
from lineage.domains import Pattern, glob_regex, parse_pattern, ties
from lineage.times import parse_event_time
from lineage.yamlfile import Declared, DeclaredFile

if TYPE_CHECKING:
    from lineage.store import Store

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_TEXTS = ("name", "title", "owner", "parent", "valid_from", "description")
_LISTS = ("members", "escalation", "patterns")


class DomainFiles:
    """The kind of file that declares a domain."""

    folder = "domains"
    table = "domain"

    def read(self, file: DeclaredFile) -> tuple[Declared | None, list[str]]:
        """The domain in a file, and what is wrong with it.

        >>> from lineage.yamlfile import parse_declared
        >>> file, _ = parse_declared("name: sales\\npattern: [x]\\n", "domains/sales.yaml")
        >>> DOMAINS.read(file)[1]
        ['domains/sales.yaml:2: pattern: is no key of a domain file; did you mean “patterns”?']
        """
        value = file.value
        if not isinstance(value, dict):
            return None, [file.problem((), "must be a mapping with at least a name")]
        problems = _wrong_keys(file, value) + _wrong_values(file, value)
        name = value.get("name")
        if "name" not in value:
            problems.append(file.problem((), "has no “name”"))
        elif isinstance(name, str) and (not _NAME.fullmatch(name) or name == UNASSIGNED):
            problems.append(file.problem(("name",), f"“{name}” cannot be a name; use letters, digits, “_”, “.”, “-”"))
        parsed = parse_event_time(str(value["valid_from"])) if value.get("valid_from") is not None else None
        if value.get("valid_from") is not None and parsed is None:
            problems.append(file.problem(("valid_from",), f"“{value['valid_from']}” is no date; write 2026-01-31"))
        patterns = _patterns(file, value, problems)
        if problems:
            return None, problems
        columns = {
            "title": value.get("title"),
            "owner": value.get("owner"),
            "parent": value.get("parent"),
            "patterns": json.dumps([{"kind": one.kind, "glob": one.glob} for one in patterns]),
        }
        return Declared(str(name), file, columns, parsed.at if parsed else None), []

    def check(self, items: Sequence[Declared], store: Store) -> list[str]:
        """Parents that do not exist or form a ring; patterns that claim one node for two domains."""
        return _wrong_parents(items) + _wrong_patterns(items, store)


DOMAINS = DomainFiles()


def _wrong_keys(file: DeclaredFile, value: dict[Any, Any]) -> list[str]:
    known = (*_TEXTS, *_LISTS, "quality")
    problems = []
    for key in value:
        if key in known or str(key).startswith("x-"):
            continue
        near = difflib.get_close_matches(str(key), known, 1)
        hint = f"; did you mean “{near[0]}”?" if near else f" ({', '.join(known)}, or x-… for your own)"
        problems.append(file.problem((str(key),), f"is no key of a domain file{hint}"))
    return problems


def _wrong_values(file: DeclaredFile, value: dict[Any, Any]) -> list[str]:
    problems = []
    if value.get("quality") is not None:
        from lineage.quality.weights import problem_of  # imports numpy

        wrong = problem_of(value["quality"])
        problems += [file.problem(("quality",), wrong)] if wrong else []
    for key in _TEXTS:
        if value.get(key) is not None and not isinstance(value[key], str):
            problems.append(file.problem((key,), "must be a text; put it in quotes"))
    for key in _LISTS:
        entries = value.get(key)
        if entries is None:
            continue
        if not isinstance(entries, list):
            problems.append(file.problem((key,), "must be a list"))
            continue
        for i, entry in enumerate(entries):
            if not isinstance(entry, str) or not entry:
                problems.append(file.problem((key, i), "must be a text; put it in quotes"))
    return problems


def _patterns(file: DeclaredFile, value: dict[Any, Any], problems: list[str]) -> list[Pattern]:
    """Patterns of a file; adds what is wrong with them to ``problems``."""
    entries = value.get("patterns")
    found: list[Pattern] = []
    for i, text in enumerate(entries if isinstance(entries, list) else []):
        if not isinstance(text, str):
            continue
        pattern = parse_pattern(str(value.get("name")), text)
        try:
            re.compile(glob_regex(pattern.glob))
        except re.error as error:
            problems.append(file.problem(("patterns", i), f"“{text}” is no pattern: {error.msg}"))
            continue
        found.append(pattern)
    return found


def _wrong_parents(items: Sequence[Declared]) -> list[str]:
    by_name = {item.name: item for item in items}
    problems = []
    for item in items:
        parent = item.columns["parent"]
        if parent is not None and parent not in by_name:
            problems.append(item.file.problem(("parent",), f"there is no domain “{parent}”"))
            continue
        ring = [item.name]
        while parent in by_name and parent not in ring:
            ring.append(parent)
            parent = by_name[parent].columns["parent"]
        if parent == item.name:
            problems.append(item.file.problem(("parent",), f"domains form a ring: {' → '.join([*ring, item.name])}"))
    return problems


def _wrong_patterns(items: Sequence[Declared], store: Store) -> list[str]:
    """The same pattern in two domains, or equally specific ones that both fit a node of the store."""
    owners: dict[tuple[str | None, str], Declared] = {}
    problems: list[str] = []
    patterns: list[Pattern] = []
    where: dict[Pattern, str] = {}
    for item in items:
        for i, one in enumerate(json.loads(item.columns["patterns"])):
            pattern = Pattern(item.name, one["glob"], one["kind"])
            first = owners.setdefault((pattern.kind, pattern.glob), item)
            if first.name != item.name:
                what = f"“{pattern.text}” belongs to domain “{first.name}” too ({first.file.path})"
                problems.append(item.file.problem(("patterns", i), what))
                continue
            patterns.append(pattern)
            where[pattern] = item.file.problem(("patterns", i), "")
    nodes = store.rows("SELECT kind, namespace, name FROM node WHERE kind IN ('dataset', 'job')")
    for mine, other, example in ties(patterns, nodes):
        problems.append(
            f"{where[other]}“{other.text}” and “{mine.text}” of domain “{mine.domain}” are equally specific and both "
            f"fit {example}; make one of them longer"
        )
    return problems
