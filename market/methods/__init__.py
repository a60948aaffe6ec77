"""Algorithm 2 by name: what the DSO announces after a clearing, and how far prosumers then go.

All methods are one loop: the DSO announces a `PriceCurve`, the prosumers share while their LMPs move along it, deliver,
and the DSO clears for their bids. Let V be the DSO's optimal cost, a convex function of the bids with gradient LMP.

- `plain`: the paper's. The curve is flat; a conditional gradient method with unit step, which may cycle.
- `damped`: the same, but only part of the way: the step that minimises the welfare's quadratic model.
- `proximal_gradient`: the price of a bid follows that bid alone, with a slope gamma above V's curvature (backtracking).
- `newton`: the slopes are V's Hessian, and where they end are the limits of the feeder, so the curve is the LMP map to
  first order on both sides of a kink: Newton's method on the joint problem, safeguarded; in periods where it does not
  get on, `admm` takes over.
- `admm`: no curve. The DSO is one more trading partner and answers every round by a clearing with elastic bids:
  two-block ADMM on the joint problem, which converges whatever bends.
"""

from collections.abc import Callable
from functools import partial

from ...agents.operator import SystemOperator
from ..settings import Method
from .damped import Damped
from .fixed_point import FixedPoint
from .newton import Newton
from .proximal_gradient import ProximalGradient

METHODS: dict[Method, Callable[[SystemOperator], FixedPoint]] = {
    Method.PLAIN: FixedPoint,
    Method.DAMPED: Damped,
    Method.PROXIMAL_GRADIENT: ProximalGradient,
    Method.ADMM: partial(Newton, admm=True),
    Method.NEWTON: Newton,
}
