"""State of the governance health page: its address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from dashboard.links import Links

DAYS = ("7", "30", "90")


@dataclass(frozen=True, slots=True)
class HealthState:
    """What an address of the page asks for. Unknown keys and senseless values are ignored."""

    domain: str | None = None
    days: int = 30
    rows: str = ""  # the number whose rows are open
    owner: str = ""  # whose datasets and jobs, for the rows "owned"
    as_of: str | None = None
    known_at: str | None = None

    @classmethod
    def parse(cls, search: str | None) -> HealthState:
        """Read the query part of an address.

        >>> state = HealthState.parse("?domain=finance&period=12&zz=1")
        >>> state.domain, state.days
        ('finance', 30)
        """
        query = parse_qs((search or "").lstrip("?"))

        def one(key: str) -> str:
            return query.get(key, [""])[-1]

        days = one("period")
        return cls(
            domain=one("domain") or None,
            days=int(days) if days in DAYS else 30,
            rows=one("rows"),
            owner=one("owner"),
            as_of=one("asof") or None,
            known_at=one("known") or None,
        )

    @property
    def when(self) -> dict[str, Any]:
        """The instant, as questions take it."""
        return {"as_of": self.as_of, "known_at": self.known_at}

    @property
    def past(self) -> bool:
        """Whether another instant than now is looked at."""
        return bool(self.as_of or self.known_at)

    def to(self, links: Links, **changes: Any) -> str:
        """Address of this page with some of its state changed; ``None`` removes."""
        now = {"domain": self.domain, "period": str(self.days) if self.days != 30 else None, "rows": self.rows or None}
        return links.to("", **{**now, **changes})
