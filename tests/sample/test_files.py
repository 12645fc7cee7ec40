"""What is checked in: size, order, identity, receipts."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from datetime import datetime, timedelta

import pytest

from lineage.times import parse_event_time
from sample_events import load
from tests.sample.conftest import Received

FILES = sorted(load.EVENTS.glob("*.ndjson"))


def test_the_events_stay_below_ten_megabytes() -> None:
    assert 1_000_000 < sum(path.stat().st_size for path in FILES) < 10_000_000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_line_is_one_event_with_identity_and_time(path: load.Path) -> None:
    for line in path.read_bytes().splitlines():
        event = json.loads(line)
        assert parse_event_time(event["eventTime"]) is not None
        assert event["producer"] and event["schemaURL"].startswith("https://openlineage.io/spec/2-0-2/")
        if "dataset" in event:
            assert event["dataset"]["namespace"] and event["dataset"]["name"]
            continue
        assert event["job"]["namespace"] and event["job"]["name"]
        if "run" in event:
            assert uuid.UUID(event["run"]["runId"]).version == 7
        for dataset in (*event.get("inputs", ()), *event.get("outputs", ())):
            assert dataset["namespace"] and dataset["name"]


def test_every_facet_names_its_producer_and_schema(received: list[Received]) -> None:
    for _, _, event in received:
        places = [event.get("run", {}), event.get("job", {}), event.get("dataset", {})]
        places += [*event.get("inputs", ()), *event.get("outputs", ())]
        for place in places:
            for key in ("facets", "inputFacets", "outputFacets"):
                for facet in (place.get(key) or {}).values():
                    assert facet["_producer"] and facet["_schemaURL"]


def test_no_event_is_there_twice(received: list[Received]) -> None:
    times = Counter(json.dumps(event, sort_keys=True) for _, _, event in received)
    assert times.most_common(1)[0][1] == 1


def test_receipts_cover_every_line_of_every_file_once() -> None:
    covered: Counter[tuple[str, int]] = Counter()
    for receipt in load.receipts():
        covered.update((receipt.file, number) for number in range(receipt.first, receipt.last + 1))
    lines = {(path.name, number) for path in FILES for number in range(1, len(path.read_bytes().splitlines()) + 1)}
    assert covered.keys() == lines
    assert set(covered.values()) == {1}


def test_receipts_are_in_order_and_few_instants() -> None:
    instants = [receipt.received_at for receipt in load.receipts()]
    assert instants == sorted(instants)
    assert len(set(instants)) < 300
    assert all(at.minute == at.second == 0 for at in instants)


def test_nothing_is_received_before_it_happened(received: list[Received]) -> None:
    for at, _, event in received:
        parsed = parse_event_time(event["eventTime"])
        assert parsed is not None and parsed.at <= at


def test_shipping_is_late_for_the_planted_events_only(received: list[Received]) -> None:
    late = set()
    for at, _, event in received:
        parsed = parse_event_time(event["eventTime"])
        assert parsed is not None
        if at - parsed.at > timedelta(hours=12):
            late.add((event["job"]["name"], parsed.at.date().isoformat()))
    assert ("load_dwh.load_payments", "2026-05-20") in late
    late.discard(("load_dwh.load_payments", "2026-05-20"))
    assert {name for name, _ in late} == {"export.delivery_sla"}


def test_the_story_covers_ninety_days(received: list[Received]) -> None:
    days = {event["eventTime"][:10] for _, _, event in received}
    assert len(days) == 90
    assert (min(days), max(days)) == ("2026-03-31", "2026-06-28")


def test_the_last_event_is_the_last_receipt(received: list[Received]) -> None:
    newest = max(event["eventTime"] for _, _, event in received)
    assert datetime.fromisoformat(newest.removesuffix("Z")) == load.last_event() == received[-1].at
