"""What windows make of stores: where they begin, where they have to end."""

from __future__ import annotations

from math import exp

import cvxpy as cp
import numpy as np
import pytest

from gridbazaar.agents.devices.battery import Battery
from gridbazaar.agents.devices.deferrable import Deferrable
from gridbazaar.agents.devices.ev import Ev, Trip
from gridbazaar.agents.devices.heat_pump import HeatPump
from gridbazaar.agents.devices.store import Store
from gridbazaar.scenarios.files.horizon import HorizonRow
from gridbazaar.scenarios.files.windowed_stores import store_of
from gridbazaar.scenarios.rolling.stores import HomeStores, StorePath
from gridbazaar.scenarios.rolling.windows import windows_of

PERIODS = 12
WINDOWS = windows_of(HorizonRow(length_h=6, step_h=3), PERIODS, 1.0)
PLENTY_KW = np.full(PERIODS, 100.0)


def home_of(*devices: object, windows=WINDOWS, spare_kw=PLENTY_KW) -> HomeStores:
    periods = windows[-1].end
    stores = [store for device in devices if (store := store_of(device, periods, 1.0))]
    assert len(stores) == len(devices)
    return HomeStores.of("ann", stores, windows, 1.0, spare_kw)


def path_of(device: object, windows=WINDOWS, spare_kw=PLENTY_KW) -> StorePath:
    return home_of(device, windows=windows, spare_kw=spare_kw).paths[0]


def rows(home: HomeStores, *levels_kwh: float) -> list[dict]:
    """What the first store is written as in each window."""
    return [home.rows(window, levels_kwh)[0].parameters for window in WINDOWS]


def battery(**more: object) -> Battery:
    given = {"name": "b", "capacity_kwh": 10, "p_charge_max_kw": 2, "p_discharge_max_kw": 2, **more}
    return Battery(**given)  # type: ignore[arg-type]


def test_a_cyclic_store_begins_half_full_and_ends_every_window_there():
    found = home_of(battery(cyclic=True))
    assert found.paths[0].begin_kwh == 5.0
    assert [row["soc_end"] for row in rows(found, 5.0)] == [0.5] * 4
    assert not any(row["cyclic"] for row in rows(found, 5.0))


def test_a_window_ends_where_the_horizon_began_and_the_last_ones_where_the_store_must():
    found = home_of(battery(soc_start=0.4, soc_end=0.9))
    assert found.paths[0].begin_kwh == 4.0
    assert [row["soc_end"] for row in rows(found, 3.0)] == [0.4, 0.4, 0.9, 0.9]  # the last two end with the data
    assert [row["soc_start"] for row in rows(found, 3.0)] == [0.3] * 4


def test_what_a_window_cannot_bring_back_it_leaves():
    """From 0 of 10 kWh it comes to 6 x 0.5 x 0.95 = 2.85 kWh."""
    found = home_of(battery(p_charge_max_kw=0.5, soc_start=0.5, soc_end=0.0))
    assert rows(found, 0.0)[0]["soc_end"] == 0.0
    assert rows(found, 3.0)[0]["soc_end"] == 0.5  # 3 + 2.85 > 5


def test_a_window_leaves_what_a_later_trip_takes():
    """The car leaves after period 8 with 80 % of 40 kWh, and charges 3 x 0.92 x 4 kWh in the hours before that."""
    car = Ev(
        name="c",
        capacity_kwh=40,
        p_charge_max_kw=4,
        soc_start=0.2,
        trips=(Trip(leaves_h=8, returns_h=10, energy_kwh=5.0, soc_needed=0.8),),
        soc_end=0.1,
    )
    windows = windows_of(HorizonRow(length_h=5, step_h=5), PERIODS, 1.0)
    row = home_of(car, windows=windows).rows(windows[0], [8.0])[0].parameters
    assert row["soc_end"] == pytest.approx((32 - 3 * 0.92 * 4) / 40, rel=1e-12)


def test_a_window_leaves_what_a_household_can_keep_up_with():
    """Its house spares 2 of the 4 kW that the car could charge with; from 8 kWh on, five hours bring it to 17.2."""
    trip = Trip(leaves_h=8, returns_h=10, energy_kwh=5.0, soc_needed=0.8)
    car = Ev(name="c", capacity_kwh=40, p_charge_max_kw=4, soc_start=0.2, trips=(trip,), soc_end=0.1)
    windows = windows_of(HorizonRow(length_h=5, step_h=5), PERIODS, 1.0)
    found = home_of(car, windows=windows, spare_kw=np.full(PERIODS, 2.0))
    enough = found.rows(windows[0], [20.0])[0].parameters
    assert enough["soc_end"] == pytest.approx((32 - 3 * 0.92 * 2) / 40, rel=1e-12)
    assert enough["p_charge_max_kw"] == [4] * 5
    cannot = found.rows(windows[0], [8.0])[0].parameters
    assert cannot["soc_end"] == pytest.approx((32 - 3 * 0.92 * 4) / 40, rel=1e-12)  # which its household cannot, either
    late = home_of(car, windows=windows, spare_kw=np.r_[np.full(5, 4.0), np.full(PERIODS - 5, 2.0)])
    assert late.rows(windows[0], [9.0])[0].parameters["soc_end"] == pytest.approx((32 - 3 * 0.92 * 2) / 40, rel=1e-12)
    almost = late.rows(windows[0], [7.0])[0].parameters
    assert almost["soc_end"] == pytest.approx((7 + 5 * 0.92 * 4) / 40, abs=1.1e-6)


def test_stores_come_back_with_their_share_of_what_is_spared():
    """6 x 0.95 x 1.5 kWh are 8.55: enough from 0 to 5 alone, but not for two."""
    assert rows(home_of(battery(soc_start=0.5), spare_kw=np.full(PERIODS, 1.5)), 0.0)[0]["soc_end"] == 0.5
    two = home_of(battery(soc_start=0.5), battery(soc_start=0.5), spare_kw=np.full(PERIODS, 1.5))
    assert rows(two, 0.0, 0.0)[0]["soc_end"] == 0.0


def test_a_trip_goes_on_over_the_end_of_a_window():
    car = Ev(name="c", capacity_kwh=40, p_charge_max_kw=4, trips=(Trip(leaves_h=4, returns_h=8, energy_kwh=8.0),))
    cut = [home_of(car).rows(window, [20.0])[0].parameters for window in WINDOWS[:2]]
    assert cut[0]["drain_kw"] == [0, 0, 0, 0, 2, 2]
    assert cut[1]["drain_kw"] == [0, 2, 2, 2, 2, 0]  # periods 4 to 9
    assert cut[1]["p_charge_max_kw"] == [4, 0, 0, 0, 0, 4]
    assert cut[0]["soc_min"][3] == pytest.approx(0.1 + 8 / 40)  # it leaves with what it uses on the way


def test_a_deferrable_load_may_wait_for_a_later_window_while_there_is_time():
    """6 kWh at 2 kW until hour 9: after the first window, which ends at hour 6, all of it can still be used."""
    load = Deferrable(name="w", energy_kwh=6, p_max_kw=2, latest_h=9)
    assert rows(home_of(load), 0.0)[0]["soc_end"] == 0.0
    sooner = Deferrable(name="w", energy_kwh=6, p_max_kw=2, latest_h=8)
    assert rows(home_of(sooner), 0.0)[0]["soc_end"] == pytest.approx(2 / 6)  # 4 kWh fit behind it
    assert rows(home_of(sooner), 6.0)[1]["soc_end"] == 1.0


def test_a_window_leaves_what_will_be_drawn_and_no_more_than_will_fit():
    late = np.r_[np.zeros(6), np.ones(6)]
    drawn = Store(name="s", capacity_kwh=10, p_charge_max_kw=5 * (1 - late), drain_kw=late, soc_end=0)
    assert path_of(drawn).ends_kwh[6] == pytest.approx((6.0, 11.0))  # 1 kWh an hour, six times; full after the first
    assert rows(home_of(drawn), 1.0)[0]["soc_end"] == pytest.approx(0.6)
    narrow = Store(name="s", capacity_kwh=10, p_charge_max_kw=5, soc_max=1 - 0.7 * late, soc_start=0.1)
    assert rows(home_of(narrow), 1.0)[0]["soc_max"] == pytest.approx([1, 1, 1, 1, 1, 0.3])


def test_wear_and_discomfort_are_what_the_block_says():
    heat = HeatPump(
        name="h",
        capacity_kwh=10,
        p_max_kw=2,
        heat_demand_kw=np.linspace(0.5, 3.0, PERIODS),
        comfort_soc_min=np.linspace(0.3, 0.6, PERIODS),
        comfort_soc_max=0.7,
        discomfort_usd_per_kwh_h=0.2,
        throughput_cost_usd_per_kwh=0.01,
    )
    found = path_of(heat)
    store = heat.device(PERIODS, 1.0)
    columns = store.mended(np.random.default_rng(0).uniform(0, 2, (5, PERIODS)), 1.0)
    block = store.block(PERIODS, 1.0)
    assert columns[3:].max() > 0.1
    cost = found.cost_usd(columns[0], columns[1], columns[2], 1.0)
    assert cost == pytest.approx(block.cost_usd_per_h(columns), rel=1e-12)
    first = found.cost_usd(columns[0, :5], columns[1, :5], columns[2, :5], 1.0)
    assert first == pytest.approx((columns[:, :5] * block.linear_usd_per_h[:, :5]).sum(), rel=1e-12)


def test_a_cyclic_store_that_cannot_come_back_to_half_full_begins_as_near_as_it_can():
    """It loses half of what it holds, and gets 2.4 kWh at the most over the twelve hours."""
    lossy = Store(name="s", capacity_kwh=10, p_charge_max_kw=0.2, loss_per_h=np.log(2) / 12, cyclic=True)
    loss = np.log(2) / 12
    most = sum(0.2 * (1 - exp(-loss)) / loss * exp(-loss * k) for k in range(12))
    assert path_of(lossy).begin_kwh == pytest.approx(most / (1 - 0.5), abs=1.1e-5)  # a margin of a millionth is left


def feasible(home: HomeStores, windows) -> None:
    """Whether each window can be settled, if those before it left as little as they could."""
    levels_kwh = [path.begin_kwh for path in home.paths]
    for window in windows:
        stores = [_store(row.parameters) for row in home.rows(window, levels_kwh)]
        assert [store.infeasibility(window.count, 1.0) for store in stores] == [""] * len(stores)
        levels_kwh = _least_kwh(stores, home.spare_kw[window.first : window.end], window.kept)


def _store(written: dict) -> Store:
    return Store(name="s", **{key: np.array(v) if isinstance(v, list) else v for key, v in written.items()})


def _least_kwh(stores: list[Store], spare_kw: np.ndarray, kept: int) -> list[float]:
    """The least that all together can hold after so many periods, with what is spared for them, store by store."""
    blocks = [store.block(spare_kw.size, 1.0) for store in stores]
    columns = [cp.Variable(block.low.shape) for block in blocks]
    drawn: cp.Expression = cp.Constant(np.zeros(spare_kw.size))
    limits = []
    for block, x in zip(blocks, columns, strict=True):
        tied = block.rows @ cp.vec(x, order="C")
        limits += [x >= block.low, x <= block.high, tied >= block.row_low, tied <= block.row_high]
        drawn = drawn - cp.sum(cp.multiply(block.injection, x), axis=0)
    held = cp.sum(cp.hstack([x[2, kept - 1] for x in columns]))
    problem = cp.Problem(cp.Minimize(held), [*limits, drawn <= spare_kw])
    problem.solve(solver=cp.HIGHS)
    assert problem.status == cp.OPTIMAL
    return [float(x.value[2, kept - 1]) for x in columns]


def test_two_stores_are_left_what_both_can_keep_up_with():
    """Each of two cars needs 40 kWh in the morning of the second day; 4 kW are spared, and one alone would need 11 h.

    The spared power would do for either car from the second midnight on, but not for both.
    """
    trips = (Trip(leaves_h=31, returns_h=41, energy_kwh=25),)
    windows = windows_of(HorizonRow(length_h=24, step_h=24), 48, 1.0)
    car = {"capacity_kwh": 80, "p_charge_max_kw": 11, "soc_start": 0.1, "soc_end": 0.1, "trips": trips}
    feasible(home_of(Ev(name="a", **car), Ev(name="b", **car), windows=windows, spare_kw=np.full(48, 4.0)), windows)


@pytest.mark.parametrize("step_h", [6, 12, 24])
def test_a_heat_pump_keeps_what_it_needs_beside_a_car(step_h):
    """It draws 2.5 kW of the 5 kW that are spared, all the time; the car needs 33 kWh until the second morning."""
    windows = windows_of(HorizonRow(length_h=24, step_h=step_h), 48, 1.0)
    trips = (Trip(leaves_h=31, returns_h=41, energy_kwh=30),)
    car = Ev(name="c", capacity_kwh=80, p_charge_max_kw=11, soc_start=0.1, soc_end=0.1, trips=trips)
    heat = HeatPump(name="h", capacity_kwh=10, p_max_kw=4, heat_demand_kw=7.5, soc_start=0.5, soc_end=0.5)
    feasible(home_of(car, heat, windows=windows, spare_kw=np.full(48, 5.0)), windows)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_rounded_does_not_grow_where_a_lossy_store_just_comes_back(seed):
    """It needs all its power all the time: begun at the very edge, a rounding at the end is one of kWh days before."""
    demand_kw = np.round(1 + np.random.default_rng(seed).uniform(0, 1, 168), 2)
    heat = HeatPump(
        name="h",
        capacity_kwh=20.0,
        p_max_kw=1.0,
        heat_demand_kw=demand_kw,
        loss_per_h=0.2,
        comfort_soc_min=0.6,
        comfort_soc_max=0.9,
        discomfort_usd_per_kwh_h=1.0,
        cyclic=True,
    )
    windows = windows_of(HorizonRow(length_h=48, step_h=24), 168, 1.0)
    feasible(home_of(heat, windows=windows, spare_kw=np.full(168, 50.0)), windows)
