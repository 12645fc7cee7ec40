"""The story points: one question each, with the command that asks it and the answer worked out in expected.py."""

from __future__ import annotations

from datetime import date, datetime

from sample_events import contract_story, cost_story, expected, governance_story, plan, quality_story
from sample_events.datasets import DATASETS
from sample_events.expected import node_id
from sample_events.jobs import (
    CONTACTS_DROPPED,
    DBT_RUN,
    DECLARED,
    DELIVERY_STARTS,
    FAILED_DAY,
    FX_LAST_LOAD,
    JOBS,
    LATE_DAY,
    SESSIONS_SKIPPED,
)
from sample_events.question import Point, day_of, impact, nodes, noon, provenance, retry_id, rows, run_of, schema


def points() -> list[Point]:
    """Every story point in the order in which STORY.md tells them."""
    parts = (_reach, _quality, _time, _identity, _columns, _edges_of_every_kind, _whole_graph)
    stories = (quality_story, cost_story, contract_story, governance_story)
    return [*(point for part in parts for point in part()), *(point for story in stories for point in story.points())]


# --- how far things reach ---------------------------------------------------------------------------------------------
def _reach() -> list[Point]:
    return [
        impact(
            "orders-to-the-auditor",
            "What hangs on the orders table of the shop",
            "Orders leave the shop's database through change data capture, land in the lake, are loaded, cleaned and "
            "counted, and seven steps on they are in the IFRS 15 report that goes to the auditor. One table feeds 18 "
            "others in four domains.",
            "src_orders",
            paths=["rep_ifrs15", "mail_list"],
            jobs=True,
        ),
        provenance(
            "where-ifrs15-comes-from",
            "Where the IFRS 15 report comes from",
            "Twenty datasets stand behind the report. Two of them, the tables of the warehouse management system, "
            "are only probable: the job that loads both tells which tables it read and which it wrote, not which "
            "went where.",
            "rep_ifrs15",
            paths=["src_orders", "ext_ecb"],
        ),
        Point(
            "two-steps-only",
            "The same question, two steps deep",
            "An answer that was cut says so: it is partial.",
            ("impact", node_id("src_orders"), "--depth", "2"),
            {"partial": True, "nodes": nodes(expected.impact("src_orders"), within=2)},
        ),
    ]


# --- what went wrong --------------------------------------------------------------------------------------------------
def _quality() -> list[Point]:
    failed = run_of("revenue_daily", FAILED_DAY, "FAIL")
    test = run_of("test_fct_orders", FAILED_DAY, "FAIL")
    fx = [run for run in plan.runs() if run.job.key == "load_fx_rates"][-1]
    scores = [run for run in plan.runs() if run.job.key == "score_churn"][-1]
    return [
        Point(
            "failed-run",
            "The failed run",
            f"On {FAILED_DAY} the model of the daily revenue failed on duplicate rows and was run again at 09:20. Seen "
            "before the second attempt, its last run is a failure with its message.",
            ("show", failed.job.id, "--as-of", f"{FAILED_DAY}T08:00:00Z", "--known-at", f"{FAILED_DAY}T08:00:00Z"),
            {"last_run": {"run_id": failed.run_id, "state": "FAIL", "error_contains": "Duplicate row detected"}},
        ),
        Point(
            "repaired-run",
            "… and the attempt that repaired it",
            "The same model today: every later run is complete.",
            ("show", failed.job.id),
            {
                "runs_include": [
                    {"run_id": failed.run_id, "state": "FAIL"},
                    {"run_id": retry_id(), "state": "COMPLETE"},
                ],
                "last_run": {"state": "COMPLETE"},
            },
        ),
        Point(
            "failed-test",
            "The test that had warned",
            f"Half an hour earlier the test of fct_orders had found {plan.DUPLICATES} order numbers twice: "
            "the connector had taken a second snapshot in the night.",
            ("show", test.job.id, "--as-of", f"{FAILED_DAY}T08:00:00Z", "--known-at", f"{FAILED_DAY}T08:00:00Z"),
            {"last_run": {"run_id": test.run_id, "state": "FAIL"}},
        ),
        Point(
            "stale-source",
            "The source that fell silent",
            f"The European Central Bank's exchange rates were last loaded on {FX_LAST_LOAD}: the job was switched off "
            "with its old server. Nobody noticed, because the readers still run every day.",
            ("show", fx.job.id),
            {"last_run": {"run_id": fx.run_id, "state": "COMPLETE", "ended_on": day_of(fx.end)}},
        ),
        impact(
            "what-is-stale-with-it",
            "What is calculated with old rates",
            "Eight datasets, the report to the auditor among them. The campaign report is only probable: its model "
            "reads the rates, but its column lineage does not say what for.",
            "raw_fx_rates",
            paths=["rep_ifrs15", "rep_revenue"],
        ),
        Point(
            "run-without-end",
            "The run that never ended",
            "The last scoring of the churn model began and was never heard of again.",
            ("show", scores.job.id),
            {"last_run": {"run_id": scores.run_id, "state": "START"}},
        ),
        Point(
            "orphan",
            "The orphan",
            "A table of 2019 that nobody writes and nobody reads; no domain claims it.",
            ("impact", node_id("legacy_scores")),
            {"nodes": {}, "domain": "unassigned"},
        ),
    ]


# --- two clocks -------------------------------------------------------------------------------------------------------
def _time() -> list[Point]:
    before, after = noon(CONTACTS_DROPPED, -5), noon(CONTACTS_DROPPED, 30)
    open_run = run_of("load_payments", LATE_DAY, "COMPLETE")
    return [
        schema("channel-column", "Schema change one: a new column",
                "On 2026-05-12 the shop began to tell through which "
                "channel an order came, and the connector was restarted for it. The "
                "column reached the lake a day later and the warehouse within a week.",
                "src_orders", date(2026, 5, 11)),
        schema("channel-column-after", "… and the day after", "", "src_orders", date(2026, 5, 13)),
        schema("quantity-type", "Schema change two: a new type",
                "Since 2026-06-02 stock is counted in fractions, because gravel and sand are sold by weight. The daily "
                "inventory still holds whole numbers.", "src_stock_levels", date(2026, 6, 1)),
        schema("quantity-type-after", "… and the day after", "", "src_stock_levels", date(2026, 6, 3)),
        impact(
            "contacts-before", "An edge that ended: before",
            "Until the middle of May the attribution of orders to campaigns read the contacts of the CRM.",
            "raw_contacts", as_of=before,
        ),
        impact(
            "contacts-after", "An edge that ended: after",
            f"On {CONTACTS_DROPPED} the model was changed. Five complete runs without the contacts are proof: the edge "
            "ended with the first of them. Only the newsletter is left.",
            "raw_contacts", as_of=after, absent=["attribution"],
        ),
        impact(
            "stale-edge", "An edge that may have ended",
            f"The last run of customer_360, on {SESSIONS_SKIPPED}, did not read the web sessions. One run is no proof: "
            "the edge is stale, in the answer and marked, and so is everything that hangs on it alone.",
            "fct_sessions", paths=["customer_360", "churn_scores"],
        ),
        impact(
            "delivery-report-unknown", "What we did not know on 20 June",
            f"The delivery report began on {DELIVERY_STARTS}, but its exporter sent nothing before 22 June. Asked for "
            "what was known on 20 June, it is not there.",
            "fct_shipments", as_of=datetime(2026, 6, 20, 12), known_at=datetime(2026, 6, 20, 12),  # noqa: DTZ001
            absent=["rep_delivery"],
        ),
        impact(
            "delivery-report-known", "… and what we know of 20 June today",
            "The same day, seen with today's knowledge: it is.",
            "fct_shipments", as_of=datetime(2026, 6, 20, 12), paths=["rep_delivery"],  # noqa: DTZ001
        ),
        Point(
            "late-end", "The run that looked open for two days",
            f"The last event of this run of {LATE_DAY} arrived two days late. Until then the run was open.",
            ("show", open_run.job.id, "--as-of", f"{LATE_DAY}T12:00:00Z", "--known-at", f"{LATE_DAY}T12:00:00Z"),
            {"last_run": {"run_id": open_run.run_id, "state": "START"}},
        ),
        Point(
            "late-end-known", "… seen with today's knowledge",
            "It had ended the same night.",
            ("show", open_run.job.id, "--as-of", f"{LATE_DAY}T12:00:00Z"),
            {"last_run": {"run_id": open_run.run_id, "state": "COMPLETE", "ended_on": str(LATE_DAY)}},
        ),
        rows("count-with-duplicates", "A number that was corrected: before",
              f"On {FAILED_DAY} fct_orders was reported with the {plan.DUPLICATES} duplicates in it.", corrected=False),
        rows("count-corrected", "… and after",
              "A day later dbt told the same run again, with the right number of rows.", corrected=True),
    ]  # fmt: skip


# --- one thing, several names -----------------------------------------------------------------------------------------
def _identity() -> list[Point]:
    lake = DATASETS["lake_orders"]
    return [
        Point(
            "one-table-two-names",
            "One table, two names",
            "Spark writes a path in the lake, the loader reads a table of the metastore. A symlink in Spark's events "
            "says that they are one; without it the way from the shop to the warehouse would end here.",
            ("show", f"dataset:{lake.namespace}:{lake.name}"),
            {"id": lake.id, "aliases": [f"dataset:{lake.namespace}:{lake.name}"], "domain": "sales"},
        ),
        Point(
            "ambiguous-name",
            "A name that is not enough",
            "The topic has the name of the table that it carries.",
            ("impact", "shop.public.orders"),
            {"exit": 2, "candidates": [node_id("src_orders"), node_id("topic_orders")]},
        ),
        Point(
            "unknown-name",
            "A name that does not exist",
            "",
            ("impact", "dwh.sales.fct_ordres"),
            {"exit": 2, "candidates_include": [node_id("fct_orders")]},
        ),
        Point(
            "search-ifrs",
            "Finding the report",
            "",
            ("search", "ifrs15"),
            {"hits_include": [node_id("rep_ifrs15"), JOBS["export_ifrs15"].id]},
        ),
        Point(
            "domain-by-tag",
            "A domain that comes from a tag",
            "No pattern names the delivery report; the tag on it does.",
            ("show", node_id("rep_delivery")),
            {"id": node_id("rep_delivery"), "domain": "logistics"},
        ),
        Point(
            "who-owns-it",
            "Who owns the orders",
            "",
            ("show", node_id("fct_orders")),
            {
                "id": node_id("fct_orders"),
                "domain": "sales",
                "owner": "team:sales-data",
                "columns": [c.name for c in DATASETS["fct_orders"].columns],
                "upstream": sorted(map(node_id, ("stg_orders", "raw_order_items"))),
                "writers": [JOBS["fct_orders"].id],
            },
        ),
    ]


# --- columns ----------------------------------------------------------------------------------------------------------
def _columns() -> list[Point]:
    return [
        impact(
            "email-leak",
            "The e-mail address that leaves its domain",
            "Customer data leaves the customer domain masked only, says the text on dim_customers. The e-mail address "
            "reaches the newsletter audience of marketing as it is, and from there the mail provider. customer_360 "
            "does it right: it takes a salted hash.",
            ("src_customers", "email"),
            paths=[("mail_list", "email"), ("customer_360", "email_hash")],
        ),
        provenance(
            "email-leak-back",
            "… seen from the mail provider",
            "",
            ("mail_list", "email"),
            paths=[("src_customers", "email")],
        ),
        impact(
            "filter-column",
            "A column that decides which rows there are",
            "The status of an order is copied, and it filters: orders that were cancelled are not counted. So it "
            "reaches every column of fct_orders and all that is made of them.",
            ("stg_orders", "status"),
        ),
    ]


# --- edges of every kind ----------------------------------------------------------------------------------------------
def _edges_of_every_kind() -> list[Point]:
    return [
        impact(
            "explicit-lineage",
            "Two tables through one connector that do not mix",
            "The connector reads orders and customers and writes two topics. It says itself that each table goes into "
            "its own topic, so customers do not reach the orders.",
            "src_customers",
            absent=["topic_orders", "raw_orders", "fct_order_lines"],
        ),
        impact(
            "product-edges",
            "Two tables through one loader that may mix",
            "The loader of the warehouse system says nothing of the kind. What it tells is inputs and outputs, so "
            "stock may be in shipments: probable, and everything after it too.",
            "src_stock_levels",
            paths=["raw_shipments"],
        ),
        Point(
            "declared-job",
            "Lineage of a job that does not exist yet",
            "The journal of the month's end is declared, no run has shown it. Declared edges are certain.",
            ("provenance", node_id("month_end_journal"), "--depth", "1"),
            {
                "nodes": nodes(expected.provenance("month_end_journal"), within=1),
                "jobs_include": [DECLARED.id],
            },
        ),
        provenance(
            "declared-dataset",
            "A table that is pasted from a sheet",
            "No job writes the targets. An event about the dataset itself says where they come from.",
            "revenue_targets",
        ),
        Point(
            "stream",
            "A stream does not end",
            "",
            ("show", JOBS["clickstream_sink"].id),
            {"last_run": {"state": "RUNNING"}},
        ),
        impact(
            "self-loop",
            "A table that is compacted",
            "The weekly job reads and writes the same table. That is kept, and not counted as impact.",
            "lake_web_events",
            absent=["lake_web_events"],
        ),
    ]


# --- the graph as a whole ---------------------------------------------------------------------------------------------
def _whole_graph() -> list[Point]:
    revenue, test = (run_of(key, FAILED_DAY, "FAIL") for key in ("revenue_daily", "test_fct_orders"))
    reached = {key: len(expected.impact(key)) for key in DATASETS}
    first = sorted((-count, node_id(key), count) for key, count in reached.items())[:3]
    email = [("dim_customers", "email"), ("newsletter_audience", "email"), ("mail_list", "email")]
    name = [("dim_customers", "full_name"), ("newsletter_audience", "first_name"), ("mail_list", "first_name")]
    return [
        Point(
            "personal-data-leaves-the-house",
            "Personal data that leaves the house",
            "The customer table hashes addresses before others see them; the audience of the newsletter takes them as "
            "they are, and two steps from the customer domain they are at the mail provider.",
            ("tags", node_id("mail_list"), "--tag", "pii"),
            {
                "verdict": "found",
                "carried": {
                    "pii:email": [node_id(step) for step in email],
                    "pii:name": [node_id(step) for step in name],
                },
            },
        ),
        Point(
            "where-it-is-masked",
            "… and where it does not",
            "The one edge over which the address does not pass.",
            ("tags", node_id("customer_360"), "--tag", "pii:email"),
            {
                "carried": {},
                "masked": [[node_id(("dim_customers", "email")), node_id(("customer_360", "email_hash"))]],
            },
        ),
        Point(
            "one-cause",
            "One cause for everything that failed that morning",
            "Four things were red before eight: a table with duplicates, its test, the model of the daily revenue, and "
            "the dbt run around them. One of them explains the others.",
            ("cause", "--as-of", f"{FAILED_DAY}T08:00:00Z"),
            {
                "failing": 4,
                "causes": {node_id("fct_orders"): sorted([revenue.job.id, test.job.id, f"job:dbt-prod:{DBT_RUN}"])},
            },
        ),
        Point(
            "what-most-hangs-on",
            "What most of the house hangs on",
            "Three sources and streams of the shop reach more datasets than anything else.",
            ("rank", "--by", "downstream", "--limit", "3"),
            {"error": 0.0, "ranked": [[node, count] for _, node, count in first]},
        ),
    ]
