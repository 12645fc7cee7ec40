"""``lx.schemas``: how the schema of a dataset changed, each change judged as one of a contract would be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.actor import LOCAL, Actor
from lineage.asking import When
from lineage.columns import ColumnFacts, entries, read_fields
from lineage.contracts.changes import ContractChange, classify, worst
from lineage.contracts.model import Contract, read_contract
from lineage.errors import UsageError
from lineage.shown import Shown
from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.engine import Lineage
    from lineage.view import View

_FACETS = """
-- every schema of a dataset that was true until T as known at K, oldest first
SELECT f.valid_from, f.valid_to, f.run, f.producer, b.json FROM facet f JOIN facet_body b USING (body)
WHERE f.key = 'schema' AND f.entity IN (SELECT unnest($members::UBIGINT[]))
  AND f.valid_from <= $at AND f.known_from <= $known AND f.known_to > $known AND f.valid_from < f.valid_to
ORDER BY f.valid_from, f.place, f.body
"""
_RUNS = """
-- runs that first told a schema
SELECT run, run_id, job FROM run
WHERE run IN (SELECT unnest($runs::UBIGINT[])) AND known_from <= $known AND known_to > $known
"""


@dataclass(frozen=True, slots=True)
class SchemaColumn:
    """One column of a version."""

    name: str
    type: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """One version. ``changes`` are against the version before, the worst for readers first; none for the first one.

    ``verdict`` is the worst of them: BREAKING, RISKY, SAFE, COSMETIC; ``None`` for the first version.
    """

    number: int  # 1 is the oldest that is known
    valid_from: datetime
    valid_to: datetime | None
    columns: tuple[SchemaColumn, ...]
    changes: tuple[ContractChange, ...]
    verdict: str | None
    run_id: str | None
    job: str | None
    producer: str | None


@dataclass(frozen=True, slots=True)
class SchemaVersions(Shown):
    """Versions of the schema of one dataset, the newest first."""

    node: str
    versions: tuple[SchemaVersion, ...]
    as_of: datetime
    known_at: datetime

    own_types = (("version", "whole"),)

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("version", "valid_from", "verdict", "change", "place", "before", "after", "note", "job", "run_id",
                "producer")  # fmt: skip

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per change; a version without any has one row."""
        found: list[tuple[Any, ...]] = []
        for v in self.versions:
            who = (v.job, v.run_id, v.producer)
            first = f"{len(v.columns)} columns"
            found += [
                (v.number, v.valid_from, c.consumer.value, c.what, c.column or c.place, c.old, c.new, c.note, *who)
                for c in v.changes
            ] or [(v.number, v.valid_from, None, "first seen", "", "", first, "", *who)]
        return found

    def title(self) -> str:
        """How many there are."""
        return f"{self.node}: {len(self.versions)} versions of its schema"


class Schemas:
    """Questions about schemas."""

    def __init__(self, lx: Lineage) -> None:
        self._lx = lx

    def versions(self, node: str, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> SchemaVersions:
        """Versions of the schema of a dataset until the asked instant, the newest first.

        Raises
        ------
        UsageError
            for a node that is no dataset.
        HiddenNodeError
            when the actor may not see it.
        """
        from lineage.resolve import resolve
        from lineage.unknown_yet import note_absent

        view = self._lx.view(as_of, known_at, actor)
        i = note_absent(view, resolve(view, node))
        view.require(i)
        if view.kind(i) != "dataset":
            raise UsageError(f"{view.label(i)} is no dataset; only datasets have a schema.")
        return SchemaVersions(view.label(i), tuple(reversed(_versions(view, i))), view.as_of, view.known_at)


def _versions(view: View, i: int) -> list[SchemaVersion]:
    when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at}
    rows = view.store.rows(_FACETS, {**when, "members": [int(m) for m in view.snapshot.members(i)]})
    turns = sorted({at for row in rows for at in row[:2] if at <= when["at"]})
    name, scheme = view.snapshot.name(i), view.snapshot.namespace(i).partition(":")[0]
    found: list[tuple[datetime, datetime, Contract, tuple[SchemaColumn, ...], Any, Any]] = []
    for k, at in enumerate(turns):
        held = [row for row in rows if row[0] <= at < row[1]]
        if not held:
            continue
        columns = _columns([row[4] for row in held])
        until = turns[k + 1] if k + 1 < len(turns) else min(row[1] for row in held)
        if found and found[-1][3] == columns and found[-1][1] == at:
            found[-1] = (found[-1][0], until, *found[-1][2:])
            continue
        fresh = [row for row in held if row[0] == at] or held
        found.append((at, until, _contract(name, scheme, columns), columns, fresh[-1][2], fresh[-1][3]))
    runs = _told_by(view, [one[4] for one in found if one[4]])
    made = []
    for n, (begin, end, contract, columns, run, producer) in enumerate(found):
        changes = classify(found[n - 1][2], contract) if n else ()
        bad = worst(changes)
        run_id, job = runs.get(run, (None, None))
        made.append(
            SchemaVersion(n + 1, begin, None if end >= OPEN_END or end > when["at"] else end, columns, changes,
                          bad.value if bad else None, run_id, job, producer)
        )  # fmt: skip
    return made


def _columns(bodies: list[str]) -> tuple[SchemaColumn, ...]:
    facts: dict[str, ColumnFacts] = {}
    for body in bodies:
        read_fields(entries(json.loads(body), "fields"), "", facts, [0], 0)
    ordered = sorted(facts.items(), key=lambda item: (item[1].order, item[0]))
    return tuple(SchemaColumn(name, fact.type, fact.description) for name, fact in ordered)


def _contract(name: str, scheme: str, columns: tuple[SchemaColumn, ...]) -> Contract:
    """A schema as a contract that promises nothing else, so that the same function judges what changed."""
    told = [{"name": c.name, "physicalType": c.type or "unknown", "description": c.description or ""} for c in columns]
    servers = [{"server": "observed", "type": scheme}] if scheme else []
    return read_contract(
        {"id": name, "version": "0.0.0", "status": "active", "servers": servers,
         "schema": [{"name": name, "properties": told}]}
    )  # fmt: skip


def _told_by(view: View, runs: list[int]) -> dict[int, tuple[str | None, str | None]]:
    """Run id and job by run; of a hidden job only that it is hidden."""
    asked = {"runs": runs, "known": view.snapshot.known_at}
    found: dict[int, tuple[str | None, str | None]] = {}
    for run, run_id, job in view.store.rows(_RUNS, asked) if runs else []:
        place = view.snapshot.index(job)
        if place is not None:
            found[run] = (None if view.hidden(place) else run_id, view.label(place))
    return found
