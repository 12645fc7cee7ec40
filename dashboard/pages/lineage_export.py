"""Files of the lineage page beside its tables: the picture as OpenLineage events."""

from __future__ import annotations

from lineage.formats import render
from lineage.picture_answer import answer_of
from lineage.pictured import Picture


def to_openlineage(picture: Picture) -> str:
    """One event a card, which declares the arrows into it; what is left out of the picture is left out here."""
    return render(answer_of(picture), "openlineage")
