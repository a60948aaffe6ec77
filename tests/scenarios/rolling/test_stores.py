"""What windows make of stores: where they begin, where they have to end."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest

from gridbazaar.agents.devices.battery import Battery
from gridbazaar.agents.devices.deferrable import Deferrable
from gridbazaar.agents.devices.ev import Ev, Trip
from gridbazaar.agents.devices.heat_pump import HeatPump
from gridbazaar.agents.devices.store import Store
from gridbazaar.scenarios.files.horizon import HorizonRow
from gridbazaar.scenarios.files.windowed_stores import store_of
from gridbazaar.scenarios.rolling.stores import StorePath
from gridbazaar.scenarios.rolling.windows import windows_of

PERIODS = 12
WINDOWS = windows_of(HorizonRow(length_h=6, step_h=3), PERIODS, 1.0)
PLENTY_KW = np.full(PERIODS, 100.0)


def path_of(device: object, windows=WINDOWS, spare_kw=PLENTY_KW, sharing: int = 1) -> StorePath:
    store = store_of(device, PERIODS, 1.0)
    assert store is not None
    return StorePath.of("ann", store, windows, 1.0, spare_kw, sharing)


def rows(path: StorePath, level_kwh: float) -> list[dict]:
    return [path.row(window, level_kwh, 1.0).parameters for window in WINDOWS]


def battery(**more: object) -> Battery:
    given = {"name": "b", "capacity_kwh": 10, "p_charge_max_kw": 2, "p_discharge_max_kw": 2, **more}
    return Battery(**given)  # type: ignore[arg-type]


def test_a_cyclic_store_begins_half_full_and_ends_every_window_there():
    found = path_of(battery(cyclic=True))
    assert found.begin_kwh == 5.0
    assert [row["soc_end"] for row in rows(found, 5.0)] == [0.5] * 4
    assert not any(row["cyclic"] for row in rows(found, 5.0))


def test_a_window_ends_where_the_horizon_began_and_the_last_ones_where_the_store_must():
    found = path_of(battery(soc_start=0.4, soc_end=0.9))
    assert found.begin_kwh == 4.0
    assert [row["soc_end"] for row in rows(found, 3.0)] == [0.4, 0.4, 0.9, 0.9]  # the last two end with the data
    assert [row["soc_start"] for row in rows(found, 3.0)] == [0.3] * 4


def test_what_a_window_cannot_bring_back_it_leaves():
    """From 0 of 10 kWh it comes to 6 x 0.5 x 0.95 = 2.85 kWh."""
    found = path_of(battery(p_charge_max_kw=0.5, soc_start=0.5, soc_end=0.0))
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
    row = path_of(car, windows).row(windows[0], 8.0, 1.0).parameters
    assert row["soc_end"] == pytest.approx((32 - 3 * 0.92 * 4) / 40, rel=1e-12)


def test_a_window_leaves_what_a_household_can_keep_up_with():
    """Its house spares 2 of the 4 kW that the car could charge with; from 8 kWh on, five hours bring it to 17.2."""
    trip = Trip(leaves_h=8, returns_h=10, energy_kwh=5.0, soc_needed=0.8)
    car = Ev(name="c", capacity_kwh=40, p_charge_max_kw=4, soc_start=0.2, trips=(trip,), soc_end=0.1)
    windows = windows_of(HorizonRow(length_h=5, step_h=5), PERIODS, 1.0)
    found = path_of(car, windows, np.full(PERIODS, 2.0))
    enough = found.row(windows[0], 20.0, 1.0).parameters
    assert enough["soc_end"] == pytest.approx((32 - 3 * 0.92 * 2) / 40, rel=1e-12)
    assert enough["p_charge_max_kw"] == [4] * 5
    cannot = found.row(windows[0], 8.0, 1.0).parameters
    assert cannot["soc_end"] == pytest.approx((32 - 3 * 0.92 * 4) / 40, rel=1e-12)  # which its household cannot, either
    late = path_of(car, windows, np.r_[np.full(5, 4.0), np.full(PERIODS - 5, 2.0)])
    assert late.row(windows[0], 9.0, 1.0).parameters["soc_end"] == pytest.approx((32 - 3 * 0.92 * 2) / 40, rel=1e-12)
    almost = late.row(windows[0], 7.0, 1.0).parameters
    assert almost["soc_end"] == pytest.approx((7 + 5 * 0.92 * 4) / 40, abs=1.1e-6)


def test_stores_come_back_with_their_share_of_what_is_spared():
    """6 x 0.95 x 1.5 kWh are 8.55: enough from 0 to 5 alone, but not for two."""
    assert rows(path_of(battery(soc_start=0.5), spare_kw=np.full(PERIODS, 1.5)), 0.0)[0]["soc_end"] == 0.5
    assert rows(path_of(battery(soc_start=0.5), spare_kw=np.full(PERIODS, 1.5), sharing=2), 0.0)[0]["soc_end"] == 0.0


def test_a_trip_goes_on_over_the_end_of_a_window():
    car = Ev(name="c", capacity_kwh=40, p_charge_max_kw=4, trips=(Trip(leaves_h=4, returns_h=8, energy_kwh=8.0),))
    cut = [path_of(car).row(window, 20.0, 1.0).parameters for window in WINDOWS[:2]]
    assert cut[0]["drain_kw"] == [0, 0, 0, 0, 2, 2]
    assert cut[1]["drain_kw"] == [0, 2, 2, 2, 2, 0]  # periods 4 to 9
    assert cut[1]["p_charge_max_kw"] == [4, 0, 0, 0, 0, 4]
    assert cut[0]["soc_min"][3] == pytest.approx(0.1 + 8 / 40)  # it leaves with what it uses on the way


def test_a_deferrable_load_may_wait_for_a_later_window_while_there_is_time():
    """6 kWh at 2 kW until hour 9: after the first window, which ends at hour 6, all of it can still be used."""
    load = Deferrable(name="w", energy_kwh=6, p_max_kw=2, latest_h=9)
    assert rows(path_of(load), 0.0)[0]["soc_end"] == 0.0
    sooner = Deferrable(name="w", energy_kwh=6, p_max_kw=2, latest_h=8)
    assert rows(path_of(sooner), 0.0)[0]["soc_end"] == pytest.approx(2 / 6)  # 4 kWh fit behind it
    assert rows(path_of(sooner), 6.0)[1]["soc_end"] == 1.0


def test_a_window_leaves_what_will_be_drawn_and_no_more_than_will_fit():
    late = np.r_[np.zeros(6), np.ones(6)]
    drawn = Store(name="s", capacity_kwh=10, p_charge_max_kw=5 * (1 - late), drain_kw=late, soc_end=0)
    assert path_of(drawn).ends_kwh[6] == pytest.approx((6.0, 11.0))  # 1 kWh an hour, six times; full after the first
    assert rows(path_of(drawn), 1.0)[0]["soc_end"] == pytest.approx(0.6)
    narrow = Store(name="s", capacity_kwh=10, p_charge_max_kw=5, soc_max=1 - 0.7 * late, soc_start=0.1)
    assert rows(path_of(narrow), 1.0)[0]["soc_max"] == pytest.approx([1, 1, 1, 1, 1, 0.3])


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
    assert path_of(lossy).begin_kwh == pytest.approx(most / (1 - 0.5))
