"""STORY.md, written from the story points so that page, tests and events cannot drift apart."""

from __future__ import annotations

from collections.abc import Iterator

from sample_events import territory
from sample_events.datasets import DATASETS
from sample_events.jobs import JOBS
from sample_events.question import Point
from sample_events.story import points

HEAD = """# Harbour & Pine

<!-- Written by `python -m sample_events.generate`; change sample_events/story.py or page.py instead. -->

Harbour & Pine sells things for house and garden in fourteen shops and on the web. Its data team has split the company
into six domains, each of which owns what it makes. These files are what their tools told about ninety days of work,
2026-03-31 to 2026-06-28, in the words of OpenLineage: {events:,} events of {jobs} jobs over {datasets} datasets.

| tool | what it does | how it tells |
|---|---|---|
| Debezium | streams changes of the shop's database into Kafka | runs until it is restarted, explicit lineage |
| Spark | lands streams in the lake, cuts visits, scores churn | paths with symlinks; its parents send nothing |
| Airflow | loads the warehouse every night | inputs when a task starts, outputs when it ends; columns without how |
| dbt | builds and tests the models | inputs and outputs at both ends, column lineage, tests, query ids |
| Superset | exports the reports | one event at the end |
| reverse ETL | sends the newsletter's audience to the mail provider | start and end |
| catalogue crawler | knows the sources | events about datasets alone |

A forwarder ships events at 07:00 and 19:00 UTC; `receipts.csv` says which line arrived when. Some came late, one was a
correction: that is what the second clock is for.

Every point below is a question with its exact answer. The tests ask them all. Dates are those of the files;
`meshline demo` moves everything by whole days, so that the last event is recent, and prints by how many: move the
dates of a command by the same days there.
"""


def render(events: int) -> str:
    """The whole page."""
    parts = [HEAD.format(events=events, jobs=len(JOBS), datasets=len(DATASETS)), "\n".join(_domains())]
    parts += [_point(point) for point in points()]
    return "\n".join(parts)


def _domains() -> Iterator[str]:
    yield "## The domains\n"
    yield "| domain | datasets | jobs |"
    yield "|---|---:|---:|"
    jobs = [territory.of("job", job.namespace, job.name) for job in JOBS.values()]
    for domain, keys in territory.census().items():
        yield f"| {domain} | {len(keys)} | {jobs.count(domain)} |"
    yield ""
    yield (
        "A dataset with two names counts once. What only carries data for others belongs to nobody: the connector, "
        "the DAGs, the dbt run. Nor does a table of 2019 that everybody has forgotten.\n"
    )


def _point(point: Point) -> str:
    command = " ".join(word if word.replace("-", "").isalnum() else f"'{word}'" for word in point.command)
    lines = [f"## {point.title}", ""]
    if point.text:
        lines += [point.text, ""]
    return "\n".join([*lines, "```sh", f"meshline {command}", "```", "", "```json", point.block(), "```", ""])
