"""From runs to OpenLineage events, each the way its producer sends it.

* Airflow tells inputs when a task starts and outputs when it ends; its SQL parser knows columns but not how they are
  used. DAG runs send events of their own.
* dbt names inputs and outputs at both ends; how columns are made comes with the end. Tests are runs without outputs.
* Spark reads and writes paths and adds the table of the metastore as a symlink. Its application and the DAG above it
  send nothing: they are known from the parent facet alone.
* Debezium never ends and tells by the explicit lineage facet that its tables do not mix.
* The exporter of the reports sends one event when it is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from openlineage.client.event_v2 import (
    DatasetEvent,
    InputDataset,
    JobEvent,
    OutputDataset,
    RunEvent,
    RunState,
    StaticDataset,
)
from openlineage.client.event_v2 import Job as OlJob
from openlineage.client.event_v2 import Run as OlRun
from openlineage.client.serde import Serde

from sample_events import plan
from sample_events.datasets import DATASETS, LAKE
from sample_events.facets import Facets, as_input, as_output, as_table
from sample_events.jobs import DBT_RUN, DECLARED, DECLARED_AT, FAILED_DAY, FIRST_DAY, JOBS, NAMESPACES, TARGETS_AT
from sample_events.model import Dataset, Job
from sample_events.plan import Run
from sample_events.sql import select

GROUPS = {"dbt": "dbt", "test": "dbt", "spark": "spark", "stream": "spark", "cdc": "debezium", "sync": "reverse-etl"}
PROFILED = ("fct_orders", "dim_customers", "raw_fx_rates", "revenue_daily")
WIDTH = 118  # bytes of a row, on average


@dataclass(frozen=True, slots=True)
class Emitted:
    """One event as bytes, with its time, its receipt and the producer's file."""

    received: datetime
    at: datetime
    group: str
    line: bytes


def all_events() -> list[Emitted]:
    """Every event, in the order of receipt."""
    found = [*_catalogue(), *_declared()]
    for day in plan.days():
        found += _dags(day)
    for run in plan.runs():
        found += _run_events(run)
    return sorted(found, key=lambda e: (e.received, e.at, e.group, e.line))


def _run_events(run: Run) -> Iterator[Emitted]:
    if run.job.cadence == "stream":
        yield _event(run, RunState.START, run.start)
        for at in plan.heartbeats(run):
            yield _event(run, RunState.RUNNING, at)
        if run.end is not None:
            yield _event(run, RunState.COMPLETE, run.end)
        return
    if run.job.style != "bi":
        yield _event(run, RunState.START, run.start)
    if run.end is not None:
        yield _event(run, RunState.COMPLETE if run.state == "COMPLETE" else RunState.FAIL, run.end)
    if (run.job.key, run.day) == ("fct_orders", FAILED_DAY):
        yield _correction(run)


def _event(run: Run, state: RunState, at: datetime) -> Emitted:
    job = run.job
    f = Facets(job.style)
    day = plan.shape_day(run, at)
    last = state in (RunState.COMPLETE, RunState.FAIL)
    inputs, outputs = _datasets(run, f, day, state)
    event = RunEvent(
        eventType=state,
        eventTime=stamp(at, job.style),
        producer=f.producer,
        run=OlRun(run.run_id, _run_facets(run, f, day, state, last)),
        job=OlJob(job.namespace, job.name, _job_facets(run, f, day, last)),
        inputs=inputs,
        outputs=outputs,
    )
    return _emitted(event, at, run.received(at), _group(job))


def _run_facets(run: Run, f: Facets, day: date, state: RunState, last: bool) -> dict[str, Any]:
    job = run.job
    facets: dict[str, Any] = {}
    if state is RunState.START:
        if job.style in ("airflow", "spark", "dbt", "test"):
            facets["parent"] = _parent(run, f)
        if job.style == "airflow":
            facets["nominalTime"] = f.nominal(day)
        if run.full:
            facets["processing_engine"] = f.engine()
        if run.full and job.style == "spark":
            facets["spark_applicationDetails"] = f.application(job, day)
    if last and job.style == "dbt":
        facets["externalQuery"] = f.query(run.run_id)
    if last and job.tests and not job.tests[0][2]:
        facets["test"] = f.tests(job, _failed(run))
    if state is RunState.FAIL and job.style == "dbt":
        facets["errorMessage"] = f.error(plan.FAILED_MESSAGE)
    return facets


def _job_facets(run: Run, f: Facets, day: date, last: bool) -> dict[str, Any]:
    job = run.job
    facets: dict[str, Any] = {}
    if job.detail == "explicit":
        facets["lineage"] = f.explicit(job.flows, day)
    if not last or job.style == "bi":
        facets["jobType"] = f.job_type()
    if not run.full or (last and job.style != "bi") or (job.cadence == "stream" and day != run.day):
        return facets
    if job.owner:
        facets["ownership"] = f.job_owner(job.owner)
    if job.description:
        facets["documentation"] = f.job_text(job.description)
    if job.path:
        facets["sourceCodeLocation"] = f.code(job.path, plan.commit(job.path, day))
    if job.style == "dbt":
        facets["sql"] = f.sql(select(job.flows[0], day))
        facets["dbt_node"] = f.dbt_node(job)
    return facets


def _datasets(run: Run, f: Facets, day: date, state: RunState) -> tuple[list[InputDataset], list[OutputDataset]]:
    job = run.job
    first = state is RunState.START
    inputs: list[InputDataset] = []
    if job.style != "airflow" or first:
        inputs = [_input(run, f, key, first) for key in job.inputs_on(day)]
    if state is RunState.FAIL or (job.style == "airflow" and first):
        return inputs, []
    return inputs, [_output(run, f, key, day, bare=first) for key in job.outputs]


def _input(run: Run, f: Facets, key: str, first: bool) -> InputDataset:
    dataset = DATASETS[key]
    if run.job.style == "airflow":
        return as_table(dataset)
    if run.job.tests and not first and run.job.tests[0][2]:
        return as_input(dataset, found={"dataQualityAssertions": f.assertions(run.job, _failed(run))})
    symlinks = {"symlinks": f.symlinks(dataset)} if dataset.namespace == LAKE and not first else None
    return as_input(dataset, symlinks)


def _output(run: Run, f: Facets, key: str, day: date, *, bare: bool) -> OutputDataset:
    dataset = DATASETS[key]
    job = run.job
    if bare:
        return as_output(dataset)
    facets: dict[str, Any] = {}
    if dataset.namespace == LAKE:
        facets["symlinks"] = f.symlinks(dataset)
    if job.detail == "columns":
        flow = next(flow for flow in job.flows if flow.output == key)
        facets["columnLineage"] = f.columns(
            flow, day, plain=job.style == "airflow", spread=job.key == "compact_web_events"
        )
    if run.full and (job.cadence != "stream" or day in plan.telling_days(job)):
        facets["schema"] = f.schema(dataset, day)
        facets |= f.about(dataset)
    if job.cadence == "stream" or job.key == "compact_web_events":
        return as_output(dataset, facets)
    count = plan.rows(run, key)
    if key in PROFILED and run.end is not None:
        facets["dataQualityMetrics"] = f.quality(count, dataset.columns[0].name, run.end)
    return as_output(dataset, facets, {"outputStatistics": f.written(count, WIDTH)})


def _failed(run: Run) -> dict[str, int]:
    """Tests that failed in this run, with the number of bad rows."""
    if (run.job.key, run.day) == ("test_fct_orders", FAILED_DAY):
        return {"unique_fct_orders_order_id": plan.DUPLICATES}
    return {}


def _correction(run: Run) -> Emitted:
    """After the duplicates were removed: the same run, told again with the right numbers."""
    f = Facets(run.job.style)
    dataset = DATASETS["fct_orders"]
    count = plan.rows(run, dataset.key, corrected=True)
    event = RunEvent(
        eventType=RunState.OTHER,
        eventTime=stamp(plan.CORRECTED_AT, run.job.style),
        producer=f.producer,
        run=OlRun(run.run_id),
        job=OlJob(run.job.namespace, run.job.name),
        outputs=[
            as_output(
                dataset,
                {"dataQualityMetrics": f.quality(count, "order_id", plan.CORRECTED_AT)},
                {"outputStatistics": f.written(count, WIDTH)},
            )
        ],
    )
    return _emitted(event, plan.CORRECTED_AT, plan.batch_after(plan.CORRECTED_AT), _group(run.job))


# --- what groups runs -------------------------------------------------------------------------------------------------
def _dag_run(dag: str, day: date) -> tuple[str, str, str]:
    start = datetime.combine(day, {"lake_daily": time(0, 25), "load_dwh": time(1, 28)}.get(dag, time(2, 0)))
    return plan.run_id(start, "dag", dag, day), NAMESPACES["airflow"], dag


def _dbt_run(day: date, retry: bool) -> str:
    start = plan.RETRY_AT - timedelta(minutes=1) if retry else datetime.combine(day, time(2, 2))
    return plan.run_id(start, "dbt", day, retry)


def _parent(run: Run, f: Facets) -> Any:
    style = run.job.style
    if style == "airflow":
        root = _dag_run("load_dwh", run.day)
        return f.parent(*root, root)
    if style == "spark":
        app = run.job.name.partition(".")[0]
        root = _dag_run("lake_daily", run.day)
        return f.parent(plan.run_id(run.start, "app", app, run.day), NAMESPACES["spark"], app, root)
    root = _dag_run("warehouse_daily", run.day)
    return f.parent(_dbt_run(run.day, run.retry), NAMESPACES["dbt"], DBT_RUN, root)


def _dags(day: date) -> Iterator[Emitted]:
    failed = day == FAILED_DAY
    done = RunState.FAIL if failed else RunState.COMPLETE
    yield from _dag("load_dwh", day, time(1, 28), time(1, 49, 30))
    yield from _dag("warehouse_daily", day, time(2, 0), time(9, 30) if failed else time(4, 20))
    yield from _dbt(day, time(2, 2), time(4, 15), done)
    if failed:
        yield from _dbt(day, time(9, 19), time(9, 26), RunState.COMPLETE, retry=True)


def _dag(dag: str, day: date, start: time, end: time) -> Iterator[Emitted]:
    f = Facets("airflow")
    for state, moment in ((RunState.START, start), (RunState.COMPLETE, end)):
        at = datetime.combine(day, moment)
        facets = {"nominalTime": f.nominal(day)} if state is RunState.START else {}
        event = RunEvent(
            eventType=state,
            eventTime=stamp(at, "airflow"),
            producer=f.producer,
            run=OlRun(_dag_run(dag, day)[0], facets),
            job=OlJob(NAMESPACES["airflow"], dag, {"jobType": f.job_type(kind="DAG")}),
        )
        yield _emitted(event, at, plan.batch_after(at), "airflow")


def _dbt(day: date, start: time, end: time, done: RunState, *, retry: bool = False) -> Iterator[Emitted]:
    f = Facets("dbt")
    for state, moment in ((RunState.START, start), (done, end)):
        at = datetime.combine(day, moment)
        root = _dag_run("warehouse_daily", day)
        task = (plan.run_id(at, "task", day, retry), NAMESPACES["airflow"], "warehouse_daily.dbt_build")
        event = RunEvent(
            eventType=state,
            eventTime=stamp(at, "dbt"),
            producer=f.producer,
            run=OlRun(_dbt_run(day, retry), {"parent": f.parent(*task, root)} if state is RunState.START else {}),
            job=OlJob(NAMESPACES["dbt"], DBT_RUN, {"jobType": f.job_type(kind="JOB")}),
        )
        yield _emitted(event, at, plan.batch_after(at), "dbt")


# --- events without a run ---------------------------------------------------------------------------------------------
def _catalogue() -> Iterator[Emitted]:
    """The crawler tells once what it knows of datasets that no job writes, and again when a schema changes."""
    f = Facets("catalogue")
    written = {key for job in JOBS.values() for key in job.outputs} | {
        "gs_targets",
        "revenue_targets",
        "month_end_journal",
    }
    for key, dataset in DATASETS.items():
        if key in written:
            continue
        for day in sorted({FIRST_DAY, *(c.since for c in dataset.columns if c.since > FIRST_DAY)}):
            facets = {"schema": f.schema(dataset, day), **f.about(dataset)}
            yield _dataset_event(f, dataset, datetime.combine(day, time(0, 1)), facets)
    targets = DATASETS["revenue_targets"]
    facets = {
        "schema": f.schema(targets, TARGETS_AT),
        **f.about(targets),
        "lineage": f.declared_inputs(["gs_targets"]),
    }
    yield _dataset_event(f, targets, datetime.combine(TARGETS_AT, time(8, 15)), facets)


def _dataset_event(f: Facets, dataset: Dataset, at: datetime, facets: dict[str, Any]) -> Emitted:
    event = DatasetEvent(
        eventTime=stamp(at, "catalogue"),
        producer=f.producer,
        dataset=StaticDataset(dataset.namespace, dataset.name, facets=facets),
    )
    return _emitted(event, at, plan.batch_after(at), "catalogue")


def _declared() -> Iterator[Emitted]:
    """A job that is planned: its lineage is declared, no run has shown it."""
    f = Facets("airflow")
    at = datetime.combine(DECLARED_AT, time(8, 40))
    target = DATASETS["month_end_journal"]
    event = JobEvent(
        eventTime=stamp(at, "airflow"),
        producer=f.producer,
        job=OlJob(
            DECLARED.namespace,
            DECLARED.name,
            {
                "jobType": f.job_type(),
                "ownership": f.job_owner(DECLARED.owner or ""),
                "documentation": f.job_text(DECLARED.description or ""),
            },
        ),
        inputs=[as_input(DATASETS[key]) for key in DECLARED.inputs_on(DECLARED_AT)],
        outputs=[as_output(target, {"schema": f.schema(target, DECLARED_AT), **f.about(target)})],
    )
    yield _emitted(event, at, plan.batch_after(at), "airflow")


def stamp(at: datetime, style: str) -> str:
    """The time as this producer writes it."""
    if style == "airflow":
        return at.isoformat(timespec="microseconds") + "+00:00"
    return at.isoformat(timespec="milliseconds") + "Z"


def _group(job: Job) -> str:
    return GROUPS.get(job.style, job.style)


def _emitted(event: Any, at: datetime, received: datetime, group: str) -> Emitted:
    line = Serde.to_json(event, separators=(",", ":")).encode()
    return Emitted(received, at, group, line)
