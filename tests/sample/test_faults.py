"""Every planted fault is really in the events. Dates and names stand here by hand, apart from the description."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.sample.conftest import Received

DWH = "snowflake://hp-eu1"


def _runs(received: list[Received], job: str) -> dict[str, list[dict[str, Any]]]:
    """Events of one job by run, in order of time."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for _, _, event in received:
        if "run" in event and event["job"]["name"] == job:
            found[event["run"]["runId"]].append(event)
    return {run: sorted(events, key=lambda e: e["eventTime"]) for run, events in found.items()}


def _ends(received: list[Received], job: str) -> list[dict[str, Any]]:
    """Last event of each run of one job, in order of time."""
    return sorted((events[-1] for events in _runs(received, job).values()), key=lambda e: e["eventTime"])


def _states(received: list[Received], job: str, day: str) -> list[str]:
    return [
        event["eventType"]
        for events in _runs(received, job).values()
        for event in events
        if event["eventTime"].startswith(day)
    ]


def _names(datasets: list[dict[str, Any]]) -> list[str]:
    return [dataset["name"] for dataset in datasets]


def _column_lineage(received: list[Received]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(output, its column lineage) of every event that has one."""
    for _, _, event in received:
        for output in event.get("outputs", ()):
            if "columnLineage" in (output.get("facets") or {}):
                yield output, output["facets"]["columnLineage"]


def test_one_model_failed_once_and_was_repaired_the_same_morning(received: list[Received]) -> None:
    failed = [e for _, _, e in received if e.get("eventType") == "FAIL" and "errorMessage" in e["run"]["facets"]]
    assert [(e["job"]["name"], e["eventTime"][:10]) for e in failed] == [
        ("dwh.finance.harbourpine.revenue_daily", "2026-06-17")
    ]
    states = _states(received, "dwh.finance.harbourpine.revenue_daily", "2026-06-17")
    assert states == ["START", "FAIL", "START", "COMPLETE"]


def test_the_test_before_it_found_the_duplicates(received: list[Received]) -> None:
    (failed,) = [e for e in _ends(received, "dwh.sales.harbourpine.fct_orders.test") if e["eventType"] == "FAIL"]
    (tested,) = failed["inputs"]
    results = {a["name"]: a for a in tested["inputFacets"]["dataQualityAssertions"]["assertions"]}
    assert failed["eventTime"].startswith("2026-06-17T02:")
    assert [name for name, result in results.items() if not result["success"]] == ["unique_fct_orders_order_id"]
    assert results["unique_fct_orders_order_id"]["actual"] == "214"


def test_exchange_rates_stop_and_their_readers_do_not(received: list[Received]) -> None:
    assert _ends(received, "load_dwh.load_fx_rates")[-1]["eventTime"].startswith("2026-06-08")
    reader = _ends(received, "dwh.finance.harbourpine.fct_payments")[-1]
    assert reader["eventTime"].startswith("2026-06-28")
    assert "dwh.raw.fx_rates" in _names(reader["inputs"])


def test_the_orphan_is_told_by_the_catalogue_only(received: list[Received]) -> None:
    tellers = set()
    for _, source, event in received:
        datasets = [*event.get("inputs", ()), *event.get("outputs", ()), event.get("dataset") or {}]
        if any(d.get("name") == "dwh.legacy.customer_scores_2019" for d in datasets):
            tellers.add(source.partition("-2026")[0])
    assert tellers == {"catalogue"}


def test_the_email_leaves_its_domain_unmasked_and_once_masked(received: list[Received]) -> None:
    readers = {}
    for output, lineage in _column_lineage(received):
        for column, made_of in lineage["fields"].items():
            for use in made_of["inputFields"]:
                if (use["name"], use["field"]) == ("dwh.customer.dim_customers", "email"):
                    readers[output["name"], column] = use["transformations"]
    assert readers["dwh.marketing.newsletter_audience", "email"] == [{"type": "DIRECT", "subtype": "IDENTITY"}]
    assert readers["dwh.customer.customer_360", "email_hash"][0]["masking"] is True
    assert len(readers) == 2


def test_personal_columns_are_tagged_where_they_are_kept_and_not_where_they_leak(received: list[Received]) -> None:
    tagged = set()
    for _, _, event in received:
        datasets = [*event.get("inputs", ()), *event.get("outputs", ()), event.get("dataset") or {}]
        for dataset in datasets:
            for tag in (dataset.get("facets") or {}).get("tags", {}).get("tags", ()):
                if tag["key"] == "pii":
                    tagged.add((dataset["name"], tag["field"]))
    assert {("shop.public.customers", "email"), ("dwh.customer.dim_customers", "email")} <= tagged
    assert ("dwh.marketing.newsletter_audience", "email") not in tagged


def test_two_sources_change_their_schema_once_each(received: list[Received]) -> None:
    schemas: dict[str, dict[str, list[tuple[str, str]]]] = defaultdict(dict)
    for _, _, event in received:
        if "dataset" in event:
            fields = event["dataset"]["facets"]["schema"]["fields"]
            schemas[event["dataset"]["name"]][event["eventTime"][:10]] = [(f["name"], f["type"]) for f in fields]
    changed = {name: versions for name, versions in schemas.items() if len(versions) > 1}
    assert changed.keys() == {"shop.public.orders", "wms.public.stock_levels"}
    assert ("channel", "varchar(12)") in changed["shop.public.orders"]["2026-05-12"]
    assert ("channel", "varchar(12)") not in changed["shop.public.orders"]["2026-03-31"]
    assert ("quantity", "integer") in changed["wms.public.stock_levels"]["2026-03-31"]
    assert ("quantity", "numeric(12,3)") in changed["wms.public.stock_levels"]["2026-06-02"]


def test_attribution_stops_reading_the_contacts(received: list[Received]) -> None:
    runs = _ends(received, "dwh.marketing.harbourpine.attribution")
    with_contacts = [e["eventTime"][:10] for e in runs if "dwh.raw.contacts" in _names(e["inputs"])]
    without = [e["eventTime"][:10] for e in runs if "dwh.raw.contacts" not in _names(e["inputs"])]
    assert with_contacts[-1] == "2026-05-18"
    assert without == ["2026-05-25", "2026-06-01", "2026-06-08", "2026-06-15", "2026-06-22"]
    assert all(e["eventType"] == "COMPLETE" and e["inputs"] for e in runs)


def test_one_run_skipped_the_sessions(received: list[Received]) -> None:
    runs = _ends(received, "dwh.customer.harbourpine.customer_360")
    skipped = [e["eventTime"][:10] for e in runs if "dwh.digital.fct_sessions" not in _names(e["inputs"])]
    assert skipped == [runs[-1]["eventTime"][:10]] == ["2026-06-22"]


def test_the_exporter_of_the_delivery_report_was_silent_for_a_week(received: list[Received]) -> None:
    arrived = [(e["eventTime"][:10], at.isoformat()) for at, _, e in received if _is(e, "export.delivery_sla")]
    assert arrived[:5] == [(f"2026-06-{day}", "2026-06-22T07:00:00") for day in range(15, 20)]
    assert arrived[6] == ("2026-06-23", "2026-06-23T07:00:00")


def test_one_end_of_a_run_came_two_days_late(received: list[Received]) -> None:
    ((start, end),) = [
        [(at, e) for at, _, e in received if e.get("run", {}).get("runId") == run]
        for run, events in _runs(received, "load_dwh.load_payments").items()
        if events[0]["eventTime"].startswith("2026-05-20")
    ]
    assert (start[1]["eventType"], start[0].isoformat()) == ("START", "2026-05-20T07:00:00")
    assert (end[1]["eventType"], end[0].isoformat()) == ("COMPLETE", "2026-05-22T07:00:00")


def test_one_count_was_corrected_for_the_same_run(received: list[Received]) -> None:
    (told,) = [
        events
        for events in _runs(received, "dwh.sales.harbourpine.fct_orders").values()
        if events[-1]["eventType"] == "OTHER"
    ]
    wrong, right = (e["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] for e in told[1:])
    assert (wrong - right, told[-1]["eventTime"][:10]) == (214, "2026-06-18")


def test_one_run_never_ended(received: list[Received]) -> None:
    open_runs = [
        (events[0]["job"]["name"], events[0]["eventTime"][:10])
        for job in {e["job"]["name"] for _, _, e in received if "run" in e}
        for events in _runs(received, job).values()
        if not {"COMPLETE", "FAIL", "ABORT", "RUNNING"} & {e["eventType"] for e in events}
    ]
    assert open_runs == [("score_churn.save_into_data_source_command.churn_scores", "2026-06-22")]


def test_a_stream_never_ends(received: list[Received]) -> None:
    (events,) = _runs(received, "clickstream_sink.stream.raw_web_events").values()
    assert {e["eventType"] for e in events} == {"START", "RUNNING"}
    assert all(e["job"]["facets"]["jobType"]["processingType"] == "STREAMING" for e in events)


def test_the_connector_was_restarted_once_for_the_new_column(received: list[Received]) -> None:
    before, after = _runs(received, "shop-cdc.0").values()
    assert (before[-1]["eventType"], before[-1]["eventTime"]) == ("COMPLETE", "2026-05-12T05:38:00.000Z")
    assert (after[0]["eventType"], after[0]["eventTime"]) == ("START", "2026-05-12T05:40:00.000Z")
    fields = [e["job"]["facets"]["lineage"]["entries"][0]["fields"].keys() for e in (before[-1], after[0])]
    assert fields[1] - fields[0] == {"channel"}


def test_airflow_tells_inputs_at_the_start_and_outputs_at_the_end(received: list[Received]) -> None:
    for start, end in _runs(received, "load_dwh.load_orders").values():
        assert _names(start["inputs"]) == ["raw.orders"] and start["outputs"] == []
        assert end["inputs"] == [] and _names(end["outputs"]) == ["dwh.raw.orders"]


def test_one_loader_tells_no_columns(received: list[Received]) -> None:
    for _, end in _runs(received, "load_dwh.load_wms").values():
        assert len(end["outputs"]) == 2
        assert all("columnLineage" not in (o.get("facets") or {}) for o in end["outputs"])


def test_spark_names_paths_and_the_table_behind_them(received: list[Received]) -> None:
    links = {
        (output["namespace"], output["name"], link["namespace"], link["name"])
        for _, _, event in received
        for output in event.get("outputs", ())
        for link in (output.get("facets") or {}).get("symlinks", {}).get("identifiers", ())
    }
    assert ("s3://hp-lake", "raw/orders", "hive://metastore:9083", "raw.orders") in links
    assert len(links) == 3


def test_parents_that_never_speak(received: list[Received]) -> None:
    speaking = {(e["job"]["namespace"], e["job"]["name"]) for _, _, e in received if "run" in e}
    named = {
        (p["job"]["namespace"], p["job"]["name"])
        for _, _, e in received
        if "run" in e and (parent := (e["run"].get("facets") or {}).get("parent"))
        for p in (parent, parent["root"])
    }
    assert named - speaking == {
        ("airflow-prod", "lake_daily"),
        ("airflow-prod", "warehouse_daily.dbt_build"),
        ("spark-lake", "lake_daily"),
        ("spark-lake", "sessionize"),
        ("spark-lake", "compact"),
        ("spark-lake", "score_churn"),
    }


def test_events_without_a_run_declare_one_job_and_one_flow_into_a_dataset(received: list[Received]) -> None:
    jobs = [e for _, _, e in received if "run" not in e and "job" in e]
    datasets = [e for _, _, e in received if "lineage" in (e.get("dataset") or {}).get("facets", {})]
    assert [e["job"]["name"] for e in jobs] == ["finance_close.month_end_journal"]
    assert [e["dataset"]["name"] for e in datasets] == ["dwh.finance.revenue_targets"]


def test_every_kind_of_transformation_occurs(received: list[Received]) -> None:
    kinds = {
        (how["type"], how["subtype"])
        for _, lineage in _column_lineage(received)
        for use in (*lineage.get("dataset", ()), *(u for f in lineage["fields"].values() for u in f["inputFields"]))
        for how in use.get("transformations", ())
    }
    direct = {("DIRECT", how) for how in ("IDENTITY", "TRANSFORMATION", "AGGREGATION")}
    indirect = {("INDIRECT", how) for how in ("JOIN", "FILTER", "GROUP_BY", "SORT", "WINDOW", "CONDITIONAL")}
    assert kinds == direct | indirect


def test_most_datasets_have_a_text_and_an_owner_and_some_have_not(received: list[Received]) -> None:
    told: dict[str, set[str]] = defaultdict(set)
    for _, _, event in received:
        for dataset in (*event.get("outputs", ()), *([event["dataset"]] if "dataset" in event else [])):
            told[dataset["name"]] |= (dataset.get("facets") or {}).keys()
    texts = sum("documentation" in keys for keys in told.values())
    owners = sum("ownership" in keys for keys in told.values())
    assert 30 < texts < len(told)
    assert 40 < owners < len(told)


def _is(event: dict[str, Any], job: str) -> bool:
    return bool(event.get("job", {}).get("name") == job)
