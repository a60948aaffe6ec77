"""Withholding: to declare that there is less to sell than there is."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from annotated_types import Ge, Lt

from ..behaviour import Behaviour
from ..household import Household


class Withholding(Behaviour):
    """Declares less renewable power than it has, by some percent.

    A seller that offers less raises the price of all that it sells (Cournot; for electricity Joskow, Kahn, Energy
    Journal 2002). What it holds back it consumes itself as far as that is worth something, or curtails.
    """

    def __init__(self, percent: Annotated[float, Ge(0), Lt(100)] = 10.0) -> None:
        """Hold back so many percent."""
        self.percent = percent

    def declare(self, household: Household) -> Household:
        """The household with less renewable power."""
        return replace(household, renewable_kw=household.renewable_kw * (1 - self.percent / 100))
