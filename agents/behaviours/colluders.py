"""Collusion: to declare what is best for several together."""

from __future__ import annotations

from collections.abc import Mapping

from ..behaviour import Behaviour
from ..household import Household
from .declared_utility import shaded


class Colluders(Behaviour):
    """One of several who have agreed what each of them declares, so that what they pay together is least.

    A bidding ring (McAfee, McMillan, American Economic Review 1992), whose members share what they gain. Which joint
    declaration is best depends on the market; a league searches for it (`gridbazaar league`), among those that shade
    each member's utility (12) by a percent of its own. Here it is stated: `Colluders(percents={'p1': 5, 'p2': -2})` for
    each member. Who is not among the members tells the truth.
    """

    def __init__(self, percents: Mapping[str, float] | None = None) -> None:
        """Shade by so many percent, by member, all below 100; below 0 to declare more utility than there is."""
        self.percents = {str(name): float(percent) for name, percent in (percents or {}).items()}
        wrong = [name for name, percent in self.percents.items() if not percent < 100]
        if wrong:
            raise ValueError(f"the percent of {wrong[0]} is {self.percents[wrong[0]]:g}; it must be below 100")

    def declare(self, household: Household) -> Household:
        """The household with alpha and beta scaled by what was agreed for it."""
        percent = self.percents.get(household.name, 0.0)
        return shaded(household, percent) if percent else household
