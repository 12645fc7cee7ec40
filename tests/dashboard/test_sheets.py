"""Tables with rows on the server: order, filters and the file, also at 100,000 rows."""

from __future__ import annotations

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.forms import Field, missing
from dashboard.rows import UNKNOWN, Sheet, as_file, filters_of, select, sort_of, to_csv
from dashboard.tables import Column

COLUMNS = (Column("name", "Name"), Column("n", "Number", number=True))
ROWS = st.lists(
    st.fixed_dictionaries({"name": st.text(max_size=6), "n": st.none() | st.integers(-9, 9)}), max_size=12
)  # fmt: skip


@settings(max_examples=40)
@given(ROWS, st.sampled_from(["asc", "desc"]))
def test_any_order_keeps_every_row_and_puts_what_is_unknown_last(rows: list[dict[str, object]], way: str) -> None:
    found = select(rows, COLUMNS, None, [{"colId": "n", "sort": way}])
    assert sorted(map(repr, found)) == sorted(map(repr, rows))
    values = [row["n"] for row in found]
    known = [value for value in values if value is not None]
    assert values == known + [None] * (len(values) - len(known))
    assert known == sorted(known, reverse=way == "desc")  # type: ignore[type-var]


@settings(max_examples=40)
@given(ROWS, st.integers(-9, 9))
def test_a_filter_and_its_opposite_share_the_known_rows_between_them(rows: list[dict[str, object]], limit: int) -> None:
    def passing(kind: str) -> int:
        return len(select(rows, COLUMNS, filters_of(f"?filter=n:{kind}:{limit}"), []))

    known = sum(row["n"] is not None for row in rows)
    assert passing("lessThan") + passing("greaterThanOrEqual") == known
    assert len(select(rows, COLUMNS, {"n": {"type": "blank"}}, [])) == len(rows) - known


def test_the_file_holds_the_rows_in_order_and_no_formula() -> None:
    rows = [{"name": "=cmd()", "n": None}, {"name": 'a,"b"', "n": 3}]
    read = list(csv.DictReader(io.StringIO(to_csv(rows, COLUMNS))))
    assert read == [{"Name": "'=cmd()", "Number": UNKNOWN}, {"Name": 'a,"b"', "Number": "3"}]


def test_nonsense_in_an_address_is_ignored() -> None:
    assert filters_of("?filter=&filter=:::&filter=a:zz:1&filter=a") == {}
    assert sort_of("?sort=a&sort=:asc&sort=b:sideways&sort=c:desc") == [{"colId": "c", "sort": "desc"}]
    rows = [{"name": "x", "n": 1}]
    assert select(rows, COLUMNS, {"gone": {"type": "equals", "filter": 1}}, [{"colId": "gone", "sort": "asc"}]) == rows


def test_a_form_says_every_field_that_is_missing() -> None:
    fields = (Field("to", "Assign to"), Field("note", "Note", required=False))
    assert missing(fields, {"to": "ann", "reason": "x", "actor": "me"}) == {}
    assert set(missing(fields, {"to": "  "})) == {"to", "reason", "actor"}


def test_a_large_file_is_made_step_by_step_and_is_the_same() -> None:
    rows = [{"name": f"n{i}"} for i in range(12_000)]
    said: list[float] = []
    made = as_file(Sheet(("s",), COLUMNS, rows, "s", ""), rows, lambda share, _text: said.append(share))
    assert made.data.decode() == to_csv(rows, COLUMNS)
    assert len(said) == 3 and said == sorted(said) and said[0] >= 0 and said[-1] < 1
