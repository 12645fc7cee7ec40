"""An answer as OpenLineage events, which any OpenLineage consumer can take in, Meshline among them.

One line is one event: a DatasetEvent or JobEvent for each dataset or job that is listed or has a listed column, the
asked one first. What is declared is the graph between the listed nodes: explicit ``lineage`` facets for edges between
datasets and at jobs, ``columnLineage`` for edges between columns. The rows themselves (hops, certainty, path, …) stand
in the facet ``meshline_answer``; that of the first event has the question, the totals and the rows that have no event:
nodes that the asker may not see, and products, domains and applications, which OpenLineage does not know. Its notes say
how many these are (:func:`unsaid`).

Sources: OpenLineage ``spec/OpenLineage.json`` 2-0-2, ``spec/facets/LineageDatasetFacet.json``,
``ColumnLineageDatasetFacet.json``.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lineage.answers import to_json
from lineage.filters import GROUPS
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.answers import Answer, Link

_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
_FACETS = "https://openlineage.io/spec/facets/"
_ANSWER = "urn:meshline:facet:answer:1"
Key = tuple[str, str, str]  # kind, namespace, name


def to_openlineage(answer: Answer) -> str:
    """One event a line (NDJSON)."""
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in _events(answer))


def unsaid(answer: Answer) -> tuple[str, ...]:
    """What OpenLineage cannot say of an answer: how many rows of which kind have no event of their own."""
    counts = Counter(node.kind for node in answer.nodes if node.kind in GROUPS)
    return tuple(
        f"OpenLineage has no event for a {kind}: {'1 row stands' if count == 1 else f'{count:,} rows stand'} "
        "in the facet meshline_answer of the first event only"
        for kind, count in counts.items()
    )


def _events(answer: Answer) -> Iterator[dict[str, Any]]:
    keys = answer.keys or {}
    rows: dict[Key, list[Any]] = {}
    unnamed = []
    for node in answer.nodes:
        if node.id in keys:
            rows.setdefault(_entity(node.id, keys), []).append(to_json(node))
        else:
            unnamed.append(to_json(node))
    asked = _entity(answer.node, keys)
    names = (
        "node", "direction", "as_of", "known_at", "verdict", "partial", "frontier", "blind_spots", "filters",
        "limits", "unfiltered", "totals", "notes",
    )  # fmt: skip
    question = {name: to_json(getattr(answer, name)) for name in names}
    question["notes"] = [*question["notes"], *unsaid(answer)]
    graph = _Graph(answer)
    for key in (asked, *(key for key in rows if key != asked)):
        facet: dict[str, Any] = {"rows": rows.get(key, [])}
        if key == asked:
            facet = {**question, "rows": [*facet["rows"], *unnamed]}
        yield graph.event(key, {"meshline_answer": graph.facet(_ANSWER, facet)})


class _Graph:
    """Links of an answer by the entity that declares them."""

    def __init__(self, answer: Answer) -> None:
        from lineage import __version__

        self._producer = f"urn:meshline:{__version__}"
        self._time = iso(answer.as_of)
        self._keys = answer.keys or {}
        listed = {answer.node, *(node.id for node in answer.nodes)}
        self._reads: dict[str, list[str]] = defaultdict(list)  # by job: what it reads
        self._writes: dict[str, list[str]] = defaultdict(list)
        self._inflow: dict[str, list[str]] = defaultdict(list)  # by job: what of that it may hand on
        self._entries: dict[str, dict[str, list[str]]] = defaultdict(dict)  # by job: inputs of each output
        self._inputs: dict[str, list[str]] = defaultdict(list)  # by dataset: what no listed job carries
        self._columns: dict[Key, list[Link]] = defaultdict(list)
        for link in answer.links or ():
            if link.src in self._keys and link.dst in self._keys:
                self._sort_in(link, next((job for job in link.jobs if job in listed), None))

    def _sort_in(self, link: Link, job: str | None) -> None:
        """Note a link where it is declared: at its job when that is listed, else at its dataset."""
        if link.kind == "read":
            self._reads[link.dst].append(link.src)
            if link.provenance == "product":
                self._inflow[link.dst].append(link.src)
        elif link.kind == "write":
            self._writes[link.src].append(link.dst)
        elif link.kind == "column":
            self._columns[_entity(link.dst, self._keys)].append(link)
        elif job is not None:
            self._entries[job].setdefault(link.dst, []).append(link.src)
        else:
            self._inputs[link.dst].append(link.src)

    def facet(self, schema: str, body: dict[str, Any]) -> dict[str, Any]:
        """A facet with its two underscored fields."""
        return {"_producer": self._producer, "_schemaURL": schema, **body}

    def event(self, key: Key, facets: dict[str, Any]) -> dict[str, Any]:
        """The event of one entity."""
        kind, namespace, name = key
        text = f"{kind}:{namespace}:{name}"
        head = {"eventTime": self._time, "producer": self._producer}
        if kind == "job":
            body = {"namespace": namespace, "name": name, "facets": {**facets, **self._job_facets(text)}}
            inputs, outputs = (list(map(self._name, names.get(text, ()))) for names in (self._reads, self._writes))
            return {**head, "schemaURL": f"{_SPEC}JobEvent", "job": body, "inputs": inputs, "outputs": outputs}
        body = {"namespace": namespace, "name": name, "facets": {**facets, **self._dataset_facets(key, text)}}
        return {**head, "schemaURL": f"{_SPEC}DatasetEvent", "dataset": body}

    def _job_facets(self, text: str) -> dict[str, Any]:
        entries = self._entries.get(text)
        if not entries:
            return {}
        if text in self._inflow:  # beside entries it is no longer inferred from what the job reads
            entries = {**entries, text: [*entries.get(text, ()), *self._inflow[text]]}
        body = [{**self._end(dst), "inputs": list(map(self._end, inputs))} for dst, inputs in entries.items()]
        return {"lineage": self.facet(f"{_FACETS}1-0-0/LineageJobFacet.json", {"entries": body})}

    def _dataset_facets(self, key: Key, text: str) -> dict[str, Any]:
        facets: dict[str, Any] = {}
        inputs = list(map(self._end, self._inputs.get(text, ())))
        if inputs:
            facets["lineage"] = self.facet(f"{_FACETS}1-0-0/LineageDatasetFacet.json", {"inputs": inputs})
        fields: dict[str, Any] = {}
        whole: list[dict[str, Any]] = []
        for link in self._columns.get(key, ()):
            field = self._keys[link.dst][3]
            into = fields.setdefault(field, {"inputFields": []})["inputFields"] if field else whole
            into.append(self._input_field(link))
        if fields or whole:
            body = {"fields": fields, **({"dataset": whole} if whole else {})}
            facets["columnLineage"] = self.facet(f"{_FACETS}1-2-0/ColumnLineageDatasetFacet.json", body)
        return facets

    def _input_field(self, link: Link) -> dict[str, Any]:
        _, namespace, name, field = self._keys[link.src]
        found: dict[str, Any] = {"namespace": namespace, "name": name, "field": field}
        if link.type:
            found["transformations"] = [{"type": link.type, "subtype": link.subtype or "", "masking": link.masking}]
        return found

    def _name(self, text: str) -> dict[str, str]:
        _, namespace, name, _ = self._keys[text]
        return {"namespace": namespace, "name": name}

    def _end(self, text: str) -> dict[str, str]:
        return {**self._name(text), "type": self._keys[text][0].upper()}


def _entity(text: str, keys: dict[str, tuple[str, str, str, str]]) -> Key:
    kind, namespace, name, _ = keys[text]
    return ("dataset" if kind == "column" else kind, namespace, name)
