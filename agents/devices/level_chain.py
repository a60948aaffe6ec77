"""The level of a store from period to period: what can be reached, and a schedule that keeps its limits exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...network.arrays import FloatArray
from ..rows import run_rows
from . import level_path

_EASY = 10  # numbers found here cost what one does that is found by a search
_ONE = np.zeros(1, dtype=np.intp)
_LOSSLESS = 1e-12  # relative: a kW in and a kW out leave a level where it is
ROUNDING = 1e-9  # relative: levels are known no better where limits leave exactly one way


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """The first limit that cannot be kept.

    Attributes:
        period: Where, by index.
        asked_kwh: The limit.
        reached_kwh: What can be reached at best.
    """

    period: int
    asked_kwh: float
    reached_kwh: float


@dataclass(frozen=True, slots=True, eq=False)
class LevelChain:
    """`E_t = keep E_{t-1} + gain_in_t c_t - gain_out_t d_t - drawn_t` with all in limits; E_t at the end of period t.

    Attributes:
        keep: What is left of a kWh after a period.
        gain_in_h, gain_out_h: kWh that the level rises for a kW of charge, and falls for a kW of discharge, (period,).
        drawn_kwh: By how much it falls without either, (period,).
        charge_max_kw, discharge_max_kw: Largest c and d, (period,).
        low_kwh, high_kwh: Limits of the level, (period,).
        start_kwh: E before the first period; None where it is the one after the last, whatever that is.
    """

    keep: float
    gain_in_h: FloatArray
    gain_out_h: FloatArray
    drawn_kwh: FloatArray
    charge_max_kw: FloatArray
    discharge_max_kw: FloatArray
    low_kwh: FloatArray
    high_kwh: FloatArray
    start_kwh: float | None

    @property
    def _most_in(self) -> FloatArray:
        """By how much the level can rise, (period,)."""
        return self.gain_in_h * self.charge_max_kw - self.drawn_kwh

    @property
    def _most_out(self) -> FloatArray:
        """By how much it can fall, (period,)."""
        return self.gain_out_h * self.discharge_max_kw + self.drawn_kwh

    def too_low(self) -> Reach | None:
        """The first lower limit that cannot be reached, though everything is charged that can be; None if all can."""
        for period, (low, level) in enumerate(zip(self.low_kwh.tolist(), self.highest_kwh(), strict=True)):
            if level < low - ROUNDING * max(1.0, low):
                return Reach(period, low, level)
        return None

    def highest_kwh(self) -> list[float]:
        """The level after each period if all is charged that can be, whatever the lower limits say, (period,)."""
        level, levels = float(self.high_kwh[-1]) if self.start_kwh is None else self.start_kwh, []
        for rise, high in zip(self._most_in.tolist(), self.high_kwh.tolist(), strict=True):
            level = min(high, self.keep * level + rise)
            levels.append(level)
        return levels

    def too_high(self) -> Reach | None:
        """The first upper limit that cannot be kept, though everything is discharged that can be; None if all can."""
        level = float(self.low_kwh[-1]) if self.start_kwh is None else self.start_kwh
        steps = zip(self._most_out.tolist(), self.low_kwh.tolist(), self.high_kwh.tolist(), strict=True)
        for period, (fall, low, high) in enumerate(steps):
            level = max(low, self.keep * level - fall)
            if level > high + ROUNDING * max(1.0, high):
                return Reach(period, high, level)
        return None

    def starts_kwh(self) -> tuple[float, float]:
        """The lowest and highest level before the first period from which all limits can be kept; none if crossed.

        Where the start is the end as well, such levels e are those that can be come back to. What must be had at the
        least at a time before is then, as a function of e, the larger of a number and `(e - risen) / kept`, and what
        may be had the smaller of another and `(e + fallen) / kept`, with what can rise and fall from there to the end.
        """
        corridor = self._corridor(float(self.low_kwh[-1]), float(self.high_kwh[-1]))
        lows, highs = (levels.tolist() for levels in corridor)
        if self.start_kwh is not None:
            return lows[0], highs[0]
        least, most = max(lows[0], lows[-1]), min(highs[0], highs[-1])
        kept, risen, fallen = 1.0, 0.0, 0.0
        steps = zip(self._most_in.tolist(), self._most_out.tolist(), lows[1:], highs[1:], strict=True)
        for rise, fall, low, high in reversed(list(steps)):
            least, most = max(least, kept * low - fallen), min(most, kept * high + risen)
            kept, risen, fallen = kept * self.keep, risen + kept * rise, fallen + kept * fall
        if kept < 1.0:
            return max(least, -fallen / (1 - kept)), min(most, risen / (1 - kept))
        none = ROUNDING * max(1.0, float(np.abs(self.drawn_kwh).sum()))  # what is lost must be had again, and no more
        return (least, most) if risen >= -none and fallen >= -none else (np.inf, -np.inf)

    def latest_kw(self) -> FloatArray:
        """The most that is charged if nothing is before it must, from any level of the corridor at any time, (period,).

        Whoever holds more than the least needs no more than this; what cannot be reached asks for all that there is.
        """
        least_kwh, _ = self._corridor(float(self.low_kwh[-1]), float(self.high_kwh[-1]))
        lacks_kwh = least_kwh[1:] + self.drawn_kwh - self.keep * np.maximum(least_kwh[:-1], 0.0)
        return np.asarray(np.clip(lacks_kwh / self.gain_in_h, 0.0, self.charge_max_kw))

    def mended(self, charge_kw: FloatArray, discharge_kw: FloatArray, start_kwh: float) -> FloatArray:
        """Charge, discharge and level next to these that keep all limits, (3, period).

        Where nothing is lost on the way in and out, what goes both ways at once is left out: level and owner are as
        well off without it.

        Args:
            charge_kw, discharge_kw: What is wanted, (period,).
            start_kwh: What is wanted of the level before the first period, where that is free.
        """
        end_low, end_high = float(self.low_kwh[-1]), float(self.high_kwh[-1])
        if self.start_kwh is None:
            least, most = self.starts_kwh()
            level = end_low = end_high = min(max(start_kwh, least), most)
        else:
            level = self.start_kwh
        wanted = np.clip(charge_kw, 0.0, self.charge_max_kw), np.clip(discharge_kw, 0.0, self.discharge_max_kw)
        lossless = np.abs(self.gain_in_h - self.gain_out_h) <= _LOSSLESS * self.gain_out_h
        both = np.where(lossless, np.minimum(*wanted), 0.0)
        wanted = wanted[0] - both, wanted[1] - both
        gains = self.gain_in_h, self.gain_out_h, self.drawn_kwh
        limits = (self.charge_max_kw, self.discharge_max_kw), self._corridor(end_low, end_high)
        found = np.empty((3, self.drawn_kwh.size))
        inputs = float(level), float(self.keep), wanted, gains, *limits
        run_rows(level_path.mended, _ONE, inputs, tuple(found), cells=found.size // _EASY)
        return found

    def _corridor(self, end_low: float, end_high: float) -> tuple[FloatArray, FloatArray]:
        """The levels from which all that follows can be kept, before each period and at the end, (period + 1,)."""
        found = np.empty((2, self.low_kwh.size + 1))
        found[:, -1] = max(float(self.low_kwh[-1]), end_low), min(float(self.high_kwh[-1]), end_high)
        inputs = float(self.keep), self._most_in, self._most_out, self.low_kwh, self.high_kwh
        run_rows(level_path.corridor, _ONE, inputs, tuple(found), cells=found.size // _EASY)
        return found[0], found[1]


def coverage(start_h: float, end_h: float, periods: int, dt_h: float) -> FloatArray:
    """Which part of each period lies between two times in hours from the start, 0 to 1, (period,)."""
    edges = np.arange(periods + 1) * dt_h
    inside = np.minimum(edges[1:], end_h) - np.maximum(edges[:-1], start_h)
    parts = np.clip(inside / dt_h, 0.0, 1.0)
    whole = np.abs(parts - np.rint(parts)) < ROUNDING
    return np.asarray(np.where(whole, np.rint(parts), parts))
