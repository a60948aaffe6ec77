"""Ctrl-C during a solve: OSQP takes the signal for itself, the prosumer hands it on and finishes its answer."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gridbazaar.agents import Household, Quote
from gridbazaar.agents.osqp_subproblem import OsqpSubproblem


class InterruptedOnce:
    """A solver that a Ctrl-C hits in its first solve, and that is itself in the next."""

    def __init__(self, solver: Any) -> None:
        self.solver, self.solves = solver, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.solver, name)

    def solve(self, **options: Any) -> Any:
        self.solves += 1
        if self.solves == 1:
            return SimpleNamespace(info=SimpleNamespace(status="interrupted"))
        return self.solver.solve(**options)


@pytest.fixture
def problem() -> OsqpSubproblem:
    home = Household("h", "1", np.full(3, 2.0), np.zeros(3), 0.01, 0.3, np.zeros(3), np.full(3, 5.0), np.full(3, 9.0))
    return OsqpSubproblem(home, np.zeros(0))


NOTHING = np.zeros((0, 3))
QUOTE = Quote(np.full(3, 0.2), np.zeros(3), np.zeros(3), NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)


def test_the_signal_is_handed_on_and_the_answer_is_whole(problem: OsqpSubproblem) -> None:
    before = problem.point
    expected = problem.share(QUOTE).bid_kw
    problem.point = before
    problem._solver = InterruptedOnce(problem._solver)  # type: ignore[assignment]  # stands in for OSQP
    came: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        bid = problem.share(QUOTE).bid_kw
    finally:
        signal.signal(signal.SIGINT, handler)
    assert came == [signal.SIGINT]
    assert np.array_equal(bid, expected)


def test_without_a_handler_of_ours_it_is_the_usual_keyboard_interrupt(problem: OsqpSubproblem) -> None:
    problem._solver = InterruptedOnce(problem._solver)  # type: ignore[assignment]  # stands in for OSQP
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            problem.share(QUOTE)
    finally:
        signal.signal(signal.SIGINT, before)
