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
