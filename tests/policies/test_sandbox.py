"""The SQL of a policy can read the views and do nothing else; every attack ends as an error, never as a result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from lineage.policies.sandbox import Here, PolicyError, Sandbox

ATTACKS = {
    "SELECT * FROM read_csv('/etc/passwd')": "file system operations are disabled",
    "SELECT * FROM read_text('/etc/passwd')": "file system operations are disabled",
    "SELECT * FROM read_blob('/etc/passwd')": "file system operations are disabled",
    "SELECT * FROM parquet_scan('/etc/passwd')": "file system operations are disabled",
    "SELECT * FROM glob('/etc/*')": "file system operations are disabled",
    "SELECT * FROM '/etc/passwd'": "does not exist",
    "SELECT * FROM duckdb_secrets()": "file system operations are disabled",
    "COPY asset TO '/tmp/stolen.csv'": "Only SELECT",
    "EXPORT DATABASE '/tmp/stolen'": "Only SELECT",
    "ATTACH 'meshline.duckdb'": "Only SELECT",
    "INSTALL httpfs": "Only SELECT",
    "LOAD httpfs": "Only SELECT",
    "SET memory_limit = '100GB'": "Only SELECT",
    "PRAGMA database_list": "Only SELECT",
    "CREATE TABLE x AS SELECT 1": "Only SELECT",
    "DELETE FROM asset": "Only SELECT",
    "INSERT INTO asset VALUES ('x')": "Only SELECT",
    "DROP TABLE asset": "Only SELECT",
    "DETACH memory": "Only SELECT",
    "USE memory": "Only SELECT",
    "RESET lock_configuration": "Only SELECT",
    "CHECKPOINT": "Only SELECT",
    "CALL pragma_version()": "Only SELECT",
    "EXPLAIN ANALYZE DELETE FROM asset": "Only SELECT",
    "SELECT * FROM sniff_csv('/etc/passwd')": "file system operations are disabled",
    "SELECT * FROM read_json('/etc/passwd')": "file system operations are disabled|does not exist|json",
    "SELECT * FROM 'https://example.org/x.csv'": "does not exist|disabled",
    "SELECT * FROM query('DELETE FROM asset')": "SELECT|Expected",
    "UPDATE asset SET id = 'x'": "Only SELECT",
    "WITH gone AS (DELETE FROM asset RETURNING *) SELECT * FROM gone": "read-only",
    "SELECT 1; SELECT 2": "One SELECT is wanted",
    "": "One SELECT is wanted",
    "SELECT * FROM secret": "does not exist",
    "SELECT getenv('HOME')": "does not exist",
    "SELEC id FROM asset": "syntax error",
    "SELECT ident FROM asset": "id",
}
ENDLESS = {
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r": "longer than",
    "SELECT count(*) FROM range(100000000000) a, range(100000) b": "longer than",
    "SELECT repeat('x', 4000000000)": "memory|longer than",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    secret = pa.table({"x": [1]})
    with Sandbox({"asset": pa.table({"id": ["a", "b"]})}, seconds=0.5) as made:
        yield made
    assert secret.num_rows == 1


@pytest.mark.parametrize(("attack", "answer"), ATTACKS.items())
def test_an_attack_is_refused_and_the_views_stay(sandbox: Sandbox, attack: str, answer: str) -> None:
    with pytest.raises(PolicyError, match=answer):
        sandbox.select(attack)
    assert sandbox.select("SELECT count(*) FROM asset").rows == [(2,)]


@pytest.mark.parametrize(("attack", "answer"), ENDLESS.items())
def test_what_never_ends_or_eats_memory_is_ended(sandbox: Sandbox, attack: str, answer: str) -> None:
    with pytest.raises(PolicyError, match=answer):
        sandbox.select(attack)
    assert sandbox.select("SELECT count(*) FROM asset").rows == [(2,)]


def test_queries_of_our_own_have_a_limit_of_memory_and_write_nothing_to_disk() -> None:
    here = Here({})
    said = here.select("SELECT current_setting('memory_limit'), current_setting('max_temp_directory_size')").rows[0]
    assert said == ("953.6 MiB", "0 bytes")


def test_more_rows_than_an_answer_may_have_are_refused_and_not_for_their_time() -> None:
    with Sandbox({"asset": pa.table({"id": ["a"]})}, seconds=60) as made:
        with pytest.raises(PolicyError, match="more than 1,000,000 rows"):
            made.select("SELECT * FROM range(2000000)")
        assert made.select("SELECT count(*) FROM asset").rows == [(1,)]


def test_nothing_is_taken_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lineage").mkdir()
    (tmp_path / "lineage" / "__init__.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    with Sandbox({"asset": pa.table({"id": ["a"]})}) as made:
        assert made.select("SELECT id FROM asset WHERE id = $id", {"id": "a"}).rows == [("a",)]


def test_values_of_every_kind_come_back(sandbox: Sandbox) -> None:
    row = sandbox.select(
        "SELECT 1, NULL, true, 2.5::DOUBLE, [1, 2], {'a': 1}, 170141183460469231731687303715884105727"
    ).rows[0]
    assert row == (1, None, True, 2.5, [1, 2], {"a": 1}, "170141183460469231731687303715884105727")
