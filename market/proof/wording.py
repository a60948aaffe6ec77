"""What a round came to, in one sentence."""

from __future__ import annotations

import numpy as np

from .diagnosis import Diagnosis


def of_clearing(iteration: int, cost_usd: float, proven: float) -> str:
    """The sentence of a clearing after which prosumers share."""
    proof = f" (regret {proven:.1e} of the turnover)" if np.isfinite(proven) else ""
    return f"step {iteration}: the DSO clears the market at ${cost_usd:,.2f} and announces LMPs{proof}"


def of_sharing(iteration: int, round_: int, diagnosis: Diagnosis | None) -> str:
    """The sentence of a round of Algorithm 1."""
    return f"step {iteration}, round {round_}: {diagnosis}"


def of_delivery(iteration: int, outer_error: float) -> str:
    """The sentence of a delivery that was committed to."""
    return f"step {iteration}: trades are delivered; bids move by {outer_error:.2%}"


def of_closer_sharing(iteration: int, regret_usd: float) -> str:
    """The sentence of a delivery that nobody is held to."""
    return f"step {iteration}: what was agreed is regretted by ${regret_usd:.2g}; partners share on"
