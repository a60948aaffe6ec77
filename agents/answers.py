"""What a behaviour may answer: each hook's answer as the market takes it, or what is wrong with it."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from ..network.arrays import FloatArray
from .behaviour import AnswerError
from .household import Household
from .messages import Offer, Quote
from .plan import Plan

_ROUNDING_KW = 1e-6
"""How far an offer may be above a cap."""


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
    if (answer.name, answer.periods, answer.dt_h) != (real.name, real.periods, real.dt_h):
        raise AnswerError("changed the name or the periods; change limits, loads or the utility alone")
    if answer is not real:
        answer.check_balance(cap_kw)
    return answer


def spread(answer: object) -> float:
    """The spread that is asked, $/kWh.

    Raises:
        AnswerError: It is no number of at least 0.
    """
    if not (isinstance(answer, int | float) and 0 <= answer < np.inf):
        said = repr(answer) if isinstance(answer, int | float) else type(answer).__name__
        raise AnswerError(f"returned {said}; return a number of at least 0")
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


def plan(answer: object, quote: Quote) -> Plan:
    """The plan made for a quote.

    Raises:
        AnswerError: It is none, or not of this prosumer's shape.
    """
    if not isinstance(answer, Plan):
        raise AnswerError(f"returned {type(answer).__name__}; return a Plan, as problem.share(quote) does")
    shapes = {cell.name: quote.lmp_usd_per_kwh.shape for cell in fields(Plan)}
    shapes["trade_kw"] = quote.price_usd_per_kwh.shape
    return Plan(**{name: series(getattr(answer, name), f"the plan's {name}", shapes[name]) for name in shapes})


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
