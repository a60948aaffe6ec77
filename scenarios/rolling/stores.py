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
"""Of what a household can spare, and of a capacity: plans that just fit are none that a solver finds, and what is off
by a rounding at the end of a lossy store is off by far more long before."""


@dataclass(frozen=True, eq=False)
class StorePath:
    """A store over the whole horizon, and the levels that it may have where windows end.

    At the end of a window that ends before the data do, it holds as much as its later trips and demands take, and no
    more than these leave room for. If the window can bring it there, it also holds as much as they take where it
    charges no faster than its household can spare, and what it began the horizon with. With the data it ends as it
    would without windows: with `soc_end` at the least. A cyclic store begins half full, or as near to that as it can
    come back to, and ends at that level.

    Attributes:
        owner: Whose it is.
        store: The store, with a start and an end.
        ends_kwh: The lowest and highest level from which all that follows can be kept, by the period that follows.
        least_kwh: The lowest such level where it charges no faster than its household can spare.
    """

    owner: str
    store: Store
    ends_kwh: dict[int, tuple[float, float]]
    least_kwh: dict[int, float]

    @classmethod
    def of(cls, owner: str, store: Store, windows: Sequence[Window], dt_h: float, spare_kw: FloatArray) -> StorePath:
        """That of a store of all periods.

        Args:
            owner: Whose it is.
            store: The store.
            windows: The windows.
            dt_h: Length of a period in hours.
            spare_kw: What its household has for it at the most, (period,).
        """
        store = _with_ends(store, windows[-1].end, dt_h)
        ends_kwh, slow_ends_kwh = (_ends_kwh(one, windows, dt_h) for one in (store, _slowed(store, spare_kw)))
        return cls(owner, store, ends_kwh, {first: least for first, (least, _) in slow_ends_kwh.items()})

    @property
    def periods(self) -> int:
        """How many periods the horizon has."""
        return max(self.ends_kwh)

    @property
    def begin_kwh(self) -> float:
        """What it holds before the first period."""
        assert self.store.start_kwh is not None
        return self.store.start_kwh

    def row(self, window: Window, level_kwh: float, least_kwh: float) -> DeviceRow:
        """The store of a window that begins at a level and ends with so much at the least, as a scenario writes it.

        Levels at the end that cannot be kept are left as they are, so that the window's market says so.
        """
        part, capacity = _cut(self.store, window, level_kwh), self.store.capacity_kwh
        needed, most = (max(level, 0.0) / capacity for level in self.ends_kwh[window.end])
        least = max(needed, least_kwh / capacity)
        if self.store.discomfort_usd_per_kwh_h is None:  # else its band may be left, and soc_max is no limit
            assert isinstance(part.soc_max, np.ndarray)
            part.soc_max[-1] = max(min(part.soc_max[-1], most), np.ravel(part.soc_min)[-1])
            least = min(least, part.soc_max[-1])
        part = replace(part, soc_end=min(least, 1.0))
        return DeviceRow(kind="store", **_written(part))

    def slow_part(self, window: Window, level_kwh: float, spare_kw: FloatArray, dt_h: float) -> LevelChain:
        """The store of a window, charged with no more than is spared, (period,), which leaves what is to be left.

        That is as much as its household can keep up with later, as far as the window can bring it there.
        """
        part = _slowed(_cut(self.store, window, level_kwh), spare_kw)
        chain = replace(part, soc_end=0.0).chain(window.count, dt_h)
        reached_kwh = chain.highest_kwh()[-1] - _INSIDE * self.store.capacity_kwh
        least_kwh = max(min(self.least_kwh[window.end], reached_kwh), 0.0)
        return _part(chain, 0, window.count, least_kwh, float(chain.high_kwh[-1]))

    def comes_back(self, window: Window, level_kwh: float, spare_kw: FloatArray, dt_h: float) -> bool:
        """Whether a window before the last brings it back to where it began, with what is spared, (period,)."""
        back = replace(
            _slowed(_cut(self.store, window, level_kwh), spare_kw), soc_end=self.begin_kwh / self.store.capacity_kwh
        )
        return window.end < self.periods and not back.chain(window.count, dt_h).too_low()

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


@dataclass(frozen=True, eq=False)
class HomeStores:
    """The stores of a household, which share what it can spare.

    Those that are filled with the least come first, as they can wait the least; each of the others has what is left
    if those before it charge as late as they can. So all can be kept up with at once.

    Attributes:
        paths: The stores, in the order of results.
        first: Who comes first: indices of paths.
        spare_kw: What the household has for them at the most, (period,).
        dt_h: Length of a period in hours.
    """

    paths: tuple[StorePath, ...]
    first: tuple[int, ...]
    spare_kw: FloatArray
    dt_h: float

    @classmethod
    def of(
        cls, owner: str, stores: Sequence[Store], windows: Sequence[Window], dt_h: float, spare_kw: FloatArray
    ) -> HomeStores:
        """Those of a household.

        Args:
            owner: Its name.
            stores: Its stores, of all periods.
            windows: The windows.
            dt_h: Length of a period in hours.
            spare_kw: What it has for stores at the most, (period,).
        """
        filled_by_kwh = [store.capacity_kwh / float(np.mean(store.efficiency_charge)) for store in stores]
        first = tuple(sorted(range(len(stores)), key=filled_by_kwh.__getitem__))
        found: dict[int, StorePath] = {}
        left_kw = spare_kw
        for k in first:
            found[k] = StorePath.of(owner, stores[k], windows, dt_h, left_kw)
            slow = _slowed(found[k].store, left_kw).chain(windows[-1].end, dt_h)
            left_kw = np.maximum(left_kw - slow.latest_kw(), 0.0)
        return cls(tuple(found[k] for k in range(len(stores))), first, spare_kw, dt_h)

    def rows(self, window: Window, levels_kwh: Sequence[float]) -> list[DeviceRow]:
        """The stores of a window that begin at these levels, as a scenario writes them.

        They leave what all can be brought to at once; what that does not need of what is spared, they share alike.
        """
        left_kw = self.spare_kw[window.first : window.end]
        nothing = np.zeros(window.count)
        takes_kw, least_kwh = {}, {}
        for k in self.first:
            chain = self.paths[k].slow_part(window, levels_kwh[k], left_kw, self.dt_h)
            takes_kw[k], least_kwh[k] = chain.mended(nothing, nothing, levels_kwh[k])[0], float(chain.low_kwh[-1])
            left_kw = np.maximum(left_kw - takes_kw[k], 0.0)
        for k, path in enumerate(self.paths):
            share_kw = takes_kw[k] + left_kw / len(self.paths)
            if path.comes_back(window, levels_kwh[k], share_kw, self.dt_h):
                least_kwh[k] = max(least_kwh[k], path.begin_kwh)
        return [path.row(window, levels_kwh[k], least_kwh[k]) for k, path in enumerate(self.paths)]


def home_stores(
    homes: Sequence[Household], spare_kw: Sequence[FloatArray], windows: Sequence[Window]
) -> list[HomeStores]:
    """Those of all devices, household by household.

    Args:
        homes: The households over the whole horizon.
        spare_kw: What each has for stores at the most, as far as that is known before, (period,) each.
        windows: The windows.
    """
    found = []
    for home, spare in zip(homes, spare_kw, strict=True):
        left = np.maximum((1 - _MARGIN) * spare, 0.0)
        stores = [store_of(device, home.periods, home.dt_h) for device in home.devices]
        assert None not in stores  # which the scenario was checked for
        found.append(HomeStores.of(home.name, [s for s in stores if s], windows, home.dt_h, left))
    return found


def _slowed(store: Store, spare_kw: FloatArray) -> Store:
    return replace(store, p_charge_max_kw=np.minimum(store.p_charge_max_kw, spare_kw))


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
        inside = min(_INSIDE * store.capacity_kwh, max(most - least, 0.0) / 2)
        begin_kwh = min(max(0.5 * store.capacity_kwh, least + inside), most - inside)
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
