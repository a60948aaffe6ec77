"""Homes with devices over a long horizon give the same bits wherever they live, in threads or one after the other."""

from dataclasses import replace
from threading import current_thread
from types import SimpleNamespace

import numpy as np
import pytest
from bench_devices import street
from bits import equal_runs

from gridbazaar.agents import Behaviour
from gridbazaar.agents.device_subproblem import DeviceSubproblem
from gridbazaar.agents.devices.battery import Battery
from gridbazaar.market import EnergyMarket, Hosting, MarketSettings, Workers
from gridbazaar.network import cores


class OwnBattery(Battery):
    """A user's, who may do in it what threads do not bear."""

    def mended(self, found, dt_h):
        return super().mended(found, dt_h)


class Shy(Behaviour):
    """Offers as a price taker does, and says where it was asked."""

    def __init__(self):
        self.asked_in = []

    def offer(self, quote, plan):
        self.asked_in.append(current_thread().name)
        return super().offer(quote, plan)


@pytest.fixture
def run():
    """The first rounds of a street of three homes for a day of 15 minutes, with its first deliveries."""

    def played(backend=None, behaviours=None, **settings):
        chosen = MarketSettings(**{"max_rounds": 4, "max_iterations": 2} | settings)
        market = EnergyMarket(
            *street(3, 1), settings=chosen, hosting=Hosting(backend), behaviours=behaviours or {}, rng=1
        )
        with market:
            rounds = []
            while market.running:
                market.step()
                rounds.append(market.last)
            return SimpleNamespace(rounds=rounds, result=market.result())

    return played


def test_workers_and_threads_change_no_bit(run, monkeypatch):
    here, there = run(), run(Workers(2))
    assert equal_runs(here, there)
    monkeypatch.setattr(cores, "cores", lambda: 1)
    assert equal_runs(here, run())
    assert not equal_runs(here, run(max_rounds=3))


def test_a_run_goes_on_from_a_snapshot_to_the_same_bits():
    def street_of_three():
        return EnergyMarket(*street(3, 1), settings=MarketSettings(max_rounds=4, max_iterations=2), rng=1)

    whole, part = street_of_three(), street_of_three()
    rounds = []
    while whole.running:
        whole.step()
        rounds.append(whole.last)
    before = [part.step() or part.last for _ in range(3)]
    other = street_of_three()
    other.restore(part.snapshot())
    while other.running:
        other.step()
        before.append(other.last)
    assert equal_runs(*(SimpleNamespace(rounds=r, result=m.result()) for r, m in ((rounds, whole), (before, other))))


def test_price_takers_are_asked_side_by_side_and_others_where_the_market_is(run, monkeypatch):
    asked_in = {}
    share = DeviceSubproblem.share

    def noted(self, quote):
        asked_in.setdefault(self.household.name, set()).add(current_thread().name)
        return share(self, quote)

    monkeypatch.setattr(cores, "cores", lambda: 2)
    monkeypatch.setattr(DeviceSubproblem, "share", noted)
    shy = Shy()
    run(behaviours={"h1": shy})
    here = current_thread().name
    assert asked_in["h1"] == {here} == set(shy.asked_in)
    assert asked_in["h0"] == {here}
    assert all(name.startswith("gridbazaar_") for name in asked_in["h2"])


def test_devices_of_users_are_left_where_the_market_is():
    _, (home, _, _), _ = street(3, 1)
    ours = Battery(name="battery", capacity_kwh=6.0, p_charge_max_kw=2.0, p_discharge_max_kw=2.0)
    theirs = OwnBattery(name="battery", capacity_kwh=6.0, p_charge_max_kw=2.0, p_discharge_max_kw=2.0)
    caps = np.zeros(0)
    assert DeviceSubproblem(replace(home, devices=(ours,)), caps).lets_go
    assert not DeviceSubproblem(replace(home, devices=(theirs,)), caps).lets_go
