"""Grants and waivers of files that name what nobody declares: accepted, with a warning that says where."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from lineage.declared import apply
from lineage.engine import Lineage
from lineage.times import utcnow
from tests.answers.builder import World
from tests.policies.test_access import mesh

GRANT = "id: {id}\nproduct: {product}\nconsumer: {{kind: {kind}, name: {name}}}\npurpose: p\napprover: bob\n{until}\n"
WAIVER = "id: {id}\npolicy: {policy}\nsubject: dataset:pg:orders\nrequester: ann\napprover: bob\nreason: r\n{until}\n"


def put(folder: Path, lx: Lineage, **files: str) -> tuple[str, ...]:
    """Warnings of the tree with some more files of one folder."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, body in files.items():
        (folder / f"{name}.yaml").write_text(body)
    return apply(lx.store, folder.parent).warnings


def test_a_grant_for_an_unknown_product_or_consumer_is_told(tmp_path: Path) -> None:
    lx = mesh(World(), tmp_path)
    until = f'expires: "{utcnow() + timedelta(days=30):%Y-%m-%d}"'

    def grant(product: str, kind: str, name: str) -> str:
        return GRANT.format(id=f"g-{product}-{kind}-{name}", product=product, kind=kind, name=name, until=until)

    good = grant("sales", "domain", "ads")
    assert put(tmp_path / "grants", lx, good=good) == ()
    odd = put(tmp_path / "grants", lx, good=good, a=grant("salse", "domain", "ads"), b=grant("sales", "product", "ads"))
    assert odd == (
        "grants/a.yaml:2: product: there is no product “salse” (did you mean “sales”?); "
        "until there is one the grant allows nothing",
        "grants/b.yaml:3: consumer.name: there is no product “ads”; until there is one the grant serves nobody",
    )


def test_a_waiver_for_an_unknown_policy_is_told(tmp_path: Path) -> None:
    lx = mesh(World(), tmp_path)
    now = utcnow()
    until = f'valid_from: "{now:%Y-%m-%d}"\nexpires: "{now + timedelta(days=9):%Y-%m-%d}"'
    shipped, retirement, typo = (
        WAIVER.format(id=f"w-{k}", policy=policy, until=until)
        for k, policy in enumerate(("owner-present", "retirement", "owner-presnt"))
    )
    assert put(tmp_path / "waivers", lx, a=shipped, b=retirement) == ()
    (told,) = put(tmp_path / "waivers", lx, a=shipped, c=typo)
    assert told.startswith(
        "waivers/c.yaml:2: policy: there is no policy “owner-presnt” (did you mean “owner-present”?)"
    )


def test_a_policy_for_an_unknown_domain_is_told(tmp_path: Path) -> None:
    lx = mesh(World(), tmp_path)
    body = (
        "id: p\ntitle: P\nseverity: low\nstage: scheduled\nscope_sql: SELECT id AS subject FROM asset\n"
        "violation_sql: SELECT id AS subject, 'm' AS message FROM asset\ndomain: "
    )
    assert put(tmp_path / "policies", lx, a=body + "shop") == ()
    assert put(tmp_path / "policies", lx, a=body + "shpo") == (
        "policies/a.yaml:7: domain: there is no domain “shpo” (did you mean “shop”?); "
        "until there is one the policy judges nothing",
    )
