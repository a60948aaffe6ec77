"""How closely are the costs of a run known, and how are they written then?"""

import numpy as np

from ...market.result import Result
from ..files.scenario_rows import ScenarioRows
from ..runs.accuracy import cost_within_usd
from ..runs.amounts import money


def cost_accuracy_usd(scenario: ScenarioRows, result: Result) -> float:
    """By how much the costs of a run can differ from those of the optimum, in $, as its certificate tells."""
    return cost_within_usd(scenario, result)


def known(value: float, within: float) -> str:
    """A number for a table, without digits below what it is known within; empty where there is none."""
    return "" if np.isnan(value) else money(value, within).replace(",", "")
