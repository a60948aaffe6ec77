"""The sharing platform agent: the ledger of links, powers and prices."""

import mesa
import numpy as np

from .arrays import FloatArray, frozen
from .messages import Deliveries, Offers, Quotes
from .trade_graph import TradeGraph


class SharingPlatform(mesa.Agent):
    """Keeps the ledger of Algorithm 1 and moves each pair's price by what the pair disagrees about (21).

    It never sees a cost curve, a load or a forecast: powers and prices on the links are all it knows.

    Attributes:
        graph: Who may trade with whom.
        power_kw: Sharing power p_ij as last published, (arc, period).
        price_usd_per_kwh: Sharing price pi, one per pair, (link, period).
        penalty_usd_per_kw2h: rho of (20) and (21), (link, period).
        primal_kw: max |p_ij + p_ji| after the last round.
        dual_usd_per_kwh: max rho |z^{k+1} - z^k| after the last round, z = (p_ij - p_ji) / 2.
    """

    def __init__(self, model: mesa.Model, graph: TradeGraph, periods: int, penalty: float, *, proximal: bool) -> None:
        """Open an empty ledger.

        Args:
            model: The market.
            graph: Who may trade with whom.
            periods: Number of periods.
            penalty: rho of (20), in $/kW²h, the same for all pairs and periods.
            proximal: Whether quotes carry the proximal term of the order `proximal`.
        """
        super().__init__(model)
        self.graph = graph
        self.proximal = proximal
        links = len(graph.links)
        self.power_kw = np.zeros((2 * links, periods))
        self.price_usd_per_kwh = np.zeros((links, periods))
        self.penalty_usd_per_kw2h = np.full((links, periods), penalty)
        self.primal_kw = self.dual_usd_per_kwh = np.inf
        self._trade_kw = np.zeros((links, periods))
        self._asked_usd_per_kwh = np.zeros((2 * links, periods))

    def start_prices(self, lmp_usd_per_kwh: FloatArray) -> None:
        """Start each pair's price at the mean of its two ends' LMPs, (prosumer, period)."""
        both = lmp_usd_per_kwh[self.graph.owner] + lmp_usd_per_kwh[self.graph.partner]
        self.price_usd_per_kwh = both[self.graph.forward] / 2

    def quotes(self, lmp_usd_per_kwh: FloatArray, members: tuple[int, ...]) -> Quotes:
        """What the named prosumers are told before they answer; LMPs are (prosumer, period)."""
        penalty = self.penalty_usd_per_kw2h[self.graph.link]
        return Quotes(
            members,
            frozen(lmp_usd_per_kwh),
            frozen(self.price_usd_per_kwh[self.graph.link]),
            frozen(self.power_kw.copy()),
            frozen(self.power_kw[self.graph.reverse]),
            frozen(penalty),
            frozen(penalty if self.proximal else np.zeros_like(penalty)),
        )

    def receive(self, offers: Offers) -> None:
        """Write down what the prosumers published."""
        for member in offers.members:
            arcs = self.graph.arcs(member)
            self.power_kw[arcs] = offers.power_kw[arcs]
            self._asked_usd_per_kwh[arcs] = offers.price_usd_per_kwh[arcs]

    def update_prices(self) -> None:
        """Algorithm 1, line 6: the price update (21), started from the mean of the two ends' prices."""
        ends = self.graph.forward, self.graph.backward
        mismatch = self.power_kw[ends[0]] + self.power_kw[ends[1]]
        mean = (self._asked_usd_per_kwh[ends[0]] + self._asked_usd_per_kwh[ends[1]]) / 2
        self.price_usd_per_kwh = mean + self.penalty_usd_per_kw2h * mismatch
        trade = (self.power_kw[ends[0]] - self.power_kw[ends[1]]) / 2
        self.primal_kw = float(np.abs(mismatch).max(initial=0.0))
        moved = self.penalty_usd_per_kw2h * np.abs(trade - self._trade_kw)
        self.dual_usd_per_kwh = float(moved.max(initial=0.0))
        self._trade_kw = trade

    def settle_centrally(self, trade_kw: FloatArray, price_usd_per_kwh: FloatArray) -> None:
        """Write down trades and prices, (link, period), that a central solver found (Case 2)."""
        self._trade_kw, self.price_usd_per_kwh = trade_kw, price_usd_per_kwh
        self.power_kw[self.graph.forward] = trade_kw
        self.power_kw[self.graph.backward] = -trade_kw
        self.primal_kw = self.dual_usd_per_kwh = 0.0

    @property
    def trade_kw(self) -> FloatArray:
        """The reciprocal trades z, (link, period): what a link's end a buys from its end b."""
        return self._trade_kw

    def deliveries(self, lmp_usd_per_kwh: FloatArray) -> Deliveries:
        """What every prosumer is told when sharing has ended: reciprocal trades and their prices."""
        trade = np.empty_like(self.power_kw)
        trade[self.graph.forward] = self._trade_kw
        trade[self.graph.backward] = -self._trade_kw
        return Deliveries(frozen(lmp_usd_per_kwh), frozen(self.price_usd_per_kwh[self.graph.link]), frozen(trade))
