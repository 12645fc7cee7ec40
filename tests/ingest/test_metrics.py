"""``/metrics``: what Prometheus is told is what the database holds and what the server did."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import ingest.metrics
from ingest.live import LiveSettings
from ingest.writer import Writer
from lineage.store import Store
from tests.ingest.build import run_event as build_event
from tests.server.running import Running, run_event, serving, until

Samples = dict[tuple[str, str], float]


def scrape(server: Running) -> Samples:
    """Samples by name and the value of their one label."""
    answer = server.http.get("metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {(s.name, next(iter(s.labels.values()), "")): s.value for family in families for s in family.samples}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(ingest.metrics, "_FRESH", 0.0)
    with serving(tmp_path / "served.duckdb") as running:
        yield running


def test_events_are_counted_by_what_became_of_them_and_by_the_time_it_took(server: Running) -> None:
    for number in (1, 2, 2, 2):
        assert server.send(run_event(number)).status_code == 201
    assert server.send({"run": {"runId": "1"}, "job": {"name": "x"}}).status_code == 422
    server.settled()
    found = scrape(server)
    assert found["meshline_events_received_total", ""] == 5
    assert found["meshline_events_accepted_total", ""] == 2
    assert found["meshline_events_duplicate_total", ""] == 2
    assert found["meshline_events_quarantined_total", "no-time"] == 1
    assert found["meshline_producer_events_total", "https://example.com/test"] == 2
    assert found["meshline_producer_last_received_timestamp_seconds", "https://example.com/test"] > 1.7e9
    assert found["meshline_healthy", ""] == 1
    assert found["meshline_pending_events", ""] == found["meshline_queue_events", ""] == 0
    assert found["meshline_database_bytes", ""] > 0
    # commits and the time until visible are measured
    assert found["meshline_commit_seconds_count", ""] == found["meshline_commit_events_count", ""] == 5
    assert found["meshline_commit_events_sum", ""] == 5
    until(lambda: scrape(server)["meshline_visible_seconds_count", ""] == 4)
    assert found["meshline_commit_failures_total", ""] == 0


def test_what_is_turned_away_is_counted(tmp_path: Path) -> None:
    settings = LiveSettings(queue_events=1)
    with serving(tmp_path / "served.duckdb", live=settings) as server:
        with server.inside.live.paused():
            first = threading.Thread(target=server.send, args=(run_event(1),))
            first.start()
            until(lambda: server.health()["queue"]["events"] == 1)
            assert server.send(run_event(2)).status_code == 503
        first.join()
        assert scrape(server)["meshline_turned_away_events_total", ""] == 1


def test_counters_go_on_over_a_restart_and_many_producers_share_one_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest.metrics, "_PRODUCERS", 2)
    db = tmp_path / "served.duckdb"
    with Store.open(db) as store:
        events = [build_event(f"r{n}", producer=f"p{min(n, 4)}") for n in range(7)]
        Writer(store).ingest([*events, b"{"], source="test")
    with serving(db) as server:
        found = scrape(server)
    assert found["meshline_events_accepted_total", ""] == 7
    assert found["meshline_events_quarantined_total", "not-json"] == 1
    producers = {label: value for (name, label), value in found.items() if name == "meshline_producer_events_total"}
    assert producers == {"p4": 3, "p0": 1, "(others)": 3}


def test_every_metric_is_documented(server: Running, repo: Path) -> None:
    page = (repo / "docs" / "http-api.md").read_text("utf-8")
    families = text_string_to_metric_families(server.http.get("metrics").text)
    names = {family.name + ("_total" if family.type == "counter" else "") for family in families}
    assert sorted(name for name in names if f"`{name}" not in page and not name.endswith("_created")) == []
