"""`equilibrium` and `LowerLayer` against the same problems written down again, and against published figures."""

import warnings

import cvxpy as cp
import numpy as np
import pytest
from bits import charging

from gridbazaar.agents import TradeGraph
from gridbazaar.market.proof import central
from gridbazaar.market.proof.central import LowerLayer, equilibrium
from gridbazaar.network.errors import SolverError


@pytest.fixture(scope="module")
def graph(ieee33_bazaar):
    return TradeGraph([home.name for home in ieee33_bazaar().households], ieee33_bazaar().links)


@pytest.mark.parametrize("alpha", [1.0, 0.3])
def test_equilibrium_against_cvxpy(ieee33_bazaar, graph, joint, alpha):
    bazaar = ieee33_bazaar(alpha)
    mine, other = (
        equilibrium(bazaar.feeder, bazaar.load_kw, bazaar.load_kvar, bazaar.households, graph),
        joint(bazaar),
    )
    assert mine.welfare_usd == pytest.approx(other.welfare_usd, rel=1e-8)
    assert mine.dso_cost_usd == pytest.approx(other.dso_cost_usd, abs=0.02)
    assert mine.elastic_kw == pytest.approx(other.elastic_kw, abs=0.01)
    assert mine.lmp_usd_per_kwh == pytest.approx(other.lmp_usd_per_kwh, abs=2e-6)
    assert mine.voltage_pu == pytest.approx(other.voltage_pu, abs=1e-6)


def test_equilibrium_against_published_figures(ieee33_bazaar, graph):
    bazaar = ieee33_bazaar()
    found = equilibrium(bazaar.feeder, bazaar.load_kw, bazaar.load_kvar, bazaar.households, graph)
    assert -found.welfare_usd == pytest.approx(12_299.33, abs=0.01)
    assert found.dso_cost_usd == pytest.approx(15_614.36, abs=0.02)
    assert found.voltage_pu.min() == pytest.approx(0.9531, abs=5e-5)


@pytest.mark.parametrize("network_use", ["bids", "withdrawals"])
def test_feed_in_fees_and_withdrawals_against_cvxpy(ieee33_bazaar, joint, lower_level, network_use):
    bazaar, withdrawals = charging(ieee33_bazaar()), network_use == "withdrawals"
    charged = TradeGraph([home.name for home in bazaar.households], bazaar.links)
    best = joint(bazaar, network_use)
    found = equilibrium(
        bazaar.feeder, bazaar.load_kw, bazaar.load_kvar, bazaar.households, charged, withdrawals=withdrawals
    )
    assert found.welfare_usd == pytest.approx(best.welfare_usd, abs=0.01)
    assert found.welfare_usd - found.fees_usd == pytest.approx(best.objective_usd, rel=1e-8)
    assert found.elastic_kw == pytest.approx(best.elastic_kw, abs=0.1)
    assert found.lmp_usd_per_kwh == pytest.approx(best.lmp_usd_per_kwh, abs=2e-6)
    assert found.fees_usd > 1
    lmp = np.random.default_rng(2).uniform(0.0, 0.3, (3, 24))
    planned = LowerLayer(bazaar.households, charged, withdrawals=withdrawals).solve(lmp)
    assert planned.cost_usd == pytest.approx(lower_level(bazaar, lmp, network_use), rel=1e-8)
    assert planned.bid_kw.min() < -100  # at these LMPs somebody sells


def test_lower_layer_against_cvxpy(ieee33_bazaar, graph, lower_level):
    bazaar = ieee33_bazaar()
    lmp = np.random.default_rng(1).uniform(0.1, 0.3, (3, 24))
    planned = LowerLayer(bazaar.households, graph).solve(lmp)
    trade, total = planned.trade_kw, planned.cost_usd
    assert total == pytest.approx(lower_level(bazaar, lmp), rel=1e-8)
    assert np.abs(trade).max() <= 200 + 1e-6


class Stubborn:
    """A problem that is solved inaccurately so many times, and says so as cvxpy does."""

    def __init__(self, times: int, last: str = "optimal") -> None:
        self._times, self._last = times, last
        self.steps: list[float | None] = []
        self.status = ""

    def solve(self, *, max_step_fraction: float | None = None, **_: object) -> None:
        """Another try."""
        self.steps.append(max_step_fraction)
        self.status = self._last if len(self.steps) > self._times else "optimal_inaccurate"
        if self.status == "optimal_inaccurate":
            warnings.warn("Solution may be inaccurate. Try another solver", UserWarning, stacklevel=1)


@pytest.mark.parametrize(
    ("times", "steps"), [(0, [None]), (1, [None, 0.95]), (2, [None, 0.95, 0.8]), (9, [None, 0.95, 0.8, None])]
)
def test_what_is_solved_inaccurately_is_solved_again_in_smaller_steps(times: int, steps: list[float | None]) -> None:
    problem = Stubborn(times)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        central._solve(problem, "the joint problem")  # type: ignore[arg-type]
    assert problem.steps == steps


def test_what_smaller_steps_cannot_do_is_as_it_was_at_first() -> None:
    class Worse(Stubborn):
        def solve(self, *, max_step_fraction: float | None = None, **_: object) -> None:
            super().solve(max_step_fraction=max_step_fraction)
            if max_step_fraction:
                raise cp.error.SolverError("no progress")

    problem = Worse(9)
    central._solve(problem, "the joint problem")  # type: ignore[arg-type]
    assert problem.steps == [None, 0.95, 0.8, None]
    assert problem.status == "optimal_inaccurate"


def test_what_ends_otherwise_is_said() -> None:
    problem = Stubborn(0, "infeasible")
    with pytest.raises(SolverError, match=r"^the joint problem ended with 'infeasible'$"):
        central._solve(problem, "the joint problem")  # type: ignore[arg-type]
    assert problem.steps == [None]
