"""A small world written by hand into a store: rows as the projector would write them, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lineage.identity import NodeKey, digest, digest64, run_key
from lineage.store import Store, bump_version
from lineage.times import OPEN_END, parse_instant

T0 = parse_instant("2026-01-01")
NS = "pg"
_AT_ONCE = 100  # rows of a statement


def at(text: str) -> datetime:
    """A time as tests write it."""
    return parse_instant(text)


@dataclass
class World:
    """Collects rows; they are written, all in one transaction, when somebody looks at :attr:`store`."""

    namespace: str = NS
    _store: Store = field(default_factory=lambda: Store.open(":memory:"))
    _waiting: list[tuple[str, dict[str, Any] | tuple[Any, ...]]] = field(default_factory=list)
    _bodies: set[int] = field(default_factory=set)
    _seen: set[int] = field(default_factory=set)

    # -- nodes

    def node(self, kind: str, name: str, column: str = "", *, namespace: str = "", known: datetime = T0) -> int:
        key = NodeKey(kind, namespace or self.namespace, name, column)  # type: ignore[arg-type]
        if key.id not in self._seen:
            owner = NodeKey("dataset", key.namespace, name).id if kind == "column" else None
            self._insert("node", key.id, kind, key.namespace, name, column, owner, known)
            self._seen.add(key.id)
        return key.id

    def dataset(self, name: str, *columns: str, namespace: str = "") -> int:
        found = self.node("dataset", name, namespace=namespace)
        for column in columns:
            self.node("column", name, column, namespace=namespace)
        return found

    def job(self, name: str, namespace: str = "") -> int:
        return self.node("job", name, namespace=namespace)

    # -- edges

    def edge(self, src: int, dst: int, *, job: int = 0, kind: str = "lineage", **values: Any) -> None:
        row: dict[str, Any] = {
            "provenance": "product", "state": "current", "first_run": None, "end_reason": None, **_open(), **values,
        }  # fmt: skip
        self._insert(
            "edge", src, dst, job, kind, row["provenance"], row["state"], row["first_run"], "test", row["end_reason"],
            row["valid_from"], row["valid_to"], row["known_from"], row["known_to"],
        )  # fmt: skip

    def declaration(self, entity: int, at: datetime = T0) -> None:
        """A job or dataset event, without what it tells."""
        self._insert("declaration", entity, at, b"", "test", 0, 0, 0, False, at)

    def flow(self, inputs: list[str], job: str, outputs: list[str], **values: Any) -> int:
        """A job that reads and writes: product edges (or ``provenance=``) plus its read and write arrows."""
        worker = self.job(job)
        sources = [self.dataset(name) for name in inputs]
        targets = [self.dataset(name) for name in outputs]
        arrows = {**values, "provenance": "io"}
        for source in sources:
            self.edge(source, worker, job=worker, kind="read", **arrows)
        for target in targets:
            self.edge(worker, target, job=worker, kind="write", **arrows)
        for source in sources:
            for target in targets:
                self.edge(source, target, job=worker, **values)
        return worker

    def column_edge(self, src: tuple[str, str], dst: tuple[str, str], job: str = "", **values: Any) -> None:
        """``dst`` with an empty column = the source affects every row of that dataset."""
        self.dataset(src[0])
        self.dataset(dst[0])
        source = self.node("column", *src)
        target = self.node("column", *dst) if dst[1] else self.dataset(dst[0])
        row: dict[str, Any] = {
            "type": "DIRECT", "subtype": "IDENTITY", "masking": False, "provenance": "column", "state": "current",
            **_open(), **values,
        }  # fmt: skip
        self._insert(
            "column_edge", source, target, self.job(job) if job else 0, row["type"], row["subtype"], row["masking"],
            None, row["provenance"], row["state"], None, "test", None,
            row["valid_from"], row["valid_to"], row["known_from"], row["known_to"],
        )  # fmt: skip

    def alias(self, a: int, b: int, *, type: str = "TABLE", basis: str = "symlink", **values: Any) -> None:
        row = {**_open(), **values}
        self._insert("alias", a, b, type, basis, row["valid_from"], row["valid_to"], row["known_from"], row["known_to"])

    # -- what runs told

    def run(self, job: str, run_id: str = "r1", *, state: str = "COMPLETE", **values: Any) -> int:
        worker = self.job(job)
        start = values.get("started_at", T0)
        end = values.get("ended_at", start if state in ("COMPLETE", "FAIL", "ABORT") else None)
        key = run_key(run_id, self.namespace, job)
        columns = {
            "run": key, "run_id": run_id, "job": worker, "state": state, "conflict": False, "processing": "BATCH",
            "first_event": start, "last_event": end or start, "started_at": start, "ended_at": end,
            "producer": "test", "events": 2, "known_from": T0, "known_to": OPEN_END, **values,
        }  # fmt: skip
        self._insert_named("run", columns)
        return key

    def run_io(self, run: int, job: str, dataset: str, direction: str, **values: Any) -> None:
        columns = {
            "run": run, "job": self.job(job), "dataset": self.dataset(dataset), "direction": direction,
            "seen_at": T0, "known_from": T0, "known_to": OPEN_END, **values,
        }  # fmt: skip
        self._insert_named("run_io", columns)

    def facet(self, entity: int, key: str, body: Any, *, place: str = "facets", **values: Any) -> None:
        text = json.dumps(body, sort_keys=True)
        number = digest64(text)
        if number not in self._bodies:
            self._bodies.add(number)
            self._insert("facet_body", number, text)
        columns = {"entity": entity, "place": place, "key": key, "body": number, "producer": "test", **_open()}
        self._insert_named("facet", {**columns, **values})

    def metric(self, node: int, name: str, value: float, measured_at: datetime = T0) -> None:
        self._insert("metric", node, None, name, measured_at, value, T0, OPEN_END)

    def assertion(self, dataset: int, name: str, status: str, *, column: str = "", **values: Any) -> None:
        columns = {
            "dataset": dataset, "field": column, "name": name, "status": status, "tested_at": T0,
            "known_from": T0, "known_to": OPEN_END, **values,
        }  # fmt: skip
        self._insert_named("assertion", columns)

    def event(self, number: int, event_time: datetime = T0, **values: Any) -> None:
        columns = {
            "hash": digest(str(number)), "event_time": event_time, "received_at": event_time, "kind": "run",
            "event_type": "COMPLETE", "producer": "test", "block": number, "position": 0,
        }  # fmt: skip
        self._insert_named("event", {**columns, **values})

    def domain(self, name: str, *globs: str, **values: Any) -> None:
        patterns = json.dumps([{"kind": None, "glob": glob} for glob in globs])
        columns = {
            "name": name, "title": name.title(), "patterns": patterns, "path": f"{name}.yaml", "hash": name,
            "body": "", "actor": "test", **_open(),
        }  # fmt: skip
        self._insert_named("domain", {**columns, **values})

    # -- writing

    @property
    def store(self) -> Store:
        """The store with everything built so far."""
        waiting, self._waiting = self._waiting, []
        together: dict[str, list[tuple[Any, ...]]] = {}
        for table, row in waiting:
            named = isinstance(row, dict)
            into = f"{table} ({', '.join(row)})" if named else table
            together.setdefault(into, []).append(tuple(row.values()) if named else tuple(row))
        if waiting:
            with self._store.transaction() as cursor:
                for into, rows in together.items():  # one statement for each row takes twice as long
                    for some in (rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE)):
                        marks = f"({', '.join('?' * len(some[0]))})"
                        values = [value for row in some for value in row]
                        cursor.execute(f"INSERT INTO {into} VALUES {', '.join([marks] * len(some))}", values)
                bump_version(cursor)
        return self._store

    def _insert(self, table: str, *values: Any) -> None:
        self._waiting.append((table, values))

    def _insert_named(self, table: str, columns: dict[str, Any]) -> None:
        self._waiting.append((table, columns))


def chain(world: World) -> World:
    """raw → orders → report, one job for each step, in two domains; a probable step at the end."""
    world.flow(["raw"], "load", ["orders"], provenance="explicit")
    world.flow(["orders"], "build", ["report"])
    world.domain("sales", "orders", "load")
    world.domain("bi", "report", "build")
    return world


@contextmanager
def only_asked(world: World) -> Iterator[Store]:
    """The store of a world that the tests of a file share, since they only ask; who writes to it is found out."""
    with world.store as store:
        before = store.last_commit
        yield store
        assert store.last_commit == before, "a test has written to what others ask as well"


def _open() -> dict[str, datetime]:
    return {"valid_from": T0, "valid_to": OPEN_END, "known_from": T0, "known_to": OPEN_END}
