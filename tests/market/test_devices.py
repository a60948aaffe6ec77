"""Markets whose prosumers have devices settle, agree with the joint problem, and give the same bits everywhere."""

import copy
import pickle
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp
from bits import equal_runs
from device_models import random_devices
from random_markets import random_market

from gridbazaar.agents import Behaviour, BehaviourError
from gridbazaar.agents.devices.battery import Battery
from gridbazaar.agents.devices.deferrable import Deferrable
from gridbazaar.agents.devices.device import Device
from gridbazaar.agents.devices.device_block import DeviceBlock
from gridbazaar.agents.trade_graph import TradeGraph
from gridbazaar.market import EnergyMarket, Hosting, MarketSettings, Workers
from gridbazaar.market.methods.memory import CurveState
from gridbazaar.market.methods.proximal_gradient import ProximalGradient
from gridbazaar.market.proof.central import LowerLayer, equilibrium
from gridbazaar.market.setup import tied_periods
from gridbazaar.market.state_file import packed, unpacked
from gridbazaar.market.tables import tables_of

SERIES = ("fixed_kw", "renewable_kw", "elastic_min_kw", "elastic_max_kw", "bid_max_kw", "feed_in_max_kw")


def equipped(bazaar, kinds="b"):
    """A battery of a quarter of its largest bid at each prosumer; with "r" devices of all kinds at the second."""
    homes = []
    for i, home in enumerate(bazaar.households):
        power = 0.25 * float(home.bid_max_kw.max())
        devices = (Battery(name="battery", capacity_kwh=4 * power, p_charge_max_kw=power, p_discharge_max_kw=power),)
        if "r" in kinds and i == 1:
            devices = random_devices(3, power, home.periods, home.dt_h)
        homes.append(replace(home, devices=devices))
    return bazaar.with_(households=homes)


@pytest.fixture
def begin(ieee33_bazaar):
    """The paper's market with devices, not yet run."""

    def opened(backend=None, kinds="br", **settings):
        bazaar = equipped(ieee33_bazaar(), kinds)
        chosen = MarketSettings(**{"network_use": "bids"} | settings)
        return EnergyMarket(
            bazaar.clearing(), bazaar.households, bazaar.links, settings=chosen, rng=5, hosting=Hosting(backend)
        )

    return opened


@pytest.mark.parametrize("network_use", ["bids", "withdrawals"])
def test_it_settles_at_the_joint_optimum(ieee33_bazaar, begin, joint, network_use):
    """The optimum by an independent model of feeder, prosumers and devices, and by `equilibrium`."""
    result = begin(kinds="b", network_use=network_use).run()
    assert result.settled
    assert result.certificate.relative <= 1e-6
    bazaar = equipped(ieee33_bazaar())
    graph = TradeGraph([home.name for home in bazaar.households], bazaar.links)
    best = equilibrium(
        bazaar.feeder, bazaar.load_kw, bazaar.load_kvar, bazaar.households, graph,
        withdrawals=network_use == "withdrawals",
    )  # fmt: skip
    by_hand = joint(bazaar, network_use)
    assert best.welfare_usd == pytest.approx(by_hand.objective_usd, rel=1e-6)
    assert best.welfare_usd - result.welfare_usd <= result.certificate.total_usd + 1e-7 * result.dso_cost_usd
    assert result.welfare_usd == pytest.approx(best.welfare_usd, rel=1e-6)
    elastic = np.abs(result.elastic_kw - best.elastic_kw).max()
    assert elastic < 0.01 * best.elastic_kw.max()


def test_case_2_against_cvxpy(ieee33_bazaar, lower_level):
    bazaar = equipped(ieee33_bazaar(), "br")
    graph = TradeGraph([home.name for home in bazaar.households], bazaar.links)
    lmp = 0.2 + 0.1 * np.random.default_rng(4).random((3, 24))
    planned = LowerLayer(bazaar.households, graph).solve(lmp)
    assert planned.cost_usd == pytest.approx(lower_level(bazaar, lmp), rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "relative"),
    [
        ({"method": "admm"}, 1e-6),
        ({"order": "gauss_seidel"}, 1e-6),
        ({"case": 1}, 1e-6),
        ({"case": 2}, 1e-6),
        ({"subproblem": "osqp"}, 1e-6),
        pytest.param({"method": "proximal_gradient", "regret_tolerance": 1e-5}, 1e-5, marks=pytest.mark.long),
        pytest.param({"method": "damped", "regret_tolerance": 1e-4}, 1e-4, marks=pytest.mark.long),
    ],
    ids=str,
)
def test_all_ways_to_run_it(begin, settings, relative):
    result = begin(**settings).run()
    assert result.settled, result.message
    assert result.certificate.relative <= relative


def test_a_bound_is_never_wrong_however_early(ieee33_bazaar, begin):
    """`plain` swaps LMPs that storage makes tie and never settles; its certificate holds all the same."""
    bazaar = equipped(ieee33_bazaar(), "br")
    graph = TradeGraph([home.name for home in bazaar.households], bazaar.links)
    best = equilibrium(bazaar.feeder, bazaar.load_kw, bazaar.load_kvar, bazaar.households, graph).welfare_usd
    market, bounds = begin(method="plain", max_iterations=5, max_rounds=30), []
    while market.running:
        market.step()
        certificate, result = market.proof.certificate(), market.result()
        if np.isfinite(certificate.total_usd) and market.phase.name == "SHARING":
            bounds.append(certificate.total_usd)
            assert best - result.welfare_usd <= certificate.total_usd + 1e-6 * result.dso_cost_usd
    assert len(bounds) >= 3
    assert max(bounds) > 1.0


def test_snapshots_copies_pickles_files_and_workers_change_no_bit(begin):
    def to_the_end(market, before=()):
        rounds = list(before)
        while market.running:
            market.step()
            rounds.append(market.last)
        return type("Run", (), {"rounds": rounds, "result": market.result()})()

    whole = to_the_end(begin(max_iterations=3))
    market = begin(max_iterations=3)
    before = [market.step() or market.last for _ in range(2 * len(whole.rounds) // 3)]
    state = market.snapshot()
    other = begin(max_iterations=3)
    other.restore(unpacked(packed(state)))
    for twin in (market.copy(), copy.deepcopy(market), pickle.loads(pickle.dumps(market)), other):
        assert equal_runs(whole, to_the_end(twin, before))
    with begin(Workers(2), max_iterations=3) as there:
        there.restore(state)
        far = to_the_end(there, before)
    assert equal_runs(whole, far)
    for key in ("charge_kw", "discharge_kw", "energy_kwh", "injection_kw", "cost_usd"):
        assert np.array_equal(getattr(whole.result.device_schedules, key), getattr(far.result.device_schedules, key))


def test_tables_say_what_devices_do_and_balance(begin, ieee33_bazaar):
    result = begin().run()
    homes = {home.name: home for home in equipped(ieee33_bazaar(), "br").households}
    table, people = result.devices, result.prosumers
    assert list(table.columns) == ["prosumer", "device", "period", "charge_kw", "discharge_kw", "energy_kwh"]
    given = (table.discharge_kw - table.charge_kw).groupby([table.prosumer, table.period]).sum()
    told = people.set_index(["prosumer", "period"]).devices_kw
    assert (told - given).abs().max() <= 1e-9
    left = people.bid_kw + people.renewable_kw - people.curtailed_kw + people.net_trade_kw + people.devices_kw
    assert left.to_numpy() == pytest.approx((people.fixed_kw + people.elastic_kw).to_numpy(), abs=1e-9)
    battery = table[(table.prosumer == "p1") & (table.device == "battery")]
    stored = 0.95 * battery.charge_kw - battery.discharge_kw / 0.95
    before = np.concatenate([[300.0], battery.energy_kwh[:-1]])
    assert (battery.energy_kwh - before).to_numpy() == pytest.approx(stored.to_numpy(), abs=1e-9)
    assert battery.energy_kwh.iloc[-1] >= 300.0 - 1e-9
    wear = sum(1e-4 * (g.charge_kw + g.discharge_kw).sum() for _, g in table[table.prosumer == "p1"].groupby("device"))
    assert result.device_schedules.cost_usd[0] == pytest.approx(wear, abs=1e-12)
    assert result.welfare_usd == pytest.approx(
        result.utility_usd.sum() - result.device_schedules.cost_usd.sum() - result.dso_cost_usd
    )
    assert tables_of(result)[-1] == "devices"
    assert set(zip(table.prosumer, table.device, strict=True)) == {
        (h.name, d.name) for h in homes.values() for d in h.devices
    }


def test_without_devices_there_is_no_such_table(ieee33_run):
    result = ieee33_run().result
    assert "devices" not in tables_of(result)
    assert "devices_kw" not in result.prosumers
    assert result.devices.empty


def test_what_is_told_has_no_more_in_it_than_without_devices(ieee33_bazaar):
    heard = []
    for kinds in ("br", ""):
        bazaar = equipped(ieee33_bazaar(), "br") if kinds else ieee33_bazaar()
        said = []
        market = EnergyMarket(
            bazaar.clearing(), bazaar.households, bazaar.links,
            settings=MarketSettings(max_iterations=2, max_rounds=3), hosting=Hosting(log=said.append),
        )  # fmt: skip
        market.run()
        heard.append(
            {(e.message, e.fields, e.senders, e.receivers, tuple(e.sizes)) for e in said if e.message != "Schedules"}
        )
    assert heard[0] == heard[1]


class Bigger(Behaviour):
    def declare(self, household):
        double = replace(household.devices[0], capacity_kwh=2 * household.devices[0].capacity_kwh)
        return replace(household, devices=(double,))


class Shy(Behaviour):
    def declare(self, household):
        return replace(household, beta_usd_per_kwh=0.9 * household.beta_usd_per_kwh)


def test_a_declared_household_keeps_its_devices(ieee33_bazaar):
    bazaar = equipped(ieee33_bazaar())
    parts = bazaar.clearing(), bazaar.households, bazaar.links
    with pytest.raises(BehaviourError, match="changed its devices, which it could not live up to"):
        EnergyMarket(*parts, behaviours={"p1": Bigger()})
    result = EnergyMarket(*parts, behaviours={"p1": Shy()}).run()
    assert result.settled
    assert result.devices.query("prosumer == 'p1'").charge_kw.max() > 10.0


class Pairs(Device):
    """A third party's device that shifts a load between the two periods of each pair."""

    kind, name = "pairs", "pairs"

    def block(self, periods, dt_h):
        rows = sp.csr_array(np.kron(np.eye(periods // 2), np.ones((1, 2))))
        need, one = np.full(periods // 2, 1.0), np.ones((1, periods))
        return DeviceBlock(("load_kw",), 0 * one, one, 0 * one, 0.01 * one, -one, rows, need, need)

    def mended(self, found, dt_h):
        first = np.clip((1.0 + found[0, 0::2] - found[0, 1::2]) / 2, 0.0, 1.0)
        return np.column_stack([first, 1.0 - first]).reshape(1, -1)

    def infeasibility(self, periods, dt_h):
        return ""


def test_periods_are_tied_as_far_as_devices_reach(home):
    """A store's level goes through all periods; a device of another kind may tie fewer; no device ties none."""
    plain = replace(home(), **{key: np.full(4, 30.0) for key in SERIES})
    assert tied_periods([plain]) is None
    pairs, store = Pairs(), Battery(name="b", capacity_kwh=1.0, p_charge_max_kw=1.0, p_discharge_max_kw=1.0)
    tied = tied_periods([plain, replace(plain, devices=(pairs,))])
    assert tied is not None
    assert tied[0] == tied[1] != tied[2] == tied[3]
    assert np.unique(tied_periods([replace(plain, devices=(pairs,)), replace(plain, devices=(store,))])).size == 1


@pytest.mark.parametrize(
    ("tied", "good"),
    [
        (None, [True, False, True, False]),
        ([0, 0, 2, 3], [True, True, True, False]),  # 1 + 2.5 is no more than 2 * 1.8
        ([0, 0, 0, 0], [False, False, False, False]),  # 1 + 2.5 + 1 + 4 is more than 4 * 1.8
        ([0, 1, 1, 3], [True, True, True, False]),
    ],
)
def test_periods_that_are_tied_are_accepted_or_refused_together(tied, good):
    """V lies 1, 2.5, 1 and 4 $ above its tangent, and 0.9 times the curvature that was promised is 1.8."""
    operator = SimpleNamespace(
        bid_kw=np.ones((1, 4)), announce=lambda: np.full((1, 4), 0.3), values_usd=0.1 + np.array([1.0, 2.5, 1.0, 4.0]),
        clearing=SimpleNamespace(periods=4, dt_h=1.0),
    )  # fmt: skip
    method = ProximalGradient(operator)
    method.tied = None if tied is None else np.array(tied)
    before = CurveState(np.zeros((1, 4)), np.full((1, 4), 0.1), np.zeros(4), np.full(4, 2.0))
    method.state = before
    method.judge(1.0, None)
    assert (method.state.reference_kw[0] == 1.0).tolist() == good
    method.curve()
    doubled = ~np.array(good) & (np.array([1.0, 2.5, 1.0, 4.0]) > 1.8)
    assert method.state.slopes == pytest.approx(np.where(good, 0.5, np.where(doubled, 4.0, 2.0)))


def test_a_third_partys_device_settles(street, home):
    """Its quadratic cost included: at equal prices half of its load is in each period of a pair."""
    series = {key: np.full(4, 30.0) for key in SERIES} | {"elastic_min_kw": np.zeros(4), "bid_max_kw": np.full(4, 90.0)}
    bazaar = street(replace(home(), bus="y", **series, devices=(Pairs(),)))
    market = EnergyMarket(bazaar.clearing(), bazaar.households, bazaar.links)
    result = market.run()
    assert result.settled
    assert result.devices.charge_kw.to_numpy() == pytest.approx(0.5, abs=0.01)
    assert result.devices.energy_kwh.isna().all()
    assert result.device_schedules.cost_usd[0] == pytest.approx(4 * 0.01 * 0.25, rel=1e-3)


def _random(seed):
    """A random market two thirds of whose prosumers have devices, half of all with withdrawals."""
    withdrawals = seed % 2 == 0
    drawn = random_market(
        seed, withdrawals=withdrawals, fees=seed % 3 == 0, feed_in=seed % 5 == 0, buses=(5, 30), prosumers=(2, 8)
    )
    homes = [
        replace(home, devices=random_devices(100 * seed + i, float(home.fixed_kw.max()), home.periods, home.dt_h))
        if i % 3 != 2
        else home
        for i, home in enumerate(drawn.households)
    ]
    network_use = "withdrawals" if withdrawals else "bids"
    settings = MarketSettings(network_use=network_use, regret_tolerance=1e-5)
    market = EnergyMarket(drawn.clearing(), homes, drawn.links, settings=settings)
    best = equilibrium(drawn.feeder, drawn.load_kw, drawn.load_kvar, homes, market.graph, withdrawals=withdrawals)
    return market.run(), best


@pytest.mark.parametrize(
    "seed", [pytest.param(s, marks=() if s in {1, 4, 5, 45} else pytest.mark.long) for s in range(50)]
)
def test_random_markets_settle(seed):
    result, best = _random(seed)
    assert result.settled, result.message
    missing = (best.welfare_usd - best.fees_usd) - (result.welfare_usd - result.fees_usd)
    assert -1e-6 <= missing / result.certificate.turnover_usd <= 1.001e-5


@pytest.mark.parametrize("cyclic", [True, False])
def test_hours_and_quarters_agree(street, home, cyclic):
    """Series that are constant within an hour give the same run by hours and by quarters of an hour."""
    found = {}
    for parts in (1, 4):
        rng = np.random.default_rng(8)
        loads_kw = np.repeat(40.0 + 20.0 * rng.random(8), parts)
        store = Battery(
            name="store",
            capacity_kwh=40.0,
            p_charge_max_kw=20.0,
            p_discharge_max_kw=20.0,
            cyclic=cyclic,
        )
        load = Deferrable(name="load", energy_kwh=30.0, p_max_kw=10.0, earliest_h=2.0, latest_h=6.0)
        one = replace(
            home(), bus="y", fixed_kw=loads_kw, dt_h=1.0 / parts, devices=(store, load), renewable_kw=0.0,
            elastic_min_kw=0.0, elastic_max_kw=50.0, bid_max_kw=150.0, feed_in_max_kw=0.0,
        )  # fmt: skip
        bazaar = street(one)
        market = EnergyMarket(
            bazaar.clearing(), bazaar.households, bazaar.links, settings=MarketSettings(regret_tolerance=1e-9)
        )
        found[parts] = market.run()
        assert found[parts].settled
    hours, quarters = found[1], found[4]
    assert quarters.welfare_usd == pytest.approx(hours.welfare_usd, rel=2e-6)
    level = {p: run.device_schedules.energy_kwh[0, p - 1 :: p] for p, run in found.items()}
    assert level[4] == pytest.approx(level[1], abs=0.05)
