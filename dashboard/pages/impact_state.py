"""All state of the impact page is its address; this is how it is read."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import parse_qs

CHANGES = {
    "drop": "Drop it",
    "rename": "Rename it",
    "retype": "Change its type",
    "nullable": "Let it be empty (nullable)",
    "late": "Deliver it late",
    "retire": "Retire it, or a whole product",
    "contract": "New version of a contract",
}
NEEDS_TEXT = ("rename", "retype")


@dataclass(frozen=True, slots=True)
class ImpactState:
    """What an address of the impact page asks for. Unknown keys are ignored; a change that is none is told."""

    target: str = ""
    change: str = "drop"
    no_change: str = ""  # what the address names instead of one of :data:`CHANGES`
    to: str = ""
    hours: float | None = None
    document: str = ""  # the new version of a contract, as YAML
    unreadable: bool = False  # the address has a document that is none
    as_of: str | None = None
    known_at: str | None = None

    @classmethod
    def parse(cls, search: str | None) -> ImpactState:
        """Read the query part of an address.

        >>> state = ImpactState.parse("?target=db.t&change=late&hours=12&nonsense=1")
        >>> state.target, state.change, state.hours, state.asked
        ('db.t', 'late', 12.0, True)
        """
        query = parse_qs((search or "").lstrip("?"))

        def one(key: str) -> str:
            return query.get(key, [""])[-1].strip()

        document, change = _decoded(one("doc")), one("change") or "drop"
        return cls(
            target=one("target"),
            change=change if change in CHANGES else "drop",
            no_change="" if change in CHANGES else change,
            to=one("to"),
            hours=_number(one("hours")),
            document=document or "",
            unreadable=document is None,
            as_of=one("asof") or None,
            known_at=one("known") or None,
        )

    @property
    def asked(self) -> bool:
        """Whether there is anything to answer."""
        return bool(self.document or self.unreadable) if self.change == "contract" else bool(self.target)

    @property
    def missing(self) -> str:
        """What the change still needs; empty when nothing."""
        if self.no_change:
            return f"There is no change “{self.no_change}”. Choose one above."
        if self.unreadable:
            return "The contract in this address is damaged. Paste or upload it again."
        if self.change in NEEDS_TEXT and not self.to:
            return "Say what it becomes: " + ("its new name." if self.change == "rename" else "its new type.")
        if self.change == "late" and self.hours is None:
            return "Say by how many hours it is late."
        return ""


def encoded(document: str) -> str:
    """A document as an address carries it.

    >>> _decoded(encoded("id: orders — v2")), _decoded("%%")
    ('id: orders — v2', None)
    """
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
