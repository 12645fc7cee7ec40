"""All state of the lineage page is its address; this is how it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from dashboard.lineage_graph.drawing import ROWS_SHOWN

ALL = 10_000
"""Hops that stand for "All"; no path is that long."""
STEPS = {"1": 1, "2": 2, "3": 3, "all": ALL}
VIEWS = ("picture", "nodes", "edges")
OVERLAYS = ("domain", "status", "quality", "freshness", "cost", "policy", "change", "age")


@dataclass(frozen=True, slots=True)
class LineageState:
    """What an address of the lineage page asks for. Unknown keys and senseless values are ignored."""

    focus: str = ""
    trace: str = ""  # a column: its trace in place of a neighbourhood
    up: str = "1"
    down: str = "1"
    jobs: bool = False
    lanes: bool = True
    whole: bool = False  # no limit of cards: draw the mesh map
    open: tuple[str, ...] = ()
    more: Mapping[str, int] = field(default_factory=dict)  # how often "+n more columns" was asked for
    more_up: tuple[str, ...] = ()
    more_down: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()  # show these only; empty = all
    selected: str = ""
    overlay: str = "domain"
    view: str = "picture"
    versus: str | None = None  # the earlier instant that changes are counted from
    as_of: str | None = None
    known_at: str | None = None

    @classmethod
    def parse(cls, search: str | None) -> LineageState:
        """Read the query part of an address.

        >>> state = LineageState.parse("?focus=dataset:db:t&up=all&down=7&nonsense=1")
        >>> state.focus, state.upstream, state.downstream
        ('dataset:db:t', 10000, 1)
        """
        query = parse_qs((search or "").lstrip("?"))

        def one(key: str, default: str = "") -> str:
            return query.get(key, [default])[-1]

        def known(key: str, allowed: tuple[str, ...]) -> str:
            value = one(key, allowed[0])
            return value if value in allowed else allowed[0]

        return cls(
            focus=one("focus"),
            trace=one("trace"),
            up=known("up", tuple(STEPS)),
            down=known("down", tuple(STEPS)),
            jobs=one("jobs") == "1",
            lanes=one("lanes") != "0",
            whole=one("map") == "1",
            open=tuple(query.get("open", ())),
            more=Counter(query.get("more", ())),
            more_up=tuple(query.get("xu", ())),
            more_down=tuple(query.get("xd", ())),
            domains=tuple(query.get("domain", ())),
            selected=one("sel"),
            overlay=known("by", OVERLAYS),
            view=known("view", VIEWS),
            versus=one("vs") or None,
            as_of=one("asof") or None,
            known_at=one("known") or None,
        )

    @property
    def upstream(self) -> int:
        """Hops upstream."""
        return STEPS[self.up]

    @property
    def downstream(self) -> int:
        """Hops downstream."""
        return STEPS[self.down]

    @property
    def key(self) -> str:
        """Name of the picture: while it stays, cards glide and the viewport stays."""
        return f"{self.focus}|{self.trace}|{self.as_of}|{self.known_at}"

    def rows(self) -> dict[str, int]:
        """Number of column rows each open card shows."""
        return {node: ROWS_SHOWN * (1 + self.more.get(node, 0)) for node in self.open}
