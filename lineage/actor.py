"""Who asks. Every query takes an :class:`Actor`; access is decided below the query layer (design rule 9)."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from lineage.errors import UsageError, repeated


@dataclass(frozen=True, slots=True)
class Actor:
    """One who asks questions.

    Parameters
    ----------
    name
        who it is, for the audit log.
    hidden_domains
        domains whose nodes this actor may not see; such nodes stay in an answer as ``hidden (domain X)`` without
        name, counts or path labels (semantics 19).
    """

    name: str
    hidden_domains: Collection[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse one without a name, and one text for a collection: each part of it would be hidden.

        Raises
        ------
        UsageError
            when the name is no text or nothing of it can be seen, or the domains are no collection of texts.
        """
        if not isinstance(self.name, str) or not _plain(self.name):
            raise UsageError(f"An actor needs a name, for the audit log; {repeated(repr(self.name))} is none.")
        if isinstance(self.hidden_domains, str) or not isinstance(self.hidden_domains, Collection):
            raise UsageError(f"hidden_domains: {self.hidden_domains!r} is no collection of names of domains.")

    def may_see(self, domain: str | None) -> bool:
        """Whether nodes of ``domain`` may be named to this actor."""
        return domain not in self.hidden_domains


def same_person(one: str | None, other: str | None) -> bool:
    """Whether two names are of one person: letters, width, white space and what has no width do not make two of one.

    >>> same_person("ada", "Ada "), same_person("ada", "grace")
    (True, False)
    >>> same_person("Ada Lovelace", "ada  lovelace"), same_person("ada", "a\\u200bda")
    (True, True)
    """
    return _plain(one) == _plain(other)


def _plain(name: str | None) -> str:
    seen = (c for c in unicodedata.normalize("NFKC", name or "") if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join("".join(seen).split()).casefold()


LOCAL = Actor("local")
"""The one all-seeing actor of version 1."""
