"""The paper's case study on any scenario: every experiment that its figures, tables and statements are made from."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from ...market.hosting.message_log import Entries
from ...market.result import Result
from ...market.settings import Case, Method, NetworkUse, Order
from ...network.arrays import FloatArray
from ..files.scenario import Scenario
from ..files.schema import MessagesRow
from ..runs.who_saw_what import frame, matrix
from .cobweb import cobweb, cycling, equilibrium_alone, is_close, slopes, steady
from .experiments import Experiments, LeftOutError, Part
from .findings import ALPHA_SCALES, FLAT_SCALE, PLAIN_TOLERANCE, Cobweb, Slopes, Study, Traced
from .tracing import trace

_PLAIN: dict[str, Any] = {  # the paper's fixed point, and how long it may take: it has gone astray if it needs more
    "method": Method.PLAIN,
    "max_rounds": 300,  # in an outer step
    "max_iterations": 25,
    "regret_tolerance": PLAIN_TOLERANCE,
    "primal_tolerance_kw": 0.1,
    "dual_tolerance_usd_per_kwh": 1e-5,
}
_MOST_ROUNDS = 2000
"""After so many rounds of sharing in all, an experiment that may not settle is stopped."""
_CLOSER = 100
"""Costs are known far less closely than welfare: the cases of Table 2 go on to so small a part of the tolerance."""
_EASY_STEPS, _MORE_STEPS = 6, 4
_SCALES, _OTHER_SCALES = ALPHA_SCALES[1:], (*ALPHA_SCALES[1:], FLAT_SCALE)
_BASE, _COLD = "the base run", "Algorithm 1 from a cold start"
Key = TypeVar("Key")
_STEADY, _CYCLING = "a cobweb that converges", "a cobweb that cycles"
_JACOBI, _GAUSS_SEIDEL, _WIRES = "order jacobi", "order gauss_seidel", "the other use of the network"


def study(scenario: Scenario, name: str, tell: Callable[[str], None] = lambda _: None) -> Study:
    """Make all experiments. Those but the first may fail: they are left out then, with the reason.

    Args:
        scenario: Any scenario; its case and order are set by the study, its method is its own.
        name: What it is called.
        tell: Told of every experiment before it starts, "experiment 2 of 18: Case 1".

    Raises:
        ScenarioError: The scenario is wrong.
        InfeasibleError: The feeder cannot carry its load, or a household cannot balance an hour.
    """
    experiments = Experiments(_names(scenario.settings.method), tell)
    reliable = scenario.model_copy(update={"messages": MessagesRow()})  # the paper's messages all arrive
    base = reliable.changed(case=Case.SHARING, order=Order.PROXIMAL_JACOBI)
    messages: list[Entries] = []
    shared = experiments.needed(_BASE, partial(_run, base, log=messages.append))
    runs = _Runs(experiments, base)
    cases = {case: experiments.possible(_case(case), partial(_closer, base, case, shared.result)) for case in Case}
    alphas = {scale: runs.possible(_alpha(scale), alpha_scale=scale) for scale in _SCALES}
    plain = _plain_runs(runs, {1.0: shared, **_present(alphas)})
    cold = experiments.possible(_COLD, partial(_cold, base, shared.result.bid_kw))
    alone = {1.0: cases[Case.NO_SHARING], FLAT_SCALE: None}
    found = [
        experiments.possible(_slopes(scale), partial(_found_slopes, base, scale, rest)) for scale, rest in alone.items()
    ]
    return Study(
        name=name,
        scenario=base,
        base=shared,
        cases={Case.SHARING: shared.result, **_present(cases)},
        alphas={1.0: shared, **_present(alphas)},
        plain=plain,
        cold=cold,
        slopes=tuple(slope for slope in found if slope),
        steady=experiments.possible(_STEADY, partial(_found_cobweb, base, found[0], steady)),
        cycling=experiments.possible(
            _CYCLING, partial(_found_cobweb, base.changed(alpha_scale=FLAT_SCALE), found[1], cycling)
        ),
        simultaneous=runs.possible(_JACOBI, order=Order.JACOBI),
        sequential=runs.possible(_GAUSS_SEIDEL, order=Order.GAUSS_SEIDEL),
        wires=_wires(runs, shared),
        seconds=experiments.seconds,
        left_out=experiments.left_out,
        interrupted=experiments.interrupted,
        messages=matrix(frame(messages), base.prosumers),
    )


def _names(method: Method) -> list[str]:
    """What the experiments are called, in their order."""
    own = () if method is Method.PLAIN else (1.0, *_OTHER_SCALES)
    return [
        _BASE,
        *map(_case, Case),
        *map(_alpha, _SCALES),
        *map(_plain, own or (FLAT_SCALE,)),
        _COLD,
        *map(_slopes, (1.0, FLAT_SCALE)),
        _STEADY,
        _CYCLING,
        _JACOBI,
        _GAUSS_SEIDEL,
        _WIRES,
    ]


def _case(case: Case) -> str:
    return f"Case {case.value}"


def _alpha(scale: float) -> str:
    return f"alpha x {scale:g}"


def _plain(scale: float) -> str:
    return f"the paper's fixed point (plain) at alpha x {scale:g}"


def _slopes(scale: float) -> str:
    return f"slopes of the LMPs at alpha x {scale:g}"


def _present(found: Mapping[Key, Part | None]) -> dict[Key, Part]:
    return {key: run for key, run in found.items() if run}


class _Runs:
    """Experiments that are a run of the scenario with something changed."""

    def __init__(self, experiments: Experiments, base: Scenario) -> None:
        self.experiments, self.base = experiments, base

    def possible(self, name: str, **changes: Any) -> Traced | None:
        """The run, stopped if it takes too long; None if it fails."""
        return self.experiments.possible(name, partial(self._changed, changes))

    def _changed(self, changes: dict[str, Any]) -> Traced:
        return _run(self.base.changed(**changes), self.base, most_rounds=_MOST_ROUNDS)


def _run(scenario: Scenario, tolerances: Scenario | None = None, **options: Any) -> Traced:
    """A run, its regret held against the tolerances of this scenario or another one."""
    market = scenario.market(log=options.pop("log", None))
    return trace(market, (tolerances or scenario).build_settings(), **options)


def _closer(base: Scenario, case: Case, shared: Result) -> Result:
    """What a case comes to, closer than the tolerance asks for where the base run was easy and it takes little more."""
    scenario = base.changed(case=case)
    if shared.outer_iterations > _EASY_STEPS:
        return shared if case is Case.SHARING else scenario.market().run()
    most = min(shared.outer_iterations + _MORE_STEPS, base.settings.max_iterations)
    closer = scenario.changed(regret_tolerance=base.settings.regret_tolerance / _CLOSER, max_iterations=most)
    found = closer.market().run()
    close = found.settled or found.certificate.relative <= base.settings.regret_tolerance
    return found if close else scenario.market().run()


def _plain_runs(runs: _Runs, own: dict[float, Traced]) -> dict[float, Traced]:
    """Runs of the paper's fixed point by scale of alpha; they are the scenario's own where that is its method."""
    if runs.base.settings.method is Method.PLAIN:
        return _present({**own, FLAT_SCALE: runs.possible(_plain(FLAT_SCALE), alpha_scale=FLAT_SCALE, **_PLAIN)})
    first = runs.possible(_plain(1.0), **_PLAIN)
    if first and first.result.settled:
        others = {scale: runs.possible(_plain(scale), alpha_scale=scale, **_PLAIN) for scale in _OTHER_SCALES}
        return _present({1.0: first, **others})
    for scale in _OTHER_SCALES:
        runs.experiments.possible(_plain(scale), partial(_leave_out, f"{_plain(1.0)} has not settled"))
    return _present({1.0: first})


def _leave_out(why: str) -> None:
    raise LeftOutError(why)


def _cold(base: Scenario, bid_kw: FloatArray) -> Traced:
    """One outer step from settled bids, at fixed LMPs as in the paper: Algorithm 1 with an empty ledger."""
    scenario = base.changed(**_PLAIN)
    market = scenario.market()
    market.bid_kw = bid_kw
    return trace(market, base.build_settings(), outer_steps=1, plans=True)


def _found_slopes(base: Scenario, scale: float, rest: Result | None) -> Slopes:
    """The slopes at the equilibrium without sharing, which may be known already."""
    scaled = base.changed(alpha_scale=scale)
    return slopes(scaled, rest if rest and is_close(rest) else equilibrium_alone(scaled))


def _found_cobweb(
    scenario: Scenario, found: Slopes | None, which: Callable[[Slopes], tuple[int, int] | None]
) -> Cobweb | None:
    if found is None:
        raise LeftOutError("the slopes of the LMPs are missing")
    where = which(found)
    return cobweb(scenario, found, *where) if where else None


def _wires(runs: _Runs, shared: Traced) -> dict[NetworkUse, Traced]:
    """The base run, and one with the other use of the network."""
    own = runs.base.settings.network_use
    (other,) = (use for use in NetworkUse if use is not own)
    found = _present({own: shared, other: runs.possible(_WIRES, network_use=other)})
    return {use: found[use] for use in NetworkUse if use in found}
