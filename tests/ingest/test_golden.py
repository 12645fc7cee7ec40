"""Answers written by hand, from reading the recorded events, for ten nodes of the corpus; and sizes others found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lineage
from ingest.writer import Writer
from lineage import Lineage
from lineage.graph import load
from lineage.graph.timeline import Timeline
from tests.graph.test_live import content
from tests.graph.test_timeline import looks
from tests.ingest.build import empty_store

FD = "food_delivery:public."
GCS = "gs://mock-bucket:"
SPARK = "hdfs://dataproc-producer-test-m:/user/hive/warehouse/"
HIVE = "hive://dataproc-producer-test-m:9083:default."

# node → {reached: (hops, certainty)}; jobs are left out here, tests of their own look at them
DOWNSTREAM = {
    f"dataset:{FD}orders": {
        f"dataset:{FD}orders_7_days": (1, "certain"),
        f"dataset:{FD}delivery_7_days": (2, "certain"),
        f"dataset:{FD}top_delivery_times": (3, "certain"),
        f"dataset:{FD}discounts": (3, "certain"),
        f"dataset:{FD}popular_orders_day_of_week": (4, "certain"),
    },
    # one hop to the last one by a product edge, three by columns: hops are the shortest, certainty is the best
    f"dataset:{FD}customers": {
        f"dataset:{FD}delivery_7_days": (1, "certain"),
        f"dataset:{FD}popular_orders_day_of_week": (1, "certain"),
        f"dataset:{FD}top_delivery_times": (2, "certain"),
        f"dataset:{FD}discounts": (2, "certain"),
    },
    # a misspelt table that only column lineage names
    f"dataset:{FD}menu_item_id": {
        f"dataset:{FD}delivery_7_days": (1, "certain"),
        f"dataset:{FD}top_delivery_times": (2, "certain"),
        f"dataset:{FD}discounts": (2, "certain"),
        f"dataset:{FD}popular_orders_day_of_week": (3, "certain"),
    },
    f"dataset:{FD}discounts": {},
    "dataset:cupboard:sugar": {
        "dataset:grandmas.kitchen:apple.cider": (1, "probable"),
        "dataset:grandmas.kitchen:apple.filling": (1, "probable"),
        "dataset:cupboard:apple.vinegar": (2, "probable"),
        "dataset:grandmas.kitchen:apple.pie": (2, "probable"),
    },
    # the second gathering took crab apples: what came from this orchard is stale, and still told
    "dataset:laurents-orchard:red.delicious": {
        "dataset:grandmas.kitchen:apples": (1, "stale"),
        "dataset:grandmas.kitchen:apple.cider": (2, "stale"),
        "dataset:grandmas.kitchen:apple.filling": (2, "stale"),
        "dataset:cupboard:apple.vinegar": (3, "stale"),
        "dataset:grandmas.kitchen:apple.pie": (3, "stale"),
    },
    f"dataset:{GCS}test.csv": {
        "dataset:bigquery:mock-project.test.upload": (1, "certain"),
        "dataset:bigquery:mock-project.test.upload_cp": (2, "certain"),
        f"dataset:{GCS}result.csv": (3, "certain"),
    },
    f"dataset:{GCS}uploaded_file.txt": {
        f"dataset:{GCS}copy_of_uploaded_file.txt": (1, "probable"),
        f"dataset:{GCS}compose_result.txt": (1, "probable"),
        "dataset:file:/files/temp/downloaded_file.txt": (1, "probable"),
    },
    f"column:{FD}orders:id": {
        f"column:{FD}orders_7_days:order_id": (1, "certain"),
        f"column:{FD}delivery_7_days:order_id": (2, "certain"),
        f"column:{FD}top_delivery_times:order_id": (3, "certain"),
    },
}
UPSTREAM = {
    f"dataset:{GCS}compose_result.txt": {
        f"dataset:{GCS}uploaded_file.txt": (1, "probable"),
        f"dataset:{GCS}uploaded_data.txt": (1, "probable"),
        f"dataset:{GCS}copy_of_uploaded_file.txt": (1, "probable"),
        f"dataset:{GCS}copy_of_uploaded_data.txt": (1, "probable"),
        "dataset:file:/files/temp/data.txt": (2, "probable"),
    },
    f"column:{FD}discounts:customer_email": {
        f"column:{FD}delivery_7_days:customer_email": (1, "certain"),
        f"column:{FD}customers:email": (2, "certain"),
    },
}
FILES = (
    "marquez/seed-food-delivery",
    "marquez/apples",
    "compatibility-tests/airflow",
    "compatibility-tests/spark_dataproc_simple_producer_test",
)


@pytest.fixture(scope="module")
def lx(events: Path) -> Iterator[Lineage]:
    with empty_store() as store:
        writer = Writer(store)
        for name in FILES:
            writer.ingest((events / f"{name}.ndjson").read_bytes().splitlines(), source=name)
        yield lineage.open(store)


@pytest.mark.parametrize("node", DOWNSTREAM)
def test_impact_of_recorded_nodes(lx: Lineage, node: str) -> None:
    answer = lx.impact(node)
    assert {n.id: (n.hops, n.certainty) for n in answer.nodes if n.kind != "job"} == DOWNSTREAM[node]
    assert not answer.partial


@pytest.mark.parametrize("node", UPSTREAM)
def test_provenance_of_recorded_nodes(lx: Lineage, node: str) -> None:
    answer = lx.provenance(node)
    assert {n.id: (n.hops, n.certainty) for n in answer.nodes if n.kind != "job"} == UPSTREAM[node]


def test_jobs_that_a_change_of_customers_reaches(lx: Lineage) -> None:
    jobs = {n.id.rpartition(":")[2]: n.hops for n in lx.impact(f"dataset:{FD}customers").nodes if n.kind == "job"}
    assert jobs == {
        "etl_delivery_7_days": 1,
        "orders_popular_day_of_week": 1,
        "email_discounts": 1,
        "delivery_times_7_days": 2,
    }


def test_a_path_of_the_best_certainty_may_be_longer_than_the_hops(lx: Lineage) -> None:
    found = {n.id: n for n in lx.impact(f"dataset:{FD}customers").nodes}
    report = found[f"dataset:{FD}popular_orders_day_of_week"]
    assert (report.hops, report.certainty) == (1, "certain")
    assert report.path == (
        f"dataset:{FD}customers",
        f"dataset:{FD}delivery_7_days",
        f"dataset:{FD}top_delivery_times",
        f"dataset:{FD}popular_orders_day_of_week",
    )


def test_spark_names_one_table_twice_and_the_catalogue_name_is_preferred(lx: Lineage) -> None:
    answer = lx.impact(f"dataset:{SPARK}t1")
    assert answer.node == f"dataset:{HIVE}t1"
    assert answer.aliases == (f"dataset:{SPARK}t1",)
    (reached,) = [n for n in answer.nodes if n.kind == "dataset"]
    assert (reached.id, reached.aliases) == (f"dataset:{HIVE}t2", (f"dataset:{SPARK}t2",))


def test_sizes_that_marquez_finds_in_its_own_seed(lx: Lineage) -> None:
    """13 jobs, 14 reads and 13 writes. (Marquez stores 37 of 39 column pairs: two name what is not there.)"""
    counts = {}
    for kind, column in (("read", "dst"), ("write", "src")):
        ((counts[kind],),) = lx.store.rows(
            f"SELECT count(*) FROM edge JOIN node ON node.id = edge.{column} "
            "WHERE edge.kind = ? AND provenance = 'io' AND node.namespace = 'food_delivery' AND known_to > now()",
            [kind],
        )
    assert counts == {"read": 14, "write": 13}
    pairs = "SELECT count(DISTINCT (src, dst)) FROM column_edge JOIN node ON node.id = src WHERE namespace = ?"
    assert lx.store.rows(pairs, ["food_delivery"]) == [(39,)]


def test_every_recorded_instant_of_a_timeline_is_the_snapshot_of_that_instant(lx: Lineage) -> None:
    turns = lx.store.rows(
        "SELECT valid_from FROM edge UNION SELECT valid_to FROM edge WHERE valid_to < '9999-01-01' ORDER BY 1"
    )
    timeline = Timeline.read(lx.store)
    assert len(turns) > 20
    for (at,) in turns[:: len(turns) // 10]:
        one, other = timeline.at(at), load(lx.store, at)
        assert content(one) == content(other)
        assert looks(one) == looks(other)
