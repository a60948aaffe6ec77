"""Makes profiles.csv: a week in March of our own making, by formulas and a seed; run `python make_profiles.py` here.

Nothing of it is measured: the sun stands as it does at 52.5 degrees north, clouds and habits are drawn.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_Series = NDArray[np.float64]
_LATITUDE, _LONGITUDE, _TILT = np.radians([52.5, 13.4, 30.0])
_MINUTES = 15


def profiles() -> pd.DataFrame:
    """The profiles, one row a quarter of an hour of local time, (period, profile)."""
    zone = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 23, tzinfo=zone).astimezone(UTC)
    end = datetime(2026, 3, 30, tzinfo=zone).astimezone(UTC)  # Monday; on Sunday the clock is put forward
    times = [start + timedelta(minutes=_MINUTES) * t for t in range((end - start) // timedelta(minutes=_MINUTES))]
    local = [when.astimezone(zone) for when in times]
    clock = np.array([when.hour + when.minute / 60 for when in local])
    weekend = np.array([when.weekday() >= 5 for when in local])
    rng = np.random.default_rng(20)
    outside = _temperature(clock, rng)
    frame = {
        "street": 0.35 + 0.45 * _peak(clock, 19.5, 2.8) + 0.25 * _peak(clock, 12.5 - 4.5 * ~weekend, 2.5),
        "workers": _load(clock, np.where(weekend, 9.5, 7.0), 19.5, 0.12, rng),
        "family": _load(clock, np.where(weekend, 9.0, 7.5), 18.5, 0.3, rng),
        "retired": _load(clock, np.full(clock.size, 8.5), 18.0, 0.4, rng),
        "sun": _sun(times) * _clouds(clock.size, rng),
        "cold": np.clip((17.0 - outside) / 20.0, 0.0, 1.0),
        "cop": np.clip(2.6 + 0.07 * outside, 2.0, 4.5),
    }
    return pd.DataFrame({"time": [when.isoformat(timespec="minutes") for when in local], **frame}).round(3)


def _peak(clock: _Series, at: _Series | float, width_h: float) -> _Series:
    """A hill around a time of day."""
    return np.asarray(np.exp(-(((clock - at + 12) % 24 - 12) ** 2) / (2 * width_h**2)))


def _load(clock: _Series, morning: _Series, evening: float, noon: float, rng: np.random.Generator) -> _Series:
    """A household's load: a hill in the morning, one in the evening, less at noon, and habits by chance."""
    shape = 0.18 + 0.4 * _peak(clock, morning, 1.0) + 0.65 * _peak(clock, evening, 1.8) + noon * _peak(clock, 13.0, 2.5)
    habits = np.convolve(rng.lognormal(0.0, 0.35, clock.size + 3), np.full(4, 0.25), "valid")
    return np.minimum(shape * habits, 1.0)


def _temperature(clock: _Series, rng: np.random.Generator) -> _Series:
    """Degrees Celsius outside: coldest at six, and days that differ."""
    drift = np.convolve(rng.normal(0.0, 2.0, clock.size + 95), np.full(96, 1 / 96), "valid") * 6
    return np.asarray(6.0 - 4.0 * np.cos((clock - 15.0) / 24 * 2 * np.pi + np.pi) + drift)


def _sun(times: list[datetime]) -> _Series:
    """What a clear sky gives on a roof to the south, as a fraction of the most."""
    year = np.array([when.timetuple().tm_yday for when in times])
    hour = np.array([when.hour + when.minute / 60 + _MINUTES / 120 for when in times]) + np.degrees(_LONGITUDE) / 15
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284 + year) / 365)
    angle = np.radians(15.0) * (hour - 12.0)
    on_roof = np.sin(declination) * np.sin(_LATITUDE - _TILT)
    on_roof += np.cos(declination) * np.cos(_LATITUDE - _TILT) * np.cos(angle)
    height = np.sin(declination) * np.sin(_LATITUDE) + np.cos(declination) * np.cos(_LATITUDE) * np.cos(angle)
    return np.where(height > 0, np.maximum(on_roof, 0.0), 0.0)


def _clouds(count: int, rng: np.random.Generator) -> _Series:
    """What clouds leave of it, 0.2 to 1, changing over hours."""
    drawn = np.convolve(rng.normal(0.0, 1.0, count + 23), np.full(24, 24**-0.5), "valid")
    return 0.2 + 0.8 / (1.0 + np.exp(-1.6 * drawn - 0.6))


if __name__ == "__main__":
    profiles().to_csv(Path(__file__).parent / "profiles.csv", index=False)
