"""How closely a certificate, which bounds the welfare, tells costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...market.result import Result
from ...network.arrays import FloatArray
from ..files.scenario_rows import ScenarioRows


def left_open_usd(
    missing_usd: float, lmp_usd_per_kwh: FloatArray, alpha_usd_per_kw2h: FloatArray, dt_h: float
) -> float:
    """By how much costs of all can differ from those of the optimum, $, where so much welfare may be missing.

    Utilities (12) are curved: a schedule whose elastic loads are e instead of e* misses at least the sum of
    alpha (e - e*)² of the welfare. So welfare that is known to R leaves these differences, and, at the LMPs, what they
    cost up to sqrt(R sum of LMP² / alpha), far more than R: welfare changes in second order there, costs in first.

    Args:
        missing_usd: R, at least 0.
        lmp_usd_per_kwh: LMPs where the loads are, (prosumer, period).
        alpha_usd_per_kw2h: alpha of the loads, (prosumer,).
        dt_h: Length of a period, hours.
    """
    steep = float(_steepness(lmp_usd_per_kwh, alpha_usd_per_kw2h, dt_h).sum())
    return float(np.sqrt(missing_usd * steep)) + missing_usd


def left_open_by_prosumer_usd(
    missing_usd: float, lmp_usd_per_kwh: FloatArray, alpha_usd_per_kw2h: FloatArray, dt_h: float
) -> FloatArray:
    """The same of what each pays, (prosumer,).

    Where prices of an equilibrium are not unique (a link at its cap), what partners pay each other may differ further.
    """
    steep = _steepness(lmp_usd_per_kwh, alpha_usd_per_kw2h, dt_h)
    return np.asarray(np.sqrt(missing_usd * steep) + missing_usd)


def _steepness(lmp_usd_per_kwh: FloatArray, alpha_usd_per_kw2h: FloatArray, dt_h: float) -> FloatArray:
    return np.asarray(dt_h * (lmp_usd_per_kwh**2).sum(axis=1) / alpha_usd_per_kw2h)


def cost_within_usd(scenario: ScenarioRows, result: Result) -> float:
    """By how much the DSO's cost, and what all pay together, may differ from those of the optimum, $.

    As the certificate of a run of the scenario tells: inf or nan before anything is certified.
    """
    return left_open_usd(*_certified(scenario, result))


def cost_within_by_prosumer_usd(scenario: ScenarioRows, result: Result) -> FloatArray:
    """The same of what each pays, (prosumer,), see `left_open_by_prosumer_usd`."""
    return left_open_by_prosumer_usd(*_certified(scenario, result))


def _certified(scenario: ScenarioRows, result: Result) -> tuple[float, FloatArray, FloatArray, float]:
    """What may be missing, what loads pay, alphas and the length of a period, as `left_open_usd` takes them."""
    missing = max(result.certificate.total_usd, 0.0)
    paid = paid_usd_per_kwh(scenario, result.names, result.lmp_usd_per_kwh)
    return missing, paid, alphas(scenario, result.names), result.dt_h


def paid_usd_per_kwh(scenario: ScenarioRows, names: Sequence[str], lmp_usd_per_kwh: FloatArray) -> FloatArray:
    """What a kWh from the DSO costs at these LMPs, grid fees in it, without its sign; all (prosumer, period)."""
    fees = np.array([scenario.prosumers[name].grid_fee_usd_per_kwh for name in names])
    return np.asarray(np.abs(lmp_usd_per_kwh) + fees[:, None])


@dataclass(frozen=True, slots=True)
class CostBounds:
    """By how much costs may differ from those of the optimum, in $.

    Attributes:
        total_usd: The DSO's cost, and what all pay together.
        by_prosumer_usd: What each pays, (prosumer,), see `cost_within_by_prosumer_usd`.
    """

    total_usd: float
    by_prosumer_usd: FloatArray

    @classmethod
    def of(cls, scenario: ScenarioRows, result: Result) -> CostBounds | None:
        """Those of a run of the scenario; None where it has not settled, or its certificate bounds no optimum."""
        if not (result.settled and result.certificate.bounds_optimum):
            return None
        return cls(cost_within_usd(scenario, result), cost_within_by_prosumer_usd(scenario, result))


def alphas(scenario: ScenarioRows, names: Sequence[str]) -> FloatArray:
    """The alpha of each of these prosumers, (prosumer,) in $/kW²h."""
    return np.array([scenario.prosumers[name].alpha_usd_per_kw2h for name in names]) * scenario.alpha_scale
