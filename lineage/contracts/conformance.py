"""Is each promise of each contract kept? One verdict per promise: kept, broken or unknown, with the evidence.

Nothing is stored: what depends on the clock is worked out from ``now`` when asked. Unknown is a verdict of its own: a
promise that nothing was observed for is neither kept nor broken.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lineage.arrow import numbers
from lineage.contracts.access_roles import access
from lineage.contracts.binding import Bound, bindings
from lineage.contracts.facts import Facts, TestResult, load_facts
from lineage.contracts.model import Column, Contract, Rule
from lineage.contracts.sla import Case, Said, Verdict, freshness_slas, slas
from lineage.contracts.types import Step, compare, dialect_of
from lineage.errors import UnknownNodeError
from lineage.shown import Shown
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.view import View

__all__ = ["ENFORCED", "Conformance", "Promise", "conformance", "freshness_slas", "promises_of", "schema_promises"]

ENFORCED = ("active", "deprecated")
STALE = timedelta(hours=48)  # a test result older than this says nothing about today


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise and whether it is kept. ``run`` and ``evidence`` say by what this is known."""

    contract: str
    version: str
    dataset: str
    promise: str
    verdict: Verdict
    expected: str
    observed: str
    evidence: str = ""
    run: str | None = None
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Conformance(Shown):
    """Answer of ``contracts check``: all promises, the broken ones first."""

    promises: tuple[Promise, ...]
    unbound: tuple[str, ...]
    as_of: datetime
    known_at: datetime

    def count(self, verdict: Verdict) -> int:
        """Number of promises with a verdict."""
        return sum(p.verdict == verdict for p in self.promises)

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("verdict", "contract", "dataset", "promise", "expected", "observed", "evidence", "run")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per promise."""
        return [
            (p.verdict, f"{p.contract} {p.version}", p.dataset, p.promise, p.expected, p.observed, p.evidence, p.run)
            for p in self.promises
        ]

    def title(self) -> str:
        """What was checked."""
        return f"{len(self.promises)} promises"

    def remarks(self) -> tuple[str, ...]:
        """Counts and what is bound to nothing."""
        counts = ", ".join(f"{self.count(v)} {v}" for v in ("kept", "broken", "unknown"))
        return (counts, *self.unbound)


def conformance(
    view: View, only: str | None = None, *, now: datetime | None = None, facts: Facts | None = None
) -> Conformance:
    """Verdicts on the promises of all active and deprecated contracts.

    Parameters
    ----------
    only
        id or name of a contract (``ID@1`` for one major version), or a dataset, to limit it to.
    now
        decides what is late; default: the instant of the view.
    facts
        what was observed of all bound datasets, when it is known already.

    Raises
    ------
    UnknownContractError
        when ``only`` is neither.
    """
    found = bindings(view.instant)
    chosen, node = (found.contracts, None) if only is None else _chosen(view, only)
    meant = {(one.id, one.version) for one in chosen}
    wanted = [
        one
        for one in found.bound
        if one.contract.status in ENFORCED and not view.hidden(one.node)
        and (one.contract.id, one.contract.version) in meant and node in (None, one.node)
    ]  # fmt: skip
    facts = facts or load_facts(view, sorted({one.node for one in wanted}))
    moment = now or view.as_of
    promises = [promise for one in wanted for promise in promises_of(view, one, facts, moment)]
    order: Mapping[str, int] = {"broken": 0, "unknown": 1, "kept": 2}
    unbound = [
        f"{one.contract.title}: {one.thing or 'contract'}: {one.why}"
        for one in found.unbound
        if one.contract.status in ENFORCED and (one.contract.id, one.contract.version) in meant and node is None
        and view.actor.may_see(one.contract.domain)
    ]  # fmt: skip
    if only is not None:
        unbound += [f"{c.title} is {c.status}, so it is not checked" for c in chosen if c.status not in ENFORCED]
        unbound += [f"no contract binds {view.label(node)}"] if node is not None and not chosen else []
    return Conformance(
        tuple(sorted(promises, key=lambda p: (order[p.verdict], p.contract, p.version, p.dataset, p.promise))),
        tuple(unbound),
        view.as_of,
        view.known_at,
    )


def promises_of(view: View, one: Bound, facts: Facts, now: datetime) -> Iterator[Promise]:
    """Verdicts on one bound object."""
    yield from promises_of_data(view, one, facts, now)
    yield from promises_of_service(view, one, facts, now)


def promises_of_data(view: View, one: Bound, facts: Facts, now: datetime) -> Iterator[Promise]:
    """Verdicts on what one bound object is: its columns, its quality, who may read it."""
    schema = _schema_said(view, one, facts.columns.get(one.node))
    yield from _promises(view, one, (*schema, *_rules(one, facts, now), *_privacy(view, one), *access(view, one, now)))


def promises_of_service(view: View, one: Bound, facts: Facts, now: datetime) -> Iterator[Promise]:
    """Verdicts on the SLA properties of one bound object."""
    ends = any(sla.name.lower() in ("endofsupport", "endoflife") for sla in one.contract.slas)
    jobs = view.snapshot.readers(one.node).tolist() if ends else ()
    readers = sorted(view.label(job) for job in jobs if not view.hidden(job))
    yield from _promises(view, one, slas(Case(one, facts, now, tuple(readers))))


# -- inside


def _promises(view: View, one: Bound, told: Iterable[Said]) -> Iterator[Promise]:
    """Verdicts with what they are about."""
    label, domain, contract = view.label(one.node), view.domain(one.node), one.contract
    name = contract.name or contract.id
    for promise, verdict, expected, observed, evidence, run in told:
        yield Promise(name, contract.version, label, promise, verdict, expected, observed, evidence, run, domain)


def _chosen(view: View, only: str) -> tuple[Collection[Contract], int | None]:
    """Contracts that are meant; with a dataset, those that bind it."""
    from lineage.contracts.lookup import UnknownContractError, named
    from lineage.resolve import resolve

    contracts = named(view, only)
    if contracts:
        return contracts, None
    try:
        node = resolve(view, only)
    except UnknownNodeError as error:
        if error.ambiguous:
            raise
        raise UnknownContractError(
            f"“{only}” is no contract and no dataset. List contracts with: meshline contracts list"
        ) from None
    return [one.contract for one in bindings(view.instant).by_node.get(node, ())], node


def _schema_said(view: View, one: Bound, observed: Mapping[str, str | None] | None) -> Sequence[Said]:
    """The same as :func:`schema_promises`; what was said of the same columns before is said again."""
    known: dict[int, tuple[Bound, object, Sequence[Said]]] = view.instant.remember("schema promises", dict)
    held = known.get(id(one.thing))
    if held is None or held[0].thing is not one.thing or held[0].contract is not one.contract or held[1] != observed:
        held = known[id(one.thing)] = one, observed, tuple(schema_promises(one, observed))
    return held[2]


def schema_promises(one: Bound, observed: Mapping[str, str | None] | None) -> Iterator[Said]:
    """Observed columns and types against the promised ones."""
    if not observed:
        for column in one.thing.columns:
            expected = column.type or "any type"
            yield f"column {column.path}", "unknown", expected, "", "no schema was observed", None
        return
    for column, verdict, kind in _columns_judged(one, observed):
        yield f"column {column.path}", verdict, column.type or "any type", kind, "schema facet", None


def personal_tags(view: View) -> dict[tuple[int, str], set[str]]:
    """Tags of personal data that columns carry along lineage, by dataset (dense index) and column in lower case."""
    from lineage.tags import column_tags

    return view.instant.remember("pii by column", lambda: _pii(column_tags(view.instant), view))


def schema_kept(one: Bound, observed: Mapping[str, str | None] | None) -> bool | None:
    """Whether all of :func:`schema_promises` are kept, without the words; ``None`` when one cannot be told."""
    if not observed or not one.thing.columns:
        return None
    verdicts = {verdict for _, verdict, _ in _columns_judged(one, observed)}
    return False if "broken" in verdicts else None if "unknown" in verdicts else True


def _columns_judged(one: Bound, observed: Mapping[str, str | None]) -> Iterator[tuple[Column, Verdict, str]]:
    """Each promised column with its verdict and the type that was observed, in words."""
    dialect = next((dialect_of(server.type) for server in one.contract.servers), "")
    by_name = {name.lower(): kind for name, kind in observed.items()}
    for column in one.thing.columns:
        key = next((n for n in (column.physical_name.lower(), column.path.lower()) if n in by_name), None)
        if key is None:
            yield column, "broken", "missing"
            continue
        kind = by_name[key]
        if not column.type:
            yield column, "kept", kind or "no type told"
        elif not kind:
            yield column, "unknown", "no type told"
        else:
            yield column, _type_verdict(column.type, column.logical, kind, dialect), kind


def _type_verdict(promised: str, logical: str, observed: str, dialect: str) -> Verdict:
    """A narrower type keeps the promise, a wider or another one breaks it."""
    step = compare(promised, observed, dialect)
    if step is Step.unknown:
        return "unknown"
    if step in (Step.same, Step.alias, Step.narrower):
        return "kept"
    family = {"integer": "bigint", "number": "decimal(38,9)", "string": "text"}.get(logical)
    loose = promised == logical and family and compare(family, observed, dialect)
    return "kept" if loose in (Step.alias, Step.narrower, Step.same) else "broken"


_METRICS = {"nullvalues": ("not_null", "null"), "missingvalues": ("not_null", "missing"),
            "duplicatevalues": ("unique", "duplicate"), "invalidvalues": ("accepted_values", "valid")}  # fmt: skip


def _rules(one: Bound, facts: Facts, now: datetime) -> Iterator[Said]:
    tests = facts.tests.get(one.node, ())
    for rule in one.thing.rules:
        if rule.type == "text":
            continue
        promise = f"quality {rule.name or rule.metric or rule.type}{f' of {rule.column}' if rule.column else ''}"
        expected = f"{rule.metric} {rule.operator} {rule.value}".replace(" None", "").strip()
        if rule.metric.lower() == "rowcount":
            rows = facts.rows.get(one.node)
            if rows is None:
                yield promise, "unknown", expected, "", "no row count was told", None
            else:
                count, run = rows
                yield promise, _holds(rule, count), expected, str(count), "output statistics", run
            continue
        fitting = [test for test in tests if _is_test_of(rule, test)]
        yield _tested(promise, expected, fitting, now)
    for column in one.thing.columns:
        for flag, words in (("required", ("not_null", "null")), ("unique", ("unique", "duplicate"))):
            if getattr(column, flag) or (flag == "unique" and column.key):
                fitting = [
                    t
                    for t in tests
                    if t.column.lower() == column.path.lower() and any(w in t.name.lower() for w in words)
                ]
                yield _tested(f"{flag} {column.path}", "no violation", fitting, now)


def _tested(promise: str, expected: str, tests: Sequence[TestResult], now: datetime) -> Said:
    """The worst of the newest results; a skipped test and one older than two days say nothing."""
    fresh = [test for test in tests if test.status in ("pass", "fail") and now - test.at <= STALE]
    if not fresh:
        what = f"last result of {iso(max(t.at for t in tests))}" if tests else "no test was seen"
        return promise, "unknown", expected, "", what, None
    worst = min(fresh, key=lambda test: (test.status == "pass", test.name))
    verdict: Verdict = "kept" if worst.status == "pass" else "broken"
    return promise, verdict, expected, worst.actual or worst.status, f"test {worst.name} at {iso(worst.at)}", worst.run


def _is_test_of(rule: Rule, test: TestResult) -> bool:
    if rule.column.lower() != test.column.lower():
        return False
    name = test.name.lower()
    if rule.name and rule.name.lower() in name:
        return True
    return any(word in name for word in _METRICS.get(rule.metric.lower(), ()))


def _holds(rule: Rule, value: float) -> Verdict:
    """Whether a number is within the operator of a rule."""
    bound = rule.value
    try:
        limits = [float(v) for v in (bound if isinstance(bound, list) else [bound])]
    except (TypeError, ValueError):
        return "unknown"
    tests: Mapping[str, bool] = {
        "mustBe": value == limits[0],
        "mustNotBe": value != limits[0],
        "mustBeGreaterThan": value > limits[0],
        "mustBeGreaterOrEqualTo": value >= limits[0],
        "mustBeLessThan": value < limits[0],
        "mustBeLessOrEqualTo": value <= limits[0],
        "mustBeBetween": limits[0] <= value <= limits[-1],
        "mustNotBeBetween": not limits[0] <= value <= limits[-1],
    }
    return "unknown" if rule.operator not in tests else "kept" if tests[rule.operator] else "broken"


def _privacy(view: View, one: Bound) -> Iterator[Said]:
    """Columns that carry a pii tag by lineage must be declared as such, or as confidential at least."""
    carried = personal_tags(view)
    for column in one.thing.columns:
        tags = carried.get((one.node, column.path.lower()), set())
        if not tags:
            continue
        declared = bool(column.pii) or column.classification in ("confidential", "restricted", "secret", "pii")
        verdict: Verdict = "kept" if declared else "broken"
        shown = column.classification or "no classification"
        yield f"classification {column.path}", verdict, shown, ", ".join(sorted(tags)), "tags along lineage", None


def _pii(table: Any, view: View) -> dict[tuple[int, str], set[str]]:
    found: dict[tuple[int, str], set[str]] = {}
    nodes = view.snapshot.indices(numbers(table.column("dataset"))).tolist()
    columns: Iterable[list[Any]] = (table.column(name).to_pylist() for name in ("field", "tag"))
    for node, field, tag in zip(nodes, *columns, strict=True):
        if node >= 0 and tag.partition(":")[0].lower() == "pii":
            found.setdefault((node, field.lower()), set()).add(tag)
    return found
