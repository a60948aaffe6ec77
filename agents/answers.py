"""What a behaviour may answer: each hook's answer as the market takes it, or what is wrong with it."""

from __future__ import annotations

from dataclasses import fields
from numbers import Real

import numpy as np

from ..network.arrays import FloatArray
from ..network.periods import period_name
from .behaviour_errors import AnswerError
from .household import Household
from .messages import Offer, Quote
from .plan import Plan

_ROUNDING_KW = 1e-6
"""How far an offer may be above a cap, or a declared limit beyond the real one."""
_MEASURED = ("bus", "fixed_kw", "grid_fee_usd_per_kwh", "feed_in_fee_usd_per_kwh")
_AT_MOST = {"renewable_kw": 1, "elastic_max_kw": 1, "bid_max_kw": 1, "feed_in_max_kw": 1, "elastic_min_kw": -1}
"""What a declared household may have no more of than the real one (or, at -1, no less)."""


def household(answer: object, real: Household, cap_kw: float) -> Household:
    """The household that is declared.

    Args:
        answer: What was answered.
        real: The prosumer's own.
        cap_kw: Sum of the caps of its links.

    Raises:
        AnswerError: It is none, or another prosumer's.
        HouseholdShortageError: It cannot be balanced whatever the others do.
    """
    if not isinstance(answer, Household):
        raise AnswerError(f"returned {type(answer).__name__}; return a Household")
    if (answer.name, answer.periods, answer.when) != (real.name, real.periods, real.when):
        raise AnswerError("changed the name or the periods; change limits, forecasts or the utility alone")
    if answer is not real:
        _refuse_more(answer, real)
        answer.check_balance(cap_kw)
    return answer


def _refuse_more(answer: Household, real: Household) -> None:
    """Refuse what the real household could not live up to: what is measured by others, and more than it has."""
    if answer.devices != real.devices:
        raise AnswerError("changed its devices, which it could not live up to; change limits, forecasts or the utility")
    for key in _MEASURED:
        if not np.array_equal(getattr(answer, key), getattr(real, key)):
            raise AnswerError(f"changed {key}, which others measure; change limits, forecasts or the utility alone")
    for key, most in _AT_MOST.items():
        over = most * (getattr(answer, key) - getattr(real, key))
        if over.max() > _ROUNDING_KW:
            t = int(np.argmax(over))
            word, bound = ("above", "at most") if most > 0 else ("below", "at least")
            raise AnswerError(
                f"declares {key} {word} its own in {period_name(t, real.when)} ({getattr(answer, key)[t]:g} and "
                f"{getattr(real, key)[t]:g} kW), which it could not live up to; declare {bound} that"
            )


def spread(answer: object) -> float:
    """The spread that is asked, $/kWh.

    Raises:
        AnswerError: It is no number of at least 0.
    """
    if isinstance(answer, bool) or not isinstance(answer, Real):
        raise AnswerError(f"returned {type(answer).__name__}; return a number of at least 0")
    if not 0 <= float(answer) < np.inf:
        raise AnswerError(f"returned {answer!r}; return a number of at least 0")
    return float(answer)


def series(answer: object, what: str, shape: tuple[int, ...]) -> FloatArray:
    """Numbers of this shape, an array of their own.

    Raises:
        AnswerError: They are no finite numbers, or of another shape.
    """
    try:
        array = np.array(answer, dtype=float)
    except (TypeError, ValueError):
        raise AnswerError(f"{what} is not an array of numbers") from None
    if array.shape != shape:
        raise AnswerError(f"{what} has shape {array.shape}; {shape} is needed")
    if not np.isfinite(array).all():
        raise AnswerError(f"{what} has a value that is not a finite number")
    return array


def plan(answer: object, quote: Quote, columns: int = 0) -> Plan:
    """The plan made for a quote, with so many columns of devices.

    Raises:
        AnswerError: It is none, or not of this prosumer's shape.
    """
    if not isinstance(answer, Plan):
        raise AnswerError(f"returned {type(answer).__name__}; return a Plan, as problem.share(quote) does")
    shapes = {cell.name: quote.lmp_usd_per_kwh.shape for cell in fields(Plan)}
    shapes["trade_kw"] = quote.price_usd_per_kwh.shape
    shapes["device"] = columns, quote.lmp_usd_per_kwh.size
    if not columns:
        del shapes["device"]
    return Plan(**{name: series(getattr(answer, name), f"the plan's {name}", shape) for name, shape in shapes.items()})


def offer(answer: object, quote: Quote, cap_kw: FloatArray) -> Offer:
    """The offer for a quote, within the caps of the links, (link,).

    Raises:
        AnswerError: It is none, not of this prosumer's shape, or above a cap.
    """
    if not isinstance(answer, Offer):
        raise AnswerError(f"returned {type(answer).__name__}; return Offer(power_kw, price_usd_per_kwh)")
    shape = quote.price_usd_per_kwh.shape
    power = series(answer.power_kw, "power_kw", shape)
    price = series(answer.price_usd_per_kwh, "price_usd_per_kwh", shape)
    over = np.abs(power) - cap_kw[:, None]
    if over.max(initial=0.0) > _ROUNDING_KW:
        raise AnswerError(f"power_kw exceeds the cap of a link (15) by {over.max():.4g} kW; clip it to the cap")
    return Offer(power, price)
