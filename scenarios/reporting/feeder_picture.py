"""The feeder of a run as a one-line diagram: LMPs, loading and trades over all its periods."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from markupsafe import Markup

from ..drawing.one_line import one_line
from ..drawing.shade import Shade
from .pages import Picture
from .pictured import Pictured

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_LEAST_KW = 1e-3  # trades below are the solver's
_MANY = 20  # prosumers that are drawn one by one; more of them are told by bus
_MOST_ARROWS = 8


def feeder_picture(run: Pictured) -> Picture:
    """Buses by mean LMP, lines by their highest loading with the trades, arrows by mean trade."""
    feeder = run.feeder
    lmp = _by_name(run.table("prices").groupby("bus")["lmp_usd_per_kwh"].mean(), list(feeder.names))
    percent = run.table("lines").groupby("line")["loading_with_trades_percent"].max()
    loading = _by_name(percent, ["", *(line.name for line in feeder.lines)]) / 100
    homes = run.homes
    called = _called(homes)
    trades = _trades(run.table("trades"), called, _MOST_ARROWS if len(homes) > _MANY else len(homes) ** 2)
    drawn = one_line(
        feeder,
        Shade(lmp, "mean LMP", "$/kWh"),
        loading=loading,
        prosumers={called[name]: bus for name, bus in homes.items()},
        trades=trades,
        title="feeder of the run",
    )
    caption = "Colour: mean LMP. Lines: highest loading with the trades. Arrows: mean net trade, from seller to buyer."
    if len(homes) > _MANY:
        caption += " At each bus with prosumers stands how many there are."
    if len(trades) == _MOST_ARROWS and len(homes) > _MANY:
        caption += f" The {_MOST_ARROWS} largest trades are shown."
    return Picture(caption, Markup(drawn))  # noqa: S704  # it escapes what it writes


def _called(homes: dict[str, str]) -> dict[str, str]:
    """What each prosumer is called in the picture: by its name, or those of a bus together, "9 @26"."""
    if len(homes) <= _MANY:
        return {name: name for name in homes}
    count = Counter(homes.values())
    return {name: f"{count[bus]} @{bus}" for name, bus in homes.items()}


def _trades(trades: pd.DataFrame, called: dict[str, str], most: int) -> list[tuple[str, str, float]]:
    """Seller, buyer and mean net power of those that trade most, kW, as they are called."""
    power: defaultdict[tuple[str, str], float] = defaultdict(float)
    mean = trades.groupby(["a", "b"], sort=False, as_index=False)["trade_kw"].mean()
    for a, b, kw in mean.to_numpy().tolist():
        ends = called[b], called[a]
        if ends[0] != ends[1]:
            power[min(ends), max(ends)] += kw if ends[0] < ends[1] else -kw
    pairs = [(*ends, kw) if kw > 0 else (*ends[::-1], -kw) for ends, kw in power.items()]
    return sorted((pair for pair in pairs if pair[2] > _LEAST_KW), key=lambda pair: -pair[2])[:most]


def _by_name(values: pd.Series[float], names: list[str]) -> np.ndarray:
    return values.reindex(names).to_numpy(dtype=float)
