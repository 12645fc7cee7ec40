"""Where a product is other than declared: at one instant, and over time as a dated series.

Declared are the input ports, the sources of each output port (``inputContracts``), the lineage that jobs announce
without running (JobEvents) and the columns of the contracts; observed is what runs did.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lineage.contracts.binding import bindings
from lineage.contracts.conformance import ENFORCED, schema_promises
from lineage.contracts.facts import Facts, load_facts
from lineage.errors import UsageError
from lineage.products import Port, ProductInfo, membership, products_of
from lineage.shown import Shown
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.view import View

MOST = 120
"""Days of a series that are looked at; of more, the newest."""
_BY_SOURCE = """
-- one flow between two datasets by one job at T as known at K: was it announced, was it done; an announcement may tell
-- columns or explicit lineage, too: then no run opened the edge
SELECT job, src, bool_or(provenance = 'declared' OR announced), bool_or(provenance <> 'declared' AND NOT announced)
FROM (
  SELECT *, provenance IN ('column', 'explicit') AND first_run IS NULL AND job IN (SELECT entity FROM declaration)
    AS announced FROM edge
)
WHERE provenance <> 'manual' AND kind = 'lineage' AND job <> 0 AND dst IN (SELECT unnest($members::UBIGINT[]))
  AND valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known
GROUP BY job, src
"""
_TURNS = """
-- instants at which a product, its contracts, or what was observed of its datasets may have changed
SELECT DISTINCT turn FROM (
  SELECT unnest([valid_from, valid_to]) AS turn FROM product WHERE name = $product AND known_from <= $known
    AND known_to > $known
  UNION ALL SELECT unnest([valid_from, valid_to]) FROM contract
    WHERE id IN (SELECT unnest($contracts::VARCHAR[])) AND known_from <= $known AND known_to > $known
  UNION ALL SELECT unnest([valid_from, valid_to]) FROM edge
    WHERE (dst IN (SELECT unnest($members::UBIGINT[])) OR src IN (SELECT unnest($members::UBIGINT[])))
    AND known_from <= $known AND known_to > $known
  UNION ALL SELECT unnest([valid_from, valid_to]) FROM facet
    WHERE key = 'schema' AND entity IN (SELECT unnest($members::UBIGINT[])) AND known_from <= $known
    AND known_to > $known
) WHERE turn > $begin AND turn <= $end ORDER BY turn
"""


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference between what a product declares and what runs did."""

    product: str
    what: str  # 'undeclared input', 'declared input not read', 'undeclared column', 'broken column', …
    node: str
    declared: str = ""
    observed: str = ""


@dataclass(frozen=True, slots=True)
class DriftStep:
    """One day on which differences came or went; the first is the beginning of the series, with all that is open."""

    at: datetime
    version: str  # of the product then
    opened: tuple[Drift, ...]
    closed: tuple[Drift, ...]
    open: int


@dataclass(frozen=True, slots=True)
class DriftSeries(Shown):
    """Answer of ``products drift``: what was declared and observed over time, and the differences that are open."""

    product: str
    start: datetime
    end: datetime
    steps: tuple[DriftStep, ...]
    open: tuple[Drift, ...]
    partial: bool
    known_at: datetime

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("at", "change", "what", "node", "declared", "observed", "version", "open")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per difference that opened or closed."""
        return [
            (step.at, word, d.what, d.node, d.declared, d.observed, step.version, step.open)
            for step in self.steps
            for word, some in (("opened", step.opened), ("closed", step.closed))
            for d in some
        ]

    def title(self) -> str:
        """What was asked."""
        return f"{self.product}: {iso(self.start)} to {iso(self.end)}, {len(self.open)} differences open"

    def remarks(self) -> tuple[str, ...]:
        """Whether there is more."""
        quiet = () if any(s.opened or s.closed for s in self.steps) else ("declared and observed agree all the time",)
        return (
            *quiet,
            *((f"partial: only the newest {MOST} days with changes were looked at",) if self.partial else ()),
        )


def differences(
    view: View, product: ProductInfo, nodes: Sequence[int], facts: Facts | None = None
) -> tuple[Drift, ...]:
    """Differences at one instant.

    Parameters
    ----------
    nodes
        datasets of the product's output ports (dense indices).
    facts
        of at least these datasets, when they are loaded already.
    """
    found = [
        *_inputs(view, product, nodes),
        *(d for port in product.outputs if port.inputs for d in _port(view, product, port)),
        *_jobs(view, product, nodes),
        *_columns(view, product, nodes, facts or load_facts(view, nodes)),
    ]
    return tuple(sorted(set(found), key=lambda d: (d.what, d.node, d.declared, d.observed)))


def series(ask: Callable[[datetime], View], product: str, start: datetime | None, end: datetime) -> DriftSeries:
    """Differences over time, one step for each day on which some came or went.

    Parameters
    ----------
    ask
        gives the view of an instant.
    start, end
        ``start`` defaults to ninety days before the end.

    Raises
    ------
    UsageError
        when the end is not after the start.
    """
    last = ask(end)
    start = start or end - timedelta(days=90)
    if start >= end:
        raise UsageError(f"from {iso(start)} is not before to {iso(end)}.")
    turns, partial = _turns(last, product, start, end)
    steps: list[DriftStep] = []
    before: tuple[Drift, ...] = ()
    for at in (start, *turns):
        view = last if at == end else ask(at)
        info = products_of(view.instant).get(product)
        nodes = sorted(node for node, name in membership(view.instant).items() if name == product)
        now = differences(view, info, nodes) if info is not None else ()
        opened, closed = (
            tuple(d for d in some if d not in set(other)) for some, other in ((now, before), (before, now))
        )
        if opened or closed or at == start:
            steps.append(DriftStep(at, info.version if info else "", opened, closed, len(now)))
        before = now
    return DriftSeries(product, start, end, tuple(steps), before, partial, last.known_at)


# -- one instant


def _inputs(view: View, product: ProductInfo, nodes: Sequence[int]) -> Iterator[Drift]:
    """Input ports against what is read; a product that declares none is not judged."""
    declared = _datasets(view, [port.contract for port in product.inputs])
    if not product.inputs:
        return
    upstream = _upstream(view, nodes)
    for node in sorted(_sources(view, nodes, product.domain, declared) - declared.keys()):
        yield Drift(product.id, "undeclared input", view.label(node), "no input port", "read by runs")
    for node in sorted(declared.keys() - upstream):
        yield Drift(product.id, "declared input not read", view.label(node), declared[node], "no way leads here")


def _port(view: View, product: ProductInfo, port: Port) -> Iterator[Drift]:
    """The sources that one output port declares, against what is upstream of its own datasets."""
    declared = _datasets(view, [contract for contract, _ in port.inputs])
    mine = sorted(_datasets(view, [port.contract]))
    upstream = _upstream(view, mine)
    for node in sorted(_sources(view, mine, product.domain, declared) - declared.keys()):
        yield Drift(product.id, f"undeclared source of port {port.name}", view.label(node), "none of inputContracts",
                    "read by runs")  # fmt: skip
    for node in sorted(declared.keys() - upstream):
        yield Drift(product.id, f"declared source of port {port.name} not read", view.label(node), declared[node],
                    "no way leads here")  # fmt: skip


def _jobs(view: View, product: ProductInfo, nodes: Sequence[int]) -> Iterator[Drift]:
    """Jobs that announce what they read, against what their runs read; a job that announces nothing is not judged."""
    members = [member for node in nodes for member in view.snapshot.members(node)]
    if not members:
        return
    when = {"members": members, "at": view.snapshot.as_of, "known": view.snapshot.known_at}
    by_job: dict[int, list[tuple[int, bool, bool]]] = {}
    for job, src, announced, done in view.store.rows(_BY_SOURCE, when):
        i, source = view.snapshot.index(job), view.snapshot.index(src)
        if i is not None and source is not None:
            by_job.setdefault(i, []).append((source, announced, done))
    for job, sources in by_job.items():
        if not any(announced for _, announced, _ in sources) or not any(done for _, _, done in sources):
            continue
        name = "a job" if view.hidden(job) else view.label(job)
        for source, announced, done in sources:
            if done and not announced:
                yield Drift(product.id, f"{name} reads more than it announces", view.label(source), "", "read by runs")
            if announced and not done:
                yield Drift(product.id, f"{name} announces what it does not read", view.label(source), "announced", "")


def _columns(view: View, product: ProductInfo, nodes: Sequence[int], facts: Facts) -> Iterator[Drift]:
    """Columns of the contracts against the observed schema."""
    inside = set(nodes)
    for one in bindings(view.instant).bound:
        if one.node not in inside or one.contract.status not in ENFORCED:
            continue
        label = view.label(one.node)
        for promise, verdict, expected, observed, _, _ in schema_promises(one, facts.columns.get(one.node)):
            if verdict == "broken":
                yield Drift(product.id, f"broken {promise}", label, expected, observed)
        promised = {name.lower() for c in one.thing.columns for name in (c.path, c.physical_name) if name}
        for column, kind in (facts.columns.get(one.node) or {}).items():
            if promised and column.lower() not in promised and column.split(".")[0].lower() not in promised:
                yield Drift(product.id, f"undeclared column {column}", label, "", kind or "no type told")


def _datasets(view: View, contracts: Sequence[str]) -> dict[int, str]:
    """Datasets that some contracts bind, and the contract of each."""
    wanted = set(contracts)
    return {
        one.node: f"contract {one.contract.id}" for one in bindings(view.instant).bound if one.contract.id in wanted
    }


def _sources(view: View, nodes: Sequence[int], domain: str, declared: Collection[int]) -> set[int]:
    """What a product reads: the nearest datasets upstream that are no step of its own.

    A step of its own is a dataset of its domain that is made of others and belongs to no product.
    """
    members = membership(view.instant)
    seen, found, waiting = set(nodes), set(), list(nodes)
    while waiting:
        for edge in view.snapshot.neighbours(waiting.pop(), "upstream"):
            node = edge.src
            if node in seen or view.kind(node) != "dataset":
                continue
            seen.add(node)
            own = view.instant.domain(node) == domain and node not in members
            if own and node not in declared and view.snapshot.neighbours(node, "upstream"):
                waiting.append(node)
            else:
                found.add(node)
    return found


def _upstream(view: View, nodes: Sequence[int]) -> set[int]:
    return set(view.snapshot.walk(sorted(nodes), "upstream", level="dataset").nodes.tolist()) if nodes else set()


# -- over time


def _turns(view: View, product: str, start: datetime, end: datetime) -> tuple[list[datetime], bool]:
    """The last turn of each day on which something may have changed, and whether days were left out."""
    info = products_of(view.instant).get(product)
    ports = (*info.outputs, *info.inputs) if info else ()
    contracts = {port.contract for port in ports} | {name for port in ports for name, _ in port.inputs}
    nodes = [node for node, name in membership(view.instant).items() if name == product]
    members = [member for node in nodes for member in view.snapshot.members(node)]
    when = {"product": product, "contracts": sorted(contracts), "members": members, "begin": start, "end": end,
            "known": view.snapshot.known_at}  # fmt: skip
    days: dict[object, datetime] = {}
    for (at,) in view.store.rows(_TURNS, when):
        days[at.date()] = at
    found = sorted(days.values())
    return found[-MOST:], len(found) > MOST
