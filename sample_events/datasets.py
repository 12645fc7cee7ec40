"""The datasets of Harbour & Pine, from the till to the annual report."""

from __future__ import annotations

from sample_events.model import Dataset, columns

SHOP = "postgres://shop-db:5432"
PAY = "postgres://pay-db:5432"
WMS = "postgres://wms-db:5432"
CRM = "postgres://crm-db:5432"
KAFKA = "kafka://kafka-1:9092"
LAKE = "s3://hp-lake"
HIVE = "hive://metastore:9083"
DWH = "snowflake://hp-eu1"
BI = "superset://bi.harbourpine.example"

DATASETS: dict[str, Dataset] = {}


def _add(
    key: str,
    namespace: str,
    name: str,
    owner: str | None,
    text: str,
    description: str | None = None,
    *,
    pii: str = "",
    tier: str = "",
    rows: int = 1000,
    table: str = "",
    **tags: str,
) -> None:
    """Add one dataset; ``pii`` lists ``column:class`` words, ``rows`` is its size on an average day."""
    classes = dict(word.split(":") for word in pii.split())
    if tier:
        tags["tier"] = tier
    DATASETS[key] = Dataset(
        key,
        namespace,
        name,
        owner,
        description,
        columns(text),
        classes,
        tags,
        rows,
        (HIVE, table) if table else None,
    )


_ORDER = (
    "order_id:bigint customer_id:bigint ordered_at:timestamptz status:varchar(20) total_amount:numeric(12,2) "
    "currency:char(3)"
)
_CUSTOMER = (
    "customer_id:bigint email:varchar(254) full_name:varchar(120) phone:varchar(32) birth_date:date city:varchar(80) "
    "country:char(2) created_at:timestamptz"
)
_CUSTOMER_PII = "email:email full_name:name phone:phone birth_date:birth_date"
_ITEM = "order_item_id:bigint order_id:bigint product_id:bigint quantity:integer unit_price:numeric(10,2)"
_PRODUCT = (
    "product_id:bigint sku:varchar(24) name:varchar(200) category:varchar(60) brand:varchar(60) "
    "list_price:numeric(10,2) vat_rate:numeric(4,2)"
)
_PAYMENT = (
    "payment_id:bigint order_id:bigint method:varchar(16) amount:numeric(12,2) currency:char(3) paid_at:timestamptz "
    "card_last4:char(4)"
)
_REFUND = "refund_id:bigint payment_id:bigint amount:numeric(12,2) reason:varchar(60) refunded_at:timestamptz"
_SHIPMENT = (
    "shipment_id:bigint order_id:bigint carrier:varchar(30) shipped_at:timestamptz delivered_at:timestamptz "
    "postcode:varchar(12)"
)
_STOCK = (
    "product_id:bigint warehouse:varchar(12) quantity!2026-06-02:integer quantity@2026-06-02:numeric(12,3) "
    "counted_at:timestamptz"
)
_CONTACT = (
    "contact_id:bigint customer_id:bigint email:varchar(254) newsletter_opt_in:boolean source_campaign:varchar(60)"
)
_CLICK = (
    "event_id:string visitor_id:string customer_id:bigint url:string event_type:string campaign:string "
    "ip_address:string occurred_at:timestamp"
)
_AD = "campaign:varchar(60) day:date impressions:bigint clicks:bigint cost:numeric(12,2)"
_FX = "day:date currency:char(3) rate:numeric(14,6)"

# --- where data is born -----------------------------------------------------------------------------------------------
_add(
    "src_orders", SHOP, "shop.public.orders", "team:shop-backend", f"{_ORDER} channel@2026-05-12:varchar(12)",
    "Every order placed in the web shop or at a till.", tier="critical", rows=412_000,
)  # fmt: skip
_add(
    "src_order_items", SHOP, "shop.public.order_items", "team:shop-backend", _ITEM, "Lines of an order.", rows=1_050_000
)
_add(
    "src_customers", SHOP, "shop.public.customers", "team:shop-backend", _CUSTOMER,
    "People who have an account, with their contact data.", pii=_CUSTOMER_PII, tier="critical", rows=88_000,
)  # fmt: skip
_add("src_products", SHOP, "shop.public.products", "team:shop-backend", _PRODUCT, "What we sell.", rows=6_400)
_add(
    "src_payments", PAY, "pay.public.payments", "team:payments", _PAYMENT,
    "Payments as the card processor and the tills confirm them.", pii="card_last4:card", tier="critical", rows=405_000,
)  # fmt: skip
_add("src_refunds", PAY, "pay.public.refunds", "team:payments", _REFUND, "Money given back.", rows=19_000)
_add(
    "src_shipments", WMS, "wms.public.shipments", "team:warehouse", _SHIPMENT, "Parcels, from packing to the door.",
    pii="postcode:address", rows=371_000,
)  # fmt: skip
_add(
    "src_stock_levels", WMS, "wms.public.stock_levels", "team:warehouse", _STOCK,
    "Stock counted for each product and warehouse.", rows=19_200,
)  # fmt: skip
_add(
    "src_contacts", CRM, "crm.public.contacts", "team:crm", _CONTACT,
    "Marketing contacts, also of people who never bought.", pii="email:email", rows=131_000,
)  # fmt: skip
_add("ext_ads", "googleads://482-113-9076", "campaign_stats", None, _AD, "Daily statistics of paid campaigns.", rows=60)
_add(
    "ext_ecb", "https://data-api.ecb.europa.eu", "EXR/D", None, _FX,
    "Reference exchange rates of the European Central Bank.",
    rows=30,
)  # fmt: skip
_add(
    "gs_targets",
    "gsheets://finance",
    "revenue_targets_2026",
    "team:finance-data",
    "",
    rows=12,
)

# --- streams and lake -------------------------------------------------------------------------------------------------
_add(
    "topic_orders",
    KAFKA,
    "shop.public.orders",
    "team:data-platform",
    f"{_ORDER} channel@2026-05-12:varchar(12)",
    rows=4_600,
)
_add(
    "topic_customers", KAFKA, "shop.public.customers", "team:data-platform", _CUSTOMER, pii=_CUSTOMER_PII, rows=310,
)  # fmt: skip
_add(
    "topic_clicks", KAFKA, "web.clickstream", "team:web", _CLICK, "Page views and clicks of the web shop.",
    pii="ip_address:ip", rows=240_000,
)  # fmt: skip
_add(
    "lake_orders", LAKE, "raw/orders", "team:data-platform", f"{_ORDER} channel@2026-05-13:varchar(12)",
    "Change stream of orders, one row for each change.", table="raw.orders", rows=4_600,
)  # fmt: skip
_add(
    "lake_customers", LAKE, "raw/customers", "team:data-platform", _CUSTOMER,
    "Change stream of customers.", pii=_CUSTOMER_PII, table="raw.customers", rows=310,
)  # fmt: skip
_add(
    "lake_web_events", LAKE, "raw/web_events", "team:web", _CLICK, "Clickstream, partitioned by day.",
    pii="ip_address:ip", table="raw.web_events", rows=240_000,
)  # fmt: skip

# --- warehouse: raw ---------------------------------------------------------------------------------------------------
_add(
    "raw_orders", DWH, "dwh.raw.orders", "team:data-platform", f"{_ORDER} channel@2026-05-13:varchar(12)", rows=412_000
)
_add("raw_order_items", DWH, "dwh.raw.order_items", "team:data-platform", _ITEM, rows=1_050_000)
_add("raw_customers", DWH, "dwh.raw.customers", "team:data-platform", _CUSTOMER, pii=_CUSTOMER_PII, rows=88_000)
_add("raw_products", DWH, "dwh.raw.products", "team:data-platform", _PRODUCT, rows=6_400)
_add("raw_payments", DWH, "dwh.raw.payments", "team:data-platform", _PAYMENT, pii="card_last4:card", rows=405_000)
_add("raw_refunds", DWH, "dwh.raw.refunds", "team:data-platform", _REFUND, rows=19_000)
_add("raw_shipments", DWH, "dwh.raw.shipments", "team:data-platform", _SHIPMENT, pii="postcode:address", rows=371_000)
_add("raw_stock_levels", DWH, "dwh.raw.stock_levels", "team:data-platform", _STOCK, rows=19_200)
_add("raw_contacts", DWH, "dwh.raw.contacts", "team:data-platform", _CONTACT, pii="email:email", rows=131_000)
_add("raw_ad_spend", DWH, "dwh.raw.ad_spend", "team:data-platform", _AD, "Paid campaigns, loaded weekly.", rows=5_400)
_add(
    "raw_fx_rates",
    DWH,
    "dwh.raw.fx_rates",
    "team:finance-data",
    _FX,
    "Exchange rates to the euro.",
    tier="critical",
    rows=9_100,
)
_add(
    "raw_web_sessions", DWH, "dwh.raw.web_sessions", "team:web",
    "session_id:varchar(40) visitor_id:varchar(40) customer_id:bigint campaign:varchar(60) started_at:timestamp_ntz "
    "page_views:integer converted:boolean",
    "Visits to the web shop, cut after 30 quiet minutes.", rows=31_000,
)  # fmt: skip

# --- warehouse: marts -------------------------------------------------------------------------------------------------
_add(
    "stg_orders", DWH, "dwh.staging.stg_orders", "team:sales-data",
    "order_id:number customer_id:number order_date:date status:varchar amount:number(12,2) currency:varchar "
    "channel@2026-05-18:varchar",
    "Latest state of each order.", rows=412_000,
)  # fmt: skip
_add(
    "stg_customers", DWH, "dwh.staging.stg_customers", "team:customer-data",
    "customer_id:number email:varchar full_name:varchar city:varchar country:varchar created_at:timestamp_tz",
    "Latest state of each customer.", pii="email:email full_name:name", rows=88_000,
)  # fmt: skip
_add(
    "fct_orders", DWH, "dwh.sales.fct_orders", "team:sales-data",
    "order_id:number customer_id:number order_date:date status:varchar items:number gross_amount:number(12,2) "
    "currency:varchar channel@2026-05-19:varchar",
    "One row for each order that was not cancelled, with its number of items.", tier="critical", rows=398_000,
)  # fmt: skip
_add(
    "fct_order_lines", DWH, "dwh.sales.fct_order_lines", "team:sales-data",
    "order_item_id:number order_id:number product_id:number quantity:number line_amount:number(12,2)",
    "One row for each line of an order.", rows=1_050_000,
)  # fmt: skip
_add(
    "dim_products", DWH, "dwh.sales.dim_products", "team:sales-data",
    "product_id:number sku:varchar name:varchar category:varchar list_price:number(10,2) vat_rate:number(4,2)",
    "Products with their category and VAT rate.", rows=6_400,
)  # fmt: skip
_add(
    "daily_sales", DWH, "dwh.sales.daily_sales", "team:sales-data",
    "day:date category:varchar orders:number items:number gross_amount:number(14,2)",
    "Sales by day and category.", tier="critical", rows=28_000,
)  # fmt: skip
_add(
    "dim_customers", DWH, "dwh.customer.dim_customers", "team:customer-data",
    "customer_id:number email:varchar full_name:varchar city:varchar country:varchar customer_since:date",
    "One row for each customer. Holds personal data: leaves this domain masked only.",
    pii="email:email full_name:name", tier="critical", rows=88_000, classification="confidential",
)  # fmt: skip
_add(
    "customer_360", DWH, "dwh.customer.customer_360", "team:customer-data",
    "customer_id:number email_hash:varchar country:varchar orders:number lifetime_value:number(14,2) "
    "last_order_date:date sessions_30d:number",
    "What we know about a customer, without direct identifiers.", rows=88_000, classification="internal",
)  # fmt: skip
_add(
    "churn_features", DWH, "dwh.customer.churn_features", "team:customer-data",
    "customer_id:number recency_days:number frequency:number monetary:number(14,2) sessions_30d:number country:varchar",
    "Features of the churn model: recency, frequency, money, visits.", rows=88_000,
)  # fmt: skip
_add(
    "churn_scores", DWH, "dwh.customer.churn_scores", None,
    "customer_id:number churn_score:float model_version:varchar", rows=88_000,
)  # fmt: skip
_add(
    "fct_sessions", DWH, "dwh.digital.fct_sessions", "team:web",
    "session_id:varchar customer_id:number campaign:varchar day:date page_views:number converted:boolean",
    "One row for each visit to the web shop.", rows=2_600_000,
)  # fmt: skip
_add(
    "funnel_daily", DWH, "dwh.digital.funnel_daily", "team:web",
    "day:date campaign:varchar sessions:number conversions:number",
    "Visits and conversions by day and campaign.", rows=5_100,
)  # fmt: skip
_add(
    "fct_shipments", DWH, "dwh.logistics.fct_shipments", "team:logistics-data",
    "shipment_id:number order_id:number carrier:varchar shipped_at:timestamp_tz delivered_at:timestamp_tz "
    "days_in_transit:number",
    "One row for each parcel with its time in transit.", rows=371_000,
)  # fmt: skip
_add(
    "inventory_daily", DWH, "dwh.logistics.inventory_daily", "team:logistics-data",
    "day:date product_id:number sku:varchar warehouse:varchar on_hand:number(10,0) sold_7d:number days_of_cover:float",
    "Stock and days of cover for each product and warehouse.", rows=19_200,
)  # fmt: skip
_add(
    "fct_payments", DWH, "dwh.finance.fct_payments", "team:finance-data",
    "payment_id:number order_id:number method:varchar amount_eur:number(14,2) refunded_eur:number(14,2) "
    "paid_at:timestamp_tz",
    "Payments in euro with what was refunded.", tier="critical", rows=405_000, classification="confidential",
)  # fmt: skip
_add(
    "revenue_daily", DWH, "dwh.finance.revenue_daily", "team:finance-data",
    "day:date gross_eur:number(16,2) refunds_eur:number(16,2) net_eur:number(16,2)",
    "Revenue by day in euro: ordered, refunded, net.", tier="critical", rows=910,
)  # fmt: skip
_add(
    "revenue_recognition", DWH, "dwh.finance.revenue_recognition", "team:finance-data",
    "order_id:number month:date recognised_eur:number(14,2) deferred_eur:number(14,2)",
    "Revenue recognised when the goods were handed over (IFRS 15, step 5).", tier="critical", rows=398_000,
)  # fmt: skip
_add(
    "vat_summary", DWH, "dwh.finance.vat_summary", "team:finance-data",
    "month:date vat_rate:number(4,2) net_eur:number(16,2) vat_eur:number(16,2)", "VAT by month and rate.", rows=90,
)  # fmt: skip
_add(
    "revenue_targets", DWH, "dwh.finance.revenue_targets", "team:finance-data",
    "month:date target_eur:number(14,2)", "Monthly targets, pasted from a sheet.", rows=12,
)  # fmt: skip
_add(
    "month_end_journal", DWH, "dwh.finance.month_end_journal", "team:finance-data",
    "month:date account:varchar debit_eur:number(16,2) credit_eur:number(16,2)",
    "Journal entries for the general ledger (planned, not built yet).", rows=0,
)  # fmt: skip
_add(
    "campaign_performance", DWH, "dwh.marketing.campaign_performance", "team:marketing-analytics",
    "campaign:varchar day:date spend_eur:number(12,2) clicks:number sessions:number conversions:number",
    "What each campaign cost and brought.", rows=5_400,
)  # fmt: skip
_add(
    "attribution", DWH, "dwh.marketing.attribution", "team:marketing-analytics",
    "order_id:number campaign:varchar touches:number revenue:number(12,2) first_contact:varchar",
    "Orders with the campaign that is credited for them.", rows=212_000,
)  # fmt: skip
_add(
    "newsletter_audience", DWH, "dwh.marketing.newsletter_audience", "team:marketing-analytics",
    "customer_id:number email:varchar first_name:varchar segment:varchar", "Who gets which newsletter.", rows=54_000,
)  # fmt: skip

# --- where data is used -----------------------------------------------------------------------------------------------
_add(
    "mail_list", "mailhub://eu1", "lists/newsletter", None, "email:string first_name:string segment:string", rows=54_000
)
_add(
    "rep_revenue", BI, "finance/revenue_report", "team:finance-data", "day:date net_eur:decimal target_eur:decimal",
    "Revenue against target, read by the board every morning.", rows=910,
)  # fmt: skip
_add(
    "rep_ifrs15", BI, "finance/ifrs15_report", "team:finance-data",
    "month:date recognised_eur:decimal deferred_eur:decimal",
    "IFRS 15 disclosure: recognised and deferred revenue. Goes to the auditor.", tier="critical", rows=40,
)  # fmt: skip
_add(
    "rep_delivery", BI, "board/delivery_sla", None, "carrier:string on_time_share:decimal",
    "Share of parcels that came on time.",
    rows=6, domain="logistics",
)  # fmt: skip
_add(
    "legacy_scores", DWH, "dwh.legacy.customer_scores_2019", None, "customer_id:number score:number", rows=61_000,
)  # fmt: skip
