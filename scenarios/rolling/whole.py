"""The kept parts of all windows as one result: its tables, bills and sums are over the whole time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ...agents.household import Household
from ...agents.trade_graph import TradeGraph
from ...market.columns import Columns, with_times
from ...market.device_schedules import DeviceSchedules
from ...market.hosting.misbehaviour import Misbehaviour
from ...market.hosting.timing import Effort, HostingReport, Timing
from ...market.outcome import Ending
from ...market.proof.settlement import Settlement
from ...market.result import Result
from ...market.settings import NetworkUse
from ...market.tables import network_charge
from ...network.arrays import FloatArray
from ...network.calendars import Calendar
from ...network.dispatch import Dispatch, PriceComponents
from ..files.scenario import Scenario
from .certificates import certificate_of
from .imbalances import Imbalances
from .parts import DEVICES, SCHEDULE, Part, generation_usd
from .stores import StorePath
from .window_table import window_columns

WINDOWS, IMBALANCES = "windows", "imbalances"


@dataclass(frozen=True, eq=False, repr=False)
class RollingResult(Result):
    """What windows found together: of each the part that is kept, one after the other.

    What is summed up over time is summed up over the kept parts. A prosumer's cost is F_i of (11) of what was planned,
    and what it pays for its imbalances. Its regret is the sum of those of the windows, each over the whole window.

    Attributes: those of `Result`, and
        windows: The table of the windows, by column.
        imbalances: What differed from the plans; None with a perfect forecast.
    """

    windows: Columns
    imbalances: Imbalances | None

    def further_tables(self) -> dict[str, Columns]:
        """The tables that other results do not have, by name and column."""
        if self.imbalances is None:
            return {WINDOWS: self.windows}
        return {WINDOWS: self.windows, IMBALANCES: with_times(self.imbalances.columns(), self.calendar)}


def joined(
    scenario: Scenario,
    homes: Sequence[Household],
    graph: TradeGraph,
    paths: Sequence[StorePath],
    parts: Sequence[Part],
    ending: Ending,
) -> RollingResult:
    """Windows that have ended as one result.

    Args:
        scenario: What is run, over its whole horizon.
        homes: Its households, with their actual loads and renewables.
        graph: Their links.
        paths: Their stores.
        parts: The windows, one after the other; at least one.
        ending: How the run ended, or that it has not.
    """
    whole = _Whole(scenario, homes, graph, paths, parts)
    result = whole.result(ending)
    result = replace(result, settlement=whole.settlement(result))
    if result.imbalances is None:
        return result
    cost_usd = result.prosumer_cost_usd + result.imbalances.usd
    return replace(result, prosumer_cost_usd=cost_usd, settlement=result.imbalances.billed(result.settlement))


class _Whole:
    """Puts a result together."""

    def __init__(
        self,
        scenario: Scenario,
        homes: Sequence[Household],
        graph: TradeGraph,
        paths: Sequence[StorePath],
        parts: Sequence[Part],
    ) -> None:
        self._scenario, self._homes, self._paths, self._parts = scenario, homes, paths, parts
        self._ended = [part.ended for part in parts]
        self._arrays = {key: np.concatenate([part.arrays[key] for part in parts], axis=-1) for key in parts[0].arrays}
        self._first, self._end = parts[0].window.first, parts[-1].window.kept_until
        self._dt_h = scenario.dt_h
        self._graph, self._feeder = graph, scenario.build_feeder()
        self._use = scenario.settings.network_use

    def result(self, ending: Ending) -> RollingResult:
        """All but the bills."""
        arrays, dt_h = self._arrays, self._dt_h
        lmp, trade = arrays["lmp_usd_per_kwh"], arrays["trade_kw"]
        devices = self._devices()
        fees = [home.fees_usd(bid) for home, bid in zip(self._homes, arrays["bid_kw"], strict=True)]
        grid_fee, feed_in_fee = (np.array([pair[k] for pair in fees]) for k in (0, 1))
        utility = np.array([h.utility_usd(e) for h, e in zip(self._homes, arrays["elastic_kw"], strict=True)])
        cost = dt_h * (lmp * arrays["bid_kw"]).sum(axis=1) + grid_fee + feed_in_fee + devices.cost_usd - utility
        charged = self._use is NetworkUse.WITHDRAWALS
        return RollingResult(
            **self._facts(),
            ending=ending,
            feeder=self._feeder,
            dispatch=self._dispatch(),
            prosumer_buses=tuple(home.bus for home in self._homes),
            dt_h=dt_h,
            prosumer_cost_usd=cost,
            grid_fee_usd=grid_fee,
            feed_in_fee_usd=feed_in_fee,
            network_charge_usd=dt_h * charged * (network_charge(self._graph, lmp) * trade).sum(axis=1),
            sharing_fee_usd=dt_h * self._graph.fee_usd_per_kwh * np.abs(trade).sum(axis=1),
            payment_usd=self._payment_usd(),
            utility_usd=utility,
            device_schedules=devices,
            reciprocity_kw=max(one.reciprocity_kw for one in self._ended),
            max_violation_kw=max(one.max_violation_kw for one in self._ended),
            certificate=certificate_of(self._graph.names, self._ended, is_plan_of_all=self._is_plan_of_all),
            settlement=Settlement((), ()),
            windows=window_columns(self._parts, self._scenario.calendar, dt_h),
            imbalances=self._imbalances(),
        )

    @property
    def _is_plan_of_all(self) -> bool:
        horizon = self._scenario.horizon
        return horizon is not None and horizon.is_perfect and self._parts[0].window.kept == self._scenario.periods

    def settlement(self, result: Result) -> Settlement:
        """The bills of what was planned."""
        seen = result.withdrawal_kw if self._use is NetworkUse.WITHDRAWALS else result.bid_kw
        load_kw = result.dispatch.demand_kw - result.by_bus(seen)
        return Settlement.of(
            self._graph,
            bid_kw=result.bid_kw,
            lmp_usd_per_kwh=result.lmp_usd_per_kwh,
            trade_kw=result.trade_kw,
            price_usd_per_kwh=result.price_usd_per_kwh,
            load_usd=self._dt_h * float((load_kw * result.dispatch.lmp_usd_per_kwh).sum()),
            generation_usd=self._generation_usd(),
            dt_h=self._dt_h,
        ).charging(
            self._graph,
            network_charge_usd=result.network_charge_usd if self._use is NetworkUse.WITHDRAWALS else None,
            grid_fee_usd=result.grid_fee_usd,
            feed_in_fee_usd=result.feed_in_fee_usd,
            sharing_fee_usd=result.sharing_fee_usd,
        )

    def _facts(self) -> Mapping[str, Any]:
        """The schedules, and how the windows went, together."""
        ended = self._ended
        phases = dict.fromkeys(phase for one in ended for phase in one.seconds)
        hosting = HostingReport(
            Timing("", 1, (len(self._homes),), (Effort(),)),
            (),
            "",
            tuple(Misbehaviour(**cells) for one in ended for cells in one.misbehaved),
        )
        return {
            **{key: self._arrays[key] for key in SCHEDULE},
            "graph": self._graph,
            "network_use": self._use,
            "sharing_rounds": [rounds for one in ended for rounds in one.sharing_rounds],
            "clearings": sum(one.clearings for one in ended),
            "elastic_clearings": sum(one.elastic_clearings for one in ended),
            "diagnosis": None,
            "seconds": {phase: sum(one.seconds.get(phase, 0.0) for one in ended) for phase in phases},
            "hosting": hosting,
        }

    def _dispatch(self) -> Dispatch:
        names = {cell.name for cell in fields(Dispatch)}
        arrays = {key.removeprefix("dispatch."): value for key, value in self._arrays.items()}
        parts = {cell.name: self._arrays[f"components.{cell.name}"] for cell in fields(PriceComponents)}
        slack = sum(np.abs(arrays[key]).sum() for key in ("unserved_kw", "spilled_kw", "q_slack_kvar"))
        lost = self._scenario.feeder.value_of_lost_load_usd_per_kwh
        return Dispatch(
            **{key: value for key, value in arrays.items() if key in names - set(SCHEDULE)},
            lmp_usd_per_kwh=self._arrays["dispatch.lmp_usd_per_kwh"],
            components=PriceComponents(**parts),
            negligible_kw=max(one.negligible_kw for one in self._ended),
            cost_usd=sum(self._generation_usd().values()),
            shortage_cost_usd=self._dt_h * lost * float(slack),
            value_of_lost_load_usd_per_kwh=lost,
            dt_h=self._dt_h,
            calendar=self._calendar(),
        )

    def _calendar(self) -> Calendar | None:
        calendar = self._scenario.calendar
        return calendar.cut(self._first, self._end - self._first) if calendar else None

    def _generation_usd(self) -> dict[str, float]:
        """Cost (1) by generator, in $."""
        return generation_usd(self._feeder, self._arrays["dispatch.p_gen_kw"], self._dt_h)

    def _devices(self) -> DeviceSchedules:
        """What devices do, and what that costs."""
        people = [home.name for home in self._homes]
        names = tuple((home.name, device.name) for home in self._homes for device in home.devices)
        charge_kw, discharge_kw, energy_kwh = (self._arrays[key] for key in DEVICES)
        injection, cost = np.zeros((len(people), self._end - self._first)), np.zeros(len(people))
        flows = zip(self._paths, charge_kw, discharge_kw, energy_kwh, strict=True)
        for path, charge, discharge, energy in flows:
            i = people.index(path.owner)
            injection[i] += discharge - charge
            cost[i] += path.cost_usd(charge, discharge, energy, self._dt_h, first=self._first)
        return DeviceSchedules(names, charge_kw, discharge_kw, energy_kwh, injection, cost)

    def _payment_usd(self) -> FloatArray:
        """What each pays to its partners, (prosumer,)."""
        arcs = np.zeros((self._graph.owner.size, self._end - self._first))
        paid = self._arrays["price_usd_per_kwh"] * self._arrays["trade_kw"]
        arcs[self._graph.forward], arcs[self._graph.backward] = paid, -paid
        return np.asarray(self._dt_h * self._graph.by_owner(arcs).sum(axis=1))

    def _imbalances(self) -> Imbalances | None:
        horizon, here = self._scenario.horizon, np.s_[self._first : self._end]
        assert horizon is not None
        if horizon.is_perfect:
            return None
        assert horizon.imbalance_price_usd_per_kwh is not None
        planned = self._arrays["fixed_kw"], self._arrays["renewable_kw"], self._arrays["curtailed_kw"]
        fixed, renewable = (
            np.array([getattr(home, key)[here] for home in self._homes]) for key in ("fixed_kw", "renewable_kw")
        )
        prices = horizon.imbalance_price_usd_per_kwh
        return Imbalances.of(self._graph.names, planned, (fixed, renewable), prices, self._dt_h)
