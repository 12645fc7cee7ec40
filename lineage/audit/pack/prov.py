"""Provenance as W3C PROV-JSON (member submission of 24 April 2013)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.times import iso

if TYPE_CHECKING:
    from lineage.run_trail import InputVersion, RunStep, RunTrail

_PREFIXES = {"meshline": "https://meshline.dev/prov#", "xsd": "http://www.w3.org/2001/XMLSchema#"}


class _Names:
    """Short local names (``v1``, ``r2``) for things whose own names are no XML names."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, object], str] = {}
        self._counts: dict[str, int] = {}

    def of(self, letter: str, key: object) -> str:
        if (letter, key) not in self._known:
            self._counts[letter] = self._counts.get(letter, 0) + 1
            self._known[letter, key] = f"meshline:{letter}{self._counts[letter]}"
        return self._known[letter, key]


def to_prov(trail: RunTrail) -> dict[str, Any]:
    """A run trail in PROV-JSON.

    A version of a dataset is an entity, a run an activity, an owner and a producer are agents, the code of a job is the
    plan that a run followed. Column edges stand with the derivation they belong to.
    """
    names = _Names()
    document: dict[str, dict[str, Any]] = {"prefix": dict(_PREFIXES)}
    for step in trail.steps:
        _add_step(document, names, step)
    return document


def _add_step(document: dict[str, dict[str, Any]], names: _Names, step: RunStep) -> None:
    run = names.of("r", (step.run_id, step.job))
    made = _version(document, names, step.dataset, step.run_id, step.version, step.domain)
    document.setdefault("activity", {})[run] = _known(
        {
            "prov:startTime": iso(step.started_at),
            "prov:endTime": iso(step.ended_at),
            "meshline:runId": step.run_id,
            "meshline:job": step.job,
            "meshline:state": step.state,
            "meshline:engine": step.engine,
        }
    )
    _relate(document, "wasGeneratedBy", {"prov:entity": made, "prov:activity": run, "prov:time": iso(step.ended_at)})
    if step.owner:
        owner = _agent(document, names, step.owner, "prov:Organization")
        _relate(document, "wasAttributedTo", {"prov:entity": made, "prov:agent": owner})
    if step.producer or step.code or step.sql_hash:
        agent = _agent(document, names, step.producer or "unknown producer", "prov:SoftwareAgent")
        _relate(
            document,
            "wasAssociatedWith",
            {"prov:activity": run, "prov:agent": agent, "prov:plan": _plan(document, names, step)},
        )
    for read in step.inputs:
        _add_input(document, names, run, made, read)


def _add_input(document: dict[str, dict[str, Any]], names: _Names, run: str, made: str, read: InputVersion) -> None:
    source = _version(document, names, read.dataset, read.run_id, read.version, read.domain)
    _relate(document, "used", {"prov:activity": run, "prov:entity": source, "meshline:tie": read.tie})
    columns = [f"{use.src} → {use.dst} ({use.type or 'not told'})" for use in read.columns]
    _relate(
        document,
        "wasDerivedFrom",
        {
            "prov:generatedEntity": made,
            "prov:usedEntity": source,
            "prov:activity": run,
            "meshline:column": columns or None,
        },
    )


def _version(
    document: dict[str, dict[str, Any]], names: _Names, dataset: str, run: str | None, version: str | None, domain: str
) -> str:
    name = names.of("v", (dataset, run or version))
    document.setdefault("entity", {})[name] = _known(
        {
            "prov:type": {"$": "meshline:DatasetVersion", "type": "xsd:QName"},
            "meshline:dataset": dataset,
            "meshline:version": version,
            "meshline:domain": domain,
        }
    )
    return name


def _plan(document: dict[str, dict[str, Any]], names: _Names, step: RunStep) -> str | None:
    code = step.code or {}
    told = {
        "meshline:job": step.job,
        "meshline:sqlSha256": step.sql_hash,
        "meshline:codeUrl": code.get("url"),
        "meshline:codeVersion": code.get("version"),
    }
    if not any(value for key, value in told.items() if key != "meshline:job"):
        return None
    name = names.of("p", tuple(told.values()))
    plan = {"prov:type": {"$": "prov:Plan", "type": "xsd:QName"}, **told}
    document.setdefault("entity", {})[name] = _known(plan)
    return name


def _agent(document: dict[str, dict[str, Any]], names: _Names, label: str, kind: str) -> str:
    name = names.of("a", (label, kind))
    document.setdefault("agent", {})[name] = {
        "prov:type": {"$": kind, "type": "xsd:QName"},
        "prov:label": label,
    }
    return name


def _relate(document: dict[str, dict[str, Any]], kind: str, ends: dict[str, Any]) -> None:
    relations = document.setdefault(kind, {})
    relations[f"_:{kind}{len(relations) + 1}"] = _known(ends)


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
