"""SQL of the warehouse models, written from their flows so that it says what the column lineage says."""

from __future__ import annotations

from datetime import date

from sample_events.datasets import DATASETS
from sample_events.model import Flow, Use


def select(flow: Flow, day: date) -> str:
    """The query of a model as dbt compiles it on ``day``."""
    columns = [f"    {_expression(uses)} as {name}" for name, uses in flow.columns_on(day, DATASETS)]
    first, *others = flow.inputs_on(day)
    rows = flow.rows_on(day)
    lines = ["select", ",\n".join(columns), f"from {DATASETS[first].name} as {first}"]
    lines += [f"left join {DATASETS[other].name} as {other} using ({_key(other, rows)})" for other in others]
    filters = [f"{u.dataset}.{u.column} is not null" for u in rows if u.how == "FILTER"]
    if filters:
        lines.append("where " + " and ".join(filters))
    groups = [f"{u.dataset}.{u.column}" for u in rows if u.how == "GROUP_BY"]
    if groups:
        lines.append("group by " + ", ".join(groups))
    return "\n".join(lines)


def _key(dataset: str, rows: tuple[Use, ...]) -> str:
    joined = [u.column for u in rows if u.how == "JOIN" and u.dataset == dataset]
    return ", ".join(joined) or DATASETS[dataset].columns[0].name


def _expression(uses: tuple[Use, ...]) -> str:
    names = [f"{u.dataset}.{u.column}" for u in uses]
    how = uses[0].how
    if how == "AGGREGATION":
        return f"sum({' - '.join(names)})" if len(names) > 1 else f"count({names[0]})"
    if how == "MASKED":
        return f"sha2({names[0]} || '{{{{ env_var(\"PII_SALT\") }}}}')"
    if how == "TRANSFORMATION":
        return (
            f"{DATASETS[uses[0].dataset].key}_value({', '.join(names)})"
            if len(names) > 1
            else f"cast({names[0]} as variant)"
        )
    return names[0]
