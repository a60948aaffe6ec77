"""Who charges and discharges at once is named, if its device could not, with a reason where prices give one."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from gridbazaar.agents.devices.battery import Battery
from gridbazaar.agents.devices.device import Device
from gridbazaar.agents.devices.device_block import DeviceBlock
from gridbazaar.market import EnergyMarket
from gridbazaar.market.result import device_doubts
from gridbazaar.scenarios import load


class Chp(Device):
    """A third party's generator with a pump of 0.2 kW, which run together."""

    kind, name = "chp", "chp"

    def block(self, periods, dt_h):
        one = np.ones(periods)
        low, high = np.outer([0.0, 0.2], one), np.outer([3.0, 0.2], one)
        cost, into, none = np.outer([0.05, 0.0], one), np.outer([1.0, -1.0], one), np.zeros(0)
        rows = sp.csr_array((0, 2 * periods))
        return DeviceBlock(("gen_kw", "pump_kw"), low, high, cost, 0 * low, into, rows, none, none)

    def mended(self, found, dt_h):
        return np.clip(found, [[0.0], [0.2]], [[3.0], [0.2]])

    def infeasibility(self, periods, dt_h):
        return ""


def test_only_what_excludes_each_other_is_named(street, home):
    bazaar = street(home(bus="y", devices=(Chp(),)))
    result = EnergyMarket(bazaar.clearing(), bazaar.households, bazaar.links).run()
    assert result.devices.charge_kw.to_numpy() == pytest.approx(0.2)
    assert result.devices.discharge_kw.min() > 0.1
    assert device_doubts(result) == []


def test_charging_and_discharging_at_once_is_found_and_named(street, home):
    """Who is paid to take power, and has taken all that it can use, burns more of it in a full battery."""
    full = Battery(name="battery", capacity_kwh=5.0, p_charge_max_kw=20.0, p_discharge_max_kw=20.0, soc_start=1.0)
    bazaar = street(home(bus="y", renewable_kw=0.0, devices=(full,)))
    machine = replace(bazaar.feeder.generators[0], a_usd_per_kw2h=1e-5, b_usd_per_kwh=-0.2)
    bazaar = bazaar.with_(feeder=replace(bazaar.feeder, generators=(machine,)))
    result = EnergyMarket(bazaar.clearing(), bazaar.households, bazaar.links).run()
    assert result.settled, result.message
    assert result.device_schedules.both_ways() == {("a", "battery"): [0, 1]}
    burnt = (1 - 0.95**2) * 20.0  # of 20 kW, and 0.95**2 of it comes back
    taken = result.devices.charge_kw - result.devices.discharge_kw
    assert taken.mean() == pytest.approx(burnt, abs=1e-6)
    assert device_doubts(result) == [
        "battery of a charges and discharges at once at 00:00-02:00, where a kWh is worth nothing or less; no device "
        "could: agents.exact_plan finds what its owner could do best instead"
    ]


@pytest.mark.parametrize(("method", "wear"), [("newton", 0.0), ("damped", 1e-4)])
def test_a_lossless_store_charges_or_discharges(method, wear):
    """At prices above 0; a schedule with both is as good to the market, but no device could keep it."""
    ideal = {"efficiency_charge": 1, "efficiency_discharge": 1, "throughput_cost_usd_per_kwh": wear}
    changes = {f"prosumers.ann.devices.battery.{key}": value for key, value in ideal.items()}
    scenario = load("two_homes", {**changes, "market.method": method})
    parts = scenario.build_clearing(), scenario.build_households(), scenario.build_links()
    result = EnergyMarket(*parts, settings=scenario.build_settings(), rng=scenario.seed).run()
    assert result.settled is (method == "newton")
    assert result.lmp_usd_per_kwh.min() > 0
    assert result.device_schedules.charge_kw.max() > 0.1
    assert result.device_schedules.both_ways() == {}
    assert device_doubts(result) == []
