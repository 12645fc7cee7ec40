"""The graph engine against graph libraries and a database, on a seeded mesh, in one run.

    python -m benchmarks.graph                    # 1,000,000 datasets, 3.1 million edges
    python -m benchmarks.graph --datasets 100000 --columns 20
    python -m benchmarks.graph --postgres "host=/tmp dbname=postgres"

Candidates take turns, so that each meets caches which the others have used. A figure is the best CPU time of a
candidate's turns (the best wall time where that is less, or where another process does the work): on a busy machine all
else says as much about the neighbours. Every answer is checked against that of the first candidate. The median of the
ratios of single turns stands beside the ratio of the best ones.

The gates compare our whole answer (dense indices, hops, parents, certainty, both filters) with the bare set of
descendants that a peer gives; *with hops and parents* is the nearest that the peer has to ours. PostgreSQL gets a
recursive query over a covering index, which is kinder to it than Marquez's (that one aggregates the whole graph first).
"""

from __future__ import annotations

import argparse
import gc
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.mesh import MICROSECOND, Mesh, mesh
from benchmarks.needs import has
from lineage.graph import Snapshot
from lineage.graph.analysis import Flow
from lineage.graph.arrays import pair_keys
from lineage.graph.build import LEVELS, assemble, relate
from lineage.graph.choice import available
from lineage.graph.level import TimedCsr
from lineage.graph.live import patched_snapshot
from lineage.graph.rows import Relations
from lineage.graph.saved import State, open_saved, save
from lineage.graph.search import Start
from lineage.graph.splice import Backs
from lineage.graph.timeline import Timeline
from lineage.times import EPOCH

AT = datetime(2026, 1, 1)  # noqa: DTZ001 - naive UTC like everything stored
GATES = {"networkx": 60, "rustworkx": 20, "igraph": 6, "postgresql": 60}


@dataclass
class Candidate:
    """Something that answers a question; ``check`` turns its answer into a comparable one."""

    name: str
    ask: Callable[[], Any]
    check: Callable[[Any], Any]
    rounds: int = 7
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def run(self) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        answer = self.ask()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)
        return answer

    @property
    def seconds(self) -> float:
        cpu = min(self.cpu)
        return min(min(self.wall), cpu) if cpu else min(self.wall)

    def beside(self, other: Candidate) -> float:
        """Median of the ratios to another one's time in the same turn."""
        mine, theirs = (c.cpu if any(c.cpu) else c.wall for c in (self, other))
        return statistics.median(a / b for a, b in zip(mine, theirs, strict=False) if b)


def compete(title: str, candidates: list[Candidate], gates: dict[str, float] | None = None) -> None:
    """Let candidates take turns, check them, print a table with ratios to the first."""
    wanted = None
    gc.collect()
    gc.freeze()  # a collection that visits the peers' millions of objects is no part of any answer
    gc.disable()
    for turn in range(max(c.rounds for c in candidates)):
        for c in candidates:
            if turn < c.rounds:
                found = c.check(c.run())
                wanted = found if wanted is None else wanted
                if found != wanted:
                    sys.exit(f"{title}: {c.name} gives another answer: {found} instead of {wanted}")
    gc.enable()
    gc.unfreeze()
    print(f"\n{title}  (answer: {wanted})")
    for c in candidates:
        ratio = c.seconds / candidates[0].seconds
        gate = (gates or {}).get(c.name)
        verdict = "" if gate is None else f"   gate {gate:g} x: {'met' if ratio >= gate else 'MISSED'}"
        print(f"  {c.name:<34}{c.seconds * 1e3:12.3f} ms{ratio:9.1f} x{c.beside(candidates[0]):9.1f} x{verdict}")


# -- candidates


def hub_closure(graph: Mesh, snapshots: dict[str, Snapshot], hub: int, dsn: str | None) -> None:
    """All descendants of the biggest hub; ours with hops, certainty, filters and an explaining path."""
    node_id = int(graph.ids[hub])

    def ours(snapshot: Snapshot) -> Callable[[], Any]:
        source = snapshot.index(node_id)
        barred = snapshot.bar(_one_in_a_million(graph, snapshot))

        def ask() -> Any:
            walk = snapshot.walk([source], "downstream", min_certainty="stale", blocked=barred)
            _ = walk.hops, walk.certainty, walk.path(int(walk.nodes[-1]))
            return walk

        return ask

    candidates = [
        Candidate(f"meshline ({name})", ours(snapshot), lambda walk: len(walk.nodes), 9 if name == "compiled" else 3)
        for name, snapshot in snapshots.items()
    ]
    candidates.insert(1, kernel(graph, next(iter(snapshots.values())), node_id))
    candidates += [networkx(graph, hub), *rustworkx(graph, hub), *igraph(graph, hub)]
    candidates += [scipy(graph, hub), duckdb(graph, hub)]
    if dsn is not None:
        candidates.append(postgresql(graph, hub, dsn))
    compete("closure of the hub, interleaved; ours with hops, certainty, filters and a path", candidates, GATES)


def _one_in_a_million(graph: Mesh, snapshot: Snapshot) -> Any:
    """A mask that bars a node nothing leads to: the filter is asked at every step and the answer stays comparable."""
    barred = np.zeros(snapshot.n, dtype=bool)
    sources = np.flatnonzero(np.bincount(graph.dst, minlength=graph.n) == 0)
    hub = int(np.bincount(graph.src, minlength=graph.n).argmax())
    barred[snapshot.index(int(graph.ids[sources[sources != hub][0]]))] = True
    return barred


def kernel(graph: Mesh, snapshot: Snapshot, node_id: int) -> Candidate:
    """The search alone: ids, hops, parents and certainty as arrays, with both filters; no names."""
    index = snapshot.index(node_id)
    assert index is not None
    start = Start.at(snapshot._levels["dataset"].vertices[[index]])
    engine = snapshot._search["dataset", "downstream"]
    closed = snapshot.bar(_one_in_a_million(graph, snapshot)).on("dataset")
    return Candidate("  its search alone", lambda: engine.bfs(start, 63, -1, -1, closed), lambda t: len(t.order) - 1)


def networkx(graph: Mesh, hub: int) -> Candidate:
    import networkx as nx

    plain = nx.DiGraph()
    plain.add_nodes_from(range(graph.n))
    plain.add_edges_from(zip(graph.src.tolist(), graph.dst.tolist(), strict=True))
    return Candidate("networkx", lambda: nx.descendants(plain, hub), len, 2)


def rustworkx(graph: Mesh, hub: int) -> list[Candidate]:
    """The set alone, and with hops and parents: for these it calls a visitor in Python."""
    if not has("rustworkx"):
        return []
    import rustworkx as rx

    plain = rx.PyDiGraph()
    plain.add_nodes_from(list(range(graph.n)))
    plain.add_edges_from_no_data(list(zip(graph.src.tolist(), graph.dst.tolist(), strict=True)))

    class Tree(rx.visit.BFSVisitor):
        def __init__(self) -> None:
            self.found = {hub: (0, -1)}

        def tree_edge(self, edge: tuple[int, int, None]) -> None:
            self.found[edge[1]] = (self.found[edge[0]][0] + 1, edge[0])

    def tree() -> dict[int, tuple[int, int]]:
        visitor = Tree()
        rx.bfs_search(plain, [hub], visitor)
        return visitor.found

    return [
        Candidate("rustworkx", lambda: rx.descendants(plain, hub), len, 9),
        Candidate("rustworkx, with hops and parents", tree, lambda found: len(found) - 1, 2),
    ]


def igraph(graph: Mesh, hub: int) -> list[Candidate]:
    """The list alone, and with hops and parents."""
    if not has("igraph"):
        return []
    import igraph as ig

    plain = ig.Graph(n=graph.n, edges=np.column_stack([graph.src, graph.dst]), directed=True)
    return [
        Candidate("igraph", lambda: plain.subcomponent(hub, mode="out"), lambda found: len(found) - 1, 9),
        Candidate("igraph, with hops and parents", lambda: plain.bfs(hub, mode="out"), lambda t: len(t[0]) - 1, 3),
    ]


def scipy(graph: Mesh, hub: int) -> Candidate:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    ones = np.ones(len(graph.src), np.int8)
    plain = csr_array((ones, (graph.src, graph.dst)), shape=(graph.n, graph.n))
    return Candidate("scipy", lambda: breadth_first_order(plain, hub)[0], lambda found: len(found) - 1, 5)


def duckdb(graph: Mesh, hub: int) -> Candidate:
    """A recursive query over the edge table in memory."""
    import duckdb as db
    import pyarrow as pa

    connection = db.connect(config={"threads": 1})
    flow = pa.table({"src": graph.src, "dst": graph.dst})  # noqa: F841 - read by the query below
    connection.execute("CREATE TABLE edges AS SELECT * FROM flow")
    query = (
        f"WITH RECURSIVE reached(id) AS (SELECT {hub}::UINTEGER UNION SELECT dst FROM edges JOIN reached ON src = id) "
        "SELECT count(*) - 1 FROM reached"
    )
    return Candidate("duckdb", lambda: connection.execute(query).fetchall()[0][0], int, 3)


def postgresql(graph: Mesh, hub: int, dsn: str) -> Candidate:
    """A recursive query over a covering index: kinder than Marquez's, which aggregates the whole graph first."""
    rows = "".join(f"{a}\t{b}\n" for a, b in zip(graph.src.tolist(), graph.dst.tolist(), strict=True))
    script = "DROP TABLE IF EXISTS flow; CREATE TABLE flow (src int, dst int); COPY flow FROM STDIN;\n"
    after = "CREATE INDEX ON flow (src) INCLUDE (dst); VACUUM ANALYZE flow;\n"
    psql(dsn, script + rows + "\\.\n" + after)
    query = (
        f"WITH RECURSIVE reached(id) AS (SELECT {hub} UNION SELECT dst FROM flow JOIN reached ON src = id) "
        "SELECT count(*) - 1 FROM reached;"
    )
    best: list[float] = []

    def ask() -> int:
        lines = psql(dsn, f"SET work_mem = '512MB'; SET jit = off;\n\\timing on\n{query}\n").split("\n")
        best.append(float(next(line for line in lines if line.startswith("Time:")).split()[1]) / 1e3)
        return next(int(line) for line in lines if line.strip().isdigit())

    candidate = Candidate("postgresql", ask, int, 3)
    candidate.wall, candidate.cpu = best, _Zeros()  # the server's own time, without starting psql
    return candidate


class _Zeros(list[float]):
    """CPU times that are not ours to measure."""

    def append(self, value: float) -> None:
        super().append(0.0)


def psql(dsn: str, script: str) -> str:
    done = subprocess.run(["psql", "-qAt", "-v", "ON_ERROR_STOP=1", dsn], input=script, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


# -- other questions


def small_closures(snapshot: Snapshot, count: int = 2000) -> None:
    """The floor under each query: what it costs when there is next to nothing to find; and paths."""
    rng = np.random.default_rng(5)
    level, engine = snapshot._levels["dataset"], snapshot._search["dataset", "downstream"]
    starts = [Start.at(level.vertices[[i]]) for i in rng.integers(0, snapshot._nodes.datasets, 20 * count)]
    small = [s for s in starts if 5 <= len(engine.bfs(s, 63, -1, 100, None).order) <= 80][:count]
    if not small or not hasattr(engine, "_graph"):
        return
    bfs = engine._graph.bfs
    asked = [(s.seeds, s.grades, s.late, s.late_grades, 63, -1, -1, None) for s in small]
    best = min(_timed(lambda: [bfs(*a) for a in asked]) for _ in range(5))
    print(f"\nsmall closure, 5 to 80 nodes, kernel      {best / len(small) * 1e6:8.2f} µs")
    dense = [int(level.public[s.seeds[0]]) for s in small[:300]]
    best = min(_timed(lambda: [snapshot.walk([i], "downstream").certainty for i in dense]) for _ in range(5))
    print(f"the same as Snapshot.walk with certainty  {best / len(dense) * 1e6:8.2f} µs")
    ask = snapshot.closer("downstream")
    best = min(_timed(lambda: [ask(i) for i in dense]) for _ in range(5))
    print(f"the same as Snapshot.closer, from Python  {best / len(dense) * 1e6:8.2f} µs")
    again = statistics.median(min(_timed(lambda i=i: [ask(i) for _ in range(200)]) for _ in range(3)) for i in dense)
    print(f"one of them again and again, median       {again / 200 * 1e6:8.2f} µs")
    total = _timed(lambda: [engine.bfs(s, 63, -1, -1, None) for s in starts[:1000]])
    print(f"1,000 random closures, one by one         {total * 1e3:8.1f} ms")
    many = rng.integers(0, snapshot._nodes.datasets, 1000)
    total = min(_timed(lambda: snapshot.closures(many, "downstream")) for _ in range(3))
    print(f"1,000 random closures, counted at once    {total * 1e3:8.1f} ms")


def paths(snapshot: Snapshot, hub: int) -> None:
    """Shortest explaining paths from the hub, searched from both ends."""
    level, engine = snapshot._levels["dataset"], snapshot._search["dataset", "downstream"]
    source = snapshot.index(hub)
    start = Start.at(level.vertices[[source]])
    order = engine.bfs(start, 63, -1, -1, None).order
    targets = [order[[k]] for k in np.linspace(1, len(order) - 1, 300).astype(int)]
    best = min(_timed(lambda: [engine.path(start, t, 63, None) for t in targets]) for _ in range(3))
    print(f"a shortest path from the hub, mean of 300 {best / len(targets) * 1e6:8.2f} µs")


def adjacency(graph: Mesh) -> None:
    """From pairs of dense indices in any order to sorted adjacency of one direction."""
    best = min(_timed(lambda: Flow.of_edges(graph.n, graph.src, graph.dst).indptr) for _ in range(5))
    print(f"\nadjacency from pairs in any order: {len(graph.src) / best / 1e6:.0f} million edges a second")


def as_of(graph: Mesh, tables: dict[str, pa.Table], hub: int) -> None:
    """The hub's closure at a past instant, three tenths of the edges having ended: filtered inside the search of a
    timeline, against a snapshot that was built for the instant; and what each costs to get."""
    spans = int(10**12 / 3600e6)  # edges begin and end with the hours of eleven days
    rng = np.random.default_rng(2)

    def timed(table: pa.Table) -> pa.Table:
        m, hour = table.num_rows, 3_600_000_000
        begin = MICROSECOND + rng.integers(0, spans // 2, m) * hour
        end = np.where(rng.random(m) < 0.3, begin + rng.integers(1, spans, m) * hour, 1 << 60)
        at = table.column_names.index("valid_from")
        return table.set_column(at, "valid_from", pa.array(begin)).append_column("valid_to", pa.array(end))

    edges, columns = timed(tables["edges"]), timed(tables["column_edges"])
    moment = MICROSECOND + 6 * 10**11
    at = EPOCH + timedelta(microseconds=moment)
    names = tables["entities"], tables["columns"]
    none = pa.table({name: pa.array([], pa.int64()) for name in ("valid_from", "valid_to")})
    ends = pa.table({name: pa.array([], pa.uint64()) for name in ("src", "dst")})
    aliases = tables["aliases"].append_column("valid_from", none[0]).append_column("valid_to", none[1])
    refuted = ends.append_column("valid_from", none[0]).append_column("valid_to", none[1])
    start = time.process_time()
    timeline = Timeline.of_tables(*names, aliases, edges, columns, refuted)
    built = time.process_time() - start
    held = [
        t.filter((t["valid_from"].to_numpy() <= moment) & (t["valid_to"].to_numpy() > moment)).drop_columns("valid_to")
        for t in (edges, columns)
    ]
    start = time.process_time()
    plain = assemble(at, at, *names, tables["aliases"], *held)
    took = time.process_time() - start
    first = _timed(lambda: timeline.at(at))
    source = plain.index(int(graph.ids[hub]))

    def ask(snapshot: Snapshot) -> Callable[[], Any]:
        def walk() -> Any:
            found = snapshot.walk([source], "downstream")
            _ = found.hops, found.certainty
            return found

        return walk

    candidates = [
        Candidate("snapshot built for the instant", ask(plain), lambda walk: len(walk.nodes), 15),
        Candidate("timeline, filtered in the loop", ask(timeline.at(at)), lambda walk: len(walk.nodes), 15),
    ]
    compete("closure of the hub as of a past instant, with hops and certainty", candidates)
    level = timeline.levels["dataset"]
    sides = level.level.down.unit, level.level.up.unit
    size = sum(side.indptr.nbytes + side.entries.nbytes for side in sides if isinstance(side, TimedCsr))
    print(
        f"  a timeline is built in {built:.2f} s ({len(level.spans.begin):,} spans; the snapshot: {took:.2f} s), "
        f"an instant of it in {first * 1e3:.1f} ms; "
        f"{size / sides[0].edges:.1f} bytes an edge, both directions and validity"
    )


def patching(graph: Mesh, tables: dict[str, pa.Table], last: Snapshot) -> None:
    """Some edges end, and some begin between datasets of which the one feeds the other already over a detour: a patch
    of the snapshot, against a snapshot of the rows after the change."""
    rng = np.random.default_rng(3)
    edges = tables["edges"]
    nodes, soft = last.parts()["nodes"], np.zeros(last.n, bool)

    def related(rows: pa.Table) -> Relations:
        return relate(nodes, soft, rows, tables["column_edges"].slice(0, 0))[0]

    detours = _detours(graph, edges)
    backs = {name: Backs.none() for name in LEVELS}
    for count in (1, 100, 1000):
        end = rng.choice(edges.num_rows, count - count // 2, replace=False)
        begin = detours.take(rng.choice(detours.num_rows, count // 2, replace=False))
        gone, come = related(edges.take(end)), related(begin)
        stay = np.ones(edges.num_rows, bool)
        stay[end] = False
        after = tables | {"edges": pa.concat_tables([edges.filter(stay), begin])}

        def patch(gone: Relations = gone, come: Relations = come) -> Any:
            found = patched_snapshot(last, gone, come, backs, (AT, AT))
            assert found is not None
            return found

        _, _, anew = patch()
        candidates = [
            Candidate("patched", patch, lambda found: _sizes(found[0])),
            Candidate("built anew", lambda after=after: assemble(AT, AT, **after), _sizes, 3),
        ]
        compete(f"patch of {count:,} edges, {anew} levels made anew", candidates)


def _detours(graph: Mesh, edges: pa.Table) -> pa.Table:
    """Edge rows from a dataset to what those that it feeds feed, where there is no such edge yet."""
    order = np.argsort(graph.src, kind="stable")
    src, dst = graph.src[order], graph.dst[order]
    pick = np.random.default_rng(4).choice(len(src), 5000, replace=False)
    low, high = (np.searchsorted(src, dst[pick], side=side) for side in ("left", "right"))
    a, b = src[pick][low < high], dst[low[low < high]]
    fresh = ~np.isin(pair_keys(a, b), pair_keys(graph.src, graph.dst)) & (a != b)
    _, first = np.unique(pair_keys(a, b)[fresh], return_index=True)
    a, b = a[fresh][first], b[fresh][first]
    rows = edges.slice(0, len(a))
    for name, values in (("src", graph.ids[a]), ("dst", graph.ids[b])):
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(values))
    return rows


def _sizes(snapshot: Snapshot) -> tuple[int, ...]:
    level = snapshot.level("dataset")
    return snapshot.edge_rows, level.down.unit.edges, level.up.unit.edges


def saving(snapshot: Snapshot, rows: int) -> None:
    """Into a file and back, and what an edge takes in memory."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph"
        start = time.perf_counter()
        save(snapshot, file, State("benchmark", 0, 1))
        wrote = time.perf_counter() - start
        reopen = [_timed(lambda: open_saved(file, "benchmark", AT, AT, 0)) for _ in range(5)]
        print(
            f"\nsaved in {wrote:.2f} s, {file.stat().st_size / rows:.0f} bytes a row; "
            f"mapped in {min(reopen) * 1e3:.0f} ms"
        )
    parts = [part for g in (snapshot.level("dataset").down, snapshot.level("dataset").up) for part in (g.unit, g.zero)]
    size = sum(p.indptr.nbytes + p.indices.nbytes for p in parts if p is not None)
    edges = max(snapshot.level("dataset").down.unit.edges, 1)
    print(f"adjacency, both directions: {size / edges:.1f} bytes an edge of the dataset level")


TOUCH = """
import sys, time
import numpy as np
memory = np.empty(int(sys.argv[1]), dtype=np.uint8)
for _ in range(2):
    start = time.process_time()
    memory.fill(1)
    print(len(memory) / (time.process_time() - start) / 1e9)
"""


def have_memory(gigabytes: float) -> None:
    """Let the machine have its memory before something is measured, and say what that costs.

    A virtual machine may be given its pages by the host only when they are touched, which can cost more than
    all the work on them, and give them back some seconds after they were freed. Another process touches them and ends.
    """
    told = subprocess.run(
        [sys.executable, "-c", TOUCH, str(int(gigabytes * 1e9))], check=True, capture_output=True, text=True
    )
    first, again = map(float, told.stdout.split())
    print(f"memory of this machine: {first:.2f} GB/s written to at first, {again:.1f} GB/s once it is there")


def _timed(ask: Callable[[], Any]) -> float:
    start = time.process_time()
    ask()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=1_000_000)
    parser.add_argument("--columns", type=float, default=0, help="mean number of columns of a dataset")
    parser.add_argument(
        "--derived", type=float, default=0.2, help="share of the columns made of each input (0.7: 42 M)"
    )
    parser.add_argument("--postgres", metavar="DSN", help="connection string of a PostgreSQL that may be written to")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    graph = mesh(options.datasets, columns=options.columns, derived=options.derived, seed=options.seed)
    tables = graph.tables()
    edges = len(graph.src) + len(graph.column_src)
    print(f"{graph.n:,} datasets, {len(graph.src):,} edges, {len(graph.column_src):,} column edges")
    snapshots = {}
    have_memory(len(graph.src) * 800 / 1e9)
    for name in available():
        start = time.process_time()
        snapshots[name] = assemble(AT, AT, **tables, kernels=name)
        took = time.process_time() - start
        print(f"Arrow tables to snapshot ({name}): {took:.2f} s, {took / edges * 1e6:.2f} s a million edges")
    gc.collect()
    hub = int(np.bincount(graph.src, minlength=graph.n).argmax())
    hub_closure(graph, snapshots, hub, options.postgres)
    first = next(iter(snapshots.values()))
    small_closures(first)
    paths(first, int(graph.ids[hub]))
    have_memory(1)
    adjacency(graph)
    patching(graph, tables, first)
    saving(first, edges)
    as_of(graph, tables, hub)


if __name__ == "__main__":
    main()
