"""What a run found: the schedule, its prices, its bills and its certificate, as arrays and as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ..agents.messages import Deliveries
from ..agents.operator import SystemOperator
from ..agents.trade_graph import TradeGraph
from ..network.arrays import FloatArray
from ..network.dispatch import Dispatch
from ..network.feeder import Feeder
from .columns import Names, frame
from .device_schedules import DeviceSchedules
from .hosting.timing import HostingReport
from .messages import PrivateSchedules
from .money import ResultMoney
from .outcome import Ending, Outcome
from .proof.certificate import Certificate
from .proof.diagnosis import Diagnosis
from .proof.settlement import Settlement
from .settings import NetworkUse
from .tables import ResultTables, network_charge

if TYPE_CHECKING:
    import pandas as pd

_NEGLIGIBLE = 1e-6  # relative: no price, and no power


@dataclass(frozen=True, eq=False)
class RunFacts:
    """How a run went.

    Attributes:
        graph: Who may trade with whom.
        network_use: What of prosumers the network carries: what they withdraw, trades included, or only bids.
        ending: How it ended, or that it has not, and that in words.
        sharing_rounds: Rounds of Algorithm 1 in each outer step.
        clearings, elastic_clearings: How often the DSO cleared for bids, and with elastic bids (`admm`, and `newton`
            at kinks).
        diagnosis: Where Algorithm 1 stood at the end; None before the first round.
        seconds: Time spent by phase.
        hosting: Where the prosumers lived, what it took to ask them, and whom the market has lost on the way.
    """

    graph: TradeGraph
    network_use: NetworkUse
    ending: Ending
    sharing_rounds: list[int]
    clearings: int
    elastic_clearings: int
    diagnosis: Diagnosis | None
    seconds: dict[str, float]
    hosting: HostingReport

    @property
    def names(self) -> tuple[str, ...]:
        """The prosumers."""
        return self.graph.names

    @property
    def outcome(self) -> Outcome:
        """How the run ended."""
        return self.ending.outcome

    @property
    def message(self) -> str:
        """That in words."""
        return self.ending.message

    @property
    def settled(self) -> bool:
        """Whether the certificate is below the tolerance and the feeder serves everybody."""
        return self.outcome is Outcome.SETTLED

    @property
    def outer_iterations(self) -> int:
        """Outer steps of Algorithm 2."""
        return len(self.sharing_rounds)


@dataclass(frozen=True, eq=False, repr=False)
class Result(RunFacts, ResultMoney, ResultTables):
    """What a run found. All of it belongs to one schedule: the one that was cleared last.

    Attributes: those of `RunFacts`, `ResultMoney` and `ResultTables`, and
        feeder, dispatch: The network and its last clearing.
        prosumer_buses: The bus of each prosumer.
        dt_h: Length of a period in hours.
        lmp_usd_per_kwh: LMP at every prosumer's bus, (prosumer, period).
        price_usd_per_kwh: Sharing prices, (link, period): what the buyer pays to the seller. Where trades load the
            wires, each end pays half of `network_charge_usd_per_kwh` to the DSO beside it.
        trade_kw: Trades by link, > 0 when its end a buys from its end b, (link, period).
        bid_kw, elastic_kw, curtailed_kw, fixed_kw, renewable_kw: (prosumer, period).
        prosumer_cost_usd: F_i of (11): bids at the LMP and their fees less utility; trades are not in it, (prosumer,).
        grid_fee_usd, feed_in_fee_usd: The fees in it, (prosumer,).
        network_charge_usd: What the network charges for the trades of each link, half of it from each end, (link,).
        sharing_fee_usd: What each link's ends pay together in fees on their trades, (link,).
        payment_usd: What each pays to its partners for its trades; sums to zero, (prosumer,).
        utility_usd: (12), (prosumer,).
        device_schedules: What devices cost, and what each of them does.
        reciprocity_kw: By how much the two ends of a link differ in what they trade (16), at most.
        max_violation_kw: By how much an elastic load leaves its limits (14) to keep the trades reciprocal, at most.
        certificate: How far the schedule is from the equilibrium.
        settlement: Who pays whom, in whole cents.
    """

    feeder: Feeder
    dispatch: Dispatch
    prosumer_buses: tuple[str, ...]
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
    grid_fee_usd: FloatArray
    feed_in_fee_usd: FloatArray
    network_charge_usd: FloatArray
    sharing_fee_usd: FloatArray
    payment_usd: FloatArray
    utility_usd: FloatArray
    device_schedules: DeviceSchedules
    reciprocity_kw: float
    max_violation_kw: float
    certificate: Certificate
    settlement: Settlement

    @classmethod
    def of(
        cls,
        operator: SystemOperator,
        dispatch: Dispatch,
        valued: Deliveries,
        schedules: PrivateSchedules,
        certificate: Certificate,
        facts: RunFacts,
        devices: Sequence[tuple[str, str]] = (),
    ) -> Result:
        """What has been found.

        Args:
            operator: The DSO.
            dispatch: The dispatch of the schedules.
            valued: The LMPs and sharing prices (whole prices, no mark-ups) that they are valued at.
            schedules: What prosumers are committed to, at these prices.
            certificate: What is proven of them.
            facts: How the run went.
            devices: Owner and name of each device, in the order of the schedules.
        """
        graph, clearing, dt_h = facts.graph, operator.clearing, operator.clearing.dt_h
        lmp, price = valued.lmp_usd_per_kwh, valued.price_usd_per_kwh[graph.forward]
        trade, charged = schedules.trade_kw[graph.forward], facts.network_use is NetworkUse.WITHDRAWALS
        network_charge_usd = dt_h * charged * (network_charge(graph, lmp) * trade).sum(axis=1)
        sharing_fee_usd = dt_h * graph.fee_usd_per_kwh * np.abs(trade).sum(axis=1)
        settlement = Settlement.of(
            graph,
            bid_kw=schedules.bid_kw,
            lmp_usd_per_kwh=lmp,
            trade_kw=trade,
            price_usd_per_kwh=price,
            load_usd=dt_h * float((clearing.load_kw * dispatch.lmp_usd_per_kwh).sum()),
            generation_usd=_generation_usd(clearing.feeder, dispatch),
            dt_h=dt_h,
        ).charging(
            graph,
            network_charge_usd=network_charge_usd if charged else None,
            grid_fee_usd=schedules.grid_fee_usd,
            feed_in_fee_usd=schedules.feed_in_fee_usd,
            sharing_fee_usd=sharing_fee_usd,
        )
        return cls(
            **{cell.name: getattr(facts, cell.name) for cell in fields(RunFacts)},
            feeder=clearing.feeder,
            dispatch=dispatch,
            prosumer_buses=tuple(clearing.feeder.names[n] for n in operator.connection),
            dt_h=dt_h,
            lmp_usd_per_kwh=lmp,
            price_usd_per_kwh=price,
            trade_kw=trade,
            bid_kw=schedules.bid_kw,
            elastic_kw=schedules.elastic_kw,
            curtailed_kw=schedules.curtailed_kw,
            fixed_kw=schedules.fixed_kw,
            renewable_kw=schedules.renewable_kw,
            prosumer_cost_usd=schedules.cost_usd,
            grid_fee_usd=schedules.grid_fee_usd,
            feed_in_fee_usd=schedules.feed_in_fee_usd,
            network_charge_usd=network_charge_usd,
            sharing_fee_usd=sharing_fee_usd,
            payment_usd=schedules.payment_usd,
            utility_usd=schedules.utility_usd,
            device_schedules=DeviceSchedules.of(schedules, devices),
            reciprocity_kw=float(np.abs(trade + schedules.trade_kw[graph.backward]).max(initial=0.0)),
            max_violation_kw=float(schedules.violation_kw.max()),
            certificate=certificate,
            settlement=settlement,
        )

    def __repr__(self) -> str:
        return f"<Result: {self.message}; DSO cost {self.dso_cost_usd:,.2f} $, welfare {self.welfare_usd:,.2f} $>"

    @property
    def totals(self) -> pd.DataFrame:
        """One row per prosumer: its energies over all periods, what it pays, and what it regrets."""
        kw = {"bid": self.bid_kw, "elastic": self.elastic_kw, "bought": self.bought_kw, "sold": self.sold_kw}
        energies = {f"{name}_kwh": self.dt_h * power.sum(axis=1) for name, power in kw.items()}
        paid = {"cost_usd": self.prosumer_cost_usd, "payment_usd": self.payment_usd, "charges_usd": self.charges_usd}
        names = Names(self.names, np.arange(len(self.names)))
        columns = {"prosumer": names, **energies, **paid, "regret_usd": self.certificate.regret_usd}
        return frame(columns).set_index("prosumer")

    def _repr_html_(self) -> str:
        """The same in a notebook, with how the run ended and what is proven."""
        said = "".join(f"<p>{escape(sentence)}</p>" for sentence in (self.message, str(self.certificate)))
        return f"{self.totals.to_html(float_format='{:,.4g}'.format)}{said}"

    @property
    def settled_for(self) -> str:
        """For whom it has settled: "everybody", or "declared" if not all are price takers; empty if it has not."""
        if not self.settled:
            return ""
        return "declared" if self.certificate.conduct.behaving else "everybody"

    @property
    def regret_usd(self) -> FloatArray:
        """What each prosumer could still gain by deviating, (prosumer,) in $."""
        return self.certificate.regret_usd


def _generation_usd(feeder: Feeder, dispatch: Dispatch) -> dict[str, float]:
    """Cost (1) by generator, in $."""
    return {
        g.name: dispatch.dt_h * float((g.a_usd_per_kw2h * p**2 + g.b_usd_per_kwh * p + g.c_usd_per_h).sum())
        for g, p in zip(feeder.generators, dispatch.p_gen_kw, strict=True)
    }


def device_doubts(result: Result) -> list[str]:
    """Who charges and discharges at once, in words; whether that pays is said by LMPs, and by what is curtailed."""
    paid, size = result.lmp_usd_per_kwh, np.maximum(1.0, result.renewable_kw)
    worthless = (paid <= _NEGLIGIBLE * np.abs(paid).max(initial=0.0)) | (result.curtailed_kw > _NEGLIGIBLE * size)
    return result.device_schedules.doubts(result.when, dict(zip(result.names, worthless, strict=True)))
