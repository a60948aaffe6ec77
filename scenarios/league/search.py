"""Which joint declaration is best for some prosumers: by a grid for each alone, then a simplex for all together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ...network.arrays import FloatArray

Percents = tuple[float, ...]
GRID = (-1.0, -0.5, 0.5, 1.0)
"""The percents that each tries alone, in units of the span."""
_MOST = 50.0  # percent of shading, either way


@dataclass(slots=True)
class Search:
    """The search for the percents of shading at which members pay least together.

    Each member first tries the grid alone while the others tell the truth; then they try their separate best answers
    at once; then Nelder and Mead's simplex (The Computer Journal 1965; Gao, Han 2012) starts from the best of all of
    these. So what is found is at least as good as telling the truth, as any separate best answer on the grid, and as
    all of these at once.

    Attributes:
        costs: What each member pays, (member,) in $, when they shade by these percents; inf where no market settles.
        members: How many they are.
        span: Half the width of the grid, percent.
        most: How many declarations the simplex tries at most.
        tried: What has been found of each declaration so far.
    """

    costs: Callable[[Percents], FloatArray]
    members: int
    span: float = 10.0
    most: int = 10
    tried: dict[Percents, FloatArray] = field(default_factory=dict)

    def best(self) -> Percents:
        """The best declaration that was tried; of equals, the first."""
        answers = self.alone()
        self.cost_usd(tuple(answers))
        start = np.array(self._best_so_far)
        simplex = np.vstack([start, start + self.span / 4 * np.eye(self.members)])
        options = {"maxfev": self.most, "initial_simplex": np.clip(simplex, -_MOST, _MOST)}
        minimise: Any = minimize  # whose types know no array of unknown length
        minimise(
            lambda percents: self.cost_usd(percents.tolist()),
            start,
            method="Nelder-Mead",
            bounds=[(-_MOST, _MOST)] * self.members,
            options=options,
        )
        return self._best_so_far

    def alone(self) -> list[float]:
        """The best of the grid for each member when the others tell the truth; the truth itself is one of them."""
        truth = (0.0,) * self.members
        self.cost_usd(truth)
        answers = []
        for member in range(self.members):
            grid = [0.0, *(self.span * point for point in GRID)]
            own = [self._own(_with(truth, member, percent), member) for percent in grid]
            answers.append(grid[int(np.argmin(own))])
        return answers

    def cost_usd(self, percents: Sequence[float]) -> float:
        """What the members pay together, in $."""
        return float(self._found(tuple(percents)).sum())

    def _own(self, percents: Percents, member: int) -> float:
        return float(self._found(percents)[member])

    def _found(self, percents: Percents) -> FloatArray:
        if percents not in self.tried:
            self.tried[percents] = self.costs(percents)
        return self.tried[percents]

    @property
    def _best_so_far(self) -> Percents:
        return min(self.tried, key=lambda percents: float(self.tried[percents].sum()))


def _with(percents: Percents, member: int, percent: float) -> Percents:
    return (*percents[:member], percent, *percents[member + 1 :])
