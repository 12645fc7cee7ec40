"""``meshline apply``: all or nothing, every version kept, every problem with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from lineage.actor import Actor
from lineage.declared import apply
from lineage.domains import load_domains
from lineage.errors import DeclarationError, UsageError
from lineage.store import Store, state_version
from tests.answers.builder import World, at

SALES = 'name: sales\ntitle: Sales\nowner: team:sales\npatterns: ["shop.*"]\n'
FIRST, SECOND, THIRD = at("2026-02-01"), at("2026-03-01"), at("2026-04-01")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "domains").mkdir()
    (tmp_path / "domains" / "sales.yaml").write_text(SALES)
    return tmp_path


def write(tree: Path, name: str, text: str) -> None:
    (tree / "domains" / f"{name}.yaml").write_text(text)


def problems(tree: Path, store: Store | None = None) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        apply(store or Store.open(":memory:"), tree)
    return caught.value.problems


def test_a_new_file_is_added_and_applying_it_again_changes_nothing(tree: Path) -> None:
    store = Store.open(":memory:")
    first = apply(store, tree, actor=Actor("ada"), at=FIRST)
    assert [(change.action, change.name, change.path) for change in first.added] == [
        ("add", "sales", "domains/sales.yaml")
    ]
    version = state_version(store)
    second = apply(store, tree, at=SECOND)
    assert second.empty and second.unchanged == 1
    assert state_version(store) == version
    assert store.rows("SELECT actor, length(hash), body FROM domain") == [("ada", 64, SALES)]


def test_dry_run_says_the_same_and_changes_nothing(tree: Path) -> None:
    store = Store.open(":memory:")
    dry = apply(store, tree, dry_run=True, at=FIRST)
    assert not dry.applied
    assert store.rows("SELECT count(*) FROM domain") == [(0,)]
    assert apply(store, tree, at=FIRST).added == dry.added


def test_every_version_is_kept_on_both_clocks(tree: Path) -> None:
    store = Store.open(":memory:")
    apply(store, tree, at=FIRST)
    write(tree, "sales", SALES.replace("team:sales", "team:commerce"))
    assert [change.fields for change in apply(store, tree, at=SECOND).changed] == [("owner",)]
    (tree / "domains" / "sales.yaml").unlink()
    assert [change.name for change in apply(store, tree, at=THIRD).removed] == ["sales"]

    def owner(as_of: str, known_at: str) -> str | None:
        found = load_domains(store, at(as_of), at(known_at)).domains.get("sales")
        return found.owner if found else None

    assert owner("2026-02-15", "2026-02-15") == "team:sales"
    assert owner("2026-03-15", "2026-02-15") == "team:sales"  # what we thought in February of March
    assert owner("2026-03-15", "2026-03-15") == "team:commerce"
    assert owner("2026-02-15", "2026-05-01") == "team:sales"
    assert owner("2026-04-15", "2026-05-01") is None
    assert owner("2026-04-15", "2026-01-15") is None  # nothing was known yet


def test_the_first_version_of_an_undated_file_reaches_back(tree: Path) -> None:
    store = Store.open(":memory:")
    apply(store, tree, at=FIRST)
    assert "sales" in load_domains(store, at("2020-01-01"), FIRST).domains


def test_a_date_in_the_file_is_its_valid_time(tree: Path) -> None:
    store = Store.open(":memory:")
    apply(store, tree, at=FIRST)
    write(tree, "sales", SALES.replace("Sales", "Shop") + "valid_from: 2026-06-01\n")
    apply(store, tree, at=SECOND)
    titles = [load_domains(store, at(day), THIRD).domains["sales"].title for day in ("2026-05-31", "2026-06-01")]
    assert titles == ["Sales", "Shop"]


def test_one_bad_file_stops_the_whole_application(tree: Path) -> None:
    store = Store.open(":memory:")
    write(tree, "bad", "name: bad\npatterns: [3]\n")
    assert problems(tree, store) == ["domains/bad.yaml:2: patterns[0]: must be a text; put it in quotes"]
    assert store.rows("SELECT count(*) FROM domain") == [(0,)]
    assert state_version(store) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "domains/x.yaml:1: is empty"),
        ("- a\n", "domains/x.yaml:1: must be a mapping with at least a name"),
        ("title: X\n", "domains/x.yaml:1: has no “name”"),
        ("name: x\nname: y\n", "domains/x.yaml:2: name: stands twice (first in line 1)"),
        ("name: unassigned\n", "domains/x.yaml:1: name: “unassigned” cannot be a name"),
        ("name: x\nowner: 3\n", "domains/x.yaml:2: owner: must be a text; put it in quotes"),
        ("name: x\n\npatern: [a]\n", "domains/x.yaml:3: patern: is no key of a domain file; did you mean “patterns”?"),
        ("name: x\nparent: nobody\n", "domains/x.yaml:2: parent: there is no domain “nobody”"),
        ("name: x\nparent: x\n", "domains/x.yaml:2: parent: domains form a ring: x → x"),
        ("name: x\npatterns:\n  - '[z-a]'\n", "domains/x.yaml:3: patterns[0]: “[z-a]” is no pattern"),
        (
            "name: x\npatterns:\n  - a\n  - shop.*\n",
            "domains/x.yaml:4: patterns[1]: “shop.*” belongs to domain “sales”",
        ),
        ("name: sales\n", "domains/x.yaml:1: name: “sales” is declared in domains/sales.yaml too"),
        ("name: x\nvalid_from: soon\n", "domains/x.yaml:2: valid_from: “soon” is no date"),
        ("name: [x\n", "domains/x.yaml:2: did not find expected"),
        ("name: !!python/name:os.system x\n", "domains/x.yaml:1: could not determine a constructor"),
    ],
)
def test_a_problem_names_its_file_and_line(tree: Path, text: str, expected: str) -> None:
    write(tree, "x", text)
    found = problems(tree)
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_a_file_that_is_not_utf8_is_named(tree: Path) -> None:
    (tree / "domains" / "x.yml").write_bytes(b"name: x\ntitle: \xff\n")
    assert problems(tree) == ["domains/x.yml:2: is not UTF-8; save it as UTF-8"]


def test_a_yaml_bomb_is_refused(tree: Path) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, letter in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{letter}: &{letter} [{', '.join([f'*{before}'] * 9)}]")
    write(tree, "x", "\n".join(lines))
    assert "unfolds to more than 100,000 values" in problems(tree)[0]


def test_equally_specific_patterns_that_fit_one_node_are_refused(tree: Path) -> None:
    world = World()
    world.dataset("shop.a_b")
    write(tree, "sales", 'name: sales\npatterns: ["shop.*_b"]\n')
    write(tree, "other", 'name: other\npatterns: ["shop.*a_"]\n')
    apply(Store.open(":memory:"), tree, dry_run=True)  # no node, no quarrel
    write(tree, "other", 'name: other\npatterns: ["shop.*b"]\n')
    assert apply(world.store, tree, dry_run=True).added  # one literal character less: less specific
    write(tree, "other", 'name: other\npatterns: ["shop.?_b"]\n')
    (found,) = problems(tree, world.store)
    assert "equally specific and both fit dataset:pg:shop.a_b" in found
    assert found.startswith("domains/")


def test_a_folder_without_anything_to_apply_is_an_error(tmp_path: Path) -> None:
    store = Store.open(":memory:")
    with pytest.raises(UsageError, match="holds none of the folders"):
        apply(store, tmp_path)
    with pytest.raises(UsageError, match="is no folder"):
        apply(store, tmp_path / "missing")


def test_a_folder_that_is_not_there_leaves_its_kind_alone_and_strangers_are_named(tree: Path) -> None:
    (tree / "drawings").mkdir()
    (tree / "notes.yaml").write_text("a: 1")
    (tree / "README.md").write_text("hello")
    plan = apply(Store.open(":memory:"), tree)
    assert plan.ignored == ("drawings/", "notes.yaml")


def test_the_domains_folder_itself_may_be_named(tree: Path) -> None:
    assert apply(Store.open(":memory:"), tree / "domains").added[0].path == "sales.yaml"


def test_the_most_specific_pattern_wins_over_name_and_namespace() -> None:
    world = World()
    world.domain("wide", "*")
    world.domain("shop", "shop.*")
    world.domain("orders", "pg:shop.order*")
    found = load_domains(world.store, FIRST, FIRST)
    assert found.of("dataset", [("pg", "shop.orders")]) == "orders"
    assert found.of("dataset", [("other", "shop.orders")]) == "shop"
    assert found.of("job", [("pg", "etl")]) == "wide"


def test_a_tag_or_an_owner_names_the_domain_only_when_it_is_known() -> None:
    world = World()
    world.domain("sales")
    found = load_domains(world.store, FIRST, FIRST)
    tagged = {"tags": {"tags": [{"key": "domain", "value": "sales"}]}}
    assert found.of("dataset", [("pg", "x")], [tagged]) == "sales"
    assert found.of("dataset", [("pg", "x")], [{"tags": {"tags": [{"key": "domain", "value": "hr"}]}}]) == "unassigned"
    assert found.of("dataset", [("pg", "x")], [{"ownership": {"owners": [{"name": "sales"}]}}]) == "sales"
    assert found.of("dataset", [("pg", "x")], [{"ownership": {"owners": "junk"}, "tags": 3}]) == "unassigned"
