"""The six domains and what falls under them."""

from __future__ import annotations

import yaml

from sample_events import load, territory
from sample_events.datasets import DATASETS
from sample_events.jobs import DBT_RUN, JOBS, NAMESPACES

DOMAINS = {"customer", "digital", "finance", "logistics", "marketing", "sales"}


def test_there_are_six_domains_each_with_an_owner_and_people() -> None:
    files = {path.stem: yaml.safe_load(path.read_text()) for path in load.DOMAINS.glob("*.yaml")}
    assert files.keys() == DOMAINS
    for name, domain in files.items():
        assert domain["name"] == name
        assert domain["owner"].startswith("team:")
        assert domain["members"] and domain["escalation"] and domain["patterns"]


def test_every_dataset_has_a_domain_but_the_forgotten_one() -> None:
    census = territory.census()
    assert census.keys() == DOMAINS | {"unassigned"}
    assert census["unassigned"] == ["legacy_scores"]
    assert sum(map(len, census.values())) == len(DATASETS)


def test_both_names_of_a_table_fall_under_one_domain() -> None:
    for dataset in DATASETS.values():
        if dataset.table:
            by_path = territory.of("dataset", dataset.namespace, dataset.name)
            assert by_path == territory.of("dataset", *dataset.table) != "unassigned"


def test_every_job_has_a_domain_but_those_that_carry_for_others() -> None:
    without = {job.name for job in JOBS.values() if territory.of("job", job.namespace, job.name) == "unassigned"}
    assert without == {"shop-cdc.0"}
    assert territory.of("job", NAMESPACES["airflow"], "load_dwh") == "unassigned"
    assert territory.of("job", NAMESPACES["dbt"], DBT_RUN) == "unassigned"


def test_every_pattern_finds_something() -> None:
    names = [("dataset", d.namespace, d.name) for d in DATASETS.values()]
    names += [("dataset", *d.table) for d in DATASETS.values() if d.table]
    names += [("job", j.namespace, j.name) for j in JOBS.values()]
    names.append(("job", NAMESPACES["airflow"], "finance_close.month_end_journal"))
    idle = [p for p, _ in territory.patterns() if not any(territory.fits(p, *name) for name in names)]
    assert idle == []


def test_no_two_domains_claim_a_node_with_equal_right() -> None:
    texts = [pattern for pattern, _ in territory.patterns()]
    assert len(texts) == len(set(texts))
