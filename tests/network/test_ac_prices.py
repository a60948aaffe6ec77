"""Clearings in the AC equations where the cone relaxation burns power, against pandapower's AC optimal power flow."""

from dataclasses import replace

import numpy as np
import pytest
from cigre import cigre_lv
from opf import optimal_flow
from slope_matrices import slopes

from gridbazaar.network import Bus, Clearing, Feeder, Generator, Line
from gridbazaar.network.flows import Flows, breaches
from gridbazaar.network.solver import CompiledProgram

GRID = Generator("grid", "1", 0.0, 0.1, 0.0, -5000.0, 10000.0, -5000.0, 5000.0)
PV = Generator("pv", "18", 0.0, 0.0, 0.0, 0.0, 3000.0, 0.0, 0.0)


def ieee33_with(case, *machines: Generator, share: float = 0.4, v_max_pu: float = 1.05, **amps: float) -> Feeder:
    """The paper's feeder with a share of its loads, other generators, and no ratings but in amperes."""
    feeder = case.feeder
    buses = [
        replace(bus, v_min_pu=0.9, v_max_pu=v_max_pu, p_kw=share * bus.p_kw, q_kvar=share * bus.q_kvar)
        for bus in feeder.buses
    ]
    rated = {name.replace("_", "-"): most for name, most in amps.items()}
    lines = [
        replace(line, p_max_kw=np.inf, q_max_kvar=np.inf, i_max_a=rated.get(f"l{line.name}", np.inf))
        for line in feeder.lines
    ]
    return replace(feeder, buses=tuple(buses), lines=tuple(lines), generators=machines)


CASES = {
    "free PV at the end": lambda case: ieee33_with(case, GRID, PV),
    "PV paid to run": lambda case: ieee33_with(case, GRID, replace(PV, b_usd_per_kwh=-0.05)),
    "PV with an inverter": lambda case: ieee33_with(case, GRID, replace(PV, q_min_kvar=-1000.0, q_max_kvar=1000.0)),
    "negative price": lambda case: ieee33_with(case, replace(GRID, b_usd_per_kwh=-0.1), PV, share=0.6),
    "must run": lambda case: ieee33_with(
        case,
        replace(GRID, a_usd_per_kw2h=1e-5),
        replace(PV, p_min_kw=1000.0, p_max_kw=1000.0, q_min_kvar=-800.0, q_max_kvar=800.0),
        replace(PV, name="pv2", bus="33", p_max_kw=2000.0),
    ),
    "full line": lambda case: ieee33_with(case, GRID, PV, v_max_pu=1.1, l9_10=20.0),
    "nobody wants losses": lambda case: ieee33_with(
        case,
        replace(GRID, a_usd_per_kw2h=2e-5),
        replace(PV, bus="25", a_usd_per_kw2h=3e-5, b_usd_per_kwh=0.05, q_min_kvar=-800.0, q_max_kvar=800.0),
        replace(PV, name="pv2", bus="33", p_max_kw=2000.0),
        share=1.0,
    ),
    "CIGRE LV": lambda _: cigre_lv(
        Generator("pv", "16", 0.0, 0.0, 0.0, 0.0, 600.0, 0.0, 0.0),
        Generator("pv2", "42", 0.0, 0.01, 0.0, 0.0, 300.0, -50.0, 50.0),
        share=0.3,
        v_max_pu=1.03,
    )[0],
    "CIGRE LV, negative price": lambda _: cigre_lv(b_usd_per_kwh=-0.08)[0],
}


@pytest.mark.parametrize("name", CASES)
def test_the_optimum_is_that_of_an_ac_optimal_power_flow(ieee33, name):
    feeder = CASES[name](ieee33)
    best = optimal_flow(feeder, feeder.p_kw, feeder.q_kvar)
    clearing = Clearing(feeder, feeder.p_kw[:, None], feeder.q_kvar[:, None], 1.0)
    dispatch = clearing.clear(np.zeros((len(feeder.buses), 1)))
    assert dispatch.inexact_periods == []
    assert dispatch.shortage_cost_usd == 0
    assert dispatch.cost_usd == pytest.approx(best.cost, rel=1e-5)
    assert np.abs(dispatch.lmp_usd_per_kwh[:, 0] - best.lmp).max() < 1e-3 * np.abs(best.lmp).max()
    assert np.abs(dispatch.v_pu[:, 0] - best.v_pu).max() < 1e-5
    assert np.abs(dispatch.components.total - dispatch.lmp_usd_per_kwh).max() < 1e-8
    assert breaches(feeder, Flows.of(feeder, dispatch)) == []


def test_the_relaxation_burns_what_nobody_wants_and_says_so(ieee33):
    """3 MW of free PV at bus 18, loads x 0.4: the cone uses all of it, the wires carry 1,279 kW."""
    feeder = ieee33_with(ieee33, GRID, PV)
    loads = feeder.p_kw[:, None], feeder.q_kvar[:, None]
    relaxed, exact = (
        Clearing(feeder, *loads, 1.0, physics=physics).clear(np.zeros_like(loads[0])) for physics in ("cone", "auto")
    )
    assert relaxed.p_gen_kw[1, 0] == pytest.approx(3000, abs=0.01)
    assert relaxed.inexact_periods == [0]
    assert not relaxed.local.any()
    assert exact.p_gen_kw[1, 0] == pytest.approx(1279.43, abs=0.05)
    assert exact.local.all()
    assert exact.lmp_usd_per_kwh[feeder.index("18"), 0] == pytest.approx(0, abs=1e-6)
    assert exact.losses_kwh < 78


def test_where_the_cone_is_exact_ac_finds_the_same(ieee33):
    """The paper's day: prices, flows and slopes along tangents are those of the relaxation."""
    cone, ac = (
        Clearing(ieee33.feeder, ieee33.load_kw, ieee33.load_kvar, 1.0, physics=physics) for physics in ("cone", "ac")
    )
    one, other = cone.clear(ieee33.bid_kw), ac.clear(ieee33.bid_kw)
    assert other.inexact_periods == []
    assert np.abs(one.lmp_usd_per_kwh - other.lmp_usd_per_kwh).max() < 1e-6
    assert other.cost_usd == pytest.approx(one.cost_usd, rel=1e-8)
    for part in ("energy", "loss", "voltage", "congestion"):
        assert np.abs(getattr(one.components, part) - getattr(other.components, part)).max() < 1e-5
    buses = np.array([5, 17, 24, 32])
    found = [slopes(clearing, clearing.solve(ieee33.bid_kw), buses) for clearing in (cone, ac)]
    assert np.abs(found[0] - found[1]).max() < 1e-3 * np.abs(found[0]).max()


def test_slopes_along_tangents_are_finite_differences(ieee33):
    feeder = CASES["must run"](ieee33)
    clearing = Clearing(feeder, feeder.p_kw[:, None], feeder.q_kvar[:, None], 1.0, physics="ac")
    nothing, buses = np.zeros((len(feeder.buses), 1)), np.arange(len(feeder.buses))
    slope = slopes(clearing, clearing.solve(nothing), buses)[0]
    for n in (5, 20, 30):
        step = np.zeros_like(nothing)
        step[n] = 1.0
        up, down = (clearing.clear(sign * step).lmp_usd_per_kwh[:, 0] for sign in (1, -1))
        assert np.abs((up - down) / 2 - slope[:, n]).max() < 0.02 * np.abs(slope).max()


@pytest.mark.parametrize("physics", ["auto", "ac"])
@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0, 1000.0])
def test_a_feeder_of_any_size_is_solved_alike(physics, scale):
    """0.4 kV, 3 buses, a line limit of 5 kW that binds; the same with powers x k and voltages x sqrt k."""
    buses = [Bus("s"), Bus("a", p_kw=scale), Bus("b", p_kw=scale)]
    lines = [Line("s", "a", 0.02, 0.008), Line("a", "b", 0.02, 0.008, p_max_kw=5 * scale)]
    grid = Generator("grid", "s", 0.0005 / scale, 0.2, 0, 0, 60 * scale, -30 * scale, 30 * scale)
    local = Generator("gen", "b", 0.0, 0.3, 0, 0, 60 * scale, -30 * scale, 30 * scale)
    feeder = Feeder(tuple(buses), tuple(lines), (grid, local), "s", 0.4 * scale**0.5)
    clearing = Clearing(feeder, feeder.p_kw[:, None], feeder.q_kvar[:, None], 0.25, physics=physics)
    dispatch = clearing.clear(np.array([[0.0], [0.0], [9.0 * scale]]))
    assert dispatch.inexact_periods == []
    assert dispatch.p_flow_kw[2, 0] == pytest.approx(5 * scale, rel=1e-6)
    assert dispatch.lmp_usd_per_kwh[2, 0] == pytest.approx(0.3, abs=1e-6)
    lost = 0.02 * np.array([6.0, 5.0]) ** 2 / 160  # r P² / V²
    by_hand = 0.25 * (0.2 * (6 + lost.sum()) + 0.0005 * (6 + lost.sum()) ** 2 + 0.3 * 5)
    assert dispatch.cost_usd / scale == pytest.approx(by_hand, abs=2e-4)


def test_what_generators_can_do_may_change_by_period():
    """A solar park that is dark at night: fixed at 0 then, free up to its profile by day."""
    feeder = Feeder(
        (Bus("s"), Bus("a", p_kw=50.0)),
        (Line("s", "a", 0.05, 0.02),),
        (
            Generator("grid", "s", 0.0, 0.2, 0, 0, 100.0, -50, 50),
            Generator("sun", "a", 0.0, 0.0, 0, 0, 80.0, -10, 10),
        ),
        "s",
        0.4,
    )
    load = np.full((2, 4), 0.0)
    load[1] = 50.0
    most = np.array([[100.0] * 4, [0.0, 20.0, 80.0, 0.0]])
    clearing = Clearing(feeder, load, 0.2 * load, 1.0, p_gen_max_kw=most)
    dispatch = clearing.clear(np.zeros_like(load))
    assert dispatch.p_gen_kw[1, [0, 1, 3]] == pytest.approx([0.0, 20.0, 0.0], abs=1e-5)
    assert 50 <= dispatch.p_gen_kw[1, 2] < 51  # all that it can use, the grid cannot take any back
    assert dispatch.inexact_periods == []
    assert np.array_equal(dispatch.p_gen_max_kw, most)


def test_voltages_that_do_not_follow_from_flows_are_not_taken_for_exact(ieee33, monkeypatch):
    """Clarabel counts what it misses against its largest numbers: on a random market voltages were 2e-6 off."""
    solve = CompiledProgram.solve

    def careless(self, rhs, cost=None):
        found = solve(self, rhs, cost)
        found.x[self.program.columns.voltage.stop - 1] += 4e-6
        return found

    monkeypatch.setattr(CompiledProgram, "solve", careless)
    cleared = Clearing(ieee33.feeder, ieee33.load_kw, ieee33.load_kvar, 1.0).clear(ieee33.bid_kw)
    assert cleared.inexact_periods == []
    assert cleared.ac_voltage_error_pu.max() < 1e-8
    assert cleared.local.all()


def test_where_losses_are_wanted_no_limit_is_kept_apart_from_the_slopes(ieee33):
    """There multipliers belong to a cost that is concave, and do not say which side of a limit is the better one."""
    feeder = CASES["CIGRE LV, negative price"](ieee33)
    clearing = Clearing(feeder, feeder.p_kw[:, None], feeder.q_kvar[:, None], 1.0)
    cleared, buses = clearing.solve(np.zeros((len(feeder.buses), 1))), np.arange(1, len(feeder.buses))
    assert clearing.dispatch(cleared).lmp_usd_per_kwh.min() < 0
    roots, limits = clearing.slopes_and_limits(cleared, buses)
    assert limits.periods.size == 0
    assert np.array_equal(roots, clearing.slope_roots(cleared, buses))
