"""What a command loads before it can answer: each heavy module costs more than most answers."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer

import ingest.commands
import lineage.commands
from lineage import cli
from lineage.engine import Lineage

HEAVY = {"pandas", "networkx", "scipy", "dash", "plotly", "fastapi", "uvicorn", "sqlglot", "cryptography"}
ORDERS, MART = "dataset:postgres://shop-db:5432:shop.public.orders", "dataset:snowflake://hp-eu1:dwh.sales.fct_orders"
SCRIPT = """
import sys, lineage.cli
code = lineage.cli.run(sys.argv[1:])
print("LOADED", code, *sys.modules, file=sys.stderr)
"""


def loaded(folder: Path, *words: str) -> set[str]:
    """Modules in a fresh interpreter once a command has answered. A pandas is installed that cannot be overlooked."""
    spy = folder / "spy" / "pandas"
    spy.mkdir(parents=True, exist_ok=True)
    (spy / "__init__.py").write_text("import sys\nsys.stderr.write('PANDAS IS WANTED\\n')\nraise ImportError\n")
    path = os.pathsep.join([str(spy.parent), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    last = done.stderr.splitlines()[-1].split() if done.stderr else []
    assert last[:2] == ["LOADED", "0"], done.stderr
    return set(last[2:]) | ({"pandas"} if "PANDAS IS WANTED" in done.stderr else set())


@pytest.mark.parametrize(
    "words",
    [
        ("impact", MART),
        ("impact", "sales.fct_orders"),
        ("impact", MART, "--as-of", "2026-02-01"),
        ("impact", MART, "--format", "json"),
        ("impact", MART, "--format", "mermaid"),
        ("provenance", MART),
        ("provenance", MART, "--format", "csv"),
        ("path", ORDERS, MART),
        ("diff", "--from", "2026-02-01", "--to", "2026-03-01"),
        ("tags",),
        ("rank",),
        ("show", MART),
        ("search", "orders"),
    ],
    ids=" ".join,
)
def test_a_question_loads_nothing_heavy(demo_file: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert loaded(tmp_path, *words, "--db", str(demo_file)) & HEAVY == set()


def test_impact_as_a_table_asks_only_for_what_it_shows(demo_file: Path, tmp_path: Path) -> None:
    """Fields that the table does not show are not even loaded, nor what pyarrow and numpy need 10 to 30 ms for."""
    found = loaded(tmp_path, "impact", MART, "--db", str(demo_file))
    assert found & {"pyarrow.compute", "numpy.ma", "lineage.quality", "lineage.cost", "lineage.contracts"} == set()
    assert not {name for name in found if name.startswith("ingest.") and name != "ingest.commands"} - {"ingest.logs"}
    assert {"lineage.quality", "lineage.cost"} <= loaded(
        tmp_path, "impact", MART, "--format", "json", "--db", str(demo_file)
    )


def test_without_facts_an_answer_is_the_same_but_for_them(demo_file: Path) -> None:
    from dataclasses import replace

    from lineage.engine import open as ask

    with ask(demo_file) as lx:
        told, bare = lx.impact(MART), lx.impact(MART, facts=False)
        assert bare.nodes == tuple(replace(node, facts=None) for node in told.nodes)
        assert all(node.facts for node in told.nodes)
        assert bare.heads() == told.heads()[: len(bare.heads())]
        domains = lx.impact(MART, kinds="domain", facts=False)
        assert domains.nodes and all(node.facts is None for node in domains.nodes)


def test_the_table_is_asked_without_facts_and_all_else_with_them(
    demo_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted: list[bool] = []
    plain = Lineage.impact

    def impact(self: Lineage, *args: object, facts: bool = True, **rest: object) -> object:
        wanted.append(facts)
        return plain(self, *args, facts=facts, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Lineage, "impact", impact)
    for shape in ("table", "json", "csv", "md"):
        assert cli.run(["impact", MART, "--format", shape, "--db", str(demo_file)]) == 0
    assert wanted == [False, True, True, True]


@pytest.mark.parametrize("parts", [lineage.commands.FIELDS, ingest.commands.PARTS], ids=["lineage", "ingest"])
def test_every_module_adds_the_words_that_are_told_of_it(parts: dict[str, tuple[str, ...]]) -> None:
    for module, words in parts.items():
        app = typer.Typer()
        import_module(module).register(app)
        added = {cli._name(info) for info in (*app.registered_groups, *app.registered_commands)}
        assert added == set(words), module


def test_one_word_loads_one_module_and_an_unknown_one_loads_all(capsys: pytest.CaptureFixture[str]) -> None:
    entries = cli._entry_points()
    names = {cli._name(info) for info in cli.build_app(entries, "audit").registered_groups}
    assert names == {"audit"}
    assert cli.run(["audit", "--help"]) == 0
    assert "verify" in capsys.readouterr().out
    assert cli.run(["audti"]) == 2
    assert "audit" in capsys.readouterr().err


def test_a_package_that_cannot_leave_out_commands_adds_them_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def register(app: typer.Typer) -> None:
        @app.command()
        def wave() -> None:
            """Wave."""
            typer.echo("waved")

    class Theirs:
        name, value = "90-theirs", "theirs:register"

        def load(self) -> object:
            return register

    entries = cli._entry_points()
    monkeypatch.setattr(cli, "_entry_points", lambda: [*entries, Theirs()])
    assert cli.run(["wave"]) == 0
    assert capsys.readouterr().out == "waved\n"
