"""The words that texts are made of: where a word occurs, and which words look like one that does not.

A word that is searched for has no separator in it, so it lies inside one word of a text. A hundred thousand names are
made of far fewer letters of different words, and only these are looked through; from a word that fits, a table leads to
the texts that have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lineage.arrow import array_of_texts, numbers
from lineage.graph.arrays import I64, U32, Bool

if TYPE_CHECKING:
    import pyarrow as pa

U8 = npt.NDArray[np.uint8]
_ASCII = np.arange(256)
_LETTER: Bool = (_ASCII >= 128) | np.array([chr(i).isalnum() for i in range(256)])  # of a word, byte by byte
_MANY = 2_000  # words with a text in them that are found one by one
_PREFIX = 4  # letters at the beginning that the Winkler part looks at
_WEIGHT = 0.1


class _Words:
    """Different words, one behind the other with a byte between that is in none: one search goes through all."""

    def __init__(self, words: pa.Array) -> None:
        self.words = words
        flat, offsets = _bytes_of(words)
        self.starts = offsets + np.arange(len(offsets))
        joined = np.zeros(self.starts[-1], dtype=np.uint8)
        inside = np.ones(len(joined), dtype=bool)
        inside[self.starts[1:] - 1] = False
        joined[inside] = flat
        self.joined = joined.tobytes()

    def having(self, part: bytes, most: int) -> I64 | None:
        """Numbers of the first words that a text is a part of; ``None`` when there are more than ``most``."""
        found: list[int] = []
        at = self.joined.find(part)
        while at >= 0:
            if len(found) == most:
                return None
            found.append(at)
            at = self.joined.find(part, self.joined.find(b"\0", at))
        return np.searchsorted(self.starts, np.array(found, dtype=np.int64), side="right") - 1


class Vocabulary:
    """Which texts a word occurs in.

    Parameters
    ----------
    texts
        an Arrow array of strings in lower case, without nulls.

    Examples
    --------
    >>> import pyarrow as pa
    >>> Vocabulary(pa.array(["pg:shop.orders", "pg:stock"])).having("order").tolist()
    [True, False]
    """

    def __init__(self, texts: pa.Array) -> None:
        import pyarrow as pa

        self._size = len(texts)
        flat, offsets = _bytes_of(texts)
        letter = _LETTER[flat]
        begins = letter.copy()
        begins[1:] &= ~letter[:-1]
        starts = offsets[:-1][offsets[:-1] < offsets[1:]]
        begins[starts] = letter[starts]  # a word ends where its text does
        ends = letter.copy()
        ends[:-1] &= ~letter[1:] | begins[1:]
        first = np.flatnonzero(begins)
        bounds: I64 = np.zeros(len(first) + 1, dtype=np.int64)
        np.cumsum(np.flatnonzero(ends) + 1 - first, out=bounds[1:])
        buffers = pa.py_buffer(bounds), pa.py_buffer(flat[letter])
        words = pa.LargeStringArray.from_buffers(len(first), *buffers).dictionary_encode()
        self._words = _Words(words.dictionary)
        code = numbers(words.indices)
        order = np.argsort(code, kind="stable")
        many = np.diff(np.searchsorted(first, offsets))  # words of each text
        self._texts = np.repeat(np.arange(len(many), dtype=np.int32), many)[order]
        starts = np.searchsorted(code[order], np.arange(len(words.dictionary)))
        self._starts = np.append(starts, len(code)).astype(np.int64)

    def having(self, word: str) -> Bool | None:
        """For each text whether the word occurs in it; ``None`` when it has a separator in it and this cannot tell."""
        import pyarrow.compute as pc

        part = word.encode("utf-8", "surrogatepass")
        if not part or not _LETTER[np.frombuffer(part, np.uint8)].all():
            return None
        found = np.zeros(self._size, dtype=bool)
        hit = self._words.having(part, _MANY)
        if hit is not None:
            for k in hit.tolist():
                found[self._texts[self._starts[k] : self._starts[k + 1]]] = True
            return found
        many = numbers(pc.match_substring(self._words.words, word))
        found[self._texts[np.repeat(many, np.diff(self._starts))]] = True
        return found


class Lookalikes:
    """Words to compare with one that is spelled wrongly: all that can reach a Jaro-Winkler similarity, and few more.

    How many letters two words share is at most what is left of each without the letters that the other has not. That
    bounds their similarity from above, for all words in one pass; only those above the bound are worth a comparison.

    Parameters
    ----------
    words
        in lower case, each once.
    """

    def __init__(self, words: Sequence[str]) -> None:
        import pyarrow as pa

        self.words = words
        self._joined = _Words(array_of_texts(words).cast(pa.large_string()))
        flat = _letters("".join(words))
        self._length = np.fromiter(map(len, words), np.int64, len(words))
        offsets = np.append(0, np.cumsum(self._length))
        self._letters = np.zeros(len(words), dtype=np.uint64)
        filled = np.flatnonzero(self._length)
        if len(filled):
            self._letters[filled] = np.bitwise_or.reduceat(_bits(flat), offsets[:-1][filled])
        at = np.minimum(offsets[:-1, None] + np.arange(_PREFIX), max(len(flat) - 1, 0))
        self._begin = flat[at] if len(flat) else np.zeros((len(words), _PREFIX), dtype=np.uint32)

    def has(self, word: str) -> bool:
        """Whether the word is a part of any."""
        return word.encode("utf-8", "surrogatepass") in self._joined.joined

    def near(self, word: str, alike: float) -> list[str]:
        """Every word whose Jaro-Winkler similarity to this one can be ``alike`` or more."""
        mine = _letters(word)
        if not len(mine) or not len(self.words):
            return []
        letters, size = np.bitwise_or.reduce(_bits(mine)), len(mine)
        length = np.maximum(self._length, 1)
        shared = np.minimum(
            size - np.bitwise_count(letters & ~self._letters).astype(np.int64),
            self._length - np.bitwise_count(self._letters & ~letters).astype(np.int64),
        ).clip(0, np.minimum(size, self._length))
        jaro = (shared / size + shared / length + 1) / 3
        k = min(_PREFIX, size)
        same = np.logical_and.accumulate(self._begin[:, :k] == mine[:k], axis=1).sum(axis=1)
        bound = jaro + _WEIGHT * np.minimum(same, self._length) * (1 - jaro)
        return [self.words[i] for i in np.flatnonzero((bound >= alike - 1e-9) & (shared > 0)).tolist()]


def _letters(text: str) -> U32:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _bits(flat: U32) -> npt.NDArray[np.uint64]:
    """One bit for each letter; letters that have the same one only make the bound wider."""
    return np.left_shift(np.uint64(1), (flat & 63).astype(np.uint64))


def _bytes_of(texts: pa.Array) -> tuple[U8, I64]:
    """UTF-8 of all texts, and where each begins; the last offset is the end."""
    import pyarrow as pa

    large = texts.cast(pa.large_string())
    _, offsets, data = large.buffers()
    if not len(large):
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    found = np.frombuffer(offsets, np.int64)[large.offset : large.offset + len(large) + 1]
    flat = np.frombuffer(data, np.uint8)[found[0] : found[-1]] if data is not None else np.zeros(0, np.uint8)
    return flat, found - found[0]
