"""Which formats there are, and the door to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from lineage.answers import to_json
from lineage.errors import UsageError
from lineage.formats.flat import to_csv, to_markdown
from lineage.formats.graphml import to_graphml
from lineage.formats.mermaid import to_mermaid
from lineage.formats.openlineage import to_openlineage
from lineage.formats.openlineage import unsaid as not_in_events

if TYPE_CHECKING:
    from lineage.answers import Answer

MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "mermaid": "text/vnd.mermaid; charset=utf-8",
    "graphml": "application/graphml+xml",
    "openlineage": "application/x-ndjson",
}
FORMATS = tuple(MEDIA_TYPES)
NEEDS_LINKS = frozenset({"mermaid", "graphml", "openlineage"})
"""Formats that draw edges: ask the question with ``links=True``."""


def render(answer: Answer, format: str) -> str:
    """An answer as text that ends with a line break.

    Parameters
    ----------
    answer
        for formats in :data:`NEEDS_LINKS` one with links.
    format
        one of :data:`FORMATS`.

    Raises
    ------
    UsageError
        for an unknown format, when links are needed and were not asked for, or for events about a product or domain.
    """
    writers: dict[str, Callable[[Answer], str]] = {
        "json": lambda one: json.dumps(to_json(one), indent=2, ensure_ascii=False) + "\n",
        "csv": to_csv,
        "md": to_markdown,
        "mermaid": to_mermaid,
        "graphml": to_graphml,
        "openlineage": to_openlineage,
    }
    if format not in writers:
        raise UsageError(f"format: “{format}” is none of {', '.join(FORMATS)}.")
    if format == "openlineage" and answer.node.startswith(("product:", "domain:")):
        raise UsageError(f"format openlineage is about one dataset or job; {answer.node} is neither.")
    if format in NEEDS_LINKS and answer.links is None:
        raise UsageError(f"format {format} shows edges; ask the question with links=True.")
    return writers[format](answer)


def unsaid(answer: Answer, format: str) -> tuple[str, ...]:
    """What a format has no place for: it is said beside the document (standard error, header ``Meshline-Notes``).

    Of CSV without a row that the answer was cut, as only rows say it; of events what OpenLineage does not know.
    """
    if format == "openlineage":
        return not_in_events(answer)
    if format == "csv" and answer.partial and not answer.nodes:
        return (f"partial: {answer.frontier or 'more nodes behind'}",)
    return ()
