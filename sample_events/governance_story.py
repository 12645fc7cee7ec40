"""The story points about policies, access and waivers; their answers follow from the flows in jobs.py and the files."""

from __future__ import annotations

from sample_events.expected import node_id
from sample_events.question import Point

_END = ("--as-of", "2026-06-28T19:00:00Z")
_EMAIL = [("dim_customers", "email"), ("newsletter_audience", "email"), ("mail_list", "email")]
_NAME = [("dim_customers", "full_name"), ("newsletter_audience", "first_name"), ("mail_list", "first_name")]


def points() -> list[Point]:
    """Every story point about governance."""
    ways = [[node_id(step) for step in way[:length]] for way in (_EMAIL, _NAME) for length in (2, 3)]
    return [
        Point(
            "pii-leak",
            "The personal data that leaves its domain",
            "Addresses and names of customers reach the newsletter, and with it the mail provider, as they are; "
            "customer_360 takes the address too, but only its hash. The policy is in force since 2026-06-26. Each "
            "violation carries its witness: the way from the column of the customers to the one that should not hold "
            "it.",
            ("violations", "list", *_END),
            {"witnesses": {"pii-masked-before-leaving": {way[-1]: way for way in ways}}},
        ),
        Point(
            "one-leak-one-cause",
            "… and where to mend it",
            "Four columns, two places: what is masked in the newsletter's audience does not reach the mail provider.",
            ("violations", "groups", *_END),
            {
                "groups_of": {
                    "pii-masked-before-leaving": {
                        node_id(("newsletter_audience", "email")): 2,
                        node_id(("newsletter_audience", "first_name")): 2,
                    }
                }
            },
        ),
        Point(
            "past-its-deadline",
            "The violation past its deadline",
            "The web sessions of version 1 are still read. The company gives two weeks to leave a deprecated version; "
            "they were over on 2026-06-22, and the violation has reached the centre.",
            ("violations", "list", *_END),
            {"overdue": [["no-reads-of-deprecated", node_id("fct_sessions"), "2026-06-22", "central"]]},
        ),
        Point(
            "shadow-edge",
            "The shadow edge",
            "Marketing attributes orders to visits. It may read the orders; nobody has granted it the sessions.",
            ("access", "list", *_END),
            {"shadows": [[node_id("fct_sessions"), node_id("attribution"), "web-sessions", "marketing"]]},
        ),
        Point(
            "zombie-grant",
            "The zombie grant",
            "Logistics may read the payments to settle lost parcels. It never has.",
            ("access", "list", *_END),
            {"zombies": ["payments-logistics"]},
        ),
        Point(
            "expired-waiver",
            "The waiver that ran out",
            "The controllers were to name an owner for their targets by the middle of June.",
            ("check", "--policy", "owner-present", *_END),
            {"expired_waivers": {node_id("gs_targets"): "revenue-targets"}},
        ),
    ]
