"""Why a market has not settled, and what to change: a verdict on the course of Algorithm 2."""

from collections.abc import Sequence

import numpy as np

from ..agents.arrays import FloatArray

_SWAPS = 0.1  # bids swap if they are ten times nearer to those two steps before than to those one step before
_FALLS = 0.7  # a regret that falls is by so much smaller than five steps before
_FEW = 5


class Course:
    """The outer steps of a run, as far as a verdict needs them."""

    def __init__(self, names: Sequence[str], max_rounds: int, behaving: Sequence[str]) -> None:
        """Start watching.

        Args:
            names: The prosumers.
            max_rounds: Limit of Algorithm 1's rounds in one outer step.
            behaving: Those that are not price takers.
        """
        self._names, self._max_rounds, self._behaving = names, max_rounds, behaving
        self._bids: list[FloatArray] = []
        self._regrets: list[float] = []
        self._cut_short = 0

    def add(self, bid_kw: FloatArray, regret_usd: float, rounds: int) -> None:
        """Write down an outer step: its bids, (prosumer, period), the regret of its schedule, its sharing rounds."""
        self._bids = [*self._bids[-2:], bid_kw]
        self._regrets.append(regret_usd)
        self._cut_short += rounds >= self._max_rounds

    def why(self, shortage: str) -> str:
        """The likeliest cause that the market does not settle, and the cure.

        Args:
            shortage: What the last clearing could not serve; empty where it served everything.
        """
        short = f"; the last clearing is short: {shortage}" if shortage else ""
        return f"{self._cause()}{short}"

    def _cause(self) -> str:
        if self._behaving:
            acts = "act on behaviours of their own" if len(self._behaving) > 1 else "acts on a behaviour of its own"
            return f"{', '.join(self._behaving)} {acts}, which may never rest: look there first"
        if np.isinf(self._regrets[-1]):
            return "trades that partners cannot keep leave somebody without power: raise bid_max_kw or lower its load"
        if self._cut_short:
            steps = f"in {self._cut_short} outer steps"
            return f"Algorithm 1 was cut short {steps}: raise market.max_rounds {self._max_rounds}"
        if self._swapping():
            return (
                f"the bids of {', '.join(self._swapping())} swap between two states for ever (period 2): demand is too "
                "flat for the plain fixed point (28), and a larger alpha makes it steeper"
            )
        if len(self._regrets) > _FEW and self._regrets[-1] < _FALLS * self._regrets[-1 - _FEW]:
            return "the regret is still falling: raise the limit"
        return (
            "the regret no longer falls: tighten market.primal_tolerance_kw and market.dual_tolerance_usd_per_kwh, or "
            "start from another market.penalty_usd_per_kw2h; if that does not help, demand is too flat for the plain "
            "fixed point (28), and a larger alpha makes it steeper"
        )

    def _swapping(self) -> list[str]:
        """Who bids as two steps before and otherwise than one step before."""
        if len(self._bids) < 3:
            return []
        two, one, now = self._bids
        step, back = (np.linalg.norm(now - before, axis=1) for before in (one, two))
        return [name for name, s, b in zip(self._names, step, back, strict=True) if s > 1e-3 and b < _SWAPS * s]
