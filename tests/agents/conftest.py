"""Prosumers at random, and what a textbook solver makes of their own problem."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np
import pytest

from gridbazaar.agents import Delivery, Household, Plan, Quote
from gridbazaar.network import Bus, Clearing, Feeder, Generator, Line


@pytest.fixture(scope="session")
def random_home() -> Callable[..., tuple[Household, np.ndarray]]:
    """A household and the caps of its links, drawn from a seed; about `size_kw` big."""

    def draw(
        seed: int,
        *,
        links: int = 3,
        periods: int = 4,
        size_kw: float = 300.0,
        feed_in: bool = False,
        fees: bool = False,
    ) -> tuple[Household, np.ndarray]:
        rng = np.random.default_rng(seed)
        low = size_kw * rng.uniform(0, 0.3, periods)
        beta = rng.uniform(0.1, 0.5)
        household = Household(
            name="a",
            bus="x",
            fixed_kw=size_kw * rng.uniform(0, 0.5, periods),
            renewable_kw=size_kw * rng.uniform(0, 1, periods) * rng.integers(0, 2, periods),
            alpha_usd_per_kw2h=beta / size_kw * rng.uniform(0.1, 2),
            beta_usd_per_kwh=beta,
            elastic_min_kw=low,
            elastic_max_kw=low + size_kw * rng.uniform(0, 1, periods),
            bid_max_kw=size_kw * rng.uniform(0.8, 2),
            dt_h=rng.choice([0.25, 1.0]),
        )
        cap = size_kw * rng.uniform(0, 0.7, links)
        sold, grid, feed = np.random.default_rng([seed, 6]).uniform(0, 1, 3)
        return replace(
            household,
            feed_in_max_kw=feed_in * size_kw * sold,
            grid_fee_usd_per_kwh=fees * beta * 0.4 * grid,
            feed_in_fee_usd_per_kwh=fees * beta * 0.1 * feed,
        ), cap

    return draw


@pytest.fixture(scope="session")
def optimum() -> Callable[..., tuple[float, Plan | None]]:
    """(20) written down in cvxpy, its value in $ and its plan; at a delivery without penalty terms unless `held`.

    Trades are free, or `given` by the delivery; they cost half the `fee` of their link. With `withdrawals` LMPs are
    paid on them too. Where no plan keeps all limits, the value is inf and the plan None.
    """

    def solve(
        home: Household,
        cap: np.ndarray,
        told: Quote | Delivery,
        *,
        given: bool = False,
        held: bool = False,
        fee: np.ndarray | None = None,
        withdrawals: bool = False,
    ) -> tuple[float, Plan | None]:
        bid, curtailed, elastic = (cp.Variable(home.periods) for _ in range(3))
        trade = cp.Variable((max(len(cap), 1), home.periods))
        caps = np.tile(np.append(cap, [] if len(cap) else [0.0])[:, None], home.periods)
        price = told.price_usd_per_kwh if len(cap) else np.zeros((1, home.periods))
        utility = home.beta_usd_per_kwh * cp.sum(elastic) - home.alpha_usd_per_kw2h * cp.sum_squares(elastic)
        order = bid + cp.sum(trade, axis=0) if withdrawals else bid
        cost = told.lmp_usd_per_kwh @ order - utility + cp.sum(cp.multiply(price, trade))
        cost += home.grid_fee_usd_per_kwh * cp.sum(cp.pos(bid)) + home.feed_in_fee_usd_per_kwh * cp.sum(cp.neg(bid))
        if fee is not None:
            cost += cp.sum(cp.multiply(np.tile(fee[:, None] / 2, home.periods), cp.abs(trade)))
        if held or isinstance(told, Quote):
            weight = told.bid_weight_usd_per_kw2h / 2
            cost += cp.sum(cp.multiply(weight, cp.square(order - told.held_bid_kw)))
        if isinstance(told, Quote) and len(cap):
            penalties = (told.penalty_usd_per_kw2h, -told.partner_kw), (told.proximal_usd_per_kw2h, told.own_kw)
            for weight, anchor in penalties:
                cost += cp.sum(cp.multiply(weight / 2, cp.square(trade - anchor)))
        rules: list[Any] = [
            bid + home.renewable_kw - curtailed + cp.sum(trade, axis=0) == home.fixed_kw + elastic,
            bid >= -home.feed_in_max_kw,
            bid <= home.bid_max_kw,
            curtailed >= 0,
            curtailed <= home.renewable_kw,
            elastic >= home.elastic_min_kw,
            elastic <= home.elastic_max_kw,
            trade <= caps,
            trade >= -caps,
        ]
        if given:
            rules.append(trade == told.trade_kw)
        scale = 1 / home.beta_usd_per_kwh
        problem = cp.Problem(cp.Minimize(scale * cost), rules)
        problem.solve(cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-11, tol_feas=1e-11)
        if problem.status == cp.INFEASIBLE:
            return np.inf, None
        assert problem.status == cp.OPTIMAL
        plan = Plan(bid.value, curtailed.value, elastic.value, trade.value[: len(cap)])
        return home.dt_h * problem.value / scale, plan

    return solve


@pytest.fixture(scope="session")
def random_quote() -> Callable[..., Quote]:
    """Prices about right for a household, partner powers within and beyond the caps, a held bid within its limits."""

    def draw(
        seed: int, home: Household, cap: np.ndarray, penalty: float, *, proximal: bool, bid_weight: float = 0.0
    ) -> Quote:
        rng = np.random.default_rng([seed, 1])
        shape = len(cap), home.periods
        own, partner = (1.2 * cap[:, None] * rng.uniform(-1, 1, shape) for _ in range(2))
        weight = penalty * rng.choice([1.0, 2.0, 4.0], shape)
        return Quote(
            home.beta_usd_per_kwh * rng.uniform(0.1, 1.2, home.periods),
            home.bid_max_kw * np.random.default_rng([seed, 5]).uniform(0, 1, home.periods),
            np.full(home.periods, bid_weight),
            home.beta_usd_per_kwh * rng.uniform(0.1, 1.2, shape),
            own,
            partner,
            weight,
            weight if proximal else np.zeros(shape),
        )

    return draw


@pytest.fixture(scope="session")
def small_clearing() -> Callable[[], Clearing]:
    """A feeder a-b-c with a dear generator at its end and a line that fills, three periods from light to heavy load."""
    feeder = Feeder(
        (Bus("a"), Bus("b"), Bus("c")),
        (Line("a", "b", 0.3, 0.2, p_max_kw=700.0), Line("b", "c", 0.4, 0.3)),
        (
            Generator("grid", "a", 1e-4, 0.1, 0.0, 0.0, 2000.0, -900.0, 900.0),
            Generator("peak", "c", 2e-4, 0.3, 0.0, 0.0, 900.0, -300.0, 300.0),
        ),
        root="a",
        base_kv=11.0,
    )
    load = np.outer([0.0, 200.0, 150.0], [0.5, 1.0, 2.2])
    return lambda: Clearing(feeder, load, load / 3, 0.5)
