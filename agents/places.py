"""Who lives where: sums over the prosumers of each bus."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_array, csr_array

from ..network.arrays import IntArray


def living(place: IntArray, buses: int) -> csr_array:
    """Who lives where, (bus, prosumer), a 1 each: its product with (prosumer, period) gives the sums by bus.

    Args:
        place: The bus of each prosumer, (prosumer,).
        buses: How many there are.
    """
    ones, one_each = np.ones(place.size), np.arange(place.size + 1)
    return csr_array(csc_array((ones, place, one_each), shape=(buses, place.size)))


def sums_by_owner(starts: IntArray) -> csr_array:
    """The matrix that adds up values of arcs, (arc, ...), for their owners, (prosumer, ...), from the first on.

    Args:
        starts: Where the arcs of each prosumer begin, (prosumer + 1,).
    """
    arcs = int(starts[-1])
    return csr_array((np.ones(arcs), np.arange(arcs), starts), shape=(starts.size - 1, arcs))
