"""Dash's side of the canvas component. The JavaScript is plain ES2020, without build step: see ``*.js`` here."""

from __future__ import annotations

from typing import Any, ClassVar

from dash.development.base_component import Component

NAMESPACE = "dashboard_lineage_graph"  # the JavaScript object that holds the component


class LineageGraph(Component):  # type: ignore[misc]  # Dash ships no types
    """The lineage picture on a canvas.

    Parameters
    ----------
    graph
        what to draw, from :func:`dashboard.lineage_graph.drawing.drawing`.
    selection
        ``{"id", "column"}``: the locked card or column.
    overlay
        key of ``overlays`` on the cards by which they are coloured; ``"domain"`` for none.
    marks
        of an overlay that the server knows: ``{"by", "amounts", "of": {id: [text, step, why]}}``; step 5 is unknown.
    find
        text whose matches are ringed.
    command
        ``{"cmd", "n", "name"}``, one of fit, in, out, next, png, svg; carried out when ``n`` changes.
    label
        what a screen reader calls the picture.
    selected, action
        written by the browser: the card that was clicked; what is to happen (expand, toggle, more, focus, help).
    """

    _children_props: ClassVar[list[str]] = []
    _base_nodes: ClassVar[list[str]] = ["children"]
    _namespace = NAMESPACE
    _type = "LineageGraph"

    def __init__(
        self,
        id: str | None = None,
        *,
        graph: dict[str, Any] | None = None,
        selection: dict[str, Any] | None = None,
        overlay: str | None = None,
        marks: dict[str, Any] | None = None,
        find: str | None = None,
        command: dict[str, Any] | None = None,
        label: str | None = None,
        selected: dict[str, Any] | None = None,
        action: dict[str, Any] | None = None,
    ) -> None:
        given = {
            "id": id,
            "graph": graph,
            "selection": selection,
            "overlay": overlay,
            "marks": marks,
            "find": find,
            "command": command,
            "label": label,
            "selected": selected,
            "action": action,
        }
        self._prop_names = list(given)
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = self._prop_names
        self.available_wildcard_properties: list[str] = []
        super().__init__(**{name: value for name, value in given.items() if value is not None})


class ColumnList(Component):  # type: ignore[misc]  # Dash ships no types
    """A list of columns with a filter; plain elements, so that thousands of them cost nothing.

    Parameters
    ----------
    rows
        ``{"name", "type", "note", "title", "href"}`` each; ``href`` may be ``None``.
    """

    _children_props: ClassVar[list[str]] = []
    _base_nodes: ClassVar[list[str]] = ["children"]
    _namespace = NAMESPACE
    _type = "ColumnList"

    def __init__(self, id: str | None = None, *, rows: list[dict[str, Any]] | None = None) -> None:
        self._prop_names = ["id", "rows"]
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = self._prop_names
        self.available_wildcard_properties: list[str] = []
        super().__init__(id=id, rows=rows or [])


class Spark(Component):  # type: ignore[misc]  # Dash ships no types
    """A small line without axes behind a number.

    Parameters
    ----------
    values
        oldest first; ``None`` is unknown and stays a gap.
    label
        what a screen reader says in place of the picture.
    tone
        ``good``, ``warn``, ``bad`` or nothing.
    """

    _children_props: ClassVar[list[str]] = []
    _base_nodes: ClassVar[list[str]] = ["children"]
    _namespace = NAMESPACE
    _type = "Spark"

    def __init__(
        self, id: str | None = None, *, values: list[float | None] | None = None, label: str = "", tone: str = ""
    ) -> None:
        self._prop_names = ["id", "values", "label", "tone"]
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = self._prop_names
        self.available_wildcard_properties: list[str] = []
        given = {"id": id, "values": values or [], "label": label, "tone": tone}
        super().__init__(**{name: value for name, value in given.items() if value is not None})
