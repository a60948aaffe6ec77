"""A root that takes little back: where the sun exceeds the demand, LMPs fall from its cost to what homes then use."""

import numpy as np
import pytest

from gridbazaar.agents import Household, Link, TradeGraph
from gridbazaar.market import EnergyMarket, MarketSettings
from gridbazaar.market.proof.central import equilibrium
from gridbazaar.network import Bus, Clearing, Feeder, Generator, Line

HOURS = 8
SUN = np.array([0.0, 0.2, 0.6, 1.0, 1.0, 0.6, 0.2, 0.0])


def street(slope: float) -> tuple[Clearing, list[Household], list[Link]]:
    """Twelve homes on four buses; at noon they have more sun than all can use."""
    rng = np.random.default_rng(3)
    grid = Generator("grid", "b0", slope, 0.15, 0.0, -20.0, 300.0, -200.0, 200.0)
    lines = [Line(f"b{n}", f"b{n + 1}", 0.01, 0.006) for n in range(4)]
    feeder = Feeder(tuple(Bus(f"b{n}", 0.9, 1.1) for n in range(5)), tuple(lines), (grid,), "b0", 0.4)
    load = {f"b{n}": np.full(HOURS, 1.0) for n in range(1, 5)}
    homes = [
        Household(
            name=f"h{i}",
            bus=f"b{1 + i % 4}",
            fixed_kw=np.full(HOURS, rng.uniform(0.5, 2.0)),
            renewable_kw=SUN * rng.choice([0.0, 8.0, 12.0]),
            alpha_usd_per_kw2h=float(rng.uniform(0.01, 0.06)),
            beta_usd_per_kwh=float(rng.uniform(0.25, 0.6)),
            elastic_min_kw=np.zeros(HOURS),
            elastic_max_kw=np.full(HOURS, rng.uniform(1.0, 5.0)),
            bid_max_kw=np.full(HOURS, 20.0),
            feed_in_max_kw=np.full(HOURS, 10.0),
            grid_fee_usd_per_kwh=0.05,
            feed_in_fee_usd_per_kwh=0.01,
        )
        for i in range(12)
    ]
    links = [Link(f"h{i}", f"h{(i + 1) % 12}", 4.0, 0.01) for i in range(12)]
    return Clearing(feeder, load, {bus: 0.3 * kw for bus, kw in load.items()}, 1.0), homes, links


@pytest.mark.parametrize("slope", [4e-4, 0.0], ids=["steeper and steeper", "one price"])
def test_it_settles_without_asking_the_dso_in_every_round(slope: float) -> None:
    clearing, homes, links = street(slope)
    market = EnergyMarket(clearing, homes, links, settings=MarketSettings(regret_tolerance=1e-6))
    result = market.run()
    at_noon = slice(3, 5)
    assert result.settled
    assert result.dispatch.p_gen_kw[0, at_noon] == pytest.approx(-20.0, abs=1e-3)
    assert (result.lmp_usd_per_kwh[:, at_noon] < 0.1).all()
    assert result.clearings <= 10
    assert result.elastic_clearings <= 20
    graph = TradeGraph([home.name for home in homes], links)
    best = equilibrium(clearing.feeder, clearing.load_kw, clearing.load_kvar, homes, graph, withdrawals=True)
    missing = best.welfare_usd - best.fees_usd - result.welfare_less_fees_usd
    assert -1e-4 <= missing <= result.certificate.total_usd + 1e-4
