"""Addresses inside the dashboard. One place writes them, so that every link keeps the instant being looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

Value = str | None | Iterable[str]


@dataclass(frozen=True, slots=True)
class Links:
    """Writes addresses below ``base`` (``/`` or ``/sub/path/``) that keep ``asof`` and ``known``."""

    base: str = "/"
    asof: str | None = None
    known: str | None = None

    @classmethod
    def at(cls, base: str, search: str | None) -> Links:
        """Links that keep the instants of the address with ``search``."""
        query = parse_qs((search or "").lstrip("?"))
        return cls(base, *(query.get(key, [None])[0] for key in ("asof", "known")))

    def to(self, path: str, **query: Value) -> str:
        """Address of a page.

        >>> Links("/", asof="2026-03-31").to("lineage", focus="dataset:db:a b")
        '/lineage?focus=dataset%3Adb%3Aa+b&asof=2026-03-31'
        """
        pairs: list[tuple[str, str]] = []
        for key, value in {**query, "asof": self.asof, "known": self.known}.items():
            values = [value] if isinstance(value, str) else list(value or ())
            pairs += [(key, one) for one in values]
        text = urlencode(pairs)
        return f"{self.base}{path.lstrip('/')}{'?' if text else ''}{text}"

    def lineage(self, node: str, **query: Value) -> str:
        """Address of the picture around a node; for a column its trace."""
        return self.to("lineage", **({"trace": node} if node.startswith("column:") else {"focus": node}), **query)
