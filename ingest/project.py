"""From bytes to facts: read events into the values of :mod:`ingest.model`. Pure but for its memo.

Nearly all facets of an event were seen before, byte for byte. The memo keeps what was made of a slice under the
xxh3-128 of the slice: an unchanged list of inputs costs one hash, an unchanged facet another. It holds only derived
values and may be dropped at any time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import xxhash
from msgspec import Raw

from ingest.envelope import Entity, Envelope, Number, RunPart, Section, Sections, entities
from ingest.facets import DATASET, JOB, RUN, find
from ingest.facets.explicit import read_target
from ingest.facets.plain import arranged
from ingest.model import (
    FACETS,
    INPUT_FACETS,
    OUTPUT_FACETS,
    PLACES,
    Body,
    ColumnLineage,
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
from ingest.names import Names
from ingest.scan import PER_RUN, counted
from ingest.slices import decode_any, facet_map, guarded, read_with
from lineage.identity import NodeKey, digest64
from lineage.redact import redact_facet

_PER_RUN = frozenset(PER_RUN)
_INPUTS, _OUTPUTS, _RUN = range(3)  # in memo keys: a digest of one pass over a section of this kind
_LISTS = "inputs", "outputs"
_ODD = "odd"  # in the memo: facets that are read whole
_hash = xxhash.xxh3_128_digest


class _Told(NamedTuple):
    """A dataset as it is told: what other runs tell too, and beside it the numbers of this one."""

    part: DatasetPart
    per_run: tuple[tuple[str, Body], ...]
    changed: bool  # a number is taken back, which is part of what is kept

    def whole(self) -> DatasetPart:
        """Both together."""
        return _numbered(self.part, self.per_run) if self.per_run else self.part


class Projector(Names):
    """Reads events."""

    def read(self, envelope: Envelope) -> EventFacts:
        """Facts of one event; unreadable parts become notes."""
        notes = list(envelope.notes)
        run = job = run_facts = None
        if envelope.sections is not None:
            run_facts, job, inputs, outputs = self._sections(envelope, envelope.sections, notes)
        else:
            job = self._job(envelope.job, notes) if envelope.job is not None else None
            inputs = self._datasets(envelope.inputs, "inputs", notes)
            outputs = self._datasets(envelope.outputs, "outputs", notes)
            run_facts = self._run(envelope.run, notes) if envelope.run is not None else None
        if run_facts is not None and job is not None:
            run = self.run(run_facts.run_id, job.namespace, job.name)
        numbers: tuple[tuple[str, DatasetPart], ...] = ()
        if inputs.numbers or outputs.numbers:
            numbers = (*[("in", part) for part in inputs.numbers], *[("out", part) for part in outputs.numbers])
        plain = job is not None and job.plain and inputs.plain and outputs.plain
        return EventFacts(
            envelope.hash,
            envelope.at,
            envelope.kind,
            envelope.event_type,
            run,
            run_facts,
            job,
            self._dataset(envelope.dataset, notes).whole() if envelope.dataset is not None else None,
            inputs.parts,
            outputs.parts,
            envelope.producer,
            tuple(notes),
            (id(job), inputs.shape, outputs.shape) if plain else (),
            numbers,
        )

    # -- sections that one pass found

    def _sections(
        self, envelope: Envelope, sections: Sections, notes: list[str]
    ) -> tuple[RunFacts, JobPart, Listed, Listed]:
        """What the sections tell; one that was met before costs a look into the memo."""
        assert envelope.run is not None and envelope.job is not None
        memo, data, entity = self._memo, envelope.data, envelope.job
        memo_key: tuple[Any, ...] = (entity.namespace, entity.name, sections.job[2])
        job: JobPart | None = memo.get(memo_key) or self._recall(memo_key)
        if job is None:
            before = len(notes)
            job = self._job(Entity(entity.namespace, entity.name, _slice(data, sections.job)), notes)
            if len(notes) == before:
                memo[memo_key] = job
        inputs = self._section(data, sections.inputs, _INPUTS, notes)
        outputs = self._section(data, sections.outputs, _OUTPUTS, notes)
        run_id, memo_key = envelope.run.runId, (_RUN, sections.run[2])
        told = self._told.get(memo_key)
        if told is None:
            before = len(notes)
            told = self._run_facts(_slice(data, sections.run), notes)
            if len(notes) == before:
                self._told[memo_key] = told
        return RunFacts(run_id, *told), job, inputs, outputs

    def _section(self, data: bytes, section: Section, kind: int, notes: list[str]) -> Listed:
        _, _, digest, numbers = section
        memo_key = (kind, digest)
        base: Listed | None = self._memo.get(memo_key) or self._recall(memo_key)
        if base is not None:
            if not numbers:
                return base
            listed = self._with_numbers(base, data, numbers, notes)
            if listed is not None:
                return listed
        before = len(notes)
        told = [self._dataset(entity, notes) for entity in entities(_slice(data, section), _LISTS[kind], notes)]
        if len(notes) == before and not any(item.changed for item in told):
            self._memo[memo_key] = _listed([item.part for item in told])
        return _listed([item.whole() for item in told])

    def _with_numbers(self, base: Listed, data: bytes, numbers: Sequence[Number], notes: list[str]) -> Listed | None:
        """A list that is known, with the numbers of this run; ``None`` when one of them is taken back."""
        before = len(notes)
        found: dict[int, tuple[tuple[str, Body], ...]] = {}
        for entity, place, key, start, end, digest, values in numbers:
            body = None
            if digest is not None and values is not None:
                make = self._memo.get((~key, digest))
                if make is None:
                    make = self._arrangement(key, digest, data[start:end])
                if make is not _ODD:
                    body = Body(0, PER_RUN[key], False, make(values))
            if body is None:
                body = self._body(DATASET, PER_RUN[key], Raw(data[start:end]), notes)
                if body.deleted:
                    del notes[before:]
                    return None
            item = (PLACES[place], body)
            found[entity] = (*found[entity], item) if entity in found else (item,)
        parts = list(base.parts)
        for entity, per_run in found.items():
            parts[entity] = _numbered(parts[entity], per_run)
        return Listed(tuple(parts), base.shape, base.plain, tuple([parts[entity] for entity in found]))

    def _arrangement(self, key: int, digest: bytes, facet: bytes) -> Any:
        """What makes facets like this one of their numbers alone; ``_ODD`` when they have to be read whole."""
        memo_key = (~key, digest)  # the keys of sections are not negative
        make = self._recall(memo_key)
        if make is None:
            entry, text = find(DATASET, PER_RUN[key]), counted(facet)
            told = entry.plain(text) if entry is not None and entry.plain is not None and text is not None else None
            make = self._memo[memo_key] = _ODD if told is None else arranged(told)
        return make

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
            listed = _listed([self._dataset(entity, notes).whole() for entity in entities(raw, where, notes)])
            if len(notes) == before and not listed.numbers:
                self._memo[memo_key] = listed
        return listed

    def _dataset(self, dataset: Entity, notes: list[str]) -> _Told:
        """A dataset. What it shares with other runs is looked up by its facets, numbers of this run stand beside."""
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
        return _Told(part, tuple(per_run), bool(deleted))

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
        told = self._told.get(memo_key)  # the other events of a run say the same
        if told is None:
            before = len(notes)
            told = self._run_facts(run.facets, notes)
            if len(notes) == before:
                self._told[memo_key] = told
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
        told = {body.key: body for _, body in reversed(bodies) if body.parsed is not None}  # the first of a key counts
        if (uses := told.get("columnLineage")) is None:
            return None
        columns = told.get("schema")
        memo_key = ("columns", key.id, uses.id, columns.id if columns else None)
        found: ColumnLineage = self._once(memo_key, self._resolve_uses, key, uses.parsed, columns)
        return found

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


def _slice(data: bytes, section: Section) -> Raw:
    return Raw(data[section[0] : section[1]])


def _numbered(part: DatasetPart, per_run: tuple[tuple[str, Body], ...]) -> DatasetPart:
    return DatasetPart(
        part.id, part.namespace, part.name, part.facets, part.keyed, part.lineage, part.explicit, part.plain, per_run
    )


def _listed(parts: list[DatasetPart]) -> Listed:
    return Listed(
        tuple(parts),
        tuple([id(part.keyed) for part in parts]),
        all(part.plain for part in parts),
        tuple([part for part in parts if part.per_run]),
    )
