"""The views that policies see, column by column; ``docs/policies.md`` explains them and a test keeps both the same.

All ids are node texts (``dataset:NAMESPACE:NAME``). Times are UTC. ``NULL`` is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

TEXT, WHOLE, NUMBER, TRUTH, TIME = "text", "whole", "number", "truth", "time"

VIEWS: Mapping[str, Mapping[str, str]] = {
    # one dataset or job
    "asset": {
        "id": TEXT, "kind": TEXT, "namespace": TEXT, "name": TEXT, "domain": TEXT, "owner": TEXT,
        "described": TRUTH, "product": TEXT, "port": TRUTH, "contract": TEXT, "contract_status": TEXT,
        "classification": TEXT, "readers": WHOLE, "writers": WHOLE, "other_domains": WHOLE, "reach": WHOLE,
        "depends_alone": WHOLE, "tests": WHOLE, "last_written": TIME,
    },
    # one column of a dataset
    "asset_column": {
        "id": TEXT, "dataset": TEXT, "name": TEXT, "domain": TEXT, "classification": TEXT, "critical": TRUTH,
        "promised": TRUTH, "observed": TRUTH, "tests": WHOLE,
    },
    # one tag on one column, also where it came along lineage from ``previous``; masking on the way stops it
    "column_tag": {
        "id": TEXT, "dataset": TEXT, "name": TEXT, "domain": TEXT, "tag": TEXT, "hops": WHOLE, "origin": TEXT,
        "origin_domain": TEXT, "previous": TEXT,
    },
    # one flow between two datasets
    "edge": {
        "src": TEXT, "dst": TEXT, "src_domain": TEXT, "dst_domain": TEXT, "src_product": TEXT, "dst_product": TEXT,
        "dst_team": TEXT, "crosses": TRUTH, "certainty": TEXT,
    },
    # one flow between two columns
    "column_edge": {
        "src": TEXT, "dst": TEXT, "src_dataset": TEXT, "dst_dataset": TEXT, "type": TEXT, "masking": TRUTH,
    },
    # one object of one contract; dataset is NULL when it is no known dataset
    "contract": {
        "id": TEXT, "version": TEXT, "major": WHOLE, "status": TEXT, "domain": TEXT, "product": TEXT, "object": TEXT,
        "dataset": TEXT, "classification": TEXT, "retention_seconds": NUMBER, "latency_seconds": NUMBER,
        "purposes": TEXT, "end_of_support": TIME, "schema_kept": TRUTH,
    },
    # one product
    "product": {"id": TEXT, "version": TEXT, "status": TEXT, "domain": TEXT, "owner": TEXT},
    # one grant that holds or held
    "access": {
        "id": TEXT, "product": TEXT, "consumer_kind": TEXT, "consumer": TEXT, "purpose": TEXT, "approver": TEXT,
        "expires": TIME, "holds": TRUTH, "used": TRUTH,
    },
    # one domain
    "domain": {"name": TEXT, "title": TEXT, "owner": TEXT, "parent": TEXT, "members": WHOLE},
    # last result of one test
    "test": {
        "dataset": TEXT, "field": TEXT, "name": TEXT, "status": TEXT, "severity": TEXT, "tested_at": TIME,
    },
    # the instant of the question: one row
    "question": {"as_of": TIME, "known_at": TIME},
}  # fmt: skip
"""Name of a view → its columns and their types."""


def table(view: str, rows: Mapping[str, Sequence[Any] | pa.Array]) -> pa.Table:
    """A view as an Arrow table; columns that are left out are ``NULL``.

    Parameters
    ----------
    view
        name of the view.
    rows
        column → values, all of one length; an Arrow array is taken as it is.
    """
    import pyarrow as pa

    types = {TEXT: pa.string(), WHOLE: pa.int64(), NUMBER: pa.float64(), TRUTH: pa.bool_(), TIME: pa.timestamp("us")}
    length = max((len(values) for values in rows.values()), default=0)

    def column(name: str, kind: str) -> pa.Array:
        values = rows.get(name)
        if values is None:
            return pa.nulls(length, types[kind])
        return values if isinstance(values, pa.Array) else pa.array(values, types[kind])

    return pa.table({name: column(name, kind) for name, kind in VIEWS[view].items()})


def table_of_rows(view: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A view from a list of mappings; times may be texts (for the tests of policies)."""
    from lineage.times import parse_instant

    kinds = VIEWS[view]
    columns: dict[str, list[Any]] = {name: [] for name in kinds}
    for row in rows:
        for name, kind in kinds.items():
            value = row.get(name)
            columns[name].append(parse_instant(value, name=name) if kind == TIME and isinstance(value, str) else value)
    return table(view, columns)
