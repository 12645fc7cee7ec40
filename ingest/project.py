"""From bytes to facts: read events into the values of :mod:`ingest.model`. Pure but for its memo.

Nearly all facets of an event were seen before, byte for byte. The memo keeps what was made of a slice under the
xxh3-128 of the slice: an unchanged list of inputs costs one hash, an unchanged facet another. It holds only derived
values and may be dropped at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import xxhash

from ingest.envelope import Entity, Envelope, RunPart, entities
from ingest.facets import DATASET, JOB, RUN, find
from ingest.facets.explicit import read_target
from ingest.facets.registry import REGISTRY
from ingest.model import (
    FACETS,
    INPUT_FACETS,
    OUTPUT_FACETS,
    Body,
    ColumnEdge,
    ColumnLineage,
    ColumnUse,
    DatasetPart,
    EventFacts,
    ExplicitLineage,
    JobPart,
    JobType,
    Lifecycle,
    Listed,
    Parent,
    RunFacts,
)
from ingest.slices import decode_any, facet_map, guarded, read_with
from lineage.identity import NodeKey, digest64, node_id, run_key
from lineage.redact import redact_facet

_CAP = 250_000  # entries in one half of the memo; a body that changes its bytes with every run never hits
_PER_RUN = frozenset(facet.key for facet in REGISTRY if facet.entity == DATASET and facet.per_run)
_hash = xxhash.xxh3_128_digest


class Projector:
    """Reads events; collects the nodes and facet bodies it meets for the first time.

    Attributes
    ----------
    nodes
        new nodes since the last :meth:`drain`, by id.
    bodies
        new facet bodies since the last :meth:`drain`, JSON text by id.
    """

    def __init__(self) -> None:
        self.nodes: dict[int, NodeKey] = {}
        self.bodies: dict[int, str] = {}
        self._memo: dict[tuple[Any, ...], Any] = {}
        self._older: dict[tuple[Any, ...], Any] = {}  # the memo before: what is still in use moves over from there

    def forget(self) -> None:
        """Drop the memo: after a failed write, what it remembers as told may not be in the store."""
        self._memo, self._older = {}, {}
        self.nodes.clear()
        self.bodies.clear()

    def drain(self) -> tuple[dict[int, NodeKey], dict[int, str]]:
        """New nodes and bodies since the last call."""
        nodes, bodies = self.nodes, self.bodies
        self.nodes, self.bodies = {}, {}
        if len(self._memo) > _CAP:
            self._memo, self._older = {}, self._memo
        return nodes, bodies

    def _recall(self, memo_key: tuple[Any, ...]) -> Any:
        """What the memo held before its last turn; callers ask it after they missed in the young half."""
        found = self._older.pop(memo_key, None)
        if found is not None:
            self._memo[memo_key] = found
        return found

    def read(self, envelope: Envelope) -> EventFacts:
        """Facts of one event; unreadable parts become notes."""
        notes = list(envelope.notes)
        job = self._job(envelope.job, notes) if envelope.job is not None else None
        run_id = envelope.run.runId if envelope.run is not None else None
        inputs = self._datasets(envelope.inputs, "inputs", notes)
        outputs = self._datasets(envelope.outputs, "outputs", notes)
        numbers: tuple[tuple[str, DatasetPart], ...] = ()
        if inputs.numbers or outputs.numbers:
            numbers = (*(("in", part) for part in inputs.numbers), *(("out", part) for part in outputs.numbers))
        plain = job is not None and job.plain and inputs.plain and outputs.plain
        return EventFacts(
            hash=envelope.hash,
            at=envelope.at,
            kind=envelope.kind,
            event_type=envelope.event_type,
            run=self.run(run_id, job.namespace, job.name) if run_id is not None and job is not None else None,
            run_facts=self._run(envelope.run, notes) if envelope.run is not None else None,
            job=job,
            dataset=self._dataset(envelope.dataset, notes) if envelope.dataset is not None else None,
            inputs=inputs.parts,
            outputs=outputs.parts,
            producer=envelope.producer,
            notes=tuple(notes),
            shape=(id(job), inputs.shape, outputs.shape) if plain else (),
            numbers=numbers,
        )

    def node(self, key: NodeKey) -> int:
        """Id of a node, which is told to the store when it is new."""
        found: int | None = self._memo.get(key) or self._recall(key)
        if found is None:
            found = self._memo[key] = key.id
            self.nodes[found] = key
        return found

    def run(self, run_id: str, namespace: str, name: str) -> int:
        """Key of a run."""
        memo_key = (run_id, namespace, name)
        found: int | None = self._memo.get(memo_key) or self._recall(memo_key)
        if found is None:
            found = self._memo[memo_key] = run_key(run_id, namespace, name)
        return found

    # -- entities

    def _job(self, job: Entity, notes: list[str]) -> JobPart:
        memo_key = (JOB, "part", job.namespace, job.name, _hash(job.facets))
        part: JobPart | None = self._memo.get(memo_key) or self._recall(memo_key)
        if part is None:
            before = len(notes)
            facets = facet_map(job.facets, JOB, FACETS, notes)
            bodies = tuple([self._facet(JOB, FACETS, key, raw, notes) for key, raw in facets])
            found = {body.key: body.parsed for _, body in bodies if not body.deleted}
            told: JobType = found.get("jobType") or JobType(None)
            part = JobPart(
                id=self.node(NodeKey("job", job.namespace, job.name)),
                namespace=job.namespace,
                name=job.name,
                facets=bodies,
                keyed={(place, body.key): body for place, body in bodies},
                processing=told.processing,
                explicit=found.get("lineage"),
                snapshots=told.snapshots,
                plain=found.get("lineage") is None and not told.snapshots,
            )
            if part.explicit is not None:
                self._name_explicit(part.explicit)
            if len(notes) == before:  # a part with notes is read again, so that each event carries its own
                self._memo[memo_key] = part
        return part

    def _datasets(self, raw: msgspec.Raw, where: str, notes: list[str]) -> Listed:
        memo_key = (where, _hash(raw))
        listed: Listed | None = self._memo.get(memo_key)
        if listed is None and (listed := self._recall(memo_key)) is None:
            before = len(notes)
            parts = tuple([self._dataset(entity, notes) for entity in entities(raw, where, notes)])
            numbers = tuple([part for part in parts if part.per_run])
            shape = tuple([id(part.keyed) for part in parts])
            listed = Listed(parts, shape, all(part.plain for part in parts), numbers)
            if len(notes) == before and not numbers:
                self._memo[memo_key] = listed
        return listed

    def _dataset(self, dataset: Entity, notes: list[str]) -> DatasetPart:
        """A dataset. What it shares with other runs is looked up by its facets, numbers of this run are added."""
        before = len(notes)
        places = (
            (FACETS, dataset.facets),
            (INPUT_FACETS, dataset.inputFacets),
            (OUTPUT_FACETS, dataset.outputFacets),
        )
        if not dataset.namespace:
            notes.append(f"dataset “{dataset.name[:80]}” without namespace")
        told: list[bytes] = []
        kept: list[tuple[str, str, msgspec.Raw]] = []
        per_run: list[tuple[str, Body]] = []
        for place, raw_map in places:
            if not raw_map:
                continue
            for key, raw in facet_map(raw_map, DATASET, place, notes):
                if key in _PER_RUN:  # they differ from run to run: no memo
                    per_run.append((place, self._body(DATASET, key, raw, notes)))
                else:
                    kept.append((place, key, raw))
                    name = key.encode("utf-8", "surrogatepass")
                    told += (place.encode(), b"%d" % len(name), name, raw)  # no two lists of facets join to one text
        memo_key = (dataset.namespace, dataset.name, _hash(b"\0".join(told)))
        part: DatasetPart | None = self._memo.get(memo_key)
        if part is None and (part := self._recall(memo_key)) is None:
            facets = [self._facet(DATASET, *item, notes) for item in kept]
            part = self._shared_part(NodeKey("dataset", dataset.namespace, dataset.name), tuple(facets))
            if len(notes) == before:
                self._memo[memo_key] = part
        deleted = [item for item in per_run if item[1].deleted]
        if deleted:  # a number that is taken back is part of what is kept
            per_run = [item for item in per_run if not item[1].deleted]
            part = self._shared_part(NodeKey("dataset", part.namespace, part.name), (*part.facets, *deleted))
        if not per_run:
            return part
        return DatasetPart(
            part.id, part.namespace, part.name, part.facets, part.keyed, part.lineage, part.explicit, part.plain,
            tuple(per_run),
        )  # fmt: skip

    def _shared_part(self, key: NodeKey, kept: tuple[tuple[str, Body], ...]) -> DatasetPart:
        explicit = self._explicit(key, kept)
        part = DatasetPart(
            id=self.node(key),
            namespace=key.namespace,
            name=key.name,
            facets=kept,
            keyed={(place, body.key): body for place, body in kept},
            lineage=self._column_lineage(key, kept),
            explicit=explicit,
            plain=explicit is None and not any(isinstance(body.parsed, Lifecycle) for _, body in kept),
        )
        self._name_parts(key, kept)
        return part

    def _run(self, run: RunPart, notes: list[str]) -> RunFacts:
        memo_key = (RUN, _hash(run.facets))
        told: tuple[Any, ...] | None = self._memo.get(memo_key)  # the other events of a run say the same
        if told is None and (told := self._recall(memo_key)) is None:
            before = len(notes)
            told = self._run_facts(run.facets, notes)
            if len(notes) == before:
                self._memo[memo_key] = told
        return RunFacts(run.runId, *told)

    def _run_facts(self, facets: msgspec.Raw, notes: list[str]) -> tuple[Any, ...]:
        """Fields of :class:`RunFacts` behind the id."""
        found = {key: self._run_facet(key, raw, notes) for key, raw in facet_map(facets, RUN, FACETS, notes)}
        return (
            found.get("nominalTime"),
            found.get("parent") or found.get("parentRun"),
            found.get("processing_engine"),
            found.get("errorMessage"),
            found.get("test") or (),
            found.get("jobDependencies") or (),
        )

    def _run_facet(self, key: str, raw: msgspec.Raw, notes: list[str]) -> Any:
        entry = find(RUN, key)
        if entry is None or entry.read is None:
            return None
        memo_key = (RUN, key, _hash(raw))
        if memo_key in self._memo:
            return self._memo[memo_key]
        if (parsed := self._recall(memo_key)) is not None:
            return parsed
        before = len(notes)
        parsed = read_with(entry.read, raw, f"run facet {key}", notes)
        if entry.odd is not None:
            value = decode_any(raw, f"run facet {key}", notes)
            notes.extend(f"run facet {key}: {odd}" for odd in (entry.odd(value) if isinstance(value, dict) else ()))
        if isinstance(parsed, Parent):
            self._name_job(parsed.namespace, parsed.name)
            self._name_job(parsed.root_namespace, parsed.root_name)
        elif key == "jobDependencies":
            for dependency in parsed or ():
                self._name_job(dependency.namespace, dependency.name)
        if len(notes) == before:
            self._memo[memo_key] = parsed
        return parsed

    def _name_job(self, namespace: str, name: str) -> None:
        if name:
            self.node(NodeKey("job", namespace, name))

    # -- facets

    def _facet(self, entity: str, place: str, key: str, raw: msgspec.Raw, notes: list[str]) -> tuple[str, Body]:
        memo_key = (entity, place, key, _hash(raw))
        item: tuple[str, Body] | None = self._memo.get(memo_key)
        if item is None and (item := self._recall(memo_key)) is None:
            before = len(notes)
            item = (place, self._body(entity, key, raw, notes))
            if len(notes) == before and (item[1].id or item[1].deleted):
                self._memo[memo_key] = item
        return item

    def _body(self, entity: str, key: str, raw: msgspec.Raw, notes: list[str]) -> Body:
        entry = find(entity, key)
        if entry is not None and entry.plain is not None and (parsed := entry.plain(raw)) is not None:
            return Body(0, key, parsed=parsed)
        memo_key = (entity, key, _hash(raw))
        body: Body | None = self._memo.get(memo_key) or self._recall(memo_key)
        if body is not None:
            return body
        before = len(notes)
        value = decode_any(raw, f"{entity} facet {key}", notes)
        if isinstance(value, dict) and value.get("_deleted") is True:
            body = Body(0, key, deleted=True)
        else:
            parsed = None
            if entry is not None and entry.read is not None and isinstance(value, dict):
                parsed = guarded(entry.read, value, f"{entity} facet {key}", notes)
                if entry.odd is not None:
                    notes.extend(f"{entity} facet {key}: {odd}" for odd in entry.odd(value))
            elif entry is not None and not isinstance(value, dict) and len(notes) == before:
                notes.append(f"{entity} facet {key} is no object: kept as it is")
            if entry is not None and entry.per_run:
                return Body(0, key, parsed=parsed)
            text = redact_facet(bytes(raw).decode("utf-8", "replace"))
            body = Body(digest64("facet", text), key, parsed=parsed)
            self.bodies[body.id] = text
        if len(notes) == before:
            self._memo[memo_key] = body
        return body

    def _column_lineage(self, key: NodeKey, bodies: tuple[tuple[str, Body], ...]) -> ColumnLineage | None:
        for _, body in bodies:
            if body.key == "columnLineage" and body.parsed is not None:
                found: ColumnLineage = self._once(("columns", key.id, body.id), self._resolve_uses, key, body.parsed)
                return found
        return None

    def _explicit(self, key: NodeKey, bodies: tuple[tuple[str, Body], ...]) -> ExplicitLineage | None:
        for _, body in bodies:
            if body.key == "lineage" and body.parsed is not None:
                found: ExplicitLineage = self._once(
                    ("explicit", key.id, body.id), self._read_explicit, key, body.parsed
                )
                return found
        return None

    def _read_explicit(self, key: NodeKey, body: dict[str, Any]) -> ExplicitLineage:
        found = read_target(body, key.namespace, key.name)
        self._name_explicit(found)
        return found

    def _once(self, memo_key: tuple[Any, ...], make: Callable[..., Any], *arguments: Any) -> Any:
        found = self._memo.get(memo_key) or self._recall(memo_key)
        if found is None:
            found = self._memo[memo_key] = make(*arguments)
        return found

    def _resolve_uses(self, key: NodeKey, uses: tuple[ColumnUse, ...]) -> ColumnLineage:
        inputs: dict[int, None] = {}
        edges = []
        for use in uses:
            inputs[self.node(NodeKey("dataset", use.namespace, use.name))] = None
            edges.append(self.column_edge(key, use, "column"))
        return ColumnLineage(tuple(dict.fromkeys(edges)), tuple(inputs))

    def column_edge(self, target: NodeKey, use: ColumnUse, provenance: str) -> ColumnEdge:
        """Column edge into ``target`` (a dataset), between node ids."""
        source = self.column(use.namespace, use.name, use.field)
        origin = self.node(NodeKey("dataset", use.namespace, use.name))
        dataset = destination = self.node(target)
        if use.target:
            destination = self.column(target.namespace, target.name, use.target)
        rest = (use.type, use.subtype, use.masking, use.description, provenance, origin, dataset)
        return ColumnEdge(source, destination, *rest)

    def _name_parts(self, key: NodeKey, bodies: tuple[tuple[str, Body], ...]) -> None:
        """Tell the nodes that a dataset's facets name: its columns, its other identifiers."""
        for _, body in bodies:
            if body.parsed is None:
                continue
            if body.key == "schema":
                self._once(("schema", key.id, body.id), self._name_columns, key, body.parsed)
            elif body.key == "symlinks":
                for link in body.parsed:
                    self.node(NodeKey("dataset", link.namespace, link.name))
            elif body.key == "lifecycleStateChange" and body.parsed.previous is not None:
                self.node(NodeKey("dataset", *body.parsed.previous))

    def _name_columns(self, key: NodeKey, paths: tuple[str, ...]) -> bool:
        for path in paths:
            self.column(key.namespace, key.name, path)
        return True

    def column(self, namespace: str, name: str, path: str) -> int:
        """Id of a column, which is told to the store when it is new."""
        memo_key = ("column", namespace, name, path)  # equal to its NodeKey, and made in half the time
        found: int | None = self._memo.get(memo_key) or self._recall(memo_key)
        if found is None:
            key = NodeKey("column", namespace, name, path)
            found = self._memo[memo_key] = key.id
            self.nodes[found] = key
        return found

    def _name_explicit(self, lineage: ExplicitLineage) -> None:
        for edge in lineage.edges:
            for kind, namespace, name in (edge[:3], edge[3:]):
                if name:
                    self.node(NodeKey(kind, namespace, name))  # type: ignore[arg-type]
        for kind, namespace, name in lineage.targets:
            if name:
                self.node(NodeKey(kind, namespace, name))  # type: ignore[arg-type]
        for column in lineage.columns:
            target = NodeKey("dataset", column.target_namespace, column.target_name)
            self.node(NodeKey("dataset", column.use.namespace, column.use.name))
            self.column_edge(target, column.use, "explicit")


def dataset_id(namespace: str, name: str) -> int:
    """Node id of a dataset."""
    return node_id("dataset", namespace, name)
