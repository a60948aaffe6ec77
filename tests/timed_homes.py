"""Two homes with profiles by time: a scenario file, and a table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from two_homes import FEEDER, HOMES


def day(zone: str, date: str, step_min: int = 60, days: int = 1) -> pd.DatetimeIndex:
    """The times of some local days."""
    start = pd.Timestamp(date, tz=zone)
    return pd.date_range(start, start + pd.DateOffset(days=days), freq=f"{step_min}min", inclusive="left")


def sun(count: int, seed: int = 0) -> list[float]:
    """Values with three digits, such as a file has."""
    return np.random.default_rng(seed).uniform(0, 1, count).round(3).tolist()


def local(times: pd.DatetimeIndex) -> list[str]:
    """What the clock shows, without an offset."""
    return [when.strftime("%Y-%m-%dT%H:%M") for when in times]


def table(times: Sequence[str], **columns: Sequence[object]) -> str:
    """A CSV file with a column of times."""
    rows = zip(times, *columns.values(), strict=True)
    return "\n".join([",".join(["time", *columns]), *(",".join(map(str, row)) for row in rows)]) + "\n"


def write(folder: Path, profiles: str, top: str, name: str = "homes") -> str:
    """Write a scenario of these keys and this table of profiles (a list in YAML needs none); its file."""
    if profiles:
        (folder / f"{name}.csv").write_text(profiles)
        top += f"profiles: {name}.csv\n"
    (folder / f"{name}.yaml").write_text(f"{top}{FEEDER}{HOMES}")
    return f"{name}.yaml"
