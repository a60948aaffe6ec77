"""What the DSO's clearing gives: who generates what, what flows where, and what power is worth at every bus."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .calendars import Calendar
from .periods import When

AC_VOLTAGE_PU = 1e-6
"""A dispatch is a solution of the AC equations if voltages are those of the power flow within this ..."""
AC_MISMATCH = 10.0
"""... and what feeds the root within so many times what counts as no shortage."""


@dataclass(frozen=True, slots=True)
class PriceComponents:
    """The four parts of the LMP, each (bus, period) in $/kWh; they add up to it."""

    energy: FloatArray
    loss: FloatArray
    voltage: FloatArray
    congestion: FloatArray

    @property
    def total(self) -> FloatArray:
        """The sum of the four, (bus, period), $/kWh."""
        return self.energy + self.loss + self.voltage + self.congestion


@dataclass(frozen=True, slots=True)
class Dispatch:
    """An optimal dispatch of all periods; arrays are (generator, period) or (bus, period).

    Line quantities stand at the bus the line feeds, row 0 (the root) is 0. Flows are at the sending end, towards the
    bus. Prices are +d(cost)/d(demand) at the bus.

    Attributes:
        p_gen_kw: active generation, (generator, period), kW.
        q_gen_kvar: reactive generation, (generator, period), kvar.
        v_pu: voltage, (bus, period), pu (not squared).
        p_flow_kw: active flow into the line that feeds the bus, (bus, period), kW.
        q_flow_kvar: the same for reactive power, kvar.
        i_a: current of that line, (bus, period), A.
        loss_kw: active losses of that line, (bus, period), kW.
        lmp_usd_per_kwh: locational marginal price, the multiplier of (2), (bus, period), $/kWh.
        q_price_usd_per_kvarh: the multiplier of (3), (bus, period), $/kvarh.
        components: energy, loss, voltage and congestion, which add up to the LMP.
        p_gen_min_kw, p_gen_max_kw: what generators could do (8), (generator, period), kW.
        unserved_kw: power that the feeder could not bring, (bus, period), kW; 0 unless there is shortage. It stands
            where it helps the whole feeder most, and there it may exceed the demand of that bus.
        spilled_kw: generation or negative bids it could not take away, (bus, period), kW.
        q_slack_kvar: reactive power missing (positive) or in excess (negative), (bus, period), kvar.
        demand_kw: what was asked for, load and bid, (9) and (10), (bus, period), kW.
        demand_kvar: the same for reactive power, kvar.
        cone_gap: l u - P^2 - Q^2, (bus, period), pu: 0 where the relaxation (5) is exact.
        local: in which periods the optimum is a local one of the AC problem, found along tangents (5'), (period,).
        ac_voltage_error_pu: by how much voltages differ from those of the AC power flow of what every bus draws,
            (period,), pu; inf where that has no solution.
        ac_root_mismatch_kw: by how much what feeds the root differs from that flow, (period,), kW.
        negligible_kw: shortage slack up to here is the solver's, kW.
        cost_usd: (1) over all periods, without what shortage costs, $.
        shortage_cost_usd: unserved, spilled and slack energy at the value of lost load, $.
        value_of_lost_load_usd_per_kwh: what each kWh or kvarh of shortage was priced at.
        dt_h: length of a period, hours.
        calendar: when the periods are; None where nobody knows.
    """

    p_gen_kw: FloatArray
    q_gen_kvar: FloatArray
    v_pu: FloatArray
    p_flow_kw: FloatArray
    q_flow_kvar: FloatArray
    i_a: FloatArray
    loss_kw: FloatArray
    lmp_usd_per_kwh: FloatArray
    q_price_usd_per_kvarh: FloatArray
    components: PriceComponents
    p_gen_min_kw: FloatArray
    p_gen_max_kw: FloatArray
    unserved_kw: FloatArray
    spilled_kw: FloatArray
    q_slack_kvar: FloatArray
    demand_kw: FloatArray
    demand_kvar: FloatArray
    cone_gap: FloatArray
    local: BoolArray
    ac_voltage_error_pu: FloatArray
    ac_root_mismatch_kw: FloatArray
    negligible_kw: float
    cost_usd: float
    shortage_cost_usd: float
    value_of_lost_load_usd_per_kwh: float
    dt_h: float
    calendar: Calendar | None = None

    @property
    def when(self) -> When:
        """When the periods are, for their names."""
        return self.calendar or self.dt_h

    def with_prices_of(self, other: Dispatch, periods: IntArray) -> Dispatch:
        """This dispatch with the prices that another one, of these periods alone, gives for them.

        Where the two differ in demand its LMPs are a gradient of the cost at the other's demand, not quite at this one.
        """

        def put(mine: FloatArray, theirs: FloatArray) -> FloatArray:
            merged = mine.copy()
            merged[:, periods] = theirs
            return merged

        parts = {
            part.name: put(getattr(self.components, part.name), getattr(other.components, part.name))
            for part in fields(PriceComponents)
        }
        return replace(
            self,
            lmp_usd_per_kwh=put(self.lmp_usd_per_kwh, other.lmp_usd_per_kwh),
            q_price_usd_per_kvarh=put(self.q_price_usd_per_kvarh, other.q_price_usd_per_kvarh),
            components=PriceComponents(**parts),
        )

    @property
    def max_cone_gap(self) -> float:
        """Largest gap of the relaxation (5), pu.

        A large one means that power is burned in a line on paper: more is fed in than the feeder can take away.
        """
        return float(np.max(self.cone_gap))

    @property
    def inexact_periods(self) -> list[int]:
        """Periods that are no solution of the AC equations within tolerance, the worst voltage first."""
        mismatch = self.ac_root_mismatch_kw / (AC_MISMATCH * self.negligible_kw)
        worst = np.maximum(self.ac_voltage_error_pu / AC_VOLTAGE_PU, mismatch)
        return [int(t) for t in np.argsort(-worst, kind="stable") if worst[t] > 1]

    @property
    def losses_kwh(self) -> float:
        """Active losses of all lines and periods, kWh."""
        return float(np.sum(self.loss_kw)) * self.dt_h

    @property
    def voltage_min_pu(self) -> float:
        """Lowest voltage anywhere, pu."""
        return float(np.min(self.v_pu))

    @property
    def value_usd(self) -> float:
        """V(bids), the optimal value of the DSO's problem: cost with shortage, $; convex in the bids, slope LMP."""
        return self.cost_usd + self.shortage_cost_usd

    @property
    def short_periods(self) -> list[int]:
        """Periods with slack at any bus, the worst first."""
        slack = self.unserved_kw + self.spilled_kw + np.abs(self.q_slack_kvar)
        worst_first = np.argsort(-slack.sum(axis=0), kind="stable")
        return [int(t) for t in worst_first if slack[:, t].max() > self.negligible_kw]
