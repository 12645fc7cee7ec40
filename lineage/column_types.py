"""Of which Arrow type each column of a tabular answer is, so that an answer without rows has the schema of one with.

A name means the same in almost every answer; the few that do not are told by the answer (``Shown.own_types``). What is
not named here is text. A test asks for every answer and holds that its values are of the types told here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Type = Literal["text", "texts", "whole", "number", "money", "truth", "time"]

_NAMES: Mapping[Type, str] = {
    "texts": "also aliases answers bills bridge consumers datasets domains inputs jobs members only_for_it path "
    "subtypes tags together unbound",
    "whole": "attempts bytes cases closed cycle days dependents downstream drift edges failed failures feeders files "
    "hops nodes_at_hop nodes_behind nodes_in_domain only_now only_then open order passed points rating readers "
    "recorded rows runs seq sources step total unknown upstream violations waived",
    "number": "age coverage criticality delay delay_median delay_p95 denominator failure_rate high last limit "
    "lost low median minimum numerator p95 quality rank result score seconds spent_percent upstream_risk value weight",
    "money": "amount charged_back forecast forecast_high forecast_low full own own_per_month saving_per_month spent",
    "truth": "bytes_odd conflict counted crosses_domain delay_odd dropped governed odd overdue partial taken tested "
    "through used",
    "time": "at began began_at changed_at day deadline end ended ended_at expires last_ended last_read last_write "
    "last_written next_at opened said_at saved_at sent_at since start started_at until valid_from",
}
TYPES: Mapping[str, Type] = {name: type_ for type_, names in _NAMES.items() for name in names.split()}
"""Type of every column that is no text."""


def column(values: Iterable[Any], type_: Type) -> pa.Array:
    """Values as an Arrow array of a type, whatever of them there is.

    Examples
    --------
    >>> str(column([], "texts").type), column([1, None], "number").to_pylist()
    ('list<item: string>', [1.0, None])
    """
    import pyarrow as pa

    arrow = {
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "whole": pa.int64(),
        "number": pa.float64(),
        "money": pa.decimal128(38, 12),
        "truth": pa.bool_(),
        "time": pa.timestamp("us"),
    }[type_]
    return pa.array(list(values), arrow)
