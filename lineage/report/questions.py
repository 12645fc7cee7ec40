"""The report in each of its forms."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from lineage.actor import LOCAL, Actor
from lineage.asking import When, naive_time
from lineage.errors import UsageError
from lineage.jsonable import to_json
from lineage.report.contents import executive
from lineage.report.render import to_html, to_mail, to_markdown
from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.engine import Lineage

WEEK = timedelta(days=7)
TYPES = {"html": "text/html", "md": "text/markdown", "json": "application/json", "mail": "text/plain"}


def text_of(
    lineage: Lineage,
    format: str,
    domain: str | None = None,
    *,
    start: When = None,
    end: When = None,
    actor: Actor = LOCAL,
) -> str:
    """The report as text.

    Parameters
    ----------
    format
        ``html``, ``md``, ``json`` or ``mail``; a mail tells the last seven days unless ``start`` says otherwise.

    Raises
    ------
    UsageError
        when there is no such format or domain, or the period is none.
    """
    if format not in TYPES:
        raise UsageError(f"format: “{format}” is none of {', '.join(TYPES)}.")
    if format == "mail" and start is None:
        start = (naive_time(end, "to") or utcnow()) - WEEK
    report = executive(lineage, domain, start=start, end=end, actor=actor)
    if format == "json":
        return json.dumps(to_json(report), ensure_ascii=False, indent=1) + "\n"
    return {"html": to_html, "md": to_markdown, "mail": to_mail}[format](report)
