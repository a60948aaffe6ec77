"""What a market may count on: each of it a function that finds it, or fails."""

from __future__ import annotations

import random
from functools import partial

import numpy as np

from ...agents.behaviour import Behaviour
from ...agents.plan import Plan
from ...agents.subproblem import Subproblem
from ...market.hosting.workers import Workers
from ...network.arrays import FloatArray
from ..runs.amounts import counted
from .check import Check, ConformanceError
from .same_bits import Track, first_difference
from .trial import PATIENCE_S, SHORT, Trial
from .witness import HOOKS

_BALANCE = 1e-6
"""By how much a plan may miss (13) to (17), as a part of its prosumer's size."""
_SAVED_AFTER = 9
"""Rounds after which a market is saved and goes on in another one."""


def _made(trial: Trial) -> str:
    """Each prosumer needs an object of its own."""
    one, other = trial.make(), trial.make()
    for made in (one, other):
        if not isinstance(made, Behaviour):
            raise ConformanceError(f"{type(made).__name__} is not a subclass of gridbazaar.agents.Behaviour")
    if one is other:
        raise ConformanceError("the same object is given out twice; make a new one for each prosumer")
    hooks = [hook for hook in HOOKS if one.overrides(hook)]
    return f"{type(one).__name__} answers {', '.join(hooks) or 'nothing itself: it is a price taker'}"


def _hook(name: str, trial: Trial) -> str:
    """Its answers have the right shape, are finite and within caps, and come whatever it is told."""
    witness = trial.witness
    if not witness.behaviour.overrides(name):
        return "not overridden: what a price taker does"
    failed = [deed for deed in witness.misdeeds if deed.hook == name]
    asked = witness.asked[name]
    if failed:
        more = f" (and {len(failed) - 1} times more)" if len(failed) > 1 else ""
        raise ConformanceError(f"{failed[0].sentence}{more}")
    if name == "answer":
        _check_plans([(one.answer, one.told[1]) for one in asked])
    mean_ms = 1e3 * sum(one.seconds for one in asked) / max(len(asked), 1)
    return f"{counted(len(asked), 'answer')} in {mean_ms:.2g} ms each, of the right shape, finite and within limits"


def _check_plans(plans: list[tuple[Plan, Subproblem]]) -> None:
    """Refuse plans that do not balance (13), or leave their limits (14) to (17)."""
    for number, (plan, problem) in enumerate(plans, start=1):
        home = problem.household
        have = home.renewable_kw - plan.curtailed_kw + plan.bid_kw + plan.trade_kw.sum(axis=0)
        size_kw = max(float(np.abs(home.elastic_max_kw).max()), float(home.bid_max_kw.max()), 1.0)
        missed = {
            "misses the balance (13)": np.abs(have - home.fixed_kw - plan.elastic_kw),
            "has an elastic load out of its limits (14)": np.abs(plan.excess_kw(home)),
            "trades more than a cap (15)": np.abs(plan.trade_kw) - problem.cap_kw[:, None],
            "curtails what is not there": np.maximum(plan.curtailed_kw - home.renewable_kw, -plan.curtailed_kw),
            "bids out of its limits (17)": np.maximum(plan.bid_kw - home.bid_max_kw, home.bid_min_kw - plan.bid_kw),
        }
        for what, by_kw in missed.items():
            if by_kw.max(initial=0.0) > _BALANCE * size_kw:
                raise ConformanceError(f"plan {number} {what} by {by_kw.max():.4g} kW; see problem.share(quote)")


def _deterministic(trial: Trial) -> str:
    """The same seed gives the same bits, whatever else has drawn random numbers in this process."""
    tracks = []
    known = random.getstate(), np.random.get_state()  # noqa: NPY002  # what others may use
    try:
        for seed in (1, 2):
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            with trial.market(trial.make(), **SHORT) as market:
                tracks.append(Track().follow(market))
    finally:
        random.setstate(known[0])
        np.random.set_state(known[1])  # noqa: NPY002
    one, other = tracks
    return _same(one, other, "a second run", "draw from self.rng alone, and look at no clock")


def _saved(trial: Trial) -> str:
    """A market that is saved and goes on in another one has the same bits."""
    with trial.market(trial.make(), **SHORT) as market, trial.market(trial.make(), **SHORT) as other:
        whole = Track().follow(market, rounds=_SAVED_AFTER)
        state = market.snapshot()
        track = Track(list(whole.rounds))
        whole.follow(market)
        other.restore(state)
        track.follow(other)
    return _same(whole, track, "what goes on from a saved state", "keep all that matters in saved_state()")


def _elsewhere(trial: Trial) -> str:
    """In a worker process it answers with the same bits."""
    with trial.market(trial.make(), **SHORT) as market, trial.market(trial.make(), Workers(1), **SHORT) as other:
        here, there = Track().follow(market), Track().follow(other)
    lost = other.communities.incidents
    if lost:
        raise ConformanceError(str(lost[0]))
    return _same(here, there, "the run in a worker process", "keep nothing in modules or classes")


def _same(one: Track, other: Track, what: str, cure: str) -> str:
    difference = first_difference(one, other)
    if difference:
        raise ConformanceError(f"{what} differs in {difference}; {cure}")
    return f"{counted(len(one.rounds), 'round')} with the same bits"


def _quick(trial: Trial) -> str:
    """Its slowest answer comes in time."""
    slowest = {hook: max(one.seconds for one in asked) for hook, asked in trial.witness.asked.items() if asked}
    late = [deed for deed in trial.witness.misdeeds if "did not answer within" in deed.sentence]
    if late:
        raise ConformanceError(late[0].sentence)
    if not slowest:
        return "nothing is asked of it"
    hook = max(slowest, key=lambda name: slowest[name])
    return f"slowest answer {1e3 * slowest[hook]:.2g} ms, in {hook} (at most {PATIENCE_S:g} s)"


def _reveals(trial: Trial) -> str:
    """What becomes public is none of the series that are private."""
    witness = trial.witness
    assert witness.prosumer is not None
    home = witness.prosumer.household
    private = {
        "fixed_kw": home.fixed_kw,
        "renewable_kw": home.renewable_kw,
        "elastic_min_kw": home.elastic_min_kw,
        "elastic_max_kw": home.elastic_max_kw,
        "fixed_kw less renewable_kw": home.fixed_kw - home.renewable_kw,
    }
    for what, series in private.items():
        for name, values in witness.published:
            if np.ptp(series) > 0 and _shows(values, series):
                raise ConformanceError(f"{name} is its {what}, which is private, but for a constant, in all periods")
    kinds = ", ".join(dict.fromkeys(name for name, _ in witness.published))
    return f"public are {kinds}; none of them is a private series"


def _shows(values: FloatArray, series: FloatArray) -> bool:
    """Whether one series is another one, or its negative, shifted by a constant."""
    allowed = 1e-9 * max(float(np.abs(series).max()), 1.0)
    return bool(min(np.ptp(values - series), np.ptp(values + series)) <= allowed)


def _settles(trial: Trial) -> str:
    """A market with it comes to rest."""
    with trial.market(trial.make()) as market:
        result = market.run()
    if not result.settled:
        raise ConformanceError(result.message)
    return f"settled for {result.settled_for} after {counted(result.clearings, 'clearing')}"


CHECKS = (
    Check("made", _made),
    *(Check(hook, partial(_hook, hook)) for hook in HOOKS),
    Check("deterministic", _deterministic),
    Check("saved", _saved),
    Check("worker", _elsewhere),
    Check("quick", _quick),
    Check("private", _reveals),
    Check("settles", _settles),
)
"""All checks, in their order."""
