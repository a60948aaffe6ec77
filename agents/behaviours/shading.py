"""Bid shading: to declare that every kWh is worth less than it is."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Lt

from ..behaviour import Behaviour
from ..household import Household
from .declared_utility import shaded


class Shading(Behaviour):
    """Declares a marginal utility (12) that is lower than its own by some percent.

    Who buys several units pays less for all of them if it asks for fewer: demand reduction, in auctions at one price
    (Ausubel, Cramton, Pycia, Rostek, Weretka, Review of Economic Studies 2014).
    """

    def __init__(self, percent: Annotated[float, Ge(0), Lt(100)] = 5.0) -> None:
        """Shade by so many percent."""
        self.percent = percent

    def declare(self, household: Household) -> Household:
        """The household with alpha and beta scaled down."""
        return shaded(household, self.percent)
