"""Facets of the sample events, built with the classes of the openlineage-python client."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import attr
from openlineage.client import facet_v2 as f
from openlineage.client.event_v2 import InputDataset, OutputDataset

from sample_events.datasets import DATASETS, KAFKA, LAKE
from sample_events.model import Dataset as Described
from sample_events.model import Flow, Job, Use
from sample_events.plan import hexes

REPO = "https://git.harbourpine.example/data"
PRODUCERS = {
    "airflow": "https://github.com/apache/airflow/tree/providers-openlineage/2.20.3",
    "spark": "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/integration/spark",
    "stream": "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/integration/spark",
    "dbt": "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/integration/dbt",
    "test": "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/integration/dbt",
    "cdc": "https://github.com/debezium/debezium",
    "bi": f"{REPO}/bi-lineage/tree/1.8.2",
    "sync": f"{REPO}/reverse-etl/tree/0.9.0",
    "catalogue": f"{REPO}/catalogue-crawler/tree/3.1.0",
}
ENGINES = {
    "airflow": ("3.3.2", "Airflow", "2.20.3"),
    "spark": ("3.5.6", "spark", "1.54.0"),
    "stream": ("3.5.6", "spark", "1.54.0"),
    "dbt": ("1.11.16", "dbt", "1.54.0"),
    "test": ("1.11.16", "dbt", "1.54.0"),
    "cdc": ("3.2.1", "Debezium", "3.2.1"),
    "bi": ("5.0.0", "Superset", "1.8.2"),
    "sync": ("0.9.0", "reverse-etl", "0.9.0"),
}
JOB_TYPES = {
    "airflow": ("BATCH", "AIRFLOW", "TASK"),
    "spark": ("BATCH", "SPARK", "SQL_JOB"),
    "stream": ("STREAMING", "SPARK", "SQL_JOB"),
    "dbt": ("BATCH", "DBT", "MODEL"),
    "test": ("BATCH", "DBT", "TEST"),
    "cdc": ("STREAMING", "DEBEZIUM", "TASK"),
    "bi": ("BATCH", "SUPERSET", "REPORT"),
    "sync": ("BATCH", "REVERSE_ETL", "SYNC"),
}


@attr.define
class DbtNodeJobFacet(f.JobFacet):
    """What dbt knows of a node, as the dbt integration sends it under ``dbt_node``."""

    original_file_path: str = ""
    database: str = "dwh"
    schema: str = ""
    alias: str = ""
    unique_id: str = ""

    @staticmethod
    def _get_schema() -> str:
        return (
            "https://github.com/OpenLineage/OpenLineage/tree/main/integration/common/openlineage/schema/"
            "dbt-node-job-facet.json"
        )


@attr.define
class SparkApplicationRunFacet(f.RunFacet):
    """The application a Spark run belongs to, as the Spark integration sends it under ``spark_applicationDetails``."""

    master: str = "yarn"
    appName: str = ""  # noqa: N815
    applicationId: str = ""  # noqa: N815
    deployMode: str = "cluster"  # noqa: N815
    userName: str = "lake"  # noqa: N815

    @staticmethod
    def _get_schema() -> str:
        return "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunFacet"


class Facets:
    """Builds facets that carry one producer."""

    def __init__(self, style: str) -> None:
        self.style = style
        self.producer = PRODUCERS[style]

    # --- run ---------------------------------------------------------------------------------------------------------
    def nominal(self, day: date) -> f.RunFacet:
        """The data interval of a daily schedule: the day that has just ended."""
        text = f"{day.isoformat()}T00:00:00+00:00"
        return f.nominal_time_run.NominalTimeRunFacet(text, text, producer=self.producer)

    def parent(self, run: str, namespace: str, name: str, root: tuple[str, str, str]) -> f.RunFacet:
        """Direct parent, and the DAG run at the top."""
        p = f.parent_run
        return p.ParentRunFacet(
            run=p.Run(runId=run, facets=None),
            job=p.Job(namespace=namespace, name=name, facets=None),
            root=p.Root(
                run=p.RootRun(runId=root[0], facets=None),
                job=p.RootJob(namespace=root[1], name=root[2], facets=None),
            ),
            producer=self.producer,
        )

    def engine(self) -> f.RunFacet:
        """Version of the engine and of its OpenLineage adapter."""
        version, name, adapter = ENGINES[self.style]
        return f.processing_engine_run.ProcessingEngineRunFacet(version, name, adapter, producer=self.producer)

    def query(self, *parts: object) -> f.RunFacet:
        """The warehouse's id of the query, the key to its bill."""
        digits = hexes(32, "query", *parts)
        text = f"01{digits[:6]}-{digits[6:10]}-{digits[10:14]}-{digits[14:18]}-{digits[18:30]}"
        return f.external_query_run.ExternalQueryRunFacet(text, "snowflake", producer=self.producer)

    def error(self, message: str) -> f.RunFacet:
        """Why a run failed."""
        return f.error_message_run.ErrorMessageRunFacet(message, "SQL", None, producer=self.producer)

    def application(self, job: Job, day: date) -> f.RunFacet:
        """Spark's application."""
        app = job.name.partition(".")[0]
        number = f"application_{1774_000_000_000 + int(hexes(8, 'app', app), 16)}_{day.toordinal() % 10_000:04d}"
        return SparkApplicationRunFacet(appName=app, applicationId=number, producer=self.producer)

    def tests(self, job: Job, failed: dict[str, int]) -> f.RunFacet:
        """Results that belong to the run as a whole."""
        t = f.test_run
        results = [
            t.TestExecution(
                name=name,
                status="fail" if name in failed else "pass",
                severity="error",
                type=kind,
                expected="0",
                actual=str(failed.get(name, 0)),
                params=None,
            )
            for name, kind, _ in job.tests
        ]
        return t.TestRunFacet(tests=results, producer=self.producer)

    # --- job ---------------------------------------------------------------------------------------------------------
    def job_type(self, style: str | None = None, kind: str | None = None) -> f.JobFacet:
        """Batch or streaming, and whose job it is."""
        processing, integration, default = JOB_TYPES[style or self.style]
        pattern = None
        if processing == "STREAMING":
            pattern = f.job_type_job.EmissionPattern("PERIODIC", "ACCUMULATIVE", 86_400)
        return f.job_type_job.JobTypeJobFacet(processing, integration, kind or default, pattern, producer=self.producer)

    def job_owner(self, owner: str) -> f.JobFacet:
        """Team that owns the job."""
        o = f.ownership_job
        return o.OwnershipJobFacet([o.Owner(owner, "OWNER")], producer=self.producer)

    def job_text(self, text: str) -> f.JobFacet:
        """What the job does."""
        return f.documentation_job.DocumentationJobFacet(text, "text/plain", producer=self.producer)

    def code(self, path: str, commit: str) -> f.JobFacet:
        """Where the code is, and at which commit."""
        return f.source_code_location_job.SourceCodeLocationJobFacet(
            "git",
            f"{REPO}/warehouse/blob/{commit}/{path}",
            f"{REPO}/warehouse.git",
            path,
            commit,
            None,
            "main",
            producer=self.producer,
        )

    def sql(self, query: str) -> f.JobFacet:
        """The query."""
        return f.sql_job.SQLJobFacet(query, "snowflake", producer=self.producer)

    def dbt_node(self, job: Job) -> f.JobFacet:
        """dbt's own description of the node."""
        _, schema, project, alias, *_ = job.name.split(".")
        return DbtNodeJobFacet(job.path, "dwh", schema, alias, f"model.{project}.{alias}", producer=self.producer)

    def explicit(self, flows: Iterable[Flow], day: date) -> f.JobFacet:
        """Explicit lineage of a job: nothing else flows between its inputs and outputs."""
        ln = f.lineage
        entries = []
        for flow in flows:
            fields = {
                column: ln.LineageFieldEntry([self._explicit_input(use) for use in uses])
                for column, uses in flow.columns_on(day, DATASETS)
            }
            inputs = [_explicit_dataset(key) for key in flow.inputs_on(day)]
            target = DATASETS[flow.output]
            entries.append(ln.LineageDatasetEntry(target.namespace, target.name, "DATASET", inputs, fields))
        return ln.LineageJobFacet(entries, producer=self.producer)

    def _explicit_input(self, use: Use) -> Any:
        source = DATASETS[use.dataset]
        return f.lineage.LineageDatasetInput(source.namespace, source.name, "DATASET", use.column, None)

    # --- dataset -----------------------------------------------------------------------------------------------------
    def schema(self, dataset: Described, day: date) -> f.DatasetFacet:
        """Columns of the day."""
        s = f.schema_dataset
        fields = [s.SchemaDatasetFacetFields(c.name, c.type, None, None, None) for c in dataset.columns_on(day)]
        return s.SchemaDatasetFacet(fields, producer=self.producer)

    def symlinks(self, dataset: Described) -> f.DatasetFacet:
        """The table that is known by a path."""
        if dataset.table is None:
            raise ValueError(f"{dataset.key} has one name only")
        s = f.symlinks_dataset
        return s.SymlinksDatasetFacet([s.Identifier(*dataset.table, "TABLE")], producer=self.producer)

    def about(self, dataset: Described) -> dict[str, f.DatasetFacet]:
        """What seldom changes: text, owner, tags, kind, source."""
        facets: dict[str, f.DatasetFacet] = {
            "dataSource": f.datasource_dataset.DatasourceDatasetFacet(
                dataset.namespace, dataset.namespace, producer=self.producer
            ),
            "datasetType": f.dataset_type_dataset.DatasetTypeDatasetFacet(kind_of(dataset), producer=self.producer),
        }
        if dataset.description:
            facets["documentation"] = f.documentation_dataset.DocumentationDatasetFacet(
                dataset.description, "text/plain", producer=self.producer
            )
        if dataset.owner:
            o = f.ownership_dataset
            facets["ownership"] = o.OwnershipDatasetFacet([o.Owner(dataset.owner, "OWNER")], producer=self.producer)
        if dataset.pii or dataset.tags:
            facets["tags"] = self._tags(dataset)
        if dataset.namespace == LAKE:
            facets["storage"] = f.storage_dataset.StorageDatasetFacet("iceberg", "parquet", producer=self.producer)
        return facets

    def _tags(self, dataset: Described) -> f.DatasetFacet:
        t = f.tags_dataset
        tags = [t.TagsDatasetFacetFields(key, value, "CATALOGUE", None) for key, value in sorted(dataset.tags.items())]
        tags += [t.TagsDatasetFacetFields("pii", kind, "CATALOGUE", column) for column, kind in dataset.pii.items()]
        return t.TagsDatasetFacet(tags, producer=self.producer)

    def columns(self, flow: Flow, day: date, *, plain: bool = False, spread: bool = False) -> f.DatasetFacet:
        """Column lineage. ``plain``: a parser that knows which columns, not how. ``spread``: what decides the rows is
        repeated at every column instead of once for the dataset."""
        c = f.column_lineage_dataset
        rows = flow.rows_on(day)
        fields = {
            column: c.Fields([_field(use, plain) for use in (*uses, *(rows if spread else ()))])
            for column, uses in flow.columns_on(day, DATASETS)
        }
        whole = None if spread or not rows else [_field(use, plain) for use in rows]
        return c.ColumnLineageDatasetFacet(fields, whole, producer=self.producer)

    def declared_inputs(self, sources: Sequence[str]) -> f.DatasetFacet:
        """Explicit lineage of a dataset that nobody's job writes."""
        return f.lineage.LineageDatasetFacet([_explicit_dataset(key) for key in sources], None, producer=self.producer)

    def quality(self, rows: int, column: str, at: datetime) -> f.DatasetFacet:
        """Row count and a profile of one column."""
        q = f.data_quality_metrics_dataset
        text = at.isoformat(timespec="milliseconds") + "Z"
        return q.DataQualityMetricsDatasetFacet(
            {column: q.ColumnMetrics(nullCount=0, distinctCount=rows, quantiles=None)},
            rowCount=rows,
            lastUpdated=text,
            captureDate=text,
            producer=self.producer,
        )

    def written(self, rows: int, width: int) -> f.OutputDatasetFacet:
        """Rows and bytes that a run wrote."""
        return f.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
            rows, rows * width, None, producer=self.producer
        )

    def assertions(self, job: Job, failed: dict[str, int]) -> f.InputDatasetFacet:
        """Results of the tests of one dataset."""
        a = f.data_quality_assertions_dataset
        results = [
            a.Assertion(
                assertion=kind,
                success=name not in failed,
                column=column or None,
                severity="warn" if kind == "accepted_values" else "error",
                name=name,
                expected="0",
                actual=str(failed.get(name, 0)),
                params=None,
            )
            for name, kind, column in job.tests
        ]
        return a.DataQualityAssertionsDatasetFacet(results, producer=self.producer)


def kind_of(dataset: Described) -> str:
    """TABLE, TOPIC, FILE or REPORT."""
    if dataset.namespace == KAFKA:
        return "TOPIC"
    scheme = dataset.namespace.partition(":")[0]
    return {"superset": "REPORT", "https": "FILE", "gsheets": "FILE", "mailhub": "LIST"}.get(scheme, "TABLE")


def as_input(
    dataset: Described, facets: dict[str, Any] | None = None, found: dict[str, Any] | None = None
) -> InputDataset:
    """One input under its own name."""
    return InputDataset(dataset.namespace, dataset.name, inputFacets=found or None, facets=facets or None)


def as_table(dataset: Described, facets: dict[str, Any] | None = None) -> InputDataset:
    """One input under the name that the metastore has for it."""
    namespace, name = dataset.table or (dataset.namespace, dataset.name)
    return InputDataset(namespace, name, inputFacets=None, facets=facets or None)


def as_output(
    dataset: Described, facets: dict[str, Any] | None = None, found: dict[str, Any] | None = None
) -> OutputDataset:
    """One output under its own name."""
    return OutputDataset(dataset.namespace, dataset.name, outputFacets=found or None, facets=facets or None)


def _field(use: Use, bare: bool) -> Any:
    c = f.column_lineage_dataset
    source = DATASETS[use.dataset]
    namespace, name = (source.table or (source.namespace, source.name)) if bare else (source.namespace, source.name)
    if bare:
        return c.InputField(namespace, name, use.column, None)
    if use.how == "MASKED":
        how = c.Transformation("DIRECT", "TRANSFORMATION", "sha256 with a salt", True)
    elif use.how in ("IDENTITY", "TRANSFORMATION", "AGGREGATION"):
        how = c.Transformation("DIRECT", use.how)
    else:
        how = c.Transformation("INDIRECT", use.how)
    return c.InputField(namespace, name, use.column, [how])


def _explicit_dataset(key: str) -> Any:
    source = DATASETS[key]
    return f.lineage.LineageDatasetInput(source.namespace, source.name, "DATASET", None, None)
