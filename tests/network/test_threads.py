"""A clearing in several threads: the same bits as in one, whatever the cores, and errors that name their period."""

from __future__ import annotations

import multiprocessing as mp
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import current_thread
from time import sleep
from typing import Any

import numpy as np
import pytest

from gridbazaar.market import Workers
from gridbazaar.network import Bus, Clearing, Feeder, Generator, Line
from gridbazaar.network import clearing as module
from gridbazaar.network import cores as ours
from gridbazaar.network.cores import cores

FEEDER = Feeder(
    (Bus("a"), Bus("b"), Bus("c")),
    (Line("a", "b", 0.3, 0.2, p_max_kw=700.0), Line("b", "c", 0.4, 0.3)),
    (Generator("grid", "a", 1e-4, 0.1, 0.0, 0.0, 2000.0, -900.0, 900.0),),
    root="a",
    base_kv=11.0,
)
LOAD = np.outer([0.0, 200.0, 150.0], np.linspace(0.4, 2.6, 25))  # the last hours are short


@pytest.mark.parametrize("cores", [2, 3, 8])
def test_threads_change_no_bit(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for count in (1, cores):
        monkeypatch.setattr(module, "cores", lambda count=count: count)
        clearing = Clearing(FEEDER, LOAD, LOAD / 3, 1.0)
        assert len(clearing._solvers) == min(count, 25 // 6)
        found.append([clearing.clear(bid * np.ones_like(LOAD)) for bid in (0.0, 30.0, 5.0)])
    for one, many in zip(*found, strict=True):
        for name in ("p_gen_kw", "v_pu", "lmp_usd_per_kwh", "unserved_kw", "cone_gap"):
            assert np.array_equal(getattr(one, name), getattr(many, name)), name
    assert found[0][1].unserved_kw.max() > 0
    assert found[0][1].unserved_kw[:, 0].max() == 0


def test_slopes_of_a_period_are_the_same_alone_and_with_others() -> None:
    """With and without shortage, which are two programs, whatever periods are asked for beside."""
    clearing = Clearing(FEEDER, LOAD, LOAD / 3, 1.0)
    cleared, buses = clearing.solve(30.0 * np.ones_like(LOAD)), np.array([1, 2])
    assert len({id(period.program) for period in cleared}) == 2
    roots, limits = clearing.slopes_and_limits(cleared, buses)
    held = clearing.slope_roots(cleared, buses)
    assert not np.allclose(held, roots, rtol=1e-3)
    close = partial(np.allclose, rtol=1e-9, atol=1e-15)  # the last bits are the processor's
    for t, period in enumerate(cleared):
        [root], own = clearing.slopes_and_limits([period], buses)
        assert close(root, roots[t])
        assert close(clearing.slope_roots((period,), buses)[0], held[t])
        near, alone = limits.at(t), own.at(0)
        assert (near is None) == (alone is None)
        if near is not None and alone is not None:
            rows = alone.slack_kw.size
            assert close(near.effect[:, :rows], alone.effect)
            assert close(near.give[:rows, :rows], alone.give)
            assert close(near.slack_kw[:rows], alone.slack_kw)


def test_the_number_of_cores_changes_no_bit_of_slopes(
    ieee33_bazaar: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    bazaar, found = ieee33_bazaar(), []
    for count in (1, 2, 3):
        monkeypatch.setattr(ours, "cores", lambda count=count: count)
        monkeypatch.setattr(module, "cores", lambda count=count: count)
        clearing = bazaar.clearing()
        cleared = clearing.solve(np.zeros_like(bazaar.load_kw))
        root, limits = clearing.slopes_and_limits(cleared, np.arange(1, len(bazaar.feeder.buses)))
        found.append((root, limits.effect, limits.give, clearing.slope_roots(cleared, np.array([5, 12]))))
    for other in found[1:]:
        assert all(np.array_equal(*pair) for pair in zip(found[0], other, strict=True))


def test_one_clearing_answers_several_threads_as_it_answers_one() -> None:
    clearing = Clearing(FEEDER, LOAD, LOAD / 3, 1.0)
    bids = [bid * np.ones_like(LOAD) for bid in (0.0, 30.0, 5.0, 10.0)] * 3
    buses, periods = np.array([1, 2]), np.arange(12)

    def everything(bid: np.ndarray) -> tuple[np.ndarray, ...]:
        cleared = clearing.solve(bid)
        price = np.full((2, 12), 0.3)
        chosen, _ = clearing.solve_elastic(periods, buses, price, np.full((2, 12), 0.01), bid[buses][:, periods])
        return clearing.dispatch(cleared).lmp_usd_per_kwh, chosen, clearing.slope_roots(cleared, buses)

    alone = [everything(bid) for bid in bids]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(everything, bids))
    for one, other in zip(alone, together, strict=True):
        assert all(np.array_equal(left, right) for left, right in zip(one, other, strict=True))


def cleared_cost(clearing: Clearing, bid: float) -> float:
    return clearing.clear(bid * np.ones_like(LOAD)).cost_usd


def forked(results: mp.Queue) -> None:
    results.put([cleared_cost(Clearing(FEEDER, LOAD, LOAD / 3, 1.0), bid) for bid in (0.0, 5.0)])


@pytest.mark.skipif("fork" not in mp.get_all_start_methods(), reason="no processes are forked there")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_clears(monkeypatch: pytest.MonkeyPatch) -> None:
    """The threads of its parent are not there any more; it must not wait for them."""
    monkeypatch.setattr(module, "cores", lambda: 4)
    clearing = Clearing(FEEDER, LOAD, LOAD / 3, 1.0)
    here = [cleared_cost(clearing, bid) for bid in (0.0, 5.0)]
    context = mp.get_context("fork")
    results = context.Queue()
    process = context.Process(target=forked, args=(results,))
    process.start()
    try:
        assert results.get(timeout=30) == here
    finally:
        process.kill()
        process.join()


@pytest.mark.skipif(sys.platform != "linux", reason="cores cannot be taken away from a process there")
def test_workers_and_clearings_count_the_cores_that_they_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5})
    assert cores() == Workers(2).cores == 3


def test_side_by_side_keeps_the_order_and_never_waits_for_itself(monkeypatch):
    """Each of more calls than there are threads calls it again."""
    monkeypatch.setattr(ours, "cores", lambda: 2)

    def squares(number):
        return ours.side_by_side(lambda other: (number * other, current_thread().name), range(4))

    found = ours.side_by_side(squares, range(16))
    assert [[product for product, _ in row] for row in found] == [[a * b for b in range(4)] for a in range(16)]
    assert all(len({name for _, name in row}) == 1 for row in found)
    assert all(name != current_thread().name for row in found for _, name in row)


def test_side_by_side_raises_what_fails_first():
    def fails(number):
        if number % 2:
            raise ValueError(number)
        return number

    with pytest.raises(ValueError, match=r"^1$"):
        ours.side_by_side(fails, range(6))


def test_nobody_goes_on_before_all_have_ended_when_the_first_fails(monkeypatch):
    monkeypatch.setattr(ours, "cores", lambda: 2)
    ended = []

    def act(item):
        if item == 0:
            raise ValueError("the first")
        sleep(0.05)
        ended.append(item)

    with pytest.raises(ValueError, match="the first"):
        ours.side_by_side(act, [0, 1])
    assert ended == [1]
