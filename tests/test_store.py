"""The store: opening, upgrading, transactions, copies, and what it says when something is wrong with the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from lineage.errors import MeshlineError, StoreError, StoreLockedError, StoreVersionError
from lineage.store import Store, default_path
from lineage.store import store as store_module
from lineage.store.store import migrations, server_note

NOBODY = 65534


def refusal(path: Path | str, error: type[MeshlineError] = StoreError, **options: bool) -> str:
    """What a person reads when the file cannot be opened: one line, without DuckDB's name for the error."""
    with pytest.raises(error) as caught:
        Store.open(path, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert "Traceback" not in text
    return text


def put(store: Store, key: str, value: str) -> None:
    with store.transaction() as cursor:
        store.set_meta(cursor, key, value)


@contextmanager
def held_by_another_process(path: Path) -> Iterator[int]:
    """Another process has the file open; gives its process id."""
    code = (
        "import sys\n"
        "from lineage.store import Store\n"
        "store = Store.open(sys.argv[1])\n"
        "print('open', flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "open\n"
        yield process.pid
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


# -- opening


def test_a_new_file_gets_the_newest_format(tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    with Store.open(path) as store:
        assert store.get_meta("format") == str(max(migrations()))
    with Store.open(path, create=False) as store:
        assert store.rows("SELECT count(*) FROM event") == [(0,)]


@pytest.mark.parametrize("name", [":memory:", "new.duckdb"])
def test_a_new_store_is_what_every_migration_gives_step_by_step(tmp_path: Path, name: str) -> None:
    """A new store leaves out what only changes rows; not one table, column, type, default or row differs by it."""
    with duckdb.connect(":memory:") as steps:
        for _, sql in sorted(migrations().items()):
            steps.execute(sql)
        steps.execute("INSERT INTO meta VALUES ('format', ?)", [str(max(migrations()))])
        expected = schema_and_rows(lambda sql: steps.execute(sql).fetchall())
    with Store.open(name if name == ":memory:" else tmp_path / name) as store:
        assert schema_and_rows(store.rows) == expected


def schema_and_rows(rows: Callable[[str], list[tuple[Any, ...]]]) -> list[object]:
    """Everything in a database that a migration can make: tables with their columns, other objects, all rows."""
    tables = [name for (name,) in rows("SELECT table_name FROM duckdb_tables() ORDER BY ALL")]
    return [
        rows("SELECT table_name, sql FROM duckdb_tables() ORDER BY ALL"),
        rows("SELECT table_name, column_index, column_name, data_type, column_default, is_nullable, comment "
             "FROM duckdb_columns() WHERE NOT internal ORDER BY ALL"),
        *(rows(f"SELECT count(*) FROM duckdb_{kind}()") for kind in ("indexes", "sequences", "constraints", "types")),
        rows("SELECT view_name, sql FROM duckdb_views() WHERE NOT internal ORDER BY ALL"),
        rows("SELECT function_name, macro_definition FROM duckdb_functions() WHERE NOT internal ORDER BY ALL"),
        [(name, rows(f"SELECT * FROM {name} ORDER BY ALL")) for name in tables],
    ]  # fmt: skip


def test_a_file_that_somebody_made_meanwhile_is_opened_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "quicker.duckdb"
    with Store.open(path) as store:
        put(store, "a", "theirs")
    monkeypatch.setattr(store_module, "check_file", lambda *_, **__: False)  # it was not there when looked for
    with Store.open(path) as store:
        assert store.get_meta("a") == "theirs"


def test_every_migration_has_a_number_of_its_own() -> None:
    files = [*(Path(store_module.__file__).parent / "migrations").glob("*.sql")]
    assert sorted(migrations()) == list(range(1, len(files) + 1))


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "again.duckdb"
    Store.open(path).close()
    before = path.read_bytes()
    Store.open(path).close()
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["again.duckdb"]


def test_the_default_database_is_the_one_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert default_path() == Path("meshline.duckdb")
    monkeypatch.setenv("MESHLINE_DB", str(tmp_path / "mine.duckdb"))
    assert default_path() == tmp_path / "mine.duckdb"
    Store.open().close()
    assert (tmp_path / "mine.duckdb").exists()


def test_a_database_in_memory_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Store.open(":memory:") as store:
        put(store, "a", "1")
        assert store.get_meta("a") == "1"
    assert list(tmp_path.iterdir()) == []


def test_the_database_cannot_reach_the_file_system_by_sql(store: Store, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with pytest.raises(duckdb.PermissionException):
        store.rows(f"SELECT * FROM read_csv('{tmp_path / 'secret.csv'}')")


def test_times_are_utc_wherever_the_machine_is() -> None:
    code = (
        "from lineage.store import Store\n"
        "print(Store.open(':memory:').rows(\"SELECT TIMESTAMPTZ '2026-03-31 09:00:00Z'::TIMESTAMP::VARCHAR\"))"
    )
    environment = {**os.environ, "TZ": "America/New_York"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "[('2026-03-31 09:00:00',)]\n"


def test_no_table_has_a_key_an_index_or_a_constraint(store: Store) -> None:
    kinds = "('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY', 'CHECK', 'NOT NULL')"
    assert store.rows(f"SELECT * FROM duckdb_constraints() WHERE constraint_type IN {kinds}") == []
    assert store.rows("SELECT * FROM duckdb_indexes()") == []
    assert store.rows("SELECT * FROM duckdb_sequences()") == []


# -- files that are something else


def test_a_missing_file_is_named_with_the_way_to_make_one(tmp_path: Path) -> None:
    text = refusal(tmp_path / "no.duckdb", create=False)
    assert text.startswith(f"There is no database {tmp_path / 'no.duckdb'}.")
    assert "meshline ingest" in text


def test_a_missing_file_is_not_made_for_reading(tmp_path: Path) -> None:
    refusal(tmp_path / "no.duckdb", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    assert "is a folder; --db wants a file" in refusal(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert f"The folder {tmp_path / 'no'} does not exist" in refusal(tmp_path / "no" / "x.duckdb")


def test_a_file_of_another_kind_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database\n" * 2000)
    assert refusal(path) == f"{path} is no DuckDB database; name another file with --db."
    assert path.read_text() == "not a database\n" * 2000


def test_an_empty_file_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "empty.duckdb"
    path.touch()
    assert "is empty, so it is no database; remove it" in refusal(path)


def test_a_pipe_is_no_database_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "is no ordinary file" in refusal(tmp_path / "pipe")


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    assert "cannot be used: File name too long" in refusal(tmp_path / ("x" * 300))


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE TABLE meta (name VARCHAR, number INTEGER)")
    assert "is a DuckDB file, but not one of Meshline" in refusal(path)
    with duckdb.connect(str(path)) as other:
        assert other.execute("SELECT table_name FROM information_schema.tables").fetchall() == [("meta",)]


@pytest.mark.parametrize("name", ["x.duckdb", "a newer lock, permission denied.duckdb"])
def test_a_damaged_file_is_called_damaged_whatever_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Store.open(path).close()
    content = bytearray(path.read_bytes())
    content[4096:12288] = bytes(8192)  # both database headers
    path.write_bytes(content)
    assert f"{path} is damaged (" in refusal(path)


def test_a_file_cut_short_is_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "cut.duckdb"
    Store.open(path).close()
    path.write_bytes(path.read_bytes()[:20_000])
    assert "is damaged (" in refusal(path)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may write anywhere; the rest of the block runs as somebody who may not."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """A folder that everybody may enter; pytest's own are for one user."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid != os.geteuid() or folder == Path(tmp_path.anchor):
            break
        if folder.stat().st_mode & 0o011 != 0o011:
            folder.chmod(folder.stat().st_mode | 0o011)
    return tmp_path


def test_a_read_only_folder_is_named(public: Path) -> None:
    folder = public / "locked"
    folder.mkdir(mode=0o555)
    with without_privileges():
        text = refusal(folder / "new.duckdb")
    assert text == f"The folder {folder} cannot be written; name a file elsewhere with --db."


def test_a_read_only_file_is_named(public: Path) -> None:
    path = public / "theirs.duckdb"
    Store.open(path).close()
    path.chmod(0o444)
    with without_privileges():
        text = refusal(path)
    assert text == f"{path} cannot be written: permission denied. Change its permissions or work on a copy."


def test_an_unreadable_file_is_named(public: Path) -> None:
    path = public / "secret.duckdb"
    Store.open(path).close()
    path.chmod(0o000)
    with without_privileges():
        text = refusal(path, read_only=True)
    assert text == f"{path} cannot be read: permission denied. Change its permissions or work on a copy."


def test_a_folder_that_takes_no_files_is_named_also_to_root() -> None:
    if not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    assert refusal("/proc/x.duckdb") == "The folder /proc cannot be written; name a file elsewhere with --db."


# -- locks


def test_a_file_held_by_another_process_says_by_which(tmp_path: Path) -> None:
    path = tmp_path / "held.duckdb"
    with held_by_another_process(path) as pid:
        text = refusal(path, StoreLockedError)
    assert text == f"{path} is in use by process {pid}. Stop it, or work on a copy."


def test_a_file_held_by_a_server_names_its_address(tmp_path: Path) -> None:
    path = tmp_path / "served.duckdb"
    with held_by_another_process(path) as pid:
        server_note(path).write_text(json.dumps({"pid": pid, "url": "http://127.0.0.1:8080"}))
        text = refusal(path, StoreLockedError, read_only=True)
    assert f"is in use by a running server (process {pid}, http://127.0.0.1:8080)" in text
    assert "http://127.0.0.1:8080/api/docs" in text


@pytest.mark.parametrize("note", ['{"pid": 1, "url": "http://127.0.0.1:8080"}', "{", "[]", '{"pid": "x", "url": ""}'])
def test_a_note_that_a_dead_server_left_is_not_believed(tmp_path: Path, note: str) -> None:
    path = tmp_path / "held.duckdb"
    server_note(path).write_text(note)
    with held_by_another_process(path) as pid:
        assert f"is in use by process {pid}." in refusal(path, StoreLockedError)


def test_two_modes_in_one_process_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.duckdb"
    with Store.open(path):
        assert "already open in this process in another mode" in refusal(path, StoreLockedError, read_only=True)


def test_several_readers_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "shared.duckdb"
    Store.open(path).close()
    with Store.open(path, read_only=True) as one, Store.open(path, read_only=True) as two:
        assert one.rows("SELECT count(*) FROM node") == two.rows("SELECT count(*) FROM node")


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "read.duckdb"
    Store.open(path).close()
    with Store.open(path, read_only=True) as store, pytest.raises(duckdb.InvalidInputException):
        put(store, "a", "1")


# -- formats


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database in the first format with one fact in it."""
    path = tmp_path / "old.duckdb"
    with Store.open(path) as store:
        put(store, "fact", "kept")
    return path


def next_format(monkeypatch: pytest.MonkeyPatch, sql: str) -> int:
    """Pretend that this Meshline knows one format more; gives its number."""
    steps = migrations()
    number = max(steps) + 1
    monkeypatch.setattr(store_module, "migrations", lambda: {**steps, number: sql})
    return number


def test_an_older_file_is_upgraded_after_a_copy_was_made(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = next_format(monkeypatch, "CREATE TABLE novelty (a INTEGER); INSERT INTO novelty VALUES (1)")
    with Store.open(old) as store:
        assert store.get_meta("format") == str(number)
        assert store.get_meta("fact") == "kept"
        assert store.rows("SELECT a FROM novelty") == [(1,)]
    monkeypatch.undo()
    with Store.open(old.with_name(f"old.duckdb.format{number - 1}")) as copy:
        assert copy.get_meta("format") == str(number - 1)
        assert copy.get_meta("fact") == "kept"


def test_an_upgrade_that_fails_leaves_the_old_file_and_may_be_tried_again(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = next_format(monkeypatch, "CREATE TABLE novelty (a INTEGER); SELECT no_such_function()")
    with pytest.raises(duckdb.Error):
        Store.open(old)
    monkeypatch.undo()
    with Store.open(old) as store:
        assert store.get_meta("format") == str(number - 1)
        assert store.rows("SELECT 1 FROM information_schema.tables WHERE table_name = 'novelty'") == []
    next_format(monkeypatch, "CREATE TABLE novelty (a INTEGER)")
    with Store.open(old) as store:
        assert store.get_meta("format") == str(number)
    copies = sorted(file.name for file in old.parent.glob("old.duckdb.format*"))
    assert copies == [f"old.duckdb.format{number - 1}", f"old.duckdb.format{number - 1}.2"]


def test_an_older_file_is_not_upgraded_by_a_reader(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = next_format(monkeypatch, "CREATE TABLE novelty (a INTEGER)")
    assert f"has the older format {number - 1}; open it once for writing" in refusal(old, read_only=True)


def test_a_newer_file_is_refused_with_the_way_to_upgrade(old: Path) -> None:
    with Store.open(old) as store:
        put(store, "format", "999")
    text = refusal(old, StoreVersionError)
    assert "has format 999" in text
    assert "pip install --upgrade meshline" in text


def test_migrations_are_numbered_without_a_gap() -> None:
    assert sorted(migrations()) == list(range(1, len(migrations()) + 1))


# -- reading and writing


def test_a_transaction_that_fails_leaves_nothing_behind(store: Store) -> None:
    def fail() -> None:
        with store.transaction() as cursor:
            store.set_meta(cursor, "half", "done")
            assert cursor.execute("SELECT value FROM meta WHERE key = 'half'").fetchall() == [("done",)]
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail()
    assert store.get_meta("half") is None
    put(store, "after", "works")
    assert store.get_meta("after") == "works"


def test_a_statement_that_fails_shows_its_own_error(store: Store) -> None:
    with pytest.raises(duckdb.CatalogException), store.transaction() as cursor:
        cursor.execute("INSERT INTO no_such_table VALUES (1)")


def test_what_was_committed_is_there_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "crash.duckdb"
    code = (
        "import os, sys\n"
        "from lineage.store import Store\n"
        "store = Store.open(sys.argv[1])\n"
        "with store.transaction() as cursor:\n    store.set_meta(cursor, 'a', 'committed')\n"
        "os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 9
    with Store.open(path) as store:
        assert store.get_meta("a") == "committed"


def test_reading_sees_one_state_while_others_write(store: Store) -> None:
    put(store, "n", "1")
    with store.reading() as cursor:
        first = cursor.execute("SELECT value FROM meta WHERE key = 'n'").fetchall()
        put(store, "n", "2")
        second = cursor.execute("SELECT value FROM meta WHERE key = 'n'").fetchall()
    assert first == second == [("1",)]
    assert store.get_meta("n") == "2"


def test_reading_cannot_write(store: Store) -> None:
    with store.reading() as cursor, pytest.raises(duckdb.Error):
        cursor.execute("INSERT INTO meta VALUES ('a', 'b')")


def test_writers_take_turns(store: Store) -> None:
    def count_up() -> None:
        for _ in range(20):
            with store.transaction() as cursor:
                found = cursor.execute("SELECT value FROM meta WHERE key = 'n'").fetchall()
                store.set_meta(cursor, "n", str(int(found[0][0]) + 1))

    put(store, "n", "0")
    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get_meta("n") == "80"


def test_threads_read_at_once_and_each_gets_its_own_rows(store: Store) -> None:
    results: dict[int, list[tuple[int]]] = {}

    def read(number: int) -> None:
        results[number] = [row for _ in range(20) for row in store.rows("SELECT ?::INTEGER", [number])]

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: [(number,)] * 20 for number in range(8)}


def test_arrow_rows_go_in_by_name_and_come_out_again(store: Store) -> None:
    rows = pa.table({"value": ["1", "2"], "key": ["a", "b"]})
    with store.transaction() as cursor:
        store.insert(cursor, "meta", rows)
        store.insert(cursor, "meta", rows.slice(0, 0))
    found = store.arrow("SELECT key, value FROM meta WHERE key IN (?, ?) ORDER BY key", ["a", "b"])
    assert found.to_pylist() == [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]


def test_a_setting_has_one_value(store: Store) -> None:
    put(store, "a", "1")
    put(store, "a", "2")
    assert store.rows("SELECT value FROM meta WHERE key = 'a'") == [("2",)]


# -- copies


def test_a_snapshot_opens_while_the_original_goes_on(store: Store, tmp_path: Path) -> None:
    put(store, "a", "then")
    copy = tmp_path / "copy.duckdb"
    store.snapshot(copy)
    put(store, "a", "now")
    code = "import sys; from lineage.store import Store; print(Store.open(sys.argv[1], read_only=True).get_meta('a'))"
    done = subprocess.run([sys.executable, "-c", code, str(copy)], capture_output=True, text=True, check=True)
    assert done.stdout == "then\n"
    assert store.get_meta("a") == "now"


def test_a_snapshot_can_be_taken_while_somebody_reads(store: Store, tmp_path: Path) -> None:
    put(store, "a", "1")
    with store.reading() as cursor:
        cursor.execute("SELECT count(*) FROM meta").fetchall()
        put(store, "a", "2")
        store.snapshot(tmp_path / "copy.duckdb")
    with Store.open(tmp_path / "copy.duckdb", read_only=True) as copy:
        assert copy.get_meta("a") == "2"


def test_a_snapshot_never_overwrites(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("keep me")
    with pytest.raises(StoreError, match="is already there"):
        store.snapshot(target)
    assert target.read_text() == "keep me"


def test_a_snapshot_that_cannot_be_written_leaves_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Cannot write"):
        store.snapshot(tmp_path / "no" / "copy.duckdb")
    assert not list(tmp_path.glob("**/*partial*"))


def test_a_database_in_memory_has_no_snapshot(tmp_path: Path) -> None:
    with Store.open(":memory:") as store, pytest.raises(StoreError, match="no file to copy"):
        store.snapshot(tmp_path / "copy.duckdb")


@pytest.mark.parametrize(("patience", "rows"), [(60.0, 3_000_000), (0.01, 10**12)])
def test_a_store_is_closed_when_what_others_ask_has_ended(
    monkeypatch: pytest.MonkeyPatch, patience: float, rows: int
) -> None:
    """What takes too long is interrupted; DuckDB by itself refuses to close a connection that is at work."""
    monkeypatch.setattr(store_module, "_PATIENCE", patience)
    store = Store.open(":memory:")
    begun = threading.Event()
    told: list[object] = []

    def ask() -> None:
        with store.cursor() as cursor:
            begun.set()
            try:
                told.extend(cursor.execute(f"SELECT count(*) FROM range({rows})").fetchall())
            except duckdb.InterruptException as error:
                told.append(type(error))

    asking = threading.Thread(target=ask)
    asking.start()
    begun.wait()
    store.close()
    asking.join()
    assert told == ([(rows,)] if patience > 1 else [duckdb.InterruptException])
    with pytest.raises(duckdb.ConnectionException), store.cursor():
        pass


@pytest.mark.parametrize("size", ["much", "5XB", "0"])
def test_a_memory_that_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: str) -> None:
    monkeypatch.setenv("MESHLINE_MEMORY", size)
    assert "MESHLINE_MEMORY" in refusal(tmp_path / "small.duckdb")


def test_trimming_lets_pages_go_and_leaves_the_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MESHLINE_MEMORY", "400MB")
    with Store.open(tmp_path / "large.duckdb") as store:
        limit = store.rows("SELECT current_setting('memory_limit')")
        with store.transaction() as cursor:
            cursor.execute("CREATE TABLE noise AS SELECT hash(i) AS a, hash(i + 1) AS b FROM range(4_000_000) r(i)")
        store.checkpoint()
        store.rows("SELECT sum(a % 7), sum(b % 7) FROM noise")
        pages = "SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'BASE_TABLE'"
        assert store.rows(pages)[0][0] > 48 * 2**20
        store.trim()
        assert store.rows(pages)[0][0] < 48 * 2**20
        assert store.rows("SELECT current_setting('memory_limit')") == limit == [("381.4 MiB",)]


def test_too_little_memory_for_a_write_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MESHLINE_MEMORY", "20MB")
    with Store.open(tmp_path / "tight.duckdb") as store:
        with pytest.raises(StoreError, match="MESHLINE_MEMORY"), store.transaction() as cursor:
            cursor.execute("CREATE TABLE noise AS SELECT list(hash(i)) AS a FROM range(40_000_000) r(i)")
        assert store.get_meta("format")
