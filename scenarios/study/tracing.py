"""How does a run come to rest: its bids, errors, regrets and residuals, step by step."""

import numpy as np

from ...market.energy_market import EnergyMarket
from ...market.rounds import Phase
from ...market.settings import MarketSettings
from ...network.arrays import FloatArray
from ..runs.amounts import counted
from .findings import Traced


def trace(
    market: EnergyMarket,
    tolerances: MarketSettings,
    *,
    outer_steps: float = np.inf,
    most_rounds: float = np.inf,
    plans: bool = False,
) -> Traced:
    """Run a market and write down how it came to rest.

    Args:
        market: The market, at its beginning.
        tolerances: What the regret is held against: the scenario's own settings.
        outer_steps: After so many outer steps it is stopped.
        most_rounds: After so many rounds of sharing in all it is stopped.
        plans: Whether to look at what prosumers plan in every round.
    """
    costs: list[float] = []
    bids: list[FloatArray] = []
    rounds: list[tuple[float, float]] = []
    planned: list[FloatArray] = []
    steps = _Steps(market, tolerances)
    shared, begins = 0, True
    while market.running and not (market.phase is Phase.CLEARING and market.iteration >= outer_steps):
        if shared >= most_rounds:
            break
        market.step()
        done = market.last
        assert done is not None
        steps.note()
        if done.phase is Phase.CLEARING:
            costs.append(done.dso_cost_usd)
            bids.append(market.bid_kw)
            begins = True
        elif done.phase is Phase.SHARING:
            if begins:
                rounds, planned, begins = [], [], False
            shared += 1
            rounds.append((done.primal_kw, done.dual_usd_per_kwh))
            planned += [_plan_costs(market)] if plans else []
    residuals = np.array(rounds).reshape(-1, 2)
    tightness = market.platform.state.tightness
    return Traced(
        result=market.result(),
        stopped=f"not settled: stopped after {counted(shared, 'round')} of sharing" if shared >= most_rounds else "",
        outer_error=np.array(steps.outer_error),
        regret_usd=np.array(list(steps.regret_usd.values())),
        allowed_usd=np.array(list(steps.allowed_usd.values())),
        dso_cost_usd=np.array(costs),
        bid_kw=np.array(bids),
        primal_kw=residuals[:, 0],
        dual_usd_per_kwh=residuals[:, 1],
        agreed_kw=market.settings.primal_tolerance_kw / tightness,
        agreed_usd_per_kwh=market.settings.dual_tolerance_usd_per_kwh / tightness,
        cost_usd=np.array(planned).reshape(-1, len(market.graph.names)),
        planned_payment_usd=_planned_payments(market),
    )


class _Steps:
    """Errors and regrets of the outer steps of a market so far."""

    def __init__(self, market: EnergyMarket, tolerances: MarketSettings) -> None:
        self._market, self._tolerances = market, tolerances
        days = market.bid_kw.shape[1] * market.operator.clearing.dt_h / 24.0
        self._negligible_usd = tolerances.regret_tolerance_usd * len(market.graph.names) * days
        self.outer_error: list[float] = []
        self.regret_usd: dict[int, float] = {}
        self.allowed_usd: dict[int, float] = {}

    def note(self) -> None:
        """Take note of what the round that has just ended did for its outer step."""
        market = self._market
        done = market.last
        assert done is not None
        certificate = market.proof.certificate()  # nan where the schedule in force is not certified
        known = self.regret_usd.get(done.iteration, np.nan)
        if done.phase is Phase.DELIVERY and market.phase is Phase.CLEARING:
            self.outer_error.append(done.outer_error)
        elif np.isfinite(certificate.total_usd):
            known = certificate.total_usd
        self.regret_usd[done.iteration] = known
        self.allowed_usd[done.iteration] = max(
            self._tolerances.regret_tolerance * certificate.turnover_usd, self._negligible_usd
        )


def _plan_costs(market: EnergyMarket) -> FloatArray:
    """F_i of (11) of what each prosumer plans at the present LMPs, (prosumer,) in $."""
    told = zip(market.communities.here[0].prosumers, market.platform.lmp_usd_per_kwh, strict=True)
    return np.array([prosumer.plan.cost_usd(prosumer.household, lmp) for prosumer, lmp in told])


def _planned_payments(market: EnergyMarket) -> FloatArray:
    """What each would pay its partners for its own last offers at the last prices, (prosumer,) in $."""
    graph, platform = market.graph, market.platform
    paid = (platform.price_usd_per_kwh[graph.link] * platform.power_kw).sum(axis=1)
    return market.operator.clearing.dt_h * graph.by_owner(paid)
