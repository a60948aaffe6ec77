"""What the DSO would best sell along its curve, straight from the definition."""

import numpy as np
from slope_matrices import slopes_of

from gridbazaar.agents.price_curve import PriceCurve


def best_sale(curve: PriceCurve, price: np.ndarray, weight: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """argmin of curve(w) - price w + weight (w - asked)²/2, all prosumers in one system, each at its own price."""
    slope = slopes_of(curve.slope_root)
    living = np.eye(slope.shape[1])[curve.place]
    best = np.empty_like(asked)
    for t in range(asked.shape[1]):
        bend = living @ slope[t] @ living.T
        known = price[:, t] + weight[:, t] * asked[:, t] - curve.lmp_usd_per_kwh[:, t] + bend @ curve.reference_kw[:, t]
        best[:, t] = np.linalg.solve(bend + np.diag(weight[:, t]), known)
    return best
