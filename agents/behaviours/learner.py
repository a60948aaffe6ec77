"""Learning by trial: to find over many days which declaration pays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from ..behaviour import Behaviour
from ..household import Household
from .declared_utility import shaded

_PERCENTS = (-10.0, -5.0, 0.0, 5.0, 10.0)


class Learner(Behaviour):
    """Shades by the percent of a grid that has cost it least so far, and now and then by another one, to learn more.

    The epsilon-greedy bandit with sample averages (Sutton, Barto, Reinforcement Learning, 2018, section 2.2). Every
    percent is tried once first, in random order. A percent below 0 declares more utility than there is, which pays for
    who sells. It learns from one day to the next (`learn`); in a market alone, which is one day, it just tries.
    """

    def __init__(self, percents: Sequence[float] = _PERCENTS, explore: Annotated[float, Ge(0), Le(1)] = 0.1) -> None:
        """Choose among these percents, all below 100; try any of them with the probability `explore`."""
        if not percents or not max(percents) < 100:
            raise ValueError(f"percents {list(percents)} must be one number at the least, and all below 100")
        self.percents, self.explore = tuple(float(percent) for percent in percents), explore
        self.chosen = 0
        self.days = [0] * len(self.percents)
        self.mean_cost_usd = [0.0] * len(self.percents)

    @property
    def percent(self) -> float:
        """By how much it shades today."""
        return self.percents[self.chosen]

    def declare(self, household: Household) -> Household:
        """The household with alpha and beta scaled down by today's percent."""
        untried = np.flatnonzero(np.array(self.days) == 0)
        if untried.size:
            self.chosen = int(self.rng.choice(untried))
        elif self.rng.random() < self.explore:
            self.chosen = int(self.rng.integers(len(self.percents)))
        else:
            self.chosen = int(np.argmin(self.mean_cost_usd))
        return shaded(household, self.percent)

    def learn(self, own_cost_usd: float) -> None:
        """Take the day into the mean of its percent."""
        self.days[self.chosen] += 1
        before = self.mean_cost_usd[self.chosen]
        self.mean_cost_usd[self.chosen] = before + (own_cost_usd - before) / self.days[self.chosen]
