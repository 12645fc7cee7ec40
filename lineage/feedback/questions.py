"""``lx.feedback``: ratings, problems and answers on a product. The acts are the truth; states are read from them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from lineage.actor import LOCAL, Actor
from lineage.audit import record
from lineage.errors import MeshlineError, UsageError
from lineage.policies.access_rules import deciders, may_decide
from lineage.products import products_of
from lineage.shown import Shown
from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.asking import When
    from lineage.engine import Lineage
    from lineage.view import View

LONGEST = 4_000  # characters of one text
State = Literal["rated", "open", "answered", "closed"]
_ACTS = """
-- what was said of products until T as known at K, in order
SELECT feedback, act, product, rating, said, actor, acted_at FROM feedback_act
WHERE acted_at <= $at AND acted_at <= $known ORDER BY acted_at, feedback
"""


class UnknownFeedbackError(MeshlineError):
    """Nothing that was said has this id, or no product."""

    exit_code = 2
    status = 404


@dataclass(frozen=True, slots=True)
class Said:
    """One answer to a rating or problem."""

    act: str  # 'answer' or 'close'
    text: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """A rating (1 to 5) or a problem, with what was answered."""

    id: str
    product: str
    domain: str
    state: State
    rating: int | None
    text: str
    actor: str
    at: datetime
    answers: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Rating:
    """Mean of the newest rating of each person; ``None`` when nobody rated."""

    product: str
    mean: float | None
    people: int
    open_problems: int
    owners: tuple[str, ...]  # who sees it and may answer


@dataclass(frozen=True, slots=True)
class Feedback(Shown):
    """Answer of ``feedback list``: open problems first."""

    items: tuple[FeedbackRow, ...]
    ratings: tuple[Rating, ...]
    as_of: datetime
    known_at: datetime

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("id", "product", "state", "rating", "text", "actor", "at", "answers")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per rating or problem."""
        return [
            (one.id, one.product, one.state, one.rating, one.text, one.actor, one.at,
             [f"{said.actor}: {said.text}" for said in one.answers])
            for one in self.items
        ]  # fmt: skip

    def title(self) -> str:
        """How many."""
        return f"{len(self.items)} said, {sum(one.state == 'open' for one in self.items)} problems wait for an answer"

    def remarks(self) -> tuple[str, ...]:
        """The mean of each product."""
        return tuple(
            f"{one.product}: {'not rated' if one.mean is None else f'{one.mean:.1f} of 5 by {one.people}'}"
            for one in self.ratings
        )


class FeedbackQuestions:
    """Questions and acts."""

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage

    def list(
        self,
        product: str | None = None,
        *,
        domain: str | None = None,
        owner: str | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Feedback:
        """What was said of products that may be seen; of one product, of one domain, or of those that an owner owns.

        Raises
        ------
        UnknownFeedbackError
            when the product is unknown.
        """
        view = self._lineage.view(as_of, known_at, actor)
        if product is not None:
            _product(view, product)
        names = [
            name for name, one in products_of(view.instant).items()
            if actor.may_see(one.domain) and product in (None, name) and domain in (None, one.domain)
            and (owner is None or owner in deciders(view, name))
        ]  # fmt: skip
        items = [one for one in _read(view) if one.product in names]
        items.sort(key=lambda one: one.at, reverse=True)
        items.sort(key=lambda one: one.state != "open")
        ratings = tuple(_rating(view, name, items) for name in sorted(names))
        return Feedback(tuple(items), ratings, view.as_of, view.known_at)

    def give(self, product: str, rating: int, text: str = "", *, actor: Actor = LOCAL) -> FeedbackRow:
        """Rate a product from 1 (useless) to 5; the newest rating of a person counts.

        Raises
        ------
        UsageError
            when it is none of the five.
        """
        if isinstance(rating, bool) or rating not in (1, 2, 3, 4, 5):
            raise UsageError(f"rating: {rating!r} is none of 1, 2, 3, 4, 5.")
        return self._new("rate", product, rating, _text(text, needed=False), actor)

    def report(self, product: str, text: str, *, actor: Actor = LOCAL) -> FeedbackRow:
        """Report a problem with a product."""
        return self._new("report", product, None, _text(text), actor)

    def answer(self, name: str, text: str, *, close: bool = False, actor: Actor = LOCAL) -> FeedbackRow:
        """Answer as an owner of the product, and perhaps close; whoever reported it may close it too.

        Raises
        ------
        UsageError
            when it is closed, or the actor may not answer.
        """
        view = self._lineage.view(actor=actor)
        one = self._one(view, name)
        if one.state == "closed":
            raise UsageError(f"{name} is closed; report it again if it is back.")
        own = close and one.actor.casefold() == actor.name.casefold()
        if not own and not may_decide(view, one.product, actor.name):
            names = ", ".join(deciders(view, one.product))
            raise UsageError(f"{actor.name} may not answer for product {one.product}; that is up to {names}.")
        self._write(one.id, "close" if close else "answer", one.product, None, _text(text), actor)
        return self._one(self._lineage.view(actor=actor), name)

    def _new(self, act: str, product: str, rating: int | None, text: str, actor: Actor) -> FeedbackRow:
        _product(self._lineage.view(actor=actor), product)
        name = f"f{secrets.token_hex(5)}"
        self._write(name, act, product, rating, text, actor)
        return self._one(self._lineage.view(actor=actor), name)

    def _write(self, name: str, act: str, product: str, rating: int | None, text: str, actor: Actor) -> None:
        now = utcnow()
        with self._lineage.store.transaction() as cursor:
            cursor.execute(
                "INSERT INTO feedback_act VALUES (?, ?, ?, ?, ?, ?, ?)",
                [name, act, product, rating, text, actor.name, now],
            )
            payload = {"product": product, "rating": rating or 0, "text": text}
            record(cursor, actor=actor.name, action=f"feedback.{act}", resource=name, payload=payload, at=now)

    def _one(self, view: View, name: str) -> FeedbackRow:
        for one in _read(view):
            if one.id == name and view.actor.may_see(one.domain):
                return one
        raise UnknownFeedbackError(f"Nothing that was said has the id “{name}”. meshline feedback list names them.")


# -- inside


def _read(view: View) -> list[FeedbackRow]:
    """Everything that was said, whoever may see it."""
    products = products_of(view.instant)
    rows: dict[str, tuple[Any, ...]] = {}
    answers: dict[str, list[Said]] = {}
    for name, act, product, rating, said, actor, at in view.store.rows(
        _ACTS, {"at": view.as_of, "known": view.known_at}
    ):
        if act in ("rate", "report"):
            rows[name] = (product, rating, said, actor, at)
        else:
            answers.setdefault(name, []).append(Said(act, said, actor, at))
    return [
        FeedbackRow(
            name, product, products[product].domain if product in products else "", _state(rating, answers.get(name)),
            rating, said, actor, at, tuple(answers.get(name, ())),
        )
        for name, (product, rating, said, actor, at) in rows.items()
    ]  # fmt: skip


def _state(rating: int | None, answers: list[Said] | None) -> State:
    if answers and any(one.act == "close" for one in answers):
        return "closed"
    if answers:
        return "answered"
    return "open" if rating is None else "rated"


def _rating(view: View, product: str, items: list[FeedbackRow]) -> Rating:
    newest: dict[str, FeedbackRow] = {}
    for one in items:
        if one.product == product and one.rating is not None:
            held = newest.get(one.actor.casefold())
            if held is None or one.at > held.at:
                newest[one.actor.casefold()] = one
    stars = [one.rating or 0 for one in newest.values()]
    waiting = sum(one.product == product and one.state == "open" for one in items)
    mean = sum(stars) / len(stars) if stars else None
    return Rating(product, mean, len(stars), waiting, deciders(view, product))


def _product(view: View, name: str) -> None:
    found = products_of(view.instant).get(name)
    if found is None or not view.actor.may_see(found.domain):
        raise UnknownFeedbackError(f"There is no product “{name}”. meshline products list names them.")


def _text(text: str, *, needed: bool = True) -> str:
    text = text.strip()
    if needed and not text:
        raise UsageError("text: say in a few words what it is.")
    if len(text) > LONGEST:
        raise UsageError(f"text: {len(text):,} characters are more than {LONGEST:,}.")
    return text
