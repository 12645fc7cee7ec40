"""Readers of dataset facets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingest.facets.explicit import transformations
from ingest.facets.oddities import usable
from ingest.facets.run import test_result
from ingest.model import Assertion, ColumnUse, ColumnUses, Lifecycle, Metrics, Statistics, Symlink
from ingest.values import mapping, number, objects, text, whole

_WORST = ("fail", "pass", "skip")
_ROW_SUBTYPES = ("FILTER", "JOIN", "GROUP_BY", "SORT")  # CONDITIONAL and WINDOW belong to the one column they stand at
_DEEPEST = 32  # nested fields below this level are not made into columns


def schema(body: dict[str, Any]) -> tuple[str, ...]:
    """Paths of all columns; a nested one is ``parent.child``."""
    return tuple(dict.fromkeys(_paths(body.get("fields"), "", 0)))


def column_lineage(body: dict[str, Any]) -> ColumnUses:
    """Source columns of every output column.

    A use that decides about rows and occurs alike on every field is kept once, not once per field: Spark puts each
    filter on each of them. What lies under ``dataset`` affects the whole dataset.
    """
    per_field: dict[str, list[ColumnUse]] = {}
    for field, value in mapping(body.get("fields")).items():
        entry = mapping(value)
        legacy = text(entry.get("transformationType"))
        uses = [use for item in objects(entry.get("inputFields")) for use in _uses(field, item, legacy)]
        per_field[field] = uses
    whole_dataset = [use for item in objects(body.get("dataset")) for use in _uses("", item, None)]
    common = _fold(per_field) if len(per_field) > 1 else []
    uses = [use for found in per_field.values() for use in found]
    return ColumnUses(tuple(dict.fromkeys(uses + whole_dataset)), tuple(common), tuple(per_field))


def symlinks(body: dict[str, Any]) -> tuple[Symlink, ...]:
    """Other identifiers of the dataset."""
    found = []
    for item in objects(body.get("identifiers")):
        name = text(item.get("name"))
        if name is not None:
            found.append(Symlink(text(item.get("namespace")) or "", name, (text(item.get("type")) or "").upper()))
    return tuple(dict.fromkeys(found))


def lineage(body: dict[str, Any]) -> dict[str, Any]:
    """The body itself: its edges depend on the dataset that carries it (see :mod:`ingest.facets.explicit`)."""
    return body


def version(body: dict[str, Any]) -> str | None:
    """Version of the dataset as the producer calls it."""
    return text(body.get("datasetVersion"))


def lifecycle(body: dict[str, Any]) -> Lifecycle | None:
    """Change of state, with the former name after a rename."""
    state = text(body.get("lifecycleStateChange"))
    if state is None:
        return None
    previous = mapping(body.get("previousIdentifier"))
    name = text(previous.get("name"))
    return Lifecycle(state.upper(), (text(previous.get("namespace")) or "", name) if name else None)


def statistics(body: dict[str, Any]) -> Statistics | None:
    """Rows, bytes and files."""
    found = Statistics(whole(body.get("rowCount")), whole(body.get("size")), whole(body.get("fileCount")))
    return found if any(value is not None for value in found) else None


def quality_metrics(body: dict[str, Any]) -> Metrics | None:
    """Profile of the data: of the dataset and of each column."""
    values: list[tuple[tuple[str, str], float]] = []
    for key in ("rowCount", "bytes", "fileCount"):
        value = number(body.get(key))
        if value is not None and value >= 0:
            values.append((("", key), value))
    for column, metrics in mapping(body.get("columnMetrics")).items():
        for key, raw in mapping(metrics).items():
            if type(raw) is int and 0 <= raw < 2**53:  # by far the most
                values.append(((column, key), float(raw)))
                continue
            if key == "quantiles":
                values += [
                    ((column, f"quantile {q}"), found)
                    for q, item in mapping(raw).items()
                    if (found := number(item)) is not None
                ]
                continue
            value = number(raw)
            if value is not None and usable(key, raw):
                values.append(((column, key), value))
    tests = _validations(body) if "validationResults" in body else ()
    return _metrics(values, tests) if values or tests else None


def _validations(body: dict[str, Any]) -> tuple[Assertion, ...]:
    """Results that Great Expectations puts into a profile, in the form of its own report (``validationResults``)."""
    told = []
    for item in objects(mapping(body["validationResults"]).get("results")):
        config = mapping(item.get("expectation_config"))
        column = mapping(config.get("kwargs")).get("column")
        told.append({"assertion": config.get("expectation_type"), "column": column, "success": item.get("success")})
    return assertions({"assertions": told})


def assertions(body: dict[str, Any]) -> tuple[Assertion, ...]:
    """Test results; success and severity are independent. Of one test told twice the worse result counts."""
    found: dict[tuple[str, str], Assertion] = {}
    for item in objects(body.get("assertions")):
        result = test_result(item)
        if result is None:
            continue
        key = (result.field, result.name)
        if key not in found or _WORST.index(result.status) < _WORST.index(found[key].status):
            found[key] = result
    return tuple(found.values())


def data_quality(body: dict[str, Any]) -> Metrics | tuple[Assertion, ...] | None:
    """Great Expectations' own facet: a profile in the form of ``dataQualityMetrics``, or a list of assertions."""
    return assertions(body) if "assertions" in body else quality_metrics(body)


def iceberg_scan(body: dict[str, Any]) -> Metrics | None:
    """Counters of an Iceberg scan."""
    return _counters(body.get("scanMetrics"))


def iceberg_commit(body: dict[str, Any]) -> Metrics | None:
    """Counters of an Iceberg commit."""
    return _counters(body.get("commitMetrics"))


def _counters(value: Any) -> Metrics | None:
    values = [(("", key), found) for key, raw in mapping(value).items() if (found := number(raw)) is not None]
    return _metrics(values) if values else None


def _metrics(told: list[tuple[tuple[str, str], float]], tests: tuple[Assertion, ...] = ()) -> Metrics:
    """What is told twice counts as it is told last."""
    found = dict(told)
    return Metrics(tuple(found), tuple(found.values()), tests)


def _paths(fields: Any, prefix: str, depth: int) -> Iterator[str]:
    for item in objects(fields):
        name = text(item.get("name"))
        if name is None:
            continue
        path = f"{prefix}{name}"
        yield path
        if depth < _DEEPEST:
            yield from _paths(item.get("fields"), f"{path}.", depth + 1)


def _uses(target: str, item: dict[str, Any], legacy: str | None) -> Iterator[ColumnUse]:
    name, field = text(item.get("name")), text(item.get("field"))
    if name is None or field is None:
        return
    namespace = text(item.get("namespace")) or ""
    for type_, subtype, masking, description in transformations(item):
        if type_ is None and legacy is not None:  # the form before columnLineage 1-1-0
            masked = legacy.upper() == "MASKED"
            type_, subtype, masking = "DIRECT", "TRANSFORMATION" if masked else legacy.upper(), masked
        yield ColumnUse(target, namespace, name, field, _upper(type_), _upper(subtype), masking, description)


def _fold(per_field: dict[str, list[ColumnUse]]) -> list[ColumnUse]:
    """Take uses that decide about rows and occur on every field out of ``per_field``; give them back without target."""
    for_rows = [
        {use[1:] for use in uses if use.type == "INDIRECT" and use.subtype in _ROW_SUBTYPES}
        for uses in per_field.values()
    ]
    common = set.intersection(*for_rows)
    if not common:
        return []
    for field, uses in per_field.items():
        per_field[field] = [use for use in uses if use[1:] not in common]
    return [ColumnUse("", *rest) for rest in sorted(common, key=repr)]


def _upper(value: str | None) -> str | None:
    return value.upper() if value is not None else None
