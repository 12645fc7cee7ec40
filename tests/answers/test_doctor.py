"""The doctor finds what must not be there; the fingerprint sees content and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from lineage.doctor import examine
from lineage.fingerprint import fingerprint, parts
from lineage.store import Store
from lineage.times import OPEN_END
from tests.answers.builder import T0, World, at


def findings(world: World) -> set[str]:
    return {check.name for check in examine(world.store).checks if not check.ok}


def test_a_sound_store_has_no_findings(chain: World) -> None:
    run = chain.run("load")
    chain.run_io(run, "load", "orders", "out")
    chain.facet(chain.dataset("orders"), "documentation", {"description": "x"})
    chain.edge(chain.dataset("x"), chain.dataset("y"), valid_to=at("2026-02-01"))
    chain.edge(chain.dataset("x"), chain.dataset("y"), state="stale", valid_from=at("2026-02-01"))
    assert findings(chain) == set()


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("id-collision", lambda w: w._insert("node", w.dataset("a"), "dataset", "pg", "b", "", None, T0)),
        ("node-twice", lambda w: w._insert("node", w.dataset("a"), "dataset", "pg", "a", "", None, T0)),
        ("wrong-id", lambda w: w._insert("node", 7, "dataset", "pg", "a", "", None, T0)),
        ("event-twice", lambda w: (w.event(1), w.event(1))),
        ("event-without-bytes", lambda w: w.event(1)),
        ("dangling-edge-src", lambda w: w.edge(1, w.dataset("b"))),
        ("dangling-run_io-dataset", lambda w: w._insert_named("run_io", {"dataset": 4, "known_to": OPEN_END})),
        ("dangling-facet-body", lambda w: w._insert_named("facet", {"entity": w.dataset("a"), "body": 4})),
        ("backward-edge", lambda w: w.edge(w.dataset("a"), w.dataset("b"), valid_to=at("2020-01-01"))),
        ("overlap-edge", lambda w: [w.edge(w.dataset("a"), w.dataset("b"), state=s) for s in ("current", "stale")]),
        ("overlap-facet", lambda w: [w.facet(w.dataset("a"), "x", {"v": v}) for v in (1, 2)]),
        ("overlap-domain", lambda w: [w.domain("sales"), w.domain("sales")]),
        ("open-twice-run", lambda w: [w.run("j"), w.run("j", state="FAIL")]),
    ],
)
def test_each_kind_of_damage_is_found(world: World, name: str, spoil: Callable[[World], object]) -> None:
    spoil(world)
    assert name in findings(world)


def test_a_facet_that_was_deleted_has_no_text_and_misses_none(world: World) -> None:
    """In a set of facets 0 stands for a deletion (``_deleted: true``)."""
    world._insert_named("facet_set", {"set_id": 1, "place": "facets", "key": "schema", "body": 0})
    assert findings(world) == set()
    world._insert_named("facet_set", {"set_id": 1, "place": "facets", "key": "tags", "body": 4})
    assert findings(world) == {"dangling-facet_set-body"}


def test_a_finding_has_its_count_and_examples(world: World) -> None:
    for number in range(9):
        world.edge(number + 1, world.dataset("b"))
    check = next(check for check in examine(world.store).checks if check.name == "dangling-edge-src")
    assert check.found == 9 and len(check.examples) == 5


# -- fingerprint


def build(steps: list[Callable[[World], object]]) -> Store:
    world = World()
    for step in steps:
        step(world)
    return world.store


STEPS: list[Callable[[World], object]] = [
    lambda w: w.flow(["a"], "j", ["b"]),
    lambda w: w.run("j"),
    lambda w: w.facet(w.dataset("a"), "documentation", {"description": "é\n"}),
    lambda w: w.metric(w.dataset("a"), "rows", 0.1),
    lambda w: w.assertion(w.dataset("a"), "t", "pass"),
    lambda w: w.event(1),
    lambda w: w.domain("sales", "a*"),
    lambda w: w.column_edge(("a", "x"), ("b", "y")),
    lambda w: w.alias(w.dataset("a"), w.dataset("c")),
]


def test_order_of_storage_does_not_matter() -> None:
    first = fingerprint(build(STEPS))
    for seed in range(3):
        shuffled = STEPS.copy()
        random.Random(seed).shuffle(shuffled)
        assert fingerprint(build(shuffled)) == first


def test_known_times_closed_rows_and_places_of_bytes_do_not_matter() -> None:
    store = build(STEPS)
    before = fingerprint(store)
    with store.transaction() as cursor:
        cursor.execute("UPDATE edge SET known_from = known_from + INTERVAL 1 DAY")
        cursor.execute("UPDATE event SET block = 99, position = 3, received_at = now()::TIMESTAMP")
        cursor.execute("INSERT INTO run (run, known_from, known_to) VALUES (1, '2026-01-01', '2026-01-02')")
        cursor.execute("UPDATE domain SET actor = 'somebody', valid_from = '2020-01-01'")
        cursor.execute("INSERT INTO facet_body VALUES (1, 'nobody points here')")
    assert fingerprint(store) == before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE edge SET valid_from = valid_from + INTERVAL 1 MICROSECOND",
        "UPDATE edge SET end_reason = ''",  # empty is not NULL
        "UPDATE run SET state = 'FAIL'",
        "UPDATE metric SET value = 0.10000000000000002",
        "UPDATE facet_body SET json = json || ' '",
        "UPDATE node SET name = 'A' WHERE name = 'a'",
        "UPDATE event SET notes = '[]'",
        "INSERT INTO edge SELECT * FROM edge",
        "DELETE FROM alias",
        "UPDATE domain SET hash = 'x'",
    ],
)
def test_a_change_of_content_changes_it(change: str) -> None:
    store = build(STEPS)
    before = fingerprint(store)
    with store.transaction() as cursor:
        cursor.execute(change)
    assert fingerprint(store) != before


def test_values_cannot_run_into_their_neighbours() -> None:
    one, other = World(), World()
    one._insert("node", 1, "dataset", "ab", "c", "", None, T0)
    other._insert("node", 1, "dataset", "a", "bc", "", None, T0)
    assert fingerprint(one.store) != fingerprint(other.store)


def test_the_parts_name_the_table_that_differs() -> None:
    one, other = build(STEPS), build(STEPS[1:])
    different = {line.split()[0] for line in set(parts(one)) ^ set(parts(other))}
    assert "edge" in different and "metric" not in different
