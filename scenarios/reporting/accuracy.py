"""By how much amounts of a saved run can be wrong, as far as its certificate tells."""

from __future__ import annotations

from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING

import numpy as np

from ..files.schema import ProsumerRow
from .stored_run import StoredRun

if TYPE_CHECKING:
    import pandas as pd

_BOUNDED = {"settled", "iteration_limit", "sharing_diverged", "interrupted"}
"""Outcomes with a schedule that is one of the market's own problem: no shortage in it, and an AC solution."""
_PRICE_TAKER = ProsumerRow.model_fields["behaviour"].default


def welfare_within_usd(run: StoredRun) -> float | None:
    """By how much the welfare may miss the optimum, $: the sum of the regrets; None where nothing bounds it.

    Nothing does before a schedule is certified, at a local optimum, with behaviours that are no price takers, where
    the feeder cannot serve what is asked for, and where fees are part of what is optimal.
    """
    within, prosumers = run.kpis.get("regret_usd"), run.manifest["scenario"]["prosumers"].values()
    behaved = all(row["behaviour"] == _PRICE_TAKER for row in prosumers)
    if within is None or run.outcome not in _BOUNDED or not behaved or run.kpis.get("local_optima"):
        return None
    return None if _charges_fees(run) else max(float(within), 0.0)


def cost_within_usd(run: StoredRun) -> float | None:
    """By how much the DSO's cost, utilities and what customers pay may differ from those of the optimum, $.

    A certificate bounds the welfare. Utilities (12) are curved: elastic loads e instead of e* miss at least the sum of
    alpha (e - e*)² of it, so that a regret R leaves costs open to sqrt(R sum of LMP² / alpha), far more than R.
    """
    within = welfare_within_usd(run)
    return None if within is None else _leaves_open(within, float(_steepness(run).sum()))


def cost_within_by_prosumer_usd(run: StoredRun) -> dict[str, float]:
    """The same by prosumer; none where nothing is known.

    Where prices of an equilibrium are not unique (a link at its cap), what partners pay each other may differ further.
    """
    within = welfare_within_usd(run)
    if within is None:
        return {}
    return {str(name): _leaves_open(within, float(steep)) for name, steep in _steepness(run).items()}


def together(*within: float | None) -> float | None:
    """What a difference of numbers is known to: the sum; None if one of them is not known at all."""
    known = [value for value in within if value is not None and isfinite(value)]
    return sum(known) if len(known) == len(within) else None


def bound(within_usd: float) -> str:
    """A bound as people read it, rounded up: "$31", "$0.002"."""
    if within_usd <= 0:
        return "$0"
    place = 10.0 ** (floor(log10(within_usd)) - (within_usd >= 1))
    above = ceil(within_usd / place - 1e-9) * place
    return f"${above:,.0f}" if above >= 10 else f"${above:.2g}"


def last_place(within: float | None) -> float:
    """The last decimal place that is worth showing of a number that is known within this: of 21 the tens; 0 for all."""
    return 10.0 ** floor(log10(within)) if within and isfinite(within) else 0.0


def _leaves_open(within_usd: float, steepness: float) -> float:
    return float(np.sqrt(within_usd * steepness)) + within_usd


def _steepness(run: StoredRun) -> pd.Series[float]:
    """The sum of LMP² / alpha dt over the periods of each prosumer, $."""
    scenario, table = run.manifest["scenario"], run.table("prosumers")
    alpha = table["prosumer"].map({name: row["alpha_usd_per_kw2h"] for name, row in scenario["prosumers"].items()})
    squares = scenario["dt_h"] * table["lmp_usd_per_kwh"] ** 2 / (alpha * scenario["alpha_scale"])
    by_prosumer: pd.Series[float] = squares.groupby(table["prosumer"], sort=False).sum()
    return by_prosumer


def _charges_fees(run: StoredRun) -> bool:
    return any(run.kpis.get(key) for key in ("grid_fee_usd", "feed_in_fee_usd", "sharing_fee_usd"))
