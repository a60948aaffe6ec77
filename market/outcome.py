"""How a run can end; the value of each outcome is the sentence that a person reads, cause and remedy included."""

from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """How a run has ended, or that it has not."""

    RUNNING = "not finished: the run was stopped before the market settled"
    SETTLED = "settled: nobody gains by deviating"
    RESTLESS = (
        "not settled: {acts}, and the market does not come to rest: after {iterations} clearings the regret is "
        "{relative:.1e} of the turnover and falls no more, and bids move by {outer_error:.1%} a step; {why}"
    )
    BLOCKED = (
        "not settled: bids and prices rest, and after {iterations} clearings the regret falls no more, {relative:.1e} "
        "of the turnover (market.regret_tolerance {regret_tolerance:g}); {why}"
    )
    NEVER_AGREES = (
        "not settled: {why}, so that partners never agree: ask a spread instead (Behaviour.spread_usd_per_kwh), or "
        "declare another household (Behaviour.declare)"
    )
    ITERATION_LIMIT = (
        "not settled: Algorithm 2 reached market.max_iterations {max_iterations} with a regret of {relative:.1e} "
        "of the turnover (market.regret_tolerance {regret_tolerance:g}); bids move by {outer_error:.1%} a step; {why}"
    )
    SHARING_DIVERGED = (
        "not settled: Algorithm 1 diverges: after {rounds} rounds partners still disagree by {primal_kw:.4g} kW and it "
        "gets no better. Order {order} {why}; use market.order proximal_jacobi, which converges for every penalty"
    )
    NOT_AC = (
        "not settled: prices and bids rest, but {why}; use market.physics auto, or give the DSO something to curtail "
        "(a generator with p_min_kw 0, a curtailable load)"
    )
    HOUSEHOLD_SHORTAGE = "infeasible: {why}"
    SHORTAGE = "infeasible: bids and prices rest, but the feeder cannot serve them: {why}"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run has ended, or that it has not, and that in words."""

    outcome: Outcome = Outcome.RUNNING
    message: str = Outcome.RUNNING.value
