"""One entry per facet: key, entities and places, what it is used for, and the function that reads it.

A facet that is not listed is kept whole, keeps its history and is shown; nothing else is done with it. Dispatch is by
entity and key, never by ``_schemaURL``, which in real events points at branches, at other facets, or nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ingest.facets import dataset, job, oddities, plain, run

RUN, JOB, DATASET = "run", "job", "dataset"
_D, _I, _O = "facets", "inputFacets", "outputFacets"


@dataclass(frozen=True, slots=True)
class Facet:
    """One facet of the standard.

    ``places`` are the maps it may stand in by the specification; it is read wherever it stands, since producers mix
    them up. ``per_run`` facets tell of one run only: they become rows of that run and have no history of their own.
    ``read`` turns a decoded body into a value of :mod:`ingest.model`; ``None`` means it is kept and shown. ``odd``
    tells what of a body cannot be used; each text becomes a note of the event. ``plain`` reads the bytes of the usual
    form of a ``per_run`` facet at once, and answers ``None`` for any other.
    """

    key: str
    entity: str
    places: tuple[str, ...]
    use: str
    read: Callable[[dict[str, Any]], Any] | None = None
    per_run: bool = False
    odd: Callable[[dict[str, Any]], Iterable[str]] | None = None
    plain: Callable[[bytes], Any] | None = None


REGISTRY: tuple[Facet, ...] = (
    Facet("nominalTime", RUN, (_D,), "nominal start and end of the run", run.nominal_time),
    Facet("parent", RUN, (_D,), "parent and root run (containment)", run.parent),
    Facet("parentRun", RUN, (_D,), "old name of parent", run.parent),
    Facet("errorMessage", RUN, (_D,), "error of the run", run.error_message),
    Facet("processing_engine", RUN, (_D,), "engine of the run", run.processing_engine),
    Facet("test", RUN, (_D,), "test results of the run", run.tests, odd=oddities.assertions),
    Facet("jobDependencies", RUN, (_D,), "control flow between jobs, never data flow", run.job_dependencies),
    Facet("externalQuery", RUN, (_D,), "key to the warehouse's query history"),
    Facet("extractionError", RUN, (_D,), "tells that lineage of the run is incomplete"),
    Facet("environmentVariables", RUN, (_D,), "context of the run"),
    Facet("executionParameters", RUN, (_D,), "context of the run"),
    Facet("tags", RUN, (_D,), "tags of the run"),
    Facet("gcp_composer_run", RUN, (_D,), "link to the console"),
    Facet("gcp_dataproc", RUN, (_D,), "billing key"),
    Facet("documentation", JOB, (_D,), "description"),
    Facet("sourceCodeLocation", JOB, (_D,), "where the code is, and its version"),
    Facet("sourceCode", JOB, (_D,), "the code"),
    Facet("sql", JOB, (_D,), "the query"),
    Facet("ownership", JOB, (_D,), "owners"),
    Facet(
        "jobType",
        JOB,
        (_D,),
        "life cycle: batch, streaming or service; whether events are snapshots whose numbers add up",
        job.job_type,
    ),
    Facet("lineage", JOB, (_D,), "explicit edges; forbids inferred ones", job.lineage),
    Facet("tags", JOB, (_D,), "tags, domain"),
    Facet("gcp_composer_job", JOB, (_D,), "link to the console"),
    Facet("gcp_lineage", JOB, (_D,), "display name"),
    Facet(
        "schema", DATASET, (_D,), "columns, their types and history", dataset.schema, odd=oddities.shape(fields=list)
    ),
    Facet("dataSource", DATASET, (_D,), "platform"),
    Facet("lifecycleStateChange", DATASET, (_D,), "create, drop, rename, overwrite, truncate", dataset.lifecycle),
    Facet("version", DATASET, (_D,), "version of the dataset that a run read or wrote", dataset.version),
    Facet(
        "columnLineage",
        DATASET,
        (_D,),
        "column edges, and dataset edges from them",
        dataset.column_lineage,
        odd=oddities.shape(fields=dict, dataset=list),
    ),
    Facet(
        "symlinks",
        DATASET,
        (_D,),
        "other identifiers of the dataset",
        dataset.symlinks,
        odd=oddities.shape(identifiers=list),
    ),
    Facet("lineage", DATASET, (_D,), "explicit edges into the dataset", dataset.lineage),
    Facet("ownership", DATASET, (_D,), "owners"),
    Facet("documentation", DATASET, (_D,), "description"),
    Facet("tags", DATASET, (_D,), "tags of the dataset and of its columns, domain"),
    Facet("storage", DATASET, (_D,), "storage layer and file format"),
    Facet("datasetType", DATASET, (_D,), "table, view, file, topic, …"),
    Facet("hierarchy", DATASET, (_D,), "database, schema, table"),
    Facet("catalog", DATASET, (_D,), "catalogue the dataset is registered in"),
    Facet(
        "dataQualityMetrics",
        DATASET,
        (_D, _I),
        "profile of the data",
        dataset.quality_metrics,
        True,
        oddities.quality_metrics,
        plain=plain.quality_metrics,
    ),
    Facet("dataQualityAssertions", DATASET, (_I, _D), "test results", dataset.assertions, True, oddities.assertions),
    Facet(
        "dataQuality",
        DATASET,
        (_I, _D),
        "Great Expectations: profile or test results",
        dataset.data_quality,
        True,
        oddities.quality_metrics,
    ),
    Facet(
        "greatExpectations_assertions",
        DATASET,
        (_I, _D),
        "Great Expectations: test results",
        dataset.assertions,
        True,
        oddities.assertions,
    ),
    Facet(
        "inputStatistics",
        DATASET,
        (_I,),
        "volume read",
        dataset.statistics,
        True,
        oddities.statistics,
        plain.statistics,
    ),
    Facet(
        "outputStatistics",
        DATASET,
        (_O,),
        "volume written",
        dataset.statistics,
        True,
        oddities.statistics,
        plain.statistics,
    ),
    Facet("subset", DATASET, (_I, _O), "which partitions"),
    Facet("icebergScanReport", DATASET, (_I,), "scan cost", dataset.iceberg_scan, per_run=True),
    Facet("icebergCommitReport", DATASET, (_O,), "size of the table", dataset.iceberg_commit, per_run=True),
)

_BY_KEY = {(facet.entity, facet.key): facet for facet in REGISTRY}


def find(entity: str, key: str) -> Facet | None:
    """The entry of a facet, or ``None`` when it is a custom one.

    >>> find(DATASET, "schema").use
    'columns, their types and history'
    >>> find(RUN, "my_facet") is None
    True
    """
    return _BY_KEY.get((entity, key))
