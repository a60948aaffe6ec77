"""A day of loads and of sun for networks that bring no profiles along; of our own making."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

LOAD = "load"
_BASE, _MORNING, _EVENING = 0.45, 0.20, 0.50
_HUMP_H = 2.5


def day(periods: int) -> Mapping[str, tuple[float, ...]]:
    """Profiles by name, of so many periods in 24 hours: `load` has a peak of 1 in the evening, `sun` one of 1 at noon.

    Args:
        periods: How many periods the day has.
    """
    hour = (np.arange(periods) + 0.5) * 24 / periods
    load = _BASE + _MORNING * _hump(hour, 7.5) + _EVENING * _hump(hour, 19.0)
    sun = np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi))
    return {LOAD: _rounded(load / load.max()), "sun": _rounded(sun)}


def _hump(hour: np.ndarray, at: float) -> np.ndarray:
    return np.exp(-(((hour - at) / _HUMP_H) ** 2))


def _rounded(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values.round(4))
