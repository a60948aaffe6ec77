"""How far off a listener is: what it has found out of a prosumer, beside a guess, against the truth.

The guess is the mean of all others: of their alpha, beta and net load, each known to it without an error. That is
generous to who guesses; a fit that does no better has found nothing out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...agents.household import Household
from ...network.arrays import FloatArray
from .attack import Fit


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """What a prosumer keeps to itself, or what somebody takes it for.

    Attributes:
        alpha_usd_per_kw2h, beta_usd_per_kwh: Its utility (12).
        net_kw: Its fixed load less its renewables, (period,).
    """

    alpha_usd_per_kw2h: float
    beta_usd_per_kwh: float
    net_kw: FloatArray

    @classmethod
    def of(cls, home: Household) -> Person:
        """The truth."""
        return cls(float(home.alpha_usd_per_kw2h), float(home.beta_usd_per_kwh), home.fixed_kw - home.renewable_kw)

    @classmethod
    def mean(cls, people: Sequence[Person]) -> Person | None:
        """The mean of some; None of nobody."""
        if not people:
            return None
        return cls(
            float(np.mean([one.alpha_usd_per_kw2h for one in people])),
            float(np.mean([one.beta_usd_per_kwh for one in people])),
            np.mean([one.net_kw for one in people], axis=0),
        )


@dataclass(frozen=True, slots=True)
class Score:
    """Errors, each relative to the truth; None where there is neither a fit nor a guess, or nothing to be relative to.

    Attributes:
        alpha, beta: |found - true| / true.
        load: RMS of what the net load is missed by, over the RMS of the net load.
        shape: The same of both without their means: how it moves from period to period.
    """

    alpha: float | None
    beta: float | None
    load: float | None
    shape: float | None

    @classmethod
    def of(cls, found: Person | None, truth: Person) -> Score:
        """The errors of what somebody takes a prosumer for."""
        if found is None:
            return cls(None, None, None, None)
        missed = found.net_kw - truth.net_kw
        return cls(
            abs(found.alpha_usd_per_kw2h / truth.alpha_usd_per_kw2h - 1),
            abs(found.beta_usd_per_kwh / truth.beta_usd_per_kwh - 1),
            _relative(missed, truth.net_kw),
            _relative(missed - missed.mean(), truth.net_kw - truth.net_kw.mean()),
        )


def taken_for(fit: Fit | None, guess: Person | None) -> Person | None:
    """What a listener takes a prosumer for: what it has found, and the guess for what it has not; None of nothing."""
    if fit is None:
        return guess
    beta = fit.beta_usd_per_kwh(guess.beta_usd_per_kwh if guess else 0.0)
    net = fit.net_kw(beta)
    otherwise = guess.net_kw if guess else np.full_like(net, np.nanmean(net))
    return Person(fit.alpha_usd_per_kw2h, beta, np.where(np.isnan(net), otherwise, net))


def _relative(missed: FloatArray, whole: FloatArray) -> float | None:
    """RMS over RMS; None where the whole is nothing, beyond rounding."""
    size = float(np.sqrt(np.mean(whole**2)))
    return float(np.sqrt(np.mean(missed**2))) / size if size > 1e-9 else None
