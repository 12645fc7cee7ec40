"""What is kept of now is outdated when time alone changes what holds."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.graph.kept import load_now
from lineage.store import Store
from lineage.store.dated import GRAPH, OBSERVED, SAID, next_turn
from lineage.times import OPEN_END, utcnow
from tests.graph.world import World

ANN = Actor("ann")
_DATED = """
-- one row per table that has any of the times, with those it has
SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns()
WHERE column_name IN ('valid_from', 'valid_to') OR (column_name = 'expires' AND table_name IN (
  SELECT table_name FROM duckdb_columns() WHERE column_name = 'valid_to'))
GROUP BY ALL
"""


def test_every_table_with_valid_times_is_declared() -> None:
    with Store.open(":memory:") as store:
        found = {table: set(columns) for table, columns in store.rows(_DATED)}
    assert not OBSERVED.keys() & SAID.keys()
    assert found == {table: set(columns) for table, columns in (OBSERVED | SAID).items()}  # type: ignore[operator]
    assert found.keys() >= GRAPH


def test_the_graph_is_made_of_the_tables_that_it_names() -> None:
    from lineage.graph import sql

    assert {table for table in OBSERVED | SAID if f"'{table}' AS name" in sql.MARKS} == GRAPH  # type: ignore[operator]


@pytest.mark.parametrize("table", sorted(OBSERVED.keys() | SAID.keys()))
def test_now_is_outdated_at_the_next_time_of_each_table(table: str) -> None:
    now = utcnow()
    columns = (OBSERVED | SAID)[table]  # type: ignore[operator]
    ahead = {column: now + timedelta(days=3 + day) for day, column in enumerate(columns)}
    with Store.open(":memory:") as store:
        with store.transaction() as cursor:
            cursor.execute(f"INSERT INTO {table} ({', '.join(ahead)}) VALUES ({', '.join('?' * len(ahead))})",
                           list(ahead.values()))  # fmt: skip
        assert Lineage(store).view().instant.expires == now + timedelta(days=3)
        assert next_turn(store, ahead["valid_from"]) == ahead["valid_to"]
        assert next_turn(store, ahead["valid_from"], tables=GRAPH) == (
            ahead["valid_to"] if table in GRAPH else OPEN_END
        )
        assert next_turn(store, max(ahead.values())) == OPEN_END


def test_what_people_say_follows_our_own_clock_and_events_those_of_producers() -> None:
    now, ahead = utcnow(), utcnow() + timedelta(days=9)
    with Store.open(":memory:") as store:
        with store.transaction() as cursor:
            for table in ("edge", "tag_stop"):
                cursor.execute(f"INSERT INTO {table} (valid_from, valid_to) VALUES (?, ?)",
                               [now + timedelta(days=1), OPEN_END])  # fmt: skip
        assert next_turn(store, ahead) == OPEN_END
        assert next_turn(store, ahead, now) == now + timedelta(days=1)


def clock(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    for module in ("lineage.engine", "lineage.graph.build"):
        monkeypatch.setattr(f"{module}.utcnow", lambda: at)


def test_an_edge_by_hand_begins_on_its_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soon = utcnow() + timedelta(hours=1)
    with Store.open(tmp_path / "m.duckdb") as store:
        World(store).edge("a", "b").edge("c", "d").load()
        lx = Lineage(store)
        lx.edges.add("b", "c", reason="agreed from then on", since=soon, actor=ANN)
        assert [node.id for node in lx.impact("ns:a").nodes] == ["dataset:ns:b"]
        clock(monkeypatch, soon)
        found = lx.impact("ns:a")
        assert found.as_of == soon
        assert [node.id for node in found.nodes] == ["dataset:ns:b", "dataset:ns:c", "dataset:ns:d"]


def test_so_it_does_for_the_next_process_that_maps_the_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soon = utcnow() + timedelta(hours=1)
    with Store.open(tmp_path / "m.duckdb") as store:
        World(store).edge("a", "b").edge("c", "d").load()
        Lineage(store).edges.add("b", "c", reason="agreed from then on", since=soon, actor=ANN)
    with Store.open(tmp_path / "m.duckdb", read_only=True) as store:
        for at, rows in ((soon - timedelta(minutes=1), 2), (soon, 3)):
            clock(monkeypatch, at)
            for _ in range(2):
                assert load_now(store, "1", enough=1).edge_rows == rows
