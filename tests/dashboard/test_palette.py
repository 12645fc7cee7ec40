"""The palette finds what people saved, beside pages and what the mesh holds."""

from __future__ import annotations

import lineage
from dashboard.links import Links
from dashboard.pages import PAGES
from dashboard.palette import hits
from lineage.store import Store


def test_a_saved_view_is_found_by_its_title_and_opens_what_was_saved() -> None:
    with Store.open(":memory:") as store, lineage.open(store) as lx:
        lx.saved.save("Slow nightly jobs", "runs?view=jobs", reason="looked at every Monday")
        found = hits(lx, PAGES, Links("/mesh/"), "slow nightly")
        assert [(one.title, one.href) for one in found[:1]] == [("Slow nightly jobs", "/mesh/runs?view=jobs")]
