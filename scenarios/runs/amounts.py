"""Numbers as a person reads them: with digits that fit their size, and none that are not known."""

from math import ceil, floor, isfinite, log10

UNKNOWN = "unknown"
_NOTHING = 5e-7
"""Dollars or kWh below this are solver noise."""


def dollars(usd: float, within: float = 0.0) -> str:
    """Money with its sign: "$1.29", "-$15,614"; `within` as in `money`."""
    digits = money(usd, within)
    if digits == UNKNOWN:
        return "an unknown amount"
    return f"-${digits[1:]}" if digits.startswith("-") else f"${digits}"


def money(usd: float, within: float = 0.0) -> str:
    """Money without its sign: cents below 1,000, two digits of what is less than ten cents.

    Args:
        usd: The amount.
        within: By how much it may be wrong, as far as that is known: digits below are left out.
    """
    return _fitted(usd, 0 if abs(usd) >= 1000 else 2, 2, within)


def energy(kwh: float) -> str:
    """Energy to three digits at the least: "0.150", "24.3", "10,412"."""
    return _fitted(kwh, 0, 3)


def counted(number: int, noun: str, plural: str = "") -> str:
    """How many there are of something: "1 clearing", "4 clearings"."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def listed(numbers: list[int], most: int = 6) -> str:
    """Numbers in a row; of many the first and the last."""
    shown = [str(number) for number in numbers]
    if len(shown) > most:
        shown = [*shown[: most - 2], "...", shown[-1]]
    return f"[{', '.join(shown)}]"


def bound(within_usd: float) -> str:
    """A bound as people read it, rounded up: "$31", "$0.002"."""
    if within_usd <= 0:
        return "$0"
    place = 10.0 ** (floor(log10(within_usd)) - (within_usd >= 1))
    above = ceil(within_usd / place - 1e-9) * place
    return f"${above:,.0f}" if above >= 10 else f"${above:.2g}"


def last_place(within: float | None) -> float:
    """The last decimal place that is worth showing of a number that is known within this: of 21 the tens; 0 for all."""
    return 10.0 ** floor(log10(within)) if within and isfinite(within) else 0.0


def _fitted(value: float, least_decimals: int, least_digits: int, within: float = 0.0) -> str:
    """A number with so many decimals and digits at the least, but none below what it is known within."""
    if not isfinite(value):
        return UNKNOWN
    if abs(value) < _NOTHING:
        return "0"
    decimals = max(least_decimals, least_digits - 1 - floor(log10(abs(value))))
    if 0 < within < float("inf"):
        decimals = min(decimals, floor(-log10(within)))
    rounded = round(value, decimals) + 0.0  # which makes -0 a 0
    if not rounded and abs(value) >= 1:
        return UNKNOWN  # 0 would be a value
    return f"{rounded:,.{max(decimals, 0)}f}" if rounded else "0"
