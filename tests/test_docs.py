"""The documentation is true: commands, options, dependencies, code blocks, links and examples are checked here."""

from __future__ import annotations

import ast
import doctest
import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
from starlette.testclient import TestClient

from lineage.cli import build_app, run
from lineage.store.store import migrations

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("lineage", "ingest", "dashboard", "sample_events")


@cache
def tracked() -> tuple[str, ...]:
    """Paths of the repository's files; in a copy without git, those that are there."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
        return tuple(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())
    skipped = {".venv", "build", "meshline.egg-info", "__pycache__", ".hypothesis", ".mypy_cache", ".ruff_cache"}
    files = (file.relative_to(ROOT) for file in ROOT.rglob("*") if file.is_file())
    return tuple(str(file) for file in files if not skipped & set(file.parts))


PAGES = tuple(name for name in tracked() if name.endswith(".md") and not name.startswith("tests/data/"))


def read(name: str) -> str:
    """Text of a file of the repository."""
    return (ROOT / name).read_text("utf-8")


# -- the command line


def commands() -> dict[str, Any]:
    """Every command of ``meshline`` by its words, with the root as the empty text."""
    root: Any = typer.main.get_command(build_app())
    found = {"": root}

    def visit(command: Any, words: str) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            path = f"{words} {name}".strip()
            found[path] = inner
            visit(inner, path)

    visit(root, "")
    return found


COMMANDS = commands()
LEAVES = [
    words
    for words, command in COMMANDS.items()
    if words and (not getattr(command, "commands", None) or command.invoke_without_command)
]


def section(words: str) -> str:
    """What docs/cli.md says of one command: from its heading to the next one."""
    text = read("docs/cli.md")
    match = re.search(rf"^## meshline {re.escape(words)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match, f"docs/cli.md has no heading '## meshline {words}'"
    return match[1]


def test_there_are_commands() -> None:
    assert {"ingest", "impact", "provenance", "show", "search", "apply", "doctor", "rebuild", "serve", "demo"} <= set(
        COMMANDS
    )


@pytest.mark.parametrize("words", LEAVES)
def test_every_command_and_option_is_documented(words: str) -> None:
    text = section(words)
    options = {name for parameter in COMMANDS[words].params for name in parameter.opts if name.startswith("--")}
    missing = [name for name in sorted(options - {"--help"}) if f"`{name}" not in text]
    assert missing == []


@pytest.mark.parametrize("words", LEAVES)
def test_every_documented_option_exists(words: str) -> None:
    names = {
        name
        for parameter in COMMANDS[words].params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    }
    rows = re.findall(r"^\| `(--[a-z-]+)", section(words), re.MULTILINE)
    assert [name for name in rows if name not in names] == []


def test_every_documented_command_exists() -> None:
    headings = re.findall(r"^## meshline (.+)$", read("docs/cli.md"), re.MULTILINE)
    assert [words for words in headings if words not in LEAVES] == []


def test_every_command_has_a_help_text() -> None:
    assert [words for words, command in COMMANDS.items() if not (command.help or command.short_help)] == []


def test_every_command_that_a_message_names_exists() -> None:
    """Messages tell people what to type next; a command that is not there would be the worst answer."""
    named = {}
    for name in tracked():
        if not name.startswith(PACKAGES) or not name.endswith(".py") or name == "lineage/fingerprint.py":  # a salt
            continue
        if "meshline " in read(name):  # most modules have no such text to be looked for
            named.update(dict.fromkeys(re.findall(r"\bmeshline ([a-z]{3,})\b(?!-)", strings(name)), name))
    assert {"ingest", "demo", "snapshot"} <= set(named)
    assert {word: name for word, name in named.items() if word not in COMMANDS} == {}


def strings(name: str) -> str:
    """All string constants of a module except docstrings, joined by line breaks."""
    tree = ast.parse(read(name))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return "\n".join(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    )


# -- the HTTP interface


def test_every_endpoint_is_documented_and_nothing_else() -> None:
    import lineage
    from dashboard.server import build_api
    from ingest.live import LiveIngest
    from ingest.sources.http import BATCH, SINGLE
    from lineage.store import Store

    with Store.open(":memory:") as store:
        paths = build_api(lineage.open(store), LiveIngest(store)).openapi()["paths"]
    served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    served |= {f"POST {SINGLE}", f"POST {BATCH}", "GET /api/docs"}
    documented = set(re.findall(r"^\| `([A-Z]+ /[^`]*)`", read("docs/http-api.md"), re.MULTILINE))
    assert documented == served


# -- code blocks


class Block(NamedTuple):
    """One fenced code block. ``mark`` is the name in the ``<!-- run: … -->`` line before it."""

    page: str
    line: int
    language: str
    mark: str
    text: str


def blocks() -> Iterator[Block]:
    """Every code block of every page."""
    fence = re.compile(r"(?:^<!-- run: ([\w-]+) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    for page in PAGES:
        text = read(page)
        for match in fence.finditer(text):
            line = text.count("\n", 0, match.start(2)) + 1
            yield Block(page, line, match[2], match[1] or "", match[3])


BLOCKS = list(blocks())


def label(block: Block) -> str:
    return f"{block.page}:{block.line}"


def test_the_readme_has_the_blocks_that_are_run() -> None:
    marks = {block.mark for block in BLOCKS if block.page == "README.md" and block.mark}
    assert marks == {"apt", "apt-optional", "demo", "tests", "tour"}


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language in ("bash", "sh")], ids=label)
def test_shell_blocks_parse_and_name_real_options(block: Block) -> None:
    checked = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
    for line in re.split(r"\n|&&|\|", block.text.replace("\\\n", " ")):
        words = shlex.split(line.partition(" > ")[0], comments=True)
        if words and Path(words[0]).name == "meshline":
            parse_command(words[1:])


def parse_command(words: list[str]) -> None:
    """Let the command parse its words without running it; it raises when one is not understood."""
    command = COMMANDS[""]
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    if words == ["--help"] or words == ["--version"]:
        return
    command.make_context("meshline", list(words))


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "python"], ids=label)
def test_python_blocks_parse(block: Block) -> None:
    examples = doctest.DocTestParser().get_examples(block.text)  # blocks with prompts are run by tests of their page
    ast.parse("".join(example.source for example in examples) or block.text)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "json"], ids=label)
def test_json_blocks_parse(block: Block) -> None:
    json.loads(block.text)


def test_every_block_says_its_language() -> None:
    known = {"bash", "sh", "python", "json", "yaml", "sql", "text", "ini"}
    assert [label(block) for block in BLOCKS if block.language not in known] == []


# -- what people type, word by word


class Typed(NamedTuple):
    """One line that was typed, with what it answered."""

    line: str
    code: int
    told: str


class Shell:
    """Types the lines of code blocks one after another; ``meshline`` runs in this process, all else in bash.

    A server is stopped as soon as its first page was answered. The sample is loaded by the first ``meshline demo`` of
    all; later ones get a copy of its file.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        import dashboard.commands
        import dashboard.serving

        self.folder, self.monkeypatch, self.capfd = folder, monkeypatch, capfd
        bind, load = dashboard.serving.bind, dashboard.commands._load_sample
        monkeypatch.setattr(dashboard.serving, "bind", lambda host, _port: bind(host, 0))
        monkeypatch.setattr(dashboard.serving, "run", served)
        monkeypatch.setattr(dashboard.commands, "_load_sample", lambda file: self.load(file, load))
        monkeypatch.setenv("MESHLINE_SIGNING_KEY", str(folder / "signing.key"))
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.chdir(folder)

    def type(self, block: Block) -> Iterator[Typed]:
        """Run the lines of a block."""
        for line in block.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["export"]:
                self.monkeypatch.setenv(*words[1].split("=", 1))
            elif words[:1] == ["meshline"]:
                assert not set(words) & set("|&;<>"), "only a shell can do this"
                code = run(words[1:])
                yield Typed(" ".join(words), code, "".join(self.capfd.readouterr()))
            elif words:
                done = subprocess.run(
                    ["bash", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
                )
                yield Typed(line, done.returncode, done.stdout + done.stderr)

    def load(self, file: Path, load: Callable[[Path], None]) -> None:
        """What ``meshline demo`` does before it serves."""
        kept = self.folder.parent / "loaded.duckdb"
        told = kept.with_suffix(".txt")
        if not kept.exists():
            load(kept)
            told.write_text(self.capfd.readouterr().out, "utf-8")
        shutil.copyfile(kept, file)
        typer.echo(told.read_text("utf-8").replace(str(kept), str(file)), nl=False)


def served(app: Any, _sock: Any, *, url: str, ready: Callable[[], None], **_: object) -> None:
    """A server that ends when it has shown its first page."""
    with TestClient(app, base_url=url) as client:
        ready()
        assert client.get("").status_code == 200


@pytest.fixture(scope="module")
def typing_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where folders to type in are made."""
    return tmp_path_factory.mktemp("typed")


@pytest.fixture
def shell(typing_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Shell:
    """A shell in an empty folder."""
    return Shell(Path(tempfile.mkdtemp(dir=typing_folder)), monkeypatch, capfd)


@pytest.mark.slow
def test_the_tour_of_the_readme_runs(shell: Shell) -> None:
    tour = next(block for block in BLOCKS if block.mark == "tour")
    done = list(shell.type(tour))
    assert [(one.line, one.told) for one in done if one.code] == []
    before, after = (one.told for one in done if one.line == "meshline doctor --fingerprint")
    assert len(done) == 9
    assert re.findall("[0-9a-f]{64}", before) == re.findall("[0-9a-f]{64}", after) != []


GUIDES: dict[str, list[tuple[str, int, str]]] = {
    "docs/guide-auditor.md": [
        ("meshline demo --no-serve", 0, "4,007 events"),
        ("meshline serve", 0, "Meshline serves meshline-demo.duckdb at http://"),
        ("meshline evidence finance/ifrs15_report -o pack.zip", 0, "signed by key"),
        ("meshline evidence verify pack.zip", 0, "integrity only, signer not verified"),
        ("python3 -m zipfile -e", 0, "OK  dataset:superset://bi.harbourpine.example:finance/ifrs15_report"),
        ("meshline provenance finance/ifrs15_report --runs", 0, "job:superset:export.ifrs15_report"),
        ("meshline provenance finance/ifrs15_report --runs --as-of", 0, "job:superset:export.ifrs15_report"),
        ("meshline diff --from", 0, "+ edge dataset:snowflake://hp-eu1:dwh.logistics.fct_shipments"),
    ],
    "docs/guide-engineer.md": [
        ("meshline demo --no-serve", 0, "4,007 events"),
        ("meshline serve", 0, "Meshline serves meshline-demo.duckdb at http://"),
        ("meshline change --drop dwh.sales.fct_orders", 4, "dwh.sales.fct_orders: BREAKING"),
        ("meshline change --drop dwh.sales.fct_orders:gross_amount", 4, "fct_orders:gross_amount: BREAKING"),
        ("meshline impact dwh.sales.fct_orders", 0, "↗ finance"),
    ],
    "docs/guide-platform-lead.md": [
        ("meshline demo --no-serve", 0, "4,007 events"),
        ("meshline serve", 0, "Meshline serves meshline-demo.duckdb at http://"),
        ("meshline attention", 0, "need attention"),
        ("meshline quality --by domain", 0, "Quality by domain: 7"),
        ("meshline contracts list", 0, "7 contracts"),
        ("meshline check", 1, "pii-masked-before-leaving"),
        ("meshline mesh --level domain", 0, "6 domains, 9 edges"),
        ("meshline history --buckets 13", 0, "Edges that began and ended"),
        ("meshline diff --from", 0, "+ dataset dataset:superset://bi.harbourpine.example:board/delivery_sla"),
    ],
}
"""How each line of a guide begins, its exit code, and what stands in its answer."""


def test_every_guide_is_followed() -> None:
    assert set(GUIDES) == {page for page in PAGES if page.startswith("docs/guide-")}


@pytest.mark.slow
@pytest.mark.parametrize("page", GUIDES)
def test_a_guide_can_be_followed_word_by_word(page: str, shell: Shell) -> None:
    done = [one for block in BLOCKS if block.page == page and block.language == "bash" for one in shell.type(block)]
    for one, (begin, code, told) in zip(done, GUIDES[page], strict=True):
        assert one.line.startswith(begin)
        assert (one.line, one.code) == (one.line, code), one.told
        assert " ".join(told.split()) in " ".join(one.told.split()), one.told


# -- links


def anchors(page: str) -> set[str]:
    """Anchors that GitHub makes of the headings of a page."""
    heads = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_resolves(page: str) -> None:
    text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", read(page), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", text, re.MULTILINE)
    broken = []
    for target in (inline or reference for inline, reference in targets):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        if not file.exists() or (anchor and anchor not in anchors(str(file.resolve().relative_to(ROOT)))):
            broken.append(target)
    assert broken == []


def test_every_page_of_the_documentation_can_be_reached_from_the_readme() -> None:
    seen, queue = set(), ["README.md"]
    while queue:
        page = queue.pop()
        if page in seen:
            continue
        seen.add(page)
        for target in re.findall(r"\]\(([^)#\s]+\.md)[^)]*\)", read(page)):
            file = ((ROOT / page).parent / target).resolve()
            if file.is_relative_to(ROOT) and file.exists():
                queue.append(str(file.relative_to(ROOT)))
    assert sorted(page for page in PAGES if page.startswith("docs/") and page not in seen) == []


# -- dependencies


def declared() -> dict[str, set[str]]:
    """Distributions named in pyproject.toml: of the package and of each extra, in lower case."""
    project = tomllib.loads(read("pyproject.toml"))
    groups = {"run": project["project"]["dependencies"], "build": project["build-system"]["requires"]}
    groups.update(project["project"]["optional-dependencies"])

    def name(text: str) -> str:
        return re.split(r"[\s\[<>=!~;]", text, maxsplit=1)[0].lower()

    return {group: {name(text) for text in texts} - {"meshline"} for group, texts in groups.items()}


def test_every_dependency_is_justified_and_nothing_else() -> None:
    page = read("docs/dependencies.md")
    documented = {}
    for group in declared():
        match = re.search(rf"^## .*\(`{group}`\)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
        assert match, f"docs/dependencies.md has no section for `{group}`"
        rows = re.findall(r"^\| ([\w.-]+) \| (.+) \|$", match[1], re.MULTILINE)
        documented[group] = {name.lower() for name, reason in rows if len(reason) > 20}
    assert documented == declared()


def test_every_dependency_is_bounded() -> None:
    project = tomllib.loads(read("pyproject.toml"))
    texts = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    texts += [text for group in project["project"]["optional-dependencies"].values() for text in group]
    loose = [text for text in texts if not text.startswith("meshline") and not (">=" in text and "<" in text)]
    assert loose == []


def test_the_version_is_the_same_everywhere() -> None:
    import lineage

    assert tomllib.loads(read("pyproject.toml"))["project"]["version"] == lineage.__version__


# -- sources


def modules() -> list[str]:
    """Modules of the packages that hold examples."""
    files = [name for name in tracked() if name.startswith(PACKAGES) and name.endswith(".py")]
    return [name for name in files if ">>> " in read(name)]


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings_run(name: str) -> None:
    module = importlib.import_module(name.removesuffix("/__init__.py").removesuffix(".py").replace("/", "."))
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_every_table_says_its_grain() -> None:
    silent = []
    for number, sql in migrations().items():
        lines = sql.splitlines()
        for i, line in enumerate(lines):
            match = re.match(r"CREATE TABLE (\w+)", line)
            if match and not re.match(r"-- one \w+", first_comment(lines, i)):
                silent.append(f"{number}: {match[1]}")
    assert silent == []


def first_comment(lines: list[str], i: int) -> str:
    """First line of the comment that stands right above line ``i``."""
    while i and lines[i - 1].startswith("--"):
        i -= 1
    return lines[i]


# Written in pieces, so that this file does not hold what it looks for.
PRIVATE = [
    "/ro" + "ot/",
    "/ho" + "me/",
    "/Use" + "rs/",
    "/wo" + "rk/",
    "/opt/py" + "pi",
    "../sha" + "red",
    "index" + "-url",
    "pypi" + ".org/simple",
    "registry" + ".npmjs",
    "files.python" + "hosted",
]


def test_no_file_holds_a_path_of_a_machine_or_a_registry_address() -> None:
    found = []
    for name in tracked():
        if name.startswith("tests/data/"):  # recorded from other people's machines
            continue
        content = (ROOT / name).read_bytes()
        found += [f"{name}: {text}" for text in PRIVATE if text.encode() in content]
    assert found == []
