"""Figures of a running server for Prometheus.

What is in the database (received, accepted, duplicates, quarantined, per producer) is counted there, so those counters
go on over restarts. What only the process sees (commit times, time until an event is visible, refused requests) is
collected as it happens.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from lineage import __version__
from lineage.store import state_version
from lineage.times import EPOCH, utcnow

if TYPE_CHECKING:
    from ingest.live import LiveHealth, LiveIngest
    from ingest.outcome import Outcome
    from lineage.store import Store

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_PRODUCERS = 100  # those with most events have a series of their own, the others share one
_FRESH = 5.0  # seconds for which counts are not asked again
_COMMIT = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_VISIBLE = (0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 60)
_EVENTS = (1, 4, 16, 64, 256, 1024, 4096)

_TOTALS = """
-- events archived and projected, and how many different ones those are
SELECT (SELECT coalesce(sum(n), 0) FROM raw WHERE block <= (SELECT value::UBIGINT FROM meta
          WHERE key = 'projected_block'))
  -- and in the blocks that retention removed
  + (SELECT coalesce(max(value::BIGINT), 0) FROM meta WHERE key = 'received_before'),
  (SELECT count(*) FROM event)
"""
_REFUSED = "SELECT reason, count(*) FROM quarantine GROUP BY reason ORDER BY reason"
_BY_PRODUCER = """
-- producers by the number of their events
SELECT coalesce(producer, ''), count(*), max(received_at) FROM event GROUP BY 1 ORDER BY 2 DESC, 1
"""


class LiveMetrics:
    """All figures of one server; each has a registry of its own.

    Parameters
    ----------
    live
        the writing side that is observed; it calls the methods below as things happen.
    """

    def __init__(self, live: LiveIngest) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(StoreCollector(live))
        self._commit = Histogram(
            "meshline_commit_seconds", "Time until received events are on disk", buckets=_COMMIT, registry=self.registry
        )
        self._size = Histogram(
            "meshline_commit_events", "Events that share a commit", buckets=_EVENTS, registry=self.registry
        )
        self._visible = Histogram(
            "meshline_visible_seconds",
            "Time from the end of the 100 ms tick of receipt until queries see an event",
            buckets=_VISIBLE,
            registry=self.registry,
        )
        self._fed = Counter(
            "meshline_source_events",
            "Inputs that the server read from folders and topics itself",
            labelnames=["source"],
            registry=self.registry,
        )
        self._failed = Counter("meshline_commit_failures", "Commits the store refused", registry=self.registry)
        self._turned_away = Counter(
            "meshline_turned_away_events", "Events answered with 503, to be sent again", registry=self.registry
        )

    def fed(self, source: str, outcome: Outcome) -> None:
        """A look into a folder or topic gave this."""
        self._fed.labels(source).inc(outcome.read)

    def committed(self, seconds: float, events: int) -> None:
        """A commit of so many events took so long."""
        self._commit.observe(seconds)
        self._size.observe(events)

    def failed(self, events: int) -> None:
        """The store refused a commit; those who sent its events were told to try again."""
        self._failed.inc()
        self._turned_away.inc(events)

    def turned_away(self, events: int) -> None:
        """There was no room in the queue."""
        self._turned_away.inc(events)

    def visible(self, received_at: datetime, commits: int) -> None:
        """So many commits with this receipt time can be seen by queries now."""
        lag = max(0.0, (utcnow() - received_at).total_seconds())
        for _ in range(commits):
            self._visible.observe(lag)

    def render(self) -> bytes:
        """Everything in the text format of Prometheus."""
        return generate_latest(self.registry)


class StoreCollector:
    """Counts from the database and the state of queue and projector, looked up when they are asked for.

    Parameters
    ----------
    live
        the server's writing side.
    """

    def __init__(self, live: LiveIngest) -> None:
        self._live = live
        self._lock = threading.Lock()
        self._counted: tuple[float, int, list[Metric]] | None = None  # when, state number, counts

    def collect(self) -> Iterator[Metric]:
        """Called by the registry for each scrape."""
        yield from _state(self._live.health())
        yield from self._counts()

    def _counts(self) -> list[Metric]:
        """Counts, asked again when the store has changed, but not more often than every few seconds."""
        store = self._live.store
        with self._lock:
            version = state_version(store)
            now = time.monotonic()
            if self._counted is not None and (self._counted[1] == version or now - self._counted[0] < _FRESH):
                return self._counted[2]
            found = list(_counts(store))
            self._counted = (now, version, found)
            return found


def _state(now: LiveHealth) -> Iterator[Metric]:
    info = GaugeMetricFamily("meshline_info", "Version of this server", labels=["version"])
    info.add_metric([__version__], 1)
    yield info
    healthy = GaugeMetricFamily("meshline_healthy", "1 when events are written and become visible")
    healthy.add_metric([], now.status == "ok")
    yield healthy
    for name, text, value in (
        ("meshline_queue_events", "Events that wait for the disk", now.queued_events),
        ("meshline_queue_limit_events", "Events that may wait for the disk", now.queue_limit),
        ("meshline_pending_events", "Events on disk that queries cannot see yet", now.pending_events),
        ("meshline_visible_lag_seconds", "Age of the oldest event queries cannot see yet", now.lag_seconds),
    ):
        yield _gauge(name, text, value)


def _counts(store: Store) -> Iterator[Metric]:
    projected, accepted = store.rows(_TOTALS)[0]
    refused = dict(store.rows(_REFUSED))
    total = int(projected) + sum(refused.values())
    yield _counter("meshline_events_received", "Inputs on disk: accepted, repeated and refused", total)
    yield _counter("meshline_events_accepted", "Different events", accepted)
    yield _counter("meshline_events_duplicate", "Events that were known already", max(0, int(projected) - accepted))
    quarantined = CounterMetricFamily("meshline_events_quarantined", "Inputs refused, by reason", labels=["reason"])
    for reason, count in refused.items():
        quarantined.add_metric([reason], count)
    yield quarantined
    yield from _producers(store.rows(_BY_PRODUCER))
    if store.path is not None and store.path.exists():
        yield _gauge("meshline_database_bytes", "Size of the database file", store.path.stat().st_size)


def _producers(rows: list[tuple[Any, ...]]) -> Iterator[Metric]:
    events = CounterMetricFamily("meshline_producer_events", "Accepted events by producer", labels=["producer"])
    newest = GaugeMetricFamily(
        "meshline_producer_last_received_timestamp_seconds", "When a producer was last heard", labels=["producer"]
    )
    for producer, count, last in rows[:_PRODUCERS]:
        events.add_metric([producer], count)
        newest.add_metric([producer], (last - EPOCH).total_seconds())
    others = sum(count for _, count, _ in rows[_PRODUCERS:])
    if others:
        events.add_metric(["(others)"], others)
    yield events
    yield newest


def _gauge(name: str, text: str, value: float) -> Metric:
    metric = GaugeMetricFamily(name, text)
    metric.add_metric([], value)
    return metric


def _counter(name: str, text: str, value: float) -> Metric:
    metric = CounterMetricFamily(name, text)
    metric.add_metric([], value)
    return metric
