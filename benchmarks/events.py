"""Seeded generator of realistic OpenLineage events: volume for the benchmarks, shapes from recorded producers.

Jobs read one to five datasets and write one or two; each run sends START with the inputs and COMPLETE (or FAIL) with
everything. Facets: schema, dataSource, columnLineage, dataQualityMetrics, outputStatistics, ownership, sql, parent,
nominalTime, processing_engine, errorMessage, jobType, sourceCodeLocation. Mean about 13 kB an event.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

_PRODUCER = "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/integration/spark"
_URL = "https://openlineage.io/spec/facets/1-0-0/{}.json#/$defs/{}"
_TYPES = ("bigint", "string", "double", "timestamp", "boolean", "decimal(18,2)")
_START = datetime(2026, 1, 1)  # noqa: DTZ001


def events(count: int, *, jobs: int = 500, seed: int = 7) -> Iterator[bytes]:
    """``count`` events of ``jobs`` jobs in order of time."""
    rng = random.Random(seed)
    datasets = [_dataset(rng, i) for i in range(jobs * 2)]
    plans = [_job(rng, i, datasets) for i in range(jobs)]
    at = _START
    for _ in range(count // 2):
        at += timedelta(seconds=rng.randint(1, 90))
        yield from _run(rng, rng.choice(plans), at)


def _facet(name: str, /, **body: Any) -> dict[str, Any]:
    return {"_producer": _PRODUCER, "_schemaURL": _URL.format(name, name), **body}


def _dataset(rng: random.Random, i: int) -> dict[str, Any]:
    columns = [
        f"{rng.choice('abcdefgh')}{rng.choice(('id', 'amount', 'date', 'flag', 'name'))}_{c}"
        for c in range(rng.randint(4, 24))
    ]
    fields = [{"name": c, "type": rng.choice(_TYPES), "description": f"column {c} of table {i}"} for c in columns]
    return {
        "namespace": f"postgres://db-{i % 7}.example.com:5432",
        "name": f"domain{i % 12}.schema{i % 5}.table_{i}",
        "columns": columns,
        "facets": {
            "schema": _facet("SchemaDatasetFacet", fields=fields),
            "dataSource": _facet(
                "DatasourceDatasetFacet", name=f"db-{i % 7}", uri=f"postgres://db-{i % 7}.example.com:5432"
            ),
            "ownership": _facet("OwnershipDatasetFacet", owners=[{"name": f"team:{i % 12}", "type": "OWNER"}]),
        },
    }


def _job(rng: random.Random, i: int, datasets: list[dict[str, Any]]) -> dict[str, Any]:
    inputs = rng.sample(datasets, rng.randint(1, 5))
    outputs = rng.sample(datasets, rng.randint(1, 2))
    return {
        "namespace": "spark-prod",
        "name": f"pipeline_{i // 10}.task_{i}",
        "parent": f"pipeline_{i // 10}",
        "inputs": inputs,
        "outputs": outputs,
        "lineage": [_column_lineage(rng, inputs, output) for output in outputs],
        "facets": {
            "sql": _facet(
                "SQLJobFacet", query=f"INSERT INTO t SELECT {', '.join(outputs[0]['columns'])} FROM s -- {i}"
            ),
            "jobType": _facet("JobTypeJobFacet", processingType="BATCH", integration="SPARK", jobType="JOB"),
            "sourceCodeLocation": _facet(
                "SourceCodeLocationJobFacet", type="git", url=f"https://git.example.com/{i}", version="9f2c1aa"
            ),
        },
    }


def _column_lineage(rng: random.Random, inputs: list[dict[str, Any]], output: dict[str, Any]) -> dict[str, Any]:
    fields = {}
    for column in output["columns"]:
        uses = []
        for source in rng.sample(inputs, min(len(inputs), rng.randint(1, 2))):
            uses.append(
                {
                    "namespace": source["namespace"],
                    "name": source["name"],
                    "field": rng.choice(source["columns"]),
                    "transformations": [{"type": "DIRECT", "subtype": "IDENTITY", "description": "", "masking": False}],
                }
            )
        fields[column] = {"inputFields": uses}
    return _facet("ColumnLineageDatasetFacet", fields=fields)


def _run(rng: random.Random, job: dict[str, Any], at: datetime) -> Iterator[bytes]:
    run_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    parent = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{job['parent']}{at.date()}"))
    nominal = at.replace(minute=0, second=0)
    run_facets = {
        "parent": _facet(
            "ParentRunFacet", run={"runId": parent}, job={"namespace": "spark-prod", "name": job["parent"]}
        ),
        "nominalTime": _facet("NominalTimeRunFacet", nominalStartTime=_iso(nominal)),
        "processing_engine": _facet(
            "ProcessingEngineRunFacet", version="3.5.1", name="spark", openlineageAdapterVersion="1.54.0"
        ),
    }
    inputs = [_plain(source) for source in job["inputs"]]
    end = at + timedelta(seconds=rng.randint(20, 600))
    failed = rng.random() < 0.03
    yield _event("START", at, run_id, run_facets, job, inputs, [])
    if failed:
        run_facets["errorMessage"] = _facet(
            "ErrorMessageRunFacet", message=f"boom at {_iso(end)}", programmingLanguage="JVM"
        )
    outputs = [_written(rng, output, lineage) for output, lineage in zip(job["outputs"], job["lineage"], strict=True)]
    yield _event("FAIL" if failed else "COMPLETE", end, run_id, run_facets, job, inputs, outputs)


def _plain(dataset: dict[str, Any]) -> dict[str, Any]:
    return {key: dataset[key] for key in ("namespace", "name", "facets")}


def _written(rng: random.Random, dataset: dict[str, Any], lineage: dict[str, Any]) -> dict[str, Any]:
    rows = rng.randint(1_000, 5_000_000)
    metrics = {
        column: {"nullCount": rng.randint(0, 50), "distinctCount": rng.randint(1, rows)}
        for column in dataset["columns"][:3]
    }
    quality = _facet("DataQualityMetricsDatasetFacet", rowCount=rows, columnMetrics=metrics)
    return {
        **_plain(dataset),
        "facets": {**dataset["facets"], "columnLineage": lineage, "dataQualityMetrics": quality},
        "outputFacets": {
            "outputStatistics": _facet("OutputStatisticsOutputDatasetFacet", rowCount=rows, size=rows * 80)
        },
    }


def _event(
    kind: str, at: datetime, run_id: str, run_facets: dict[str, Any], job: dict[str, Any], inputs: Any, outputs: Any
) -> bytes:
    return json.dumps(
        {
            "eventTime": _iso(at),
            "eventType": kind,
            "producer": _PRODUCER,
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": run_id, "facets": run_facets},
            "job": {"namespace": job["namespace"], "name": job["name"], "facets": job["facets"]},
            "inputs": inputs,
            "outputs": outputs,
        },
        separators=(",", ":"),
    ).encode()


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds") + "Z"
