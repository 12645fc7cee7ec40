"""The provenance page over the sample company: the runs of a figure as a story, two dates, a pack that verifies."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.jobs import Made, Progress
from dashboard.links import Links
from dashboard.pages import provenance
from dashboard.pages.provenance import tell
from lineage.engine import Lineage
from lineage.errors import UsageError
from tests.answers.builder import World
from tests.browser.desk import go
from tests.browser.picture import click, query, settled

REPORT = "dataset:superset://bi.harbourpine.example:finance/ifrs15_report"
COLUMN = "column:superset://bi.harbourpine.example:finance/ifrs15_report:recognised_eur"
THEN = "2026-06-22T09:00"
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def _own_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MESHLINE_SIGNING_KEY", str(tmp_path / "signing.key"))


def test_the_story_tells_every_run_in_order_and_its_figures_are_those_of_the_query_layer(
    page: Page, demo_url: str, demo: Lineage, tmp_path: Path
) -> None:
    trail = demo.run_provenance(REPORT, as_of=THEN)
    tale = tell(demo, REPORT, THEN, None)
    page.goto(demo_url + Links(asof=THEN).to("provenance", target=REPORT))
    expect(page.locator("#provenance-steps")).to_have_text(str(len(trail.steps)))
    expect(page.locator("#provenance-gaps")).to_have_text(str(len(tale.gaps)))
    expect(page.locator("#provenance-oldest")).to_have_text("14 d")
    expect(page.locator("#provenance-tests")).to_have_text(f"{tale.tests[0]} of {sum(tale.tests)}")
    expect(page.locator(".prov-row")).to_have_count(len(trail.steps))
    shown = page.locator(".prov-story > li:not(.is-source)")
    expect(shown).to_have_count(len(trail.steps))
    last = shown.last
    expect(last).to_contain_text(trail.steps[0].run_id)
    expect(last).to_contain_text(trail.steps[0].owner or "")
    for step in trail.steps:
        expect(page.locator("#provenance-story")).to_contain_text(step.run_id)
    expect(page.locator("#provenance-blind li")).to_have_count(len(tale.gaps))
    page.locator("#provenance-view").get_by_text("Table").click()
    expect(page.locator("#provenance-grid-count")).to_contain_text(f"{len(trail.steps)} rows")
    with page.expect_download() as saved:
        page.locator("#provenance-grid-csv").click()
    saved.value.save_as(tmp_path / "steps.csv")
    with (tmp_path / "steps.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert sorted(row["Run"] for row in rows) == sorted(step.run_id for step in trail.steps)
    with page.expect_download() as saved:
        page.locator("#provenance-prov").click()
    saved.value.save_as(tmp_path / "prov.json")
    assert len(json.loads((tmp_path / "prov.json").read_text())["activity"]) == len(trail.steps)


def test_the_form_writes_the_address_and_back_and_forward_walk_it(page: Page, demo_url: str) -> None:
    page.goto(f"{demo_url}/provenance")
    expect(page.get_by_role("heading", name="Which figure do you want to follow?")).to_be_visible()
    expect(page.locator(".choice").first).to_be_visible()
    page.locator("#provenance-node").fill("ifrs15")
    page.get_by_role("option", name=REPORT, exact=True).click()
    page.locator("#provenance-go").click()
    expect(page.locator("#provenance-steps")).to_be_visible()
    assert query(page) == {"target": [REPORT]}
    page.locator("#provenance-view").get_by_text("Picture").click()
    settled(page, 21)
    assert query(page)["view"] == ["picture"]
    page.go_back()
    expect(page.locator(".prov-timeline")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Which figure do you want to follow?")).to_be_visible()
    page.go_forward()
    page.go_forward()
    settled(page, 21)


def test_the_picture_of_a_column_draws_its_columns_only(page: Page, demo_url: str, demo: Lineage) -> None:
    trail = demo.run_provenance(COLUMN, as_of=THEN)
    page.goto(demo_url + Links(asof=THEN).to("provenance", target=COLUMN, view="picture"))
    names = {step.dataset for step in trail.steps} | {read.dataset for step in trail.steps for read in step.inputs}
    settled(page, len(names))
    cards = page.evaluate("__lg.model.nodes.map((n) => [n.id, n.rows.map((r) => r.name)])")
    assert {name for name, _ in cards} == names
    assert dict(cards)[REPORT] == ["recognised_eur"]
    click(page, "finance/ifrs15_report")


def test_two_dates_are_compared_and_each_difference_has_its_cause(page: Page, demo_url: str, demo: Lineage) -> None:
    mesh = demo.diff("2026-05-20T00:00", THEN, node=REPORT)
    page.goto(demo_url + Links(asof=THEN).to("provenance", target=REPORT, vs="2026-05-20T00:00"))
    expect(page.locator("#provenance-differences")).to_contain_text("1 change of code")
    expect(page.locator("#provenance-differences")).to_contain_text(f"{len(mesh.changes)} in the mesh upstream")
    expect(page.locator("#provenance-mesh-count")).to_contain_text(f"{len(mesh.changes)} rows")
    expect(page.locator("#provenance-mesh")).to_contain_text("declared")
    go(page, Links(asof=THEN).to("provenance", target=REPORT, vs=THEN))
    expect(page.locator("#provenance-differences")).to_have_text("Nothing differs")
    go(page, Links(asof=THEN).to("provenance", target=REPORT, vs="soon"))
    expect(page.locator("#provenance-answer .notice")).to_contain_text("“soon”")


def test_a_pack_is_made_beside_other_pages_and_proves_itself_with_python_alone(
    page: Page, demo_url: str, tmp_path: Path
) -> None:
    page.goto(demo_url + Links(asof=THEN).to("provenance", target=REPORT))
    page.locator("#provenance-pack").click()
    expect(page.locator(".job")).to_contain_text("Evidence pack of ifrs15_report")
    page.get_by_role("link", name="Catalogue", exact=True).click()
    expect(page.locator(".job[data-state=done]")).to_contain_text("meshline evidence verify")
    page.reload()
    with page.expect_download() as saved:
        page.locator(".job").get_by_role("link", name="Download").click()
    pack = tmp_path / saved.value.suggested_filename
    saved.value.save_as(pack)
    assert pack.name.startswith("evidence-ifrs15_report-2026-06-22")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", pack, tmp_path], check=True)
    checked = subprocess.run([sys.executable, "-I", tmp_path / "verify.py", pack], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    page.locator(".job").get_by_role("button", name="Remove").click()
    expect(page.locator(".job")).to_have_count(0)


def test_a_node_that_was_not_there_yet_and_one_nobody_made_say_so(page: Page, demo_url: str) -> None:
    page.goto(demo_url + Links(asof="2020-01-01").to("provenance", target=REPORT))
    expect(page.locator("#provenance-verdict")).to_contain_text("was not there yet at 2020-01-01T00:00:00Z")
    go(page, Links().to("provenance", target="dataset:postgres://shop-db:5432:shop.public.orders"))
    expect(page.locator("#provenance-verdict")).to_contain_text("No run is known that made it")
    go(page, Links().to("provenance", target="fct_ordrs", nonsense="1", view="mood"))
    page.locator(".choice").first.click()
    expect(page.locator("#provenance-steps")).to_be_visible()


def test_a_gap_that_both_dates_have_is_no_difference(page: Page, demo_url: str) -> None:
    page.goto(demo_url + Links(asof="2020-01-01").to("provenance", target=REPORT, vs="2020-02-01"))
    expect(page.locator("#provenance-differences")).to_have_text("What differs is not known")
    expect(page.locator(".prov-compare")).to_contain_text("It was made in the same way.")


def test_names_sql_and_code_places_of_producers_are_never_markup(page: Page, serve: Callable[..., str]) -> None:
    world = World()
    world.flow(["core.orders"], f"build {EVIL}", [f"core.{EVIL}"], provenance="explicit")
    world.domain("bi", "core.*", f"build {EVIL}")
    world.event(1)
    lx = Lineage(world.store)
    target = next(row.id for row in lx.listing("datasets").rows if "img" in row.name)
    page.on("dialog", lambda dialog: (_ for _ in ()).throw(AssertionError("script ran")))
    page.goto(serve(lx) + Links().to("provenance", target=target, vs=EVIL, view=EVIL))
    expect(page.locator("#provenance-answer")).to_contain_text("<img src=x")
    assert page.locator("#page img").count() == 0


def test_a_long_job_tells_how_far_it_is_can_be_cancelled_and_tried_again(
    page: Page, demo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    tries: list[int] = []

    def slow(_lx: Lineage, _state: object, _raw: bool, progress: Progress) -> Made:
        tries.append(1)
        if len(tries) == 3:
            raise UsageError(f"The third try fails: {EVIL}")
        progress(0.4, "halfway there")
        while not go.wait(0.02):
            progress(0.4, "halfway there")
        return Made("a.txt", b"abc", "text/plain")

    monkeypatch.setattr(provenance, "make_pack", slow)
    page.goto(demo_url + Links(asof=THEN).to("provenance", target=REPORT))
    page.locator("#provenance-pack").click()
    expect(page.locator(".job [role=progressbar]")).to_have_attribute("aria-valuenow", "40")
    expect(page.locator(".job")).to_contain_text("halfway there")
    page.locator(".job").get_by_role("button", name="Cancel").click()
    expect(page.locator(".job[data-state=cancelled]")).to_be_visible()
    go.set()
    page.locator(".job").get_by_role("button", name="Try again").click()
    with page.expect_download() as saved:
        page.locator(".job").get_by_role("link", name="Download").click()
    assert saved.value.suggested_filename == "a.txt"
    page.locator("#provenance-pack").click()
    expect(page.locator(".job[data-state=failed]")).to_contain_text("The third try fails: <img")
    expect(page.locator(".job[data-state=failed]")).to_contain_text("(error ")
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("width", [1280, 820])
def test_nothing_is_cut_off_on_a_small_screen(page: Page, demo_url: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    page.goto(demo_url + Links(asof=THEN).to("provenance", target=REPORT))
    expect(page.locator(".prov-row").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
