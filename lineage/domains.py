"""Domains: which part of the company a dataset or job belongs to (semantics 4).

The order is: a pattern in ``domains/*.yaml``; else a ``domain`` tag or an ownership facet that names a known domain;
else "unassigned", which is shown and counted and never guessed. Among patterns the most specific one wins: the one
with the longest literal beginning, then the one with more literal characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.answers import UNASSIGNED

if TYPE_CHECKING:
    from lineage.store import Store

_WILD = re.compile(r"[*?\[]")

_ROWS = """
-- one version of one domain as known at K, newest knowledge of each valid interval; undated: it holds since it was
-- applied, since its file has no date
SELECT name, title, owner, parent, patterns, valid_from, valid_to, (name, valid_from) IN (
  SELECT (name, valid_from) FROM domain WHERE known_from = valid_from AND known_from <= $known) AS undated
FROM domain WHERE known_from <= $known AND known_to > $known
ORDER BY name, valid_from
"""


@dataclass(frozen=True, slots=True)
class DomainInfo:
    """One domain as pages list it; counts are ``None`` when the actor may not see the domain."""

    name: str
    title: str | None
    owner: str | None
    parent: str | None
    colour: int  # index into a palette; -1 for "unassigned"
    datasets: int | None
    jobs: int | None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """One glob of one domain. ``*`` crosses every character; matching is case-sensitive."""

    domain: str
    glob: str
    kind: str | None = None  # "dataset" or "job" when the pattern is limited to it

    @property
    def rank(self) -> tuple[int, int]:
        """How specific it is: length of the literal beginning, then number of literal characters.

        >>> Pattern("sales", "shop.order*").rank
        (10, 10)
        """
        wild = _WILD.search(self.glob)
        return (wild.start() if wild else len(self.glob) + 1, len(re.sub(r"[*?]|\[[^\]]*\]", "", self.glob)))

    @property
    def text(self) -> str:
        """The pattern as it stands in the file."""
        return f"{self.kind}:{self.glob}" if self.kind else self.glob

    def matches(self, kind: str, namespace: str, name: str) -> bool:
        """Whether a node falls under it.

        >>> Pattern("sales", "shop.*").matches("dataset", "pg", "shop.orders")
        True
        >>> Pattern("sales", "pg:shop.*", "job").matches("dataset", "pg", "shop.orders")
        False
        """
        if self.kind not in (None, kind):
            return False
        fits = re.compile(glob_regex(self.glob), re.DOTALL).match
        return any(fits(text) for text in _subjects(kind, namespace, name))


def parse_pattern(domain: str, text: str) -> Pattern:
    """A pattern as people write it: ``shop.*``, ``dataset:shop.*``, ``job:airflow:etl_*``."""
    kind, colon, rest = text.partition(":")
    if colon and kind in ("dataset", "job") and rest:
        return Pattern(domain, rest, kind)
    return Pattern(domain, text)


def glob_regex(glob: str) -> str:
    r"""Regular expression of a glob, without the backtracking that several ``*`` would cost.

    >>> glob_regex("a*b?")
    'a.*b.\\Z'
    """
    pieces = _pieces(glob)
    if len(pieces) == 1:
        return pieces[0] + r"\Z"
    head, *middle, tail = pieces
    body = "".join(f"(?>.*?{piece})" for piece in middle if piece)
    return head + body + (f".*{tail}" if tail else ".*") + r"\Z"


class KnownDomain(NamedTuple):
    """One domain as it was at the asked instant."""

    name: str
    title: str | None
    owner: str | None
    parent: str | None


@dataclass(frozen=True)
class DomainMap:
    """All domains of one instant, ready to say where a node belongs."""

    domains: Mapping[str, KnownDomain] = field(default_factory=dict)
    patterns: Sequence[Pattern] = ()

    def __post_init__(self) -> None:
        ordered = sorted(self.patterns, key=lambda p: (-p.rank[0], -p.rank[1], p.domain, p.glob))
        for kind in ("dataset", "job"):
            mine = [pattern for pattern in ordered if pattern.kind in (None, kind)]
            regex = "|".join(f"({glob_regex(pattern.glob)})" for pattern in mine)
            compiled = re.compile(regex, re.DOTALL) if mine else None
            object.__setattr__(self, f"_{kind}", (mine, compiled))

    def by_pattern(self, kind: str, namespace: str, name: str) -> str | None:
        """Domain by pattern; ``None`` when no pattern fits."""
        patterns, regex = getattr(self, f"_{kind}")
        if regex is None:
            return None
        best = len(patterns)
        for text in _subjects(kind, namespace, name):
            match = regex.match(text)
            if match and match.lastindex and match.lastindex - 1 < best:
                best = match.lastindex - 1
        return patterns[best].domain if best < len(patterns) else None

    def by_facets(self, facets: Mapping[str, Any]) -> str | None:
        """Domain by a ``domain`` tag or an owner that is a known domain; ``None`` when neither names one."""
        for tag in _entries(facets.get("tags"), "tags"):
            value = tag.get("value")
            if str(tag.get("key", "")).lower() == "domain" and value in self.domains and not tag.get("field"):
                return str(value)
        for owner in _entries(facets.get("ownership"), "owners"):
            name = str(owner.get("name", "")).removeprefix("domain:")
            if name in self.domains:
                return name
        return None

    def of(self, kind: str, keys: Iterable[tuple[str, str]], facets: Sequence[Mapping[str, Any]] = ()) -> str:
        """Domain of a node that has one or several (namespace, name), the preferred first.

        >>> world = DomainMap({"sales": KnownDomain("sales", None, None, None)}, [Pattern("sales", "shop.*")])
        >>> world.of("dataset", [("pg", "shop.orders")]), world.of("dataset", [("pg", "other")])
        ('sales', 'unassigned')
        """
        for namespace, name in keys:
            found = self.by_pattern(kind, namespace, name)
            if found is not None:
                return found
        for one in facets:
            found = self.by_facets(one)
            if found is not None:
                return found
        return UNASSIGNED


def load_domains(store: Store, as_of: datetime, known_at: datetime) -> DomainMap:
    """Domains as they were at ``as_of``, as known at ``known_at``.

    A file without a date says nothing about the time before it was applied. Its first version is taken to hold for
    all earlier instants too, so that a question about last year still has domains. A date in the file is when the
    domain begins (semantics 7).
    """
    chosen: dict[str, tuple[Any, ...]] = {}
    seen: set[str] = set()
    for row in store.rows(_ROWS, {"known": known_at}):
        name, valid_from, valid_to = row[0], row[5], row[6]
        first = name not in seen
        seen.add(name)
        if valid_from <= as_of < valid_to or (first and row[7] and valid_from > as_of):
            chosen[name] = row
    domains = {name: KnownDomain(name, row[1], row[2], row[3]) for name, row in chosen.items()}
    patterns = [
        Pattern(name, one["glob"], one["kind"]) for name, row in chosen.items() for one in json.loads(row[4] or "[]")
    ]
    return DomainMap(domains, patterns)


def ties(patterns: Sequence[Pattern], nodes: Iterable[tuple[str, str, str]]) -> list[tuple[Pattern, Pattern, str]]:
    """Pairs of equally specific patterns that give one node to two domains, with the node text of an example."""
    by_rank: dict[tuple[int, int], list[Pattern]] = {}
    for pattern in patterns:
        by_rank.setdefault(pattern.rank, []).append(pattern)
    rivals = [group for group in by_rank.values() if len({pattern.domain for pattern in group}) > 1]
    if not rivals:
        return []
    mapped = DomainMap({}, patterns)
    found: dict[tuple[Pattern, Pattern], str] = {}
    for kind, namespace, name in nodes:
        winner = mapped.by_pattern(kind, namespace, name)
        if winner is None:
            continue
        for group in rivals:
            hits = [pattern for pattern in group if pattern.matches(kind, namespace, name)]
            mine = [pattern for pattern in hits if pattern.domain == winner]
            others = [pattern for pattern in hits if pattern.domain != winner]
            if mine and others:
                found.setdefault((mine[0], others[0]), f"{kind}:{namespace}:{name}")
    return [(mine, other, example) for (mine, other), example in found.items()]


def _subjects(kind: str, namespace: str, name: str) -> tuple[str, str]:
    return name, f"{namespace}:{name}"


def _pieces(glob: str) -> list[str]:
    """Regular expressions of the parts of a glob between its stars."""
    pieces = [""]
    i = 0
    while i < len(glob):
        char = glob[i]
        end = _class_end(glob, i) if char == "[" else -1
        if char == "*":
            pieces.append("")
        elif char == "?":
            pieces[-1] += "."
        elif end > 0:
            inside = glob[i + 1 : end]
            negate = "^" if inside.startswith("!") else ""
            pieces[-1] += f"[{negate}{_class(inside[len(negate) :])}]"
            i = end
        else:
            pieces[-1] += re.escape(char)
        i += 1
    return pieces


def _class_end(text: str, start: int) -> int:
    """Position of the ``]`` that closes the character class at ``start``; -1 when none does."""
    at = start + 1
    if text[at : at + 1] == "!":
        at += 1
    return text.find("]", at + 1)


def _class(inside: str) -> str:
    """Members of a character class, with what means more to ``re`` than to a glob escaped."""
    return re.sub(r"([&~|^\[\]\\])", r"\\\1", inside).replace("--", r"\--")


def _entries(facet: Any, key: str) -> list[dict[str, Any]]:
    """The list of objects ``facet[key]``, whatever the producer really sent."""
    found = facet.get(key) if isinstance(facet, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
