"""Ninety days of a bill in FOCUS 1.2: the warehouse, the lake, the streams, what nobody can tell whose it is.

Pure and seeded like the plan of the runs. Amounts are written with four decimals, so that sums can be done by hand.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from sample_events import plan
from sample_events.datasets import DATASETS
from sample_events.jobs import JOBS

HEAD = (
    "BillingAccountId", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart",
    "ChargePeriodEnd", "ChargeCategory", "ChargeDescription", "ServiceName", "ProviderName", "ResourceId",
    "BilledCost", "EffectiveCost", "Tags",
)  # fmt: skip
SPIKE_DAY = date(2026, 6, 9)  # sessionize was changed on that day (plan.COMMITS) and read the whole lake
CREDIT_DAY = date(2026, 5, 15)
UNREAD = "legacy_scores"
STORED = {
    "lake_orders": "0.9", "lake_customers": "0.4", "lake_web_events": "2.6", "raw_orders": "1.3", "raw_payments": "0.8",
    "raw_web_sessions": "1.1", "fct_orders": "2.2", "customer_360": "1.4", UNREAD: "11.2",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Charge:
    """One row of the bill; it lasts a day."""

    day: date
    account: str
    provider: str
    service: str
    description: str
    resource: str
    amount: Decimal
    tags: dict[str, str]
    category: str = "Usage"


def charges() -> Iterator[Charge]:
    """Every charge, day by day."""
    for day in plan.days():
        yield from _daily(day)
        if day.day == 1:
            yield Charge(
                day, "HP-0001", "Superset", "BI Cloud", "Seats", "bi", Decimal(240), {"domain": "finance"}, "Purchase"
            )
            yield Charge(day, "HP-AWS", "AWS", "Support", "Support plan", "", Decimal("118.5"), {}, "Purchase")
        if day == CREDIT_DAY:
            yield _sessionize(day, Decimal("-45"), "Credit")


def _daily(day: date) -> Iterator[Charge]:
    yield Charge(
        day, "HP-EU1", "Snowflake", "Snowflake", "Credits of a warehouse", "wh-transform", _about(38, "wh", day), {}
    )  # fmt: skip
    yield _sessionize(day, _about(18, "emr", day) + (Decimal(78) if day == SPIKE_DAY else 0))
    yield Charge(
        day, "HP-0002", "Confluent", "Kafka", "Cluster hours", "lkc-7", _about(9, "kafka", day), {"domain": "sales"}
    )
    yield Charge(
        day, "HP-EU1", "Snowflake", "Data Transfer", "Data transfer out between regions", "",
        _about(1.1, "egress", day), {"dataset": DATASETS["fct_orders"].name},
    )  # fmt: skip
    for key, price in STORED.items():
        tags = {"dataset": DATASETS[key].id}
        yield Charge(day, "HP-AWS", "AWS", "Storage", "Bytes stored", f"store/{key}", Decimal(price), tags)


def _sessionize(day: date, amount: Decimal, category: str = "Usage") -> Charge:
    job = JOBS["sessionize"]
    return Charge(day, "HP-AWS", "AWS", "EMR", "Spark hours", "j-sessions", amount, {"job": job.name}, category)


def _about(middle: float, *what: object) -> Decimal:
    """A price that wavers by 4 %."""
    return Decimal(round(middle * (0.96 + 0.08 * plan.noise("bill", *what)) * 10_000)) / 10_000


def month(year: int, number: int) -> list[Charge]:
    """Charges of one month."""
    return [one for one in charges() if (one.day.year, one.day.month) == (year, number)]


def write(directory: Path, shift: timedelta = timedelta(0)) -> list[Path]:
    """Write the bill, a file for each month, every day moved by ``shift``."""
    directory.mkdir(parents=True, exist_ok=True)
    by_month: dict[date, list[Charge]] = {}
    for one in charges():
        by_month.setdefault((one.day + shift).replace(day=1), []).append(one)
    files = []
    for first, rows in sorted(by_month.items()):
        path = directory / f"focus-{first:%Y-%m}.csv"
        with path.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle, lineterminator="\n")
            writer.writerow(HEAD)
            writer.writerows(_row(one, first, shift) for one in rows)
        files.append(path)
    return files


def _row(one: Charge, first: date, shift: timedelta) -> list[str]:
    after = (first + timedelta(days=32)).replace(day=1)
    day = one.day + shift
    times = [f"{at:%Y-%m-%d}T00:00:00Z" for at in (first, after, day, day + timedelta(days=1))]
    return [
        one.account, "EUR", *times, one.category, one.description, one.service, one.provider, one.resource or "NULL",
        str(one.amount), str(one.amount), json.dumps(one.tags) if one.tags else "NULL",
    ]  # fmt: skip
