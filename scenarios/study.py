"""The paper's case study on any scenario: every equilibrium that its figures, tables and statements are made from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TypeVar

import numpy as np

from ..agents.arrays import FloatArray
from ..market.energy_market import EnergyMarket
from ..market.result import Result
from ..market.rounds import Phase
from ..market.settings import Case, Order
from .cobweb import Cobweb, Slopes, cycling_cobweb, slopes, steady_cobweb
from .scenario import Scenario

ALPHA_SCALES = (1.0, 1.5, 2.0)
FLAT_SCALE = 0.3
"""The scale of alpha at which the study looks for a cycle of the fixed point."""
Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A run and how it came there.

    Attributes:
        result: What it found.
        outer_error: |bids - previous bids| / |bids| of each outer step, (step,).
        dso_cost_usd: Cost (1) of each clearing, (clearing,).
        bid_kw: The bids of each clearing, (clearing, prosumer, period).
        primal_kw, dual_usd_per_kwh: Residuals after each round of the last outer step, (round,).
        cost_usd: F_i of (11) of the plans in each round of the last outer step, (round, prosumer).
        power_kw: Largest sharing power after each round of the last outer step, (round,).
    """

    result: Result
    outer_error: FloatArray
    dso_cost_usd: FloatArray
    bid_kw: FloatArray
    primal_kw: FloatArray
    dual_usd_per_kwh: FloatArray
    cost_usd: FloatArray
    power_kw: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Everything that the report shows.

    Attributes:
        name, scenario: What was studied (in Case 3 and the order `proximal`).
        cases: The runs of Cases 1, 2 and 3.
        alphas: Runs with alpha scaled by `ALPHA_SCALES`.
        cold: Algorithm 1 from a cold start at the settled LMPs of Case 3.
        slopes: What criterion (28) makes of the price sensitivities: as it is, and with alpha scaled by `FLAT_SCALE`.
        steady, cycling: The cobweb of a prosumer and hour that converges as it is, and of one that cycles with alpha
            scaled by `FLAT_SCALE`; None where there is none.
        flat: A run with alpha scaled by `FLAT_SCALE`.
        simultaneous: A run in the order `simultaneous`.
        sequential: A run in the order `sequential`: the same equilibrium, perhaps by other bids.
        seconds: How long each part took.
    """

    name: str
    scenario: Scenario
    cases: Mapping[Case, Traced]
    alphas: Mapping[float, Traced]
    cold: Traced
    slopes: tuple[Slopes, Slopes]
    steady: Cobweb | None
    cycling: Cobweb | None
    flat: Traced
    simultaneous: Traced
    sequential: Traced
    seconds: Mapping[str, float]

    @property
    def base(self) -> Traced:
        """The run of Case 3."""
        return self.cases[Case.SHARING]

    @property
    def result(self) -> Result:
        """What Case 3 found."""
        return self.base.result


def study(scenario: Scenario, name: str, tell: Callable[[str], None] = lambda _: None) -> Study:
    """Run the whole study.

    Args:
        scenario: Any scenario; its case and order are set by the study.
        name: What it is called.
        tell: Told of every part before it starts.

    Raises:
        ScenarioError: The scenario is wrong.
        InfeasibleError: The feeder cannot carry its load, or a household cannot balance an hour.
    """
    seconds: dict[str, float] = {}

    def timed(label: str, part: Callable[[], Part]) -> Part:
        tell(label)
        start = perf_counter()
        made = part()
        seconds[label] = perf_counter() - start
        return made

    def run(changed: Scenario) -> Traced:
        return trace(changed.market())

    base = scenario.changed(case=Case.SHARING, order=Order.PROXIMAL)
    flat = base.changed(alpha_scale=FLAT_SCALE)
    cases = {case: timed(f"Case {case.value}", partial(run, base.changed(case=case))) for case in Case}
    alphas = {1.0: cases[Case.SHARING]}
    for scale in ALPHA_SCALES[1:]:
        alphas[scale] = timed(f"alpha x {scale:g}", partial(run, base.changed(alpha_scale=scale)))
    found = (
        timed("slopes of the LMPs", partial(slopes, base)),
        timed(f"slopes at alpha x {FLAT_SCALE:g}", partial(slopes, flat)),
    )
    return Study(
        name=name,
        scenario=base,
        cases=cases,
        alphas=alphas,
        cold=timed("Algorithm 1 from a cold start", partial(_cold, base, cases[Case.SHARING].result.bid_kw)),
        slopes=found,
        steady=timed("a cobweb that converges", partial(steady_cobweb, base, found[0])),
        cycling=timed("a cobweb that cycles", partial(cycling_cobweb, flat, found[1])),
        flat=timed(f"alpha x {FLAT_SCALE:g}", partial(run, flat)),
        simultaneous=timed("order simultaneous", partial(run, base.changed(order=Order.SIMULTANEOUS))),
        sequential=timed("order sequential", partial(run, base.changed(order=Order.SEQUENTIAL))),
        seconds=seconds,
    )


def trace(market: EnergyMarket, outer_steps: float = np.inf) -> Traced:
    """Run a market, for so many outer steps at the most, and write down how it came to rest."""
    errors: list[float] = []
    costs: list[float] = []
    bids: list[FloatArray] = []
    rounds: list[tuple[float, float, FloatArray, float]] = []
    while market.running and not (market.phase is Phase.CLEARING and market.iteration >= outer_steps):
        phase = market.phase
        market.step()
        if phase is Phase.CLEARING:
            costs.append(market.dso_cost_usd)
            bids.append(market.bid_kw)
            rounds.clear()
        elif phase is Phase.SHARING:
            power = float(np.abs(market.platform.power_kw).max(initial=0.0))
            rounds.append((market.primal_kw, market.dual_usd_per_kwh, _plan_costs(market), power))
        elif market.running:
            errors.append(market.outer_error)
    return Traced(
        result=market.result(),
        outer_error=np.array(errors),
        dso_cost_usd=np.array(costs),
        bid_kw=np.array(bids),
        primal_kw=np.array([record[0] for record in rounds]),
        dual_usd_per_kwh=np.array([record[1] for record in rounds]),
        cost_usd=np.array([record[2] for record in rounds]),
        power_kw=np.array([record[3] for record in rounds]),
    )


def _plan_costs(market: EnergyMarket) -> FloatArray:
    """F_i of (11) of what each prosumer plans at the present LMPs, (prosumer,) in $."""
    told = zip(market.prosumers, market.lmp_usd_per_kwh, strict=True)
    return np.array([prosumer.plan.cost_usd(prosumer.household, lmp) for prosumer, lmp in told])


def _cold(scenario: Scenario, bid_kw: FloatArray) -> Traced:
    """One outer step from settled bids: Algorithm 1 at their LMPs, with an empty ledger."""
    market = scenario.market()
    market.bid_kw = bid_kw
    return trace(market, outer_steps=1)
