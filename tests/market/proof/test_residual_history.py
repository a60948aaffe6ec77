"""Divergence is called when there is none to be hoped for, and not before."""

import numpy as np
import pytest

from gridbazaar.market.proof.residual_history import ResidualHistory

ROUNDS = np.arange(400)
SERIES = {
    "converges fast": (100 * 0.9**ROUNDS, False),
    "converges slowly": (100 * 0.998**ROUNDS, False),
    "converges with swings": (100 * 0.98**ROUNDS * (1 + 0.9 * np.sin(ROUNDS)), False),
    "rests close to agreement": (np.full(400, 0.9), False),
    "grows": (0.1 * 1.05**ROUNDS, True),
    "swings between the caps": (400 + 50 * np.cos(ROUNDS), True),
    "stands still": (np.full(400, 5.0), True),
}


@pytest.mark.parametrize("name", SERIES)
def test_verdict(name):
    residuals, diverges = SERIES[name]
    trend, verdicts = ResidualHistory(0.1), []
    for residual in residuals:
        trend = trend.with_round(residual)
        verdicts.append(trend.diverges)
    assert any(verdicts) is diverges
    assert not any(verdicts[:99])


@pytest.mark.parametrize(
    ("residuals", "nowhere"),
    [
        (np.full(400, 4.0), True),  # it swings, but not far from agreement
        (np.full(400, 40.0), True),
        (np.full(400, 0.9), False),  # within tolerance
        (40.0 * 0.97**ROUNDS, False),
        (np.full(3, 4.0), False),  # nobody knows yet
    ],
    ids=["swings", "diverges", "rests", "converges", "begins"],
)
def test_what_has_come_no_nearer_in_the_last_round_that_is_allowed(residuals, nowhere):
    history = ResidualHistory(1.0)
    for residual in residuals:
        history = history.with_round(residual)
    assert history.gets_nowhere(cut_short=True) == nowhere
    assert history.gets_nowhere(cut_short=False) == history.diverges
