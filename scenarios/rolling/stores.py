"""What stores hold from window to window: where each window begins, and where it has to leave them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ...agents.devices.level_chain import LevelChain
from ...agents.devices.store import Store
from ...agents.household import Household
from ...network.arrays import FloatArray
from ..files.schema import DeviceRow
from ..files.windowed_stores import store_of
from .windows import Window

_SERIES = ("p_charge_max_kw", "p_discharge_max_kw", "efficiency_charge", "soc_min", "soc_max", "drain_kw")

_MARGIN, _INSIDE = 1e-3, 1e-6
"""Of what a household can spare, and of a capacity: plans that just fit are none that a solver finds."""


@dataclass(frozen=True, eq=False)
class StorePath:
    """A store over the whole horizon, and the levels that it may have where windows end.

    At the end of a window that ends before the data do, it holds as much as its later trips and demands take, and no
    more than these leave room for. If the window can bring it there, it also holds as much as they take where it
    charges no faster than its household can spare, and what it began the horizon with; the latter with its share of
    what the household can spare. With the data it ends as it would without windows: with `soc_end` at the least. A
    cyclic store begins half full, or as near to that as it can come back to, and ends at that level.

    Attributes:
        owner: Whose it is.
        store: The store, with a start and an end.
        slow: The same store, which charges no faster than its household can spare.
        shared: The same, with its share of that.
        ends_kwh: The lowest and highest level from which all that follows can be kept, by the period that follows.
        slow_ends_kwh: The same of the slow one.
    """

    owner: str
    store: Store
    slow: Store
    shared: Store
    ends_kwh: dict[int, tuple[float, float]]
    slow_ends_kwh: dict[int, tuple[float, float]]

    @classmethod
    def of(
        cls, owner: str, store: Store, windows: Sequence[Window], dt_h: float, spare_kw: FloatArray, sharing: int = 1
    ) -> StorePath:
        """That of a store of all periods.

        Args:
            owner: Whose it is.
            store: The store.
            windows: The windows.
            dt_h: Length of a period in hours.
            spare_kw: What its household has for stores at the most, (period,).
            sharing: How many stores share that.
        """
        store = _with_ends(store, windows[-1].end, dt_h)
        slow, shared = (
            replace(store, p_charge_max_kw=np.minimum(store.p_charge_max_kw, spare_kw / count))
            for count in (1, sharing)
        )
        ends_kwh, slow_ends_kwh = (_ends_kwh(one, windows, dt_h) for one in (store, slow))
        return cls(owner, store, slow, shared, ends_kwh, slow_ends_kwh)

    @property
    def periods(self) -> int:
        """How many periods the horizon has."""
        return max(self.ends_kwh)

    @property
    def begin_kwh(self) -> float:
        """What it holds before the first period."""
        assert self.store.start_kwh is not None
        return self.store.start_kwh

    def row(self, window: Window, level_kwh: float, dt_h: float) -> DeviceRow:
        """The store of a window that begins at this level, as a scenario writes it.

        Levels at the end that cannot be kept are left as they are, so that the window's market says so.
        """
        part, capacity = _cut(self.store, window, level_kwh), self.store.capacity_kwh
        least, most = (max(level, 0.0) / capacity for level in self.ends_kwh[window.end])
        least = max(least, self._slow_end_kwh(window, level_kwh, dt_h) / capacity)
        back = replace(_cut(self.shared, window, level_kwh), soc_end=self.begin_kwh / capacity)
        if window.end < self.periods and not back.chain(window.count, dt_h).too_low():
            least = max(least, self.begin_kwh / capacity)
        if self.store.discomfort_usd_per_kwh_h is None:  # else its band may be left, and soc_max is no limit
            assert isinstance(part.soc_max, np.ndarray)
            part.soc_max[-1] = max(min(part.soc_max[-1], most), np.ravel(part.soc_min)[-1])
            least = min(least, part.soc_max[-1])
        part = replace(part, soc_end=min(least, 1.0))
        return DeviceRow(kind="store", **_written(part))

    def _slow_end_kwh(self, window: Window, level_kwh: float, dt_h: float) -> float:
        """What a window should leave so that its household can keep up with what follows, as far as it can."""
        most = _cut(self.slow, window, level_kwh).chain(window.count, dt_h).highest_kwh()[-1]
        return max(min(self.slow_ends_kwh[window.end][0], most - _INSIDE * self.store.capacity_kwh), 0.0)

    def until(self, count: int) -> Store:
        """The store in its first periods, from where it begins."""
        return _cut(self.store, Window(1, 0, count, count), self.begin_kwh)

    def cost_usd(
        self, charge_kw: FloatArray, discharge_kw: FloatArray, level_kwh: FloatArray, dt_h: float, *, first: int = 0
    ) -> float:
        """Wear and discomfort from a period on, in $, of what it takes, gives and holds, (period,) each."""
        store, here = self.store, np.s_[first : first + level_kwh.size]
        wear = store.throughput_cost_usd_per_kwh * float((charge_kw + discharge_kw).sum())
        if store.discomfort_usd_per_kwh_h is None:
            return dt_h * wear
        low, high = (np.broadcast_to(soc, self.periods)[here] * store.capacity_kwh for soc in _band(store))
        outside = np.maximum(low - level_kwh, 0.0) + np.maximum(level_kwh - high, 0.0)
        return dt_h * (wear + store.discomfort_usd_per_kwh_h * float(outside.sum()))


def store_paths(
    homes: Sequence[Household], spare_kw: Sequence[FloatArray], windows: Sequence[Window]
) -> list[StorePath]:
    """Those of all devices, household by household, in the order of results.

    Args:
        homes: The households over the whole horizon.
        spare_kw: What each has for stores at the most, as far as that is known before, (period,) each.
        windows: The windows.
    """
    found = []
    for home, spare in zip(homes, spare_kw, strict=True):
        left = np.maximum((1 - _MARGIN) * spare, 0.0)
        for device in home.devices:
            store = store_of(device, home.periods, home.dt_h)
            assert store is not None  # which the scenario was checked for
            found.append(StorePath.of(home.name, store, windows, home.dt_h, left, len(home.devices)))
    return found


def _ends_kwh(store: Store, windows: Sequence[Window], dt_h: float) -> dict[int, tuple[float, float]]:
    periods = windows[-1].end
    chain = store.chain(periods, dt_h)
    found = {periods: (float(chain.low_kwh[-1]), float(chain.high_kwh[-1]))}
    for first, end in reversed([*pairwise(sorted({window.end for window in windows}))]):
        found[first] = _part(chain, first, end, *found[end]).starts_kwh()
    return found


def _band(store: Store) -> tuple[FloatArray, FloatArray]:
    return np.asarray(store.soc_min, dtype=float), np.asarray(store.soc_max, dtype=float)


def _with_ends(store: Store, periods: int, dt_h: float) -> Store:
    """The store with a start and an end of its own."""
    begin_kwh = store.start_kwh
    if begin_kwh is None:
        least, most = store.chain(periods, dt_h).starts_kwh()
        begin_kwh = min(max(0.5 * store.capacity_kwh, least), most)
    begin = begin_kwh / store.capacity_kwh
    return replace(store, cyclic=False, soc_start=begin, soc_end=begin if store.soc_end is None else store.soc_end)


def _part(chain: LevelChain, first: int, end: int, least_kwh: float, most_kwh: float) -> LevelChain:
    """A part of a chain which ends between two levels."""
    series: dict[str, Any] = {
        cell.name: value[first:end]
        for cell in fields(chain)
        if isinstance(value := getattr(chain, cell.name), np.ndarray)
    }
    low, high = series["low_kwh"].copy(), series["high_kwh"].copy()
    low[-1], high[-1] = max(low[-1], least_kwh), min(high[-1], most_kwh)
    return replace(chain, **{**series, "low_kwh": low, "high_kwh": high})


def _cut(store: Store, window: Window, level_kwh: float) -> Store:
    """The part of a store that a window has, from this level on; without an end unless the window ends with it."""
    series = {key: np.asarray(getattr(store, key), dtype=float) for key in _SERIES}
    parts: dict[str, Any] = {
        key: values[window.first : window.end] if values.size > 1 else values for key, values in series.items()
    }
    parts["soc_max"] = np.array(np.broadcast_to(parts["soc_max"], window.count))
    return replace(store, **parts, soc_start=min(max(level_kwh / store.capacity_kwh, 0.0), 1.0), soc_end=None)


def _written(store: Store) -> dict[str, Any]:
    """The parameters of a store as files write them; what is not given is left out."""
    values = {cell.name: getattr(store, cell.name) for cell in fields(store) if cell.name != "name"}
    plain = {key: np.asarray(value).tolist() if key in _SERIES else value for key, value in values.items()}
    return {key: value for key, value in plain.items() if value is not None}
