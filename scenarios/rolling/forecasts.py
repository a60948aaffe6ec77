"""What is known before: the scenario that a window is planned with, and what households can spare for stores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ...agents.household import Household
from ...agents.trade_graph import TradeGraph
from ...network.arrays import FloatArray
from ...network.calendars import Calendar
from ..files.horizon import DAY_H, FORECAST_KEYS, expecting, forecast_name
from ..files.scenario import Scenario
from .windows import Window


def planned(scenario: Scenario, window: Window) -> Scenario:
    """The scenario of a window: an ordinary one, without a horizon; the k-th window has a seed higher by k - 1."""
    horizon = scenario.horizon
    assert horizon is not None
    part = scenario.cut(window.first, window.count)
    changes = {"horizon": None, "seed": scenario.seed + window.number - 1}
    if horizon.is_perfect:
        return part.model_copy(update=changes)
    persistent = horizon.forecast == "persistence"
    found = part.profiles | (_of_the_day_before(scenario, window) if persistent else {})
    homes = {name: expecting(row, found) for name, row in scenario.prosumers.items()}
    return part.model_copy(update={**changes, "profiles": found, "prosumers": homes})


def spare_kw(scenario: Scenario, homes: Sequence[Household], graph: TradeGraph) -> list[FloatArray]:
    """What each household has for its stores at the most, (period,) each, as far as it is known before.

    That is what it may buy and trade, and has, less what it must use: by what will happen with a perfect forecast, by
    what is expected with a table; else by its largest load, and no renewables.
    """
    horizon = scenario.horizon
    assert horizon is not None
    may_kw = [home.bid_max_kw + cap for home, cap in zip(homes, graph.by_owner(graph.cap_kw[graph.link]), strict=True)]
    if horizon.forecast == "persistence":
        lack_kw = [home.fixed_kw.max() + home.elastic_min_kw for home in homes]
    else:
        seen = homes if horizon.is_perfect else _foreseen(scenario)
        lack_kw = [home.fixed_kw + home.elastic_min_kw - home.renewable_kw for home in seen]
    return [most - lack for most, lack in zip(may_kw, lack_kw, strict=True)]


def _foreseen(scenario: Scenario) -> Sequence[Household]:
    """The households with what is expected of them over the whole horizon; without devices."""
    rows = {name: expecting(row, scenario.profiles) for name, row in scenario.prosumers.items()}
    plain = {name: row.model_copy(update={"devices": {}}) for name, row in rows.items()}
    return scenario.model_copy(update={"prosumers": plain}).build_households()


def _of_the_day_before(scenario: Scenario, window: Window) -> dict[str, dict[str, float]]:
    """What is expected by persistence of all profiles that prosumers have, by the name of the forecast."""
    sources = known_periods(window, scenario.calendar, scenario.dt_h)
    names = {getattr(row, key) for row in scenario.prosumers.values() for key in FORECAST_KEYS} & set(scenario.profiles)
    return {
        forecast_name(name): {str(t): scenario.profiles[name][str(source + 1)] for t, source in enumerate(sources, 1)}
        for name in sorted(names)
    }


def known_periods(window: Window, calendar: Calendar | None, dt_h: float) -> list[int]:
    """The period that stands for each of a window, by index: the last one before the window at that time of the day.

    With a calendar it is the time that the clock shows. Where the data have no day before, the period itself: it is
    taken to be known.
    """
    found = []
    for t in range(window.first, window.end):
        days = 1
        while (source := _days_before(t, days, calendar, dt_h)) >= window.first:
            days += 1
        found.append(source if source >= 0 else t)
    return found


def _days_before(period: int, days: int, calendar: Calendar | None, dt_h: float) -> int:
    """The period at the same time so many days before, by index; below 0 before the first."""
    if calendar is None:
        return period - days * round(DAY_H / dt_h)
    then = calendar.at(period) - timedelta(days=days)  # of the clock, not of hours: the zone is kept
    return int((then.timestamp() - calendar.start_s) // calendar.step_s)
