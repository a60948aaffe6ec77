"""How closely a certificate, which bounds the welfare, tells costs."""

import numpy as np

from ...market.result import Result
from ...network.arrays import FloatArray


def left_open_usd(
    missing_usd: float, lmp_usd_per_kwh: FloatArray, alpha_usd_per_kw2h: FloatArray | float, dt_h: float
) -> float:
    """By how much costs can differ from those of the optimum, $, where so much welfare may be missing.

    Utilities (12) are curved: a schedule whose elastic loads are e instead of e* misses at least the sum of
    alpha (e - e*)² of the welfare. So welfare that is known to R leaves these differences, and, at the LMPs, what they
    cost up to sqrt(R sum of LMP² / alpha), far more than R: welfare changes in second order there, costs in first.

    Args:
        missing_usd: R, at least 0.
        lmp_usd_per_kwh: LMPs where the loads are, (period,) or (prosumer, period).
        alpha_usd_per_kw2h: alpha of the loads, in a shape that fits them.
        dt_h: Length of a period, hours.
    """
    steep = dt_h * float((lmp_usd_per_kwh**2 / alpha_usd_per_kw2h).sum())
    return float(np.sqrt(missing_usd * steep)) + missing_usd


def costs_within_usd(result: Result) -> FloatArray:
    """By how much what each prosumer pays can differ from what it pays at the optimum, (prosumer,) in $.

    0, which is nothing known, of a run that has not settled.
    """
    if not result.settled:
        return np.zeros(len(result.names))
    missing = result.certificate.total_usd
    loads = zip(result.lmp_usd_per_kwh, result.alpha_usd_per_kw2h, strict=True)
    return np.array([left_open_usd(missing, lmp, alpha, result.dt_h) for lmp, alpha in loads])


def cost_within_usd(result: Result) -> float:
    """The same of what all of them pay, and of the DSO's cost."""
    if not result.settled:
        return 0.0
    alpha = result.alpha_usd_per_kw2h[:, None]
    return left_open_usd(result.certificate.total_usd, result.lmp_usd_per_kwh, alpha, result.dt_h)
