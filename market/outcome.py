"""How a run can end; the value of each outcome is the sentence that a person reads."""

from enum import Enum


class Outcome(Enum):
    """How a run has ended, or that it has not."""

    RUNNING = "the run is not finished"
    SETTLED = "settled: no prosumer gains by deviating"
    ITERATION_LIMIT = (
        "not settled: Algorithm 2 reached its limit of {max_iterations} outer steps with a regret of {relative:.1e} of "
        "the DSO's cost (tolerance {regret_tolerance:g}) and bids still moving by {outer_error:.1%} a step; "
        "raise market.max_iterations, or look for a cycle: demand may be too flat for the plain fixed point (28)"
    )
    SHARING_DIVERGED = (
        "not settled: Algorithm 1 does not converge: after {rounds} rounds partners still disagree by {primal_kw:.4g} kW "
        "and it gets no better. {why}; use market.order proximal, which converges for every penalty"
    )
    SHORTAGE = "infeasible: bids and prices rest, but the feeder cannot serve them: {why}"
