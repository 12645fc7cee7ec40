"""Answers for other programs and for documents: CSV, Markdown, Mermaid, GraphML, OpenLineage, JSON.

Every format shows exactly the rows that the filters of the answer left, and the totals of these rows.
"""

from lineage.formats.render import FORMATS, MEDIA_TYPES, NEEDS_LINKS, render, unsaid

__all__ = ["FORMATS", "MEDIA_TYPES", "NEEDS_LINKS", "render", "unsaid"]
