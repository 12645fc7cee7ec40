"""Readers of job facets."""

from __future__ import annotations

from typing import Any

from ingest.facets.explicit import read_entries
from ingest.model import ExplicitLineage, JobType
from ingest.values import mapping, text


def job_type(body: dict[str, Any]) -> JobType:
    """Life cycle of the runs; Spark applications send NONE, which says nothing.

    >>> job_type({"processingType": "streaming", "emissionPattern": {"eventContentMode": "COMPLETE_SNAPSHOT"}})
    JobType(processing='STREAMING', snapshots=True)
    """
    processing = (text(body.get("processingType")) or "").upper()
    mode = (text(mapping(body.get("emissionPattern")).get("eventContentMode")) or "").upper()
    known = processing if processing in ("BATCH", "STREAMING", "SERVICE") else None
    return JobType(known, mode == "COMPLETE_SNAPSHOT")


def lineage(body: dict[str, Any]) -> ExplicitLineage:
    """Explicit lineage of a job."""
    return read_entries(body.get("entries"))
