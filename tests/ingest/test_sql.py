"""Columns from SQL where the producer sent none (docs/semantics.md, "Columns read from SQL")."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rebuild import rebuild
from ingest.sql_lineage import read
from ingest.sql_reading import Known, Question, Reading, Use
from ingest.sql_step import SqlStep, read_pending
from ingest.sql_worker import Reader
from ingest.writer import Writer
from lineage.blindspots import ledger
from lineage.engine import Lineage
from lineage.fingerprint import fingerprint, parts
from lineage.store import Store
from lineage.times import utcnow
from tests.ingest.build import dataset_event, empty_store, job_event, run_event, schema
from tests.ingest.state import difference, state

ORDERS = Known(("shop.public.orders",), ("id", "total", "customer"))
CUSTOMERS = Known(("shop.public.customers",), ("id", "name"))
REPORT = Known(("shop.public.report",), None)


def uses(text: str, *, outputs: tuple[Known, ...] = (REPORT,), dialect: str = "postgres", **more: Any) -> set[str]:
    """What is read, as ``target <- source SUBTYPE``."""
    inputs = more.pop("inputs", (ORDERS, CUSTOMERS))
    found = read(Question(text, dialect, inputs, outputs))
    assert found.problem == more.pop("problem", "")
    return {f"{use.target or '*'} <- {_label(inputs, use)} {use.subtype}" for use in found.uses}


def _label(inputs: tuple[Known, ...], use: Use) -> str:
    assert (use.type == "DIRECT") == (use.subtype in ("IDENTITY", "TRANSFORMATION", "AGGREGATION"))
    return f"{inputs[use.input].names[0].rpartition('.')[2]}.{use.source}"


# -- reading


def test_values_and_conditions_are_told_apart() -> None:
    text = """
        SELECT c.name, sum(o.total) AS sales, CASE WHEN o.id > 7 THEN 'new' END AS age
        FROM orders o JOIN public.customers c ON o.customer = c.id
        WHERE o.total > 0 GROUP BY c.name ORDER BY c.name
    """
    assert uses(text) == {
        "name <- customers.name IDENTITY", "sales <- orders.total AGGREGATION", "age <- orders.id CONDITIONAL",
        "* <- orders.customer JOIN", "* <- customers.id JOIN", "* <- orders.total FILTER",
        "* <- customers.name GROUP_BY", "* <- customers.name SORT",
    }  # fmt: skip


def test_tables_that_the_text_makes_on_the_way_are_read_through() -> None:
    text = """
        CREATE TEMP TABLE big AS WITH o AS (SELECT * FROM orders)
        SELECT id, total * 2 AS twice FROM o WHERE customer = 1;
        INSERT INTO report (nr, amount) SELECT id, twice FROM big;
        DROP TABLE big
    """
    assert uses(text) == {
        "nr <- orders.id IDENTITY", "amount <- orders.total TRANSFORMATION", "* <- orders.customer FILTER",
    }  # fmt: skip


def test_merge_update_union_and_window_are_read() -> None:
    known = Known(("report",), ("name", "sales"))
    merge = """
        MERGE INTO report r USING orders o ON r.name = o.id
        WHEN MATCHED THEN UPDATE SET sales = o.total
        WHEN NOT MATCHED THEN INSERT (name, sales) VALUES (o.customer, o.total)
    """
    assert uses(merge, outputs=(known,)) == {
        "sales <- orders.total IDENTITY", "name <- orders.customer IDENTITY", "* <- orders.id JOIN",
    }  # fmt: skip
    update = "UPDATE report SET sales = o.total + 1 FROM orders o WHERE o.customer = report.name"
    assert uses(update, outputs=(known,)) == {
        "sales <- orders.total TRANSFORMATION", "* <- orders.customer FILTER",
    }  # fmt: skip
    union = "SELECT id, row_number() OVER (PARTITION BY total) AS n FROM orders UNION ALL SELECT id, 1 FROM customers"
    assert uses(union) == {
        "id <- orders.id IDENTITY", "id <- customers.id IDENTITY", "n <- orders.total WINDOW",
    }  # fmt: skip


def test_what_fits_no_dataset_or_several_is_not_guessed() -> None:
    assert uses("SELECT x.id FROM somewhere.orders x", problem=NOTHING) == set()
    twice = (ORDERS, Known(("archive.public.orders",), ("id",)))
    assert uses("SELECT id FROM orders", inputs=twice, problem=NOTHING) == set()
    assert uses("SELECT id FROM shop.public.orders", inputs=twice) == {"id <- orders.id IDENTITY"}
    unknown = "the columns of the written table are not known"
    assert uses("INSERT INTO report SELECT id FROM orders", problem=unknown) == set()
    assert uses("SELECT nothing FROM orders", problem=NOTHING) == set()


NOTHING = "moves no data between the inputs and outputs of the run"


def test_a_symlinks_name_is_the_datasets_name() -> None:
    path = Known(("/warehouse/orders", "default.orders"), ("id",))
    assert uses("SELECT id FROM default.orders", dialect="spark", inputs=(path,)) == {
        "id <- /warehouse/orders.id IDENTITY"
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("SELEC wat", "cannot be parsed"),
        ("SELECT 'open", "cannot be parsed: a quote or comment has no end"),
        ("SELECT FROM WHERE (", "cannot be parsed"),
        ("x" * 200_000, "longer than 100,000 characters"),
        ("SELECT * FROM unknown_table", "* over a table whose columns are not known"),
        ("(" * 5_000 + "SELECT 1", "cannot be parsed"),
        ("VACUUM orders", NOTHING),
    ],
)
def test_what_cannot_be_read_has_a_reason(text: str, problem: str) -> None:
    found = read(Question(text, "postgres", (ORDERS,), (REPORT,)))
    assert not found.uses and found.problem.startswith(problem)


def test_a_text_that_takes_too_long_costs_its_process_and_nothing_else() -> None:
    slow = Question("SELECT " + "+".join(["id"] * 20_000) + " AS n FROM orders", "postgres", (ORDERS,), (REPORT,))
    quick = Question("SELECT id FROM orders", "postgres", (ORDERS,), (REPORT,))
    with Reader(seconds=0.01) as reader:  # not even the start of the process takes less
        assert reader(slow).problem == "takes longer than 0.01 seconds to read"
    with Reader() as reader:
        assert reader(quick).uses == read(quick).uses


def test_questions_and_readings_come_back_from_their_json() -> None:
    question = Question("SELECT '\ud800', 'ü'", "", (ORDERS,), (REPORT,))
    assert Question.from_json(question.to_json()) == question
    reading = Reading((Use(0, "a", 1, "b", "DIRECT", "IDENTITY"),), "why")
    assert Reading.from_json(reading.to_json()) == reading


# -- in the store


def sql(text: str, dialect: str | None = "postgres") -> dict[str, Any]:
    return {"sql": {"query": text, **({"dialect": dialect} if dialect else {})}}


def lineage_facet(source: str, column: str) -> dict[str, Any]:
    field = {"namespace": "warehouse", "name": source, "field": column}
    return {"columnLineage": {"fields": {"told": {"inputFields": [field]}}}}


def stream() -> list[bytes]:
    """Jobs with SQL in all the ways that matter: schemas late, columns told later, readings that change, drops."""
    select = sql("INSERT INTO c SELECT x, y FROM a JOIN b ON a.x = b.k WHERE b.v > 1")
    return [
        run_event("r1", at="2026-01-01T00:00:00Z", inputs=["a", "b"], outputs=["c"], job_facets=select),
        run_event("r2", at="2026-01-02T00:00:00Z", inputs=["a", "b"], outputs=["c"], job_facets=select),
        run_event("r3", at="2026-01-03T00:00:00Z", inputs=["a"], outputs=["c"], job_facets=sql("SELECT x AS z FROM a")),
        run_event("r4", at="2026-01-04T00:00:00Z", inputs=["a"], outputs=["c"], job_facets=sql("SELECT x AS z FROM a")),
        run_event("r5", at="2026-01-05T00:00:00Z", inputs=["a"], outputs=["c"], job_facets=sql("SELECT broken FROM (")),
        dataset_event("a", at="2025-12-01T00:00:00Z", schema=schema("x", "y")),
        dataset_event("b", at="2025-12-01T00:00:00Z", schema=schema("k", "v")),
        dataset_event("c", at="2025-12-01T00:00:00Z", schema=schema("m", "n")),
        dataset_event("c", at="2026-01-03T00:00:00Z", schema=schema("z")),
        run_event("t1", job="told", inputs=["a"], outputs=["d", "e"], job_facets=sql(
            "INSERT INTO d (p) SELECT x FROM a; INSERT INTO e (q) SELECT y FROM a")),
        run_event("t2", job="told", at="2026-01-02T00:00:00Z", inputs=["a"],
                  outputs=[("d", lineage_facet("a", "y"))]),
        run_event("x1", job="explicit", inputs=["a"], outputs=["c"],
                  job_facets={**sql("INSERT INTO c (m) SELECT x FROM a"), "lineage": {"entries": []}}),
        job_event("load", at="2026-01-02T00:00:00Z", inputs=["a"], outputs=["c"]),
        run_event("d1", job="drop", at="2026-01-06T00:00:00Z",
                  outputs=[("e", {"lifecycleStateChange": {"lifecycleStateChange": "DROP"}})]),
        run_event("n1", job="named", inputs=["a"], outputs=["n"],
                  job_facets=sql("INSERT INTO n (late) SELECT x FROM a")),
        dataset_event("n", at="2026-01-09T00:00:00Z", schema=schema("late")),
        renamed("n", "m", "2026-01-08T00:00:00Z"),
        renamed("m", "o", "2026-01-10T00:00:00Z"),
        renamed("a", "a2", "2026-01-05T12:00:00Z"),
        run_event("r6", at="2026-01-07T00:00:00Z", inputs=["a2"], outputs=["c"],
                  job_facets=sql("SELECT x AS z FROM a2")),
        run_event("n2", job="named", at="2026-01-11T00:00:00Z", inputs=["a2"],
                  outputs=[("o", lineage_facet("a2", "y"))]),
    ]  # fmt: skip


def renamed(old: str, new: str, at: str) -> bytes:
    facet = {"lifecycleStateChange": "RENAME", "previousIdentifier": {"namespace": "warehouse", "name": old}}
    return dataset_event(new, at=at, lifecycleStateChange=facet)


def inferred(store: Store) -> set[tuple[str, str, str]]:
    """(target, source, subtype) of the inferred column edges that are valid and known."""
    rows = store.rows(
        """
        SELECT d.name || '.' || d.field, s.name || '.' || s.field, e.subtype FROM column_edge e
        JOIN node s ON s.id = e.src JOIN node d ON d.id = e.dst
        WHERE e.provenance = 'sql' AND e.known_to = '9999-12-31' AND e.valid_to = '9999-12-31'
        """
    )
    return set(rows)


def one(*lines: bytes) -> Store:
    store = empty_store()
    Writer(store).ingest(lines, source="test")
    read_pending(store, read)
    return store


def test_columns_are_inferred_and_marked_as_such() -> None:
    with one(*stream()[:1], *stream()[5:8]) as store:
        assert inferred(store) == {
            ("c.m", "a.x", "IDENTITY"), ("c.n", "a.y", "IDENTITY"),
            ("c.", "a.x", "JOIN"), ("c.", "b.k", "JOIN"), ("c.", "b.v", "FILTER"),
        }  # fmt: skip
        assert {row[0].split()[0] for row in store.rows("SELECT producer FROM column_edge")} == {"sqlglot"}
        assert {row[0] for row in store.rows("SELECT provenance FROM edge WHERE kind = 'lineage'")} == {"product"}
        answer = Lineage(store).impact("a", column="x")
        assert [(node.id, node.certainty) for node in answer.nodes if node.kind == "column"] == [
            ("column:warehouse:c:m", "probable"),
            ("column:warehouse:c:n", "probable"),  # by the condition of the join alone
        ]


def test_nothing_is_inferred_where_a_producer_told_columns() -> None:
    told = [line for line in stream() if b'"told"' in line]
    with one(*told) as store:
        assert {target for target, _, _ in inferred(store)} == {"e.q"}
    with one(told[0]) as store:
        assert {target for target, _, _ in inferred(store)} == {"d.p", "e.q"}
        Writer(store).ingest([told[1]], source="test")
        read_pending(store, read)
        assert {target for target, _, _ in inferred(store)} == {"e.q"}


def test_inferred_columns_go_on_under_the_new_name_of_a_table() -> None:
    select = sql("INSERT INTO n (late) SELECT x FROM a")
    written = run_event("n1", job="named", inputs=["a"], outputs=["n"], job_facets=select)
    chain = [renamed("n", "m", "2026-01-08T00:00:00Z"), renamed("m", "o", "2026-01-10T00:00:00Z")]
    again = run_event("n2", job="named", at="2026-01-11T00:00:00Z", inputs=["a"], outputs=["o"],
                      job_facets=sql("INSERT INTO o (late) SELECT x FROM a"))  # fmt: skip
    told = run_event("n3", job="named", at="2026-01-12T00:00:00Z", inputs=["a"],
                     outputs=[("o", lineage_facet("a", "y"))])  # fmt: skip
    for lines in ([written, *chain], [*chain, written], [chain[1], written, chain[0]], [written, *chain, again]):
        with one(*lines) as store:
            assert inferred(store) == {("o.late", "a.x", "IDENTITY")}
            spans = store.rows(
                "SELECT d.name, e.end_reason, e.valid_from::DATE::VARCHAR FROM column_edge e "
                "JOIN node d ON d.id = e.dst WHERE provenance = 'sql' AND e.known_to = '9999-12-31' ORDER BY 3"
            )
            assert spans == [("n", "renamed", "2026-01-01"), ("m", "renamed", "2026-01-08"), ("o", None, "2026-01-10")]
            Writer(store).ingest([told], source="test")
            read_pending(store, read)
            assert inferred(store) == set()  # the producer tells the columns of this table, whatever it was called


def test_an_explicit_lineage_facet_forbids_inference() -> None:
    with one(*(line for line in stream() if b'"explicit"' in line)) as store:
        assert inferred(store) == set()


def test_sql_that_cannot_be_read_stands_in_the_ledger_with_its_reason() -> None:
    with one(stream()[4]) as store:
        found = ledger(Lineage(store).view(), now=utcnow())
        spot = next(finding for finding in found.findings if finding.kind == "sql-not-read").spots[0]
        assert spot.node == "job:warehouse:load" and (spot.reason or "").startswith("cannot be parsed")


def test_one_text_is_read_once() -> None:
    asked: list[Question] = []

    def ask(question: Question) -> Reading:
        asked.append(question)
        return read(question)

    with empty_store() as store:
        writer = Writer(store)
        for day in range(1, 6):
            event = run_event(f"r{day}", at=f"2026-01-0{day}T00:00:00Z", inputs=["a"], outputs=["c"],
                              job_facets=sql("SELECT x FROM a"))  # fmt: skip
            writer.ingest([event], source="test")
            SqlStep(store, ask).run()  # nothing may live in memory alone
        assert len(asked) == 1
        assert SqlStep(store, ask).run() == 0


def _cut(seed: int) -> list[list[bytes]]:
    rng = random.Random(seed)
    lines = [*stream(), *rng.sample(stream(), 4)]
    rng.shuffle(lines)
    batches = []
    while lines:
        size = rng.randint(1, 5)
        batches.append(lines[:size])
        lines = lines[size:]
    return batches


@cache
def _expected() -> list[str]:
    with one(*stream()) as store:
        return parts(store)


_MEMO: dict[Question, Reading] = {}


def remembered(question: Question) -> Reading:
    if question not in _MEMO:
        _MEMO[question] = read(question)
    return _MEMO[question]


@settings(max_examples=4)
@given(seed=st.integers(0, 2**32), restart=st.booleans(), late=st.booleans())
def test_any_order_and_any_moment_of_reading_give_one_state_and_past(seed: int, restart: bool, late: bool) -> None:
    with empty_store() as store, empty_store() as again:
        writer = Writer(store)
        step = SqlStep(store, remembered)
        for batch in _cut(seed):
            writer.ingest(batch, source="test")
            if not late:
                step = SqlStep(store, remembered) if restart else step
                step.run()
        step.run()
        assert parts(store) == _expected()
        rebuild(store, again)
        read_pending(again, remembered)
        assert fingerprint(again) == fingerprint(store)
        for (at,) in store.rows("SELECT DISTINCT received_at FROM raw ORDER BY hash(block) LIMIT 2"):
            assert difference(state(store, str(at)), state(again, str(at))) == {}


def test_another_version_of_the_reader_reads_everything_anew() -> None:
    with one(*stream()) as store:
        before = parts(store)
        with store.transaction() as cursor:
            store.set_meta(cursor, "sql_reader", "sqlglot 1")
        read_pending(store, read)
        assert parts(store) == before


def test_recorded_sql_gives_columns(events: Path) -> None:
    with empty_store() as store:
        for name in ("data-rentgen/airflow", "dbt-replay/artifacts_large", "dbt-replay/artifacts_postgres"):
            Writer(store).ingest((events / f"{name}.ndjson").read_bytes().splitlines(), source=name)
        read_pending(store)
        found = inferred(store)
    assert found
