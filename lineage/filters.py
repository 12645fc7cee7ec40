"""Filters of impact and provenance, and which of them the way to a node has to respect.

Two sorts, and the difference decides what an answer means:

* **The path must respect it**: the times, ``depth`` and ``certainty``. What is not admitted is not walked, so nodes
  behind it are not in the answer and hops are counted along admitted edges only.
* **It only reports**: ``kinds`` and ``domains``. The walk is the same as without them, and passes through nodes that
  are then not listed: a consumer of another domain still explains how a figure got where it is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import index
from typing import SupportsIndex, cast

from lineage.answers import UNASSIGNED, Certainty
from lineage.errors import UsageError, repeated

GROUPS = ("product", "domain", "application")  # not nodes of the graph: nodes belong to them
KINDS = ("dataset", "job", "column", *GROUPS)
LEVELS: tuple[Certainty, ...] = ("certain", "probable", "stale")
_SHOWN = 10  # names listed in an error


@dataclass(frozen=True, slots=True)
class Filters:
    """What an answer is limited to; empty tuples limit nothing.

    Attributes
    ----------
    kinds : tuple of str
        ``dataset``, ``job``, ``column``, ``product``, ``domain``, ``application``. Naming a kind that the walk does not
        list by itself asks for that level too: the columns behind a dataset, the datasets and jobs behind a column, or
        what the nodes belong to.
    domains : tuple of str
        names of domains.
    certainty : tuple of str
        ``certain``, ``probable``, ``stale``: the best path to a listed node is one of these, and edges that are less
        certain than the least of them are not followed.
    """

    kinds: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    certainty: tuple[str, ...] = ()

    @property
    def worst(self) -> Certainty:
        """Least certainty of an edge that may be followed."""
        return max((level for level in LEVELS if level in self.certainty), key=LEVELS.index, default="stale")

    @property
    def active(self) -> bool:
        """Whether anything is limited."""
        return bool(self.kinds or self.domains or self.certainty)

    def lists(self, kind: str) -> bool:
        """Whether nodes of a kind are listed."""
        return not self.kinds or kind in self.kinds

    def asks_for(self, kind: str) -> bool:
        """Whether a kind is named."""
        return kind in self.kinds

    def admits(self, kind: str, domain: str, certainty: str) -> bool:
        """Whether a node is listed.

        >>> Filters(domains=("sales",)).admits("dataset", "hr", "certain")
        False
        """
        return (
            self.lists(kind)
            and (not self.domains or domain in self.domains)
            and (not self.certainty or certainty in self.certainty)
        )


def read_filters(
    kinds: str | Iterable[str] | None = None,
    domains: str | Iterable[str] | None = None,
    certainty: str | Iterable[str] | None = None,
) -> Filters:
    """Filters as a person writes them: one text with commas, or several.

    Raises
    ------
    UsageError
        for a kind or certainty that does not exist, and for an empty text.

    Examples
    --------
    >>> read_filters("dataset,job", certainty=["certain", "probable"]).worst
    'probable'
    """
    return Filters(
        _choices("kind", kinds, KINDS),
        tuple(_words("domain", domains)),
        _choices("certainty", certainty, LEVELS),
    )


def certainty_name(text: str) -> Certainty:
    """One of the three certainties.

    Raises
    ------
    UsageError
        for any other text.
    """
    found = _choices("certainty", [text], LEVELS)
    if len(found) != 1:
        raise UsageError(f"certainty: one of {', '.join(LEVELS)} is needed, not “{text}”.")
    return cast(Certainty, found[0])


def check_domains(filters: Filters, known: Sequence[str]) -> None:
    """Refuse a domain nobody declared; a typing error must not look like an empty answer.

    Raises
    ------
    UsageError
        for an unknown domain, with those that there are.
    """
    for name in filters.domains:
        if name != UNASSIGNED and name not in known:
            names = sorted(known)
            shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
            there = f"There are: {shown}, {UNASSIGNED}." if names else "No domain is declared; see meshline apply."
            raise UsageError(f"domain: there is no domain “{name}”. {there}")


def texts_of(name: str, given: object) -> list[str]:
    """One text or several as a list.

    Raises
    ------
    UsageError
        for anything else; the message begins with ``name``.

    Examples
    --------
    >>> texts_of("kind", "dataset"), texts_of("kind", ("dataset", "job"))
    (['dataset'], ['dataset', 'job'])
    """
    if isinstance(given, str):
        return [given]
    if not isinstance(given, Iterable):
        raise UsageError(f"{name}: {repeated(repr(given))} is no text and no list of texts.")
    texts = list(given)
    for text in texts:
        if not isinstance(text, str):
            raise UsageError(f"{name}: {repeated(repr(text))} is no text.")
    return texts


def whole(name: str, given: object, low: int = 1, high: int | None = None) -> int:
    """A whole number within limits.

    Raises
    ------
    UsageError
        for anything else; the message begins with ``name``.

    Examples
    --------
    >>> whole("limit", 7)
    7
    """
    if not isinstance(given, SupportsIndex) or isinstance(given, bool):
        raise UsageError(f"{name}: {repeated(repr(given))} is no whole number.")
    number = index(given)
    if high is not None and not low <= number <= high:
        raise UsageError(f"{name}: {number} is not between {low} and {high:,}.")
    if number < low:
        raise UsageError(f"{name}: {number} is below {low}.")
    return number


def _choices(name: str, given: str | Iterable[str] | None, allowed: Sequence[str]) -> tuple[str, ...]:
    wanted = _words(name, given)
    wrong = [word for word in wanted if word not in allowed]
    if wrong:
        raise UsageError(f"{name}: “{wrong[0]}” is none of {', '.join(allowed)}.")
    return tuple(word for word in allowed if word in wanted)


def _words(name: str, given: str | Iterable[str] | None) -> list[str]:
    """Words of a filter; an empty text is no filter left out but a mistake, such as a variable that is not set."""
    if given is None:
        return []
    texts = texts_of(name, given)
    if any(not text.replace(",", "").strip() for text in texts):
        raise UsageError(f"{name}: an empty text names none; leave it out for no limit.")
    return list(dict.fromkeys(word.strip() for text in texts for word in text.split(",") if word.strip()))
