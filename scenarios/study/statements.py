"""What the paper says of its case study (section 6), as checks with a number each and a verdict that can fail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ...market.outcome import Outcome
from ...market.result import Result
from ...market.settings import Case
from ..runs.accuracy import cost_within_usd
from ..runs.amounts import counted, dollars
from .accuracy import known
from .findings import ALPHA_SCALES, Study, Traced
from .trade_statements import Found, arbitrage, largest_buyer, linked_to_nobody, payments, pv, wind
from .verdicts import Verdict, at_most, between, falling

_NEAR, _NEAR_BY, _LIMIT, _ROUNDS = 1e-2, 10, 20, 36  # "near 0" is ours, the counts are the paper's
_TENTH = 0.05, 0.15  # "about a tenth"
_REST = 1e-3  # the outer error at which iterations are compared, as in Figure 9
_NOISE, _KNOWN = 1e-6, 1e-3  # of the DSO's cost: solver noise, and what a certificate must tell to say something


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the paper beside what this study found.

    Attributes:
        paper: What the paper says.
        ours: What was found, with its number.
        verdict: Whether it holds here.
    """

    paper: str
    ours: str
    verdict: Verdict


def statements(study: Study) -> list[Statement]:
    """All statements, in the order of the paper."""
    checks: tuple[tuple[str, Callable[[Study], Found]], ...] = (
        ("Algorithm 2 converges: the outer error is near 0 by iteration 10 (limit 20).", _outer),
        ("Algorithm 1 converges in 36 rounds in the last outer step.", _rounds),
        ("The DN operating cost settles ($15,582.9 with the paper's parameters).", _cost),
        ("Prosumers with PV sell in daylight.", pv),
        ("The prosumer with wind sells at night.", wind),
        ("A prosumer buys from one partner and sells to another in the same hour (arbitrage).", arbitrage),
        ("The prosumer that buys most from the DN is the one whose LMP is lowest.", largest_buyer),
        ("Cases 2 and 3 have the same total cost.", _central),
        ("Without sharing the prosumers' total cost is about a tenth higher (+9.8 % in the paper).", _alone),
        ("The payments of the prosumers to each other sum to zero.", payments),
        ("A larger alpha converges faster.", _alpha),
    )
    return [Statement(paper, *check(study)) for paper, check in checks]


def _outer(study: Study) -> Found:
    method, runs = study.algorithm_2
    errors, last = runs[1.0].outer_error, min(_NEAR_BY, runs[1.0].outer_error.size)
    if not last:
        return f"{method}: {runs[1.0].message}", Verdict.FAILS
    proven = runs[1.0].proven_in
    said = (
        f"{method}: outer error {errors[last - 1]:.1e} in iteration {last}; {_proven(runs[1.0])}"
        f"{'' if method == study.method else f' ({study.method}: {_proven(study.base)})'}"
    )
    late = Verdict.FAILS if proven is None else at_most(proven, _LIMIT)
    return said, Verdict.FAILS if late is Verdict.FAILS else at_most(float(errors[last - 1]), _NEAR)


def _proven(run: Traced) -> str:
    """When a run was proven to be at rest."""
    if run.proven_in is None:
        return f"never certified within tolerance in {counted(run.regret_usd.size, 'iteration')}"
    return f"certified within tolerance in iteration {run.proven_in}"


def _rounds(study: Study) -> Found:
    if not study.result.graph.links:
        return linked_to_nobody(study)
    if study.cold is None or not study.cold.primal_kw.size:
        return _why(study, "Algorithm 1 from a cold start"), Verdict.OPEN
    cold, warm = study.cold, study.result.sharing_rounds
    agreed = cold.primal_kw[-1] <= cold.agreed_kw and cold.dual_usd_per_kwh[-1] <= cold.agreed_usd_per_kwh
    said = (
        f"{counted(cold.primal_kw.size, 'round')} from a cold start at the settled LMPs, to {cold.agreed_kw:.2g} kW "
        f"and {cold.agreed_usd_per_kwh:.2g} $/kWh{'' if agreed else ', without agreement'}; in the run itself "
        f"{next((rounds for rounds in reversed(warm) if rounds), 0)} in the last outer step ({study.method})"
    )
    return said, at_most(cold.primal_kw.size, _ROUNDS) if agreed else Verdict.FAILS


def _cost(study: Study) -> Found:
    method, runs = study.algorithm_2
    costs = runs[1.0].dso_cost_usd
    if costs.size < 2:
        return f"{method}: there were fewer than two clearings", Verdict.OPEN
    change = abs(costs[-1] - costs[-2]) / max(abs(costs[-1]), 1e-9)
    within = cost_within_usd(study.scenario, runs[1.0].result)
    cost = dollars(costs[-1], within) if within < abs(costs[-1]) else "a cost that is not known closely enough"
    said = f"{method}: {cost}, changed by {change:.1e} in the last iteration"
    return said, at_most(change, _REST)


def _central(study: Study) -> Found:
    if Case.CENTRAL not in study.cases:
        return _why(study, "Case 2"), Verdict.OPEN
    two, three = (study.cases[case] for case in (Case.CENTRAL, Case.SHARING))
    if not (_certified(study, two) and _certified(study, three)):
        return "one of the two did not settle", Verdict.OPEN
    gap, size = abs(two.welfare_less_fees_usd - three.welfare_less_fees_usd), abs(three.dso_cost_usd)
    bound = two.certificate.total_usd + three.certificate.total_usd
    if two.certificate.physics.local or three.certificate.physics.local:
        return "the certificates of local optima say nothing of the total cost", Verdict.OPEN
    what = "DSO cost and fees less utility differ" if three.certificate.charged else "DSO cost less utility differs"
    said = (
        f"{what} by ${gap:.1e} of {dollars(-three.welfare_less_fees_usd, bound)}, and the certificates "
        f"allow ${bound:.1e}"
    )
    if bound > _KNOWN * size:
        return f"{said}, which is too much to tell", Verdict.OPEN
    return said, at_most(gap, bound + _NOISE * size)


def _alone(study: Study) -> Found:
    if not study.result.graph.links:
        return linked_to_nobody(study)
    if Case.NO_SHARING not in study.cases:
        return _why(study, "Case 1"), Verdict.OPEN
    one, three = (study.cases[case] for case in (Case.NO_SHARING, Case.SHARING))
    if not (_certified(study, one) and _certified(study, three)):
        return "one of the two did not settle", Verdict.OPEN
    more, total = float(one.own_cost_usd.sum() - three.own_cost_usd.sum()), abs(float(three.own_cost_usd.sum()))
    within = cost_within_usd(study.scenario, one) + cost_within_usd(study.scenario, three)
    verdict = between(more, _TENTH[0] * total, _TENTH[1] * total, within)
    if verdict is Verdict.SAME:
        return f"no difference: ${abs(more):.1e}, and the certificates tell costs to ${within:.1e} only", verdict
    share = known(100 * more / total, 100 * within / total)
    return f"{dollars(more, within)} or {share} % of the total of Case 3", verdict


def _alpha(study: Study) -> Found:
    method, runs = study.algorithm_2
    if any(scale not in runs for scale in ALPHA_SCALES) and method != study.method:
        method, runs = study.method, study.alphas
    if any(scale not in runs for scale in ALPHA_SCALES):
        return f"a run is missing ({'; '.join(study.left_out.values())})", Verdict.OPEN
    said = f"{method}: {_counts(runs)}"
    if method != study.method:
        said += f" ({study.method}: {_counts(study.alphas)})"
    counts = [_iterations(runs[scale]) for scale in ALPHA_SCALES]
    return f"iterations to an outer error of {_REST:g} or a certificate within tolerance: {said}", falling(counts)


def _counts(runs: Mapping[float, Traced]) -> str:
    needed = {scale: _iterations(runs[scale]) for scale in ALPHA_SCALES if scale in runs}
    return ", ".join(f"{scale:g} alpha {f'{n:g}' if np.isfinite(n) else 'never'}" for scale, n in needed.items())


def _iterations(run: Traced) -> float:
    """Iterations until the outer error stays below `_REST`, or the run has settled; inf if neither."""
    errors = run.outer_error
    above = np.flatnonzero(errors >= _REST)
    rests = int(above[-1]) + 2 if above.size else 1
    if rests <= errors.size:
        return float(rests)
    return float(run.result.outer_iterations) if run.result.settled else np.inf


def _certified(study: Study, result: Result) -> bool:
    """Whether a run has come within the scenario's tolerance, though perhaps not as close as it was asked to."""
    close = result.certificate.relative <= study.scenario.settings.regret_tolerance
    return result.settled or (result.outcome is Outcome.ITERATION_LIMIT and bool(close))


def _why(study: Study, experiment: str) -> str:
    """Why an experiment is missing."""
    return study.left_out.get(experiment, f"{experiment} is missing")
