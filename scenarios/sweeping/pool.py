"""Many points side by side, each in a process; one whose process dies is a row, and the others go on."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from typing import Protocol, TypeVar

from ...market.hosting.environment import environment
from ..runs.interrupts import interrupts
from .keeping import Row
from .process import begin

_LOOKS_S = 0.2  # between two looks at whether somebody has pressed Ctrl-C
_LOST = 5
"""The exit code of a run whose process was lost for good."""
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Task(Protocol):
    """What a process can be given to do."""

    @property
    def number(self) -> int:
        """Which of all it is."""

    def row(self, outcome: str, message: str, exit_code: int, /) -> Row:
        """Its row when there is nothing else to tell."""


Point = TypeVar("Point", bound=Task)
Told = Callable[[Point, Row], None]
"""Told of a point that has ended, with its row."""


def run_missing(
    points: Sequence[Point],
    rows: dict[int, Row],
    processes: int,
    watch: Callable[[list[Point]], Told[Point]] | None,
    run: Callable[[Point], Row],
) -> bool:
    """Run those of some points that have no row yet, and write their rows down as they end; as `run_points`.

    Args:
        points: All of them.
        rows: The rows of those that have ended, by number.
        processes, run: As of `run_points`.
        watch: Told of those that are missing before they begin; it gives what is told of each that has ended.
    """
    missing = [point for point in points if point.number not in rows]
    told = watch(missing) if watch else None

    def finished(point: Point, row: Row) -> None:
        rows[point.number] = row
        if told:
            told(point, row)

    return run_points(missing, processes, finished, run)


def run_points(
    points: Sequence[Point], processes: int, finished: Callable[[Point, Row], None], run: Callable[[Point], Row]
) -> bool:
    """Run points until all have ended, or somebody interrupts.

    Args:
        points: What is to be run.
        processes: How many run side by side, each in a process of its own; 0: in this one, one after the other.
        finished: Told of every point that has ended, in the order in which they do.
        run: Runs a point; a function that processes can import. An interrupt (Ctrl-C) it takes as it likes, and tells
            so by the outcome "interrupted".

    Returns:
        Whether it was interrupted: points under way have saved what they had, others have not begun.
    """
    if processes == 0:
        return _run_here(points, finished, run)
    waiting = deque(points)
    with interrupts() as interrupted, environment(_ONE_THREAD):
        while waiting and not interrupted():
            suspects = _run_until_lost(waiting, processes, finished, run, interrupted)
            for point in suspects:  # one of them has ended its process: each again, alone
                alone = deque([point])
                if not interrupted() and _run_until_lost(alone, 1, finished, run, interrupted):
                    sentence = "its process has died twice; is there enough memory, or does a behaviour end it?"
                    finished(point, point.row("lost", sentence, _LOST))
        return interrupted()


def _run_here(points: Sequence[Point], finished: Callable[[Point, Row], None], run: Callable[[Point], Row]) -> bool:
    for point in points:
        row = run(point)
        finished(point, row)
        if row["outcome"] == "interrupted":
            return True
    return False


def _run_until_lost(
    waiting: deque[Point],
    processes: int,
    finished: Callable[[Point, Row], None],
    run: Callable[[Point], Row],
    interrupted: Callable[[], bool],
) -> list[Point]:
    """Run points until none is left or a process dies; the points that were under way then."""
    others = active_children()
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=begin)
    under_way: dict[Future[Row], Point] = {}
    lost: list[Point] = []
    told = False
    with pool:
        while under_way or (waiting and not lost and not interrupted()):
            while waiting and len(under_way) < processes and not lost and not interrupted():
                point = waiting.popleft()
                try:
                    under_way[pool.submit(run, point)] = point
                except BrokenProcessPool:
                    lost.append(point)
            done, _ = wait(under_way, timeout=_LOOKS_S, return_when=FIRST_COMPLETED)
            for future in done:
                point = under_way.pop(future)
                try:
                    row = future.result()
                except BrokenProcessPool:
                    lost.append(point)
                else:
                    finished(point, row)
            if interrupted() and not told:
                told = True
                _interrupt([child for child in active_children() if child not in others])
    return lost


def _interrupt(children: list[BaseProcess]) -> None:
    """Let the runs under way end after their round; idle processes do not listen."""
    for child in children:
        if child.pid:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(child.pid, signal.SIGINT)
