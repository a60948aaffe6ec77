"""Why a market has not settled, and what to change: a verdict on the course of Algorithm 2."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...network.arrays import FloatArray
from ...network.periods import When, spans
from ..settings import MarketSettings, Method
from .conduct import Conduct, listed

_SWAPS = 0.1  # bids cycle if they are ten times nearer to those so many steps before than to those one step before
_LONGEST = 6  # period of a cycle that is looked for
_MOVES_KW = 1e-3
_FALLS = 0.7  # a regret that falls is by so much smaller than five steps before
_FEW = 5
_STILL = 5
"""So many outer steps in a row without any news are enough."""
_STANDS = 1e-2  # a regret stands still if it changes by less than this part
_RESTS = 1e-3  # bids rest if they have moved by less than this part
_ALONE = 0.9  # of what prosumers regret: whose regret is more, is in the way alone
_COUNTS = 1e-5  # of the turnover: a smaller regret may be all that solvers give


@dataclass(frozen=True, slots=True, eq=False)
class OuterStep:
    """What an outer step of Algorithm 2 came to.

    Attributes:
        bid_kw: Its bids, (prosumer, period).
        regret_usd: What each regretted of its schedule, (prosumer,).
        total_usd: The sum of it, the DSO's regret included.
        turnover_usd: What that is measured against.
        cut_short: Whether its sharing ended at the limit of rounds.
    """

    bid_kw: FloatArray
    regret_usd: FloatArray
    total_usd: float
    turnover_usd: float
    cut_short: bool


class OuterHistory:
    """The outer steps of a run, and what they say of why it has not settled.

    Attributes:
        steps: The last of them, the newest last.
    """

    def __init__(self, names: Sequence[str], when: When, settings: MarketSettings, conduct: Conduct) -> None:
        """Start watching.

        Args:
            names: The prosumers.
            when: When the periods are, for their names.
            settings: How the market is run.
            conduct: Who is no price taker.
        """
        self._names, self._when, self._settings, self._conduct = names, when, settings, conduct
        self.steps: tuple[OuterStep, ...] = ()

    def add(
        self, bid_kw: FloatArray, regret_usd: FloatArray, total_usd: float, turnover_usd: float, rounds: int
    ) -> None:
        """Write down an outer step, of so many sharing rounds; as `OuterStep`."""
        cut_short = rounds >= self._settings.max_rounds
        self.steps = (*self.steps[-2 * _LONGEST :], OuterStep(bid_kw, regret_usd, total_usd, turnover_usd, cut_short))

    @property
    def falling(self) -> bool:
        """Whether the regret was still falling at the end."""
        return self.steps[-1].total_usd < _FALLS * self.steps[-1 - _FEW :][0].total_usd

    def why(self, shortage: str, messages: str = "") -> str:
        """The likeliest cause that the market does not settle, who is in the way, and the cure.

        Args:
            shortage: What cannot be served, in words; empty where everything is.
            messages: What unreliable messages keep from settling, in words; empty where they do not.
        """
        blocks = f"; {self.who_blocks}" if self.who_blocks else ""
        return f"{self._behaved() or messages or self._cause()}{blocks}{_besides(shortage)}"

    def cycle(self) -> str:
        """Whose bids repeat themselves, when and how often, such as "bids of p1 and p2 swap at 01:00-07:00, period 2".

        Empty if none do, or if all rest.
        """
        for period in range(2, _LONGEST + 1):
            if len(self.steps) <= period:
                break
            now, step, back = (self.steps[k].bid_kw for k in (-1, -2, -1 - period))
            moved, returned = np.abs(now - step), np.abs(now - back)
            cycling = (moved > _MOVES_KW) & (returned < _SWAPS * moved)
            whole = np.linalg.norm(now - back) < _SWAPS * np.linalg.norm(now - step)
            if cycling.any() and whole:
                who = [name for name, row in zip(self._names, cycling, strict=True) if row.any()]
                when = spans(np.flatnonzero(cycling.any(axis=0)).tolist(), self._when)
                return f"bids of {listed(who)} {'swap' if period == 2 else 'go round'} at {when}, period {period}"
        return ""

    def _behaved(self) -> str:
        """Who does not act as a price taker."""
        return f"{self._conduct.acts}, which may never rest: look there first" if self._conduct.behaving else ""

    def _cause(self) -> str:
        settings, last = self._settings, self.steps[-1]
        if np.isinf(last.total_usd) and not last.cut_short:
            return "trades that partners cannot keep leave somebody without power: raise bid_max_kw or lower its load"
        if last.cut_short:
            return f"Algorithm 1 was cut short in the last step: raise market.max_rounds {settings.max_rounds}"
        cycle = self.cycle()
        if cycle:
            return f"{cycle}: LMPs turn more than demand does (28), or jump at a limit; use market.method newton"
        rest = "which may be all that the solvers give: raise market.regret_tolerance"
        best = settings.method in (Method.NEWTON, Method.ADMM)
        if self.falling or len(self.steps) == 1:
            return f"the regret may still fall: raise the limit{'' if best else ', or use market.method newton'}"
        return f"the regret no longer falls{f', {rest}' if best else ': use market.method newton'}"

    @property
    def blocked_by(self) -> str:
        """Who alone of the prosumers keeps the market from settling: bids rest, and what is regretted falls no more.

        Empty if nobody does. It is then no question of time: whoever it is does not do what is best for it, such as one
        whose device mends badly.
        """
        last, now = self.steps[-_STILL:], self.steps[-1]
        if len(last) < _STILL or self._settings.order.doubt:
            return ""
        worst, own = int(np.argmax(now.regret_usd)), np.maximum([step.regret_usd for step in last], 0.0)
        enough = max(_COUNTS, 10 * self._settings.regret_tolerance) * now.turnover_usd
        if not (enough < own[:, worst].min() and np.isfinite(own).all()):
            return ""
        moved = np.linalg.norm(now.bid_kw - last[0].bid_kw) > _RESTS * np.linalg.norm(now.bid_kw)
        stands = all(_stands(usd) for usd in (own[:, worst], np.array([step.total_usd for step in last])))
        alone = own[-1, worst] >= _ALONE * own[-1].sum()
        return self._names[worst] if stands and alone and not moved else ""

    def who_stays(self, devices: Mapping[str, Sequence[str]], shortage: str) -> str:
        """Who is `blocked_by`, by how much, and where to look.

        Args:
            devices: What those of prosumers are called who own some.
            shortage: As of `why`.
        """
        name = self.blocked_by
        usd = float(self.steps[-1].regret_usd[self._names.index(name)])
        causes = [f"mended() of {listed(devices[name])}, which `gridbazaar check` tries"] if name in devices else []
        causes += ["its behaviour"] if name in self._conduct.behaving else []
        look = f": look at {' and '.join(causes)}" if causes else ""
        return f"{name} could still gain ${usd:.2g}, as it does not do what is best for it{look}{_besides(shortage)}"

    @property
    def who_blocks(self) -> str:
        """Whose regret is the largest, in words; empty if nobody regrets anything that is known."""
        regrets = self.steps[-1].regret_usd
        worst = int(np.argmax(regrets))
        if not np.isfinite(regrets[worst]) or regrets[worst] <= 0:
            return ""
        return f"{self._names[worst]} could still gain most (${regrets[worst]:.2g})"


def _besides(shortage: str) -> str:
    return f"; the last clearing is short: {shortage}" if shortage else ""


def _stands(regret_usd: FloatArray) -> bool:
    """Whether a regret stands still from step to step."""
    return bool(regret_usd.max() <= (1 + _STANDS) * regret_usd.min())
