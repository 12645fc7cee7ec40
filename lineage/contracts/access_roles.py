"""Who may read by the roles of a contract and the grants of its product, beside who reads.

A role or grant covers a reader when it names its domain, its product, its owner or the reading job itself. Roles of a
database ("analyst") name nobody whom lineage knows: as long as there is one, a reader that nothing covers is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from lineage.contracts.binding import Bound
from lineage.contracts.sla import Said
from lineage.graph.arrays import JOB
from lineage.presence import of_kind
from lineage.products import membership, product_of, products_of

if TYPE_CHECKING:
    from lineage.view import View

_GRANTS = """
-- grants that hold at T as known at K
SELECT product, consumer_kind, consumer, name FROM access_grant
WHERE valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known AND expires > $now
ORDER BY name
"""
_READING = ("", "read", "select", "write", "all", "admin", "owner")


def access(view: View, one: Bound, now: datetime) -> Iterator[Said]:
    """One verdict per job that reads from outside the domain of the contract; none when no role is declared."""
    roles = {
        name: how for name, how in one.contract.roles.items() if any(w in how.lower() for w in _READING[1:]) or not how
    }
    if not one.contract.roles:
        return
    expected = ", ".join(sorted(roles)) or "nobody"
    home = {one.contract.domain, view.instant.domain(one.node)}
    outside = [job for job in view.snapshot.readers(one.node).tolist() if _domain(view, job) not in home]
    seen = [job for job in outside if not view.hidden(job)]
    if not outside:
        yield "access", "kept", expected, "read within its domain only", "reads along lineage", None
        return
    product = membership(view.instant).get(one.node, one.contract.product)
    granted = _granted(view, product, now)
    strangers = _strangers(view, roles)
    for job in seen:
        label, names = view.label(job), _names(view, job)
        role = next((name for name in roles if name.lower() in names), None)
        grant = next((name for key, name in granted.items() if key in names), None)
        promise, who = f"access {label}", f"domain {_domain(view, job)}"
        if role is not None or grant is not None:
            how = f"role {role}" if role is not None else f"grant {grant}"
            yield promise, "kept", expected, who, how, None
        elif strangers:
            why = f"role {', '.join(strangers)} names nobody that lineage knows, so this reader may hold it"
            yield promise, "unknown", expected, who, why, None
        else:
            yield promise, "broken", expected, who, "no role and no grant names this reader", None


# -- inside


def _granted(view: View, product: str, now: datetime) -> dict[str, str]:
    """Consumers (lower case) with a grant on a product, and the grant."""
    when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at, "now": now}
    rows = view.instant.remember(f"grants at {now}", lambda: view.store.rows(_GRANTS, when))
    return {str(consumer).lower(): str(name) for of, _, consumer, name in rows if product and of == product}


def _strangers(view: View, roles: dict[str, str]) -> list[str]:
    """Roles that are no domain, product, owner or job."""
    known = view.instant.remember("names of consumers", lambda: _known(view))
    return sorted(name for name in roles if name.lower() not in known)


def _known(view: View) -> set[str]:
    domains = view.instant.domains.domains
    found = {name.lower() for name in domains} | {(d.owner or "").lower() for d in domains.values()}
    for product in products_of(view.instant).values():
        found |= {product.id.lower(), product.name.lower(), product.owner.lower()}
    jobs = of_kind(view.instant, JOB).tolist()
    for job in jobs:
        found |= {view.snapshot.name(job).lower(), (view.instant.owner(job) or "").lower()}
    return found - {""}


def _names(view: View, job: int) -> set[str]:
    """Everything by which a role may mean a job, in lower case."""
    products = {product_of(view.instant, job)} | {
        membership(view.instant).get(target) for target in view.snapshot.outputs(job).tolist()
    }
    owner = view.instant.owner(job)
    domain = _domain(view, job)
    declared = view.instant.domains.domains.get(domain)
    names = {view.snapshot.name(job), view.snapshot.text(job), domain, owner, declared.owner if declared else None}
    return {name.lower() for name in (*names, *products) if name}


def _domain(view: View, job: int) -> str:
    """Domain of a job; of one that belongs to none, that of what it writes."""
    own = view.instant.domain(job)
    targets = {view.instant.domain(target) for target in view.snapshot.outputs(job).tolist()}
    return targets.pop() if own == "unassigned" and len(targets) == 1 else own
