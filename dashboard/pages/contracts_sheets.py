"""The tables of the contracts page."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.desk import clock
from dashboard.names import short_id
from dashboard.pages.contracts_facts import ContractFacts
from dashboard.rows import Row, Sheet
from dashboard.tables import Column

_CONTRACT = Column("contract", "Contract", 1.2, link=True)
COLUMNS: dict[str, tuple[Column, ...]] = {
    "promises": (
        Column("verdict", "Verdict", 0.7), _CONTRACT, Column("version", "Version", 0.6),
        Column("node", "Dataset", 1.6, short=True), Column("promise", "Promise", 1.6),
        Column("expected", "Expected", 1.1), Column("observed", "Observed", 1.2), Column("evidence", "Known by", 1.6),
        Column("run", "Run", 1), Column("domain", "Domain", 0.8),
    ),
    "contracts": (
        _CONTRACT, Column("version", "Version", 0.6), Column("status", "Status", 0.8), Column("domain", "Domain", 0.8),
        Column("product", "Product", 0.9), Column("datasets", "Binds", 1.6), Column("unbound", "Binds nothing", 1.2),
        Column("readers", "Readers", 0.6, number=True), Column("who", "Who reads", 2),
        Column("ends", "Support ends", 0.9), Column("next", "Followed by", 0.9),
    ),
    "changes": (
        Column("severity", "For consumers", 0.8), Column("real", "For those who read", 0.9), _CONTRACT,
        Column("step", "Versions", 1), Column("what", "Change", 1.1), Column("place", "Where", 1.4),
        Column("old", "Was", 1), Column("new", "Is", 1), Column("finding", "Finding", 1),
        Column("hit", "Readers hit", 0.7, number=True), Column("at", "Since", 1.5),
    ),
}  # fmt: skip
_EMPTY = {
    "promises": "No contract promises anything here. Draft one with: meshline contracts draft DATASET",
    "contracts": "No contract is declared here. Draft one with: meshline contracts draft DATASET",
    "changes": "No contract here has a second version yet.",
}


def sheet_of(facts: ContractFacts) -> Sheet:
    """The table that the address names."""
    links = facts.asked.links
    key = (facts.view, facts.domain, facts.id, links.asof, links.known, links.base)
    rows = facts.desk.memo.get(("sheet", "contracts", key), lambda: _ROWS[facts.view](facts))
    return Sheet(key, COLUMNS[facts.view], rows, f"contracts-{facts.view}", _EMPTY[facts.view])


def _promises(facts: ContractFacts) -> list[Row]:
    return [
        {
            "verdict": p.verdict, "contract": p.contract, "version": p.version, "node": p.dataset,
            "promise": p.promise, "expected": p.expected, "observed": p.observed, "evidence": p.evidence,
            "run": p.run or "", "domain": p.domain, "short": {"node": short_id(p.dataset)},
            "href": facts.asked.to(id=p.contract),
        }
        for p in facts.promises()
    ]  # fmt: skip


def _contracts(facts: ContractFacts) -> list[Row]:
    return [
        {
            "contract": c.name or c.id, "version": c.version, "status": c.status, "domain": c.domain,
            "product": c.product, "datasets": ", ".join(short_id(node)[0] for node in c.datasets),
            "unbound": ", ".join(c.unbound), "readers": len(c.readers),
            "who": ", ".join(short_id(job)[0] for job in c.readers), "ends": c.end_of_support, "next": c.replaced_by,
            "href": facts.asked.to(id=c.id, view=None),
        }
        for c in facts.contracts()
    ]  # fmt: skip


def _changes(facts: ContractFacts) -> list[Row]:
    return [
        {
            "severity": j.change.consumer.value, "real": j.real.value, "contract": id,
            "step": f"{old.version} → {new.version}", "what": j.change.what, "place": j.change.place,
            "old": j.change.old, "new": j.change.new, "finding": j.finding, "hit": len(j.consumers),
            "at": clock(new.valid_from), "href": facts.asked.to(id=id, view="changes"),
        }
        for id, new, old in facts.steps()
        for j in facts.change(new, old).changes
    ]  # fmt: skip


_ROWS: dict[str, Callable[[ContractFacts], list[Row]]] = {
    "promises": _promises, "contracts": _contracts, "changes": _changes,
}  # fmt: skip
