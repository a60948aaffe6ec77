"""When rounds of sharing are given up: they diverge, or the last that is allowed has come no nearer to agreement."""

import pytest

from gridbazaar.market.proof.residual_history import ResidualHistory


@pytest.mark.parametrize(
    ("residuals", "diverges", "nowhere"),
    [
        ([4.0] * 400, False, True),  # swings, but is not far from agreement
        ([40.0] * 400, True, True),
        ([40.0 * 0.97**k for k in range(400)], False, False),
        ([4.0] * 3, False, False),  # nobody knows yet
    ],
    ids=["swings", "diverges", "converges", "begins"],
)
def test_what_gets_nowhere(residuals: list[float], diverges: bool, nowhere: bool) -> None:
    history = ResidualHistory(1.0)
    for residual in residuals:
        history = history.with_round(residual)
    assert history.diverges == diverges
    assert history.gets_nowhere(cut_short=True) == nowhere
    assert history.gets_nowhere(cut_short=False) == diverges
