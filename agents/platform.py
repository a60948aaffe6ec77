"""The sharing platform agent: the ledger of links, powers and prices."""

import mesa
import numpy as np

from .arrays import BoolArray, FloatArray, frozen
from .bid_exchange import BidExchange, Sell
from .messages import Deliveries, Offers, Quotes
from .penalty import AdaptivePenalty
from .price_curve import PriceCurve
from .sharing_rules import SharingRules
from .trade_graph import TradeGraph
from .update_gate import NEVER, UpdateGate

RELAXATION = 1.5  # over-relaxation of powers and bids (Boyd et al. 2011, section 3.4.3)
EVERY = 2  # rounds between two adaptations of the penalties
WORTH = 0.1  # what a residual in prices counts in, as a fraction of the mean LMP; one in powers counts in their size
FOLLOWING = 30  # first rounds in which sharing prices follow LMPs; after them the rounds are plain ADMM
TIGHTER, TIGHTEST = 4.0, 4.0**10  # how much closer partners must agree if what they agreed leaves too much regret
_SMALLEST_KW = 1e-3


class SharingPlatform(mesa.Agent):
    """Keeps the ledger of Algorithm 1 and moves each pair's price by what the pair disagrees about (21).

    It never sees a cost curve, a load or a forecast: powers and prices on the links, and the bids that it passes on to
    the DSO, are all it knows.

    Attributes:
        graph: Who may trade with whom.
        rules: Penalty, proximal term and tolerances.
        bids: The ledger of bids and LMPs.
        power_kw: Sharing power p_ij as last published, (arc, period).
        quoted_kw: The same as it is quoted: after the pair's last change, over-relaxed in the order `proximal_jacobi`,
            (arc, period).
        price_usd_per_kwh: Sharing price pi, one per pair, (link, period).
        trade_kw: The reciprocal trades (p_ij - p_ji) / 2, what a link's end a buys from its end b, (link, period).
        mismatch_kw: p_ij + p_ji after the last round, (link, period).
        moved_usd_per_kwh: rho |z^{k+1} - z^k| of the last round, z as quoted, (link, period).
        tightness: How many times closer than its tolerances partners must agree by now.
        rounds: Rounds of Algorithm 1 since the DSO's announcement.

    A pair changes when both ends have answered what it was quoted since its last change; until then it waits, and so do
    bids (see `BidExchange`). With messages that all arrive, that is in every round.
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
        self.bids = BidExchange(PriceCurve.flat(np.zeros((len(graph.names), periods))))
        shape = len(graph.links), periods
        self.power_kw = np.zeros((2 * shape[0], periods))
        self.quoted_kw = self.power_kw.copy()
        self.price_usd_per_kwh = np.zeros(shape)
        self.trade_kw = np.zeros(shape)
        self._trade_kw = self.trade_kw  # as quoted
        self.mismatch_kw = self.moved_usd_per_kwh = np.full(shape, np.inf)
        self.tightness = 1.0
        self.rounds = 0
        self._pairs, self._bids = UpdateGate(len(graph.links)), UpdateGate(len(graph.names))
        self._answered = np.full(len(graph.names), NEVER)
        self._penalty = AdaptivePenalty(np.full(shape, rules.penalty_usd_per_kw2h))
        self._asked_usd_per_kwh = np.zeros_like(self.power_kw)
        self._volume_kw = np.zeros(len(graph.names))

    @property
    def penalty_usd_per_kw2h(self) -> FloatArray:
        """Penalty rho of (20) and (21), (link, period)."""
        return self._penalty.value

    @property
    def lmp_usd_per_kwh(self) -> FloatArray:
        """The LMPs it relays, (prosumer, period)."""
        return self.bids.lmp_usd_per_kwh

    def open(self, curve: PriceCurve, bid_kw: FloatArray) -> None:
        """Begin Algorithm 1 at what the DSO announces, with these bids, (prosumer, period)."""
        before = self.bids.quoted.lmp_usd_per_kwh
        self.bids.bid_kw = bid_kw.copy()
        self.bids.open(curve, bid_kw, self._size_kw(), self.rules.penalty_usd_per_kw2h)
        self._follow(before, np.ones(len(self.graph.links), dtype=bool))
        self.rounds = 0
        self._pairs, self._bids = UpdateGate(len(self.graph.links)), UpdateGate(len(self.graph.names))
        self._answered[:] = NEVER
        self._penalty = AdaptivePenalty(self._penalty.value)

    def quotes(self, members: tuple[int, ...]) -> Quotes:
        """What the named prosumers are told before they answer."""
        penalty, terms = self.penalty_usd_per_kw2h[self.graph.link], self.bids.quoted
        return Quotes(
            members,
            frozen(terms.lmp_usd_per_kwh),
            frozen(terms.held_kw),
            frozen(terms.weight_usd_per_kw2h),
            frozen(self.price_usd_per_kwh[self.graph.link]),
            frozen(self.quoted_kw.copy()),
            frozen(self.quoted_kw[self.graph.reverse]),
            frozen(penalty),
            frozen(penalty if self.rules.proximal else np.zeros_like(penalty)),
        )

    def receive(self, offers: Offers, quoted_in: int | None = None) -> None:
        """Write down what the prosumers published.

        Args:
            offers: Their offers; those of who has meanwhile answered a later quote are of no use any more.
            quoted_in: In which round they were quoted what they answer; this one by default.
        """
        asked = self.rounds if quoted_in is None else quoted_in
        told = np.zeros(len(self.graph.names), dtype=bool)
        told[list(offers.members)] = True
        told &= self._answered <= asked
        self._answered[told] = asked
        arcs = told[self.graph.owner]
        self.power_kw[arcs] = offers.power_kw[arcs]
        self._asked_usd_per_kwh[arcs] = offers.price_usd_per_kwh[arcs]
        self.bids.bid_kw[told] = offers.bid_kw[told]
        if not self.rules.proximal:
            self.quoted_kw[arcs] = offers.power_kw[arcs]

    def update_prices(self, sell: Sell) -> None:
        """Algorithm 1, line 6: the price update (21), started from the mean of the two ends' prices.

        The DSO answers the bids in the same way (`sell` is how, where it follows no curve), and the penalties adapt.
        """
        a, b = self.graph.forward, self.graph.backward
        at_a, at_b = self.power_kw[a], self.power_kw[b]
        fresh = self._pairs.take(np.minimum(*(self._answered[self.graph.owner[end]] for end in (a, b))), self.rounds)
        new = fresh[:, None]
        self.mismatch_kw = np.where(new, at_a + at_b, self.mismatch_kw)
        self.trade_kw = np.where(new, (at_a - at_b) / 2, self.trade_kw)
        extra = RELAXATION - 1 if self.rules.proximal else 0.0
        self.quoted_kw[a] = np.where(new, at_a + extra * (at_a - self._trade_kw), self.quoted_kw[a])
        self.quoted_kw[b] = np.where(new, at_b + extra * (at_b + self._trade_kw), self.quoted_kw[b])
        before, self._trade_kw = self._trade_kw, (self.quoted_kw[a] - self.quoted_kw[b]) / 2
        moved = self.penalty_usd_per_kw2h * np.abs(self._trade_kw - before)
        self.moved_usd_per_kwh = np.where(new, moved, self.moved_usd_per_kwh)
        mean = (self._asked_usd_per_kwh[a] + self._asked_usd_per_kwh[b]) / 2
        price = mean + self.penalty_usd_per_kw2h * (self.quoted_kw[a] + self.quoted_kw[b])
        self.price_usd_per_kwh = np.where(new, price, self.price_usd_per_kwh)
        self._end_round(sell, fresh)

    def settle_centrally(
        self, trade_kw: FloatArray, price_usd_per_kwh: FloatArray, bid_kw: FloatArray, sell: Sell
    ) -> None:
        """Write down what a central solver found (Case 2): trades and prices, (link, period), and the bids."""
        self.trade_kw, self.price_usd_per_kwh = trade_kw, price_usd_per_kwh
        self.power_kw[self.graph.forward] = trade_kw
        self.power_kw[self.graph.backward] = -trade_kw
        self.quoted_kw, self._trade_kw = self.power_kw.copy(), trade_kw
        self.mismatch_kw = self.moved_usd_per_kwh = np.zeros_like(trade_kw)
        self.bids.bid_kw = bid_kw.copy()
        self._answered[:] = self.rounds
        self._end_round(sell, self._pairs.take(np.full(len(trade_kw), self.rounds), self.rounds))

    def _end_round(self, sell: Sell, fresh: BoolArray) -> None:
        before = self.bids.quoted.lmp_usd_per_kwh
        self.bids.answer(sell, RELAXATION if self.rules.proximal else 1.0, self._bids.take(self._answered, self.rounds))
        if self.rounds < FOLLOWING:
            self._follow(before, fresh)
        self.rounds += 1
        if self.rules.adapt_penalty and self.rounds % EVERY == 0:
            self._balance_residuals()

    @property
    def primal_kw(self) -> float:
        """Primal residual: max |p_ij + p_ji|, and by how much bids miss what the DSO wants."""
        return float(max(np.abs(part).max(initial=0.0) for part in (self.mismatch_kw, self.bids.mismatch_kw)))

    @property
    def dual_usd_per_kwh(self) -> float:
        """Dual residual: max rho |z^{k+1} - z^k|, and the same of the bids."""
        return float(max(part.max(initial=0.0) for part in (self.moved_usd_per_kwh, self.bids.moved_usd_per_kwh)))

    @property
    def converged(self) -> bool:
        """Whether Algorithm 1 has converged: both residuals are within tolerance."""
        rules = self.rules
        agreed = self.primal_kw <= max(rules.primal_tolerance_kw / self.tightness, rules.resolution_kw)
        finest = rules.resolution_kw * max(
            float(penalty.max(initial=0.0)) for penalty in (self.penalty_usd_per_kw2h, self.bids.penalty.value)
        )
        still = self.dual_usd_per_kwh <= max(rules.dual_tolerance_usd_per_kwh / self.tightness, finest)
        return agreed and still and self._pairs.all_have_had_one and self._bids.all_have_had_one

    def tighten(self) -> None:
        """Ask for closer agreement from now on: what was agreed leaves too much regret."""
        self.tightness = min(TIGHTER * self.tightness, TIGHTEST)

    @property
    def tightest(self) -> bool:
        """Whether partners can be asked for no closer agreement."""
        finest = self.rules.primal_tolerance_kw / self.tightness <= self.rules.resolution_kw
        return finest or self.tightness >= TIGHTEST

    def deliveries(self, lmp_usd_per_kwh: FloatArray | None = None) -> Deliveries:
        """What every prosumer is told when sharing has ended: reciprocal trades and their prices.

        Args:
            lmp_usd_per_kwh: Other LMPs than those at which sharing ended, (prosumer, period); sharing prices follow.
        """
        trade = np.empty_like(self.power_kw)
        trade[self.graph.forward] = self.trade_kw
        trade[self.graph.backward] = -self.trade_kw
        lmp, price = self.lmp_usd_per_kwh, self.price_usd_per_kwh
        if lmp_usd_per_kwh is not None:
            lmp, price = lmp_usd_per_kwh, price + self._mean_of_ends(lmp_usd_per_kwh - lmp)
        return Deliveries(frozen(lmp), frozen(price[self.graph.link]), frozen(trade))

    def _follow(self, before: FloatArray, fresh: BoolArray) -> None:
        """The prices of these pairs follow the mean LMP of their two ends."""
        change = self.bids.quoted.lmp_usd_per_kwh - before
        self.price_usd_per_kwh = self.price_usd_per_kwh + fresh[:, None] * self._mean_of_ends(change)

    def _mean_of_ends(self, values: FloatArray) -> FloatArray:
        """Means over the two ends of each link, (link, period), of (prosumer, period)."""
        ends = self.graph.owner[self.graph.forward], self.graph.owner[self.graph.backward]
        return np.asarray((values[ends[0]] + values[ends[1]]) / 2)

    def _balance_residuals(self) -> None:
        """Adapt the penalties, residuals counted in what partners trade and in what a kWh is worth."""
        graph = self.graph
        size = self._size_kw()
        self._volume_kw = size / 2  # what was traded once fades
        smaller = np.minimum(size[graph.owner], size[graph.partner])[graph.forward, None]
        worth = WORTH * max(float(np.abs(self.lmp_usd_per_kwh).mean()), 1e-9)
        bids, finest = self.bids, self.rules.resolution_kw
        for penalty, apart, moved, whole, turns in (
            (self._penalty, self.mismatch_kw, self.moved_usd_per_kwh, smaller, self._pairs),
            (bids.penalty, bids.mismatch_kw, bids.moved_usd_per_kwh, size[:, None], self._bids),
        ):
            primal = np.maximum(np.abs(apart) - finest, 0.0) / whole  # what is finer than that says nothing
            dual = np.maximum(moved - penalty.value * finest, 0.0) / worth
            penalty.balance(primal, dual, turns.since_last_look())

    def _size_kw(self) -> FloatArray:
        """What each prosumer bids and trades in its busiest period, lately, (prosumer,)."""
        volume = np.abs(self.bids.bid_kw)
        np.add.at(volume, self.graph.owner, np.abs(self.power_kw))
        return np.asarray(np.maximum(np.maximum(self._volume_kw, volume.max(axis=1)), _SMALLEST_KW))
