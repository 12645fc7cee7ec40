"""A snapshot in a file: what is mapped answers as what was built, and what does not fit is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from lineage.graph import Snapshot, load
from lineage.graph.kept import load_now
from lineage.graph.saved import SnapshotFileError, State, open_saved, save
from lineage.store import Store
from lineage.times import utcnow
from tests.graph.world import T0, Seen, World

STATE = State("one state", 0, 100)


def rich() -> World:
    world = World().run("load()", ["a", "b"], ["c"]).edge("c", "d", provenance="product").edge("c", "c")
    world.edge("load()", "next()").run("next()", ["c"], ["e"]).edge("root()", "load()", kind="contains")
    world.column_edge("a.x", "c.y", subtype="IDENTITY").column_edge("a.z", "c", type="INDIRECT", subtype="FILTER")
    world.node("c.y")
    return world.alias("a", "path_of_a", type="LOCATION").node("a.x") and world


def everything(seen: Seen) -> dict[str, object]:
    found: dict[str, object] = {}
    for i in range(seen.snapshot.n):
        name = seen.name(i)
        found[name] = (seen.snapshot.text(i), seen.snapshot.member_texts(i))
        for direction in ("downstream", "upstream"):
            for level in ("dataset", "column"):
                walk = seen.walk(name, direction, level=level)
                found[f"{name} {direction} {level}"] = (walk.hops, walk.certainty, walk.raw.paths(), walk.raw.edges)
            found[f"{name} {direction}"] = seen.snapshot.neighbours(i, direction)
        found[f"{name} jobs"] = (seen.snapshot.readers(i).tolist(), seen.snapshot.parents(i).tolist())
    return found


def reopened(path: Path, kernels: str | None = None, store: str = "one state", micros: int = 50) -> Snapshot:
    return open_saved(path, store, T0, T0, micros, kernels=kernels)


def test_a_mapped_snapshot_answers_as_the_one_that_was_built(kernels: str, tmp_path: Path) -> None:
    seen = rich().load(kernels=kernels)
    save(seen.snapshot, tmp_path / "g", STATE)
    assert [p.name for p in tmp_path.iterdir()] == ["g"]
    assert everything(Seen(reopened(tmp_path / "g", kernels))) == everything(seen)


def test_an_empty_graph_can_be_saved(tmp_path: Path) -> None:
    save(World().load().snapshot, tmp_path / "g", STATE)
    assert reopened(tmp_path / "g").n == 0


def test_a_file_of_another_version_state_or_instant_or_damaged_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "g"
    save(rich().load().snapshot, path, STATE)
    good = path.read_bytes()

    def refused(content: bytes, match: str, **options: object) -> None:
        path.unlink()  # as a program does: a mapped file is never changed in place
        path.write_bytes(content)
        with pytest.raises(SnapshotFileError, match=match):
            reopened(path, **options)  # type: ignore[arg-type]

    refused(good, "another state", store="other")
    refused(good, "another state", micros=100)
    refused(good[:8] + (99).to_bytes(8, "little") + good[16:], "format 99; this Meshline reads format 3")
    for length in (0, 5, 31, 32, 100, len(good) // 2, len(good) - 1):
        refused(good[:length], "cut short")
    for at in (16, 18, 20, 23, 24, 40, len(good) // 2, len(good) - 70):  # 16 to 23: the length of the description
        refused(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :], "damaged")
    refused(b"PK" + good[2:], "no saved snapshot")


def test_readers_keep_the_graph_beside_the_database_and_never_use_that_of_another_state(tmp_path: Path) -> None:
    file, graph = tmp_path / "m.duckdb", tmp_path / "m.duckdb.graph"
    ahead = utcnow() + timedelta(days=1)
    with Store.open(file) as store:
        World(store).edge("a", "b").edge("b", "c").load()
        assert load_now(store, "1", enough=1).n == 3
        assert not graph.exists(), "who writes keeps none"
    with Store.open(file, read_only=True) as store:
        assert load_now(store, "1").n == 3
        assert not graph.exists(), "a small graph is built faster"
        assert load_now(store, "1", enough=1).n == 3
        mapped = load_now(store, "1", enough=1)
        assert not mapped.ids.flags.writeable, "mapped"
        assert not np.array_equal(mapped.as_of, T0)
    with Store.open(file) as store:
        World(store).edge("c", "d").edge("c", "z", valid_from=ahead).load()
    with Store.open(file, read_only=True) as store:
        assert load_now(store, "2", enough=1).n == 5
        before = graph.stat().st_mtime_ns
        assert load_now(store, "2", enough=1).n == load(store).n
        assert graph.stat().st_mtime_ns == before
        with pytest.raises(SnapshotFileError, match="another state"):
            open_saved(graph, "?", ahead, ahead, 0)
        short = graph.read_bytes()[:-1]
        graph.unlink()
        graph.write_bytes(short)
        assert load_now(store, "2", enough=1).n == 5
        assert graph.stat().st_mtime_ns != before
