"""Money as whole numbers of 10⁻¹² of a unit (semantics 21), so that sums are exact and in any order the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Context, Decimal, InvalidOperation

from lineage.errors import MeshlineError

UNIT = 10**12
DIGITS = 12
MAX_WEIGHT = 10**12  # weights are scaled to at most this before they are multiplied with money
LIMIT = 10**36  # more than this is no amount of money, and would not fit beside others into 128 bits

ROUNDED = "more than 12 decimals"

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d+")
_EUROPEAN = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")
_COMMA = re.compile(r"[+-]?\d*,\d+")
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_WIDE = Context(prec=120)


class MoneyError(MeshlineError):
    """A text is no amount of money."""


def parse_money(text: str) -> tuple[int, str | None]:
    """An amount as written in a bill.

    Parameters
    ----------
    text
        ``12.5``, ``-3``, ``1e-7``, ``12,5`` (decimal comma), ``1,234.50``, ``1.234,50``.

    Returns
    -------
    tuple
        10⁻¹² units, and what had to be assumed (``None`` = nothing). Digits beyond the twelfth are rounded half to
        even and said so.

    Raises
    ------
    MoneyError
        when it is no amount, or ``1,234``: that may be 1.234 or 1234.

    Examples
    --------
    >>> parse_money("1e-7")
    (100000, None)
    >>> parse_money("12,5")
    (12500000000000, 'decimal comma')
    >>> parse_money("1,234")
    Traceback (most recent call last):
    lineage.cost.money.MoneyError: “1,234” may mean 1.234 or 1234; write it with a decimal point
    """
    plain, note = _normal(text.strip())
    if not _PLAIN.fullmatch(plain):
        raise MoneyError(f"“{text}” is no amount")
    try:
        exact = _WIDE.multiply(Decimal(plain), Decimal(UNIT))
    except InvalidOperation:
        raise MoneyError(f"“{text}” is no amount") from None
    if abs(exact) >= LIMIT:
        raise MoneyError(f"“{text}” is too large for an amount")
    whole = exact.to_integral_value(context=_WIDE)
    if whole != exact:
        note = ROUNDED
    return int(whole), note


def rounding(text: str) -> Decimal:
    """What :func:`parse_money` takes away from an amount of more than twelve decimals, in units.

    >>> rounding("0.1234567890123456")
    Decimal('3.456E-13')
    """
    exact = Decimal(_normal(text.strip())[0])
    return _WIDE.subtract(exact, _WIDE.divide(Decimal(parse_money(text)[0]), Decimal(UNIT))).normalize()


def _normal(text: str) -> tuple[str, str | None]:
    """The text with a decimal point and without thousands."""
    if "," not in text:
        return text, None
    if _THOUSANDS.fullmatch(text):
        return text.replace(",", ""), "thousands separated by commas"
    if _EUROPEAN.fullmatch(text):
        return text.replace(".", "").replace(",", "."), "decimal comma"
    if not _COMMA.fullmatch(text):
        raise MoneyError(f"“{text}” is no amount")
    head, tail = text.split(",")
    if len(tail) == 3 and head.lstrip("+-").strip("0"):
        raise MoneyError(f"“{text}” may mean {head}.{tail} or {head}{tail}; write it with a decimal point")
    return f"{head}.{tail}", "decimal comma"


def money_text(amount: int) -> str:
    """An amount as a decimal text without superfluous zeros.

    >>> money_text(12_500_000_000_000), money_text(-1), money_text(0)
    ('12.5', '-0.000000000001', '0')
    """
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    whole, rest = divmod(amount, UNIT)
    return f"{sign}{whole}.{rest:012d}".rstrip("0").rstrip(".") if rest else f"{sign}{whole}"


def shown_money(amount: int) -> str:
    """An amount for people: two decimals, more when it is small.

    >>> shown_money(1_234_567_800_000_000), shown_money(1_230_000_000)
    ('1,234.57', '0.00123')
    """
    value = Decimal(amount) / UNIT
    if amount and abs(amount) < UNIT // 100:
        return f"{value:.3g}" if "E" not in f"{value:.3g}".upper() else money_text(amount)
    return f"{value:,.2f}"


def money(text: str | None) -> str:
    """A decimal text with two decimals, more when it is small; a dash for none.

    >>> money("1234.5678"), money("0.00012345"), money(None)
    ('1,234.57', '0.00012', '–')
    """
    if text is None:
        return "–"
    value = Decimal(text)
    if value and abs(value) < Decimal("0.01"):
        return f"{value:.{max(0, 1 - value.adjusted())}f}"
    return f"{value:,.2f}"


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount by weights so that the parts sum to it exactly.

    Each part is rounded towards zero; what is left goes, a unit each, to the largest remainders (ties: the earlier).
    The sign of the amount is kept; without any weight all parts are alike.

    Parameters
    ----------
    amount
        10⁻¹² units, of either sign.
    weights
        whole numbers ≥ 0; at least one entry.

    Examples
    --------
    >>> split(10, [1, 1, 1]), split(-10, [3, 1]), split(5, [0, 0])
    ([4, 3, 3], [-8, -2], [3, 2])
    """
    total = sum(weights)
    if total == 0:
        weights, total = [1] * len(weights), len(weights)
    size = abs(amount)
    parts, remainders = [], []
    for weight in weights:
        part, remainder = divmod(size * weight, total)
        parts.append(part)
        remainders.append(remainder)
    left = size - sum(parts)
    if left:
        order = sorted(range(len(parts)), key=lambda i: (-remainders[i], i))
        for i in order[:left]:
            parts[i] += 1
    return parts if amount >= 0 else [-part for part in parts]


def scaled(weights: Sequence[float]) -> list[int]:
    """Weights as whole numbers of at most 10¹², in proportion; what is not positive counts nothing.

    >>> scaled([0.5, 0.25, -1])
    [1000000000000, 500000000000, 0]
    """
    top = max(weights, default=0)
    if not 0 < top < float("inf"):
        return [0] * len(weights)
    return [max(0, round(weight / top * MAX_WEIGHT)) for weight in weights]
