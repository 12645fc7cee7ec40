"""When the mesh changed: each pair of datasets counts once, nothing is lost between parts, hidden edges never count."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UsageError
from tests.answers.builder import T0, World

DAY = timedelta(days=1)


@settings(max_examples=8)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 20), st.integers(1, 9)), max_size=12),
    st.integers(1, 17),
)
def test_what_began_less_what_ended_is_what_there_is(rows: list[tuple[int, int, int, int]], buckets: int) -> None:
    world = World()
    for n, (src, dst, start, days) in enumerate(rows):
        if src != dst:
            ends = (world.dataset(f"t{src}"), world.dataset(f"t{dst}"))
            world.edge(*ends, job=world.job(f"j{n}"), valid_from=T0 + start * DAY, valid_to=T0 + (start + days) * DAY)
    world.event(1, T0 + 40 * DAY)
    with Lineage(world.store, owns_store=True) as lx:
        for day in (0, 5, 12, 21, 40):
            at = T0 + day * DAY
            found = lx.history(buckets=buckets, as_of=at)
            assert found.opened - found.closed == (lx.summary(as_of=at).edges or 0), "unknown before anything was told"
            assert len(found.buckets) in (0, buckets)
            assert all(a.end == b.start for a, b in zip(found.buckets, found.buckets[1:], strict=False))


def test_an_edge_that_is_told_again_or_goes_stale_is_no_change_and_hidden_ones_do_not_count() -> None:
    world = World()
    a, b, secret = world.dataset("open.a"), world.dataset("open.b"), world.dataset("secret.c")
    one, two = world.job("one"), world.job("two")
    world.edge(a, b, job=one, valid_from=T0, valid_to=T0 + 3 * DAY, end_reason="state")
    world.edge(a, b, job=one, state="stale", valid_from=T0 + 3 * DAY)
    world.edge(a, b, job=two, valid_from=T0 + 2 * DAY, valid_to=T0 + 5 * DAY)
    world.edge(b, secret, job=two, valid_from=T0 + DAY)
    world.domain("hidden", "secret.*")
    world.event(1, T0 + 9 * DAY)
    with Lineage(world.store, owns_store=True) as lx:
        everything = lx.history(buckets=4, as_of=T0 + 9 * DAY)
        assert (everything.opened, everything.closed) == (2, 0)
        blind = lx.history(buckets=4, as_of=T0 + 9 * DAY, actor=Actor("x", hidden_domains=frozenset({"hidden"})))
        assert (blind.opened, blind.closed) == (1, 0)
        assert lx.history("open.a", as_of=T0 + 9 * DAY).opened == 2
        with pytest.raises(UsageError, match="buckets"):
            lx.history(buckets=0)
