"""Devices: what they add, what is refused of them, and schedules that keep their limits exactly."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from device_models import random_devices
from hypothesis import given, settings
from hypothesis import strategies as st

from gridbazaar.agents import Delivery, Household, HouseholdError
from gridbazaar.agents.device_subproblem import DeviceSubproblem
from gridbazaar.agents.devices.battery import Battery
from gridbazaar.agents.devices.deferrable import Deferrable, Job
from gridbazaar.agents.devices.device import DeviceError
from gridbazaar.agents.devices.ev import Ev, Trip
from gridbazaar.agents.devices.heat_pump import HeatPump
from gridbazaar.agents.devices.kinds import KINDS
from gridbazaar.agents.devices.store import Store
from gridbazaar.agents.household import DeviceShortageError
from gridbazaar.network.calendars import Calendar

BATTERY = {"name": "b", "capacity_kwh": 10.0, "p_charge_max_kw": 5.0, "p_discharge_max_kw": 5.0}
EV = {"name": "ev", "capacity_kwh": 40.0, "p_charge_max_kw": 11.0}
HEAT = {"name": "hp", "capacity_kwh": 20.0, "p_max_kw": 3.0}
LOAD = {"name": "w", "energy_kwh": 3.0, "p_max_kw": 2.0}
TRIP = Trip(leaves_h=7, returns_h=17, energy_kwh=9.0)
NIGHT, NOON = Job(earliest_h=1.5, latest_h=5), Job(earliest_h=11, latest_h=14)


def test_the_kinds_have_the_names_of_scenario_files():
    assert list(KINDS) == ["store", "battery", "ev", "heat_pump", "deferrable"]


@pytest.mark.parametrize(
    ("kind", "values", "key", "sentence"),
    [
        (Battery, {"capacity_kwh": 0.0}, "capacity_kwh", "capacity_kwh 0 must be above 0"),
        (Battery, {"p_charge_max_kw": -1.0}, "p_charge_max_kw", "p_charge_max_kw -1 must be at least 0"),
        (Battery, {"efficiency_charge": 1.1}, "efficiency_charge", "efficiency_charge 1.1 must be at most 1"),
        (
            Store,
            {"efficiency_charge": 1.2, "efficiency_discharge": 0.9},
            "efficiency_charge",
            "efficiency_charge 1.2 times efficiency_discharge 0.9 is above 1: it would give more than it takes",
        ),
        (Battery, {"efficiency_discharge": 0.0}, "efficiency_discharge", "efficiency_discharge 0 must be above 0"),
        (Battery, {"soc_min": 1.5}, "soc_min", "soc_min 1.5 must be at most 1"),
        (Battery, {"loss_per_h": np.nan}, "loss_per_h", "loss_per_h has a value that is not a finite number"),
        (Battery, {"cyclic": True, "soc_end": 0.2}, "soc_end", "soc_end is given, but cyclic lets it begin and end"),
        (Ev, {"trips": [TRIP, replace(TRIP, leaves_h=16, returns_h=18)]}, "trips", "leaves at 16 h, before the one"),
        (Ev, {"trips": [replace(TRIP, returns_h=7)]}, "trips", "trip 1 leaves at 7 h and returns at 7; it must return"),
        (Ev, {"trips": [replace(TRIP, energy_kwh=90)]}, "trips", "trip 1 uses 90 kWh; a full battery has 36 between"),
        (Ev, {"trips": [replace(TRIP, soc_needed=1.5)]}, "trips", "trip 1 has soc_needed 1.5; it must be 0 to soc_max"),
        (Ev, {"capacity_kwh": -1.0}, "capacity_kwh", "capacity_kwh -1 must be above 0"),
        (HeatPump, {"cop": 0.0}, "cop", "cop 0 must be above 0"),
        (HeatPump, {"comfort_soc_max": -0.1}, "comfort_soc_max", "comfort_soc_max -0.1 must be at least 0"),
        (HeatPump, {"discomfort_usd_per_kwh_h": -1.0}, "discomfort_usd_per_kwh_h", "-1 must be at least 0"),
        (Deferrable, {"energy_kwh": 0.0}, "energy_kwh", "energy_kwh 0 must be above 0"),
        (Deferrable, {"earliest_h": 5.0, "latest_h": 5.0}, "latest_h", "latest_h 5 must be above earliest_h 5"),
        (Deferrable, {"jobs": [NIGHT], "latest_h": 5.0}, "jobs", "jobs say when it runs; take earliest_h and latest_h"),
        (
            Deferrable,
            {"jobs": [NOON, replace(NIGHT, latest_h=12)]},
            "jobs",
            "begins at 11 h, before the one before ends",
        ),
        (
            Deferrable,
            {"jobs": [replace(NOON, latest_h=11)]},
            "jobs",
            "job 1 may run from 11 h to 11; it must end later",
        ),
        (Deferrable, {"jobs": [replace(NOON, earliest_h=-1)]}, "jobs", "job 1 may run from -1 h to 14; it must end"),
    ],
)
def test_what_is_out_of_range_is_refused(kind, values, key, sentence):
    usual = {Store: BATTERY, Battery: BATTERY, Ev: EV, HeatPump: HEAT, Deferrable: LOAD}[kind]
    with pytest.raises(DeviceError) as refused:
        kind(**usual | values)
    assert sentence in str(refused.value)
    assert refused.value.key == key
    assert str(refused.value).startswith(f"device {usual['name']}: ")


def test_what_does_not_fit_the_periods_is_refused_by_the_household(home):
    for device, key, sentence in (
        (
            Battery(**BATTERY | {"soc_min": np.zeros(3)}),
            "devices.b.soc_min",
            "soc_min has 3 values, but there are 2 pe",
        ),
        (
            Battery(**BATTERY | {"soc_min": 0.6, "soc_max": 0.4}),
            "devices.b.soc_max",
            "soc_max 0.4 is below soc_min 0.6",
        ),
        (
            Deferrable(**LOAD, latest_h=3.0),
            "devices.w.latest_h",
            "latest_h 3 is after the last period, which ends at 2",
        ),
        (
            Deferrable(**LOAD, jobs=(NIGHT, NOON)),
            "devices.w.jobs",
            "latest_h 14 is after the last period, which ends at 2",
        ),
    ):
        with pytest.raises(HouseholdError) as refused:
            home(devices=(device,))
        assert sentence in str(refused.value)
        assert refused.value.key == key
    with pytest.raises(HouseholdError, match="prosumer a: two devices have the name b; rename one"):
        home(devices=(Battery(**BATTERY), Battery(**BATTERY)))


def infeasible(*devices, periods=24, **changes):
    usual = {"fixed_kw": np.full(periods, 1.0), "elastic_max_kw": 2.0, "bid_max_kw": 20.0}
    home = Household(
        "p3", "x", renewable_kw=0.0, alpha_usd_per_kw2h=0.05, beta_usd_per_kwh=0.3, elastic_min_kw=0.0,
        devices=devices, **usual | changes,
    )  # fmt: skip
    with pytest.raises(DeviceShortageError) as refused:
        home.check_balance(0.0)
    assert refused.value.exit_code == 4
    return str(refused.value)


def test_what_cannot_be_is_said_in_words():
    slow = Ev(**EV | {"p_charge_max_kw": 0.7}, soc_start=0.15, trips=[TRIP])
    assert infeasible(slow).startswith(  # 0.15 * 40 + 7 * 0.7 * 0.92 = 10.508 of 0.1 * 40 + 9
        "prosumer p3: ev needs 13 kWh by the end of period 7 (06:00-07:00) and can get 10.51; raise its charging power"
    )
    cold = HeatPump(**HEAT | {"p_max_kw": 1.0}, heat_demand_kw=4.0, soc_start=1.0)
    assert "hp runs empty in period 21 (20:00-21:00), 1 kWh too early" in infeasible(cold)
    full = Store(name="s", capacity_kwh=10.0, p_charge_max_kw=0.0, soc_max=0.3, soc_start=0.5, soc_end=0.0)
    assert "s may hold 3 kWh at the end of period 1 (00:00-01:00) and cannot get below 5; raise" in infeasible(full)
    leaky = Battery(**BATTERY | {"p_charge_max_kw": 0.0, "cyclic": True, "loss_per_h": 0.01, "soc_min": 0.1})
    assert "b cannot end period 24 (23:00-24:00) at the level that it begins with" in infeasible(leaky)
    late = Deferrable(**LOAD, earliest_h=2.0, latest_h=3.0)
    assert "w needs 3 kWh by the end of period 3 (02:00-03:00) and can get 2" in infeasible(late)


def test_what_devices_leave_too_little_for_is_said_in_words():
    """3 kWh in one hour beside 18 kW of fixed load, where 20 kW can be bought."""
    load = Deferrable(**LOAD | {"p_max_kw": 3.0}, earliest_h=2.0, latest_h=3.0)
    told = infeasible(load, fixed_kw=np.full(24, 18.0))
    assert told.startswith("prosumer p3: period 3 (02:00-03:00) lacks 1 kW, whatever its devices do (loads of 18 kW; ")
    fed = Store(
        name="s",
        capacity_kwh=9.0,
        p_charge_max_kw=0.0,
        p_discharge_max_kw=9.0,
        soc_max=np.r_[1.0, 0.0],
        soc_end=0.0,
        soc_start=1.0,
    )
    told = infeasible(fed, periods=2, elastic_max_kw=np.r_[2.0, 2.0])
    assert "kW too much, whatever its devices do; raise feed_in_max_kw" in told


def test_what_is_lacking_is_what_would_do_in_every_period():
    """Two cars need 24 kWh each in seven hours, beside 1 kW of load; 5 kW can be bought."""
    trip = Trip(leaves_h=7.0, returns_h=17.0, energy_kwh=40.0)
    usual = {"capacity_kwh": 80, "p_charge_max_kw": 11.0, "soc_start": 0.3, "soc_end": 0.1, "trips": [trip]}
    cars = [Ev(name=name, **usual) for name in "ab"]
    lacks_kw = 48 / 0.92 / 7 + 1 - 5
    told = infeasible(*cars, bid_max_kw=5.0)
    assert told.startswith(f"prosumer p3: at least one period of 00:00-07:00 lacks {lacks_kw:.4g} kW, whatever its dev")
    assert "at least one period of 00:00-07:00 lacks 0.001 kW" in infeasible(*cars, bid_max_kw=5 + lacks_kw - 1e-3)
    Household(
        "p3", "x", fixed_kw=np.ones(24), renewable_kw=0.0, alpha_usd_per_kw2h=0.05, beta_usd_per_kwh=0.3,
        elastic_min_kw=0.0, elastic_max_kw=2.0, bid_max_kw=5 + lacks_kw + 1e-6, devices=tuple(cars),
    ).check_balance(0.0)  # fmt: skip


def test_a_battery_serves_what_could_not_be_bought(home):
    """30 kW of load and 20 of renewables with a bid of 5 kW in the first of two hours needs 5 kWh of the battery."""
    short = home(bid_max_kw=np.array([5.0, 100.0]))
    with pytest.raises(Exception, match="5 kW too little"):
        short.check_balance(0.0)
    store = Battery(**BATTERY | {"efficiency_discharge": 1.0, "p_charge_max_kw": 6.0})
    replace(short, devices=(store,)).check_balance(0.0)
    with pytest.raises(DeviceShortageError, match="lacks 1 kW"):
        replace(short, devices=(replace(store, p_discharge_max_kw=4.0),)).check_balance(0.0)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), noise=st.sampled_from([1e-9, 1e-6, 0.1, 10.0]))
def test_mended_schedules_keep_all_limits_exactly(seed, noise):
    """Whatever a solver finds; next to what keeps them already, nothing is changed by more than it was out."""
    periods, dt_h = 24, 1.0
    rng = np.random.default_rng(seed)
    for device in random_devices(seed, 5.0, periods, dt_h):
        if device.infeasibility(periods, dt_h):
            continue
        block = device.block(periods, dt_h)
        wild = device.mended(block.high * rng.uniform(0, 1, block.low.shape), dt_h)
        assert block.breach(wild) <= 1e-12 * float(block.high.max())
        near = device.mended(wild + noise * rng.normal(size=wild.shape), dt_h)
        assert block.breach(near) <= 1e-12 * float(block.high.max())
        if noise < 1e-3:
            assert np.abs(near - wild).max() <= 1e4 * noise + 1e-7 * float(block.high.max())


@pytest.mark.parametrize("loss", [0.0, 0.01])
def test_a_vehicle_away_at_the_end_needs_not_end_as_it_began(loss):
    """It leaves full at 20:00 with 10 kWh to use in 10 h: at 24:00 4 kWh are used, and of what is left some is lost."""
    away = Ev(**EV, soc_start=1.0, loss_per_h=loss, trips=[Trip(leaves_h=20, returns_h=30, energy_kwh=10.0)])
    left = 36.0 if not loss else 40 * np.exp(-0.04) - (1 - np.exp(-0.04)) / 0.01
    for dt_h in (1.0, 0.25):
        periods = round(24 / dt_h)
        assert away.infeasibility(periods, dt_h) == ""
        assert away.block(periods, dt_h).low[2, -1] == pytest.approx(left)
    given = replace(away, soc_end=1.0)
    most = np.floor(left / 40 * 1e4) / 1e4
    assert given.infeasibility(24, 1.0).endswith(f"; let soc_end be at most {most:g}, or raise its charging power")
    assert replace(away, soc_end=float(most)).infeasibility(24, 1.0) == ""
    low = Ev(**EV, soc_start=0.15, trips=[Trip(leaves_h=20, returns_h=30, energy_kwh=10.0)])
    assert low.block(24, 1.0).low[2, -1] == pytest.approx(0.1 * 40)  # not below soc_min


def test_what_may_not_be_held_in_the_end_is_told_as_such():
    with pytest.raises(DeviceError) as refused:
        Store(**BATTERY, soc_start=0.9, soc_max=0.8).block(3, 1.0)
    sentence = "soc_end (soc_start by default) is 0.9, and it may hold 0.8 at most then; let soc_end be at most 0.8"
    assert (refused.value.key, refused.value.problem) == ("soc_end", sentence)
    rounded = Store(**BATTERY, soc_start=0.5, soc_end=0.8 + 1e-12, soc_max=0.8).block(3, 1.0)
    assert (rounded.low <= rounded.high).all()


@pytest.mark.parametrize("cyclic", [False, True])
def test_without_losses_nothing_goes_both_ways_at_once(cyclic):
    """What a solver finds of a store that loses and costs nothing may; owner and level are as well off without it."""
    lossless = Store(**BATTERY, loss_per_h=0.05, throughput_cost_usd_per_kwh=0.0, cyclic=cyclic)
    charge, discharge = np.r_[3.0, 1.0, 0.5, 2.0], np.r_[2.0, 2.0, 0.5, 0.0]
    once = lossless.mended(np.vstack([charge, discharge, np.full(4, 5.0)]), 1.0)
    assert np.minimum(once[0], once[1]).max() == 0.0
    np.testing.assert_allclose((once[1] - once[0])[:3], (discharge - charge)[:3], atol=1e-12)
    assert lossless.block(4, 1.0).breach(once) <= 1e-12
    np.testing.assert_array_equal(lossless.mended(once, 1.0), once)
    lossy = replace(lossless, efficiency_charge=0.99)  # where a kWh is worth less than nothing, burning it is best
    assert lossy.mended(np.vstack([charge, discharge, np.full(4, 5.0)]), 1.0)[:2, :3] == pytest.approx(
        np.vstack([charge, discharge])[:, :3]
    )


def test_a_cyclic_store_that_cannot_fall_begins_where_it_must_end():
    """It must hold 8 kWh in the third of four hours and can only rise: it begins with 8 kWh, or more."""
    only_up = Store(name="s", capacity_kwh=10.0, p_charge_max_kw=5.0, soc_min=np.r_[0.0, 0.0, 0.8, 0.0], cyclic=True)
    assert only_up.infeasibility(4, 1.0) == ""
    for wanted, level in ((0.0, 8.0), (8.5, 8.5), (20.0, 10.0)):
        found = only_up.mended(np.full((3, 4), wanted), 1.0)
        assert only_up.block(4, 1.0).breach(found) <= 1e-12
        assert found[2, -1] == pytest.approx(level)
    leaky = replace(only_up, loss_per_h=0.1)  # without charging, 8 kWh are 7.2 an hour later
    found = leaky.mended(np.zeros((3, 4)), 1.0)
    assert leaky.block(4, 1.0).breach(found) <= 1e-12
    assert found[2, -1] == pytest.approx(8 * np.exp(-0.1))
    assert "cannot end" in replace(leaky, p_charge_max_kw=0.0, soc_min=0.1).infeasibility(4, 1.0)


def test_a_cyclic_store_without_losses_cannot_use_more_than_it_gets():
    """24 kWh are used and none can be charged: no level is come back to, at whatever size."""
    for size in (1e-3, 1.0, 1e6):
        used = Store(name="s", capacity_kwh=100.0 * size, p_charge_max_kw=0.0, drain_kw=8.0 * size, cyclic=True,
                     soc_min=np.r_[0.1, 0.5, 0.1], soc_max=np.r_[0.3, 1.0, 0.6])  # fmt: skip
        assert used.infeasibility(3, 1.0)
        three = replace(used, p_charge_max_kw=0.1, drain_kw=np.r_[0.1, 0.1, 0.1], soc_min=0.0, soc_max=1.0)
        assert three.infeasibility(3, 1.0) == ""
    narrow = Store(
        name="s", capacity_kwh=1e6, p_charge_max_kw=0.0, drain_kw=np.r_[0.0, 122419.0, 0.0], cyclic=True,
        p_discharge_max_kw=np.r_[44223.0, 454390.0, 541388.0], soc_min=np.r_[0.0, 0.18, 0.4], soc_max=0.58,
    )  # fmt: skip
    assert "cannot end" in narrow.infeasibility(3, 1.0)


def test_what_is_lost_in_an_instant():
    lossy = Store(name="s", capacity_kwh=10.0, p_charge_max_kw=1.0, loss_per_h=1000.0, soc_end=0.0)
    assert lossy.infeasibility(3, 1.0) == ""
    assert lossy.mended(np.ones((3, 3)), 1.0)[2] == pytest.approx(np.full(3, 1e-3))


def test_a_store_left_alone_loses_the_same_by_hours_and_by_quarters():
    """E = 10 exp(-0.05 h), and 2 kW for an hour add 2 (1 - exp(-0.05)) / 0.05 kWh, however the hour is cut."""
    for parts in (1, 4, 12):
        store = Store(name="s", capacity_kwh=20.0, p_charge_max_kw=5.0, loss_per_h=0.05, soc_start=0.5, soc_end=0.0)
        power = np.repeat([0.0, 2.0, 0.0], parts)
        found = store.mended(np.array([power, 0 * power, 0 * power]), 1.0 / parts)
        left = np.exp(-0.05)
        after_two = 10 * left**2 + 2 * (1 - left) / 0.05
        assert found[2][parts - 1 :: parts] == pytest.approx([10 * left, after_two, after_two * left], rel=1e-13)


def test_an_ev_is_away_for_parts_of_periods():
    """From 7:15 to 8:30 it charges with the parts of the hours that are left, and uses 5 kWh evenly."""
    ev = Ev(**EV, trips=[Trip(leaves_h=7.25, returns_h=8.5, energy_kwh=5.0)], soc_start=0.5)
    hours, quarters = ev.device(24, 1.0), ev.device(96, 0.25)
    assert hours.p_charge_max_kw[6:10] == pytest.approx([11.0, 11.0 * 0.25, 11.0 * 0.5, 11.0])
    assert hours.drain_kw[6:10] == pytest.approx([0.0, 3.0, 2.0, 0.0])
    assert quarters.drain_kw.reshape(24, 4).mean(axis=1) == pytest.approx(hours.drain_kw)
    assert hours.soc_min[6] == pytest.approx(0.1 + 5.0 / 40)


def test_a_load_with_jobs_may_run_in_each_and_nowhere_else():
    """From 1:30 to 5:00 and from 11:00 to 14:00 it uses 3 kWh each at 2 kW, in hours and in quarters."""
    load = Deferrable(**LOAD, jobs=[NOON, NIGHT])
    hours, quarters = load.device(24, 1.0), load.device(96, 0.25)
    power = np.zeros(24)
    power[[1, 2, 3, 4, 11, 12, 13]] = 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0
    assert hours.p_charge_max_kw == pytest.approx(power)
    assert quarters.p_charge_max_kw.reshape(24, 4).mean(axis=1) == pytest.approx(power)
    least, most = 6 * hours.soc_min, 6 * hours.soc_max
    assert least == pytest.approx(np.r_[np.zeros(4), np.full(9, 3.0), np.full(11, 6.0)])
    assert most[:5] == pytest.approx(np.full(5, 3.0))  # nothing of the second one yet
    done = load.device(24, 1.0).mended(np.zeros((3, 24)), 1.0)
    assert done[0, :5].sum() == pytest.approx(3.0)
    assert done[0, 11:14].sum() == pytest.approx(3.0)
    tight = Deferrable(**LOAD, jobs=[replace(NIGHT, latest_h=2.5), NOON])
    assert "w needs 3 kWh by the end of period 3 (02:00-03:00) and can get 2" in infeasible(tight)


def test_a_load_without_any_job_never_runs():
    idle = Deferrable(**LOAD, jobs=())
    assert not idle.device(24, 1.0).mended(np.ones((3, 24)), 1.0).any()
    assert idle.infeasibility(24, 1.0) == ""


def test_what_cannot_be_is_said_by_the_clock_of_the_market():
    """Noon in Berlin is where the periods begin: a trip after seven hours leaves at 19:00."""
    noon = Calendar(1774263600, "Europe/Berlin", 60, 24)
    slow = Ev(**EV | {"p_charge_max_kw": 0.7}, soc_start=0.15, trips=[TRIP])
    assert f"by the end of {noon.name(6)} and" in infeasible(slow, calendar=noon)
    assert "18:00-19:00" in noon.name(6)
    lacking = infeasible(Battery(**BATTERY), calendar=noon, fixed_kw=np.r_[np.ones(20), np.full(4, 99.0)])
    assert f"at least one period of {noon.span(20, 24)} lacks " in lacking


def test_an_ev_that_leaves_in_the_first_period_begins_with_what_it_needs():
    early = Trip(leaves_h=0, returns_h=9, energy_kwh=9.0, soc_needed=0.8)
    for leaves_h in (0.0, 0.5):
        ev = Ev(**EV, trips=[replace(early, leaves_h=leaves_h)], soc_end=0.2)  # half full
        said = infeasible(ev)
        assert "ev needs 32 kWh when it leaves in period 1 (00:00-01:00) and begins with 20; raise soc_start" in said
        assert replace(ev, soc_start=0.8).infeasibility(24, 1.0) == ""
    assert Ev(**EV, trips=[replace(early, leaves_h=-1.0)], soc_end=0.2).infeasibility(24, 1.0) == ""  # it has left
    cyclic = Ev(**EV, trips=[early], cyclic=True)
    assert cyclic.infeasibility(24, 1.0) == ""
    assert cyclic.mended(np.zeros((3, 24)), 1.0)[2, -1] == pytest.approx(32.0)


@settings(max_examples=200)
@given(capacity=st.integers(50, 1000), low=st.integers(0, 50), high=st.integers(60, 100))
def test_an_ev_may_use_all_that_it_holds(capacity, low, high):
    """0.34 + 0.52 is above 0.86 in floats."""
    capacity_kwh, soc_min, soc_max = capacity / 10, low / 100, high / 100
    trip = Trip(leaves_h=12, returns_h=13, energy_kwh=capacity_kwh * (soc_max - soc_min))
    limits = {"soc_min": soc_min, "soc_max": soc_max, "soc_start": soc_max, "soc_end": soc_min}
    ev = Ev(name="ev", capacity_kwh=capacity_kwh, p_charge_max_kw=11.0, **limits, trips=[trip])
    assert ev.infeasibility(24, 1.0) == ""
    assert ev.block(24, 1.0).breach(ev.mended(np.zeros((3, 24)), 1.0)) < 1e-9


def test_devices_travel():
    for device in (Battery(**BATTERY), Ev(**EV, trips=[TRIP]), HeatPump(**HEAT), Deferrable(**LOAD, jobs=[NIGHT])):
        twin = pickle.loads(pickle.dumps(device))
        ours, theirs = device.block(24, 1.0), twin.block(24, 1.0)
        assert np.array_equal(ours.high, theirs.high)
        assert (ours.rows != theirs.rows).nnz == 0


@pytest.fixture(scope="module")
def furnished():
    """A home with a battery, a vehicle and a heat pump, and one link."""
    return Household(
        "p3", "x", fixed_kw=np.full(24, 1.0), renewable_kw=np.r_[np.zeros(8), np.full(8, 4.0), np.zeros(8)],
        alpha_usd_per_kw2h=0.05, beta_usd_per_kwh=0.3, elastic_min_kw=0.0, elastic_max_kw=2.0, bid_max_kw=30.0,
        devices=(Battery(**BATTERY), Ev(**EV, trips=[TRIP]), HeatPump(**HEAT, heat_demand_kw=1.0)),
    )  # fmt: skip


@settings(max_examples=40)
@given(st.data())
def test_a_bound_is_below_every_plan(furnished, data):
    """Of prices at random, the plan for other prices costs no less than the bound says is possible."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    problem = DeviceSubproblem(furnished, np.array([3.0]))
    lmp, price = rng.uniform(-0.1, 0.4, 24), rng.uniform(-0.1, 0.4, (1, 24))
    told = Delivery(lmp, price, rng.uniform(-3.0, 3.0, (1, 24)))
    others = replace(told, lmp_usd_per_kwh=rng.uniform(0.0, 0.4, 24))
    for plan in (problem.deliver(told), problem.deliver(others)):
        cost = float(plan.cost_usd(furnished, lmp)) + plan.payment_usd(furnished, price)
        assert problem.least_cost_usd(told) <= cost + 1e-9
        assert problem.regret_usd(told, plan) == pytest.approx(cost - problem.least_cost_usd(told), abs=1e-7)
