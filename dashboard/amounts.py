"""Amounts for people: money, shares, times. The exact value is one hover away."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from dash import html

from dashboard.page import Part
from lineage.times import iso

_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CHF": "CHF ", "SEK": "SEK "}


def money(amount: str | Decimal | None, currency: str | None) -> str:
    """An amount with its currency, to three or four digits.

    >>> money("680.387345", "EUR"), money("18403.2", "EUR"), money("0.4", "XTS"), money(None, "EUR")
    ('€680', '€18.4k', 'XTS 0.40', 'unknown')
    """
    if amount is None or currency is None:
        return "unknown"
    value = Decimal(amount)
    sign = _SIGNS.get(currency, f"{currency} ")
    for limit, unit in ((Decimal(10) ** 9, "bn"), (Decimal(10) ** 6, "m"), (Decimal(10) ** 4, "k")):
        if abs(value) >= limit:
            scale = Decimal(10) ** {"bn": 9, "m": 6, "k": 3}[unit]
            return f"{sign}{value / scale:.1f}{unit}"
    return f"{sign}{value:,.0f}" if abs(value) >= 100 else f"{sign}{value:,.2f}"


def percent(part: float | None) -> str:
    """A share of one as per cent; never rounded up to 100.

    >>> percent(0.9996), percent(1.0), percent(None)
    ('99.9 %', '100 %', 'unknown')
    """
    if part is None:
        return "unknown"
    return "100 %" if part >= 1 else f"{min(100 * part, 99.9):.1f} %"


def ago(at: datetime | None, now: datetime) -> Part:
    """How long ago, with the exact time behind it."""
    if at is None:
        return "never"
    return html.Span(span(now - at) + " ago", title=iso(at))


def span(length: timedelta) -> str:
    """A length of time in one unit.

    >>> span(timedelta(minutes=5)), span(timedelta(hours=31)), span(timedelta(days=9))
    ('5 min', '31 h', '9 d')
    """
    seconds = max(length.total_seconds(), 0)
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    return f"{int(seconds // 3600)} h" if seconds < 48 * 3600 else f"{int(seconds // 86400)} d"
