"""A market is stepped like a clock: the same each time, still once it has ended, readable at any moment."""

import itertools

import numpy as np
import pytest

from gridbazaar.market import Outcome, Phase


@pytest.fixture
def market(ieee33_bazaar, open_market):
    return lambda **settings: open_market(ieee33_bazaar(), rng=3, **settings)


def same(a, b):
    """Whether two results have the same bits."""
    keys = ("bid_kw", "elastic_kw", "trade_kw", "price_usd_per_kwh", "lmp_usd_per_kwh", "regret_usd")
    return all(np.array_equal(getattr(a, key), getattr(b, key)) for key in keys)


@pytest.mark.parametrize("order", ["proximal_jacobi", "gauss_seidel"])
def test_same_seed_same_bits(market, order):
    first, second = (market(order=order, max_iterations=4).run() for _ in range(2))
    assert same(first, second)
    assert first.message == second.message


def test_stepping_by_hand_is_running(market):
    by_hand, watched = market(max_iterations=3), []
    ran = market(max_iterations=3).run(watched.append)
    numbers = []
    while by_hand.running:
        by_hand.step()
        numbers.append(by_hand.last.number)
    assert numbers == [r.number for r in watched] == list(range(1, len(watched) + 1))
    assert same(by_hand.result(), ran)


def test_looking_changes_nothing(market):
    """The result of an unfinished run, asked for after every step, leaves the numbers as they are."""
    looked_at = market(max_iterations=3)
    while looked_at.running:
        looked_at.step()
        looked_at.result()
    assert same(looked_at.result(), market(max_iterations=3).run())


def test_a_step_after_the_end_does_nothing(market):
    ended = market(max_iterations=2)
    before = ended.run()
    last, rounds, kept = ended.last, ended.rounds, len(ended.datacollector.get_model_vars_dataframe())
    ended.step()
    assert ended.last is last
    assert ended.rounds == rounds
    assert len(ended.datacollector.get_model_vars_dataframe()) == kept
    assert same(ended.result(), before)


def test_phases_follow_each_other(market):
    seen = []
    market(max_iterations=3).run(lambda r: seen.append(r.phase))
    follows = {
        Phase.CLEARING: {Phase.SHARING},
        Phase.SHARING: {Phase.SHARING, Phase.DELIVERY},
        Phase.DELIVERY: {Phase.SHARING, Phase.CLEARING},  # what was agreed may be regretted too much
    }
    assert seen[0] is Phase.CLEARING
    assert all(phase in follows[before] for before, phase in itertools.pairwise(seen))
    assert seen.count(Phase.CLEARING) == 3


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_a_result_before_the_first_delivery(market, steps):
    unfinished = market()
    for _ in range(steps):
        unfinished.step()
    result = unfinished.result()
    assert result.outcome is Outcome.RUNNING
    assert result.message == "not finished: the run was stopped before the market settled"
    assert (result.bid_kw == 0).all()
    assert (
        str(result.certificate)
        == "no certificate yet: no schedule has been delivered, cleared and held against the prices that followed"
    )


@pytest.fixture
def waiting(market):
    """A market whose bids have been made in its third outer step, and wait for their clearing."""
    unfinished = market(regret_tolerance=1e-13)
    while unfinished.iteration < 3 or unfinished.phase is not Phase.CLEARING:
        unfinished.step()
    return unfinished


def check_dispatch_is_of_bids(result, market):
    at = [result.feeder.index(prosumer.bus) for prosumer in market.prosumers]
    load = market.operator.clearing.load_kw
    assert result.dispatch.demand_kw[at] - load[at] == pytest.approx(result.bid_kw)


def test_a_result_in_between_is_of_the_schedule_that_was_cleared_last(waiting):
    """Once the bids that waited for their clearing are cleared and certified."""
    waiting.step()
    result = waiting.result()
    assert result.outer_iterations == 4
    check_dispatch_is_of_bids(result, waiting)
    assert 1e-13 < result.certificate.relative < 1e-5


def test_bids_that_wait_for_their_clearing_are_shown_as_they_will_be_cleared_and_proven_by_nothing(waiting):
    """Looking steps nothing: the dispatch is foreseen, to the bit, and there is no certificate of it yet."""
    before = waiting.operator.state
    result = waiting.result()
    assert waiting.operator.state is before
    assert (waiting.phase, result.outer_iterations, result.clearings) == (Phase.CLEARING, 3, 3)
    check_dispatch_is_of_bids(result, waiting)
    assert np.isnan(result.certificate.relative)
    assert str(result.certificate).startswith("no certificate yet: ")
    waiting.step()
    cleared = waiting.result()
    assert cleared.clearings == 4
    for key in ("bid_kw", "elastic_kw", "trade_kw", "price_usd_per_kwh", "lmp_usd_per_kwh"):
        assert np.array_equal(getattr(result, key), getattr(cleared, key)), key
    for key in ("demand_kw", "p_gen_kw", "v_pu", "lmp_usd_per_kwh", "cost_usd"):
        assert np.array_equal(getattr(result.dispatch, key), getattr(cleared.dispatch, key)), key


def test_a_round_is_a_record_that_nobody_can_change(market):
    running = market()
    running.step()
    first = running.last
    powers = [getattr(first, key).copy() for key in ("bid_kw", "power_kw", "price_usd_per_kwh")]
    for _ in range(5):
        running.step()
    for key, power in zip(("bid_kw", "power_kw", "price_usd_per_kwh"), powers, strict=True):
        assert np.array_equal(getattr(first, key), power)
        with pytest.raises(ValueError, match="read-only"):
            getattr(first, key)[0] = 1.0


def test_data_collector(ieee33_run):
    run = ieee33_run()
    frame = run.market.datacollector.get_model_vars_dataframe()
    assert len(frame) == len(run.rounds)
    assert list(frame) == [
        *("iteration", "phase", "primal_kw", "dual_usd_per_kwh", "dso_cost_usd", "outer_error", "regret_usd")
    ]
    assert frame.dso_cost_usd.iloc[-1] == run.result.dso_cost_usd
    assert frame.regret_usd.iloc[-1] == run.result.certificate.total_usd
    assert frame.iteration.tolist() == [r.iteration for r in run.rounds]
    shared = [r.primal_kw for r in run.rounds if r.iteration == 1 and r.phase == Phase.SHARING]
    assert shared[-1] < 0.1 * max(shared)


def test_every_round_says_what_happened(ieee33_run):
    sentences = [r.sentence for r in ieee33_run().rounds]
    assert sentences[0].startswith("step 1: the DSO clears the market at $")
    assert sentences[1].startswith("step 1, round 1: partners disagree by ")
    assert any(s.startswith("step 1: trades are delivered; bids move by ") for s in sentences)
    assert sentences[-1] == "settled: nobody gains by deviating"
