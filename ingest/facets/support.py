"""``docs/openlineage-support.md``, written from the registry: ``python -m ingest.facets.support``."""

from __future__ import annotations

import sys

from ingest.facets.registry import DATASET, JOB, REGISTRY, RUN, Facet

_HEAD = """\
# OpenLineage support

What Meshline does with every facet of the OpenLineage standard. This page is written from the registry
(`python -m ingest.facets.support > docs/openlineage-support.md`); a test keeps it true.

*Kept*: every facet, known or not, is kept in the archived event byte for byte. *History*: each distinct body of a job's
or dataset's facet keeps the interval over which it held, on both clocks. *Rows of the run*: the facet tells of one run
only and becomes rows of that run; profiles and test results of an event without a run are those of its time.
*Understood*: Meshline reads it; the others are shown as they are.

A facet is read wherever it stands (`facets`, `inputFacets`, `outputFacets`): producers mix the places up. Facets that
are not listed, newer versions and unknown values pass through and are shown whole. What cannot be understood becomes a
note on the event and never costs the event.
"""
_TITLES = {RUN: "Run facets", JOB: "Job facets", DATASET: "Dataset facets"}


def page() -> str:
    """The whole page, Markdown."""
    return "\n".join([_HEAD, *(_table(entity, title) for entity, title in _TITLES.items())])


def _table(entity: str, title: str) -> str:
    rows = [_row(facet) for facet in REGISTRY if facet.entity == entity]
    return "\n".join(
        [
            f"## {title}",
            "",
            "| facet | stands in | kept as | understood | used for |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _row(facet: Facet) -> str:
    kept = "rows of the run" if facet.per_run else "the archived event" if facet.entity == RUN else "history"
    understood = "yes" if facet.read is not None else "shown"
    return f"| `{facet.key}` | {', '.join(facet.places)} | {kept} | {understood} | {facet.use} |"


if __name__ == "__main__":
    sys.stdout.write(page())
