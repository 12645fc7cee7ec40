"""``lx.contracts`` and ``lx.products``: contracts, their promises, and what a change of them would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.actor import LOCAL, Actor
from lineage.errors import DeclarationError, UsageError
from lineage.times import parse_instant

if TYPE_CHECKING:
    from lineage.asking import When
    from lineage.contracts.conformance import Conformance
    from lineage.contracts.drift import DriftSeries
    from lineage.contracts.model import Contract
    from lineage.contracts.overview import Contracts, Products, Version
    from lineage.contracts.report import ChangeReport
    from lineage.engine import Lineage
    from lineage.view import View


class ContractQuestions:
    """Questions about contracts."""

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage

    def list(
        self, status: str | None = None, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL
    ) -> Contracts:
        """All contracts with what they bind and who reads it."""
        from lineage.contracts.overview import contracts

        return contracts(self._lineage.view(as_of, known_at, actor), status)

    def versions(self, contract: str, *, known_at: When = None, actor: Actor = LOCAL) -> tuple[Version, ...]:
        """Every version of a contract as it was written, newest first; of ``ID@2`` those of this major version."""
        from lineage.contracts.model import semver
        from lineage.contracts.overview import find, versions

        view = self._lineage.view(None, known_at, actor)
        found = find(view, contract)
        every = versions(view, "contract", found.id)
        if contract in (found.id, found.name):
            return every
        return tuple(one for one in every if (semver(one.version or "") or (0,))[0] == found.major)

    def written(self, contract: str, *, known_at: When = None, actor: Actor = LOCAL) -> str:
        """The text of a contract: of ``ID@2`` that of this major version, else that of the active one."""
        from lineage.contracts.overview import find

        meant = find(self._lineage.view(None, known_at, actor), contract)
        every = self.versions(contract, known_at=known_at, actor=actor)
        return next((one for one in every if one.version == meant.version), every[0]).text

    def check(
        self,
        only: str | None = None,
        *,
        now: datetime | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Conformance:
        """A verdict on each promise; ``only`` is a contract or a dataset."""
        from lineage.contracts.conformance import conformance

        return conformance(self._lineage.view(as_of, known_at, actor), only, now=now)

    def draft(self, dataset: str, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> str:
        """A first contract for a dataset, as YAML."""
        from lineage.contracts.draft import draft
        from lineage.resolve import resolve

        view = self._lineage.view(as_of, known_at, actor)
        return draft(view, resolve(view, dataset))

    def change(
        self,
        new: str | Path,
        old: str | Path | None = None,
        *,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> ChangeReport:
        """What a new version of a contract would do; ``old`` is a file, default the active version in the store.

        Raises
        ------
        DeclarationError
            when a file is no contract; with every problem.
        UsageError
            when nothing has this id yet.
        """
        from lineage.contracts.judge import judge_contract

        view = self._lineage.view(as_of, known_at, actor)
        after = read_file(Path(new))
        if old is not None:
            return judge_contract(view, read_file(Path(old)), after)
        return judge_contract(view, _active(view, after), after)

    def change_text(
        self, new: str, old: str | None = None, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL
    ) -> ChangeReport:
        """Like :meth:`change`, from texts."""
        from lineage.contracts.judge import judge_contract

        view = self._lineage.view(as_of, known_at, actor)
        after = read_text(new, "new")
        before = read_text(old, "old") if old is not None else _active(view, after)
        return judge_contract(view, before, after)

    def change_nodes(
        self,
        *,
        drop: Sequence[str] = (),
        rename: Mapping[str, str] | None = None,
        retype: Mapping[str, str] | None = None,
        retire: Sequence[str] = (),
        late: Mapping[str, float] | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> ChangeReport:
        """What changes of nodes would do; ``retire`` names products (or nodes)."""
        from lineage.change import read_changes
        from lineage.contracts.judge import judge_nodes

        view = self._lineage.view(as_of, known_at, actor)
        named = [_of_product(view, name) for name in retire]
        nodes = [node for _, held in named for node in held]
        products = [product for product, _ in named if product]
        return judge_nodes(view, read_changes(view, drop, rename, retype, nodes, late), products)


class ProductQuestions:
    """Questions about products."""

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage

    def list(self, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> Products:
        """All products with their datasets, consumers and drift."""
        from lineage.contracts.overview import products

        return products(self._lineage.view(as_of, known_at, actor))

    def versions(self, product: str, *, known_at: When = None, actor: Actor = LOCAL) -> tuple[Version, ...]:
        """Every version of a product as it was written, newest first."""
        from lineage.contracts.overview import find_product, versions

        view = self._lineage.view(None, known_at, actor)
        return versions(view, "product", find_product(view, product))

    def drift(
        self, product: str, start: When = None, end: When = None, *, known_at: When = None, actor: Actor = LOCAL
    ) -> DriftSeries:
        """Where a product was other than declared, over time: one step per day on which differences came or went.

        ``start`` and ``end`` default to ninety days before the end, and now.

        Raises
        ------
        UnknownContractError
            when there is no such product, or the actor may not see it.
        UsageError
            when the end is not after the start.
        """
        from lineage.contracts.drift import series
        from lineage.contracts.overview import find_product

        end, start = (
            parse_instant(at, name=n) if isinstance(at, str) else at for n, at in (("to", end), ("from", start))
        )
        first = self._lineage.view(end, known_at, actor)
        name = find_product(first, product)
        begin = self._lineage.view(start, known_at, actor).as_of if start is not None else None
        return series(lambda at: self._lineage.view(at, first.known_at, actor), name, begin, first.as_of)


def read_file(path: Path) -> Contract:
    """A contract out of a file.

    Raises
    ------
    DeclarationError
        with every problem, when it is none.
    """
    from lineage.contracts.files import CONTRACTS
    from lineage.contracts.model import read_contract
    from lineage.yamlfile import read_declared

    file, problems = read_declared(path, path.as_posix())
    item, wrong = CONTRACTS.read(file) if file else (None, problems)
    if item is None:
        raise DeclarationError(wrong)
    return read_contract(item.file.value)


def read_text(text: str, shown: str) -> Contract:
    """Like :func:`read_file`, from text."""
    from lineage.contracts.files import check_text
    from lineage.contracts.model import read_contract

    item, wrong = check_text(text, shown)
    if item is None:
        raise DeclarationError(wrong)
    return read_contract(item.file.value)


# -- inside


def _active(view: View, new: Contract) -> Contract:
    from lineage.contracts.binding import bindings
    from lineage.contracts.lookup import visible

    known = bindings(view.instant).contracts
    fits = [one for one in known if one.id == new.id and visible(view, one)]
    if not fits:
        raise UsageError(f"There is no contract {new.id} in the store yet. Name the file of the old version before it.")
    return max(fits, key=lambda c: (c.status == "active", c.major == new.major, c.major, c.version))


def _of_product(view: View, name: str) -> tuple[str, list[str]]:
    """Id of a product and the texts of its datasets; no id and the name itself when there is no such product."""
    from lineage.contracts.overview import products

    found = next((p for p in products(view).products if name in (p.id, p.name, f"product:{p.id}")), None)
    if found is None:
        return "", [name]
    if not found.datasets:
        raise UsageError(f"Product {name} has no dataset that was ever seen.")
    return found.id, list(found.datasets)
