"""Runs to look at, a small feeder to build markets on, and the two central problems in cvxpy, from the equations."""

import os
import signal
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from device_models import model_of

from gridbazaar.agents import Link
from gridbazaar.market import EnergyMarket, MarketSettings
from gridbazaar.network import Feeder

TIGHT = {
    "primal_tolerance_kw": 0.001,
    "dual_tolerance_usd_per_kwh": 1e-7,
    "regret_tolerance": 2e-10,
    "regret_tolerance_usd": 0,
}


@pytest.fixture(scope="session")
def open_market() -> Callable[..., EnergyMarket]:
    def build(
        bazaar: Any,
        *,
        behaviours: Any = None,
        rng: Any = None,
        messages: Any = None,
        hosting: Any = None,
        **settings: Any,
    ) -> EnergyMarket:
        chosen = MarketSettings(**{"network_use": "bids"} | settings)  # the paper's, unless a test says otherwise
        return EnergyMarket(
            bazaar.clearing(),
            bazaar.households,
            bazaar.links,
            settings=chosen,
            behaviours=behaviours,
            rng=rng,
            messages=messages,
            hosting=hosting,
        )

    return build


@pytest.fixture(scope="session")
def ieee33_run(ieee33_bazaar, open_market) -> Callable[..., Any]:
    """A finished run of the paper's case, each made once: its market, its result and its rounds. Look, do not touch."""

    @cache
    def run(alpha: float = 1.0, *, tight: bool = False, **settings: Any) -> SimpleNamespace:
        market = open_market(ieee33_bazaar(alpha), **(TIGHT if tight else {}) | settings)
        rounds: list[Any] = []
        return SimpleNamespace(result=market.run(rounds.append), market=market, rounds=rounds)

    return run


@pytest.fixture(scope="session")
def street(ieee33_bazaar) -> Callable[..., Any]:
    """A market of given households on a short feeder r-x-y that is fed at r, with a load of its own at y."""
    lines = [{"from_bus": a, "to_bus": b, "r_ohm": 0.5, "x_ohm": 0.3} for a, b in ("rx", "xy")]
    supply = {"name": "g", "bus": "r", "a_usd_per_kw2h": 1e-4, "b_usd_per_kwh": 0.1, "c_usd_per_h": 0.0}
    limits = {"p_min_kw": 0.0, "p_max_kw": 1e3, "q_min_kvar": -500.0, "q_max_kvar": 500.0}

    def build(*homes: Any, links: Any = (), load_kw: float = 50.0) -> Any:
        feeder = Feeder.from_tables(
            [{"bus": bus, "v_min_pu": 0.9} for bus in "rxy"], lines, [supply | limits], root="r", base_kv=10.0
        )
        load = np.zeros((3, homes[0].periods))
        load[feeder.index("y")] = load_kw
        return ieee33_bazaar().with_(
            feeder=feeder,
            load_kw=load,
            load_kvar=0.3 * load,
            households=list(homes),
            links=[link if isinstance(link, Link) else Link(*link) for link in links],
        )

    return build


class Prosumers:
    """(12)-(15), (17) of everybody with one signed trade per link, so that (16) holds by itself.

    `order` is what the DSO clears for: bids, or with trades in it what is withdrawn; `fees` what price takers weigh.
    """

    def __init__(self, bazaar: Any, network_use: str = "bids") -> None:
        homes, names = bazaar.households, [home.name for home in bazaar.households]
        shape = len(homes), homes[0].periods
        self.bid, self.elastic, curtailed = (cp.Variable(shape) for _ in range(3))
        trade = cp.Variable((len(bazaar.links) + 1, shape[1]))  # a spare row keeps cvxpy happy without links
        into = np.zeros((len(homes), len(bazaar.links) + 1))
        for n, link in enumerate(bazaar.links):
            into[names.index(link.a), n], into[names.index(link.b), n] = 1.0, -1.0
        cap = np.tile(np.append([link.cap_kw for link in bazaar.links], 0.0)[:, None], shape[1])
        fixed, own, low, high, most, sold = (
            np.array([getattr(home, key) for home in homes])
            for key in ("fixed_kw", "renewable_kw", "elastic_min_kw", "elastic_max_kw", "bid_max_kw", "feed_in_max_kw")
        )
        self.order = self.bid + into @ trade if network_use == "withdrawals" else self.bid
        self.fees = sum(link.fee_usd_per_kwh * cp.norm1(trade[n]) for n, link in enumerate(bazaar.links))
        for i, home in enumerate(homes):
            self.fees += home.grid_fee_usd_per_kwh * cp.sum(cp.pos(self.bid[i]))
            self.fees += home.feed_in_fee_usd_per_kwh * cp.sum(cp.neg(self.bid[i]))
        devices = [model_of(home) for home in homes]
        injected = cp.vstack([cp.reshape(device.injection, (1, shape[1]), order="C") for device in devices])
        self.fees += sum(device.cost for device in devices)
        self.rules = [
            *(rule for device in devices for rule in device.rules),
            self.bid + own - curtailed + into @ trade + injected == fixed + self.elastic,
            *(self.bid >= -sold, self.bid <= most, curtailed >= 0, curtailed <= own),
            *(low <= self.elastic, self.elastic <= high, -cap <= trade, trade <= cap),
        ]
        self.utility = sum(
            home.beta_usd_per_kwh * cp.sum(self.elastic[i]) - home.alpha_usd_per_kw2h * cp.sum_squares(self.elastic[i])
            for i, home in enumerate(homes)
        )


def solve(problem: cp.Problem) -> None:
    problem.solve(cp.CLARABEL, tol_gap_rel=1e-9)
    assert problem.status == cp.OPTIMAL


@pytest.fixture(scope="session")
def lower_level() -> Callable[..., float]:
    """Least total cost sum_i F_i of (11) at given LMPs (prosumer, period), in $."""

    def cost(bazaar: Any, lmp: np.ndarray, network_use: str = "bids") -> float:
        all_of_them = Prosumers(bazaar, network_use)
        spent = cp.sum(cp.multiply(lmp, all_of_them.order)) - all_of_them.utility + all_of_them.fees
        problem = cp.Problem(cp.Minimize(spent), all_of_them.rules)
        solve(problem)
        return bazaar.households[0].dt_h * problem.value

    return cost


@pytest.fixture(scope="session")
def joint() -> Callable[..., Any]:
    """The equilibrium: min cost (1) less utility (12) over (2)-(10), (13)-(17); lines carry the number of their bus.

    Price takers pay fees, so they are in what is least; `welfare_usd` is without them.
    """

    def optimum(bazaar: Any, network_use: str = "bids", base_kw: float = 1e3) -> Any:
        feeder, dt_h = bazaar.feeder, bazaar.households[0].dt_h
        all_of_them = Prosumers(bazaar, network_use)
        buses, periods = bazaar.load_kw.shape
        parent = np.array(feeder.parent_index)
        child_of, at = np.zeros((buses, buses)), np.zeros((buses, len(bazaar.households)))
        child_of[parent[1:], range(1, buses)] = 1.0
        at[[feeder.index(home.bus) for home in bazaar.households], range(len(bazaar.households))] = 1.0
        makers, made_at = feeder.generators, np.zeros((buses, len(feeder.generators)))
        made_at[[feeder.index(g.bus) for g in makers], range(len(makers))] = 1.0
        flow, q_flow, current, v = (cp.Variable((buses, periods)) for _ in range(4))
        made, q_made = (cp.Variable((len(makers), periods)) for _ in range(2))
        z = np.diag(np.asarray(feeder.r_ohm)), np.diag(np.asarray(feeder.x_ohm))
        r, x = (m * base_kw / (1e3 * feeder.base_kv**2) for m in z)
        demand = (bazaar.load_kw + at @ all_of_them.order) / base_kw
        balance = demand - made_at @ made - (flow - r @ current) + child_of @ flow == 0  # (2)
        up, line = v[parent[1:]], slice(1, None)
        square = cp.vstack([cp.vec(part[line], order="C") for part in (2 * flow, 2 * q_flow, current)])
        square = square - cp.vstack([np.zeros(((buses - 1) * periods,))] * 2 + [cp.vec(up, order="C")])
        rules = [
            *(balance, flow[0] == 0, q_flow[0] == 0, current[0] == 0, v[0] == feeder.root_voltage_pu**2),
            bazaar.load_kvar / base_kw - made_at @ q_made - (q_flow - x @ current) + child_of @ q_flow == 0,  # (3)
            v[line] == up - (2 * (r @ flow + x @ q_flow) - (r**2 + x**2) @ current)[line],  # (4)
            cp.SOC(cp.vec(current[line] + up, order="C"), square),  # (5)
            v[line] >= np.tile(feeder.v_min_pu[1:, None] ** 2, periods),  # (6)
            v[line] <= np.tile(feeder.v_max_pu[1:, None] ** 2, periods),
            cp.abs(flow[line]) <= np.tile(np.minimum(feeder.p_max_kw[1:, None] / base_kw, 1e3), periods),  # (7)
        ]
        for variable, kind in ((made, "p_{}_kw"), (q_made, "q_{}_kvar")):  # (8)
            low, high = ([getattr(g, kind.format(end)) / base_kw for g in makers] for end in ("min", "max"))
            rules += [variable >= np.tile(np.c_[low], periods), variable <= np.tile(np.c_[high], periods)]
        cost = sum(
            g.a_usd_per_kw2h * base_kw**2 * cp.sum_squares(made[i])
            + g.b_usd_per_kwh * base_kw * cp.sum(made[i])
            + g.c_usd_per_h * periods
            for i, g in enumerate(makers)
        )
        least = cp.Minimize(cost - all_of_them.utility + all_of_them.fees)
        problem = cp.Problem(least, rules + all_of_them.rules)
        solve(problem)
        return SimpleNamespace(
            objective_usd=-dt_h * problem.value,
            welfare_usd=dt_h * (all_of_them.utility.value - cost.value),
            dso_cost_usd=dt_h * cost.value,
            utility_usd=dt_h * all_of_them.utility.value,
            elastic_kw=all_of_them.elastic.value,
            lmp_usd_per_kwh=np.abs(balance.dual_value) / base_kw,
            voltage_pu=np.sqrt(v.value),
        )

    return optimum


@pytest.fixture
def kill() -> Callable[[Any], None]:
    """Kill the process that serves a community, as the system does when memory runs out."""

    def of(proxy: Any) -> None:
        process = proxy._transport.process
        os.kill(process.pid, signal.SIGKILL)
        process.join()

    return of
