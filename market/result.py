"""What a run found: the schedule, its prices, its bills and its certificate, as arrays and as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..agents.arrays import FloatArray
from ..agents.trade_graph import TradeGraph
from ..network.dispatch import Dispatch
from ..network.feeder import Feeder
from .hosting.incident import Incident
from .hosting.timing import Timing
from .outcome import Outcome
from .proof.certificate import Certificate
from .proof.diagnosis import Diagnosis
from .proof.settlement import Settlement
from .rounds import Phase

if TYPE_CHECKING:
    from .energy_market import EnergyMarket


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What a run found. All of it belongs to one schedule: the one that was cleared last.

    Attributes:
        outcome, message: How the run ended, and that in words.
        outer_iterations: Outer steps of Algorithm 2.
        sharing_rounds: Rounds of Algorithm 1 in each outer step.
        clearings, elastic_clearings: How often the DSO cleared for bids, and with elastic bids (`admm`).
        diagnosis: Where Algorithm 1 stood at the end; None before the first round.
        feeder, dispatch: The network and its last clearing.
        graph: Who may trade with whom.
        buses: The bus of each prosumer.
        dt_h: Length of a period in hours.
        lmp_usd_per_kwh: LMP at every prosumer's bus, (prosumer, period).
        price_usd_per_kwh: Sharing prices, (link, period).
        trade_kw: Trades by link, > 0 when its end a buys from its end b, (link, period).
        bid_kw, elastic_kw, curtailed_kw, fixed_kw, renewable_kw: (prosumer, period).
        prosumer_cost_usd: F_i of (11): bids at the LMP less utility; trades are not in it, (prosumer,).
        payment_usd: What each pays for its trades; sums to zero, (prosumer,).
        utility_usd: (12), (prosumer,).
        reciprocity_kw: By how much the two ends of a link differ in what they trade (16), at most.
        max_violation_kw: By how much an elastic load leaves its limits (14) to keep the trades reciprocal, at most.
        certificate: How far the schedule is from the equilibrium.
        settlement: Who pays whom, in whole cents.
        seconds: Time spent by phase.
        timing: What it took to ask the communities of prosumers.
        incidents: Whom the market has lost on the way, and replaced.
        unsaved_because: Why prosumers could not be saved on the way, if they could not; empty otherwise.
    """

    outcome: Outcome
    message: str
    outer_iterations: int
    sharing_rounds: list[int]
    clearings: int
    elastic_clearings: int
    diagnosis: Diagnosis | None
    feeder: Feeder
    dispatch: Dispatch
    graph: TradeGraph
    buses: tuple[str, ...]
    dt_h: float
    lmp_usd_per_kwh: FloatArray
    price_usd_per_kwh: FloatArray
    trade_kw: FloatArray
    bid_kw: FloatArray
    elastic_kw: FloatArray
    curtailed_kw: FloatArray
    fixed_kw: FloatArray
    renewable_kw: FloatArray
    prosumer_cost_usd: FloatArray
    payment_usd: FloatArray
    utility_usd: FloatArray
    reciprocity_kw: float
    max_violation_kw: float
    certificate: Certificate
    settlement: Settlement
    seconds: dict[str, float]
    timing: Timing
    incidents: tuple[Incident, ...]
    unsaved_because: str

    @classmethod
    def of(cls, market: EnergyMarket) -> Result:
        """What a market has found so far; bids that wait for their clearing are cleared first."""
        if market.phase is Phase.CLEARING:
            market.step()
        dispatch = market.operator.cleared
        graph, lmp, price = market.graph, market.lmp_usd_per_kwh, market.price_usd_per_kwh
        books = market.books()
        trade = books.trade_kw[graph.forward]
        return cls(
            outcome=market.outcome,
            message=market.message,
            outer_iterations=market.iteration,
            sharing_rounds=list(market.sharing_rounds),
            clearings=market.operator.clearings,
            elastic_clearings=market.operator.elastic_clearings,
            diagnosis=market.diagnosis,
            feeder=market.operator.clearing.feeder,
            dispatch=dispatch,
            graph=graph,
            buses=market.buses,
            dt_h=market.dt_h,
            lmp_usd_per_kwh=lmp,
            price_usd_per_kwh=price,
            trade_kw=trade,
            bid_kw=books.bid_kw,
            elastic_kw=books.elastic_kw,
            curtailed_kw=books.curtailed_kw,
            fixed_kw=books.fixed_kw,
            renewable_kw=books.renewable_kw,
            prosumer_cost_usd=books.cost_usd,
            payment_usd=books.payment_usd,
            utility_usd=books.utility_usd,
            reciprocity_kw=float(np.abs(trade + books.trade_kw[graph.backward]).max(initial=0.0)),
            max_violation_kw=float(books.violation_kw.max()),
            certificate=market.certificate(),
            settlement=Settlement.of(
                graph,
                bid_kw=books.bid_kw,
                lmp_usd_per_kwh=lmp,
                trade_kw=trade,
                price_usd_per_kwh=price,
                load_usd=market.dt_h * float((market.operator.clearing.load_kw * dispatch.lmp_usd_per_kwh).sum()),
                generation_usd=_generation_usd(market.operator.clearing.feeder, dispatch),
                dt_h=market.dt_h,
            ),
            seconds=dict(market.seconds),
            timing=market.communities.timing,
            incidents=tuple(market.communities.incidents),
            unsaved_because=market.communities.unsaved_because,
        )

    @property
    def settled(self) -> bool:
        """Whether the certificate is below the tolerance and the feeder serves everybody."""
        return self.outcome is Outcome.SETTLED

    @property
    def names(self) -> tuple[str, ...]:
        """The prosumers."""
        return self.graph.names

    @property
    def regret_usd(self) -> FloatArray:
        """What each prosumer could still gain by deviating, (prosumer,) in $."""
        return self.certificate.regret_usd

    @property
    def dso_cost_usd(self) -> float:
        """Cost (1) of the dispatch in $."""
        return self.dispatch.cost_usd

    @property
    def welfare_usd(self) -> float:
        """Total utility less the DSO's cost, in $."""
        return float(self.utility_usd.sum()) - self.dso_cost_usd

    @property
    def bought_kw(self) -> FloatArray:
        """What each prosumer buys from its partners, (prosumer, period)."""
        return self._by_owner(np.maximum(self._arc_kw(), 0.0))

    @property
    def sold_kw(self) -> FloatArray:
        """What each prosumer sells to its partners, (prosumer, period)."""
        return self._by_owner(np.maximum(-self._arc_kw(), 0.0))

    @property
    def net_trade_kw(self) -> FloatArray:
        """What each prosumer buys less what it sells, (prosumer, period)."""
        return self._by_owner(self._arc_kw())

    @property
    def bills(self) -> pd.DataFrame:
        """Who pays whom: account, item, counterparty, amount_usd (> 0: the account receives)."""
        return self.settlement.frame()

    @property
    def prosumers(self) -> pd.DataFrame:
        """The schedule: one row per prosumer and period."""
        frame = self._long("prosumer", self.names, self.bid_kw.shape[1])
        for column in ("bid_kw", "elastic_kw", "curtailed_kw", "fixed_kw", "renewable_kw"):
            frame[column] = getattr(self, column).ravel()
        frame["net_trade_kw"] = self.net_trade_kw.ravel()
        frame["lmp_usd_per_kwh"] = self.lmp_usd_per_kwh.ravel()
        return frame

    @property
    def trades(self) -> pd.DataFrame:
        """The trades: one row per link and period; trade_kw > 0 when `a` buys from `b`."""
        frame = self._long("link", [link.name for link in self.graph.links], self.bid_kw.shape[1])
        periods = self.bid_kw.shape[1]
        frame["a"] = np.repeat([link.a for link in self.graph.links], periods)
        frame["b"] = np.repeat([link.b for link in self.graph.links], periods)
        frame["trade_kw"] = self.trade_kw.ravel()
        frame["price_usd_per_kwh"] = self.price_usd_per_kwh.ravel()
        return frame

    @property
    def prices(self) -> pd.DataFrame:
        """The LMPs with their four components and the reactive price: one row per bus and period, $/kWh."""
        dispatch = self.dispatch
        frame = self._long("bus", self.feeder.names, self.bid_kw.shape[1])
        frame["lmp_usd_per_kwh"] = dispatch.lmp_usd_per_kwh.ravel()
        for part in ("energy", "loss", "voltage", "congestion"):
            frame[f"{part}_usd_per_kwh"] = getattr(dispatch.components, part).ravel()
        frame["reactive_usd_per_kvarh"] = dispatch.q_price_usd_per_kvarh.ravel()
        return frame

    @property
    def network(self) -> pd.DataFrame:
        """The state of the feeder: one row per bus and period, flows on the line that feeds the bus (sending end)."""
        dispatch = self.dispatch
        frame = self._long("bus", self.feeder.names, self.bid_kw.shape[1])
        for column in ("v_pu", "p_flow_kw", "q_flow_kvar", "i_a", "loss_kw", "unserved_kw", "cone_gap"):
            frame[column] = getattr(dispatch, column).ravel()
        return frame

    def _arc_kw(self) -> FloatArray:
        """The trades by arc, > 0 where its owner buys, (arc, period)."""
        arcs = np.zeros((self.graph.owner.size, self.bid_kw.shape[1]))
        arcs[self.graph.forward], arcs[self.graph.backward] = self.trade_kw, -self.trade_kw
        return arcs

    def _by_owner(self, arcs: FloatArray) -> FloatArray:
        """Sums over the arcs of each prosumer, (prosumer, period)."""
        total = np.zeros_like(self.bid_kw)
        np.add.at(total, self.graph.owner, arcs)
        return total

    @staticmethod
    def _long(what: str, names: list[str] | tuple[str, ...], periods: int) -> pd.DataFrame:
        return pd.DataFrame(
            {
                what: np.repeat(np.array(names, dtype=object), periods),
                "period": np.tile(np.arange(1, periods + 1), len(names)),
            }
        )


def _generation_usd(feeder: Feeder, dispatch: Dispatch) -> dict[str, float]:
    """Cost (1) by generator, in $."""
    return {
        g.name: dispatch.dt_h * float((g.a_usd_per_kw2h * p**2 + g.b_usd_per_kwh * p + g.c_usd_per_h).sum())
        for g, p in zip(feeder.generators, dispatch.p_gen_kw, strict=True)
    }
