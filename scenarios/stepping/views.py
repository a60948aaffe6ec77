"""What can be asked at any round: one prosumer's own view, a link with both its ends, a bus, who is slowest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...agents.household import Household
from ...agents.prosumer import Prosumer
from ...market.rounds import Phase
from ...network.arrays import FloatArray
from ...network.calendars import Calendar
from ...network.dispatch import Dispatch
from ...network.periods import period_name
from ..files.tree import did_you_mean
from .device_flows import committed, planned
from .errors import SessionError

if TYPE_CHECKING:
    import pandas as pd

    from ...market.energy_market import EnergyMarket
    from ...market.result import Result


_AGREED = "close enough to try what would be delivered"


@dataclass(frozen=True, slots=True)
class View:
    """A table by period, and what is to be said beside it.

    Attributes:
        title: What it shows.
        columns: Its columns, (period,) each, by name with unit.
        sentences: What is to be said beside it.
        calendar: When the periods are; None where nobody knows.
    """

    title: str
    columns: Mapping[str, FloatArray]
    sentences: Sequence[str] = ()
    calendar: Calendar | None = None

    @property
    def frame(self) -> pd.DataFrame:
        """The table for pandas, periods from 1; with a calendar the time of each stands first."""
        import pandas as pd

        periods = range(1, 1 + len(next(iter(self.columns.values()))))
        times = {"time": pd.DatetimeIndex(self.calendar.times())} if self.calendar else {}
        return pd.DataFrame({**times, **self.columns}, index=pd.Index(periods, name="period"))

    def __str__(self) -> str:
        return "\n".join((self.title, self.frame.round(4).to_string(), *self.sentences))

    def _repr_html_(self) -> str:
        from html import escape

        said = "".join(f"<p>{escape(sentence)}</p>" for sentence in self.sentences)
        return f"<b>{escape(self.title)}</b>{self.frame.round(4).to_html()}{said}"


def index_of(name: str, known: Sequence[str], kind: str) -> int:
    """Which of some names this is.

    Raises:
        SessionError: It is none of them.
    """
    if name not in known:
        raise SessionError(f"there is no {kind} {name}{did_you_mean(name, known)}")
    return list(known).index(name)


def prosumer(market: EnergyMarket, name: str) -> View:
    """One prosumer's own view: what it is quoted, what it plans and offers, what it is committed to, what it regrets.

    Its plan is known here while it lives in this process; of one that lives elsewhere the schedule is shown, which it
    is committed to.
    """
    n = index_of(name, market.graph.names, "prosumer")
    graph, platform = market.graph, market.platform
    agent = market.prosumers[n]
    columns: dict[str, FloatArray] = {"lmp_usd_per_kwh": platform.lmp_usd_per_kwh[n]}
    for arc in range(*graph.arcs(n).indices(graph.owner.size)):
        partner = graph.names[graph.owner[graph.reverse[arc]]]
        columns[f"price_{partner}_usd_per_kwh"] = platform.whole_price_usd_per_kwh[graph.link[arc]]
        columns[f"offers_{partner}_kw"] = platform.power_kw[arc]
    columns["bid_kw"] = np.asarray(agent.bid_kw)
    home = household(market, name)
    result = market.result()
    if isinstance(agent, Prosumer):
        plan, source = agent.plan, "plans"
        columns["elastic_kw"], columns["curtailed_kw"] = plan.elastic_kw, plan.curtailed_kw + 0.0  # no -0
    else:
        source = "is committed to (its plan is in another process)"
        columns["elastic_kw"], columns["curtailed_kw"] = result.elastic_kw[n], result.curtailed_kw[n]
    columns["fixed_kw"], columns["renewable_kw"] = home.fixed_kw, home.renewable_kw
    columns |= _devices(agent, result, name)
    marginal = home.beta_usd_per_kwh - 2 * home.alpha_usd_per_kw2h * columns["elastic_kw"]
    columns["worth_usd_per_kwh"] = np.asarray(marginal)
    said = [f"elastic_kw is what it {source}; worth is its marginal utility there"]
    if name in market.proof.conduct.behaving:
        said.append(
            f"{name} acts on a behaviour of its own: its plan is for what that declares, worth is by its real utility"
        )
    if market.settings.withdrawals:
        said.append("bid_kw is what it withdraws from the network: trades are in it")
    regret = market.proof.state.regret_usd[n]
    if np.isfinite(regret):
        said.append(f"it regrets ${max(regret, 0.0):.2g} of the schedule last certified")
    return View(f"{name} at bus {home.bus}, round {market.rounds}", columns, said, home.calendar)


def _devices(agent: object, result: Result, name: str) -> dict[str, FloatArray]:
    """What the devices of a prosumer are planned to do, or of one that lives elsewhere, are committed to do."""
    if isinstance(agent, Prosumer):
        flows = planned(agent)
    else:
        flows = [flow for flow in committed(result) if flow.owner == name]
    columns: dict[str, FloatArray] = {}
    for flow in flows:
        columns |= {f"{flow.name}_{key}": getattr(flow, key) for key in ("charge_kw", "discharge_kw", "energy_kwh")}
    return {key: values for key, values in columns.items() if np.isfinite(values).all()}


def link(market: EnergyMarket, name: str) -> View:
    """A link: its price, what both ends offer, by how much they disagree, and its penalty."""
    k = index_of(name, [link.name for link in market.graph.links], "link")
    graph, pairs = market.graph, market.platform.pairs
    a, b = graph.links[k].a, graph.links[k].b
    at_a, at_b = pairs.power_kw[graph.forward[k]], pairs.power_kw[graph.backward[k]]
    columns = {
        "price_usd_per_kwh": market.platform.whole_price_usd_per_kwh[k],
        f"{a}_buys_kw": at_a,
        f"{b}_sells_kw": -at_b,
        "mismatch_kw": at_a + at_b,
        "agreed_kw": pairs.trade_kw[k],
        "penalty_usd_per_kw2h": pairs.penalty.value[k],
    }
    marks_up = market.platform.rules.marks_up
    said = [f"cap {graph.links[k].cap_kw:g} kW; what is below 0 flows the other way"]
    said += (
        ["trades load the wires: partners move a mark-up on the mean of their LMPs, which is in the price"]
        if marks_up
        else []
    )
    return View(f"{name}, round {market.rounds}", columns, said, market.operator.clearing.calendar)


def bus(market: EnergyMarket, name: str) -> View:
    """A bus at the last clearing: its voltage, what it draws, its LMP and the components of that."""
    dispatch, feeder = cleared(market), market.operator.clearing.feeder
    n = index_of(name, feeder.names, "bus")
    parts = {
        f"{part}_usd_per_kwh": getattr(dispatch.components, part)[n]
        for part in ("energy", "loss", "voltage", "congestion")
    }
    columns = {
        "v_pu": dispatch.v_pu[n],
        "demand_kw": dispatch.demand_kw[n],
        "lmp_usd_per_kwh": dispatch.lmp_usd_per_kwh[n],
        **parts,
        "reactive_usd_per_kvarh": dispatch.q_price_usd_per_kvarh[n],
    }
    limits = f"voltage limits {feeder.buses[n].v_min_pu:g} to {feeder.buses[n].v_max_pu:g} pu"
    return View(f"bus {name} at clearing {market.iteration}", columns, [limits], market.operator.clearing.calendar)


@dataclass(frozen=True, slots=True)
class Standing:
    """How Algorithm 1 goes, and who keeps it from ending.

    Attributes:
        sentences: In words: the verdict, who is slowest, who regrets most.
        slowest: (who, period from 1, kW) of those that disagree most, the worst first.
        calendar: When the periods are; None where nobody knows.
    """

    sentences: Sequence[str]
    slowest: Sequence[tuple[str, int, float]]
    calendar: Calendar | None = None

    def __str__(self) -> str:
        rows = [f"  {who}, {self._period(period)}: {kw:.4g} kW" for who, period, kw in self.slowest]
        return "\n".join((*self.sentences, *rows))

    def _period(self, period: int) -> str:
        return self.calendar.name(period - 1) if self.calendar else f"period {period}"


def residuals(market: EnergyMarket, most: int = 5) -> Standing:
    """Residuals with a verdict, and where partners disagree most."""
    platform, diagnosis = market.platform, market.proof.state.diagnosis
    if diagnosis is None or not np.isfinite(platform.primal_kw):
        return Standing(["nobody has answered yet"], [])
    rules = platform.rules
    tight = platform.state.tightness
    said = [
        f"primal residual {platform.primal_kw:.3g} kW (tolerance {rules.primal_tolerance_kw / tight:.3g}), dual "
        f"{platform.dual_usd_per_kwh:.3g} $/kWh (tolerance {rules.dual_tolerance_usd_per_kwh / tight:.3g}): "
        f"{_AGREED if market.phase is Phase.DELIVERY else diagnosis.verdict}",
    ]
    if diagnosis.blocking and diagnosis.blocking_usd > 0:
        said.append(f"{diagnosis.blocking} regrets most of the schedule last certified: ${diagnosis.blocking_usd:.2g}")
    found = [
        *_furthest([link.name for link in market.graph.links], platform.pairs.mismatch_kw),
        *_furthest([f"{name} and the DSO" for name in market.graph.names], platform.bids.mismatch_kw),
    ]
    found.sort(key=lambda row: -row[2])
    slowest = [row for row in found[:most] if row[2] > 0]
    return Standing(said, slowest, market.operator.clearing.calendar)


def _furthest(names: Sequence[str], mismatch_kw: FloatArray) -> list[tuple[str, int, float]]:
    """Of each row, (row, period), when its ends are furthest apart, and by how much."""
    apart = np.abs(mismatch_kw)
    worst = apart.argmax(axis=1) if apart.size else ()
    return [(who, int(t) + 1, float(row[t])) for who, t, row in zip(names, worst, apart, strict=True)]


def hour(market: EnergyMarket, period: int) -> str:
    """A period, counted from 1, in words.

    Raises:
        SessionError: There is no such period.
    """
    clearing = market.operator.clearing
    if not 1 <= period <= clearing.periods:
        raise SessionError(f"there is no period {period}; they count from 1 to {clearing.periods}")
    return period_name(period - 1, clearing.when)


def cleared(market: EnergyMarket) -> Dispatch:
    """The last clearing.

    Raises:
        SessionError: There has been none.
    """
    if market.operator.state.dispatch is None:
        raise SessionError("nothing has been cleared yet; step once")
    return market.operator.cleared


def household(market: EnergyMarket, name: str) -> Household:
    """A prosumer's private data; for the person at the screen only."""
    spec = next(spec for spec in market.communities.specs if name in spec.membership.names)
    return next(home for home in spec.households if home.name == name)
