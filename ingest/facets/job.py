"""Readers of job facets."""

from __future__ import annotations

from typing import Any

from ingest.facets.explicit import read_entries
from ingest.model import ExplicitLineage
from ingest.values import text


def job_type(body: dict[str, Any]) -> str | None:
    """``BATCH``, ``STREAMING`` or ``SERVICE``; Spark applications send NONE, which says nothing."""
    processing = (text(body.get("processingType")) or "").upper()
    return processing if processing in ("BATCH", "STREAMING", "SERVICE") else None


def lineage(body: dict[str, Any]) -> ExplicitLineage:
    """Explicit lineage of a job."""
    return read_entries(body.get("entries"))
