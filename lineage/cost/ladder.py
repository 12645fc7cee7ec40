"""The ladder: which node a charge belongs to; resource, query, tag, sub-account, pool, unallocated: the first wins."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.cost.rules import Match, Pool, Rules, Target
from lineage.identity import splits
from lineage.presence import absent

if TYPE_CHECKING:
    from lineage.cost.runs import RunClues
    from lineage.view import View

UNALLOCATED = "unallocated"
_QUERY_TAGS = ("query_id", "queryid", "statement_id", "external_query_id")
_CUTS = "./:"
_NAMES = """
-- every dataset and job as known at K
SELECT id, kind, namespace, name FROM node WHERE kind IN ('dataset', 'job') AND known_from <= $known
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a charge goes and by which rung: ``node`` (dense index), or ``line`` (``domain:x``, ``product:x``, …)."""

    method: str  # resource, query, tag, account, pool, cluster, unallocated
    rule: str
    node: int | None = None
    line: str | None = None
    run: int | None = None
    pool: str | None = None
    egress: bool = False


class Names:
    """Nodes by the names that bills use for them."""

    def __init__(self, view: View) -> None:
        self._snapshot, self._gone = view.snapshot, absent(view.instant)
        self._rows = view.store.rows(_NAMES, {"known": view.known_at})
        self._exact: dict[tuple[str, str], set[int]] | None = None
        self._ends: dict[tuple[str, str], set[int]] | None = None

    def find(self, text: str, kinds: Iterable[str], *, ends: bool = True) -> int | None:
        """Dense index of the one node that a text names; ``None`` when none or several do."""
        for key in splits(text):
            found = self._index(_id(key))
            if found is not None and key.kind in kinds:
                return found
        low = text.lower().removeprefix("arn:aws:s3:::")
        for kind in kinds:
            found = self._only(self._by_name().get((kind, low)))
            if found is None and low != text.lower():
                found = self._only(self._by_name().get((kind, f"s3://{low}")))
            if found is None and ends:
                found = self._only(self._by_end().get((kind, low)))
            if found is not None:
                return found
        return None

    def _index(self, node: int) -> int | None:
        """Dense index of a node that was there; what was not there yet is billed to nothing that bears its name."""
        found = self._snapshot.index(node)
        return None if found in self._gone else found

    def _only(self, ids: set[int] | None) -> int | None:
        found = {self._index(one) for one in ids or ()} - {None}
        return found.pop() if len(found) == 1 else None

    def _by_name(self) -> dict[tuple[str, str], set[int]]:
        """Nodes by their whole name, with and without the namespace; made when the first bill asks."""
        if self._exact is None:
            self._exact = {}
            for node, kind, namespace, name in self._rows:
                for text in (name, f"{namespace}:{name}", f"{namespace}/{name}"):
                    self._exact.setdefault((kind, text.lower()), set()).add(node)
        return self._exact

    def _by_end(self) -> dict[tuple[str, str], set[int]]:
        """Nodes by every end of their name that begins at a boundary; made when an exact name was not enough."""
        if self._ends is None:
            self._ends = {}
            for node, kind, _, name in self._rows:
                low = name.lower()
                for at, char in enumerate(low[:-1]):
                    if char in _CUTS:
                        self._ends.setdefault((kind, low[at + 1 :]), set()).add(node)
        return self._ends


def _id(key: Any) -> int:
    from lineage.identity import node_id

    return node_id(key.kind, key.namespace, key.name)


class Ladder:
    """Places charges.

    Parameters
    ----------
    rules
        what was declared.
    names
        nodes by name.
    domains, products
        names that are known, with the domain of each product; others are never guessed.
    clues
        query ids and clusters of runs; ``None`` when the bill names neither.
    """

    def __init__(
        self,
        rules: Rules,
        names: Names,
        domains: Iterable[str],
        products: Iterable[str],
        clues: RunClues | None,
    ) -> None:
        self._rules, self._names, self._clues = rules, names, clues
        self._domains = {name.lower(): name for name in domains}
        self._products = {name.lower(): name for name in products}
        self._resources: dict[str, Place | None] = {}
        self._egress: dict[str, bool] = {}

    def place(self, charge: Mapping[str, str | None]) -> Place:
        """Where one distinct charge belongs; ``charge`` has the fields of the table charge_key."""
        tags = read_tags(charge.get("tags"))
        place = (
            self._by_resource(charge)
            or self._by_query(charge, tags)
            or self._by_tag(tags)
            or self._by_account(charge)
            or self._by_pool(charge)
        )
        if self._is_egress(charge):
            if place is None and self._rules.spread_egress:
                return Place("egress", "egress over all borders", egress=True)
            if place is not None and place.node is not None:
                return Place("egress", place.rule, node=place.node, egress=True)
        return place or Place(UNALLOCATED, "no rule", line=UNALLOCATED)

    def _by_resource(self, charge: Mapping[str, str | None]) -> Place | None:
        for text in (charge.get("resource"), charge.get("resource_name")):
            if not text:
                continue
            if text not in self._resources:
                self._resources[text] = self._resource(text)
            found = self._resources[text]
            if found is not None:
                return found
        return None

    def _resource(self, text: str) -> Place | None:
        for rule in self._rules.resources:
            if rule.regex.match(text):
                place = self._target(rule, "resource")
                if place is not None:
                    return place
        node = self._names.find(text, ("dataset", "job"), ends=False)
        if node is not None:
            return Place("resource", "name of the resource", node=node)
        for name in (text.lower(), text.lower().rsplit("/", 1)[-1]):
            if self._clues is not None and name in self._clues.clusters:
                return Place("cluster", "cluster of the run", pool=f"cluster:{name}")
        return None

    def _by_query(self, charge: Mapping[str, str | None], tags: Mapping[str, str]) -> Place | None:
        if self._clues is None:
            return None
        texts = [charge.get("query"), charge.get("resource"), *(tags.get(key) for key in _QUERY_TAGS)]
        for text in texts:
            if text and text.lower() in self._clues.queries:
                return Place("query", "id of the query", run=self._clues.queries[text.lower()])
        return None

    def _by_tag(self, tags: Mapping[str, str]) -> Place | None:
        if not tags:
            return None
        for kind in ("dataset", "job", "product", "domain"):
            for key, means in self._rules.tag_keys.items():
                if means == kind and tags.get(key):
                    place = self._named(Target(kind, tags[key]), "tag", f"tag {key}")
                    if place is not None:
                        return place
        for rule in self._rules.tag_values:
            if rule.key in tags and rule.regex.match(tags[rule.key]):
                place = self._target(rule, "tag")
                if place is not None:
                    return place
        return None

    def _by_account(self, charge: Mapping[str, str | None]) -> Place | None:
        for rule in self._rules.accounts:
            if any(text and rule.regex.match(text) for text in (charge["sub_account"], charge["sub_account_name"])):
                place = self._target(rule, "account")
                if place is not None:
                    return place
        return None

    def _by_pool(self, charge: Mapping[str, str | None]) -> Place | None:
        for pool in self._rules.pools:
            if pool_fits(pool, charge):
                return Place("pool", pool.rule, pool=pool.name)
        return None

    def _is_egress(self, charge: Mapping[str, str | None]) -> bool:
        for name in ("meter", "description", "sku"):
            text = charge.get(name)
            if text and text not in self._egress:
                self._egress[text] = any(regex.match(text) for regex in self._rules.egress)
            if text and self._egress[text]:
                return True
        return False

    def _target(self, rule: Match, method: str) -> Place | None:
        return self._named(rule.target, method, rule.rule)

    def _named(self, target: Target, method: str, rule: str) -> Place | None:
        """The place that a rule or tag names; ``None`` when there is no such thing."""
        if target.kind == "domain":
            name = self._domains.get(target.name.lower())
            return Place(method, rule, line=f"domain:{name}") if name else None
        if target.kind == "product":
            name = self._products.get(target.name.lower())
            return Place(method, rule, line=f"product:{name}") if name else None
        kinds = ("dataset", "job") if target.kind == "node" else (target.kind,)
        node = self._names.find(target.name, kinds)
        return Place(method, rule, node=node) if node is not None else None


def pool_fits(pool: Pool, charge: Mapping[str, str | None]) -> bool:
    """Whether a charge belongs to a pool: all its patterns fit."""
    return all(bool(charge.get(name)) and bool(regex.match(str(charge[name]))) for name, regex in pool.match)


def read_tags(text: str | None) -> dict[str, str]:
    """Tags of a charge with their keys in lower case; ``{}`` for none or for what is no JSON object.

    >>> read_tags('{"Domain": "sales", "n": 1}')
    {'domain': 'sales', 'n': '1'}
    """
    try:
        found = json.loads(text) if text else None
    except ValueError:
        return {}
    if isinstance(found, list):  # [{"key": …, "value": …}]
        found = {one.get("key"): one.get("value") for one in found if isinstance(one, dict)}
    if not isinstance(found, dict):
        return {}
    return {str(key).lower(): str(value) for key, value in found.items() if value is not None}
