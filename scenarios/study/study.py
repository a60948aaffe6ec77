"""The paper's case study on any scenario: every equilibrium that its figures, tables and statements are made from."""

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any, TypeVar

import numpy as np

from ...market.energy_market import EnergyMarket
from ...market.hosting.message_log import Entries
from ...market.rounds import Phase
from ...market.settings import Case, Method, NetworkUse, Order
from ...network.arrays import FloatArray
from ...network.errors import GridbazaarError
from ..files.scenario import Scenario
from ..files.schema import MessagesRow
from ..runs.who_saw_what import frame, matrix
from .cobweb import cycling_cobweb, slopes, steady_cobweb
from .findings import ALPHA_SCALES, FLAT_SCALE, Study, Traced

_PAPER: dict[str, Any] = {
    "method": Method.PLAIN,  # the paper's, which its figures are about, as long as that settles
    "max_rounds": 300,  # in an outer step; it has gone astray if it needs more
    "max_iterations": 25,
    "regret_tolerance": 5e-8,
    "primal_tolerance_kw": 0.1,
    "dual_tolerance_usd_per_kwh": 1e-5,
}
Part = TypeVar("Part")


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
    parts = _Parts(tell)
    reliable = scenario.model_copy(update={"messages": MessagesRow()})  # the paper's messages all arrive
    base = reliable.changed(case=Case.SHARING, order=Order.PROXIMAL_JACOBI, **_PAPER)
    messages: list[Entries] = []
    shared = parts.needed("Case 3", partial(_run, base, messages.append))
    if not shared.result.settled and scenario.settings.method is not Method.PLAIN:
        parts.left_out["Case 3 by the paper's fixed point (plain)"] = shared.result.message
        base = reliable.changed(case=Case.SHARING, order=Order.PROXIMAL_JACOBI)
        messages.clear()
        shared = parts.needed("Case 3 by the scenario's own method", partial(_run, base, messages.append))
    flat = base.changed(alpha_scale=FLAT_SCALE, method=Method.PLAIN)
    cases = {
        case: parts.possible(f"Case {case.value}", partial(_run, base.changed(case=case)))
        for case in (Case.NO_SHARING, Case.CENTRAL)
    }
    alphas = {
        scale: parts.possible(f"alpha x {scale:g}", partial(_run, base.changed(alpha_scale=scale)))
        for scale in ALPHA_SCALES[1:]
    }
    steep = parts.possible("slopes of the LMPs", partial(slopes, base))
    gentle = parts.possible(f"slopes at alpha x {FLAT_SCALE:g}", partial(slopes, flat)) if steep else None
    return Study(
        name=name,
        scenario=base,
        cases={**{case: run for case, run in cases.items() if run}, Case.SHARING: shared},
        alphas={1.0: shared, **{scale: run for scale, run in alphas.items() if run}},
        cold=parts.needed("Algorithm 1 from a cold start", partial(_cold, base, shared.result.bid_kw)),
        slopes=(steep, gentle) if steep and gentle else (),
        steady=parts.possible("a cobweb that converges", partial(steady_cobweb, base, steep)) if steep else None,
        cycling=parts.possible("a cobweb that cycles", partial(cycling_cobweb, flat, gentle)) if gentle else None,
        flat=parts.possible(f"alpha x {FLAT_SCALE:g}", partial(_run, flat)),
        simultaneous=parts.possible("order jacobi", partial(_run, base.changed(order=Order.JACOBI))),
        sequential=parts.possible("order gauss_seidel", partial(_run, base.changed(order=Order.GAUSS_SEIDEL))),
        wires={
            use: run
            for use in NetworkUse
            if (run := parts.possible(f"the network carries {use}", partial(_run, _carrying(reliable, use))))
        },
        seconds=parts.seconds,
        left_out=parts.left_out,
        messages=matrix(frame(messages), base.prosumers),
    )


def _carrying(scenario: Scenario, use: NetworkUse) -> Scenario:
    """The scenario with another use of the network, by the method and to the tolerance that are ours."""
    return scenario.changed(case=Case.SHARING, network_use=use, method=Method.NEWTON, order=Order.PROXIMAL_JACOBI)


class _Parts:
    """Runs the parts of a study, one after the other, and writes down how long each took and why one is missing."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.seconds: dict[str, float] = {}
        self.left_out: dict[str, str] = {}
        self._tell = tell

    def needed(self, label: str, part: Callable[[], Part]) -> Part:
        """A part without which there is no study."""
        self._tell(label)
        start = perf_counter()
        made = part()
        self.seconds[label] = perf_counter() - start
        return made

    def possible(self, label: str, part: Callable[[], Part]) -> Part | None:
        """A part that a scenario may make impossible, such as an equilibrium without sharing: None then."""
        try:
            return self.needed(label, part)
        except GridbazaarError as error:
            self.left_out[label] = str(error)
            return None


def _run(scenario: Scenario, log: Callable[[Entries], None] | None = None) -> Traced:
    return trace(scenario.market(log=log))


def trace(market: EnergyMarket, outer_steps: float = np.inf) -> Traced:
    """Run a market, for so many outer steps at the most, and write down how it came to rest."""
    errors: list[float] = []
    costs: list[float] = []
    bids: list[FloatArray] = []
    rounds: list[tuple[float, float, FloatArray]] = []
    while market.running and not (market.phase is Phase.CLEARING and market.iteration >= outer_steps):
        market.step()
        done = market.last
        assert done is not None
        if done.phase is Phase.CLEARING:
            costs.append(done.dso_cost_usd)
            bids.append(market.bid_kw)
            rounds.clear()
        elif done.phase is Phase.SHARING:
            rounds.append((done.primal_kw, done.dual_usd_per_kwh, _plan_costs(market)))
        elif market.running and market.phase is Phase.CLEARING:
            errors.append(done.outer_error)
    return Traced(
        result=market.result(),
        outer_error=np.array(errors),
        dso_cost_usd=np.array(costs),
        bid_kw=np.array(bids),
        primal_kw=np.array([record[0] for record in rounds]),
        dual_usd_per_kwh=np.array([record[1] for record in rounds]),
        cost_usd=np.array([record[2] for record in rounds]),
    )


def _plan_costs(market: EnergyMarket) -> FloatArray:
    """F_i of (11) of what each prosumer plans at the present LMPs, (prosumer,) in $."""
    told = zip(market.communities.here[0].prosumers, market.platform.lmp_usd_per_kwh, strict=True)
    return np.array([prosumer.plan.cost_usd(prosumer.household, lmp) for prosumer, lmp in told])


def _cold(scenario: Scenario, bid_kw: FloatArray) -> Traced:
    """One outer step from settled bids: Algorithm 1 at their LMPs, with an empty ledger."""
    market = scenario.market()
    market.bid_kw = bid_kw
    return trace(market, outer_steps=1)
