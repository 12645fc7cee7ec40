"""Search over the names of datasets, jobs and columns, forgiving of typing errors.

First names that contain every word of the text, best fit first. Only when they are too few, each word that occurs in
no name is replaced by the words of names that look most like it (Jaro-Winkler), and the search is done once more; such
hits score lower. All of it is a scan over the names (100,000 names: a few milliseconds).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from lineage.answers import SearchHit, SearchHits
from lineage.errors import UsageError
from lineage.identity import KINDS

if TYPE_CHECKING:
    from lineage.view import View

MAX_TEXT = 500
MAX_LIMIT = 1000
_ALIKE = 0.86  # Jaro-Winkler similarity from which a word counts as a typing error of another
_CORRECTIONS = 6  # words of names tried for one word of the text
_TYPO = 0.6  # factor on the score of corrected hits
_WORD = re.compile(r"[^\W_]+")

_CONTAINS = """
-- names that contain every word, scored by how much of the name the text is; letters are made small only once a name is
-- put together, the part after the last separator is looked for only where it can matter
WITH named AS (
  SELECT id, kind, CASE kind WHEN 'column' THEN field ELSE name END AS n,
    namespace || ':' || name || CASE kind WHEN 'column' THEN ':' || field ELSE '' END AS whole
  FROM node WHERE list_contains($kinds, kind) AND known_from <= $known AND {parts}
  UNION ALL -- columns under the other names of their dataset
  SELECT c.id, c.kind, c.field, o.whole || ':' || c.field
  FROM node c JOIN (SELECT unnest($member::UBIGINT[]) AS member, unnest($other::VARCHAR[]) AS whole) o
    ON c.dataset = o.member
  WHERE c.kind = 'column' AND list_contains($kinds, 'column') AND c.known_from <= $known
), small AS (
  SELECT id, kind, lower(n) AS n, lower(whole) AS whole FROM named
), hit AS (
  SELECT * FROM small WHERE {words}
)
SELECT id, CASE
    WHEN n = $text OR whole = $text THEN 1.0
    WHEN contains(n, $text) THEN CASE
      WHEN ends_with(n, $text) AND regexp_extract(n, '[^./:\\\\]+$') = $text THEN 0.95
      WHEN starts_with(n, $text) OR starts_with(regexp_extract(n, '[^./:\\\\]+$'), $text)
        THEN 0.8 + 0.1 * length($text) / length(n)
      ELSE 0.6 + 0.15 * length($text) / length(n) END
    WHEN contains(whole, $text) THEN 0.5 + 0.1 * length($text) / length(whole)
    ELSE 0.3 + 0.15 * least(1.0, length($text) / length(whole))
  END * CASE kind WHEN 'column' THEN CASE WHEN n = $text THEN 0.93 ELSE 0.9 END ELSE 1.0 END AS score
FROM hit ORDER BY score DESC, length(whole), whole, kind LIMIT $many
"""
_ALIKES = """
-- words of names that look like one word of the text
SELECT word FROM (SELECT unnest($known::VARCHAR[]) AS word)
WHERE jaro_winkler_similarity(word, $word) >= $alike
ORDER BY jaro_winkler_similarity(word, $word) DESC, word LIMIT $many
"""


def search(view: View, text: str, *, kinds: Collection[str] | None = None, limit: int = 20) -> SearchHits:
    """Nodes whose names fit a text, best first. Hidden nodes are never among them.

    Parameters
    ----------
    view
        the instant to search, as the actor may see it.
    text
        any part of a name or node text, any case, several words in any order.
    kinds
        ``dataset``, ``job``, ``column``; ``None`` for all.
    limit
        most hits wanted, 1 to 1,000.

    Raises
    ------
    UsageError
        when a kind or the limit makes no sense.
    """
    wanted = _kinds(kinds)
    if not 1 <= limit <= MAX_LIMIT:
        raise UsageError(f"limit: {limit} is not between 1 and {MAX_LIMIT:,}.")
    text = text.strip().lower()[:MAX_TEXT]
    words = _WORD.findall(text) or ([text] if text else [])
    if not words:
        return SearchHits()
    hits = _hits(view, text, [[word] for word in words], wanted, limit, 1.0)
    if len(hits) < min(limit, 3):
        corrected = [_corrections(view, word) for word in words]
        if all(corrected) and any(len(one) > 1 or one[0] != word for one, word in zip(corrected, words, strict=True)):
            seen = {hit.id for hit in hits}
            text = _replaced(text, words, [one[0] for one in corrected])
            hits += [hit for hit in _hits(view, text, corrected, wanted, limit, _TYPO) if hit.id not in seen]
    return SearchHits(hits[:limit])


def _hits(
    view: View, text: str, words: Sequence[Sequence[str]], kinds: Sequence[str], limit: int, factor: float
) -> list[SearchHit]:
    """Hits for which each word, or one of its alternatives, occurs."""
    many = limit * 3 + 20 if not view.restricted else 1_000_000
    member, other = view.instant.other_names if "column" in kinds else ([], [])
    parameters: dict[str, Any] = {
        "member": member,
        "other": other,
        "kinds": kinds,
        "known": view.snapshot.known_at,
        "text": text,
        "many": many,
    }
    each: list[str] = []  # one condition for each word: any of its alternatives occurs
    for n, alternatives in enumerate(words):
        names = [f"w{n}_{m}" for m in range(len(alternatives))]
        parameters.update(zip(names, alternatives, strict=True))
        each.append(f"({' OR '.join(f'contains(whole, ${name})' for name in names)})")
    sql = _CONTAINS.replace("{words}", " AND ".join(each)).replace("{parts}", _parts(words))
    found: dict[int, SearchHit] = {}
    for node, score in view.store.rows(sql, parameters):
        i = view.snapshot.index(node)
        if i is None or i in found or view.hidden(i):
            continue
        found[i] = _hit(view, i, round(score * factor, 4))
        if len(found) == limit:
            break
    return list(found.values())


def _parts(words: Sequence[Sequence[str]]) -> str:
    """What a name must hold so that it is worth putting together: the first word, which no part's end cuts in two."""
    if any(not _WORD.fullmatch(word) for word in words[0]):
        return "TRUE"
    each = (
        f"contains(lower({part}), $w0_{m})" for m in range(len(words[0])) for part in ("name", "namespace", "field")
    )
    return f"({' OR '.join(each)})"


def _hit(view: View, i: int, score: float) -> SearchHit:
    snapshot = view.snapshot
    name = snapshot.name(i)
    if snapshot.kind[i] == 2:
        name = f"{name}:{snapshot.field(i)}"
    return SearchHit(view.label(i), view.kind(i), snapshot.namespace(i), name, view.domain(i), score)


def _corrections(view: View, word: str) -> list[str]:
    """The word itself when it occurs in a name, else the words of names that look most like it."""
    if any(word in known for known in view.instant.words):
        return [word]
    parameters = {"known": view.instant.words, "word": word, "alike": _ALIKE, "many": _CORRECTIONS}
    return [row[0] for row in view.store.rows(_ALIKES, parameters)]


def _replaced(text: str, words: Sequence[str], others: Sequence[str]) -> str:
    """The text with its words exchanged.

    >>> _replaced("dim.custmer", ["dim", "custmer"], ["dim", "customer"])
    'dim.customer'
    """
    exchange = dict(zip(words, others, strict=True))
    return _WORD.sub(lambda match: exchange.get(match[0], match[0]), text)


def _kinds(kinds: Collection[str] | None) -> list[str]:
    wanted: list[str] = list(kinds) if kinds else list(KINDS)
    wrong = [kind for kind in wanted if kind not in KINDS]
    if wrong:
        raise UsageError(f"kind: “{wrong[0]}” is none of {', '.join(KINDS)}.")
    return wanted
