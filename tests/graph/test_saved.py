"""A snapshot in a file: what is mapped answers as what was built, and what does not fit is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

import lineage
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


def big(file: Path) -> Path:
    """A database with a graph beside it; the graph."""
    with Store.open(file) as store:
        World(store).edge("a", "b").edge("b", "c").load()
    with Store.open(file, read_only=True) as store:
        load_now(store, "1", enough=1)
    return file.with_name(f"{file.name}.graph")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda good: good[:8] + (2).to_bytes(8, "little") + good[16:], "has format 2; this Meshline reads format 3"),
        (lambda good: good[:-1], "is damaged or was cut short"),
        (lambda good: good[:20], "is no saved snapshot of Meshline, or was cut short"),
        (lambda good: good[:-70] + bytes([good[-70] ^ 1]) + good[-69:], "is damaged or was cut short"),
    ],
)
def test_a_graph_that_cannot_be_used_is_told_of_once_and_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[bytes], bytes], told: str
) -> None:
    graph = big(tmp_path / "m.duckdb")
    spoiled = spoil(graph.read_bytes())
    graph.unlink()
    graph.write_bytes(spoiled)
    with Store.open(tmp_path / "m.duckdb", read_only=True) as store:
        for _ in range(2):
            assert load_now(store, "1", enough=1).n == 3
    message = f"The saved graph {graph} {told}; the graph was built from the database and the file made anew."
    assert [(one.levelname, one.name, one.message) for one in caplog.records] == [
        ("WARNING", "meshline.lineage", message)
    ]


def test_a_graph_of_another_meshline_is_told_of_and_one_of_another_state_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    big(tmp_path / "m.duckdb")
    with Store.open(tmp_path / "m.duckdb", read_only=True) as store:
        assert load_now(store, "2", enough=1).n == 3
        assert caplog.records == []
        monkeypatch.setattr("lineage.graph.kept._version", lambda: "99.0")
        for _ in range(2):
            assert load_now(store, "2", enough=1).n == 3
    (one,) = caplog.records
    assert f"was of Meshline {lineage.__version__}, and this is 99.0; the graph was built" in one.message


def test_a_useless_graph_of_what_became_small_is_taken_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    graph = big(tmp_path / "m.duckdb")
    graph.unlink()
    graph.write_bytes(b"junk")
    with Store.open(tmp_path / "m.duckdb", read_only=True) as store:
        for _ in range(2):
            assert load_now(store, "1").n == 3
    assert not graph.exists()
    assert [one.message.endswith("built from the database and the file removed.") for one in caplog.records] == [True]


def test_the_command_line_says_so_on_standard_error(tmp_path: Path) -> None:
    graph = big(tmp_path / "m.duckdb")
    graph.unlink()
    graph.write_bytes(b"junk")
    command = [sys.executable, "-c", "from lineage.cli import main; main()", "search", "a", "--format", "json"]
    done = subprocess.run([*command, "--db", str(tmp_path / "m.duckdb")], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)
    assert done.stderr.splitlines() == [
        f"The saved graph {graph} is no saved snapshot of Meshline, or was cut short; "
        "the graph was built from the database and the file removed."
    ]
