"""The feeder of a run as a one-line diagram: LMPs, loading and trades over all its periods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from ..drawing.one_line import one_line
from ..drawing.shade import Shade
from .pages import Picture
from .stored_run import StoredRun

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_LEAST_KW = 1e-3  # trades below are the solver's
_MOST_ARROWS = 40


def feeder_picture(run: StoredRun) -> Picture:
    """Buses by mean LMP, lines by their highest loading with the trades, arrows by mean trade."""
    feeder, scenario = run.scenario.build_feeder(), run.manifest["scenario"]
    lmp = _by_name(run.table("prices").groupby("bus")["lmp_usd_per_kwh"].mean(), list(feeder.names))
    lines = run.table("lines")
    percent = lines.groupby("line")["loading_with_trades_percent"].max()
    loading = _by_name(percent, ["", *(line.name for line in feeder.lines)]) / 100
    homes = {name: row["bus"] for name, row in scenario["prosumers"].items()}
    trades = _trades(run.table("trades"))
    shade = Shade(lmp, "mean LMP", "$/kWh")
    drawn = one_line(feeder, shade, loading=loading, prosumers=homes, trades=trades, title="feeder of the run")
    caption = "Colour: mean LMP. Lines: highest loading with the trades. Arrows: mean net trade, from seller to buyer."
    if len(trades) == _MOST_ARROWS:
        caption += f" The {_MOST_ARROWS} largest trades are shown."
    return Picture(caption, Markup(drawn))  # noqa: S704  # it escapes what it writes


def _trades(trades: pd.DataFrame) -> list[tuple[str, str, float]]:
    """Seller, buyer and mean power of the links that trade most, kW."""
    mean = trades.groupby(["a", "b"], sort=False, as_index=False)["trade_kw"].mean()
    rows = mean.to_numpy().tolist()
    pairs = [(b, a, float(kw)) if kw > 0 else (a, b, -float(kw)) for a, b, kw in rows]
    return sorted((pair for pair in pairs if pair[2] > _LEAST_KW), key=lambda pair: -pair[2])[:_MOST_ARROWS]


def _by_name(values: pd.Series[float], names: list[str]) -> np.ndarray:
    return values.reindex(names).to_numpy(dtype=float)
