"""The sharing platform agent: the ledger of links, powers and prices."""

import mesa
import numpy as np

from .arrays import FloatArray, frozen
from .messages import Deliveries, Offers, Quotes
from .sharing_rules import SharingRules
from .trade_graph import TradeGraph

# Residual balancing (Boyd et al. 2011, section 3.4.1), for each pair and period by itself: where one residual, counted
# in its tolerance, exceeds the other RATIO times, the penalty changes by FACTOR. Penalties rest after ADAPTING_ROUNDS,
# because convergence is proven for penalties that stop changing.
RATIO, FACTOR, EVERY, ADAPTING_ROUNDS = 3.0, 2.0, 2, 200


class SharingPlatform(mesa.Agent):
    """Keeps the ledger of Algorithm 1 and moves each pair's price by what the pair disagrees about (21).

    It never sees a cost curve, a load or a forecast: powers and prices on the links are all it knows.

    Attributes:
        graph: Who may trade with whom.
        rules: Penalty, proximal term and tolerances.
        power_kw: Sharing power p_ij as last published, (arc, period).
        price_usd_per_kwh: Sharing price pi, one per pair, (link, period).
        penalty_usd_per_kw2h: rho of (20) and (21), (link, period).
        trade_kw: The reciprocal trades z = (p_ij - p_ji) / 2, what a link's end a buys from its end b, (link, period).
        mismatch_kw: p_ij + p_ji after the last round, (link, period).
        moved_usd_per_kwh: rho |z^{k+1} - z^k| of the last round, (link, period).
        rounds: Rounds of Algorithm 1 since the LMPs were announced.
    """

    def __init__(self, model: mesa.Model, graph: TradeGraph, periods: int, rules: SharingRules) -> None:
        """Open an empty ledger.

        Args:
            model: The market.
            graph: Who may trade with whom.
            periods: Number of periods.
            rules: Penalty, proximal term and tolerances.
        """
        super().__init__(model)
        self.graph, self.rules = graph, rules
        links = len(graph.links)
        self.power_kw = np.zeros((2 * links, periods))
        self.price_usd_per_kwh = np.zeros((links, periods))
        self.penalty_usd_per_kw2h = np.full((links, periods), rules.penalty_usd_per_kw2h)
        self.trade_kw = np.zeros((links, periods))
        self.mismatch_kw = self.moved_usd_per_kwh = np.full((links, periods), np.inf)
        self.rounds = 0
        self._lmp_usd_per_kwh: FloatArray | None = None
        self._asked_usd_per_kwh = np.zeros((2 * links, periods))

    def open(self, lmp_usd_per_kwh: FloatArray) -> None:
        """Begin Algorithm 1 at new LMPs, (prosumer, period): each pair's price follows the mean LMP of its two ends."""
        before = 0.0 if self._lmp_usd_per_kwh is None else self._lmp_usd_per_kwh
        change = np.broadcast_to(lmp_usd_per_kwh - before, lmp_usd_per_kwh.shape)
        both = change[self.graph.owner] + change[self.graph.partner]
        self.price_usd_per_kwh = self.price_usd_per_kwh + both[self.graph.forward] / 2
        self._lmp_usd_per_kwh = lmp_usd_per_kwh
        self.rounds = 0

    def quotes(self, members: tuple[int, ...]) -> Quotes:
        """What the named prosumers are told before they answer."""
        penalty = self.penalty_usd_per_kw2h[self.graph.link]
        return Quotes(
            members,
            frozen(self.lmp_usd_per_kwh),
            frozen(self.price_usd_per_kwh[self.graph.link]),
            frozen(self.power_kw.copy()),
            frozen(self.power_kw[self.graph.reverse]),
            frozen(penalty),
            frozen(penalty if self.rules.proximal else np.zeros_like(penalty)),
        )

    def receive(self, offers: Offers) -> None:
        """Write down what the prosumers published."""
        for member in offers.members:
            arcs = self.graph.arcs(member)
            self.power_kw[arcs] = offers.power_kw[arcs]
            self._asked_usd_per_kwh[arcs] = offers.price_usd_per_kwh[arcs]

    def update_prices(self) -> None:
        """Algorithm 1, line 6: the price update (21), started from the mean of the two ends' prices."""
        a, b = self.graph.forward, self.graph.backward
        trade = (self.power_kw[a] - self.power_kw[b]) / 2
        self.mismatch_kw = self.power_kw[a] + self.power_kw[b]
        self.moved_usd_per_kwh = self.penalty_usd_per_kw2h * np.abs(trade - self.trade_kw)
        mean = (self._asked_usd_per_kwh[a] + self._asked_usd_per_kwh[b]) / 2
        self.price_usd_per_kwh = mean + self.penalty_usd_per_kw2h * self.mismatch_kw
        self.trade_kw = trade
        self.rounds += 1
        if self.rules.adapt_penalty and self.rounds % EVERY == 0 and self.rounds <= ADAPTING_ROUNDS:
            self._balance_residuals()

    def settle_centrally(self, trade_kw: FloatArray, price_usd_per_kwh: FloatArray) -> None:
        """Write down trades and prices, (link, period), that a central solver found (Case 2)."""
        self.trade_kw, self.price_usd_per_kwh = trade_kw, price_usd_per_kwh
        self.power_kw[self.graph.forward] = trade_kw
        self.power_kw[self.graph.backward] = -trade_kw
        self.mismatch_kw = self.moved_usd_per_kwh = np.zeros_like(trade_kw)

    @property
    def lmp_usd_per_kwh(self) -> FloatArray:
        """The LMPs it relays, (prosumer, period); call `open` first."""
        assert self._lmp_usd_per_kwh is not None, "no LMPs have been announced"
        return self._lmp_usd_per_kwh

    @property
    def primal_kw(self) -> float:
        """Primal residual: max |p_ij + p_ji|."""
        return float(np.abs(self.mismatch_kw).max(initial=0.0))

    @property
    def dual_usd_per_kwh(self) -> float:
        """Dual residual: max rho |z^{k+1} - z^k|."""
        return float(self.moved_usd_per_kwh.max(initial=0.0))

    @property
    def converged(self) -> bool:
        """Whether Algorithm 1 has converged: both residuals are within tolerance."""
        rules = self.rules
        agreed = self.primal_kw <= rules.primal_tolerance_kw
        return agreed and self.dual_usd_per_kwh <= rules.dual_tolerance_usd_per_kwh

    def deliveries(self) -> Deliveries:
        """What every prosumer is told when sharing has ended: reciprocal trades and their prices."""
        trade = np.empty_like(self.power_kw)
        trade[self.graph.forward] = self.trade_kw
        trade[self.graph.backward] = -self.trade_kw
        price = self.price_usd_per_kwh[self.graph.link]
        return Deliveries(frozen(self.lmp_usd_per_kwh), frozen(price), frozen(trade))

    def _balance_residuals(self) -> None:
        primal = np.abs(self.mismatch_kw) / self.rules.primal_tolerance_kw
        dual = self.moved_usd_per_kwh / self.rules.dual_tolerance_usd_per_kwh
        raise_it = (primal > RATIO * dual) & (primal > 1 / RATIO)
        lower_it = (dual > RATIO * primal) & (dual > 1 / RATIO)
        self.penalty_usd_per_kw2h = self.penalty_usd_per_kw2h * np.where(
            raise_it, FACTOR, np.where(lower_it, 1 / FACTOR, 1.0)
        )
