"""Contracts and products in files: what is accepted, what is refused and where it says the fault is."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from lineage.actor import Actor
from lineage.contracts.files import check_text
from lineage.contracts.standard import VERSIONS, schema
from lineage.declared import apply
from lineage.errors import DeclarationError
from lineage.store import Store
from lineage.yamlfile import parse_declared
from tests.answers.builder import World
from tests.contracts.mutations import outcomes

DATA = Path(__file__).parents[1] / "data" / "contracts"
EXAMPLES = sorted((DATA / "odcs-examples").glob("*.yaml"))
FIXTURES = sorted((DATA / "cli-fixtures").glob("*.y*ml"))
PLACE = re.compile(r"c\.yaml:\d+: ")
SMALL = """\
apiVersion: v3.1.0
kind: DataContract
id: orders
version: "1.0.0"
status: active
schema:
  - name: orders
    customProperties:
      - {property: openlineage.namespace, value: pg}
      - {property: openlineage.name, value: orders}
    properties:
      - {name: id, logicalType: integer}
"""


def tree(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        folder, _, stem = name.partition("__")
        path = tmp_path / folder / f"{stem}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_official_example_is_accepted(path: Path) -> None:
    item, problems = check_text(path.read_text(encoding="utf-8"), path.name)
    assert item is not None, problems
    assert item.file.text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem[-40:])
def test_fixtures_are_told_apart_like_the_official_schemas(path: Path) -> None:
    text = path.read_text(encoding="utf-8-sig")
    file, _ = parse_declared(text, path.name)
    assert file is not None
    stated = VERSIONS["odcs"].index(file.value["apiVersion"])
    accepted = any(
        jsonschema_rs.validator_for(schema("odcs", v)).is_valid(file.value) for v in VERSIONS["odcs"][stated:]
    )
    item, problems = check_text(text, "c.yaml")
    assert (item is not None) == accepted
    assert all(PLACE.match(line) for line in problems)


def test_a_newer_minor_version_that_accepts_is_named_with_the_stated_one() -> None:
    text = (DATA / "odcs-examples" / "all-data-types.odcs.yaml").read_text(encoding="utf-8")
    item, _ = check_text(text, "c.yaml")
    assert item is not None
    assert any("states v3.0.2" in w and "v3.1.0" in w for w in item.warnings)


def test_an_unquoted_version_is_refused_with_the_way_to_write_it() -> None:
    _, problems = check_text(SMALL.replace('"1.0.0"', "1.10"), "c.yaml")
    assert len(problems) == 1
    assert problems[0].startswith("c.yaml:4: version:")
    assert "quote it" in problems[0]


def test_dates_stay_text() -> None:
    item, problems = check_text(SMALL + "team:\n  members:\n    - {username: ann, dateIn: 2022-08-02}\n", "c.yaml")
    assert item is not None, problems
    assert item.file.value["team"]["members"][0]["dateIn"] == "2022-08-02"


def test_a_column_that_stands_twice_is_refused_with_both_lines() -> None:
    _, problems = check_text(SMALL + "      - {name: id, logicalType: string}\n", "c.yaml")
    assert problems == ["c.yaml:13: schema[0].properties[1].name: column “id” stands twice (first in line 12)"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "slaProperties:\n  - {property: latency, value: 1, element: orders.gone}\n",
            "there is no “orders.gone”",
        ),
        ("slaProperties:\n  - {property: latency, value: 1, unit: moons}\n", "no unit of time"),
        ("      - {name: b, primaryKey: true, primaryKeyPosition: 2}\n", "positions of the primary key are 2"),
        ("      - {name: b, relationships: [{to: orders.gone}]}\n", "leads nowhere"),
    ],
)
def test_what_the_schema_misses_is_warned_of(text: str, says: str) -> None:
    item, problems = check_text(SMALL + text, "c.yaml")
    assert item is not None, problems
    assert any(says in warning for warning in item.warnings), item.warnings


def test_two_thousand_mutations_are_accepted_or_named_with_file_line_and_path() -> None:
    found = outcomes([*EXAMPLES, *FIXTURES], 2_000)
    assert found.unplaced == ()
    assert found.accepted + found.refused == 2_000
    assert found.accepted > 100
    assert found.refused > found.with_path > 1_000  # the others are no YAML


def test_a_yaml_bomb_is_refused() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(8)
    )
    item, problems = check_text(bomb, "c.yaml")
    assert item is None
    assert "unfolds" in problems[0]


def test_a_folder_applies_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    good, bad = SMALL, SMALL.replace("id: orders", "id: broken").replace("kind: DataContract", "kind: Thing")
    with Store.open(":memory:") as store:
        with pytest.raises(DeclarationError, match=r"contracts/b\.yaml:2: kind"):
            apply(store, tree(tmp_path, contracts__a=good, contracts__b=bad))
        assert store.rows("SELECT count(*) FROM contract") == [(0,)]


def test_every_version_is_kept_with_hash_actor_clocks_and_an_act(tmp_path: Path) -> None:
    with Store.open(":memory:") as store:
        apply(store, tree(tmp_path, contracts__a=SMALL), actor=Actor("ann"))
        newer = SMALL.replace('"1.0.0"', '"1.1.0"')
        plan = apply(store, tree(tmp_path, contracts__a=newer), actor=Actor("bob"))
        assert [(c.action, c.name) for c in plan.changed] == [("change", "orders@1")]
        rows = store.rows("SELECT version, actor, body FROM contract WHERE known_to > now() ORDER BY valid_from")
        assert rows == [("1.0.0", "ann", SMALL), ("1.1.0", "bob", newer)]
        acts = store.rows("SELECT actor, action, resource FROM audit ORDER BY seq")
        assert acts == [(who, "contract.apply", "contracts/a.yaml") for who in ("ann", "bob")]


PRODUCT = """\
apiVersion: v1.0.0
kind: DataProduct
id: {id}
status: active
outputPorts:
  - {{name: out, version: "1.0.0", contractId: {contract}}}
"""


def test_a_port_whose_contract_does_not_exist_is_refused(tmp_path: Path) -> None:
    files = tree(tmp_path, products__p=PRODUCT.format(id="p", contract="nothing"))
    with Store.open(":memory:") as store, pytest.raises(DeclarationError, match="there is no contract nothing"):
        apply(store, files)


def test_two_products_cannot_claim_one_contract(tmp_path: Path) -> None:
    files = tree(
        tmp_path,
        contracts__a=SMALL,
        products__p=PRODUCT.format(id="p", contract="orders"),
        products__q=PRODUCT.format(id="q", contract="orders"),
    )
    with Store.open(":memory:") as store, pytest.raises(DeclarationError, match="output port of product “p” too"):
        apply(store, files)


@pytest.mark.parametrize("path", sorted((DATA / "odps").glob("*.yaml")), ids=lambda path: path.stem)
def test_official_products_are_read(path: Path) -> None:
    from lineage.products import PRODUCTS

    file, _ = parse_declared(path.read_text(encoding="utf-8"), path.name)
    assert file is not None
    item, problems = PRODUCTS.read(file)
    assert item is not None, problems


def test_templates_are_valid_contracts_and_products() -> None:
    from lineage.contracts.templates import CONTRACT, DOMAIN, POLICY, PRODUCT

    item, problems = check_text(CONTRACT.format(name="x"), "c.yaml")
    assert item is not None, problems
    for text in (DOMAIN, PRODUCT, POLICY):
        assert isinstance(yaml.safe_load(text.format(name="x")), dict)


def test_two_products_cannot_claim_one_dataset_by_two_contracts(tmp_path: Path) -> None:
    world = World()
    world.dataset("orders")
    files = tree(
        tmp_path,
        contracts__a=SMALL,
        contracts__b=SMALL.replace("id: orders", "id: again", 1),
        products__p=PRODUCT.format(id="p", contract="orders"),
        products__q=PRODUCT.format(id="q", contract="again"),
    )
    says = r"contracts/b\.yaml:\d+: schema\[0\]\.name: dataset:pg:orders is claimed by product “p” too"
    with pytest.raises(DeclarationError, match=says):
        apply(world.store, files)
    assert world.store.rows("SELECT count(*) FROM contract") == [(0,)]


def test_a_contract_that_refers_to_nothing_is_told_with_its_place(tmp_path: Path) -> None:
    empty = SMALL.split("schema:", maxsplit=1)[0].replace("id: orders", "id: empty")
    with Store.open(":memory:") as store:
        plan = apply(store, tree(tmp_path, contracts__a=SMALL, contracts__b=empty))
    assert plan.applied
    assert any(
        re.match(r"contracts/a\.yaml:\d+: schema\[0\]\.name: “orders” binds no dataset", w) for w in plan.warnings
    )
    assert any(re.match(r"contracts/b\.yaml:\d+: schema: describes no object", w) for w in plan.warnings)


def test_a_fault_in_one_kind_of_file_keeps_all_others_out(tmp_path: Path) -> None:
    files = tree(tmp_path, contracts__a=SMALL, domains__d="name: sales\nowner: ada\n", waivers__w="id: w\n")
    with Store.open(":memory:") as store:
        with pytest.raises(DeclarationError, match=r"waivers/w\.yaml"):
            apply(store, files)
        assert store.rows("SELECT (SELECT count(*) FROM contract) + (SELECT count(*) FROM domain)") == [(0,)]
