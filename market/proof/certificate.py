"""The proof that a run carries: how far its schedule is from the equilibrium, without anybody showing a cost curve.

The schedule that was cleared has bids p_b at LMPs of the DSO, and reciprocal trades at the prices pi of Algorithm 1.
Each prosumer publishes its regret: the cost of its part of the schedule, less the least cost it could reach alone at
those prices. The DSO's regret is V(p_b) - LMP p_b - min_w [V(w) - LMP w], zero where LMP is the gradient of its optimal
cost V at p_b. Because V is convex,

    optimal welfare - welfare(schedule)  <=  sum of the regrets                            (weak duality in LMP and pi)

where the welfare is utility less the DSO's cost, less fees where there are any (those are transfers, but price takers
weigh them, and what is optimal is so for these),

at any prices, and however early Algorithm 1 was stopped. A schedule with no regret is an equilibrium: nobody gains by
leaving it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...network.arrays import FloatArray
from ...network.periods import period_name
from .conduct import EVERYBODY_TAKES_PRICES, Conduct

if TYPE_CHECKING:
    from ...agents.messages import Deliveries
    from ...agents.trade_graph import TradeGraph
    from ...network.dispatch import Dispatch

_NAMED = 3  # of who forgoes something
LEAST_WORTH = 0.01
"""What a kWh that is traded counts for in the turnover at the least, as a fraction of the value of lost load."""
LEAST_USD = 1e-6
"""The least turnover: below a millionth of a dollar there is nothing to regret."""


@dataclass(frozen=True, slots=True)
class PhysicalProof:
    """What holds of a dispatch in the AC equations.

    Attributes:
        max_cone_gap: Largest slack of (5), per unit: zero where the relaxation is exact.
        voltage_error_pu, root_mismatch_kw: By how much voltages, and what feeds the root, differ from the AC power flow
            of what every bus draws, at most; inf where that has no solution.
        doubt: Where the dispatch is no solution of the AC equations, in words; empty if it is one.
        local: Of how many periods the optimum is a local one of the AC problem, in words; empty where that is convex.
        short: In how many periods what is asked for cannot be served, in words; empty where all of it is.
    """

    max_cone_gap: float = 0.0
    voltage_error_pu: float = 0.0
    root_mismatch_kw: float = 0.0
    doubt: str = ""
    local: str = ""
    short: str = ""

    @classmethod
    def of(cls, dispatch: Dispatch) -> PhysicalProof:
        """That of a dispatch."""
        periods, wrong, local = dispatch.local.size, dispatch.inexact_periods, int(dispatch.local.sum())
        error, mismatch = float(dispatch.ac_voltage_error_pu.max()), float(dispatch.ac_root_mismatch_kw.max())
        doubt = ""
        if wrong:
            doubt = (
                f"in {len(wrong)} of {periods} periods, first of all {period_name(wrong[0], dispatch.when)}, the "
                f"dispatch is no solution of the AC equations: voltages are off by up to {error:.1e} pu and the root "
                f"by {mismatch:.3g} kW (cone gap {dispatch.max_cone_gap:.1e} pu)"
            )
        some = f"{local} of {periods} periods" if local else ""
        return cls(dispatch.max_cone_gap, error, mismatch, doubt, some, _short(dispatch))


def _short(dispatch: Dispatch) -> str:
    short, kwh = len(dispatch.short_periods), float(dispatch.unserved_kw.sum()) * dispatch.dt_h
    missing = f", {kwh:.3g} kWh are missing" if kwh > dispatch.negligible_kw * dispatch.dt_h else ""
    return f"{short} of {dispatch.local.size} periods{missing}" if short else ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is proven of a schedule.

    Attributes:
        names: The prosumers.
        regret_usd: What each could still gain by deviating, (prosumer,) in $; nan for a schedule that is not certified
            yet, inf for a prosumer that cannot hold it.
        dso_regret_usd: What the DSO could gain by selling otherwise at its LMPs, in $.
        turnover_usd: What the regret is measured against: the DSO's cost plus what prosumers pay to each other on the
            whole (half the sum of |net payment|), which is what the market sees of its turnover (the utilities are
            nobody's to see). Where power is next to free, a traded kWh counts at `LEAST_WORTH` of the value of lost
            load.
        physics: What the DSO's clearing is worth.
        conduct: Who is no price taker. The bound on the welfare holds only where all are; what those regret who act
            otherwise than is best for them is no part of the sums.
        charged: Whether there are fees; the welfare that is bounded is then that less fees.
    """

    names: tuple[str, ...]
    regret_usd: FloatArray
    dso_regret_usd: float
    turnover_usd: float
    physics: PhysicalProof
    conduct: Conduct = EVERYBODY_TAKES_PRICES
    charged: bool = False

    @property
    def total_usd(self) -> float:
        """Sum of the regrets, the DSO's included: the bound on the welfare that is missing.

        A regret below zero is the solver's error and makes up for nobody else's.
        """
        return float(np.maximum(self._counted, 0.0).sum()) + self.dso_regret_usd

    @property
    def _counted(self) -> FloatArray:
        """The regrets that count, (prosumer,): 0 of who acts otherwise, unless it cannot even hold its schedule."""
        if not self.conduct.otherwise:
            return self.regret_usd
        left_out = ~self.conduct.counted(self.names) & np.isfinite(self.regret_usd)
        return np.where(left_out, 0.0, self.regret_usd)

    @property
    def forgone(self) -> dict[str, float]:
        """What those who act otherwise than is best for them regret, by name in $."""
        regrets = dict(zip(self.names, self.regret_usd.tolist(), strict=True))
        return {name: max(regrets[name], 0.0) for name in self.conduct.otherwise}

    @property
    def _forgone_said(self) -> str:
        """The same in words; of many those who forgo most, and the others together."""
        most = sorted(self.forgone.items(), key=lambda each: -each[1])
        said = [f"; {name} forgoes ${usd:.2g} by acting otherwise" for name, usd in most[:_NAMED]]
        if rest := [usd for _, usd in most[_NAMED:]]:
            said.append(f"; {len(rest):,} more forgo ${sum(rest):.2g} together")
        return "".join(said)

    @property
    def bounds_welfare(self) -> bool:
        """Whether the sum of the regrets bounds the welfare that is missing, and not only what deviations gain."""
        return self.bounds_optimum and not self.charged

    @property
    def bounds_optimum(self) -> bool:
        """The same of what the market makes the most of: welfare less fees, where those are charged."""
        return not (self.conduct.behaving or self.physics.local or self.physics.doubt or self.physics.short)

    @property
    def relative(self) -> float:
        """The sum of the regrets as a fraction of the turnover."""
        return self.total_usd / self.turnover_usd

    def __str__(self) -> str:
        if self.physics.short:
            return f"no certificate: what is asked for cannot be served (in {self.physics.short})"
        worst = int(np.argmax(self._counted))
        if np.isposinf(self._counted[worst]):
            return f"no certificate: the trades leave {self.names[worst]} no way to keep its elastic load in its limits"
        if np.isnan(self.total_usd):
            return (
                "no certificate yet: no schedule has been delivered, cleared and held against the prices that followed"
            )
        most = max(self._counted[worst], 0.0)
        sentence = f"no prosumer could gain more than ${most:.2g} by deviating ({self.names[worst]})"
        what, within = "welfare less fees" if self.charged else "welfare", max(self.total_usd, 0.0)
        if self.conduct.behaving:
            sentence += (
                f", by what each declares and believes: {self.conduct.acts}, which leaves no bound on the {what}"
            )
            sentence += self._forgone_said
        elif self.physics.local:
            sentence += (
                f"; {self.physics.local} are at a local optimum of the AC problem: the bound is on deviations, not "
                f"on the {what}"
            )
        else:
            sentence += f"; {what} within ${within:.2g} ({max(self.relative, 0.0):.1e}) of the optimum"
        return f"{sentence}; but {self.physics.doubt}" if self.physics.doubt else sentence


def turnover_usd(dispatch: Dispatch, graph: TradeGraph, deliveries: Deliveries, *, withdrawals: bool = False) -> float:
    """What regrets are measured against, see `Certificate.turnover_usd`: of a dispatch and what was traded with it.

    Where trades load the wires, a trade is paid at the LMP of its owner and the sharing price.
    """
    paid, bought = np.zeros(len(graph.names)), np.zeros(len(graph.names))
    price = deliveries.price_usd_per_kwh
    if withdrawals:
        price = price + deliveries.lmp_usd_per_kwh[graph.owner]
    np.add.at(paid, graph.owner, (price * deliveries.trade_kw).sum(axis=1))
    np.add.at(bought, graph.owner, deliveries.trade_kw.sum(axis=1))
    traded_usd, traded_kwh = (float(dispatch.dt_h / 2 * np.abs(net).sum()) for net in (paid, bought))
    least = LEAST_WORTH * dispatch.value_of_lost_load_usd_per_kwh * traded_kwh
    return max(abs(dispatch.cost_usd) + traded_usd, least, LEAST_USD)
