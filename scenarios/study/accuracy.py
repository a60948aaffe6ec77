"""How closely are the costs of a run known, and how are they written then?"""

import numpy as np

from ...market.result import Result
from ..files.scenario_rows import ScenarioRows
from ..runs.amounts import money


def cost_accuracy_usd(scenario: ScenarioRows, result: Result) -> float:
    """By how much the costs of a run can differ from those of the optimum, in $; its certificate bounds the welfare.

    Utilities (12) are curved: a schedule whose elastic loads are e instead of e* misses at least the sum of
    alpha (e - e*)² of the welfare. So welfare that is known to R leaves these differences, and, at the LMPs, what they
    cost up to sqrt(R sum of LMP² / alpha), far more than R: welfare changes in second order there, costs in first.
    """
    alpha = np.array([scenario.prosumers[name].alpha_usd_per_kw2h for name in result.names]) * scenario.alpha_scale
    steep = result.dt_h * float((result.lmp_usd_per_kwh**2 / alpha[:, None]).sum())
    missing = max(result.certificate.total_usd, 0.0)
    return float(np.sqrt(missing * steep)) + missing


def known(value: float, within: float) -> str:
    """A number for a table, without digits below what it is known within; empty where there is none."""
    return "" if np.isnan(value) else money(value, within).replace(",", "")
