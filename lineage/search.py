"""Search over the names of datasets, jobs and columns, forgiving of typing errors.

First names that contain every word of the text, best fit first. Only when they are too few, each word that occurs in
no name is replaced by the words of names that look most like it (Jaro-Winkler), and the search is done once more; such
hits score lower. The names are kept in lower case and by their words, so that only names that have a word of the text
are looked at.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from lineage.details import SearchHit, SearchHits
from lineage.errors import UsageError, repeated
from lineage.filters import texts_of, whole
from lineage.identity import KINDS
from lineage.name_index import NameIndex
from lineage.presence import absent
from lineage.vocabulary import Lookalikes

if TYPE_CHECKING:
    from lineage.view import View

MAX_TEXT = 500
MAX_LIMIT = 1000
_ALIKE = 0.86  # Jaro-Winkler similarity from which a word counts as a typing error of another
_CORRECTIONS = 6  # words of names tried for one word of the text
_KEPT_WORDS = 10_000  # words whose corrections are kept
_TYPO = 0.6  # factor on the score of corrected hits
_WORD = re.compile(r"[^\W_]+")

_ALIKES = """
-- words of names that look like one word of the text
SELECT word FROM (SELECT unnest($known::VARCHAR[]) AS word)
WHERE jaro_winkler_similarity(word, $word) >= $alike
ORDER BY jaro_winkler_similarity(word, $word) DESC, word LIMIT $many
"""


def search(view: View, text: str, *, kinds: Collection[str] | None = None, limit: int = 20) -> SearchHits:
    """Nodes whose names fit a text, best first. Hidden nodes, and what was not there yet, are never among them.

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
    limit = whole("limit", limit, 1, MAX_LIMIT)
    if not isinstance(text, str):
        raise UsageError(f"text: {repeated(repr(text))} is no text.")
    typed = text.encode("utf-8", "replace").decode().strip()[:MAX_TEXT]  # halves of letters are in no name
    hits = _search(view, typed.lower(), wanted, limit)
    plain = unicodedata.normalize("NFKC", typed)
    return hits if hits or plain == typed else _search(view, plain.lower(), wanted, limit)


def _search(view: View, text: str, wanted: Sequence[str], limit: int) -> SearchHits:
    """The hits for a text in lower case."""
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
    index = view.instant.remember_label("names in lower case", lambda: NameIndex(view.instant))
    found: dict[int, SearchHit] = {}
    many = limit * 3 + 20
    while True:  # a node of several names comes several times, and what is hidden counts for nothing
        best, more = index.search(text, words, kinds, many)
        for i, score in best:
            if i not in found and not view.hidden(i) and not _later(view, i):
                found[i] = _hit(view, i, round(score * factor, 4))
                if len(found) == limit:
                    return list(found.values())
        if not more:
            return list(found.values())
        many *= 8


def _later(view: View, i: int) -> bool:
    """Whether a node was not there yet."""
    gone = absent(view.instant)
    return bool(gone) and (view.snapshot.dataset_of(i) if view.snapshot.kind[i] == 2 else i) in gone


def _hit(view: View, i: int, score: float) -> SearchHit:
    snapshot = view.snapshot
    name = snapshot.name(i)
    if snapshot.kind[i] == 2:
        name = f"{name}:{snapshot.field(i)}"
    return SearchHit(view.label(i), view.kind(i), snapshot.namespace(i), name, view.domain(i), score)


def _corrections(view: View, word: str) -> list[str]:
    """The word itself when it occurs in a name, else the words of names that look most like it."""
    known: dict[str, list[str]] = view.instant.remember_label("corrections of words", dict)
    found = known.get(word)
    if found is None:
        words = view.instant.remember_label("words that look alike", lambda: Lookalikes(view.instant.words))
        if words.has(word):
            found = [word]
        elif near := words.near(word, _ALIKE):
            parameters = {"known": near, "word": word, "alike": _ALIKE, "many": _CORRECTIONS}
            found = [row[0] for row in view.store.rows(_ALIKES, parameters)]
        else:
            found = []
        if len(known) < _KEPT_WORDS:
            known[word] = found
    return found


def _replaced(text: str, words: Sequence[str], others: Sequence[str]) -> str:
    """The text with its words exchanged.

    >>> _replaced("dim.custmer", ["dim", "custmer"], ["dim", "customer"])
    'dim.customer'
    """
    exchange = dict(zip(words, others, strict=True))
    return _WORD.sub(lambda match: exchange.get(match[0], match[0]), text)


def _kinds(kinds: Collection[str] | None) -> list[str]:
    wanted: list[str] = texts_of("kind", kinds) if kinds else [*KINDS]
    wrong = [kind for kind in wanted if kind not in KINDS]
    if wrong:
        raise UsageError(f"kind: “{wrong[0]}” is none of {', '.join(KINDS)}.")
    return wanted
