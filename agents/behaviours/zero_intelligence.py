"""Zero intelligence: to declare anything that makes no loss."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Lt

from ..behaviour import Behaviour
from ..household import Household
from .declared_utility import shaded


class ZeroIntelligence(Behaviour):
    """Declares a marginal utility drawn at random from what is not above its own.

    The budget-constrained trader of Gode and Sunder (Journal of Political Economy 1993), who draws offers at random
    but makes none at a loss: the yardstick of what markets owe to their rules and not to those who act in them. Drawn
    once in a run, by the market's seed.
    """

    def __init__(self, most_percent: Annotated[float, Ge(0), Lt(100)] = 50.0) -> None:
        """Draw how much is shaded from nothing to so many percent, all alike."""
        self.most_percent = most_percent

    def declare(self, household: Household) -> Household:
        """The household with alpha and beta scaled down at random."""
        return shaded(household, self.rng.uniform(0.0, self.most_percent))
