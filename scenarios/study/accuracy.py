"""How costs are written, which are known less closely than welfare."""

import numpy as np

from ..runs.amounts import money


def known(value: float, within: float) -> str:
    """A number for a table, without digits below what it is known within; empty where there is none."""
    return "" if np.isnan(value) else money(value, within).replace(",", "")
