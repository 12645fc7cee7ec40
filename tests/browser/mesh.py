"""A small invented retail mesh for the browser tests: six domains, datasets with column lineage, one job each.

One line per dataset: ``domain | name | columns | inputs``. A column is ``name:type``; ``name:type<source.column``
names what it is made from (several with ``+``, ``~`` before a source means: only used to filter or join).
"""

from __future__ import annotations

MESH = """
orders | shop.raw.order_events | event_id:string order_id:string kind:string at:timestamp |
orders | shop.raw.orders_raw | order_id:string customer_id:string total_cents:integer currency:string placed_at:timestamp channel:string |
orders | shop.raw.order_lines_raw | order_id:string line:integer sku:string quantity:integer price_cents:integer discount_cents:integer |
orders | shop.stg.stg_orders | order_id:string<orders_raw.order_id customer_id:string<orders_raw.customer_id total_amount:decimal<orders_raw.total_cents currency:string<orders_raw.currency placed_at:timestamp<orders_raw.placed_at last_event:string<order_events.kind | order_events orders_raw
orders | shop.stg.stg_order_lines | order_id:string<order_lines_raw.order_id sku:string<order_lines_raw.sku quantity:integer<order_lines_raw.quantity net_line:decimal<order_lines_raw.price_cents+order_lines_raw.discount_cents | order_lines_raw
orders | shop.core.fct_orders | order_id:string<stg_orders.order_id customer_id:string<stg_orders.customer_id net_amount:decimal<stg_orders.total_amount+stg_order_lines.net_line placed_on:date<stg_orders.placed_at items:integer<stg_order_lines.quantity | stg_orders stg_order_lines
orders | shop.core.fct_returns | order_id:string<stg_orders.order_id returned_at:timestamp reason:string<order_events.kind | stg_orders order_events
orders | shop.mart.order_funnel | day:date<fct_orders.placed_on channel:string<orders_raw.channel orders:integer<fct_orders.order_id | fct_orders orders_raw
orders | shop.mart.basket_stats | day:date<fct_orders.placed_on avg_items:decimal<fct_orders.items | fct_orders
customer | crm.raw.contacts | contact_id:string email:string country:string created_at:timestamp |
customer | crm.raw.consents | contact_id:string purpose:string given_at:timestamp |
customer | crm.stg.stg_contacts | contact_id:string<contacts.contact_id email_hash:string<contacts.email country:string<contacts.country | contacts
customer | crm.core.identity_map | customer_id:string<stg_contacts.contact_id+sessions.visitor_id contact_id:string<stg_contacts.contact_id device_id:string<sessions.device_id | stg_contacts sessions
customer | crm.core.dim_customer | customer_id:string<identity_map.customer_id country:string<stg_contacts.country consented:boolean<consents.purpose segment:string<fct_orders.net_amount | identity_map stg_contacts consents fct_orders
customer | crm.mart.customer_360 | customer_id:string<dim_customer.customer_id lifetime_value:decimal<fct_orders.net_amount churn_score:decimal<churn_features.score | dim_customer fct_orders churn_features
customer | crm.mart.churn_features | customer_id:string<dim_customer.customer_id score:decimal<sessions.duration | dim_customer sessions
payments | pay.raw.transactions | tx_id:string order_id:string amount:decimal fee:decimal currency:string captured_at:timestamp |
payments | pay.raw.chargebacks_raw | tx_id:string amount:decimal opened_at:timestamp |
payments | fx.rates | currency:string rate_eur:decimal valid_on:date |
payments | pay.stg.stg_transactions | tx_id:string<transactions.tx_id order_id:string<transactions.order_id amount:decimal<transactions.amount fee:decimal<transactions.fee currency:string<transactions.currency | transactions
payments | pay.core.fct_payments | payment_id:string<stg_transactions.tx_id order_id:string<stg_transactions.order_id+~fct_orders.order_id amount_eur:decimal<stg_transactions.amount+rates.rate_eur fee_eur:decimal<stg_transactions.fee+rates.rate_eur net_eur:decimal<stg_transactions.amount+stg_transactions.fee+rates.rate_eur | stg_transactions rates fct_orders
payments | pay.core.chargebacks | payment_id:string<fct_payments.payment_id amount_eur:decimal<chargebacks_raw.amount+rates.rate_eur | fct_payments chargebacks_raw rates
payments | pay.mart.fraud_signals | payment_id:string<fct_payments.payment_id score:decimal<chargebacks.amount_eur+identity_map.device_id | fct_payments chargebacks identity_map
logistics | wms.raw.shipments_raw | shipment_id:string order_id:string carrier:string weight_kg:decimal shipped_at:timestamp |
logistics | wms.raw.carrier_scans | shipment_id:string scan:string at:timestamp |
logistics | wms.stg.stg_shipments | shipment_id:string<shipments_raw.shipment_id order_id:string<shipments_raw.order_id carrier:string<shipments_raw.carrier delivered_at:timestamp<carrier_scans.at | shipments_raw carrier_scans
logistics | wms.core.fct_shipments | shipment_id:string<stg_shipments.shipment_id order_id:string<stg_shipments.order_id late:boolean<stg_shipments.delivered_at+fct_orders.placed_on | stg_shipments fct_orders
logistics | wms.mart.carrier_score | carrier:string<stg_shipments.carrier late_share:decimal<fct_shipments.late | fct_shipments stg_shipments
logistics | wms.mart.stock_forecast | sku:string<stg_order_lines.sku forecast:integer<stg_order_lines.quantity | stg_order_lines stock_levels
logistics | wms.raw.stock_levels | sku:string warehouse:string on_hand:integer |
marketing | web.raw.sessions | session_id:string visitor_id:string device_id:string duration:integer campaign:string |
marketing | ads.raw.spend_raw | campaign:string day:date cost_cents:integer |
marketing | ads.stg.stg_spend | campaign:string<spend_raw.campaign day:date<spend_raw.day cost:decimal<spend_raw.cost_cents | spend_raw
marketing | web.core.attribution | order_id:string<fct_orders.order_id campaign:string<sessions.campaign weight:decimal<sessions.duration | sessions fct_orders identity_map
marketing | web.mart.campaign_roi | campaign:string<attribution.campaign revenue:decimal<fct_orders.net_amount+attribution.weight cost:decimal<stg_spend.cost | attribution stg_spend fct_orders
marketing | web.mart.audience | customer_id:string<dim_customer.customer_id campaign:string<attribution.campaign | dim_customer attribution
finance | erp.raw.gl_entries | entry_id:string account:string period:string amount:decimal |
finance | erp.core.recon_payments | payment_id:string<fct_payments.payment_id account:string<gl_entries.account difference:decimal<fct_payments.net_eur+gl_entries.amount | fct_payments gl_entries
finance | fin.core.revenue_daily | day:date<fct_orders.placed_on net_revenue_eur:decimal<fct_orders.net_amount+fct_payments.net_eur refunds_eur:decimal<chargebacks.amount_eur country:string<dim_customer.country returns:integer<fct_returns.order_id | fct_orders fct_payments chargebacks dim_customer fct_returns
finance | fin.mart.ifrs15_report | account:string<recon_payments.account period:string<revenue_daily.day net_revenue_eur:decimal<revenue_daily.net_revenue_eur | revenue_daily recon_payments
finance | fin.mart.board_pack | kpi:string value:decimal<revenue_daily.net_revenue_eur+campaign_roi.revenue+carrier_score.late_share | revenue_daily campaign_roi carrier_score customer_360
finance | fin.mart.vat_return | country:string<revenue_daily.country vat_eur:decimal<revenue_daily.net_revenue_eur | revenue_daily
"""  # noqa: E501 - a table

DOMAINS = {
    "orders": ("Orders", "Mira Olsen"),
    "customer": ("Customer", "Jonas Weber"),
    "payments": ("Payments", "Ana Ruiz"),
    "logistics": ("Logistics", "Tomás Vidal"),
    "marketing": ("Marketing", "Léa Martin"),
    "finance": ("Finance", "Kenji Ito"),
}

FAILED = {"stg_transactions"}  # last run failed
RUNNING = {"campaign_roi"}
PROBABLE = {("sessions", "churn_features"), ("gl_entries", "recon_payments"), ("stock_levels", "stock_forecast")}
STALE = {("orders_raw", "order_funnel"), ("identity_map", "fraud_signals")}
