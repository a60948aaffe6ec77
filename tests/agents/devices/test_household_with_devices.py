"""A household with devices answers, delivers and bounds as an independent model in cvxpy says."""

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
import scipy.sparse as sp
from device_models import model_of, random_devices

from gridbazaar.agents import Delivery, Quote
from gridbazaar.agents.device_subproblem import DeviceSubproblem
from gridbazaar.agents.devices.device import Device
from gridbazaar.agents.devices.device_block import DeviceBlock
from gridbazaar.agents.devices.heat_pump import HeatPump


@pytest.fixture
def equipped(random_home):
    """A random household with devices, and the caps of its links."""

    def draw(seed, periods=12, size_kw=300.0, **shape):
        home, cap = random_home(seed, periods=periods, size_kw=size_kw, **shape)
        home = replace(home, dt_h=float(np.random.default_rng([seed, 8]).choice([0.25, 1.0])))
        devices = random_devices(seed, size_kw, periods, home.dt_h)
        return replace(home, devices=devices, bid_max_kw=home.bid_max_kw + 2 * size_kw), cap

    return draw


def cvxpy_value(home, cap, told, *, given=False, held=False):
    """The least that the household can spend by cvxpy, in $, and its trades: `told` a quote or a delivery."""
    bid, curtailed, elastic = (cp.Variable(home.periods) for _ in range(3))
    trade = cp.Variable((len(cap), home.periods)) if len(cap) else np.zeros((1, home.periods))
    devices = model_of(home)
    price = told.price_usd_per_kwh if len(cap) else np.zeros((1, home.periods))
    cost = told.lmp_usd_per_kwh @ bid + cp.sum(cp.multiply(price, trade)) + devices.cost
    cost += home.alpha_usd_per_kw2h * cp.sum_squares(elastic) - home.beta_usd_per_kwh * cp.sum(elastic)
    cost += home.grid_fee_usd_per_kwh * cp.sum(cp.pos(bid)) + home.feed_in_fee_usd_per_kwh * cp.sum(cp.neg(bid))
    if held or isinstance(told, Quote):
        cost += cp.sum(cp.multiply(told.bid_weight_usd_per_kw2h / 2, cp.square(bid - told.held_bid_kw)))
    if isinstance(told, Quote) and len(cap):
        cost += cp.sum(cp.multiply(told.penalty_usd_per_kw2h / 2, cp.square(trade + told.partner_kw)))
        cost += cp.sum(cp.multiply(told.proximal_usd_per_kw2h / 2, cp.square(trade - told.own_kw)))
    rules = [
        bid + home.renewable_kw - curtailed + cp.sum(trade, axis=0) + devices.injection == home.fixed_kw + elastic,
        bid >= -home.feed_in_max_kw, bid <= home.bid_max_kw, curtailed >= 0, curtailed <= home.renewable_kw,
        elastic >= home.elastic_min_kw, elastic <= home.elastic_max_kw, *devices.rules,
    ]  # fmt: skip
    if len(cap):
        rules.append(cp.abs(trade) <= np.tile(cap[:, None], home.periods))
        if given:
            rules.append(trade == told.trade_kw)
    problem = cp.Problem(cp.Minimize(cost / home.beta_usd_per_kwh), rules)
    problem.solve(cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-11, tol_feas=1e-11)
    assert problem.status == cp.OPTIMAL
    return home.dt_h * problem.value * home.beta_usd_per_kwh, trade.value if len(cap) else None


def size_usd(home, cap):
    """What a relative error is relative to: all that could be bought, at the marginal utility."""
    power = home.elastic_max_kw + home.fixed_kw + cap.sum() + home.fleet.high[:2].max()
    return home.beta_usd_per_kwh * home.dt_h * float(power.sum())


def unbalanced_kw(home, plan):
    have = plan.bid_kw + home.renewable_kw - plan.curtailed_kw + plan.trade_kw.sum(axis=0)
    return np.abs(have + home.fleet.injection_kw(plan.device) - home.fixed_kw - plan.elastic_kw).max()


def delivery_of(seed, home, cap, scale=1.2):
    rng = np.random.default_rng([seed, 3])
    shape = len(cap), home.periods
    lmp, price = (home.beta_usd_per_kwh * rng.uniform(0.1, scale, s) for s in (home.periods, shape))
    trade = 0.2 * cap[:, None] * rng.uniform(-1, 1, shape)
    held = home.bid_max_kw * rng.uniform(0, 0.5, home.periods)
    return Delivery(lmp, price, trade, held, np.full(home.periods, home.alpha_usd_per_kw2h))


@pytest.mark.parametrize("seed", range(8))
def test_answers(equipped, random_quote, seed):
    home, cap = equipped(seed, fees=seed % 2 == 1, feed_in=seed % 3 == 0)
    problem = DeviceSubproblem(home, cap)
    for penalty in (1e-5, 1e-3):
        quote = random_quote(seed, home, cap, penalty, proximal=True, bid_weight=1e-4)
        plan = problem.share(quote)
        value, trade = cvxpy_value(home, cap, quote)
        assert np.abs(plan.trade_kw - trade).max() <= 1e-5 * cap.max()
        assert unbalanced_kw(home, plan) <= 1e-8 * home.bid_max_kw.max()
        cost = plan.cost_usd(home, quote.lmp_usd_per_kwh) + plan.payment_usd(home, quote.price_usd_per_kwh)
        for weight, power, anchor in (
            (quote.penalty_usd_per_kw2h, plan.trade_kw, -quote.partner_kw),
            (quote.proximal_usd_per_kw2h, plan.trade_kw, quote.own_kw),
            (quote.bid_weight_usd_per_kw2h, plan.bid_kw, quote.held_bid_kw),
        ):
            cost += home.dt_h * float((weight / 2 * (power - anchor) ** 2).sum())
        assert float(cost) == pytest.approx(value, abs=1e-6 * size_usd(home, cap))


@pytest.mark.parametrize("seed", range(8))
def test_deliveries(equipped, seed):
    home, cap = equipped(seed, fees=seed % 2 == 1, feed_in=seed % 3 == 0)
    delivery = delivery_of(seed, home, cap)
    delivery = replace(delivery, bid_weight_usd_per_kw2h=np.zeros(home.periods))
    plan = DeviceSubproblem(home, cap).deliver(delivery)
    value, _ = cvxpy_value(home, cap, delivery, given=True)
    cost = plan.cost_usd(home, delivery.lmp_usd_per_kwh) + plan.payment_usd(home, delivery.price_usd_per_kwh)
    assert unbalanced_kw(home, plan) <= 1e-12 * home.bid_max_kw.max()
    assert home.fleet.rows.shape[1] == plan.device.size
    assert (
        max(block.breach(plan.device[part]) for part, block in zip(home.fleet.parts, home.fleet.blocks, strict=True))
        < 1e-9
    )
    assert float(cost) == pytest.approx(value, abs=1e-6 * size_usd(home, cap))


@pytest.mark.parametrize("seed", range(12))
def test_least_cost_is_tight_and_never_above(equipped, seed):
    home, cap = equipped(seed, fees=seed % 2 == 1, feed_in=seed % 3 == 0)
    delivery = delivery_of(seed, home, cap)
    value, _ = cvxpy_value(home, cap, delivery)
    bound = DeviceSubproblem(home, cap).least_cost_usd(delivery)
    assert bound <= value + 1e-9 * size_usd(home, cap)
    assert bound >= value - 1e-8 * size_usd(home, cap)


def test_comfort_over_many_hours_is_not_bought_beyond_the_connection(home):
    """A kWh of heat now saves 24 h x 3 $/kWh/h: dear, and yet 3 kW are all that the home can get."""
    none = np.zeros((0, 24))
    pump = HeatPump(
        name="hp", capacity_kwh=100.0, p_max_kw=5.0, cop=3.0, heat_demand_kw=5.0, soc_end=0.0,
        comfort_soc_min=0.5, comfort_soc_max=0.9, discomfort_usd_per_kwh_h=3.0,
    )  # fmt: skip
    cold = replace(
        home(), fixed_kw=np.full(24, 1.0), renewable_kw=np.zeros(24), elastic_min_kw=np.full(24, 0.5),
        elastic_max_kw=np.full(24, 1.0), bid_max_kw=np.full(24, 3.0), feed_in_max_kw=np.zeros(24), devices=(pump,),
    )  # fmt: skip
    told = Delivery(np.full(24, 0.1), none, none)
    problem = DeviceSubproblem(cold, np.zeros(0))
    plan = problem.deliver(problem.paid(told))
    assert plan.violation_kw(cold) == 0.0
    assert cold.fleet.injection_kw(plan.device) == pytest.approx(np.full(24, -1.5), abs=1e-6)
    utility = 24 * (cold.beta_usd_per_kwh * 0.5 - cold.alpha_usd_per_kw2h * 0.25)
    by_hand = 24 * 3 * 0.1 + 3 * 0.5 * sum(range(1, 25)) - utility  # half a kWh of heat less from hour to hour
    assert float(plan.cost_usd(cold, told.lmp_usd_per_kwh)) == pytest.approx(by_hand, rel=1e-6)
    assert problem.regret_usd(told, plan) < 1e-4


class Batch(Device):
    """A third party's device: 2.5 kWh in all, within rows that are single columns over one period, and an empty row."""

    kind, name = "batch", "batch"

    def block(self, periods, dt_h):
        nothing = np.zeros((1, periods))
        rows = sp.csr_array(np.vstack([np.full(periods, dt_h), np.eye(periods)[0], np.zeros(periods)]))
        low, high = np.array([2.5, 1.0, -1.0]), np.array([2.5 if periods > 1 else 3.0, 9.0, 1.0])
        return DeviceBlock(("p_kw",), nothing, nothing + 4, nothing, nothing, nothing - 1, rows, low, high)

    def mended(self, found, dt_h):
        return found

    def infeasibility(self, periods, dt_h):
        return ""


@pytest.mark.parametrize("periods", [1, 3])
def test_rows_of_a_single_column_are_kept_beside_its_bounds(home, periods):
    """Power is dear at first: 1 kW then and the rest later, or 2.5 kW where there is no later."""
    flat = {key: np.full(periods, 30.0) for key in ("fixed_kw", "renewable_kw", "elastic_max_kw", "bid_max_kw")}
    own = replace(
        home(), **flat, elastic_min_kw=np.zeros(periods), feed_in_max_kw=np.zeros(periods), devices=(Batch(),)
    )
    told = Delivery(np.linspace(0.2, 0.1, periods), np.zeros((0, periods)), np.zeros((0, periods)))
    problem = DeviceSubproblem(own, np.zeros(0))
    plan = problem.deliver(problem.paid(told))
    assert plan.device[0, 0] == pytest.approx(2.5 if periods == 1 else 1.0, abs=1e-6)
    assert own.fleet.breach(plan.device) < 1e-8
    assert problem.regret_usd(told, plan) < 1e-6
    assert problem.regret_usd(told, replace(plan, device=plan.device * 0.9)) == np.inf
