"""How readers learn that a store has changed."""

from __future__ import annotations

import contextlib
from pathlib import Path

from lineage.store import Store
from lineage.store.version import bump_version, state_version


def test_a_version_is_asked_for_again_after_every_change_of_any_store_of_the_process(tmp_path: Path) -> None:
    with Store.open(tmp_path / "one.duckdb") as one, Store.open(tmp_path / "two.duckdb") as two:
        assert (state_version(one), state_version(one)) == (0, 0)
        with one.transaction() as cursor:
            bump_version(cursor)
            assert state_version(one) == 0  # not committed: and what is said meanwhile is not kept
        assert state_version(one) == 1
        with contextlib.suppress(KeyError), one.transaction() as cursor:
            bump_version(cursor)
            raise KeyError
        assert (state_version(one), state_version(two)) == (1, 0)
        with two.transaction() as cursor:
            bump_version(cursor)
        assert (state_version(one), state_version(two)) == (1, 1)
