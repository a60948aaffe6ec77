"""Where the time went, and whether fewer workers would be faster."""

import time

import pytest

from gridbazaar.agents import Behaviour
from gridbazaar.market import Workers
from gridbazaar.market.hosting.timing import Effort, Timing


def timing(*efforts: tuple[float, float, float]) -> Timing:
    return Timing("worker process", 2, tuple(1 for _ in efforts), tuple(Effort(*effort) for effort in efforts))


def test_waiting_is_what_is_left():
    assert Effort(solving_s=2.0, carrying_s=0.5, asked_s=4.0).waiting_s == 1.5
    assert Effort(solving_s=2.0, carrying_s=0.5, asked_s=2.0).waiting_s == 0.0


def test_workers_that_pay_are_left_alone():
    assert timing((5.0, 0.1, 5.3), (5.0, 0.1, 5.3)).advice == ""


def test_little_work_is_done_faster_at_home():
    advice = timing((0.01, 0.01, 0.04), (0.01, 0.01, 0.04)).advice
    assert advice.startswith("this process alone would be faster: prosumers took 0.04 s to answer")
    assert "about 0.02 s" in advice


def test_more_workers_than_cores_only_carry_more():
    assert timing(*[(2.5, 1.0, 9.0)] * 4).advice.startswith("2 of them would be faster")


def test_time_that_is_waited_for_is_shared_too(run_at):
    """Whose behaviour waits for something else, a network say, gains by workers as whose behaviour computes."""

    class Slow(Behaviour):
        def answer(self, quote, problem):
            time.sleep(0.03)
            return problem.share(quote)

    timing = run_at("ieee33", Workers(2), behaviours={"p1": Slow(), "p2": Slow()}, max_rounds=10).result.hosting.timing
    assert timing.solving_s > 0.2
    assert "this process" not in timing.advice


def test_in_this_process_there_is_nothing_to_advise(run_at):
    timing = run_at("ieee33").result.hosting.timing
    assert (timing.noun, timing.advice, timing.carrying_s) == ("", "", 0.0)
    assert 0 < timing.solving_s <= timing.asked_s


def test_what_is_told_of_workers_adds_up(run_at):
    timing = run_at("ieee33", Workers(2)).result.hosting.timing
    assert timing.prosumers == (2, 1)
    for effort in timing.efforts:
        assert effort.solving_s > 0
        assert effort.carrying_s > 0
        assert effort.waiting_s == pytest.approx(effort.asked_s - effort.solving_s - effort.carrying_s)
    assert timing.asked_s < 10
