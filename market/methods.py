"""Algorithm 2 by name: what the DSO announces after a clearing, and how far prosumers then go.

All methods are one loop: the DSO announces a `PriceCurve`, the prosumers share while their LMPs move along it, deliver,
and the DSO clears for their bids. Let V be the DSO's optimal cost, a convex function of the bids with gradient LMP.

- `plain`: the paper's. The curve is flat; a conditional gradient method with unit step, which may cycle.
- `damped`: the same, but only part of the way: the step that minimises the welfare's quadratic model.
- `proximal`: the price of a bid follows that bid alone, with a slope gamma above V's curvature (backtracking).
- `price_curve`: the slopes are V's Hessian, so the curve is the LMP map to first order: Newton's method on the joint
  problem, safeguarded; in periods where it does not get on, `exchange` takes over.
- `exchange`: no curve. The DSO is one more trading partner and answers every round by a clearing with elastic bids:
  two-block ADMM on the joint problem, which converges whatever bends.
"""

from collections.abc import Callable
from functools import partial

from ..agents.operator import SystemOperator
from .fixed_prices import Damped, Plain
from .price_curves import PriceCurves
from .proximal import Proximal
from .settings import Method

METHODS: dict[Method, Callable[[SystemOperator], Plain]] = {
    Method.PLAIN: Plain,
    Method.DAMPED: Damped,
    Method.PROXIMAL: Proximal,
    Method.EXCHANGE: partial(PriceCurves, exchange=True),
    Method.PRICE_CURVE: PriceCurves,
}
