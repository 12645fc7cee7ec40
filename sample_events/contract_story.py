"""The story points about contracts and changes; their answers follow from the flows in jobs.py."""

from __future__ import annotations

from typing import Any

from sample_events.expected import node_id
from sample_events.jobs import FX_LAST_LOAD
from sample_events.question import Point

_CHANGES = "sample_events/changes"
_END = ("--as-of", "2026-06-28T19:00:00Z")


def points() -> list[Point]:
    """Every story point about contracts."""
    return [
        Point(
            "broken-contract",
            "The contract that is broken",
            "The exchange rates are promised to be at most two days old. Everything else the contract says is kept, so "
            f"nobody looked; the last load was on {FX_LAST_LOAD}.",
            ("contracts", "check", "fx-rates", *_END),
            {"broken": [["sla latency", node_id("raw_fx_rates")]]},
        ),
        Point(
            "deprecated-still-read",
            "The version that is deprecated and still read",
            "Its support ended on the first of June. One job has not moved.",
            ("contracts", "list", "--status", "deprecated"),
            {"readers": {"web-sessions 1.2.0": ["job:dbt-prod:dwh.digital.harbourpine.fct_sessions"]}},
        ),
        Point(
            "breaking-and-harmless",
            "A change that breaks the contract and nobody",
            "The payments drop a column. On paper that is a new major version; in truth no one reads it. The job that "
            "tests the table tests other columns.",
            ("change", f"{_CHANGES}/payments-2.0.0.yaml", "--exit-zero"),
            {"judged": {"fct_payments.method": ["column.removed", "BREAKING", "SAFE", "really harmless", []]}},
        ),
        Point(
            "harmless-and-breaking",
            "A change that looks harmless and breaks who takes every column",
            "A voucher joins the orders in the lake: one more optional column. The loader takes every column of the "
            "lake into the warehouse, where the table has a contract of its own.",
            ("change", f"{_CHANGES}/orders-landing-1.2.0.yaml", "--exit-zero"),
            {
                "judged": {
                    "lake_orders.voucher": [
                        "column.added", "SAFE", "BREAKING", "really breaking", [node_id("raw_orders")],
                    ]
                }
            },
        ),
        Point(
            "rename-and-sign-off",
            "A rename, and whose word it needs",
            "Two teams in two other domains use the amount, so two must agree; the datasets behind theirs are theirs "
            "as well. The answer has the three steps in which nobody breaks.",
            ("change", f"{_CHANGES}/orders-3.0.0.yaml", "--exit-zero"),
            {
                "required_bump": "major",
                "bump_enough": True,
                "sign_off": ["team:customer-data", "team:marketing-analytics"],
                "hit": [node_id(key) for key in ("attribution", "customer_360")],
            },
        ),
        Point(
            "drop-and-policies",
            "A drop that would open a door nobody granted",
            "The table of all that is known of a customer goes. Two grants would have no reader then. Whoever writes "
            "the newsletter has to take the visits from where they came: from a product of the web, which nobody has "
            "granted to marketing.",
            ("change", "--drop", "dwh.customer.customer_360", *_END, "--exit-zero"),
            {
                "real": "BREAKING",
                "sign_off": ["team:marketing-analytics"],
                "clashes": [
                    *(_clash("no-zombie-grant", "low", "Grants are used", f"{product}-customer",
                             f"domain customer may read product {product} and does not")
                      for product in ("orders", "web-sessions")),
                    _clash("no-shadow-edge", "high", "Products are read only by whom they are granted to",
                           node_id("newsletter_audience"),
                           "domain marketing reads product web-sessions without a grant",
                           "its readers take what it was made of instead"),
                ],
            },
        ),
    ]  # fmt: skip


def _clash(policy: str, severity: str, title: str, subject: str, message: str, given: str = "") -> dict[str, Any]:
    """What a policy would newly say, as the answer has it."""
    return {
        "policy": policy, "version": "1.0.0", "severity": severity, "title": title, "subject": subject,
        "message": message, "outcome": "violation", "waiver": None, "given": given,
    }  # fmt: skip
