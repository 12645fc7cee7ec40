"""The command line: one clear line and an exit code for whatever goes wrong, tables that fit, JSON that parses."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineage import __version__, cli
from lineage.store import Store
from tests.answers.builder import World

MESHLINE = [sys.executable, "-m", "lineage.cli"]


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database file with the chain of :mod:`tests.answers.conftest`, named by MESHLINE_DB."""
    file = tmp_path / "mesh.duckdb"
    world = World(_store=Store.open(file))
    world.flow(["raw"], "load", ["orders"], provenance="explicit")
    world.flow(["orders"], "build", ["report"])
    world.domain("sales", "orders", "load")
    world.domain("bi", "report", "build")
    world.store.close()
    monkeypatch.setenv("MESHLINE_DB", str(file))
    monkeypatch.setenv("COLUMNS", "80")
    return file


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.run(words)
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"meshline {__version__}\n", "")
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert all(word in out for word in ("impact", "provenance", "show", "search", "apply", "doctor", "snapshot"))


def test_help_imports_nothing_heavy() -> None:
    script = "import sys, lineage.cli; lineage.cli.run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"duckdb", "pyarrow", "numpy", "scipy", "networkx", "dash", "fastapi", "pandas"}
    assert not heavy & set(done.stderr.split())


def test_impact_as_json_has_the_promised_keys(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "impact", "raw", "--format", "json")
    body = json.loads(out)
    assert code == 0
    assert {"node", "direction", "as_of", "partial", "nodes"} <= body.keys()
    assert body["nodes"][0] == {**body["nodes"][0], "id": "dataset:pg:orders", "hops": 1, "certainty": "certain"}


def test_a_table_fits_80_columns_and_says_it_in_words(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "impact", "dataset:pg:raw", "--depth", "1")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "2 nodes in 1 domain, 2 in another domain (↗): 2 certain." in out
    assert "Partial: 2 more nodes behind (bi 2)." in out


def test_nothing_has_two_wordings(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "No impact: nothing Meshline knows of uses dataset:pg:report." in run(capsys, "impact", "report")[1]
    out = run(capsys, "provenance", "raw")[1]
    assert "No origin found, but blind here:\n  dataset:pg:raw: no job was ever seen writing" in out


def test_show_search_and_doctor(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "written by  job:pg:load" in run(capsys, "show", "orders")[1]
    assert json.loads(run(capsys, "search", "ordres", "--format", "json")[1])[0]["id"] == "dataset:pg:orders"
    code, out, _ = run(capsys, "doctor", "--fingerprint")
    assert code == 0 and "nothing found" in out and len(out.split()[-1]) == 64


def test_doctor_leaves_with_1_when_something_is_wrong(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(db) as store, store.transaction() as cursor:
        cursor.execute("DELETE FROM node WHERE name = 'raw'")
    code, out, _ = run(capsys, "doctor", "--format", "json")
    assert code == 1 and json.loads(out)["healthy"] is False


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("impact", "nothing-like-it"), 2, "There is no node “nothing-like-it”."),
        (("impact", "o"), 2, "dataset:pg:"),
        (("impact", "reprot"), 2, "Did you mean:\n  dataset:pg:report"),
        (("impact", "raw", "--depth", "-1"), 2, "--depth: -1 is negative"),
        (("impact", "raw", "--as-of", "soon"), 2, "as-of: “soon” is no time"),
        (("impact", "raw", "--known-at", "32.1."), 2, "known-at: “32.1.” is no time"),
        (("impact", "raw", "--format", "xml"), 2, "xml"),
        (("impact",), 2, "NODE"),
        (("fly",), 2, "No such command"),
        (("search", "x", "--kind", "table"), 2, "kind: “table” is none of"),
        (("apply", "nowhere"), 2, "nowhere is no folder"),
        (("impact", "raw", "--db", "missing.duckdb"), 1, "There is no database missing.duckdb"),
        (("snapshot", "x.duckdb", "--server", "nonsense"), 2, "is no address"),
        (("snapshot", "x.duckdb", "--server", "http://127.0.0.1:1"), 1, "cannot be reached"),
    ],
)
def test_a_mistake_gives_one_clear_message_and_its_code(
    db: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, message: str
) -> None:
    found, out, err = run(capsys, *words)
    assert (found, out) == (code, "")
    assert message in err


def test_apply_says_what_it_did_and_all_problems(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "domains").mkdir()
    file = tmp_path / "domains" / "ops.yaml"
    file.write_text("name: ops\npatterns: [raw]\n")
    code, out, _ = run(capsys, "apply", str(tmp_path), "--dry-run")
    assert (code, "+ domain ops (domains/ops.yaml)" in out, "Dry run: 1 added" in out) == (0, True, True)
    assert "Applied: 1 added, 0 changed, 2 removed" in run(capsys, "apply", str(tmp_path), "--actor", "ada")[1]
    assert json.loads(run(capsys, "show", "raw", "--format", "json")[1])["domain"] == "ops"
    file.write_text("name: ops\nowner: 3\npatern: []\n")
    code, out, err = run(capsys, "apply", str(tmp_path))
    assert (code, out) == (1, "")
    assert "domains/ops.yaml:2: owner" in err and "domains/ops.yaml:3: patern" in err


def test_a_snapshot_opens_elsewhere(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy.duckdb"
    assert run(capsys, "snapshot", str(copy))[0] == 0
    assert run(capsys, "impact", "raw", "--db", str(copy))[0] == 0
    code, _, err = run(capsys, "snapshot", str(copy))
    assert code == 1 and "is already there" in err


@pytest.fixture
def copy_server(db: Path) -> Iterator[str]:
    """A server that hands out a database, and refuses on /broken."""
    body = db.read_bytes()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found = self.path == "/api/v2/snapshot"
            self.send_response(200 if found else 404)
            self.end_headers()
            if found:
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_snapshot_comes_from_a_running_server(
    copy_server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy.duckdb"
    assert run(capsys, "snapshot", str(copy), "--server", copy_server)[0] == 0
    assert run(capsys, "show", "orders", "--db", str(copy))[0] == 0
    code, _, err = run(capsys, "snapshot", str(tmp_path / "no.duckdb"), "--server", f"{copy_server}/broken")
    assert code == 1 and "answered 404" in err
    assert not (tmp_path / "no.duckdb").exists() and not (tmp_path / "no.duckdb.partial").exists()


@pytest.mark.parametrize("format", ["table", "json"])
@pytest.mark.parametrize("words", [("impact", "raw"), ("change", "--drop", "raw")])
def test_a_closed_pipe_is_silent_and_leaves_a_verdict_as_it_is(db: Path, words: tuple[str, ...], format: str) -> None:
    command = [*MESHLINE, *words, "--format", format]
    verdict = subprocess.run(command, capture_output=True).returncode
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (verdict, "")
    assert (verdict != 0) == (words[0] == "change")


def test_an_interrupt_is_one_word(
    db: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lineage.engine.Lineage.impact", interrupted)
    assert run(capsys, "impact", "raw") == (130, "", "meshline: interrupted\n")


def test_a_defect_is_one_message_too_and_a_traceback_on_demand(
    db: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr("lineage.engine.Lineage.impact", broken)
    code, _, err = run(capsys, "impact", "raw")
    assert code == 1 and "unexpected ZeroDivisionError: nobody thought of this" in err
    monkeypatch.setenv("MESHLINE_TRACE", "1")
    with pytest.raises(ZeroDivisionError):
        cli.run(["impact", "raw"])


def test_a_package_whose_commands_cannot_be_loaded_does_not_stop_the_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        name, value = "99-broken", "broken.commands:register"

        def load(self) -> object:
            raise ImportError("No module named 'broken'")

    entries = cli._entry_points()
    monkeypatch.setattr(cli, "_entry_points", lambda: [*entries, Broken()])
    code, out, err = run(capsys, "--help")
    assert code == 0 and "impact" in out and "broken.commands:register cannot be loaded" in err


def test_a_name_cannot_command_the_terminal(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(_store=Store.open(db))
    world.flow(["raw"], "j", ["evil\x1b[2J[red]x"])
    world.store.close()
    out = run(capsys, "impact", "raw")[1]
    assert "\x1b[2J" not in out
    assert "evil\\x1b[2J[red]x" in out


def test_two_processes_may_ask_at_once(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(db, read_only=True):
        done = subprocess.run([*MESHLINE, "impact", "raw"], capture_output=True, text=True)
        assert done.returncode == 0


def test_a_locked_database_says_who_holds_it(db: Path) -> None:
    with Store.open(db):
        done = subprocess.run([*MESHLINE, "impact", "raw"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "is in use by" in done.stderr and "Traceback" not in done.stderr
