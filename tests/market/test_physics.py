"""What the market proves of its physics: AC solutions, true certificates, cures that hold; trades on the wires."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from bits import equal_runs
from physical_markets import PhysicalMarket, gains_usd, physical_market

from gridbazaar.agents import Household, Link
from gridbazaar.market import EnergyMarket, Hosting, MarketSettings, Workers
from gridbazaar.market.outcome import Outcome
from gridbazaar.market.state_file import packed, unpacked
from gridbazaar.network import Bus, Clearing, Feeder, Generator, Line, ShortageError, replay_ac
from gridbazaar.network.infeasibility.remedies import LimitCure, LoadCure

QUICK = (0, 1, 2, 3, 4, 6, 7, 9, 10, 12, 16, 18, 19, 20, 24)  # LV and MV, local optima and convex ones, shortages


def judged(market: PhysicalMarket, use: str) -> None:
    """Settled with an AC solution and a true certificate, or refused with cures that hold."""
    result = market.run(use)
    if result.outcome is Outcome.SETTLED:
        replayed = replay_ac(result.feeder, result.dispatch)
        assert replayed.voltage_error_pu < 1e-6
        assert replayed.root_mismatch_kw < 1e-5 * result.feeder.base_kw
        proven = result.certificate
        assert gains_usd(market, result) <= proven.total_usd + 1e-6 * proven.turnover_usd
        return
    assert result.outcome is Outcome.SHORTAGE, result.message
    error = ShortageError.of(result.feeder, result.dispatch)
    assert error is not None
    assert error.cures
    for cure in error.cures:
        again = _cured(market, cure, error.period).run(use)
        assert error.period not in again.dispatch.short_periods
        assert again.dispatch.inexact_periods == []


def _cured(market: PhysicalMarket, cure: object, period: int) -> PhysicalMarket:
    if isinstance(cure, LoadCure):
        assert cure.unit == "kW"
        return market.cured(dict(cure.changes), period)
    assert isinstance(cure, LimitCure)
    old = market.clearing
    feeder = cure.applied(old.feeder)
    most, least = old.p_gen_max_kw.copy(), old.p_gen_min_kw.copy()
    for change in cure.changes:
        if change.table == "generators":
            limits = most if change.key == "p_max_kw" else least
            limits[[g.name for g in feeder.generators].index(change.row), period] = change.value
    limits_kw = {"p_gen_min_kw": least, "p_gen_max_kw": most}
    return replace(market, clearing=Clearing(feeder, old.load_kw, old.load_kvar, old.dt_h, **limits_kw))


@pytest.mark.parametrize("seed", QUICK)
def test_random_markets_settle_with_ac_proof_or_name_a_cure(seed):
    judged(physical_market(seed), ("withdrawals", "bids")[seed % 2])


def test_fixed_load_that_no_wire_can_carry_is_named_and_its_price_does_not_run_away():
    """Along the limits of a curve its price would double round by round, without end."""
    judged(physical_market(38), "withdrawals")


@pytest.mark.long
@pytest.mark.parametrize("use", ["withdrawals", "bids"])
@pytest.mark.parametrize("seed", range(25, 65))
def test_more_random_markets(seed, use):
    judged(physical_market(seed), use)


def test_the_relaxation_alone_is_never_called_settled():
    """PV that is paid to run: `cone` burns it in the wires and says that this is no AC solution, `auto` curtails it."""
    feeder = Feeder(
        (Bus("s"), Bus("a", p_kw=5.0), Bus("b")),
        (Line("s", "a", 0.05, 0.02), Line("a", "b", 0.2, 0.05)),
        (
            Generator("grid", "s", 0.0, 0.2, 0, 0, 100, -50, 50),
            Generator("sun", "b", 0.0, -0.05, 0, 0, 80, 0, 0),
        ),
        "s",
        0.4,
    )
    load = np.array([[0.0], [5.0], [0.0]])
    home = Household(
        "ann", "a", np.array([2.0]), np.zeros(1), 0.02, 0.5, np.zeros(1), np.array([8.0]), np.array([20.0])
    )
    found = {
        physics: EnergyMarket(Clearing(feeder, load, 0 * load, 1.0, physics=physics), [home], []).run()
        for physics in ("cone", "auto", "ac")
    }
    assert found["cone"].outcome is Outcome.NOT_AC
    assert "no solution of the AC equations" in found["cone"].message
    assert "use market.physics auto" in found["cone"].message
    assert not found["cone"].settled
    for physics in ("auto", "ac"):
        result = found[physics]
        assert result.settled
        assert result.dispatch.lmp_usd_per_kwh[2, 0] == pytest.approx(-0.05, abs=1e-6)
        assert replay_ac(feeder, result.dispatch).voltage_error_pu < 1e-8
        assert "1 of 1 periods are at a local optimum" in str(result.certificate)
        assert result.generators.query("generator == 'sun'").curtailed_kw.item() > 30
    assert found["auto"].dso_cost_usd == pytest.approx(found["ac"].dso_cost_usd, abs=1e-6)


def test_trades_overload_a_line_that_the_dso_looks_at_only_with_withdrawals():
    """A rating of 8 kW: bids alone keep it, trades do not; where the DSO clears for withdrawals the market keeps it."""
    feeder = Feeder(
        (Bus("s"), Bus("a", p_kw=2.0), Bus("b", p_kw=2.0)),
        (Line("s", "a", 0.02, 0.01), Line("a", "b", 0.03, 0.01, p_max_kw=8.0)),
        (Generator("grid", "s", 0.001, 0.3, 0, 0, 100, -50, 50),),
        "s",
        0.4,
    )
    load = np.array([[0.0, 0.0], [2.0, 2.0], [2.0, 2.0]])
    sunny = Household(
        "sunny", "a", np.full(2, 1.0), np.array([25.0, 0.0]), 0.01, 0.4, np.zeros(2), np.full(2, 5.0), np.full(2, 30.0)
    )
    hungry = Household(
        "hungry", "b", np.full(2, 4.0), np.zeros(2), 0.005, 0.5, np.zeros(2), np.full(2, 20.0), np.full(2, 30.0)
    )
    clearing = Clearing(feeder, load, 0.2 * load, 1.0)
    bids, wires = (
        EnergyMarket(
            clearing, [sunny, hungry], [Link("sunny", "hungry", 30.0)], settings=MarketSettings(network_use=use)
        ).run()
        for use in ("bids", "withdrawals")
    )
    assert bids.settled
    assert wires.settled
    assert np.abs(bids.dispatch.p_flow_kw[2]).max() < 8.001
    said = str(bids.breaches[0])
    assert said.startswith("a-b carries")
    assert said.endswith("of 8 kW in 2 of 2 periods")
    assert bids.lines.query("line == 'a-b'").loading_with_trades_percent.max() > 150
    assert wires.breaches == []
    assert np.array_equal(wires.with_trades.v_pu, wires.dispatch.v_pu)
    withdrawn = wires.buses.query("bus == 'b'").bid_kw.to_numpy()
    assert withdrawn == pytest.approx(wires.withdrawal_kw[1])
    # the flows with trades are those of a power flow with everybody's withdrawal at its bus
    drawn = np.array([bids.withdrawal_kw[0], bids.withdrawal_kw[1]]) - bids.bid_kw
    asked = bids.dispatch.demand_kw + np.vstack([np.zeros(2), drawn])
    moved = replace(bids.dispatch, demand_kw=asked)
    assert replay_ac(feeder, moved).v_pu == pytest.approx(bids.with_trades.v_pu, abs=1e-9)


@pytest.fixture(scope="module")
def along_tangents():
    """A market some of whose periods are cleared along tangents, and by elastic clearings."""
    market = physical_market(12)
    return {"clearing": market.clearing, "households": market.households, "links": market.links}


def to_the_end(market: EnergyMarket, before=()) -> SimpleNamespace:
    rounds = list(before)
    while market.running:
        market.step()
        rounds.append(market.last)
    return SimpleNamespace(rounds=rounds, result=market.result())


def test_snapshots_and_workers_give_the_same_bits_along_tangents(along_tangents):
    settings = MarketSettings(network_use="withdrawals", method="admm")
    whole = to_the_end(EnergyMarket(**along_tangents, settings=settings, rng=5))
    assert whole.result.dispatch.local.any()
    assert whole.result.elastic_clearings > 3
    with EnergyMarket(**along_tangents, settings=settings, rng=5, hosting=Hosting(Workers(2))) as market:
        assert equal_runs(whole, to_the_end(market))
    for stop in (1, 4, len(whole.rounds) - 2):
        begun = EnergyMarket(**along_tangents, settings=settings, rng=5)
        rounds = []
        for _ in range(stop):
            begun.step()
            rounds.append(begun.last)
        again = EnergyMarket(**along_tangents, settings=settings, rng=5)
        again.restore(unpacked(packed(begun.snapshot())))
        assert equal_runs(whole, to_the_end(again, rounds))
