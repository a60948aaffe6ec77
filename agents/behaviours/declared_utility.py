"""A household that is said to value its elastic load less, or more, than it does."""

from __future__ import annotations

from dataclasses import replace

from ..household import Household


def shaded(household: Household, percent: float) -> Household:
    """The household with a marginal utility (12) that is lower by so many percent; higher where that is below 0."""
    left = 1 - percent / 100
    utility = household.alpha_usd_per_kw2h * left, household.beta_usd_per_kwh * left
    return replace(household, alpha_usd_per_kw2h=utility[0], beta_usd_per_kwh=utility[1])
