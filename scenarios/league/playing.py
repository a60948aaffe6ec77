"""How a match is played; in a process of its own if there are many."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from functools import partial
from typing import Any

import numpy as np

from ...market.settings import Case
from ...network.arrays import FloatArray
from ...network.errors import GridbazaarError
from ..files.loading import vary
from ..files.scenario import Scenario
from ..files.schema import MessagesRow
from ..files.tree import Change
from ..runs.interrupts import interrupts
from ..runs.json_values import number
from ..runs.run import INTERRUPTED
from ..sweeping.keeping import Row
from .day import Behaviours, Day, play
from .gains import truthful
from .match import Kind, Match
from .search import Percents, Search
from .sizes import loaded

_FAILED = {2: "refused", 4: "infeasible"}
_NOT_SETTLED = 3


class _InterruptedError(Exception):
    """Somebody has pressed Ctrl-C."""


def play_match(match: Match) -> Row:
    """Play a match and keep what it has brought; what fails is kept, too. One that was played is not played again.

    An interrupt (Ctrl-C) ends it after the market under way; it is not kept then.
    """
    before = match.kept()
    if before:
        return before
    try:
        with interrupts() as interrupted, redirect_stdout(sys.stderr):  # what behaviours print is no part of the table
            scenario = _scenario(match)
            row = (
                _ring(match, scenario, interrupted) if match.kind is Kind.RING else _days(match, scenario, interrupted)
            )
    except _InterruptedError:
        return match.row("interrupted", "stopped before it was played to its end", INTERRUPTED)
    except GridbazaarError as error:
        row = match.row(_FAILED.get(error.exit_code, "failed"), str(error), error.exit_code)
    return match.keep(row)


def _scenario(match: Match) -> Scenario:
    """The scenario of a match with price takers, checked; without sharing rounds no messages can be late or lost."""
    scenario = truthful(loaded(match.scenario, match.changes, match.parts))
    if scenario.settings.case is not Case.SHARING:
        scenario = scenario.model_copy(update={"messages": MessagesRow()})
    scenario.check()
    return scenario


def _days(match: Match, scenario: Scenario, interrupted: Callable[[], bool]) -> Row:
    """Play the days of a match, one after the other."""
    acting = vary(scenario, [_acts(name, text) for name, text in match.behaviours.items()])
    states: dict[str, dict[str, object]] = {}
    days: list[Row] = []
    row = match.row("settled", "", 0)
    for number_of_day in range(match.days):
        if interrupted():
            raise _InterruptedError
        day = play(acting, partial(_remembering, acting, states), acting.seed + match.seed + number_of_day)
        days.append(_kept(day))
        if not day.settled:
            row = match.row(day.result.outcome.name.lower(), day.result.message, _NOT_SETTLED)
            break
        for name, behaviour in day.behaviours.items():
            behaviour.learn(float(day.cost_usd[day.result.names.index(name)]))
            states[name] = behaviour.saved_state()
    return {**row, "days": days}


def _remembering(scenario: Scenario, states: Mapping[str, dict[str, object]]) -> Behaviours:
    """New behaviours that go on from what they remembered."""
    made = scenario.build_behaviours()
    for name, state in states.items():
        made[name].restore_state(state)
    return made


def _ring(match: Match, scenario: Scenario, interrupted: Callable[[], bool]) -> Row:
    """Search for the joint declaration at which the members of a ring pay least, and play it."""
    played: dict[Percents, Day] = {}
    members = list(match.behaviours)
    seats = [list(scenario.prosumers).index(name) for name in members]

    def costs(percents: Percents) -> FloatArray:
        if interrupted():
            raise _InterruptedError
        day = play(vary(scenario, _declarations(members, percents)), seed=scenario.seed + match.seed)
        played[percents] = day
        return np.array([day.cost_usd[i] if day.settled else np.inf for i in seats])

    search = Search(costs, len(members), span=10.0 / match.parts)
    best = search.best()
    if not played[best].settled:
        day = played[best]
        return match.row(day.result.outcome.name.lower(), day.result.message, _NOT_SETTLED)
    tried = [[list(percents), [number(usd) for usd in found]] for percents, found in search.tried.items()]
    row = match.row("settled", "", 0)
    return {**row, "days": [_kept(played[best])], "percents": dict(zip(members, best, strict=True)), "tried": tried}


def _declarations(members: list[str], percents: Percents) -> list[Change]:
    """What a ring declares, as changes of the scenario; nothing where all tell the truth."""
    if not any(percents):
        return []
    agreed = f"Colluders(percents={dict(zip(members, percents, strict=True))!r})"
    return [_acts(name, agreed) for name in members]


def _acts(name: str, text: str) -> Change:
    return Change(f"prosumers.{name}.behaviour", text, f"--behaviour {name}={text}")


def _kept(day: Day) -> dict[str, Any]:
    """What is kept of a day, ready for JSON."""
    result = day.result
    return {
        "prosumers": list(result.names),
        "cost_usd": [number(usd) for usd in day.cost_usd],
        "known_to_usd": [number(usd) for usd in day.known_to_usd],
        "welfare_usd": number(result.welfare_usd),
        "dso_cost_usd": number(result.dso_cost_usd),
        "together_known_to_usd": number(day.dso_known_to_usd),
        "regret_usd": number(result.certificate.total_usd),
        "published": list(day.published),
    }
