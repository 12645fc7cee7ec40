"""What all metrics look at, as arrays over datasets and jobs, carried along the rising instants of a film."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.arrow import numbers
from lineage.contracts.binding import bindings
from lineage.contracts.conformance import Promise
from lineage.graph.arrays import DATASET, I64, VERTEX_MASK
from lineage.graph.column_flow import ColumnFlow, column_flow
from lineage.policies.declared_views import DOMAINS, GRANTS, classification_of
from lineage.policies.moment import moment
from lineage.policies.views import DESCRIBED, Mesh, first_active
from lineage.presence import here
from lineage.products import membership, products_of
from lineage.quality.following import Following
from lineage.scorecards.answers import Row
from lineage.scorecards.base import Base, Majors, Settled, Versions, dataset_of
from lineage.scorecards.film import COLUMNS, DECLARED, EDGES, FACETS, NAMES, TAGS, THERE, Film, Frame
from lineage.scorecards.lives import Lives
from lineage.scorecards.promises import CarriedPromises, Held
from lineage.tags import column_tags
from lineage.view import View, prepare_domains

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.contracts.binding import Bound
    from lineage.policies.violations import Violation
    from lineage.quality.streak import Streak


class Words:
    """Texts as small numbers; the empty one is 0."""

    def __init__(self) -> None:
        self.texts: list[str] = [""]
        self._codes: dict[str, int] = {"": 0}

    def code(self, text: str) -> int:
        """Number of a text."""
        found = self._codes.get(text)
        if found is None:
            found = self._codes[text] = len(self.texts)
            self.texts.append(text)
        return found


class State:
    """Arrays by dense index; those of datasets and jobs have ``many`` entries, datasets come first."""

    def __init__(self, last: datetime) -> None:
        self.words = Words()
        self.many = self.datasets = 0
        self.domain = self.product = self.tier = np.zeros(0, dtype=np.int64)
        self.owned = self.active = self.visible = np.zeros(0, dtype=bool)
        self.texts: list[str] = []
        self.places: dict[str, int] = {}
        self.contract: dict[int, Bound] = {}
        self.tagged = self.personal = np.zeros(0, dtype=bool)  # by column
        self.own_tags: dict[tuple[str, str], str] = {}
        self.columns: I64 = np.zeros(0, dtype=np.int64)  # dense indices of those that were observed
        self.homes: I64 = np.zeros(0, dtype=np.int64)  # dataset of each column that was observed or promised
        self.classified = np.zeros(0, dtype=bool)  # by its contract
        self.src = self.dst = np.zeros(0, dtype=np.int64)  # edges between datasets
        self.pairs = np.zeros(0, dtype=np.uint64)  # of datasets that column edges join
        self.flow: ColumnFlow | None = None
        self.promises = CarriedPromises(last)
        self.lives = Lives(last)
        self.following = Following(last)
        self.settled: dict[int, Settled] = {}
        self.majors: Majors = {}
        self.versions: dict[str, Versions] = {}  # of contracts and products

    def move(self, view: View) -> Frame:
        """Take over what changed until the instant of a view."""
        frame = view.instant
        assert isinstance(frame, Frame)
        changed = frame.changed
        if NAMES in changed:
            self._names(view)
        if changed & {NAMES, EDGES}:
            self._edges(view)
        if changed & {NAMES, COLUMNS}:
            self._column_edges(view)
        if changed & {NAMES, FACETS, DECLARED}:
            self._facets(view, frame)
        if changed & {NAMES, DECLARED, THERE}:
            self._declared(view)
        if changed & {NAMES, COLUMNS, TAGS, DECLARED, THERE}:
            self._tags(view)
        if changed:
            self.visible = here(frame)
            if view.restricted:
                self.visible = self.visible & [not view.hidden(i) for i in range(self.many)]
            self._tiers(view)
        return frame

    def _names(self, view: View) -> None:
        snapshot = view.snapshot
        self.many, self.datasets = snapshot._nodes.first_column, snapshot._nodes.datasets
        self.texts = list(snapshot.texts(range(self.many)))
        self.places = {text: i for i, text in enumerate(self.texts)}

    def _edges(self, view: View) -> None:
        snapshot = view.snapshot
        unit = snapshot.level("dataset").down.unit
        public = snapshot.level("dataset").public
        src = public[np.repeat(np.arange(len(unit.indptr) - 1) + unit.first, np.diff(unit.indptr))]
        dst = public[unit.indices[: unit.edges] & np.uint32(VERTEX_MASK)]
        kinds = snapshot.kind
        keep = (kinds[src] == DATASET) & (kinds[dst] == DATASET) & (src != dst)
        self.src, self.dst = src[keep].astype(np.int64), dst[keep].astype(np.int64)

    def _column_edges(self, view: View) -> None:
        snapshot = view.snapshot
        self.flow = flow = view.instant.remember("column flow", lambda: column_flow(snapshot))
        ends = (snapshot._nodes.datasets_of(part).astype(np.uint64) for part in (flow.src, flow.dst))
        self.pairs = np.unique(next(ends) << np.uint64(32) | next(ends))

    def _facets(self, view: View, frame: Frame) -> None:
        every = range(self.many)
        prepare_domains(frame, every)
        names, code = frame._domain, self.words.code
        altered: Sequence[int] = every
        if frame.altered is not None:
            nodes = view.snapshot.indices(list(frame.altered))
            altered = np.unique(nodes[(nodes >= 0) & (nodes < self.many)]).tolist()
            self.domain, self.owned = self.domain.copy(), self.owned.copy()
        else:
            self.domain, self.owned = np.zeros(self.many, np.int64), np.zeros(self.many, bool)
        for i in altered:
            self.domain[i] = code(names[i] or "")
            self.owned[i] = bool(frame.owner(i))

    def _declared(self, view: View) -> None:
        frame, code = view.instant, self.words.code
        bound = bindings(frame).by_node
        self.contract = {i: first_active(several) for i, several in bound.items()}
        self.product, self.active = np.zeros(self.many, np.int64), np.zeros(self.many, bool)
        for i, name in membership(frame).items():
            self.product[i] = code(name or "")
        for i, one in self.contract.items():
            self.active[i] = one.contract.status == "active"
        mesh = Mesh(view)
        table, self.columns = mesh.asset_column(), mesh.seen_columns
        homes = [self.places[text] for text in table["dataset"].to_pylist()]
        self.homes = np.array(homes, dtype=np.int64)
        self.classified = np.array([bool(word) for word in table["classification"].to_pylist()], dtype=bool)

    def _tags(self, view: View) -> None:
        from lineage.scorecards.state import is_personal

        snapshot = view.snapshot
        table = column_tags(view.instant)
        tags = table["tag"].to_pylist()
        column, dataset, origin = (snapshot.indices(numbers(table[n])) for n in ("column", "dataset", "origin"))
        personal = np.array([is_personal(tag) for tag in tags], dtype=bool)
        marks = personal | np.array([tag.startswith("classification:") for tag in tags], dtype=bool)
        self.personal, self.tagged = np.zeros(snapshot.n, bool), np.zeros(snapshot.n, bool)
        self.personal[column[personal]] = True
        self.tagged[column[marks]] = True
        own = np.flatnonzero((numbers(table["hops"]) == 0) & (origin == dataset)) if len(tags) else ()
        self.own_tags = {}
        for k in map(int, own):
            key, _, word = tags[k].partition(":")
            if key in ("tier", "classification"):
                self.own_tags[self.texts[dataset[k]], key] = word

    def _tiers(self, view: View) -> None:
        """Tier of each dataset and job: of its product, else of its own."""
        code, own = self.words.code, np.zeros(self.many, np.int64)
        found: dict[int, int] = {}
        told = sorted((self.places[text], word) for (text, key), word in self.own_tags.items() if key == "tier")
        for i, word in told:
            own[i] = code(word)
            if word and self.product[i] and self.visible[i]:
                found[int(self.product[i])] = code(word)
        for name, info in products_of(view.instant).items():
            if view.actor.may_see(info.domain) and (word := str(info.custom.get("tier") or "")):
                found[code(name)] = code(word)
        of_product = np.zeros(len(self.words.texts), np.int64)
        of_product[list(found)] = list(found.values())
        self.tier = np.where(of_product[self.product] > 0, of_product[self.product], own)


class CarriedBase(Base):
    """The base of one instant on top of carried arrays: it looks up single assets instead of listing them all."""

    def __init__(self, view: View, state: State, frame: Frame) -> None:
        self.view, self.state, self.frame = view, state, frame
        self.when = self.times(view)
        self.products = self.visible_products(view)

    @cached_property
    def by_id(self) -> Any:
        """Assets by node text, each made when it is asked for."""
        return _Assets(self)

    @cached_property
    def violations(self) -> tuple[Violation, ...]:
        """Every violation until the instant."""
        return self.state.lives.at(self.view)

    @property
    def settled(self) -> dict[int, Settled] | None:
        """Closed violations keep their identity from day to day when everything may be seen."""
        return None if self.view.restricted else self.state.settled

    @cached_property
    def versions(self) -> dict[str, Versions]:
        """Versions of contracts and products."""
        if DECLARED in self.frame.changed or not self.state.versions:
            anew = Base(self.view)
            self.state.versions, self.state.majors = anew.versions, anew.majors
        return self.state.versions

    @cached_property
    def majors(self) -> Majors:
        """Contracts with several majors."""
        return self.state.majors if self.versions else {}

    def is_there(self, kept: Settled) -> bool:
        """Whether the asset of a violation still belongs where it did."""
        state, like = self.state, kept.like
        i = state.places.get(kept.of.subject)
        if i is None or not state.visible[i] or kept.of.subject in self.products:
            return super().is_there(kept)
        told, code = state.words.texts, (state.domain[i], state.product[i], state.tier[i])
        return (told[code[0]], told[code[1]], told[code[2]]) == (like.domain, like.product, like.tier)

    @cached_property
    def streaks(self) -> Sequence[Streak]:
        """All streaks of failures."""
        return self.state.following.at(self.view, renewed=bool(self.frame.changed & {NAMES, DECLARED, THERE}))

    def about(
        self, subject: str, counted: bool | None = True, value: float | None = None, note: str = ""
    ) -> Row | None:
        """A row about any subject; of a dataset or job it is made from the arrays."""
        state = self.state
        i = state.places.get(subject)
        if i is None or not state.visible[i] or subject in self.products:
            return super().about(subject, counted, value, note)
        words = state.words.texts
        return Row(subject, words[state.domain[i]], words[state.product[i]], words[state.tier[i]], counted, value, note)

    def not_there(self, subject: str) -> bool:
        """Whether a subject is a dataset or job that was not there yet, or a column of one."""
        places = self.state.places
        i = places.get(subject, places.get(dataset_of(subject)))
        return i is not None and not here(self.frame)[i]

    @cached_property
    def own_tags(self) -> dict[tuple[str, str], str]:
        """What datasets were tagged with themselves."""
        return self.state.own_tags

    @cached_property
    def _tiers(self) -> dict[str, str]:
        state = self.state
        found = {}
        for i in np.flatnonzero(state.visible & (state.product > 0) & (state.tier > 0)).tolist():
            found[state.words.texts[state.product[i]]] = state.words.texts[state.tier[i]]
        told = {name: str(info.custom.get("tier") or "") for name, info in self.products.items()}
        return {**found, **{name: tier for name, tier in told.items() if tier}}

    @cached_property
    def members(self) -> dict[str, list[str]]:
        """Product → its datasets."""
        found: dict[str, list[str]] = {name: [] for name in self.products}
        for i, name in sorted(membership(self.frame).items()):
            if name in found and self.state.visible[i]:
                found[name].append(self.state.texts[i])
        return found

    @cached_property
    def promises(self) -> Mapping[str, Sequence[Promise]]:
        """Every promise of every contract with its verdict, by dataset."""
        return {label: [one for held in parts for one in held.said] for label, parts in self._held.items()}

    @cached_property
    def verdicts(self) -> Mapping[str, tuple[int, int]]:
        """How many promises are broken, and of how many nothing is known, by dataset."""
        return {
            label: (sum(held.broken for held in parts), sum(held.unknown for held in parts))
            for label, parts in self._held.items()
            if any(held.said for held in parts)
        }

    @cached_property
    def _held(self) -> Mapping[str, Sequence[Held]]:
        return self.state.promises.at(self.view, self.frame)

    @cached_property
    def described(self) -> Any:
        """Dense indices of what is described in a facet."""
        rows = self.view.store.rows(DESCRIBED, {"at": self.view.snapshot.as_of, "known": self.view.snapshot.known_at})
        return {i for i in (self.view.snapshot.index(row[0]) for row in rows) if i is not None}

    @cached_property
    def subject_domains(self) -> dict[str, str | None]:
        """Domain of what a policy can speak of beside datasets, jobs and columns."""
        view = self.view
        told = bindings(self.frame)
        contracts = (*(one.contract for one in told.bound), *(one.contract for one in told.unbound))
        found: dict[str, str | None] = {one.id: one.domain or None for one in contracts}
        found |= {name: one.domain or None for name, one in products_of(self.frame).items()}
        when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at}
        found |= {row[0]: row[0] for row in view.store.rows(DOMAINS, when)}
        grants = view.store.rows(GRANTS, {"at": moment(view), "known": view.known_at})
        return {**found, **{row[0]: found.get(row[1]) for row in grants}}


class _Assets(Mapping[str, dict[str, Any]]):
    """Assets that the actor may see, made one by one."""

    def __init__(self, base: CarriedBase) -> None:
        self._base = base

    def __getitem__(self, text: str) -> dict[str, Any]:
        base, state = self._base, self._base.state
        i = state.places[text]
        if not state.visible[i]:
            raise KeyError(text)
        bound, words = state.contract.get(i), state.words.texts
        return {
            "id": text,
            "node": i,
            "kind": "dataset" if i < state.datasets else "job",
            "domain": words[state.domain[i]] or None,
            "product": words[state.product[i]] or None,
            "owner": base.frame.owner(i),
            "contract": bound.contract.id if bound else None,
            "contract_status": bound.contract.status if bound else None,
            "classification": classification_of(bound) if bound else None,
            "described": i in base.described or bool(bound and bound.thing.description),
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._base.state.texts)

    def __len__(self) -> int:
        return len(self._base.state.texts)


def carried(film: Film, moments: Sequence[datetime]) -> Iterator[CarriedBase]:
    """The base of each instant in turn; one is done with before the next is asked for."""
    state = State(moments[-1])
    for at in moments:
        view = film.at(at)
        yield CarriedBase(view, state, state.move(view))
