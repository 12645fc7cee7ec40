"""Dash's side of the timeline and the story of runs; see ``trail.js``."""

from __future__ import annotations

from typing import Any, ClassVar

from dash.development.base_component import Component

from dashboard.lineage_graph.component import NAMESPACE


class _Plain(Component):  # type: ignore[misc]  # Dash ships no types
    """A component of plain elements: JSON in, nothing out."""

    _children_props: ClassVar[list[str]] = []
    _base_nodes: ClassVar[list[str]] = ["children"]
    _namespace = NAMESPACE

    def __init__(self, **given: Any) -> None:
        self._prop_names = list(given)
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = self._prop_names
        self.available_wildcard_properties: list[str] = []
        super().__init__(**given)


class RunTimeline(_Plain):
    """Runs on a common axis; a press on one leads to its step.

    Parameters
    ----------
    marks
        places (percent) and texts of the axis.
    early
        whether a run stands in the margin.
    rows
        one a run, as the head of ``trail.js`` describes.
    """

    _type = "RunTimeline"

    def __init__(
        self, id: str, *, marks: list[tuple[float, str]], early: bool = False, rows: list[dict[str, Any]] | None = None
    ) -> None:
        super().__init__(id=id, marks=marks, early=early, rows=rows or [])


class RunStory(_Plain):
    """Every run in words.

    Parameters
    ----------
    sources
        where the trail begins: ``{"text", "name", "before", "href"}`` each.
    steps
        as the head of ``trail.js`` describes.
    cut
        what is said of steps that are left out.
    """

    _type = "RunStory"

    def __init__(
        self,
        id: str,
        *,
        sources: list[dict[str, Any]] | None = None,
        steps: list[dict[str, Any]] | None = None,
        cut: str = "",
    ) -> None:
        super().__init__(id=id, sources=sources or [], steps=steps or [], cut=cut)
