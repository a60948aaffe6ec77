"""Long programs of households are solved as cvxpy solves them, to the same bits whenever they are asked."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from gridbazaar.agents import Household, banded_interior_point, banded_steps, interior_point
from gridbazaar.agents.banded_interior_point import LONG
from gridbazaar.agents.devices.battery import Battery
from gridbazaar.agents.devices.store import Store
from gridbazaar.agents.household_program import HouseholdProgram
from gridbazaar.agents.interior_point import InteriorPoint
from gridbazaar.network.errors import SolverError

PERIODS = LONG + 3


class UsedError(Exception):
    """PIQP was asked, which should not have been."""


@pytest.fixture
def banded_alone(monkeypatch):
    """Whoever asks PIQP fails."""

    def refuse():
        raise UsedError

    monkeypatch.setattr(interior_point, "_solver", refuse)


def household(seed, stores=3, periods=PERIODS, cyclic=None, fees=False, **more):
    """A home of a few kW with stores of all sorts: lossy, cyclic or not, with a band that may be left."""
    rng = np.random.default_rng(seed)
    devices = []
    for number in range(stores):
        ring = bool(rng.integers(2)) if cyclic is None else cyclic
        devices.append(
            Store(
                name=f"store {number}", capacity_kwh=float(rng.uniform(3, 40)), cyclic=ring,
                p_charge_max_kw=rng.uniform(2, 6) * (rng.uniform(size=periods) < 0.8),
                p_discharge_max_kw=float(rng.choice([0.0, 4.0])), efficiency_charge=0.95, efficiency_discharge=0.9,
                loss_per_h=float(rng.choice([0.0, 0.02])), drain_kw=0.0 if ring else 0.02,
                throughput_cost_usd_per_kwh=float(rng.choice([0.0, 1e-3])), soc_end=None if ring else 0.4,
            )
        )  # fmt: skip
    tariffs = {"grid_fee_usd_per_kwh": 0.05, "feed_in_fee_usd_per_kwh": 0.02} if fees else {}
    return Household(
        "home", "bus", fixed_kw=rng.uniform(0, 2, periods), renewable_kw=rng.uniform(0, 3, periods),
        alpha_usd_per_kw2h=0.04, beta_usd_per_kwh=0.35, elastic_min_kw=0.0, elastic_max_kw=2.0, bid_max_kw=30.0,
        feed_in_max_kw=10.0, dt_h=0.25, devices=tuple(devices), **tariffs, **more,
    )  # fmt: skip


class Asked:
    """A household's program with costs: what is minimised, and by whom.

    Attributes:
        rows, low, high, quadratic, linear: The program.
        solver: Ours.
    """

    def __init__(self, home, *, links=2, weight=0.02, seed=0, withdrawals=False):
        rng = np.random.default_rng([seed, 5])
        program = HouseholdProgram(home, np.full(links, 3.0), np.full(links, 0.01), withdrawals=withdrawals)
        size = home.periods
        shapes = (size,), (links, size), (1 + links, size)
        lmp, price, weights = (rng.uniform(0.0, 0.5, shape) for shape in shapes)
        self.rows, self.low, self.high = sp.csr_array(program.rows), program.low, program.high
        self.linear = program.prices(lmp, price) / home.beta_usd_per_kwh
        self.quadratic = np.zeros(self.linear.size)
        curved = (program.curved[:, None] * size + np.arange(size)).ravel()
        self.quadratic[curved] = program.curvature(weight * weights) / home.beta_usd_per_kwh
        self.solver = InteriorPoint(self.rows, self.low, self.high, size)

    def found(self):
        return self.solver.solve(self.quadratic, self.linear, self.low, self.high)

    def cost(self, columns):
        return columns @ (self.quadratic * columns / 2 + self.linear)

    def by_clarabel(self):
        """The minimum, and columns."""
        x = cp.Variable(self.linear.size)
        cost = cp.sum(cp.multiply(self.quadratic / 2, cp.square(x))) + self.linear @ x
        bounded, equal = np.isfinite(self.high), self.low == self.high
        rules = [
            (self.rows @ x)[equal] == self.low[equal],
            (self.rows @ x)[~equal] >= self.low[~equal],
            (self.rows @ x)[bounded & ~equal] <= self.high[bounded & ~equal],
        ]
        problem = cp.Problem(cp.Minimize(cost), rules)
        problem.solve(cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-12, tol_feas=1e-11)
        assert problem.status == cp.OPTIMAL
        return problem.value, x.value

    def checked(self):
        """What was found, as cheap as what Clarabel finds, and with multipliers that prove it."""
        point = self.found()
        best, columns = self.by_clarabel()
        assert self.cost(point.columns) == pytest.approx(best, rel=1e-6, abs=1e-7)
        unique = self.quadratic > 1e-3
        np.testing.assert_allclose(point.columns[unique], columns[unique], atol=1e-4)
        self.check_optimal(point)
        return point

    def check_optimal(self, point, exact=1e-8):
        """Karush, Kuhn and Tucker: rows hold, multipliers push from their bounds alone, columns rest at theirs."""
        at = self.rows @ point.columns
        room = np.minimum(at - self.low, self.high - at)
        assert room.min() > -exact
        pushed = np.where(point.multipliers > 0, at - self.low, self.high - at)
        assert np.abs(point.multipliers * np.where(point.multipliers == 0, 0.0, pushed)).max() < 1e-6
        reduced = self.linear + self.quadratic * point.columns - self.rows.T @ point.multipliers
        alone = np.diff(self.rows.indptr) == 1
        limits = np.full((2, self.linear.size), [[-np.inf], [np.inf]])
        column = self.rows.indices[self.rows.indptr[:-1][alone]]
        limits[0][column], limits[1][column] = self.low[alone], self.high[alone]
        rests = np.where(reduced > 0, point.columns - limits[0], limits[1] - point.columns)
        assert np.abs(reduced * np.where(np.abs(reduced) < exact, 0.0, rests)).max() < 1e-6


@pytest.mark.usefixtures("banded_alone")
@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**20), stores=st.integers(1, 3), fees=st.booleans(), withdrawals=st.booleans(),
    weight=st.sampled_from([0.0, 1e-3, 0.5]), cyclic=st.booleans(),
)  # fmt: skip
def test_minima_are_those_of_clarabel(seed, stores, fees, withdrawals, weight, cyclic):
    home = household(seed, stores, cyclic=cyclic, fees=fees)
    Asked(home, weight=weight, seed=seed, withdrawals=withdrawals and not (cyclic and fees)).checked()


@pytest.mark.usefixtures("banded_alone")
@pytest.mark.parametrize("seed", range(4))
def test_columns_are_exact_where_they_are_unique(seed):
    """As linear equations have them, once it is known which limits hold: 1e-7 of the size of powers."""
    asked = Asked(household(seed), weight=0.5, seed=seed)
    point = asked.found()
    active = np.abs(point.multipliers) > 1e-6
    at = np.where(point.multipliers > 0, asked.low, asked.high)
    reduced = asked.linear + asked.quadratic * point.columns - asked.rows.T @ point.multipliers
    alone = np.flatnonzero(np.diff(asked.rows.indptr) == 1)
    column = asked.rows.indices[asked.rows.indptr[alone]]
    rests = np.abs(reduced[column]) > 1e-6
    active[alone[rests]] = True
    at[alone] = np.where(reduced[column] > 0, asked.low[alone], asked.high[alone])
    equal = asked.low == asked.high
    active, at = active | equal, np.where(equal, asked.low, at)
    held = asked.rows[active].toarray()
    corner = np.block([[np.diag(asked.quadratic), -held.T], [held, np.zeros((len(held),) * 2)]])
    exact = np.linalg.lstsq(corner, np.concatenate([-asked.linear, at[active]]), rcond=1e-13)[0][: asked.linear.size]
    unique = asked.quadratic > 1e-3
    size = np.abs(exact).max()
    np.testing.assert_allclose(point.columns[unique], exact[unique], atol=1e-7 * size)


@pytest.mark.usefixtures("banded_alone")
@pytest.mark.parametrize("width", [0.0, 1e-16, 1e-12, 1e-9, 1e-6, 1e-3])
def test_narrow_limits_hold_and_cost_nothing_in_exactness(width):
    """A renewable forecast is next to nothing at dawn; a level that is asked for leaves no room at all."""
    home = household(4)
    narrow = np.where(np.arange(PERIODS) % 3 == 0, width, home.renewable_kw)
    level = np.where(np.arange(PERIODS) % 17 == 9, 0.5, 0.0)
    store = Store(
        name="store", capacity_kwh=8.0, p_charge_max_kw=3.0, p_discharge_max_kw=3.0, soc_min=level,
        soc_max=np.where(level > 0, level + width / 8, 1.0),
    )  # fmt: skip
    asked = Asked(replace(home, renewable_kw=narrow, devices=(store,)))
    columns = asked.checked().columns.reshape(-1, PERIODS)
    assert (columns[1] >= 0).all()
    assert (columns[1] <= narrow).all()


@pytest.mark.usefixtures("banded_alone")
@pytest.mark.parametrize("scale", [1e-6, 1.0, 2e4])
def test_what_is_missing_costs_its_price_and_no_more(scale):
    """Columns without an upper limit take up what no plan can bring, as where trades are given that nobody can keep."""
    asked = Asked(household(2, cyclic=False), links=0)
    asked.low[:PERIODS] = asked.high[:PERIODS] = asked.low[:PERIODS] + np.where(np.arange(PERIODS) % 9 == 4, 60.0, 0.0)
    size = asked.linear.size
    one, own = sp.eye_array(PERIODS), sp.csr_array((asked.low.size - PERIODS, 2 * PERIODS))
    either = sp.vstack([sp.hstack([one, -one]), own])
    nothing = sp.hstack([sp.csr_array((2 * PERIODS, size)), sp.eye_array(2 * PERIODS)])
    asked.rows = sp.csr_array(sp.vstack([sp.hstack([asked.rows, either]), nothing]))
    asked.low = np.concatenate([asked.low, np.zeros(2 * PERIODS)])
    asked.high = np.concatenate([asked.high, np.full(2 * PERIODS, np.inf)])
    asked.linear = np.concatenate([asked.linear, np.full(2 * PERIODS, 20.0 * scale)])
    asked.quadratic = np.concatenate([asked.quadratic, np.zeros(2 * PERIODS)])
    asked.solver = InteriorPoint(asked.rows, asked.low, asked.high, PERIODS)
    point = asked.found()
    assert asked.cost(point.columns) == pytest.approx(asked.by_clarabel()[0], rel=1e-7)
    assert point.columns[size:].max() > 1.0  # 60 kW are more than it has


@pytest.mark.usefixtures("banded_alone")
def test_a_program_without_any_curvature():
    """As HiGHS solves it."""
    asked = Asked(household(8, cyclic=True), seed=3)
    asked.quadratic[:] = 0.0
    rows = LinearConstraint(asked.rows, asked.low, asked.high)
    best = milp(asked.linear, constraints=rows, bounds=Bounds(-np.inf, np.inf))
    assert best.success
    point = asked.found()
    assert asked.cost(point.columns) == pytest.approx(best.fun, rel=1e-9)
    asked.check_optimal(point)


def test_same_bits_in_any_order_and_in_threads():
    asked = [Asked(household(seed), seed=seed) for seed in range(4)]
    first = [(one.found().columns.tobytes(), one.found().multipliers.tobytes()) for one in asked]
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(Asked.found, [*reversed(asked), *asked]))[4:]
    assert [(point.columns.tobytes(), point.multipliers.tobytes()) for point in again] == first


def test_compiled_and_interpreted_code_have_the_same_bits():
    asked = Asked(household(5, 1), links=0)
    compiled = asked.found()
    asked.solver._banded._minimised = banded_steps.minimised
    interpreted = asked.found()
    np.testing.assert_array_equal(compiled.columns, interpreted.columns)
    np.testing.assert_array_equal(compiled.multipliers, interpreted.multipliers)


def test_short_programs_are_for_piqp(banded_alone):
    del banded_alone
    with pytest.raises(UsedError):
        Asked(household(1, periods=LONG - 1)).found()


def test_what_ties_far_periods_is_for_piqp(monkeypatch):
    asked = Asked(household(1, cyclic=False))
    limit = np.zeros((1, asked.linear.size))
    limit[0, : 4 * PERIODS] = 1.0  # bids and more of all periods together
    asked.rows = sp.csr_array(sp.vstack([asked.rows, sp.csr_array(limit)]))
    asked.low, asked.high = np.append(asked.low, 30.0), np.append(asked.high, np.inf)
    asked.solver = InteriorPoint(asked.rows, asked.low, asked.high, PERIODS)
    asked.checked()
    monkeypatch.setattr(interior_point, "_solver", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        asked.found()


def test_what_is_not_found_in_time_is_found_by_piqp(monkeypatch):
    asked = Asked(household(6), seed=6)
    ours = asked.found()
    monkeypatch.setattr(banded_interior_point, "_TURNS", 3)
    theirs = asked.found()
    assert asked.cost(theirs.columns) == pytest.approx(asked.cost(ours.columns), rel=1e-9)
    assert not np.array_equal(theirs.columns, ours.columns)


def test_a_program_that_nothing_solves_is_refused_or_shows():
    """Bounds that cross: ours finds nothing, and what PIQP makes of it is no optimum."""
    asked = Asked(household(7, cyclic=False), links=0)
    asked.low[:PERIODS] = asked.high[:PERIODS] = asked.low[:PERIODS] + 500.0
    try:
        point = asked.found()
    except SolverError:
        return
    assert np.abs(asked.rows @ point.columns - asked.low)[:PERIODS].max() > 1.0


def test_a_battery_in_a_ring_is_worth_what_two_days_are():
    """Cyclic: two equal days are twice one, by the shorter program, which PIQP solves."""
    day = 24
    battery = Battery(name="b", capacity_kwh=6.0, p_charge_max_kw=2.0, p_discharge_max_kw=2.0, cyclic=True)
    price = 0.25 + 0.1 * np.sin(np.arange(day))
    costs = []
    for days in (1, 2):
        home = Household(
            "home", "bus", fixed_kw=np.ones(days * day), renewable_kw=0.0, alpha_usd_per_kw2h=0.04,
            beta_usd_per_kwh=0.35, elastic_min_kw=0.0, elastic_max_kw=2.0, bid_max_kw=30.0, devices=(battery,),
        )  # fmt: skip
        asked = Asked(home, links=0, weight=0.0)
        program = HouseholdProgram(home, np.zeros(0), np.zeros(0))
        asked.linear = program.prices(np.tile(price, days), np.zeros((0, days * day))) / home.beta_usd_per_kwh
        costs.append(asked.cost(asked.found().columns))
    assert costs[1] == pytest.approx(2 * costs[0], rel=1e-8)
