"""Periods are counted from 1 in sentences and carry their hours."""

import pytest

from gridbazaar.network.periods import period_name


@pytest.mark.parametrize(
    ("period", "dt_h", "name"),
    [
        (0, 1.0, "period 1 (00:00-01:00)"),
        (17, 1.0, "period 18 (17:00-18:00)"),
        (23, 1.0, "period 24 (23:00-24:00)"),
        (24, 1.0, "period 25 (day 2, 00:00-01:00)"),
        (70, 0.25, "period 71 (17:30-17:45)"),
        (3, 1 / 3, "period 4 (01:00-01:20)"),
        (47, 0.5, "period 48 (23:30-24:00)"),
    ],
)
def test_name(period, dt_h, name):
    assert period_name(period, dt_h) == name
