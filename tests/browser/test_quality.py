"""Quality and incidents: numbers are those of the query layer and of their rows; acts go through the same function."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lineage.engine import Lineage
from lineage.store import Store
from tests.browser.desk import Traffic, count, counted, filled, saved
from tests.browser.picture import query


@pytest.fixture(scope="module")
def own(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lineage]:
    """A copy of the sample company that a test may change."""
    copy = tmp_path_factory.mktemp("acting") / "demo.duckdb"
    shutil.copyfile(demo_file, copy)
    with Store.open(copy) as store:
        yield Lineage(store)


def test_a_number_leads_to_its_rows_and_the_file_holds_what_the_table_shows(
    page: Page, demo: Lineage, demo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when there are so many that a job makes the file."""
    page.goto(f"{demo_url}/quality")
    filled(page)
    risky = [row for row in demo.quality.report().nodes if row.grade == "at risk"]
    expect(page.locator("#count-risky")).to_have_text(str(len(risky)))
    page.locator("#count-risky").click()
    counted(page, "quality-grid", len(risky))
    rows = saved(page, "quality-grid")
    assert {row["Name"] for row in rows} == {row.id for row in risky}
    monkeypatch.setattr("dashboard.rows.LARGE", 0)
    page.locator("#quality-grid-csv").click()
    tray = page.locator("#jobs-list")
    expect(tray).to_contain_text(f"{len(risky)} rows as CSV")
    with page.expect_download() as waiting:
        tray.get_by_role("link", name="Download").click()
    assert list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text()))) == rows
    page.locator("#quality-grid-clear").click()
    expect(page.locator("#quality-grid-count")).not_to_contain_text("hidden")
    page.wait_for_url(lambda url: "filter" not in url)


def test_order_and_filters_stand_in_the_address_and_unknown_comes_last(
    page: Page, demo: Lineage, demo_url: str
) -> None:
    page.goto(f"{demo_url}/quality?view=fresh&sort=age:asc")
    filled(page)
    found = demo.quality.freshness().datasets
    assert count(page, "quality-grid") == len(found)
    ages = [row["Age h"] for row in saved(page, "quality-grid")]
    known = [float(age) for age in ages if age != "unknown"]
    assert known == sorted(known)
    assert ages[len(known) :] == ["unknown"] * sum(row.age is None for row in found)
    page.locator("#quality-grid .ag-header-cell-text").get_by_text("Dataset", exact=True).click()
    page.wait_for_url("**sort=node%3Aasc**")
    page.reload()
    filled(page)
    nodes = [row["Dataset"] for row in saved(page, "quality-grid")]
    assert nodes == sorted(nodes, key=str.lower)


def test_a_series_is_drawn_with_its_band_and_the_choice_is_a_link(page: Page, demo: Lineage, demo_url: str) -> None:
    series, traffic = demo.quality.metrics().series, Traffic(page)
    page.goto(f"{demo_url}/quality?view=series")
    filled(page)
    expect(page.locator("#control-chart .js-plotly-plot, #control-chart.js-plotly-plot").first).to_be_visible()
    assert "series" not in query(page)
    page.locator("#quality-grid .ag-cell a").nth(3).click()
    page.wait_for_url("**series=**")
    node, metric, column = query(page)["series"][0].split("|")
    drawn = demo.quality.control(node, metric, column)
    assert (node, column, metric) in {(s.dataset, s.column, s.metric) for s in series}
    expect(page.locator("#control-card")).to_contain_text(f"{len(drawn.points):,} points")
    page.go_back()
    expect(page.locator("#quality-series")).to_have_value(re.compile("^What is odd"))
    traffic.rest()
    assert "series" not in query(page)
    page.locator("#quality-series").click()
    page.get_by_role("option").nth(5).click()
    page.wait_for_url("**series=**")
    page.go_back()
    expect(page.locator("#quality-series")).to_have_value(re.compile("^What is odd"))
    traffic.rest()
    assert "series" not in query(page)


def test_whoever_goes_back_at_once_sees_what_the_address_says(page: Page, demo_url: str) -> None:
    page.goto(f"{demo_url}/quality?view=series")
    filled(page)
    expect(page.locator("#quality-series")).to_have_value(re.compile("^What is odd"))
    page.evaluate("""() => {
        const push = history.pushState;
        history.pushState = function (...given) {
            history.pushState = push;
            push.apply(history, given);
            history.back();
        };
    }""")
    page.locator("#quality-series").click()
    page.get_by_role("option").nth(5).click()
    page.wait_for_function("!history.pushState.toString().includes('given')")
    expect(page).not_to_have_url(re.compile("series="))
    expect(page.locator("#quality-series")).to_have_value(re.compile("^What is odd"))


def test_a_drill_says_who_would_notice_and_where_nothing_would(page: Page, demo: Lineage, demo_url: str) -> None:
    node = "dataset:snowflake://hp-eu1:dwh.raw.fx_rates"
    page.goto(f"{demo_url}/quality?view=drill&node={node}&failure=wrong")
    filled(page)
    played = demo.quality.drill(node, "wrong")
    assert count(page, "quality-grid") == len(played.alarms) + len(played.silent)
    expect(page.locator("#quality-messages tbody tr")).to_have_count(len(played.messages))
    for message in played.messages:
        expect(page.locator("#quality-messages")).to_contain_text(message.title)
    page.goto(f"{demo_url}/quality?view=drill&node=nowhere.at_all")
    expect(page.locator("#quality-list")).to_contain_text("nowhere.at_all")


def test_an_act_needs_a_reason_and_is_the_act_of_the_command_line(
    page: Page, own: Lineage, serve: Callable[..., str]
) -> None:
    one = own.quality.incidents().incidents[0]
    page.goto(f"{serve(own)}/incident?id={one.id}")
    filled(page)
    expect(page.locator("#incident-state")).to_have_text("open")
    form = page.get_by_role("form", name="Acknowledge")
    form.get_by_role("button").click()
    expect(form.get_by_role("status")).to_contain_text("Reason is missing.")
    assert own.quality.incident(one.id).acts == ()
    form.get_by_label("Reason").fill("the supplier <b>knows</b>")
    form.get_by_label("Acting as").fill("ann")
    form.get_by_role("button").click()
    expect(page.locator("#incident-state")).to_have_text("acknowledged")
    expect(page.locator("#incident-log-card")).to_contain_text("the supplier <b>knows</b>")
    acts = own.quality.incident(one.id).acts
    assert [(a.actor, a.act, a.note) for a in acts] == [("ann", "acknowledge", "the supplier <b>knows</b>")]
    assert any(row[1:] and "ann" in row and one.id in str(row) for row in own.audit.log().rows())
    page.get_by_role("tab", name="Mute").click()
    form = page.get_by_role("form", name="Mute")
    form.get_by_label("Reason").fill("weekend")
    form.get_by_role("button", name="Mute").click()
    expect(form.get_by_role("status")).to_contain_text("Until is missing.")


def test_the_past_can_be_read_but_not_acted_on_and_what_is_unknown_is_said(
    page: Page, demo: Lineage, demo_url: str
) -> None:
    one = demo.quality.incidents().incidents[0]
    page.goto(f"{demo_url}/incident?id={one.id}&asof={(one.began_at + timedelta(days=1)).isoformat()}")
    expect(page.locator("#incident-acts")).to_contain_text("You look at the past")
    page.goto(f"{demo_url}/incident?id=nothing")
    expect(page.locator("#incident-facts")).to_contain_text("nothing")
    expect(page.get_by_role("alert").first).to_be_visible()
    page.goto(f"{demo_url}/quality?domain=nowhere&view=zz&sort=a:b&filter=x&filter=:::&zz=1")
    filled(page)
    expect(page.locator("#quality-list")).to_contain_text("There are no rows here.")


def test_what_is_half_typed_into_a_form_outlives_new_data(page: Page, own: Lineage, serve: Callable[..., str]) -> None:
    one = next(i for i in own.quality.incidents().incidents if i.state != "resolved")
    page.goto(f"{serve(own)}/incident?id={one.id}")
    filled(page)
    page.wait_for_function("() => __live.boot !== null")
    reason = page.get_by_role("form").first.get_by_label("Reason")
    reason.fill("the supplier")
    reason.blur()
    own.aliases.switch("port", False)  # any change of the store
    page.evaluate("() => __live.ask()")
    expect(page.locator("#live-strip")).to_contain_text("New data has arrived.")
    expect(reason).to_have_value("the supplier")
    page.evaluate("() => { window.__old = document.querySelector('#incident-acts textarea'); }")
    page.get_by_role("button", name="Show it").click()
    page.wait_for_function("() => !window.__old.isConnected")  # the form was drawn anew, with what was typed
    expect(reason).to_have_value("the supplier")


def test_a_store_without_tests_says_so_instead_of_drawing_zero(
    empty: Lineage, page: Page, serve: Callable[..., str]
) -> None:
    page.goto(f"{serve(empty)}/quality")
    filled(page)
    expect(page.locator("#quality-matrix")).to_contain_text("No test was seen.")
    expect(page.locator("#count-coverage")).to_have_text("unknown")
