"""The market: which agent acts when. Algorithms 1 and 2 as scheduled rounds of agents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter

import mesa
import numpy as np

from ..agents.arrays import FloatArray, frozen
from ..agents.behaviour import Behaviour, PriceTaker
from ..agents.household import Household
from ..agents.operator import SystemOperator
from ..agents.platform import SharingPlatform
from ..agents.prosumer import Prosumer
from ..agents.trade_graph import Link, TradeGraph
from ..network.clearing import Clearing
from ..network.feeder import Feeder
from ..network.shortage import ShortageError
from .certificate import Certificate
from .community import Community
from .outcome import Outcome
from .result import Result
from .settings import Case, MarketSettings, Order
from .trend import Trend


class Phase(StrEnum):
    """What the next step does."""

    CLEARING = "clearing"
    SHARING = "sharing"
    DELIVERY = "delivery"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Round:
    """What one agent round produced: plain numbers, no solvers.

    Attributes:
        number: Rounds so far, this one included.
        iteration: Outer step of Algorithm 2, from 1.
        phase: What the round did.
        seconds: How long it took.
        primal_kw, dual_usd_per_kwh: Residuals of Algorithm 1; nan outside sharing.
        dso_cost_usd: Cost (1) of the last clearing.
        outer_error: |bids - previous bids| / |bids| of the last delivery; nan before.
        regret_usd: Sum of the regrets of the schedule last certified; nan before.
        bid_kw, lmp_usd_per_kwh: (prosumer, period).
        power_kw: Sharing powers, (arc, period).
        price_usd_per_kwh: Sharing prices, (link, period).
        sentence: What happened, in words.
    """

    number: int
    iteration: int
    phase: Phase
    seconds: float
    primal_kw: float
    dual_usd_per_kwh: float
    dso_cost_usd: float
    outer_error: float
    regret_usd: float
    bid_kw: FloatArray
    lmp_usd_per_kwh: FloatArray
    power_kw: FloatArray
    price_usd_per_kwh: FloatArray
    sentence: str


class EnergyMarket(mesa.Model):
    """The hierarchical market. `step` is one agent round; `run` steps until the market is settled.

    The operator clears for the bids and announces LMPs; the prosumers share at those LMPs until partners agree; what
    was agreed is delivered and becomes the next bids; until nobody regrets the schedule that was cleared.

    Attributes:
        operator: The DSO.
        platform: The sharing platform.
        community: The prosumers, behind one message in and one out.
        phase: What the next step does.
        iteration: Outer step of Algorithm 2, from 1.
        bid_kw: The bids that the next clearing is for, (prosumer, period).
        lmp_usd_per_kwh: The prices last announced, (prosumer, period).
        regret_usd: Regret of every prosumer for the schedule last certified, (prosumer,).
        outer_error: |bids - previous bids| / |bids| of the last delivery.
        sharing_rounds: Rounds of Algorithm 1 in each outer step so far.
        seconds: Time spent by phase.
        outcome: How the run ended, or that it has not.
        last: What the last step produced.
        datacollector: Residuals, costs and regrets by round (mesa.DataCollector).
    """

    def __init__(
        self,
        feeder: Feeder,
        load_kw: FloatArray,
        load_kvar: FloatArray,
        households: Sequence[Household],
        links: Sequence[Link],
        *,
        settings: MarketSettings | None = None,
        behaviours: Mapping[str, Behaviour] | None = None,
        value_of_lost_load_usd_per_kwh: float = 10.0,
        rng: np.random.SeedSequence | int | None = None,
    ) -> None:
        """Open the market with zero bids.

        Args:
            feeder: The network.
            load_kw, load_kvar: Load of every bus without the prosumers' bids, (bus, period) in the feeder's order.
            households: The prosumers' private data; given to the community that they live in and kept by nobody else.
            links: Who may trade with whom.
            settings: Case, order, penalty, tolerances and limits.
            behaviours: How the named prosumers act; all others are price takers.
            value_of_lost_load_usd_per_kwh: What unserved load is priced at while bids ask for too much.
            rng: Seed of all randomness.

        Raises:
            InputError: Data do not fit together (FeederError, HouseholdError, LinkError are its kinds).
            HouseholdShortageError: A prosumer cannot balance some period whatever the others do.
        """
        start = perf_counter()
        seed = rng if isinstance(rng, np.random.SeedSequence) else np.random.SeedSequence(rng)
        super().__init__(rng=np.random.default_rng(seed))
        self.settings = settings or MarketSettings()
        self.graph = _graph(households, links, self.settings.case)
        self.dt_h = households[0].dt_h
        periods = households[0].periods
        clearing = Clearing(feeder, load_kw, load_kvar, self.dt_h, value_of_lost_load_usd_per_kwh)
        self.operator = SystemOperator(self, clearing, [h.bus for h in households])
        order, penalty = self.settings.order, self.settings.penalty_usd_per_kw2h
        self.platform = SharingPlatform(self, self.graph, periods, penalty, proximal=order is Order.PROXIMAL)
        self.community = Community(households, self.graph, behaviours, seed.spawn(1)[0])
        self._behaved = all(type(b) is PriceTaker for b in (behaviours or {}).values())
        self._central = _central(households, self.graph) if self.settings.case is Case.CENTRAL else None

        self.phase = Phase.CLEARING
        self.iteration = self.rounds = 0
        self.bid_kw: FloatArray = frozen(np.zeros((len(households), periods)))
        self.lmp_usd_per_kwh: FloatArray = np.full((len(households), periods), np.nan)
        self.regret_usd: FloatArray = np.full(len(households), np.nan)
        self.dso_cost_usd = self.outer_error = np.nan
        self.sharing_rounds: list[int] = []
        self.outcome = Outcome.RUNNING
        self.message = Outcome.RUNNING.value
        self.last: Round | None = None
        self._trend = Trend()
        self.datacollector = mesa.DataCollector(model_reporters={name: name for name in _REPORTED})
        self.seconds = {"setup": perf_counter() - start, **dict.fromkeys(("clearing", "sharing", "delivery"), 0.0)}

    @property
    def prosumers(self) -> list[Prosumer]:
        """The prosumer agents."""
        return self.community.prosumers

    def step(self) -> None:
        """One scheduled agent round.

        Raises:
            ShortageError: The feeder cannot carry its own load, before any prosumer has asked for anything.
            SolverError: A solver stopped without an answer.
        """
        if self.phase is Phase.ENDED:
            return
        start, phase = perf_counter(), self.phase
        {Phase.CLEARING: self._clear, Phase.SHARING: self._share, Phase.DELIVERY: self._deliver}[phase]()
        self.rounds += 1
        self.seconds[phase] += perf_counter() - start
        self.last = self._record(phase, perf_counter() - start)
        self.datacollector.collect(self)

    def run(self, watch: Callable[[Round], None] | None = None) -> Result:
        """Step until the market has ended; `watch` is told of every round as it is finished."""
        while self.running:
            self.step()
            if watch and self.last:
                watch(self.last)
        return self.result()

    def result(self) -> Result:
        """The schedule last cleared with everything that is known of it; of an unfinished run, too."""
        return Result.of(self)

    def certificate(self) -> Certificate:
        """What is proven of the schedule last cleared, at the present sharing prices."""
        dispatch = self.operator.dispatch
        assert dispatch is not None, "nothing has been cleared yet"
        deliveries = self.platform.deliveries(self.lmp_usd_per_kwh)
        if self.iteration > 1 and self.phase is not Phase.ENDED:
            self.regret_usd = self.community.regrets(deliveries)
        violation = self.community.books(deliveries).violation_kw.max()
        cost, gap = dispatch.cost_usd, dispatch.max_cone_gap
        return Certificate(self.graph.names, self.regret_usd, cost, gap, float(violation), self._behaved)

    # --- Algorithm 2 -------------------------------------------------------------------------------------------------

    def _clear(self) -> None:
        """Algorithm 2, line 5: the DSO clears for the bids and announces its prices."""
        dispatch = self.operator.clear(self.bid_kw)
        self.iteration += 1
        if self.iteration == 1:
            self._refuse_shortage()
            self.platform.start_prices(self.operator.announce())
        self.lmp_usd_per_kwh = self.operator.announce()
        self.dso_cost_usd = dispatch.cost_usd
        self.sharing_rounds.append(0)
        self._trend = Trend()
        self.phase = Phase.SHARING

    def _deliver(self) -> None:
        """After Algorithm 1: certify the schedule that was cleared; if it is regretted, deliver and bid again."""
        deliveries = self.platform.deliveries(self.lmp_usd_per_kwh)
        if self.iteration > 1:
            self.regret_usd = self.community.regrets(deliveries)
        if self.regret_usd.sum() <= self.settings.regret_tolerance * abs(self.dso_cost_usd):
            self._settle()
        elif self.iteration >= self.settings.max_iterations:
            self._end(Outcome.ITERATION_LIMIT)
        else:
            bids = frozen(self.community.deliver(deliveries))
            self.outer_error = float(np.linalg.norm(bids - self.bid_kw) / max(np.linalg.norm(bids), 1e-9))
            self.bid_kw = bids
            self.phase = Phase.CLEARING

    # --- Algorithm 1 -------------------------------------------------------------------------------------------------

    def _share(self) -> None:
        """One round of Algorithm 1: everybody answers in its turn, then the platform moves the prices."""
        if self._central is not None:
            self.platform.settle_centrally(*self._central.solve(self.lmp_usd_per_kwh)[:2])
            self.phase = Phase.DELIVERY
            return
        for turn in self.settings.order.turns(len(self.graph.names)):
            quotes = self.platform.quotes(self.lmp_usd_per_kwh, turn)
            self.platform.receive(self.community.answer(quotes))  # Algorithm 1, line 5
        self.platform.update_prices()  # Algorithm 1, line 6
        self.sharing_rounds[-1] += 1
        self._judge_sharing()

    def _judge_sharing(self) -> None:
        settings = self.settings
        primal = self.platform.primal_kw / settings.primal_tolerance_kw
        dual = self.platform.dual_usd_per_kwh / settings.dual_tolerance_usd_per_kwh
        self._trend.add(max(primal, dual))
        if max(primal, dual) <= 1 or self.sharing_rounds[-1] >= settings.max_rounds:
            self.phase = Phase.DELIVERY
        elif self._trend.stuck and not settings.order.proven:
            self._end(Outcome.SHARING_DIVERGED)

    # --- ends --------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        dispatch = self.operator.dispatch
        assert dispatch is not None
        short = ShortageError.of(self.operator.clearing.feeder, dispatch)
        self._end(Outcome.SHORTAGE if short else Outcome.SETTLED, str(short or ""))

    def _refuse_shortage(self) -> None:
        """Bids only add load: what the feeder cannot carry without them, it never can."""
        dispatch = self.operator.dispatch
        assert dispatch is not None
        short = ShortageError.of(self.operator.clearing.feeder, dispatch)
        if short and dispatch.unserved_kw.max() > 1e-3:
            raise short

    def _end(self, outcome: Outcome, why: str = "") -> None:
        if outcome is Outcome.SHARING_DIVERGED:
            why = _WHY[self.settings.order]
        self.outcome, self.phase, self.running = outcome, Phase.ENDED, False
        self.message = outcome.value.format(
            max_iterations=self.settings.max_iterations,
            regret_tolerance=self.settings.regret_tolerance,
            relative=self.regret_usd.sum() / max(abs(self.dso_cost_usd), 1e-9),
            outer_error=self.outer_error,
            rounds=self.sharing_rounds[-1],
            primal_kw=self.platform.primal_kw,
            why=why,
        )

    def _record(self, phase: Phase, seconds: float) -> Round:
        return Round(
            number=self.rounds,
            iteration=self.iteration,
            phase=phase,
            seconds=seconds,
            primal_kw=self.primal_kw,
            dual_usd_per_kwh=self.dual_usd_per_kwh,
            dso_cost_usd=self.dso_cost_usd,
            outer_error=self.outer_error,
            regret_usd=self.total_regret_usd,
            bid_kw=self.bid_kw,
            lmp_usd_per_kwh=self.lmp_usd_per_kwh,
            power_kw=frozen(self.platform.power_kw.copy()),
            price_usd_per_kwh=frozen(self.platform.price_usd_per_kwh),
            sentence=self._sentence(phase),
        )

    def _sentence(self, phase: Phase) -> str:
        if self.phase is Phase.ENDED:
            return self.message
        if phase is Phase.CLEARING:
            return f"step {self.iteration}: the DSO clears the market at ${self.dso_cost_usd:,.2f} and announces LMPs"
        if phase is Phase.SHARING:
            return f"step {self.iteration}, round {self.sharing_rounds[-1]}: partners disagree by {self.primal_kw:.3g} kW"
        return f"step {self.iteration}: trades are delivered; bids move by {self.outer_error:.2%}"

    # --- what the data collector reads -------------------------------------------------------------------------------

    @property
    def primal_kw(self) -> float:
        """Primal residual of Algorithm 1: max |p_ij + p_ji|."""
        return self.platform.primal_kw

    @property
    def dual_usd_per_kwh(self) -> float:
        """Dual residual of Algorithm 1: max rho |z^{k+1} - z^k|."""
        return self.platform.dual_usd_per_kwh

    @property
    def total_regret_usd(self) -> float:
        """Sum of the regrets of the schedule last certified."""
        return float(self.regret_usd.sum())


_REPORTED = ("iteration", "phase", "primal_kw", "dual_usd_per_kwh", "dso_cost_usd", "outer_error", "total_regret_usd")

_WHY = {
    Order.SIMULTANEOUS: "Order simultaneous has no proximal term and diverges for every penalty once bids are interior",
    Order.SEQUENTIAL: "Order sequential is not proven for more than two prosumers",
}


def _graph(households: Sequence[Household], links: Sequence[Link], case: Case) -> TradeGraph:
    """The trade graph of a case: without sharing (Case 1), all caps are 0."""
    if case is Case.NO_SHARING:
        links = [Link(link.a, link.b, 0.0) for link in links]
    return TradeGraph([h.name for h in households], links)


def _central(households: Sequence[Household], graph: TradeGraph):  # type: ignore[no-untyped-def]
    from .central import LowerLayer  # cvxpy takes a second to import and only Case 2 needs it

    return LowerLayer(households, graph)
