"""The jobs of Harbour & Pine: what each reads, what it makes of it, and when it runs (UTC)."""

from __future__ import annotations

from datetime import date

from sample_events.datasets import DATASETS
from sample_events.model import Detail, Job, Style, flow

FIRST_DAY = date(2026, 3, 31)
LAST_DAY = date(2026, 6, 28)

# Days on which something happens; STORY.md tells each.
FX_LAST_LOAD = date(2026, 6, 8)
FAILED_DAY = date(2026, 6, 17)
CONTACTS_DROPPED = date(2026, 5, 25)
SESSIONS_SKIPPED = date(2026, 6, 22)
DELIVERY_STARTS = date(2026, 6, 15)
UNFINISHED_DAY = date(2026, 6, 22)
LATE_DAY = date(2026, 5, 20)

NAMESPACES: dict[Style, str] = {
    "airflow": "airflow-prod",
    "spark": "spark-lake",
    "stream": "spark-lake",
    "cdc": "kafka-connect",
    "dbt": "dbt-prod",
    "test": "dbt-prod",
    "bi": "superset",
    "sync": "reverse-etl",
}

JOBS: dict[str, Job] = {}


def _add(
    key: str,
    style: Style,
    name: str,
    cadence: str,
    at: str,
    minutes: float,
    *flows: str,
    owner: str | None = None,
    description: str | None = None,
    detail: Detail = "columns",
    path: str = "",
    since: date = date.min,
    until: date = date.max,
) -> None:
    """Add one job that starts at ``at`` (UTC) and takes about ``minutes``."""
    hour, minute = at.split(":")
    JOBS[key] = Job(
        key,
        style,
        NAMESPACES[style],
        name,
        cadence,
        (int(hour), int(minute)),
        minutes,
        tuple(flow(text, DATASETS) for text in flows),
        owner,
        description,
        detail,
        path,
        since,
        until,
    )


def _copy(source: str, target: str) -> str:
    return f"{target} <- {source}\n* = {source}"


# --- change data capture and streams ----------------------------------------------------------------------------------
_add(
    "shop_cdc", "cdc", "shop-cdc.0", "stream", "00:05", 0,
    _copy("src_orders", "topic_orders"), _copy("src_customers", "topic_customers"),
    owner="team:data-platform", detail="explicit",
)  # fmt: skip
_add(
    "clickstream_sink", "stream", "clickstream_sink.stream.raw_web_events", "stream", "00:10", 0,
    _copy("topic_clicks", "lake_web_events"), owner="team:web", path="lake/clickstream_sink.py",
)  # fmt: skip

# --- lake -------------------------------------------------------------------------------------------------------------
_add(
    "land_orders", "spark", "lake_daily.execute_insert_into_hadoop_fs_relation_command.raw_orders", "daily", "00:30", 7,
    _copy("topic_orders", "lake_orders"), owner="team:data-platform", path="lake/land.py",
)  # fmt: skip
_add(
    "land_customers", "spark", "lake_daily.execute_insert_into_hadoop_fs_relation_command.raw_customers",
    "mwf", "00:40",
    4,
    _copy("topic_customers", "lake_customers"), owner="team:data-platform", path="lake/land.py",
)  # fmt: skip
_add(
    "sessionize", "spark", "sessionize.save_into_data_source_command.web_sessions", "daily", "00:50", 22,
    """raw_web_sessions <- lake_web_events
    session_id ~ lake_web_events.visitor_id lake_web_events.occurred_at
    visitor_id = lake_web_events.visitor_id
    customer_id = lake_web_events.customer_id
    campaign ~ lake_web_events.campaign
    started_at + lake_web_events.occurred_at
    page_views + lake_web_events.event_id
    converted ~ lake_web_events.event_type
    @GROUP_BY lake_web_events.visitor_id
    @FILTER lake_web_events.event_type""",
    owner="team:web", path="lake/sessionize.py", description="Cuts the clickstream into visits.",
)  # fmt: skip
_add(
    "compact_web_events", "spark", "compact.execute_merge_into_command.raw_web_events", "weekly", "05:10", 35,
    "lake_web_events <- lake_web_events\n* = lake_web_events\n@SORT lake_web_events.occurred_at",
    owner="team:web", path="lake/compact.py",
)  # fmt: skip
_add(
    "score_churn", "spark", "score_churn.save_into_data_source_command.churn_scores", "weekly", "04:40", 16,
    """churn_scores <- churn_features
    customer_id = churn_features.customer_id
    churn_score ~ churn_features.recency_days churn_features.frequency churn_features.monetary
    churn_score ~ churn_features.sessions_30d""",
    owner="team:customer-data", path="ml/score_churn.py",
)  # fmt: skip

# --- loading the warehouse --------------------------------------------------------------------------------------------
_add("load_orders", "airflow", "load_dwh.load_orders", "daily", "01:30", 4, _copy("lake_orders", "raw_orders"))
_add(
    "load_order_items",
    "airflow",
    "load_dwh.load_order_items",
    "mwf",
    "01:32",
    6,
    _copy("src_order_items", "raw_order_items"),
)
_add(
    "load_customers", "airflow", "load_dwh.load_customers", "mwf", "01:34", 3, _copy("lake_customers", "raw_customers")
)
_add("load_products", "airflow", "load_dwh.load_products", "weekly", "01:35", 1, _copy("src_products", "raw_products"))
_add("load_payments", "airflow", "load_dwh.load_payments", "daily", "01:36", 4, _copy("src_payments", "raw_payments"))
_add("load_refunds", "airflow", "load_dwh.load_refunds", "weekly", "01:37", 1, _copy("src_refunds", "raw_refunds"))
_add(
    "load_wms", "airflow", "load_dwh.load_wms", "daily", "01:38", 5,
    "raw_shipments <- src_shipments src_stock_levels", "raw_stock_levels <- src_shipments src_stock_levels",
    detail="none",
)  # fmt: skip
_add("load_contacts", "airflow", "load_dwh.load_contacts", "weekly", "01:40", 2, _copy("src_contacts", "raw_contacts"))
_add("load_ad_spend", "airflow", "load_dwh.load_ad_spend", "weekly", "01:42", 1, _copy("ext_ads", "raw_ad_spend"))
_add(
    "load_fx_rates", "airflow", "load_dwh.load_fx_rates", "daily", "01:44", 1, _copy("ext_ecb", "raw_fx_rates"),
    owner="team:finance-data", until=date(2026, 6, 9),
)  # fmt: skip

# --- warehouse models -------------------------------------------------------------------------------------------------
MODELS: dict[str, tuple[str, str, float, str]] = {
    "stg_orders": ("weekly", "02:05", 0.3, """stg_orders <- raw_orders
        order_id = raw_orders.order_id
        customer_id = raw_orders.customer_id
        order_date ~ raw_orders.ordered_at
        status = raw_orders.status
        amount = raw_orders.total_amount
        currency = raw_orders.currency
        channel = raw_orders.channel
        @WINDOW raw_orders.order_id raw_orders.ordered_at"""),
    "stg_customers": ("weekly", "02:06", 0.3, """stg_customers <- raw_customers
        * = raw_customers
        @WINDOW raw_customers.customer_id raw_customers.created_at"""),
    "dim_products": ("weekly", "02:08", 1, "dim_products <- raw_products\n* = raw_products"),
    "dim_customers": ("mwf", "02:10", 2, """dim_customers <- stg_customers
        customer_id = stg_customers.customer_id
        email = stg_customers.email
        full_name = stg_customers.full_name
        city = stg_customers.city
        country = stg_customers.country
        customer_since ~ stg_customers.created_at"""),
    "fct_order_lines": ("mwf", "02:14", 5, """fct_order_lines <- raw_order_items
        order_item_id = raw_order_items.order_item_id
        order_id = raw_order_items.order_id
        product_id = raw_order_items.product_id
        quantity = raw_order_items.quantity
        line_amount ~ raw_order_items.quantity raw_order_items.unit_price"""),
    "fct_orders": ("daily", "02:20", 6, """fct_orders <- stg_orders raw_order_items
        order_id = stg_orders.order_id
        customer_id = stg_orders.customer_id
        order_date = stg_orders.order_date
        status = stg_orders.status
        items + raw_order_items.quantity
        gross_amount = stg_orders.amount
        currency = stg_orders.currency
        channel = stg_orders.channel
        @JOIN raw_order_items.order_id
        @FILTER stg_orders.status"""),
    "fct_payments": ("daily", "02:24", 4, """fct_payments <- raw_payments raw_refunds raw_fx_rates
        payment_id = raw_payments.payment_id
        order_id = raw_payments.order_id
        method = raw_payments.method
        amount_eur ~ raw_payments.amount raw_fx_rates.rate
        refunded_eur + raw_refunds.amount raw_fx_rates.rate
        paid_at = raw_payments.paid_at
        @JOIN raw_refunds.payment_id raw_fx_rates.currency"""),
    "fct_sessions": ("weekdays", "02:28", 7, """fct_sessions <- raw_web_sessions
        session_id = raw_web_sessions.session_id
        customer_id = raw_web_sessions.customer_id
        campaign = raw_web_sessions.campaign
        day ~ raw_web_sessions.started_at
        page_views = raw_web_sessions.page_views
        converted = raw_web_sessions.converted"""),
    "fct_shipments": ("mwf", "02:30", 3, """fct_shipments <- raw_shipments
        shipment_id = raw_shipments.shipment_id
        order_id = raw_shipments.order_id
        carrier = raw_shipments.carrier
        shipped_at = raw_shipments.shipped_at
        delivered_at = raw_shipments.delivered_at
        days_in_transit ~ raw_shipments.shipped_at raw_shipments.delivered_at"""),
    "daily_sales": ("daily", "02:40", 2, """daily_sales <- fct_orders fct_order_lines dim_products
        day = fct_orders.order_date
        category = dim_products.category
        orders + fct_orders.order_id
        items + fct_order_lines.quantity
        gross_amount + fct_order_lines.line_amount
        @JOIN fct_order_lines.order_id fct_order_lines.product_id dim_products.product_id
        @GROUP_BY fct_orders.order_date dim_products.category"""),
    "inventory_daily": ("weekdays", "02:44", 3, """inventory_daily <- raw_stock_levels dim_products fct_order_lines
        day ~ raw_stock_levels.counted_at
        product_id = raw_stock_levels.product_id
        sku = dim_products.sku
        warehouse = raw_stock_levels.warehouse
        on_hand ~ raw_stock_levels.quantity
        sold_7d + fct_order_lines.quantity
        days_of_cover ~ raw_stock_levels.quantity fct_order_lines.quantity
        @JOIN dim_products.product_id fct_order_lines.product_id"""),
    "revenue_daily": ("daily", "02:55", 3, """revenue_daily <- fct_orders fct_payments
        day = fct_orders.order_date
        gross_eur + fct_payments.amount_eur
        refunds_eur + fct_payments.refunded_eur
        net_eur + fct_payments.amount_eur fct_payments.refunded_eur
        @JOIN fct_orders.order_id fct_payments.order_id
        @GROUP_BY fct_orders.order_date"""),
    "customer_360": ("weekly", "03:05", 9, """customer_360 <- dim_customers fct_orders fct_sessions-2026-06-22
        customer_id = dim_customers.customer_id
        email_hash # dim_customers.email
        country = dim_customers.country
        orders + fct_orders.order_id
        lifetime_value + fct_orders.gross_amount
        last_order_date + fct_orders.order_date
        sessions_30d + fct_sessions.session_id
        @JOIN fct_orders.customer_id fct_sessions.customer_id"""),
    "churn_features": ("weekly", "03:20", 6, """churn_features <- customer_360
        customer_id = customer_360.customer_id
        recency_days ~ customer_360.last_order_date
        frequency = customer_360.orders
        monetary = customer_360.lifetime_value
        sessions_30d = customer_360.sessions_30d
        country = customer_360.country"""),
    "funnel_daily": ("weekly", "03:22", 2, """funnel_daily <- fct_sessions
        day = fct_sessions.day
        campaign = fct_sessions.campaign
        sessions + fct_sessions.session_id
        conversions + fct_sessions.converted
        @GROUP_BY fct_sessions.day fct_sessions.campaign"""),
    "revenue_recognition": ("weekly", "03:30", 8, """revenue_recognition <- fct_orders fct_payments fct_shipments
        order_id = fct_orders.order_id
        month ~ fct_shipments.delivered_at
        recognised_eur ~ fct_payments.amount_eur fct_payments.refunded_eur
        deferred_eur ~ fct_payments.amount_eur
        @JOIN fct_payments.order_id fct_shipments.order_id
        @CONDITIONAL fct_shipments.delivered_at"""),
    "vat_summary": ("weekly", "03:40", 2, """vat_summary <- fct_order_lines dim_products revenue_recognition
        month = revenue_recognition.month
        vat_rate = dim_products.vat_rate
        net_eur + revenue_recognition.recognised_eur
        vat_eur + revenue_recognition.recognised_eur dim_products.vat_rate
        @JOIN fct_order_lines.product_id fct_order_lines.order_id
        @GROUP_BY dim_products.vat_rate revenue_recognition.month"""),
    "campaign_performance": ("weekly", "03:45", 2, """campaign_performance <- raw_ad_spend funnel_daily raw_fx_rates
        campaign = raw_ad_spend.campaign
        day = raw_ad_spend.day
        spend_eur ~ raw_ad_spend.cost
        clicks = raw_ad_spend.clicks
        sessions = funnel_daily.sessions
        conversions = funnel_daily.conversions
        @JOIN funnel_daily.campaign funnel_daily.day"""),
    "attribution": ("weekly", "03:50", 5, """attribution <- fct_orders fct_sessions raw_contacts!2026-05-25
        order_id = fct_orders.order_id
        campaign = fct_sessions.campaign
        touches + fct_sessions.session_id
        revenue = fct_orders.gross_amount
        first_contact = raw_contacts.source_campaign
        @JOIN fct_orders.customer_id fct_sessions.customer_id raw_contacts.customer_id"""),
    "newsletter_audience": ("weekly", "04:00", 2, """newsletter_audience <- dim_customers customer_360 raw_contacts
        customer_id = dim_customers.customer_id
        email = dim_customers.email
        first_name ~ dim_customers.full_name
        segment ~ customer_360.lifetime_value customer_360.last_order_date
        @JOIN customer_360.customer_id raw_contacts.customer_id
        @FILTER raw_contacts.newsletter_opt_in"""),
}  # fmt: skip

for _key, (_cadence, _at, _minutes, _text) in MODELS.items():
    _schema, _table = DATASETS[_key].name.split(".")[1:]
    _add(
        _key, "dbt", f"dwh.{_schema}.harbourpine.{_table}", _cadence, _at, _minutes, _text,
        owner=DATASETS[_key].owner, path=f"models/{_schema}/{_table}.sql",
    )  # fmt: skip

# --- tests: (name, assertion, column), '' for the whole table ---------------------------------------------------------
TESTS: dict[str, tuple[str, str, tuple[tuple[str, str, str], ...]]] = {
    "fct_orders": ("daily", "02:27", (
        ("unique_fct_orders_order_id", "unique", "order_id"),
        ("not_null_fct_orders_customer_id", "not_null", "customer_id"),
        ("accepted_values_fct_orders_status", "accepted_values", "status"),
    )),
    "dim_customers": ("mwf", "02:13", (
        ("unique_dim_customers_customer_id", "unique", "customer_id"),
        ("not_null_dim_customers_email", "not_null", "email"),
    )),
    "fct_payments": ("weekly", "02:29", (
        ("unique_fct_payments_payment_id", "unique", "payment_id"),
        ("not_null_fct_payments_amount_eur", "not_null", "amount_eur"),
    )),
    "revenue_daily": ("weekly", "03:00", (("assert_revenue_matches_payments", "singular", ""),)),
}  # fmt: skip

for _key, (_cadence, _at, _tests) in TESTS.items():
    _model = JOBS[_key]
    _hour, _minute = _at.split(":")
    JOBS[f"test_{_key}"] = Job(
        f"test_{_key}", "test", _model.namespace, f"{_model.name}.test", _cadence, (int(_hour), int(_minute)), 0.4, (),
        owner=_model.owner, tests=_tests, reads=_key,
    )  # fmt: skip

# --- where data leaves ------------------------------------------------------------------------------------------------
_add(
    "newsletter_sync", "sync", "newsletter_sync", "weekly", "04:30", 3,
    """mail_list <- newsletter_audience
    email = newsletter_audience.email
    first_name = newsletter_audience.first_name
    segment = newsletter_audience.segment""",
    owner="team:marketing-analytics", description="Sends the audience to the mail provider.",
)  # fmt: skip
_add(
    "export_revenue", "bi", "export.revenue_report", "weekdays", "05:00", 1,
    """rep_revenue <- revenue_daily revenue_targets
    day = revenue_daily.day
    net_eur = revenue_daily.net_eur
    target_eur = revenue_targets.target_eur
    @JOIN revenue_targets.month""",
)  # fmt: skip
_add(
    "export_ifrs15", "bi", "export.ifrs15_report", "weekly", "05:20", 1,
    """rep_ifrs15 <- revenue_recognition
    month = revenue_recognition.month
    recognised_eur + revenue_recognition.recognised_eur
    deferred_eur + revenue_recognition.deferred_eur
    @GROUP_BY revenue_recognition.month""",
)  # fmt: skip
_add(
    "export_delivery", "bi", "export.delivery_sla", "weekdays", "05:30", 1, "rep_delivery <- fct_shipments",
    detail="none", since=DELIVERY_STARTS,
)  # fmt: skip

# --- declared, not observed -------------------------------------------------------------------------------------------
DECLARED = Job(
    "month_end", "airflow", NAMESPACES["airflow"], "finance_close.month_end_journal", "declared", (0, 0), 0,
    (flow("month_end_journal <- revenue_recognition vat_summary", DATASETS),),
    owner="team:finance-data", detail="none", description="Posts the month to the general ledger. In review.",
)  # fmt: skip
DECLARED_AT = date(2026, 6, 3)
TARGETS_AT = date(2026, 4, 2)  # the DatasetEvent that says where revenue_targets come from

# Jobs that only group others; they move no data.
DAGS = ("load_dwh", "warehouse_daily", "lake_daily")
DBT_RUN = "dbt-run-harbourpine"
