"""All names of a snapshot in lower case, to be searched at every key that somebody presses.

A column's name is that of its dataset, a colon and its field; fields repeat, so each is looked at once and a hundred
thousand columns cost what their fields and datasets cost. Columns stand under the other names of their dataset too.
A word is looked for among the words of names (:mod:`lineage.vocabulary`), and only names that have it are scored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lineage.arrow import array_of, array_of_texts, numbers
from lineage.graph.arrays import I64, Bool
from lineage.vocabulary import Vocabulary

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.instant import Instant

F64 = npt.NDArray[np.float64]

_LAST = r"(?P<last>[^./:\\]*)$"  # what stands behind the last separator
_COLUMN, _CALLED = 0.9, 0.93  # a column counts less than what it is in, unless it is called like the text


@dataclass(frozen=True)
class _Texts:
    """Texts in lower case with what their scores follow from."""

    texts: pa.Array
    last: pa.Array
    length: I64

    @classmethod
    def of(cls, texts: pa.Array) -> _Texts:
        import pyarrow.compute as pc

        last = pc.struct_field(pc.extract_regex(texts, _LAST), "last")
        return cls(texts, last, numbers(pc.utf8_length(texts)).astype(np.int64))

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self.texts)

    def having(self, word: str) -> Bool:
        """Texts that a word is a part of."""
        import pyarrow.compute as pc

        found = self._vocabulary.having(word)
        return self.where(pc.match_substring, word) if found is None else found

    def take(self, rows: I64) -> _Texts:
        """Some of them."""
        import pyarrow.compute as pc

        at = array_of(rows)
        return _Texts(pc.take(self.texts, at), pc.take(self.last, at), self.length[rows])

    def where(self, test: Callable[..., Any], text: str) -> Bool:
        found: Bool = numbers(test(self.texts, text))
        return found

    def score(self, text: str) -> F64:
        """Score of each text as the name that is searched for; not-a-number where the text is no part of it."""
        import pyarrow.compute as pc

        share = len(text) / np.maximum(self.length, 1)
        begins = self.where(pc.starts_with, text) | numbers(pc.starts_with(self.last, text))
        score = np.where(begins, 0.8 + 0.1 * share, 0.6 + 0.15 * share)
        score = np.where(numbers(_equal(self.last, text)), 0.95, score)
        score = np.where(self.where(_equal, text), 1.0, score)
        return np.where(self.where(pc.match_substring, text), score, np.nan)


class NameIndex:
    """Names of one set of nodes, asked many times.

    Parameters
    ----------
    instant
        an instant with these nodes.
    """

    def __init__(self, instant: Instant) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        nodes = instant.snapshot._nodes
        names = nodes.names
        self._dense = nodes.dense
        self._entities = names.entities
        self._kind = np.asarray(names.prefix)
        others: tuple[list[int], list[str]] = instant.other_names
        member = nodes.by_id.positions(np.array(others[0], dtype=np.uint64))
        small = [pc.utf8_lower(part).combine_chunks() for part in (names.namespace, names.name)]
        whole = pc.binary_join_element_wise(*small, array_of_texts([":"])[0])
        self._names = _Texts.of(small[1])
        self._wholes = _Texts.of(pa.concat_arrays([whole, pc.utf8_lower(array_of_texts(others[1]))]))
        fields = pc.utf8_lower(names.field).combine_chunks().dictionary_encode()
        self._fields = _Texts.of(fields.dictionary)
        code = numbers(fields.indices).astype(np.int64)
        own = np.arange(len(code))
        at = [np.flatnonzero(names.dataset == one) for one in member.tolist()]  # columns under another name
        self._column = np.concatenate([own, *at]).astype(np.int64)
        home = [names.dataset, *(np.full(len(rows), self._entities + k) for k, rows in enumerate(at))]
        self._home = np.concatenate(home).astype(np.int64)
        self._code = code[self._column]

    def search(
        self, text: str, words: Sequence[Sequence[str]], kinds: Sequence[str], many: int
    ) -> tuple[list[tuple[int, float]], bool]:
        """The best ``many`` names as dense index and score, and whether there are more.

        Parameters
        ----------
        text
            what is searched for, in lower case.
        words
            its words, each with alternatives, one of which has to be in a name.
        kinds
            of the nodes.
        """
        parts = [self._of_entities(text, words, kinds)]
        if "column" in kinds and len(self._column):
            parts.append(self._of_columns(text, words))
        row, score, length = (np.concatenate(found) for found in zip(*parts, strict=True))
        best = self._best(row, score, length, many)
        base, column = row[best], row[best] >= self._entities
        base[column] = self._entities + self._column[base[column] - self._entities]
        return list(zip(self._dense[base].tolist(), score[best].tolist(), strict=True)), len(best) < len(row)

    # -- inside: a row is an entity, or the number of entities more than a place among the columns

    def _of_entities(self, text: str, words: Sequence[Sequence[str]], kinds: Sequence[str]) -> tuple[I64, F64, I64]:
        import pyarrow.compute as pc

        count = self._entities
        wanted = np.array([kind in kinds for kind in ("dataset", "job")])
        keep = wanted[self._kind] if count else np.zeros(0, dtype=bool)
        for alternatives in words:
            keep &= self._any(self._wholes, alternatives)[:count]
        rows = np.flatnonzero(keep)
        wholes, own = self._wholes.take(rows), self._names.take(rows).score(text)
        inside = wholes.where(pc.match_substring, text)
        score = np.where(np.isnan(own), _rest(inside, len(text), wholes.length), own)
        return rows, np.where(wholes.where(_equal, text), 1.0, score), wholes.length

    def _of_columns(self, text: str, words: Sequence[Sequence[str]]) -> tuple[I64, F64, I64]:
        import pyarrow.compute as pc

        keep = np.ones(len(self._column), dtype=bool)
        for alternatives in words:
            hit = self._any(self._wholes, alternatives)[self._home]
            hit |= self._any(self._fields, alternatives)[self._code]
            for span in (one for word in alternatives for one in self._spans(word, pc.ends_with, pc.starts_with)):
                hit |= span
            keep &= hit
        rows = np.flatnonzero(keep)
        home, code = self._home[rows], self._code[rows]
        length = self._wholes.length[home] + 1 + self._fields.length[code]
        homes, at = np.unique(home, return_inverse=True)
        inside = self._wholes.take(homes).where(pc.match_substring, text)[at]
        for span in self._spans(text, pc.ends_with, pc.starts_with):
            inside |= span[rows]
        codes, at = np.unique(code, return_inverse=True)
        fields = self._fields.take(codes)
        own = fields.score(text)[at]
        score = np.where(np.isnan(own), _rest(inside, len(text), length), own)
        for span in self._spans(text, _equal, _equal):
            score[span[rows]] = 1.0
        called = fields.where(_equal, text)[at]
        return rows + self._entities, score * np.where(called, _CALLED, _COLUMN), length

    def _any(self, texts: _Texts, alternatives: Sequence[str]) -> Bool:
        found = np.zeros(len(texts.length), dtype=bool)
        for one in alternatives:
            found |= texts.having(one)
        return found

    def _spans(self, text: str, left: Callable[..., Any], right: Callable[..., Any]) -> Iterator[Bool]:
        """Columns in which a text lies across the colon between dataset and field."""
        for k in (k for k, letter in enumerate(text) if letter == ":"):
            yield self._wholes.where(left, text[:k])[self._home] & self._fields.where(right, text[k + 1 :])[self._code]

    def _best(self, row: I64, score: F64, length: I64, many: int) -> I64:
        """Places of the best: by score, the shorter first, then by name and kind."""
        import pyarrow as pa
        import pyarrow.compute as pc

        chosen = np.arange(len(row))
        if len(row) > many:
            least = np.partition(score, len(row) - many)[len(row) - many]
            sure, even = np.flatnonzero(score > least), np.flatnonzero(score == least)
            left = many - len(sure)
            longest = np.partition(length[even], left - 1)[left - 1]
            chosen = np.concatenate([sure, even[length[even] <= longest]])
        row = row[chosen]
        kind = np.zeros(len(row), dtype=np.int64)
        kind[row < self._entities] = 1 + self._kind[row[row < self._entities]]
        table = pa.table(
            {
                "score": array_of(score[chosen]),
                "length": array_of(length[chosen]),
                "whole": self._text(row),
                "kind": array_of(kind),
            }
        )
        keys = [("score", "descending"), ("length", "ascending"), ("whole", "ascending"), ("kind", "ascending")]
        found: I64 = chosen[numbers(pc.sort_indices(table, sort_keys=keys))[:many]]
        return found

    def _text(self, row: I64) -> pa.Array:
        import pyarrow.compute as pc

        column = row >= self._entities
        place = np.maximum(row - self._entities, 0)
        home = np.where(column, self._home[place] if len(self._home) else 0, row)
        whole = pc.take(self._wholes.texts, array_of(home))
        if not column.any():
            return whole
        tail = pc.take(self._fields.texts, array_of(self._code[place], ~column))
        return pc.coalesce(pc.binary_join_element_wise(whole, tail, array_of_texts([":"])[0]), whole)


def _equal(texts: pa.Array, text: str) -> pa.Array:
    """Which texts are this one."""
    import pyarrow.compute as pc

    return pc.equal(texts, array_of_texts([text])[0])


def _rest(inside: Bool, size: int, length: I64) -> F64:
    """Score where the text is no part of the name itself: of the whole name, or its words alone are."""
    share = size / np.maximum(length, 1)
    found: F64 = np.where(inside, 0.5 + 0.1 * share, 0.3 + 0.15 * np.minimum(1.0, share))
    return found
