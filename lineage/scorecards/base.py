"""What all metrics of one instant look at: datasets and jobs with domain, product and tier, as an actor sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lineage.arrow import numbers
from lineage.contracts.conformance import Promise, conformance
from lineage.policies import declared_views as declared
from lineage.policies.evaluate import domains_of
from lineage.policies.ledger import lives_of
from lineage.policies.views import Mesh
from lineage.presence import absent
from lineage.products import ProductInfo, products_of
from lineage.scorecards.answers import Row

if TYPE_CHECKING:
    from lineage.policies.violations import Violation
    from lineage.quality.streak import Streak
    from lineage.view import View

WINDOW = timedelta(days=30)  # of what counts as recent
_SEEN = """
-- datasets that a run named in the 30 days before T as known at K, with how many runs read them
SELECT o.dataset, count(DISTINCT (o.run, o.job)) FILTER (o.direction = 'in') AS reads FROM run_io o
WHERE o.last_at > $since AND o.seen_at <= $at AND o.known_from <= $known AND o.known_to > $known GROUP BY o.dataset
"""
_RAN = """
-- jobs with a run in the 30 days before T as known at K
SELECT DISTINCT job FROM run
WHERE last_event > $since AND first_event <= $at AND known_from <= $known AND known_to > $known
"""
_VERSIONS = """
-- versions of {table}s with the interval over which each holds, until T as known at K
SELECT name, version, status, domain, valid_from, valid_to FROM {table}
WHERE valid_from <= $at AND known_from <= $known AND known_to > $known ORDER BY name, valid_from
"""
Majors = dict[str, dict[int, tuple[datetime, datetime, str]]]
Versions = dict[str, list[tuple[str, str, str, datetime, datetime]]]


@dataclass(frozen=True, slots=True)
class Settled:
    """What one violation adds to which metrics."""

    of: Violation
    like: Row  # a row about its asset
    rows: Sequence[tuple[str, Row]]


class Base:
    """One instant while its scorecards are made."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.mesh = Mesh(view)
        self.when = self.times(view)
        self.products = self.visible_products(view)

    @staticmethod
    def times(view: View) -> dict[str, Any]:
        """The instant and the beginning of what counts as recent."""
        return {"at": view.as_of, "known": view.known_at, "since": view.as_of - WINDOW}

    @staticmethod
    def visible_products(view: View) -> dict[str, ProductInfo]:
        """Products that the actor may see."""
        return {name: one for name, one in products_of(view.instant).items() if view.actor.may_see(one.domain)}

    @cached_property
    def assets(self) -> list[dict[str, Any]]:
        """Datasets and jobs that the actor may see, as the policies see them."""
        rows: list[dict[str, Any]] = self.mesh.asset().to_pylist()
        return [
            {**row, "node": node} for node, row in zip(self.mesh.nodes, rows, strict=True) if not self.view.hidden(node)
        ]

    @cached_property
    def datasets(self) -> list[dict[str, Any]]:
        """The datasets among them."""
        return [one for one in self.assets if one["kind"] == "dataset"]

    @cached_property
    def by_id(self) -> dict[str, dict[str, Any]]:
        """Assets by node text."""
        return {one["id"]: one for one in self.assets}

    @cached_property
    def promises(self) -> Mapping[str, Sequence[Promise]]:
        """Every promise of every contract with its verdict, by dataset."""
        found: dict[str, list[Promise]] = {}
        for promise in conformance(self.view).promises:
            found.setdefault(promise.dataset, []).append(promise)
        return found

    @cached_property
    def verdicts(self) -> Mapping[str, tuple[int, int]]:
        """How many promises are broken, and of how many nothing is known, by dataset."""
        told = {name: [one.verdict for one in promises] for name, promises in self.promises.items()}
        return {name: (words.count("broken"), words.count("unknown")) for name, words in told.items()}

    @cached_property
    def violations(self) -> tuple[Violation, ...]:
        """Every violation until the instant."""
        return lives_of(self.view)

    @property
    def settled(self) -> dict[int, Settled] | None:
        """Where to keep what violations that were closed long ago add, by identity; ``None`` = nowhere."""
        return None

    def is_there(self, kept: Settled) -> bool:
        """Whether the asset of a violation still belongs where it did."""
        return self.about(kept.of.subject) == kept.like

    @cached_property
    def majors(self) -> Majors:
        """Contracts with several majors: when each came into force, when it went, and its domain; in order."""
        found: dict[str, dict[int, tuple[datetime, datetime, str]]] = {}
        for name, versions in self.versions["contract"].items():
            stem, head = name.rpartition("@")[0] or name, versions[0][0].split(".", 1)[0]
            serving = [one for one in versions if one[1] in ("active", "deprecated")]
            if serving:
                span = serving[0][3], max(one[4] for one in serving), serving[0][2]
                found.setdefault(stem, {})[int(head) if head.isdigit() else 0] = span
        return {stem: by_major for stem, by_major in sorted(found.items()) if len(by_major) > 1}

    @cached_property
    def versions(self) -> dict[str, Versions]:
        """Contracts and products: name → (version, status, domain, from, to), of what the actor may see."""
        when = {"at": self.view.as_of, "known": self.view.known_at}
        told: dict[str, Versions] = {"contract": {}, "product": {}}
        for table, found in told.items():
            for name, version, status, domain, *span in self.view.store.rows(_VERSIONS.format(table=table), when):
                if self.view.actor.may_see(domain):
                    found.setdefault(name, []).append((version or "", status or "", domain or "", span[0], span[1]))
        return told

    @cached_property
    def streaks(self) -> Sequence[Streak] | None:
        """All streaks of failures, when they are known already."""
        return None

    @cached_property
    def members(self) -> dict[str, list[str]]:
        """Product → its datasets."""
        found: dict[str, list[str]] = {name: [] for name in self.products}
        for one in self.datasets:
            if one["product"] in found:
                found[one["product"]].append(one["id"])
        return found

    @cached_property
    def recent(self) -> dict[int, int]:
        """Runs of the last 30 days that read each dataset that was seen in them; by dense index."""
        table = self.view.store.arrow(_SEEN, self.when)
        at = self.view.snapshot.indices(numbers(table.column("dataset"))).tolist()
        found: dict[int, int] = {}
        for i, reads in zip(at, table.column("reads").to_pylist(), strict=True):
            if i >= 0:
                found[i] = found.get(i, 0) + reads
        return found

    @cached_property
    def ran(self) -> set[int]:
        """Jobs that ran in the last 30 days."""
        jobs = numbers(self.view.store.arrow(_RAN, self.when).column("job"))
        return {i for i in self.view.snapshot.indices(jobs).tolist() if i >= 0}

    @cached_property
    def subject_domains(self) -> dict[str, str | None]:
        """Domain of whatever a policy can speak of."""
        mesh = self.mesh
        return domains_of({
            "asset": mesh.asset(), "asset_column": mesh.asset_column(), "contract": declared.contract(mesh),
            "product": declared.product(mesh), "access": declared.access(mesh), "domain": declared.domain(mesh),
        })  # fmt: skip

    @cached_property
    def tags(self) -> list[tuple[str, str, str, bool]]:
        """Column, its dataset, a tag of it, and whether the dataset itself was given that tag."""
        told = self.mesh.column_tag()
        parts = (told[name].to_pylist() for name in ("id", "dataset", "tag", "hops", "origin"))
        return [(column, home, tag, not hops and origin == home)
                for column, home, tag, hops, origin in zip(*parts, strict=True)]  # fmt: skip

    @cached_property
    def own_tags(self) -> dict[tuple[str, str], str]:
        """What datasets were tagged with themselves: (dataset, ``tier`` or ``classification``) → word."""
        found: dict[tuple[str, str], str] = {}
        for _, home, tag, own in self.tags:
            key, _, word = tag.partition(":")
            if own and key in ("tier", "classification"):
                found[home, key] = word
        return found

    @cached_property
    def _tiers(self) -> dict[str, str]:
        """Tier of each product: as its file tells in ``customProperties``, else as one of its datasets is tagged."""
        found: dict[str, str] = {}
        for one in self.datasets:
            if one["product"] and (tier := self.own_tags.get((one["id"], "tier"))):
                found[one["product"]] = tier
        told = {name: str(info.custom.get("tier") or "") for name, info in self.products.items()}
        return {**found, **{name: tier for name, tier in told.items() if tier}}

    def tier(self, product: str | None, dataset: str = "") -> str:
        """Tier of a product or of a dataset of its own; empty when nobody told it."""
        return self._tiers.get(product or "") or self.own_tags.get((dataset, "tier"), "")

    def row(self, asset: dict[str, Any], counted: bool | None = True, value: float | None = None,
            note: str = "") -> Row:  # fmt: skip
        """A row about a dataset or job."""
        product = asset["product"] or ""
        if "tier" not in asset:  # a dataset is in many rows
            asset["tier"] = self.tier(product, asset["id"])
        return Row(asset["id"], asset["domain"] or "", product, asset["tier"], counted, value, note)

    def about(self, subject: str, counted: bool | None = True, value: float | None = None, note: str = "",
              ) -> Row | None:  # fmt: skip
        """A row about any subject; ``None`` when the actor may not see it, or when it was not there yet."""
        asset = self.by_id.get(subject) or self.by_id.get(dataset_of(subject))
        home = (asset["domain"] if asset else self.subject_domains.get(subject)) or ""
        if not self.view.actor.may_see(home) or (
            asset is None and (self._hidden_node(subject) or self.not_there(subject))
        ):
            return None
        product = subject if subject in self.products else (asset["product"] if asset else "") or ""
        return Row(subject, home, product, self.tier(product, asset["id"] if asset else ""), counted, value, note)

    def not_there(self, subject: str) -> bool:
        """Whether a subject is a dataset or job that was not there yet, or a column of one."""
        return subject in self._later or dataset_of(subject) in self._later

    @cached_property
    def _later(self) -> frozenset[str]:
        """Texts of datasets and jobs that were not there yet."""
        return frozenset(self.view.snapshot.texts(sorted(absent(self.view.instant))))

    def _hidden_node(self, subject: str) -> bool:
        """Whether an actor who may not see everything asks for a node that is not among what may be seen."""
        return self.view.restricted and subject.split(":", 1)[0] in ("dataset", "job", "column")

    def product_row(self, name: str, counted: bool | None = True, value: float | None = None, note: str = "") -> Row:
        """A row about a product."""
        return Row(name, self.products[name].domain, name, self.tier(name), counted, value, note)


def dataset_of(subject: str) -> str:
    """Node text of the dataset of a column; others have none."""
    if not subject.startswith("column:"):
        return ""
    return "dataset:" + subject.removeprefix("column:").rpartition(":")[0]
