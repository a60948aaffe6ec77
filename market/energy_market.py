"""The market: which agent acts when. Algorithms 1 and 2 as scheduled rounds of agents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from time import perf_counter
from typing import TYPE_CHECKING, Self

import mesa
import numpy as np

from ..agents.arrays import FloatArray, IntArray, frozen
from ..agents.behaviour import Behaviour, PriceTaker
from ..agents.household import Household
from ..agents.messages import Deliveries, Offers, Quotes
from ..agents.operator import SystemOperator
from ..agents.platform import SharingPlatform
from ..agents.price_curve import PriceCurve
from ..agents.prosumer import Prosumer
from ..agents.trade_graph import Link
from ..network.clearing import Clearing
from ..network.errors import SolverError
from ..network.infeasibility.shortage import ShortageError
from .hosting.community import PrivateSchedules
from .hosting.incident import Incident
from .hosting.lossy_channel import LossyChannel, MessageFaults, check_faults
from .hosting.message_log import OPERATOR, PLATFORM
from .hosting.options import Hosting
from .hosting.public import PublicProsumer, public_prosumers
from .methods import METHODS
from .outcome import Outcome
from .proof.certificate import LEAST_USD, Certificate, turnover_usd
from .proof.diagnosis import Diagnosis
from .proof.outer_history import OuterHistory
from .proof.residual_history import ResidualHistory
from .proof.shortfall import Shortfall, find_shortfall
from .result import Result
from .rounds import Phase, Round
from .settings import Case, MarketSettings
from .setup import check_households, found_communities, graph_of, planner_of

if TYPE_CHECKING:
    pass

_LONG = 100
"""Rounds without agreement after which somebody looks whether there can be any."""
_REPORTED = ("iteration", "phase", "primal_kw", "dual_usd_per_kwh", "dso_cost_usd", "outer_error", "total_regret_usd")


class EnergyMarket(mesa.Model):
    """The hierarchical market. `step` is one agent round; `run` steps until the market is settled.

    The operator clears for the bids and announces LMPs; the prosumers share at those LMPs until partners agree; what
    was agreed is delivered and becomes the next bids; until nobody regrets the schedule that was cleared.

    Attributes:
        settings: Case, order, penalty, tolerances and limits.
        graph: Who may trade with whom.
        operator: The DSO.
        platform: The sharing platform.
        communities: The prosumers, behind one message in and one out, wherever they live.
        buses: The bus of each prosumer, (prosumer,).
        phase: What the next step does.
        iteration: Outer step of Algorithm 2, from 1.
        rounds: Steps so far.
        bid_kw: The bids that the next clearing is for, (prosumer, period).
        lmp_usd_per_kwh: The prices last announced, (prosumer, period).
        price_usd_per_kwh: The sharing prices that the schedule in force is valued at, (link, period).
        regret_usd: Regret of every prosumer for the schedule last certified, (prosumer,).
        outer_error: |bids - previous bids| / |bids| of the last delivery.
        sharing_rounds: Rounds of Algorithm 1 in each outer step so far.
        seconds: Time spent by phase.
        outcome, message: How the run ended, or that it has not, and that in words.
        diagnosis: Where Algorithm 1 stands: residuals, the slowest pair and period, a verdict.
        last: What the last step produced.
        datacollector: Residuals, costs and regrets by round (mesa.DataCollector).
    """

    def __init__(
        self,
        clearing: Clearing,
        households: Sequence[Household],
        links: Sequence[Link],
        *,
        settings: MarketSettings | None = None,
        behaviours: Mapping[str, Behaviour] | None = None,
        rng: np.random.SeedSequence | int | None = None,
        hosting: Hosting | None = None,
        messages: MessageFaults | None = None,
    ) -> None:
        """Open the market with zero bids.

        Args:
            clearing: The DSO's feeder with the load of every bus without the prosumers' bids.
            households: Private data of the prosumers, for the community they live in; no agent of the market sees them.
            links: Who may trade with whom.
            settings: Case, order, penalty, tolerances and limits.
            behaviours: How the named prosumers act; all others are price takers.
            rng: Seed of all randomness.
            hosting: Where the prosumers live; in this process by default.
            messages: What happens to the quotes and offers of Algorithm 1; nothing by default.

        Raises:
            WorkerLostError: A community could not be founded where it is to live.
            InputError: Data do not fit together (FeederError, HouseholdError, LinkError are its kinds).
            HouseholdShortageError: A prosumer cannot balance some period whatever the others do.
        """
        start = perf_counter()
        seed = rng if isinstance(rng, np.random.SeedSequence) else np.random.SeedSequence(rng)
        super().__init__(rng=np.random.default_rng(seed))
        self.settings = settings or MarketSettings()
        check_households(clearing, households)
        self.graph = graph_of(households, links, self.settings.case)
        self.dt_h = clearing.dt_h
        shape = len(households), clearing.periods
        self.buses = tuple(household.bus for household in households)
        self.operator = SystemOperator(self, clearing, self.buses)
        faults = messages or MessageFaults()
        check_faults(faults, self.settings)
        rules = replace(
            self.settings.sharing_rules, resolution_kw=1.01 * faults.quantum_kw
        )  # rounded sums are not exact
        self.platform = SharingPlatform(self, self.graph, shape[1], rules)
        self._method = METHODS[self.settings.method](self.operator)
        of_prosumers, of_messages = seed.spawn(2)
        self._post = LossyChannel(faults, self.graph, np.random.default_rng(of_messages)) if faults else None
        self.communities = found_communities(households, self.graph, behaviours, of_prosumers, hosting or Hosting())
        behaving = [name for name, behaviour in (behaviours or {}).items() if type(behaviour) is not PriceTaker]
        self._behaved = not behaving
        self._course = OuterHistory(self.graph.names, self.dt_h, self.settings, behaving)
        self._planner = planner_of(households, self.graph) if self.settings.case is Case.CENTRAL else None
        self._trend = ResidualHistory(self.settings.primal_tolerance_kw)

        self.phase = Phase.CLEARING
        self.iteration = self.rounds = self._told_of = 0
        self.bid_kw: FloatArray = frozen(np.zeros(shape))
        self.lmp_usd_per_kwh: FloatArray = frozen(np.full(shape, np.nan))
        self.regret_usd: FloatArray = np.full(shape[0], np.nan)
        self.dso_regret_usd = self.sharing_regret_usd = np.nan
        self._proven, self._turnover_usd = np.inf, LEAST_USD
        self._value_at(self.platform.deliveries())
        self._certified = False
        self.outer_error = np.nan
        self.sharing_rounds: list[int] = []
        self.running = True
        self.outcome, self.message = Outcome.RUNNING, Outcome.RUNNING.value
        self.diagnosis: Diagnosis | None = None
        self.last: Round | None = None
        self.datacollector = mesa.DataCollector(model_reporters={name: name for name in _REPORTED})
        self.seconds = {"setup": perf_counter() - start, **dict.fromkeys(("clearing", "sharing", "delivery"), 0.0)}

    @property
    def prosumers(self) -> list[Prosumer] | list[PublicProsumer]:
        """The prosumer agents where they live in this process, else what the market knows of them."""
        here = self.communities.here
        return here[0].prosumers if here else public_prosumers(self)

    def close(self) -> None:
        """Let go of workers and of what they saved; nothing to do where prosumers live in this process."""
        self.communities.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def step(self) -> None:
        """One scheduled agent round; nothing once the market has ended.

        Raises:
            ShortageError: The feeder cannot carry its own load, before any prosumer has asked for anything.
            SolverError: A solver stopped without an answer.
        """
        if self.phase is Phase.ENDED:
            return
        start, phase = perf_counter(), self.phase
        self.communities.keep()
        self.communities.begin_round(self.rounds + 1)
        {Phase.CLEARING: self._clear, Phase.SHARING: self._share, Phase.DELIVERY: self._deliver}[phase]()
        self.rounds += 1
        seconds = perf_counter() - start
        self.seconds[phase] += seconds
        self.diagnosis = Diagnosis.of(self, "agreed" if self.platform.converged else self._trend.verdict)
        self.last = self._record(phase, seconds, self.communities.incidents[self._told_of :])
        self._told_of = len(self.communities.incidents)
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

    # --- Algorithm 2: the fixed point between the DSO and the prosumers ----------------------------------------------

    def _clear(self) -> None:
        """Algorithm 2, line 5: the DSO clears for the bids and announces its prices; the schedule is certified."""
        told = self._method.announce(self.bid_kw, self._proven)
        ledger = self.communities.ledger
        if ledger:
            announced = {field.name: getattr(told.curve, field.name) for field in fields(told.curve)}
            ledger.passed("Price curve", OPERATOR, PLATFORM, **announced)
        if self.iteration == 0:
            self._refuse_shortage()
        self.iteration += 1
        self.lmp_usd_per_kwh, self.dso_regret_usd = told.lmp_usd_per_kwh, told.dso_regret_usd
        self._value_at(self.platform.deliveries(told.lmp_usd_per_kwh))
        self._turnover_usd = turnover_usd(self.operator.cleared, self.graph, self._valued)
        self.sharing_rounds.append(0)
        if self.iteration > 1 and (self._settles() or (not told.curve.is_flat and self._ends_at_the_limit())):
            return
        self._open_sharing(told.curve)

    def _value_at(self, deliveries: Deliveries) -> None:
        """Value the schedule in force at these prices from now on."""
        self._valued = deliveries
        self.price_usd_per_kwh = deliveries.price_usd_per_kwh[self.graph.forward]

    def _open_sharing(self, curve: PriceCurve) -> None:
        before, self._proven = self._proven, self.certificate().relative
        if curve.elastic.any() and (self._proven > before / 2 or self.operator.oversold):
            self.platform.tighten()  # where the DSO answers every round, only closer agreement gets on
        self.platform.open(curve, self.bid_kw)
        if self._post:
            self._post.reopen()
        self._trend = ResidualHistory(self.settings.primal_tolerance_kw)
        self.phase = Phase.SHARING

    def _settles(self) -> bool:
        """Ask every prosumer for its regret of the schedule that was cleared; settle if all is small enough."""
        self.regret_usd = self.communities.regrets(self._valued)
        self._certified = True
        if self.certificate().relative <= self.settings.regret_tolerance and not self.operator.oversold:
            self._settle()
        return not self.running

    def _deliver(self) -> None:
        """After Algorithm 1: deliver what was agreed, unless it is regretted too much, and bid for what that needs."""
        deliveries = self.platform.deliveries()
        at_fixed_lmps = self.platform.bids.curve.is_flat and self.iteration > 1
        if at_fixed_lmps:
            self._value_at(deliveries)  # for the schedule that was cleared the rounds have found better sharing prices
            if self._settles():
                return
        pledges = self.communities.deliver(deliveries)
        self.sharing_regret_usd = float(np.maximum(pledges.regret_usd, 0.0).sum())
        cut_short = self.platform.rounds >= self.settings.max_rounds
        if cut_short and np.isinf(self.sharing_regret_usd) and self._ends_short():
            return
        if not cut_short and self._must_agree_closer():
            self.platform.tighten()
            self.phase = Phase.SHARING
            return
        if at_fixed_lmps and self._ends_at_the_limit():
            return
        bids = frozen(self.communities.commit(self._method.step(pledges.bid_kw, self.total_regret_usd)))
        self.outer_error = float(np.linalg.norm(bids - self.bid_kw) / max(float(np.linalg.norm(bids)), 1e-9))
        self.bid_kw = bids
        self._certified = False
        self.phase = Phase.CLEARING

    def _ends_short(self) -> bool:
        """End the run if households cannot all be served, which shows in trades that nobody can keep."""
        short = self._shortfall()
        if short:
            self._end(Outcome.HOUSEHOLD_SHORTAGE, str(short))
        return short is not None

    def _shortfall(self) -> Shortfall | None:
        """Whether households together must go short; for the person at the screen only."""
        needs = self.communities.needs()
        return find_shortfall(needs.need_kw, needs.have_kw, self.graph, self.dt_h)

    def _blamed(self, rounds: int) -> str:
        """What of unreliable messages kept partners from agreeing in the last step, which had so many rounds."""
        if self._post is None:
            return ""
        return self._post.faults.blame(self._post.rounds, cut_short=rounds >= self.settings.max_rounds)

    def _must_agree_closer(self) -> bool:
        """Whether what was agreed leaves a regret by itself that is not small against that of the step before."""
        if self.platform.tightest:
            return False
        before = self._proven if np.isfinite(self._proven) else 1.0
        allowed = float(np.clip(before / 10, self.settings.regret_tolerance / 4, 1e-3))
        return self.sharing_regret_usd > allowed * self.certificate().turnover_usd

    def _ends_at_the_limit(self) -> bool:
        """Take note of an outer step that has not settled the market, and end at the limit."""
        rounds = self.sharing_rounds[-1] or self.sharing_rounds[-2]  # those that led here
        self._course.add(self.bid_kw, self.regret_usd, self.total_regret_usd, rounds)
        if self.iteration >= self.settings.max_iterations:
            self._end(Outcome.ITERATION_LIMIT, self._course.why(str(self._shortage() or ""), self._blamed(rounds)))
        return not self.running

    # --- Algorithm 1: sharing among the prosumers --------------------------------------------------------------------

    def _share(self) -> None:
        """One round of Algorithm 1: everybody answers in its turn, then the platform moves the prices."""
        if self._planner is not None:
            try:
                planned = self._planner.solve(*self.platform.bids.quoted)
            except SolverError:
                if self._ends_short():
                    return
                raise
            self.platform.settle_centrally(planned.trade_kw, planned.price_usd_per_kwh, planned.bid_kw, self._sell)
        else:
            for turn in self.settings.order.turns(len(self.graph.names)):
                for quoted_in, offers in self._offers(self.platform.quotes(turn)):  # Algorithm 1, line 5
                    self.platform.receive(offers, quoted_in)
            self.platform.update_prices(self._sell)  # Algorithm 1, line 6
        self.sharing_rounds[-1] += 1
        self._judge_sharing()

    def _offers(self, quotes: Quotes) -> list[tuple[int, Offers]]:
        """The offers that arrive in a round, and in which round each was asked for."""
        if self._post:
            return self._post.exchange(quotes, self.communities.answer)
        return [(self.platform.rounds, self.communities.answer(quotes))]

    def _sell(self, periods: IntArray, price: FloatArray, weight: FloatArray, bid: FloatArray) -> FloatArray:
        """The DSO answers for itself where it follows no curve; as `SystemOperator.sell`."""
        lmp = self.operator.sell(periods, price, weight, bid)
        ledger = self.communities.ledger
        if ledger:
            asked = {"price_usd_per_kwh": price, "weight_usd_per_kw2h": weight, "bid_kw": bid}
            ledger.passed("Bids", PLATFORM, OPERATOR, **asked)
            ledger.passed("Sale", OPERATOR, PLATFORM, lmp_usd_per_kwh=lmp)
        return lmp

    def _judge_sharing(self) -> None:
        self._trend.add(self.platform.primal_kw)
        if self.settings.order.doubt and self._trend.diverges:
            self._end(Outcome.SHARING_DIVERGED, self.settings.order.doubt)
        elif self.platform.converged or self.platform.rounds >= self.settings.max_rounds:
            self.phase = Phase.DELIVERY
        elif self.platform.rounds == _LONG:
            self._ends_short()

    # --- ends --------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        missing, short = self._shortfall(), self._shortage()
        if missing:
            self._end(Outcome.HOUSEHOLD_SHORTAGE, str(missing))
        else:
            self._end(Outcome.SHORTAGE if short else Outcome.SETTLED, str(short or ""))

    def _refuse_shortage(self) -> None:
        """Bids only add load: what the feeder cannot serve without them, it never can."""
        short = self._shortage()
        if short and self.operator.cleared.unserved_kw.max() > 1e-3:
            raise short

    def _shortage(self) -> ShortageError | None:
        return ShortageError.of(self.operator.clearing.feeder, self.operator.cleared)

    def _end(self, outcome: Outcome, why: str = "") -> None:
        self.outcome, self.phase, self.running = outcome, Phase.ENDED, False
        self.message = outcome.value.format(
            max_iterations=self.settings.max_iterations,
            regret_tolerance=self.settings.regret_tolerance,
            relative=self.certificate().relative,
            outer_error=self.outer_error,
            rounds=self.platform.rounds,
            primal_kw=self.primal_kw,
            order=self.settings.order,
            why=why,
        )

    # --- what is known -----------------------------------------------------------------------------------------------

    def books(self) -> PrivateSchedules:
        """The prosumers' schedules in force at their prices; for the person at the screen only."""
        return self.communities.books(self._valued)

    def certificate(self) -> Certificate:
        """What is proven of the schedule in force: nothing between its delivery and the end of the next sharing."""
        dispatch, turnover = self.operator.cleared, self._turnover_usd
        regret = self.regret_usd if self._certified else np.full_like(self.regret_usd, np.nan)
        return Certificate(
            self.graph.names, regret, max(self.dso_regret_usd, 0.0), turnover, dispatch.max_cone_gap, self._behaved
        )

    @property
    def primal_kw(self) -> float:
        """Primal residual of Algorithm 1: max |p_ij + p_ji|."""
        return self.platform.primal_kw

    @property
    def dual_usd_per_kwh(self) -> float:
        """Dual residual of Algorithm 1: max rho |z^{k+1} - z^k|."""
        return self.platform.dual_usd_per_kwh

    @property
    def dso_cost_usd(self) -> float:
        """Cost (1) of the last clearing; nan before the first."""
        return self.operator.cleared.cost_usd if self.iteration else np.nan

    @property
    def total_regret_usd(self) -> float:
        """Sum of all regrets of the schedule last certified, the DSO's included; see `Certificate.total_usd`."""
        return float(np.maximum(self.regret_usd, 0.0).sum()) + max(self.dso_regret_usd, 0.0)

    def _record(self, phase: Phase, seconds: float, lost: Sequence[Incident]) -> Round:
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
            regret_by_prosumer_usd=frozen(self.regret_usd),
            clearings=self.operator.clearings,
            elastic_clearings=self.operator.elastic_clearings,
            slowest=self.diagnosis.place if self.diagnosis else "",
            verdict=self.diagnosis.verdict if self.diagnosis else "",
            bid_kw=frozen(self.platform.bids.bid_kw.copy()) if phase is Phase.SHARING else self.bid_kw,
            lmp_usd_per_kwh=frozen(self.platform.lmp_usd_per_kwh.copy()),
            power_kw=frozen(self.platform.power_kw.copy()),
            price_usd_per_kwh=frozen(self.platform.price_usd_per_kwh),
            penalty_usd_per_kw2h=frozen(self.platform.penalty_usd_per_kw2h),
            incidents="; ".join(map(str, lost)),
            sentence=self._sentence(phase),
        )

    def _sentence(self, phase: Phase) -> str:
        step = f"step {self.iteration}"
        if self.phase is Phase.ENDED:
            return self.message
        if phase is Phase.CLEARING:
            proof = f" (regret {self._proven:.1e} of the turnover)" if np.isfinite(self._proven) else ""
            return f"{step}: the DSO clears the market at ${self.dso_cost_usd:,.2f} and announces LMPs{proof}"
        if phase is Phase.SHARING:
            return f"{step}, round {self.platform.rounds}: {self.diagnosis}"
        if self.phase is Phase.SHARING:
            return f"{step}: what was agreed is regretted by ${self.sharing_regret_usd:.2g}; partners share on"
        return f"{step}: trades are delivered; bids move by {self.outer_error:.2%}"
