"""A first contract out of what was observed of a dataset: columns, tests, row counts, arrival times, tags."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lineage.columns import column_facts
from lineage.contracts.facts import Facts, load_facts
from lineage.contracts.types import parse
from lineage.errors import UsageError
from lineage.products import product_of

if TYPE_CHECKING:
    from lineage.view import View

_LOGICAL = (
    ("integer", ("INT",)), ("number", ("DECIMAL", "FLOAT", "DOUBLE")), ("boolean", ("BOOL",)),
    ("timestamp", ("TIMESTAMP", "DATETIME")), ("date", ("DATE",)), ("time", ("TIME",)), ("array", ("ARRAY", "LIST")),
    ("object", ("STRUCT", "MAP", "JSON", "VARIANT", "OBJECT")),
)  # fmt: skip


def draft(view: View, node: int) -> str:
    """A contract as YAML text, status draft, for a dataset (dense index).

    Raises
    ------
    UsageError
        when the node is no dataset.
    """
    view.require(node)
    if view.kind(node) != "dataset":
        raise UsageError(f"{view.label(node)} is a {view.kind(node)}; contracts are about datasets.")
    facts = load_facts(view, [node])
    namespace, name = view.snapshot.namespace(node), view.snapshot.name(node)
    short = name.rpartition("/")[2].rpartition(".")[2]
    lines = [
        "# Drafted from what was observed; read it, correct it, then set status: active.",
        "apiVersion: v3.1.0",
        "kind: DataContract",
        f"id: {_quoted(short)}",
        f"name: {_quoted(short)}",
        'version: "1.0.0"',
        "status: draft",
    ]
    if view.domain(node) != "unassigned":
        lines.append(f"domain: {_quoted(view.domain(node))}")
    if product := product_of(view.instant, node):
        lines.append(f"dataProduct: {_quoted(product)}")
    if owner := view.owner(node):
        lines += ["team:", f"  name: {_quoted(owner)}"]
    lines += ["schema:", f"  - name: {_quoted(short)}", f"    physicalName: {_quoted(name)}", "    customProperties:"]
    for key, value in (("openlineage.namespace", namespace), ("openlineage.name", name)):
        lines += [f"      - property: {key}", f"        value: {_quoted(value)}"]
    lines += _quality(facts, node, "", "    ") + _properties(view, facts, node) + _slas(facts, node, short)
    return "\n".join(lines) + "\n"


# -- inside


def _properties(view: View, facts: Facts, node: int) -> list[str]:
    known = column_facts(view, [node]).get(node, {})
    ordered = sorted((one.order, path) for path, one in known.items() if "." not in path)
    lines = ["    properties:"] if ordered else []
    for _, path in ordered:
        one = known[path]
        lines.append(f"      - name: {_quoted(path)}")
        if one.type:
            lines += [f"        logicalType: {_logical(one.type)}", f"        physicalType: {_quoted(one.type)}"]
        if one.description:
            lines.append(f"        description: {_quoted(one.description)}")
        passing = {t.name.lower() for t in facts.tests.get(node, ()) if t.column == path and t.status == "pass"}
        for flag, word in (("required", "not_null"), ("unique", "unique")):
            if any(word in name for name in passing):
                lines.append(f"        {flag}: true")
        if one.tags:
            lines.append(f"        tags: [{', '.join(_quoted(tag) for tag in dict.fromkeys(one.tags))}]")
            if any(tag.lower().startswith("pii") for tag in one.tags):
                lines.append("        classification: restricted")
    return lines


def _quality(facts: Facts, node: int, _column: str, indent: str) -> list[str]:
    if node not in facts.rows:
        return []
    rows, _ = facts.rows[node]
    least = rows // 2
    return [f"{indent}quality:", f"{indent}  - metric: rowCount  # the newest run wrote {rows:,}",
            f"{indent}    mustBeGreaterOrEqualTo: {least}"]  # fmt: skip


def _slas(facts: Facts, node: int, name: str) -> list[str]:
    """Frequency and latency out of the gaps between completed runs; fewer than three say nothing."""
    times = [at for at, _ in facts.written.get(node, [])][-30:]
    gaps = sorted((b - a).total_seconds() for a, b in pairwise(times) if b > a)
    if len(gaps) < 2:
        return []
    usual, longest = gaps[len(gaps) // 2], gaps[-1]
    hours, late = max(round(usual / 3_600), 1), max(round(longest * 1.25 / 3_600), 1)
    return ["slaProperties:", f"  - property: frequency  # the middle of {len(gaps)} gaps between runs",
            f"    value: {hours}", "    unit: h", f"    element: {_quoted(name)}",
            "  - property: latency  # the longest of them and a quarter", f"    value: {late}", "    unit: h",
            f"    element: {_quoted(name)}"]  # fmt: skip


def _logical(text: str) -> str:
    found: Any = parse(text)
    name = str(getattr(found.this, "name", found.this)).upper() if found is not None else ""
    return next((logical for logical, words in _LOGICAL if any(word in name for word in words)), "string")


def _quoted(text: str) -> str:
    """A text as YAML reads it; JSON strings are YAML."""
    return json.dumps(text, ensure_ascii=False)
