"""What differs from a plan, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gridbazaar.scenarios.files.horizon import ImbalancePriceRow
from gridbazaar.scenarios.rolling.imbalances import Imbalances


def imbalances(sell: float, **planned_and_actual: list[float]) -> Imbalances:
    """Those of ann in hours of 1 h."""
    fixed_planned, renewable_planned, curtailed, fixed, renewable = (
        np.array([planned_and_actual[key]])
        for key in ("fixed_planned", "renewable_planned", "curtailed", "fixed", "renewable")
    )
    plan, actual = (fixed_planned, renewable_planned, curtailed), (fixed, renewable)
    return Imbalances.of(("ann",), plan, actual, ImbalancePriceRow(buy=0.5, sell=sell), 1.0)


SUN = {
    "fixed_planned": [2.0, 2.0, 2.0, 2.0],
    "renewable_planned": [0.0, 3.0, 3.0, 0.0],
    "curtailed": [0.0, 1.0, 1.0, 0.0],
    "fixed": [2.0, 2.0, 2.0, 0.5],
    "renewable": [4.0, 5.0, 1.0, 1.0],
}
"""More sun than expected, more beside what is curtailed, less than that, and less load with a little sun."""


def test_who_would_pay_for_what_is_over_curtails_it():
    """Of the last hour 1.5 kW are over, and only 1 kW can be curtailed: the rest of the load is bought all the same."""
    found = imbalances(-0.1, **SUN)
    assert found.imbalance_kw.tolist() == [[0.0, 0.0, 1.0, -1.5]]
    assert found.usd == pytest.approx([0.5 * 1 + 0.1 * 1.5])


@pytest.mark.parametrize("sell", [0.0, 0.1])
def test_who_is_paid_for_what_is_over_curtails_as_planned(sell):
    found = imbalances(sell, **SUN)
    assert found.imbalance_kw.tolist() == [[-4.0, -2.0, 1.0, -2.5]]
    assert found.usd == pytest.approx([0.5 * 1 - sell * 8.5])
