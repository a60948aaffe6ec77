"""Slopes between buses written out, for comparison with what they are by definition."""

import numpy as np

from gridbazaar.network import Clearing


def slopes_of(root: np.ndarray) -> np.ndarray:
    """R R' of all periods, (period, bus, bus)."""
    return root @ root.transpose(0, 2, 1)


def root_of(slope: np.ndarray) -> np.ndarray:
    """A factor of positive semidefinite slopes, (period, bus, bus)."""
    steepness, directions = np.linalg.eigh(slope)
    return directions * np.sqrt(np.maximum(steepness, 0.0))[:, None, :]


def slopes(clearing: Clearing, cleared: tuple, buses: np.ndarray) -> np.ndarray:
    """The slopes of cleared periods between some buses."""
    return slopes_of(clearing.slope_roots(cleared, buses))
