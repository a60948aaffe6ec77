"""The one general device: what holds energy, and gives it back, loses it or uses it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, expm1, floor
from typing import ClassVar

import numpy as np
import scipy.sparse as sp

from ...network.arrays import FloatArray
from ...network.periods import When, length_h, period_name
from .cures import OF_STORE, Cures
from .device import Device, DeviceError
from .device_block import ENERGY, DeviceBlock
from .level_chain import ROUNDING, LevelChain, Reach

CHARGE, DISCHARGE, LEVEL, BELOW, ABOVE = range(5)
"""Its columns; the last two only where the band of its level may be left."""
_TRACE = 1e-8  # of the largest power
_SHOWN = 1e4  # a level that is proposed is rounded down to such a part of the capacity
_NOTHING_KEPT = 1e-300  # of a level that is lost in an instant: next to nothing, and not 0, which divides nothing
Series = FloatArray | float
"""A number for all periods, or one for each, (period,)."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Store(Device):
    """A store of energy, with losses.

    With c and d what is charged and discharged, kept constant within a period, its level E obeys

        dE/dt = efficiency_charge c - d / efficiency_discharge - drain - loss_per_h E

    of which each period takes the exact solution, E_t = keep E_{t-1} + gain (efficiency_charge c_t - ...) with
    `keep = exp(-loss_per_h dt)` and `gain = (1 - keep) / loss_per_h` (dt without losses): so hourly and 15-minute runs
    of the same physics have the same levels at every full hour. For small losses this is 1 - loss_per_h dt.

    Without `cyclic` it begins at `soc_start` (half full by default) and ends with `soc_end` at the least (as it began
    by default). With `cyclic` it ends as it begins, at the level that is best.

    Attributes:
        name: Its name.
        capacity_kwh: What it holds when it is full, above 0.
        p_charge_max_kw, p_discharge_max_kw: Largest power taken from its owner, and given; by period or for all.
        efficiency_charge: What is stored of a kWh that is taken, above 0, by period or for all; above 1 for a heat
            pump, and only where nothing comes of it that gives more than was taken.
        efficiency_discharge: What is given of a kWh that leaves the store, above 0, at most 1.
        loss_per_h: Rate of self-discharge or of cooling, as a fraction of the level per hour, at least 0.
        soc_min, soc_max: Limits of the level at the end of each period, as a fraction of the capacity, 0 to 1; by
            period or for all.
        soc_start, soc_end: Level before the first period, and the least after the last, as a fraction of the capacity.
        cyclic: Whether it is to end as it began, wherever that is.
        throughput_cost_usd_per_kwh: Wear: what a kWh costs that is charged, and one that is discharged.
        drain_kw: What is used of the store for itself: by driving, for heating; by period or for all.
        discomfort_usd_per_kwh_h: If given, the level may leave `soc_min` to `soc_max` (never 0 to 1), and a kWh out of
            it costs so much per hour.

    Raises:
        DeviceError: A value is out of its range.
    """

    kind: ClassVar[str] = "store"

    name: str
    capacity_kwh: float
    p_charge_max_kw: Series
    p_discharge_max_kw: Series = 0.0
    efficiency_charge: Series = 1.0
    efficiency_discharge: float = 1.0
    loss_per_h: float = 0.0
    soc_min: Series = 0.0
    soc_max: Series = 1.0
    soc_start: float | None = None
    soc_end: float | None = None
    cyclic: bool = False
    throughput_cost_usd_per_kwh: float = 1e-4
    drain_kw: Series = 0.0
    discomfort_usd_per_kwh_h: float | None = None

    def __post_init__(self) -> None:
        self._number("capacity_kwh", 0.0, above=True)
        for key in ("p_charge_max_kw", "p_discharge_max_kw", "loss_per_h", "throughput_cost_usd_per_kwh", "drain_kw"):
            self._number(key, 0.0)
        self._number("efficiency_charge", 0.0, above=True)
        self._number("efficiency_discharge", 0.0, 1.0, above=True)
        for key in ("soc_min", "soc_max"):
            self._number(key, 0.0, 1.0)
        for key in ("soc_start", "soc_end"):
            if getattr(self, key) is not None:
                if self.cyclic:
                    problem = f"{key} is given, but cyclic lets it begin and end where it likes; give one of them"
                    raise DeviceError(self.name, key, problem)
                self._number(key, 0.0, 1.0)
        if self.discomfort_usd_per_kwh_h is not None:
            self._number("discomfort_usd_per_kwh_h", 0.0)
        into, out = float(np.max(self.efficiency_charge)), float(self.efficiency_discharge)
        if np.max(self.p_discharge_max_kw) > 0 and into * out > 1 + 1e-12:
            problem = f"efficiency_charge {into:g} times efficiency_discharge {out:g} is above 1"
            cure = "it would give more than it takes; lower them, or let p_discharge_max_kw be 0"
            raise DeviceError(self.name, "efficiency_charge", f"{problem}: {cure}")

    @property
    def start_kwh(self) -> float | None:
        """Its level before the first period; None where it is free."""
        if self.cyclic:
            return None
        return (0.5 if self.soc_start is None else self.soc_start) * self.capacity_kwh

    def left_kwh(self, periods: int, dt_h: float, *, first: int) -> float:
        """What is left after the last period of the level that it begins with, if that stands before a `first` one.

        Nothing is charged or discharged meanwhile; below 0 where more is used than it has.
        """
        chain = replace(self, soc_end=0.0).chain(periods, dt_h)
        level = chain.start_kwh
        assert level is not None
        for drawn in chain.drawn_kwh[first:].tolist():
            level = chain.keep * level - drawn
        return level

    def block(self, periods: int, dt_h: float) -> DeviceBlock:
        """As `Device.block`: columns charge_kw, discharge_kw and energy_kwh, and with discomfort below_kwh, above_kwh.

        Rows are those of the level, then those of the band.
        """
        chain, (low, high) = self.chain(periods, dt_h), self._band(periods)
        nothing, one = np.zeros(periods), np.ones(periods)
        limits = [(nothing, chain.charge_max_kw), (nothing, chain.discharge_max_kw), (chain.low_kwh, chain.high_kwh)]
        names, costs = ["charge_kw", "discharge_kw", ENERGY], [self.throughput_cost_usd_per_kwh] * 2 + [0.0]
        rows, rhs = _level_rows(chain), -chain.drawn_kwh.copy()
        if chain.start_kwh is not None:
            rhs[0] += chain.keep * chain.start_kwh
        row_low = row_high = rhs
        if self.discomfort_usd_per_kwh_h is not None:
            names += ["below_kwh", "above_kwh"]
            costs += [self.discomfort_usd_per_kwh_h] * 2
            limits += [(nothing, low), (nothing, self.capacity_kwh - high)]
            rows = sp.vstack([sp.hstack([rows, sp.csr_array((periods, 2 * periods))]), _band_rows(periods)])
            row_low = np.concatenate([rhs, low, np.full(periods, -np.inf)])
            row_high = np.concatenate([rhs, np.full(periods, np.inf), high])
        injection = np.zeros((len(names), periods))
        injection[CHARGE], injection[DISCHARGE] = -1.0, 1.0
        return DeviceBlock(
            tuple(names),
            np.array([least for least, _ in limits]),
            np.array([most for _, most in limits]),
            np.outer(costs, one),
            np.zeros((len(names), periods)),
            injection,
            sp.csr_array(rows),
            row_low,
            row_high,
            ((CHARGE, DISCHARGE),),
        )

    def mended(self, found: FloatArray, dt_h: float) -> FloatArray:
        """As `Device.mended`: the store is run forward, and powers are changed where its level would leave its limits.

        The level at the end of a cyclic store is what is kept of its start. Without losses it does not charge and
        discharge at once.
        """
        periods = found.shape[1]
        chain = self.chain(periods, dt_h)
        charge, discharge = _without_traces(found[CHARGE], chain), _without_traces(found[DISCHARGE], chain)
        columns = chain.mended(charge, discharge, float(found[LEVEL, -1]))
        if self.discomfort_usd_per_kwh_h is None:
            return columns
        low, high = self._band(periods)
        level = columns[LEVEL]
        return np.vstack([columns, np.maximum(low - level, 0.0), np.maximum(level - high, 0.0)])

    def infeasibility(self, periods: int, when: When) -> str:
        """As `Device.infeasibility`: the first limit of its level that cannot be kept."""
        return self.unable(periods, when, OF_STORE)

    def unable(self, periods: int, when: When, cures: Cures) -> str:
        """As `infeasibility`, with the cures of what its owner has written, where that is another kind of device."""
        chain = self.chain(periods, length_h(when))
        if short := chain.too_low():
            cure = self._end_cure(chain, short, cures) or cures.short
            period = period_name(short.period, when)
            if short.asked_kwh <= 0:
                return f"runs empty in {period}, {-short.reached_kwh:.4g} kWh too early; {cure}"
            return f"needs {short.asked_kwh:.4g} kWh by the end of {period} and can get {short.reached_kwh:.4g}; {cure}"
        if full := chain.too_high():
            return (
                f"may hold {full.asked_kwh:.4g} kWh at the end of {period_name(full.period, when)} and cannot get "
                f"below {full.reached_kwh:.4g}; {cures.full}"
            )
        least, most = chain.starts_kwh()
        if least > most + 1e-9 * self.capacity_kwh:
            return (
                f"cannot end {period_name(periods - 1, when)} at the level that it begins with, whatever that is; "
                f"{cures.cyclic}"
            )
        return ""

    def _end_cure(self, chain: LevelChain, short: Reach, cures: Cures) -> str:
        """What helps if `soc_end`, or its default, alone asks for too much; empty if it does not."""
        periods = chain.low_kwh.size
        if self.cyclic or short.period < periods - 1 or short.reached_kwh < self._lows(periods)[-1]:
            return ""
        most = floor(short.reached_kwh / self.capacity_kwh * _SHOWN) / _SHOWN
        return f"let soc_end be at most {most:g}, or {cures.short.partition(' or ')[0].partition(',')[0]}"

    def chain(self, periods: int, dt_h: float) -> LevelChain:
        """Its level from period to period.

        Raises:
            DeviceError: A series has another number of periods, or soc_max is below soc_min somewhere, or below
                soc_end at the end.
        """
        keep = max(exp(-self.loss_per_h * dt_h), _NOTHING_KEPT)
        gain_h = -expm1(-self.loss_per_h * dt_h) / self.loss_per_h if self.loss_per_h > 0 else dt_h
        _, high = self._band(periods)
        if self.discomfort_usd_per_kwh_h is not None:
            high = np.full(periods, self.capacity_kwh)
        low = self._lows(periods)
        if not self.cyclic and self.start_kwh is not None and periods:
            low[-1] = max(low[-1], self._end_kwh(self.start_kwh, float(high[-1])))
        return LevelChain(
            keep,
            gain_h * self._series("efficiency_charge", periods),
            np.full(periods, gain_h / self.efficiency_discharge),
            gain_h * self._series("drain_kw", periods),
            self._series("p_charge_max_kw", periods),
            self._series("p_discharge_max_kw", periods),
            low,
            high,
            self.start_kwh,
        )

    def _end_kwh(self, start_kwh: float, high_kwh: float) -> float:
        """What it is to hold in the end at the least, within what it may hold then up to rounding."""
        end_kwh = start_kwh if self.soc_end is None else self.soc_end * self.capacity_kwh
        if end_kwh > high_kwh + ROUNDING * self.capacity_kwh:
            end, most = end_kwh / self.capacity_kwh, high_kwh / self.capacity_kwh
            problem = f"soc_end (soc_start by default) is {end:g}, and it may hold {most:g} at most then"
            raise DeviceError(self.name, "soc_end", f"{problem}; let soc_end be at most {most:g}")
        return min(end_kwh, high_kwh)

    def _lows(self, periods: int) -> FloatArray:
        """The least level after each period, whatever its end is to be, (period,), to write into."""
        return np.zeros(periods) if self.discomfort_usd_per_kwh_h is not None else self._band(periods)[0].copy()

    def _band(self, periods: int) -> tuple[FloatArray, FloatArray]:
        """What `soc_min` and `soc_max` are in kWh, (period,) each."""
        low, high = (self._series(key, periods) * self.capacity_kwh for key in ("soc_min", "soc_max"))
        if (low > high).any():
            t = int(np.argmax(low > high))
            problem = f"soc_max {high[t] / self.capacity_kwh:g} is below soc_min {low[t] / self.capacity_kwh:g}"
            raise DeviceError(self.name, "soc_max", f"{problem}; swap or widen them")
        return low, high


def _without_traces(power_kw: FloatArray, chain: LevelChain) -> FloatArray:
    """Powers without what a solver leaves of nothing."""
    largest = max(float(chain.charge_max_kw.max()), float(chain.discharge_max_kw.max()))
    return np.where(np.abs(power_kw) < _TRACE * largest, 0.0, power_kw)


def _level_rows(chain: LevelChain) -> sp.csr_array:
    """E_t - keep E_{t-1} - gain_in c_t + gain_out d_t, (period, 3 * period); before the first is the last, if free."""
    periods = chain.low_kwh.size
    before = sp.csr_array(sp.eye_array(periods, k=-1))
    if chain.start_kwh is None:
        last = sp.csr_array(([1.0], ([0], [periods - 1])), shape=(periods, periods))
        before = before + last
    level = sp.eye_array(periods) - chain.keep * before
    return sp.csr_array(sp.hstack([sp.diags_array(-chain.gain_in_h), sp.diags_array(chain.gain_out_h), level]))


def _band_rows(periods: int) -> sp.csr_array:
    """E + below, then E - above, (2 * period, 5 * period)."""
    nothing, one = sp.csr_array((periods, 2 * periods)), sp.eye_array(periods)
    zero = sp.csr_array((periods, periods))
    return sp.csr_array(sp.vstack([sp.hstack([nothing, one, one, zero]), sp.hstack([nothing, one, zero, -one])]))
