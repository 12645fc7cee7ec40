"""A database of an older format: commands that only read upgrade it first, after a copy was made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from lineage import cli
from lineage.store import Store
from lineage.store.store import migrations


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database with only the first migration, as the first Meshline left it."""
    path = tmp_path / "old.duckdb"
    connection = duckdb.connect(str(path))
    connection.execute(migrations()[1])
    connection.execute("INSERT INTO meta VALUES ('format', '1'), ('alias.rules_off', 'port,slash')")
    connection.execute("INSERT INTO node VALUES (7, 'dataset', 'pg', 'orders', '', NULL, TIMESTAMP '2026-01-01')")
    connection.close()
    return path


def test_a_command_that_only_reads_upgrades_it_and_keeps_a_copy(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["search", "orders", "--db", str(old)]) == 0
    out, err = capsys.readouterr()
    assert "dataset:pg:orders" in out
    assert f"{old} was upgraded; the former file is kept beside it" in err
    assert (old.parent / "old.duckdb.format1").is_file()
    with Store.open(old, read_only=True) as store:
        assert store.get_meta("format") == str(max(migrations()))
        off = store.rows("SELECT rule, year(known_from), year(known_to) FROM alias_rule ORDER BY rule")
        assert off == [("port", 1970, 9999), ("slash", 1970, 9999)]  # a setting without a date held always
        assert store.get_meta("alias.rules_off") is None
    assert cli.run(["impact", "orders", "--db", str(old)]) == 0
    assert "upgraded" not in capsys.readouterr().err


def test_one_that_cannot_be_written_says_why(
    old: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() == 0:  # root may write anything: let another connection hold the file for reading
        holder = duckdb.connect(str(old), read_only=True)
        script = f"from lineage import cli; import sys; sys.exit(cli.run(['show', 'orders', '--db', {str(old)!r}]))"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        holder.close()
        code, err = done.returncode, done.stderr
    else:
        old.chmod(0o444)
        code = cli.run(["show", "orders", "--db", str(old)])
        err = capsys.readouterr().err
    assert code == 1
    assert "has the older format 1" in err and "It cannot be upgraded now" in err
