"""Words of names: found as if every name were looked at, and no look-alike is lost."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage import vocabulary
from lineage.search import _ALIKE
from lineage.vocabulary import Lookalikes, Vocabulary

TEXTS = st.lists(st.text(alphabet="ab9ß漢_.:/- ٣\u0301", max_size=12), max_size=12)
WORDS = st.text(alphabet="ab9ß漢٣\u0301", min_size=1, max_size=4)
NAMES = st.text(alphabet="abcdeßé", min_size=1, max_size=12)
JARO_WINKLER = """
SELECT word FROM (SELECT unnest($words::VARCHAR[]) AS word) WHERE jaro_winkler_similarity(word, $word) >= $alike
"""


@pytest.mark.parametrize("most", [0, 2_000])
def test_a_word_is_found_where_it_is_a_part_of_a_text(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one, and all at once when a word is in very many."""
    monkeypatch.setattr(vocabulary, "_MANY", most)

    @settings(max_examples=150)
    @given(texts=TEXTS, word=WORDS)
    def check(texts: list[str], word: str) -> None:
        found = Vocabulary(pa.array(texts, pa.string())).having(word)
        assert found is not None
        assert found.tolist() == [word in text for text in texts]

    check()


def test_a_part_of_an_array_is_looked_at_as_if_it_were_whole() -> None:
    texts = pa.array(["x.orders", "", "pg:orders", "a_b"], pa.string()).slice(1, 3)
    found = Vocabulary(texts).having("order")
    assert found is not None and found.tolist() == [False, True, False]


@pytest.mark.parametrize("word", ["", ".", "a.b", "a_b", "a b"])
def test_what_has_a_separator_in_it_cannot_be_told(word: str) -> None:
    assert Vocabulary(pa.array(["a.b", "a_b"])).having(word) is None


def test_every_word_that_looks_alike_is_compared() -> None:
    @settings(max_examples=300)
    @given(words=st.lists(NAMES, max_size=15, unique=True), word=NAMES, alike=st.sampled_from([0.5, 0.7, _ALIKE, 0.95]))
    def check(words: list[str], word: str, alike: float) -> None:
        asked = {"words": words, "word": word, "alike": alike}
        expected = {row[0] for row in connection.execute(JARO_WINKLER, asked).fetchall()}
        assert expected <= set(Lookalikes(words).near(word, alike))

    with duckdb.connect() as connection:
        check()


def test_few_others_are_compared() -> None:
    words = [f"table{i}" for i in range(2_000)] + ["customer", "customs"]
    assert set(Lookalikes(words).near("custmer", _ALIKE)) == {"customer", "customs"}


def test_a_word_is_there_when_it_is_a_part_of_one_and_not_of_two() -> None:
    known = Lookalikes(["orders", "stock"])
    assert known.has("rder") and known.has("stock")
    assert not known.has("ss") and not known.has("orderss")
    assert not Lookalikes([]).has("x") and Lookalikes([]).near("x", 0.1) == []
