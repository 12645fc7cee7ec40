"""An object with the interface of ``lineage.engine.Lineage`` over the invented mesh of ``mesh.py``.

It answers quickly and without a database, so that browser tests can have any state they need.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Literal

from lineage.actor import LOCAL, Actor
from lineage.answers import UNASSIGNED, Answer, Certainty, Coverage, Direction, Frontier, NodeRef, Reached, Totals
from lineage.attention import Attention, Matter
from lineage.counting import ImpactCounts
from lineage.details import ColumnInfo, NodeDetail, RunInfo, SearchHit
from lineage.domains import DomainInfo
from lineage.errors import UnknownNodeError
from lineage.finding import Thing
from lineage.history import Bucket, History
from lineage.listing import DayRuns, EdgeRow, Listing, NodeRow, RunRow
from lineage.overlays import Mark, Overlay
from lineage.pictured import Picture, PictureColumnEdge, PictureEdge, PictureNode
from lineage.tags import Tags
from lineage.times import parse_instant
from tests.browser.fake_fields import (
    FakeContracts,
    FakeCost,
    FakePolicies,
    FakeProducts,
    FakeSaved,
    FakeScorecards,
    Fields,
)
from tests.browser.mesh import DOMAINS, FAILED, MESH, PROBABLE, RUNNING, STALE

NOW = parse_instant("2026-11-23T09:00:00Z")
NAMESPACE = "postgres://warehouse:5432"
Edge = tuple[str, str]


@dataclass
class Table:
    """One dataset of the fake."""

    id: str
    name: str
    domain: str
    columns: list[tuple[str, str]]
    inputs: list[str]
    job: str | None


@dataclass
class FakeLineage:
    """See the module. ``tables`` may be changed by a test before the server starts."""

    tables: dict[str, Table] = field(default_factory=dict)
    column_edges: list[tuple[str, str, str, str, bool]] = field(default_factory=list)
    hidden: frozenset[str] = frozenset()
    store: Any = None
    state: int = 0
    fields: Fields = field(default_factory=lambda: Fields(NOW))

    @property
    def quality(self) -> Fields:
        """As the engine."""
        return self.fields

    @property
    def contracts(self) -> FakeContracts:
        """As the engine."""
        return FakeContracts(self.fields)

    @property
    def products(self) -> FakeProducts:
        """As the engine."""
        return FakeProducts(self.fields)

    @property
    def cost(self) -> FakeCost:
        """As the engine."""
        return FakeCost()

    @property
    def scorecards(self) -> FakeScorecards:
        """As the engine."""
        return FakeScorecards(self.fields)

    @property
    def policies(self) -> FakePolicies:
        """As the engine."""
        return FakePolicies(self.fields)

    @property
    def saved(self) -> FakeSaved:
        """As the engine."""
        return FakeSaved()

    def tags(self, node: str | None = None, **_: Any) -> Tags:
        """As the engine; no tag is known."""
        return Tags(NOW, NOW, (), ())

    def find(self, text: str, **_: Any) -> tuple[Thing, ...]:
        """As the engine; owners only."""
        owners = sorted({owner for _, owner in DOMAINS.values()})
        return tuple(Thing("owner", o, o, "", None, 0.9) for o in owners if text.lower() in o.lower())

    def owned(self, owner: str, **_: Any) -> tuple[NodeRef, ...]:
        """As the engine."""
        return tuple(self._ref(i) for i, t in self.tables.items() if self._owner(t.domain) == owner)

    def attention(
        self, *, domain: str | None = None, limit: int | None = None, actor: Actor = LOCAL, **_: Any
    ) -> Attention:
        """As the engine; failed jobs when a test has told nothing."""
        told = self.fields if self.fields.matters else replace(self.fields, matters=self._failed())
        return told.attention(domain, limit)

    def _failed(self) -> tuple[Matter, ...]:
        found = []
        for table in self.tables.values():
            state, at = self._status(table)
            if table.job and state == "FAIL":
                reach = 1 + len(self._walk(table.id, "downstream", None))
                words = ("job", "high", "Last run failed", table.job, table.domain, self._owner(table.domain))
                found.append(Matter(*words, reach, since=at))
        return tuple(sorted(found, key=lambda one: -one.score))

    def overlay(self, by: str, **_: Any) -> Overlay:
        """As the engine; the scores of the first datasets are told, the others unknown."""
        told = dict(zip(sorted(self.tables), (40, 60, 80), strict=False))
        marks = [
            Mark(i, str(told[i]), told[i] // 20, "as the test says") if i in told else Mark(i, "unknown", None)
            for i in sorted(self.tables)
        ]
        scale = (("below 60", 0), ("95 and more", 4))
        return Overlay(by, tuple(marks), scale, by == "cost", len(marks) - len(told), "", NOW, NOW)

    def impact_counts(self, node: str, **_: Any) -> ImpactCounts:
        """As the engine."""
        down, up = self.impact(node), self.provenance(node)
        return ImpactCounts(down.node, NOW, NOW, _totals(down), _totals(up))

    @classmethod
    def retail(cls) -> FakeLineage:
        """The mesh of ``mesh.py``."""
        self = cls()
        lines = [line.split("|") for line in MESH.strip().splitlines()]
        short = {name.strip().rsplit(".", 1)[-1]: name.strip() for _, name, *_ in lines}
        for domain, name, columns, inputs in lines:
            self.add(name.strip(), domain.strip(), columns.split(), [short[i] for i in inputs.split()], short)
        return self

    def add(
        self, name: str, domain: str, columns: list[str], inputs: list[str], short: dict[str, str] | None = None
    ) -> Table:
        """Add a dataset; ``columns`` as in ``mesh.py``."""
        node_id = f"dataset:{NAMESPACE}:{name}"
        job = f"job:airflow:{domain}.build_{name.rsplit('.', 1)[-1]}" if inputs else None
        table = Table(node_id, name, domain, [], [f"dataset:{NAMESPACE}:{i}" for i in inputs], job)
        for text in columns:
            column, _, sources = text.partition("<")
            column, _, kind = column.partition(":")
            table.columns.append((column, kind))
            for source in filter(None, sources.split("+")):
                origin, _, source_column = source.lstrip("~").partition(".")
                src = f"dataset:{NAMESPACE}:{(short or {}).get(origin, origin)}"
                self.column_edges.append((src, source_column, node_id, column, source.startswith("~")))
        self.tables[node_id] = table
        return table

    # -- helpers ------------------------------------------------------------------------------------

    def _certainty(self, edge: Edge) -> Certainty:
        pair = (edge[0].rsplit(".", 1)[-1], edge[1].rsplit(".", 1)[-1])
        return "stale" if pair in STALE else "probable" if pair in PROBABLE else "certain"

    def _near(self, node: str, direction: Direction) -> list[str]:
        if direction == "upstream":
            return sorted(self.tables[node].inputs)
        return sorted(t.id for t in self.tables.values() if node in t.inputs)

    def _resolve(self, text: str) -> str:
        jobs = {t.job: t.id for t in self.tables.values() if t.job}
        if text in self.tables or text in jobs:
            return text
        column = re.fullmatch(r"column:(.+):([^:]+)", text)
        if column and f"dataset:{column[1]}" in self.tables:
            return f"dataset:{column[1]}"
        hits = [i for i in self.tables if i.endswith(text)]
        if len(hits) == 1:
            return hits[0]
        near = hits or [i for i in self.tables if text[-6:].lower() in i.lower()]
        raise UnknownNodeError(text, near[:5], ambiguous=len(hits) > 1)

    def _ref(self, node: str) -> NodeRef:
        kind, _, _ = node.partition(":")
        table = self.tables.get(node)
        if table is None:
            return NodeRef(node, kind, "airflow", node.split(":", 2)[2], domain=node.split(":")[2].split(".")[0])
        return NodeRef(node, kind, NAMESPACE, table.name, domain=table.domain, owner=self._owner(table.domain))

    def _owner(self, domain: str) -> str | None:
        return DOMAINS[domain][1] if domain in DOMAINS else None

    def _status(self, table: Table) -> tuple[str | None, datetime | None]:
        short = table.name.rsplit(".", 1)[-1]
        if table.job is None:
            return None, None
        state = "FAIL" if short in FAILED else "RUNNING" if short in RUNNING else "COMPLETE"
        return state, NOW - timedelta(hours=1 + len(table.name) * 7 % 60)

    def _columns(self, table: Table, only: Collection[str] | None = None) -> tuple[ColumnInfo, ...]:
        return tuple(
            ColumnInfo(
                id=f"column:{table.id.partition(':')[2]}:{name}",
                name=name,
                type=kind or None,
                upstream=sum(1 for e in self.column_edges if (e[2], e[3]) == (table.id, name)),
                downstream=sum(1 for e in self.column_edges if (e[0], e[1]) == (table.id, name)),
            )
            for name, kind in table.columns
            if only is None or name in only
        )

    # -- interface of the engine ----------------------------------------------------------------------

    def refresh(self) -> None:
        """Nothing to do: there is no store behind."""

    def domains(self, actor: Actor = LOCAL, **_: Any) -> list[DomainInfo]:
        """As the engine."""
        names = sorted({t.domain for t in self.tables.values()})
        return [
            DomainInfo(
                name=name,
                title=DOMAINS[name][0] if name in DOMAINS else None,
                owner=self._owner(name),
                parent=None,
                colour=-1 if name == UNASSIGNED else i,
                datasets=sum(1 for t in self.tables.values() if t.domain == name),
                jobs=sum(1 for t in self.tables.values() if t.domain == name and t.job),
            )
            for i, name in enumerate(names)
        ]

    def summary(self, actor: Actor = LOCAL, **_: Any) -> Any:
        """As the engine."""
        jobs = {t.job for t in self.tables.values() if t.job}
        return SimpleNamespace(
            datasets=len(self.tables),
            jobs=len(jobs),
            columns=sum(len(t.columns) for t in self.tables.values()),
            named_datasets=0,
            named_columns=0,
            runs=7 * len(jobs),
            events=14 * len(jobs),
            quarantined=2 if self.tables else 0,
            edges=sum(len(t.inputs) for t in self.tables.values()),
            cross_domain_edges=sum(self.tables[i].domain != t.domain for t in self.tables.values() for i in t.inputs),
            domains=len({t.domain for t in self.tables.values()}),
            unassigned=0,
            newest_event=NOW - timedelta(hours=2) if self.tables else None,
            as_of=NOW,
        )

    def ledger(self, actor: Actor = LOCAL, **_: Any) -> Any:
        """As the engine; nothing looks broken here."""
        return SimpleNamespace(findings=())

    def listing(self, of: Any, *, domain: str | None = None, states: Any = None, **_: Any) -> Listing:
        """As the engine."""
        rows: list[Any] = []
        for table in self.tables.values():
            state, at = self._status(table)
            up, down = len(table.inputs), len(self._near(table.id, "downstream"))
            place = (table.domain, self._owner(table.domain))
            if of == "datasets":
                rows.append(
                    NodeRow(table.id, table.name, NAMESPACE, "", *place, len(table.columns), up, down, state, at)
                )
            if of == "jobs" and table.job:
                name = table.job.split(":", 2)[2]
                rows.append(NodeRow(table.job, name, "airflow", "", *place, 0, up, 1, state, at))
            if of == "columns":
                rows += [
                    NodeRow(c.id, table.name, NAMESPACE, c.name, *place, 0, c.upstream, c.downstream)
                    for c in self._columns(table)
                ]
            if of == "runs" and table.job:
                rows += [
                    RunRow(r.run_id, r.job, table.domain, r.state, r.started_at, r.ended_at, False, r.error, r.producer)
                    for r in self.show(table.id).runs
                    if states is None or r.state in states
                ]
            if of == "edges":
                rows += [
                    EdgeRow(i, table.id, self.tables[i].domain, table.domain, "column", "certain", (), None)
                    for i in table.inputs
                ]
        if domain:
            rows = [row for row in rows if getattr(row, "domain", domain) == domain]
        if of in ("datasets", "jobs"):
            rows.sort(key=lambda row: (-(row.upstream + row.downstream), row.id))
        return Listing(of, len(rows), tuple(rows))

    def history(self, node: str | None = None, *, buckets: int = 60, **_: Any) -> History:
        """As the engine: everything began at once."""
        begin, width = NOW - timedelta(days=buckets), timedelta(days=1)
        edges = sum(len(table.inputs) for table in self.tables.values())
        cut = (Bucket(begin + n * width, begin + (n + 1) * width, 0 if n else edges, 0) for n in range(buckets))
        return History(node, NOW, NOW, tuple(cut))

    def runs_per_day(self, days: int = 30, **_: Any) -> tuple[DayRuns, ...]:
        """As the engine."""
        counts = _count((r.started_at.date(), r.state) for r in self.listing("runs").rows)
        return tuple(DayRuns(day, state, n) for (day, state), n in sorted(counts.items()))

    def search(
        self, text: str, *, kinds: Collection[str] | None = None, limit: int = 20, actor: Actor = LOCAL
    ) -> list[SearchHit]:
        """As the engine, without tolerance for typing errors."""
        wanted = text.lower()
        hits = []
        for table in self.tables.values():
            if wanted in table.name.lower():
                short = table.name.rsplit(".", 1)[-1]
                score = 1.0 if short == wanted else 0.8
                hits.append(SearchHit(table.id, "dataset", NAMESPACE, table.name, table.domain, score))
            if table.job and wanted in table.job.lower():
                name = table.job.split(":", 2)[2]
                hits.append(SearchHit(table.job, "job", "airflow", name, table.domain, 0.6))
            for column in self._columns(table):
                if wanted in column.name:
                    hits.append(
                        SearchHit(column.id, "column", NAMESPACE, f"{table.name}:{column.name}", table.domain, 0.7)
                    )
        hits = [h for h in hits if kinds is None or h.kind in kinds]
        return sorted(hits, key=lambda h: (-h.score, h.id))[:limit]

    def _walk(self, node: str, direction: Direction, depth: int | None) -> dict[str, tuple[int, str]]:
        found: dict[str, tuple[int, str]] = {node: (0, "")}
        queue = [node]
        for here in queue:
            if depth is not None and found[here][0] >= depth:
                continue
            for near in self._near(here, direction):
                if near not in found:
                    found[near] = (found[here][0] + 1, here)
                    queue.append(near)
        del found[node]
        return found

    def _answer(self, node: str, direction: Direction, depth: int | None) -> Answer:
        node = self._resolve(node)
        start = node if node in self.tables else next(t.id for t in self.tables.values() if t.job == node)
        found = self._walk(start, direction, depth)
        home = self.tables[start].domain

        def path(i: str) -> tuple[str, ...]:
            return (i,) if i == start else (*path(found[i][1]), i)

        reached = tuple(
            Reached(
                id=i,
                kind="dataset",
                hops=hops,
                certainty="certain",
                path=path(i),
                domain=self.tables[i].domain,
                owner=self._owner(self.tables[i].domain),
                crosses_domain=self.tables[i].domain != home,
            )
            for i, (hops, _) in sorted(found.items(), key=lambda item: (item[1][0], item[0]))
        )
        verdict: Literal["found", "none"] = "found" if reached else "none"
        return Answer(node, direction, NOW, NOW, False, reached, home, verdict=verdict, coverage=Coverage(12, 10))

    def impact(self, node: str, *, depth: int | None = None, **_: Any) -> Answer:
        """As the engine."""
        return self._answer(node, "downstream", depth)

    def provenance(self, node: str, *, depth: int | None = None, **_: Any) -> Answer:
        """As the engine."""
        return self._answer(node, "upstream", depth)

    def show(self, node: str, *, as_of: datetime | str | None = None, **_: Any) -> NodeDetail:
        """As the engine."""
        node = self._resolve(node)
        table = self.tables.get(node) or next(t for t in self.tables.values() if t.job == node)
        is_job = node == table.job
        state, at = self._status(table)
        runs = tuple(
            RunInfo(
                run_id=f"0190a1b2-0000-7000-8000-{n:012d}",
                job=table.job or "",
                state=state if n == 0 and state else "COMPLETE",
                started_at=at - timedelta(days=n, minutes=4),
                ended_at=None if n == 0 and state == "RUNNING" else at - timedelta(days=n),
                error="relation “pay.raw.transactions” does not exist" if n == 0 and state == "FAIL" else None,
                producer="https://github.com/OpenLineage/OpenLineage/tree/1.30.0/integration/airflow",
            )
            for n in range(7)
            if at is not None
        )
        ref = self._ref(node)
        outputs = [table.id] if is_job else self._near(node, "downstream")
        return NodeDetail(
            id=node,
            kind=ref.kind,
            namespace=ref.namespace,
            name=ref.name,
            field="",
            domain=table.domain,
            owner=self._owner(table.domain),
            aliases=() if is_job else (f"dataset:s3://lake:/{table.name.replace('.', '/')}",),
            description=f"What the {table.domain} team publishes as {table.name.rsplit('.', 1)[-1]}.",
            tags=("pii",) if "customer" in table.name else (),
            columns=() if is_job else self._columns(table),
            upstream=tuple(map(self._ref, table.inputs)),
            downstream=tuple(map(self._ref, outputs)),
            readers=()
            if is_job
            else tuple(self._ref(t.job) for t in self.tables.values() if t.job and node in t.inputs),
            writers=() if is_job or not table.job else (self._ref(table.job),),
            runs=runs,
            metrics={} if is_job else {"rows": 68410.0, "bytes": 9_125_400.0},
            assertions=()
            if is_job or not table.columns
            else ({"assertion": "not_null", "column": table.columns[0][0], "success": True},),
            facets={"documentation": {"description": "as above"}, "schema": {"fields": [c[0] for c in table.columns]}},
            first_seen=NOW - timedelta(days=90),
            last_seen=at,
            as_of=_instant(as_of),
            known_at=NOW,
        )

    def _card(self, node: str, shown: set[str], opened: Collection[str] | bool, hops: int, side: Any) -> PictureNode:
        table = self.tables[node]
        state, at = self._status(table)
        if table.domain in self.hidden:
            return PictureNode(node, "dataset", "", "hidden", table.domain, None, hops, side, hidden=True)
        return PictureNode(
            id=node,
            kind="dataset",
            namespace=NAMESPACE,
            name=table.name,
            domain=table.domain,
            owner=self._owner(table.domain),
            hops=hops,
            side=side,
            columns=self._columns(table) if opened is True or (opened and node in opened) else (),
            column_count=len(table.columns),
            cut_upstream=sum(1 for i in self._near(node, "upstream") if i not in shown),
            cut_downstream=sum(1 for i in self._near(node, "downstream") if i not in shown),
            status=state,
            last_run_at=at,
            self_loop=node in table.inputs,
        )

    def picture(
        self,
        node: str,
        *,
        upstream: int | None = 1,
        downstream: int | None = 1,
        jobs: bool = False,
        columns: bool | Collection[str] = False,
        as_of: datetime | str | None = None,
        also_upstream: Collection[str] = (),
        also_downstream: Collection[str] = (),
        max_nodes: int = 300,
        **_: Any,
    ) -> Picture:
        """As the engine."""
        focus = self._resolve(node)
        start = focus if focus in self.tables else next(t.id for t in self.tables.values() if t.job == focus)
        up, down = self._walk(start, "upstream", upstream), self._walk(start, "downstream", downstream)
        more: tuple[tuple[Collection[str], Direction, dict[str, tuple[int, str]]], ...] = (
            (also_upstream, "upstream", up),
            (also_downstream, "downstream", down),
        )
        for extra, direction, found in more:
            for i in extra:
                for near in self._near(i, direction) if i in self.tables else ():
                    if near != start:
                        found.setdefault(near, ((found.get(i) or (0,))[0] + 1, i))
        ordered = sorted({**up, **down}, key=lambda i: (min(d[i][0] for d in (up, down) if i in d), i))
        kept = [start, *ordered[: max_nodes - 1]]
        shown = set(kept)
        left = [i for i in ordered if i not in shown]
        nodes = []
        for i in kept:
            side = (
                "focus" if i == start else "both" if i in up and i in down else "upstream" if i in up else "downstream"
            )
            nodes.append(self._card(i, shown, columns, (up.get(i) or down.get(i) or (0, ""))[0], side))
        edges = [
            PictureEdge(a, b, "column", self._certainty((a, b)), jobs=(self.tables[b].job or "",))
            for b in sorted(shown)
            for a in self.tables[b].inputs
            if a in shown
        ]
        opened = {n.id for n in nodes if n.columns}
        column_edges = [
            PictureColumnEdge(a, ac, b, bc, "INDIRECT" if weak else "DIRECT", None, False, "certain")
            for a, ac, b, bc, weak in self.column_edges
            if a in shown and b in shown and (a in opened or b in opened)
        ]
        if jobs or focus not in self.tables:
            self._with_jobs(nodes, edges)
        frontier = Frontier(len(left), _count(self.tables[i].domain for i in left)) if left else None
        focus_id = focus
        return Picture(
            focus_id, tuple(nodes), tuple(edges), tuple(column_edges), _instant(as_of), NOW, bool(left), frontier
        )

    def _with_jobs(self, nodes: list[PictureNode], edges: list[PictureEdge]) -> None:
        shown = {n.id for n in nodes}
        for node in list(nodes):
            table = self.tables[node.id]
            inputs = [i for i in table.inputs if i in shown]
            if table.job is None:
                continue
            name = table.job.split(":", 2)[2]
            nodes.append(PictureNode(table.job, "job", "airflow", name, table.domain, node.owner, node.hops, node.side))
            edges.append(PictureEdge(table.job, node.id, "io", "certain"))
            edges += [PictureEdge(i, table.job, "io", "certain") for i in inputs]
        jobs = {n.id for n in nodes if n.kind == "job"}
        written = {e.dst for e in edges if e.src in jobs}
        edges[:] = [e for e in edges if e.src in jobs or e.dst in jobs or e.dst not in written]

    def column_trace(self, column: str, **_: Any) -> Picture:
        """As the engine."""
        match = re.fullmatch(r"column:(.+):([^:]+)", column)
        assert match is not None
        start = (f"dataset:{match[1]}", match[2])
        traced, lines = {start}, set()
        for back in (True, False):
            queue = [start]
            for here in queue:
                for edge in self.column_edges:
                    a, b = (edge[0], edge[1]), (edge[2], edge[3])
                    if (b if back else a) == here:
                        lines.add(edge)
                        following = a if back else b
                        if following not in queue:
                            queue.append(following)
                        traced.add(following)
        shown = {i for i, _ in traced}
        nodes = []
        for i in sorted(shown):
            card = self._card(i, shown, False, 0 if i == start[0] else 1, "focus" if i == start[0] else "both")
            columns = self._columns(self.tables[i], {c for t, c in traced if t == i})
            nodes.append(PictureNode(**{**{f: getattr(card, f) for f in card.__slots__}, "columns": columns}))
        edges = tuple(
            PictureEdge(a, b, "column", self._certainty((a, b)))
            for b in sorted(shown)
            for a in self.tables[b].inputs
            if a in shown
        )
        column_edges = tuple(
            PictureColumnEdge(a, ac, b, bc, "INDIRECT" if weak else "DIRECT", None, False, "certain")
            for a, ac, b, bc, weak in sorted(lines)
        )
        return Picture(start[0], tuple(nodes), edges, column_edges, NOW, NOW, False)


def _totals(answer: Answer) -> Totals:
    domains = _count(one.domain for one in answer.nodes)
    hops = _count(one.hops for one in answer.nodes)
    return Totals(len(answer.nodes), domains, hops, {"dataset": len(answer.nodes)} if answer.nodes else {}, {})


def _instant(at: datetime | str | None) -> datetime:
    return parse_instant(at) if isinstance(at, str) else at or NOW


def _count(values: Any) -> dict[Any, int]:
    counts: dict[Any, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts
