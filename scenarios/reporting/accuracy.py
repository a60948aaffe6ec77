"""By how much amounts of a saved run can be wrong, as far as its certificate tells."""

from __future__ import annotations

from math import isfinite

from ...network.arrays import FloatArray
from ..files.schema import ProsumerRow
from ..runs.accuracy import alphas, left_open_by_prosumer_usd, left_open_usd, paid_usd_per_kwh
from .stored_run import StoredRun

_BOUNDED = {"settled", "iteration_limit", "blocked", "sharing_diverged", "interrupted"}
"""Outcomes with a schedule that is one of the market's own problem: no shortage in it, and an AC solution."""
_LEAST_USD = 1e-6  # closer than this numbers of solvers are not worth their name
_PRICE_TAKER = ProsumerRow.model_fields["behaviour"].default


def optimum_within_usd(run: StoredRun) -> float | None:
    """By how much the welfare less fees may miss the optimum, $: the sum of the regrets; None where nothing bounds it.

    Nothing does before a schedule is certified, at a local optimum, with behaviours that are no price takers, where
    the feeder cannot serve what is asked for, and where windows of a rolling horizon are certified each for itself.
    """
    within, prosumers = run.kpis.get("regret_usd"), run.manifest["scenario"]["prosumers"].values()
    behaved = all(row["behaviour"] == _PRICE_TAKER for row in prosumers)
    if within is None or run.outcome not in _BOUNDED or not behaved:
        return None
    if run.kpis.get("local_optima") or run.kpis.get("not_served"):
        return None
    if run.kpis.get("windows", 1) > 1 or "imbalance_usd" in run.kpis:
        return None
    return max(float(within), 0.0)


def welfare_within_usd(run: StoredRun) -> float | None:
    """The same of the welfare, $; None where there are fees: what is optimal then is the welfare less those."""
    return None if _charges_fees(run) else optimum_within_usd(run)


def cost_within_usd(run: StoredRun) -> float | None:
    """By how much the DSO's cost, utilities and what customers pay may differ from those of the optimum, $.

    None where nothing bounds it. So it is where there are fees: a kWh whose fee is its LMP changes hands for nothing.
    """
    return None if _charges_fees(run) else digits_within_usd(run)


def digits_within_usd(run: StoredRun) -> float | None:
    """What decides how many digits of costs are shown, $: their bound; with fees, one but for such a kWh."""
    within = optimum_within_usd(run)
    if within is None:
        return None
    return left_open_usd(within, *_prices_and_alphas(run), run.scenario.dt_h)


def cost_within_by_prosumer_usd(run: StoredRun) -> dict[str, float]:
    """As `cost_within_usd`, by prosumer, see `left_open_by_prosumer_usd`; none where nothing is known."""
    return {} if _charges_fees(run) else digits_within_by_prosumer_usd(run)


def digits_within_by_prosumer_usd(run: StoredRun) -> dict[str, float]:
    """As `digits_within_usd`, by prosumer."""
    within = optimum_within_usd(run)
    if within is None:
        return {}
    own = left_open_by_prosumer_usd(within, *_prices_and_alphas(run), run.scenario.dt_h)
    return dict(zip(run.names, own.tolist(), strict=True))


def together(*within: float | None) -> float | None:
    """What a difference of amounts is known to, $: the sum; None if one of them is not known at all."""
    known = [value for value in within if value is not None and isfinite(value)]
    return max(sum(known), _LEAST_USD) if len(known) == len(within) else None


def _prices_and_alphas(run: StoredRun) -> tuple[FloatArray, FloatArray]:
    """What prosumers buy at, (prosumer, period), and the alpha of each, (prosumer,)."""
    lmp = run.table("prosumers")["lmp_usd_per_kwh"].to_numpy().reshape(-1, run.scenario.periods)
    return paid_usd_per_kwh(run.scenario, run.names, lmp), alphas(run.scenario, run.names)


def _charges_fees(run: StoredRun) -> bool:
    return any(run.kpis.get(key) for key in ("grid_fee_usd", "feed_in_fee_usd", "sharing_fee_usd"))
