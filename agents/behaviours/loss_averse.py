"""Loss aversion: to want more for what one gives than one would pay for it."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from ..behaviour import Behaviour
from ..household import Household


class LossAverse(Behaviour):
    """Asks a spread on what it trades: sells only dearer, and buys only cheaper, than it is worth to it.

    The endowment effect of loss-averse people (Kahneman, Knetsch, Thaler, Journal of Political Economy 1990), who ask
    about twice for a good what they would pay for it; here the gap is small, and stated.
    """

    def __init__(self, spread_cents: Annotated[float, Ge(0)] = 1.0) -> None:
        """Ask so many cents per kWh on either side of what a kWh is worth."""
        self.spread_cents = spread_cents

    def spread_usd_per_kwh(self, household: Household) -> float:
        """The spread, the same for each."""
        del household
        return self.spread_cents / 100
