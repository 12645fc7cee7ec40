"""What every tabular answer can do in Python: become an Arrow table or a data frame, and show itself in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from lineage.errors import MeshlineError
from lineage.times import iso

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.column_types import Type
    from lineage.svg import Arrow, Box

_ROWS_SHOWN = 50  # of a table in a notebook
_HTML = """<div><p><b>{title}</b></p>{picture}<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{more}
{notes}</div>"""


class Shown:
    """Base of answers that are a table. Subclasses say what stands in it; see :meth:`heads` and :meth:`rows`."""

    __slots__ = ()

    own_types: ClassVar[tuple[tuple[str, Type], ...]] = ()
    """Arrow types of columns whose names mean something else in other answers, see :mod:`lineage.column_types`."""

    def heads(self) -> tuple[str, ...]:
        """Names of the columns."""
        raise NotImplementedError

    def all_heads(self) -> tuple[str, ...]:
        """Names of the columns in Arrow: those that a table for people may leave out are always there."""
        return self.heads()

    def rows(self) -> list[tuple[Any, ...]]:
        """One tuple of plain values per row: texts, numbers, booleans, times, lists of texts."""
        raise NotImplementedError

    def title(self) -> str:
        """One line above the table."""
        raise NotImplementedError

    def remarks(self) -> Sequence[str]:
        """Lines below the table."""
        return ()

    def drawing(self) -> tuple[list[Box], list[Arrow]]:
        """Boxes and arrows of the small picture; no boxes = no picture."""
        return [], []

    def to_arrow(self) -> pa.Table:
        """The rows as an Arrow table, whose schema is the same whatever the answer says.

        Columns are texts, lists of texts, 64-bit whole numbers and floating-point numbers, truth values, times (naive
        UTC, microseconds) and amounts of money (``decimal128(38, 12)``).
        """
        import pyarrow as pa

        from lineage.column_types import TYPES, column

        rows = self.rows()
        said = dict(zip(self.heads(), zip(*rows, strict=True), strict=True)) if rows else {}
        types, found = {**TYPES, **dict(self.own_types)}, {}
        for head in self.all_heads():
            type_ = types.get(head, "text")
            nothing: Any = [] if type_ == "texts" else None
            found[head] = column(said.get(head, (nothing,) * len(rows)), type_)
        return pa.table(found)

    def to_pandas(self) -> Any:
        """The rows as a pandas data frame.

        Raises
        ------
        MeshlineError
            when pandas is not installed; Meshline itself does not need it.
        """
        if find_spec("pandas") is None:
            raise MeshlineError("to_pandas() needs pandas: pip install pandas. to_arrow() works without it.")
        return self.to_arrow().to_pandas()

    def svg(self) -> str:
        """A small picture; empty when there is nothing to draw."""
        from lineage.svg import draw

        boxes, arrows = self.drawing()
        return draw(boxes, arrows) if boxes else ""

    def _repr_html_(self) -> str:
        from html import escape

        found = self.rows()
        more = f"<p>… {len(found) - _ROWS_SHOWN:,} more rows</p>" if len(found) > _ROWS_SHOWN else ""
        return _HTML.format(
            title=escape(self.title()),
            picture=self.svg(),
            heads="".join(f"<th>{escape(head)}</th>" for head in self.heads()),
            rows="".join(
                "<tr>" + "".join(f"<td>{escape(cell_text(value))}</td>" for value in row) + "</tr>"
                for row in found[:_ROWS_SHOWN]
            ),
            more=more,
            notes="".join(f"<p>{escape(line)}</p>" for line in self.remarks()),
        )


def cell_text(value: Any) -> str:
    """A value as a person reads it in a cell.

    >>> cell_text(["a", "b"]), cell_text(None), cell_text(True)
    ('a, b', '', 'yes')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return iso(value) or "" if hasattr(value, "isoformat") else str(value)
