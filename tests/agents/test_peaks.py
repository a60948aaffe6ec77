"""The largest of all numbers, of whatever sign, and where it is."""

import numpy as np
import pytest

from gridbazaar.agents.peaks import Peak


@pytest.mark.parametrize(
    ("values", "peak"),
    [
        ([[1.0, 2.0], [0.5, 2.0]], (2.0, 0, 1)),  # the first of equal ones
        ([[1.0, 2.0], [-3.0, 2.0]], (3.0, 1, 0)),
        ([[1.0, -2.0], [2.0, 0.0]], (2.0, 0, 1)),
        ([[0.0, -np.inf]], (np.inf, 0, 1)),
        (np.zeros((2, 3)), (0.0, 0, 0)),
        (np.zeros((0, 3)), (0.0, 0, 0)),
    ],
)
def test_it_is_found(values, peak):
    assert Peak.of(np.array(values)) == peak
