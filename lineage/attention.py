"""What needs attention, of every kind in one list: the graver and the more data behind it, the higher.

The list takes from each field what is open: jobs whose last run failed, incidents, broken contracts, violations of
policies, budgets, blind spots. It is ordered by severity (critical 8, high 4, medium 2, low 1) times one plus the
number of datasets downstream. Where that number cannot be known, it is ``None``, said so, and counts as nothing: the
place in the list is then that of the severity alone. What cannot be asked of an instant stands in ``unknown``.

What belongs together stands once: incidents under the same cause are one row, which also tells the contracts that they
break; so are all violations of one policy and all blind spots of one kind, at the node with most behind it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.actor import LOCAL, Actor
from lineage.beginning import unknown_then
from lineage.graph.arrays import JOB
from lineage.shown import Shown
from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.asking import When
    from lineage.engine import Lineage
    from lineage.policies.answers import Check
    from lineage.quality.answers import Incident
    from lineage.view import View

WEIGHTS = {"critical": 8, "high": 4, "medium": 2, "low": 1}
KINDS = ("job", "incident", "contract", "violation", "budget", "blind spot")
FAILED = ("FAIL", "ABORT")
_LEDGER = {"conflict": "medium", "run-without-end": "medium"}  # the other findings are low
_BUDGETS = {"over": "high", "forecast over": "medium"}


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing that is not well.

    ``node`` is where it is, ``reach`` the number of datasets downstream of it (``None``: cannot be known); ``cases``
    how many single findings (nodes, of policies and blind spots) it stands for; ``ref`` names it in its own field: an
    incident, a contract, a policy, a budget, the kind of blind spot.
    """

    kind: str
    severity: str
    what: str
    node: str | None
    domain: str
    owner: str | None
    reach: int | None = None
    cases: int = 1
    since: datetime | None = None
    ref: str = ""
    detail: str = ""

    @property
    def score(self) -> int:
        """Severity times one plus what is downstream."""
        return WEIGHTS[self.severity] * (1 + (self.reach or 0))


@dataclass(frozen=True, slots=True)
class Attention(Shown):
    """Answer of ``attention``: the first ``matters`` of ``total``; ``counts`` by kind are of all.

    ``unknown`` names what could not be asked of this instant, with the reason.
    """

    matters: tuple[Matter, ...]
    total: int
    counts: dict[str, int]
    unknown: tuple[str, ...]
    as_of: datetime
    known_at: datetime
    generated_by: str = ""
    fingerprint: str = ""

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("severity", "kind", "what", "node", "domain", "owner", "downstream", "cases", "since", "ref", "detail")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row each, the gravest with most behind it first."""
        return [
            (m.severity, m.kind, m.what, m.node, m.domain, m.owner, m.reach, m.cases, m.since, m.ref, m.detail)
            for m in self.matters
        ]

    def title(self) -> str:
        """How many."""
        return f"{self.total:,} need attention"

    def remarks(self) -> tuple[str, ...]:
        """What could not be asked, and what is not listed."""
        more = self.total - len(self.matters)
        return (*self.unknown, *((f"{more:,} more",) if more else ()))


def attention(
    lx: Lineage,
    *,
    domain: str | None = None,
    limit: int | None = None,
    now: datetime | None = None,
    as_of: When = None,
    known_at: When = None,
    actor: Actor = LOCAL,
) -> Attention:
    """Everything that is open at an instant, in order of severity times reach.

    Parameters
    ----------
    domain
        only what is in this one.
    limit
        greatest number of rows; default: all. The counts are of all.
    now
        decides what is late; default: the instant that is asked about.
    """
    from lineage import __version__

    view = lx.view(as_of, known_at, actor)
    places = _Places(view)
    past = as_of is not None or known_at is not None
    moment = now or (view.as_of if past else utcnow())
    asked: dict[str, Any] = {"as_of": as_of, "known_at": known_at, "actor": actor}
    incidents = lx.quality.incidents(now=moment, **asked).incidents
    broken = [p for p in lx.contracts.check(now=moment, **asked).promises if p.verdict == "broken"]
    found = [
        *_jobs(view),
        *_incidents(view, incidents, broken),
        *_contracts(view, broken, {one.node for one in incidents}),
        *_violations(view, places, lx.policies.check(**asked)),
        *_budgets(lx.cost.budgets(now=moment, **asked).budgets),
        *([] if past else _spots(view, places, lx.ledger(actor, examples=None).findings)),
    ]
    found = [one for one in found if domain is None or one.domain == domain]
    found = _folded(view, places, found, _reach(view, places, found))
    found.sort(key=lambda m: (-m.score, -WEIGHTS[m.severity], KINDS.index(m.kind), m.node or "", m.ref))
    why = unknown_then(view)
    unknown = ("Blind spots are known of the present only.",) if past else ()
    unknown = (*([f"{why[0].upper()}{why[1:]}."] if why else []), *unknown)
    return Attention(
        matters=tuple(found[:limit]),
        total=len(found),
        counts={kind: sum(one.kind == kind for one in found) for kind in KINDS},
        unknown=unknown,
        as_of=view.as_of,
        known_at=view.known_at,
        generated_by=f"meshline {__version__}",
        fingerprint=view.instant.fingerprint,
    )


def _jobs(view: View) -> Iterator[Matter]:
    """Jobs whose last run failed or was aborted."""
    from lineage.last_runs import last_runs

    jobs = view.nodes(JOB).tolist()
    for i, (state, at) in last_runs(view, jobs).items():
        if state in FAILED:
            word = "failed" if state == "FAIL" else "was aborted"
            yield Matter(
                "job", "high", f"Last run {word}", view.label(i), view.domain(i), view.owner(i), since=at, ref=state
            )


def _incidents(view: View, incidents: Sequence[Incident], broken: Sequence[Any]) -> Iterator[Matter]:
    """One matter per cause; the incident at the cause speaks for all."""
    contracts: dict[str, set[str]] = defaultdict(set)
    for promise in broken:
        contracts[promise.dataset].add(f"{promise.contract} {promise.version}")
    causes: dict[str, list[Incident]] = defaultdict(list)
    for one in incidents:
        if one.state in ("open", "acknowledged"):
            causes[one.cause].append(one)
    for cause, group in causes.items():
        first = min(group, key=lambda one: (one.node != cause, one.severity != "error", one.began_at, one.id))
        also = sorted({name for one in group for name in contracts[one.node]})
        said = [first.detail, f"breaks contract {', '.join(also)}" if also else ""]
        severity = "high" if any(one.severity == "error" for one in group) else "medium"
        yield Matter(
            "incident", severity, _words(first), cause, first.domain, first.owner, cases=len(group),
            since=min(one.began_at for one in group), ref=first.id, detail="; ".join(part for part in said if part),
        )  # fmt: skip


def _words(incident: Incident) -> str:
    if incident.sort == "test":
        return f"Test fails: {incident.what}"
    if incident.sort in ("freshness", "volume") and incident.detail:
        return incident.detail[0].upper() + incident.detail[1:]
    return f"{incident.sort.capitalize()}: {incident.what}"


def _contracts(view: View, broken: Sequence[Any], told: set[str]) -> Iterator[Matter]:
    """Broken promises, one matter per contract and dataset; those of datasets with an incident are told there."""
    groups: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for promise in broken:
        if promise.dataset not in told:
            groups[promise.contract, promise.version, promise.dataset].append(promise)
    for (contract, version, dataset), promises in groups.items():
        first = promises[0]
        yield Matter(
            "contract", "high", f"Contract broken: {first.promise}", dataset, first.domain, None, cases=len(promises),
            ref=contract, detail=f"{contract} {version}: expected {first.expected}, observed {first.observed}",
        )  # fmt: skip


def _violations(view: View, places: _Places, check: Check) -> Iterator[Matter]:
    """Violations of policies, one matter per policy and dataset or job."""
    titles = {one.policy: one.title for one in check.policies}
    seen: set[tuple[str, str]] = set()
    for finding in check.findings:
        if finding.outcome != "violation":
            continue
        i = places[finding.subject]
        column = i is not None and view.kind(i) == "column"
        subject = view.label(view.snapshot.dataset_of(i)) if i is not None and column else finding.subject
        if (finding.policy, subject) not in seen:
            seen.add((finding.policy, subject))
            what = titles.get(finding.policy, finding.policy)
            yield Matter(
                "violation", finding.severity, what, subject, finding.domain, None, ref=finding.policy,
                detail=finding.message,
            )  # fmt: skip


def _budgets(budgets: Iterable[Any]) -> Iterator[Matter]:
    from lineage.cost.money import money

    for one in budgets:
        if one.state in _BUDGETS:
            kind, _, name = one.scope.partition(":")
            share = one.spent_percent if one.state == "over" else one.forecast_percent
            what = f"Budget {one.name}: {share} % {'spent' if one.state == 'over' else 'forecast'}"
            node = name if kind == "dataset" else None
            detail = f"{money(one.spent)} of {money(one.amount)} {one.currency} in {one.period}"
            domain = name if kind == "domain" else ""
            yield Matter(
                "budget", _BUDGETS[one.state], what, node, domain, one.owner, ref=one.name, detail=detail
            )  # fmt: skip


def _spots(view: View, places: _Places, findings: Iterable[Any]) -> Iterator[Matter]:
    for finding in findings:
        severity = _LEDGER.get(finding.kind, "low")
        for spot in finding.spots:
            i = places[spot.node]
            domain = "" if i is None else view.domain(i)
            yield Matter(
                "blind spot", severity, finding.what.capitalize(), spot.node, domain, None, since=spot.last,
                ref=finding.kind, detail=spot.reason or "",
            )  # fmt: skip


class _Places(dict[str, "int | None"]):
    """Dense indices by node text, each looked up once; ``None`` for what is no node of this instant.

    Never by the end of a name: the name of a contract must not start a search.
    """

    def __init__(self, view: View) -> None:
        nodes = range(view.snapshot._nodes.first_column)
        texts = view.snapshot.texts(np.arange(len(nodes)))
        super().__init__(zip(texts, nodes, strict=True))
        if len(self) < len(nodes):  # names with colons: what fits two nodes names none
            for text in [text for text, count in Counter(texts).items() if count > 1]:
                del self[text]
        self._view = view

    def __missing__(self, text: str) -> int | None:
        from lineage.resolve import exact

        found = self[text] = exact(self._view, text)
        return found


def _reach(view: View, places: _Places, matters: Sequence[Matter]) -> dict[str, int | None]:
    """Reach of each node: all datasets in one sweep, each job with several outputs by a walk of its own."""
    homes: dict[str, tuple[int, ...]] = {}
    outputs = _outputs(view)
    for text in {one.node for one in matters if one.node}:
        i = places[text]
        if i is not None:
            job = view.kind(i) == "job"
            homes[text] = (
                outputs.get(i, ()) if job else (view.snapshot.dataset_of(i) if view.kind(i) == "column" else i,)
            )
    single = sorted({found[0] for found in homes.values() if len(found) == 1})
    if view.restricted:  # nothing hidden is counted
        return {text: _seen_behind(view, text, found) if found else None for text, found in homes.items()}
    counts = dict(zip(single, view.snapshot.closures(single, "downstream").tolist(), strict=True)) if single else {}
    reach: dict[str, int | None] = {}
    for text, found in homes.items():
        job = text.startswith("job:")
        if len(found) == 1:
            reach[text] = counts[found[0]] + job  # the dataset a job writes is downstream of the job
        elif found:
            others = view.snapshot.walk(list(found), "downstream", level="dataset").nodes
            reach[text] = len(set(others.tolist()) | set(found))
        else:
            reach[text] = None  # a job that was seen to write nothing: what is behind it was not told
    return reach


def _seen_behind(view: View, text: str, datasets: Sequence[int]) -> int:
    """How many visible datasets are behind a dataset, or behind a job, what it writes included."""
    behind = set(view.visible(view.snapshot.walk(list(datasets), "downstream", level="dataset").nodes).tolist())
    own = {i for i in datasets if not view.hidden(i)} if len(datasets) > 1 or text.startswith("job:") else set()
    return len(behind | own)


def _folded(view: View, places: _Places, matters: Iterable[Matter], reach: Mapping[str, int | None]) -> list[Matter]:
    """The matters with their reach, one per policy and per kind of blind spot: that with most behind it.

    There may be a hundred thousand of one policy, so that only of the one that stays more is found out.
    """
    found: list[Matter] = []

    def score(one: Matter) -> int:
        return WEIGHTS[one.severity] * (1 + (reach.get(one.node or "") or 0))

    groups: dict[tuple[str, str], list[Matter]] = defaultdict(list)
    for one in matters:
        if one.kind in ("violation", "blind spot"):
            groups[one.kind, one.ref].append(one)
        else:
            found.append(replace(one, reach=reach.get(one.node)) if one.node else one)
    for group in groups.values():
        first = min(group, key=lambda m: (-score(m), m.node or ""))
        i = places[first.node] if first.node else None
        owner = None if i is None else view.owner(i)
        found.append(replace(first, cases=len(group), reach=reach.get(first.node or ""), owner=owner))
    return found


def _outputs(view: View) -> dict[int, tuple[int, ...]]:
    """What each job writes, in dense indices."""
    datasets = np.flatnonzero(view.snapshot.kind == 0)
    at, jobs, _ = view.snapshot.arrows(datasets, "write")
    found: dict[int, list[int]] = defaultdict(list)
    for job, dataset in zip(jobs.tolist(), datasets[at].tolist(), strict=True):
        found[job].append(dataset)
    return {job: tuple(sorted(set(written))) for job, written in found.items()}
