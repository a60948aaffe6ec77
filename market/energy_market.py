"""The market: which agent acts when. Algorithms 1 and 2 as scheduled rounds of agents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..agents.behaviour import Behaviour
from ..agents.household import Household
from ..agents.mesa_library import mesa
from ..agents.messages import Asks, Pledges, Sale
from ..agents.operator import SystemOperator
from ..agents.platform import SharingPlatform
from ..agents.price_curve import PriceCurve
from ..agents.trade_graph import Link
from ..network.arrays import FloatArray, frozen
from ..network.clearing import Clearing
from ..network.cores import one_thread_each
from ..network.errors import SolverError
from ..network.infeasibility.shortage import ShortageError
from .hosting.communities import Communities
from .hosting.lossy_channel import MessageFaults, channel_of, check_faults
from .hosting.message_log import OPERATOR, PLATFORM
from .hosting.options import Hosting
from .lifecycle import Blueprint, Lifecycle
from .methods import METHODS
from .outcome import Ending, Outcome
from .proof.conduct import Conduct
from .proof.device_shortfall import find_device_shortfall
from .proof.shortfall import find_shortfall
from .proof.stopping_rule import StoppingRule
from .record import ending_of, record
from .result import Result, RunFacts
from .rounds import Phase, Round
from .settings import MarketSettings
from .setup import (
    agents_of,
    charged,
    check_parts,
    graph_of,
    orders_only_add,
    planner_of,
    rehearsing,
    set_up_communities,
    tied_periods,
)

if TYPE_CHECKING:
    from .proof.central import LowerLayer

_LEAST_WORTH = 1e-3
"""What a kWh counts for at the least where penalties look for their size, as a fraction of the value of lost load."""
_REPAIRS = 4
"""How often trades are changed at most because somebody cannot keep them."""
_LONG = 100
"""Rounds without agreement after which somebody looks whether there can be any."""
_REPORTED = ("iteration", "phase", "primal_kw", "dual_usd_per_kwh", "dso_cost_usd", "outer_error", "regret_usd")


class EnergyMarket(Lifecycle):
    """The hierarchical market. `step` is one agent round; `run` steps until the market is settled.

    The operator clears for the bids and announces LMPs; the prosumers share at those LMPs until partners agree; what
    was agreed is delivered and becomes the next bids; until nobody regrets the schedule that was cleared.

    Attributes:
        settings: Case, order, penalty, tolerances and limits.
        graph: Who may trade with whom.
        operator: The DSO.
        platform: The sharing platform.
        prosumers: The prosumers, or their public side where they live elsewhere; with the two above `market.agents`.
        communities: The prosumers, behind one message in and one message out, wherever they live.
        proof: What is known of the schedule in force, and whether that is enough to stop.
        method: How bids and LMPs come to rest.
        channel: What happens to quotes and offers.
        phase: What the next step does.
        rounds: Steps so far.
        bid_kw: The bids that the next clearing is for, or withdrawals where trades load the wires, (prosumer, period).
        sharing_rounds: Rounds of Algorithm 1 in each outer step of Algorithm 2 so far.
        seconds: Time spent by phase.
        ending: How the run ended, or that it has not, and that in words.
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
            WorkerLostError: A community could not be set up where it is to live.
            InputError: Data do not fit together (FeederError, HouseholdError, LinkError are its kinds).
            HouseholdShortageError: A prosumer cannot balance some period whatever the others do.
        """
        start = perf_counter()
        behaviours = {} if behaviours is None else behaviours
        check_parts(clearing, households, behaviours, settings, hosting, messages)
        seed = rng if isinstance(rng, np.random.SeedSequence) else np.random.SeedSequence(rng)
        self.settings, faults = settings or MarketSettings(), messages or MessageFaults()
        super().__init__(Blueprint(clearing, tuple(links), self.settings, faults, seed))
        check_faults(faults, self.settings)
        self.graph = graph_of(households, links, self.settings.case)
        shape = len(households), clearing.periods
        self.operator = SystemOperator(self, clearing, [household.bus for household in households])
        rules = replace(
            self.settings.sharing_rules,
            resolution_kw=faults.resolution_kw((2 * len(self.graph.links) + shape[0]) * shape[1]),
            least_worth_usd_per_kwh=_LEAST_WORTH * clearing.value_of_lost_load_usd_per_kwh,
        )
        self.platform = SharingPlatform(self, self.graph, shape[1], rules)
        self.method = METHODS[self.settings.method](self.operator)
        self.method.tied = tied_periods(households)
        of_prosumers, of_messages = seed.spawn(2)
        self.channel = channel_of(faults, self.graph, of_messages)
        conduct, fees, told = Conduct.of(behaviours), charged(households, self.graph), self.platform.deliveries()
        self.proof = StoppingRule(self.graph, clearing, self.settings, conduct, told, charged=fees)
        self.phase, self.rounds = Phase.CLEARING, 0
        self.bid_kw: FloatArray = frozen(np.zeros(shape))
        self.sharing_rounds: tuple[int, ...] = ()
        self.ending = Ending()
        self.last: Round | None = None
        self.datacollector = mesa.DataCollector({name: partial(_reported, name) for name in _REPORTED})
        unasked = rehearsing(behaviours, self.graph, of_prosumers, self.settings)
        self.communities = set_up_communities(
            households, self.graph, behaviours, of_prosumers, hosting or Hosting(), self.settings
        )
        self._planner = planner_of(households, self.graph, self.settings, unasked)
        self.prosumers = agents_of(self, self.communities, self.platform, self.operator)
        self.seconds = {"setup": perf_counter() - start, **dict.fromkeys(("clearing", "sharing", "delivery"), 0.0)}

    def step(self) -> None:
        """One scheduled agent round; nothing once the market has ended.

        Raises:
            ShortageError: The feeder cannot carry its own load, before any prosumer has asked for anything, and no
            prosumer can relieve it.
            SolverError: A solver stopped without an answer.
        """
        if self.phase is Phase.ENDED:
            return
        start, phase, lost = perf_counter(), self.phase, len(self.communities.incidents)
        self.communities.keep()
        self.communities.begin(self.rounds + 1)
        with one_thread_each():
            {Phase.CLEARING: self._clear, Phase.SHARING: self._share, Phase.DELIVERY: self._deliver}[phase]()
        self.rounds += 1
        seconds = perf_counter() - start
        self.seconds[phase] += seconds
        self.last = record(self, phase, seconds, lost)
        self.datacollector.collect(self)

    def run(self, watch: Callable[[Round], None] | None = None) -> Result:
        """Step until the market has ended; `watch` is told of every round as it is finished."""
        while self.running:
            self.step()
            if watch and self.last:
                watch(self.last)
        return self.result()

    # --- Algorithm 2: the fixed point between the DSO and the prosumers ----------------------------------------------

    def _clear(self) -> None:
        """The DSO clears for the bids and announces its prices; the schedule that it cleared is certified."""
        self.operator.clear(self.bid_kw)  # Algorithm 2, line 5: (1)-(10)
        if self.iteration == 0 and not self.bid_kw.any():
            _refuse_shortage(self)
        closing = self.platform.bids.closing(self.bid_kw, self.operator.short_periods)
        self._sell(closing.asks)
        dso_regret = self.method.judge(self.proof.state.proven, closing)
        lmp = self.operator.announce()
        self.proof.cleared(self.operator.cleared, dso_regret, self.platform.deliveries(lmp))
        self.sharing_rounds = (*self.sharing_rounds, 0)
        settled = self.iteration > 1 and self._settles()
        curve = PriceCurve.flat(lmp) if settled else self.method.curve()
        self.communities.log.passed(curve, OPERATOR, PLATFORM)
        if settled or (self.iteration > 1 and not curve.is_flat and self._ends_at_the_limit()):
            return
        stalls = self.proof.announced(self.iteration) or self.operator.oversold
        if stalls and not curve.is_flat:
            self.platform.tighten()  # only closer agreement gets on
        elif closing.asks and self.operator.oversold and self.proof.excess > 1:
            self.platform.tighten(self.proof.excess)  # bids overshot a limit by what partners may disagree
        self.platform.open(curve, self.bid_kw)
        self.channel.reopen()
        self.phase = Phase.SHARING

    def _settles(self) -> bool:
        """Ask every prosumer for its regret of the schedule that was cleared; settle if all is small enough."""
        self.proof.certify(self.communities.regrets(self.proof.state.valued))
        if self.proof.settles and not self.operator.oversold and not self._ends_short():
            short, doubt = _shortage(self.operator), self.proof.state.physics.doubt
            outcome = Outcome.NOT_AC if doubt else Outcome.SHORTAGE if short else Outcome.SETTLED
            self._end(outcome, doubt or str(short))
        return not self.running

    def _deliver(self) -> None:
        """After Algorithm 1: deliver what was agreed, unless it is regretted too much, and bid for what that needs."""
        at_fixed_lmps = self.platform.bids.curve.is_flat and self.iteration > 1
        if at_fixed_lmps:
            self.proof.revalue(self.platform.deliveries())  # the rounds have found better prices for it
            if self._settles():
                return
        pledges = _pledged(self.communities, self.platform)
        self.proof.agreed(pledges.regret_usd)
        cut_short = self.platform.rounds >= self.settings.max_rounds
        if cut_short and np.isposinf(pledges.regret_usd).any() and self._ends_short(of_devices=True):
            return
        if not cut_short and self.proof.asks_for_closer_agreement(self.platform):
            self.proof.go_on(self.platform)
            self.phase = Phase.SHARING
            return
        if at_fixed_lmps and self._ends_at_the_limit():
            return
        step = self.method.step(pledges.bid_kw, self.proof.all_regrets_usd)
        bids = frozen(self.communities.commit(step))  # (26)
        self.proof.committed(bids, self.bid_kw, pledges.bid_kw)
        self.bid_kw = bids
        self.phase = Phase.CLEARING

    # --- Algorithm 1: sharing among the prosumers --------------------------------------------------------------------

    def _share(self) -> None:
        """One round of Algorithm 1: everybody answers in its turn, then the platform moves the prices."""
        if self._planner is None:
            self._answer()
        elif not self._plan(self._planner):
            return
        if self.platform.rounds >= _LONG and self._ends_disagreeing():
            return
        sale = self._sell(self.platform.asks())  # where it follows no curve, the DSO is one more partner
        if sale:
            self.platform.hear(sale)
        self.platform.update_prices()  # line 6: (21)
        self.sharing_rounds = (*self.sharing_rounds[:-1], self.sharing_rounds[-1] + 1)
        self.proof.shared(self.platform.primal_kw)
        cut_short = self.platform.rounds >= self.settings.max_rounds
        if self.settings.order.doubt and self.proof.state.residuals.gets_nowhere(cut_short=cut_short):
            self._end(Outcome.SHARING_DIVERGED, self.settings.order.doubt)
        elif self.proof.worth_delivering(self.platform) or cut_short:
            self.phase = Phase.DELIVERY
        elif self.platform.rounds == _LONG:
            self._ends_short()

    def _answer(self) -> None:
        """Everybody answers what it is quoted, in its turn."""
        for turn in self.settings.order.turns(self.graph.everybody):
            quotes = self.platform.quotes(turn)
            for quoted_in, offers in self.channel.exchange(quotes, self.communities.answer):  # line 5: (20)
                self.communities.log.arrived(offers)
                self.platform.receive(offers, quoted_in)

    def _plan(self, planner: LowerLayer) -> bool:
        """A planner answers for everybody (Case 2); whether the run goes on."""
        try:
            planned = planner.solve(*self.platform.bids.quoted)
        except SolverError:
            if self._ends_short(of_devices=True):
                return False
            raise
        self.platform.take_plan(planned.trade_kw, planned.price_usd_per_kwh, planned.bid_kw)
        return True

    def _sell(self, asks: Asks | None) -> Sale | None:
        """The DSO says what it would rather sell than what it is asked for."""
        if asks is None:
            return None
        sale = self.operator.sell(asks)
        self.communities.log.passed(asks, PLATFORM, OPERATOR)
        self.communities.log.passed(sale, OPERATOR, PLATFORM)
        return sale

    # --- ends --------------------------------------------------------------------------------------------------------

    def _ends_at_the_limit(self) -> bool:
        """Take note of an outer step that has not settled the market, and end at the limit."""
        rounds = self.sharing_rounds[-1] or self.sharing_rounds[-2]  # those that led here
        self.proof.unsettled(self.bid_kw, rounds)
        if self.proof.is_restless:
            self._end(Outcome.RESTLESS, self.proof.history.who_blocks)
        elif not self.blueprint.faults and self.proof.history.blocked_by:
            devices, short = _devices(self.communities), str(_shortage(self.operator) or "")
            self._end(Outcome.BLOCKED, self.proof.history.who_stays(devices, short))
        elif self.iteration >= self.settings.max_iterations:
            blamed = self.channel.blame(cut_short=rounds >= self.settings.max_rounds)
            self._end(Outcome.ITERATION_LIMIT, self.proof.history.why(str(_shortage(self.operator) or ""), blamed))
        return not self.running

    def _ends_disagreeing(self) -> bool:
        """End the run if somebody asks other prices than it is quoted, which partners cannot agree at."""
        if self.blueprint.faults:  # an offer may answer another price than today's
            return False
        marked = self.platform.marked_up(self.proof.conduct.otherwise)
        if marked:
            self._end(Outcome.NEVER_AGREES, marked)
        return not self.running

    def _ends_short(self, *, of_devices: bool = False) -> bool:
        """End the run if households cannot all be served, whatever they trade; looks into everybody's private data.

        `of_devices`: also what devices hold is looked at, over all periods, and not only what they could give in each.
        """
        needs = self.communities.needs()
        short: object = find_shortfall(needs.need_kw, needs.have_kw, self.graph, self.operator.clearing.when)
        if of_devices and not short:
            short = find_device_shortfall(self.communities.homes, self.graph)
        if short:
            self._end(Outcome.HOUSEHOLD_SHORTAGE, str(short))
        return short is not None

    def _end(self, outcome: Outcome, why: str = "") -> None:
        self.phase, self.running = Phase.ENDED, False
        self.ending = ending_of(self, outcome, why)

    # --- what is known -----------------------------------------------------------------------------------------------

    def result(self) -> Result:
        """What has been found so far; looking changes nothing.

        Where the DSO has not cleared the bids in force yet, the dispatch is the one that they will have, and nothing is
        proven of it.
        """
        dispatch, valued = self.operator.foreseen(self.bid_kw), self.proof.state.valued
        if self.phase is Phase.CLEARING:
            valued = self.platform.deliveries(self.operator.lmps_of(dispatch))
        valued = self.platform.with_whole_prices(valued)
        schedules = self.communities.schedules(valued)
        facts = RunFacts(
            graph=self.graph,
            network_use=self.settings.network_use,
            ending=self.ending,
            sharing_rounds=list(self.sharing_rounds),
            clearings=self.operator.state.clearings,
            elastic_clearings=self.operator.state.elastic_clearings,
            diagnosis=self.proof.state.diagnosis,
            seconds=dict(self.seconds),
            hosting=self.communities.report,
        )
        devices = _devices(self.communities)
        owned = [(name, device) for name in self.graph.names for device in devices.get(name, ())]
        return Result.of(self.operator, dispatch, valued, schedules, self.proof.certificate(), facts, owned)


def _devices(communities: Communities) -> dict[str, list[str]]:
    """What the devices of those are called who own some; for the person at the screen only."""
    return {name: [device.name for device in home.devices] for name, home in communities.homes.items() if home.devices}


def _pledged(communities: Communities, platform: SharingPlatform) -> Pledges:
    """What everybody pledges for what was agreed, which is changed where somebody cannot keep it."""
    pledges = communities.deliver(platform.deliveries())
    for _ in range(_REPAIRS):
        if not np.isposinf(pledges.regret_usd).any():
            break
        platform.relieve(pledges.excess_kw)
        pledges = communities.deliver(platform.deliveries())
    return pledges


def _shortage(operator: SystemOperator) -> ShortageError | None:
    """What of the last clearing cannot be served, and what would relieve it."""
    return ShortageError.of(operator.clearing.feeder, operator.cleared)


def _refuse_shortage(market: EnergyMarket) -> None:
    """Where bids only add load: what the feeder cannot serve without them, it never can."""
    if not orders_only_add(market.communities.specs, market.graph, market.settings):
        return
    short = _shortage(market.operator)
    if short and market.operator.cleared.unserved_kw.max() > 1e-3:
        raise short


def _reported(name: str, market: EnergyMarket) -> Any:
    """What the data collector keeps of a round."""
    return getattr(market.last, name)
