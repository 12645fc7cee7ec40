"""All state of the provenance page is its address; this is how it is read."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

VIEWS = ("timeline", "picture", "table")


@dataclass(frozen=True, slots=True)
class ProvenanceState:
    """What an address of the provenance page asks for. Unknown keys and senseless values are ignored."""

    target: str = ""
    view: str = "timeline"
    versus: str = ""  # the other date to compare with
    as_of: str | None = None
    known_at: str | None = None

    @classmethod
    def parse(cls, search: str | None) -> ProvenanceState:
        """Read the query part of an address.

        >>> state = ProvenanceState.parse("?target=db.t&vs=2026-03-31&view=mood&asof=2026-06-30")
        >>> state.target, state.versus, state.view, state.as_of
        ('db.t', '2026-03-31', 'timeline', '2026-06-30')
        """
        query = parse_qs((search or "").lstrip("?"))

        def one(key: str) -> str:
            return query.get(key, [""])[-1].strip()

        return cls(
            target=one("target"),
            view=one("view") if one("view") in VIEWS else "timeline",
            versus=one("vs"),
            as_of=one("asof") or None,
            known_at=one("known") or None,
        )
