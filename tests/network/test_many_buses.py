"""Many buses: slopes are told by a factor that leaves out little, and nothing grows with the square of the buses."""

import numpy as np
import pytest
from grids import grid, grid_clearing

import gridbazaar.network.cores as cores_module
import gridbazaar.network.slopes as slopes_module
from gridbazaar.network import Bus, Clearing, Feeder, Generator, Line
from gridbazaar.network.concavity import Concavity
from gridbazaar.network.physics import Physics

PERIODS = 2


@pytest.fixture(scope="module")
def case():
    """A feeder of 200 buses that is driven hard, somebody at three of four buses."""
    clearing = grid_clearing(200, PERIODS)
    rng = np.random.default_rng(0)
    buses = np.sort(rng.choice(np.arange(1, 200), 150, replace=False))
    bid = np.zeros_like(clearing.load_kw)
    bid[buses] = rng.uniform(0, 40, (buses.size, PERIODS))
    return clearing, buses, bid


@pytest.fixture(scope="module")
def root(case):
    clearing, buses, bid = case
    return clearing.slope_roots(clearing.solve(bid), buses)


def test_it_is_as_narrow_as_promised(root):
    assert root.shape == (PERIODS, 150, slopes_module._RANK)


def test_what_is_left_out_of_the_slopes_is_small_and_positive(case, root, monkeypatch):
    monkeypatch.setattr(slopes_module, "_EXACT", 200)
    clearing, buses, bid = case
    again = Clearing(clearing.feeder, clearing.load_kw, clearing.load_kvar, clearing.dt_h)
    exact = again.slope_roots(again.solve(bid), buses)
    for narrow, whole in zip(root, exact, strict=True):
        left_out = np.linalg.eigvalsh(whole @ whole.T - narrow @ narrow.T)
        largest = np.linalg.norm(whole, 2) ** 2
        assert left_out.min() >= -1e-6 * largest
        assert left_out.max() <= 2e-4 * largest


def test_slopes_are_finite_differences_of_the_prices(case, root):
    clearing, buses, bid = case
    rng = np.random.default_rng(1)
    for move in (np.ones(150), rng.uniform(0, 1, 150), rng.standard_normal(150)):
        step = np.zeros_like(bid)
        step[buses] = 0.5 * move[:, None]
        up, down = (clearing.clear(bid + way * step).lmp_usd_per_kwh[buses] for way in (1, -1))
        for t in range(PERIODS):
            found = root[t] @ (root[t].T @ move)
            assert np.abs(found - (up - down)[:, t]).max() <= 2e-3 * np.abs(root[t] @ root[t].sum(axis=0)).max()


def test_the_number_of_threads_changes_no_bit(case, root, monkeypatch):
    clearing, buses, bid = case
    monkeypatch.setattr(cores_module, "cores", lambda: 1)
    assert np.array_equal(clearing.slope_roots(clearing.solve(bid), buses), root)


def test_the_bound_on_what_losses_make_concave_is_close():
    """Against the largest eigenvalue of P'BP with the paths P written out: at negative prices losses are wanted."""
    feeder = grid(60, seed=2)
    paid = Generator("paid", "0", 1e-6, -0.05, 0.0, 0.0, 1e4, -1e4, 1e4)
    feeder = Feeder(feeder.buses, feeder.lines, (paid,), "0", 20.0)
    load = 10 * np.outer(feeder.p_kw, [1.0, 0.5])
    clearing = Clearing(feeder, load, 0.3 * load, 1.0, physics=Physics.AC)
    cleared = clearing.solve(0 * load)
    buses = np.arange(1, 60, 2)
    paths = np.zeros((59, buses.size))
    for column, bus in enumerate(buses):
        paths[np.array(feeder.path_to_root(int(bus))) - 1, column] = 1.0
    for period, bound in zip(cleared, Concavity(feeder).of(cleared, buses), strict=True):
        wanted = np.maximum(-period.tangent.bend, 0.0)[:, None] * paths[period.program.curved]
        largest = np.linalg.eigvalsh(paths[period.program.curved].T @ wanted).max() / feeder.base_kw
        assert largest > 0
        assert largest * (1 - 1e-9) <= bound <= 1.05 * largest


def test_of_two_branches_the_one_that_is_wanted_more_counts():
    buses = tuple(Bus(name) for name in ("0", "a", "b"))
    lines = (Line("0", "a", 0.5, 0.5), Line("0", "b", 1.0, 1.0))
    paid = Generator("paid", "0", 1e-6, -0.05, 0.0, 0.0, 1e4, -1e4, 1e4)
    feeder = Feeder(buses, lines, (paid,), "0", 12.66)
    load = np.array([[0.0], [50.0], [50.0]])
    clearing = Clearing(feeder, load, 0 * load, 1.0, physics=Physics.AC)
    cleared = clearing.solve(0 * load)
    both, other = (clearing.concavity(cleared, np.array(which))[0] for which in ([1, 2], [2]))
    assert both == pytest.approx(other, rel=1e-3)
    assert both > 1.5 * clearing.concavity(cleared, np.array([1]))[0] > 0
