"""What labels nodes is taken over from one state of the store to the next only while nothing has changed it."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.instant import Instant
from tests.answers.builder import World, at
from tests.ingest.build import empty_store

names = st.sampled_from(("shop.a", "shop.b", "store.c"))
changes = st.one_of(
    st.tuples(st.just("flow"), names, names),
    st.tuples(st.just("domain"), st.sampled_from(("sales", "stock")), st.sampled_from(("shop.*", "store.*", "*b"))),
    st.tuples(st.just("owner"), names, st.sampled_from(("team:x", "stock1"))),
    st.tuples(st.just("hand"), names, st.sampled_from(("ann", "bob"))),
    st.tuples(st.just("alias"), names, names),
)


def apply(world: World, change: tuple[str, str, str], number: int) -> None:
    match change:
        case ("flow", src, dst):
            world.flow([src], f"job{number % 2}", [dst])
        case ("domain", name, pattern):
            world.domain(f"{name}{number}", pattern)
        case ("owner", name, owner):
            world.facet(world.dataset(name), "ownership", {"owners": [{"name": owner}]})
        case ("hand", name, owner):
            world.dataset(name)
            with suppress(UsageError):  # the same owner twice
                Lineage(world.store).owners.set(f"dataset:pg:{name}", owner, reason="they said so")
        case ("alias", one, other) if one != other:
            world.alias(world.dataset(one), world.dataset(other))


def labels(lx: Lineage) -> dict[str, object]:
    """Everything that names, domains and owners decide, by node text."""
    view = lx.view()
    instant, texts = view.instant, [view.label(i) for i in range(view.snapshot.n)]
    return {
        "domain": {text: instant.domain(i) for i, text in enumerate(texts)},
        "owner": {text: instant.owner(i) for i, text in enumerate(texts)},
        "aliases": {text: view.aliases(i) for i, text in enumerate(texts)},
        "domains": lx.domains(),
        "words": sorted(instant.words),
        "other names": sorted(zip(*instant.other_names, strict=True)),
    }


@settings(max_examples=settings.default.max_examples // 8)  # up to four states each, asked twice
@given(st.lists(changes, min_size=2, max_size=4))
@example([("hand", "shop.a", "ann"), ("hand", "shop.a", "ann")])
def test_labels_are_those_of_a_fresh_start_after_every_change(steps: list[tuple[str, str, str]]) -> None:
    world = World(_store=empty_store())
    world.dataset("shop.a")
    lx = Lineage(world.store)
    labels(lx)
    for number, change in enumerate(steps):
        apply(world, change, number)
        assert labels(Lineage(world.store)) == labels(lx)
    world.store.close()


def test_a_run_of_a_known_job_asks_for_no_label_again(world: World) -> None:
    world.flow(["shop.a"], "load", ["shop.b"])
    world.domain("sales", "shop.*")
    lx = Lineage(world.store)
    before: Instant = lx.view().instant
    assert before.domain(0) == "sales"
    lx.domains()
    world.flow(["shop.b"], "load", ["shop.a"], known_from=at("2026-01-02"))  # edges between nodes that are known
    assert world.store is lx.store
    after = lx.view().instant
    assert after is not before
    assert after.labels.of_nodes is before.labels.of_nodes
    assert after.domains is before.domains
