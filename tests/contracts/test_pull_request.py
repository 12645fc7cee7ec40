"""The GitHub Actions example of docs/change.md: every step of it runs here, as GitHub would run it."""

from __future__ import annotations

import io
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lineage.cli import run
from lineage.declared import apply
from lineage.store import Store
from tests.answers.builder import World
from tests.contracts.test_change import text

DOCS = Path(__file__).parents[2] / "docs"
WORKFLOW: dict[str, Any] = yaml.safe_load(
    re.findall(r"```yaml\n(name: contracts\n.*?)\n```", (DOCS / "change.md").read_text(encoding="utf-8"), re.DOTALL)[0]
)
STEPS = WORKFLOW["jobs"]["change"]["steps"]
VALUES = {
    "vars.MESHLINE_URL": "http://mesh",
    "github.base_ref": "main",
    "github.token": "t",
    "github.event.number": "7",
}
COLUMNS = ("id:int", "amount:int", "note:text")
STUBS = {
    "pip": 'echo "pip $*" >> "$LOG"',
    "curl": 'echo "curl $*" >> "$LOG"; for last; do :; done; cp "$SERVED" "$last"',
    "gh": 'echo "gh $*" >> "$LOG"',
    # handed to the process of the test, see serving()
    "meshline": """printf '%s\\n' "$PWD" "$@" > "$CALL"
cat "$DONE" > /dev/null; cat "$SAID"; cat "$ERR" >&2
exit $(cat "$CODE")""",
}


@contextmanager
def serving(env: dict[str, str]) -> Iterator[None]:
    """Answer calls of ``meshline`` in this process: one that is started for each would take most of the time."""
    call, done, said, err, code = (Path(env[name]) for name in ("CALL", "DONE", "SAID", "ERR", "CODE"))
    for pipe in (call, done):
        os.mkfifo(pipe)

    def serve() -> None:
        while lines := call.read_text().splitlines():
            out, wrong = io.StringIO(), io.StringIO()
            before = Path.cwd()
            os.chdir(lines[0])
            try:
                with redirect_stdout(out), redirect_stderr(wrong):
                    code.write_text(str(run(lines[1:])))
            finally:
                os.chdir(before)
                said.write_text(out.getvalue())
                err.write_text(wrong.getvalue())
                done.write_text("done")  # whatever happened: the shell waits for it

    server = threading.Thread(target=serve)
    server.start()
    try:
        yield
    finally:
        if server.is_alive():
            call.write_text("")
        server.join()


@dataclass
class Runner:
    """What GitHub is to the workflow: a checkout, a shell for each step, and an environment that steps add to."""

    folder: Path
    env: dict[str, str]

    def step(self, step: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        own = {key: re.sub(r"\$\{\{ *(.*?) *\}\}", lambda m: VALUES[m[1]], v) for key, v in step.get("env", {}).items()}
        script = step["run"]
        assert "${{" not in script  # what others wrote (names of branches) never becomes part of a script
        shell = ["bash", "-e", "-c", script]
        done = subprocess.run(
            shell, cwd=self.folder, env={**self.env, **own}, capture_output=True, text=True, check=False
        )
        told = Path(self.env["GITHUB_ENV"])
        if told.exists():
            self.env.update((line.partition("=")[0], line.partition("=")[2]) for line in told.read_text().splitlines())
        return done


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy of the database that the server would give."""
    path = tmp_path_factory.mktemp("server") / "served.duckdb"
    world = World(_store=Store.open(path))
    world.flow(["orders"], "build", ["report"], provenance="column")
    world.dataset("orders", *(column.split(":")[0] for column in COLUMNS))
    world.column_edge(("orders", "amount"), ("report", "total"), "build")
    (path.parent / "contracts").mkdir()
    (path.parent / "contracts" / "orders.yaml").write_text(text("orders", "1.0.0", *COLUMNS))
    with world.store as store:
        apply(store, path.parent)
    return path


def runner(tmp_path: Path, served: Path, changed: str) -> Runner:
    """A branch that changes one contract and adds another."""
    tools, folder = tmp_path / "tools", tmp_path / "work"
    for place in (tools, folder / "contracts"):
        place.mkdir(parents=True)
    for name, script in STUBS.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    env = {
        **os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "SERVED": str(served), "HOME": str(tmp_path),
        **{name: str(tmp_path / name) for name in ("LOG", "GITHUB_ENV", "CALL", "DONE", "SAID", "ERR", "CODE")},
    }  # fmt: skip
    git = "git -c user.name=a -c user.email=a@b -c init.defaultBranch=main"
    held = folder / "contracts" / "orders.yaml"
    held.write_text(text("orders", "1.0.0", *COLUMNS))
    first = f"{git} init -q && {git} add . && {git} commit -qm 1 && git update-ref refs/remotes/origin/main HEAD"
    subprocess.run(["sh", "-ec", first], cwd=folder, env=env, check=True)
    held.write_text(changed)
    (folder / "contracts" / "a new one.yaml").write_text(text("report", "1.0.0", "total:int"))
    subprocess.run(["sh", "-ec", f"{git} add . && {git} commit -qm 2"], cwd=folder, env=env, check=True)
    return Runner(folder, env)


@pytest.fixture(autouse=True)
def no_database_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MESHLINE_DB", raising=False)


def test_every_step_of_the_workflow_does_what_it_is_there_for(tmp_path: Path, served: Path) -> None:
    github = runner(tmp_path, served, text("orders", "1.1.0", "id:int", "note:text"))
    checkout, *steps = STEPS
    assert checkout == {"uses": "actions/checkout@v4", "with": {"fetch-depth": 0}}  # what the runner stands for
    with serving(github.env):
        done = [github.step(step) for step in steps]
    assert [one.returncode for one in done] == [0, 0, 0, 0, 0, 1], [one.stderr for one in done]
    log = (tmp_path / "LOG").read_text()
    assert log.splitlines() == [
        "pip install meshline",
        "curl -fsS -X POST http://mesh/api/v2/snapshot -o meshline.duckdb",
        "gh pr comment 7 --body-file comment.md",
    ]
    assert "| `POST /api/v2/snapshot` |" in (DOCS / "http-api.md").read_text(encoding="utf-8")
    assert "contracts/a new one.yaml" in done[2].stdout
    comment = (github.folder / "comment.md").read_text()
    assert comment.count("## ") == 1
    assert "`dataset:pg:report`" in comment
    assert github.env["worst"] == "5"


def test_a_contract_that_cannot_be_read_stops_the_workflow(tmp_path: Path, served: Path) -> None:
    github = runner(tmp_path, served, text("orders", "1.1.0", "id:int").replace("DataContract", "Thing"))
    (github.folder / "meshline.duckdb").write_bytes(served.read_bytes())
    judge = next(step for step in STEPS if "meshline change" in step.get("run", ""))
    with serving(github.env):
        done = github.step(judge)
    assert done.returncode not in (0, 3, 4, 5)
    assert "contracts/orders.yaml:2: kind" in done.stderr
