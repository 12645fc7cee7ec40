"""The order of the house: dashboard → ingest → lineage, store ← graph ← answers, and no circles anywhere."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("lineage", "ingest", "dashboard")

# What a part must not import, and so whom it must not know. Anything unlisted is allowed.
FORBIDDEN = {
    "lineage": ("ingest", "dashboard", "sample_events"),
    "ingest": ("dashboard", "sample_events"),
    "sample_events": ("dashboard",),
    "lineage.store": ("lineage.graph", "lineage.engine", "lineage.api", "lineage.cli", "lineage.commands"),
    "lineage.graph": ("lineage.engine", "lineage.api", "lineage.cli", "lineage.commands"),
    "lineage.engine": ("lineage.api", "lineage.cli", "lineage.commands"),
}


@dataclass(frozen=True)
class Import:
    """One import statement's target.

    ``when``: ``load`` with the module, ``call`` inside a function, ``never`` under ``TYPE_CHECKING``.
    """

    target: str
    line: int
    when: str


def modules() -> dict[str, Path]:
    """Every module of the packages by its dotted name."""
    found = {}
    for package in (*PACKAGES, "sample_events"):
        for file in sorted((ROOT / package).rglob("*.py*")):
            if file.suffix not in (".py", ".pyi"):  # .pyi: the compiled module
                continue
            parts = file.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


MODULES = modules()


def imports(module: str, source: str, known: set[str]) -> Iterator[Import]:
    """Every import of a module."""
    is_package = module in known and any(name.startswith(f"{module}.") for name in known)
    package = module if is_package else module.rpartition(".")[0]

    def visit(node: ast.AST, when: str) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, when) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                head = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*head, base] if base else head)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield Import(inner if inner in known else base, node.lineno, when)
        else:
            below = when
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                below = "never"
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and when == "load":
                below = "call"
            for child in ast.iter_child_nodes(node):
                yield from visit(child, below)

    yield from visit(ast.parse(source), "load")


def imports_of(module: str) -> list[Import]:
    """Imports of one of our modules."""
    return list(imports(module, MODULES[module].read_text("utf-8"), set(MODULES)))


def packages_of(module: str) -> list[str]:
    """The packages around a module, the outermost first.

    >>> packages_of("lineage.api.parts")
    ['lineage', 'lineage.api']
    """
    parts = module.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


def inside(module: str, part: str) -> bool:
    """Whether a module is a part or lies in it."""
    return module == part or module.startswith(f"{part}.")


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """The nodes of one circle, empty when there is none (depth-first search, grey nodes are on the stack)."""
    done: set[str] = set()

    def walk(node: str, stack: list[str]) -> list[str]:
        if node in stack:
            return [*stack[stack.index(node) :], node]
        if node in done:
            return []
        for target in sorted(arrows.get(node, ())):
            found = walk(target, [*stack, node])
            if found:
                return found
        done.add(node)
        return []

    for node in sorted(arrows):
        found = walk(node, [])
        if found:
            return found
    return []


@pytest.mark.parametrize("part", FORBIDDEN)
def test_no_import_points_upward(part: str) -> None:
    wrong = [
        f"{MODULES[module].relative_to(ROOT)}:{found.line} imports {found.target}"
        for module in MODULES
        if inside(module, part)
        for found in imports_of(module)
        if any(inside(found.target, above) for above in FORBIDDEN[part])
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    arrows: dict[str, set[str]] = {}
    for module in MODULES:
        # A package's face may hand out names lazily; everything else that runs some day counts.
        counted = ("load",) if MODULES[module].name == "__init__.py" else ("load", "call")
        targets = {found.target for found in imports_of(module) if found.target in MODULES and found.when in counted}
        arrows[module] = targets - {module}
    assert " → ".join(circle(arrows)) == ""


def test_every_module_can_be_the_first_that_is_imported() -> None:
    """Importing a module runs the packages around it first; none of them may come back to the module that asked."""
    arrows: dict[str, set[str]] = {}
    for module in MODULES:
        around = set(packages_of(module))
        loaded = {found.target for found in imports_of(module) if found.target in MODULES and found.when == "load"}
        arrows[module] = {step for target in loaded for step in (*packages_of(target), target)} - {module} - around
    assert " → ".join(circle(arrows)) == ""


def test_routes_of_every_field_can_be_the_first_that_is_imported() -> None:
    routes = [module for module in MODULES if module.startswith("lineage.") and module.endswith(".api")]
    code = (
        "import importlib, sys\n"
        f"for module in {routes}:\n"
        "    for name in [name for name in sys.modules if name.partition('.')[0] == 'lineage']:\n"
        "        del sys.modules[name]\n"
        "    importlib.import_module(module)\n"
    )
    assert len(routes) > 10 and "fastapi" in loaded_after(code)


def test_the_import_reader_sees_every_form() -> None:
    source = (
        "import a.b\n"
        "from a import c\n"
        "from . import d\n"
        "from .e import f\n"
        "from ..g import h\n"
        "def late():\n    import i\n"
        "if TYPE_CHECKING:\n    from j import k\n"
    )
    found = list(imports("a.x.y", source, {"a", "a.b", "a.c", "a.x", "a.x.y", "a.x.d"}))
    assert [entry.target for entry in found] == ["a.b", "a.c", "a.x.d", "a.x.e", "a.g", "i", "j"]
    assert [entry.when for entry in found] == ["load"] * 5 + ["call", "never"]


def test_the_circle_finder_finds_circles_and_only_circles() -> None:
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def loaded_after(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter once ``code`` ran."""
    script = f"import sys, json\n{code}\nprint('LOADED', json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("LOADED "))
    return {name.partition(".")[0] for name in json.loads(line.removeprefix("LOADED "))}


def test_importing_lineage_pulls_in_nothing_heavy() -> None:
    heavy = {"dash", "scipy", "duckdb", "pyarrow", "numpy", "networkx", "fastapi", "plotly", "typer", "rich"}
    assert loaded_after("import lineage") & heavy == set()


def test_help_pulls_in_neither_dash_nor_the_server_nor_the_store() -> None:
    heavy = {"dash", "scipy", "duckdb", "pyarrow", "numpy", "networkx", "fastapi", "uvicorn", "plotly"}
    code = "sys.argv = ['meshline', '--help']\nfrom lineage.cli import run\nassert run() == 0\n"
    assert loaded_after(code) & heavy == set()
