"""The story points about money, with answers added up from the bill alone."""

from __future__ import annotations

from decimal import Decimal

from sample_events import bill
from sample_events.bill import Charge
from sample_events.expected import node_id
from sample_events.question import Point

JUNE = ("--period", "2026-06")


def points() -> list[Point]:
    """Every story point about cost."""
    june = bill.month(2026, 6)
    spike = _sum(one for one in june if one.service == "EMR" and one.day == bill.SPIKE_DAY)
    unread = _sum(one for one in june if one.tags.get("dataset") == node_id(bill.UNREAD))
    return [
        Point(
            "cost-of-june",
            "What June cost",
            "Every row of the report adds up to the bill. The support plan belongs to nobody: it stands there as "
            "unallocated.",
            ("cost", "report", *JUNE),
            {
                "totals": {
                    "EUR": {
                        "billed": _text(_sum(june)),
                        "allocated": _text(_sum(june)),
                        "unallocated": _text(_sum(one for one in june if one.service == "Support")),
                    }
                }
            },
        ),
        Point(
            "cost-spike",
            "The day that cost five times as much, and the budget it broke",
            f"On {bill.SPIKE_DAY} the job that cuts the clickstream into visits was changed and read the whole lake. "
            "The domain of the web ends the month over its budget.",
            ("cost", "budgets", *JUNE),
            {
                "budget_states": {"digital-month": "over", "finance-month": "ok", "web-events": "ok"},
                "anomalies": [
                    {"day": str(bill.SPIKE_DAY), "scope": "digital", "service": "EMR", "observed": _text(spike)}
                ],
            },
        ),
        Point(
            "cost-of-nothing",
            "The dear table that nobody reads",
            "The scores of 2019 lie in the warehouse, and no run has read them since.",
            ("cost", "waste", *JUNE),
            {"unread_include": [{"id": node_id(bill.UNREAD), "currency": "EUR", "own_per_month": _text(unread)}]},
        ),
        Point(
            "who-pays-for-whom",
            "The web pays, marketing uses",
            "Visits are stored and cut at the cost of the web's domain; nearly all of it is there to attribute "
            "campaigns. In the same way sales pays for the books.",
            ("cost", "showback", *JUNE),
            {"subsidies_include": [["digital", "marketing"], ["sales", "finance"]]},
        ),
    ]


def _sum(charges: object) -> Decimal:
    found: list[Charge] = list(charges)  # type: ignore[call-overload]
    return sum((one.amount for one in found), Decimal(0))


def _text(amount: Decimal) -> str:
    return f"{amount:f}".rstrip("0").rstrip(".") if "." in f"{amount:f}" else f"{amount:f}"
