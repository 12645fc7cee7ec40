"""An answer as GraphML, for yEd, Gephi, Cytoscape and networkx. Source: graphml.graphdrawing.org."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from lineage.answers import to_json
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.answers import Answer

_NODE = {
    "label": "string", "kind": "string", "listed": "boolean", "hops": "int", "certainty": "string", "use": "string",
    "subtypes": "string", "domain": "string", "crosses_domain": "boolean", "owner": "string", "aliases": "string",
    "path": "string", "bridge": "string",
}  # fmt: skip
_EDGE = {
    "kind": "string", "certainty": "string", "provenance": "string", "jobs": "string", "type": "string",
    "subtype": "string", "masking": "boolean",
}  # fmt: skip
_GRAPH = ("title", "as_of", "known_at", "verdict", "partial", "remarks", "totals")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_graphml(answer: Answer) -> str:
    """A directed graph. The asked node has ``listed`` false; all others are the rows of the answer.

    Node ids are running numbers, since several hidden nodes may have one label.
    """
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">']
    facts = {f"fact_{name}": _type_of(answer, name) for name in answer.fact_names()}
    for prefix, scope, types in (
        ("n", "node", {**_NODE, **facts}),
        ("e", "edge", _EDGE),
        ("g", "graph", {**dict.fromkeys(_GRAPH), "partial": "boolean"}),
    ):
        lines += [
            f'  <key id="{prefix}_{name}" for="{scope}" attr.name="{name}" attr.type="{kind or "string"}"/>'
            for name, kind in types.items()
        ]
    lines.append('  <graph id="answer" edgedefault="directed">')
    head = (
        answer.title(), iso(answer.as_of), iso(answer.known_at), answer.verdict, answer.partial, answer.remarks(),
        json.dumps(to_json(answer.totals)),
    )  # fmt: skip
    lines += [_data("    ", f"g_{name}", value) for name, value in zip(_GRAPH, head, strict=True)]
    numbers: dict[str, str] = {answer.node: "asked"}
    asked = {"label": answer.node, "listed": False, "hops": 0, "domain": answer.domain}
    lines += _element('node id="asked"', "n", asked)
    for n, node in enumerate(answer.nodes):
        numbers.setdefault(node.id, f"n{n}")
        values = {name: getattr(node, name) for name in _NODE if name not in ("label", "listed")}
        said = {f"fact_{name}": value for name, value in (node.facts or {}).items()}
        lines += _element(f'node id="n{n}"', "n", {"label": node.id, "listed": True, **values, **said})
    for link in answer.links or ():
        src, dst = (numbers.get(end, "asked") for end in (link.src, link.dst))  # not listed: a column of the asked node
        ends = f'source="{src}" target="{dst}"'
        lines += _element(f"edge {ends}", "e", {name: getattr(link, name) for name in _EDGE})
    lines += ["  </graph>", "</graphml>"]
    return "\n".join(lines) + "\n"


def _type_of(answer: Answer, name: str) -> str:
    """GraphML's type of a fact: that of its values, text when they differ."""
    types = {type(value) for node in answer.nodes if (value := (node.facts or {}).get(name)) is not None}
    known = {bool: "boolean", int: "long", float: "double"}
    return known.get(types.pop(), "string") if len(types) == 1 else "string"


def _element(tag: str, prefix: str, values: dict[str, Any]) -> list[str]:
    inside = [_data("      ", f"{prefix}_{name}", value) for name, value in values.items() if value not in (None, ())]
    return [f"    <{tag}>", *inside, f"    </{tag.partition(' ')[0]}>"]


@lru_cache(maxsize=16_384, typed=True)  # a hundred thousand neighbours say the same of most things
def _data(indent: str, key: str, value: Any) -> str:
    if isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = "; ".join(value) if isinstance(value, tuple) else str(value)
    return f'{indent}<data key="{key}">{escape(_NOT_XML.sub("�", text))}</data>'
