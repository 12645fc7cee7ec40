"""Counts of the whole company, as the first page shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import lineage
from lineage.engine import Lineage
from sample_events import expected, load, territory
from sample_events.datasets import DATASETS
from sample_events.jobs import DECLARED, JOBS


@pytest.fixture(scope="module")
def lx(sample_db: Path) -> Iterator[Lineage]:
    with lineage.open(sample_db) as engine:
        yield engine


def test_the_first_page_counts_the_company(lx: Lineage) -> None:
    summary = lx.summary()
    assert summary.datasets == len(DATASETS)
    assert summary.events == sum(receipt.last - receipt.first + 1 for receipt in load.receipts())
    assert summary.quarantined == 0
    assert summary.newest_event == load.last_event()


def test_the_newest_event_is_the_last_one_until_then(lx: Lineage) -> None:
    now = lx.summary().newest_event
    assert now is not None
    then = lx.summary(as_of=now - timedelta(days=7)).newest_event
    assert then is not None
    assert now - timedelta(days=9) < then <= now - timedelta(days=7)
    assert lx.summary(as_of="1999-01-01").newest_event is None


def test_the_first_page_counts_edges_and_those_that_cross_a_domain(lx: Lineage) -> None:
    pairs = {s.pair for s in expected.dataset_edges() if s.certainty_on(expected.ALWAYS) is not None}
    home = {key: territory.of_dataset(dataset) for key, dataset in DATASETS.items()}
    summary = lx.summary()
    assert summary.edges == len(pairs)
    assert summary.cross_domain_edges == sum(home[str(a)] != home[str(b)] for a, b in pairs)


def test_every_domain_has_its_datasets_and_jobs(lx: Lineage) -> None:
    datasets = {domain: len(keys) for domain, keys in territory.census().items()}
    jobs = Counter(territory.of("job", job.namespace, job.name) for job in (*JOBS.values(), DECLARED))
    # Jobs that only stand above others: two DAGs that speak, one that does not, its task; dbt; four Spark applications.
    jobs["unassigned"] += 6
    jobs["customer"] += 0
    found = {domain.name: (domain.datasets, domain.jobs) for domain in lx.domains()}
    assert {name: pair[0] for name, pair in found.items()} == datasets
    assert sum(pair[1] or 0 for pair in found.values()) == len(JOBS) + 1 + 9
    assert found["sales"] == (13, jobs["sales"])
    assert found["finance"] == (15, jobs["finance"])


@pytest.mark.parametrize("key", sorted(DATASETS))
def test_every_dataset_reaches_what_the_company_says(lx: Lineage, key: str) -> None:
    """Not only the points of the story: all 58 datasets, both ways."""
    node = DATASETS[key].id
    for answer, wanted in (
        (lx.impact(node), expected.impact(key)),
        (lx.provenance(node), expected.provenance(key)),
    ):
        found = {n.id: (n.hops, n.certainty) for n in answer.nodes if n.kind == "dataset"}
        assert found == {expected.node_id(n): (r.hops, r.certainty) for n, r in wanted.items()}


@pytest.mark.parametrize("key", sorted(DATASETS))
def test_every_column_reaches_what_the_company_says(lx: Lineage, key: str) -> None:
    dataset = DATASETS[key]
    for column in dict.fromkeys(c.name for c in dataset.columns):
        node = (key, column)
        for answer, wanted in (
            (lx.impact(expected.node_id(node)), expected.impact(node)),
            (lx.provenance(expected.node_id(node)), expected.provenance(node)),
        ):
            found = {n.id: (n.hops, n.certainty) for n in answer.nodes if n.kind == "column"}
            assert found == {expected.node_id(n): (r.hops, r.certainty) for n, r in wanted.items()}


def test_answers_about_past_instants_do_not_depend_on_how_they_were_reached(lx: Lineage, sample_db: Path) -> None:
    """The third instant and those after it come out of a timeline; one that is asked alone is loaded by itself."""
    now = load.last_event()
    moments = [now - timedelta(days=days) for days in (3, 20, 41, 60, 75)]

    def answers(engine: Lineage, at: datetime) -> list[object]:
        asked = engine.impact("dwh.sales.fct_orders", as_of=at), engine.provenance("dwh.sales.fct_orders", as_of=at)
        told = replace(engine.summary(as_of=at), known_at=at)  # which is now
        return [(a.nodes, a.coverage, a.partial) for a in asked] + [told, engine.domains(as_of=at)]

    together = [answers(lx, at) for at in moments]
    assert lx._history.builds == 1
    for at, found in zip(moments, together, strict=True):
        with lineage.open(sample_db) as alone:
            assert answers(alone, at) == found
            assert alone._history.builds == 0
