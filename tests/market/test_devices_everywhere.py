"""A small market with a battery, run in every way there is: at the joint optimum, or bounded; always the same bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from bits import equal_runs

from gridbazaar.agents import Behaviour
from gridbazaar.agents.behaviours.shading import Shading
from gridbazaar.agents.behaviours.withholding import Withholding
from gridbazaar.agents.trade_graph import TradeGraph
from gridbazaar.market import Absence, EnergyMarket, Hosting, MessageFaults, RayCluster, Workers
from gridbazaar.market.proof.central import equilibrium
from gridbazaar.market.state_file import packed, unpacked
from gridbazaar.scenarios import load

OWNER = "ann"
FLOWS = ("charge_kw", "discharge_kw", "energy_kwh", "injection_kw", "cost_usd")
SHORT = {"max_rounds": 40, "max_iterations": 5}


@pytest.fixture(scope="module")
def opened() -> Callable[..., EnergyMarket]:
    """The market of `two_homes`, whose first home has a battery, not yet run."""
    scenario = load("two_homes")

    def go(backend: Any = None, messages: Any = None, act: Any = None, **settings: Any) -> EnergyMarket:
        return EnergyMarket(
            scenario.build_clearing(), scenario.build_households(), scenario.build_links(),
            settings=replace(scenario.build_settings(), **settings), behaviours={OWNER: act()} if act else None,
            rng=5, hosting=Hosting(backend), messages=messages,
        )  # fmt: skip

    return go


@pytest.fixture(scope="module")
def best_usd() -> float:
    """The largest welfare less fees, by the joint problem."""
    scenario = load("two_homes")
    clearing, homes = scenario.build_clearing(), scenario.build_households()
    best = equilibrium(
        clearing.feeder,
        clearing.load_kw,
        clearing.load_kvar,
        homes,
        TradeGraph([home.name for home in homes], scenario.build_links()),
        withdrawals=True,
        p_limits_kw=(clearing.p_gen_min_kw, clearing.p_gen_max_kw),
    )
    return best.welfare_usd - best.fees_usd


def followed(market: EnergyMarket, rounds: list[Any] | None = None, before: Any = None) -> SimpleNamespace:
    """A market run to its end, behind `rounds` that it has had; `before` is told of it before each."""
    rounds = list(rounds or [])
    while market.running:
        if before:
            before(market)
        market.step()
        rounds.append(market.last)
    return SimpleNamespace(rounds=rounds, result=market.result())


def alike(one: SimpleNamespace, other: SimpleNamespace) -> bool:
    """Whether two runs are the same to the last bit, devices included."""
    left, right = one.result.device_schedules, other.result.device_schedules
    same = all(np.array_equal(getattr(left, key), getattr(right, key)) for key in FLOWS)
    return same and equal_runs(one, other)


SETTLE = {"newton", "admm", "proximal_gradient"}


@pytest.mark.parametrize("order", ["proximal_jacobi", "gauss_seidel", "jacobi"])
@pytest.mark.parametrize("method", ["newton", "admm", "proximal_gradient", "damped", "plain"])
def test_every_method_in_every_order(opened, best_usd, method, order):
    """Those that can settle do, at the joint optimum; of the others the certificate bounds what is missing."""
    limits = SHORT if order == "jacobi" or method not in SETTLE else {}
    result = opened(method=method, order=order, **limits).run()
    missing = best_usd - (result.welfare_usd - result.fees_usd)
    assert result.settled == (not limits), result.message
    assert -1e-6 <= missing <= result.certificate.total_usd + 1e-6
    assert result.settled or result.certificate.total_usd > 1e-4


@pytest.mark.parametrize(
    "faults",
    [
        {"loss": 0.2},
        {"delay_rounds": 3},
        {"stale_rounds": 3},
        {"away": {OWNER: Absence(3, 5)}},
        {"loss": 0.1, "delay_rounds": 2, "stale_rounds": 2},
    ],
    ids=str,
)
def test_messages_that_are_lost_late_or_old(opened, best_usd, faults):
    """The joint optimum all the same, and the owner's battery works."""
    result = opened(messages=MessageFaults(**faults)).run()
    assert result.settled, result.message
    assert result.welfare_usd - result.fees_usd == pytest.approx(best_usd, abs=1e-4)
    assert result.devices.charge_kw.sum() > 10.0


@pytest.mark.parametrize(("fault", "said"), [("quantum_kw", "are rounded to 0.01 kW"), ("noise_kw", "carry noise of")])
def test_messages_that_are_inexact_are_blamed(opened, best_usd, fault, said):
    result = opened(messages=MessageFaults(**{fault: 0.01}), max_iterations=5).run()
    assert not result.settled
    assert said in result.message
    assert best_usd - (result.welfare_usd - result.fees_usd) <= result.certificate.total_usd + 1e-6


class Own(Behaviour):
    """Lies, errs, asks a spread, bids by its own lot, and remembers what its battery did last."""

    def __init__(self) -> None:
        self.asked, self.did = 0, np.zeros(0)

    def declare(self, household):
        return replace(household, beta_usd_per_kwh=0.9 * household.beta_usd_per_kwh)

    def spread_usd_per_kwh(self, household):
        return 0.01

    def believe(self, lmp_usd_per_kwh):
        return lmp_usd_per_kwh * (1 + 1e-3 * np.sin(np.arange(lmp_usd_per_kwh.size)))

    def answer(self, quote, problem):
        self.asked += 1
        plan = problem.share(quote)
        self.did = plan.device
        return plan

    def bid(self, delivery, plan):
        return plan.bid_kw + 1e-3 * self.rng.random() * (self.asked < 30)


class Fails(Own):
    """The same, and has no answer three times."""

    def answer(self, quote, problem):
        if self.asked in (3, 8, 12):
            self.asked += 1
            raise RuntimeError("no mood")
        return super().answer(quote, problem)


ACTS = [(Own, "stop"), (Fails, "last"), (Fails, "exclude"), (Shading, "stop"), (Withholding, "stop")]


@pytest.mark.parametrize(("act", "on"), ACTS, ids=[f"{act.__name__}-{on}" for act, on in ACTS])
def test_an_owner_with_a_behaviour_is_the_same_everywhere(opened, kill, act, on):
    """Restored from a file in the middle, copied, on workers that are killed: no bit of its battery is another."""
    with_it = {"act": act, "on_misbehaviour": on, "max_iterations": 6}
    whole = followed(opened(**with_it))
    assert [one.times for one in whole.result.hosting.misbehaved] == {"stop": [], "last": [3], "exclude": [1]}[on]
    middle = opened(**with_it)
    before = [middle.step() or middle.last for _ in range(2 * len(whole.rounds) // 3)]
    other = opened(**with_it)
    other.restore(unpacked(packed(middle.snapshot())))
    assert alike(whole, followed(other, before))
    assert alike(whole, followed(middle.copy(), before))

    def strike(market):
        if market.rounds in (5, 11, 17):
            kill(market.communities.proxies[market.rounds % 4 // 2])

    with opened(Workers(2), **with_it) as there:
        far = followed(there, before=strike)
    assert len(far.result.hosting.incidents) == 3
    assert alike(whole, far)


@pytest.mark.xdist_group("ray")  # there is one Ray on a machine
def test_an_owner_with_a_behaviour_is_the_same_on_ray(opened):
    pytest.importorskip("ray")
    here = followed(opened(act=Shading))
    with opened(RayCluster(count=2), act=Shading) as there:
        assert alike(here, followed(there))
