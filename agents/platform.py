"""The sharing platform agent: the ledger of links, powers and prices."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from ..network.arrays import BoolArray, FloatArray, IntArray, frozen
from .bid_exchange import FREE, BidExchange
from .mesa_library import mesa
from .messages import Asks, Deliveries, Offers, Quotes, Sale
from .pair_exchange import PairExchange, mean_of_ends
from .peaks import Peak, Peaks
from .penalty import Residuals
from .price_curve import PriceCurve
from .rows import are_many, run_rows
from .sharing_rules import SharingRules
from .trade_graph import TradeGraph
from .update_gate import NEVER

RELAXATION = 1.5  # over-relaxation of powers and bids (Boyd et al. 2011, section 3.4.3)
EVERY = 2  # rounds between two adaptations of the penalties
WORTH = 0.1  # what a residual in prices counts in, as a fraction of the mean LMP; one in powers counts in their size
WORTH_OF_MARK_UPS = (
    1.0  # the same where prices are mark-ups on LMPs: next to all are 0, and the others as large as LMPs
)
FOLLOWING = 30  # first rounds in which sharing prices follow LMPs; after them the rounds are plain ADMM
EXACT = 1e-6  # of their size: how exactly prosumers answer
TIGHTER, TIGHTEST = 4.0, 4.0**10  # how much closer partners must agree if what they agreed leaves too much regret
KNOWN = 5e-7, 5e-8  # $/kWh: how exactly LMPs next to nothing are taken at first, and known at best
ABOVE = 10.0  # how many times penalties exceed what the DSO's costs are concave by; with over-relaxation 4 is too few
_SMALLEST_KW = 1e-3
_ASKED = 1e-6  # $/kWh beside the price: less than that keeps nobody from agreeing

Side = TypeVar("Side", PairExchange, BidExchange)


@dataclass(frozen=True, slots=True, eq=False)
class PlatformState:
    """All that the platform remembers; a value, never changed in place.

    Attributes:
        pairs: The ledger of powers and prices between partners.
        bids: The ledger of bids and LMPs.
        rounds: Rounds of Algorithm 1 since the DSO's announcement.
        tightness: How many times closer than its tolerances partners must agree by now.
        answered: In which round each was quoted what it answered last, (prosumer,).
        volume_kw: What each bid and traded once, fading, (prosumer,).
    """

    pairs: PairExchange
    bids: BidExchange
    rounds: int
    tightness: float
    answered: IntArray
    volume_kw: FloatArray


class SharingPlatform(mesa.Agent):
    """Keeps the ledger of Algorithm 1 and moves each pair's price by what the pair disagrees about (21).

    It never sees a cost curve, a load or a forecast: powers and prices on the links, and the bids that it passes on to
    the DSO, are all it knows.

    Attributes:
        graph: Who may trade with whom.
        rules: Penalty, proximal term and tolerances.
        state: All that it remembers.

    A round is `quotes`, `receive`, `asks`, `hear` (if it asks the DSO anything), `update_prices`. A pair changes when
    both ends have answered what it was quoted since its last change; until then it waits, and so do bids. With messages
    that all arrive, that is in every round.
    """

    def __init__(self, model: mesa.Model, graph: TradeGraph, periods: int, rules: SharingRules):
        """Open an empty ledger.

        Args:
            model: The market.
            graph: Who may trade with whom.
            periods: Number of periods.
            rules: Penalty, proximal term and tolerances.
        """
        super().__init__(model)
        self.graph, self.rules = graph, rules
        people = len(graph.names)
        self.state = PlatformState(
            pairs=PairExchange.empty(len(graph.links), periods, rules.penalty_usd_per_kw2h),
            bids=BidExchange.empty(PriceCurve.flat(np.zeros((people, periods)))),
            rounds=0,
            tightness=1.0,
            answered=np.full(people, NEVER),
            volume_kw=np.zeros(people),
        )
        self._sale: Sale | None = None
        self._measured: tuple[PlatformState, tuple[Peaks, Peaks]] | None = None

    @property
    def pairs(self) -> PairExchange:
        """The ledger of powers and prices between partners."""
        return self.state.pairs

    @property
    def bids(self) -> BidExchange:
        """The ledger of bids and LMPs."""
        return self.state.bids

    @property
    def rounds(self) -> int:
        """Rounds of Algorithm 1 since the DSO's announcement."""
        return self.state.rounds

    @property
    def power_kw(self) -> FloatArray:
        """Sharing power p_ij as last published, (arc, period)."""
        return self.pairs.power_kw

    @property
    def price_usd_per_kwh(self) -> FloatArray:
        """Sharing price pi, one per pair, (link, period); a mark-up on LMPs where trades load the wires."""
        return self.pairs.price_usd_per_kwh

    @property
    def lmp_usd_per_kwh(self) -> FloatArray:
        """The LMPs it relays, (prosumer, period)."""
        return self.bids.lmp_usd_per_kwh

    def open(self, curve: PriceCurve, bid_kw: FloatArray) -> None:
        """Begin Algorithm 1 at what the DSO announces, with these bids, (prosumer, period)."""
        before, was = self.bids.quoted.lmp_usd_per_kwh, self.state
        bids = replace(was.bids, bid_kw=bid_kw)
        size = _size_kw(self.graph, replace(was, bids=bids))
        bids = bids.opened(curve, bid_kw, size, self.rules)
        everyone = np.ones(len(self.graph.links), dtype=bool)
        pairs = was.pairs.reopened()
        if not self.rules.marks_up:
            pairs = pairs.following(self.graph, bids.quoted.lmp_usd_per_kwh - before, everyone)
        self.state = replace(was, pairs=pairs, bids=bids, rounds=0, answered=np.full_like(was.answered, NEVER))

    def quotes(self, members: IntArray) -> Quotes:
        """What the named prosumers are told before they answer."""
        pairs, terms = self.pairs, self.bids.quoted
        price, partner, penalty = pairs.quoted_to_ends(self.graph)
        return Quotes(
            members,
            frozen(terms.lmp_usd_per_kwh),
            frozen(terms.held_kw),
            frozen(terms.weight_usd_per_kw2h),
            frozen(price),
            frozen(pairs.quoted_kw),
            frozen(partner),
            frozen(penalty),
            float(self.rules.proximal),
        )

    def receive(self, offers: Offers, quoted_in: int | None = None) -> None:
        """Write down what the prosumers published.

        Args:
            offers: Their offers; those of who has meanwhile answered a later quote are of no use any more.
            quoted_in: In which round they were quoted what they answer; this one by default.
        """
        asked, was = self.rounds if quoted_in is None else quoted_in, self.state
        told = np.zeros(len(self.graph.names), dtype=bool)
        told[np.asarray(offers.members, dtype=np.intp)] = True
        told &= was.answered <= asked
        self.state = replace(
            was,
            pairs=was.pairs.received(offers, told[self.graph.owner], quote_at_once=not self.rules.proximal),
            bids=was.bids.received(offers, told),
            answered=np.where(told, asked, was.answered),
        )

    def take_plan(self, trade_kw: FloatArray, price_usd_per_kwh: FloatArray, bid_kw: FloatArray) -> None:
        """Write down what a central solver found (Case 2): trades and prices, (link, period), and the bids."""
        was = self.state
        self.state = replace(
            was,
            pairs=was.pairs.planned(self.graph, trade_kw, price_usd_per_kwh),
            bids=replace(was.bids, bid_kw=bid_kw),
            answered=np.full_like(was.answered, was.rounds),
        )

    def asks(self) -> Asks | None:
        """What the DSO is asked once the bids of a round are in; None where it follows its curve in all periods."""
        was = self.state
        self.state = replace(was, bids=was.bids.closed(was.answered, was.rounds, self._relaxation))
        self._sale = None
        return self.bids.asks

    def hear(self, sale: Sale) -> None:
        """Take note of what the DSO answers; where its costs are concave, penalties must exceed that."""
        self._sale = sale
        if sale.concave_usd_per_kw2h.any():
            self.state = _convex(self.state, sale.concave_usd_per_kw2h)

    def update_prices(self) -> None:
        """Algorithm 1, line 6: the price update (21); LMPs move with the DSO's answer, and the penalties adapt."""
        was = self.state
        before, now = was.bids.quoted.lmp_usd_per_kwh, was.rounds
        pairs = was.pairs.updated(self.graph, was.answered, now, self._relaxation)
        bids = was.bids.answered(self._sale.lmp_usd_per_kwh if self._sale else None, now)
        if now < FOLLOWING and not self.rules.marks_up:
            pairs = pairs.following(self.graph, bids.quoted.lmp_usd_per_kwh - before, pairs.gate.took(now))
        self.state = replace(was, pairs=pairs, bids=bids, rounds=now + 1)
        if self.rules.adapt_penalty and self.rounds % EVERY == 0:
            self.state = _balanced(self.graph, self.rules, self.state)

    @property
    def _relaxation(self) -> float:
        return RELAXATION if self.rules.proximal else 1.0

    @property
    def primal_kw(self) -> float:
        """Primal residual: max |p_ij + p_ji|, and by how much bids miss what the DSO wants."""
        return max(side.mismatch.value for side in self.peaks)

    @property
    def dual_usd_per_kwh(self) -> float:
        """Dual residual: max rho |z^{k+1} - z^k|, and the same of the bids."""
        return max(side.moved.value for side in self.peaks)

    @property
    def peaks(self) -> tuple[Peaks, Peaks]:
        """The largest residuals of pairs and of bids, found once for a state."""
        if self._measured is None or self._measured[0] is not self.state:
            self._measured = self.state, (_peaks(self.pairs), _peaks(self.bids))
        return self._measured[1]

    @property
    def converged(self) -> bool:
        """Whether Algorithm 1 has converged: both residuals are within tolerance."""
        rules, sides, finest = self.rules, (self.pairs, self.bids), self._finest_kw
        if not all(side.gate.all_have_had_one for side in sides):
            return False
        if not self._apart_kw <= max(rules.primal_tolerance_kw / self.state.tightness, finest):  # nan is not
            return False
        steepest = max(float(side.penalty.value.max(initial=0.0)) for side in sides) if finest else 0.0
        return self.dual_usd_per_kwh <= max(rules.dual_tolerance_usd_per_kwh / self.state.tightness, finest * steepest)

    @property
    def _apart_kw(self) -> float:
        """The primal residual, less what the DSO's answers leave open where they say that power is free."""
        bids, free = self.bids, self._free
        if free is None:
            return self.primal_kw
        known = max(KNOWN[0] / self.state.tightness, KNOWN[1])
        apart = np.abs(bids.mismatch_kw) - np.where(free, known / bids.penalty.value, 0.0)
        return float(max(self.peaks[0].mismatch.value, apart.max(initial=0.0)))

    def marked_up(self, names: Collection[str]) -> str:
        """Who of these asks other prices than it was quoted in this round, by how much at most, in words."""
        graph, pairs = self.graph, self.pairs
        apart = np.abs(pairs.asked_usd_per_kwh - pairs.price_usd_per_kwh[graph.link]).max(axis=1, initial=0.0)
        said = []
        for name in names:
            arcs = graph.arcs(graph.names.index(name))
            most = float(apart[arcs].max(initial=0.0))
            if most > _ASKED:
                said.append(f"{name} asks ${most:.2g}/kWh beside the price in what it offers")
        return " and ".join(said)

    def tighten(self, excess: float = TIGHTER) -> None:
        """Ask for closer agreement from now on: what was agreed leaves so many times too much regret."""
        steps = max(1.0, np.ceil(np.log(excess) / np.log(TIGHTER)))
        self.state = replace(self.state, tightness=float(min(TIGHTER**steps * self.state.tightness, TIGHTEST)))

    @property
    def tightest(self) -> bool:
        """Whether partners can be asked for no closer agreement."""
        finest = self.rules.primal_tolerance_kw / self.state.tightness <= self._finest_kw
        return finest or self.state.tightness >= TIGHTEST

    @property
    def _finest_kw(self) -> float:
        """Closer than this partners cannot agree.

        Where power is free nothing holds bids still but how exactly prosumers answer, and closer is worth nothing.
        """
        if self._free is None:
            return self.rules.resolution_kw
        return max(self.rules.resolution_kw, EXACT * float(_size_kw(self.graph, self.state).max()))

    @property
    def _free(self) -> BoolArray | None:
        """Where LMPs say that power is next to free, (prosumer, period); None where they do so nowhere."""
        least, lmp = FREE * self.rules.least_worth_usd_per_kwh, self.lmp_usd_per_kwh
        if lmp.min(initial=np.inf) >= least:
            return None
        free: BoolArray = np.abs(lmp) < least
        return free if free.any() else None

    def deliveries(self, lmp_usd_per_kwh: FloatArray | None = None) -> Deliveries:
        """What every prosumer is told when sharing has ended: reciprocal trades and their prices.

        Args:
            lmp_usd_per_kwh: Other LMPs than those at which sharing ended, (prosumer, period); sharing prices follow,
                unless they are mark-ups on LMPs.
        """
        graph = self.graph
        trade = self.pairs.trade_kw[graph.link]
        trade *= graph.way[:, None]
        (lmp, held, weight), price = self.bids.delivered, self.price_usd_per_kwh
        if lmp_usd_per_kwh is not None:
            lmp, price = lmp_usd_per_kwh, self._followed(price, lmp_usd_per_kwh - lmp)
        return Deliveries(frozen(lmp), frozen(price[graph.link]), frozen(trade), frozen(held), frozen(weight))

    def relieve(self, excess_kw: FloatArray) -> None:
        """Change what was agreed so that both ends can keep it, as far as the other ends can do with more or less.

        Who cannot use what its trades bring is let off buying it, or sells it, on all links that have room for that,
        each in proportion; who lacks something likewise.

        Args:
            excess_kw: What prosumers have too much of, (prosumer, period), see `Pledges.excess_kw`.
        """
        graph, pairs = self.graph, self.state.pairs
        trade = pairs.relieved(graph, excess_kw)
        self.state = replace(self.state, pairs=replace(pairs, trade_kw=trade))

    def with_whole_prices(self, told: Deliveries) -> Deliveries:
        """The same with the prices of trades that buyers pay to sellers: LMPs, at the mean of both ends, in them."""
        if not self.rules.marks_up:
            return told
        lmp = mean_of_ends(self.graph, told.lmp_usd_per_kwh)[self.graph.link]
        return replace(told, price_usd_per_kwh=told.price_usd_per_kwh + lmp)

    @property
    def whole_price_usd_per_kwh(self) -> FloatArray:
        """What buyers pay their partners, (link, period): sharing prices, with LMPs in them where they are mark-ups."""
        if not self.rules.marks_up:
            return self.price_usd_per_kwh
        return np.asarray(self.price_usd_per_kwh + mean_of_ends(self.graph, self.lmp_usd_per_kwh))

    def _followed(self, price: FloatArray, lmp_change: FloatArray) -> FloatArray:
        """Sharing prices, (link, period), when LMPs, (prosumer, period), have changed by so much."""
        return price if self.rules.marks_up else price + mean_of_ends(self.graph, lmp_change)


def _peaks(side: PairExchange | BidExchange) -> Peaks:
    return Peaks(Peak.of(side.mismatch_kw), Peak.of(side.moved_usd_per_kwh))


def _convex(state: PlatformState, concave_usd_per_kw2h: FloatArray) -> PlatformState:
    """With penalties above what the DSO's costs are concave by in its elastic periods, or all turn round for ever."""
    curve = state.bids.curve
    least = np.zeros(curve.elastic.size)
    least[curve.elastic] = ABOVE * concave_usd_per_kw2h
    at_one_bus = np.bincount(curve.place)[curve.place]
    bids = replace(state.bids, penalty=state.bids.penalty.above(at_one_bus[:, None] * least))
    pairs = replace(state.pairs, penalty=state.pairs.penalty.above(np.broadcast_to(least, state.pairs.trade_kw.shape)))
    return replace(state, bids=bids, pairs=pairs)


def _balanced(graph: TradeGraph, rules: SharingRules, state: PlatformState) -> PlatformState:
    """Penalties adapted, residuals counted in what partners trade and in what a kWh is worth; old volumes fade."""
    size = _size_kw(graph, state)
    smaller = np.minimum(*(size[graph.owner[end]] for end in (graph.forward, graph.backward)))
    lmp = max(float(np.abs(state.bids.lmp_usd_per_kwh).mean()), rules.least_worth_usd_per_kwh)
    of_pairs = (WORTH_OF_MARK_UPS if rules.marks_up else WORTH) * lmp
    return replace(
        state,
        pairs=_adapted(state.pairs, smaller, of_pairs, rules.resolution_kw),
        bids=_adapted(state.bids, size, WORTH * lmp, rules.resolution_kw),
        volume_kw=size / 2,
    )


def _adapted(side: Side, whole_kw: FloatArray, worth: float, finest_kw: float) -> Side:
    """One ledger with its penalties adapted; what is finer than messages are says nothing."""
    residuals = Residuals(side.mismatch_kw, side.moved_usd_per_kwh, whole_kw, worth, finest_kw)
    return replace(side, penalty=side.penalty.balanced(residuals, side.gate.changed), gate=side.gate.looked())


def _size_kw(graph: TradeGraph, state: PlatformState) -> FloatArray:
    """What each prosumer bids and trades in its busiest period, lately, (prosumer,)."""
    bid, power = state.bids.bid_kw, state.pairs.power_kw
    if are_many(bid):
        busiest, work = np.empty(len(bid)), (bid.size + power.size) // 10
        run_rows(volume_rows, graph.everybody, (graph.starts, bid, power), (busiest,), cells=work)
    else:
        busiest = (np.abs(bid) + graph.by_owner(np.abs(power))).max(axis=1)
    return np.asarray(np.maximum(np.maximum(state.volume_kw, busiest), _SMALLEST_KW))


def volume_rows(asked: Any, starts: Any, bid: Any, power: Any, results: tuple[Any], _: Any) -> None:
    """What the prosumers asked bid and trade in their busiest period, (prosumer,), of bids and powers of arcs in kW."""
    for i in asked:
        busiest = 0.0
        for t in range(len(bid[i])):
            traded = 0.0
            for arc in range(starts[i], starts[i + 1]):
                traded += abs(power[arc][t])
            volume = abs(bid[i][t]) + traded
            busiest = volume if volume > busiest else busiest
        results[0][i] = busiest
